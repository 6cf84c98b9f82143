import type { Viewer } from '../viewer/viewer.js';
import type { Message, MessageSeverity } from './view.js';

/** Messages kept for the log. */
const KEPT = 1000;

/** What was said to the user, by the program and by the engine; the last of it is on the screen until a key is pressed. */
export class Journal {
  readonly messages: Message[] = [];
  /** What is on the screen. */
  shown: Message | undefined;
  /** Messages of the engine that were heard in this reading, and in all. */
  private heard = 0;
  private readonly known = new Set<string>();

  constructor(private readonly viewer: Viewer) {}

  say(text: string, severity: MessageSeverity): void {
    this.shown = this.add(text, severity);
  }

  /** Says what a key did not do: nobody looks for that in the log, and it would hide what is there. */
  hint(text: string): void {
    this.shown = { at: new Date(), severity: 'note', text };
  }

  private add(text: string, severity: MessageSeverity): Message {
    const message = { at: new Date(), severity, text };
    // Said again at once, it is one line with the time of the last.
    const last = this.messages.at(-1);
    if (last?.text === text && last.severity === severity) this.messages.pop();
    this.messages.push(message);
    if (this.messages.length > KEPT) this.messages.shift();
    return message;
  }

  /** The capture is read anew. */
  anew(): void {
    this.heard = 0;
    this.hear();
  }

  /** Takes what the engine says into the log, each sentence once; what is bad is shown as well. */
  hear(): void {
    const { messages } = this.viewer.status;
    if (messages.length < this.heard) this.heard = 0;
    for (; this.heard < messages.length; this.heard++) {
      const { severity, text } = messages[this.heard];
      if (this.known.has(text)) continue;
      if (this.known.size >= KEPT) this.known.clear();
      this.known.add(text);
      if (severity === 'note') this.add(text, severity);
      else this.say(text, severity);
    }
  }
}
