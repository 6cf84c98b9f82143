import { type Ctx, type Expert, type Field, nameOf, type Tree, u8, u16, u24, u32, u64 } from 'fttscope/kit';
import { MANY_NOPS, nopsWith } from '../option-nops.js';
import { ACK, SYN } from './fields.js';
import { E, F, H } from './option-fields.js';
import { EXPERIMENTS, MAX_SHIFT, OPTION_NAMES, SUBTYPES } from './values.js';

/**
 * TCP options, RFC 9293 §3.2. Kinds 0 and 1 are single octets, the others carry their length:
 *
 *     +---------------+---------------+------------- - -
 *     |     Kind      |    Length     |  Value …           Length counts Kind and Length
 *     +---------------+---------------+------------- - -
 */
const EOL = 0;
const NOP = 1;
const FAST_OPEN = 0xf989; // RFC 7413 §4.1.1, before the kind of its own

/** What the header and the index pass say to the options. */
export interface Segment {
  readonly flags: number;
  readonly ack: number;
  /** Sequence number of the other side that is shown as 0. */
  readonly peerBase: number;
}

type Show = (t: Tree, b: Uint8Array, off: number, length: number, s: Segment) => void;

interface OptionDef {
  readonly heading: Field;
  /** Octets of the whole option; 0: any number. */
  readonly length: number;
  readonly show: Show;
}

const nothing: Show = () => {};
const number32 =
  (f: Field): Show =>
  (t, b, off) =>
    t.num(f, off + 2, 4, u32(b, off + 2));

const OPTIONS: Readonly<Record<number, OptionDef>> = {
  2: { heading: H.mss, length: 4, show: (t, b, off) => t.num(F.mss, off + 2, 2, u16(b, off + 2)) },
  3: { heading: H.wscale, length: 3, show: windowScale },
  4: { heading: H.sackPermitted, length: 2, show: nothing },
  5: { heading: H.sack, length: 0, show: sack },
  6: { heading: H.echo, length: 6, show: number32(F.echo) },
  7: { heading: H.echo, length: 6, show: number32(F.echo) },
  8: {
    heading: H.timestamp,
    length: 10,
    show(t, b, off) {
      t.num(F.tsval, off + 2, 4, u32(b, off + 2));
      t.num(F.tsecr, off + 6, 4, u32(b, off + 6));
    },
  },
  11: { heading: H.cc, length: 6, show: number32(F.cc) },
  12: { heading: H.cc, length: 6, show: number32(F.cc) },
  13: { heading: H.cc, length: 6, show: number32(F.cc) },
  19: { heading: H.md5, length: 18, show: (t, _b, off) => t.bytes(F.md5, off + 2, 16) },
  20: { heading: H.scps, length: 4, show: scps },
  27: {
    heading: H.quickStart,
    length: 8,
    show(t, b, off) {
      t.bits(F.rate, off + 2, 1, u8(b, off + 2));
      t.num(F.ttl, off + 3, 1, u8(b, off + 3));
    },
  },
  28: {
    heading: H.userTimeout,
    length: 4,
    show(t, b, off) {
      t.bits(F.granularity, off + 2, 2, u16(b, off + 2));
      t.bits(F.timeout, off + 2, 2, u16(b, off + 2));
    },
  },
  29: { heading: H.ao, length: 0, show: authentication },
  30: { heading: H.mptcp, length: 0, show: multipath },
  34: { heading: H.fastOpen, length: 0, show: (t, b, off, n, s) => fastOpen(t, b, off + 2, n - 2, s) },
  172: { heading: H.accurateEcn, length: 0, show: (t, b, off, n) => accurateEcn(t, b, off, n, F.ee0b, F.ee1b) },
  174: { heading: H.accurateEcn, length: 0, show: (t, b, off, n) => accurateEcn(t, b, off, n, F.ee1b, F.ee0b) },
  253: { heading: H.experimental, length: 0, show: experimental },
  254: { heading: H.experimental, length: 0, show: experimental },
};

const OTHER: OptionDef = {
  heading: H.unknown,
  length: 0,
  show: (t, _b, off, n) => {
    if (n > 2) t.bytes(F.payload, off + 2, n - 2);
  },
};

