import { addressText } from '../live/address.js';
import { readLine, runStep, type Step, usualSteps, VERBS } from '../live/scenario.js';
import { NotEstablished } from '../live/tunnel-failure.js';
import type { LiveStep } from '../tui/live-console.js';
import type { Completion } from '../tui/prompt.js';
import { count, duration, octets } from '../tui/words.js';
import { type PlannedUe, planUe, type UeCommandOptions } from './commands/ue.js';
import { Exit } from './errors.js';
import { completeVerb, LiveEnd, stepOf } from './live-end.js';
import { clockOf, Rates } from './live-run.js';
import type { Traces } from './live-settings.js';
import { needsTerminal } from './screens.js';

/** Verbs whose last outcome a step shows. */
type Tried = 'connect' | 'dhcp' | 'slaac' | 'register' | 'call';
type Outcome = { readonly state: LiveStep['state']; readonly text: string; readonly stage?: string };

const WAITS: Outcome = { state: 'waits', text: '' };

/** A UE that is looked at while it runs. */
export class LiveUe extends LiveEnd {
  readonly title: string;
  protected readonly own = Object.entries(VERBS).map(([name, v]) => ({ name, words: v.about }));
  private readonly plan: PlannedUe;
  private readonly tried = new Map<string, Outcome>();
  private readonly rates = new Rates();
  private readonly proxied: boolean;
  private worst: number = Exit.done;
  private since = 0;
  /** Somebody took a connection: who reached nobody has nothing to save. */
  private hasReached = false;
  /** Where a scenario is. */
  private scenario = '';

  /** @throws UserError */
  constructor(target: string, o: UeCommandOptions) {
    super(`UE at ${target}`, o);
    this.proxied = o.proxy !== undefined;
    this.title = `UE at ${target}${this.proxied ? ' by a proxy' : ''}`;
    try {
      this.plan = planUe(target, o, this.say, this.file.reader.fd);
    } catch (e) {
      this.letGo();
      throw e;
    }
    this.saved(); // there is nothing yet
  }

  protected get traces(): Traces {
    return this.plan.traces;
  }
  private get ue() {
    return this.plan.one;
  }

  begin(): void {
    const { steps, families } = this.plan;
    void (steps === undefined ? this.usual(families) : this.run(steps));
  }

  /** A tunnel, then addresses and a registration as far as there are any. */
  private async usual(families: readonly (4 | 6)[]): Promise<void> {
    const { tunnel, addresses } = usualSteps(families);
    if ((await this.attempt(tunnel)) !== undefined) return;
    await Promise.all(addresses.map((step) => this.attempt(step)));
    const register = this.ue.registers ? readLine('register') : undefined;
    if (register !== undefined) await this.attempt(register);
  }

  /** Runs a scenario to the first step that fails. */
  private async run(steps: readonly Step[]): Promise<void> {
    for (const [i, step] of steps.entries()) {
      this.scenario = `  step ${i + 1} of ${steps.length}: ${step.name}`;
      const wrong = await this.attempt(step);
      if (wrong === undefined) continue;
      if (this.over) return;
      this.scenario = `  step ${i + 1} of ${steps.length} failed`;
      this.happenings.note(`step ${i + 1} (${step.name}, ${step.at}) failed: ${wrong}`, 'error');
      return;
    }
    const { unexpected } = this.ue;
    if (unexpected !== undefined) {
      this.worst = Math.max(this.worst, Exit.stepFailed);
      this.scenario = '  scenario failed';
      this.happenings.note(`the scenario failed: ${unexpected}, and no step expected that`, 'error');
      return;
    }
    this.scenario = '  scenario done';
    this.happenings.note('the scenario is done');
  }

  /** Does a step; returns what went wrong. */
  private async attempt(step: Step): Promise<string | undefined> {
    const { name } = step;
    const began = performance.now();
    if (name === 'connect' && !this.ue.up) this.tried.clear();
    this.set(name, { state: 'runs', text: '' });
    try {
      await runStep(step, this.ue);
      if (name === 'connect') {
        this.since = Date.now();
        this.hasReached = true;
      }
      this.set(name, { state: 'ok', text: duration(performance.now() - began) });
      return undefined;
    } catch (e) {
      const { message } = e as Error;
      if (this.over) return message; // it was stopped in the middle
      const stage = e instanceof NotEstablished ? e.stage : undefined;
      if (stage === 'proxy' || stage === 'tls') this.hasReached = true;
      this.worst = Math.max(this.worst, stage === undefined ? Exit.stepFailed : Exit.notEstablished);
      const hint = e instanceof NotEstablished && e.hint !== undefined ? `; ${e.hint}` : '';
      const words = `${message}${hint}`;
      this.set(name, { state: 'failed', text: message, ...(stage && { stage }) });
      if (this.plan.steps === undefined) this.happenings.note(`${name}: ${words}`, 'error');
      return words;
    }
  }

  private set(name: string, outcome: Outcome): void {
    this.tried.set(name, outcome);
    this.happenings.changed();
  }

  /** What became of a verb; what was got is gone with its tunnel. */
  private outcome(name: Tried): Outcome {
    const outcome = this.tried.get(name) ?? WAITS;
    return outcome.state === 'ok' && !this.ue.up ? WAITS : outcome;
  }

