import { headerOf, headersOf, type SipRepresentation, sipResponse } from '../../../dissectors/sip/index.js';
import { STATUS_NAMES } from '../../../dissectors/sip/status.js';
import { LIMITS } from '../../limits.js';
import { addressText, parseAddress, plain, same } from '../address.js';
import type { Clock } from '../clock.js';
import { hexDigits, type Random } from '../random.js';
import { parseCSeq, parseVia, splitOutside, tagOf, type Via, viaText } from './header-text.js';
import {
  type ClientTransaction,
  InviteClient,
  InviteServer,
  methodOf,
  NonInviteClient,
  NonInviteServer,
  type ResponseHandler,
  type ServerTransaction,
} from './transaction.js';
import {
  isReliable,
  readSip,
  type SipPeer,
  type SipTimers,
  type SipTransport,
  samePeer,
  writeSip,
} from './transport.js';

/** What transactions are made over, and by which times. */
export interface SipLayerOptions {
  transport: SipTransport;
  clock: Clock;
  random: Random;
  timers: SipTimers;
}

/** A request that arrived, with what answers it. */
export interface IncomingRequest {
  readonly message: SipRepresentation;
  readonly method: string;
  readonly from: SipPeer;
  /** Undefined for ACK, which is not answered. */
  readonly transaction: ServerTransaction | undefined;
}

/** What a layer has seen and thrown away. */
export interface SipCounters {
  received: number;
  sent: number;
  /** Octets that are no SIP message, or lack what every message has. */
  malformed: number;
  /** Responses that answer nothing of ours. */
  stray: number;
  /** Requests dropped, as so many others wait for their end. */
  refused: number;
}

const MAGIC = 'z9hG4bK';
/** Octets of a request where the MTU of the path is not known. RFC 3261 §18.1.1 */
const MOST_BY_UDP = 1300;

/**
 * Transport and transaction layer of a SIP element: messages in, transactions and requests out. RFC 3261 §17, §18,
 * RFC 3581. It looks into no header that these clauses do not speak of.
 */
export class SipLayer {
  readonly counters: SipCounters = { received: 0, sent: 0, malformed: 0, stray: 0, refused: 0 };
  /** A new request, or an ACK to a 2xx. */
  onRequest: ((request: IncomingRequest) => void) | undefined;
  /** A response that belongs to no transaction: a repeated 2xx to INVITE whose transaction is over. */
  onStray: ((response: SipRepresentation, from: SipPeer) => void) | undefined;
  /** What is no SIP at all: keep-alives, STUN. */
  onOther: ((octets: Uint8Array, from: SipPeer) => void) | undefined;
  /** The connection with a peer is gone, or never was; its transactions have failed before. */
  onLost: ((peer: SipPeer, why: string) => void) | undefined;
  /** Told once, when a request is dropped as so many others wait for their end. */
  onFull: ((most: number) => void) | undefined;
  /** Sees each message as it is sent or was received. */
  onMessage: ((message: SipRepresentation, peer: SipPeer, direction: 'sent' | 'received') => void) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: SipTimers;
  private readonly transport: SipTransport;
  private readonly clients = new Map<string, ClientTransaction>();
  private readonly servers = new Map<string, ServerTransaction>();

  constructor(options: SipLayerOptions) {
    this.clock = options.clock;
    this.random = options.random;
    this.timers = options.timers;
    this.transport = options.transport;
    this.transport.onOctets = (octets, from) => this.receive(plain(octets), from);
    this.transport.onLost = (peer, why) => this.lost(peer, why);
    this.transport.onUnreachable = (peer, why) => this.fail(peer, why);
  }

  /** Our address and port towards a peer. */
  local(peer: SipPeer): SipPeer | undefined {
    return this.transport.local(peer);
  }

  /** A Via of our own for a request to `peer`, with a new branch. RFC 3261 §8.1.1.7, RFC 3581 §3 */
  via(peer: SipPeer, extra: readonly (readonly [string, string])[] = []): string {
    const local = this.local(peer);
    const rport: [string, string][] = isReliable(peer) ? [] : [['rport', '']]; // a stream is answered on itself
    const params = new Map([['branch', MAGIC + hexDigits(this.random, 16)], ...rport, ...extra]);
    const host = local ? addressText(local.address) : 'invalid';
    return viaText({ transport: peer.protocol ?? 'UDP', host, port: local?.port, params });
  }

