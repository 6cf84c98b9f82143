import type { Viewer } from '../viewer/viewer.js';
import type { OpenFile } from './files-dialog.js';
import type { LiveConsole } from './live-console.js';
import type { Memory } from './settings.js';
import type { Starters } from './start.js';
import type { Tour } from './tour.js';
import type { Catalogue, Desk, Preferences, View } from './view.js';

/** What the program is made of, see {@link App}. */
export interface AppParts {
  readonly viewer: Viewer;
  readonly preferences: Preferences;
  readonly memory: Memory;
  readonly fields: Catalogue;
  /** Makes the views, in the order of their keys. */
  views(desk: Desk): readonly View[];
  readonly tour?: Tour;
  /** Opens another capture instead of this one. */
  readonly openFile?: OpenFile;
  /** What runs now and brings the packets. */
  readonly live?: LiveConsole;
  /** Stops what brings packets, and says what that was; undefined where nothing does any more. */
  stop?(): string | undefined;
  /** What can be started, instead of what is shown now. */
  readonly starters?: Starters;
  /** Runs a program, as shells write it, with a file in our terminal. @throws Error in words */
  runProgram?(command: string, path: string, end: AbortSignal): Promise<void>;
  /** Keeps what was copied, for a terminal that has no clipboard; returns where. */
  keepCopy?(text: string): string | undefined;
}
