import {
  findOutside,
  Header,
  headerId,
  ListAhead,
  parseAddress,
  parseSip,
  type SipAddress,
  type SipMessage,
} from '../../dissectors/sip/index.js';
import { METHODS } from '../../dissectors/sip/names.js';
import { ByOctets, isDamage, utf8Text } from '../kit/index.js';
import type { Content } from './events.js';
import { parseSessionDescription, Sections, type SessionMedia } from './session-media.js';
import { hashOf } from './uid.js';

/** Address, tag and parameters of a From, To or Contact. */
export interface Party {
  readonly uri: string;
  readonly tag: string;
  /** What follows the address, with its leading `;`. */
  readonly parameters: string;
}

const NOBODY: Party = { uri: '', tag: '', parameters: '' };
const FLOW_TIMER = headerId('Flow-Timer');
const MOST_TEXT = 512;
const MOST_PARTIES = 1024;
const MOST_TYPES = 64;
const COMMA = 44;
const utf8 = new TextEncoder();

/** Text from a packet that goes into a report: no longer than anybody wants to read. */
const bounded = (s: string): string => (s.length > MOST_TEXT ? `${s.slice(0, MOST_TEXT)}…` : s);

/** What messages say again and again, by its octets. */
export class SipKnown {
  readonly sections = new Sections();
  readonly parties = new ByOctets<Party>(MOST_PARTIES);
  readonly mediaTypes = new ByOctets<string>(MOST_TYPES);
  /**
   * The last event. Where there is none at a full collection, V8 forgets what events look like, and with that all code
   * that it compiled for them, some thirty functions.
   */
  last: SipEvent | null = null;
}

/** A SIP message, read as far as somebody asks. Keep the texts, not the event: its octets are those of the packet. */
export class SipEvent {
  private constructor(
    private readonly m: SipMessage,
    readonly content: Content,
    private readonly known: SipKnown,
  ) {}

  /**
   * The message in `c`, which may have been read before; undefined where there is none, as in a keep-alive.
   * @param known what was seen before
   */
  static of(c: Content, known: SipKnown, read?: SipMessage): SipEvent | undefined {
    try {
      known.last = new SipEvent(read ?? parseSip(c.buf, c.off, c.end, c.end < c.wireEnd), c, known);
      return known.last;
    } catch (e) {
      if (!isDamage(e)) throw e;
      return undefined;
    }
  }

  get isRequest(): boolean {
    return this.m.isRequest;
  }
  get method(): string {
    this.keptMethod ??= this.methodName();
    return this.keptMethod;
  }
  private keptMethod: string | undefined;
  private methodName(): string {
    const { method } = this.m;
    return METHODS.get(method) ?? bounded(method);
  }
  /** Of a response; 0 in a request. */
  get status(): number {
    return this.m.status;
  }
  get reason(): string {
    return bounded(this.m.reason);
  }
  get uri(): string {
    return bounded(this.m.uri);
  }
  get callId(): string {
    this.keptCallId ??= bounded(this.m.text(Header.CallId) ?? '');
    return this.keptCallId;
  }
  private keptCallId: string | undefined;
  get cseq(): number {
    this.keptCseq ??= this.m.cseq()?.number ?? 0;
    return this.keptCseq;
  }
  private keptCseq: number | undefined;
  /** Octets of the whole message. */
  get octets(): number {
    return this.m.end - this.m.off;
  }

  text(id: number): string | undefined {
    const value = this.m.text(id);
    return value === undefined ? undefined : bounded(value);
  }

  /** The values of all headers with this id, lists not taken apart. */
  texts(id: number): string[] {
    const out: string[] = [];
    for (const h of this.m.headers) if (h.id === id) out.push(bounded(this.m.value(h)));
    return out;
  }

  /** A header that holds a number of seconds, whatever follows it. */
  seconds(id: number): number | undefined {
    const m = /^\s*(\d{1,10})/.exec(this.m.text(id) ?? '');
    return m === null ? undefined : Number(m[1]);
  }

  party(id: number): Party {
    const h = this.m.find(id);
    if (h === undefined) return NOBODY;
    const { buf } = this.m;
    const { parties } = this.known;
    return (
      parties.find(buf, h.valueOff, h.valueEnd) ??
      parties.set(buf, h.valueOff, h.valueEnd, partyOf(buf, h.valueOff, h.valueEnd))
    );
  }

  /** All addresses of the headers with this id, of lists as well. RFC 3261 §7.3.1 */
  parties(id: number): Party[] {
    const { buf, headers } = this.m;
    const all: Party[] = [];
    for (const h of headers) {
      if (h.id !== id) continue;
      const ahead = new ListAhead(buf, h.valueOff, h.valueEnd);
      for (let at = h.valueOff, next = at; at < h.valueEnd; at = next + 1) {
        const a = parseAddress(buf, at, h.valueEnd, ahead);
        next = findOutside(buf, a?.end ?? at, h.valueEnd, COMMA);
        if (a !== undefined) all.push(partyAt(buf, a, next));
      }
    }
    return all;
  }

  get from(): Party {
    this.keptFrom ??= this.party(Header.From);
    return this.keptFrom;
  }
  private keptFrom: Party | undefined;
  get to(): Party {
    this.keptTo ??= this.party(Header.To);
    return this.keptTo;
  }
  private keptTo: Party | undefined;

