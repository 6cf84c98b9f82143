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
import { readName } from '../dns/names.js';
import { quote } from '../icmp.js';
import { F as X } from './extension-fields.js';
import { EXTENSIONS } from './extension-options.js';
import { E, F, OPTION, OPTION_NAMES, UNREAD } from './nd-fields.js';
import { Overrun, Reader } from './reader.js';

/**
 * Options of neighbor discovery, RFC 4861 §4.6; the length counts units of eight octets:
 *
 *     +---------------+---------------+------------- - - -
 *     |     Type      |    Length     |  …
 *     +---------------+---------------+------------- - - -
 */
/** The packet that a message is about is of IPv6, or else data. */
export function quote6(cx: Ctx, body: View): void {
  if (body.length > 0 && u8(body.buf, body.off) >> 4 !== 6) cx.data(body);
  else quote(cx, body);
}

/** A prefix of which only the first octets are there, as an address. */
function shortPrefix(r: Reader, f: Field, n: number): void {
  const o = r.take(n);
  if (!r.t.wanted(f)) return;
  const whole = new Uint8Array(16);
  whole.set(r.v.buf.subarray(o, o + n));
  r.t.bytes(f, o, n, whole);
}

/** A prefix of 0, 8 or 16 octets, which is what is left. RFC 4191 §2.3, RFC 6775 §4.2 */
function optionalPrefix(r: Reader, f: Field): void {
  if (r.left === 8 || r.left === 16) shortPrefix(r, f, r.left);
}

/** RFC 4861 §4.6.2, RFC 6275 §7.2. */
function prefixInformation(r: Reader): void {
  r.u8(F.prefixLength);
  r.flags8(F.prefixFlags, F.onLink, F.autonomous, F.routerAddress, F.prefixReserved);
  r.u32(F.valid);
  r.u32(F.preferred);
  r.none(F.optionReserved, 4);
  r.bytes(F.prefix, 16);
}

/** RFC 4191 §2.3 */
function routeInformation(r: Reader): void {
  if (r.left > 22) r.t.expert(E.badOption);
  r.u8(F.prefixLength);
  r.flags8(F.routeFlags, F.routePreference, F.routeReserved);
  r.u32(F.routeLifetime);
  optionalPrefix(r, F.prefix);
}

/** RFC 6775 §4.2 */
function context(r: Reader): void {
  if (r.left > 22) r.t.expert(E.badOption);
  r.u8(X.contextLength);
  r.flags8(X.contextFlags, X.compression, X.contextId, X.contextReserved);
  r.none(F.optionReserved, 2);
  r.u16(X.contextLifetime);
  optionalPrefix(r, X.contextPrefix);
}

/** RFC 8106 §5.2: names in the uncompressed form of RFC 1035 §3.1, then zeros. */
function searchList(r: Reader): void {
  const { t, v } = r;
  r.none(F.optionReserved, 2);
  r.u32(F.dnsslLifetime);
  while (r.left > 0 && r.at < v.end && u8(v.buf, r.at) !== 0) {
    const { at } = r;
    const name = readName(v.buf, at, Math.min(r.end, v.end), at, Math.min(r.end, v.wireEnd));
    t.text(F.dnssl, r.take(name.end - at), name.end - at, name.text);
  }
  if (r.left > 0) r.none(F.padding, r.left);
}

/** Octets of a prefix by its length code. RFC 8781 §4 */
const PREFIX_OCTETS = [12, 8, 7, 6, 5, 4] as const;

/** RFC 8781 §4: the octets behind the prefix are passed over. */
function pref64(r: Reader): void {
  const { t, v } = r;
  const octets = r.left >= 2 && r.at + 2 <= v.end ? PREFIX_OCTETS[u16(v.buf, r.at) & 7] : undefined;
  if (octets === undefined) t.expert(E.badOption);
  const word = r.bits16(F.scaledLifetime);
  if (t.labels) t.label(`Scaled Lifetime: ${word >> 3} (${word & 0xfff8} s)`);
  t.bits(F.prefixCode, r.at - 2, 2, word);
  if (octets !== undefined) shortPrefix(r, F.pref64, octets);
  r.take(12 - (octets ?? 0));
}

/** The flags of a router advertisement that did not fit into its octet, RFC 5175 §4. */
function moreFlags(r: Reader): void {
  r.flags16(F.efo, F.efoM, F.efoO, F.efoH, F.efoPrf, F.efoP, F.efoReserved);
  r.none(F.optionReserved, 4);
}

/** RFC 8910 §2.3: padded with zeros. */
function portal(r: Reader): void {
  const n = r.left;
  const o = r.take(n);
  let stop = 0;
  while (stop < n && u8(r.v.buf, o + stop) !== 0) stop++;
  r.t.text(F.portal, o, stop);
}

