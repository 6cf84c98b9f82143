import type { FindingEntity, Severity } from '../entities.js';

/** One kind of finding. Codes are stable for ever. */
export interface CatalogueEntry {
  readonly severity: Severity;
  readonly kind: FindingEntity['kind'];
  readonly confidence?: FindingEntity['confidence'];
  /** It rests on something that was not seen: a capture that lacks something weakens it. */
  readonly absence?: true;
  /** It rests on the times of frames: a clock that was set while it captured weakens it. */
  readonly clock?: true;
  readonly title: string;
  readonly clause?: string;
  /** What it means for the service. */
  readonly meaning: string;
  /** What to do next. */
  readonly next: string;
}

/** Findings by their codes. */
export type Entries = Readonly<Record<string, CatalogueEntry>>;
