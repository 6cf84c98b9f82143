import { RECORD_HEADER } from '../../dissectors/tls/numbers.js';
import { equalBytes, ours, u32, type Words, words } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Allowance } from './allowance.js';
import { Epoch, type Stage } from './epoch.js';
import type { KeyLabel, KeyLog, Orphan } from './keylog.js';
import type { Role } from './negotiation.js';
import type { TlsRecord } from './record.js';
import { type Budget, seek, seekOneByOne } from './seek.js';
import { type Openable, suitesBySecret } from './suites.js';

/** The first record numbers that are tried with each key, before further ones: most captures start early. */
const FIRST_SPAN = 2048;
/** Keys that one traffic secret leads to, with those after KeyUpdates. */
const GENERATIONS = LIMITS.hiddenKeyUpdates + 1;
/** What making a key costs, in blocks of keystream; below TLS 1.3 those of both sides are made at once. */
const KEY_COST = 1024;
const KEYS12_COST = 4 * KEY_COST;
/** Below TLS 1.3 every number costs a tag: so many are tried with each key, on so many records of a direction. */
const NUMBERS12 = 16;
const RECORDS12 = 2;
/** A trial that was begun is done to its end, so that nothing is left out: more than any costs. */
const WHOLE = Number.MAX_SAFE_INTEGER;

const NOTHING_LEFT = words`The handshake was not captured: TLS 1.2 needs it, and for TLS 1.3 the key logs have no line that is not of another session.`;
const NO_LINE = words`The ClientHello was not captured, and the key logs have no line that is not of another session.`;
const OLDER = words`The handshake was not captured: these are records of TLS 1.2, whose keys need the randoms of both hellos.`;
const NO_LIMIT = ours``;
const NO_CLIENT_HELLO = ours`The ClientHello was not captured, and no line of the key logs opens the records after the ServerHello`;

/**
 * Whether two records in a row start with explicit nonces that count: GCM or CCM in TLS 1.2 (RFC 5288 §3). In TLS 1.3
 * these octets are ciphertext.
 */
function countsNonces(r: TlsRecord, next: TlsRecord): boolean {
  const a = r.off + RECORD_HEADER;
  const b = next.off + RECORD_HEADER;
  if (r.end - a < 24 || next.end - b < 24) return false;
  return equalBytes(r.buf, a, next.buf, b, 4) && (u32(r.buf, a + 4) + 1) >>> 0 === u32(next.buf, b + 4);
}

/** Keys that fit a session whose handshake is not in the capture. */
export interface Joined {
  readonly epoch: Epoch;
  readonly sequence: number;
  readonly clientRandom: Uint8Array;
  /** Whose secret it was. */
  readonly role: Role;
}

/** Lines of TLS 1.3 traffic secrets, by stage and role. */
const LABELS = {
  handshake: ['CLIENT_HANDSHAKE_TRAFFIC_SECRET', 'SERVER_HANDSHAKE_TRAFFIC_SECRET'],
  application: ['CLIENT_TRAFFIC_SECRET_0', 'SERVER_TRAFFIC_SECRET_0'],
} as const;

/** Lines of one label. */
interface Group {
  readonly stage: Stage;
  readonly role: Role;
  /** Their numbers in the key log. */
  readonly lines: readonly number[];
}

/** Record numbers that are tried at a time with each key. */
interface Span {
  readonly generation: number;
  readonly from: number;
  readonly to: number;
}

/** One line, taken for the secret of one suite, and the numbers that are tried with it. */
interface Trial extends Span {
  readonly role: Role;
  readonly orphan: Orphan;
  /** What {@link keys} costs. */
  readonly cost: number;
  keys(): Epoch;
}

/** Every key with small record numbers, then with larger ones; after that all of it for keys after KeyUpdates. */
function* searchSpans(): Generator<Span> {
  for (let generation = 0; generation < GENERATIONS; generation++)
    for (let from = 0, to = FIRST_SPAN; from < LIMITS.recordSearch; from = to, to *= 2)
      yield { generation, from, to: Math.min(to, LIMITS.recordSearch) - 1 };
}

/** The keys that a traffic secret leads to after `generation` KeyUpdates. */
function keysOf(how: Openable, orphan: Orphan, stage: Stage, generation: number): Epoch {
  let epoch = Epoch.of13(how, orphan.secret, stage, orphan.source);
  for (let k = 0; k < generation; k++) epoch = epoch.next();
  return epoch;
}

