import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { FieldCatalogue, RowView } from '../../src/filter/index.js';
import { type Field, type FieldDef, type FieldType, fields, Tree } from '../../src/kit/index.js';

/** Rows as tshark dissects them, for filters to be run on: trees made of its PDML. */
export interface TsharkRows {
  readonly catalogue: FieldCatalogue;
  readonly rows: readonly RowView[];
}

const TYPES: Readonly<Record<string, FieldType>> = {
  ...{ FT_UINT8: 'u8', FT_UINT16: 'u16', FT_UINT24: 'u24', FT_UINT32: 'u32', FT_UINT48: 'u48', FT_UINT64: 'u64' },
  ...{ FT_INT8: 'i8', FT_INT16: 'i16', FT_INT32: 'i32', FT_INT64: 'i64', FT_DOUBLE: 'float', FT_FLOAT: 'float' },
  ...{ FT_IPv4: 'ipv4', FT_IPv6: 'ipv6', FT_ETHER: 'ether', FT_STRING: 'string', FT_STRINGZ: 'string' },
  ...{ FT_UINT_STRING: 'string', FT_BYTES: 'bytes', FT_UINT_BYTES: 'bytes', FT_GUID: 'guid', FT_NONE: 'none' },
  ...{ FT_ABSOLUTE_TIME: 'time', FT_RELATIVE_TIME: 'duration', FT_FRAMENUM: 'frame', FT_BOOLEAN: 'bool' },
  ...{ FT_CHAR: 'u8', protocol: 'protocol' },
};

const run = (args: readonly string[]): string =>
  execFileSync('tshark', args, {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, TZ: 'UTC' },
  });

/** How many frames of a capture tshark shows for each filter; one run for all. */
export function tsharkCounts(capture: string, filters: readonly string[]): Map<string, number> {
  const out = run(['-n', '-q', '-r', capture, ...filters.flatMap((f) => ['-z', `io,phs,${f}`])]);
  const counts = new Map<string, number>();
  for (const m of out.matchAll(/^Filter: (.*)\n\n(?:\S+ +frames:(\d+))?/gm)) counts.set(m[1], Number(m[2] ?? 0));
  return counts;
}

/** Dissects a pcap file (little-endian) with tshark. */
export function tsharkRows(capture: string): TsharkRows {
  const types = new Map<string, string>();
  for (const line of run(['-G', 'fields']).split('\n')) {
    const [kind, , name, type] = line.split('\t');
    if (kind === 'F') types.set(name, type);
    if (kind === 'P') types.set(name, 'protocol');
  }
  const names = valueNames();
  const pdml = run(['-n', '-r', capture, '-T', 'pdml']);
  const used = new Set<string>();
  for (const m of pdml.matchAll(/<(?:proto|field) name="([^"]+)"/g)) if (types.has(m[1])) used.add(m[1]);
  const defs: Record<string, FieldDef> = {};
  for (const name of used) {
    const values = names.get(name);
    const type = TYPES[types.get(name)!] ?? 'bytes';
    defs[name] = { name, label: name, type, ...(values ? { values } : {}) };
  }
  const known: Record<string, Field> = fields(defs);
  const protocols = [...used].filter((n) => defs[n].type === 'protocol');
  const frames = pcapFrames(capture);
  const packets = pdml.split('<packet>').slice(1);
  return {
    catalogue: { byName: (n) => (known[n] ? [known[n]] : []), names: () => used, protocols: () => protocols },
    rows: packets.map((p, i) => row(p, frames[i], known)),
  };
}

function valueNames(): Map<string, Record<number, string>> {
  const out = new Map<string, Record<number, string>>();
  for (const line of run(['-G', 'values']).split('\n')) {
    const [kind, name, value, text] = line.split('\t');
    if (kind !== 'V') continue;
    let table = out.get(name);
    if (table === undefined) out.set(name, (table = {}));
    table[Number(value)] ??= text;
  }
  return out;
}

function pcapFrames(capture: string): Uint8Array[] {
  const b = readFileSync(capture);
  const out: Uint8Array[] = [];
  for (let at = 24; at + 16 <= b.length; ) {
    const n = b.readUInt32LE(at + 8);
    out.push(b.subarray(at + 16, at + 16 + n));
    at += 16 + n;
  }
  return out;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#x27': "'" };
const decode = (s: string): string => s.replace(/&([\w#]+);/g, (all, e: string) => ENTITIES[e] ?? all);

function row(packet: string, frame: Uint8Array, known: Record<string, Field>): RowView {
  const tree = new Tree();
  tree.enter({ name: 'Frame', buf: frame, start: 0, end: frame.length });
  tree.layerEnd = frame.length;
  for (const m of packet.matchAll(/<(proto|field) ([^>]*?)\/?>/g)) {
    const at = Object.fromEntries([...m[2].matchAll(/(\w+)="([^"]*)"/g)].map((a) => [a[1], decode(a[2])]));
    const f = known[at.name];
    if (f === undefined) continue;
    node(tree, f, Number(at.pos), Number(at.size), at.show ?? '');
  }
  return { tree, nodeless: [] };
}

function node(t: Tree, f: Field, off: number, len: number, show: string): void {
  switch (f.type) {
    case 'protocol':
    case 'none':
      t.open(f, off, len);
      t.pop();
      break;
    case 'string':
      t.text(f, off, len, show);
      break;
    case 'bytes':
    case 'ipv4':
    case 'ipv6':
    case 'ether':
    case 'guid':
      t.bytes(f, off, len);
      break;
    case 'time':
    case 'duration': {
      const [seconds, nanos] = show.split('.');
      const absolute = f.type === 'time' ? Date.parse(`${show.replace(/\.\d+/, '')}`) / 1000 : Number(seconds);
      t.time(f, off, len, absolute, Number((nanos ?? '').slice(0, 9)));
      break;
    }
    case 'u64':
    case 'i64':
      t.big(f, off, len, BigInt(show));
      break;
    default:
      t.num(f, off, len, show === 'True' ? 1 : show === 'False' ? 0 : Number(show));
  }
}
