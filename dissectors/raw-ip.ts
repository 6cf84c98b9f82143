import { defineDissector, fields, need, type Peek } from 'fttscope/kit';

/**
 * Raw IP, LINKTYPE_RAW (www.tcpdump.org/linktypes.html): the frame is an IPv4 or IPv6 packet, as the first four bits
 * say. LINKTYPE_IPV4 and LINKTYPE_IPV6 need no layer of their own.
 */
const F = fields({ raw: { name: 'raw', label: 'Raw packet data', type: 'protocol' } });

export const rawIp = defineDissector({
  proto: 'raw',
  title: 'Raw packet data',
  short: 'Raw',
  spec: 'LINKTYPE_RAW',
  fields: F,
  on: { link: [101, 12, 14] },
  tables: ['ip.version'],

  peek(p: Peek) {
    if (p.end - p.off < 1) return p.stop();
    p.key = p.buf[p.off] >> 4;
    p.table = 'ip.version';
  },

  dissect(v, t, cx) {
    need(v, 1);
    t.none(F.raw, v.off, v.length);
    cx.next('ip.version', v.buf[v.off] >> 4, v);
  },

  summary: (v) => (v.length === 0 ? 'Empty frame' : `IP version ${v.buf[v.off] >> 4}`),
});
