import type { Rows } from '../viewer/rows.js';

/** Rows that are looked at. */
const MOST = 200_000;
const LISTED = 5;

/** What a capture without tunnels holds, for a first look at it. */
export interface Overview {
  /** Rows that were looked at, the first; `isWhole`: they are all. */
  readonly rows: number;
  readonly isWhole: boolean;
  /** SIP messages. */
  readonly sip: number;
  readonly conversations: readonly { readonly between: string; readonly packets: number; readonly protocols: string }[];
}

/** What most packets of a capture are: for a capture without a tunnel. */
export function glanceOver(rows: Rows): Overview {
  const found = new Map<string, { packets: number; protocols: Set<string> }>();
  let sip = 0;
  const looked = Math.min(rows.count, MOST);
  for (let row = 0; row < looked; row++) {
    const [a, b, protocol] = [rows.source(row), rows.destination(row), rows.protocol(row)];
    if (protocol.startsWith('SIP')) sip++;
    const key = a < b ? `${a} ↔ ${b}` : `${b} ↔ ${a}`;
    let c = found.get(key);
    if (c === undefined) found.set(key, (c = { packets: 0, protocols: new Set() }));
    c.packets++;
    if (c.protocols.size < 4) c.protocols.add(protocol);
  }
  const conversations = [...found]
    .sort((a, b) => b[1].packets - a[1].packets)
    .slice(0, LISTED)
    .map(([between, c]) => ({ between, packets: c.packets, protocols: [...c.protocols].join(' ') }));
  return { rows: looked, isWhole: looked === rows.count, sip, conversations };
}
