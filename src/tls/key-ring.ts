import { words } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { KnownHandshake } from './cache.js';
import type { Channel, ChannelKeys } from './channel.js';
import type { Epoch, Stage } from './epoch.js';
import type { Orphan } from './keylog.js';
import { LateJoin } from './late-join.js';
import { Negotiation, type Role } from './negotiation.js';
import type { TlsRecord } from './record.js';
import { type Budget, type Candidate, seek, TAG_COST } from './seek.js';
import type { TlsServices } from './services.js';

const STAGES: readonly Stage[] = ['early', 'handshake', 'application'];
/** What trying a suite of which only the key is known may cost. */
const GUESSES = 64 * TAG_COST;
const NO_HELLO = words`The handshake was not captured whole: keys of TLS 1.2 need the randoms of both hellos.`;
const NOT_GUESSED = words`${NO_HELLO} No suite of TLS 1.3 was found that opens the records (limit ${LIMITS.lateJoinBlocks} blocks).`;
const EARLY_MISSING = words`Early data (0-RTT): the key log has no CLIENT_EARLY_TRAFFIC_SECRET line for this session.`;

/** Which keys may open the next record of a session's channels, from whatever is known of its handshake. */
export class KeyRing implements ChannelKeys {
  /** The handshake that is under way, or the last one. */
  negotiation: Negotiation;
  /** The keys, or a ClientHello, say that direction 0 is the server's. */
  swapped = false;
  /** The handshake comes from another capture. */
  lent = false;
  /** One direction was found without any of the handshake: the first record of the other may have any number, too. */
  private joined = false;
  private readonly searches: [LateJoin | null, LateJoin | null] = [null, null];
  /** Revision of the key log that each direction has been tried with. */
  private readonly revisions: [number, number] = [-1, -1];
  /** Keys after KeyUpdates, by the keys before them. */
  private updated: WeakMap<Epoch, Epoch> | null = null;
  /** What guessing the suite may still cost. */
  private guesses: number = LIMITS.lateJoinBlocks;

  /** @param settled is told when a handshake was found that no message of this capture shows */
  constructor(
    private readonly services: TlsServices,
    private readonly connection: string,
    private readonly settled: () => void,
  ) {
    this.negotiation = this.renew();
  }

  /** A new handshake begins. */
  renew(): Negotiation {
    this.negotiation = new Negotiation(this.services.keys, this.services.cache);
    this.lent = this.joined = false;
    return this.negotiation;
  }

  /** No more records will come. */
  release(): void {
    this.negotiation.release();
    this.searches[0] = this.searches[1] = null;
    this.updated = null;
  }

  role(channel: Channel): Role {
    return this.swapped ? (channel.direction === 0 ? 1 : 0) : channel.direction;
  }

  /** Protected records come without the change of keys before them: it was lost, or the capture starts late. */
  begin(channel: Channel): void {
    const n = this.negotiation;
    if (!n.settled && n.clientHello === undefined && n.serverHello === undefined && this.connection !== '') {
      const known = this.services.cache.handshake(this.connection);
      if (known !== undefined) this.lend(known);
    }
    const isLate = this.lent || this.joined || this.negotiation.clientRandom.length === 0;
    channel.lose(isLate ? LIMITS.recordSearch : 0);
  }

  private lend(known: KnownHandshake): void {
    this.negotiation = Negotiation.known(known, this.services.keys, this.services.cache);
    this.lent = true;
    this.settled();
  }

  /** The handshake says more than before: locked channels may open now. */
  retry(): void {
    this.revisions.fill(-1);
  }

  revive(channel: Channel, r: TlsRecord): void {
    if (channel.state !== 'locked') return;
    const { revision } = this.services.keys;
    const n = this.negotiation;
    const identified = n.nameless && this.identify12(channel, r, n) !== null;
    if (identified) r.requeue();
    if (!identified && this.revisions[channel.direction] === revision) return;
    this.revisions[channel.direction] = revision;
    n.settleResumption(); // the ClientHello may have been captured after the change of keys
    if (n.tls13) {
      if (this.candidates(channel).length > 0 || n.hidden) channel.lose(0);
      return;
    }
    const epoch = n.epochs12()?.[this.role(channel)];
    if (epoch === undefined) return;
    channel.unlock(epoch);
    this.settled();
  }

  candidates(channel: Channel): readonly Candidate[] {
    const n = this.negotiation;
    channel.hint = undefined;
    if (n.clientRandom.length === 0) return [];
    const role = this.role(channel);
    if (n.version === 0) {
      const early = n.earlyEpochs();
      if (early.length === 0 && role === 0 && n.clientHello?.earlyData === true) channel.hint = EARLY_MISSING;
      return early.map((e) => channel.range(e));
    }
    if (n.tls13) return this.candidates13(channel, role);
    const epoch = channel.epoch ?? n.epochs12()?.[role];
    if (epoch === undefined) channel.reason ??= n.reason;
    return epoch === undefined ? [] : [channel.range(epoch)];
  }

