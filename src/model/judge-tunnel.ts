import { EFTF_PORT } from '../../dissectors/ftt-ims.js';
import { PROXY_AUTHENTICATION_REQUIRED, TOO_MANY_REQUESTS } from '../../dissectors/http/status.js';
import { joined, type Own, ofNumber, ours, quoted, tenths, type Words, words } from '../kit/index.js';
import { HASTY_MS } from './answer-time.js';
import type { CertificateEntry, GapEntry, TunnelEntity, TunnelStep, Verdict } from './entities.js';
import type { Findings, Ref, Remark } from './findings.js';
import { isBefore, type Moment, type Seen } from './moment.js';

/** Pauses after which a middlebox may have forgotten a connection; healthy tunnels say something more often. */
const IDLE_MS = 30_000;
/** A stall that a person who phones notices, and one that a service notices. */
const STALL_NOTE_MS = 200;
const STALL_WARN_MS = 1000;
/** Keep-alives on TCP come every 95 to 120 s (RFC 5626 §4.4.1); many middleboxes forget a connection after 15 minutes. */
const IDLE_GAP_MS = 150_000;
const IDLE_LONG_MS = 900_000;
/** Clocks that are set by the network are closer. */
const CLOCKS_MS = 500;
/** Speech in packets of 20 ms takes about twice its size; of fewer envelopes nearly all is handshake. */
const OVERHEAD = { times: 3, envelopes: 20 } as const;
/** What is told as it is of a connection that may be no tunnel. */
const TELLING: ReadonlySet<string> = new Set(['tls.wrong-key', 'tunnel.idle-cut', 'tunnel.dead']);

const seen = (at: Moment, row: string | undefined): Seen => ({ ...at, row: row ?? '' });

/** What a finding about a tunnel refers to. */
export const tunnelRef = (t: TunnelEntity): Ref => ({ kind: 'tunnel', id: t.id });

/**
 * Judges the way to the EFTF, TLS, and the end of a tunnel.
 * @param isOther its server is no EFTF, by its name
 */
export function judgeTunnel(t: TunnelEntity, first: Seen, isOther: boolean, findings: Findings): void {
  // Among the TLS connections of a phone are many that are no tunnels: what is usual there is no more than a note.
  const foreign = (t.state !== 'failed' || isOther) && t.envelopes.up.total + t.envelopes.down.total === 0;
  const raise = (code: string, at: Seen = first, remark: Remark = {}): void => {
    const severity = foreign && !TELLING.has(code) ? ({ severity: 'note' } as const) : {};
    findings.raise(code, at, [tunnelRef(t)], { ...remark, ...severity });
  };
  if (t.state === 'other') {
    const detail = ours`It carries ${t.other!}.`;
    if (t.envelopes.up.total === 0) {
      raise('tunnel.other', first, { detail });
      return;
    }
    raise('tunnel.no-eftf', first, { detail });
  }
  judgeProxy(t, raise);
  if (t.tls !== undefined) judgeTls(t, raise);
  // The page that came in the place of TLS tells more.
  if (findings.has('portal.captive', t.id)) for (const code of NO_TLS) findings.withdraw(code, t.id);
  else if (findings.has('proxy.not-tls', t.id)) for (const code of PAGE_READ_AS_TLS) findings.withdraw(code, t.id);
  if (t.transport === 'tls' && t.eftf.port !== EFTF_PORT && t.state === 'established' && t.envelopes.up.total > 0)
    raise('tunnel.port', first, {
      detail: ours`The UE connects to port ${t.eftf.port}.`,
      ...(t.envelopes.down.total > 0 && { severity: 'note' }), // nothing on the way minds
    });
  if (isLate(t, findings)) raise('capture.late');
  if (t.idleMaxMs >= IDLE_GAP_MS && t.state === 'established')
    raise('tunnel.idle-gap', first, {
      detail: ours`The longest pause took ${Math.round(t.idleMaxMs / 1000)} s.`,
      severity: t.idleMaxMs >= IDLE_LONG_MS ? 'warn' : 'note',
    });
  const apart = t.legs.find((l) => Math.abs(l.clockOffsetMs ?? 0) >= CLOCKS_MS);
  if (apart !== undefined)
    raise('capture.clocks', first, {
      detail: ours`They differ by ${Math.round(apart.clockOffsetMs!)} ms.`,
      severity: 'note',
    });
  const carried = t.envelopes.up.total + t.envelopes.down.total;
  if ((t.overhead ?? 0) >= OVERHEAD.times && carried >= OVERHEAD.envelopes)
    raise('tunnel.overhead', first, {
      detail: ours`Each octet inside costs ${tenths(t.overhead!)} outside.`,
    });
  judgeStalls(t, raise);
  judgeEnd(t, raise);
}

