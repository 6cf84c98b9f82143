import { randomBytes } from 'node:crypto';
import { codec, connectRequest, type HttpMessage, isStatusLine, type StatusLine } from '../../dissectors/http/codec.js';
import { PROXY_AUTHENTICATION_REQUIRED } from '../../dissectors/http/status.js';
import { digestAlgorithm, digestResponse } from '../crypto/digest.js';
import { encode, hostAndPortText, printable } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Tap } from './tls-tap.js';
import { plainly } from './tls-words.js';
import { NotEstablished } from './tunnel-failure.js';

/** An HTTP proxy on the way to the EFTF: access type II. TS 24.322 §5.2.2.3 */
export interface HttpProxy {
  readonly host: string;
  readonly port: number;
  readonly credentials?: Credentials;
}
/** Name and password for a proxy that asks for them. RFC 7617, RFC 7616 */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** A challenge of a 407. RFC 9110 §11.3 */
interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** An answer to CONNECT. */
export interface Answer extends HttpMessage {
  readonly start: StatusLine;
}

/**
 * Asks a proxy for a way to `target` (`host:port`), and again with credentials if it wants them (407); `open` gives a
 * TCP connection to the proxy, `inTime` the answer to a request, or an error where it comes too late. Returns the
 * connection, through to the target.
 * @throws NotEstablished
 */
export async function throughProxy(
  open: () => Promise<Tap>,
  target: string,
  proxy: HttpProxy,
  inTime: (answer: Promise<Answer>) => Promise<Answer>,
): Promise<Tap> {
  const name = hostAndPortText(proxy.host, proxy.port);
  let tap = await open();
  try {
    let answer = await inTime(ask(tap, target, name, []));
    for (
      let n = 0;
      answer.start.status === PROXY_AUTHENTICATION_REQUIRED && (n === 0 || (n === 1 && isStale(answer)));
      n++
    ) {
      const value = authorize(answer, target, name, proxy.credentials);
      const again = (): Promise<Answer> => inTime(ask(tap, target, name, [{ name: 'Proxy-Authorization', value }]));
      const anew = async (): Promise<Answer> => {
        tap.destroy();
        tap = await open();
        return again();
      };
      // It may close a connection that it did not say it would: RFC 9112 §9.3.1
      const kept = (): Promise<Answer> => again().catch((e) => (e instanceof Unanswered ? anew() : Promise.reject(e)));
      answer = await (stays(answer) ? kept() : anew());
    }
    const { status, reason } = answer.start;
    if (status >= 200 && status < 300) {
      if (answer.body.length > 0) tap.unshift(Buffer.from(answer.body));
      return tap;
    }
    const [words, hint] = refusal(status, target);
    const said = printable(`${status} ${reason}${causeIn(answer)}`);
    throw new NotEstablished('proxy', `the proxy ${name} answered ${said}: ${words}`, hint);
  } catch (e) {
    tap.destroy(); // it would keep the connection, and the command, for as long as the proxy likes
    throw e;
  }
}

/** Whether a 407 to credentials says nothing against them: the nonce alone was too old. RFC 7616 §3.3 */
const isStale = (a: Answer): boolean =>
  challengesOf(a).some((c) => /^digest$/i.test(c.scheme) && /^true$/i.test(c.parameters.get('stale') ?? ''));

/** A connection that ended without an octet of an answer. */
class Unanswered extends NotEstablished {}

function refusal(status: number, target: string): [words: string, hint?: string] {
  if (status === 403) return [`its policy does not allow ${target}`];
  if (status === PROXY_AUTHENTICATION_REQUIRED || status === 401) return ['it refuses the user name or the password'];
  if (status >= 300 && status < 400) return ['it redirects, as the log-in page of a network does', 'Log in first.'];
  if (status === 511) return ['the network wants somebody to log in', 'Log in first.']; // RFC 6585 §6
  if (status === 502 || status === 503 || status === 504) return [`it cannot reach ${target}`];
  if (status === 405 || status === 501) return ['it does not know CONNECT; is it a proxy?'];
  return [`it opens no way to ${target}`];
}

/** Sends a CONNECT and waits for the header of its answer, and for the body of a 407. */
function ask(tap: Tap, target: string, name: string, headers: { name: string; value: string }[]): Promise<Answer> {
  // TS 24.322 §5.2.2.3: Request-URI has the address and port of the EFTF
  tap.write(encode(codec, connectRequest(target, headers)));
  return new Promise((resolve, reject) => {
    let got = Buffer.alloc(0);
    const done = (error?: NotEstablished): void => {
      tap.pause();
      tap.off('data', more).off('end', ended).off('error', failed);
      if (error !== undefined) reject(error);
    };
    const fail = (words: string, Kind = NotEstablished): void => done(new Kind('proxy', `the proxy ${name} ${words}`));
    const end = (words: string): void => fail(words, got.length === 0 ? Unanswered : NotEstablished);
    const failed = (e: Error): void => end(`broke the connection: ${plainly(e)}`);
    const ended = (): void =>
      end(`closed the connection ${got.length === 0 ? 'without an answer' : 'in the middle of its answer'}`);
    const more = (octets: Buffer): void => {
      got = Buffer.concat([got, octets]);
      const answer = answerIn(got);
      if (answer !== undefined && answer !== 'other' && isInterim(answer)) {
        got = Buffer.alloc(0);
        more(Buffer.from(answer.body));
      } else if (got.length > LIMITS.undecidedOctets) fail('answered with a header that does not end');
      else if (answer === 'other') fail('does not speak HTTP');
      else if (answer !== undefined) {
        done();
        resolve(answer);
      }
    };
    tap.on('data', more).on('end', ended).on('error', failed);
    tap.resume();
  });
}

