import { type SdpLine, type SessionDescription, sdp } from '../../../dissectors/sdp/index.js';
import { encode } from '../../kit/index.js';
import { type Address, addressText, isUnspecified, parseAddress } from '../address.js';
import { integer, type Random } from '../random.js';
import type { Reservation } from './reservation.js';

/*
 * Offer and answer for one audio stream. RFC 3264, RFC 8866; further streams of a peer are refused.
 */

/** Which way media may flow, from the side that says so. RFC 8866 §6.7 */
export type MediaDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** An encoding of an offer or answer, with its payload type there. */
export interface AudioCodec {
  payloadType: number;
  name: string;
  clock: number;
  /** Value of a=fmtp. */
  format?: string;
}

/** Codecs that an endpoint can be told to offer. RFC 3551 table 4, RFC 4867 §8.1, RFC 4733 §2.4.1 */
export const CODECS = {
  PCMU: { payloadType: 0, name: 'PCMU', clock: 8000 },
  PCMA: { payloadType: 8, name: 'PCMA', clock: 8000 },
  AMR: { payloadType: 96, name: 'AMR', clock: 8000, format: 'octet-align=1' },
  'AMR-WB': { payloadType: 97, name: 'AMR-WB', clock: 16_000, format: 'octet-align=1' },
} as const satisfies Record<string, AudioCodec>;

/** An encoding that calls can offer. */
export type CodecName = keyof typeof CODECS;

/** Kbit/s with headers of IPv4, UDP and RTP for `b=AS`, and how many more those of IPv6 take. TS 24.229 §6.1.1 */
const BANDWIDTH: Readonly<Record<string, number>> = { PCMU: 80, PCMA: 80, AMR: 30, 'AMR-WB': 41 };
const MORE_FOR_IPV6 = 8;
const TELEPHONE_EVENT = 'telephone-event';
const FIRST_EVENT = 101;
/** Numbers that a session may give to formats as it likes. RFC 3551 §6 */
const DYNAMIC = [96, 127] as const;

/** What both sides agreed on. */
export interface NegotiatedMedia {
  codec: AudioCodec;
  /** Payload types of telephone events: what we send with. Absent: none. */
  eventType?: number;
  remote: { address: Address; port: number };
  /** As we see it. */
  direction: MediaDirection;
  /** Packet time, ms. */
  ptime: number;
}

/** What a session description says about its first usable audio stream. */
export interface RemoteAudio {
  /** Index among its media. */
  index: number;
  /** `RTP/AVP`, or with feedback `RTP/AVPF`. RFC 4585 */
  profile: string;
  /** `audio … RTP/AVP …` of each of its media. */
  media: string[];
  address: Address;
  port: number;
  codecs: AudioCodec[];
  direction: MediaDirection;
  ptime: number | undefined;
  /** Its lines, `m=` first. */
  lines: readonly SdpLine[];
}

const codec = sdp.codec!;

const readSdp = (octets: Uint8Array): SessionDescription => codec.parse(octets, 0, octets.length);

const STATIC: Readonly<Record<number, AudioCodec>> = { 0: CODECS.PCMU, 8: CODECS.PCMA };

/** The first audio stream over RTP with a port, or undefined. */
export function readAudio(octets: Uint8Array): RemoteAudio | undefined {
  const lines = readSdp(octets);
  const starts = lines.flatMap((l, i) => (l.type === 'm' ? [i] : []));
  const session = lines.slice(0, starts[0] ?? lines.length);
  const media = starts.map((i) => lines[i].value);
  for (const [index, from] of starts.entries()) {
    const own = lines.slice(from, starts[index + 1] ?? lines.length);
    const m = /^audio (\d{1,5})(?:\/\d+)? (RTP\/AVPF?)((?: \d{1,3})+)\s*$/.exec(own[0].value);
    if (m === null || Number(m[1]) === 0 || Number(m[1]) > 0xffff) continue;
    const value = (own.find((l) => l.type === 'c') ?? session.find((l) => l.type === 'c'))?.value ?? '';
    const address = parseAddress(value.split(' ')[2]?.split('/')[0] ?? '');
    if (address === undefined) continue;
    const ptime = Number(attribute(own, 'ptime'));
    const direction = directionOf(own) ?? directionOf(session) ?? 'sendrecv';
    return {
      index,
      profile: m[2],
      media,
      address,
      port: Number(m[1]),
      codecs: m[3]
        .trim()
        .split(' ')
        .flatMap((n) => codecOf(Number(n), own)),
      direction: isUnspecified(address) ? meet('sendonly', flipped(direction)) : direction, // RFC 3264 §8.4: an old hold
      ptime: ptime >= 5 && ptime <= 200 ? ptime : undefined,
      lines: own,
    };
  }
  return undefined;
}

