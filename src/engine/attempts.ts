import { EFTF_PORT } from '../../dissectors/ftt-ims.js';
import { hostAndPortText, quoted, u16, words } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Place, Severity } from '../model/entities.js';
import type { Findings } from '../model/findings.js';
import { type Arrival, type Moment, millis, type Seen } from '../model/moment.js';
import type { OtherAttempts } from '../model/other-attempts.js';
import { Flag, type TcpLife } from '../model/tcp-life.js';
import type { Working } from '../model/working.js';
import type { Packet } from './packet.js';
import { placeOf } from './tunnel-entity.js';

/** RFC 3261 §19.1.2. */
const SIP = 5060;
const SIPS = 5061;
/** RFC 6298 §2: the first SYN is repeated after a second, and then again: by then an answer would have come. */
const PATIENCE_MS = 3000;

/** Connections to port 443 that were asked for and have not been answered. */
export class Attempts {
  private readonly open = new Map<TcpLife, Place>();

  /** @param other takes what is tried beside tunnels: SIP to its own ports */
  constructor(private readonly other: OtherAttempts) {}

  /** A segment without payload, of a connection that is no tunnel yet. */
  segment(at: Arrival, packet: Packet, tcp: TcpLife, flags: number): void {
    if ((flags & (Flag.Syn | Flag.Rst)) === 0) return;
    const low = Math.min(u16(packet.transport!, packet.header), u16(packet.transport!, packet.header + 2));
    if (low === SIP || low === SIPS) this.direct(at, packet, flags);
    if ((flags & Flag.Syn) === 0) return;
    if ((flags & Flag.Ack) !== 0) this.open.delete(tcp);
    else if (u16(packet.transport!, packet.header + 2) === EFTF_PORT && !this.open.has(tcp)) {
      if (this.open.size >= LIMITS.transactions) {
        this.other.reached.capped('transactions');
        return;
      }
      const { b, bPort, a, aPort } = packet.flow!;
      const to = placeOf(packet.direction === 0 ? { address: b, port: bPort } : { address: a, port: aPort });
      this.open.set(tcp, to);
    }
  }

  /** SIP that goes to its own port, without a tunnel. */
  private direct(at: Arrival, packet: Packet, flags: number): void {
    const { a, aPort, b, bPort } = packet.flow!;
    const ends = [placeOf({ address: a, port: aPort }), placeOf({ address: b, port: bPort })] as const;
    const from = ends[packet.direction];
    const to = ends[packet.direction === 0 ? 1 : 0];
    if ((flags & (Flag.Syn | Flag.Ack)) === Flag.Syn) this.other.asked('sip', at, from.address, to);
    else this.other.told('sip', at, from, to.address, (flags & Flag.Rst) !== 0 ? 'refused' : 'answered');
  }

  /**
   * @param until when an answer to what was sent could be heard
   * @param working servers of tunnels that work
   */
  judge(until: (sent: Seen) => Moment, working: Working, findings: Findings): void {
    // The worst of them says how bad all are.
    const all = [...this.open].map(([tcp, to]) => ({ tcp, to, severity: this.severity(to, working) }));
    all.sort((a, b) => rank(b) - rank(a));
    for (const { tcp, to, severity } of all) {
      if (tcp.syn === null || tcp.synAck !== null || tcp.isAnswered) continue;
      const { told } = tcp;
      const said = told?.lost == null ? words`` : words` ${told.words}`;
      const remark = severity === undefined ? {} : { severity };
      const refusal =
        tcp.rst !== null && tcp.rst.side !== tcp.synSide ? tcp.rst : told?.isRefused ? told.lost!.at : null;
      if (refusal !== null)
        findings.raise('tcp.refused', refusal, [], {
          detail: words`The connection was to ${quoted('host', hostOf(to))}.${said}`,
          ...remark,
        });
      else if (tcp.synRepeats > 0 || millis(tcp.syn, until(tcp.syn)) >= PATIENCE_MS) {
        const tries = tcp.synRepeats + 1;
        findings.raise('tcp.no-answer', tcp.syn, [], {
          detail: words`${tries} SYN went to ${quoted('host', hostOf(to))}.${said}`,
          ...remark,
        });
      }
    }
  }

  private severity({ address }: Place, working: Working): Severity | undefined {
    return working.severity(address, this.other.names.nameFor(address));
  }
}

const rank = ({ severity }: { readonly severity: Severity | undefined }): number => Number(severity === 'warn');

const hostOf = ({ address, port }: Place): string => hostAndPortText(address, port);
