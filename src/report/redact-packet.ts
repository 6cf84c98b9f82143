import { headerLength as rtpHeader } from '../../dissectors/rtp.js';
import { fingerprintOf } from '../../dissectors/stun/fingerprint.js';
import type { Row } from '../engine/row.js';
import {
  type AnyDissector,
  type Field,
  type FieldType,
  Held,
  latin1,
  type Tree,
  u16,
  type View,
} from '../kit/index.js';
import { PROTOCOLS } from '../model/standard-words.js';
import { Draft } from './draft.js';
import { checksums, payloads, type Sum } from './packet-layers.js';
import { MessageRedaction } from './redact-message.js';
import { address, number, place, words } from './redact-parts.js';
import { SameLength } from './same-length.js';

/** Messages with a head of lines, and a body that is blanked unless it is a session description. */
const TEXTUAL: ReadonlySet<string> = new Set(['sip', 'http', 'msrp']);
/** Payloads that are dissected whole: what of them is no field is not told. All others are blanked. */
const UNDERSTOOD: ReadonlySet<string> = new Set('dhcp dhcpv6 dns mdns llmnr rtcp stun isakmp udpencap tls'.split(' '));
/** Octets that say nothing of anybody: constants, and random numbers that tell messages apart. All others are zero. */
const KEPT =
  /^(?:dhcp\.(?:cookie|option\.padding|option\.end)|stun\.(?:cookie|id|att\.(?:port|ipv[46])-xord)|isakmp\.[ir]spi|tcp\.options\.experimental\.magic)$/;
/** Numbers that tell of somebody: places, when a device was first used, what a log of certificates finds one by. */
const TELLING =
  /^(?:dns\.loc\.|dhcpv6\.duidllt\.time$|dhcp\.client_id\.time$|stun\.att\.tie-breaker$|tls\.sct\.sct_timestamp$)/;
/** Addresses that are none. */
const NO_ADDRESS: ReadonlySet<string> = new Set(['dhcp.cookie', 'dhcp.option.subnet_mask']);
/** Hardware addresses and what is made of them. */
const HARDWARE: ReadonlySet<string> = new Set(['dhcp.hw.addr', 'dhcp.client_hardware_address', 'dhcp.client_id.undef']);
const HARDWARE_END = /\.(link_layer_addr(?:ess)?|linkaddr|hw\.mac_addr)$/;
/** Octets of numbers; where a node takes up more, it has something else in it. */
const WIDTHS: Partial<Record<FieldType, number>> = {
  ...{ bool: 1, u8: 1, i8: 1, u16: 2, i16: 2, u24: 3, u32: 4, i32: 4, u48: 6 },
};
/** Octets of the widest number that is told. */
const WIDEST = 8;
/** A redacted packet, and the checksums of it that were right before, which are to be put right at last. */
export interface RedactedPacket {
  readonly octets: Uint8Array;
  readonly sums: readonly Sum[];
}

/**
 * Takes out of inner packets what tells who and where somebody is, and what was said: addresses, users, numbers and names
 * get pseudonyms of the same length, voice and the bodies of messages are blanked, and so is any payload that is not
 * understood whole. Lengths stay right; checksums that were right are made right again.
 */
export class PacketRedaction {
  private readonly names = new SameLength();
  private readonly texts = new MessageRedaction(this.names);

  /** How often a pseudonym was shared because there were too many to tell all apart. */
  get shared(): number {
    return this.names.shared;
  }

  /** The IP packet in the envelope of a row; the row keeps its own. */
  packet(row: Row, start: number): RedactedPacket {
    const { view } = row.content!;
    const out = view.buf.slice(start, view.end);
    const sums = checksums(out, 0, out.length).filter((c) => c.right());
    this.redact(row.dissection.tree, view.buf, out, start, payloads(out, 0, out.length));
    return { octets: out, sums };
  }

  /** A datagram whose fragments a row completes: a header of UDP or ICMP at `off`, and its payload. Its checksum is as it was. */
  datagram(row: Row, buf: Uint8Array, off: number): Uint8Array {
    const out = buf.slice(off);
    this.redact(row.dissection.tree, buf, out, off, [[8, out.length]]);
    return out;
  }

