import { FAULTS } from '../live/fault.js';
import type { LiveStep } from '../tui/live-console.js';
import type { Completion } from '../tui/prompt.js';
import { count, octets, plural } from '../tui/words.js';
import { command, EFTF_VERBS, type EftfCommandOptions, type OpenedEftf, openEftf } from './commands/eftf.js';
import { Exit, UserError } from './errors.js';
import { goOn, LiveEnd } from './live-end.js';
import { clockOf, Rates } from './live-run.js';
import type { Traces } from './live-settings.js';
import { needsTerminal } from './screens.js';

/** Tunnels that are listed. */
const LISTED = 200;

/** An EFTF that is looked at while it runs. */
export class LiveEftf extends LiveEnd {
  protected readonly own = Object.entries(EFTF_VERBS).map(([name, words]) => ({ name, words }));
  private readonly rates = new Rates();
  private opened!: OpenedEftf;

  private constructor(o: EftfCommandOptions) {
    super('EFTF', o);
  }

  /** Listens. @throws UserError */
  static async open(o: EftfCommandOptions): Promise<LiveEftf> {
    const live = new LiveEftf(o);
    try {
      live.opened = await openEftf(o, live.say, live.file.reader.fd);
    } catch (e) {
      live.happenings.stop();
      live.file.close();
      throw e;
    }
    live.saved(); // there is nothing yet
    live.say(`listening ${live.opened.listening}`);
    return live;
  }

  get title(): string {
    return `EFTF at ${this.opened.listening}`;
  }
  protected get traces(): Traces {
    return this.opened.traces;
  }
  private get tunnels() {
    return [...this.opened.one.tunnels.values()];
  }

  protected get running(): string {
    return `LISTENING ${clockOf(Date.now() - this.happenings.since)}  ${plural(this.tunnels.length, 'tunnel')}`;
  }

  get steps(): readonly LiveStep[] {
    const { refused } = this.opened.one.server;
    const ready: LiveStep = {
      name: this.opened.listening,
      state: this.over ? 'ok' : 'runs',
      text: plural(this.tunnels.length, 'tunnel'),
    };
    return refused === 0 ? [ready] : [ready, { name: 'refused', state: 'failed', text: count(refused) }];
  }

  get figures(): readonly string[] {
    const { tunnels } = this;
    let [up, down, upOctets, downOctets] = [0, 0, 0, 0];
    for (const { link } of tunnels) {
      up += link.counts.packets;
      down += link.sent.packets;
      upOctets += link.counts.octets;
      downOctets += link.sent.octets;
    }
    const [upRate, downRate] = this.rates.of([up, down]);
    const { write, withKeys } = this.o;
    return [
      `up ${count(up)} packets ${octets(upOctets)} ${Math.round(upRate)}/s   down ${count(down)} packets ${octets(downOctets)} ${Math.round(downRate)}/s`,
      write === undefined
        ? 'kept until the program ends; w writes it to a file'
        : `writing ${write}${withKeys ? ' with keys' : ''}`,
      ...tunnels.slice(0, LISTED).map((t) => this.opened.one.describe(t)),
    ];
  }

  get faults(): readonly string[] {
    const armed = this.tunnels.flatMap((t) => t.faults.lasting.map((f) => ({ f, id: t.id })));
    return armed.slice(0, LISTED).map(({ f, id }) => `${f} (tunnel ${id})`);
  }

  protected get goesOn(): string | undefined {
    const { length } = this.tunnels;
    return length === 0 ? undefined : `${plural(length, 'tunnel is', 'tunnels are')} up`;
  }

  complete(text: string): Completion | undefined {
    const ids = this.tunnels.slice(0, LISTED).map((t) => ({ text: String(t.id), note: t.ue }));
    const faults = Object.entries(FAULTS).map(([name, note]) => ({ text: name, note }));
    const [verb, , third] = text.split(' ');
    if (verb === 'release') return goOn(text, ids);
    if (verb !== 'fault') return undefined;
    return goOn(text, [...(third === undefined ? ids : []), ...faults, { text: 'off' }]);
  }

  protected async perform(line: string): Promise<string | undefined> {
    const verb = line.split(' ')[0];
    if (!Object.hasOwn(EFTF_VERBS, verb)) throw new Error(`there are ${Object.keys(EFTF_VERBS).join(', ')}`);
    command(this.opened.one, line, this.say);
    return undefined;
  }

  protected async close(): Promise<number> {
    await this.opened.end();
    return Exit.done;
  }
}

/** `fttscope eftf --ui`. Returns the exit code. @throws UserError */
export async function eftfOnScreens(o: EftfCommandOptions): Promise<number> {
  if (o.run !== undefined) throw new UserError('--run and --ui: an EFTF runs a scenario without the screens');
  needsTerminal();
  const run = await LiveEftf.open(o);
  const { watch } = await import('./commands/ui.js');
  return watch(run, { autoKeys: true });
}
