import { headerOf, headersOf, type SipRepresentation } from '../../../dissectors/sip/index.js';
import { hostText } from '../address.js';
import type { Cancel } from '../clock.js';
import { hexDigits, integer } from '../random.js';
import { authorize, emptyAuthorization } from './credentials.js';
import { Exchange, type Wallet } from './exchange.js';
import { listOf, parseNameAddress, parseVia, sameUser, secondsOf } from './header-text.js';
import { type SipLayer, topVia } from './layer.js';
import { statusOf } from './transaction.js';
import { type SipPeer, uriTransport } from './transport.js';

/** How far a registration is. */
export type RegistrationState = 'none' | 'registering' | 'registered' | 'deregistering' | 'failed';

/** What became of a REGISTER. */
export type RegistrationEvent =
  | { type: 'challenged'; answered: boolean; reason?: string; resynchronising?: boolean }
  | { type: 'registered'; seconds: number; refreshed: boolean; keepSeconds?: number }
  | { type: 'deregistered' }
  /** `retryMs`: it is tried again by itself. */
  | { type: 'failed'; status: number; reason: string; retryMs?: number };

/** Who registers where, and for how long. */
export interface RegistrationOptions {
  layer: SipLayer;
  /** P-CSCF. */
  peer: SipPeer;
  wallet: Wallet;
  /** Public identity: `sip:alice@ims.example`. */
  impu: string;
  domain: string;
  /** User part of the contact. */
  contactUser: string;
  /** `urn:uuid:…`. RFC 5626 §4.1 */
  instance: string;
  /** Seconds to ask for; 600000 without it. TS 24.229 §5.1.1.2 */
  expires?: number;
  userAgent: string;
  onEvent(event: RegistrationEvent): void;
}

/** TS 24.229 §5.1.1.2 */
const EXPIRES = 600_000;
/** RFC 5626 §4.5, seconds */
const RETRY_BASE = 30;
const RETRY_MOST = 1800;

/** A public identity at its registrar: registration, refresh, deregistration. RFC 3261 §10, TS 24.229 §5.1.1 */
export class Registration {
  state: RegistrationState = 'none';
  /** Route of requests after the P-CSCF. RFC 3608 */
  serviceRoute: string[] = [];
  /** Identities that the network registered with ours. RFC 7315 §4.1 */
  associated: string[] = [];
  private readonly callId: string;
  private readonly fromTag: string;
  private cseq: number;
  private expires: number;
  private exchange: Exchange | undefined;
  private cancel: Cancel = () => undefined;
  private failures = 0;

  constructor(private readonly options: RegistrationOptions) {
    const { random } = options.layer;
    this.callId = `${hexDigits(random, 24)}@${options.domain}`;
    this.fromTag = hexDigits(random, 8);
    this.cseq = integer(random, 1, 10_000);
    this.expires = options.expires ?? EXPIRES;
  }

  /** Contact as it stands in requests of ours. */
  contact(): string {
    const local = this.options.layer.local(this.options.peer);
    const host = local ? `${hostText(local.address)}:${local.port}` : 'invalid';
    return `sip:${this.options.contactUser}@${host}${uriTransport(this.options.peer)}`;
  }

  /** Contact of dialogs and of registration: with the instance. TS 24.229 §K.2.1.2.2.1 */
  contactHeader(): string {
    return `<${this.contact()}>;+sip.instance="<${this.options.instance}>"`;
  }

  /** Registers, or refreshes what is registered. */
  register(): void {
    this.cancel();
    if (this.state !== 'registered') this.state = 'registering';
    this.send(this.expires);
  }

  /** TS 24.229 §5.1.1.6 */
  deregister(): void {
    this.cancel();
    this.state = 'deregistering';
    this.send(0);
  }

  /** The connection that it went over is gone, and with it what is registered: it is made anew, after a while. RFC 5626 §4.5 */
  lost(why: string): void {
    if (this.state === 'registered') this.failed(503, `Connection: ${why}`);
  }

  /** Does nothing any more; sends nothing. */
  stop(): void {
    this.cancel();
    this.exchange?.stop();
    this.state = 'none';
  }

