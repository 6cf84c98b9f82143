import { Allowance } from './allowance.js';
import { Arena } from './arena.js';
import { Bulk } from './bulk.js';
import type { Channel } from './channel.js';

/** How far a {@link Decryptor} trusts what it opened. */
export interface DecryptorOptions {
  /** Check the tag or MAC of every record, not of a sample. */
  readonly verifyAll?: boolean;
}

/**
 * Opens the application data of all sessions of a capture, many records at a time.
 *
 * The engine feeds records, calls {@link flush} once per chunk of frames, and then reads the plain texts. They stay
 * valid until the next flush, as the octets of queued records must until then.
 */
export class Decryptor {
  readonly verifyAll: boolean;
  /** For channels. */
  readonly bulk = new Bulk();
  /** Memory for the plain texts since the last flush. */
  arena = new Arena();
  /** What late joins may still cost. */
  readonly allowance = new Allowance();
  private spare = new Arena();
  private waiting: Channel[] = [];

  constructor(options: DecryptorOptions = {}) {
    this.verifyAll = options.verifyAll === true;
  }

  /** A channel has its first queued record. */
  enlist(channel: Channel): void {
    this.waiting.push(channel);
  }

  /** Opens everything queued. Plain texts from before the flush before this one are gone afterwards. */
  flush(): void {
    const channels = this.waiting;
    this.waiting = [];
    for (const channel of channels) channel.drain();
    // What is opened from now on must not overwrite what the engine is about to read.
    const { arena } = this;
    this.arena = this.spare;
    this.spare = arena;
    this.arena.reset();
  }
}
