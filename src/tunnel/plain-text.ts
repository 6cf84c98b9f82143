import { CLOSE_NOTIFY, ContentType } from '../../dissectors/tls/numbers.js';
import { type AnyDissector, fromCode, type Own, ours, View } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Ledger } from '../stream/ledger.js';
import { applicationOf } from './application.js';
import type { Connection } from './connection.js';
import { ANCHOR_OCTETS, anchorAfter, anchored, Deframer } from './deframe.js';
import { detect, Undecided, type Verdict } from './detect.js';
import type { ConnectionHost } from './host.js';
import { Messages } from './messages.js';
import type { TlsPdu } from './tls-pdu.js';

/** Of octets in one record, and in several. */
const NAMES = ['Decrypted TLS', 'Reassembled TLS'] as const;

/** The plain text of one direction. */
class Lane {
  readonly deframer: Deframer;
  readonly undecided = new Undecided();
  messages: Messages | null = null;
  /** A record could not be read: plain text is missing before the next one. */
  unread = false;
  /** The last record was early data. */
  early = false;
  /** Records that wait for the decryptor. */
  waiting = 0;
  /** The stream ended: records may be read later. */
  closed = false;
  /** The stream ended while records waited. */
  ended = false;

  constructor(
    readonly connection: Connection,
    readonly side: 0 | 1,
    ledger: Ledger,
  ) {
    this.deframer = new Deframer({ connection, side }, ledger);
  }
}

/** What runs in the TLS of a connection: envelopes, or the messages of another protocol. */
export class PlainText {
  private readonly lanes: [Lane | null, Lane | null] = [null, null];
  /** Who takes it where it is not FTT-IMS; null: nobody is known. */
  private application: AnyDissector | null = null;

  constructor(
    private readonly connection: Connection,
    private readonly host: ConnectionHost,
  ) {}

  /**
   * A record is whole in the frame at hand. It is read at once where it can be, so that what it says about later frames
   * is known in time; envelopes, which are many, wait for their batch.
   */
  record(pdu: TlsPdu): void {
    const { connection } = this;
    if (connection.tunnel!.content === 'fttims') return;
    const lane = this.lane(pdu.side);
    const { record } = pdu;
    if (lane.waiting === 0) {
      if (record.status === 'queued') connection.session!.drain(record.direction);
      if (record.status !== 'queued') {
        this.read(pdu);
        return;
      }
    }
    lane.waiting++;
    pdu.waits = true;
  }

  /** Reads the plain text of a record, in the order of the frames: gives the envelopes or messages that it completes. */
  read(pdu: TlsPdu): void {
    pdu.read = true;
    const lane = this.lane(pdu.side);
    this.take(pdu, lane);
    if (!pdu.waits || --lane.waiting > 0 || !lane.ended) return;
    this.finish(lane, pdu);
  }

  /** The stream of a side ended. */
  close(side: 0 | 1): void {
    const lane = this.lanes[side];
    if (lane === null) return;
    lane.closed = true;
    this.leave(lane);
    if (lane.waiting > 0) lane.ended = true;
    else this.finish(lane, null);
  }

  /** Nothing more is read: what waits no longer counts. */
  release(): void {
    for (const lane of this.lanes) lane?.deframer.release();
  }

  /** Notes what of an envelope there is behind which nothing more comes. */
  private leave({ side, deframer }: Lane): void {
    const tunnel = this.connection.tunnel!;
    if (tunnel.content === 'fttims' && (tunnel.answer === undefined || tunnel.direction(side) === 'up'))
      tunnel.unfinished[side] = deframer.torn;
  }

  /** What only the end of the stream ends is whole. */
  private finish(lane: Lane, last: TlsPdu | null): void {
    const message = lane.messages?.close();
    if (message !== undefined) this.host.message(last === null ? { ...message, unlisted: true } : message, last);
  }

  private lane(side: 0 | 1): Lane {
    this.lanes[side] ??= new Lane(this.connection, side, this.host.ledger);
    return this.lanes[side];
  }

  private take(pdu: TlsPdu, lane: Lane): void {
    const { record } = pdu;
    const { plain } = record;
    if (plain === null) {
      if (record.type === ContentType.ApplicationData) lane.unread = true;
      return;
    }
    if (record.contentType !== ContentType.ApplicationData) {
      this.connection.countHandshake();
      if (record.contentType === ContentType.Alert && plain.buf[plain.off + 1] === CLOSE_NOTIFY) this.leave(lane);
      return;
    }
    this.connection.turn();
    const gap = pdu.afterGap || lane.unread;
    lane.unread = false;
    if (lane.early && !record.early && this.connection.session!.earlyRefused) this.restart(lane);
    lane.early = record.early;
    const { content } = this.connection.tunnel!;
    if (content === 'other') this.messages(pdu, lane, gap);
    else this.envelopes(pdu, lane, gap);
  }

  /** What went before did not arrive: it does not go on. */
  private restart(lane: Lane): void {
    lane.deframer.restart();
    if (lane.closed) this.leave(lane);
  }

