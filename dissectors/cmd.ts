import { type Dissector, defineDissector, fields, need, type Peek, u8, u16 } from 'fttscope/kit';
import { ETHERTYPES } from './numbers.js';

/**
 * Cisco MetaData: the security group tag of a frame between its header and its payload. Behind GRE the EtherType of the
 * payload stands first, behind an EtherType last:
 *
 *     +- - - - - - - -+---------+---------+-------------+--------------------+- - - - - - - -+
 *     | EtherType (2) | Version | Length  | Options (2) | Security group tag | EtherType (2) |
 *     +- - - - - - - -+---------+---------+-------------+--------------------+- - - - - - - -+
 */
const HEADER = 8;

const F = fields({
  cmd: { name: 'cmd', label: 'Cisco MetaData', type: 'protocol' },
  version: { name: 'cmd.version', label: 'Version', type: 'u8' },
  length: { name: 'cmd.length', label: 'Length', type: 'u8' },
  options: { name: 'cmd.options', label: 'Options', type: 'u16', base: 'hex' },
  sgt: { name: 'cmd.sgt', label: 'SGT', type: 'u16' },
  type: { name: 'cmd.type', label: 'Type', type: 'u16', base: 'hex', values: ETHERTYPES },
});

/** @param table of EtherTypes; @param typeAt where the EtherType is; @param at where the rest is */
const metadata = (proto: string, on: Dissector['on'], table: string, typeAt: number, at: number): Dissector =>
  defineDissector({
    proto,
    layer: 'cmd',
    title: 'Cisco MetaData',
    short: 'CMD',
    spec: 'none',
    fields: F,
    on: on!,
    tables: [table],
    peek(p: Peek) {
      if (p.end - p.off <= HEADER) return p.stop();
      p.key = u16(p.buf, p.off + typeAt);
      p.off += HEADER;
      p.table = table;
    },
    dissect(v, t, cx) {
      need(v, HEADER);
      const { buf, off } = v;
      const type = u16(buf, off + typeAt);
      t.open(F.cmd, off, HEADER);
      if (typeAt === 0) t.num(F.type, off, 2, type);
      t.num(F.version, off + at, 1, u8(buf, off + at));
      t.num(F.length, off + at + 1, 1, u8(buf, off + at + 1));
      t.num(F.options, off + at + 2, 2, u16(buf, off + at + 2));
      t.num(F.sgt, off + at + 4, 2, u16(buf, off + at + 4));
      if (typeAt > 0) t.num(F.type, off + typeAt, 2, type);
      t.pop();
      if (v.length > HEADER) cx.next(table, type, v.sub(off + HEADER));
    },
    summary: (v) => (v.length < HEADER ? 'Header cut short' : `SGT ${u16(v.buf, v.off + at + 4)}`),
  });

/** Cisco MetaData behind an EtherType, and behind a GRE header. */
export const cmd = metadata('cmd', { ethertype: [0x8909] }, 'ethertype', 6, 0);
export const cmdInGre = metadata('cmd.gre', { 'gre.proto': [0x8909] }, 'ethertype.bare', 0, 2);
