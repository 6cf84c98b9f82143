import { HEADER, IP_PACKET } from '../../dissectors/ftt-ims.js';
import { PcapngWriter } from '../capture/writer.js';
import type { Row } from '../engine/row.js';
import type { RedactedStream } from '../report/redact-stream.js';

const LINKTYPE_RAW = 101;

/** Writes the inner IP packets of rows to a pcapng file, an interface for each tunnel, with their original times. */
export class InnerFile {
  /** Packets written. */
  count = 0;
  /** Envelopes of type 1 whose payload has no IP version: LINKTYPE_RAW cannot say what they hold. */
  withoutIp = 0;
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
    private readonly redaction: RedactedStream | null = null,
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
    const start = v.off + HEADER;
    const version = v.buf[start] >> 4;
    if (version !== 4 && version !== 6) {
      this.withoutIp++; // the receiver discards it (TS 24.322 §5.3.2.2)
      return;
    }
    const { id } = row.tunnel!;
    let iface = this.interfaces.get(id);
    if (iface === undefined) this.interfaces.set(id, (iface = this.writer.iface(LINKTYPE_RAW, `tunnel ${id}`)));
    const { seconds, nanos } = row;
    const about = {
      comment: `tunnel ${id} ${row.direction}, row ${row.id}`,
      flags: row.direction === 'up' ? 2 : 1,
    };
    const write = (octets: Uint8Array): void => {
      this.writer.frame(iface, seconds, nanos, octets, about);
    };
    if (this.redaction === null) write(v.buf.subarray(start, v.end));
    else this.redaction.take(row, start, write);
    this.count++;
  }

  end(): void {
    this.redaction?.end();
    if (this.interfaces.size === 0) this.writer.iface(LINKTYPE_RAW);
    this.writer.end();
  }

  /** Takes the file away that was begun. */
  abandon(): void {
    this.writer.abandon();
  }
}
