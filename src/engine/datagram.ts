import { type AnyDissector, No, type Peek, Yes } from '../kit/index.js';
import type { Registry } from './registry.js';
import type { UdpState } from './scope.js';

/**
 * Says what a datagram is that nobody announced: by its ports, the lower one first, and else by its octets.
 */
export class DatagramFinder {
  /** Dissectors that may recognise a datagram on any port, in the order of the list of protocols. */
  private readonly probes: readonly AnyDissector[];
  /** Those of them that take whatever follows. */
  private readonly takers: ReadonlySet<AnyDissector>;
  /** Those of them that matter, or that take what others would; null: all do. */
  private readonly mattering: readonly AnyDissector[] | null;

  /**
   * @param first asked before all others: Wireshark's heuristics of RTP come before those of RTCP
   * @param matters whether it makes a difference that a datagram is for this dissector, and not for nobody
   */
  constructor(
    private readonly registry: Registry,
    private readonly first: AnyDissector | undefined,
    matters?: (d: AnyDissector) => boolean,
  ) {
    this.probes = [...registry.table('udp.heuristic')].filter((d) => d.probe !== undefined);
    this.takers = new Set(this.probes.filter(takesAll));
    this.mattering = matters === undefined ? null : this.probes.filter((d) => matters(d) || this.takers.has(d));
  }

  /** Who reads the payload at which `p` stands. `state`: of its flow. */
  find(p: Peek, state: UdpState): AnyDissector | null {
    state.named ??= this.named(p.sport, p.dport);
    const { named } = state;
    if (state.isMedia && this.first?.probe?.(p.buf, p.off, p.end, false, p.wireEnd) === Yes) return this.first;
    for (let i = 0; i < named.length; i++) if (fits(named[i], p) || this.isAssigned(named[i], p)) return named[i];
    if (state.settled?.probe?.(p.buf, p.off, p.end, true, p.wireEnd) === Yes) return state.settled;
    if (this.first?.probe?.(p.buf, p.off, p.end, false, p.wireEnd) === Yes) {
      state.isMedia = named.length > 0;
      return this.first;
    }
    if (state.recognised !== null && this.takers.has(state.recognised)) return state.recognised;
    // Those before may take what one that matters would take.
    if (this.mattering !== null && recognising(this.mattering, p, state) === null) return null;
    const d = recognising(this.probes, p, state);
    if (d !== null) state.recognised = d;
    return d;
  }

  /** Whether a user said that the port is of this protocol, and the octets can be of it. */
  private isAssigned(d: AnyDissector, p: Peek): boolean {
    return this.registry.assigned.has(d) && d.refuses?.(p.buf, p.off, p.end) === false;
  }

  /** Who the ports name, the lower one first: who does not fit leaves it to the other. The ports of a flow are asked for once. */
  private named(sport: number, dport: number): readonly AnyDissector[] {
    const low = this.registry.lookup('udp.port', Math.min(sport, dport));
    const high = this.registry.lookup('udp.port', Math.max(sport, dport));
    if (low !== undefined && high !== undefined && low !== high) return [low, high];
    const one = low ?? high;
    return one === undefined ? NOBODY : [one];
  }
}

const NOBODY: readonly AnyDissector[] = [];

const NOTHING = new Uint8Array(0);

/** Whether whatever comes between two endpoints is of a protocol once it was recognised, as Wireshark takes it for QUIC. */
const takesAll = (d: AnyDissector): boolean => d.probe!(NOTHING, 0, 0, true) === Yes;

/** The first that recognises a datagram. */
function recognising(probes: readonly AnyDissector[], p: Peek, { recognised }: UdpState): AnyDissector | null {
  for (const d of probes) if (d.probe!(p.buf, p.off, p.end, recognised === d, p.wireEnd) === Yes) return d;
  return null;
}

/** Whether a datagram may be what its port says: where octets were cut off, it is also while that is undecided. */
function fits(d: AnyDissector, p: Peek): boolean {
  const found = d.probe === undefined ? Yes : d.probe(p.buf, p.off, p.end, false, p.wireEnd);
  return found === Yes || (found !== No && p.end < p.wireEnd);
}
