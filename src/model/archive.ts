import { grouped, latin1 } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Call } from './call.js';
import type { CallEntity, MediaEntity } from './entities.js';
import { judgeOver, judgeStreamOf } from './judge.js';
import type { Live } from './live.js';
import { isSure } from './media.js';
import type { MediaStream } from './media-stream.js';
import { type Moment, millis } from './moment.js';
import { MadeSeries, type Series, type Teller } from './series.js';
import type { SessionModel } from './session-model.js';
import { CallTally, MediaTally, type Tallies } from './tally.js';

/** Where entries of a report wait until they are wanted. */
export interface Shelf {
  /** Takes an entry; returns its place. */
  put(entry: object): number;
  /** The entry as the report has it: one line of JSON in UTF-8, until another is asked for. */
  line(place: number): Uint8Array;
  /** The entry again, its numbers and times as the report has them. */
  get(place: number): object;
}

/** Calls that are over for good, and from where on there may be more. */
export interface CallsOver {
  readonly calls: readonly CallEntity[];
  readonly next: number;
}

/** So long nothing more is heard of a call that is over: twice as long as anything is repeated (RFC 3261 §17). */
export const CALM_MS = 64_000;
/** A stream without a call may pause as long as its pinhole may (RFC 4787 REQ-5). */
const ALONE_MS = 300_000;

/** What is left in the end is put away where it is more than such a share of what may be at hand. */
const FEW = 4;

/** Before the numbers of a call's streams, and after them. */
const MEDIA = '"media":[';
const CLOSE_LIST = ']';
const COMMA = ',';
/** The name stands among the first octets of an entry. */
const UID_WITHIN = 64;

/** The places of what was put away, by its number. */
class Places {
  /** One more than the place; 0: it was not put away. */
  private byId = new Float64Array(1024);
  size = 0;

  add(id: number, place: number): void {
    if (id >= this.byId.length) {
      const larger = new Float64Array(2 * id);
      larger.set(this.byId);
      this.byId = larger;
    }
    this.byId[id] = place + 1;
    this.size++;
  }

  /** -1: it was not put away. */
  at(id: number): number {
    return (this.byId[id] ?? 0) - 1;
  }

  /** The numbers, going up. */
  get ids(): Int32Array<ArrayBuffer> {
    const ids = new Int32Array(this.size);
    for (let id = 0, n = 0; n < ids.length; id++) if (this.byId[id] !== 0) ids[n++] = id;
    return ids;
  }

  /** What was put at a place or behind it, in the order of places. */
  from(place: number): Float64Array {
    return this.byId
      .filter((p) => p > place)
      .sort()
      .map((p) => p - 1);
  }

  /** Everything has the number now that stands at its old one. */
  renumber(numbers: Int32Array): void {
    const { byId, ids } = this;
    this.byId = new Float64Array(Math.max(byId.length, numbers.length));
    for (const id of ids) this.byId[numbers[id]] = byId[id];
  }
}

/**
 * Puts calls that are over, and their media, on a shelf as the report will have them, so that memory does not grow with
 * the capture. They are judged when they go. What few there are of stays: then nothing that comes later is missed.
 */
export class Archive {
  private readonly calls = new Places();
  private readonly media = new Places();
  /** Streams that wait in lists of stalls for the numbers of the report. */
  private readonly delayed: MediaStream[] = [];
  /** By the number that a stream had while it was followed: the one that it has in the report. */
  private numbers = new Int32Array(0);
  /** Calls from this place on name streams by the numbers of the report. */
  private settled = Number.POSITIVE_INFINITY;
  private next: number;
  /** Of what was put away. */
  readonly tallies: Tallies = { calls: new CallTally(), media: new MediaTally() };

  constructor(
    private readonly model: SessionModel,
    private readonly shelf: Shelf,
    private readonly kept: number = LIMITS.keptCalls,
  ) {
    this.next = kept;
  }

  /** Looks for what is over at a time, where much is kept. */
  tidy(now: Moment): void {
    const { signalling, media } = this.model;
    if (signalling.calls.size + media.streams.size < this.next) return;
    const streams = grouped(media.streams, (s) => s.call);
    for (const c of signalling.calls) this.consider(c, streams.get(c.id) ?? [], now);
    for (const s of streams.get(0) ?? []) if (millis(s.rtp.end, now) >= ALONE_MS) this.alone(s, now);
    this.next = Math.max(this.kept, Math.ceil((signalling.calls.size + media.streams.size) * 1.25));
  }

  private consider(c: Call, streams: readonly MediaStream[], now: Moment): void {
    if (c.end === null || c.state === 'established' || millis(c.last, now) < CALM_MS) return;
    if (streams.some((s) => millis(s.rtp.end, now) < CALM_MS || !this.model.media.isUnique(s))) return;
    const sure = streams.filter(isSure);
    for (const s of sure) c.carry(s);
    judgeOver(this.model, c, sure, now);
    const entity = c.entity(this.model.tell);
    this.tallies.calls.add(entity);
    this.calls.add(c.id, this.shelf.put(entity));
    for (const s of sure) this.put(s);
    for (const s of streams) this.model.media.forget(s);
    this.model.signalling.forget(c);
  }

