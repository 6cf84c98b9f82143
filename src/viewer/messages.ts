import type { RowsAdded } from './rows.js';
import type { SelectedAdded } from './selected.js';
import type { Choice, Reopen, ValuesRequest, ViewerStatus, WriteRequest } from './viewer.js';

/* What goes between the thread of the screens and that of the engine. */

/** Questions, by name, with what they are asked with. */
export interface Questions {
  detail: { row: number };
  values: ValuesRequest;
  report: undefined;
  redactedReport: undefined;
  story: undefined;
  over: { from: number };
  follow: { row: number; what: 'payload' | 'envelopes' };
  write: WriteRequest;
  reopen: Reopen;
}

/** What the screens ask of the worker; `id` is in its answer. */
export type ToEngine =
  | { [Q in keyof Questions]: { type: 'ask'; id: number; question: Q; with: Questions[Q] } }[keyof Questions]
  | { type: 'select'; id: number; choice: Choice }
  /** A selection, or an answer, is not wanted any more. */
  | { type: 'drop'; id: number }
  | { type: 'cancel' }
  | { type: 'close' };

/** What the worker says to the screens, by itself or as an answer. */
export type ToScreens =
  | { type: 'opened' }
  /** Nothing can be looked at. */
  | { type: 'refused'; message: string; hint?: string; code?: number }
  /** `anew`: rows that were there are gone. */
  | { type: 'status'; status: ViewerStatus; added: RowsAdded; anew: boolean }
  | { type: 'selected'; id: number; added: SelectedAdded; seen: number; done: boolean; error?: string }
  /** How much of an answer is done, from 0 to 1. */
  | { type: 'progress'; id: number; part: number }
  | { type: 'answer'; id: number; value: unknown }
  | { type: 'failed'; id: number; message: string; why?: 'superseded' | 'stopped' };
