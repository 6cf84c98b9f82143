import {
  defineDissector,
  type Field,
  find,
  LIMITS,
  lineAt,
  type TextLine,
  type Tree,
  utf8Text,
  type View,
} from 'fttscope/kit';
import { NOT_SHOWN } from '../text-media.js';
import { ATTRIBUTES, type Encodings } from './attributes.js';
import type { CallIds } from './call-ids.js';
import { E, F } from './fields.js';
import { withoutKeys } from './keys.js';
import { isTyped, type SessionDescription, sdpCodec } from './lines.js';
import { expectMedia, Known } from './media.js';
import { payloadTypeText } from './payload-types.js';

export { nextLine, type SdpLine, type SessionDescription } from './lines.js';
export type { MediaNote } from './media.js';
export type { PayloadType } from './payload-types.js';
export { payloadTypeText, staticPayloadType } from './payload-types.js';

/**
 * Session Description Protocol, RFC 8866 §5: lines of one letter, `=` and a value:
 *
 *     v=0                                              session level
 *     o=- 20518 0 IN IP4 203.0.113.1
 *     s=-
 *     c=IN IP4 203.0.113.1
 *     t=0 0
 *     m=audio 54400 RTP/AVP 96 97                      one media level after each m-line
 *     a=rtpmap:96 AMR-WB/16000
 *
 * IMS writes preconditions (RFC 3312) as attributes `curr`, `des` and `conf`.
 */
const HT = 9;
const SP = 32;
const COLON = 58;
const SLASH = 47;

/** Protocols whose formats are RTP payload types. RFC 8866 §5.14, RFC 5764 §8. */
const RTP_PROTOCOLS = new Set([
  'RTP/AVP',
  'RTP/AVPF',
  'RTP/SAVP',
  'RTP/SAVPF',
  'UDP/TLS/RTP/SAVP',
  'UDP/TLS/RTP/SAVPF',
]);

/** Where the walk over the lines is. */
interface Walk {
  /** Whether an m-line was seen. */
  media: boolean;
  encodings: Encodings;
}

type LineDissector = (t: Tree, b: Uint8Array, off: number, end: number, w: Walk) => void;

/** First offset from `off` on that holds no space. There should be one between two parts: others are told of. */
function skipSpaces(t: Tree, b: Uint8Array, off: number, end: number): number {
  let i = off;
  for (; i < end && b[i] === SP; i++) t.expert(E.extraSpace);
  return i;
}

/** Splits a value at its spaces: one field each, the last takes what is left. */
function words(fields: readonly Field[]): LineDissector {
  return (t, b, off, end) => {
    let i = off;
    for (let k = 0; k < fields.length; k++) {
      if (i >= end) return t.expert(E.missingFields);
      const last = k === fields.length - 1;
      if (!last) i = skipSpaces(t, b, i, end);
      const stop = last ? end : find(b, SP, i, end);
      t.text(fields[k], i, stop - i);
      i = stop + 1;
    }
  };
}

/** `a` and then `b` after a separator, if there is one. */
function pair(separator: number, first: Field, second: Field): LineDissector {
  return (t, b, off, end) => {
    const at = find(b, separator, off, end);
    if (at === end) return;
    t.text(first, off, at - off);
    t.text(second, at + 1, end - at - 1);
  };
}

const owner = words([
  F.ownerUsername,
  F.ownerSession,
  F.ownerVersion,
  F.ownerNetwork,
  F.ownerAddressType,
  F.ownerAddress,
]);

/** `IN IP4 224.2.1.1/127/3`. RFC 8866 §5.7. */
const connection: LineDissector = (t, b, off, end) => {
  let i = off;
  for (const f of [F.connectionNetwork, F.connectionType]) {
    i = skipSpaces(t, b, i, end);
    const stop = find(b, SP, i, end);
    if (stop === end) return t.expert(E.missingFields);
    t.text(f, i, stop - i);
    i = stop + 1;
  }
  for (const f of [F.connectionAddress, F.connectionTtl, F.connectionCount]) {
    const stop = f === F.connectionCount ? end : find(b, SLASH, i, end);
    if (stop > i) t.text(f, i, stop - i);
    if (stop === end) return;
    i = stop + 1;
  }
};

