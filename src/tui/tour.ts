import type { CommandId } from './keymap.js';

/** A step of the tour through the demo: what to press, and what one will see; keys stand as `KeyMap.words` has them. */
export interface TourStep {
  readonly command: CommandId;
  readonly words: string;
}

/** Five keys that show most of the program. */
const TOUR: readonly TourStep[] = [
  { command: 'open', words: '{open} shows the packets that ran inside the tunnel' },
  { command: 'view-calls', words: '{view-calls} shows the calls, each with its ladder' },
  { command: 'view-findings', words: '{view-findings} says what went wrong with this call, and what to do next' },
  { command: 'view-findings', words: '{view-findings} once more shows the findings of the whole capture, worst first' },
  { command: 'export', words: '{export} exports what you see, for the ticket' },
];

/** Where in the tour somebody is. */
export class Tour {
  private at = 0;

  constructor(private readonly steps: readonly TourStep[] = TOUR) {}

  /** What to do next; undefined: the tour is over. */
  get words(): string | undefined {
    const step = this.steps[this.at];
    return step === undefined ? undefined : `tour ${this.at + 1}/${this.steps.length}   ${step.words}`;
  }

  /** A command was given: the step that it belongs to is done, and those before it. */
  done(command: CommandId): void {
    const i = this.steps.findIndex((s, k) => k >= this.at && s.command === command);
    if (i >= 0) this.at = i + 1;
  }
}