  /** A message of a stream; undefined where it is none of text. */
  message(dissector: AnyDissector, v: View): Uint8Array | undefined {
    return TEXTUAL.has(dissector.proto) ? this.texts.message(v.buf.slice(v.off, v.end)) : undefined;
  }

  /** Redacts what is `out` and stands at `start` of `buf`; `ranges` hold what is above the transport layer. */
  private redact(t: Tree, buf: Uint8Array, out: Uint8Array, start: number, ranges: readonly [number, number][]): void {
    const here = nodesIn(t, buf, start, start + out.length);
    const told = new Uint8Array(out.length);
    for (const [from, end] of ranges) if (end > from) this.payload(t, here, out, told, start, from, end);
    this.fields(t, here, out, told, start);
  }

  /** Blanks what stands above the transport layer where it is no packet of fields, or gives pseudonyms to its text. */
  private payload(
    t: Tree,
    here: readonly number[],
    out: Uint8Array,
    told: Uint8Array,
    start: number,
    from: number,
    end: number,
  ): void {
    const top = here.find((i) => t.field(i).type === 'protocol' && t.off[i] - start === from && isPayload(t.field(i)));
    const proto = top === undefined ? '' : t.field(top).name;
    if (UNDERSTOOD.has(proto) && !isEsp(proto, out, from, end)) {
      // A relay carries other protocols in messages of its own.
      for (const i of here) {
        const at = t.off[i] - start;
        const isInside = t.field(i).type === 'protocol' && at > from && at < end && told[at] === 0;
        if (isInside && !UNDERSTOOD.has(t.field(i).name)) this.payload(t, here, out, told, start, at, at + t.len[i]);
      }
      return;
    }
    if (TEXTUAL.has(proto)) this.messages(t, here, proto, out, start, from, end);
    else if (proto === 'rtp') blankMedia(out, from, end, (at) => has(t, here, 'rtpevent', start + at));
    else if (proto === 'esp' || isEsp(proto, out, from, end)) out.fill(0, from + 8, end);
    else out.fill(0, from, end);
    told.fill(1, from, end);
  }

  /** Of all that is not told yet only fields remain, and of these numbers, pseudonyms and what is known to say nothing. */
  private fields(t: Tree, here: readonly number[], out: Uint8Array, told: Uint8Array, start: number): void {
    const open = here.filter((i) => told[t.off[i] - start] !== 1 && toldOctets(t, i) > 0);
    for (const i of open) told.fill(1, t.off[i] - start, t.off[i] - start + toldOctets(t, i));
    for (let k = 0; k < out.length; k++) if (told[k] === 0) out[k] = 0;
    // Unicast addresses first: multicast ones may be made of them.
    for (const pass of [0, 1]) for (const i of open) this.address(t, i, out, start, pass);
    for (const i of open) this.name(t, i, out, start);
    for (const i of open) if (t.field(i).name === 'stun.att.crc32') fingerprint(t, i, here, out, start);
  }

  /** Messages of text that are whole in the payload; octets between them are part of others, and are blanked. */
  private messages(
    t: Tree,
    here: readonly number[],
    proto: string,
    out: Uint8Array,
    start: number,
    from: number,
    end: number,
  ): void {
    let at = from;
    for (const i of here) {
      if (t.field(i).name !== proto || t.field(i).type !== 'protocol' || t.off[i] - start !== at) continue;
      const to = Math.min(end, at + t.len[i]);
      out.set(this.texts.message(out.slice(at, to)), at);
      at = to;
    }
    out.fill(0, at, end);
  }

