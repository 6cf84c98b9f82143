import {
  type AnyDissector,
  defineDissector,
  No,
  nameOf,
  need,
  type Probe,
  type Track,
  type Tree,
  Unsure,
  u8,
  u16,
  u48,
  type View,
  Yes,
} from 'fttscope/kit';
import { SCT_FIELDS } from '../tls/sct.js';
import { CONTENT_TYPES, HANDSHAKE_TYPES } from '../tls/values.js';
import { X } from '../tls/x509fields.js';
import { Assembly, type Whole } from './assembly.js';
import { F } from './fields.js';
import { HANDSHAKE_HEADER, handshake, settledProfile } from './handshake.js';

/**
 * Datagram Transport Layer Security, RFC 6347 §4.1: the records in a datagram. Nothing is decrypted.
 *
 *     0               1               2               3
 *     +---------------+-------------------------------+---------------+
 *     | content type  |            version            |    epoch …
 *     +---------------+-------------------------------+---------------+
 *     … epoch         |            sequence number (6 octets) …
 *     +---------------+---------------+-------------------------------+
 *     …               |            length             |  fragment …
 */
const HEADER = 13;
const MOST = 16_384 + 2048;
const Content = { ChangeCipherSpec: 20, Alert: 21, Handshake: 22, ApplicationData: 23 } as const;
const LAST_CONTENT = 25;
/** Of the SRTP protection profiles that RFC 5764 §4.1.2 has. tshark, too, awaits no media of those of RFC 7714. */
const LAST_OF_RFC5764 = 6;
/** RFC 6347 §4.1, and what OpenSSL sent before it knew better. */
const isVersion = (n: number): boolean => n === 0xfeff || n === 0xfefd || n === 0xfefc || n === 0x0100;

/** What a handshake settled for the media of its flow. */
export interface SrtpSetup {
  /** Frame of the ServerHello, 0 without one. */
  frame: number;
  /** SRTP protection profile. RFC 5764 §4.1.2. */
  profile: number;
}

/** What is known about a flow. */
class Session implements SrtpSetup {
  frame = 0;
  profile = 0;
  readonly directions = [new Assembly(), new Assembly()] as const;
  /** What it holds, in units that a few entries cost. */
  get size(): number {
    return (this.directions[0].octets + this.directions[1].octets) >> 8;
  }
}
const newSession = (): Session => new Session();

/** What the handshakes seen so far in the flow of this packet settled; undefined if nothing. */
export function srtpSetup(cx: Track): SrtpSetup | undefined {
  const setup = cx.flow(dtls as AnyDissector, newSession);
  return setup.frame === 0 ? undefined : setup;
}

const recordLength = (b: Uint8Array, o: number): number => HEADER + u16(b, o + 11);
const epoch = (b: Uint8Array, o: number): number => u16(b, o + 3);

function probe(b: Uint8Array, off: number, end: number, _?: boolean, wireEnd = end): Probe {
  if (end <= off || b[off] < Content.ChangeCipherSpec || b[off] > LAST_CONTENT) return end <= off ? Unsure : No;
  if (end - off < HEADER) return Unsure;
  return isVersion(u16(b, off + 1)) && u16(b, off + 11) <= MOST && off + recordLength(b, off) <= wireEnd ? Yes : No;
}

const FIELDS = {
  ...F,
  ...Object.fromEntries(Object.entries({ ...X, ...SCT_FIELDS }).map(([key, field]) => [`tls.${key}`, field])),
};

