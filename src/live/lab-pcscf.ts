import { headerOf, headersOf, type SipRepresentation, sipRequest } from '../../dissectors/sip/index.js';
import { type Address, hostText, parseAddress } from './address.js';
import { Timer } from './clock.js';
import { LabRegistrar, type LabRegistrarOptions } from './lab-registrar.js';
import { listOf, parseNameAddress, parseSipUri, splitOutside, tagOf } from './sip/header-text.js';
import { keepAliveAnswer } from './sip/keep-alive.js';
import type { IncomingRequest, SipLayer } from './sip/layer.js';
import { type ClientTransaction, cancelFor, type ServerTransaction, statusOf } from './sip/transaction.js';
import { type SipPeer, sameEnd, samePeer, uriTransport } from './sip/transport.js';

/** Somebody who is always there: an echo, an announcement. */
export interface LabService {
  /** User part: `echo` for `sip:echo@domain`. */
  user: string;
  peer: SipPeer;
}

/** Whom the P-CSCF registers, and whom its calls reach beside them. */
export interface LabPcscfOptions extends LabRegistrarOptions {
  services?: readonly LabService[];
}

/** A request that was passed on and has no final response yet. */
interface Passed {
  readonly client: ClientTransaction;
  readonly to: SipPeer;
  /** How long an INVITE may ring, and after that its CANCEL be without effect. */
  readonly patience: Timer;
  /** Answers it with 408. */
  readonly giveUp: () => void;
  /** The INVITE is taken back: `asked` until somebody was heard of who can be told. */
  cancel?: 'asked' | 'sent';
}

/** Timer C: longer than three minutes. RFC 3261 §16.6 step 11 */
const RINGING_MS = 181_000;
/** Seconds after which a caller may try again. */
const RETRY_AFTER = '120';
/** Headers that a proxy writes anew, or takes out. TS 24.229 §5.2.6.3 */
const OWN = /^(via|v|max-forwards|route|p-preferred-identity|p-asserted-identity)$/i;

/**
 * The lab's P-CSCF, with the CSCFs behind it in one: registrar, and a proxy that keeps transactions, between registered
 * subscribers and to its services. RFC 3261 §16, TS 24.229 §5.2
 */
export class LabPcscf {
  readonly registrar: LabRegistrar;
  private readonly passed = new Map<ServerTransaction, Passed>();

  constructor(
    private readonly layer: SipLayer,
    private readonly options: LabPcscfOptions,
  ) {
    this.registrar = new LabRegistrar(layer, options);
    layer.onRequest = (request) => this.serve(request);
    layer.onOther = (octets, from) => this.other(octets, from);
    layer.onLost = (peer, why) => this.registrar.lost(peer, why);
  }

  private serve(request: IncomingRequest): void {
    const { message, method } = request;
    if (method === 'REGISTER') {
      this.registrar.handle(request);
      return;
    }
    if (method === 'CANCEL') {
      this.cancel(request);
      return;
    }
    const caller = this.registrar.byPeer(request.from);
    const trusted = this.options.services?.some((s) => samePeer(s.peer, request.from));
    if (!caller && !trusted) {
      if (method !== 'ACK') this.layer.respond(request, 403); // TS 24.229 §5.2.6.3.1: not registered
      return;
    }
    const refusal = this.options.faults?.value('refuse-invite');
    if (refusal !== undefined && method === 'INVITE' && tagOf(headerOf(message, 'To')) === undefined) {
      this.layer.respond(request, 100);
      this.layer.respond(request, refusal, refusal === 503 ? [['Retry-After', RETRY_AFTER]] : []);
      return;
    }
    const hops = Number(headerOf(message, 'Max-Forwards') ?? 70);
    if (!(hops >= 1 && hops <= 255)) {
      if (method !== 'ACK') this.layer.respond(request, hops === 0 ? 483 : 400); // RFC 3261 §16.3, §20.22
      return;
    }
    const target = this.target(message, request.from);
    if ('status' in target) {
      if (method !== 'ACK') this.layer.respond(request, target.status);
      return;
    }
    this.pass(request, target, hops, caller?.subscriber.impus[0]);
  }

