import { ContentType, RECORD_HEADER } from '../../dissectors/tls/numbers.js';
import { UNTOLD, type Words, words } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Decryptor } from './decryptor.js';
import type { Epoch, Served } from './epoch.js';
import type { Hole } from './hole.js';
import { MessageReader } from './messages.js';
import type { TlsRecord } from './record.js';
import { type Budget, type Candidate, seek, TAG_COST } from './seek.js';

/** The first records of an epoch whose tags are checked, and how often later ones are. */
const FIRST_CHECKED = 4;
const CHECK_EVERY = 256;
/** Records that are checked one by one after a number had to be searched for. */
const CAREFUL = 16;
/** Record numbers that framing errors may hide. */
const FRAMING_SLACK = 64;
/** From so many candidates on, the record after one must fit as well before a tag is tried. */
const WIDE = 2048;
/** More than any record has. */
const NO_LIMIT = 1 << 20;

/**
 * - `clear`: records are not protected yet
 * - `locked`: they are, and there is no key
 * - `open`: there is a key, and the number of the next record is known
 * - `seeking`: the number, or which key it is, has to be found
 */
type State = 'clear' | 'locked' | 'open' | 'seeking';

/** Where a channel gets its keys. */
export interface ChannelKeys {
  /** Key log lines may have been added, or `r` may say whose session it is: unlock the channel if they serve. */
  revive(channel: Channel, r: TlsRecord): void;
  /** Keys that may open the next record of a channel that seeks. */
  candidates(channel: Channel): readonly Candidate[];
  /** For a channel without candidates: looks among lines of the key log whose session was not met. */
  join(channel: Channel, r: TlsRecord, next: TlsRecord | undefined): { epoch: Epoch; sequence: number } | null;
}

/** The protected records of one direction: which key they have, which number, and what became of them. */
export class Channel {
  state: State = 'clear';
  epoch: Epoch | null = null;
  readonly reader = new MessageReader();
  /** Protected records, those opened, those not opened although there was a key, and those whose tag was checked. */
  records = 0;
  decrypted = 0;
  failed = 0;
  verified = 0;
  /** Who gave the key that opened the records. */
  served: Served | undefined;
  /** Numbers of the records where decryption went on after it was lost. */
  readonly resumedAt: number[] = [];
  /** Octets of plain text that a record may have (RFC 8449 §4), and the first one that has more: its frame and its octets. */
  most = NO_LIMIT;
  tooLong: { readonly frame: number; readonly octets: number; readonly most: number } | undefined;
  /** Why records could not be opened: the first reason. */
  reason: Words | undefined;
  /** Why the next record may have a key that is not there, for all that there are other keys. */
  hint: Words | undefined;
  /** Octets of the stream that are missing. */
  missing = 0;
  /** Octets were lost before the first protected record: a change of keys may be among them. */
  torn = false;
  private readonly queue: TlsRecord[] = [];
  /** Protected records since the number was last known. */
  private since = 0;
  /** Records that may be hidden by gaps since then. */
  private slack = 0;
  private careful = 0;
  /** Records that are missing, until one is opened again; and the keys that the one before had. */
  private hole: Hole | undefined;
  private before: Epoch | null = null;
  /** What the search may still cost, and what of that at the last frame that it was made for. */
  private left = 0;
  private now = 0;
  private frame = 0;
  /** Numbers, from the last one that is known on, that the next record cannot have: they were tried on those before it. */
  private excluded = 0;
  private everOpen = false;

  constructor(
    readonly direction: 0 | 1,
    private readonly keys: ChannelKeys,
    /** Takes content that is not application data, opened and checked. */
    private readonly content: (channel: Channel, r: TlsRecord) => void,
    private readonly decryptor: Decryptor,
  ) {}

  /** From now on records have these keys, from number 0 on; null: keys that are not known. */
  enter(epoch: Epoch | null, reason = UNTOLD): void {
    this.reader.reset();
    this.state = epoch === null ? 'locked' : 'open';
    this.epoch = epoch;
    this.since = 0;
    this.slack = 0;
    this.careful = 0;
    this.hole = undefined;
    this.excluded = 0;
    this.left = LIMITS.tagTrials * TAG_COST;
    if (epoch === null) this.reason ??= reason;
  }

  /** No more records will come. */
  release(): void {
    this.epoch = null;
    this.state = 'locked';
    this.reader.reset();
    this.queue.length = 0;
  }

  /** A locked channel gets its keys. Where no record was missed, the number is known. */
  unlock(epoch: Epoch): void {
    const exact = this.slack === 0;
    if (exact) epoch.sequence = this.since;
    this.epoch = epoch;
    this.state = exact ? 'open' : 'seeking';
    this.left = (LIMITS.tagTrials + this.since + this.slack) * TAG_COST;
  }