  private candidates13(channel: Channel, role: Role): Candidate[] {
    const n = this.negotiation;
    const early = role === 0 && n.clientHello?.earlyData === true;
    const now = channel.epoch === null ? (early ? 0 : 1) : STAGES.indexOf(channel.epoch.stage);
    const out: Candidate[] = [];
    for (const stage of STAGES.slice(now)) {
      let epoch = channel.epoch?.stage === stage ? channel.epoch : n.epoch13(stage, role);
      for (let k = 0; epoch !== undefined; k++) {
        out.push(channel.range(epoch));
        if (stage !== 'application' || k === LIMITS.hiddenKeyUpdates) break;
        epoch = this.after(epoch);
      }
    }
    const waiting = channel.epoch === null || (channel.epoch.stage === 'handshake' && !channel.epoch.proven);
    if (n.epoch13('application', role) === undefined) channel.hint = n.reason;
    // What comes first has the keys of the handshake, whatever other keys there are.
    if (channel.epoch === null && n.epoch13('handshake', role) === undefined) channel.hint = n.reason;
    if (early && waiting && n.epoch13('early', 0) === undefined) channel.hint = EARLY_MISSING;
    if (out.length === 0) channel.reason ??= n.reason;
    return out;
  }

  /** The keys after a KeyUpdate. */
  after(epoch: Epoch): Epoch {
    this.updated ??= new WeakMap();
    let next = this.updated.get(epoch);
    if (next === undefined) {
      next = epoch.next();
      this.updated.set(epoch, next);
    }
    return next;
  }

  join(channel: Channel, r: TlsRecord, next: TlsRecord | undefined): { epoch: Epoch; sequence: number } | null {
    const n = this.negotiation;
    if (n.clientRandom.length > 0 && !n.hidden) return this.guess(channel, r); // its own lines serve or none
    const { keys, decryptor, cache } = this.services;
    if (n.nameless) return this.identify12(channel, r, n);
    const search = (this.searches[channel.direction] ??= new LateJoin());
    if (search.exhausted(keys)) {
      channel.reason = n.hidden ? n.reason : search.reason;
      return null;
    }
    if (n.serverHello !== undefined) return this.identify(channel, r, n);
    const found = search.find(r, next, this.role(channel), n.suite, keys, decryptor.allowance);
    channel.reason = found === null ? search.reason : undefined;
    if (found === null) return null;
    if (found.role !== this.role(channel)) this.swapped = !this.swapped;
    keys.joined(found.clientRandom);
    this.joined = true;
    this.negotiation = Negotiation.joined(found.clientRandom, found.epoch.how.suite.id, keys, cache);
    this.settled();
    return found;
  }

  /** All but the ClientHello was captured, or it is encrypted: the line that opens a record after the ServerHello says whose session it is. */
  private identify(channel: Channel, r: TlsRecord, n: Negotiation): { epoch: Epoch; sequence: number } | null {
    const { keys, decryptor } = this.services;
    const search = (this.searches[channel.direction] ??= new LateJoin());
    const role = this.role(channel);
    const found = search.identify(r, role, n.suite, channel.reach, keys, decryptor.allowance);
    channel.reason = found !== null ? undefined : n.hidden ? n.reason : search.reason;
    if (found === null) return null;
    keys.joined(found.clientRandom);
    n.identified(found.clientRandom);
    n.adopt(found.epoch, role);
    this.settled();
    return found;
  }

  /** The same below TLS 1.3. */
  private identify12(channel: Channel, r: TlsRecord, n: Negotiation): { epoch: Epoch; sequence: number } | null {
    const { keys, decryptor } = this.services;
    const search = (this.searches[channel.direction] ??= new LateJoin());
    const role = this.role(channel);
    if (!n.openable || keys.length === 0 || search.exhausted(keys)) {
      channel.reason ??= NO_HELLO;
      return null;
    }
    const keysOfLine = (line: Orphan): Epoch => n.keysOfLine(line, role);
    const { least, reach } = channel;
    const found = search.identify12(r, role, least, reach, keysOfLine, keys, decryptor.allowance);
    channel.reason = found === null ? search.reason : undefined;
    if (found === null) return null;
    keys.joined(found.clientRandom);
    n.identified(found.clientRandom);
    this.settled();
    return { epoch: n.epochs12()![role], sequence: found.sequence };
  }

  /** Only the client was captured: the suite of TLS 1.3 is the one under which the session's own lines open a record. */
  private guess(channel: Channel, r: TlsRecord): { epoch: Epoch; sequence: number } | null {
    const n = this.negotiation;
    if (n.version !== 0 || this.guesses <= 0) return null;
    const role = this.role(channel);
    const { allowance } = this.services.decryptor;
    for (const stage of STAGES.slice(1))
      for (const epoch of n.guesses(stage, role)) {
        const budget: Budget = { left: Math.min(GUESSES, this.guesses, allowance.at(r.frame)) };
        const before = budget.left;
        const found = seek(r, undefined, [channel.range(epoch)], budget);
        this.guesses -= before - budget.left;
        allowance.pass(before - budget.left);
        if (found === null) continue;
        n.adopt(epoch, role);
        this.settled();
        return found;
      }
    if (this.guesses <= 0) channel.reason = NOT_GUESSED;
    channel.reason ??= NO_HELLO;
    return null;
  }
}
