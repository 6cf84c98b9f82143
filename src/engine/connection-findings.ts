import { PROXY_AUTHENTICATION_REQUIRED } from '../../dissectors/http/status.js';
import { certificateSummary } from '../../dissectors/tls/index.js';
import { OID_NAMES } from '../../dissectors/tls/oids.js';
import { joined, type Own, oneOf, ours, ownCount, quoted, tenths, words } from '../kit/index.js';
import type { Findings, Remark } from '../model/findings.js';
import { isPortal } from '../model/judge-tunnel.js';
import { millis, type Seen } from '../model/moment.js';
import { SCHEMES } from '../model/standard-words.js';
import { ORDER_MS, type TcpLife } from '../model/tcp-life.js';
import type { TlsSession } from '../tls/index.js';
import type { ProxyExchange } from '../tunnel/proxy-exchange.js';
import { pageWords } from './tunnel-entity.js';
import type { TunnelLife } from './tunnel-life.js';

/** RFC 8446 §4.1.3: a server that could have done 1.3 says so at the end of its random. */
const DOWNGRADE = '444f574e47524401';
/** TS 33.310 §6.1.1: bits of a key; and what signatures no longer rest on. */
const LEAST_BITS: Readonly<Record<string, number>> = { rsaEncryption: 2048, 'id-ecPublicKey': 256, 'id-dsa': 2048 };
const BROKEN_HASH = /md2|md4|md5|sha-?1(?!\d)/i;
/** So soon after an envelope of unknown type the end of the tunnel answers it. */
const REFUSAL_MS = 1000;
/** A segment or two may have been lost before the place of capture, and were sent again for nothing. */
const FORESEEN = 3;

/** Of fewer segments the other side may have acknowledged none: it was gone, or about to acknowledge them at once. */
const FEW = 3;

/** Repetitions that are worth a remark. */
const AGAIN = { segments: 5, percent: 1 } as const;

/**
 * Changes of keys that follow each other within so few records serve nobody: ciphers ask for one after millions of
 * records (RFC 8446 §5.5), and whoever sends many has the other side compute for nothing.
 */
const STORM = { updates: 32, handshakes: 8, records: 64 } as const;

/** RFC 8446 §4.2.10: what a server does not take of early data it passes over. */
const REFUSED = ours`The EFTF refused early data, so these envelopes did not reach it: what was in them may come again after the handshake.`;

type Raise = (code: string, at: Seen, remark?: Remark) => void;

/** Raises what only the connection of a tunnel and its session tell. */
export function judgeConnection(life: TunnelLife, findings: Findings): void {
  const { tunnel, tcp } = life;
  const about = [{ kind: 'tunnel', id: tunnel.id }] as const;
  const raise: Raise = (code, at, remark) => findings.raise(code, at, about, remark);
  const [one, other] = tcp.ways.map((w) => w.segments);
  if (one === 0 || other === 0)
    raise('capture.one-sided', tcp.first, one + other < FEW ? { severity: 'note' } : undefined);
  const { foreseen } = tcp;
  const isMixed = foreseen !== null && foreseen.segments >= FORESEEN;
  if (isMixed)
    raise('capture.order', foreseen.at, {
      detail: ours`${foreseen.segments} segments stand behind what acknowledges them, by ${Math.round(foreseen.ms)} ms at most.`,
    });
  // What the snaplen cut is told of by itself: no larger buffer would have kept it.
  for (const l of [life, ...life.legs])
    for (const [i, g] of l.tunnel.gaps.entries()) if (!g.cut) raise('capture.gap', l.gaps[i]);
  for (const [side, { unseen }] of tcp.ways.entries())
    if (unseen > 0 && tunnel.gaps.every((g) => g.side !== side)) {
      const who = tunnel.direction(side as 0 | 1) === 'up' ? 'EFTF' : 'UE';
      raise('capture.gap', tcp.first, {
        detail: ours`The ${who} acknowledged about ${ownCount(unseen, 'octet')} that did not come by.`,
      });
    }
  for (const l of [life, ...life.legs]) if (l.proxy !== undefined) judgeConnect(l, l.proxy, raise);
  judgePage(life, raise);
  if (tunnel.session !== undefined) {
    judgeSession(tunnel.session, tcp.first, raise);
    judgeRecords(life, tunnel.session, raise);
  }
  if (tunnel.session?.earlyRefused === true) findings.amend('fttims.early-data', tunnel.id, { detail: REFUSED });
  // Early data is told of by itself.
  const isUnsure = isMixed || findings.has('capture.gap', tunnel.id);
  judgeOrder(life, raise, findings.has('fttims.early-data', tunnel.id), isUnsure);
  if (!isMixed) judgeRepetitions(life, raise);
  judgeOpening(life, raise);
  life.path.judge(about, findings);
  tcp.told?.judge(about, (side) => (tunnel.direction(side) === 'up' ? 'UE' : 'EFTF'), findings);
}

