import { addressText, append, type Field, type Tree } from '../kit/index.js';
import type { CallEntity, FindingEntity, MediaEntity, TunnelEntity } from '../model/entities.js';
import { isBefore, type Moment } from '../model/moment.js';
import { lossOf } from '../model/quality.js';
import { engineFields, hindsightFields as F, FINDING_SEVERITIES } from './engine-fields.js';
import type { Registry } from './registry.js';
import type { Row } from './row.js';

/** Where hindsight adds to what was known before. */
const MORE: readonly Field[] = [engineFields.code, engineFields.findingSeverity];

/** Those of the fields of which hindsight tells. */
export const hindsightAmong = (asked: Iterable<Field>): Field[] =>
  [...asked].filter((f) => f.atEnd === true || MORE.includes(f));

/** What is to be known, as a report lists it. */
export interface Lists {
  readonly tunnels: Iterable<TunnelEntity>;
  readonly calls: Iterable<CallEntity>;
  readonly media: Iterable<MediaEntity>;
  readonly findings: Iterable<FindingEntity>;
}

type Value = string | number | boolean | undefined;
/** Fields with their values, those that somebody wants. */
type Facts = readonly (readonly [Field, string | number])[];

const tunnelFacts = (t: TunnelEntity): [Field, Value][] => [
  [F.tunnelState, t.state],
  [F.tunnelReleasedBy, t.release.by],
  [F.tunnelRelease, t.release.how],
];

const callFacts = (c: CallEntity): [Field, Value][] => [
  [F.call, c.id],
  [F.callState, c.state],
  [F.callDirection, c.direction],
  [F.callStatus, c.failure?.status],
  [F.callEmergency, c.emergency],
  [F.callPdd, c.pddMs],
  [F.callSetup, c.setupMs],
  [F.callDuration, c.durationMs],
  [F.callReleasedBy, c.releasedBy],
];

const mediaFacts = (m: MediaEntity): [Field, Value][] => [
  [F.media, m.id],
  [F.codec, m.codec],
  [F.lost, lossOf(m).lost],
  [F.loss, lossOf(m).percent],
  [F.burst, m.bursts.longest],
  [F.jitter, m.jitterMs?.mean],
  [F.jitterMax, m.jitterMs?.max],
  [F.mos, m.mos?.value],
];

interface Stream {
  readonly tunnel: number;
  readonly start: Moment;
  readonly end: Moment;
  readonly call: number;
  readonly facts: Facts;
}

/** What a tree says of whom its row belongs to. */
interface Marks {
  callId: string;
  /** Frame of the session description that announced its media; 0: none. */
  setup: number;
  /** Addresses, ports and SSRC of an RTP packet; '': it is none. */
  stream: string;
}

/**
 * What was known of each row when everything was read: the tunnel, the call, the stream that it belongs to, what was
 * found about it. Rows are found by what their trees say (Call-ID, setup frame, addresses, SSRC), so that it does not
 * matter which of them are asked for, and in which order.
 */
export class Hindsight {
  /** Fields that trees must have so that rows are found. */
  readonly basis: readonly Field[];
  private readonly tunnels = new Map<number, Facts>();
  private readonly calls = new Map<number, Facts>();
  private readonly byCallId = new Map<string, Facts>();
  /** By the frames of their messages. */
  private readonly bySetup = new Map<string, Facts>();
  private readonly streams = new Map<string, Stream[]>();
  private readonly findings = new Map<string, { code: string; severity: number }[]>();
  private readonly role = new Map<Field, Role>();

  /** @param wanted fields that somebody asks for; of others nothing is kept */
  constructor(lists: Lists, wanted: Iterable<Field>, registry: Pick<Registry, 'byName'>) {
    const asked = new Set(wanted);
    const factsOf = (facts: readonly [Field, Value][]): Facts =>
      facts.flatMap(([f, v]) =>
        v === undefined || !asked.has(f) ? [] : [[f, typeof v === 'boolean' ? Number(v) : v]],
      );
    const any = (of: Iterable<Field>): boolean => [...of].some((f) => asked.has(f));
    const some = (prefix: string): boolean => any(Object.values(F).filter((f) => f.name.startsWith(prefix)));
    if (some('tunnel.'))
      for (const t of lists.tunnels) for (const id of numbersOf(t)) this.tunnels.set(id, factsOf(tunnelFacts(t)));
    if (some('call.')) for (const c of lists.calls) this.call(c, factsOf(callFacts(c)));
    if (some('call.') || some('media.')) for (const m of lists.media) this.stream(m, factsOf(mediaFacts(m)));
    if (any(MORE)) for (const f of lists.findings) this.finding(f);
    if (this.byCallId.size > 0 || this.streams.size > 0)
      for (const [name, role] of Object.entries(ROLES))
        for (const f of registry.byName(name)) if (f.name === name) this.role.set(f, role);
    this.basis = [...this.role.keys()];
  }