/** `7d 1h 0 25h`: interval, duration, offsets. RFC 8866 §5.10. */
const repeat: LineDissector = (t, b, off, end) => {
  let k = 0;
  for (let i = off; i < end; k++) {
    const stop = find(b, SP, i, end);
    if (stop > i) t.text(k === 0 ? F.repeatInterval : k === 1 ? F.repeatDuration : F.repeatOffset, i, stop - i);
    i = stop + 1;
  }
  if (k < 3) t.expert(E.missingFields);
};

/** Pairs of time and offset. RFC 8866 §5.11. */
const timezone: LineDissector = (t, b, off, end) => {
  let k = 0;
  for (let i = off; i < end; k++) {
    const stop = find(b, SP, i, end);
    if (stop > i) t.text(k % 2 === 0 ? F.timezoneTime : F.timezoneOffset, i, stop - i);
    i = stop + 1;
  }
  if (k === 0 || k % 2 === 1) t.expert(E.missingFields);
};

/** `audio 49170/2 RTP/AVP 0 8 96`. RFC 8866 §5.14. */
const mediaLine: LineDissector = (t, b, off, end) => {
  const kind = skipSpaces(t, b, off, end);
  const kindEnd = find(b, SP, kind, end);
  if (kindEnd > kind) t.text(F.mediaMedia, kind, kindEnd - kind);
  const port = skipSpaces(t, b, kindEnd + 1, end);
  if (port >= end) return t.expert(E.missingFields);
  const portEnd = find(b, SP, port, end);
  mediaPort(t, b, port, portEnd);
  const proto = skipSpaces(t, b, portEnd + 1, end);
  if (proto >= end) return t.expert(E.missingFields);
  const protoEnd = find(b, SP, proto, end);
  t.text(F.mediaProto, proto, protoEnd - proto);
  const rtp = RTP_PROTOCOLS.has(utf8Text(b, proto, protoEnd));
  if (protoEnd + 1 >= end) return t.expert(E.missingFields);
  for (let i = protoEnd + 1; i <= end; ) {
    const stop = find(b, SP, i, end);
    if (stop === i) {
      if (stop < end) t.expert(E.extraSpace);
    } else mediaFormat(t, b, i, stop, rtp);
    i = stop + 1;
  }
};

function mediaPort(t: Tree, b: Uint8Array, off: number, end: number): void {
  const slash = find(b, SLASH, off, end);
  const s = utf8Text(b, off, slash);
  if (!/^\d/.test(s)) t.text(F.mediaPortChoice, off, slash - off);
  else {
    const n = /^\d+$/.test(s) ? Number(s) : 0;
    t.text(F.mediaPortText, off, slash - off);
    t.num(F.mediaPort, off, slash - off, Math.min(n, 0xffff));
    if (n > 0xffff || !/^\d+$/.test(s)) t.expert(E.badPort);
  }
  if (slash + 1 < end) t.text(F.mediaPortCount, slash + 1, end - slash - 1);
  else if (slash < end) t.expert(E.extraSpace);
}

function mediaFormat(t: Tree, b: Uint8Array, off: number, end: number, rtp: boolean): void {
  const s = rtp ? utf8Text(b, off, end) : '';
  t.text(F.mediaFormat, off, end - off, /^\d{1,3}$/.test(s) ? payloadTypeText(Number(s)) : undefined);
}

/** `name` or `name:value`. RFC 8866 §5.13. */
const attribute: LineDissector = (t, b, off, end, w) => {
  const colon = find(b, COLON, off, end);
  if (colon === end) return;
  t.text(w.media ? F.mediaAttrField : F.sessionAttrField, off, colon - off);
  if (colon + 1 === end) return t.expert(E.missingFields);
  const parts = w.media ? ATTRIBUTES[utf8Text(b, off, colon).toLowerCase()] : undefined;
  if (parts !== undefined) parts(t, b, colon + 1, end, w.encodings);
  else {
    let at = colon + 1;
    while (at < end && (b[at] === SP || b[at] === HT)) at++;
    const value = withoutKeys('a', utf8Text(b, off, end)).slice(at - off);
    t.text(w.media ? F.mediaAttrValue : F.sessionAttrValue, at, end - at, value);
  }
};

