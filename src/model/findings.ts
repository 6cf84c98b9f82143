import { asSaid, fromCode, joined, ours, type Tell, type Told, type Words, words } from '../kit/index.js';
import { LIMITS, type LimitName, type LimitReached, ReachedLimits } from '../limits.js';
import type { IsShaky } from './capture-quality.js';
import { CATALOGUE, type CatalogueEntry, ORDER } from './catalogue.js';
import type { ClockSteps } from './clock.js';
import type { FindingEntity, Severity } from './entities.js';
import { fileOf, isBefore, type Moment, type Seen } from './moment.js';
import { uid } from './uid.js';

/** What a finding is about. */
export interface Ref {
  readonly kind: 'tunnel' | 'call' | 'registration' | 'media' | 'file';
  readonly id: number;
}

/** The name of a thing that stays the same in other captures of it. */
export type UidOf = (ref: Ref) => string | undefined;

/** What an analyzer has to add to what the catalogue says. */
export interface Remark {
  /** What was seen here, in a sentence that stands before the meaning. */
  readonly detail?: Words | Told;
  readonly confidence?: FindingEntity['confidence'];
  readonly severity?: Severity;
  /** Further rows that show it. */
  readonly rows?: readonly string[];
  /** It shows in packets of which nothing between them is missing: what the capture lacks elsewhere takes nothing from it. */
  readonly isWhole?: boolean;
  /** It holds where so much time passed, which a clock that was set meanwhile may only show. */
  readonly lasted?: { readonly from: Moment; readonly to: Moment; readonly leastMs: number };
}

const MOST_ROWS = 20;
/** Limits of what rows alone show: nothing of a report rests on them. */
const OF_ROWS: ReadonlySet<LimitName> = new Set(['mediaCalls']);
const SEVERITIES: readonly Severity[] = ['error', 'warn', 'note'];

interface Raised {
  readonly code: string;
  readonly entry: CatalogueEntry;
  refs: readonly Ref[];
  remark: Remark;
  first: Moment;
  last: Moment;
  count: number;
  readonly rows: string[];
}

/** Findings of an earlier report: how bad each is, by its uid. */
export type KnownFindings = ReadonlyMap<string, Severity>;

/** Collects findings: one for each code and thing that it is about, with the first rows that show it. */
export class Findings {
  private readonly raised = new Map<string, Raised>();

  /**
   * @param muted codes that are not wanted
   * @param reached is told of findings that do not fit
   */
  constructor(
    private readonly muted: ReadonlySet<string> = new Set(),
    private readonly reached = new ReachedLimits(),
  ) {}

  /** Notes that `code` shows at `at`; `refs` say what it is about, the first of them most of all. */
  raise(code: string, at: Seen, refs: readonly Ref[] = [], remark: Remark = {}): void {
    const entry = CATALOGUE[code];
    if (entry === undefined || this.muted.has(code)) return;
    const about = refs[0];
    const key = about === undefined ? code : `${code} ${about.kind} ${about.id}`;
    const known = this.raised.get(key);
    if (known === undefined) {
      if (this.raised.size >= LIMITS.findings) this.reached.capped('findings');
      else
        this.raised.set(key, {
          code,
          entry,
          refs,
          remark,
          first: at,
          last: at,
          count: 1,
          rows: [...new Set([at.row, ...(remark.rows ?? [])])].slice(0, MOST_ROWS),
        });
      return;
    }
    known.count++;
    if (isBefore(at, known.first)) known.first = at;
    if (isBefore(known.last, at)) known.last = at;
    if (known.rows.length < MOST_ROWS && !known.rows.includes(at.row)) known.rows.push(at.row);
  }

