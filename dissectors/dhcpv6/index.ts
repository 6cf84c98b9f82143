import { defineDissector, hex, ip6, need, type Tree, u16, u24, type View } from 'fttscope/kit';
import { E } from './experts.js';
import { F } from './fields.js';
import { CLIENT_HEADER, codec, type Dhcpv6Message, isRelay, RELAY_HEADER } from './message.js';
import { type Around, options } from './options.js';
import { MESSAGE_TYPES } from './values.js';

/**
 * Dynamic Host Configuration Protocol for IPv6, RFC 9915 §8 (client and server) and §9 (relay agents):
 *
 *     0               1               2               3
 *     +---------------+---------------+---------------+---------------+
 *     |   msg-type    |               transaction-id                  |
 *     +---------------+---------------+---------------+---------------+
 *     |   options: code (2), length (2), octets …                     |
 *
 *     +---------------+---------------+-------------------------------+
 *     |   msg-type    |   hop-count   |   link-address (16 octets)    |
 *     +---------------+---------------+-------------------------------+
 *     |   peer-address (16 octets)    |   options …                   |
 */
const HOP_LIMIT = 32;
const RELAY_MESSAGE = 9;
const CLIENT_ID = 1;
const IA_ADDRESS = 5;

export * from './message.js';

export const dhcpv6 = defineDissector<Dhcpv6Message>({
  proto: 'dhcpv6',
  title: 'DHCPv6',
  short: 'DHCPv6',
  spec: 'RFC 9915',
  fields: F,
  experts: E,
  on: { 'udp.port': [546, 547] },

  dissect(v, t, cx) {
    message(v, t, 0, cx.stream === true);
  },

  summary(v) {
    const parts: string[] = [];
    describe(v, parts, 0);
    return parts.map((p) => `${p} `).join('');
  },

  codec,
});

function message(v: View, t: Tree, depth: number, stream: boolean): void {
  const { buf, off } = v;
  if (depth > HOP_LIMIT) {
    t.expert(E.tooDeep);
    return;
  }
  need(v, 1);
  const type = buf[off];
  t.open(F.dhcpv6, off, v.length);
  t.num(F.msgtype, off, 1, type);
  const around: Around = { v, type, depth, stream, message };
  if (isRelay(type)) {
    relay(v, t);
    options(t, around, off + RELAY_HEADER, v.end);
  } else {
    need(v, CLIENT_HEADER);
    t.num(F.xid, off + 1, 3, u24(buf, off + 1));
    options(t, around, off + CLIENT_HEADER, v.end);
  }
  t.pop();
}

function relay(v: View, t: Tree): void {
  need(v, 2);
  const hops = v.buf[v.off + 1];
  t.num(F.hopcount, v.off + 1, 1, hops);
  if (hops > HOP_LIMIT)
    t.expert(E.hopCount, `Hopcount (${hops}) exceeds the maximum limit HOP_COUNT_LIMIT (${HOP_LIMIT})`);
  const inner = innermostFault(v, hops);
  if (inner !== '') t.expert(E.hopCount, inner);
  need(v, 18);
  t.bytes(F.linkaddr, v.off + 2, 16);
  need(v, RELAY_HEADER);
  t.bytes(F.peeraddr, v.off + 18, 16);
}

/** What is wrong with the hop count beside that of the message inside; '' for nothing. */
function innermostFault(v: View, hops: number): string {
  let inner = -1;
  eachOption(v, v.off + RELAY_HEADER, v.end, (code, off) => {
    if (code === RELAY_MESSAGE) inner = off;
  });
  if (inner < 0 || inner + 2 > v.end) return '';
  const type = v.buf[inner];
  if (!isRelay(type)) return hops === 0 ? '' : `Hopcount of most inner message has to equal 0 instead of ${hops}`;
  const below = v.buf[inner + 1];
  return hops === below + 1 ? '' : `hop-count is not equal to its previous hop-count plus one (${hops}, ${below})`;
}

function eachOption(v: View, off: number, end: number, seen: (code: number, off: number, end: number) => void): void {
  let at = off;
  while (at + 4 <= end && at + 4 + u16(v.buf, at + 2) <= end) {
    const stop = at + 4 + u16(v.buf, at + 2);
    seen(u16(v.buf, at), at + 4, stop);
    at = stop;
  }
}

/** The words of the Info column: type, transaction, client identifier, addresses, and the same of what a relay carries. */
function describe(v: View, parts: string[], depth: number): void {
  if (v.length < 1 || depth > HOP_LIMIT) return;
  const type = v.buf[v.off];
  parts.push(MESSAGE_TYPES[type] ?? `Message Type ${type}`);
  const header = isRelay(type) ? RELAY_HEADER : CLIENT_HEADER;
  if (v.length < header) return;
  if (isRelay(type)) parts.push(`L: ${ip6(v.buf, v.off + 2)}`);
  else
    parts.push(
      `XID: 0x${u24(v.buf, v.off + 1)
        .toString(16)
        .padStart(6, '0')}`,
    );
  describeOptions(v, v.off + header, v.end, parts, depth);
}

/** Where the options inside an option begin: identity associations and their members. */
const INSIDE: Readonly<Record<number, number>> = { 3: 12, 4: 4, 5: 24, 25: 12, 26: 25 };

function describeOptions(v: View, off: number, end: number, parts: string[], depth: number): void {
  eachOption(v, off, end, (code, from, to) => {
    if (code === CLIENT_ID) parts.push(`CID: ${hex(v.buf, from, to - from, '')}`);
    else if (code === IA_ADDRESS && to - from >= 24) parts.push(`IAA: ${ip6(v.buf, from)}`);
    else if (code === RELAY_MESSAGE) describe(v.sub(from, to), parts, depth + 1);
    const inside = INSIDE[code];
    if (inside !== undefined && from + inside <= to) describeOptions(v, from + inside, to, parts, depth);
  });
}
