import { existsSync } from 'node:fs';
import type { Registry } from '../engine/registry.js';
import type { Row } from '../engine/row.js';
import type { Filter } from '../filter/index.js';
import type { Field } from '../kit/index.js';
import type { LimitReached } from '../limits.js';
import { Dialogs } from '../report/dialogs.js';
import { Exit, UserError } from './errors.js';
import type { ReadOptions } from './options.js';
import { timeTest } from './times.js';
import { tunnelTest } from './which-tunnel.js';

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
      const dialogs = new Dialogs(o, registry);
      this.fields.push(...dialogs.fields);
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
    if (e instanceof FilterError) throw new UserError(e.message, Exit.input, undefined, e.shown());
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