  /** Where a request goes: along its routes, to a subscriber, to a service. RFC 3261 §16.4, §16.5 */
  private target(message: SipRepresentation, from: SipPeer): { uri: string; peer: SipPeer } | { status: number } {
    const { uri } = message.start as { uri: string };
    const routes = listOf(headersOf(message, 'Route')).filter((r) => !this.isOwn(r));
    if (routes.length > 0) {
      const next = peerOf(parseNameAddress(routes[0])?.uri ?? '');
      return next ? { uri, peer: next } : { status: 404 };
    }
    const parsed = parseSipUri(uri);
    if (!parsed) return { status: 416 };
    const direct = this.registrar.byContact(uri);
    if (direct) return { uri, peer: direct.peer };
    const service = this.options.services?.find(
      (s) => s.user === parsed.user && s.peer.address.length === from.address.length,
    );
    if (service)
      return { uri: `sip:${service.user}@${hostText(service.peer.address)}:${service.peer.port}`, peer: service.peer };
    const binding = this.registrar.binding(uri);
    if (binding) return { uri: binding.contact, peer: binding.peer };
    return { status: this.registrar.knows(uri) ? 480 : 404 };
  }

  private isOwn(route: string): boolean {
    const peer = peerOf(parseNameAddress(route)?.uri ?? '');
    const own = peer && this.layer.local(peer);
    return own !== undefined && sameEnd(own, peer!);
  }

  private pass(request: IncomingRequest, to: { uri: string; peer: SipPeer }, hops: number, asserted?: string): void {
    const { message, method, transaction } = request;
    const forwarded = this.forward(message, to, hops, request.from, asserted);
    if (!transaction) {
      this.layer.send(forwarded, to.peer); // RFC 3261 §16.11: the ACK of a 2xx has no transaction
      return;
    }
    if (method === 'INVITE') this.layer.respond(request, 100);
    const giveUp = (): void => {
      this.over(transaction);
      if (method === 'INVITE') this.layer.respond(request, 408);
      else transaction.stop(); // RFC 4320 §4.2: whoever asked has given up by then
    };
    const client = this.layer.client(forwarded, to.peer, {
      onResponse: (response) => {
        const known = this.passed.get(transaction);
        const isRinging = method === 'INVITE' && known !== undefined && statusOf(response) < 200;
        if (isRinging) this.rings(known, statusOf(response));
        this.back(response, transaction);
      },
      onTimeout: giveUp,
    });
    this.passed.set(transaction, { client, to: to.peer, patience: new Timer(this.layer.clock), giveUp });
    client.start();
  }

  /** Somebody was heard of: timer C of RFC 3261 §16.6 step 11 begins, and with §16.7 step 2 begins anew. */
  private rings(passed: Passed, status: number): void {
    if (passed.cancel === 'asked') this.sendCancel(passed);
    else if (passed.cancel === undefined && (status > 100 || !passed.patience.running))
      passed.patience.set(RINGING_MS, () => this.takeBack(passed)); // §16.8
  }

  /** Takes an INVITE back, as soon as there is somebody to tell. RFC 3261 §9.1, §16.10 */
  private takeBack(passed: Passed): void {
    if (passed.cancel !== undefined) return;
    passed.cancel = 'asked';
    if (passed.client.state === 'proceeding') this.sendCancel(passed);
  }

  private sendCancel(passed: Passed): void {
    const { client, to, patience } = passed;
    passed.cancel = 'sent';
    const nothing = { onResponse: () => undefined, onTimeout: () => undefined };
    this.layer.client(cancelFor(client.request), to, nothing).start();
    // RFC 3261 §9.1: who is gone answers neither of them
    patience.set(64 * this.layer.timers.t1, () => {
      client.stop();
      passed.giveUp();
    });
  }

