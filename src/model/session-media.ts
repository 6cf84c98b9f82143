import { nextLine, staticPayloadType } from '../../dissectors/sdp/index.js';
import { addressText, ByOctets, parseAddress, utf8Text } from '../kit/index.js';
import { LIMITS } from '../limits.js';

/** Which way a medium may flow, from the side that says so. RFC 8866 §6.7 */
export type Flowing = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** What the lines of a description below an m-line say, with its formats. */
interface Section {
  /** Absent: as for the whole session. */
  address?: string;
  flowing?: Flowing;
  /** In the order of preference. */
  readonly formats: readonly { readonly type: number; name: string; clock: number }[];
  /** Names of those that have one. */
  codecs: readonly string[];
  /** Kilobits a second, `b=AS`. */
  bandwidth: number | undefined;
  ptimeMs: number | undefined;
  maxptimeMs: number | undefined;
  /** RTCP is switched off: `b=RS:0` and `b=RR:0` (RFC 3556 §2). */
  noControl: boolean;
  /** Preconditions of RFC 3312 that are still to be met: `e2e`, `local`, `remote`. */
  readonly unmet: string[];
  /** Preconditions are mandatory: a `des:qos mandatory` line. */
  mandatory: boolean;
  /** Candidates of ICE (RFC 8839 §5.1): `address port`. */
  readonly candidates: string[];
}

/** What a session description says about one medium: the pinhole that it opens (RFC 8866 §5.14, RFC 3264). */
export class SessionMedia {
  constructor(
    readonly kind: string,
    /** `0.0.0.0` and `::` where it says so. */
    readonly address: string,
    readonly port: number,
    readonly protocol: string,
    readonly flowing: Flowing,
    private readonly section: Readonly<Section>,
  ) {}

  get formats(): Section['formats'] {
    return this.section.formats;
  }
  get codecs(): readonly string[] {
    return this.section.codecs;
  }
  get bandwidth(): number | undefined {
    return this.section.bandwidth;
  }
  get ptimeMs(): number | undefined {
    return this.section.ptimeMs;
  }
  get maxptimeMs(): number | undefined {
    return this.section.maxptimeMs;
  }
  get noControl(): boolean {
    return this.section.noControl;
  }
  get unmet(): readonly string[] {
    return this.section.unmet;
  }
  get mandatory(): boolean {
    return this.section.mandatory;
  }
  get candidates(): readonly string[] {
    return this.section.candidates;
  }
}

/** As many as there are payload types. */
const MOST_FORMATS = 128;
const MOST_SECTIONS = 256;
const MOST_WORDS = 64;
const EQUALS = 61;
/** Types of lines. */
const A = 97;
const C = 99;
const M = 109;
/** Octets of the longest attribute that says which way media flow, with space around it. */
const MOST_FLOWING = 64;

/** Parts of descriptions by their octets: the same are sent call after call. They are shared, and stay as they are. */
export class Sections {
  private readonly known = new ByOctets<Section>(MOST_SECTIONS);
  /** Addresses by the c-lines that say them. */
  private readonly addresses = new ByOctets<string>(MOST_SECTIONS);

  /** Kinds of media, and protocols. */
  private readonly words = new ByOctets<string>(MOST_WORDS);

  /** The section of an m-line whose formats are `[off, from)`, and whose lines `[from, end)`. */
  of(b: Uint8Array, off: number, from: number, end: number): Section {
    const known = this.known.find(b, off, end);
    return known ?? this.known.set(b, off, end, sectionOf(utf8Text(b, off, from), utf8Text(b, from, end)));
  }

  word(b: Uint8Array, off: number, end: number): string {
    return this.words.find(b, off, end) ?? this.words.set(b, off, end, utf8Text(b, off, end));
  }

  /** The address of a c-line whose value is `[off, end)`. */
  address(b: Uint8Array, off: number, end: number): string {
    const known = this.addresses.find(b, off, end);
    return known ?? this.addresses.set(b, off, end, written(utf8Text(b, off, end).trim().split(/\s+/)[2] ?? ''));
  }
}

/** Reads the session description in `[off, end)`; unknown lines are passed over. */
export function parseSessionDescription(b: Uint8Array, off: number, end: number, known: Sections): SessionMedia[] {
  const media: SessionMedia[] = [];
  let address = '';
  let flowing: Flowing = 'sendrecv';
  for (let at = off, n = 0, next = 0; at < end && n++ < LIMITS.sdpLines; at = next) {
    next = nextLine(b, at, end);
    if (b[at + 1] !== EQUALS || at + 1 >= end) continue;
    const type = b[at];
    const value = at + 2;
    if (type === C) address = known.address(b, value, next);
    else if (type === A && next - value <= MOST_FLOWING) {
      const word = utf8Text(b, value, next).trim();
      if (isFlowing(word)) flowing = word;
    }
    if (type !== M) continue;
    if (media.length >= LIMITS.sessionMedia) break; // whoever follows the media of SDP tells of it
    const from = next;
    for (; next < end && n < LIMITS.sdpLines && !(b[next] === M && next + 1 < end && b[next + 1] === EQUALS); n++)
      next = nextLine(b, next, end);
    media.push(mediaLine(b, value, from, next, address, flowing, known));
  }
  return media;
}

const isSpace = (c: number): boolean => c === 32 || (c >= 9 && c <= 13);

/** Where a word begins, at `off` or behind it; `end` where none does. */
function wordAt(b: Uint8Array, off: number, end: number): number {
  let i = off;
  while (i < end && isSpace(b[i])) i++;
  return i;
}