  /** Branch of the first Via: the transaction. RFC 3261 §17.1.3 */
  get branch(): string {
    this.keptBranch ??= bounded(/;\s*branch\s*=\s*([^;,\s]+)/i.exec(this.m.text(Header.Via) ?? '')?.[1] ?? '');
    return this.keptBranch;
  }
  private keptBranch: string | undefined;

  /** Seconds of a Flow-Timer. RFC 5626 §4.4 */
  get flowTimer(): number | undefined {
    return this.seconds(FLOW_TIMER);
  }

  /** Host of the first Via, an IPv6 address in brackets. RFC 3261 §18.1.1 */
  get viaHost(): string {
    return bounded(
      /^\s*SIP\s*\/[^/]+\/\s*\S+\s+(\[[^\]]*\]|[^\s:;,]+)/i.exec(this.m.text(Header.Via) ?? '')?.[1] ?? '',
    );
  }

  /** A parameter of the first Via, '' where it has no value; undefined without it. */
  via(name: string): string | undefined {
    const value = (this.m.text(Header.Via) ?? '').split(',')[0];
    const m = new RegExp(`;\\s*${name}(?:\\s*=\\s*([^;,\\s]+))?\\s*(?:;|$)`, 'i').exec(value);
    return m === null ? undefined : bounded(m[1] ?? '');
  }

  get hasCredentials(): boolean {
    return this.m.find(Header.Authorization) !== undefined || this.m.find(Header.ProxyAuthorization) !== undefined;
  }

  /** Whether its body is as long as it says. */
  get isWhole(): boolean {
    const { m } = this;
    return m.contentLength <= m.bodyEnd - m.bodyOff;
  }

  get mediaType(): string {
    const h = this.m.find(Header.ContentType);
    if (h === undefined) return '';
    const { buf } = this.m;
    const { mediaTypes } = this.known;
    return (
      mediaTypes.find(buf, h.valueOff, h.valueEnd) ??
      mediaTypes.set(buf, h.valueOff, h.valueEnd, this.m.value(h).split(';')[0].trim().toLowerCase())
    );
  }

  get body(): Uint8Array {
    return this.m.buf.subarray(this.m.bodyOff, this.m.bodyEnd);
  }

  get bodyText(): string {
    return utf8Text(this.m.buf, this.m.bodyOff, this.m.bodyEnd);
  }

  /** The session description in the body, alone or as a part of it. */
  get media(): SessionMedia[] | undefined {
    const { m } = this;
    if (m.bodyEnd <= m.bodyOff) return undefined;
    const type = this.mediaType;
    if (type === 'application/sdp') return parseSessionDescription(m.buf, m.bodyOff, m.bodyEnd, this.known.sections);
    if (!type.startsWith('multipart/')) return undefined;
    const body = utf8Text(m.buf, m.bodyOff, m.bodyEnd);
    const part = /content-type:\s*application\/sdp[^\n]*\n(?:[^\r\n]+\r?\n)*\r?\n([\s\S]*?)(?:\r?\n--|$)/i.exec(body);
    if (part === null) return undefined;
    const octets = utf8.encode(part[1]);
    return parseSessionDescription(octets, 0, octets.length, this.known.sections);
  }

  /** Names the message among those of its dialog: what is the same is sent again. */
  get identity(): number {
    const { content: c, status, method, cseq, branch, progress } = this;
    const tag = this.isRequest ? '' : this.to.tag;
    const octets = c.net === 4 ? 4 : 16;
    // The addresses of a packet stand one behind the other.
    return hashOf(
      [status, tag, method, progress, cseq, branch, c.sport, c.dport],
      c.addresses,
      Math.min(c.source, c.destination),
      2 * octets,
    );
  }

  /** What tells provisional responses of one status and dialog apart (RFC 3262 §3: each reliable one has its own RSeq). */
  private get progress(): string {
    const { m } = this;
    if (m.isRequest || m.status <= 100 || m.status >= 200) return '';
    return `${m.text(Header.RSeq) ?? ''} ${m.bodyEnd - m.bodyOff}`;
  }
}

/** The address, with what follows it, in the value `[off, end)` of a header. */
function partyOf(b: Uint8Array, off: number, end: number): Party {
  const a = parseAddress(b, off, end);
  return a === undefined ? NOBODY : partyAt(b, a, end);
}

function partyAt(b: Uint8Array, a: SipAddress, end: number): Party {
  const rest = utf8Text(b, a.end, end);
  const parameters = /\s/.test(rest) ? rest.replace(/\s+/g, ' ').trim() : rest;
  return {
    uri: bounded(utf8Text(b, a.uriOff, a.uriEnd)),
    tag: bounded(/;\s*tag\s*=\s*([^;,\s]+)/i.exec(parameters)?.[1] ?? ''),
    parameters: bounded(parameters),
  };
}

/** A parameter of a header value such as `Digest realm="a", nonce="b"`: quotes are taken off; undefined without it. */
export function parameterOf(value: string, name: string): string | undefined {
  const m = new RegExp(`(?:^|[\\s,;])${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,;]+))`, 'i').exec(value);
  return m === null ? undefined : (m[1] ?? m[2]);
}
