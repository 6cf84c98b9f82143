import { type Ctx, experts, type Field, fields, nameOf, need, type Tree, u8, u16, u32, type View } from 'fttscope/kit';

/**
 * Options of the hop-by-hop and destination options headers, RFC 8200 §4.2. Pad1 is a single octet:
 *
 *     +--------+--------+------------+------- - - -
 *     | act chg|  type  | Length (1) |  data
 *     +--------+--------+------------+------- - - -
 */
const PAD1 = 0;
const PADN = 1;
const TUNNEL_LIMIT = 4;
const ROUTER_ALERT = 5;
const QUICK_START = 0x26;
const PATH_MTU = 0x30;
const JUMBO = 0xc2;
const HOME_ADDRESS = 0xc9;
const ILNP_NONCE = 0x8b;
const LINE_ID = 0x8c;

const TYPES: Readonly<Record<number, string>> = {
  [PAD1]: 'Pad1',
  [PADN]: 'PadN',
  [TUNNEL_LIMIT]: 'Tunnel Encapsulation Limit',
  [ROUTER_ALERT]: 'Router Alert',
  7: 'CALIPSO',
  8: 'SMF_DPD',
  15: 'Performance and Diagnostic Metrics',
  30: 'Experimental (0x1E)',
  [QUICK_START]: 'Quick-Start',
  [PATH_MTU]: 'Path MTU Option',
  49: 'IOAM Option',
  62: 'Experimental (0x3E)',
  65: 'Tunnel Payload Forwarding (TPF) Information',
  94: 'Experimental (0x5E)',
  99: 'RPL Option',
  109: 'MPL Option',
  126: 'Experimental (0x7E)',
  138: 'Endpoint Identification',
  [ILNP_NONCE]: 'ILNP Nonce',
  [LINE_ID]: 'Line-Identification Option',
  158: 'Experimental (0x9E)',
  190: 'Experimental (0xBE)',
  [JUMBO]: 'Jumbo Payload',
  [HOME_ADDRESS]: 'Home Address',
  222: 'Experimental (0xDE)',
  238: 'IP_DFF',
  254: 'Experimental (0xFE)',
};
const ACTIONS = {
  0: 'Skip and continue',
  1: 'Discard',
  2: 'Discard and send ICMP Parameter Problem',
  3: 'Discard and send ICMP if not multicast',
};
const ALERTS = { 0: 'MLD', 1: 'RSVP', 2: 'Active Network' };
/** Octets that the data of an option has, where that is laid down. */
const LENGTHS: Readonly<Record<number, number>> = {
  [TUNNEL_LIMIT]: 1,
  [ROUTER_ALERT]: 2,
  [QUICK_START]: 6,
  [PATH_MTU]: 4,
  [JUMBO]: 4,
  [HOME_ADDRESS]: 16,
};