  private address(t: Tree, i: number, out: Uint8Array, start: number, pass: number): void {
    const f = t.field(i);
    if (f.type !== 'ipv4' && f.type !== 'ipv6') return;
    const at = t.off[i] - start;
    const n = f.type === 'ipv4' ? 4 : 16;
    if (t.len[i] !== n || NO_ADDRESS.has(f.name)) return;
    const made = t.made[i];
    const stands = t.sources[t.source(i)].buf.subarray(t.off[i], t.off[i] + n);
    const is = t.held(i) === Held.Made && made instanceof Uint8Array ? made : stands;
    if ((n === 16 && is[0] === 0xff ? 1 : 0) !== pass) return;
    const to = n === 4 ? this.names.ipv4(is) : this.names.ipv6(is);
    // XORed (RFC 8489 §14.2): it stays so.
    for (let k = 0; k < n; k++) out[at + k] = to[k] ^ is[k] ^ stands[k];
  }

  private name(t: Tree, i: number, out: Uint8Array, start: number): void {
    const f = t.field(i);
    const from = t.off[i] - start;
    const to = Math.min(out.length, from + t.len[i]);
    const isHardware = f.type === 'ether' || HARDWARE.has(f.name) || HARDWARE_END.test(f.name);
    if (to <= from || !(f.type === 'string' || isHardware)) return;
    out.set(t.sources[t.source(i)].buf.subarray(t.off[i], t.off[i] + to - from), from); // two nodes may name the same octets
    const isPrinted = /^[ -~]*$/.test(latin1(out, from, to));
    if (f.type === 'string' && (isPrinted || !isHardware)) this.text(out, from, to);
    else this.hardware(out, from, to);
  }

  private hardware(out: Uint8Array, from: number, to: number): void {
    let end = to;
    while (end > from + 6 && out[end - 1] === 0) end--; // it is padded
    out.set(this.names.mac(out.subarray(from, end)), from);
  }

  /** A name of DNS in its labels, an address, a word of a standard, or any other text. */
  private text(out: Uint8Array, from: number, to: number): void {
    if (this.labels(out, from, to)) return;
    const d = new Draft(out.slice(from, to), this.names);
    const s = latin1(out, from, to).replace(/\0+$/, '');
    if (PROTOCOLS.has(s.toLowerCase())) d.keep(0, d.length);
    else if (s.includes('@')) address(d, 0, s.length);
    else if (/^[\w-]+(?:\.[\w-]+)+\.?$|^\[?[0-9a-f]*:[0-9a-f:.]*\]?$/i.test(s)) place(d, 0, s.length);
    else if (/^\+?\d+$/.test(s)) number(d, 0, s.length);
    else d.each(0, s.length, /[^:\0]+/g, (at, stop) => words(d, at, stop));
    out.set(d.made, from);
    out.fill(0, from + s.length, to);
  }

  /** Labels of a domain name, up to its end or to a pointer (RFC 1035 §4.1.4), which may be all of it; false where it is none. */
  private labels(out: Uint8Array, from: number, to: number): boolean {
    const parts = labelsIn(out, from, to);
    if (parts === undefined) return false;
    const written = parts.map((p) => latin1(out, p + 1, p + 1 + out[p]));
    for (const [k, label] of this.names.domain(written).entries()) write(out, parts[k] + 1, label);
    return true;
  }
}

/** How many octets of a node are told, as they are or by a pseudonym. */
function toldOctets(t: Tree, i: number): number {
  const f = t.field(i);
  const n = t.len[i];
  switch (f.type) {
    case 'protocol':
    case 'none':
    case 'frame':
      return 0;
    case 'bytes':
    case 'guid':
      return KEPT.test(f.name) || HARDWARE.has(f.name) || HARDWARE_END.test(f.name) ? n : 0;
    case 'ipv4':
    case 'ipv6':
      return n === (f.type === 'ipv4' ? 4 : 16) ? n : 0;
    case 'ether':
      return n;
    case 'string':
      return isWritten(t, i) ? n : 0;
    default:
      return TELLING.test(f.name) || t.held(i) === Held.Made ? 0 : n <= widthOf(f) ? n : leading(t, i);
  }
}

/** Octets of a number, or of all the flags that one is among. */
const widthOf = (f: Field): number => (f.mask === undefined ? (WIDTHS[f.type] ?? WIDEST) : WIDEST);

