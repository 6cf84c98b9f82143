import { dissectors } from '../../../dissectors/index.js';
import { engineFields } from '../../engine/dissect.js';
import { type Field, type FieldType, table } from '../../kit/index.js';
import { Exit, UserError } from '../errors.js';
import { Output } from '../output.js';

/** The types by the names that Wireshark has for them. */
const TYPES: Readonly<Record<FieldType, string>> = {
  protocol: 'FT_PROTOCOL',
  none: 'FT_NONE',
  bool: 'FT_BOOLEAN',
  u8: 'FT_UINT8',
  u16: 'FT_UINT16',
  u24: 'FT_UINT24',
  u32: 'FT_UINT32',
  u48: 'FT_UINT48',
  u64: 'FT_UINT64',
  i8: 'FT_INT8',
  i16: 'FT_INT16',
  i32: 'FT_INT32',
  i64: 'FT_INT64',
  float: 'FT_FLOAT',
  ipv4: 'FT_IPv4',
  ipv6: 'FT_IPv6',
  ether: 'FT_ETHER',
  string: 'FT_STRING',
  bytes: 'FT_BYTES',
  guid: 'FT_GUID',
  time: 'FT_ABSOLUTE_TIME',
  duration: 'FT_RELATIVE_TIME',
  frame: 'FT_FRAMENUM',
};

/** What `-G` can print, each a line of columns divided by tabs as tshark has it. */
const REPORTS = table<() => Iterable<string>>({
  fields: function* () {
    for (const d of dissectors) yield `P\t${d.title}\t${d.proto}`;
    for (const [f, name, proto] of named())
      yield `F\t${f.label}\t${name}\t${TYPES[f.type]}\t${proto}\t${baseOf(f)}\t0x${(f.mask ?? 0).toString(16)}\t`;
  },
  protocols: function* () {
    for (const d of dissectors) yield `${d.title}\t${d.short}\t${d.proto}`;
  },
  values: function* () {
    for (const [f, name] of named()) {
      const { values } = f;
      if (values === undefined || typeof values === 'function') continue; // names of ranges have no list
      if (f.type === 'bool') yield `T\t${name}\t${values[1] ?? 'True'}\t${values[0] ?? 'False'}`;
      else for (const value of Object.keys(values)) yield `V\t${name}\t${value}\t${values[Number(value)]}`;
    }
  },
});

/** Fields of all protocols and of the engine by each of their names, with the protocol that they belong to. */
function* named(): Iterable<readonly [Field, string, string]> {
  for (const d of dissectors)
    for (const f of Object.values(d.fields)) {
      if (f.type === 'protocol') continue;
      yield [f, f.name, d.proto];
      for (const alias of f.aliases ?? []) yield [f, alias, d.proto];
    }
  for (const f of Object.values(engineFields)) yield [f, f.name, f.name.replace(/\.[^.]*$/, '')];
}

/** How numbers are shown; of a flag the bits of the word that it stands in. */
function baseOf({ type, base, mask = 0 }: Field): string {
  if (type === 'bool') return mask === 0 ? '0' : mask > 0xffff || mask < 0 ? '32' : mask > 0xff ? '16' : '8';
  return /^[ui]\d/.test(type) ? `BASE_${(base === 'colon' ? 'dec' : (base ?? 'dec')).toUpperCase()}` : '';
}

/** `fttscope -G REPORT`: what tshark's option of this name prints. @throws UserError for a report that there is not */
export async function glossary(report: string): Promise<number> {
  const make = REPORTS[report];
  if (make === undefined)
    throw new UserError(
      `-G ${report}: there is no such report`,
      Exit.usage,
      `those are ${Object.keys(REPORTS).join(', ')}`,
    );
  const out = new Output();
  for (const line of make()) out.write(`${line}\n`);
  out.flush();
  return Exit.done;
}
