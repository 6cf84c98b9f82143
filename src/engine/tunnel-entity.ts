import { EFTF_PORT } from '../../dissectors/ftt-ims.js';
import { PROXY_AUTHENTICATION_REQUIRED, TOO_MANY_REQUESTS } from '../../dissectors/http/status.js';
import { cipherSuiteName } from '../../dissectors/tls/ciphersuites.js';
import { certificateSummary, versionName } from '../../dissectors/tls/index.js';
import { Version } from '../../dissectors/tls/numbers.js';
import { ALERTS } from '../../dissectors/tls/values.js';
import {
  addressText,
  fromHex,
  hexNumber,
  ip4,
  ip6,
  nameOf,
  type Own,
  ofNumber,
  ours,
  type Tell,
} from '../kit/index.js';
import { HASTY_MS } from '../model/answer-time.js';
import type { ClockSteps } from '../model/clock.js';
import type {
  AlertEntry,
  CertificateEntry,
  EnvelopeCount,
  GapEntry,
  Leg,
  Place,
  Release,
  TlsEntry,
  TunnelEntity,
  TunnelFailure,
  TunnelState,
  TunnelStep,
  Verdict,
} from '../model/entities.js';
import { isBefore, later, type Moment, millis, type Seen } from '../model/moment.js';
import { type Ending, STALL_MS, type Stall, type TcpLife } from '../model/tcp-life.js';
import { uid } from '../model/uid.js';
import type { TlsAlert, TlsSession } from '../tls/index.js';
import type { ProxyExchange } from '../tunnel/proxy-exchange.js';
import type { Endpoint, Tunnel } from '../tunnel/tunnel.js';
import { Stacks } from './stacks.js';
import type { TunnelLife } from './tunnel-life.js';

/** A tunnel that was silent for so long before the capture ended is taken for cut; shorter pauses are common. */
const SILENT_MS = 300_000;
/** A CONNECT or ClientHello without an answer for so long got none; servers say something within a second or two. */
const ANSWERED_MS = 5000;
const FATAL = 2;
/** RFC 8446 §6.1: it is followed by a close_notify. */
const USER_CANCELED = 90;

/** An end of a connection as the report writes it: the address as text. */
export const placeOf = (e: Endpoint): Place => ({
  address: e.address.length === 4 ? ip4(e.address, 0) : ip6(e.address, 0),
  port: e.port,
});

/** What there is to know beside a tunnel. */
export interface Beside {
  /** Time of the last frame of the capture. */
  readonly end: Moment;
  /** Numbers of tunnels by the client random of their session. */
  readonly sessions: ReadonlyMap<string, number>;
  /** How sentences are told. */
  readonly tell: Tell;
  readonly clock: ClockSteps;
}

/** What a report says of a tunnel. */
export function tunnelEntity(life: TunnelLife, { end, sessions, tell, clock }: Beside): TunnelEntity {
  const { tunnel, tcp } = life;
  const { session } = tunnel;
  const front = [life, ...life.legs].find((l) => l.tunnel.proxy !== undefined) ?? life;
  const { proxy } = front.tunnel;
  const ue = placeOf(front.tunnel.ends[front.tunnel.ue]);
  const server = placeOf(front.tunnel.ends[front.tunnel.ue === 0 ? 1 : 0]);
  const state = stateOf(life, end);
  const failure = state === 'failed' ? failureOf(life) : undefined;
  const release = releaseOf(life.heir ?? life, end, clock);
  const [up, down] = tunnel.envelopes;
  const octets = up.octets + down.octets;
  return {
    id: tunnel.id,
    uid:
      session !== undefined && session.clientRandom !== ''
        ? uid('tls', session.clientRandom, session.serverRandom)
        : uid('tcp', ue.address, ue.port, server.address, server.port, tcp.first.seconds, tcp.first.nanos),
    state,
    ...(state === 'other' && { other: otherOf(tunnel) }),
    ...(failure !== undefined && { failure }),
    accessType: proxy === undefined ? 'I' : 'II',
    transport: tunnel.transport,
    ue,
    eftf: eftfOf(front.tunnel, server),
    ...(proxy !== undefined && { proxy: { ...server, ...proxyOf(front) } }),
    legs: legsOf(life),
    opened: tcp.first,
    ...(life.established !== null && state === 'established' && { established: life.established }),
    ...(release.at !== undefined && { closed: release.at }),
    steps: stepsOf(front, life.heir ?? front),
    release,
    idleMaxMs: Math.max(longestPause(life, clock), life.heir === null ? 0 : longestPause(life.heir, clock)),
    tcp: tcpOf(life, clock),
    ...(session !== undefined && { tls: tlsOf(life, session, sessions, tell) }),
    envelopes: { up: countOf(up), down: countOf(down) },
    unknownTypes: Object.fromEntries([...tunnel.unknownTypes].map(([type, n]) => [String(type), n])),
    protocols: Stacks.list([life, ...life.legs].map((l) => l.stacks)),
    gaps: gapsOf(life),
    resyncs: life.resyncs,
    ...(life.outside !== null && isShut(session) && { cadence: life.outside.end() }),
    ...(octets > 0 &&
      life.innerOctets > 0 &&
      isRead(session) && { overhead: round(tcp.wireOctets / life.innerOctets) }),
    dscp: Object.fromEntries([...life.dscp].flatMap((n, i) => (n > 0 ? [[String(i), n]] : []))),
    addresses: [...life.sources.first.keys()]
      .map((digits) => addressText(fromHex(digits)))
      .filter((a) => a !== '::' && a !== '0.0.0.0'),
    keepAlives: [],
    findings: [],
  };
}

