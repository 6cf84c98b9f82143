import { defineDissector, fields, need, type Peek, u8, u16, u32 } from 'fttscope/kit';

/**
 * IPNET of Solaris, between zones of a machine too, LINKTYPE_IPNET (www.tcpdump.org/linktypes.html, dipopts_t of snoop):
 *
 *     +---------+------------+---------------+------------+-----------------+-----------+-----------------+----------+
 *     | Version | Family (1) | Hook type (2) | Length (4) | Interface (4)   | Group (4) | Source zone (4) | Dest (4) |
 *     +---------+------------+---------------+------------+-----------------+-----------+-----------------+----------+
 */
const HEADER = 24;
const FAMILIES: Readonly<Record<number, string>> = { 2: 'Solaris AF_INET', 26: 'Solaris AF_INET6' };
const VERSIONS: Readonly<Record<number, number>> = { 2: 4, 26: 6 };
const HOOKS = { 0: 'Inbound', 1: 'Outbound', 2: 'Local' };

const F = fields({
  ipnet: { name: 'ipnet', label: 'Solaris IPNET', type: 'protocol' },
  version: { name: 'ipnet.version', label: 'Header version', type: 'u8' },
  family: { name: 'ipnet.family', label: 'Address family', type: 'u8', values: FAMILIES },
  hook: { name: 'ipnet.htype', label: 'Hook type', type: 'u16', values: HOOKS },
  length: { name: 'ipnet.pktlen', label: 'Data length', type: 'u32', unit: 'octets' },
  ifindex: { name: 'ipnet.ifindex', label: 'Interface index', type: 'u32' },
  group: { name: 'ipnet.grifindex', label: 'Group interface index', type: 'u32' },
  source: { name: 'ipnet.zsrc', label: 'Source Zone ID', type: 'u32' },
  destination: { name: 'ipnet.zdst', label: 'Destination Zone ID', type: 'u32' },
});
const WORDS = [F.length, F.ifindex, F.group, F.source, F.destination];

export const ipnet = defineDissector({
  proto: 'ipnet',
  title: 'Solaris IPNET',
  short: 'IPNET',
  spec: 'LINKTYPE_IPNET',
  fields: F,
  on: { link: [226] },
  tables: ['ip.version'],

  peek(p: Peek) {
    const version = VERSIONS[p.buf[p.off + 1]];
    if (p.end - p.off < HEADER || version === undefined) return p.stop();
    p.wireEnd = Math.min(p.wireEnd, p.off + HEADER + u32(p.buf, p.off + 4));
    p.end = Math.min(p.end, p.wireEnd);
    p.off += HEADER;
    p.table = 'ip.version';
    p.key = version;
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.ipnet, off, Math.min(v.length, HEADER));
    need(v, 4);
    t.num(F.version, off, 1, u8(buf, off));
    t.num(F.family, off + 1, 1, u8(buf, off + 1));
    t.num(F.hook, off + 2, 2, u16(buf, off + 2));
    need(v, HEADER);
    WORDS.forEach((f, i) => {
      t.num(f, off + 4 + 4 * i, 4, u32(buf, off + 4 + 4 * i));
    });
    t.pop();
    const version = VERSIONS[u8(buf, off + 1)];
    const end = off + HEADER + u32(buf, off + 4);
    if (version !== undefined) cx.next('ip.version', version, v.sub(off + HEADER, end));
  },

  summary: ({ buf, off, length }) =>
    length < HEADER
      ? 'Header cut short'
      : `Interface ${u32(buf, off + 8)}, zone ${u32(buf, off + 16)} to ${u32(buf, off + 20)}`,
});