/**
 * Looks for the TLS 1.3 key log line that opens a direction whose handshake was not captured: every line whose session
 * was not met, with every suite that its length allows, up to two KeyUpdates on, as any of the first record numbers.
 *
 * What a frame may cost is bounded. A search that comes to this end goes on with the next record: what was excluded for
 * one record is so for those after it, whose numbers are larger.
 */
export class LateJoin {
  /** Keys and record numbers tried so far on the record at hand, and all that there are. */
  searched = 0;
  total = 0;
  /** The records are of TLS 1.2: no search can help. */
  private older = false;
  /** The ServerHello is there: only the ClientHello is missing. */
  private answered = false;
  private revision = -1;
  /** Records that everything was tried on. */
  private records = 0;
  private mostRecords: number = LIMITS.lateJoinRecords;
  private left: number = LIMITS.lateJoinBlocks;
  /** What is still to be tried; null: nothing was begun. */
  private trials: Generator<Trial> | null = null;
  /** The numbers that the record at hand may have behind a ServerHello. */
  private first = 0;
  private last = 0;
  /** Which limits were reached, in words. */
  private lineLimit = NO_LIMIT;
  private blockLimit = NO_LIMIT;

  /** Whether there is nothing more to try before lines are added. */
  exhausted(keys: KeyLog): boolean {
    if (this.older) return true;
    return keys.revision === this.revision && (this.records >= this.mostRecords || this.left <= 0 || this.total === 0);
  }

  /**
   * Tries candidates on one record, as many as its frame may cost.
   * @param suite the suite if it is known, else 0
   * @param allowance what all searches of the run may still cost
   */
  find(
    r: TlsRecord,
    next: TlsRecord | undefined,
    role: Role,
    suite: number,
    keys: KeyLog,
    allowance: Allowance,
  ): Joined | null {
    this.begin(keys);
    if (next !== undefined && countsNonces(r, next)) {
      this.older = true;
      return null;
    }
    if (this.trials === null) {
      const groups = [this.group(keys, 'application', role), this.group(keys, 'application', role === 0 ? 1 : 0)];
      this.prepare(keys, groups, suite, GENERATIONS * LIMITS.recordSearch, searchSpans);
    }
    return this.spend(r, next, allowance);
  }

  /**
   * Tries lines on a record that follows a ServerHello whose ClientHello was not captured: its number is small, and it
   * may be of the handshake.
   * @param last the largest number that it may have
   */
  identify(r: TlsRecord, role: Role, suite: number, last: number, keys: KeyLog, allowance: Allowance): Joined | null {
    this.begin(keys);
    this.answered = true;
    this.last = last;
    if (this.trials === null) {
      const groups = [this.group(keys, 'handshake', role), this.group(keys, 'application', role)];
      this.prepare(keys, groups, suite, 1, () => [{ generation: 0, from: 0, to: 0 }]);
    }
    return this.spend(r, undefined, allowance);
  }

  /**
   * The same below TLS 1.3, where a line tells both what keys need of the ClientHello and the master secret.
   * @param first the smallest number that the record may have
   * @param keysOfLine the keys that a line gives to the side that sent the record
   */
  identify12(
    r: TlsRecord,
    role: Role,
    first: number,
    last: number,
    keysOfLine: (line: Orphan) => Epoch,
    keys: KeyLog,
    allowance: Allowance,
  ): Joined | null {
    this.begin(keys);
    this.answered = true;
    this.mostRecords = RECORDS12;
    this.first = first;
    this.last = Math.min(last, first + NUMBERS12 - 1);
    if (this.trials === null) {
      const lines = this.lines(keys, 'CLIENT_RANDOM');
      this.total = lines.length;
      this.searched = 0;
      this.trials = walk12(keys, lines, role, keysOfLine);
    }
    return this.spend(r, undefined, allowance);
  }

  /** New lines give a new search. */
  private begin(keys: KeyLog): void {
    if (keys.revision === this.revision) return;
    this.revision = keys.revision;
    this.records = 0;
    this.left = LIMITS.lateJoinBlocks;
    this.trials = null;
  }

  private group(keys: KeyLog, stage: keyof typeof LABELS, role: Role): Group {
    return { stage, role, lines: this.lines(keys, LABELS[stage][role]) };
  }

