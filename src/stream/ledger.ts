import { LIMITS, type LimitName, ReachedLimits } from '../limits.js';

/**
 * What is kept from one chunk of a capture to the next, in octets by estimate, and the caps that were reached. Whoever
 * keeps something adds it to {@link octets} and takes it off again; whoever owns it all makes room where it is too much.
 */
export class Ledger extends ReachedLimits {
  octets = 0;

  /**
   * @param cap most octets
   * @param reached is told of each cap that is reached, when it is
   */
  constructor(
    readonly cap: number = LIMITS.heldOctets,
    private readonly reached: () => void = () => undefined,
  ) {
    super();
  }

  override capped(name: LimitName, times = 1): void {
    super.capped(name, times);
    this.reached();
  }
}
