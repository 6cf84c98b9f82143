import { type Ctx, No, u32, View, Yes } from 'fttscope/kit';
import { named } from './named.js';

/**
 * sFlow version 5: samples in a datagram, records in a sample, each behind its format and length. Of the records those that
 * hold the beginning of a packet are read, like a packet that an ICMP error quotes.
 */
const VERSIONS: ReadonlySet<number> = new Set([2, 4, 5]);
const WITH_RECORDS = 5;
/** Octets of an agent's address, by its type: IPv4, IPv6. */
const ADDRESSES: Readonly<Record<number, number>> = { 1: 4, 2: 16 };

/** Formats of samples of packets, and what stands in one before the number of its records. */
const SAMPLES: Readonly<Record<number, number>> = { 1: 28, 3: 40 };
/** Format of a record with a packet, and what stands in it before the packet. */
const RAW_HEADER = 1;
const RAW_PREFIX = 16;
/** What a packet begins with. */
const ETHERNET = 1;
const IPV4 = 11;
const IPV6 = 12;

/** Gives each part that stands behind its format and length. */
function each(v: View, from: number, count: number, take: (format: number, part: View) => void): void {
  let at = from;
  for (let i = 0; i < count && at + 8 <= v.end; i++) {
    const n = u32(v.buf, at + 4);
    take(u32(v.buf, at), v.sub(at + 8, at + 8 + n));
    at += 8 + n;
  }
}

/** Where the samples of a datagram are counted, or -1. */
function samplesAt({ buf, off, end }: View): number {
  const address = end - off < 8 || u32(buf, off) !== WITH_RECORDS ? undefined : ADDRESSES[u32(buf, off + 4)];
  const at = off + 8 + (address ?? 0) + 12;
  return address === undefined || at + 4 > end ? -1 : at;
}

/** Shows the packet that a record holds; what is known of the one around it is put back afterwards. */
function packet(record: View, cx: Ctx): void {
  const { buf, off, end } = record;
  if (end - off <= RAW_PREFIX) return;
  const { net, quoted, sport, dport } = cx;
  const at = off + RAW_PREFIX;
  const sampled = Math.min(end, at + u32(buf, off + 12));
  const v = new View(record.source, at, sampled, Math.max(sampled, at + u32(buf, off + 4)));
  cx.quoted = true;
  const kind = u32(buf, off);
  if (kind === ETHERNET) cx.call('eth', v);
  else if (kind === IPV4 || kind === IPV6) cx.next('ip.version', kind === IPV4 ? 4 : 6, v);
  Object.assign(cx, { net, quoted, sport, dport });
}

export const sflow = named({
  ...{ proto: 'sflow', title: 'InMon sFlow', short: 'sFlow', spec: 'sFlow version 5' },
  on: { 'udp.port': [6343] },
  tables: ['ip.version'],
  calls: ['eth'],
  probe: (b, off, end) => (end - off >= 4 && VERSIONS.has(u32(b, off)) ? Yes : No),
  inner(v, cx) {
    const at = samplesAt(v);
    if (at < 0) return;
    each(v, at + 4, u32(v.buf, at), (format, sample) => {
      const records = sample.off + (SAMPLES[format] ?? 0);
      if (SAMPLES[format] === undefined || records + 4 > sample.end) return;
      each(sample, records + 4, u32(v.buf, records), (kind, record) => {
        if (kind === RAW_HEADER) packet(record, cx);
      });
    });
  },
});
