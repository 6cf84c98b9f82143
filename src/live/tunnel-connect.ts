import { X509Certificate } from 'node:crypto';
import { connect as connectTcp, isIP } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { hostAndPortText } from '../kit/index.js';
import { Lookup } from './lookup.js';
import { type HttpProxy, throughProxy } from './proxy.js';
import { Attempts } from './tap-attempts.js';
import type { OuterTape } from './tap-tape.js';
import { ServerFlight } from './tls-request.js';
import { contextOptions, fingerprint, pinned, type TlsVersions } from './tls-settings.js';
import { Tap } from './tls-tap.js';
import { plainly } from './tls-words.js';
import type { Families } from './tunnel-envelopes.js';
import { NotEstablished, type Stage } from './tunnel-failure.js';
import { TunnelLink } from './tunnel-link.js';

/** What a UE must know to establish a tunnel. */
export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  /** With it, access type II and nothing else. TS 24.322 §5.2.2.1 */
  readonly proxy?: HttpProxy;
  /** The server name to send instead of `host`. */
  readonly sni?: string;
  /** Certificates of the CAs to trust, PEM; absent: those that Node trusts. */
  readonly ca?: string;
  readonly insecure?: boolean;
  /** See {@link pinned}. */
  readonly pin?: string;
  readonly versions: TlsVersions;
  readonly ciphers?: string;
  /** A session of an earlier tunnel to resume. */
  readonly session?: Buffer;
  readonly families?: Families;
  readonly tape?: OuterTape;
  /** Gets each line of the TLS key log. */
  readonly onKey?: (line: Buffer) => void;
  /** Gets sessions that a later tunnel may resume. */
  readonly onSession?: (session: Buffer) => void;
  /** For each of TCP, CONNECT and TLS. */
  readonly timeoutMs: number;
  /** Nobody wants the tunnel any more. */
  readonly gone?: AbortSignal;
}

/** A tunnel that was established, and how. */
export interface Established {
  readonly link: TunnelLink;
  readonly accessType: 'I' | 'II';
  /** `TLSv1.3`, `TLS_AES_256_GCM_SHA384`. */
  readonly version: string;
  readonly cipher: string;
  readonly resumed: boolean;
  /** SHA-256 of the certificate of the EFTF; not there where a session was resumed. */
  readonly certificate?: string;
  /** What it took: the name, TCP, CONNECT, TLS. */
  readonly ms: number;
}

/** Establishes a tunnel to an EFTF as a UE does (TS 24.322 §5.2.2). @throws NotEstablished */
export async function establish(o: ConnectOptions): Promise<Established> {
  const from = performance.now();
  let overhead = 0; // of processes that resolve names
  const open: OpenTcp = async (host, port, who) => {
    const lookup = new Lookup();
    const tap = await tcp(host, port, o, lookup, who);
    overhead += lookup.overheadMs;
    return tap;
  };
  const { proxy } = o;
  const target = hostAndPortText(o.host, o.port);
  // TS 24.322 §5.2.2.1: with a proxy, through it alone
  const tap = proxy === undefined ? await open(o.host, o.port) : await viaProxy(proxy, target, o, open);
  const { link, certificate } = await handshake(tap, o);
  const { tls } = link;
  return {
    link,
    accessType: proxy === undefined ? 'I' : 'II',
    version: tls.getProtocol() ?? '?',
    cipher: tls.getCipher().standardName,
    resumed: tls.isSessionReused(),
    ...(certificate !== undefined && { certificate }),
    ms: performance.now() - from - overhead,
  };
}

/** Opens a tapped TCP connection. @param who is there, before the name */
type OpenTcp = (host: string, port: number, who?: string) => Promise<Tap>;

