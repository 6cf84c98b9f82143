/** Where fields lie in the octets of a frame, ours beside tshark's: PDML says it of each. */

import { PdmlWriter } from '../../src/report/pdml.js';
import { file, rawPcap } from '../cli/run.js';
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
  {
    fields: /^ip\.(dst|dst_host|host|cur_rt|cur_rt_host)$/,
    why: 'of a source route tshark takes the last for the destination',
  },
  { fields: /^udp\.checksum\.status$/, why: 'of a checksum of 0 tshark gives it the place of the checksum' },
  { fields: /^dhcp\.vendor\.suboption$/, why: 'of tshark it is the code alone' },
  { fields: /^dhcp\.option\.vi\.tr111\.suboption$/, why: 'tshark is an octet behind from the second on' },
  { fields: /^icmpv6\.opt\.captive_portal$/, why: 'of tshark with the padding' },
  { fields: /^tcp\.options\.tfo\.request$/, why: 'no octets; of the experiment tshark gives it those before' },
  { fields: /^rtp\.ext\.rfc5285\.appbits$/, why: 'tshark adds where the extension begins twice' },
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

/** The same of packets that begin with IP. */
export const comparePlacesIn = (packets: readonly Uint8Array[], options: RowsOptions = {}): Promise<Compared> =>
  comparePlaces(file('places.pcap', rawPcap(...packets)), options);

/** Compares the places of fields that both have equally often in a frame of a capture. */
export async function comparePlaces(path: string, options: RowsOptions = {}): Promise<Compared> {
  const decodeAs = (options.decodeAs ?? []).flatMap((rule) => ['-d', rule]);
  const [, ...theirs] = (await tshark(['-n', '-r', path, ...decodeAs, '-T', 'pdml'])).split('<packet>');
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