  /** The peer by TCP, where a request is too large for UDP and there is TCP. RFC 3261 §18.1.1 */
  streamFor(request: SipRepresentation, peer: SipPeer): SipPeer | undefined {
    if (isReliable(peer) || !this.transport.hasTcp || writeSip(request).length <= MOST_BY_UDP) return undefined;
    return { ...peer, protocol: 'TCP' };
  }

  /** A transaction for a request whose topmost Via is ours; `start` sends it. */
  client(message: SipRepresentation, peer: SipPeer, handler: ResponseHandler): ClientTransaction {
    const key = clientKey(message);
    const cx = this.context(peer, () => this.clients.delete(key));
    const Kind = methodOf(message) === 'INVITE' ? InviteClient : NonInviteClient;
    const transaction = new Kind(cx, message, peer, handler);
    this.clients.set(key, transaction);
    return transaction;
  }

  /** Sends a message without a transaction: an ACK to a 2xx, or what a proxy passes on. */
  send(message: SipRepresentation, peer: SipPeer): void {
    this.counters.sent++;
    this.onMessage?.(message, peer, 'sent');
    this.transport.send(writeSip(message), peer);
  }

  /** Sends octets that are no SIP message: keep-alives. */
  sendOctets(octets: Uint8Array, peer: SipPeer): void {
    this.transport.send(octets, peer);
  }

  /** Answers a request; the To tag is made up where none is given. RFC 3261 §8.2.6 */
  respond(
    request: IncomingRequest,
    status: number,
    headers: readonly (readonly [string, string])[] = [],
    body?: { type: string; octets: Uint8Array },
  ): SipRepresentation {
    const to = headerOf(request.message, 'To') ?? '';
    const tagged = status === 100 || tagOf(to) !== undefined || headers.some(([name]) => name === 'To');
    const tag: [string, string][] = tagged ? [] : [['To', `${to};tag=${hexDigits(this.random, 8)}`]];
    const response = sipResponse(
      request.message,
      status,
      STATUS_NAMES[status] ?? 'Unknown',
      [...headers, ...tag],
      body,
    );
    request.transaction?.respond(response);
    return response;
  }

  /** The INVITE transaction that a CANCEL is about. RFC 3261 §9.2 */
  cancelled(request: IncomingRequest): ServerTransaction | undefined {
    return this.servers.get(serverKey(request.message, 'INVITE') ?? '');
  }

  /** Ends the connection with a peer, if there is one, and what went over it. */
  drop(peer: SipPeer, why: string): void {
    if (!isReliable(peer)) return;
    this.transport.drop?.(peer, why);
    this.fail(peer, why);
  }

  /** Forgets everything. */
  close(): void {
    for (const t of [...this.clients.values(), ...this.servers.values()]) t.stop();
    this.transport.close();
  }

  private context(peer: SipPeer, done: () => void) {
    const { clock, timers } = this;
    return {
      clock,
      timers,
      reliable: isReliable(peer),
      done,
      send: (m: SipRepresentation, p: SipPeer) => this.send(m, p),
    };
  }

  /** RFC 3261 §18.4: the transactions of a connection that is gone are told. */
  private lost(peer: SipPeer, why: string): void {
    this.fail(peer, why);
    this.onLost?.(peer, why);
  }

  /** Ends the transactions with a peer that is not reached. RFC 3261 §17.1.4 */
  private fail(peer: SipPeer, why: string): void {
    for (const t of [...this.clients.values()]) if (samePeer(t.peer, peer)) t.fail(why);
  }

  private receive(octets: Uint8Array, from: SipPeer): void {
    const message = octets[0] >= 0x41 ? readSip(octets) : undefined;
    if (message === undefined) {
      if (octets.length === 0 || octets[0] < 0x41) this.onOther?.(octets, from);
      else this.counters.malformed++;
      return;
    }
    this.counters.received++;
    this.onMessage?.(message, from, 'received');
    if ('status' in message.start) this.response(message, from);
    else this.incoming(message, from);
  }

