import { nameOf, type Tree, u8, u16, type View } from 'fttscope/kit';
import { F } from './fields.js';
import { dissectHandshake, messageName, type Session } from './handshake.js';
import { HANDSHAKE_HEADER, handshakeLength } from './hello.js';
import type { RecordStatus, TlsRecordNote } from './note.js';
import { ContentType, HandshakeType } from './numbers.js';
import { Scan } from './scan.js';
import { ALERT_LEVELS, ALERTS, CONTENT_TYPES, HANDSHAKE_TYPES, HEARTBEAT_TYPES } from './values.js';

/** What a record carries: alerts, handshake messages, heartbeats (RFC 8446 §5.1, §6; RFC 6520 §4). */
export interface Content {
  /** Content type: in TLS 1.3 the inner one where the record could be read. */
  readonly type: number;
  /** The content, where it can be read: in the record or in what was decrypted. */
  readonly view: View | undefined;
  readonly note: TlsRecordNote | undefined;
}

/** Octets of an alert. RFC 5246 §7.2 */
const ALERT = 2;
/** Largest handshake message that a fragment is believed to begin. */
const LARGEST_MESSAGE = 1 << 17;

/** Whether the octets could be content in the clear, where no session says so. */
function looksClear(type: number, v: View): boolean {
  const n = v.wireLength;
  if (type === ContentType.Alert) return n === ALERT;
  if (type === ContentType.ChangeCipherSpec) return n === 1;
  if (type === ContentType.Handshake) return v.length > 0 && HANDSHAKE_TYPES[u8(v.buf, v.off)] !== undefined && fits(v);
  return false;
}

/**
 * Whether an alert is in the clear: two octets leave no room for a tag, and more are encrypted even where nobody saw the
 * cipher change. RFC 5246 §7.2
 */
function isClearAlert({ buf, off, end, wireLength }: View, status: RecordStatus): boolean {
  if (wireLength === ALERT || status !== 'clear' || end - off < ALERT) return wireLength === ALERT;
  return ALERT_LEVELS[u8(buf, off)] !== undefined && ALERTS[u8(buf, off + 1)] !== undefined;
}

/** Whether the first message ends inside `v`, or goes on in another record in a way that can be. */
function fits(v: View): boolean {
  const n = handshakeLength(v.buf, v.off, v.end);
  if (n === 0) return v.wireLength > v.length;
  if (u8(v.buf, v.off) === HandshakeType.HelloRequest) return n === v.wireLength && n === HANDSHAKE_HEADER; // RFC 5246 §7.4.1.1: it is empty
  return n <= v.wireLength || n < LARGEST_MESSAGE;
}

/** What the record with the outer type `type` and the fragment `fragment` carries. */
export function contentOf(type: number, fragment: View, note: TlsRecordNote | undefined): Content {
  if (note === undefined || note.status === 'cut')
    return { type, view: looksClear(type, fragment) ? fragment : undefined, note };
  if (type === ContentType.Alert && note.status !== 'open')
    return { type, view: isClearAlert(fragment, note.status) ? fragment : undefined, note };
  if (note.status === 'clear') return { type, view: fragment, note };
  return { type: note.contentType, view: note.plain, note };
}

/** A stretch of handshake content. */
interface Piece {
  /** `part` goes on in a later record, `tail` is the last of a message that began in an earlier one. */
  readonly kind: 'whole' | 'part' | 'tail';
  readonly view: View;
}

/** The messages in handshake content, and what there is of messages that other records hold too. */
function pieces(content: View, note: TlsRecordNote | undefined): Piece[] {
  if (note === undefined || note.status === 'cut') return guess(content);
  const out: Piece[] = [];
  let at = content.off;
  const own = (m: View): boolean => m.buf === content.buf && m.off >= content.off && m.end <= content.end;
  const found = note.handshake ?? [];
  for (let i = 0; i < found.length; i++) {
    const m = found[i];
    if (own(m)) {
      out.push({ kind: 'whole', view: content.sub(m.off, m.end) });
      at = m.end;
      continue;
    }
    const next = found[i + 1];
    const stop = next !== undefined && own(next) ? next.off : content.end;
    if (stop > at) out.push({ kind: 'tail', view: content.sub(at, stop) });
    out.push({ kind: 'whole', view: m });
    at = stop;
  }
  if (at < content.end) out.push({ kind: 'part', view: content.sub(at, content.end) });
  return out;
}

/** The same where no session was followed: the last message may be cut. */
function guess(content: View): Piece[] {
  const out: Piece[] = [];
  for (let at = content.off; at < content.end; ) {
    const n = handshakeLength(content.buf, at, content.end);
    const stop = n === 0 ? content.wireEnd : Math.min(content.wireEnd, at + n);
    out.push({ kind: 'whole', view: content.sub(at, stop) });
    at = stop;
  }
  return out;
}

/** Name of the message that a fragment begins, or a general one where it only goes on. */
function fragmentName(v: View): string {
  const begins =
    v.length < HANDSHAKE_HEADER || (fits(v) && handshakeLength(v.buf, v.off, v.end) > v.length && v.length > 0);
  const known = v.length > 0 && HANDSHAKE_TYPES[u8(v.buf, v.off)] !== undefined;
  return begins && known ? messageName(v.buf, v.off, v.end) : 'Handshake';
}

const alertText = (v: View): string =>
  `Alert (Level: ${nameOf(ALERT_LEVELS, u8(v.buf, v.off))}, Description: ${nameOf(ALERTS, u8(v.buf, v.off + 1))})`;