  private lines(keys: KeyLog, label: KeyLabel): readonly number[] {
    const lines = keys.orphans(label, LIMITS.lateJoinLines + 1);
    if (lines.length > LIMITS.lateJoinLines) {
      lines.pop();
      this.lineLimit = ours`; limit ${LIMITS.lateJoinLines} lines of a label`;
    }
    return lines;
  }

  /** Begins with the first candidate. `each`: how many candidates a line and suite are. */
  private prepare(
    keys: KeyLog,
    groups: readonly Group[],
    suite: number,
    each: number,
    spans: () => Iterable<Span>,
  ): void {
    const suites = (line: number): readonly Openable[] =>
      suitesBySecret(keys.secretLength(line)).filter((how) => suite === 0 || how.suite.id === suite);
    this.total = 0;
    this.searched = 0;
    for (const { lines } of groups) for (const line of lines) this.total += each * suites(line).length;
    this.trials = walk(keys, groups, suites, spans);
  }

  /** Searches with what this direction, the frame and the run have left. */
  private spend(r: TlsRecord, next: TlsRecord | undefined, allowance: Allowance): Joined | null {
    const before = Math.min(this.left, allowance.at(r.frame));
    const budget: Budget = { left: before };
    const found = this.sweep(r, next, budget);
    this.left -= before - budget.left;
    allowance.take(before - budget.left);
    this.blockLimit =
      allowance.total <= 0
        ? ours`; the run may search no further (limit ${LIMITS.lateJoinBlocksTotal} blocks)`
        : this.left <= 0
          ? ours`; limit ${LIMITS.lateJoinBlocks} blocks`
          : this.trials !== null
            ? ours`; limit ${LIMITS.lateJoinBlocksAtOnce} blocks at once, more with later records`
            : NO_LIMIT;
    return found;
  }

  private sweep(r: TlsRecord, next: TlsRecord | undefined, budget: Budget): Joined | null {
    while (budget.left > 0) {
      const { value: trial } = this.trials!.next();
      if (trial === undefined) {
        this.trials = null;
        this.records++;
        return null;
      }
      const { from, to } = this.answered ? { from: this.first, to: this.last } : trial;
      const whole: Budget = { left: WHOLE };
      const found = tried(r, next, trial.keys(), from, to, whole);
      budget.left -= WHOLE - whole.left + trial.cost;
      this.searched += this.answered ? 1 : to - from + 1;
      if (found !== null) return { ...found, clientRandom: trial.orphan.clientRandom, role: trial.role };
    }
    return null;
  }

  /** How far the search came, in words. */
  get reason(): Words {
    if (this.older) return OLDER;
    if (this.total === 0) return this.answered ? NO_LINE : NOTHING_LEFT;
    const limit = ours`${this.lineLimit}${this.blockLimit}`;
    if (this.answered) return words`${NO_CLIENT_HELLO} (${this.searched} of ${this.total} keys tried${limit}).`;
    const tried = ours`${this.searched} of ${this.total} keys and record numbers searched${limit}`;
    return words`The handshake was not captured, and no line of the key logs opens these records (${tried}).`;
  }
}

/** Below TLS 1.3 the numbers are tried one by one: those that a tag tells would cost more with a key that is wrong. */
function tried(
  r: TlsRecord,
  next: TlsRecord | undefined,
  epoch: Epoch,
  from: number,
  to: number,
  budget: Budget,
): { epoch: Epoch; sequence: number } | null {
  if (epoch.tls13) return seek(r, next, [{ epoch, from, to }], budget);
  const sequence = seekOneByOne(epoch, r, from, to, budget);
  return sequence < 0 ? null : { epoch, sequence };
}

function* walk12(
  keys: KeyLog,
  lines: readonly number[],
  role: Role,
  keysOfLine: (line: Orphan) => Epoch,
): Generator<Trial> {
  for (const line of lines) {
    const orphan = keys.orphan(line);
    yield { generation: 0, from: 0, to: 0, role, orphan, cost: KEYS12_COST, keys: () => keysOfLine(orphan) };
  }
}

function* walk(
  keys: KeyLog,
  groups: readonly Group[],
  suites: (line: number) => readonly Openable[],
  spans: () => Iterable<Span>,
): Generator<Trial> {
  for (const span of spans())
    for (const { lines, stage, role } of groups)
      for (const line of lines)
        for (const how of suites(line)) {
          const orphan = keys.orphan(line);
          const cost = KEY_COST * (span.generation + 1);
          yield { ...span, role, orphan, cost, keys: () => keysOf(how, orphan, stage, span.generation) };
        }
}
