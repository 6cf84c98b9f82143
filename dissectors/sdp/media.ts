import {
  ByOctets,
  type Exchange,
  find,
  LIMITS,
  lineAt,
  parseAddress,
  sameBytes,
  type Track,
  utf8Text,
  type View,
} from 'fttscope/kit';
import type { SrtpSetup } from '../dtls/index.js';
import { CallIds } from './call-ids.js';
import { isTyped, nextLine } from './lines.js';
import { type PayloadType, staticPayloadType } from './payload-types.js';

/** What a session description says about RTP to one of its addresses; `rtp` and `rtcp` get it with `expected`. */
export interface MediaNote {
  /** Frame of the request that the description came in, or that it answers. */
  readonly setupFrame: number;
  /** Call-ID of the session, '' outside one. */
  readonly callId: string;
  /** Those of all sessions that named this address, from the first one on: a call through a B2BUA has one on each side. */
  readonly callIds: CallIds;
  /** `audio`, `video`. */
  readonly kind: string;
  /** By payload type number, what the description says about it: static types and `a=rtpmap`. */
  readonly payloadTypes: ReadonlyMap<number, PayloadType>;
  /** Payloads, and RTCP behind its first header, are encrypted. RFC 3711 */
  readonly secure: boolean;
  /** Who said it, where that was no description: nothing is known of payload types then. */
  readonly by?: 'RTSP' | 'SKINNY';
  /** What ZRTP agreed on since. RFC 6189 §4.6 */
  readonly agreed?: SrtpSetup;
}

/** Types of lines. */
const A = 97;
const C = 99;
const M = 109;
const LF = 10;
const CR = 13;
const SP = 32;
const EQUALS = 61;

/** What the lines below an m-line say, and its formats. */
interface Section {
  readonly types: Map<number, PayloadType>;
  /** Of a c-line for this media alone (RFC 8866 §5.7); null where there is none. */
  address: Uint8Array | undefined | null;
  rtcpPort: number;
  rtcpAddress: Uint8Array | undefined;
}

interface MediaLine {
  readonly kind: string;
  readonly port: number;
  readonly count: number;
  readonly transport: Transport;
  readonly address: Uint8Array | undefined;
  readonly section: Section;
}

const MOST_SECTIONS = 32;
const MOST_ADDRESSES = 64;
const MOST_WORDS = 32;

/** What the protocol of an m-line says. RFC 8866 §5.14 */
interface Transport {
  /** Whether it carries RTP. */
  readonly rtp: boolean;
  /** Whether it is that of SRTP. */
  readonly secure: boolean;
  /** Whether it carries fax. ITU-T T.38 annex D. */
  readonly fax: boolean;
}

const transportOf = (protocol: string): Transport => ({
  rtp: /(^|\/)RTP\/S?AVPF?$/.test(protocol),
  secure: /(^|\/)RTP\/SAVPF?$/.test(protocol),
  fax: /^udptl$/i.test(protocol),
});

/** Parts of descriptions by their octets: a UE says the same of its media, and of itself, in each call. */
export class Known {
  readonly sections = new ByOctets<Section>(MOST_SECTIONS);
  /** Of c-lines; null: none that counts. */
  readonly addresses = new ByOctets<Uint8Array | null>(MOST_ADDRESSES);
  private readonly kinds = new ByOctets<string>(MOST_WORDS);
  private readonly transports = new ByOctets<Transport>(MOST_WORDS);

  kind(b: Uint8Array, off: number, end: number): string {
    return this.kinds.find(b, off, end) ?? this.kinds.set(b, off, end, utf8Text(b, off, end));
  }

  transport(b: Uint8Array, off: number, end: number): Transport {
    const known = this.transports.find(b, off, end);
    return known ?? this.transports.set(b, off, end, transportOf(utf8Text(b, off, end)));
  }

  /** The address of a c-line whose value is `[off, end)`. */
  address(b: Uint8Array, off: number, end: number): Uint8Array | undefined {
    const a = this.addresses.find(b, off, end);
    if (a !== undefined) return a ?? undefined;
    return this.addresses.set(b, off, end, connection(utf8Text(b, off, end)) ?? null) ?? undefined;
  }
}