/** Shows the options `[off, end)` of a header, which ended at `whole` on the wire. */
export function options(t: Tree, cx: Ctx, b: Uint8Array, off: number, end: number, whole: number, s: Segment): void {
  t.bytes(F.options, off, end - off);
  if (t.labels) t.label(`Options: (${end - off} bytes)${names(b, off, end)}`);
  t.push();
  let nops = 0;
  let mss = false;
  let at = off;
  while (at < end) {
    const kind = b[at];
    if (kind === EOL) {
      at = endOfList(t, b, at, end);
      continue;
    }
    if (kind === NOP) {
      nops = nopsWith(nops, at - off);
      single(t, H.nop, b, at++);
      if (nops === MANY_NOPS) {
        t.none(F.nopRow, at - 1, 1);
        t.expert(E.nopRow);
      }
      continue;
    }
    const n = option(t, b, at, end, whole, s);
    if (n === 0) break;
    if (kind === 2) mss = true;
    at += n;
  }
  if (mss && (s.flags & SYN) === 0) warn(t, F.mssPresent, E.mssPresent, off);
  if (!mss && end === whole && (s.flags & SYN) !== 0 && !cx.quoted) warn(t, F.mssAbsent, E.mssAbsent, off);
  t.pop();
}

function warn(t: Tree, f: Field, e: Expert, off: number, message?: string): void {
  t.none(f, off, 0);
  t.expert(e, message);
}

function single(t: Tree, heading: Field, b: Uint8Array, off: number): void {
  t.bytes(heading, off, 1);
  t.push();
  t.num(F.kind, off, 1, b[off]);
  t.pop();
}

/** The end of the list, and the padding after it, which must be zero (RFC 9293 §3.2). Returns where the header ends. */
function endOfList(t: Tree, b: Uint8Array, off: number, end: number): number {
  let at = off;
  while (at < end && b[at] === EOL) single(t, H.eol, b, at++);
  if (at < end) warn(t, F.padding, E.padding, at);
  return end;
}

/** Shows an option that carries its length; returns its octets, 0 where what follows cannot be read. */
function option(t: Tree, b: Uint8Array, off: number, end: number, whole: number, s: Segment): number {
  const kind = b[off];
  const def = OPTIONS[kind] ?? OTHER;
  if (off + 1 >= end && end < whole) return 0;
  const n = off + 1 < end ? b[off + 1] : 0;
  if (n >= 2 && off + n > end && off + n <= whole) {
    cut(t, def.heading, b, off, end);
    return 0;
  }
  if (n < 2 || off + n > end) {
    const name = OPTION_NAMES[kind] ?? `Unknown (0x${kind.toString(16).padStart(2, '0')})`;
    const why = n === 0 && off + 1 >= end ? 'length byte past end of options' : lengthText(n, off + n > end);
    warn(t, F.lengthInvalid, E.lengthInvalid, off, `${name} (${why})`);
    return 0;
  }
  t.bytes(def.heading, off, n);
  if (t.labels) t.label(def.heading.label + title(b, off, n, s));
  t.push();
  t.num(F.kind, off, 1, kind);
  t.num(F.length, off + 1, 1, n);
  if (def.length !== 0 && def.length !== n)
    warn(t, F.lengthInvalid, E.lengthInvalid, off, `option length should be ${def.length}`);
  else def.show(t, b, off, n, s);
  t.pop();
  return n;
}

/** An option of which the capture has the beginning. */
function cut(t: Tree, heading: Field, b: Uint8Array, off: number, end: number): void {
  t.bytes(heading, off, end - off);
  t.push();
  t.num(F.kind, off, 1, b[off]);
  t.num(F.length, off + 1, 1, b[off + 1]);
  t.pop();
}

const lengthText = (n: number, past: boolean): string =>
  past
    ? `option length = ${n} bytes says option goes past end of options`
    : `with too-short option length = ${n} bytes`;

/** What the heading of an option says beside its name. */
function title(b: Uint8Array, off: number, n: number, s: Segment): string {
  const kind = b[off];
  if (kind === 2 && n === 4) return `: ${u16(b, off + 2)} bytes`;
  if (kind === 3 && n === 3) return `: ${u8(b, off + 2)} (multiply by ${2 ** Math.min(u8(b, off + 2), MAX_SHIFT)})`;
  if (kind === 5) return sackText(b, off, n, s);
  if ((kind === 6 || kind === 7) && n === 6) return `: ${u32(b, off + 2)}`;
  if (kind === 8 && n === 10) return `: TSval ${u32(b, off + 2)}, TSecr ${u32(b, off + 6)}`;
  if (kind === 30 && n > 2) return `: ${nameOf(SUBTYPES, b[off + 2] >> 4)}`;
  if (kind >= 253 && n >= 4) return `: ${nameOf(EXPERIMENTS, u16(b, off + 2))}`;
  return '';
}

