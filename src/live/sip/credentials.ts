import { akaPassword, type DigestInput, digestAlgorithm, digestResponse } from '../../crypto/digest.js';
import { hexDigits, type Random } from '../random.js';
import { type Parameters, parseAuth, quote } from './header-text.js';
import type { Usim } from './usim.js';

/** Who a UE says it is, and how it proves it. */
export interface Identity {
  /** Private identity, the user name of Digest. */
  impi: string;
  password?: string;
  usim?: Usim;
}

/** Credentials for a challenge, or why there are none. */
export type AuthorizationResult =
  /** `value` of the Authorization header. `resynchronising`: it carries AUTS, and another challenge will come. */
  | { value: string; resynchronising: boolean; keys?: { ck: Uint8Array; ik: Uint8Array } }
  /** `value`: says to the network that its challenge is false. TS 24.229 §5.1.1.5.3 */
  | { failure: 'mac failure'; value: string }
  | { failure: 'unknown algorithm' | 'no password' | 'no usim' | 'unusable challenge' };

/** What of a request its credentials cover. RFC 7616 §3.4.2, §3.4.3 */
export interface Request {
  method: string;
  uri: string;
  body?: Uint8Array;
}

/** A challenge as it was read, and how often its nonce was used. */
export interface Challenge {
  params: Parameters;
  count: number;
  /** What the USIM made of it: it answers a challenge once, later requests use the same nonce. */
  aka?: { password: Uint8Array; ck: Uint8Array; ik: Uint8Array };
}

/** The first Digest challenge that we can answer: whoever asks names first what it likes best. RFC 7616 §3.7, RFC 8760 §2.4 */
export function readChallenge(values: readonly string[]): Challenge | undefined {
  const all = values.map(parseAuth).filter((c) => c?.scheme.toLowerCase() === 'digest');
  const usable = all.filter((c) => digestAlgorithm(c!.params.get('algorithm')) !== undefined);
  const first = usable[0] ?? all[0];
  return first && { params: first.params, count: 0 };
}

/** Answers a challenge with a password, or with a USIM. RFC 7616 §3.4, RFC 3310, RFC 4169 */
export function authorize(c: Challenge, identity: Identity, request: Request, random: Random): AuthorizationResult {
  const algorithm = c.params.get('algorithm') ?? 'MD5';
  const known = digestAlgorithm(algorithm);
  const nonce = c.params.get('nonce');
  if (nonce === undefined) return { failure: 'unusable challenge' };
  if (known === undefined) return { failure: 'unknown algorithm' };
  c.count++;
  if (known.aka === 0) {
    const { password } = identity;
    if (password === undefined) return { failure: 'no password' };
    return { value: header(c, identity, request, password, random), resynchronising: false };
  }
  if (c.aka === undefined) {
    const answer = askUsim(algorithm, nonce, identity);
    if (answer === 'mac failure') {
      const empty = emptyAuthorization(identity.impi, c.params.get('realm') ?? '', request.uri, nonce);
      return { failure: answer, value: `${empty}, algorithm=${algorithm}` };
    }
    if ('failure' in answer) return answer;
    if ('auts' in answer)
      return { value: header(c, identity, request, '', random, answer.auts), resynchronising: true }; // RFC 3310 §3.4
    c.aka = answer;
  }
  const { password, ck, ik } = c.aka;
  return { value: header(c, identity, request, password, random), resynchronising: false, keys: { ck, ik } };
}

type UsimResult =
  | { password: Uint8Array; ck: Uint8Array; ik: Uint8Array }
  | { auts: string }
  | 'mac failure'
  | { failure: 'no usim' | 'unusable challenge' };

/** RFC 3310 §3.2: the nonce begins with RAND and AUTN. */
function askUsim(algorithm: string, nonce: string, identity: Identity): UsimResult {
  if (identity.usim === undefined) return { failure: 'no usim' };
  const octets = Buffer.from(nonce, 'base64');
  if (octets.length < 32) return { failure: 'unusable challenge' };
  const answer = identity.usim.authenticate(octets.subarray(0, 16), octets.subarray(16, 32));
  if (answer.result === 'mac failure') return 'mac failure';
  if (answer.result === 'resynchronise') return { auts: Buffer.from(answer.auts).toString('base64') };
  const { ck, ik } = answer;
  return { password: akaPassword(algorithm, { ...answer, ck, ik })!, ck, ik };
}

/** Credentials without a response, such as those before any challenge: they name the user. TS 24.229 §5.1.1.2 */
export const emptyAuthorization = (impi: string, realm: string, uri: string, nonce = ''): string =>
  `Digest username=${quote(impi)}, realm=${quote(realm)}, nonce=${quote(nonce)}, uri=${quote(uri)}, response=""`;

function header(
  c: Challenge,
  identity: Identity,
  request: Request,
  password: string | Uint8Array,
  random: Random,
  auts?: string,
): string {
  const { params } = c;
  const offered = (params.get('qop') ?? '').split(',').map((q) => q.trim().toLowerCase());
  const qop = offered.includes('auth') ? 'auth' : offered.includes('auth-int') ? 'auth-int' : undefined;
  const algorithm = params.get('algorithm');
  const realm = params.get('realm') ?? '';
  const nonce = params.get('nonce') ?? '';
  const nc = c.count.toString(16).padStart(8, '0');
  const cnonce = hexDigits(random, 16);
  const { method, uri } = request;
  const input: DigestInput = {
    ...(algorithm ? { algorithm } : {}),
    ...(qop ? { qop, nc, cnonce } : { cnonce }),
    ...(request.body ? { body: request.body } : {}),
    username: identity.impi,
    realm,
    nonce,
    password,
    method,
    uri,
  };
  const list = [
    `username=${quote(identity.impi)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
    `response=${quote(digestResponse(input) ?? '')}`,
    ...(algorithm ? [`algorithm=${algorithm}`] : []),
    ...(params.has('opaque') ? [`opaque=${quote(params.get('opaque')!)}`] : []),
    ...(qop ? [`qop=${qop}`, `nc=${nc}`, `cnonce=${quote(cnonce)}`] : []),
    ...(auts ? [`auts=${quote(auts)}`] : []),
  ];
  return `Digest ${list.join(', ')}`;
}
