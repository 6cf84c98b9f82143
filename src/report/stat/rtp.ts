import { UDP } from '../../../dissectors/numbers.js';
import type { MediaNote } from '../../../dissectors/sdp/index.js';
import { staticPayloadType } from '../../../dissectors/sdp/index.js';
import type { Row } from '../../engine/row.js';
import type { UdpState } from '../../engine/scope.js';
import type { Field } from '../../kit/index.js';
import { fieldText } from '../value.js';
import { firstNode, named, type StatContext, type Statistic } from './statistic.js';

/** How tshark calls payload types in this table. */
const SHORT_NAMES: Readonly<Record<number, string>> = {
  0: 'g711U',
  3: 'GSM',
  4: 'g723',
  5: 'DVI4 8k',
  6: 'DVI4 16k',
  8: 'g711A',
  9: 'g722',
  13: 'CN',
  14: 'MPEG-I/II Audio',
  15: 'g728',
  16: 'DVI4 11k',
  17: 'DVI4 22k',
  18: 'g729',
  19: 'CN(old)',
  26: 'JPEG',
  31: 'h261',
  32: 'MPEG-I/II Video',
  33: 'MPEG-II streams',
  34: 'h263',
};

const WRAP = 0x10000;

/** A spread of values: the least, the mean and the largest. */
class Spread {
  private count = 0;
  private sum = 0;
  least = 0;
  largest = 0;

  add(value: number): void {
    this.least = this.count === 0 ? value : Math.min(this.least, value);
    this.largest = this.count === 0 ? value : Math.max(this.largest, value);
    this.sum += value;
    this.count++;
  }
  get mean(): number {
    return this.count === 0 ? 0 : this.sum / this.count;
  }
}

/** What a packet says. */
interface Packet {
  readonly ms: number;
  readonly sequence: number;
  readonly timestamp: number;
  readonly type: number;
  readonly clock: number;
  readonly name: string;
}

/** One source that sends from one end to another. */
class Stream {
  packets = 0;
  readonly names: string[] = [];
  readonly delta = new Spread();
  readonly jitter = new Spread();
  problem = false;
  private readonly start: number;
  private readonly firstSequence: number;
  private lastSequence: number;
  private cycles = 0;
  private under = false;
  private before: Packet;
  private smoothed = 0;

  constructor(
    readonly source: string,
    readonly sport: number,
    readonly destination: string,
    readonly dport: number,
    readonly ssrc: number,
    first: Packet,
  ) {
    this.start = first.ms;
    this.firstSequence = this.lastSequence = first.sequence;
    this.before = first;
    this.packets = 1;
    this.names.push(first.name);
  }

  get startMs(): number {
    return this.start;
  }
  get endMs(): number {
    return this.before.ms;
  }
  /** Numbers that were sent, as far as the first and the last tell. */
  get expected(): number {
    return this.cycles * WRAP + this.lastSequence - this.firstSequence + 1;
  }

  add(p: Packet): void {
    const { before } = this;
    if (!this.names.includes(p.name)) this.names.push(p.name);
    this.turn(p.sequence);
    if (((p.sequence - before.sequence) & 0xffff) !== 1) this.problem = true;
    this.lastSequence = p.sequence;
    this.packets++;
    const delta = p.ms - before.ms;
    this.delta.add(delta);
    if (p.clock > 0) {
      const sent = (((p.timestamp - before.timestamp) | 0) * 1000) / p.clock;
      this.smoothed += (Math.abs(delta - sent) - this.smoothed) / 16; // RFC 3550 §6.4.1
      this.jitter.add(this.smoothed);
    }
    this.before = p;
  }

  /** Follows sequence numbers around: they begin anew once they are below the first. */
  private turn(sequence: number): void {
    const wraps = sequence < this.firstSequence || (sequence === 0 && this.lastSequence === WRAP - 1);
    if (wraps && !this.under) {
      this.cycles++;
      this.under = true;
    } else if (sequence > this.firstSequence) this.under = false;
  }
}

/** `rtp,streams`: each stream with its loss, the time between packets and their jitter. */
export class RtpStreams implements Statistic {
  readonly asked: string;
  readonly fields: readonly Field[];
  private readonly streams = new Map<string, Stream>();

  constructor(cx: StatContext) {
    this.asked = cx.asked;
    const names = ['ip.src', 'ip.dst', 'ipv6.src', 'ipv6.dst', 'udp.srcport', 'udp.dstport'];
    const rtp = ['rtp.p_type', 'rtp.seq', 'rtp.timestamp', 'rtp.ssrc'];
    this.fields = named(cx.registry, 'fttims', 'icmp', 'icmpv6', ...names, ...rtp);
  }

