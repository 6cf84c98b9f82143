import { closeSync, openSync, statSync } from 'node:fs';
import type { GrowingReader } from '../capture/growing.js';
import { Exit, UserError } from './errors.js';
import type { LiveRun } from './live-run.js';
import type { ReadOptions } from './options.js';

/**
 * The file that `--follow` means; undefined without it, for a pipe, which is followed anyway, and for what cannot be
 * opened, which reading will tell. @throws UserError
 */
export function followed(names: readonly string[], o: ReadOptions): GrowingReader | undefined {
  if (o.follow !== true) return undefined;
  if (names.length !== 1) throw new UserError('--follow goes with one capture', Exit.usage);
  const [name] = names;
  try {
    if (name === '-' || !statSync(name).isFile()) return undefined;
    return { name, path: name, fd: openSync(name, 'r'), ended: new Int32Array(new SharedArrayBuffer(4)) };
  } catch {
    return undefined;
  }
}

/** A capture that somebody else writes, for the screens. */
export class FollowedFile implements LiveRun {
  constructor(readonly reader: GrowingReader) {}

  stop(): string | undefined {
    return Atomics.exchange(this.reader.ended, 0, 1) === 0 ? 'the file is followed no longer' : undefined;
  }

  async end(): Promise<number> {
    this.stop();
    closeSync(this.reader.fd);
    return Exit.done;
  }
}
