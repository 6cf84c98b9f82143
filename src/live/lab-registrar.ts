import { headerOf, headersOf, type SipRepresentation } from '../../dissectors/sip/index.js';
import { akaPassword, digestAlgorithm, digestResponse } from '../crypto/digest.js';
import type { Vector } from '../crypto/milenage.js';
import { LIMITS } from '../limits.js';
import { hostText, same } from './address.js';
import type { EftfFaults } from './fault-eftf.js';
import { octets } from './random.js';
import {
  listOf,
  type Parameters,
  parseAuth,
  parseNameAddress,
  parseVia,
  quote,
  secondsOf,
  splitOutside,
  userKey,
  viaText,
} from './sip/header-text.js';
import type { IncomingRequest, SipLayer } from './sip/layer.js';
import type { SipPeer } from './sip/transport.js';
import { AuthenticationCentre, type UsimSecrets } from './sip/usim.js';

/** How a subscriber is challenged. RFC 7616, RFC 3310, RFC 4169 */
export type LabAlgorithm = 'MD5' | 'SHA-256' | 'AKAv1-MD5' | 'AKAv2-MD5';

/** Somebody who may register. */
export interface LabSubscriber {
  impi: string;
  /** The first is asserted where none is asked for. */
  impus: readonly string[];
  algorithm: LabAlgorithm;
  /** For MD5 and SHA-256. */
  password?: string;
  /** For AKA. */
  usim?: UsimSecrets;
}

/** Where a registered subscriber is reached. */
export interface LabBinding {
  subscriber: LabSubscriber;
  contact: string;
  /** Where the registration came from: everything for the subscriber goes there. */
  peer: SipPeer;
  /** ms of the clock. */
  expires: number;
}

/** What became of a REGISTER. */
export interface RegistrarEvent {
  /** `forgotten`: a challenge made room for another; its answer will be challenged again. */
  type: 'registered' | 'deregistered' | 'challenged' | 'forgotten' | 'refused';
  impi: string;
  why?: string;
}

/** Who may register, for how long, and how they are challenged. */
export interface LabRegistrarOptions {
  domain: string;
  subscribers: readonly LabSubscriber[];
  /** Seconds granted at most. */
  longest?: number;
  /** Shorter registrations are refused with 423. */
  shortest?: number;
  /** Seconds between keep-alives, for UEs that offer them. RFC 6223 */
  keepSeconds?: number;
  /** What it does wrong. */
  faults?: EftfFaults;
  onEvent?(event: {
    type: 'registered' | 'deregistered' | 'challenged' | 'forgotten' | 'refused';
    impi: string;
    why?: string;
  }): void;
}

/** A challenge that was sent. */
interface Issued {
  impi: string;
  expires: number;
  /** Highest count that was used. RFC 7616 §3.4 */
  count: number;
  vector?: Vector & { rand: Uint8Array };
}

const NONCE_MS = 3_600_000;

type Verdict = 'right' | 'challenge' | 'stale' | 'wrong';

/** A registrar with Digest and AKA for a handful of subscribers. RFC 3261 §10.3, RFC 3310, TS 24.229 §5.4.1 */
export class LabRegistrar {
  private readonly byImpi = new Map<string, LabSubscriber>();
  private readonly centres = new Map<string, AuthenticationCentre>();
  private readonly byImpu = new Map<string, LabSubscriber>();
  private readonly bindings = new Map<string, LabBinding>();
  private readonly contacts = new Map<string, LabBinding>();
  private readonly peers = new Map<string, LabBinding>();
  private readonly issued = new Map<string, Issued>();

  constructor(
    private readonly layer: SipLayer,
    private readonly options: LabRegistrarOptions,
  ) {
    for (const s of options.subscribers) {
      this.byImpi.set(s.impi, s);
      for (const impu of s.impus) this.byImpu.set(userKey(impu), s);
      if (s.usim) this.centres.set(s.impi, new AuthenticationCentre(s.usim));
    }
  }

  /** Where an identity is registered, if it is. */
  binding(impu: string): LabBinding | undefined {
    return this.live(this.bindings.get(this.byImpu.get(userKey(impu))?.impi ?? ''));
  }

  /** Whose contact a URI is. */
  byContact(uri: string): LabBinding | undefined {
    return this.live(this.contacts.get(userKey(uri)));
  }

  /** Who is registered from there; a large request may come by TCP from another port. TS 24.229 §5.2.6.3.1 */
  byPeer(peer: SipPeer): LabBinding | undefined {
    const exact = this.peers.get(peerKey(peer));
    if (exact !== undefined || peer.protocol === undefined) return this.live(exact);
    return this.live([...this.peers.values()].find((b) => same(b.peer.address, peer.address)));
  }

