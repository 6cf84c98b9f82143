import { equalBytes, u32 } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { Epoch } from './epoch.js';
import type { KeyLog, Orphan } from './keylog.js';
import type { Role } from './negotiation.js';
import { RECORD_HEADER, type TlsRecord } from './record.js';
import { type Budget, seek, TAG_COST } from './seek.js';
import { suitesBySecret } from './suites.js';

/** Record numbers that are tried with one key before it is the next one's turn: most captures start early. */
const STRIDE = 2048;
/** Keys that one traffic secret leads to, with those after KeyUpdates. */
const GENERATIONS = LIMITS.hiddenKeyUpdates + 1;

const NOTHING_LEFT =
  'The handshake was not captured: TLS 1.2 needs it, and for TLS 1.3 the key logs have no line that is not of another session.';
const OLDER =
  'The handshake was not captured: these are records of TLS 1.2, whose keys need the randoms of both hellos.';
const NO_CLIENT_HELLO =
  'The ClientHello was not captured, and no line of the key logs opens the records after the ServerHello';

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

/** One key to try. */
interface Trial {
  readonly orphan: Orphan;
  readonly role: Role;
  epoch: Epoch;
}

/** Lines of TLS 1.3 traffic secrets, by stage and role. */
const LABELS = {
  handshake: ['CLIENT_HANDSHAKE_TRAFFIC_SECRET', 'SERVER_HANDSHAKE_TRAFFIC_SECRET'],
  application: ['CLIENT_TRAFFIC_SECRET_0', 'SERVER_TRAFFIC_SECRET_0'],
} as const;

/**
 * Looks for the TLS 1.3 key log line that opens a direction whose handshake was not captured: every line whose session
 * was not met, with every suite that its length allows, up to two KeyUpdates on, as any of the first record numbers.
 */
export class LateJoin {
  /** Candidates tried so far, and all that there are. */
  searched = 0;
  total = 0;
  /** The records are of TLS 1.2: no search can help. */
  private older = false;
  /** The ServerHello is there: only the ClientHello is missing. */
  private answered = false;
  private revision = -1;
  private records = 0;
  private left: number = LIMITS.lateJoinBlocks;
  /** Which limit ended the search, in words. */
  private limit = '';

  /** Whether there is nothing more to try before lines are added. */
  exhausted(keys: KeyLog): boolean {
    if (this.older) return true;
    return (
      keys.revision === this.revision && (this.records >= LIMITS.lateJoinRecords || this.left <= 0 || this.total === 0)
    );
  }

  /**
   * Tries all candidates on one record.
   * @param suite the suite if it is known, else 0
   * @param shared what all searches of the run may still cost
   */
  find(
    r: TlsRecord,
    next: TlsRecord | undefined,
    role: Role,
    suite: number,
    keys: KeyLog,
    shared: Budget,
  ): Joined | null {
    this.begin(keys);
    this.records++;
    if (next !== undefined && countsNonces(r, next)) {
      this.older = true;
      return null;
    }
    const trials = [
      ...this.trials(keys, 'application', role, suite),
      ...this.trials(keys, 'application', role === 0 ? 1 : 0, suite),
    ];
    this.total = trials.length * GENERATIONS * LIMITS.recordSearch;
    this.searched = 0;
    return this.spend(shared, trials.length, (budget) => this.sweep(r, next, trials, budget));
  }

  /**
   * Tries all lines on a record that follows a ServerHello whose ClientHello was not captured: its number is small, and
   * it may be of the handshake.
   * @param last the largest number that it may have
   */
  identify(r: TlsRecord, role: Role, suite: number, last: number, keys: KeyLog, shared: Budget): Joined | null {
    this.begin(keys);
    this.answered = true;
    const trials = [...this.trials(keys, 'handshake', role, suite), ...this.trials(keys, 'application', role, suite)];
    this.total = trials.length;
    return this.spend(shared, trials.length, (budget) => {
      for (const { epoch, orphan } of trials) {
        const found = seek(r, undefined, [{ epoch, from: 0, to: last }], budget);
        if (found !== null) return { ...found, clientRandom: orphan.clientRandom, role };
      }
      return null;
    });
  }

  /** New lines give a new search. */
  private begin(keys: KeyLog): void {
    if (keys.revision === this.revision) return;
    this.revision = keys.revision;
    this.records = 0;
    this.left = LIMITS.lateJoinBlocks;
  }

  /** Searches with what this direction and the run have left. */
  private spend(shared: Budget, keys: number, search: (budget: Budget) => Joined | null): Joined | null {
    const budget: Budget = { left: Math.min(this.left, shared.left) };
    const before = budget.left;
    budget.left -= keys * TAG_COST; // for making the keys
    const found = search(budget);
    this.left -= before - budget.left;
    shared.left -= before - budget.left;
    if (shared.left <= 0) this.limit = `the run may search no further (limit ${LIMITS.lateJoinBlocksTotal} blocks)`;
    else if (this.left <= 0) this.limit = `limit ${LIMITS.lateJoinBlocks} blocks`;
    return found;
  }

  private trials(keys: KeyLog, stage: keyof typeof LABELS, role: Role, suite: number): Trial[] {
    const orphans = keys.orphans(LABELS[stage][role], LIMITS.lateJoinLines + 1);
    if (orphans.length > LIMITS.lateJoinLines) {
      orphans.pop();
      this.limit = `limit ${LIMITS.lateJoinLines} lines of a label`;
    }
    return orphans.flatMap((orphan) =>
      suitesBySecret(orphan.secret.length)
        .filter((how) => suite === 0 || how.suite.id === suite)
        .map((how) => ({ orphan, role, epoch: Epoch.of13(how, orphan.secret, stage, orphan.source) })),
    );
  }

  private sweep(r: TlsRecord, next: TlsRecord | undefined, trials: Trial[], budget: Budget): Joined | null {
    for (let generation = 0; generation < GENERATIONS; generation++) {
      for (let from = 0; from < LIMITS.recordSearch; from += STRIDE)
        for (const { epoch, orphan, role } of trials) {
          if (budget.left <= 0) return null;
          const found = seek(r, next, [{ epoch, from, to: from + STRIDE - 1 }], budget);
          this.searched += STRIDE;
          if (found !== null) return { ...found, clientRandom: orphan.clientRandom, role };
        }
      for (const t of trials) t.epoch = t.epoch.next();
    }
    return null;
  }

  /** How far the search came, in words. */
  get reason(): string {
    if (this.older) return OLDER;
    if (this.total === 0) return NOTHING_LEFT;
    const limit = this.limit === '' ? '' : `; ${this.limit}`;
    if (this.answered) return `${NO_CLIENT_HELLO} (${this.total} keys tried${limit}).`;
    const tried = `${this.searched} of ${this.total} keys and record numbers searched${limit}`;
    return `The handshake was not captured, and no line of the key logs opens these records (${tried}).`;
  }
}