  private alone(s: MediaStream, now: Moment): void {
    if (!this.model.media.isUnique(s)) return;
    if (isSure(s)) {
      judgeStreamOf(this.model, s, now, []);
      this.put(s);
    }
    this.model.media.forget(s);
  }

  private put(s: MediaStream): void {
    const entity = s.entity(this.model.media.codecOf(s));
    this.tallies.media.add(entity);
    this.media.add(s.id, this.shelf.put(entity));
    if (s.headOfLine.length > 0) this.delayed.push(s);
  }

  /**
   * Puts away what is still at hand, where that is much. To be called when it was judged: streams have the numbers of the
   * report then.
   */
  rest(): void {
    const { signalling, media } = this.model;
    if (signalling.calls.size + media.streams.size < this.kept / FEW) return;
    for (const c of [...signalling.calls]) {
      const entity = c.entity(this.model.tell);
      this.tallies.calls.add(entity);
      const place = this.shelf.put(entity);
      this.settled = Math.min(this.settled, place);
      this.calls.add(c.id, place);
      signalling.forget(c);
    }
    for (const s of [...media.streams]) {
      this.put(s);
      media.forget(s);
    }
  }

  /** Calls that were put away at a place or behind it, so many at most; their streams have no numbers yet. */
  over(from: number, most: number): CallsOver {
    const places = this.calls.from(from).subarray(0, most);
    const calls = Array.from(places, (place) => ({ ...(this.shelf.get(place) as CallEntity), media: [] }));
    return { calls, next: places.length === 0 ? from : places[places.length - 1] + 1 };
  }

  /** Numbers of the streams that were put away. */
  get streams(): Int32Array {
    return this.media.ids;
  }

  /** The numbers that the streams have in the report are known. */
  renumber(numbers: Int32Array<ArrayBuffer>): void {
    this.numbers = numbers;
    for (const s of this.delayed) s.id = numbers[s.id];
    this.media.renumber(numbers);
  }

  private call(place: number): CallEntity {
    const c = this.shelf.get(place) as CallEntity;
    return { ...c, media: this.renumbered(c.media, place) };
  }

  private stream(place: number, id: number): MediaEntity {
    return { ...(this.shelf.get(place) as MediaEntity), id };
  }

  /** Numbers of streams that a call names, as they are in the report. */
  private renumbered(media: readonly number[], place: number): number[] {
    return media.map((id) => (place < this.settled ? this.numbers[id] : id)).sort((a, b) => a - b);
  }

  /** Tells of a call. In a string the quotes of what is looked for would have backslashes before them. */
  private tellCall(out: Teller, place: number): void {
    const line = this.octets(place);
    const from = line.indexOf(MEDIA) + MEDIA.length;
    const to = line.indexOf(CLOSE_LIST, from);
    out.raw(line, 0, from);
    if (to > from) out.ascii(this.renumbered(latin1(line, from, to).split(',').map(Number), place).join(','));
    out.raw(line, to, line.length);
  }

  /** Tells of a stream: its number stands first. */
  private tellStream(out: Teller, place: number, id: number): void {
    const line = this.octets(place);
    out.ascii(`{"id":${id}`);
    out.raw(line, line.indexOf(COMMA), line.length);
  }

  private octets(place: number): Buffer {
    const { buffer, byteOffset, length } = this.shelf.line(place);
    return Buffer.from(buffer, byteOffset, length);
  }

  /** The name of something that was put away. */
  uidOf(kind: 'call' | 'media', id: number): string | undefined {
    const place = (kind === 'call' ? this.calls : this.media).at(id);
    return place < 0 ? undefined : /"uid":"(\w+)"/.exec(latin1(this.octets(place), 0, UID_WITHIN))?.[1];
  }

  callEntities(): Series<CallEntity> {
    return merged(
      this.calls,
      this.model.signalling.calls,
      (place) => this.call(place),
      (out, place) => this.tellCall(out, place),
      (c) => c.entity(this.model.tell),
    );
  }

  mediaEntities(): Series<MediaEntity> {
    const { media } = this.model;
    return merged(
      this.media,
      media.streams,
      (place, id) => this.stream(place, id),
      (out, place, id) => this.tellStream(out, place, id),
      (s) => s.entity(media.codecOf(s)),
    );
  }
}

/** What was put away and what was not, in the order of their numbers. */
function merged<T extends { readonly id: number }, E>(
  stored: Places,
  live: Live<T>,
  read: (place: number, id: number) => E,
  tell: (out: Teller, place: number, id: number) => void,
  make: (value: T) => E,
): Series<E> {
  if (stored.size === 0) return Array.from(live, make);
  const ids = new Int32Array(stored.size + live.size);
  ids.set(stored.ids);
  let n = stored.size;
  for (const { id } of live) ids[n++] = id;
  ids.sort();
  return new MadeSeries(
    ids.length,
    (i) => {
      const place = stored.at(ids[i]);
      return place < 0 ? make(live.at(ids[i])!) : read(place, ids[i]);
    },
    (i, out) => {
      const place = stored.at(ids[i]);
      if (place >= 0) tell(out, place, ids[i]);
      return place >= 0;
    },
  );
}