  knows(impu: string): boolean {
    return this.byImpu.has(userKey(impu));
  }

  /** The connection of a subscriber is gone: it cannot be reached any more. RFC 5626 §5.3 */
  lost(peer: SipPeer, why: string): void {
    const b = this.peers.get(peerKey(peer));
    if (b !== undefined) this.remove(b.subscriber, `its connection: ${why}`);
  }

  /** Serves a REGISTER. */
  handle(request: IncomingRequest): void {
    const to = parseNameAddress(headerOf(request.message, 'To') ?? '')?.uri ?? '';
    const credentials = headersOf(request.message, 'Authorization')
      .map(parseAuth)
      .find((c) => c?.scheme === 'Digest');
    const impi = credentials?.params.get('username') ?? this.byImpu.get(userKey(to))?.impi;
    const subscriber = this.byImpi.get(impi ?? '');
    if (!subscriber || this.byImpu.get(userKey(to)) !== subscriber) {
      this.tell('refused', impi ?? to, 'unknown');
      this.layer.respond(request, 403);
      return;
    }
    const { faults } = this.options;
    const refusal = faults?.value('refuse-register');
    if (refusal !== undefined) {
      this.tell('refused', subscriber.impi, `${refusal}, a fault`);
      this.layer.respond(request, refusal);
      return;
    }
    if (faults?.has('challenge')) {
      this.challenge(request, subscriber, false);
      return;
    }
    const verdict = credentials ? this.check(credentials.params, subscriber, request.message) : 'challenge';
    if (verdict === 'right') this.register(request, subscriber);
    else if (verdict === 'wrong') {
      this.tell('refused', subscriber.impi, 'wrong credentials');
      this.layer.respond(request, 403);
    } else this.challenge(request, subscriber, verdict === 'stale');
  }

  private live(b: LabBinding | undefined): LabBinding | undefined {
    if (b && b.expires > this.layer.clock.now()) return b;
    if (b) this.remove(b.subscriber);
    return undefined;
  }

  private check(params: Parameters, s: LabSubscriber, m: SipRepresentation): Verdict {
    const nonce = params.get('nonce') ?? '';
    if (nonce === '') return 'challenge'; // TS 24.229 §5.1.1.2: empty credentials begin
    const issued = this.issued.get(nonce);
    if (!issued || issued.impi !== s.impi || issued.expires <= this.layer.clock.now()) return 'stale';
    const auts = params.get('auts');
    if (auts !== undefined && issued.vector) {
      this.issued.delete(nonce);
      const done = this.centres.get(s.impi)?.resynchronise(issued.vector.rand, Buffer.from(auts, 'base64'));
      return done ? 'challenge' : 'wrong'; // RFC 3310 §3.4
    }
    const password = issued.vector ? akaPassword(s.algorithm, issued.vector) : s.password;
    const count = Number.parseInt(params.get('nc') ?? '0', 16);
    if (count <= issued.count && params.has('qop')) return 'stale';
    const expected = digestResponse({
      algorithm: s.algorithm,
      username: s.impi,
      realm: this.options.domain,
      password: password ?? '',
      method: 'REGISTER',
      uri: params.get('uri') ?? '',
      nonce,
      ...(params.has('qop')
        ? { qop: params.get('qop')!, nc: params.get('nc') ?? '', cnonce: params.get('cnonce') ?? '' }
        : {}),
      body: m.body,
    });
    if (expected === undefined || expected !== params.get('response')?.toLowerCase()) return 'wrong';
    issued.count = count;
    return 'right';
  }

  private challenge(request: IncomingRequest, s: LabSubscriber, stale: boolean): void {
    const { random, clock } = this.layer;
    const rand = octets(random, 16);
    const aka = digestAlgorithm(s.algorithm)?.aka !== 0;
    const vector = aka ? this.centres.get(s.impi)?.vector(rand) : undefined;
    if (aka && !vector) {
      this.layer.respond(request, 403);
      return;
    }
    const bytes = vector ? Buffer.concat([rand, vector.autn]) : Buffer.from(rand);
    const nonce = bytes.toString('base64');
    this.forgetOld();
    const expires = clock.now() + NONCE_MS;
    this.issued.set(nonce, { impi: s.impi, expires, count: 0, ...(vector ? { vector: { ...vector, rand } } : {}) });
    const list = [
      `realm=${quote(this.options.domain)}`,
      `nonce=${quote(nonce)}`,
      `algorithm=${s.algorithm}`,
      'qop="auth"',
      ...(stale ? ['stale=true'] : []),
    ];
    this.tell('challenged', s.impi);
    this.layer.respond(request, 401, [['WWW-Authenticate', `Digest ${list.join(', ')}`]]);
  }

