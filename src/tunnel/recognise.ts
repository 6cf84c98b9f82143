import { EFTF_PORT } from '../../dissectors/ftt-ims.js';
import type { AnyDissector } from '../kit/index.js';
import { No, Yes } from '../kit/index.js';
import type { Flow } from '../stream/flow.js';
import type { PduBuffer } from '../stream/pdu-buffer.js';
import { ANCHOR_OCTETS } from './deframe.js';
import { detect } from './detect.js';
import type { Half } from './half.js';
import type { ConnectionHost } from './host.js';
import { wholeMessages } from './messages.js';

/**
 * Who speaks in a direction of a connection, by the octets in its window; null: nobody known; 'more': more octets would
 * say. Where the start of the stream is missing, the window moves to the next record or envelope in it.
 * @param peer the other direction
 * @param proxied the connection is what a CONNECT asked for
 */
export function recognise(
  host: ConnectionHost,
  flow: Flow,
  half: Half,
  peer: Half,
  proxied: boolean,
): AnyDissector | null | 'more' {
  const found = byContent(host, flow, half, peer, proxied);
  if (half.begun || (found !== null && found !== 'more')) return found;
  const joined = half.join();
  return joined === 'more' ? joined : host.dissectors[joined];
}

/** Octets of a record that say its type and version: fewer may be anything's. */
const START_OF_TLS = 3;

/** Whether octets wait to be understood: they begin like TLS or an envelope, or the ports name another protocol. */
export function mayBeNamed(host: ConnectionHost, flow: Flow, { buf, off, end }: PduBuffer): boolean {
  const { tls } = host.dissectors;
  if (tls.probe!(buf, off, end) !== No) return end - off >= START_OF_TLS;
  const named = host.streamDissector(flow);
  if (named !== undefined && named !== tls) return true;
  const isEftfPort = flow.aPort === EFTF_PORT || flow.bPort === EFTF_PORT;
  return (named === tls || isEftfPort) && detect(buf, off, end).kind === 'early';
}

/** Whether octets of a stream that nobody has claimed so far say nothing of who speaks, nor do the ports. */
export function isNobodys(host: ConnectionHost, flow: Flow, buf: Uint8Array, off: number, end: number): boolean {
  const { tls, http } = host.dissectors;
  if (host.streamDissector(flow) !== undefined) return false;
  if ([tls, http, ...host.probes].some((d) => d.probe!(buf, off, end) !== No)) return false;
  const { kind } = detect(buf, off, end);
  return kind !== 'fttims' && kind !== 'chain';
}

/** Whether nothing but its octets says that a stream is of this protocol: they then say it anywhere in the stream. */
const isKnownByOctets = (d: AnyDissector): boolean => d.on === undefined;

/** The protocol with whose octets a segment begins, of those that are known by nothing else. */
export function signed(
  probes: readonly AnyDissector[],
  buf: Uint8Array,
  off: number,
  end: number,
): AnyDissector | undefined {
  for (const d of probes) if (isKnownByOctets(d) && d.probe!(buf, off, end) === Yes) return d;
  return undefined;
}

function byContent(
  host: ConnectionHost,
  flow: Flow,
  half: Half,
  peer: Half,
  proxied: boolean,
): AnyDissector | null | 'more' {
  const { buf, off, end } = half.window;
  const { tls, http, fttims } = host.dissectors;
  // The CONNECT may stand behind its answer, where the capture has both directions out of order.
  if (peer.mode === 'tls') return proxied && half.begun && http.probe!(buf, off, end) === Yes ? http : tls;
  if (peer.mode === 'clear') return fttims;
  let unsure = false;
  for (const d of [tls, http]) {
    const p = d.probe!(buf, off, end);
    if (p === Yes) return d;
    if (p !== No) unsure = true;
  }
  const named = host.streamDissector(flow);
  if (named !== undefined && named !== tls && named !== http) return named;
  if (peer.mode === 'pdus' && !proxied && !isKnownByOctets(peer.messages!.dissector)) return peer.messages!.dissector;
  const { kind } = detect(buf, off, end);
  // Other protocols frame their messages alike: without TLS, and on another port, an IP packet must be among them.
  const isChain = kind === 'chain';
  if (kind === 'fttims' || (isChain && (flow.aPort === EFTF_PORT || flow.bPort === EFTF_PORT))) return fttims;
  if (named === http && half.begun && http.probe!(buf, off, end, true) === Yes) return http;
  for (const d of host.probes) {
    const p = d.probe!(buf, off, end);
    // In the middle of a stream a request line may be that of an inner packet.
    if (p === Yes && (half.begun || isKnownByOctets(d) || wholeMessages(d, buf, off, end))) return d;
    if (p !== No && half.begun) unsure = true;
  }
  if (kind !== 'other' && end - off < ANCHOR_OCTETS) return 'more';
  return unsure || isChain ? 'more' : null;
}
