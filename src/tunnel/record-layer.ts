import type { TlsRecordNote } from '../../dissectors/tls/note.js';
import { ContentType, RECORD_HEADER } from '../../dissectors/tls/numbers.js';
import type { Piece } from '../stream/pdu-buffer.js';
import type { Hole, TlsSession } from '../tls/index.js';
import type { Account } from './account.js';
import type { Side } from './client-side.js';
import type { Connection } from './connection.js';
import type { Half } from './half.js';
import type { ConnectionHost } from './host.js';
import { viewOf } from './messages.js';
import { PlainText } from './plain-text.js';
import { recordLength, saysVersion } from './records.js';
import { TlsPdu } from './tls-pdu.js';

/** The TLS records of a connection, from the octets of its two halves to what their plain text holds. */
export class RecordLayer {
  readonly plainText: PlainText;

  constructor(
    private readonly connection: Connection,
    private readonly host: ConnectionHost,
    private readonly account: Account,
    readonly session: TlsSession,
  ) {
    this.plainText = new PlainText(connection, host);
  }

  /** `side` speaks TLS from here on. What of it is missing before is a gap. */
  begin(side: Side, half: Half): void {
    half.mode = 'tls';
    if (half.begun) return;
    half.lost = true;
    half.afterGap = true;
    if (half.missing > 0) this.gap(side, half.missing);
  }

  /** Takes the records that are whole in a segment, where nothing waits before it; returns where the rest starts. */
  takeWhole(side: Side, half: Half, buf: Uint8Array, from: number, end: number): number {
    let off = from;
    while (end - off >= RECORD_HEADER && half.isClear) {
      const n = recordLength(buf, off);
      if (n < 0 || end - off < n) break;
      this.record(side, half, buf, off, off + n, undefined);
      off += n;
    }
    return off;
  }

  /** Takes the records that are whole in the window. */
  take(side: Side, half: Half): void {
    const w = half.window;
    if (half.passing > 0) half.pass();
    if (half.lost) half.findRecord();
    while (!half.lost && w.end - w.off >= RECORD_HEADER) {
      const n = recordLength(w.buf, w.off);
      if (n < 0) {
        half.lost = true;
        half.afterGap = true;
        this.host.finding('tls.framing-lost');
        this.gap(side, 0);
        half.findRecord();
        continue;
      }
      if (w.end - w.off < n) {
        half.versioned ||= saysVersion(w.buf, w.off, w.end);
        return;
      }
      const { buf, off, end, segments } = w.take(n);
      this.record(side, half, buf, off, end, segments);
    }
  }

  /** Shows the records that are whole at the start of a segment before which octets are missing, as nobody reads them. */
  ahead(side: Side, buf: Uint8Array, off: number, end: number): number {
    const { connection, session } = this;
    let at = off;
    while (end - at >= RECORD_HEADER) {
      const n = recordLength(buf, at);
      const next = at + n;
      // A header alone is not enough: see Half.findRecord.
      if (n < 0 || next > end || (end - next >= RECORD_HEADER && recordLength(buf, next) < 0)) break;
      const type = buf[at];
      const note: TlsRecordNote = {
        version: session.version,
        direction: connection.tlsSide(side),
        status: type === ContentType.ApplicationData ? 'no-keys' : 'cut',
        contentType: type,
        verified: false,
      };
      connection.give({ dissector: connection.tlsDissector, view: viewOf(buf, at, next, 'TLS record'), note });
      at = next;
    }
    return at - off;
  }

  /**
   * Octets of a record, or more, are missing. Where its header is there, it is known where the next one may start; what
   * begins a segment that was not captured whole (`snapped`) is believed to be one.
   */
  cut(side: Side, half: Half, octets: number, snapped: boolean): void {
    const w = half.window;
    const have = w.end - w.off;
    const starts = snapped && half.fresh && half.frame === this.host.frame && have >= RECORD_HEADER;
    if (starts && recordLength(w.buf, w.off) >= 0) half.lost = false;
    const n = half.lost || have < RECORD_HEADER ? -1 : recordLength(w.buf, w.off);
    let missing = octets - half.passing + (half.lost ? have : 0);
    half.afterGap = true;
    half.passing = Math.max(0, -missing);
    half.snapped = snapped;
    if (n >= 0) {
      const { buf, off, end } = w.take(have);
      const record = this.session.cut(this.connection.tlsSide(side), buf, off, end, this.host.frame);
      const pdu = new TlsPdu(this.connection, side, record, true, undefined, off + n - end);
      if (half.frame === this.host.frame) this.host.pdu(pdu);
      this.host.record(pdu);
      this.plainText.record(pdu);
      missing = have + octets - n;
      half.passing = Math.max(0, -missing);
    }
    w.clear();
    half.restart();
    if (missing <= 0) return;
    half.lost = true;
    this.gap(side, missing);
  }

  /** Octets are missing here; what is said of them once the records behind are decrypted goes into `hole`. */
  tear(side: Side, hole: Hole): void {
    this.session.tear(this.connection.tlsSide(side), hole);
  }

  /** Messages of a handshake go on, certificates or alerts came. */
  countHandshake(): void {
    this.account.holdHandshake(this.session);
  }

  private gap(side: Side, octets: number): void {
    this.session.gap(this.connection.tlsSide(side), octets);
  }

  private record(side: Side, half: Half, buf: Uint8Array, off: number, end: number, segments: Piece['segments']): void {
    const record = this.session.record(this.connection.tlsSide(side), buf, off, end, this.host.frame);
    const pdu = new TlsPdu(this.connection, side, record, half.afterGap, segments);
    if (!this.connection.shown) this.host.pdu(pdu);
    this.host.record(pdu);
    this.plainText.record(pdu);
    half.afterGap = false;
    if (record.type === ContentType.Handshake || record.type === ContentType.Alert) this.countHandshake();
  }
}