/** The answer that `b` holds; undefined: more octets are needed. */
function answerIn(b: Buffer): Answer | 'other' | undefined {
  const text = b.toString('latin1', 0, 7);
  if (!'HTTP/1.'.startsWith(text) && text !== 'HTTP/1.') return 'other';
  if (!/\n\r?\n/.test(b.toString('latin1'))) return undefined; // RFC 9112 §2.2: a line may end without CR
  const m = codec.parse(b, 0, b.length);
  if (!isStatusLine(m.start)) return 'other';
  const answer = { ...m, start: m.start };
  if (
    m.start.status === PROXY_AUTHENTICATION_REQUIRED &&
    stays(answer) &&
    m.body.length < Number(header(answer, 'content-length'))
  )
    return undefined;
  return answer;
}

/** Whether the final answer is still to come. RFC 9110 §15.2 */
const isInterim = ({ start: { status } }: Answer): boolean => status >= 100 && status < 200 && status !== 101;

const header = (m: HttpMessage, name: string): string | undefined =>
  m.headers.find((h) => h.name.toLowerCase() === name)?.value.trim();

/** Characters of a cause that are told. */
const CAUSE = 120;

/** What an answer says of its cause beside the status: RFC 9209 §2, or squid's own field. */
function causeIn(a: Answer): string {
  const cause = header(a, 'proxy-status') ?? header(a, 'x-squid-error') ?? '';
  return cause === '' ? '' : ` (${cause.slice(0, CAUSE)})`;
}

/** Whether the connection serves for another request: the length of the answer is known, and nobody closes. RFC 9112 §9.3 */
function stays(a: Answer): boolean {
  const closes = /\bclose\b/i.test(`${header(a, 'connection') ?? ''} ${header(a, 'proxy-connection') ?? ''}`);
  return !closes && /^\d+$/.test(header(a, 'content-length') ?? '') && a.start.version === 'HTTP/1.1';
}

/** The Proxy-Authorization for the best scheme that a 407 offers. @throws NotEstablished */
function authorize(a: Answer, target: string, name: string, credentials: Credentials | undefined): string {
  const offered = challengesOf(a);
  const schemes = printable([...new Set(offered.map((c) => c.scheme))].join(', ') || 'no scheme');
  const by = (scheme: string): Challenge[] => offered.filter((c) => c.scheme.toLowerCase() === scheme);
  const unknown = (): NotEstablished =>
    new NotEstablished(
      'proxy',
      `the proxy ${name} answered 407 and offers ${schemes}; fttscope knows Basic and Digest`,
    );
  if (by('digest').length + by('basic').length === 0) throw unknown();
  if (credentials === undefined)
    throw new NotEstablished(
      'proxy',
      `the proxy ${name} wants a user name and password (407; it offers ${schemes})`,
      'Give them as --proxy USER:PASSWORD@HOST:PORT, or in a file as --proxy-credentials FILE',
    );
  for (const c of by('digest')) {
    const value = digest(c.parameters, target, credentials);
    if (value !== undefined) return value;
  }
  if (by('basic').length > 0)
    return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`; // RFC 7617 §2
  throw unknown();
}

/** RFC 7616 §3.4; undefined where the algorithm or the quality of protection is unknown. */
function digest(p: ReadonlyMap<string, string>, uri: string, { username, password }: Credentials): string | undefined {
  const realm = p.get('realm') ?? '';
  const nonce = p.get('nonce') ?? '';
  const algorithm = p.get('algorithm');
  const offered = p.get('qop');
  const qop = offered?.split(',').some((q) => q.trim() === 'auth') ? 'auth' : undefined;
  if (digestAlgorithm(algorithm) === undefined || (offered !== undefined && qop === undefined)) return undefined;
  const nc = '00000001';
  const cnonce = randomBytes(12).toString('hex');
  const named = algorithm === undefined ? {} : { algorithm };
  const input = { ...named, username, realm, password, method: 'CONNECT', uri, nonce };
  const response = digestResponse(qop === undefined ? { ...input, cnonce } : { ...input, qop, nc, cnonce });
  if (response === undefined) return undefined;
  const quoted = {
    username,
    realm,
    nonce,
    uri,
    response,
    ...(qop && { cnonce }),
    ...(p.has('opaque') && { opaque: p.get('opaque')! }),
  };
  const bare = { ...named, ...(qop && { qop, nc }) };
  const quote = (v: string): string => `"${v.replace(/["\\]/g, '\\$&')}"`;
  return `Digest ${[
    ...Object.entries(quoted).map(([k, v]) => `${k}=${quote(v)}`),
    ...Object.entries(bare).map(([k, v]) => `${k}=${v}`),
  ].join(', ')}`;
}

const TOKEN = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/y;

const challengesOf = (a: Answer): Challenge[] =>
  a.headers.filter((h) => h.name.toLowerCase() === 'proxy-authenticate').flatMap((h) => challenges(h.value));

/** The challenges of one header, which may hold several. RFC 9110 §11.6.1 */
function challenges(value: string): Challenge[] {
  const out: { scheme: string; parameters: Map<string, string> }[] = [];
  for (let at = 0; at < value.length; ) {
    TOKEN.lastIndex = at;
    const m = TOKEN.exec(value);
    if (m === null) {
      at++;
      continue;
    }
    at = TOKEN.lastIndex;
    const v = m[2]?.replace(/\\(.)/g, '$1') ?? m[3];
    if (v === undefined) out.push({ scheme: m[1], parameters: new Map() });
    else out.at(-1)?.parameters.set(m[1].toLowerCase(), v);
  }
  return out;
}