type Raise = (code: string, at?: Seen, remark?: Remark) => void;

/** How a connection begins. */
const BEGINNINGS: ReadonlySet<string> = new Set(['syn', 'syn-ack', 'connect', 'client-hello']);

/** Whether the capture begins after the connection did; keys may open it all the same. */
const isLate = (t: TunnelEntity, findings: Findings): boolean =>
  !t.steps.some((s) => BEGINNINGS.has(s.step)) &&
  ((t.state === 'partial' && t.tls?.clientRandom === undefined) ||
    (t.state === 'established' && !findings.has('capture.one-sided', t.id)));

function judgeProxy(t: TunnelEntity, raise: Raise): void {
  const { proxy, failure } = t;
  if (proxy === undefined) return;
  if (!proxy.target.endsWith(`:${EFTF_PORT}`))
    raise('proxy.bad-target', undefined, { detail: words`The CONNECT asks for ${quoted('host', proxy.target)}.` });
  if (failure?.stage !== 'proxy' && failure?.stage !== 'tls') return;
  const at = t.release.at === undefined ? undefined : seen(t.release.at, failure.row);
  const detail = { detail: failure.cause };
  const { status } = proxy;
  if (failure.stage === 'tls') {
    if (t.tls === undefined) raise('proxy.not-tls', at, detail);
  } else if (status === undefined) raise('proxy.no-answer', at, detail);
  else if (status === PROXY_AUTHENTICATION_REQUIRED)
    return; // told with the schemes that the proxy offers
  else if (status === TOO_MANY_REQUESTS)
    raise('proxy.rate-limited', at, { detail: words`${failure.cause}${again(proxy)}` });
  else if (status === 502 || status === 503 || status === 504)
    raise('proxy.unreachable', at, { detail: words`${failure.cause}${again(proxy)}` });
  else if (isPortal(status)) raise('portal.captive', at, { detail: ours`The CONNECT was answered with ${status}.` });
  else raise('proxy.refused', at, { detail: words`${failure.cause}${REASONS.get(status) ?? ''}${again(proxy)}` });
}

/** What a refusal is for, by its status. RFC 9110 §15.5, RFC 7725 §3 */
const REASONS: ReadonlyMap<number, Own> = new Map([
  [400, ours` It does not understand the request.`],
  [
    401,
    ours` A web server asks for a login so; some proxies say by it that they do not take the name or the password.`,
  ],
  [403, ours` Its policy forbids it.`],
  [404, ours` It takes the request for one of a page: it is a web server, or does no CONNECT.`],
  [405, ours` It does no CONNECT, as a web server does none.`],
  [408, ours` It took too long for the proxy until the request was there.`],
  [451, ours` It says that it has to, for legal reasons.`],
  [501, ours` It does not know CONNECT.`],
]);

/** When the UE may ask again, as the proxy says. RFC 9110 §10.2.3 */
const again = ({ retryAfterSeconds: s }: NonNullable<TunnelEntity['proxy']>): Own | '' =>
  s === undefined ? '' : ours` It may be asked again after ${s} s.`;

