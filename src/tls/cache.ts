import { createHash } from 'node:crypto';
import { latin1 } from '../kit/index.js';
import { LIMITS, type LimitReached, ReachedLimits } from '../limits.js';
import type { Served } from './epoch.js';
import type { KeyLog } from './keylog.js';
import type { Secret } from './secret.js';

/** What a handshake settled, without any secret: enough to go on with its records in a later file. */
export interface KnownHandshake {
  /** 32 octets each. */
  readonly clientRandom: Uint8Array;
  readonly serverRandom: Uint8Array;
  readonly version: number;
  readonly suite: number;
  readonly encryptThenMac: boolean;
  readonly truncatedHmac: boolean;
}

/** The master secret of a session below TLS 1.3, as far as it is known: sessions that resume it share it. */
export class MasterRef {
  #secret: Secret | undefined;
  #served: Served = 'resumption';

  constructor(readonly clientRandom: Uint8Array) {}

  set(secret: Secret, served: Served): void {
    this.#secret ??= secret;
    this.#served = served;
  }

  /** The secret as found before, or from a key log line of the session that it comes from. */
  find(keylog: KeyLog): { secret: Secret; served: Served } | undefined {
    if (this.#secret !== undefined) return { secret: this.#secret, served: this.#served };
    const found = keylog.find('CLIENT_RANDOM', this.clientRandom);
    if (found === undefined) return undefined;
    this.set(found.secret, found.source);
    return { secret: found.secret, served: found.source };
  }
}

/** What a ticket or session id leads back to. */
export interface Resumable {
  readonly master?: MasterRef;
  readonly suite: number;
  /** Client random of the session that gave it. */
  readonly giver: Uint8Array;
}

/**
 * What sessions know of each other: master secrets by session id and ticket (RFC 5246 §F.1.4, RFC 5077), suites by
 * ticket for early data, and whole handshakes by their connection for files that start after them. The oldest entries
 * go when it is full.
 */
export class SessionCache {
  readonly #sessions = new Map<string, Resumable>();
  readonly #handshakes = new Map<string, KnownHandshake>();

  readonly #reached = new ReachedLimits();

  /** @param cap most entries of each kind */
  constructor(readonly cap: number = LIMITS.tlsSessions) {}

  /** Whether sessions or handshakes made room. */
  get limits(): LimitReached[] {
    return this.#reached.limits;
  }

  #put<V>(map: Map<string, V>, key: string, value: V): void {
    map.delete(key);
    map.set(key, value);
    if (map.size <= this.cap) return;
    map.delete(map.keys().next().value!);
    this.#reached.capped('tlsSessions');
  }

  rememberId(sessionId: Uint8Array, session: Resumable): void {
    if (sessionId.length > 0) this.#put(this.#sessions, idKey(sessionId), session);
  }
  rememberTicket(ticket: Uint8Array, session: Resumable): void {
    if (ticket.length > 0) this.#put(this.#sessions, ticketKey(ticket), session);
  }
  /** @param key from {@link idKey} or {@link ticketKey} */
  by(key: string): Resumable | undefined {
    return this.#sessions.get(key);
  }

  /** Notes the handshake of a connection; `connection` names its four-tuple in whatever way the engine does. */
  rememberHandshake(connection: string, handshake: KnownHandshake): void {
    this.#put(this.#handshakes, connection, handshake);
  }
  handshake(connection: string): KnownHandshake | undefined {
    return this.#handshakes.get(connection);
  }
}

/** What a session is remembered by: its id, or a ticket that it gave (in TLS 1.3 a PSK identity). */
export const idKey = (id: Uint8Array): string => `i${latin1(id, 0, id.length)}`;
export const ticketKey = (ticket: Uint8Array): string => `t${createHash('sha256').update(ticket).digest('base64')}`;
