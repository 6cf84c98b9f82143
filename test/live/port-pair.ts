import type { PacketPort } from '../../src/live/port.js';

/** Two ports joined back to back: what one sends the other receives, during the call. */
export function portPair(): [PacketPort, PacketPort] {
  const a = new JoinedPort();
  const b = new JoinedPort();
  a.other = b;
  b.other = a;
  return [a, b];
}

class JoinedPort implements PacketPort {
  other: JoinedPort | undefined;
  private receive: ((ip: Uint8Array) => void) | undefined;
  send(ip: Uint8Array): void {
    this.other?.receive?.(ip);
  }
  onPacket(receive: (ip: Uint8Array) => void): void {
    this.receive = receive;
  }
  close(): void {
    if (this.other) this.other.other = undefined;
    this.other = undefined;
  }
}