const heartbeatText = (v: View): string => `Heartbeat ${nameOf(HEARTBEAT_TYPES, u8(v.buf, v.off), 'Unknown')}`;

/** The Info column of a record. */
export function contentInfo(c: Content): string {
  const v = c.view;
  switch (c.type) {
    case ContentType.ChangeCipherSpec:
      return 'Change Cipher Spec';
    case ContentType.Alert:
      return v === undefined || v.length < 2 ? 'Encrypted Alert' : alertText(v);
    case ContentType.Handshake:
      return v === undefined ? 'Encrypted Handshake Message' : handshakeInfo(v, c.note);
    case ContentType.ApplicationData:
      return 'Application Data';
    case ContentType.Heartbeat:
      return v === undefined || v.length < 1 ? 'Encrypted Heartbeat' : heartbeatText(v);
    default:
      return nameOf(CONTENT_TYPES, c.type, 'Ignored Unknown Record');
  }
}

function handshakeInfo(v: View, note: TlsRecordNote | undefined): string {
  const names: string[] = [];
  for (const { kind, view } of pieces(v, note)) {
    if (view.length === 0 || kind === 'tail') continue;
    names.push(kind === 'whole' ? messageName(view.buf, view.off, view.end) : `[${fragmentName(view)} Fragment]`);
  }
  return names.join(', ');
}

/** What stands after "Record Layer: " in the tree. */
export function recordText(c: Content): string {
  switch (c.type) {
    case ContentType.ChangeCipherSpec:
      return 'Change Cipher Spec Protocol: Change Cipher Spec';
    case ContentType.Handshake: {
      if (c.view === undefined) return 'Handshake Protocol: Encrypted Handshake Message';
      const all = pieces(c.view, c.note).filter((p) => p.kind !== 'tail');
      if (all.length !== 1) return 'Handshake Protocol: Multiple Handshake Messages';
      const { kind, view } = all[0];
      if (view.length === 0) return 'Handshake Protocol';
      const name = kind === 'whole' ? messageName(view.buf, view.off, view.end) : `${fragmentName(view)} (fragment)`;
      return `Handshake Protocol: ${name}`;
    }
    case ContentType.ApplicationData:
      return 'Application Data Protocol: Application Data';
    default:
      return contentInfo(c);
  }
}

/** Adds what can be read of a record, and what cannot as what it is. `fragment` is the record without its header. */
export function dissectContent(c: Content, fragment: View, t: Tree, session: Session): void {
  const v = c.view;
  if (v === undefined) {
    dissectEncrypted(c.type, fragment, t);
    return;
  }
  const before = t.enter(v.source);
  const depth = t.level;
  switch (c.type) {
    case ContentType.ChangeCipherSpec:
      t.none(F.changeCipherSpec, v.off, v.length);
      break;
    case ContentType.Alert:
      dissectAlert(v, t);
      break;
    case ContentType.Handshake:
      for (const piece of pieces(v, c.note)) dissectPiece(piece, t, session);
      break;
    case ContentType.Heartbeat:
      dissectHeartbeat(v, t);
      break;
  }
  t.leave(before, depth);
  if (c.type === ContentType.ApplicationData) dissectEncrypted(c.type, fragment, t);
}

function dissectEncrypted(type: number, v: View, t: Tree): void {
  if (type === ContentType.Handshake) {
    t.none(F.handshake, v.off, v.length);
    if (t.labels) t.label('Handshake Protocol: Encrypted Handshake Message');
  } else if (type === ContentType.Alert) {
    t.none(F.alert, v.off, v.length);
    if (t.labels) t.label('Alert Message: Encrypted Alert');
  } else if (type === ContentType.Heartbeat) {
    t.none(F.heartbeat, v.off, v.length);
    if (t.labels) t.label('Encrypted Heartbeat Message');
  } else if (type === ContentType.ChangeCipherSpec) t.none(F.changeCipherSpec, v.off, v.length);
  else if (v.length > 0) t.bytes(F.appData, v.off, v.length);
}

function dissectPiece(piece: Piece, t: Tree, session: Session): void {
  const { kind, view } = piece;
  if (kind === 'whole') {
    const before = t.enter(view.source);
    const depth = t.level;
    dissectHandshake(view, t, session);
    t.leave(before, depth);
    return;
  }
  t.none(F.handshake, view.off, view.length);
  if (!t.labels) return;
  const name = kind === 'part' ? `${fragmentName(view)} (fragment)` : 'Handshake (last fragment)';
  t.label(`Handshake Protocol: ${name}`);
}

/** RFC 8446 §6 */
function dissectAlert(v: View, t: Tree): void {
  t.open(F.alert, v.off, v.length);
  const s = new Scan(t, v, v.off, v.wireEnd);
  s.u8(F.alertLevel);
  s.u8(F.alertDescription);
  t.pop();
}

/** RFC 6520 §4 */
function dissectHeartbeat(v: View, t: Tree): void {
  t.open(F.heartbeat, v.off, v.length);
  const s = new Scan(t, v, v.off, v.wireEnd);
  s.u8(F.heartbeatType);
  if (s.has(2)) {
    const n = u16(v.buf, s.off);
    s.u16(F.heartbeatLength);
    const payload = s.part(n);
    payload.bytes(F.heartbeatPayload, payload.left);
    s.bytes(F.heartbeatPadding, s.left);
  }
  t.pop();
}