export const F = fields({
  opt: { name: 'ipv6.opt', label: 'IPv6 Option', type: 'none' },
  type: { name: 'ipv6.opt.type', label: 'Type', type: 'u8', base: 'hex', values: TYPES },
  action: { name: 'ipv6.opt.type.action', label: 'Action', type: 'u8', mask: 0xc0, values: ACTIONS },
  change: {
    name: 'ipv6.opt.type.change',
    label: 'May Change',
    type: 'bool',
    mask: 0x20,
    values: { 0: 'No', 1: 'Yes' },
  },
  rest: { name: 'ipv6.opt.type.rest', label: 'Low-Order Bits', type: 'u8', base: 'hex', mask: 0x1f },
  optionLength: { name: 'ipv6.opt.length', label: 'Length', type: 'u8' },
  pad1: { name: 'ipv6.opt.pad1', label: 'Pad1', type: 'none' },
  padn: { name: 'ipv6.opt.padn', label: 'PadN', type: 'bytes', base: 'zero' },
  tel: { name: 'ipv6.opt.tel', label: 'Tunnel Encapsulation Limit', type: 'u8' },
  alert: { name: 'ipv6.opt.router_alert', label: 'Router Alert', type: 'u16', values: ALERTS },
  jumbo: { name: 'ipv6.opt.jumbo', label: 'Payload Length', type: 'u32' },
  home: {
    name: 'ipv6.opt.mipv6.home_address',
    label: 'MIPv6 Home Address',
    type: 'ipv6',
    aliases: ['ipv6.addr', 'ipv6.host'],
  },
  pmtuMin: { name: 'ipv6.opt.pmtu.min', label: 'Minimum Reported PMTU', type: 'u16' },
  pmtuReturn: { name: 'ipv6.opt.pmtu.rtn', label: 'Return Minimum PMTU', type: 'u16', mask: 0xfffe },
  pmtuFlag: { name: 'ipv6.opt.pmtu.r_flag', label: 'Return Flag', type: 'bool', mask: 0x0001 },
  ilnp: { name: 'ipv6.opt.ilnp_nonce', label: 'ILNP Nonce', type: 'bytes' },
  lineLength: { name: 'ipv6.opt.lio.length', label: 'LineIDLen', type: 'u8' },
  line: { name: 'ipv6.opt.lio.line_id', label: 'Line ID', type: 'string' },
  qsFunction: { name: 'ipv6.opt.qs_func', label: 'Function', type: 'u8', mask: 0xf0 },
  qsRate: { name: 'ipv6.opt.qs_rate', label: 'Rate', type: 'u8', mask: 0x0f },
  experimental: { name: 'ipv6.opt.experimental', label: 'Experimental Option', type: 'bytes' },
  unknown: { name: 'ipv6.opt.unknown', label: 'Unknown Option Payload', type: 'bytes' },
  undecoded: { name: 'ipv6.opt_unknown_data', label: 'Unknown Data', type: 'bytes' },
});

export const E = experts({
  badOption: {
    code: 'ipv6.bad-option-length',
    severity: 'error',
    malformed: true,
    message: 'Invalid IPv6 option length',
  },
  wrongHeader: {
    code: 'ipv6.option-in-wrong-header',
    severity: 'warn',
    message: 'Wrong options extension header for type',
  },
  jumboProhibited: {
    code: 'ipv6.jumbo-prohibited',
    severity: 'error',
    message: 'When IPv6 payload length does not equal 0 a Jumbo Payload option must not be present',
    clause: 'RFC 2675 §3',
  },
  unknown: { code: 'ipv6.unknown-option', severity: 'note', message: 'Unknown Data (not interpreted)' },
  jumboShort: {
    code: 'ipv6.jumbo-short',
    severity: 'error',
    message: 'Jumbo Payload option present and jumbo length < 65536',
    clause: 'RFC 2675 §3',
  },
});

/** Payload length of the header that carries `cx.net`'s addresses. */
const payloadLength = (cx: Ctx) => (cx.net.src >= 8 ? u16(cx.net.buf, cx.net.src - 4) : 0);

function jumbo(t: Tree, b: Uint8Array, o: number, cx: Ctx): void {
  const n = u32(b, o);
  t.num(F.jumbo, o, 4, n);
  if (payloadLength(cx) !== 0) t.expert(E.jumboProhibited);
  if (n < 65_536) t.expert(E.jumboShort);
}

function quickStart(t: Tree, b: Uint8Array, o: number, n: number): void {
  if (n < 1) return;
  t.bits(F.qsFunction, o, 1, u8(b, o));
  t.bits(F.qsRate, o, 1, u8(b, o));
  if (n > 1) t.bytes(F.undecoded, o + 1, n - 1);
}

/** Notices an option in the header of the two that it does not belong to. */
function misplaced(t: Tree, kind: number, hopByHop: boolean): void {
  const own = kind === ROUTER_ALERT || kind === JUMBO || kind === PATH_MTU || kind === QUICK_START;
  const others = kind === TUNNEL_LIMIT || kind === HOME_ADDRESS || kind === LINE_ID || kind === ILNP_NONCE;
  if (hopByHop ? others : own) {
    const where = hopByHop ? 'destination options' : 'hop-by-hop options';
    t.expert(E.wrongHeader, `${nameOf(TYPES, kind)} must use a ${where} header`);
  }
}

