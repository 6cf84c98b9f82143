import { experts, type Field, fields, hexNumber, type Tree, u8, u16, u32, type View } from 'fttscope/kit';
import { MANY_NOPS, nopsWith } from './option-nops.js';

/**
 * Options of IPv4, RFC 791 §3.1. Types 0 and 1 are single octets, the others carry their length:
 *
 *     +------+-------+--------+- - - - - - -+----------+------ - - -
 *     | copy | class | number | Length (1)  | Pointer  |  data
 *     +------+-------+--------+- - - - - - -+----------+------ - - -
 */
const END = 0;
const NOP = 1;
const RECORD_ROUTE = 7;
const TIMESTAMP = 0x44;
const LOOSE_ROUTE = 0x83;
const SECURITY = 0x82;
const STREAM_ID = 0x88;
const STRICT_ROUTE = 0x89;
const ROUTER_ALERT = 0x94;

/** The least pointer of a route: behind type, length and pointer. RFC 791 §3.1. */
const FIRST_POINTER = 4;

const NUMBERS: Readonly<Record<number, string>> = {
  0: 'End of Option List (EOL)',
  1: 'No-Operation (NOP)',
  2: 'Security',
  3: 'Loose source route',
  4: 'Time stamp',
  5: 'Extended security',
  6: 'Commercial IP security option',
  7: 'Record route',
  8: 'Stream identifier',
  9: 'Strict source route',
  10: 'Experimental Measurement',
  11: 'MTU probe',
  12: 'MTU Reply',
  13: 'Experimental Flow Control',
  14: 'Experimental Access Control',
  15: 'Ask Estrin',
  16: 'IMI Traffic Descriptor',
  17: 'Extended Internet Protocol',
  18: 'Traceroute',
  19: 'Address Extension',
  20: 'Router Alert',
  21: 'Selective Directed Broadcast',
  23: 'Dynamic Packet State',
  24: 'Upstream Multicast Packet',
  25: 'Quick-Start',
  30: 'RFC 3692-style experiment',
};
const CLASSES = {
  0: 'Control',
  1: 'Reserved for future use',
  2: 'Debugging and measurement',
  3: 'Reserved for future use',
};
const FLAGS = { 0: 'Time stamps only', 1: 'Time stamp and address', 3: 'Time stamps for prespecified addresses' };
const ALERTS = (n: number) => (n === 0 ? 'Router shall examine packet' : 'Reserved'); // RFC 2113 §2.1

export const F = fields({
  type: { name: 'ip.opt.type', label: 'Type', type: 'u8' },
  copy: {
    name: 'ip.opt.type.copy',
    label: 'Copy on fragmentation',
    type: 'bool',
    mask: 0x80,
    values: { 0: 'No', 1: 'Yes' },
  },
  class: { name: 'ip.opt.type.class', label: 'Class', type: 'u8', mask: 0x60, values: CLASSES },
  number: { name: 'ip.opt.type.number', label: 'Number', type: 'u8', mask: 0x1f, values: NUMBERS },
  optionLength: { name: 'ip.opt.len', label: 'Length', type: 'u8' },
  ptr: { name: 'ip.opt.ptr', label: 'Pointer', type: 'u8' },
  sid: { name: 'ip.opt.sid', label: 'Stream Identifier', type: 'u16' },
  securityLevel: { name: 'ip.opt.sec_rfc791_sec', label: 'Security', type: 'u16', base: 'hex' },
  compartments: { name: 'ip.opt.sec_rfc791_comp', label: 'Compartments', type: 'u16' },
  alert: { name: 'ip.opt.ra', label: 'Router Alert', type: 'u16', values: ALERTS },
  recorded: { name: 'ip.rec_rt', label: 'Recorded Route', type: 'ipv4', aliases: ['ip.rec_rt_host'] },
  current: { name: 'ip.cur_rt', label: 'Current Route', type: 'ipv4', aliases: ['ip.cur_rt_host'] },
  source: { name: 'ip.src_rt', label: 'Source Route', type: 'ipv4', aliases: ['ip.src_rt_host'] },
  empty: { name: 'ip.empty_rt', label: 'Empty Route', type: 'ipv4', aliases: ['ip.empty_rt_host'] },
  overflow: { name: 'ip.opt.overflow', label: 'Overflow', type: 'u8', mask: 0xf0 },
  flag: { name: 'ip.opt.flag', label: 'Flag', type: 'u8', base: 'hex', mask: 0x0f, values: FLAGS },
  stamp: { name: 'ip.opt.time_stamp', label: 'Time stamp', type: 'u32', unit: 'ms' },
  stampAddress: { name: 'ip.opt.time_stamp_addr', label: 'Address', type: 'ipv4' },
});

