import { type Track, utf8Text, type View } from 'fttscope/kit';
import { isTyped, lineAt, MAX_LINES } from './lines.js';
import { parseAddress } from './network-address.js';
import { type PayloadType, staticPayloadType } from './payload-types.js';

/** What a session description says about RTP to one of its addresses; `rtp` and `rtcp` get it with `expected`. */
export interface MediaNote {
  /** Frame of the request that the description came in, or that it answers. */
  readonly setupFrame: number;
  /** Call-ID of the session, '' outside one. */
  readonly callId: string;
  /** Place of the m-line in the description, from 0. */
  readonly media: number;
  /** `audio`, `video`. */
  readonly kind: string;
  /** By payload type number, what the description says about it: static types and `a=rtpmap`. */
  readonly payloadTypes: ReadonlyMap<number, PayloadType>;
  /** Whether RTCP may come to the port of RTP. RFC 5761. */
  readonly rtcpMux: boolean;
}

/** Ports of one m-line (`m=audio 49170/2`) that are followed. */
const MAX_PORTS = 8;
const MAX_MEDIA = 32;

interface MediaLine {
  kind: string;
  port: number;
  count: number;
  /** Whether the protocol carries RTP. RFC 8866 §5.14. */
  rtp: boolean;
  /** Whether it carries fax. ITU-T T.38 annex D. */
  fax: boolean;
  address: Uint8Array | undefined;
  types: Map<number, PayloadType>;
  rtcpPort: number;
  rtcpAddress: Uint8Array | undefined;
  rtcpMux: boolean;
}

function mediaLine(value: string, session: Uint8Array | undefined): MediaLine {
  const [kind, port = '', proto = '', ...formats] = value.split(' ');
  const [number, count = '1'] = port.split('/');
  const types = new Map<number, PayloadType>();
  for (const f of formats) {
    const known = /^\d{1,3}$/.test(f) ? staticPayloadType(Number(f)) : undefined;
    if (known !== undefined) types.set(Number(f), known);
  }
  return {
    kind,
    port: /^\d{1,5}$/.test(number) ? Number(number) : 0,
    count: /^\d{1,3}$/.test(count) ? Math.min(Number(count), MAX_PORTS) : 1,
    fax: /^udptl$/i.test(proto),
    rtp: /(^|\/)RTP\/S?AVPF?$/.test(proto),
    address: session,
    types,
    rtcpPort: 0,
    rtcpAddress: undefined,
    rtcpMux: false,
  };
}

/** `IN IP4 192.0.2.1/127`: the address; undefined for names and for 0.0.0.0 (RFC 3264 §8.4: on hold). */
function connection(value: string): Uint8Array | undefined {
  const [, , address = ''] = value.split(' ');
  const a = parseAddress(address.split('/')[0]);
  return a?.some((x) => x !== 0) ? a : undefined;
}

/** An attribute whose name begins with `r`. */
function mapped(m: MediaLine, value: string): void {
  const map = /^rtpmap: *(\d{1,3}) +([^/\s]+)\/(\d{1,9})/i.exec(value);
  if (map !== null) {
    const known = m.types.get(Number(map[1]))?.parameters;
    const type = { name: map[2], clock: Number(map[3]), ...(known !== undefined && { parameters: known }) };
    m.types.set(Number(map[1]), type); // RFC 8866 §6.6
    return;
  }
  if (value === 'rtcp-mux') m.rtcpMux = true; // RFC 5761 §5.1.1
  const rtcp = /^rtcp: *(\d{1,5})(?: +(IN .*))?$/.exec(value);
  if (rtcp === null) return;
  m.rtcpPort = Number(rtcp[1]); // RFC 3605 §2.1
  if (rtcp[2] !== undefined) m.rtcpAddress = connection(rtcp[2]);
}

/** An attribute whose name begins with `f`. */
function format(m: MediaLine, value: string): void {
  const f = /^fmtp: *(\d{1,3}) +(.*)$/i.exec(value);
  const type = f === null ? undefined : m.types.get(Number(f[1]));
  if (f !== null && type !== undefined) m.types.set(Number(f[1]), { ...type, parameters: f[2] });
}

/** The m-lines of a description, each with the address that holds for it. */
function mediaLines(v: View): MediaLine[] {
  const lines: MediaLine[] = [];
  let session: Uint8Array | undefined;
  let n = 0;
  for (let at = v.off; at < v.end && n++ < MAX_LINES; ) {
    const l = lineAt(v.buf, at, v.end);
    at = l.next;
    if (!isTyped(v.buf, l)) continue;
    const type = v.buf[l.off];
    const m = lines[lines.length - 1];
    if (type === 0x61) {
      const name = l.off + 2 < l.end ? v.buf[l.off + 2] | 0x20 : 0;
      if (m === undefined || (name !== 0x72 && name !== 0x66)) continue; // most attributes say nothing of ports and types
      (name === 0x72 ? mapped : format)(m, utf8Text(v.buf, l.off + 2, l.end));
      continue;
    }
    if (type !== 0x6d && type !== 0x63) continue; // m, c
    const value = utf8Text(v.buf, l.off + 2, l.end);
    if (type === 0x6d) {
      if (lines.length >= MAX_MEDIA) break;
      lines.push(mediaLine(value, session));
    } else if (m === undefined) session = connection(value);
    else m.address = connection(value); // RFC 8866 §5.7: for this media alone
  }
  return lines;
}

/** Says where RTP and RTCP are to be expected. A port of 0 means that the media is refused (RFC 3264 §6). */
export function expectMedia(v: View, cx: Track): void {
  const exchange = cx.exchange ?? { frame: cx.frame, id: '' };
  mediaLines(v).forEach((m, media) => {
    if (m.fax && m.port !== 0 && m.address !== undefined)
      cx.expect(m.address, m.port, 't38', undefined, exchange.frame);
    if (!m.rtp || m.port === 0 || m.address === undefined || (m.kind !== 'audio' && m.kind !== 'video')) return;
    const note: MediaNote = {
      setupFrame: exchange.frame,
      callId: exchange.id,
      media,
      kind: m.kind,
      payloadTypes: m.types,
      rtcpMux: m.rtcpMux,
    };
    for (let i = 0; i < m.count; i++) {
      const port = m.port + 2 * i; // RFC 8866 §5.14: each RTP port has its RTCP port after it
      if (port > 0xffff) break;
      cx.expect(m.address, port, 'rtp', note, exchange.frame);
      const control = i === 0 && m.rtcpPort !== 0 ? m.rtcpPort : port + 1;
      if (control !== port && control <= 0xffff) {
        cx.expect(m.rtcpAddress ?? m.address, control, 'rtcp', note, exchange.frame);
      }
    }
  });
}