  /** Keys or numbers of the records have to be found. `range`: how many records may have gone before. */
  lose(range: number): void {
    this.state = 'seeking';
    this.slack = Math.min(LIMITS.recordSearch, this.slack + range);
    this.left = Math.max(this.left, (LIMITS.tagTrials + this.since + this.slack) * TAG_COST);
  }

  /** Octets of the stream are missing from here on: `hole` gets the numbers of the records that they take away. */
  tear(hole: Hole): void {
    if (this.hole !== undefined) return;
    this.drain();
    this.hole = hole;
    this.before = this.epoch;
    if (this.state === 'open') hole.first = this.epoch!.sequence;
    this.careful = Math.max(this.careful, 1);
  }

  /** A record behind a hole was opened. Numbers under other keys say nothing about those that are missing. */
  private mend(hole: Hole, epoch: Epoch, sequence: number): void {
    this.hole = undefined;
    if (epoch === this.before) hole.resumed = sequence;
    else delete hole.first;
  }

  /** Octets of the stream are missing (0: the framing was lost) before the next record. */
  gap(octets: number): void {
    this.drain();
    this.missing += octets;
    this.reader.reset();
    if (this.state === 'clear') {
      this.torn = true;
      this.slack += Math.ceil(octets / RECORD_HEADER);
      return;
    }
    const least = this.epoch?.leastRecord ?? RECORD_HEADER + 1;
    const range = octets === 0 ? FRAMING_SLACK : Math.floor(octets / least) + 1;
    if (this.state === 'locked') this.slack += range;
    else this.lose(range);
  }

  /** Takes a protected record; it is opened by the next {@link drain}. */
  push(r: TlsRecord): void {
    this.records++;
    if (this.queue.push(r) === 1) this.decryptor.enlist(this);
  }

  /** The smallest number that the next record may have, counted from the last one that is known. */
  get least(): number {
    return this.since;
  }

  /** The largest number that the next record may have, counted from the last one that is known. */
  get reach(): number {
    return Math.min(LIMITS.recordSearch, this.since + this.slack + 1);
  }

  /** Numbers that the next record may have under a key. */
  range(epoch: Epoch): Candidate {
    const from = epoch === this.epoch ? epoch.sequence : 0;
    return { epoch, from: from + this.excluded, to: from + this.reach };
  }

  /** Opens what is queued. */
  drain(): void {
    const { queue } = this;
    for (let i = 0; i < queue.length; ) i = this.step(i);
    queue.length = 0;
  }

  /** Deals with the queued record `i`, or with a run of them; returns the index of the next. */
  private step(i: number): number {
    const r = this.queue[i];
    if (r.status === 'cut') return this.passOver(i);
    if (this.state !== 'open') this.keys.revive(this, r);
    if (this.state === 'locked') {
      r.closed('no-keys', this.reason ?? UNTOLD);
      return this.passOver(i);
    }
    if (this.state !== 'open') return this.find(i);
    const epoch = this.epoch!;
    const singly = !epoch.proven || epoch.chained || this.careful > 0 || this.decryptor.verifyAll;
    return singly ? this.single(epoch, i) : this.run(epoch, i);
  }

  /** A record that counts but is not opened. */
  private passOver(i: number): number {
    this.epoch?.pass(this.queue[i]);
    if (this.state === 'open') this.epoch!.sequence++;
    else this.since++;
    return i + 1;
  }

  private single(epoch: Epoch, i: number): number {
    const r = this.queue[i];
    if (!epoch.open(r, epoch.sequence)) {
      this.lose(0);
      return i;
    }
    if (this.careful > 0) this.careful--;
    this.took(epoch, r, epoch.sequence);
    return i + 1;
  }

  /** A record was opened and its tag was right. */
  private took(epoch: Epoch, r: TlsRecord, sequence: number): void {
    if (this.hole !== undefined) this.mend(this.hole, epoch, sequence);
    epoch.pass(r);
    epoch.proven = true;
    epoch.sequence = sequence + 1;
    this.everOpen = true;
    this.since = 0;
    this.slack = 0;
    this.excluded = 0;
    this.deliver(epoch, r);
  }

  private deliver(epoch: Epoch, r: TlsRecord): void {
    if (r.verified) this.verified++;
    if (r.status !== 'open') {
      this.failed++;
      this.reason ??= r.why;
      return;
    }
    this.decrypted++;
    this.served = r.served = epoch.served;
    if (epoch.stage === 'early') r.early = true;
    const octets = epoch.tls13 ? r.end - r.off - RECORD_HEADER - epoch.tag : r.plain!.end - r.plain!.off;
    if (octets > this.most) this.tooLong ??= { frame: r.frame, octets, most: this.most };
    if (r.contentType !== ContentType.ApplicationData) this.content(this, r);
  }

