import { staticPayloadType } from '../../dissectors/sdp/index.js';
import { parseAddress } from '../../dissectors/sdp/network-address.js';
import { LIMITS } from '../limits.js';
import { addressOf } from './events.js';

export type Flowing = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** What a session description says about one medium: the pinhole that it opens (RFC 8866 §5.14, RFC 3264). */
export interface SessionMedia {
  readonly kind: string;
  /** `0.0.0.0` and `::` where it says so. */
  address: string;
  readonly port: number;
  readonly protocol: string;
  flowing: Flowing;
  /** In the order of preference. */
  readonly formats: { readonly type: number; name: string; clock: number }[];
  /** Kilobits a second, `b=AS`. */
  bandwidth?: number;
  ptimeMs?: number;
  maxptimeMs?: number;
  /** RTCP is switched off: `b=RS:0` and `b=RR:0` (RFC 3556 §2). */
  noControl: boolean;
  /** Preconditions of RFC 3312 that are still to be met: `e2e`, `local`, `remote`. */
  readonly unmet: string[];
  /** Preconditions are mandatory: a `des:qos mandatory` line. */
  mandatory: boolean;
  /** Candidates of ICE (RFC 8839 §5.1): `address port`. */
  readonly candidates: string[];
}

const MOST_MEDIA = 32;
const MOST_CANDIDATES = 32;
/** Types of lines that say something of media. */
const READ = 'mcab';

/** Reads a session description; unknown lines are passed over. */
export function parseSessionDescription(text: string): SessionMedia[] {
  const media: SessionMedia[] = [];
  let address = '';
  let flowing: Flowing = 'sendrecv';
  for (const line of text.split('\n', LIMITS.sdpLines)) {
    if (line[1] !== '=' || !READ.includes(line[0])) continue;
    const value = line.slice(2).trim();
    const m = media[media.length - 1];
    if (line[0] === 'm') {
      if (media.length >= MOST_MEDIA) break;
      media.push(mediaLine(value, address, flowing));
    } else if (line[0] === 'c') {
      const a = written(value.split(/\s+/)[2] ?? '');
      if (m === undefined) address = a;
      else m.address = a;
    } else if (line[0] === 'a') {
      if (isFlowing(value)) {
        if (m === undefined) flowing = value;
        else m.flowing = value;
      } else if (m !== undefined) attribute(m, value);
    } else if (line.startsWith('b=AS:') && m !== undefined) m.bandwidth = Number(value.slice(3)) || 0;
    else if (/^b=R[RS]:0\b/.test(line) && m !== undefined) m.noControl = true;
  }
  return media;
}

/** An address as packets are written with it; a name as it is. RFC 8866 §5.7: a TTL may follow. */
function written(text: string): string {
  const plain = text.split('/')[0];
  const octets = parseAddress(plain);
  return octets === undefined ? plain : addressOf(octets);
}

const FLOWING: ReadonlySet<string> = new Set<Flowing>(['sendrecv', 'sendonly', 'recvonly', 'inactive']);
const isFlowing = (s: string): s is Flowing => FLOWING.has(s);

function mediaLine(value: string, address: string, flowing: Flowing): SessionMedia {
  const [kind = '', port = '', protocol = '', ...formats] = value.split(/\s+/);
  return {
    kind,
    address,
    port: Number.parseInt(port, 10) || 0,
    protocol,
    flowing,
    formats: formats.slice(0, 64).flatMap((f) => {
      if (!/^\d{1,3}$/.test(f)) return [];
      const known = staticPayloadType(Number(f));
      return [{ type: Number(f), name: known?.name ?? '', clock: known?.clock ?? 0 }];
    }),
    unmet: [],
    mandatory: false,
    noControl: false,
    candidates: [],
  };
}

/** Looks at the first letter of the name first: most attributes are none of those that count. */
function attribute(m: SessionMedia, value: string): void {
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

function mapped(m: SessionMedia, value: string): void {
  const map = /^rtpmap:\s*(\d{1,3})\s+([^/\s]+)\/(\d{1,9})/i.exec(value);
  const f = map === null ? undefined : m.formats.find((x) => x.type === Number(map[1]));
  if (map === null || f === undefined) return;
  f.name = map[2];
  f.clock = Number(map[3]);
}

/** A candidate, or what a precondition is at. */
function either(m: SessionMedia, value: string): void {
  const candidate = /^candidate:\S+ \d+ \S+ \d+ (\S+) (\d{1,5})/i.exec(value);
  if (candidate !== null && m.candidates.length < MOST_CANDIDATES)
    m.candidates.push(`${written(candidate[1])} ${candidate[2]}`);
  const current = /^curr:qos\s+(\S+)\s+none/.exec(value);
  if (current !== null && !m.unmet.includes(current[1])) m.unmet.push(current[1]);
}

/** Where a medium may be sent to, each as `address port`: its own endpoint, and its candidates. */
export const placesOf = (m: SessionMedia): string[] =>
  m.port === 0 ? [] : [`${m.address} ${m.port}`, ...m.candidates];

/** Whether a description puts every medium of the session on hold. RFC 3264 §8.4; `0.0.0.0` is the way of RFC 2543. */
export const isHold = (media: readonly SessionMedia[]): boolean =>
  media.length > 0 &&
  media.every((m) => m.port === 0 || m.flowing === 'sendonly' || m.flowing === 'inactive' || m.address === '0.0.0.0') &&
  media.some((m) => m.port !== 0);