  /** A request that was passed on has its final response. */
  private over(transaction: ServerTransaction): void {
    this.passed.get(transaction)?.patience.stop();
    this.passed.delete(transaction);
  }

  /** RFC 3261 §16.6 */
  private forward(
    message: SipRepresentation,
    to: { uri: string; peer: SipPeer },
    hops: number,
    from: SipPeer,
    asserted: string | undefined,
  ): SipRepresentation {
    const { method } = message.start as { method: string };
    const routes = listOf(headersOf(message, 'Route')).filter((r) => !this.isOwn(r));
    const headers: [string, string][] = [
      ['Via', this.layer.via(to.peer)],
      ...headersOf(message, 'Via').map((v): [string, string] => ['Via', v]),
      ['Max-Forwards', String(hops - 1)],
      ...routes.map((r): [string, string] => ['Route', r]),
    ];
    // RFC 5658 §5: two where the one side speaks TCP and the other UDP
    const sides = to.peer.protocol === from.protocol ? [from] : [to.peer, from];
    if (method === 'INVITE')
      for (const side of sides) headers.push(...this.ownAt(side).map((uri): [string, string] => ['Record-Route', uri]));
    if (asserted && method !== 'ACK') headers.push(['P-Asserted-Identity', `<${asserted}>`]);
    const rest = message.headers.filter((h) => !OWN.test(h.name)).map((h): [string, string] => [h.name, h.value]);
    const forwarded = sipRequest(method, to.uri, [...headers, ...rest]);
    // Content-Type and Content-Length stand among the rest
    const seen = forwarded.headers.findIndex((h) => /^(content-length|l)$/i.test(h.name));
    const unique = forwarded.headers.filter((h, i) => i === seen || !/^(content-length|l)$/i.test(h.name));
    return { ...forwarded, headers: unique, body: message.body };
  }

  /** Our address towards a peer, as a route; nothing without one. */
  private ownAt(peer: SipPeer): string[] {
    const own = this.layer.local(peer);
    return own === undefined ? [] : [`<sip:${hostText(own.address)}:${own.port}${uriTransport(peer)};lr>`];
  }

  /** RFC 3261 §16.7: without our Via, to where the request came from. */
  private back(response: SipRepresentation, transaction: ServerTransaction): void {
    const status = statusOf(response);
    if (status === 100) return;
    if (status >= 200) this.over(transaction);
    const at = response.headers.findIndex((h) => /^(via|v)$/i.test(h.name));
    const [, ...others] = splitOutside(response.headers[at]?.value ?? '', ',');
    const headers = response.headers.flatMap((h, i) => {
      if (i !== at) return [h];
      return others.length > 0 ? [{ name: h.name, value: others.join(', ') }] : [];
    });
    transaction.respond({ ...response, headers });
  }

  /** RFC 3261 §16.10 */
  private cancel(request: IncomingRequest): void {
    const invite = this.layer.cancelled(request);
    const known = invite && this.passed.get(invite);
    this.layer.respond(request, invite ? 200 : 481);
    if (known) this.takeBack(known);
  }

  stop(): void {
    for (const { patience } of this.passed.values()) patience.stop();
  }

  /** Keep-alives are answered. RFC 5626 §8, §3.5.1 */
  private other(octets: Uint8Array, from: SipPeer): void {
    const answer = keepAliveAnswer(octets, from);
    if (answer) this.layer.sendOctets(answer, from);
  }
}

/** Address and port of a URI that has an address for its host. */
function peerOf(uri: string): SipPeer | undefined {
  const parsed = parseSipUri(uri);
  const address: Address | undefined = parsed && parseAddress(parsed.host);
  if (address === undefined) return undefined;
  const isTcp = parsed?.params.get('transport')?.toLowerCase() === 'tcp';
  return { address, port: parsed?.port ?? 5060, ...(isTcp && { protocol: 'TCP' }) };
}