  private send(expires: number): void {
    this.exchange?.stop();
    const { layer, peer, impu, domain, wallet, userAgent } = this.options;
    const uri = `sip:${domain}`;
    const [known] = wallet.challenge
      ? [authorize(wallet.challenge, wallet.identity, { method: 'REGISTER', uri }, layer.random)]
      : [];
    const authorization =
      known && 'value' in known ? known.value : emptyAuthorization(wallet.identity.impi, domain, uri);
    const headers: [string, string][] = [
      ['From', `<${impu}>;tag=${this.fromTag}`],
      ['To', `<${impu}>`],
      ['Call-ID', this.callId],
      ['Contact', `${this.contactHeader()};reg-id=1;expires=${expires}`],
      ['Expires', String(expires)],
      ['Supported', 'path, outbound, gruu'],
      ['User-Agent', userAgent],
    ];
    this.exchange = new Exchange(
      layer,
      // RFC 6223 §4.3: we are willing to send keep-alives
      { method: 'REGISTER', uri, peer, headers, nextCSeq: () => ++this.cseq, via: [['keep', '']], authorization },
      wallet,
      {
        onChallenge: (about) => this.options.onEvent({ type: 'challenged', ...about }),
        onResponse: (response) => this.answered(response, expires),
        onTimeout: () => this.failed(408, 'no answer'),
      },
    );
    this.exchange.start();
  }

  private answered(response: SipRepresentation, expires: number): void {
    const status = statusOf(response);
    if (status < 200) return;
    if (status >= 300) {
      const least = secondsOf(headerOf(response, 'Min-Expires'));
      if (status === 423 && least !== undefined && least > expires && expires > 0) {
        this.expires = least; // RFC 3261 §10.2.8
        this.send(least);
        return;
      }
      const reason = 'reason' in response.start ? response.start.reason : '';
      this.failed(status, reason, secondsOf(headerOf(response, 'Retry-After')));
      return;
    }
    this.failures = 0;
    if (expires === 0) {
      this.state = 'none';
      this.serviceRoute = [];
      this.options.onEvent({ type: 'deregistered' });
      return;
    }
    this.registered(response, expires);
  }

  private registered(response: SipRepresentation, asked: number): void {
    const seconds = grantedTo(this.contact(), response) ?? secondsOf(headerOf(response, 'Expires')) ?? asked;
    if (seconds === 0) {
      this.failed(statusOf(response), 'no time was granted'); // RFC 3261 §10.2.2: that takes it back
      return;
    }
    const refreshed = this.state === 'registered';
    this.state = 'registered';
    this.serviceRoute = listOf(headersOf(response, 'Service-Route'));
    this.associated = listOf(headersOf(response, 'P-Associated-URI')).flatMap((v) => parseNameAddress(v)?.uri ?? []);
    const after = seconds > 1200 ? seconds - 600 : seconds / 2; // TS 24.229 §5.1.1.4.1
    this.cancel = this.options.layer.clock.after(1000 * after, () => this.register());
    const keep = Number(parseVia(topVia(response) ?? '')?.params.get('keep'));
    const flow = secondsOf(headerOf(response, 'Flow-Timer')); // RFC 5626 §4.4
    const keepSeconds = keep > 0 ? keep : flow;
    this.options.onEvent({ type: 'registered', seconds, refreshed, ...(keepSeconds ? { keepSeconds } : {}) });
  }

  private failed(status: number, reason: string, retryAfter?: number): void {
    const leaving = this.state === 'deregistering';
    this.state = leaving ? 'none' : 'failed';
    const passing = !leaving && (status === 408 || status === 480 || status >= 500) && status < 600;
    if (!passing) {
      this.options.onEvent({ type: 'failed', status, reason });
      return;
    }
    // RFC 5626 §4.5: half to all of a time that doubles with each failure
    this.failures++;
    const upper = Math.min(RETRY_MOST, RETRY_BASE * 2 ** this.failures);
    const { layer } = this.options;
    const retryMs = 1000 * Math.max(retryAfter ?? 0, upper * (0.5 + 0.5 * layer.random.next()));
    this.cancel = layer.clock.after(retryMs, () => this.register());
    this.options.onEvent({ type: 'failed', status, reason, retryMs });
  }
}

/** Seconds that a 200 grants to a contact. RFC 3261 §10.2.4 */
function grantedTo(contact: string, response: SipRepresentation): number | undefined {
  const own = listOf(headersOf(response, 'Contact'))
    .map(parseNameAddress)
    .find((a) => a && sameUser(a.uri, contact));
  return secondsOf(own?.params.get('expires'));
}
