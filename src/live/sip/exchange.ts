import { headersOf, type SipRepresentation, sipRequest } from '../../../dissectors/sip/index.js';
import { isChallenge } from '../../../dissectors/sip/status.js';
import { authorize, type Challenge, type Identity, readChallenge } from './credentials.js';
import type { SipLayer } from './layer.js';
import { type ClientTransaction, statusOf } from './transaction.js';
import type { SipPeer } from './transport.js';

/** A request to be sent, again where it is challenged. */
export interface RequestPlan {
  method: string;
  uri: string;
  peer: SipPeer;
  /** From, To, Call-ID and what else there is; not Via, CSeq, Max-Forwards, and credentials. */
  headers: readonly (readonly [string, string])[];
  /** The next CSeq number; asked for each time it is sent. */
  nextCSeq(): number;
  body?: { type: string; octets: Uint8Array };
  /** Parameters of our Via, such as `keep`. */
  via?: readonly (readonly [string, string])[];
  /** Credentials to begin with. */
  authorization?: string;
}

/** Told what comes of a request that may be challenged. */
export interface ExchangeHandler {
  /** All responses but challenges that are answered. */
  onResponse(response: SipRepresentation, request: SipRepresentation): void;
  onTimeout(): void;
  /** A challenge was answered, or could not be. */
  onChallenge?(about: { answered: boolean; reason?: string; resynchronising?: boolean }): void;
}

/** What a user knows for answering challenges: kept from request to request. */
export interface Wallet {
  identity: Identity;
  challenge: Challenge | undefined;
}

/** Challenges of one request that are answered. TS 24.229 §5.1.1.5.3: a third failure is the last */
const CHALLENGES = 3;

/** One request with its challenges: several transactions, one outcome. RFC 3261 §22 */
export class Exchange {
  request: SipRepresentation | undefined;
  transaction: ClientTransaction | undefined;
  private challenges = 0;
  private nonce: string | undefined;
  private over = false;

  constructor(
    private readonly layer: SipLayer,
    private readonly plan: RequestPlan,
    private readonly wallet: Wallet,
    private readonly handler: ExchangeHandler,
  ) {}

  start(): this {
    this.transmit(this.plan.authorization ? ['Authorization', this.plan.authorization] : undefined);
    return this;
  }

  /** Forgets it: no call back any more. */
  stop(): void {
    this.over = true;
    this.transaction?.stop();
  }

  private transmit(credentials: readonly [string, string] | undefined): void {
    const { method, uri, headers, body, via } = this.plan;
    const cseq = this.plan.nextCSeq();
    const over = (peer: SipPeer): SipRepresentation => {
      const list: (readonly [string, string])[] = [
        ['Via', this.layer.via(peer, via)],
        ['Max-Forwards', '70'],
        ...headers,
        ['CSeq', `${cseq} ${method}`],
        ...(credentials ? [credentials] : []),
      ];
      return sipRequest(method, uri, list, body);
    };
    const { peer } = this.plan;
    const request = over(peer);
    const stream = this.layer.streamFor(request, peer);
    if (stream === undefined) this.send(request, peer);
    else this.send(over(stream), stream, () => this.send(request, peer));
  }

  /** @param otherwise what to do where there is no connection. RFC 3261 §18.1.1 */
  private send(request: SipRepresentation, peer: SipPeer, otherwise?: () => void): void {
    this.request = request;
    this.transaction = this.layer.client(request, peer, {
      onResponse: (response) => this.received(response, request),
      ...(otherwise && { onFailure: otherwise }),
      onTimeout: () => {
        if (!this.over) this.handler.onTimeout();
      },
    });
    this.transaction.start();
  }

  private received(response: SipRepresentation, request: SipRepresentation): void {
    if (this.over) return;
    const status = statusOf(response);
    if (isChallenge(status) && this.answerChallenge(response, status)) return;
    this.handler.onResponse(response, request);
  }

  /** RFC 3261 §22.2, §22.3; gives up where the same nonce comes back without `stale`. RFC 7616 §3.3 */
  private answerChallenge(response: SipRepresentation, status: number): boolean {
    const name = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
    const challenge = readChallenge(headersOf(response, name));
    if (!challenge) return false;
    const nonce = challenge.params.get('nonce');
    const refused = nonce === this.nonce && challenge.params.get('stale')?.toLowerCase() !== 'true';
    if (refused || this.challenges >= CHALLENGES) {
      this.handler.onChallenge?.({ answered: false, reason: refused ? 'credentials refused' : 'challenged again' });
      return false;
    }
    this.challenges++;
    this.nonce = nonce;
    const { method, uri, body } = this.plan;
    const target = { method, uri, ...(body ? { body: body.octets } : {}) };
    const result = authorize(challenge, this.wallet.identity, target, this.layer.random);
    if ('failure' in result) {
      this.handler.onChallenge?.({ answered: false, reason: result.failure });
      if (result.failure !== 'mac failure' || method !== 'REGISTER') return false;
      this.wallet.challenge = undefined;
      this.challenges = CHALLENGES; // the next one is given up. TS 24.229 §5.1.1.5.3
      this.transmit(['Authorization', result.value]);
      return true;
    }
    this.wallet.challenge = result.resynchronising ? undefined : challenge;
    this.handler.onChallenge?.({ answered: true, resynchronising: result.resynchronising });
    this.transmit([status === 401 ? 'Authorization' : 'Proxy-Authorization', result.value]);
    return true;
  }
}
