import { LIMITS } from '../limits.js';

export type LimitName = keyof typeof LIMITS;

/** A cap that was reached. */
export interface LimitReached {
  readonly name: LimitName;
  readonly cap: number;
  /** How often. */
  readonly hit: number;
}

/**
 * What is kept from one chunk of a capture to the next, in octets by estimate, and the caps that were reached. Whoever
 * keeps something adds it to {@link octets} and takes it off again; whoever owns it all makes room where it is too much.
 */
export class Ledger {
  octets = 0;
  private readonly hits = new Map<LimitName, number>();

  /**
   * @param cap most octets
   * @param reached is told of each cap that is reached, when it is
   */
  constructor(
    readonly cap: number = LIMITS.heldOctets,
    private readonly reached: () => void = () => undefined,
  ) {}

  /** A cap was reached: something is given up or left out. */
  capped(name: LimitName): void {
    this.hits.set(name, (this.hits.get(name) ?? 0) + 1);
    this.reached();
  }

  /** The caps that were reached, by name. */
  get limits(): LimitReached[] {
    const out = [...this.hits].map(([name, hit]) => ({ name, cap: LIMITS[name] as number, hit }));
    return out.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