  protected get running(): string {
    const { up, ended } = this.ue;
    if (up) return `CONNECTED ${clockOf(Date.now() - this.since)}${this.scenario}`;
    if (this.outcome('connect').state === 'runs') return `CONNECTING${this.scenario}`;
    return `${ended === undefined ? 'NO TUNNEL' : 'TUNNEL ENDED'}${this.scenario}`;
  }

  get steps(): readonly LiveStep[] {
    return [...this.outerSteps, ...this.addressSteps, ...this.sipSteps];
  }

  private get outerSteps(): LiveStep[] {
    const { established, ended, up } = this.ue;
    const { state, text, stage } = this.outcome('connect');
    const names = ['TCP', ...(this.proxied ? ['CONNECT'] : []), 'TLS'];
    if (ended !== undefined && !up && state !== 'runs' && state !== 'failed')
      return [{ name: 'TUNNEL', state: ended.how === 'close_notify' ? 'waits' : 'failed', text: ended.words }];
    if (up && established !== undefined) {
      const { version, cipher, resumed, ms } = established;
      const tls = `${version} ${cipher}${resumed ? ', resumed' : ''} in ${duration(ms)}`;
      return names.map((name) => ({ name, state: 'ok', text: name === 'TLS' ? tls : '' }));
    }
    const at = stage === 'proxy' ? 'CONNECT' : stage === 'tls' ? 'TLS' : 'TCP';
    if (state !== 'failed') return names.map((name) => ({ name, state, text: '' }));
    return names.map((name, i): LiveStep => {
      if (name === at) return { name, state, text };
      return { name, state: i < names.indexOf(at) ? 'ok' : 'waits', text: '' };
    });
  }

  private get addressSteps(): LiveStep[] {
    const { inner } = this.ue;
    const { families } = this.plan;
    const lease = inner?.dhcp.lease;
    const own = (inner?.neighbours.addresses ?? []).filter((a) => a.state === 'preferred' && a.address[0] !== 0xfe);
    const step = (name: string, verb: Tried, got: string): LiveStep =>
      got === '' ? { name, ...this.outcome(verb) } : { name, state: 'ok', text: got };
    const six = own.map((a) => addressText(a.address)).join(' ');
    return [
      ...(families.includes(4) ? [step('DHCP', 'dhcp', lease === undefined ? '' : addressText(lease.address))] : []),
      ...(families.includes(6) ? [step('IPv6', 'slaac', six)] : []),
    ];
  }

  private get sipSteps(): LiveStep[] {
    const { signalling, registers } = this.ue;
    if (!registers) return [];
    const registration = signalling?.agent.registration.state ?? 'none';
    const call = signalling?.call;
    const tried = this.outcome('register');
    const others: Outcome = tried.state === 'ok' ? { state: 'waits', text: registration } : tried;
    const reg: LiveStep = {
      name: 'REG',
      ...(registration === 'registered' ? { state: 'ok', text: registration } : others),
    };
    const calls: LiveStep =
      call === undefined
        ? { name: 'CALL', state: 'waits', text: '' }
        : { name: 'CALL', state: call.state === 'confirmed' ? 'ok' : 'runs', text: call.state };
    return [reg, calls];
  }

  get figures(): readonly string[] {
    const link = this.ue.established?.link;
    if (link === undefined) return this.tail([]);
    const { sent, counts, lastHeard } = link;
    const media = this.ue.signalling?.media?.reception;
    const [up, down] = this.rates.of([sent.packets, counts.packets]);
    const { discarded } = this.ue;
    const heard = this.ue.up ? `   heard ${duration(Math.max(0, performance.now() - lastHeard))} ago` : '';
    return this.tail([
      `up ${count(sent.packets)} packets ${octets(sent.octets)} ${Math.round(up)}/s   down ${count(counts.packets)} packets ${octets(counts.octets)} ${Math.round(down)}/s${heard}`,
      ...(discarded === '' ? [] : [`discarded: ${discarded}`]),
      ...(media === undefined ? [] : [`RTP received ${count(media.received)}, ${count(media.lost)} lost`]),
    ]);
  }

  private tail(lines: readonly string[]): string[] {
    const { write, withKeys } = this.o;
    const kept =
      write === undefined
        ? 'kept until the program ends; w writes it to a file'
        : `writing ${write}${withKeys ? ' with keys' : ''}`;
    return [...lines, kept];
  }

  get faults(): readonly string[] {
    return this.ue.up ? (this.ue.faults?.lasting ?? []) : [];
  }

  protected get goesOn(): string | undefined {
    return this.ue.up ? 'The tunnel is up' : undefined;
  }

  override get unsaved(): string | undefined {
    return this.hasReached ? super.unsaved : undefined;
  }

  complete(text: string): Completion | undefined {
    return completeVerb(text, VERBS);
  }

  protected async perform(line: string): Promise<string | undefined> {
    const step = stepOf(line, VERBS);
    if (step === undefined) return undefined;
    const wrong = await this.attempt(step);
    if (wrong !== undefined) throw new Error(`${step.name}: ${wrong}`);
    return `${step.name}: done`;
  }

  protected async close(): Promise<number> {
    await this.plan.end();
    return this.traces.outcome(this.plan.steps === undefined ? Exit.done : this.worst);
  }
}

/** `fttscope ue --ui`. Returns the exit code. @throws UserError */
export async function ueOnScreens(target: string, o: UeCommandOptions): Promise<number> {
  needsTerminal();
  const run = new LiveUe(target, o);
  const { watch } = await import('./commands/ui.js');
  return watch(run, { autoKeys: true });
}
