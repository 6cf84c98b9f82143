import {
  type Ctx,
  type Field,
  hex,
  ip6,
  Malformed,
  nameOf,
  need,
  printable,
  type Tree,
  u8,
  u16,
  u32,
  u48,
  utf8Text,
  type View,
} from 'fttscope/kit';
import { quote } from '../icmp.js';
import { E, F, OPTION, OPTION_NAMES } from './nd-fields.js';

/**
 * Options of neighbor discovery, RFC 4861 §4.6; the length counts units of eight octets:
 *
 *     +---------------+---------------+------------- - - -
 *     |     Type      |    Length     |  …
 *     +---------------+---------------+------------- - - -
 */
/** Octets that an option has at least, two for type and length included. */
const LEAST: Readonly<Record<number, number>> = {
  [OPTION.prefix]: 32,
  [OPTION.redirected]: 8,
  [OPTION.mtu]: 8,
  [OPTION.advertisementInterval]: 8,
  [OPTION.homeAgent]: 8,
  [OPTION.timestamp]: 16,
  [OPTION.route]: 8,
  [OPTION.rdnss]: 8,
  [OPTION.flags]: 8,
  [OPTION.dnssl]: 8,
  [OPTION.pref64]: 16,
};

/** A prefix of which only the first octets are there, as an address. */
function shortPrefix(t: Tree, f: Field, b: Uint8Array, o: number, n: number): void {
  if (!t.wanted(f)) return;
  const whole = new Uint8Array(16);
  whole.set(b.subarray(o, o + Math.min(n, 16)));
  t.bytes(f, o, n, whole);
}

/** RFC 4861 §4.6.2, RFC 6275 §7.2. */
function prefixInformation(t: Tree, b: Uint8Array, o: number): void {
  const flags = u8(b, o + 3);
  t.num(F.prefixLength, o + 2, 1, u8(b, o + 2));
  t.num(F.prefixFlags, o + 3, 1, flags);
  t.push();
  for (const f of [F.onLink, F.autonomous, F.routerAddress, F.prefixReserved]) t.bits(f, o + 3, 1, flags);
  t.pop();
  t.num(F.valid, o + 4, 4, u32(b, o + 4));
  t.num(F.preferred, o + 8, 4, u32(b, o + 8));
  t.none(F.optionReserved, o + 12, 4);
  t.bytes(F.prefix, o + 16, 16);
}

/** RFC 4191 §2.3: the prefix has 0, 8 or 16 octets. */
function routeInformation(t: Tree, b: Uint8Array, o: number, n: number): void {
  const flags = u8(b, o + 3);
  t.num(F.prefixLength, o + 2, 1, u8(b, o + 2));
  t.num(F.routeFlags, o + 3, 1, flags);
  t.push();
  t.bits(F.routePreference, o + 3, 1, flags);
  t.bits(F.routeReserved, o + 3, 1, flags);
  t.pop();
  t.num(F.routeLifetime, o + 4, 4, u32(b, o + 4));
  if (n > 8) shortPrefix(t, F.prefix, b, o + 8, n - 8);
}

/** Name at `o` in the uncompressed form of RFC 1035 §3.1, and where it ends. */
function domainName(b: Uint8Array, o: number, end: number): { name: string; end: number } {
  const labels: string[] = [];
  let i = o;
  while (i < end && b[i] !== 0) {
    if (i + 1 + b[i] > end) throw new Malformed('a domain name goes past its option');
    labels.push(utf8Text(b, i + 1, i + 1 + b[i]));
    i += 1 + b[i];
  }
  return { name: labels.join('.'), end: Math.min(end, i + 1) };
}

/** RFC 8106 §5.2: names, then zeros. */
function searchList(t: Tree, b: Uint8Array, o: number, end: number): void {
  t.none(F.optionReserved, o + 2, 2);
  t.num(F.dnsslLifetime, o + 4, 4, u32(b, o + 4));
  let i = o + 8;
  while (i < end && b[i] !== 0) {
    const d = domainName(b, i, end);
    t.text(F.dnssl, i, d.end - i, d.name);
    i = d.end;
  }
  if (i < end) t.none(F.padding, i, end - i);
}

/** Octets of a prefix by its length code. RFC 8781 §4 */
const PREFIX_OCTETS = [12, 8, 7, 6, 5, 4] as const;

/** RFC 8781 §4: the octets behind the prefix are passed over. */
function pref64(t: Tree, b: Uint8Array, o: number): void {
  const word = u16(b, o + 2);
  t.bits(F.scaledLifetime, o + 2, 2, word);
  if (t.labels) t.label(`Scaled Lifetime: ${word >> 3} (${word & 0xfff8} s)`);
  t.bits(F.prefixCode, o + 2, 2, word);
  shortPrefix(t, F.pref64, b, o + 4, PREFIX_OCTETS[word & 7] ?? 12);
}

/** The flags of a router advertisement that did not fit into its octet, RFC 5175 §4. */
function moreFlags(t: Tree, b: Uint8Array, o: number): void {
  const flags = u16(b, o + 2);
  t.num(F.efo, o + 2, 2, flags);
  t.push();
  for (const f of [F.efoM, F.efoO, F.efoH, F.efoPrf, F.efoP, F.efoReserved]) t.bits(f, o + 2, 2, flags);
  t.pop();
  t.none(F.optionReserved, o + 4, 4);
}

function portal(t: Tree, b: Uint8Array, o: number, end: number): void {
  let stop = end;
  while (stop > o + 2 && b[stop - 1] === 0) stop--; // RFC 8910 §2.3: padded with zeros
  t.text(F.portal, o + 2, stop - o - 2);
}