function viaProxy(proxy: HttpProxy, target: string, o: ConnectOptions, openTcp: OpenTcp): Promise<Tap> {
  const open = (): Promise<Tap> => openTcp(proxy.host, proxy.port, 'the proxy ');
  const name = hostAndPortText(proxy.host, proxy.port);
  const late = (): NotEstablished =>
    new NotEstablished('proxy', `the proxy ${name} did not answer CONNECT within ${inSeconds(o)}`);
  return throughProxy(open, target, proxy, (answer) => within(o, o.timeoutMs, answer, late));
}

const inSeconds = (o: ConnectOptions): string => `${o.timeoutMs / 1000} s`;

/** A TCP connection, tapped from its first octet on. */
function tcp(host: string, port: number, o: ConnectOptions, lookup: Lookup, who = ''): Promise<Tap> {
  const name = `${who}${hostAndPortText(host, port)}`;
  const socket = connectTcp({ host, port, allowHalfOpen: true, noDelay: true, lookup: lookup.ask });
  let isResolved = isIP(host) !== 0;
  socket.once('lookup', () => {
    isResolved = true;
  });
  const attempts = o.tape && new Attempts(socket, o.tape);
  const open = new Promise<Tap>((resolve, reject) => {
    const failed = (e: NodeJS.ErrnoException): void => {
      attempts?.write();
      const stage: Stage = e.code === 'ENOTFOUND' || e.code === 'EAI_AGAIN' ? 'dns' : 'tcp';
      reject(new NotEstablished(stage, `${name}: ${plainly(firstOf(e))}`));
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      const { localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 } = socket;
      const here = { address: localAddress, port: localPort };
      attempts?.write(remoteAddress);
      // Of a name with several addresses the last that was tried is the one that answers.
      const taped = o.tape?.connection(here, { address: remoteAddress, port: remotePort }, true, attempts?.asked);
      const tap = new Tap(socket, taped);
      socket.off('error', failed);
      resolve(tap);
    });
  });
  const late = (): NotEstablished =>
    isResolved
      ? new NotEstablished(
          'tcp',
          `${name}: no TCP connection within ${inSeconds(o)} (blocked access, or a wrong address)`,
        )
      : new NotEstablished('dns', `${name}: the name was not resolved within ${inSeconds(o)} (no DNS server answers)`);
  return within(o, o.timeoutMs, open, late, () => {
    attempts?.write();
    lookup.stop();
    socket.destroy();
  });
}

/** Of the errors of several addresses of one name, the first. */
function firstOf(e: NodeJS.ErrnoException): NodeJS.ErrnoException {
  return e instanceof AggregateError && e.errors.length > 0 ? (e.errors[0] as NodeJS.ErrnoException) : e;
}

interface Handshaken {
  readonly link: TunnelLink;
  /** SHA-256 of the certificate of the EFTF. */
  readonly certificate: string | undefined;
}

/** How OpenSSL's errors are called where an alert came, or no TLS at all. */
const FROM_THERE = /^ERR_SSL_(?:\w+_ALERT_|WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH)/;

