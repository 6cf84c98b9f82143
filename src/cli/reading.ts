import { existsSync } from 'node:fs';
import { dissectors } from '../../dissectors/index.js';
import type { CaptureFile, Damage } from '../capture/chunk.js';
import { openCapture, openGrowing } from '../capture/open.js';
import { statsOf } from '../capture/stats.js';
import { engineFields } from '../engine/dissect.js';
import { Hindsight, hindsightAmong } from '../engine/hindsight.js';
import { NO_ROWS, Pass, type RowKinds, type Tap } from '../engine/pass.js';
import { Registry } from '../engine/registry.js';
import type { Row } from '../engine/row.js';
import { SessionTap } from '../engine/session-tap.js';
import { counted, type Field } from '../kit/index.js';
import { type LimitReached, ReachedLimits } from '../limits.js';
import { SessionModel } from '../model/session-model.js';
import { ReportShelf } from '../report/report-shelf.js';
import { limitSentence } from '../report/report-words.js';
import { isReadable, tunnelLine } from '../report/tunnels.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import { applyDecodeAs } from './decode-as.js';
import { Exit, UserError } from './errors.js';
import { followed } from './follow.js';
import { Interruptible } from './interrupt.js';
import { gatherKeys, type Keys } from './keys.js';
import type { ReadOptions } from './options.js';
import { Progress } from './progress.js';
import { type Services, tlsServices } from './services.js';
import { codeOf, type EndSignal } from './signals.js';
import { tell } from './tell.js';
import { tunnelTest } from './which-tunnel.js';

/** What the rows are wanted for. */
export interface Wanted {
  readonly rows: RowKinds | 'none';
  /** Null: all. */
  readonly fields: readonly Field[] | null;
  readonly labels?: boolean;
  readonly experts?: boolean;
  readonly info?: boolean;
  readonly analyseTcp?: boolean;
  /** Frames that were captured twice are to be marked. */
  readonly duplicates?: boolean;
  /** RTP on ports that no SDP names. */
  readonly heuristicRtp?: boolean;
  /** False: nobody looks at the packets of rows, only at their trees. */
  readonly contents?: boolean;
  /** What is known of rows from a reading before. */
  readonly hindsight?: Hindsight | undefined;
  /** Takes the packets instead of rows. */
  readonly tap?: Tap;
}

/** How a pass ended. */
export interface Outcome {
  readonly tunnels: readonly Tunnel[];
  /** Nothing of the input is damaged. */
  readonly whole: boolean;
  /** The signal that came before the end of a file. */
  readonly stopper: EndSignal | undefined;
  readonly files: readonly CaptureFile[];
  readonly damage: readonly Damage[];
  /** Caps that were reached. */
  readonly limits: readonly LimitReached[];
}

/** Tunnels that are told of one by one. */
const TOLD = 20;

/** Keys of ESP say that already. */
const OPEN_ESP = /^esp\.enable_encryption_decode:/i;

/** A key of ESP. */
const ESP_LINE = 'uat:esp_sa:';

/** Whether to look for NULL encryption in ESP. */
const LOOK_INTO_ESP = /^esp\.enable_null_encryption_decode_heuristic:true$/i;

/** Whether checksums outside of tunnels are verified. */
const CHECKSUMS = /^(ip|tcp|udp)\.check_checksum:(true|false)$/i;

/** Whether a name of the command line is a file, or standard input. */
const isThere = (name: string): boolean => name === '-' || existsSync(name);

/** The first of some inputs that gives its octets once; undefined: each can be read again. */
function readOnce(names: readonly string[]): string | undefined {
  if (names.includes('-')) return 'standard input';
  const pipe = names.find((name) => {
    const stats = statsOf(name);
    return stats?.isFIFO() === true || stats?.isCharacterDevice() === true;
  });
  return pipe === undefined ? undefined : `${pipe}, a pipe or a device,`;
}

/** Captures to be read, with what every command that reads them shares: keys, decode-as rules, words on stderr. */
export class Reading {
  readonly registry = new Registry(dissectors, engineFields);
  readonly names: readonly string[];
  keys!: Keys;

  /** @throws UserError for options that make no sense */
  constructor(
    captures: readonly string[],
    private readonly o: ReadOptions,
  ) {
    const files = captures.findLastIndex(isThere) + 1;
    this.bare = o.read !== undefined ? captures : files === 0 ? [] : captures.slice(files);
    this.names = [...(o.read ?? []), ...captures];
    if (this.names.length === 0)
      throw new UserError('no capture given', Exit.usage, 'fttscope FILE, or - for standard input');
    applyDecodeAs(this.registry, o.decodeAs ?? []);
    if (o.user?.trim() === '') throw new UserError('--user: empty', Exit.usage, 'it wants a URI or a number');
    for (const name of o.enableHeuristic ?? [])
      if (name !== 'rtp_udp') throw new UserError(`--enable-heuristic ${name}: only rtp_udp is there`);
  }

  /** What stands behind `-r FILE`, or the last file that there is: there tshark takes a display filter, the words of it joined. */
  private readonly bare: readonly string[];