function sectionOf(formats: string, b: Uint8Array, off: number, end: number): Section {
  const s: Section = { types: new Map(), address: null, rtcpPort: 0, rtcpAddress: undefined };
  for (const f of formats.split(' ')) {
    const known = /^\d{1,3}$/.test(f) ? staticPayloadType(Number(f)) : undefined;
    if (known !== undefined) s.types.set(Number(f), known);
  }
  for (let at = off; at < end; ) {
    const l = lineAt(b, at, end);
    at = l.next;
    if (!isTyped(b, l)) continue;
    const name = l.off + 2 < l.end ? b[l.off + 2] | 0x20 : 0;
    if (b[l.off] === C) s.address = connection(utf8Text(b, l.off + 2, l.end));
    else if (b[l.off] !== A) continue;
    else if (name === 0x72) mapped(s, utf8Text(b, l.off + 2, l.end));
    else if (name === 0x66) format(s, utf8Text(b, l.off + 2, l.end)); // most attributes say nothing of ports and types
  }
  return s;
}

/** The m-line whose value is `[off, end)`; the lines below it end at `below`. */
function mediaLine(
  b: Uint8Array,
  off: number,
  end: number,
  below: number,
  session: Uint8Array | undefined,
  known: Known,
): MediaLine {
  const kind = nextSpace(b, off, end);
  const port = nextSpace(b, kind + 1, end);
  const proto = nextSpace(b, port + 1, end);
  const formats = Math.min(proto + 1, end);
  const { sections } = known;
  const section =
    sections.find(b, formats, below) ??
    sections.set(b, formats, below, sectionOf(utf8Text(b, formats, end), b, end, below));
  const [number, count = '1'] = utf8Text(b, Math.min(kind + 1, end), port).split('/');
  return {
    kind: known.kind(b, off, kind),
    port: /^\d{1,5}$/.test(number) ? Number(number) : 0,
    count: /^\d{1,3}$/.test(count) ? Number(count) : 1,
    transport: known.transport(b, Math.min(port + 1, end), proto),
    address: section.address === null ? session : section.address,
    section,
  };
}

/** The first space from `off` on; `end` where there is none. */
function nextSpace(b: Uint8Array, off: number, end: number): number {
  return Math.min(find(b, SP, off, end), end);
}

/** `IN IP4 192.0.2.1/127`: the address; undefined for names and for 0.0.0.0 (RFC 3264 §8.4: on hold). */
function connection(value: string): Uint8Array | undefined {
  const [, , address = ''] = value.split(' ');
  const a = parseAddress(address.split('/')[0]);
  return a?.some((x) => x !== 0) ? a : undefined;
}

/** An attribute whose name begins with `r`. */
function mapped(m: Section, value: string): void {
  const map = /^rtpmap: *(\d{1,3}) +([^/\s]+)\/(\d{1,9})/i.exec(value);
  if (map !== null) {
    const known = m.types.get(Number(map[1]))?.parameters;
    const type = { name: map[2], clock: Number(map[3]), ...(known !== undefined && { parameters: known }) };
    m.types.set(Number(map[1]), type); // RFC 8866 §6.6
    return;
  }
  const rtcp = /^rtcp: *(\d{1,5})(?: +(IN .*))?$/.exec(value);
  if (rtcp === null) return;
  m.rtcpPort = Number(rtcp[1]); // RFC 3605 §2.1
  if (rtcp[2] !== undefined) m.rtcpAddress = connection(rtcp[2]);
}

/** An attribute whose name begins with `f`. */
function format(m: Section, value: string): void {
  const f = /^fmtp: *(\d{1,3}) +(.*)$/i.exec(value);
  const type = f === null ? undefined : m.types.get(Number(f[1]));
  if (f !== null && type !== undefined) m.types.set(Number(f[1]), { ...type, parameters: f[2] });
}

/** The m-lines of a description, each with the address that holds for it. */
function mediaLines(v: View, cx: Track, known: Known): MediaLine[] {
  const { buf, end } = v;
  const lines: MediaLine[] = [];
  let session: Uint8Array | undefined;
  for (let at = v.off, n = 0; at < end; ) {
    if (n++ >= LIMITS.sdpLines) {
      cx.capped('sdpLines');
      break;
    }
    const type = at + 1 < end && buf[at + 1] === EQUALS ? buf[at] : 0;
    const value = at + 2;
    const next = nextLine(buf, at, end);
    at = next;
    if (type === C) session = known.address(buf, value, textEnd(buf, value, next));
    if (type !== M) continue;
    if (lines.length >= LIMITS.sessionMedia) {
      cx.capped('sessionMedia');
      break;
    }
    for (; at < end && n < LIMITS.sdpLines && !(buf[at] === M && at + 1 < end && buf[at + 1] === EQUALS); n++)
      at = nextLine(buf, at, end);
    lines.push(mediaLine(buf, value, textEnd(buf, value, next), at, session, known));
  }
  return lines;
}