  private response(message: SipRepresentation, from: SipPeer): void {
    const transaction = this.clients.get(clientKey(message));
    if (transaction) {
      transaction.receive(message);
      return;
    }
    this.counters.stray++;
    this.onStray?.(message, from);
  }

  private incoming(message: SipRepresentation, from: SipPeer): void {
    const method = methodOf(message);
    const cseq = parseCSeq(headerOf(message, 'CSeq'));
    const via = parseVia(topVia(message) ?? '');
    const complete = ['From', 'To', 'Call-ID'].every((name) => headerOf(message, name) !== undefined);
    if (!via || cseq?.method !== method || !complete) {
      this.counters.malformed++;
      return;
    }
    const key = serverKey(message, method === 'ACK' ? 'INVITE' : method)!;
    const known = this.servers.get(key);
    if (known) {
      const wasForOurs = method !== 'ACK' || known.state !== 'accepted';
      known.receive(message);
      if (wasForOurs) return;
    }
    const marked = markVia(message, via, from);
    if (method === 'ACK') {
      this.onRequest?.({ message: marked, method, from, transaction: undefined });
      return;
    }
    if (this.servers.size >= LIMITS.sipTransactions) {
      if (++this.counters.refused === 1) this.onFull?.(LIMITS.sipTransactions);
      return;
    }
    const peer = answerTo(via, from);
    const cx = this.context(peer, () => this.servers.delete(key));
    const Kind = method === 'INVITE' ? InviteServer : NonInviteServer;
    const transaction = new Kind(cx, marked, peer);
    this.servers.set(key, transaction);
    this.onRequest?.({ message: marked, method, from, transaction });
  }
}

/** The first Via; several may share a line. */
export const topVia = (m: SipRepresentation): string | undefined => splitOutside(headersOf(m, 'Via')[0] ?? '', ',')[0];

/** RFC 3261 §17.1.3 */
function clientKey(m: SipRepresentation): string {
  const branch = parseVia(topVia(m) ?? '')?.params.get('branch') ?? '';
  const method = 'method' in m.start ? m.start.method : (parseCSeq(headerOf(m, 'CSeq'))?.method ?? '');
  return `${branch} ${method}`;
}

/** RFC 3261 §17.2.3; for peers of RFC 2543, Call-ID, From tag and CSeq stand for the branch. */
function serverKey(m: SipRepresentation, method: string): string | undefined {
  const via = parseVia(topVia(m) ?? '');
  if (!via) return undefined;
  const branch = via.params.get('branch') ?? '';
  const sentBy = `${via.host}:${via.port ?? ''}`;
  if (branch.startsWith(MAGIC)) return `${branch} ${sentBy} ${method}`;
  const cseq = parseCSeq(headerOf(m, 'CSeq'))?.number;
  return `${headerOf(m, 'Call-ID')} ${tagOf(headerOf(m, 'From'))} ${cseq} ${sentBy} ${method}`;
}

/** Adds `received` and the value of `rport` to the topmost Via. RFC 3261 §18.2.1, RFC 3581 §4 */
function markVia(m: SipRepresentation, via: Via, from: SipPeer): SipRepresentation {
  const sentBy = parseAddress(via.host);
  const asked = via.params.has('rport');
  const foreign = sentBy === undefined || !same(sentBy, from.address);
  if (!foreign && !asked) return m;
  const params = new Map(via.params);
  if (foreign || asked) params.set('received', addressText(from.address));
  if (asked) params.set('rport', String(from.port));
  const at = m.headers.findIndex((h) => /^(via|v)$/i.test(h.name));
  const [, ...others] = splitOutside(m.headers[at].value, ',');
  const value = [viaText({ ...via, params }), ...others].join(', ');
  return { ...m, headers: m.headers.map((h, i) => (i === at ? { name: h.name, value } : h)) };
}

/** Where a response goes. RFC 3261 §18.2.2, RFC 3581 §4 */
const answerTo = (via: Via, from: SipPeer): SipPeer =>
  isReliable(from) || via.params.has('rport') ? from : { address: from.address, port: via.port ?? 5060 };