  /** Names the caps that were reached, for which there is always room. */
  capped(at: Seen, limits: readonly LimitReached[]): void {
    const code = 'capture.capped';
    if (this.muted.has(code)) return;
    const names = limits.map(({ name, cap }) => ours`${name} (${cap})`);
    const isMild = limits.every(({ name }) => OF_ROWS.has(name));
    const remark: Remark = { detail: words`Reached: ${joined(names, ', ')}.`, ...(isMild && { severity: 'note' }) };
    const known = [...this.raised.values()].filter((r) => r.code === code);
    for (const r of known) r.remark = remark;
    if (known.length > 0) return;
    const count = limits.reduce((n, l) => n + l.hit, 0);
    this.raised.set(code, {
      code,
      entry: CATALOGUE[code],
      refs: [],
      remark,
      first: at,
      last: at,
      count,
      rows: [at.row],
    });
  }

  /** Whether `code` was raised about a tunnel. */
  has(code: string, tunnel: number): boolean {
    return this.raised.has(`${code} tunnel ${tunnel}`);
  }

  /** Takes back what was raised about a tunnel: something else explains it. */
  withdraw(code: string, tunnel: number): void {
    this.raised.delete(`${code} tunnel ${tunnel}`);
  }

  /** Things that findings were raised about have other numbers from now on. */
  renumber(kind: Ref['kind'], numbers: Int32Array<ArrayBuffer>): void {
    const all = [...this.raised];
    this.raised.clear();
    for (const [key, r] of all) {
      if (r.refs.some((x) => x.kind === kind))
        r.refs = r.refs.map((x) => (x.kind === kind ? { kind, id: numbers[x.id] } : x));
      const about = r.refs[0];
      this.raised.set(about?.kind === kind ? `${r.code} ${kind} ${about.id}` : key, r);
    }
  }

  /**
   * Takes back what rests on a time that did not pass.
   * @param filesOf in which a tunnel was seen
   */
  correct(clock: ClockSteps, filesOf: (tunnel: number) => ReadonlySet<number>): void {
    for (const [key, { remark, refs, rows }] of this.raised) {
      const { lasted } = remark;
      if (lasted === undefined) continue;
      const tunnel = refs.find((x) => x.kind === 'tunnel')?.id;
      const files = tunnel === undefined ? new Set([fileOf({ row: rows[0] })]) : filesOf(tunnel);
      if (clock.passed(lasted.from, lasted.to, files) < lasted.leastMs) this.raised.delete(key);
    }
  }

  /** Makes a finding about a tunnel less bad: seen in full it is noise. */
  temper(code: string, tunnel: number): void {
    this.amend(code, tunnel, { severity: 'note' });
  }

  /** Adds to what was raised about a tunnel what came to light later. */
  amend(code: string, tunnel: number, remark: Remark): void {
    const r = this.raised.get(`${code} tunnel ${tunnel}`);
    if (r !== undefined) r.remark = { ...r.remark, ...remark };
  }

  /** Whether `code` was raised about a file, or about the capture as a whole. */
  hasAtAll(code: string, file?: number): boolean {
    return this.raised.has(file === undefined ? code : `${code} file ${file}`);
  }

  /** Whether `code` was raised about anything. */
  hasAnywhere(code: string): boolean {
    return [...this.raised.values()].some((r) => r.code === code);
  }