/** Whether the text of a node stands in the packet, and was not made of something else there. */
function isWritten(t: Tree, i: number): boolean {
  if (t.held(i) !== Held.Made) return true;
  const octets = t.octets(i);
  const value = t.made[i];
  const s = latin1(t.sources[t.source(i)].buf, t.off[i], t.off[i] + t.len[i]);
  return (
    octets.length > 0 &&
    typeof value === 'string' &&
    (s.startsWith(value) || labelsIn(Buffer.from(s, 'latin1'), 0, s.length) !== undefined)
  );
}

/** Octets of the number with which a node begins that goes on behind it: the code of an option. */
function leading(t: Tree, i: number): number {
  const { buf } = t.sources[t.source(i)];
  let n = 0;
  for (let k = 0; k < 4; k++) {
    n = n * 256 + buf[t.off[i] + k];
    if (n === t.number[i]) return k + 1;
  }
  return 0;
}

/** Where the labels of a domain name begin that takes up `[from, to)`, or ends there in a pointer; undefined: it is none. */
function labelsIn(b: Uint8Array, from: number, to: number): number[] | undefined {
  const parts: number[] = [];
  let at = from;
  while (at < to && b[at] > 0 && b[at] < 64) {
    parts.push(at);
    at += 1 + b[at];
  }
  const ends = at + 1 === to && b[at] === 0;
  const points = at + 2 === to && b[at] >= 0xc0;
  return ends || points ? parts : undefined;
}

/** Makes the FINGERPRINT of a message of STUN right for what has become of it. RFC 8489 §14.7 */
function fingerprint(t: Tree, i: number, here: readonly number[], out: Uint8Array, start: number): void {
  const message = here.findLast((k) => k < i && t.field(k).type === 'protocol' && t.field(k).name === 'stun');
  if (message === undefined) return;
  const at = t.off[i] - start;
  const crc = fingerprintOf(out, t.off[message] - start, at - 4);
  for (let k = 0; k < 4; k++) out[at + k] = crc >>> (24 - 8 * k);
}

/** Whether a payload is ESP, which need not be encrypted (RFC 2410), and not IKE behind four zeros (RFC 3948 §2.2). */
const isEsp = (proto: string, b: Uint8Array, from: number, end: number): boolean =>
  proto === 'esp' || (proto === 'udpencap' && end - from >= 8 && (u16(b, from) !== 0 || u16(b, from + 2) !== 0));

/** Nodes whose octets stand in the packet itself. */
function nodesIn(t: Tree, buf: Uint8Array, start: number, end: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < t.length; i++)
    if (t.sources[t.source(i)].buf === buf && t.off[i] >= start && t.off[i] + t.len[i] <= end) out.push(i);
  return out;
}

const has = (t: Tree, here: readonly number[], name: string, off: number): boolean =>
  here.some((i) => t.field(i).name === name && t.off[i] === off);
const isPayload = (f: Field): boolean => !/^(fttims|ip|ipv6|udp|tcp)\b/.test(f.name);

function write(out: Uint8Array, at: number, s: string): void {
  for (let i = 0; i < s.length; i++) out[at + i] = s.charCodeAt(i);
}

/** Octets of an event behind its number. RFC 4733 §2.3 */
const EVENT = 4;

/** Silence instead of speech, no digit instead of the one that was pressed; headers and the length of padding stay. */
function blankMedia(out: Uint8Array, from: number, end: number, isEvent: (at: number) => boolean): void {
  const at = Math.min(end, from + Math.max(12, rtpHeader(out, from, end)));
  const extension = from + 12 + 4 * (out[from] & 15) + 4;
  if ((out[from] & 0x10) !== 0 && extension < at) out.fill(0, extension, at); // may hold names: RFC 7941
  const isPadded = (out[from] & 0x20) !== 0 && end > at;
  const keeps = isEvent(at) ? Math.min(end, at + EVENT) : at;
  out.fill(0, at, Math.min(at + 1, keeps));
  out.fill(0, keeps, Math.max(keeps, isPadded ? end - 1 : end));
}