/** A portal redirects what it does not let through, or says that it wants a login. RFC 6585 §6 */
const LOGIN_FIRST = 511;
export const isPortal = (status: number): boolean => status === LOGIN_FIRST || (status >= 300 && status < 400);

/** What a page in the place of TLS looks like. */
const PAGE_READ_AS_TLS = ['tls.no-answer', 'tls.framing-lost'] as const;
const NO_TLS = [...PAGE_READ_AS_TLS, 'proxy.not-tls'] as const;

const CURRENT = /^TLSv1\.[23]$/;
const BROKEN_SUITE = /NULL|RC4|_DES_|3DES|EXPORT|_anon_/i;
const OLD_SUITE = /^TLS_RSA_WITH|_CBC_/;
/** What a suite lacks, by its name. */
const LACKS = [
  [/NULL/i, 'It does not encrypt.'],
  [/_anon_/i, 'It does not say who the EFTF is.'],
  [/RC4|_DES_|3DES|EXPORT/i, 'Its cipher is broken.'],
  [/^TLS_RSA_WITH/, 'Whoever gets the key of the certificate later can read what was recorded.'],
  [/_CBC_/, 'Its mode of encryption (CBC) was attacked often; that of the profile checks what it encrypts (GCM).'],
] as const;

function judgeTls(t: TunnelEntity, raise: Raise): void {
  const tls = t.tls!;
  judgeName(t, raise);
  if (tls.version !== undefined && !CURRENT.test(tls.version))
    raise('tls.old-version', undefined, { detail: ours`The session has ${tls.version}.` });
  if (tls.cipher !== undefined) {
    const { cipher } = tls;
    const lacks = LACKS.flatMap(([name, what]) => (name.test(cipher) ? ours` ${what}` : []));
    const detail = joined([ours`The session has ${cipher}.`, ...lacks], '');
    if (BROKEN_SUITE.test(cipher)) raise('tls.weak-suite', undefined, { detail });
    else if (OLD_SUITE.test(cipher)) raise('tls.weak-suite', undefined, { detail, severity: 'note' });
  }
  judgeCertificate(t, raise);
  if (t.state === 'failed') judgeHandshake(t, raise);
  else judgeAlert(t, raise);
  judgeKeys(tls.decryption.up, tls.decryption.down, raise);
}

/** Whether the server name is there, and the one that the UE looked for. */
function judgeName(t: TunnelEntity, raise: Raise): void {
  const { sni, certificate } = t.tls!;
  const names = certificate === undefined ? [] : namesOf(certificate);
  // Without SNI the name of the EFTF is that by which the DNS knows it.
  const target = t.proxy !== undefined ? t.eftf.address : sni === undefined ? t.eftf.name : undefined;
  const wanted = target === undefined || isAddress(target) ? undefined : target;
  if (sni === undefined) {
    judgeNoName(t, wanted, names, raise);
    return;
  }
  // Whoever refuses a certificate may do so for this.
  const severity = isRefusal(t, [42, 46]) ? ({ severity: 'error' } as const) : {};
  const wrong = isAddress(sni) || (wanted !== undefined && sni.toLowerCase() !== wanted.toLowerCase());
  if (wrong || (names.length > 0 && !names.some((n) => covers(n, sni))))
    raise('tls.sni-mismatch', undefined, { detail: words`The server name is ${quoted('host', sni)}.`, ...severity });
}

/**
 * Judges a ClientHello without a server name.
 * @param wanted name that the UE asked the DNS or a proxy for
 * @param names those of the certificate
 */