/** Six octets are an address of Ethernet; eight and six of padding one of IEEE 802.15.4, RFC 4944 §8. */
function linkLayer(r: Reader, ether: Field, other: Field): void {
  const n = r.left;
  if (n === 14 && r.at + n <= r.v.end && isZero(r.v.buf, r.at + 8, r.at + n)) {
    r.t.bytes(F.eui64, r.at, 8);
    if (other === F.longSource) r.bytes(other, 8);
    else r.take(8);
    r.none(F.padding, 6);
  } else r.bytes(n === 6 ? ether : other, n);
}

function isZero(b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (b[i] !== 0) return false;
  return true;
}

/** The value of an option of RFC 4861, and of what routers say to hosts. */
const VALUES: Readonly<Record<number, (r: Reader, cx: Ctx) => void>> = {
  [OPTION.sourceLinkLayer]: (r) => linkLayer(r, F.source, F.longSource),
  [OPTION.targetLinkLayer]: (r) => linkLayer(r, F.target, F.longTarget),
  [OPTION.prefix]: prefixInformation,
  [OPTION.redirected](r, cx) {
    r.none(F.optionReserved, 6);
    const n = r.left;
    if (n === 0) return;
    const o = r.at;
    r.t.none(F.redirected, o, n);
    quote6(cx, r.v.sub(o, o + n));
    r.take(n);
  },
  [OPTION.mtu](r) {
    r.none(F.optionReserved, 2);
    r.u32(F.optionMtu);
  },
  // RFC 6275 §7.3
  [OPTION.advertisementInterval](r) {
    r.none(F.optionReserved, 2);
    r.u32(F.interval);
  },
  // RFC 6275 §7.4
  [OPTION.homeAgent](r) {
    r.none(F.optionReserved, 2);
    r.u16(F.homePreference);
    r.u16(F.homeLifetime);
  },
  // RFC 3971 §5.3.1: 48 bits of seconds, 16 of a fraction
  [OPTION.timestamp](r) {
    r.none(F.optionReserved, 6);
    const o = r.take(8);
    const b = r.v.buf;
    r.t.time(F.timestamp, o, 8, u48(b, o), Math.floor((u16(b, o + 6) * 1e9) / 65_536));
  },
  [OPTION.nonce]: (r) => r.bytes(F.nonce, r.left),
  [OPTION.route]: routeInformation,
  // RFC 8106 §5.1
  [OPTION.rdnss](r) {
    r.none(F.optionReserved, 2);
    r.u32(F.rdnssLifetime);
    while (r.left > 0) r.bytes(F.rdnss, 16);
  },
  [OPTION.flags]: moreFlags,
  [OPTION.dnssl]: searchList,
  [OPTION.context]: context,
  [OPTION.captivePortal]: portal,
  [OPTION.pref64]: pref64,
};

/** What stands behind the length of the option of `n` octets at `o`. */
function value(t: Tree, v: View, o: number, n: number, cx: Ctx): void {
  const kind = u8(v.buf, o);
  const r = new Reader(t, v, o + 2, o + n);
  const level = t.level;
  try {
    const read = VALUES[kind] ?? EXTENSIONS[kind];
    if (read !== undefined) read(r, cx);
    else {
      t.expert(E.undecoded, `Dissector for ICMPv6 Option (${kind}) code ${UNREAD}`);
      r.bytes(F.optionData, r.left);
    }
    if (r.left === 0) return;
    r.bytes(F.unknown, r.left);
    t.expert(E.unknown);
  } catch (e) {
    if (!(e instanceof Overrun)) throw e;
    if (r.end >= v.wireEnd) throw new Malformed('an option ends before what is in it');
    t.level = level;
    // tshark reads on in the option that follows, as if its octets belonged to this one.
    if (r.left > 0) r.bytes(F.optionData, r.left);
    t.expert(E.badOption);
  }
}

/** What the heading of an option says of its value; the octets of the option are there. */
function headingValue(b: Uint8Array, o: number, n: number): string {
  const kind = u8(b, o);
  if (kind === OPTION.sourceLinkLayer || kind === OPTION.targetLinkLayer)
    return ` : ${hex(b, o + 2, Math.min(n - 2, 6))}`;
  if (kind === OPTION.prefix && n >= 32) return ` : ${ip6(b, o + 16)}/${u8(b, o + 2)}`;
  if (kind === OPTION.mtu || kind === OPTION.advertisementInterval) return ` : ${u32(b, o + 4)}`;
  if (kind === OPTION.captivePortal) return ` ${printable(utf8Text(b, o + 2, o + n)).replace(/·+$/, '')}`;
  let s = '';
  if (kind === OPTION.rdnss) for (let i = o + 8; i + 16 <= o + n; i += 16) s += ` ${ip6(b, i)}`;
  return s;
}

/** The heading of an option, as `Prefix information : 2001:db8::/64`. */
const heading = (b: Uint8Array, o: number, n: number): string =>
  `ICMPv6 Option (${nameOf(OPTION_NAMES, u8(b, o))}${n > 0 ? headingValue(b, o, n) : ''})`;

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
    value(t, v, o, n, cx);
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
