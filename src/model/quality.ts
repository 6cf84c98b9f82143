import type { MediaEntity } from './entities.js';

/** What the E-model needs to know of a codec: equipment impairment and robustness against loss. ITU-T G.113 appendix I */
interface Impairment {
  readonly ie: number;
  readonly bpl: number;
  /** Wideband scale of ITU-T G.107.1, where R begins at 129. */
  readonly wide: boolean;
}

const CODECS: Readonly<Record<string, Impairment>> = {
  PCMU: { ie: 0, bpl: 25.1, wide: false },
  PCMA: { ie: 0, bpl: 25.1, wide: false },
  G729: { ie: 11, bpl: 19, wide: false },
  AMR: { ie: 5, bpl: 10, wide: false },
  'AMR-WB': { ie: 8, bpl: 13, wide: true },
  EVS: { ie: 4, bpl: 13, wide: true },
};

/** Modes whose impairment is known: ITU-T G.113 tables I.1 and IV.1. */
const MODES: Readonly<Record<string, Impairment>> = {
  'AMR 12.2': { ie: 5, bpl: 10, wide: false },
  'AMR 7.4': { ie: 10, bpl: 10, wide: false },
  'AMR-WB 6.6': { ie: 41, bpl: 13, wide: true },
  'AMR-WB 8.85': { ie: 26, bpl: 13, wide: true },
  'AMR-WB 12.65': { ie: 13, bpl: 13, wide: true },
  'AMR-WB 14.25': { ie: 10, bpl: 13, wide: true },
  'AMR-WB 15.85': { ie: 7, bpl: 13, wide: true },
  'AMR-WB 18.25': { ie: 5, bpl: 13, wide: true },
  'AMR-WB 19.85': { ie: 4, bpl: 13, wide: true },
  'AMR-WB 23.05': { ie: 1, bpl: 13, wide: true },
  'AMR-WB 23.85': { ie: 8, bpl: 13, wide: true },
};

const R_NARROW = 93.2;
const R_WIDE = 129;
/** Coding, packets of 20 ms and an empty jitter buffer. */
const FIXED_DELAY_MS = 45;

/** An opinion score from what was measured; it says nothing of what happened beyond the capture point. */
export interface Opinion {
  readonly value: number;
  readonly method: string;
  readonly estimate: true;
}

/**
 * Mean opinion score by the E-model (ITU-T G.107, G.107.1) from loss and jitter; undefined for codecs without values.
 * @param lostPercent packets lost of those sent
 * @param jitterMs mean interarrival jitter, for which the receiver's buffer makes up with delay
 * @param roundTripMs as RTCP tells it
 * @param mode of most frames, in kbit/s
 */
export function opinion(
  codec: string,
  lostPercent: number,
  jitterMs: number,
  roundTripMs = 0,
  mode = '',
): Opinion | undefined {
  const name = codec.toUpperCase();
  const c = MODES[`${name} ${mode}`] ?? MODES[mode] ?? CODECS[name];
  if (c === undefined) return undefined;
  const delay = FIXED_DELAY_MS + 2 * jitterMs + roundTripMs / 2;
  const late = Math.max(0, delay - 177.3);
  const id = 0.024 * delay + 0.11 * late;
  const most = c.wide ? R_WIDE : R_NARROW;
  const full = c.wide ? R_WIDE : 95;
  const ieEff = c.ie + (full - c.ie) * (lostPercent / (lostPercent + c.bpl));
  const r = most - id - ieEff;
  // G.107.1 annex A: the wideband scale is shrunk to the narrowband one before the curve.
  const x = c.wide ? r / 1.29 : r;
  const mos = x <= 0 ? 1 : x >= 100 ? 4.5 : 1 + 0.035 * x + x * (x - 60) * (100 - x) * 7e-6;
  return {
    value: Math.round(Math.max(1, mos) * 100) / 100,
    method: c.wide ? 'ITU-T G.107.1' : 'ITU-T G.107',
    estimate: true,
  };
}

/** What of a stream was lost that is likely to have been sent: packets, and their share in percent. */
export function lossOf(m: Pick<MediaEntity, 'lost' | 'lostPercent' | 'skipped'>): {
  readonly lost: number;
  readonly percent: number;
} {
  const { lost, lostPercent, skipped = 0 } = m;
  if (skipped === 0) return { lost, percent: lostPercent };
  const expected = (100 * lost) / lostPercent - skipped;
  return { lost: lost - skipped, percent: expected <= 0 ? 0 : (100 * (lost - skipped)) / expected };
}