  /** Refuses what is no file, and is a filter: to read everything is not what was meant. @throws UserError */
  private async refuseBareFilter(): Promise<void> {
    const text = this.bare.join(' ');
    if (text === '' || this.bare.some(isThere)) return;
    const { compile, FilterError } = await import('../filter/index.js');
    try {
      compile(text, this.registry, 'at the end');
    } catch (e) {
      if (e instanceof FilterError) return;
      throw e;
    }
    throw new UserError(`${text}: no such file`, Exit.input, `as a display filter it stands behind -Y: -Y '${text}'`);
  }

  /** All files that are read, those with keys too once they are gathered: none of them may be written over. */
  get inputs(): readonly string[] {
    return [...this.names, ...this.keys.files, ...(this.o.handshakeFrom ?? [])];
  }

  /** Gathers the keys; `warn`: says what is wrong with them. @throws UserError for a key log that cannot be read */
  async prepare(warn = true): Promise<void> {
    this.warned = warn ? 0 : Number.POSITIVE_INFINITY;
    await this.refuseBareFilter();
    const { o } = this;
    const keylogPreference: string[] = [];
    const espLines: string[] = [];
    for (const preference of o.o ?? []) {
      const m = /^(?:tls|ssl)\.keylog_file:(.*)$/s.exec(preference);
      if (m !== null) keylogPreference.push(m[1].trim());
      else if (OPEN_ESP.test(preference)) continue;
      else if (preference.startsWith(ESP_LINE)) espLines.push(preference.slice(ESP_LINE.length));
      else if (LOOK_INTO_ESP.test(preference)) applyDecodeAs(this.registry, ['esp.payload==0,esp.null']);
      else if (CHECKSUMS.test(preference)) this.verify(preference);
      else if (!/^[\w.-]+:/.test(preference))
        throw new UserError(
          `-o ${preference}: a preference is name:value`,
          Exit.usage,
          'as tls.keylog_file:FILE; what is printed goes into a file by > FILE',
        );
      else if (o.quiet !== true) tell(`fttscope: -o ${preference}: passed over, it is not understood`);
    }
    const { keylog = [], autoKeys } = o;
    this.keys = await gatherKeys(this.names, { keylog, keylogPreference, espLines, autoKeys });
    this.warn();
  }

  /** Has checksums of a protocol verified outside of tunnels too, or not: the last word counts. */
  private verify(preference: string): void {
    const [, proto, wanted] = CHECKSUMS.exec(preference.toLowerCase())!;
    if (wanted === 'true') this.registry.verified.add(proto);
    else this.registry.verified.delete(proto);
  }

  /** Says what is to be said of the key logs, each time only what is new. */
  private warn(): void {
    const { warnings } = this.keys;
    if (this.o.quiet !== true) for (const w of warnings.slice(this.warned)) tell(`fttscope: ${w}`);
    this.warned = Math.max(this.warned, warnings.length);
  }
  private warned = 0;

  /**
   * One pass over the captures. Damage and faults are said on stderr; `between` is called after each chunk.
   * @throws CaptureError when one cannot be opened or read
   */
  async run(w: Wanted, give: (row: Row) => void, between: () => void = () => undefined): Promise<Outcome> {
    const { o, names, registry } = this;
    const services = tlsServices(this.keys.log, o.verifyAll === true, this.keys.esp);
    for (const file of o.handshakeFrom ?? []) await this.lend(file, services);
    const follow = followed(names, o);
    const opened = follow === undefined ? openCapture(names) : openGrowing(follow);
    const source = new Interruptible(await opened, names.includes('-'));
    const pass = new Pass(
      registry,
      {
        ...services,
        rows: w.rows,
        fields: w.fields,
        labels: w.labels === true,
        experts: w.experts === true,
        info: w.info === true,
        frames: o.count ?? 0,
        heuristicRtp: w.heuristicRtp === true || (o.enableHeuristic ?? []).length > 0,
        analyseTcp: w.analyseTcp === true,
        duplicates: w.info === true || w.duplicates === true,
        severalFiles: names.length > 1,
        contents: w.contents,
        hindsight: w.hindsight,
        tap: w.tap ?? this.opener(),
      },
      (row) => {
        give(row);
        return undefined;
      },
    );
    const progress = new Progress(source, o.quiet === true);
    try {
      await pass.run(source, () => {
        between();
        progress.show(pass.frames);
      });
    } finally {
      progress.end();
      await source.close();
    }
    this.warn();
    const limits = [...pass.index.ledger.limits, ...this.keyLimits, ...services.tls.cache.limits];
    this.say(source.damage, limits, pass.dissection.faults.counts);
    return {
      tunnels: pass.index.tunnels,
      whole: source.damage.length === 0,
      // To a pipe, and to a file that is followed, it is a good end.
      stopper: source.pipe || follow !== undefined ? undefined : source.stopper,
      files: source.files,
      damage: source.damage,
      limits,
    };
  }

