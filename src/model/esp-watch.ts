import { hexNumber, joined, type Own, ofNumber, ours, words } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import type { Findings, Ref } from './findings.js';
import { type Arrival, millis, type Seen } from './moment.js';

const MOST_NAMED = 6;
/** RFC 4303 §3.4.3: packets among which one may come late, and how late that is here. */
const WINDOW = 64;
const APART_MS = 1000;
/** An SPI as specifications write it. */
const named = (spi: number): Own => ofNumber(spi, (n) => hexNumber(n, 8));

/** The packets of one SPI in one direction. */
interface Way {
  readonly spi: number;
  readonly up: boolean;
  readonly first: Seen;
  packets: number;
  opened: number;
  next: number;
  readonly last: { seconds: number; nanos: number };
  /** Numbers that never came, and packets whose number had come. RFC 4303 §3.4.3 */
  missing: number;
  again: number;
  wrong: Seen | null;
}

/** ESP that runs inside a tunnel, SPI by SPI (TS 33.203 §7). */
export class EspWatch {
  private readonly ways = new Map<string, Way>();

  /** @param reached is told of packets of SPIs that do not fit */
  constructor(private readonly reached: ReachedLimits) {}

  /** @param opened whether there was a key for it */
  take(at: Arrival, spi: number, sequence: number, opened: boolean): void {
    const key = `${spi} ${at.up}`;
    let w = this.ways.get(key);
    if (w === undefined) {
      if (this.ways.size >= LIMITS.associations) {
        this.reached.capped('associations');
        return;
      }
      const first = at.seen();
      const { seconds, nanos } = at;
      const counts = { packets: 0, opened: 0, next: sequence, missing: 0, again: 0 };
      w = { spi, up: at.up, first, last: { seconds, nanos }, ...counts, wrong: null };
      this.ways.set(key, w);
    }
    w.packets++;
    if (opened) w.opened++;
    // The same SPI for another association, with other keys: RFC 4303 §3.3.3 has it count anew.
    if (sequence === 1 && (w.next > WINDOW || millis(w.last, at) > APART_MS)) w.next = 1;
    w.last.seconds = at.seconds;
    w.last.nanos = at.nanos;
    if (sequence !== w.next) {
      w.wrong ??= at.seen();
      if (sequence > w.next) w.missing += sequence - w.next;
      else w.again++;
    }
    if (sequence >= w.next) w.next = sequence + 1;
  }

  /** @param agreed SPIs of the security agreements that were seen in the tunnel; empty: there were none */
  judge(about: readonly Ref[], agreed: ReadonlySet<number>, findings: Findings): void {
    const all = [...this.ways.values()];
    const shut = all.filter((w) => w.opened < w.packets);
    if (shut.length > 0) {
      const packets = shut.reduce((n, w) => n + w.packets - w.opened, 0);
      const list = shut.slice(0, MOST_NAMED).map((w) => ours`${named(w.spi)} (${w.up ? 'up' : 'down'}, ${w.packets})`);
      const more = shut.length > MOST_NAMED ? ' and others' : '';
      const detail = words`${packets} packets stay shut, of the SPIs ${joined(list, ', ')}${more}.`;
      findings.raise('esp.no-keys', shut[0].first, about, { detail });
    }
    for (const w of all) {
      if (agreed.size > 0 && !agreed.has(w.spi))
        findings.raise('esp.unknown-spi', w.first, about, { detail: ours`The first is ${named(w.spi)}.` });
      if (w.wrong === null) continue;
      const detail = ours`Of ${named(w.spi)}, ${w.missing} are missing, and ${w.again} came again or late.`;
      findings.raise('esp.wrong-sequence', w.wrong, about, { detail });
    }
  }
}
