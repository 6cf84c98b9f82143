/** Where fields lie in the octets of a frame, ours beside tshark's: PDML says it of each. */
import { PdmlWriter } from '../../src/report/pdml.js';
import { forRows, type RowsOptions } from './rows.js';
import { tshark } from './tshark.js';

/** `pos+size` of each field of a frame by name, in the order of the tree; '' where it has no octets. */
type Places = Map<string, string[]>;

/** Fields that lie elsewhere in tshark, and why. */
const KNOWN: readonly { readonly fields: RegExp; readonly why: string }[] = [
  { fields: /^amr\.reserved\.not_zero$/, why: 'an expert item, which tshark gives no place' },
  { fields: /^sip\.contact\.parameter$/, why: 'tshark takes the end of the line for part of the last parameter' },
  { fields: /^ipv6$/, why: 'of tshark it covers extension headers, which are layers' },
  { fields: /^icmp(v6)?$/, why: 'of tshark it covers the packet that is quoted, which is layers' },
  { fields: /^http$/, why: 'of tshark it covers all that runs behind a CONNECT' },
  { fields: /^ip(v6)?\.(fragments?|reassembled\.data)$/, why: 'in octets that were put together of several frames' },
];

function placesOf(packet: string): Places {
  const places: Places = new Map();
  for (const [, name, rest] of packet.matchAll(/<(?:field|proto) name="([^"]+)"([^>]*)>/g)) {
    const { pos, size } = Object.fromEntries([...rest!.matchAll(/(\w+)="([^"]*)"/g)].map(([, k, v]) => [k, v]));
    if (!places.has(name!)) places.set(name!, []);
    if (pos !== undefined) places.get(name!)!.push(size === '0' ? '' : `${pos}+${size}`);
  }
  return places;
}

export interface Compared {
  /** Names of the fields that were found in the same octets. */
  readonly same: ReadonlySet<string>;
  /** `frame, field: tshark's places, ours`. */
  readonly different: readonly string[];
}

/** Compares the places of fields that both have equally often in a frame of a capture. */
export async function comparePlaces(path: string, options: RowsOptions = {}): Promise<Compared> {
  const [, ...theirs] = (await tshark(['-n', '-r', path, '-T', 'pdml'])).split('<packet>');
  const same = new Set<string>();
  const different: string[] = [];
  const writer = new PdmlWriter(null, null, '', '');
  await forRows(path, { ...options, labels: true, rows: 'outer' }, (row) => {
    const there = placesOf(theirs[row.frame - 1]!);
    for (const [name, list] of placesOf(writer.row(row))) {
      const tsharks = there.get(name);
      if (tsharks?.length !== list.length || KNOWN.some((k) => k.fields.test(name))) continue;
      if (list.join() !== tsharks.join()) different.push(`${row.frame}, ${name}: tshark ${tsharks}, ours ${list}`);
      else if (list.some((place) => place !== '')) same.add(name);
    }
  });
  return { same, different };
}
