import { defineDissector, experts, fields, hexNumber, need, type Peek, u16, u32 } from 'fttscope/kit';
import { PADDING } from './ethernet.js';
import { ETHERTYPES } from './numbers.js';
import { peekTag, tagPayload } from './vlan.js';

/**
 * Arista Vendor Specific Protocol: the time at which a switch took a frame, which it writes into frames that it mirrors
 * (Arista EOS, "Tap aggregation: ingress header time-stamping"):
 *
 *     +--------------+-------------+------------------+-----------------+---------------+
 *     | Sub type (2) | Version (2) | Seconds (4 or 2) | Nanoseconds (4) | EtherType (2) |
 *     +--------------+-------------+------------------+-----------------+---------------+
 *
 * The version says how wide the seconds are, and whether they are of TAI or UTC.
 */
const HEADER = 4;
const TIMESTAMP = 1;
const TYPES = { 1: 'timestamp' };
const VERSIONS: Readonly<Record<number, string>> = {
  16: '64 bit, TAI',
  32: '48 bit, TAI',
  272: '64 bit, UTC',
  288: '48 bit, UTC',
};
/** Bits of the version that tell the width. */
const WIDTH = 0xff;
const WIDE = 0x10;

const F = fields({
  avsp: { name: 'avsp', label: 'Arista Vendor Specific Protocol', type: 'protocol' },
  type: { name: 'avsp.sub_type', label: 'Sub Type', type: 'u16', values: TYPES },
  version: { name: 'avsp.ver', label: 'Version', type: 'u16', base: 'hex', values: VERSIONS },
  wide: { name: 'avsp.64ts', label: 'Timestamp', type: 'none' },
  wideSeconds: { name: 'avsp.64sec', label: 'Seconds', type: 'u32' },
  wideNanos: { name: 'avsp.64ns', label: 'Nanoseconds', type: 'u32' },
  narrow: { name: 'avsp.48ts', label: 'Timestamp', type: 'none' },
  narrowSeconds: { name: 'avsp.48sec', label: 'Seconds', type: 'u16' },
  narrowNanos: { name: 'avsp.48ns', label: 'Nanoseconds', type: 'u32' },
  etype: { name: 'avsp.etype', label: 'Type', type: 'u16', base: 'hex', values: ETHERTYPES },
  trailer: { name: 'avsp.trailer', label: 'Trailer', type: 'bytes' },
});

const E = experts({
  version: { code: 'avsp.unknown-version', severity: 'warn', message: 'Unknown timestamp version' },
});

/** Octets of the whole header, or 0 where it is not known what it looks like. */
function headerLength(b: Uint8Array, off: number): number {
  if (u16(b, off) !== TIMESTAMP || VERSIONS[u16(b, off + 2)] === undefined) return 0;
  return (u16(b, off + 2) & WIDTH) === WIDE ? HEADER + 10 : HEADER + 8;
}

export const avsp = defineDissector({
  proto: 'avsp',
  title: 'Arista Vendor Specific Protocol',
  short: 'AVSP',
  spec: 'Arista EOS',
  fields: { ...F, ...PADDING },
  experts: E,
  on: { ethertype: [0xd28b] },
  tables: ['ethertype', 'eth.llc'],

  peek(p: Peek) {
    const n = p.end - p.off < HEADER ? 0 : headerLength(p.buf, p.off);
    if (n === 0) p.stop();
    else peekTag(p, n);
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.avsp, off, Math.min(v.length, HEADER));
    need(v, HEADER);
    t.num(F.type, off, 2, u16(buf, off));
    t.num(F.version, off + 2, 2, u16(buf, off + 2));
    const n = headerLength(buf, off);
    if (n === 0) {
      if (u16(buf, off) === TIMESTAMP)
        t.expert(E.version, `Unknown timestamp version: ${hexNumber(u16(buf, off + 2), 0)}`);
      t.pop();
      return cx.data(v.sub(off + HEADER));
    }
    need(v, n);
    const wide = n === HEADER + 10;
    t.open(wide ? F.wide : F.narrow, off + HEADER, n - HEADER - 2);
    t.num(wide ? F.wideSeconds : F.narrowSeconds, off + 4, wide ? 4 : 2, wide ? u32(buf, off + 4) : u16(buf, off + 4));
    t.num(wide ? F.wideNanos : F.narrowNanos, off + n - 6, 4, u32(buf, off + n - 6));
    t.pop();
    t.num(F.etype, off + n - 2, 2, u16(buf, off + n - 2));
    tagPayload(v, t, cx, off + n, F.trailer);
  },

  summary: ({ length }) => (length < HEADER ? 'Header cut short' : 'Timestamp of a switch'),
});