export const dtls = defineDissector({
  proto: 'dtls',
  title: 'Datagram Transport Layer Security',
  short: 'DTLS',
  spec: 'RFC 6347',
  fields: FIELDS,
  on: { 'udp.heuristic': ['dtls'] },
  serves: { fields: Object.values(FIELDS), protocols: ['rtp', 'rtcp'] }, // fields of messages that it joins
  probe,

  track(v, cx) {
    const { buf } = v;
    const session = cx.flow(dtls as AnyDissector, newSession);
    let wholes: Whole[] = [];
    for (let at = v.off; at + HEADER <= v.end; at += recordLength(buf, at)) {
      if (buf[at] !== Content.Handshake || epoch(buf, at) !== 0) continue;
      const end = Math.min(v.end, at + recordLength(buf, at));
      const profile = settledProfile(buf, at + HEADER, end);
      if (profile !== 0) {
        Object.assign(session, { frame: cx.frame, profile });
        if (profile <= LAST_OF_RFC5764) cx.settle?.('rtp');
      }
      wholes = wholes.concat(session.directions[cx.direction].take(buf, v.off, at + HEADER, end, cx));
    }
    if (wholes.length > 0) cx.note(wholes);
  },

  dissect(v, t, cx) {
    const wholes = cx.note<Whole[]>(dtls as AnyDissector, v) ?? [];
    t.open(F.dtls, v.off, v.length);
    for (let at = v.off; at < v.end; at += recordLength(v.buf, at)) record(v, t, at, wholes);
    t.pop();
  },

  column(v) {
    const version = v.length < 3 ? 0 : u16(v.buf, v.off + 1);
    return version === 0xfefd ? 'DTLSv1.2' : version === 0xfefc ? 'DTLSv1.3' : 'DTLSv1.0';
  },

  summary(v) {
    const parts: string[] = [];
    for (let at = v.off; at + HEADER <= v.end; at += recordLength(v.buf, at)) parts.push(recordName(v, at));
    return parts.length === 0 ? 'Cut short' : parts.join(', ');
  },
});

function recordName(v: View, at: number): string {
  const { buf } = v;
  if (u8(buf, at) !== Content.Handshake) return nameOf(CONTENT_TYPES, u8(buf, at));
  if (epoch(buf, at) !== 0) return 'Encrypted Handshake Message';
  return at + HEADER < v.end ? nameOf(HANDSHAKE_TYPES, u8(buf, at + HEADER)) : 'Handshake';
}

function record(v: View, t: Tree, at: number, wholes: readonly Whole[]): void {
  need(v, HEADER, at);
  const { buf } = v;
  const type = u8(buf, at);
  const length = u16(buf, at + 11);
  t.open(F.record, at, HEADER + length, t.labels ? `DTLS Record Layer: ${recordName(v, at)}` : undefined);
  t.num(F.content, at, 1, type);
  t.num(F.version, at + 1, 2, u16(buf, at + 1));
  t.num(F.epoch, at + 3, 2, epoch(buf, at));
  if (t.wanted(F.sequence)) t.big(F.sequence, at + 5, 6, BigInt(u48(buf, at + 5)));
  t.num(F.length, at + 11, 2, length);
  const body = at + HEADER;
  need(v, length, body);
  if (type === Content.ApplicationData) t.bytes(F.appData, body, length);
  else if (type === Content.ChangeCipherSpec) t.none(F.changeCipher, body, length);
  else if (type === Content.Alert) alert(t, buf, body, length, epoch(buf, at));
  else if (type === Content.Handshake) {
    // From the second epoch on everything is encrypted. RFC 6347 §4.1
    if (epoch(buf, at) === 0 && length >= HANDSHAKE_HEADER) handshake(v, t, body, body + length, wholes);
    else encrypted(t, body, length);
  }
  t.pop();
}

function encrypted(t: Tree, at: number, length: number): void {
  t.none(F.handshake, at, length);
  if (t.labels) t.label('Handshake Protocol: Encrypted Handshake Message');
}

function alert(t: Tree, b: Uint8Array, at: number, length: number, ep: number): void {
  t.open(F.alert, at, length, t.labels && ep !== 0 ? 'Alert Message: Encrypted Alert' : undefined);
  if (ep === 0 && length >= 2) {
    t.num(F.alertLevel, at, 1, u8(b, at));
    t.num(F.alertText, at + 1, 1, u8(b, at + 1));
  }
  t.pop();
}