  /**
   * The findings, by severity, and cause before consequence; behind what is known what the capture may only lack. Below
   * errors what nobody was hurt by, and only a specification minds, stands last. Here they are no longer then.
   * @param known findings that are left out, as bad as they are there or less, by their uids
   * @param isShaky what rests on something that was not seen is claimed more softly where the capture lacks something
   * @param tell how sentences are told
   */
  list(uidOf: UidOf, known: KnownFindings, isShaky: IsShaky, tell: Tell = asSaid): FindingEntity[] {
    const severity = (r: Raised): number => SEVERITIES.indexOf(r.remark.severity ?? r.entry.severity);
    const minded = (r: Raised): number => Number(severity(r) > 0 && r.entry.kind === 'conformance');
    const soft = new Set<Raised>();
    const told = [...this.raised.values()].map((r) => {
      if (!shakes(r, isShaky)) return r;
      const softer = softened(r, isGuess(r, isShaky));
      soft.add(softer);
      return softer;
    });
    this.raised.clear(); // a list is made once
    const all = told.sort(
      (a, b) =>
        severity(a) - severity(b) ||
        Number(soft.has(a)) - Number(soft.has(b)) ||
        minded(a) - minded(b) ||
        ORDER.get(a.code)! - ORDER.get(b.code)! ||
        inOrder(a, b),
    );
    const list = all
      .map((r) => entity(r, soft.has(r), uidOf, tell))
      .filter((f) => {
        const before = known.get(f.uid);
        return before === undefined || SEVERITIES.indexOf(f.severity) < SEVERITIES.indexOf(before);
      });
    for (const [i, f] of list.entries()) f.id = i + 1;
    return list;
  }
}

/** Whether of one of the tunnels that a finding is about, or of what is outside of them, that lacks on which it rests. */
function shakes({ code, entry, refs, remark }: Raised, isShaky: IsShaky): boolean {
  const tunnels = refs.flatMap((x) => (x.kind === 'tunnel' ? x.id : []));
  const lacks = (on: 'sight' | 'clock'): boolean =>
    (tunnels.length === 0 ? [0] : tunnels).some((t) => isShaky(t, code, on));
  return (
    (entry.absence === true && remark.isWhole !== true && lacks('sight')) || (entry.clock === true && lacks('clock'))
  );
}

/** Whether it is about a tunnel of which the capture lacks most that could speak against it. */
const isGuess = ({ code, entry, refs, remark }: Raised, isShaky: IsShaky): boolean =>
  entry.absence === true &&
  remark.isWhole !== true &&
  refs.some((x) => x.kind === 'tunnel' && isShaky(x.id, code, 'most'));

/**
 * The finding as an imperfect capture allows it: possible; what only counts what is missing, a step less bad, and where most
 * is missing a note.
 */
function softened(r: Raised, isGuess: boolean): Raised {
  const { remark, entry } = r;
  const severity = SEVERITIES.indexOf(remark.severity ?? entry.severity);
  const last = SEVERITIES.length - 1;
  const least = isGuess ? last : entry.kind === 'quality' ? Math.min(severity + 1, last) : severity;
  return { ...r, remark: { ...remark, confidence: 'possible', severity: SEVERITIES[least] } };
}

/** Calls and streams may be judged before the capture ends: they stand in their order all the same. */
function inOrder({ refs: [a] }: Raised, { refs: [b] }: Raised): number {
  if (a === undefined || b === undefined || a.kind !== b.kind) return 0;
  return a.kind === 'call' || a.kind === 'media' ? a.id - b.id : 0;
}

/** Why a finding is no more than possible. */
const SOFT = ours` It may only look so: the capture lacks something of it.`;

/** @param isSoft the capture allows no more than to take it for possible */
function entity(r: Raised, isSoft: boolean, uidOf: UidOf, tell: Tell): FindingEntity {
  const { code, entry, refs, remark, first, last, count, rows } = r;
  const about = refs[0];
  const means = fromCode(entry.meaning);
  const meaning = isSoft ? ours`${means}${SOFT}` : means;
  return {
    id: 0,
    uid: uid('finding', code, about?.kind, about && (uidOf(about) ?? about.id)),
    code,
    severity: remark.severity ?? entry.severity,
    kind: entry.kind,
    confidence: remark.confidence ?? entry.confidence ?? 'certain',
    title: fromCode(entry.title),
    ...(entry.clause !== undefined && { clause: fromCode(entry.clause) }),
    refs: [...refs],
    first,
    last,
    count,
    rows,
    meaning: remark.detail === undefined ? meaning : tell(words`${remark.detail} ${meaning}`),
    next: fromCode(entry.next),
  };
}
