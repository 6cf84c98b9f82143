import { HEADER, IP_PACKET } from '../../dissectors/ftt-ims.js';
import { PcapngWriter } from '../capture/writer.js';
import type { Row } from '../engine/row.js';
import type { PacketRedaction } from '../report/redact-packet.js';

const LINKTYPE_RAW = 101;

/** Writes the inner IP packets of rows to a pcapng file, an interface for each tunnel, with their original times. */
export class InnerFile {
  /** Packets written. */
  count = 0;
  private readonly writer: PcapngWriter;
  /** By number of the tunnel. */
  private readonly interfaces = new Map<number, number>();

  /**
   * @param target a file, or `-` for standard output
   * @param inputs files being read, which are never written over
   * @param redaction takes out what tells who and where somebody is; null: packets are written as they are
   * @throws CaptureError when it cannot be written
   */
  constructor(
    target: string,
    inputs: readonly string[],
    private readonly redaction: PacketRedaction | null = null,
  ) {
    const comment =
      redaction === null ? '' : 'Addresses, users, numbers and names are pseudonyms; voice and bodies are blanked.';
    this.writer = new PcapngWriter(target, { inputs, comment });
  }

  /** Tunnels that packets were written of. */
  get tunnels(): number {
    return this.interfaces.size;
  }

  /** Adds TLS key-log lines in a Decryption Secrets Block: for TLS inside the tunnels. */
  secrets(text: string): void {
    if (text !== '') this.writer.secrets(text);
  }

  /** Writes the packet of a row, if its envelope carries one. */
  take(row: Row): void {
    if (row.content === null) return;
    const v = row.content.view;
    if (v.buf[v.off] !== IP_PACKET || v.length <= HEADER) return;
    const { id } = row.tunnel!;
    let iface = this.interfaces.get(id);
    if (iface === undefined) this.interfaces.set(id, (iface = this.writer.iface(LINKTYPE_RAW, `tunnel ${id}`)));
    const start = v.off + HEADER;
    const octets = this.redaction?.packet(row, start) ?? v.buf.subarray(start, v.end);
    this.writer.frame(iface, row.seconds, row.nanos, octets, {
      comment: `tunnel ${id} ${row.direction}, row ${row.id}`,
      flags: row.direction === 'up' ? 2 : 1,
    });
    this.count++;
  }

  end(): void {
    if (this.interfaces.size === 0) this.writer.iface(LINKTYPE_RAW);
    this.writer.end();
  }
}
