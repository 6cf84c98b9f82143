import { PcapngWriter } from '../capture/writer.js';
import type { Row } from '../engine/row.js';

/**
 * Writes the outer frames of rows to a pcapng file, each frame once, each interface as it was; those of the files of one
 * rotation are one, so that their flows go on. Of Custom Blocks those
 * alone that may be copied into another capture (draft-ietf-opsawg-pcapng §4.8).
 */
export class FrameFile {
  /** Frames written. */
  count = 0;
  private readonly writer: PcapngWriter;
  /** By what the flows of their frames belong to. */
  private readonly interfaces = new Map<number, number>();
  private last = '';

  /**
   * @param target a file, or `-` for standard output
   * @param inputs files being read, which are never written over
   * @param comment on the capture
   * @throws CaptureError when it cannot be written
   */
  constructor(target: string, inputs: readonly string[], comment = '') {
    this.writer = new PcapngWriter(target, { inputs, comment });
  }

  /** Adds TLS key-log lines in a Decryption Secrets Block; they serve the frames after it. */
  secrets(text: string): void {
    if (text !== '') this.writer.secrets(text);
  }

  /** Writes the frame of a row, if the row before was not of the same frame. */
  take(row: Row): void {
    const id = `${row.file}:${row.frame}`;
    if (id === this.last) return;
    this.last = id;
    const { view, iface, scope } = row.outer;
    const octets = view.buf.subarray(view.off, view.end);
    if (iface.customBlock !== undefined) {
      const { pen, copied } = iface.customBlock;
      if (!copied || pen === undefined) return;
      this.writer.custom(pen, octets);
      this.count++;
      return;
    }
    let n = this.interfaces.get(scope);
    if (n === undefined) {
      n = this.writer.iface(iface.link, iface.name, { snaplen: iface.snaplen });
      this.interfaces.set(scope, n);
    }
    this.writer.frame(n, row.seconds, row.nanos, octets, { wire: view.wireLength });
    this.count++;
  }

  end(): void {
    this.writer.end();
  }

  /** Takes the file away that was begun. */
  abandon(): void {
    this.writer.abandon();
  }
}