/** The TLS handshake; ends when a valid Finished came (TS 24.322 §5.2.2.4). */
function handshake(tap: Tap, o: ConnectOptions): Promise<Handshaken> {
  // TS 24.322 §5.2.2.2: server_name if the EFTF address is an FQDN; RFC 6066 §3: never an address
  const name = o.sni ?? (isIP(o.host) === 0 ? o.host : undefined);
  const options: ConnectionOptions = {
    socket: tap,
    host: o.host,
    ...(name !== undefined && { servername: name }),
    rejectUnauthorized: o.insecure !== true && o.pin === undefined,
    ...contextOptions(o.versions, o.ciphers),
    ...(o.ca !== undefined && { ca: o.ca }),
    ...(o.session && { session: o.session }),
  };
  const fail = (words: string, hint?: string): NotEstablished =>
    new NotEstablished('tls', `TLS with ${hostAndPortText(o.host, o.port)} failed: ${words}`, hint);
  const flight = new ServerFlight();
  const before = tap.read() as Buffer | null; // what came behind the answer of a proxy
  if (before !== null) {
    flight.hear(before);
    tap.unshift(before);
  }
  tap.raw.on('data', flight.hear);
  /** With what the server said before it broke off. */
  const why = (words: string): string => {
    const { wants, text } = flight;
    if (wants !== '') return `${words}: ${wants}`;
    return text === '' ? words : `${words}; what came first is text: "${text}"`;
  };
  let tls: TLSSocket;
  const open = new Promise<Handshaken>((resolve, reject) => {
    try {
      tls = connectTls(options);
    } catch (e) {
      tap.destroy();
      reject(fail(plainly(e as NodeJS.ErrnoException)));
      return;
    }
    tls.on('keylog', (line: Buffer) => {
      o.tape?.key(line.toString('latin1'));
      o.onKey?.(line);
    });
    // TLS 1.2 has its session before the certificate was looked at.
    let session: Buffer | undefined;
    let isTrusted = false;
    tls.on('session', (s: Buffer) => {
      session = s;
      if (isTrusted) o.onSession?.(s);
    });
    const failed = (e: NodeJS.ErrnoException): void =>
      reject(fail(FROM_THERE.test(e.code ?? '') ? why(plainly(e)) : plainly(e), hintFor(e)));
    const closed = (): void => reject(fail(why('the EFTF closed the connection during the handshake')));
    tls.once('error', failed).once('end', closed).once('close', closed);
    tls.once('secureConnect', () => {
      tls.off('error', failed).off('end', closed).off('close', closed);
      // Node has it only during this call.
      const x509 = tls.getPeerX509Certificate();
      const certificate = x509 && fingerprint(x509);
      // A session that is resumed shows none: that which it began with was looked at then.
      if (o.pin !== undefined && !tls.isSessionReused() && (x509 === undefined || !pinned(o.pin, x509))) {
        tls.on('error', () => {}).destroy();
        reject(fail(`its certificate is not the pinned one (it has ${certificate ?? 'none'})`));
        return;
      }
      isTrusted = true;
      if (session !== undefined) o.onSession?.(session);
      // A release may come with the Finished: a link that is made later would not hear it.
      const link = new TunnelLink(tls, tap, {
        peer: 'the EFTF',
        ...(o.proxy && { hop: 'the proxy' }),
        ...(o.families && { families: o.families }),
      });
      resolve({ link, certificate });
    });
  });
  const late = (): NotEstablished => fail(`no answer within ${inSeconds(o)}`);
  return within(o, o.timeoutMs, open, late, () => tls.destroy()).finally(() => tap.raw.off('data', flight.hear));
}

/** What to do about a certificate that is not taken. */
function hintFor({ code = '' }: NodeJS.ErrnoException): string | undefined {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return '--sni NAME is the name to ask for and to find in it, --pin names the certificate, --insecure trusts anyone';
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return 'Is the clock of this machine right? --pin names the certificate, --insecure trusts anyone';
  if (/CERT|VERIFY|SELF_SIGNED/.test(code))
    return '--ca FILE names its CA, --pin its certificate, --insecure trusts anyone';
  return undefined;
}

/** The outcome of `work`; after `ms`, or when nobody wants it any more, an error and what `stop` does. */
async function within<T>(
  { gone }: ConnectOptions,
  ms: number,
  work: Promise<T>,
  late: () => Error,
  stop: () => void = () => {},
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let unwanted = (): void => undefined;
  const limit = new Promise<never>((_, reject) => {
    const end = (why: Error): void => {
      reject(why);
      stop();
    };
    timer = setTimeout(() => end(late()), ms);
    unwanted = () => end(new NotEstablished('tcp', 'given up'));
    if (gone?.aborted) unwanted();
    else gone?.addEventListener('abort', unwanted);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
    gone?.removeEventListener('abort', unwanted);
    work.catch(() => {});
  }
}

/** The certificates in a PEM text; empty where there are none. */
export function certificatesIn(pem: string): X509Certificate[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  return found.map((text) => new X509Certificate(text));
}
