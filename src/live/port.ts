/**
 * The seam between a tunnel and the IP host or router that speaks through it: whole IP packets in both directions.
 * A tunnel's port adds and removes the envelopes; a fault port loses or reorders.
 */
export interface PacketPort {
  /** Sends one whole IPv4 or IPv6 packet. The octets may be reused by the caller after the call. No effect once closed. */
  send(ip: Uint8Array): void;
  /**
   * Says who gets the packets that arrive, one call for each, in the order of arrival. The octets are valid only during
   * the call. A later call replaces the earlier receiver; packets that arrive before the first one are lost.
   */
  onPacket(receive: (ip: Uint8Array) => void): void;
  /** Releases what is below (for a tunnel: close_notify, TS 24.322 §5.4 and §5.5). Closing twice is no error. */
  close(): void;
}