/** `clear:KEY`, `base64:KEY`, `uri:…` or `prompt`. RFC 4566 §5.12. */
const encryptionKey: LineDissector = (t, b, off, end) => {
  const at = find(b, COLON, off, end);
  if (at === end) return;
  t.text(F.keyType, off, at - off);
  const uri = utf8Text(b, off, at).toLowerCase() === 'uri';
  t.text(F.keyData, at + 1, end - at - 1, uri ? undefined : NOT_SHOWN);
};

interface LineKind {
  /** Field of the line; the second is for lines below an m-line. */
  readonly field: Field;
  readonly inMedia?: Field;
  readonly parts?: LineDissector;
}

const LINES: Readonly<Record<string, LineKind>> = {
  v: { field: F.version },
  o: { field: F.owner, parts: owner },
  s: { field: F.sessionName },
  i: { field: F.sessionInfo, inMedia: F.mediaTitle },
  u: { field: F.uri },
  e: { field: F.email },
  p: { field: F.phone },
  c: { field: F.connection, parts: connection },
  b: { field: F.bandwidth, parts: pair(COLON, F.bandwidthModifier, F.bandwidthValue) },
  t: { field: F.time, parts: words([F.timeStart, F.timeStop]) },
  r: { field: F.repeat, parts: repeat },
  z: { field: F.timezone, parts: timezone },
  k: { field: F.key, parts: encryptionKey },
  a: { field: F.sessionAttr, inMedia: F.mediaAttr, parts: attribute },
  m: { field: F.media, parts: mediaLine },
};

function showLine(t: Tree, b: Uint8Array, l: TextLine, w: Walk): void {
  const len = l.end - l.off;
  if (!isTyped(b, l)) {
    t.text(F.invalid, l.off, len);
    t.expert(E.noEquals);
    return;
  }
  const type = String.fromCharCode(b[l.off]);
  const kind = LINES[type];
  if (kind === undefined) {
    t.text(F.unknown, l.off, len);
    return;
  }
  if (type === 'm') {
    w.media = true;
    w.encodings = new Map();
  }
  const off = l.off + 2;
  t.text(
    w.media && kind.inMedia !== undefined ? kind.inMedia : kind.field,
    l.off,
    len,
    withoutKeys(type, utf8Text(b, off, l.end)),
  );
  t.push();
  if (off < l.end) kind.parts?.(t, b, off, l.end, w);
  else if (type === 'c' || type === 'o' || type === 'm' || type === 't') t.expert(E.missingFields);
  t.pop();
}

export const sdp = defineDissector<SessionDescription>({
  proto: 'sdp',
  title: 'Session Description Protocol',
  short: 'SDP',
  spec: 'RFC 8866',
  fields: F,
  experts: E,
  on: { media_type: ['application/sdp'] },

  track(v: View, cx) {
    const known = cx.scope(sdp, () => new Known());
    cx.note(expectMedia(v, cx, known));
  },

  dissect(v, t, cx) {
    const { buf, end } = v;
    t.open(F.sdp, v.off, v.length);
    const callIds = cx.note<CallIds>(sdp, v)?.list ?? [];
    const w: Walk = { media: false, encodings: new Map() };
    let n = 0;
    for (let at = v.off; at < end; n++) {
      const l = lineAt(buf, at, end);
      if (l.end - l.off < 2 || n >= LIMITS.sdpLines) {
        if (n >= LIMITS.sdpLines) t.expert(E.tooManyLines);
        t.bytes(F.data, at, end - at); // nothing after an empty line is a description
        break;
      }
      showLine(t, buf, l, w);
      at = l.next;
    }
    for (const id of callIds) t.text(F.callId, v.off, 0, id);
    t.pop();
  },

  codec: sdpCodec,
});