function attribute(lines: readonly SdpLine[], name: string): string | undefined {
  return lines.find((l) => l.type === 'a' && l.value.startsWith(`${name}:`))?.value.slice(name.length + 1);
}

function codecOf(payloadType: number, lines: readonly SdpLine[]): AudioCodec[] {
  const prefix = `${payloadType} `;
  const value = (name: string) =>
    lines
      .find((l) => l.type === 'a' && l.value.startsWith(`${name}:${prefix}`))
      ?.value.slice(name.length + 1 + prefix.length);
  const map = /^([\w.-]+)\/(\d+)/.exec(value('rtpmap') ?? '');
  const format = value('fmtp');
  if (map === null) return STATIC[payloadType] ? [STATIC[payloadType]] : [];
  return [{ payloadType, name: map[1], clock: Number(map[2]), ...(format ? { format } : {}) }];
}

function directionOf(lines: readonly SdpLine[]): MediaDirection | undefined {
  const found = lines.find((l) => l.type === 'a' && /^(sendrecv|sendonly|recvonly|inactive)$/.test(l.value));
  return found?.value as MediaDirection | undefined;
}

const sends = (d: MediaDirection): boolean => d === 'sendrecv' || d === 'sendonly';
const receives = (d: MediaDirection): boolean => d === 'sendrecv' || d === 'recvonly';

/** As the other side sees it. */
const flipped = (d: MediaDirection): MediaDirection =>
  d === 'sendonly' ? 'recvonly' : d === 'recvonly' ? 'sendonly' : d;

/** What is left of what we want where the peer said `theirs`. RFC 3264 §6.1 */
export function meet(ours: MediaDirection, theirs: MediaDirection): MediaDirection {
  const send = sends(ours) && receives(theirs);
  const receive = receives(ours) && sends(theirs);
  return send ? (receive ? 'sendrecv' : 'sendonly') : receive ? 'recvonly' : 'inactive';
}

const isEvent = (c: AudioCodec): boolean => c.name.toLowerCase() === TELEPHONE_EVENT;
const matches = (a: AudioCodec, b: AudioCodec): boolean =>
  a.name.toLowerCase() === b.name.toLowerCase() && a.clock === b.clock && aligned(a) === aligned(b);
const aligned = (c: AudioCodec): boolean => /octet-align=1/.test(c.format ?? '');

/** One side of a session: makes offers and answers, and knows what came of them. */
export class MediaSession {
  /** What is agreed on; undefined before that. */
  media: NegotiatedMedia | undefined;
  /** What we want now: `sendonly` and `inactive` put the peer on hold. */
  wanted: MediaDirection = 'sendrecv';
  private version: number;
  private readonly id: number;
  private last: string | undefined;
  private pending: MediaDirection | undefined;
  /** What payload types stand for, which never changes. RFC 3264 §8.3.2 */
  private readonly types = new Map<number, AudioCodec>();
  /** The streams of the session: no offer has fewer. RFC 3264 §8 */
  private streams: Pick<RemoteAudio, 'media' | 'index' | 'profile'> = { media: [''], index: 0, profile: 'RTP/AVP' };

  /**
   * @param local where we receive RTP; RTCP at the port above
   * @param codecs in the order in which we like them
   * @param reservation what media wait for, if anything
   */
  constructor(
    readonly local: { address: Address; port: number },
    private readonly codecs: readonly AudioCodec[],
    random: Random,
    readonly reservation?: Reservation,
  ) {
    this.id = integer(random, 1, 0x7fff_ffff);
    this.version = this.id;
  }

  /** An offer of all we have. */
  offer(): Uint8Array {
    this.pending = this.wanted;
    const formats = [...this.codecs, ...eventsFor(this.codecs)].map((c) => this.numbered(c));
    return this.write(this.lines(formats, this.wanted, 'offer'));
  }

  /** The answer to an offer; undefined where nothing fits. RFC 3264 §6 */
  answer(octets: Uint8Array): Uint8Array | undefined {
    const remote = readAudio(octets);
    const chosen = remote && this.choose(remote);
    if (!remote || !chosen) return undefined;
    const direction = meet(this.wanted, remote.direction);
    const event = remote.codecs.find((c) => isEvent(c) && c.clock === chosen.clock);
    this.settle(remote, chosen, event, direction);
    const ours = [chosen, ...(event ? [event] : [])];
    return this.write(this.lines(ours, direction, 'answer'));
  }