/** One past the word at `off`. */
function wordEnd(b: Uint8Array, off: number, end: number): number {
  let i = off;
  while (i < end && !isSpace(b[i])) i++;
  return i;
}

/** An address as packets are written with it; a name as it is. RFC 8866 §5.7: a TTL may follow. */
function written(text: string): string {
  const plain = text.split('/')[0];
  const octets = parseAddress(plain);
  return octets === undefined ? plain : addressText(octets);
}

const FLOWING: ReadonlySet<string> = new Set<Flowing>(['sendrecv', 'sendonly', 'recvonly', 'inactive']);
const isFlowing = (s: string): s is Flowing => FLOWING.has(s);

/** The m-line whose value begins at `off`; the lines below it are `[from, end)`. */
function mediaLine(
  b: Uint8Array,
  off: number,
  from: number,
  end: number,
  address: string,
  flowing: Flowing,
  known: Sections,
): SessionMedia {
  const kind = wordAt(b, off, from);
  const kindEnd = wordEnd(b, kind, from);
  const port = wordAt(b, kindEnd, from);
  const portEnd = wordEnd(b, port, from);
  const protocol = wordAt(b, portEnd, from);
  const protocolEnd = wordEnd(b, protocol, from);
  const s = known.of(b, wordAt(b, protocolEnd, from), from, end);
  return new SessionMedia(
    known.word(b, kind, kindEnd),
    s.address ?? address,
    Number.parseInt(utf8Text(b, port, portEnd), 10) || 0,
    known.word(b, protocol, protocolEnd),
    s.flowing ?? flowing,
    s,
  );
}

function sectionOf(formats: string, lines: string): Section {
  const words = formats.trim().split(/\s+/).slice(0, MOST_FORMATS);
  const s: Section = {
    formats: words.flatMap((f) => {
      if (!/^\d{1,3}$/.test(f)) return [];
      const known = staticPayloadType(Number(f));
      return [{ type: Number(f), name: known?.name ?? '', clock: known?.clock ?? 0 }];
    }),
    codecs: [],
    bandwidth: undefined,
    ptimeMs: undefined,
    maxptimeMs: undefined,
    unmet: [],
    mandatory: false,
    noControl: false,
    candidates: [],
  };
  for (const line of lines.split('\n')) {
    if (line[1] !== '=') continue;
    const value = line.slice(2).trim();
    if (line[0] === 'c') s.address = written(value.split(/\s+/)[2] ?? '');
    else if (line[0] === 'a') {
      if (isFlowing(value)) s.flowing = value;
      else attribute(s, value);
    } else if (line.startsWith('b=AS:')) s.bandwidth = Number(value.slice(3)) || 0;
    else if (/^b=R[RS]:0\b/.test(line)) s.noControl = true;
  }
  s.codecs = s.formats.flatMap((f) => (f.name === '' ? [] : [f.name]));
  return s;
}

/** Looks at the first letter of the name first: most attributes are none of those that count. */
function attribute(m: Section, value: string): void {
  const first = value[0];
  if (first === 'r' || first === 'R') mapped(m, value);
  else if (first === 'p') {
    const ptime = /^ptime:\s*(\d{1,5})/.exec(value);
    if (ptime !== null) m.ptimeMs = Number(ptime[1]);
  } else if (first === 'm') {
    const most = /^maxptime:\s*(\d{1,5})/.exec(value);
    if (most !== null) m.maxptimeMs = Number(most[1]);
  } else if (first === 'c') either(m, value);
  else if (first === 'd' && /^des:qos\s+mandatory\s+(?!\S+\s+none)/.test(value)) m.mandatory = true; // RFC 3312 §5
}

function mapped(m: Section, value: string): void {
  const map = /^rtpmap:\s*(\d{1,3})\s+([^/\s]+)\/(\d{1,9})/i.exec(value);
  const f = map === null ? undefined : m.formats.find((x) => x.type === Number(map[1]));
  if (map === null || f === undefined) return;
  f.name = map[2];
  f.clock = Number(map[3]);
}

/** A candidate, or what a precondition is at. */
function either(m: Section, value: string): void {
  const candidate = /^candidate:\S+ \d+ \S+ \d+ (\S+) (\d{1,5})/i.exec(value);
  if (candidate !== null) m.candidates.push(`${written(candidate[1])} ${candidate[2]}`);
  const current = /^curr:qos\s+(\S+)\s+none/.exec(value);
  if (current !== null && !m.unmet.includes(current[1])) m.unmet.push(current[1]);
}

/** Where a medium may be sent to, each as `address port`: its own endpoint, and its candidates. */
export const placesOf = (m: SessionMedia): string[] =>
  m.port === 0 ? [] : [`${m.address} ${m.port}`, ...m.candidates];

/** Whether nothing is to be sent to an address: the way of RFC 2543 to hold, RFC 3264 §8.4. */
export const isNowhere = (address: string): boolean => address === '0.0.0.0' || address === '::';

/** Whether a side wants to send and to get a medium. RFC 3264 §8.4: without an address nothing is to come. */
export const isTwoWay = (m: SessionMedia): boolean => m.flowing === 'sendrecv' && !isNowhere(m.address);

/** Whether a description puts every medium of the session on hold. RFC 3264 §8.4 */
export const isHold = (media: readonly SessionMedia[]): boolean =>
  media.length > 0 &&
  media.every((m) => m.port === 0 || m.flowing === 'sendonly' || m.flowing === 'inactive' || isNowhere(m.address)) &&
  media.some((m) => m.port !== 0);