/** Where the text of a line that ends at `next` ends. */
function textEnd(b: Uint8Array, off: number, next: number): number {
  let i = next;
  if (i > off && b[i - 1] === LF) i--;
  return i > off && b[i - 1] === CR ? i - 1 : i;
}

/** What payload types mean at the port of a medium, which others may share: BUNDLE, RFC 9143 §9. */
function typesOf(m: MediaLine, all: readonly MediaLine[]): ReadonlyMap<number, PayloadType> {
  const shared = all.filter((x) => x.transport.rtp && x.port === m.port && isSame(x.address, m.address));
  if (shared.length < 2) return m.section.types;
  return new Map(
    shared.flatMap(({ kind, section }) => [...section.types].map(([n, t]) => [n, { ...t, kind }] as const)),
  );
}

const isSame = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a !== undefined && b !== undefined && sameBytes(a, b);

/** The Call-IDs of an address that the session of `exchange` names, too; sessions that began later are none of its. */
function callsOf(address: Uint8Array, port: number, exchange: Exchange, cx: Track): CallIds {
  const { id, frame } = exchange;
  const told = cx.expected<MediaNote>(address, port);
  const before = told === undefined || told.setupFrame > frame ? CallIds.NONE : told.callIds;
  if (id === '' || before.has(id)) return before;
  if (before.isFull) cx.capped('mediaCalls');
  return before.with(id);
}

/**
 * Says where RTP and RTCP are to be expected, and returns the Call-IDs that the address of the last media is known by, as
 * Wireshark's SDP names them. A port of 0 means that the media is refused (RFC 3264 §6).
 */
export function expectMedia(v: View, cx: Track, known: Known): CallIds {
  const exchange = cx.exchange ?? { frame: cx.frame, id: '' };
  const lines = mediaLines(v, cx, known);
  let calls: CallIds | undefined;
  for (const m of lines) {
    const { rtp, secure, fax } = m.transport;
    if (fax && m.port !== 0 && m.address !== undefined) cx.expect(m.address, m.port, 't38', undefined, exchange.frame);
    if (!rtp || m.port === 0 || m.address === undefined || (m.kind !== 'audio' && m.kind !== 'video')) continue;
    const callIds = callsOf(m.address, m.port, exchange, cx);
    calls = callIds;
    const payloadTypes = typesOf(m, lines);
    for (const { name } of payloadTypes.values()) cx.announce?.('rtp_dyn_payload_type', name.toLowerCase());
    const noteFor = (callIds: CallIds): MediaNote => ({
      setupFrame: exchange.frame,
      callId: exchange.id,
      callIds,
      kind: m.kind,
      payloadTypes,
      secure,
    });
    const note = noteFor(callIds);
    if (m.count > LIMITS.mediaPorts) cx.capped('mediaPorts');
    for (let i = 0; i < Math.min(m.count, LIMITS.mediaPorts); i++) {
      const port = m.port + 2 * i; // RFC 8866 §5.14: each RTP port has its RTCP port after it
      if (port > 0xffff) break;
      cx.expect(m.address, port, 'rtp', note, exchange.frame);
      const control = i === 0 && m.section.rtcpPort !== 0 ? m.section.rtcpPort : port + 1;
      if (control !== port && control <= 0xffff) {
        const address = m.section.rtcpAddress ?? m.address;
        // Another session may have its media there.
        const others = cx.expected<MediaNote>(address, control)?.callIds ?? CallIds.NONE;
        cx.expect(address, control, 'rtcp', noteFor(others), exchange.frame);
      }
    }
  }
  if (calls !== undefined) return calls;
  return exchange.id === '' || !lines.some((m) => m.port !== 0) ? CallIds.NONE : CallIds.NONE.with(exchange.id);
}
