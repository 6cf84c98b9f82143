import {
  type Ctx,
  type Dissector,
  defineDissector,
  experts,
  No,
  need,
  type Probe,
  put16,
  type Tree,
  Unsure,
  u8,
  u16,
  type View,
  Yes,
} from 'fttscope/kit';
import { contentInfo, contentOf, dissectContent, recordText } from './content.js';
import { F } from './fields.js';
import type { TlsRecordNote } from './note.js';
import { ContentType, HandshakeType, RECORD_HEADER, Version, versionName } from './numbers.js';
import { SCAN_EXPERTS } from './scan.js';
import { reassembled, segmentData } from './segments.js';
import { dissectSsl2, probeSsl2, ssl2Length } from './ssl2.js';
import { HANDSHAKE_TYPES } from './values.js';
import { X } from './x509fields.js';
import { CERTIFICATE_EXPERTS } from './x509nodes.js';

export { type CertificateSummary, certificateSummary } from './summary.js';
export { versionName };

/**
 * Transport Layer Security, one record at a time, RFC 8446 §5.1 and RFC 5246 §6.2:
 *
 *     0               1               2               3               4
 *     +---------------+---------------+---------------+---------------+---------------+------- - -
 *     | Content type  |            Version            |            Length             | Fragment …
 *     +---------------+---------------+---------------+---------------+---------------+------- - -
 *
 * Decryption, and putting handshake messages together, is done by the session that follows the connection: it leaves a
 * {@link TlsRecordNote} for each record. Without one only what is in the clear can be shown.
 */
/** RFC 5246 §6.2.3: 2^14 + 2048 */
const LARGEST = 0x4800;

const E = experts({
  ...SCAN_EXPERTS,
  ...CERTIFICATE_EXPERTS,
  recordLength: {
    code: 'tls.record-length-invalid',
    severity: 'warn',
    message: 'Record fragment length is too small or too large',
    clause: 'RFC 8446 §5.1',
  },
  resumed: {
    code: 'tls.resumed',
    severity: 'note',
    message: 'This session reuses previously negotiated keys (Session resumption)',
    clause: 'RFC 5246 §7.3',
  },
  unknownRecord: { code: 'tls.ignored-unknown-record', severity: 'warn', message: 'Ignored Unknown Record' },
});

/** A record as on the wire. */
export interface TlsRecordImage {
  type: number;
  version: number;
  fragment: Uint8Array;
}

const type = u8;
const version = (b: Uint8Array, o: number) => u16(b, o + 1);
const length = (b: Uint8Array, o: number) => u16(b, o + 3);

/** A ChangeCipherSpec has one octet; a renegotiation protects it: an IV, the longest MAC, and padding. RFC 5246 §6.2.3 */
const LARGEST_CHANGE = 1 + 16 + 64 + 256;

/** Whether the octets at `off` (five of them) can be a record header. */
function plausible(b: Uint8Array, off: number): boolean {
  const t = type(b, off);
  if (t < ContentType.ChangeCipherSpec || t > ContentType.Heartbeat) return false;
  if (b[off + 1] !== 3 || b[off + 2] > 4) return false;
  const n = length(b, off);
  if (t === ContentType.ChangeCipherSpec) return n > 0 && n <= LARGEST_CHANGE;
  return n <= LARGEST && (n > 0 || t === ContentType.ApplicationData);
}

/** What less than a header says. */
function probeStart(b: Uint8Array, off: number, end: number): Probe {
  const t = type(b, off);
  if (t < ContentType.ChangeCipherSpec || t > ContentType.Heartbeat) return No;
  return end - off > 1 && b[off + 1] !== 3 ? No : Unsure;
}

/** Whether `[off, end)` starts with a record and does not contradict itself after it. */
function probeRecord(b: Uint8Array, off: number, end: number): Probe {
  if (!plausible(b, off)) return No;
  if (type(b, off) === ContentType.ChangeCipherSpec && length(b, off) !== 1) return No; // RFC 8446 §5
  const next = off + RECORD_HEADER + length(b, off);
  if (end - next >= RECORD_HEADER && !plausible(b, next)) return No;
  if (type(b, off) !== ContentType.Handshake) return Yes;
  if (end - off <= RECORD_HEADER) return Unsure;
  const first = u8(b, off + RECORD_HEADER);
  if (first === HandshakeType.ClientHello || first === HandshakeType.ServerHello) return Yes;
  // Another message, or an encrypted one of a capture that starts late: the next record must agree.
  return HANDSHAKE_TYPES[first] !== undefined || end - next >= RECORD_HEADER ? Yes : Unsure;
}

/** Version that the record is shown under: that of the session, but a first ClientHello has only its own. */
function shownVersion(b: Uint8Array, off: number, end: number, note: TlsRecordNote | undefined): number {
  const hello =
    note?.status === 'clear' &&
    type(b, off) === ContentType.Handshake &&
    end - off > RECORD_HEADER &&
    u8(b, off + RECORD_HEADER) === HandshakeType.ClientHello;
  return note === undefined || note.version === 0 || hello ? version(b, off) : note.version;
}

