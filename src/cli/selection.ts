import { existsSync } from 'node:fs';
import type { Registry } from '../engine/registry.js';
import type { Row } from '../engine/row.js';
import type { Filter } from '../filter/index.js';
import type { Field } from '../kit/index.js';
import type { LimitReached } from '../limits.js';
import { userTest } from '../report/user.js';
import { fieldText } from '../report/value.js';
import { Exit, UserError } from './errors.js';
import type { ReadOptions } from './options.js';
import { timeTest } from './times.js';
import { tunnelTest } from './which-tunnel.js';

/** Fields in which a SIP message names users. */
const USER_FIELDS = [
  'sip.from.addr',
  'sip.to.addr',
  'sip.r-uri',
  'sip.contact.uri',
  'sip.pai.addr',
  'sip.ppi.addr',
  'sip.P-Associated-URI',
  'sip.auth.username',
];
const CALL_ID = 'sip.Call-ID';
const SETUP_FRAMES = ['rtp.setup-frame', 'rtcp.setup-frame'];

/** Decides which rows are shown: `-Y`, `--tunnel`, `--from`, `--to`, `--call-id`, `--user`. */
export class Selection {
  /** Fields that it reads from the tree. */
  readonly fields: Field[] = [];
  readonly analyseTcp: boolean;
  private readonly tests: ((row: Row) => boolean)[] = [];
  private dialogs: Dialogs | undefined;

  private constructor(
    o: ReadOptions,
    registry: Registry,
    private readonly filter: Filter | null,
  ) {
    if (filter !== null) this.fields.push(...filter.fields);
    this.analyseTcp = this.fields.some((f) => f.name.startsWith('tcp.'));
    if (o.tunnel !== undefined) {
      const isMeant = tunnelTest(o.tunnel);
      this.tests.push(({ tunnel }) => tunnel !== null && isMeant(tunnel));
    }
    if (o.from !== undefined || o.to !== undefined) this.tests.push(timeTest(o.from, o.to));
    if (o.callId !== undefined || o.user !== undefined) {
      const names = [...USER_FIELDS, CALL_ID, ...SETUP_FRAMES];
      this.fields.push(...names.flatMap((n) => [...registry.byName(n)]));
      const dialogs = new Dialogs(o.callId, o.user);
      this.dialogs = dialogs;
      this.tests.push((row) => dialogs.takes(row));
    }
  }

  /** @throws UserError for an expression or a value that makes no sense */
  static async of(o: ReadOptions, registry: Registry): Promise<Selection> {
    return new Selection(o, registry, o.filter === undefined ? null : await compiled(o.filter, o, registry));
  }

  /** What was chosen by name and is not there, in words. */
  get lacks(): string | undefined {
    return this.dialogs?.found === false ? this.dialogs.words : undefined;
  }

  /** The caps that the filter reached. */
  get limits(): readonly LimitReached[] {
    return this.filter?.limits ?? [];
  }

  takes(row: Row): boolean {
    return this.chooses(row) && this.matches(row);
  }

  /** Whether a row is chosen by all but the filter. */
  chooses(row: Row): boolean {
    for (const test of this.tests) if (!test(row)) return false;
    return true;
  }

  /** Whether the filter takes a row. */
  matches(row: Row): boolean {
    return this.filter === null || this.filter.matches(row.dissection);
  }
}

/** The filter compiler is loaded where there is a filter. */
async function compiled(text: string, { config, twoPass }: ReadOptions, registry: Registry): Promise<Filter> {
  const { compile, FilterError } = await import('../filter/index.js');
  try {
    return compile(
      text.includes('${') ? await meant(text, config) : text,
      registry,
      twoPass === true ? 'at the end' : 'as read',
    );
  } catch (e) {
    if (e instanceof FilterError) throw new UserError(e.toString(), Exit.input);
    throw e;
  }
}

/** A filter with those in it that have a name: of the settings that the command line names, or of the program. */
async function meant(text: string, config: string | undefined): Promise<string> {
  const { expanded } = await import('../filter/saved-filters.js');
  if (config === undefined) return expanded(text, []);
  if (!existsSync(config)) throw new UserError(`--config ${config}: no such file`, Exit.input);
  const { settingsIn } = await import('../tui/settings.js');
  const { settings, problems } = settingsIn(config);
  if (problems.length > 0) throw new UserError(problems[0], Exit.input);
  return expanded(text, settings.filters);
}

/** What there is none of, where no SIP is of the user and the Call-ID that were asked for. */
export function noDialog(callId: string | undefined, user: string | undefined): string {
  const whose = [
    ...(user === undefined ? [] : [`user ${user}`]),
    ...(callId === undefined ? [] : [`Call-ID ${callId}`]),
  ];
  return `no SIP of ${whose.join(' and ')} was found`;
}

/** SIP messages of a dialog or a user, and the media that they set up. One pass: dialogs are learned as they appear. */
class Dialogs {
  /** Whether there was one. */
  found = false;
  private readonly callIds = new Set<string>();
  private readonly setups = new Set<number>();
  private readonly isUser: (uri: string) => boolean;

  constructor(
    private readonly callId: string | undefined,
    private readonly user: string | undefined,
  ) {
    if (callId !== undefined) this.callIds.add(callId);
    this.isUser = user === undefined ? () => false : userTest(user);
  }

  get words(): string {
    return noDialog(this.callId, this.user);
  }

  takes(row: Row): boolean {
    const t = row.dissection.tree;
    let id: string | undefined;
    let named = false;
    let media = false;
    for (let i = 0; i < t.length; i++) {
      const { name } = t.field(i);
      if (name === CALL_ID) id = fieldText(t, i);
      else if (SETUP_FRAMES.includes(name)) media ||= this.setups.has(t.number[i]);
      else if (this.user !== undefined && USER_FIELDS.includes(name)) named ||= this.isUser(fieldText(t, i));
    }
    if (media) return true;
    if (id === undefined) return false;
    if (named) this.callIds.add(id);
    if (!this.callIds.has(id)) return false;
    this.setups.add(row.frame);
    this.found = true;
    return true;
  }
}