function judgeNoName(t: TunnelEntity, wanted: string | undefined, names: readonly string[], raise: Raise): void {
  const { certificate, clientRandom } = t.tls!;
  const named = wanted !== undefined;
  const hello = t.steps.find((s) => s.step === 'client-hello');
  // What the capture lacks, or cut, may have it.
  const asked = hello !== undefined && !t.gaps.some((g) => mayTear(g, hello));
  const failed = t.state === 'failed' && mayBeForName(t, named);
  // Who proves the very address has no need of a name.
  if (!named && certificate?.names.includes(t.eftf.address)) return;
  if (!asked || clientRandom === undefined || (!named && names.length === 0 && !failed)) return;
  const who = t.proxy === undefined ? 'the UE asked the DNS for' : 'the CONNECT asks for';
  const what = named
    ? words`${who} ${quoted('host', wanted)}`
    : words`the certificate names ${quoted('host', names[0])}`;
  raise('tls.sni-missing', undefined, {
    ...((named || names.length > 0) && { detail: words`There is no server name, and ${what}.` }),
    confidence: named ? 'certain' : names.length > 0 ? 'likely' : 'possible',
    severity: failed && (named || fatalOf(t) !== undefined) ? 'error' : failed || named ? 'warn' : 'note',
  });
}

/** Whether octets that are missing may be those of the ClientHello: no record that is counted comes before them. */
const mayTear = ({ direction, at, firstRecord }: GapEntry, hello: TunnelStep): boolean =>
  direction === 'up' && !isBefore(at, hello.at) && firstRecord === undefined;

/**
 * Alerts that say what was wrong, and it was no name: bad_record_mac, record_overflow, certificate_revoked and _expired,
 * illegal_parameter, decode_error, decrypt_error, protocol_version, insufficient_security, inappropriate_fallback,
 * certificate_required, no_application_protocol. RFC 8446 §6.2
 */
const OTHER_REASONS: readonly number[] = [20, 22, 44, 45, 47, 50, 51, 70, 71, 86, 116, 120];

/** Whether a handshake may have failed because no server was named; `named`: the EFTF is known by a name. */
function mayBeForName(t: TunnelEntity, named: boolean): boolean {
  const { certificate } = t.tls!;
  const fatal = fatalOf(t);
  if (fatal !== undefined && OTHER_REASONS.includes(fatal.description)) return false;
  // Where nobody gave a name, a UE that got a certificate and does not take it has other reasons.
  return named || (fatal === undefined ? certificate === undefined : fatal.direction === 'down');
}

/** Whether the UE ended the handshake with one of these alerts. */
function isRefusal(t: TunnelEntity, descriptions: readonly number[]): boolean {
  const fatal = t.state === 'failed' ? fatalOf(t) : undefined;
  return fatal?.direction === 'up' && descriptions.includes(fatal.description);
}

/** Host names that a certificate is for: those of subjectAltName (RFC 9525 §2); without one its common name (RFC 6125 §6.4.4). */
function namesOf(c: CertificateEntry): string[] {
  const common = /(?:^|, )CN=([^, ]+)(?:,|$)/.exec(c.subject)?.[1];
  const names = c.names.length > 0 || common === undefined ? c.names : [common];
  return names.filter((n) => !isAddress(n));
}

const isAddress = (s: string): boolean => /^[\d.]+$/.test(s) || s.includes(':');

/** Whether a name of a certificate stands for a host name: `*` stands for one label. RFC 9525 §6.3 */
function covers(name: string, host: string): boolean {
  const a = name.toLowerCase();
  const b = host.toLowerCase();
  return a === b || (a.startsWith('*.') && b.includes('.') && b.slice(b.indexOf('.')) === a.slice(1));
}

function judgeCertificate(t: TunnelEntity, raise: Raise): void {
  const c = t.tls!.certificate;
  if (c === undefined) return;
  const dated = isRefusal(t, [42, 45, 46]) ? ({ severity: 'error' } as const) : {};
  if (c.notAfter !== undefined && isBefore(c.notAfter, t.opened))
    raise('tls.certificate-dates', undefined, { detail: ours`It has expired.`, ...dated });
  else if (c.notBefore !== undefined && isBefore(t.opened, c.notBefore))
    raise('tls.certificate-dates', undefined, { detail: ours`It is not valid yet.`, ...dated });
  if (c.subject === c.issuer)
    raise('tls.certificate-self-signed', undefined, {
      detail: words`Subject and issuer are ${quoted('issuer', c.subject)}.`,
      ...(isRefusal(t, [UNKNOWN_CA]) && { severity: 'error' }),
    });
}