const layer = (name: string, label: string) => ({ name: `ip.options.${name}`, label, type: 'protocol' }) as const;
/** A heading for each kind of option. */
export const H = fields({
  eol: layer('eol', 'IP Option - End of Options List (EOL)'),
  nop: layer('nop', 'IP Option - No-Operation (NOP)'),
  security: layer('security', 'IP Option - Security'),
  route: layer('route', 'IP Option - Loose Source Route'),
  timestamp: layer('timestamp', 'IP Option - Time Stamp'),
  recordRoute: layer('record_route', 'IP Option - Record Route'),
  streamId: layer('sid', 'IP Option - Stream ID'),
  strictRoute: layer('source_route', 'IP Option - Strict Source Route'),
  routerAlert: layer('routeralert', 'IP Option - Router Alert'),
  other: { name: 'ip.options.unknown', label: 'IP Option', type: 'protocol' },
});
const LAYERS: Readonly<Record<number, Field>> = {
  [END]: H.eol,
  [NOP]: H.nop,
  [SECURITY]: H.security,
  [LOOSE_ROUTE]: H.route,
  [TIMESTAMP]: H.timestamp,
  [RECORD_ROUTE]: H.recordRoute,
  [STREAM_ID]: H.streamId,
  [STRICT_ROUTE]: H.strictRoute,
  [ROUTER_ALERT]: H.routerAlert,
};

export const E = experts({
  badOption: { code: 'ip.bad-option-length', severity: 'warn', message: 'Invalid length for option' },
  beforeAddress: {
    code: 'ip.option-pointer-low',
    severity: 'warn',
    message: 'Pointer points before first address',
  },
  middleAddress: {
    code: 'ip.option-pointer-odd',
    severity: 'warn',
    message: 'Pointer points to middle of address',
  },
  nops: {
    code: 'ip.many-nops',
    severity: 'warn',
    message: '4 NOP in a row - a router may have removed some options',
  },
});

function type(t: Tree, b: Uint8Array, o: number): void {
  const n = u8(b, o);
  t.num(F.type, o, 1, n);
  t.push();
  t.bits(F.copy, o, 1, n);
  t.bits(F.class, o, 1, n);
  t.bits(F.number, o, 1, n);
  t.pop();
}

/**
 * Addresses from octet 4 of the option on; the pointer counts octets from 1. The last one of a source route is where the
 * packet goes in the end, until it is there. RFC 791 §3.1.
 */
function route(t: Tree, b: Uint8Array, o: number, n: number, dst: Field): void {
  if (n < 3) return;
  const ptr = u8(b, o + 2);
  t.num(F.ptr, o + 2, 1, ptr);
  if (ptr < FIRST_POINTER || (ptr & 3) !== 0) {
    t.expert(ptr < FIRST_POINTER ? E.beforeAddress : E.middleAddress);
    return;
  }
  const record = u8(b, o) === RECORD_ROUTE;
  for (let i = 3; i + 4 <= n; i += 4) {
    const ahead = record ? F.empty : i + 8 <= n ? F.source : dst;
    t.bytes(i + 1 < ptr ? F.recorded : ahead, o + i, 4);
  }
}