  /** Challenges are forgotten when they are over, and where there are too many the oldest. They stand in the order of both. */
  private forgetOld(): void {
    for (const [nonce, { impi, expires }] of this.issued) {
      const isOver = expires <= this.layer.clock.now();
      if (!isOver && this.issued.size < LIMITS.sipNonces) return;
      this.issued.delete(nonce);
      if (!isOver) this.tell('forgotten', impi, `there are ${LIMITS.sipNonces} challenges`);
    }
  }

  /** RFC 3261 §10.3, steps 6 to 8 */
  private register(request: IncomingRequest, s: LabSubscriber): void {
    const { longest = 3600, shortest = 60 } = this.options;
    const contacts = listOf(headersOf(request.message, 'Contact'));
    const common = secondsOf(headerOf(request.message, 'Expires'));
    if (contacts.includes('*')) {
      // Step 6: all bindings, which nothing else may stand beside.
      if (contacts.length > 1 || common !== 0) {
        this.layer.respond(request, 400);
        return;
      }
      this.remove(s);
      this.layer.respond(request, 200);
      return;
    }
    const contact = parseNameAddress(contacts[0] ?? '');
    const asked = secondsOf(contact?.params.get('expires')) ?? common ?? longest;
    if (contact && asked > 0 && asked < shortest) {
      this.layer.respond(request, 423, [['Min-Expires', String(shortest)]]);
      return;
    }
    const seconds = Math.min(longest, asked);
    if (contact && seconds === 0) this.remove(s);
    else if (contact) {
      const expires = this.layer.clock.now() + 1000 * seconds;
      this.keep({ subscriber: s, contact: contact.uri, peer: request.from, expires });
      this.tell('registered', s.impi);
    }
    const bound = this.bindings.get(s.impi);
    const left = bound ? Math.round((bound.expires - this.layer.clock.now()) / 1000) : 0;
    const own = this.layer.local(request.from);
    const host = own ? hostOf(own) : this.options.domain;
    this.layer.respond(this.withKeep(request), 200, [
      ...(bound ? [['Contact', `<${bound.contact}>;expires=${left}`] as const] : []),
      ...(bound ? [['Service-Route', `<sip:orig@${host};lr>`] as const] : []),
      ['P-Associated-URI', s.impus.map((u) => `<${u}>`).join(', ')],
    ]);
  }

  private keep(b: LabBinding): void {
    this.forget(this.bindings.get(b.subscriber.impi));
    this.bindings.set(b.subscriber.impi, b);
    this.contacts.set(userKey(b.contact), b);
    this.peers.set(peerKey(b.peer), b);
  }

  private forget(b: LabBinding | undefined): void {
    if (!b) return;
    this.bindings.delete(b.subscriber.impi);
    if (this.contacts.get(userKey(b.contact)) === b) this.contacts.delete(userKey(b.contact));
    if (this.peers.get(peerKey(b.peer)) === b) this.peers.delete(peerKey(b.peer));
  }

  private remove(s: LabSubscriber, why?: string): void {
    const b = this.bindings.get(s.impi);
    this.forget(b);
    if (b) this.tell('deregistered', s.impi, why);
  }

  /** Says how often keep-alives are wanted, in the Via of who offered them. RFC 6223 §4.4 */
  private withKeep(request: IncomingRequest): IncomingRequest {
    const { keepSeconds } = this.options;
    const at = request.message.headers.findIndex((h) => /^(via|v)$/i.test(h.name));
    const [top, ...others] = splitOutside(request.message.headers[at]?.value ?? '', ',');
    const via = parseVia(top);
    if (!keepSeconds || via?.params.get('keep') !== '') return request;
    via.params.set('keep', String(keepSeconds));
    const value = [viaText(via), ...others].join(', ');
    const headers = request.message.headers.map((h, i) => (i === at ? { name: h.name, value } : h));
    return { ...request, message: { ...request.message, headers } };
  }

  private tell(type: RegistrarEvent['type'], impi: string, why?: string): void {
    this.options.onEvent?.({ type, impi, ...(why ? { why } : {}) });
  }
}

const hostOf = (p: SipPeer): string => `${hostText(p.address)}:${p.port}`;
const peerKey = (p: SipPeer): string => `${p.protocol ?? 'UDP'} ${hostOf(p)}`;