const UNKNOWN_CA = 48;
/** What fatal alerts of a handshake say, by their number. RFC 8446 §6.2, RFC 6066 §9, RFC 7301 §3.2 */
const SAYS: Readonly<Record<number, string>> = {
  40: 'It can agree to nothing that the other side offers: suites, groups or signatures.',
  42: 'To it the certificate is damaged, or its signature is false; some say so of a wrong name, too.',
  43: 'It does not support certificates of that kind.',
  44: 'To it the certificate is revoked.',
  45: 'To it the certificate has expired, or is not valid yet.',
  46: 'It does not accept the certificate and does not say why.',
  48: 'It does not know who issued the certificate, or does not trust them.',
  70: 'It supports no version of TLS that the other side offers.',
  71: 'It wants stronger suites than the other side offers.',
  112: 'There is no server of that name.',
  116: 'It wants a certificate of the client.',
  120: 'It supports none of the application protocols (ALPN) that the other side offers.',
};

/** What alerts say of a session that was in use. RFC 8446 §6.2 */
const SAYS_LATER: Readonly<Record<number, string>> = {
  10: 'It got a message that may not come at that time.',
  20: 'A record that came to it was damaged, or sealed with another key.',
  22: 'A record that came to it was too long.',
  50: 'It could not read a message.',
  80: 'Something failed in itself.',
};

const fatalOf = (t: TunnelEntity) => t.tls?.alerts.find((a) => a.level === 'fatal');

/**
 * The fatal alert that ended a session in use. To who closes without close_notify OpenSSL 3 answers with decode_error: that
 * comes of the end, and is not why.
 */
function endingAlert(t: TunnelEntity): ReturnType<typeof fatalOf> {
  const fatal = fatalOf(t);
  const { by, at } = t.release;
  const other = fatal?.direction === 'up' ? 'eftf' : 'ue';
  const isAnswer = fatal?.at !== undefined && at !== undefined && by === other && isBefore(at, fatal.at);
  return isAnswer ? undefined : fatal;
}

/** Judges a fatal alert that ended a session: it says why. */
function judgeAlert(t: TunnelEntity, raise: Raise): void {
  const fatal = endingAlert(t);
  if (fatal === undefined) return;
  const who = fatal.direction === 'up' ? 'UE' : 'EFTF';
  const known = SAYS_LATER[fatal.description] !== undefined;
  const more = known ? ours` ${ofNumber(fatal.description, (n) => SAYS_LATER[n])}` : '';
  raise('tls.fatal-alert', fatal.at && seen(fatal.at, fatal.row), {
    detail: ours`The ${who} sent the alert ${fatal.name}.${more}`,
  });
}

/** Whether the UE gave up before an answer could be awaited, as who tries two ways at a time does with one. RFC 8305 §5 */
const isHasty = ({ release: { by, how, idleBeforeMs } }: TunnelEntity): boolean =>
  by === 'ue' && how !== 'silent' && idleBeforeMs !== undefined && idleBeforeMs < HASTY_MS;

function judgeHandshake(t: TunnelEntity, raise: Raise): void {
  const { failure } = t;
  if (failure?.stage !== 'tls') return;
  const fatal = fatalOf(t);
  const detail = { detail: failure.cause };
  if (fatal !== undefined) {
    const says = SAYS[fatal.description] === undefined ? '' : ours` ${ofNumber(fatal.description, (n) => SAYS[n])}`;
    const issuer = t.tls!.certificate?.issuer;
    const from =
      fatal.description === UNKNOWN_CA && issuer !== undefined
        ? words` The issuer is ${quoted('issuer', issuer)}.`
        : words``;
    raise('tls.alert', fatal.at && seen(fatal.at, fatal.row), {
      detail: words`${ours`${failure.cause}${says}`}${from}`,
    });
  } else if (t.tls!.version === undefined)
    raise('tls.no-answer', undefined, isHasty(t) ? { ...detail, severity: 'warn', confidence: 'possible' } : detail);
  else raise('tls.incomplete', t.release.at && seen(t.release.at, t.release.row), detail);
}

