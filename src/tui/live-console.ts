import type { Completion } from './prompt.js';

/** A step of an endpoint's life, and what became of it. */
export interface LiveStep {
  readonly name: string;
  readonly state: 'waits' | 'runs' | 'ok' | 'failed';
  /** `7 ms`, `10.60.0.23`, or why it failed. */
  readonly text: string;
}

/** A line of what happened. */
export interface LiveEvent {
  readonly at: Date;
  readonly severity: 'note' | 'warn' | 'error';
  readonly text: string;
}

/** A UE, an EFTF or a capture that runs now, as view 7 shows it. The same verbs as in scenario files are typed to it. */
export interface LiveConsole {
  /** `UE lab1  127.0.0.1:8443`. */
  readonly title: string;
  /** `CONNECTED 00:01:12`. */
  readonly state: string;
  readonly steps: readonly LiveStep[];
  readonly events: readonly LiveEvent[];
  /** Lines about traffic: rates, loss, leases. */
  readonly figures: readonly string[];
  /** Faults that are armed: a banner says so. */
  readonly faults: readonly string[];
  /** It has ended, and takes no verbs any more. */
  readonly over: boolean;
  readonly verbs: readonly { readonly name: string; readonly words: string }[];
  /** What is not saved yet, in words. */
  readonly unsaved: string | undefined;
  /** Ways to go on with a line, beyond its first word. */
  complete?(text: string): Completion | undefined;
  /** All that there is so far was written to a file. */
  saved(): void;
  /** Does what was typed; what it returns is said. Rejects with words where it cannot. */
  type(line: string): Promise<string | undefined>;
  /** Called when something is another. */
  onChange(listener: () => void): void;
}