  private call(c: CallEntity, facts: Facts): void {
    this.calls.set(c.id, facts);
    this.byCallId.set(c.callId, facts);
    for (const { row } of c.messages) this.bySetup.set(frameOf(row), facts);
  }

  private stream(m: MediaEntity, facts: Facts): void {
    const { source, destination, start, end, tunnel = 0, call = 0 } = m;
    const key = streamKey(source.address, source.port, destination.address, destination.port, Number(m.ssrc));
    append(this.streams, key, { tunnel, start, end, call, facts });
  }

  private finding({ code, severity, rows }: FindingEntity): void {
    for (const row of rows) append(this.findings, row, { code, severity: FINDING_SEVERITIES[severity] });
  }

  /** Adds to the tree of a row what is known of it. */
  add(row: Row): void {
    const { tree } = row.dissection;
    if (row.tunnel !== null) put(tree, this.tunnels.get(row.tunnel.id));
    if (this.role.size > 0) this.addCall(row, tree);
    if (this.findings.size === 0) return;
    const own = this.findings.get(row.id) ?? [];
    // What was found about a frame stands in its first row.
    const found = row.inner === 1 ? [...own, ...(this.findings.get(frameOf(row.id)) ?? [])] : own;
    if (found.length === 0) return;
    const known = [...row.codes()];
    for (const { code, severity } of found) {
      if (known.includes(code)) continue;
      known.push(code);
      tree.text(engineFields.code, 0, 0, code);
      tree.num(engineFields.findingSeverity, 0, 0, severity);
    }
  }

  private addCall(row: Row, tree: Tree): void {
    const { callId, setup, stream: key } = this.marks(tree);
    const stream = key === '' ? undefined : streamOf(this.streams.get(key) ?? [], row);
    const file = row.severalFiles ? `${row.file}:` : '';
    const call =
      this.byCallId.get(callId) ??
      (stream === undefined ? undefined : this.calls.get(stream.call)) ??
      (setup === 0 ? undefined : this.bySetup.get(`${file}${setup}`));
    put(tree, call);
    put(tree, stream?.facts);
  }

  /** Innermost layers stand last; what an ICMP message quotes was another packet. */
  private marks(t: Tree): Marks {
    const out: Marks = { callId: '', setup: 0, stream: '' };
    let [source, destination, sport, dport, ssrc] = [-1, -1, 0, 0, -1];
    for (let i = 0; i < t.length; i++) {
      switch (this.role.get(t.field(i))) {
        case 'quote':
          return out;
        case 'source':
          source = i;
          break;
        case 'destination':
          destination = i;
          break;
        case 'sport':
          sport = t.number[i];
          break;
        case 'dport':
          dport = t.number[i];
          break;
        case 'ssrc':
          ssrc = t.number[i];
          break;
        case 'call-id':
          out.callId = String(t.value(i));
          break;
        case 'setup':
          out.setup = t.number[i];
      }
    }
    if (ssrc >= 0 && source >= 0 && destination >= 0)
      out.stream = streamKey(addressText(t.octets(source)), sport, addressText(t.octets(destination)), dport, ssrc);
    return out;
  }
}

/** Who a field helps to find. */
type Role = 'source' | 'destination' | 'sport' | 'dport' | 'ssrc' | 'call-id' | 'setup' | 'quote';
const ROLES: Readonly<Record<string, Role>> = {
  ...{ 'ip.src': 'source', 'ipv6.src': 'source', 'ip.dst': 'destination', 'ipv6.dst': 'destination' },
  ...{ 'udp.srcport': 'sport', 'udp.dstport': 'dport', 'rtp.ssrc': 'ssrc' },
  ...{ 'sip.Call-ID': 'call-id', 'rtp.setup-frame': 'setup', 'rtcp.setup-frame': 'setup' },
  ...{ icmp: 'quote', icmpv6: 'quote' },
};

const streamKey = (source: string, sport: number, destination: string, dport: number, ssrc: number): string =>
  `${source} ${sport} ${destination} ${dport} ${ssrc}`;

/** The numbers that rows of a tunnel carry: of all its legs. */
const numbersOf = ({ id, legs }: TunnelEntity): Set<number> => new Set([id, ...legs.map((l) => l.tunnel)]);

/** `2:812` of row `2:812.1`. */
const frameOf = (row: string): string => row.replace(/\.\d+$/, '');

/** Ends may be used again: the stream of that time, in the tunnel of the row where there are several. */
function streamOf(same: readonly Stream[], { seconds, nanos, tunnel }: Row): Stream | undefined {
  const at = { seconds, nanos };
  const then = same.filter((s) => !isBefore(at, s.start) && !isBefore(s.end, at));
  return then.find((s) => s.tunnel === (tunnel?.id ?? 0)) ?? then[0];
}

function put(t: Tree, facts: Facts | undefined): void {
  if (facts === undefined) return;
  for (const [f, value] of facts)
    if (typeof value === 'string') t.text(f, 0, 0, value);
    else t.num(f, 0, 0, value);
}
