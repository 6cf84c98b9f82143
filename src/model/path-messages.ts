import { CODES as CODES4 } from '../../dissectors/icmp-types.js';
import { CODES as CODES6 } from '../../dissectors/icmpv6/types.js';
import { nameOf, type Own, ofNumber, ours, quoted, type Words, words } from '../kit/index.js';
import type { Findings, Ref } from './findings.js';
import type { Seen } from './moment.js';

/** RFC 8200 §5: whoever tells of less is not believed (RFC 8201 §4). */
export const LEAST_MTU = 1280;
/** RFC 792: unreachable, time exceeded; RFC 4443: the same, and too big. */
const TYPES = { 4: { unreachable: 3, exceeded: 11 }, 6: { unreachable: 1, exceeded: 3 } } as const;
const CODE_TOO_BIG = 4;
const TYPE6_TOO_BIG = 2;
/** Codes by which somebody refuses: protocol, port, administratively prohibited, policy. RFC 1812 §5.2.7.1, RFC 4443 §3.1 */
const REFUSALS = { 4: [2, 3, 9, 10, 13], 6: [1, 4, 5, 6] } as const;

/** A message of ICMP whose quote is a segment of a connection. */
export interface PathMessage {
  readonly net: 4 | 6;
  readonly type: number;
  readonly code: number;
  /** The largest packet that fits, as it says; 0: it does not say. RFC 1191 §4, RFC 4443 §3.2 */
  readonly mtu: number;
  /** Who sent it. */
  readonly from: string;
}

interface Told extends PathMessage {
  readonly at: Seen;
}

/** The octets of a packet that `m` says are too many, 0 where it does not say how many; undefined: it says no such thing. */
export function limitOf({ net, type, code, mtu }: PathMessage): number | undefined {
  if (net === 6) return type === TYPE6_TOO_BIG && mtu >= LEAST_MTU ? mtu : undefined;
  return type === TYPES[4].unreachable && code === CODE_TOO_BIG ? mtu : undefined;
}

/** Whether it says that a packet did not arrive, whatever its size. */
export const isLoss = (m: PathMessage): boolean =>
  limitOf(m) === undefined && (m.type === TYPES[m.net].unreachable || m.type === TYPES[m.net].exceeded);

/** RFC 792, RFC 4443 §3.1: the host is there, and nobody listens on the port. */
export const isPort = ({ net, type, code }: PathMessage): boolean =>
  type === TYPES[net].unreachable && code === (net === 6 ? 4 : 3);

/** What it says, in the words of its code. */
export const reasonOf = ({ net, type, code }: PathMessage): Own =>
  ofNumber(code, (n) => nameOf((net === 6 ? CODES6 : CODES4)[type] ?? {}, n, `code ${n}`).toLowerCase());

/** What hosts and routers on the way say of one TCP connection. */
export class PathMessages {
  /** The smallest limit that each side was told of. */
  readonly limits: [Told | null, Told | null] = [null, null];
  /** The first that says that something did not arrive. */
  lost: Told | null = null;

  /** A message for `side` of the connection. */
  take(at: Seen, side: 0 | 1, m: PathMessage): void {
    const limit = limitOf(m);
    const known = this.limits[side];
    if (limit !== undefined) {
      if (known === null || limit < known.mtu) this.limits[side] = { ...m, at };
    } else if (isLoss(m)) this.lost ??= { ...m, at };
  }

  /** Whether somebody refuses the connection. */
  get isRefused(): boolean {
    const { lost } = this;
    if (lost === null || lost.type !== TYPES[lost.net].unreachable) return false;
    const codes: readonly number[] = REFUSALS[lost.net];
    return codes.includes(lost.code);
  }

  /** What the message says that something did not arrive; a sentence. */
  get words(): Words {
    const { lost } = this;
    if (lost === null) return words``;
    return words`${quoted('address', lost.from)} says: ${reasonOf(lost)}.`;
  }

  judge(about: readonly Ref[], nameOfSide: (side: 0 | 1) => 'UE' | 'EFTF', findings: Findings): void {
    for (const side of [0, 1] as const) {
      const m = this.limits[side];
      if (m === null) continue;
      const most = m.mtu > 0 ? ours`may have ${m.mtu} octets at most` : 'were too big';
      findings.raise('tunnel.path-mtu', m.at, about, {
        detail: words`${quoted('address', m.from)} told the ${nameOfSide(side)} that packets ${most}.`,
      });
    }
    if (this.lost !== null) findings.raise('tunnel.unreachable', this.lost.at, about, { detail: this.words });
  }
}