  /** Takes the answer to our offer; false where it has nothing that we offered. */
  accept(octets: Uint8Array): boolean {
    const remote = readAudio(octets);
    const chosen = remote && this.choose(remote);
    if (!remote || !chosen) return false;
    const event = remote.codecs.find((c) => isEvent(c) && c.clock === chosen.clock);
    this.settle(remote, chosen, event, meet(this.pending ?? this.wanted, remote.direction));
    return true;
  }

  private choose(remote: RemoteAudio): AudioCodec | undefined {
    return remote.codecs.find((c) => !isEvent(c) && this.codecs.some((own) => matches(own, c)));
  }

  private settle(
    remote: RemoteAudio,
    chosen: AudioCodec,
    event: AudioCodec | undefined,
    direction: MediaDirection,
  ): void {
    this.reservation?.take(remote.lines);
    for (const c of remote.codecs) if (!this.types.has(c.payloadType)) this.types.set(c.payloadType, c);
    this.streams = remote;
    this.media = {
      codec: chosen,
      ...(event ? { eventType: event.payloadType } : {}),
      remote: { address: remote.address, port: remote.port },
      direction,
      ptime: remote.ptime ?? 20,
    };
  }

  /** A format under the number that the session has for it, or under one that it has for nothing else. */
  private numbered(c: AudioCodec): AudioCodec {
    const [first, last] = DYNAMIC;
    if (c.payloadType < first) return c;
    let n = [...this.types].find(([, known]) => matches(known, c))?.[0] ?? c.payloadType;
    for (let i = first; i <= last && !matches(this.types.get(n) ?? c, c); i++) n = n === last ? first : n + 1;
    const named = { ...c, payloadType: n };
    this.types.set(n, named);
    return named;
  }

  /** Ours among all streams of the session. */
  private lines(codecs: readonly AudioCodec[], direction: MediaDirection, kind: 'offer' | 'answer'): string[][] {
    const { media, index } = this.streams;
    return media.map((m, i) => (i === index ? this.mediaLines(codecs, direction, kind) : [refused(m)]));
  }

  private mediaLines(codecs: readonly AudioCodec[], direction: MediaDirection, kind: 'offer' | 'answer'): string[] {
    const types = codecs.map((c) => c.payloadType).join(' ');
    const { address, port } = this.local;
    const most = Math.max(...codecs.map((c) => BANDWIDTH[c.name] ?? 0));
    const maps = codecs.flatMap((c) => [
      `a=rtpmap:${c.payloadType} ${c.name}/${c.clock}`,
      ...(c.format ? [`a=fmtp:${c.payloadType} ${c.format}`] : []),
    ]);
    const head = [`m=audio ${port} ${this.streams.profile} ${types}`];
    if (most > 0) head.push(`b=AS:${address.length === 4 ? most : most + MORE_FOR_IPV6}`);
    return [...head, ...maps, 'a=ptime:20', `a=${direction}`, ...(this.reservation?.lines(kind) ?? [])];
  }

  /** RFC 3264 §8: the version goes up when anything changes. */
  private write(media: readonly string[][]): Uint8Array {
    const { address } = this.local;
    const net = `IN IP${address.length === 4 ? 4 : 6} ${addressText(address)}`;
    const rest = ['s=-', `c=${net}`, 't=0 0', ...media.flat()];
    const body = rest.join('\n');
    if (this.last !== undefined && body !== this.last) this.version++;
    this.last = body;
    const lines = ['v=0', `o=- ${this.id} ${this.version} ${net}`, ...rest];
    return encode(
      codec,
      lines.map((l) => ({ type: l[0], value: l.slice(2) })),
    );
  }
}

/** A telephone-event format for each clock rate in use. RFC 4733 §2.1 */
function eventsFor(codecs: readonly AudioCodec[]): AudioCodec[] {
  const clocks = [...new Set(codecs.map((c) => c.clock))];
  return clocks.map((clock, i) => ({ payloadType: FIRST_EVENT + i, name: TELEPHONE_EVENT, clock, format: '0-15' }));
}

/** A stream with port 0. RFC 3264 §6 */
const refused = (m: string): string => `m=${m.replace(/^(\S+) \d+(\/\d+)?/, '$1 0')}`;
