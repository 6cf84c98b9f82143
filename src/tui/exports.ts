import type { Watch } from '../viewer/viewer.js';

/** Something that a view can be saved as. */
export type ExportOffer = TextOffer | PacketsOffer;

interface Offer {
  /** What it is: `conversations as CSV`. */
  readonly name: string;
  /** File name that is proposed. */
  readonly file: string;
}

/** Packets as JSON, which the thread of the engine writes. */
export interface PacketsOffer extends Offer {
  /** Numbers of their rows. */
  rows(watch: Watch): Promise<Uint32Array>;
}

/** What is in memory at once. */
export interface TextOffer extends Offer {
  make(): string | Promise<string> | Promise<Uint8Array>;
  /** What did not fit into what was made last: `only the first 34 min`; '' where that is nothing. */
  lacks?(): string;
  /** What is asked before. */
  readonly consent?: string;
}

/** A view that has something to save besides the report. */
export interface Exporting {
  exports(): readonly ExportOffer[];
}

/** Whether what is shown can be exported. */
export const isExporting = (v: object): v is Exporting => typeof (v as Partial<Exporting>).exports === 'function';