  private envelopes(pdu: TlsPdu, lane: Lane, gap: boolean): void {
    const { deframer } = lane;
    const { plain, frame } = pdu.record;
    const { buf, end } = plain!;
    let { off } = plain!;
    if (gap) deframer.gap();
    // Whoever cuts an envelope goes on with the rest of it: no new one begins there. TS 24.322 §7.1.2.1
    if (deframer.torn > 0 && anchored(buf, off, end) === 'yes') this.host.finding('fttims.overlong');
    // Nearly always a record holds whole envelopes.
    if (this.connection.tunnel!.content === 'fttims' && !pdu.record.early)
      for (let e = deframer.ahead(buf, off, end); e !== undefined; e = deframer.ahead(buf, off, end)) {
        this.host.clear(e);
        off = e.end;
      }
    if (off === end) return;
    deframer.feed(buf, off, end, frame);
    if (this.connection.tunnel!.content === 'unknown') this.decide(pdu, lane, end - off);
    if (this.connection.tunnel!.content === 'fttims')
      for (let e = deframer.next(); e !== undefined; e = deframer.next()) {
        if (pdu.record.early) this.host.finding('fttims.early-data'); // TS 24.322 §5.2.2.4
        if (e === 'lost') this.host.finding('fttims.bad-length');
        else this.host.clear(e);
      }
    if (deframer.torn > 0) this.listen(lane);
    deframer.settle();
    if (lane.closed) this.leave(lane);
  }

  /** Whether the server of a UE that sends envelopes begins with something else, as a web server does. */
  private listen({ side, deframer: { window } }: Lane): void {
    const tunnel = this.connection.tunnel!;
    if (tunnel.content !== 'fttims' || tunnel.direction(side) === 'up' || tunnel.answer !== undefined) return;
    const v = detect(window.buf, window.off, window.end);
    if (v.kind === 'other') tunnel.answer = v.name;
  }

  /** Decides what runs here, from the octets at hand, the last `n` of which are new. */
  private decide(pdu: TlsPdu, lane: Lane, n: number): void {
    const tunnel = this.connection.tunnel!;
    const { deframer } = lane;
    const { buf, off, end } = deframer.window;
    if (!deframer.lost && end - off <= LIMITS.undecidedOctets && !lane.undecided.isWorthALook(deframer.window)) {
      this.data(pdu);
      return;
    }
    const v = detect(buf, off, end);
    const envelopes = v.kind === 'fttims' || v.kind === 'chain';
    if (envelopes || (deframer.lost && anchorAfter(buf, Math.max(off, end - n - ANCHOR_OCTETS), end))) {
      tunnel.content = 'fttims';
      return;
    }
    const found = this.find(v, deframer);
    if ((found === null || found === 'more') && v.kind !== 'other' && end - off <= LIMITS.undecidedOctets) {
      // Nobody's so far, though it may turn out to be a row of envelopes.
      if (v.kind === 'unsure') this.data(pdu);
      return;
    }
    tunnel.content = 'other';
    this.application = found === 'more' ? null : found;
    tunnel.other = v.kind === 'other' ? v.name : nameOf(this.application);
    this.hand(pdu, lane);
  }

  private find(v: Verdict, { window }: Deframer): AnyDissector | null | 'more' {
    const { connection, host } = this;
    const named = v.kind === 'other' && v.proto !== undefined ? host.application(v.proto) : undefined;
    if (named !== undefined) return named;
    return applicationOf(host, connection.flow, connection.session!.alpn, window.buf, window.off, window.end);
  }

  private messages(pdu: TlsPdu, lane: Lane, gap: boolean): void {
    const { plain, frame } = pdu.record;
    const { buf, off, end } = plain!;
    const { window } = lane.deframer;
    if (gap) {
      window.clear();
      lane.messages?.gap();
    }
    window.feed(buf, off, end, frame);
    this.hand(pdu, lane, gap);
    window.settle();
  }

  /** Gives the messages that are whole in the window of a direction. */
  private hand(pdu: TlsPdu, lane: Lane, gap = lane.deframer.lost): void {
    const { window } = lane.deframer;
    if (this.application === null) {
      window.skip(window.end - window.off);
      this.data(pdu);
      return;
    }
    if (lane.messages === null) {
      window.apart = true;
      lane.messages = new Messages(this.application, window, NAMES, this.host.dissectors.data);
      lane.messages.lost = gap;
    }
    lane.messages.source = pdu.plainSource;
    for (let m = lane.messages.next(); m !== undefined; m = lane.messages.next()) this.host.message(m, pdu);
    pdu.left = Math.min(window.end - window.off, pdu.record.plain!.end - pdu.record.plain!.off);
  }

  private data(pdu: TlsPdu): void {
    const { off, end } = pdu.record.plain!;
    const { data } = this.host.dissectors;
    if (end > off) this.host.message({ dissector: data, view: new View(pdu.plainSource!, off, end) }, pdu);
  }
}

const nameOf = (d: AnyDissector | null): Own =>
  d === null ? ours`unknown application data` : ours`${fromCode(d.short)} over TLS`;
