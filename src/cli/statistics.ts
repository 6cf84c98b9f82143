import type { Tap } from '../engine/pass.js';
import type { Registry } from '../engine/registry.js';
import type { Row } from '../engine/row.js';
import { SessionTap } from '../engine/session-tap.js';
import { compile, type Filter, FilterError } from '../filter/index.js';
import type { Field } from '../kit/index.js';
import type { LimitReached } from '../limits.js';
import { SessionModel } from '../model/session-model.js';
import { ascii } from '../report/ascii.js';
import {
  MODEL_STATISTICS,
  type ModelStatistic,
  refuseMore,
  STATISTICS,
  StatError,
  type Statistic,
  statisticName,
  statisticOf,
} from '../report/stat/index.js';
import { callTable, entitiesJson, tunnelTable } from '../report/stat/tables.js';
import { Exit, UserError } from './errors.js';
import { suggest } from './suggest.js';
import { UTF8 } from './tell.js';

/** Cells of a line of a ladder where standard output is no terminal. Tables are as wide there as what stands in them. */
const USUAL_WIDTH = 100;

const isOfModel = (name: string): name is ModelStatistic => (MODEL_STATISTICS as readonly string[]).includes(name);

/** The statistics that `-z` asks for, counted in the pass that reads the rows. */
export class Statistics {
  readonly fields: readonly Field[];
  readonly experts: boolean;
  readonly info: boolean;
  readonly analyseTcp: boolean;
  /** Takes the packets for those that are made from the model; undefined where none is. */
  readonly tap: Tap | undefined;
  private readonly model = new SessionModel(new Set());
  private readonly session: SessionTap | undefined;
  private readonly filters: Filter[] = [];
  /** In the order in which they were asked for. */
  private readonly list: readonly (Statistic | { readonly asked: string; readonly name: ModelStatistic })[];

  /** @throws UserError for a statistic that there is not, or whose arguments make no sense */
  constructor(asked: readonly string[], registry: Registry, severalFiles: boolean) {
    const compiled = (text: string): Filter => {
      const filter = compile(text, registry);
      this.filters.push(filter);
      return filter;
    };
    this.list = asked.map((a) => one(a, registry, compiled));
    const counted = this.counted;
    this.fields = counted.flatMap((s) => [...s.fields]);
    this.experts = counted.some((s) => s.experts === true);
    this.info = counted.some((s) => s.info === true);
    this.analyseTcp =
      counted.length < this.list.length ||
      counted.some((s) => s.analyseTcp === true) ||
      this.fields.some((f) => f.name.startsWith('tcp.analysis'));
    if (counted.length < this.list.length) this.tap = this.session = new SessionTap(this.model, registry, severalFiles);
  }

  /** The caps that filters reached. */
  get limits(): readonly LimitReached[] {
    return this.filters.flatMap((f) => f.limits);
  }

  private get counted(): Statistic[] {
    return this.list.filter((s): s is Statistic => 'take' in s);
  }

  take(row: Row): void {
    for (const s of this.list)
      if ('take' in s) {
        try {
          s.take(row);
        } catch (e) {
          throw e instanceof StatError ? new UserError(`-z ${e.message}`, Exit.usage, e.hint) : e;
        }
      }
  }

  /** Call it when the pass has ended. */
  text(): string {
    this.session?.finish();
    const columns = process.stdout.isTTY ? process.stdout.columns : undefined;
    const room = { width: columns ?? USUAL_WIDTH, unicode: UTF8 };
    const pages = this.list.map((s) =>
      'take' in s ? s.text(room) : this.table(s.name, columns ?? Number.POSITIVE_INFINITY),
    );
    return UTF8 ? pages.join('') : pages.map(ascii).join('');
  }

  private table(name: ModelStatistic, width: number): string {
    const { tunnels } = this.model;
    if (name === 'fttims,tunnels') return `\n${tunnelTable(tunnels, width)}`;
    return `\n${callTable([...this.model.callEntities()], width)}`;
  }

  /** All of them as one JSON array. Call it when the pass has ended. */
  json(): string {
    this.session?.finish();
    const values = this.list.map((s) => {
      if ('take' in s) return s.json();
      const { tunnels } = this.model;
      if (s.name === 'fttims,tunnels') return entitiesJson(s.asked, 'tunnels', tunnels);
      return entitiesJson(s.asked, 'calls', [...this.model.callEntities()]);
    });
    return `${JSON.stringify(values, null, 1)}\n`;
  }
}

function one(
  asked: string,
  registry: Registry,
  filter: (text: string) => Filter,
): Statistic | { asked: string; name: ModelStatistic } {
  const name = statisticName(asked);
  if (name === undefined) {
    const [a, b = ''] = asked.split(',');
    const near = suggest(b === '' ? a : `${a},${b}`, STATISTICS);
    throw new UserError(
      `-z ${asked}: there is no such statistic${near === undefined ? '' : `; did you mean ${near}?`}`,
      Exit.usage,
      'there are:',
      STATISTICS.map((s) => `    ${s}`),
    );
  }
  try {
    if (isOfModel(name)) {
      refuseMore(asked);
      return { asked, name };
    }
    return statisticOf({ asked, registry, filter });
  } catch (e) {
    if (e instanceof StatError) throw new UserError(`-z ${e.message}`, Exit.usage, e.hint);
    if (e instanceof FilterError) throw new UserError(`-z ${asked}: ${e.message}`, Exit.input, undefined, e.shown());
    throw e;
  }
}
