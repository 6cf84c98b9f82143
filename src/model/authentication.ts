import { Header } from '../../dissectors/sip/index.js';
import { type AkaOpinion, akaChallenge, leakedKeys, type SubscriberSecrets } from './aka.js';
import type { Aka } from './entities.js';
import type { Seen } from './moment.js';
import { parameterOf, type SipEvent } from './sip-event.js';

/** The keys of an AKA run, from which those of ESP come. TS 33.203 annex I */
interface SessionKeys {
  readonly ck: Uint8Array;
  readonly ik: Uint8Array;
}

/** How a registrar asks a UE who it is, and what the UE answers. RFC 3261 §22, RFC 3310, TS 24.229 §5.1.1.5 */
export class Authentication {
  aka: Aka | undefined;
  /** Challenges, one after the other, without success between; and how many of them repeat a nonce. */
  challenges = 0;
  sameNonce = 0;
  private nonce = '';
  private impi = '';
  private opinion: AkaOpinion | undefined;
  /** The first challenge that K does not make, the first response that it does not give, the first that carries keys. */
  falseChallenge: Seen | null = null;
  falseResponse: Seen | null = null;
  /** The first response that says that the card finds the challenge false. */
  refusedChallenge: Seen | null = null;
  leak: Seen | null = null;
  resynchronisations = 0;
  /** The most requests for resynchronisation without success between. */
  mostInARow = 0;
  private inARow = 0;
  /** The last challenge came for credentials that answered the one before. */
  isRejected = false;

  /** @param secrets keys of subscribers, where there are any */
  constructor(private readonly secrets?: SubscriberSecrets) {}

  /** Whether credentials answer the challenge before them. */
  isAnswer(credentials: string): boolean {
    return this.nonce !== '' && parameterOf(credentials, 'nonce') === this.nonce;
  }

  /** Takes a request with credentials, or '': whether they answer the challenge rightly. */
  request(at: Seen, e: SipEvent, credentials: string): void {
    this.impi = parameterOf(credentials, 'username') ?? this.impi;
    const auts = parameterOf(credentials, 'auts');
    if (auts !== undefined) {
      const rand = octetsOf(this.aka?.rand);
      const genuine = this.secrets?.resynchronisation(this.impi, rand, Buffer.from(auts, 'base64'));
      if (genuine === false) this.falseResponse ??= at;
      this.resynchronise();
      return;
    }
    if (this.aka === undefined) return;
    if (parameterOf(credentials, 'nonce') !== this.nonce) return; // an older challenge is answered
    if (this.nonce !== '' && parameterOf(credentials, 'response') === '') this.refusedChallenge ??= at; // RFC 3310 §3.4
    if (this.opinion === undefined) return;
    const body = e.isWhole ? e.body : undefined;
    const right = this.secrets?.response(this.opinion, credentials, 'REGISTER', body, this.aka.algorithm);
    if (right === undefined) return;
    this.aka.responseVerified = right;
    if (!right) this.falseResponse ??= at;
  }

  private resynchronise(): void {
    this.resynchronisations++; // RFC 3310 §3.4
    this.mostInARow = Math.max(this.mostInARow, ++this.inARow);
    if (this.aka !== undefined) this.aka.resynchronisations++;
  }

  /**
   * Takes a challenge.
   * @param answered whether the request had answered the one before
   * @returns whether it is one of AKA, and the keys of the run where they are known
   */
  challenged(at: Seen, e: SipEvent, answered: boolean): { readonly isAka: boolean; readonly keys?: SessionKeys } {
    // A network may offer Digest for others first: a UE with a card answers to AKA. RFC 8760 §2.4
    const values = e.texts(e.status === 401 ? Header.WwwAuthenticate : Header.ProxyAuthenticate);
    const value = values.find((v) => akaChallenge(v) !== undefined) ?? values[0] ?? '';
    const nonce = parameterOf(value, 'nonce') ?? '';
    this.isRejected = answered && !/^true$/i.test(parameterOf(value, 'stale') ?? ''); // RFC 7616 §3.3
    this.challenges++;
    if (nonce !== '' && nonce === this.nonce) this.sameNonce++;
    this.nonce = nonce;
    const aka = akaChallenge(value);
    if (aka !== undefined) this.aka = { ...aka, resynchronisations: this.resynchronisations };
    const leaked = leakedKeys(value);
    if (leaked !== undefined) this.leak ??= at;
    this.opine(at);
    const { ck, ik } = leaked ?? this.opinion ?? {};
    return { isAka: aka !== undefined, ...(ck !== undefined && ik !== undefined && { keys: { ck, ik } }) };
  }

  /** What the key of the subscriber says of the challenge. */
  private opine(at: Seen): void {
    const { aka } = this;
    this.opinion = undefined;
    if (aka?.rand === undefined || aka.autn === undefined) return;
    const o = this.secrets?.challenge(this.impi, octetsOf(aka.rand), octetsOf(aka.autn));
    this.opinion = o;
    if (o?.genuine === undefined) return;
    aka.macVerified = o.genuine;
    if (o.genuine && o.sqn !== undefined) aka.sqn = o.sqn;
    if (!o.genuine) this.falseChallenge ??= at;
  }

  /** The registrar knows who it is. */
  accepted(): void {
    this.challenges = 0;
    this.sameNonce = 0;
    this.inARow = 0;
  }
}

const octetsOf = (hex: string | undefined): Uint8Array => Uint8Array.from(Buffer.from(hex ?? '', 'hex'));