  /** Opens everything queued from `from` on by batch, with a sample of tags. */
  private run(epoch: Epoch, from: number): number {
    const { queue } = this;
    const base = epoch.sequence;
    let to = from;
    let good = from;
    for (; to < queue.length; to++) {
      const r = queue[to];
      if (r.status === 'cut' || !this.checked(epoch, r, base + to - from)) continue;
      if (!epoch.open(r, base + to - from)) break;
      good = to + 1;
    }
    if (to < queue.length) {
      // Something between the last good sample and this one is wrong: they are looked at one by one.
      this.careful = to - good + 1;
      to = good;
    }
    const stop = this.decryptor.bulk.open({ epoch, queue, from, to, base: base - from }, this.decryptor.arena);
    if (stop < to) this.careful = Math.max(this.careful, 1);
    return this.give(epoch, from, stop, base);
  }

  private checked(epoch: Epoch, r: TlsRecord, sequence: number): boolean {
    return sequence < FIRST_CHECKED || sequence % CHECK_EVERY === 0 || r.end - r.off >= epoch.large;
  }

  /** Hands on the records `[from, to)` that a batch opened, until the keys change. */
  private give(epoch: Epoch, from: number, to: number, base: number): number {
    const { queue } = this;
    for (let i = from; i < to; i++) {
      const r = queue[i];
      if (r.status === 'cut') continue;
      // Rare contents are acted upon, so their tags are checked.
      if (r.contentType !== ContentType.ApplicationData && !r.verified && !epoch.open(r, base + i - from))
        return this.again(epoch, i, base + i - from);
      this.deliver(epoch, r);
      if (this.epoch !== epoch || this.state !== 'open') return this.requeue(i + 1);
    }
    epoch.sequence = base + to - from;
    return to;
  }

  /** Opens record `i` and those after it again, one by one. */
  private again(epoch: Epoch, i: number, sequence: number): number {
    epoch.sequence = sequence;
    this.careful = CAREFUL;
    return this.requeue(i);
  }

  private requeue(from: number): number {
    for (let i = from; i < this.queue.length; i++) if (this.queue[i].status !== 'cut') this.queue[i].requeue();
    return from;
  }

  /** Looks for key and number of the queued record `i`. */
  private find(i: number): number {
    const r = this.queue[i];
    const candidates = this.keys.candidates(this);
    const after = this.queue[i + 1];
    const next = after?.type === ContentType.ApplicationData && after.status === 'queued' ? after : undefined;
    const found = candidates.length > 0 ? this.search(r, next, candidates) : this.keys.join(this, r, next);
    if (found === null) {
      this.lost(r, candidates.length > 0);
      return this.passOver(i);
    }
    if (found.epoch !== this.epoch) this.reader.reset();
    this.epoch = found.epoch;
    this.state = 'open';
    this.careful = CAREFUL;
    const resumed = found.sequence > 0 || this.torn || this.missing > 0 || (this.everOpen && this.since > 0);
    if (resumed && this.resumedAt.length < LIMITS.tlsAlerts) this.resumedAt.push(found.sequence);
    this.took(found.epoch, r, found.sequence);
    return i + 1;
  }

  /** Tries what the frame of `r` may cost. Numbers that were left out are tried on the records after it. */
  private search(r: TlsRecord, next: TlsRecord | undefined, candidates: readonly Candidate[]): ReturnType<typeof seek> {
    if (r.frame !== this.frame) {
      this.frame = r.frame;
      this.now = LIMITS.tagTrialsAtOnce * TAG_COST;
    }
    const before = Math.min(this.left, this.now);
    if (before <= 0) return null;
    const budget: Budget = { left: before };
    const found = seek(r, this.slack > WIDE ? next : undefined, candidates, budget);
    this.left -= before - budget.left;
    this.now -= before - budget.left;
    const { stopped } = budget;
    this.excluded = stopped === undefined ? 0 : this.excluded + stopped + 1 - candidates[0].from;
    return found;
  }

  /** No key and number fitted a record. */
  private lost(r: TlsRecord, hasKeys: boolean): void {
    if (!hasKeys || this.hint !== undefined) {
      r.closed('no-keys', this.hint ?? this.reason ?? UNTOLD);
      this.reason ??= this.hint;
      return;
    }
    this.failed++;
    r.closed('failed', this.failure());
    this.reason ??= r.why;
  }

  private failure(): Words {
    const what = this.epoch?.tag === 0 ? 'MAC' : 'tag';
    const { epoch } = this;
    if (this.excluded > 0)
      return words`Its number was not found among the first ${this.excluded} (limit ${LIMITS.tagTrialsAtOnce} at once); the search goes on with the next record.`;
    if (epoch === null || !this.everOpen)
      return words`The key does not fit: the ${what} of the first protected record is wrong under it.`;
    if (!epoch.proven) return words`The ${epoch.stage} key may not fit: the ${what} of record 0 is wrong under it.`;
    if (this.left <= 0) return words`Decryption was lost after record ${epoch.sequence - 1} and could not go on.`;
    if (this.missing > 0 && this.since > 0)
      return words`Octets are missing before this record, and its number was not found.`;
    return words`The ${what} of record ${epoch.sequence + this.since} is wrong: its octets are damaged, or others are missing before it.`;
  }
}