/** The longest time without payload: one that a clock was set forward in was shorter. */
const longestPause = ({ tcp: { pauses }, files }: TunnelLife, clock: ClockSteps): number =>
  Math.max(0, ...pauses.map(({ ms, from, to }) => ms - (millis(from, to) - clock.passed(from, to, files))));

const otherOf = ({ other, answer }: Tunnel): Own =>
  answer === undefined ? (other ?? ours`unknown application data`) : ours`envelopes up, and ${answer} down`;

const round = (n: number): number => Math.round(n * 1000) / 1000;

function eftfOf(t: Tunnel, server: Place): TunnelEntity['eftf'] {
  const name = t.session?.sni;
  if (t.proxy === undefined) return { ...server, ...(name !== undefined && { name }) };
  // Behind a proxy only what the CONNECT asked for is known: host and port, the host often a name.
  const m = /^\[?([^\]]*?)\]?:(\d{1,5})$/.exec(t.proxy.target);
  const host = m?.[1] ?? t.proxy.target;
  return { address: host, port: Number(m?.[2] ?? EFTF_PORT), ...(name !== undefined && { name }) };
}

function proxyOf(life: TunnelLife): Omit<NonNullable<TunnelEntity['proxy']>, keyof Place> {
  const { target, status, retryAfterSeconds } = life.proxy!;
  const { connect, connectAnswer } = life;
  return {
    target,
    ...(status !== undefined && { status }),
    ...(connect !== null && connectAnswer !== null && { waitMs: millis(connect, connectAnswer) }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
}

/** Where the tunnel was seen. Of two legs of which one begins with a CONNECT, the other is beyond the proxy. */
function legsOf(life: TunnelLife): Leg[] {
  const all = [life, ...life.legs];
  const proxied = all.some((l) => l.tunnel.proxy !== undefined);
  return all.flatMap((l) => {
    const { tunnel, files } = l;
    const client = placeOf(tunnel.ends[tunnel.ue]);
    const server = placeOf(tunnel.ends[tunnel.ue === 0 ? 1 : 0]);
    const beyond = proxied ? 'proxy-eftf' : tunnel.transport === 'tcp' ? 'clear' : 'direct';
    const role = tunnel.proxy === undefined ? beyond : 'ue-proxy';
    // What two captures of one session say of their clocks and of the way between them.
    const delay = l === life || l.times === null ? undefined : life.times?.compare(l.times);
    return [...files].map((file): Leg => ({ file, tunnel: tunnel.id, client, server, role, ...delay }));
  });
}

/** What is known of the life of a connection, in the order in which it happened; `last`: the leg that has its end. */
function stepsOf(
  { tunnel, tcp, connect, connectAnswer, clientHello, established }: TunnelLife,
  last: TunnelLife,
): TunnelStep[] {
  const steps: TunnelStep[] = [];
  const add = (step: TunnelStep['step'], seen: Seen | null, direction: 'up' | 'down'): void => {
    if (seen !== null) steps.push({ step, row: seen.row, at: { seconds: seen.seconds, nanos: seen.nanos }, direction });
  };
  const ended = (step: TunnelStep['step'], e: Ending | null): void =>
    add(step, e, e === null ? 'up' : last.tunnel.direction(e.side));
  add('syn', tcp.syn, 'up');
  add('syn-ack', tcp.synAck, 'down');
  add('connect', connect, 'up');
  add('connect-answer', connectAnswer, 'down');
  add('client-hello', clientHello, 'up');
  if (tunnel.session !== undefined) add('finished', established, 'down');
  ended('close-notify', last.tcp.closeNotify);
  ended('fin', last.tcp.fin);
  ended('rst', last.tcp.rst);
  return steps.sort((a, b) => millis(b.at, a.at));
}

/** Whether its handshake is known to be complete; in TLS 1.3 only its keys show that. */
function stateOf(life: TunnelLife, end: Moment): TunnelState {
  const { tunnel, established, tcp, veiled } = life;
  const { content, session, gaps } = tunnel;
  if (content === 'other' || tunnel.answer !== undefined) return 'other';
  // What the tunnel carried was read: its handshake was completed, whether all of it was captured or not.
  if (tunnel.envelopes.some((e) => e.total > 0)) return 'established';
  if (established !== null) {
    // A server may refuse what the client's last flight has: a certificate, or that there is none (RFC 8446 §4.4.2.4).
    const isRefused = session?.alerts.some((a) => a.level === FATAL) === true;
    return session !== undefined && (isRefused || isLeft(session, tcp, gaps.length > 0)) ? 'failed' : 'established';
  }
  if (session === undefined) return isDenied(life, end) ? 'failed' : 'partial';
  if (isTurnedDown(tunnel)) return 'failed';
  if (session.clientHelloFrame === undefined) return 'partial';
  if (session.alerts.some((a) => a.level === FATAL)) return 'failed';
  // What is missing may be the rest of the handshake.
  const server = tcp.ways[tunnel.direction(0) === 'up' ? 1 : 0];
  if (server.segments === 0 || server.unseen > 0 || (gaps.length > 0 && server.octets > 0)) return 'partial';
  // A server that protects what it sends has sent a ServerHello: it is missing in front of what was captured.
  if (session.serverHelloFrame === undefined && session.verdict(session.swapped ? 0 : 1).records > 0) return 'partial';
  if (session.serverHelloFrame === undefined)
    return server.octets === 0 && isAwaited(life.clientHello, tcp, end) ? 'partial' : 'failed';
  if (veiled !== null && tcp.end !== null && gaps.length === 0) return 'failed';
  // Who got the server's Finished answers with one; RFC 8446 §4.4.4. Below TLS 1.3 the client's may go first.
  if (session.version === Version.Tls13 && session.finished[0] !== undefined) return 'established';
  const [client, other] = [session.verdict(0), session.verdict(1)];
  // A record that nobody can read may hold the rest of the handshake.
  const isRead = client.records === client.decrypted && other.records === other.decrypted;
  return tcp.end !== null && (isRead || client.records === 0) ? 'failed' : 'partial';
}

/** Whether a CONNECT was answered with an alert of TLS: nobody there speaks HTTP in the clear. */
const isTurnedDown = ({ proxy, session, gaps }: Tunnel): boolean =>
  proxy !== undefined &&
  proxy.status === undefined &&
  session?.clientHelloFrame === undefined &&
  session?.alerts[0]?.level === FATAL &&
  gaps.length === 0;

/** Whether a proxy let no tunnel through; what it said, or what followed, may not have been captured. */
function isDenied({ tunnel, tcp, proxy, connect, connectAnswer }: TunnelLife, end: Moment): boolean {
  const { gaps } = tunnel;
  if (proxy === undefined) return false;
  // Whom it asks who it is may say so, and ask again.
  if (proxy.status === PROXY_AUTHENTICATION_REQUIRED) return gaps.length === 0 && !isAwaited(connectAnswer, tcp, end);
  if (proxy.status !== undefined && proxy.status >= 300) return true;
  const server = tcp.ways[tunnel.direction(0) === 'up' ? 1 : 0];
  const lacks = server.segments === 0 || server.unseen > 0 || gaps.length > 0;
  return !lacks && !(proxy.hasReply !== true && isAwaited(connect, tcp, end));
}

/** Whether the capture ends when something asked for may still be answered. */
const isAwaited = (asked: Seen | null, tcp: TcpLife, end: Moment): boolean =>
  tcp.end === null && tcp.deaf === null && asked !== null && millis(asked, end) < ANSWERED_MS;

/**
 * Whether the client ended a handshake after the server's Finished, and without its own: what it read there it did not
 * accept. RFC 8446 §4.4
 */
function isLeft(session: TlsSession, tcp: TcpLife, hasGaps: boolean): boolean {
  const client = session.swapped ? 1 : 0;
  if (session.finished[0] !== undefined || session.clientHelloFrame === undefined) return false;
  if (session.alerts.some((a) => a.level === FATAL && a.direction === client)) return true;
  const { records, decrypted } = session.verdict(client);
  return tcp.end !== null && !hasGaps && records === decrypted;
}

function failureOf({ tunnel, tcp, proxy, connectAnswer, veiled, alerts }: TunnelLife): TunnelFailure {
  const { session } = tunnel;
  const row = tcp.end === null ? {} : { row: tcp.end.row };
  if (session === undefined) {
    if (proxy?.status === undefined) {
      const server = tunnel.direction(0) === 'up' ? 1 : 0;
      const isOther = tcp.ways[server].octets > 0 && tunnel.gaps.length === 0 && proxy?.before === undefined;
      const cause = isOther
        ? ours`What answered the CONNECT is no whole answer of HTTP.`
        : ours`The proxy did not answer the CONNECT.`;
      return { stage: 'proxy', cause, ...row };
    }
    const answered = connectAnswer === null ? row : { row: connectAnswer.row };
    return proxy.status < 300
      ? { stage: 'tls', cause: ours`The proxy let the connection through, and ${followed(tunnel, proxy)}.`, ...row }
      : {
          stage: 'proxy',
          cause: ours`The proxy refused the CONNECT with status ${proxy.status}${proxy.status === TOO_MANY_REQUESTS ? ' (too many requests)' : ''}.`,
          ...answered,
        };
  }
  const fatal = session.alerts.findIndex((a) => a.level === FATAL);
  if (isTurnedDown(tunnel))
    return {
      stage: 'proxy',
      cause: ours`The CONNECT was answered with the TLS alert ${alertName(session.alerts[fatal].description)}: what listens there speaks TLS alone.`,
      row: alertRow(session.alerts[fatal], alerts[fatal]),
    };
  if (fatal >= 0) {
    const alert = session.alerts[fatal];
    const who = (alert.direction === 0) !== session.swapped ? 'UE' : 'EFTF';
    return {
      stage: 'tls',
      cause: ours`The ${who} sent the alert ${alertName(alert.description)}.`,
      row: alertRow(alert, alerts[fatal]),
    };
  }
  if (session.serverHelloFrame === undefined) return { stage: 'tls', cause: helloFate(tunnel, session, tcp), ...row };
  if (veiled !== null) {
    const who = tunnel.direction(veiled.side) === 'up' ? 'UE' : 'EFTF';
    return {
      stage: 'tls',
      cause: ours`The ${who} sent an alert that cannot be read without keys.`,
      row: veiled.at.row,
    };
  }
  return { stage: 'tls', cause: leaving(tunnel, session, tcp), ...row };
}

/** What followed a 2xx instead of TLS. */
function followed({ page }: Tunnel, proxy: ProxyExchange): Own {
  if (page !== undefined) return ours`${pageWords(page)} followed`;
  return proxy.hasReply === true ? ours`what came from there is no TLS` : ours`no TLS followed`;
}

/** What came in the place of TLS. */
export const pageWords = (status: number): Own => (status === 0 ? ours`a page of HTML` : ours`HTTP (status ${status})`);

/** How a handshake ended after the ServerHello, without a fatal alert. */
function leaving(tunnel: Tunnel, { alerts, certificates }: TlsSession, { end }: TcpLife): Own {
  const byUe = end !== null && end.how !== 'rst' && tunnel.direction(end.side) === 'up';
  if (alerts.some((a) => a.description === USER_CANCELED)) return ours`The handshake was cancelled (user_canceled).`;
  if (!byUe || certificates.length === 0) return ours`The TLS handshake was not completed.`;
  return end.heard === false
    ? ours`The UE ended the connection before the answer of the EFTF had come.`
    : ours`The UE got the certificate, ended the connection, and did not say why.`;
}

/** What came back for a ClientHello that no ServerHello followed. */
function helloFate(tunnel: Tunnel, { alerts }: TlsSession, { ways, end }: TcpLife): Own {
  const server = tunnel.direction(0) === 'up' ? 1 : 0;
  // Behind a proxy the answer to the CONNECT is among its octets.
  const isReplied = tunnel.proxy === undefined ? ways[server].octets > 0 : tunnel.proxy.hasReply === true;
  if (tunnel.page !== undefined) return ours`The ClientHello was answered with ${pageWords(tunnel.page)}.`;
  if (alerts.length === 0 && isReplied) return ours`The ClientHello was answered with something that is no TLS.`;
  if (end?.side !== server)
    return end !== null && end.idleMs < HASTY_MS
      ? ours`The UE ended the connection ${Math.round(end.idleMs)} ms after its ClientHello, before an answer came.`
      : ours`The ClientHello was not answered.`;
  if (end.how === 'rst' && isForeign(end, ways[server].hops))
    return ours`The ClientHello was answered with a reset that something on the way made, by its TTL.`;
  return end.how === 'rst'
    ? ours`The ClientHello was answered with a reset.`
    : ours`The connection was closed after the ClientHello, without an answer.`;
}

/** `handshake_failure`: the names of RFC 8446 §6. */
const alertName = (description: number): Own =>
  ofNumber(description, (n) => nameOf(ALERTS, n, `alert ${n}`).toLowerCase().replaceAll(' ', '_'));

function releaseOf({ tunnel, tcp, path, files }: TunnelLife, end: Moment, clock: ClockSteps): Release {
  const e = tcp.end;
  // Where one direction was not captured nobody knows what came back.
  const deaf = tcp.ways.every((w) => w.segments > 0) ? tcp.deaf : null;
  // An end that one side says again and again, to one that was there, found nobody.
  const isVain = deaf !== null && e?.side === deaf.side && e.how !== 'rst';
  if (deaf !== null && (e === null || isVain || isBefore(deaf, e)))
    return { by: 'unknown', how: 'silent', at: deaf, row: deaf.row, idleBeforeMs: deaf.idleMs, basis: 'inferred' };
  if (e === null || e.how === 'silent') {
    const idle = clock.passed(tcp.last, end, files);
    return { by: 'unknown', how: idle >= SILENT_MS ? 'silent' : 'capture-end', basis: 'inferred' };
  }
  const side = tunnel.direction(e.side) === 'up' ? 'ue' : 'eftf';
  const foreign = e.how === 'rst' && isForeign(e, tcp.ways[e.side].hops);
  // What TLS does not say comes from the proxy, for the EFTF or by itself; one that let nothing through ends its own.
  const relayed = side === 'eftf' && tunnel.proxy !== undefined && e.how !== 'close_notify';
  const refused = relayed && !((tunnel.proxy?.status ?? 500) < 300);
  return {
    by: foreign || refused ? 'middlebox' : side,
    how: e.how,
    at: e,
    row: e.row,
    idleBeforeMs: e.idleMs,
    basis: e.observed && !foreign && (refused || !relayed) ? 'observed' : 'inferred',
    ...(e.how === 'rst' && path.pending !== null && { pending: pendingOf(path.pending, tunnel.ue) }),
  };
}

const pendingOf = (octets: readonly [number, number], ue: 0 | 1): NonNullable<Release['pending']> => ({
  up: octets[ue],
  down: octets[ue === 0 ? 1 : 0],
});

/** An RST whose TTL is not that of the segments before it was made on the way. */
const isForeign = (e: Ending, usual: number): boolean => usual !== 0 && Math.abs(e.hops - usual) > 1;

function tcpOf({ tunnel, tcp, files }: TunnelLife, clock: ClockSteps): TunnelEntity['tcp'] {
  const [a, b] = tcp.ways;
  // The clock was set in the middle of it.
  const isReal = ({ at, ms }: Stall): boolean => {
    const from = later(at, -ms / 1000);
    return ms - millis(from, at) + clock.passed(from, at, files) >= STALL_MS;
  };
  return {
    ...(tcp.rttMs !== undefined && { rttMs: tcp.rttMs }),
    retransmissions: a.retransmissions + b.retransmissions,
    outOfOrder: a.outOfOrder + b.outOfOrder,
    lostSegments: a.lost + b.lost,
    stalls: tcp.stalls.filter(isReal).map((s) => ({
      id: s.id,
      at: s.at,
      ms: s.ms,
      direction: tunnel.direction(s.side),
      released: s.released,
      media: [...s.media].map((m) => m.id).sort((x, y) => x - y),
    })),
  };
}

function tlsOf(life: TunnelLife, s: TlsSession, sessions: ReadonlyMap<string, number>, tell: Tell): TlsEntry {
  const parent = sessions.get(s.resumedFrom ?? '');
  const certificate = s.certificates.length > 0 ? certificateOf(s.certificates[0]) : undefined;
  const up = s.swapped ? 1 : 0;
  return {
    ...(s.version !== 0 && { version: ofNumber(s.version, versionName) }),
    ...(s.suite !== 0 && { cipher: ofNumber(s.suite, (n) => cipherSuiteName(n) ?? hexNumber(n, 4)) }),
    ...(s.sni !== undefined && { sni: s.sni }),
    ...(s.alpn !== undefined && { alpn: s.alpn }),
    resumed: s.resumed !== undefined,
    ...(parent !== undefined && { resumedFrom: parent }),
    ...(s.clientRandom !== '' && { clientRandom: s.clientRandom }),
    ...(certificate !== undefined && { certificate }),
    alerts: s.alerts.map((a, i) => alertOf(a, life.alerts[i], s.swapped)),
    keyUpdates: s.keyUpdates[0] + s.keyUpdates[1],
    decryption: { up: verdictOf(s, up, tell), down: verdictOf(s, up === 0 ? 1 : 0, tell) },
  };
}

/** Whether there are protected records, and none of them was opened. */
function isShut(s: TlsSession | undefined): boolean {
  if (s === undefined) return false;
  const [a, b] = [s.verdict(0), s.verdict(1)];
  return a.records + b.records > 0 && a.decrypted + b.decrypted === 0;
}

/** Whether all of what its records carry is known. */
const isRead = (s: TlsSession | undefined): boolean =>
  s === undefined || ([0, 1] as const).every((side) => s.verdict(side).decrypted === s.verdict(side).records);

/** Where octets are missing, at each place where the tunnel was seen. */
function gapsOf(life: TunnelLife): GapEntry[] {
  return [life, ...life.legs].flatMap(({ tunnel, tcp, gaps }) => {
    return tunnel.gaps.map(({ side, octets, hole }, i): GapEntry => {
      const { seconds, nanos, row } = gaps[i];
      const { first, resumed } = hole;
      const segments = tcp.segmentsIn(side, octets);
      return {
        at: { seconds, nanos },
        row,
        direction: tunnel.direction(side),
        octets,
        ...(segments > 0 && { estimatedSegments: segments }),
        ...(first !== undefined && { firstRecord: first }),
        ...(resumed !== undefined && { resumedRecord: resumed }),
      };
    });
  });
}

const alertRow = (a: TlsAlert, seen: Seen | undefined): string => seen?.row ?? String(a.frame);

function alertOf(a: TlsAlert, seen: Seen | undefined, swapped: boolean): AlertEntry {
  return {
    ...(seen !== undefined && { at: seen }),
    row: alertRow(a, seen),
    direction: (a.direction === 0) !== swapped ? 'up' : 'down',
    level: a.level === FATAL ? 'fatal' : 'warning',
    description: a.description,
    name: alertName(a.description),
  };
}

function certificateOf(der: Uint8Array): CertificateEntry | undefined {
  const c = certificateSummary(der);
  if (c === undefined) return undefined;
  return {
    subject: c.subject,
    issuer: c.issuer,
    ...(!Number.isNaN(c.notBefore) && { notBefore: { seconds: c.notBefore, nanos: 0 } }),
    ...(!Number.isNaN(c.notAfter) && { notAfter: { seconds: c.notAfter, nanos: 0 } }),
    names: [...c.names],
  };
}

function verdictOf(s: TlsSession, direction: 0 | 1, tell: Tell): Verdict {
  const v = s.verdict(direction);
  return {
    verdict: v.verdict,
    ...(v.why !== undefined && { reason: tell(v.why) }),
    ...(v.source !== undefined && { source: v.source }),
    records: v.records,
    decrypted: v.decrypted,
    failed: v.failed,
    verified: v.verified,
  };
}

const countOf = (c: Tunnel['envelopes'][0]): EnvelopeCount => ({
  total: c.total,
  ip4: c.ip4,
  ip6: c.ip6,
  unknown: c.unknown,
  invalid: c.invalid,
  bytes: c.octets,
});
