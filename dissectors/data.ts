import { defineDissector, fields } from 'fttscope/kit';

/** Octets that no other dissector takes. */
const F = fields({
  data: { name: 'data', label: 'Data', type: 'protocol' },
  bytes: { name: 'data.data', label: 'Data', type: 'bytes' },
  len: { name: 'data.len', label: 'Length', type: 'u32' },
});

export const data = defineDissector({
  proto: 'data',
  title: 'Data',
  short: 'Data',
  spec: 'none',
  fields: F,
  on: { media_type: ['application/octet-stream'] },
  dissect(v, t) {
    t.open(F.data, v.off, v.length, t.labels ? `Data (${v.wireLength} octets)` : undefined);
    if (v.length > 0) t.bytes(F.bytes, v.off, v.length);
    t.num(F.len, v.off, 0, v.length);
    t.pop();
  },
});