  take(row: Row): void {
    const t = row.dissection.tree;
    let source = '';
    let destination = '';
    let sport = 0;
    let dport = 0;
    let type = 0;
    let sequence = 0;
    let timestamp = 0;
    for (let i = firstNode(row, t); i < t.length; i++) {
      const { name } = t.field(i);
      if (name === 'icmp' || name === 'icmpv6') return; // what they quote was counted when it was sent
      if (name === 'ip.src' || name === 'ipv6.src') source = fieldText(t, i);
      else if (name === 'ip.dst' || name === 'ipv6.dst') destination = fieldText(t, i);
      else if (name === 'udp.srcport') sport = t.number[i];
      else if (name === 'udp.dstport') dport = t.number[i];
      else if (name === 'rtp.p_type') type = t.number[i];
      else if (name === 'rtp.seq') sequence = t.number[i];
      else if (name === 'rtp.timestamp') timestamp = t.number[i];
      else if (name === 'rtp.ssrc') {
        const ssrc = t.number[i];
        const [seconds, nanos] = row.relative;
        const p = { ms: seconds * 1000 + nanos / 1e6, sequence, timestamp, type, ...codecOf(row, type) };
        const key = `${source} ${sport} ${destination} ${dport} ${ssrc}`;
        const known = this.streams.get(key);
        if (known === undefined) this.streams.set(key, new Stream(source, sport, destination, dport, ssrc, p));
        else known.add(p);
      }
    }
  }

  text(): string {
    const line = (cells: readonly string[]): string => cells.map((c, i) => c.padStart(COLUMNS[i][1])).join(' ');
    const rows = [...this.streams.values()].reverse().map((s) => {
      const lost = s.expected - s.packets;
      const percent = s.expected === 0 ? 0 : (100 * lost) / s.expected;
      const spreads = [s.delta, s.jitter].flatMap((x) => [x.least, x.mean, x.largest].map((v) => v.toFixed(3)));
      return line([
        (s.startMs / 1000).toFixed(6),
        (s.endMs / 1000).toFixed(6),
        s.source,
        String(s.sport),
        s.destination,
        String(s.dport),
        `0x${s.ssrc.toString(16).toUpperCase().padStart(8, '0')}`,
        s.names.join(', '),
        String(s.packets),
        `${String(lost).padStart(5)} (${percent.toFixed(1)}%)`,
        ...spreads,
        s.problem ? 'X' : '',
      ]);
    });
    const head = line(COLUMNS.map(([name]) => name));
    return `${`${'='.repeat(25)} RTP Streams ${'='.repeat(24)}`}\n${[head, ...rows].join('\n')}\n${'='.repeat(62)}\n`;
  }

  json(): object {
    const streams = [...this.streams.values()].map((s) => ({
      source: { address: s.source, port: s.sport },
      destination: { address: s.destination, port: s.dport },
      ssrc: `0x${s.ssrc.toString(16).padStart(8, '0')}`,
      payloads: s.names,
      startMs: rounded(s.startMs),
      endMs: rounded(s.endMs),
      packets: s.packets,
      lost: s.expected - s.packets,
      deltaMs: spread(s.delta),
      jitterMs: spread(s.jitter),
      problem: s.problem,
    }));
    return { statistic: this.asked, streams };
  }
}

const COLUMNS: readonly (readonly [name: string, cells: number])[] = [
  ['Start time', 13],
  ['End time', 13],
  ['Src IP addr', 15],
  ['Port', 5],
  ['Dest IP addr', 15],
  ['Port', 5],
  ['SSRC', 10],
  ['Payload', 16],
  ['Pkts', 5],
  ['Lost', 12],
  ['Min Delta(ms)', 15],
  ['Mean Delta(ms)', 15],
  ['Max Delta(ms)', 15],
  ['Min Jitter(ms)', 15],
  ['Mean Jitter(ms)', 15],
  ['Max Jitter(ms)', 15],
  ['Problems?', 0],
];

const rounded = (n: number): number => Math.round(n * 1000) / 1000;
const spread = (s: Spread): object => ({ min: rounded(s.least), mean: rounded(s.mean), max: rounded(s.largest) });

/** Name and clock of a payload type: as SDP said, else as it is assigned (RFC 3551 §6). */
function codecOf(row: Row, type: number): { name: string; clock: number } {
  const packet = row.content ?? row.outer;
  const state = packet.state as UdpState | null;
  const note =
    packet.protocol === UDP ? (state?.expectations[packet.direction]?.note as MediaNote | undefined) : undefined;
  const agreed = note?.payloadTypes?.get(type);
  if (agreed !== undefined && SHORT_NAMES[type] === undefined) return agreed;
  return { name: SHORT_NAMES[type] ?? `RTPType-${type}`, clock: staticPayloadType(type)?.clock ?? agreed?.clock ?? 0 };
}