function dissectRecord(v: View, t: Tree, cx: Ctx, note: TlsRecordNote | undefined): void {
  const { buf, off } = v;
  const outer = type(buf, off);
  const n = length(buf, off);
  const fragment = v.sub(off + RECORD_HEADER, off + RECORD_HEADER + n);
  const content = contentOf(outer, fragment, note);
  const negotiated = shownVersion(buf, off, v.end, note);
  t.open(F.record, off, fragment.end - off);
  if (t.labels) t.label(`${versionName(negotiated)} Record Layer: ${recordText(content)}`);
  // RFC 8446 §5.2: what is protected has an opaque type; the real one is inside
  const opaque = negotiated >= Version.Tls13 && outer === ContentType.ApplicationData;
  t.num(opaque ? F.opaqueType : F.contentType, off, 1, outer);
  t.num(F.recordVersion, off + 1, 2, version(buf, off));
  t.num(F.recordLength, off + 3, 2, n);
  if (n > LARGEST) t.expert(E.recordLength);
  if (opaque && content.view !== undefined) t.num(F.contentType, off, 1, content.type);
  dissectContent(content, fragment, t, {
    version: negotiated,
    suite: note?.cipherSuite ?? 0,
    ...(cx.unpack !== undefined && { unpack: cx.unpack }),
  });
  if (note?.resumes) {
    t.none(F.resumed, fragment.off, fragment.length);
    t.expert(E.resumed);
  }
  if (note !== undefined) dissectVerdict(off, t, note);
  t.pop();
  need(v, RECORD_HEADER + n);
}

/** Records behind the first one, where others than TCP carry TLS: each segment's records are given one by one. */
function more(v: View, t: Tree, cx: Ctx): void {
  const { buf, off, end } = v;
  for (
    let at = off + RECORD_HEADER + length(buf, off);
    end - at >= RECORD_HEADER;
    at += RECORD_HEADER + length(buf, at)
  ) {
    if (!plausible(buf, at) || end - at < RECORD_HEADER + length(buf, at)) return;
    dissectRecord(v.sub(at), t, cx, undefined);
  }
}

/** Says why a record could not be read, or that nobody checked what was read, and where its key came from. */
function dissectVerdict(off: number, t: Tree, note: TlsRecordNote): void {
  if (note.keySource !== undefined) t.text(F.keySource, off, 0, note.keySource);
  if (note.status === 'no-keys') t.text(F.verdict, off, 0, note.reason ?? 'No keys');
  else if (note.status === 'failed') t.text(F.verdict, off, 0, note.reason ?? 'The tag, MAC or padding does not fit');
  else if (note.status === 'open' && !note.verified) t.text(F.verdict, off, 0, 'Decrypted, but not verified');
}

export const tls: Dissector<TlsRecordImage> = defineDissector<TlsRecordImage>({
  proto: 'tls',
  title: 'Transport Layer Security',
  short: 'TLS',
  spec: 'RFC 8446',
  fields: { ...F, ...Object.fromEntries(Object.entries(X).map(([key, field]) => [`x509.${key}`, field])) },
  experts: E,

  probe(b, off, end) {
    if (end <= off) return Unsure;
    if (u8(b, off) >= 0x80) return probeSsl2(b, off, end);
    return end - off < RECORD_HEADER ? probeStart(b, off, end) : probeRecord(b, off, end);
  },

  pduLength(b, off, end) {
    if (end - off < RECORD_HEADER) return 0;
    if (plausible(b, off)) return RECORD_HEADER + length(b, off);
    return probeSsl2(b, off, end) === No ? -1 : ssl2Length(b, off);
  },

  dissect(v, t, cx) {
    need(v, 2);
    t.open(F.tls, v.off, v.length);
    const note = cx.note<TlsRecordNote>(tls, v);
    if (probeSsl2(v.buf, v.off, v.end) === Unsure) dissectSsl2(v, t);
    else {
      need(v, RECORD_HEADER);
      if (plausible(v.buf, v.off)) {
        dissectRecord(v, t, cx, note);
        more(v, t, cx);
      } else {
        t.expert(E.unknownRecord);
        need(v, v.wireLength);
      }
    }
    if (note?.plain !== undefined) segmentData(t, note.plain, note);
    t.pop();
    for (const message of note?.messages ?? []) reassembled(t, v.off, message);
  },

  column(v, cx) {
    if (v.length < RECORD_HEADER || !plausible(v.buf, v.off))
      return probeSsl2(v.buf, v.off, v.end) === Unsure ? 'SSLv2' : 'TLS';
    return versionName(shownVersion(v.buf, v.off, v.end, cx.note<TlsRecordNote>(tls, v)));
  },

  summary(v, cx) {
    const { buf, off } = v;
    if (probeSsl2(buf, off, v.end) === Unsure) return 'Client Hello';
    if (v.length < RECORD_HEADER) return 'Record cut short';
    if (!plausible(buf, off)) return 'Ignored Unknown Record';
    const fragment = v.sub(off + RECORD_HEADER, off + RECORD_HEADER + length(buf, off));
    return contentInfo(contentOf(type(buf, off), fragment, cx.note<TlsRecordNote>(tls, v)));
  },

  codec: {
    parse: (b, o) => ({
      type: type(b, o),
      version: version(b, o),
      fragment: b.slice(o + RECORD_HEADER, o + RECORD_HEADER + length(b, o)),
    }),
    size: (r) => RECORD_HEADER + r.fragment.length,
    emit(r, b, o) {
      b[o] = r.type;
      put16(b, o + 1, r.version);
      put16(b, o + 3, r.fragment.length);
      b.set(r.fragment, o + RECORD_HEADER);
      return RECORD_HEADER + r.fragment.length;
    },
  },
});