/** A page that came in the place of TLS: a portal asks for a login, a proxy tells why it lets nothing through. */
function judgePage({ tunnel, tcp, clientHello, connectAnswer }: TunnelLife, raise: Raise): void {
  const { page, session, proxy } = tunnel;
  if (page === undefined || session?.serverHelloFrame !== undefined) return;
  const what = pageWords(page);
  const asked = clientHello === null ? ours`CONNECT` : ours`ClientHello`;
  const at = clientHello ?? connectAnswer ?? tcp.first;
  if (isPortal(page)) raise('portal.captive', at, { detail: ours`The ${asked} was answered with ${what}.` });
  else if (proxy !== undefined && session !== undefined)
    raise('proxy.not-tls', at, {
      detail: ours`The proxy let the connection through, and answered the ClientHello with ${what}.`,
    });
}

function judgeOpening({ tcp: { syn, synAck, synRepeats } }: TunnelLife, raise: Raise): void {
  if (syn === null || synAck === null || synRepeats === 0) return;
  raise('tcp.syn-again', syn, {
    detail: ours`${synRepeats + 1} SYN were sent, and the answer came after ${Math.round(millis(syn, synAck))} ms.`,
  });
}

function judgeRepetitions({ tcp, tunnel }: TunnelLife, raise: Raise): void {
  const [a, b] = tcp.ways;
  const again = a.retransmissions + b.retransmissions;
  const share = (100 * again) / (a.segments + b.segments);
  if (again < AGAIN.segments || share < AGAIN.percent) return;
  raise('tunnel.retransmissions', tcp.first, {
    detail: ours`${again} segments (${tenths(share)} %) were sent again.${lossSides(tcp, tunnel.ue)}`,
  });
}

/** On which side of the place of capture segments were lost: what had come by here was lost beyond. */
function lossSides({ ways }: TcpLife, ue: 0 | 1): Own | '' {
  const [up, down] = [ways[ue], ways[ue === 0 ? 1 : 0]];
  const near = up.filled + down.passed;
  const far = up.passed + down.filled;
  if (near + far < AGAIN.segments) return '';
  return ours` Seen from the place of capture ${near} were lost towards the UE, and ${far} on the other side.`;
}

function judgeConnect({ tunnel, tcp, connect, connectAnswer }: TunnelLife, p: ProxyExchange, raise: Raise): void {
  const asked = connect ?? tcp.first;
  const answered = connectAnswer ?? asked;
  const [host, target] = [p.host.toLowerCase(), p.target.toLowerCase()];
  if (host !== '' && host !== target)
    raise('proxy.host-differs', asked, {
      detail: words`The CONNECT asks for ${quoted('host', p.target)}, and its Host is ${quoted('host', p.host)}.`,
      // Many clients leave the port out, and mean the same.
      ...(target.replace(/:\d+$/, '') === host && { severity: 'note' }),
    });
  if (p.status === PROXY_AUTHENTICATION_REQUIRED) {
    const schemes = (p.schemes ?? []).map((s) => oneOf(s, SCHEMES));
    const detail =
      schemes.length === 0 ? ours`The proxy names no scheme.` : words`The proxy takes ${joined(schemes, ', ')}.`;
    raise(p.hasCredentials ? 'proxy.credentials' : 'proxy.authentication', answered, { detail });
  }
  // Without a session there was a page, and no tunnel: that is told by itself.
  if (p.bodyHeader !== undefined && tunnel.session !== undefined && tunnel.page === undefined)
    raise('proxy.answer-body', answered, { detail: ours`It has ${p.bodyHeader}.` });
  if (p.isHasty) raise('proxy.hasty', asked);
}