function windowScale(t: Tree, b: Uint8Array, off: number): void {
  const shift = u8(b, off + 2);
  t.num(F.shift, off + 2, 1, shift);
  if (shift > MAX_SHIFT) warn(t, F.shiftInvalid, E.shift, off + 2);
  t.num(F.multiplier, off + 2, 1, 2 ** Math.min(shift, MAX_SHIFT));
}

const edge = (b: Uint8Array, off: number, s: Segment): number => (u32(b, off) - s.peerBase) >>> 0;

function sack(t: Tree, b: Uint8Array, off: number, n: number, s: Segment): void {
  let blocks = 0;
  const stop = off + n;
  let at = off + 2;
  for (; at + 8 <= stop; at += 8) {
    t.num(F.left, at, 4, edge(b, at, s));
    t.num(F.right, at + 4, 4, edge(b, at + 4, s));
    blocks++;
  }
  if (at < stop) warn(t, F.lengthInvalid, E.sackLength, at);
  t.num(F.blocks, off, 0, blocks);
  if (blocks > 0 && isDouble(b, off + 2, blocks, s)) {
    t.num(F.doubleLeft, off + 2, 4, edge(b, off + 2, s));
    t.num(F.doubleRight, off + 6, 4, edge(b, off + 6, s));
    warn(t, F.double, E.doubleSack, off + 2);
  }
}

/** RFC 2883 §4: the first block reports a duplicate if it lies below the acknowledgment or inside the second block. */
function isDouble(b: Uint8Array, off: number, blocks: number, s: Segment): boolean {
  if ((s.flags & ACK) !== 0 && ((u32(b, off) - s.ack) | 0) < 0) return true;
  if (blocks < 2) return false;
  return ((u32(b, off) - u32(b, off + 8)) | 0) >= 0 && ((u32(b, off + 4) - u32(b, off + 12)) | 0) <= 0;
}

function sackText(b: Uint8Array, off: number, n: number, s: Segment): string {
  let text = '';
  for (let at = off + 2; at + 8 <= off + n; at += 8) text += ` ${edge(b, at, s)}-${edge(b, at + 4, s)}`;
  return text;
}

function scps(t: Tree, b: Uint8Array, off: number): void {
  const bits = u8(b, off + 2);
  t.num(F.scps, off + 2, 1, bits);
  t.push();
  for (const f of [F.scpsBets, F.scpsSnack1, F.scpsSnack2, F.scpsComp, F.scpsNlts, F.scpsReserved])
    t.bits(f, off + 2, 1, bits);
  t.pop();
  t.num(F.connectionId, off + 3, 1, u8(b, off + 3));
}

/** RFC 5925 §2.2. */
function authentication(t: Tree, b: Uint8Array, off: number, n: number): void {
  if (n < 4) return;
  t.num(F.keyId, off + 2, 1, u8(b, off + 2));
  t.num(F.nextKeyId, off + 3, 1, u8(b, off + 3));
  t.bytes(F.mac, off + 4, n - 4);
}

/** RFC 7413 §4.1.1: without octets it asks for a cookie. */
function fastOpen(t: Tree, _b: Uint8Array, off: number, n: number, s: Segment): void {
  if (n === 0) {
    t.none(F.cookieRequest, off, 0);
    return;
  }
  t.bytes(F.cookie, off, n);
  if ((s.flags & (SYN | ACK)) === SYN) warn(t, F.fastOpenSyn, E.fastOpenSyn, off);
}

/** Counters of three octets; the last ones may be left out. */
function accurateEcn(t: Tree, b: Uint8Array, off: number, n: number, first: Field, last: Field): void {
  const order = [first, F.eceb, last];
  for (let i = 0, at = off + 2; i < 3 && at + 3 <= off + n; i++, at += 3) t.num(order[i], at, 3, u24(b, at));
}

/** RFC 6994 §3. */
function experimental(t: Tree, b: Uint8Array, off: number, n: number, s: Segment): void {
  if (n < 4) return;
  const id = u16(b, off + 2);
  t.num(F.experiment, off + 2, 2, id);
  if (id === FAST_OPEN) fastOpen(t, b, off + 4, n - 4, s);
  else if (n > 4) t.bytes(F.experimentData, off + 4, n - 4);
}