  /** Caps that keys reached. */
  get keyLimits(): LimitReached[] {
    const { log, esp } = this.keys;
    const reached = new ReachedLimits();
    if (log.dropped > 0) reached.capped('keyLogLines', log.dropped);
    if (esp.dropped > 0) reached.capped('espAssociations', esp.dropped);
    return reached.limits;
  }

  /**
   * Reads the captures for what is known of rows only then: of fields that are asked for. Undefined where that is nothing.
   * @throws UserError where they cannot be read twice
   */
  async hindsight(asked: readonly Field[]): Promise<Hindsight | undefined> {
    const among = hindsightAmong(asked);
    if (among.length === 0) return undefined;
    const once = this.o.follow === true ? 'what is still written' : readOnce(this.names);
    if (once !== undefined) {
      throw new UserError(
        `-2 reads its input twice, which ${once} does not allow`,
        Exit.usage,
        'save it to a file first',
      );
    }
    const { esp, subscribers } = this.keys;
    esp.growing = true; // challenges may carry keys
    const shelf = new ReportShelf();
    const model = new SessionModel(undefined, subscribers, shelf);
    model.issuers = this.o.eftfIssuer ?? [];
    const tap = new SessionTap(model, this.registry, this.names.length > 1);
    // As for a report, whose numbers calls and streams have.
    const wanted = { rows: 'none', fields: [], analyseTcp: true, duplicates: true, heuristicRtp: true, tap } as const;
    await this.run(wanted, () => undefined);
    tap.finish();
    const findings = model.findingEntities();
    const lists = { tunnels: model.tunnels, calls: model.callEntities(), media: model.mediaEntities(), findings };
    const hindsight = new Hindsight(lists, among, this.registry);
    shelf.close();
    return hindsight;
  }

  /** Says what went wrong in a pass, at the first of those over the same captures. Damage is why a command fails. */
  private say(damage: readonly Damage[], limits: readonly LimitReached[], faults: ReadonlyMap<string, number>): void {
    if (this.said) return;
    this.said = true;
    for (const d of damage) tell(`fttscope: ${d.message}`);
    this.tellLimits(limits);
    const { subscribers } = this.keys;
    if (this.o.quiet !== true && subscribers.length > 0 && subscribers.asked > 0 && subscribers.known === 0)
      tell(
        'fttscope: no challenge is to a subscriber whose keys were given: impi= is the user name of Authorization, and rand= that of one challenge',
      );
    for (const [proto, n] of faults)
      tell(
        `fttscope: this is a fault in fttscope: the dissector of ${proto} failed ${counted(n, 'time')}; the rest is not affected`,
      );
  }
  private said = false;

  /** Says which caps were reached. */
  tellLimits(limits: readonly LimitReached[]): void {
    if (this.o.quiet !== true) for (const l of limits) tell(`fttscope: ${limitSentence(l)}`);
  }

  /** Follows registrations where there are keys of subscribers: they open the ESP that is agreed on there. */
  private opener(): Tap | undefined {
    const { esp, subscribers } = this.keys;
    if (subscribers.length === 0) return undefined;
    esp.growing = true;
    return new SessionTap(new SessionModel(new Set(), subscribers), this.registry, this.names.length > 1);
  }

  /** Reads an earlier file of a rotation for the handshakes in it: the sessions of later files go on with their keys. */
  async lend(file: string, services: Services): Promise<void> {
    const source = await openCapture([file]);
    await new Pass(this.registry, { ...services, ...NO_ROWS }, () => undefined).run(source);
    await source.close();
  }

  /** Says what became of the tunnels: of all of them, or of those that could not be read. */
  tellTunnels({ tunnels }: Outcome, all: boolean): void {
    if (this.o.quiet === true) return;
    const { tunnel } = this.o;
    const meant = tunnel === undefined ? tunnels : tunnels.filter(tunnelTest(tunnel));
    const told = all ? meant : meant.filter((t) => !isReadable(t));
    for (const t of told.slice(0, TOLD)) tell(tunnelLine(t, this.o.rows !== 'outer'));
    if (told.length > TOLD) tell(`… and ${counted(told.length - TOLD, 'more tunnel')}`);
    if (meant.length === 0) this.tellNoTunnel(tunnels);
  }

  /** Says that the tunnel that was asked for is not there, if it is not. */
  tellNoTunnel(tunnels: readonly Tunnel[]): void {
    const { tunnel, quiet } = this.o;
    if (quiet !== true && tunnel !== undefined && !tunnels.some(tunnelTest(tunnel)))
      tell(`fttscope: there is no tunnel ${tunnel}; ${tunnelCount(tunnels.length)}`);
  }

  /** The exit code: 2 before 4 before 3, whatever applies. */
  code({ whole, stopper, tunnels }: Outcome, failed = false): number {
    if (!whole) return Exit.input;
    if (this.o.requireDecrypt === true && !tunnels.every(isReadable)) return Exit.undecrypted;
    if (failed) return Exit.failOn;
    return stopper === undefined ? Exit.done : codeOf(stopper);
  }
}

const tunnelCount = (n: number): string =>
  n === 0 ? 'the capture has none' : n === 1 ? 'the capture has 1' : `the capture has ${n}`;