/** How often keys were changed; a warning where that is without end and need. */
function changes(times: number, records: number, isOften: boolean): Remark {
  const detail = ours`It happened ${times === 1 ? 'once' : ours`${times} times`}.`;
  if (!isOften || records > STORM.records * times) return { detail };
  const each = Math.round(records / times);
  return {
    severity: 'warn',
    detail: ours`${detail} That is every ${each} records, and TLS stacks may end such a session.`,
  };
}

function judgeSession(s: TlsSession, at: Seen, raise: Raise): void {
  if (s.clientCertificate) raise('tls.client-certificate', at, { detail: ours`The client sent one.` });
  else if (s.certificateRequested)
    raise('tls.client-certificate', at, { detail: ours`The server asked, and got none.` });
  const records = s.verdict(0).records + s.verdict(1).records;
  if (s.renegotiations > 0)
    raise('tls.renegotiation', at, changes(s.renegotiations, records, s.renegotiations >= STORM.handshakes));
  if (s.resumed !== undefined) raise('tls.taken-up', at);
  if (s.retried) raise('tls.retried', at);
  const updates = s.keyUpdates[0] + s.keyUpdates[1];
  if (updates > 0) raise('tls.key-update', at, changes(updates, records, updates >= STORM.updates));
  if (s.serverRandom.endsWith(DOWNGRADE)) raise('tls.downgraded', at);
  if (s.protections?.extendedMasterSecret === false) raise('tls.no-extended-master-secret', at);
  if (s.protections?.renegotiationInfo === false) raise('tls.no-renegotiation-info', at);
  const [der] = s.certificates;
  const c = der === undefined ? undefined : certificateSummary(der);
  if (c === undefined) return;
  const small = c.keyBits > 0 && c.keyBits < (LEAST_BITS[c.keyAlgorithm] ?? 0);
  if (small)
    raise('tls.certificate-weak', at, {
      detail: words`Its key is ${oneOf(c.keyAlgorithm, OID_NAMES)} with ${c.keyBits} bits.`,
    });
  else if (BROKEN_HASH.test(c.signatureAlgorithm) && !c.selfIssued)
    raise('tls.certificate-weak', at, { detail: words`It is signed with ${oneOf(c.signatureAlgorithm, OID_NAMES)}.` });
}

/** Records that are longer than their receiver said that they may be. */
function judgeRecords({ tooLong, tcp }: TunnelLife, s: TlsSession, raise: Raise): void {
  for (const direction of [0, 1] as const) {
    const r = s.tooLong(direction);
    if (r === undefined) continue;
    const [sender, receiver] = (direction === 0) !== s.swapped ? (['UE', 'EFTF'] as const) : (['EFTF', 'UE'] as const);
    raise('tls.record-too-long', tooLong[direction] ?? tcp.first, {
      detail: ours`The ${sender} sent ${r.octets} octets in one, and the ${receiver} takes ${r.most}.`,
    });
  }
}

/** Envelopes at the wrong time: before the tunnel is established, unfinished at its end, or such that it ended for them. */
function judgeOrder(
  { tunnel, tcp, premature, established, unknown }: TunnelLife,
  raise: Raise,
  isEarly: boolean,
  isUnsure: boolean,
): void {
  const { session } = tunnel;
  // Where the handshake was not seen, waited behind a hole, or has another clock, nobody knows when it was over.
  const known = session?.clientHelloFrame !== undefined && session.finished[1] !== undefined && !isUnsure;
  if (known && premature !== null && established !== null && !isEarly && millis(premature, established) >= ORDER_MS)
    raise('fttims.before-finished', premature);
  for (const side of [0, 1] as const) {
    const octets = tunnel.unfinished[side];
    const way = tunnel.direction(side);
    const end = tcp.fin ?? tcp.end;
    if (octets > 0 && end !== null)
      raise('fttims.unfinished', end, {
        detail: ours`${ownCount(octets, 'octet')} of it came ${way}, and then the end.`,
      });
  }
  const { end } = tcp;
  if (end === null) return;
  const other = unknown[tunnel.direction(end.side) === 'up' ? 1 : 0];
  if (other === null || millis(other, end) > REFUSAL_MS || millis(other, end) < 0) return;
  const ms = Math.round(millis(other, end));
  raise('fttims.unknown-refused', end, {
    detail: ours`The tunnel ended ${ms} ms after one, from the side that got it.`,
  });
}