/** RFC 8684 §3: the subtype, and what the commonest ones carry. */
function multipath(t: Tree, b: Uint8Array, off: number, n: number, s: Segment): void {
  if (n < 3) return;
  t.layer('mptcp');
  const subtype = b[off + 2] >> 4;
  t.bits(F.subtype, off + 2, 1, b[off + 2]);
  if (t.labels) t.label(`Multipath TCP subtype: ${nameOf(SUBTYPES, subtype)} (${subtype})`);
  if (n < 4) return;
  if (subtype === 0) {
    t.bits(F.version, off + 2, 1, b[off + 2]);
    t.num(F.mptcpFlags, off + 3, 1, b[off + 3]);
    if (n >= 12) t.big(F.sendKey, off + 4, 8, u64(b, off + 4));
    if (n >= 20) t.big(F.receiveKey, off + 12, 8, u64(b, off + 12));
  } else if (subtype === 1) join(t, b, off, n, s);
  else if (subtype === 3) {
    t.bits(F.mptcpEcho, off + 2, 1, b[off + 2]);
    t.num(F.addressId, off + 3, 1, b[off + 3]);
    if (n >= 20) t.bytes(F.ip6, off + 4, 16);
    else if (n >= 8) t.bytes(F.ip4, off + 4, 4);
  } else if (subtype === 8) {
    t.num(F.mptcpFlags, off + 2, 1, b[off + 2] & 15);
    t.num(F.reason, off + 3, 1, b[off + 3]);
  }
}

/** RFC 8684 §3.2: the three forms differ in their length. */
function join(t: Tree, b: Uint8Array, off: number, n: number, s: Segment): void {
  if (n === 24) {
    t.bytes(F.hmac, off + 4, 20);
    return;
  }
  t.bits(F.backup, off + 2, 1, b[off + 2]);
  t.num(F.addressId, off + 3, 1, b[off + 3]);
  if (n === 12) {
    t.num(F.token, off + 4, 4, u32(b, off + 4));
    t.num(F.random, off + 8, 4, u32(b, off + 8));
  } else if (n === 16 && (s.flags & ACK) !== 0) {
    t.big(F.truncatedHmac, off + 4, 8, u64(b, off + 4));
    t.num(F.random, off + 12, 4, u32(b, off + 12));
  }
}

/** The names of the options, for the line above them. */
function names(b: Uint8Array, off: number, end: number): string {
  let text = '';
  for (let at = off; at < end; ) {
    const kind = b[at];
    const n = kind > NOP ? b[at + 1] : 1;
    if (kind > NOP && (at + 1 >= end || n < 2 || at + n > end)) break;
    text += `, ${OPTION_NAMES[kind] ?? `Unknown (0x${kind.toString(16).padStart(2, '0')})`}`;
    at += n;
  }
  return text;
}

/** What the Info column says of the options, with a blank before each. */
export function optionsInfo(b: Uint8Array, off: number, end: number, s: Segment): string {
  let text = '';
  for (let at = off; at < end && b[at] !== EOL; ) {
    const kind = b[at];
    const n = kind === NOP ? 1 : b[at + 1];
    if (kind !== NOP && (at + 1 >= end || n < 2 || at + n > end)) break;
    const def = OPTIONS[kind];
    if (def !== undefined && (def.length === 0 || def.length === n)) text += info(b, at, n, s);
    at += n;
  }
  return text;
}

function info(b: Uint8Array, off: number, n: number, s: Segment): string {
  switch (b[off]) {
    case 2:
      return ` MSS=${u16(b, off + 2)}`;
    case 3:
      return ` WS=${2 ** Math.min(u8(b, off + 2), MAX_SHIFT)}`;
    case 4:
      return ' SACK_PERM';
    case 5: {
      let text = '';
      for (let at = off + 2; at + 8 <= off + n; at += 8) text += ` SLE=${edge(b, at, s)} SRE=${edge(b, at + 4, s)}`;
      return text;
    }
    case 6:
    case 7:
      return ` ECHO=${u32(b, off + 2)}`;
    case 8:
      return ` TSval=${u32(b, off + 2)} TSecr=${u32(b, off + 6)}`;
    case 11:
    case 12:
    case 13:
      return ` CC=${u32(b, off + 2)}`;
    case 19:
      return ' MD5';
    case 28:
      return ` USER_TO=${u16(b, off + 2) & 0x7fff}`;
    case 34:
      return n === 2 ? ' TFO=R' : ' TFO=C';
    case 253:
    case 254:
      if (n < 4) return '';
      if (u16(b, off + 2) === FAST_OPEN) return n === 4 ? ' TFO=R' : ' TFO=C';
      return ` ExID=${u16(b, off + 2)
        .toString(16)
        .padStart(4, '0')}`;
    default:
      return '';
  }
}
