import { GrowingFile } from '../capture/growing.js';
import { PcapngWriter } from '../capture/writer.js';
import type { CommandId } from '../tui/keymap.js';
import { Exit } from './errors.js';
import type { LiveRun } from './live-run.js';

/** No packets: what the screens show until something is chosen. */
export class NothingYet implements LiveRun {
  private readonly file = new GrowingFile('no capture yet', 1 << 20);

  /** @param first the command that asks what is to be shown */
  constructor(readonly first: CommandId) {
    new PcapngWriter(this.file.reader.fd).end();
    this.file.end();
  }

  get reader() {
    return this.file.reader;
  }

  stop(): string | undefined {
    return undefined;
  }

  async end(): Promise<number> {
    this.file.close();
    return Exit.done;
  }
}
