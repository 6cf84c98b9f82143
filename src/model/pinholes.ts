import { LIMITS, type ReachedLimits } from '../limits.js';
import type { Pinhole, PinholeSide } from './entities.js';
import type { SessionMedia } from './session-media.js';

/** What both sides of a call agreed to last, medium by medium, and the packets that flowed there. RFC 3264 §6 */
export class Pinholes {
  private sides: { caller?: readonly SessionMedia[]; callee?: readonly SessionMedia[] } = {};
  /** What a side had before its last offer inside a dialog, until that is answered or refused. */
  private before: { caller?: readonly SessionMedia[] | undefined; callee?: readonly SessionMedia[] | undefined } = {};
  /** What the forks of a call described, by their tags, until one of them answers. */
  private forks: Map<string, readonly SessionMedia[]> | null = null;
  private settled: string | undefined;
  /** Packets by where they went: `address port`. */
  private flowed: Map<string, number> | null = null;

  /** @param reached is told of forks that do not fit */
  constructor(private readonly reached: ReachedLimits) {}

  /**
   * @param tag of the callee's side of the dialog; '' in none
   * @param offer inside a dialog, which may be refused
   */
  described(by: 'caller' | 'callee', media: readonly SessionMedia[], tag: string, offer: boolean): void {
    if (this.settled !== undefined && tag !== '' && tag !== this.settled) return;
    this.before[by] = offer ? this.sides[by] : undefined;
    this.sides[by] = media;
    if (by !== 'callee' || this.settled !== undefined) return;
    this.forks ??= new Map();
    if (this.forks.size < LIMITS.callParts || this.forks.has(tag)) this.forks.set(tag, media);
    else this.reached.capped('callParts');
  }

  /** The last offer of a side was refused. */
  withdraw(by: 'caller' | 'callee'): void {
    const before = this.before[by];
    if (before !== undefined) this.sides[by] = before;
    this.before[by] = undefined;
  }

  /** The dialog with this tag was answered. */
  settle(tag: string): void {
    if (this.settled !== undefined) return;
    const callee = this.forks?.get(tag);
    if (callee !== undefined) this.sides = { ...this.sides, callee };
    this.settled = tag;
    this.forks = null;
  }

  /** So many packets went to an endpoint. */
  flow(address: string, port: number, packets: number): void {
    const key = `${address} ${port}`;
    this.flowed ??= new Map();
    this.flowed.set(key, (this.flowed.get(key) ?? 0) + packets);
  }

  get list(): Pinhole[] {
    const { caller = [], callee = [] } = this.sides;
    const packets = (h: SessionMedia | undefined): number =>
      h === undefined || h.port === 0 ? 0 : (this.flowed?.get(`${h.address} ${h.port}`) ?? 0);
    // The n-th medium of an answer answers the n-th of the offer.
    return Array.from({ length: Math.max(caller.length, callee.length) }, (_, i): Pinhole => {
      const [a, b] = [caller[i], callee[i]];
      const both = a !== undefined && b !== undefined;
      return {
        kind: (a ?? b).kind,
        ...(a !== undefined && { caller: sideOf(a) }),
        ...(b !== undefined && { callee: sideOf(b) }),
        codecs: both ? a.codecs.filter((c) => b.codecs.includes(c)) : [...(a ?? b).codecs],
        toCaller: packets(a),
        toCallee: packets(b),
      };
    });
  }
}

const sideOf = ({ address, port, flowing }: SessionMedia): PinholeSide => ({ address, port, flowing });