/**
 * Where the destination address of a header of `n` octets stands: its own, or the last of a source route on which it is
 * still under way. RFC 791 §3.1.
 */
export function destination(b: Uint8Array, off: number, n: number): number {
  const end = off + n;
  for (let o = off + 20; o < end && b[o] !== END; ) {
    const kind = b[o];
    const size = kind === NOP ? 1 : o + 1 < end ? b[o + 1] : 0;
    if (size === 0 || o + size > end) break;
    if ((kind === LOOSE_ROUTE || kind === STRICT_ROUTE) && size > FIRST_POINTER + 2) {
      const ptr = b[o + 2];
      const last = 3 + ((size - 7) & ~3);
      if (ptr >= FIRST_POINTER && (ptr & 3) === 0 && ptr <= last + 1) return o + last;
      break;
    }
    o += size;
  }
  return off + 16;
}

function timestamps(t: Tree, b: Uint8Array, o: number, n: number): void {
  if (n < 4) return;
  t.num(F.ptr, o + 2, 1, u8(b, o + 2));
  t.bits(F.overflow, o + 3, 1, u8(b, o + 3));
  t.bits(F.flag, o + 3, 1, u8(b, o + 3));
  const flag = u8(b, o + 3) & 15;
  const pairs = flag === 1 || flag === 3;
  for (let i = 4; i + (pairs ? 8 : 4) <= n; i += pairs ? 8 : 4) {
    if (pairs) t.bytes(F.stampAddress, o + i, 4);
    t.num(F.stamp, o + i + (pairs ? 4 : 0), 4, u32(b, o + i + (pairs ? 4 : 0)));
  }
}

/** What stands behind the length octet of an option of `n` octets. */
function body(t: Tree, b: Uint8Array, o: number, n: number, dst: Field): void {
  switch (u8(b, o)) {
    case RECORD_ROUTE:
    case LOOSE_ROUTE:
    case STRICT_ROUTE:
      route(t, b, o, n, dst);
      break;
    case TIMESTAMP:
      timestamps(t, b, o, n);
      break;
    case SECURITY:
      if (n >= 4) t.num(F.securityLevel, o + 2, 2, u16(b, o + 2)); // RFC 791 §3.1
      if (n >= 6) t.num(F.compartments, o + 4, 2, u16(b, o + 4));
      break;
    case STREAM_ID:
      if (n >= 4) t.num(F.sid, o + 2, 2, u16(b, o + 2)); // RFC 791 §3.1
      break;
    case ROUTER_ALERT:
      if (n >= 4) t.num(F.alert, o + 2, 2, u16(b, o + 2)); // RFC 2113 §2.1
      break;
  }
}

/** The options of a header; `v` holds them and their padding, `dst` is the field of a destination address. */
export function options(t: Tree, v: View, dst: Field): void {
  const { buf, end } = v;
  let nops = 0;
  for (let o = v.off; o < end; ) {
    const kind = u8(buf, o);
    const single = kind === END || kind === NOP;
    const n = single ? 1 : o + 1 < end ? u8(buf, o + 1) : 0;
    t.open(LAYERS[kind] ?? H.other, o, n);
    type(t, buf, o);
    if (kind === NOP) {
      nops = nopsWith(nops, o - v.off);
      if (nops === MANY_NOPS) t.expert(E.nops);
    }
    if (!single) {
      if (o + 1 < end) t.num(F.optionLength, o + 1, 1, n);
      if (n < 2 || o + n > end) {
        const name = LAYERS[kind] === undefined ? `Unknown (${hexNumber(kind, 2)})` : NUMBERS[kind & 31];
        const wrong = n < 2 ? 'with too-short' : `option length = ${n} bytes says option goes past end of options`;
        t.expert(E.badOption, `${name} (${n < 2 ? `${wrong} option length = ${n}` : wrong})`);
        t.pop();
        return;
      }
      body(t, buf, o, n, dst);
    }
    t.pop();
    if (kind === END) return;
    o += n;
  }
}