/** What stands behind the length of the option of `n` octets at `o`. */
function value(t: Tree, v: View, o: number, n: number, cx: Ctx): void {
  const b = v.buf;
  const end = o + n;
  switch (u8(b, o)) {
    case OPTION.sourceLinkLayer:
      t.bytes(F.source, o + 2, n - 2);
      break;
    case OPTION.targetLinkLayer:
      t.bytes(F.target, o + 2, n - 2);
      break;
    case OPTION.prefix:
      prefixInformation(t, b, o);
      break;
    case OPTION.redirected: {
      t.none(F.optionReserved, o + 2, 6);
      t.none(F.redirected, o + 8, n - 8);
      quote(cx, v.sub(o + 8, end));
      break;
    }
    case OPTION.mtu:
      t.none(F.optionReserved, o + 2, 2);
      t.num(F.optionMtu, o + 4, 4, u32(b, o + 4));
      break;
    case OPTION.advertisementInterval: // RFC 6275 §7.3
      t.none(F.optionReserved, o + 2, 2);
      t.num(F.interval, o + 4, 4, u32(b, o + 4));
      break;
    case OPTION.homeAgent: // RFC 6275 §7.4
      t.none(F.optionReserved, o + 2, 2);
      t.num(F.homePreference, o + 4, 2, u16(b, o + 4));
      t.num(F.homeLifetime, o + 6, 2, u16(b, o + 6));
      break;
    case OPTION.timestamp: // RFC 3971 §5.3.1: 48 bits of seconds, 16 of a fraction
      t.none(F.optionReserved, o + 2, 6);
      t.time(F.timestamp, o + 8, 8, u48(b, o + 8), Math.floor((u16(b, o + 14) * 1e9) / 65_536));
      break;
    case OPTION.nonce:
      t.bytes(F.nonce, o + 2, n - 2);
      break;
    case OPTION.route:
      routeInformation(t, b, o, n);
      break;
    case OPTION.rdnss: // RFC 8106 §5.1
      t.none(F.optionReserved, o + 2, 2);
      t.num(F.rdnssLifetime, o + 4, 4, u32(b, o + 4));
      for (let i = o + 8; i + 16 <= end; i += 16) t.bytes(F.rdnss, i, 16);
      break;
    case OPTION.flags:
      moreFlags(t, b, o);
      break;
    case OPTION.dnssl:
      searchList(t, b, o, end);
      break;
    case OPTION.captivePortal:
      portal(t, b, o, end);
      break;
    case OPTION.pref64:
      pref64(t, b, o);
      break;
    default:
      t.bytes(F.optionData, o + 2, n - 2);
      t.expert(E.undecoded);
  }
}

/** The heading of an option, as `Prefix information : 2001:db8::/64`. */
function heading(b: Uint8Array, o: number, n: number): string {
  const kind = u8(b, o);
  const name = nameOf(OPTION_NAMES, kind);
  let rest = '';
  if (n >= (LEAST[kind] ?? 2)) {
    if (kind <= OPTION.targetLinkLayer) rest = ` : ${hex(b, o + 2, Math.min(n - 2, 6))}`;
    else if (kind === OPTION.prefix) rest = ` : ${ip6(b, o + 16)}/${u8(b, o + 2)}`;
    else if (kind === OPTION.mtu || kind === OPTION.advertisementInterval) rest = ` : ${u32(b, o + 4)}`;
    else if (kind === OPTION.rdnss) for (let i = o + 8; i + 16 <= o + n; i += 16) rest += ` ${ip6(b, i)}`;
    else if (kind === OPTION.captivePortal) rest = ` ${printable(utf8Text(b, o + 2, o + n)).replace(/·+$/, '')}`;
  }
  return `ICMPv6 Option (${name}${rest})`;
}

/**
 * The options from `off` to the end of the message.
 * @throws Short where an option goes past the end
 */
export function options(t: Tree, v: View, off: number, cx: Ctx): void {
  const { buf } = v;
  for (let o = off; o < v.wireEnd; ) {
    need(v, 2, o);
    const n = 8 * u8(buf, o + 1);
    t.open(F.opt, o, n, t.labels && o + n <= v.end ? heading(buf, o, n) : undefined);
    t.num(F.optionType, o, 1, u8(buf, o));
    t.num(F.optionLength, o + 1, 1, u8(buf, o + 1));
    if (n === 0) {
      t.expert(E.badOption, 'Invalid option length (Zero)'); // RFC 4861 §4.6: the message is discarded
      t.pop();
      return;
    }
    need(v, n, o);
    if (n < (LEAST[u8(buf, o)] ?? 2)) {
      t.expert(E.badOption);
      t.bytes(F.optionData, o + 2, n - 2);
    } else value(t, v, o, n, cx);
    t.pop();
    o += n;
  }
}

/** What the Info column says about link-layer addresses: ` from MAC`, or ` is at MAC` for that of the target. */
export function linkLayerLabel(v: View, off: number): string {
  const { buf, end } = v;
  let s = '';
  for (let o = off; o + 8 <= end; ) {
    const n = 8 * u8(buf, o + 1);
    if (n === 0 || o + n > end) break;
    if (u8(buf, o) === OPTION.sourceLinkLayer) s += ` from ${hex(buf, o + 2, Math.min(n - 2, 6))}`;
    if (u8(buf, o) === OPTION.targetLinkLayer) s += ` is at ${hex(buf, o + 2, Math.min(n - 2, 6))}`;
    o += n;
  }
  return s;
}