/** What stands behind the length of an option; where that is wrong, the data is still read as long as it should be. */
function data(t: Tree, v: View, o: number, cx: Ctx): void {
  const { buf } = v;
  const kind = u8(buf, o);
  const n = u8(buf, o + 1);
  const at = o + 2;
  need(v, kind === QUICK_START ? n : (LENGTHS[kind] ?? n), at);
  switch (kind) {
    case PADN:
      t.bytes(F.padn, at, n);
      break;
    case TUNNEL_LIMIT:
      t.num(F.tel, at, 1, u8(buf, at)); // RFC 2473 §4.1.1
      break;
    case ROUTER_ALERT:
      t.num(F.alert, at, 2, u16(buf, at)); // RFC 2711 §2.1
      break;
    case JUMBO:
      jumbo(t, buf, at, cx);
      break;
    case HOME_ADDRESS:
      t.bytes(F.home, at, 16); // RFC 6275 §6.3
      break;
    case PATH_MTU: // RFC 9268 §5
      t.num(F.pmtuMin, at, 2, u16(buf, at));
      t.num(F.pmtuReturn, at + 2, 2, u16(buf, at + 2) & 0xfffe);
      t.bits(F.pmtuFlag, at + 2, 2, u16(buf, at + 2));
      break;
    case ILNP_NONCE:
      t.bytes(F.ilnp, at, n);
      break;
    case QUICK_START:
      quickStart(t, buf, at, n);
      break;
    case LINE_ID:
      if (n > 0) t.num(F.lineLength, at, 1, u8(buf, at));
      if (n > 1) t.text(F.line, at + 1, Math.min(u8(buf, at), n - 1));
      break;
    default: {
      const f = unnamed(kind);
      t.bytes(f, at, n);
      if (f === F.unknown) t.expert(E.unknown);
    }
  }
}

/** In Wireshark's words, which are others for some options. */
const lengthOf = (kind: number): string => LENGTH_TEXTS[kind] ?? `${nameOf(TYPES, kind)}: Invalid length`;
const LENGTH_TEXTS: Readonly<Record<number, string>> = {
  [PATH_MTU]: 'PMTU Option: Invalid Length',
  [QUICK_START]: 'Quick-Start: Invalid Length',
  [ROUTER_ALERT]: 'Router alert: Invalid Length',
};

function unnamed(kind: number): Field {
  if ((kind & 0x1f) === 0x1e) return F.experimental; // RFC 4727 §3.5
  return TYPES[kind] === undefined ? F.unknown : F.undecoded;
}

/**
 * The options between `off` and `stop`, the end of their header. Returns the offset of a home address, or 0. An option that
 * is said to go on behind the header is read as far as it goes, as in tshark. `hopByHop`: which header it is.
 * @throws Short where an option goes past the packet `v`
 */
export function options(t: Tree, v: View, off: number, stop: number, cx: Ctx, hopByHop: boolean): number {
  const { buf } = v;
  let home = 0;
  for (let o = off; o < stop; ) {
    need(v, 1, o);
    const kind = u8(buf, o);
    if (kind !== PAD1) need(v, 2, o);
    const n = kind === PAD1 ? -1 : u8(buf, o + 1);
    t.open(F.opt, o, 2 + n, t.labels ? nameOf(TYPES, kind, `Unknown IPv6 Option (${kind})`) : undefined);
    t.num(F.type, o, 1, kind);
    t.push();
    t.bits(F.action, o, 1, kind);
    t.bits(F.change, o, 1, kind);
    t.bits(F.rest, o, 1, kind);
    t.pop();
    if (kind === PAD1) t.none(F.pad1, o, 1);
    else {
      t.num(F.optionLength, o + 1, 1, n);
      if (LENGTHS[kind] !== undefined && LENGTHS[kind] !== n) t.expert(E.badOption, `${lengthOf(kind)} (${n} bytes)`);
      misplaced(t, kind, hopByHop);
      data(t, v, o, cx);
      const more = kind === QUICK_START ? 0 : n - (LENGTHS[kind] ?? n);
      if (more > 0) {
        need(v, 2 + n, o);
        t.bytes(F.undecoded, o + 2 + n - more, more);
        t.expert(E.unknown);
      }
      if (kind === HOME_ADDRESS) home = o + 2;
    }
    t.pop();
    if (kind === PAD1) o++;
    else o += 2 + (kind === PATH_MTU ? n : Math.max(n, kind === QUICK_START ? 0 : (LENGTHS[kind] ?? 0)));
  }
  return home;
}
