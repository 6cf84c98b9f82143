import { LIMITS } from '../limits.js';
import { realClock } from '../live/clock.js';
import type { Step } from '../live/scenario.js';
import { EFTF_STEPS, type ToldEftf } from '../live/scenario-eftf.js';
import { Lines } from '../live/scenario-lines.js';
import type { LiveStep } from '../tui/live-console.js';
import type { Completion } from '../tui/prompt.js';
import { count, octets, plural } from '../tui/words.js';
import { type EftfCommandOptions, type OpenedEftf, openEftf, tunnelNamed } from './commands/eftf.js';
import { Exit } from './errors.js';
import { completeVerb, LiveEnd, stepOf } from './live-end.js';
import { clockOf, Rates } from './live-run.js';
import type { Traces } from './live-settings.js';
import { needsTerminal } from './screens.js';
import { stepsOf } from './steps.js';

/** An EFTF that is looked at while it runs. */
export class LiveEftf extends LiveEnd {
  protected readonly own = Object.entries(EFTF_STEPS).map(([name, { about }]) => ({ name, words: about }));
  private readonly lines = new Lines(realClock, this.say);
  private worst: number = Exit.done;
  /** Where a scenario is. */
  private scenario = '';
  private plan: readonly Step<ToldEftf>[] | undefined;
  private readonly rates = new Rates();
  private opened!: OpenedEftf;

  private constructor(o: EftfCommandOptions) {
    super('EFTF', o);
  }

  /** Listens. @param gone nobody wants it any more @throws UserError */
  static async open(o: EftfCommandOptions, gone?: AbortSignal): Promise<LiveEftf> {
    const live = new LiveEftf(o);
    try {
      if (o.run !== undefined) live.plan = stepsOf(o.run, EFTF_STEPS);
      const screens = live.file.reader.fd;
      live.opened = await openEftf(o, (words) => live.lines.tell(words), { screens, ...(gone && { gone }) });
    } catch (e) {
      live.letGo();
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
  private get told(): ToldEftf {
    return { eftf: this.opened.one, lines: this.lines };
  }
  private get tunnels() {
    return [...this.opened.one.tunnels.values()];
  }

  protected get running(): string {
    return `LISTENING ${clockOf(Date.now() - this.happenings.since)}  ${plural(this.tunnels.length, 'tunnel')}${this.scenario}`;
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
    const { passed, discarded } = this.opened.one;
    let [up, down] = [passed.up.packets, passed.down.packets];
    let [upOctets, downOctets] = [passed.up.octets, passed.down.octets];
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
      ...(discarded === '' ? [] : [`the router discarded ${discarded}`]),
      ...tunnels.slice(0, LIMITS.listedTunnels).map((t) => this.opened.one.describe(t)),
      ...(tunnels.length > LIMITS.listedTunnels
        ? [`${count(tunnels.length - LIMITS.listedTunnels)} tunnels more, which are not listed`]
        : []),
    ];
  }

  get faults(): readonly string[] {
    const armed = this.tunnels.flatMap((t) => t.faults.lasting.map((f) => ({ f, id: t.id })));
    const listed = armed.slice(0, LIMITS.listedTunnels).map(({ f, id }) => `${f} (tunnel ${id})`);
    return [...this.opened.one.faults.lasting, ...listed];
  }

  protected get goesOn(): string | undefined {
    const { length } = this.tunnels;
    return length === 0 ? undefined : `${plural(length, 'tunnel is', 'tunnels are')} up`;
  }

  complete(text: string): Completion | undefined {
    const takesNumber = /^(release|tunnels|fault) [^ ]*$/.test(text);
    const ids = this.tunnels.slice(0, LIMITS.listedTunnels).map((t) => ({ text: String(t.id), note: t.ue }));
    return completeVerb(text, EFTF_STEPS, takesNumber ? ids : []);
  }

  protected async perform(line: string): Promise<string | undefined> {
    const step = stepOf(tunnelNamed(line), EFTF_STEPS);
    await step?.verb.run(this.told, step.args);
    return step && `${step.name}: done`;
  }

  begin(): void {
    if (this.plan !== undefined) void this.run(this.plan);
  }

  /** Runs a scenario to the first step that fails. */
  private async run(steps: readonly Step<ToldEftf>[]): Promise<void> {
    for (const [i, { name, at, verb, args }] of steps.entries()) {
      this.scenario = `  step ${i + 1} of ${steps.length}: ${name}`;
      const wrong = await verb.run(this.told, args).catch((e: Error) => e);
      if (this.over) return;
      if (wrong === undefined) continue;
      this.worst = Exit.stepFailed;
      this.scenario = `  step ${i + 1} of ${steps.length} failed`;
      this.happenings.note(`step ${i + 1} (${name}, ${at}) failed: ${wrong.message}`, 'error');
      return;
    }
    this.scenario = '  scenario done';
    this.happenings.note('the scenario is done');
  }

  protected async close(): Promise<number> {
    await this.opened.end();
    this.lines.end();
    return this.traces.outcome(this.worst);
  }
}

/** `fttscope eftf --ui`. Returns the exit code. @throws UserError */
export async function eftfOnScreens(o: EftfCommandOptions): Promise<number> {
  needsTerminal();
  const run = await LiveEftf.open(o);
  const { watch } = await import('./commands/ui.js');
  return watch(run, { autoKeys: true });
}