function judgeKeys(up: Verdict, down: Verdict, raise: Raise): void {
  const failed = up.failed + down.failed;
  const opened = up.decrypted + down.decrypted;
  const closed = up.records + down.records - opened;
  const reason = up.reason ?? down.reason;
  const detail = reason === undefined ? {} : { detail: reason };
  if (closed === 0) return;
  if (opened > 0) raise('tls.partial-keys', undefined, detail);
  else if (failed > 0) raise('tls.wrong-key', undefined, detail);
  else raise('tls.no-keys', undefined, detail);
}

function judgeStalls(t: TunnelEntity, raise: Raise): void {
  for (const s of t.tcp.stalls) {
    if (s.ms < STALL_NOTE_MS) continue;
    const longest = Math.max(...t.tcp.stalls.map((x) => x.ms));
    raise('tunnel.stall', s.at as Seen, {
      detail: ours`The longest pause took ${Math.round(longest)} ms.`,
      ...(longest < STALL_WARN_MS && { severity: 'note' }),
    });
  }
}

/** What was on its way when a tunnel was reset. */
function pendingWords({ release: { pending } }: TunnelEntity): Words {
  if (pending === undefined) return words``;
  const ways = (['up', 'down'] as const).flatMap((way) =>
    pending[way] > 0 ? ours`${pending[way]} octets ${way}` : [],
  );
  if (ways.length === 0) return words` Everything sent before had been acknowledged.`;
  return words` Nobody had acknowledged ${joined(ways, ' and ')}.`;
}

/** Who closed a connection; behind a proxy that is known no further. */
const closer = ({ proxy, release: { by } }: TunnelEntity): Own =>
  by === 'ue'
    ? ours`The UE`
    : proxy === undefined
      ? ours`The EFTF`
      : ours`The proxy, by itself or for the EFTF behind it,`;
const after = (ms: number): Own => ours` after ${Math.round(ms / 1000)} s in which nothing was sent`;

function judgeEnd(t: TunnelEntity, raise: Raise): void {
  const { release, tls } = t;
  const { how, at, idleBeforeMs = 0 } = release;
  if (at === undefined || t.state === 'failed') return;
  if (endingAlert(t) !== undefined) return; // both sides close at once, which is told with it: RFC 8446 §6.2
  const when = seen(at, release.row);
  const pause = ours`After ${Math.round(idleBeforeMs / 1000)} s in which nothing was sent`;
  if (how === 'silent') {
    const detail = ours`${pause}, one side sent again and again, and nothing came back.`;
    if (idleBeforeMs >= IDLE_MS) raise('tunnel.idle-cut', when, { detail });
    else raise('tunnel.dead', when);
  } else if (how === 'rst') {
    const who = release.by === 'ue' ? 'the UE' : release.by === 'eftf' ? 'the EFTF' : 'something on the way';
    if (idleBeforeMs >= IDLE_MS)
      raise('tunnel.idle-cut', when, { detail: ours`${pause}, a reset came that bears the address of ${who}.` });
    else raise('tunnel.reset', when, { detail: words`The reset came from ${who}.${pendingWords(t)}` });
  } else if (how === 'fin' && tls !== undefined && t.state === 'established') {
    // A close_notify of TLS 1.3 cannot be seen without keys: then nothing is claimed.
    const way = release.by === 'ue' ? tls.decryption.up : tls.decryption.down;
    if (way.verdict === 'full' || tls.version === 'TLSv1.2')
      raise('tunnel.no-close-notify', when, {
        detail: ours`${closer(t)} closed it${idleBeforeMs >= IDLE_MS ? after(idleBeforeMs) : ''}.`,
      });
  }
}
