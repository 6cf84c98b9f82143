import { hex, latin1 } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { RsaKeys } from './rsa-keys.js';
import { Secret } from './secret.js';

/**
 * Key logs in the SSLKEYLOGFILE format of RFC 9850 §2, one line a secret:
 *
 *     label SP client_random (64 hex) SP secret (hex)
 *
 * and the older forms that tools still write: `RSA <8 octets> <pre-master secret>`,
 * `RSA Session-ID:<id> Master-Key:<master secret>`, `PMS_CLIENT_RANDOM <client random> <pre-master secret>`.
 */

/** Where a line came from, in the order in which sources serve. */
const KEY_SOURCES = ['option', 'dsb', 'sidecar', 'environment'] as const;
export type KeySource = (typeof KEY_SOURCES)[number];

/** Labels of RFC 9850 §2.1 to §2.3, and the older ones. */
export const KEY_LABELS = [
  'CLIENT_RANDOM',
  'CLIENT_EARLY_TRAFFIC_SECRET',
  'EARLY_EXPORTER_SECRET',
  'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
  'SERVER_HANDSHAKE_TRAFFIC_SECRET',
  'CLIENT_TRAFFIC_SECRET_0',
  'SERVER_TRAFFIC_SECRET_0',
  'EXPORTER_SECRET',
  'ECH_SECRET',
  'ECH_CONFIG',
  'PMS_CLIENT_RANDOM',
  'RSA',
  'RSA Session-ID',
] as const;
export type KeyLabel = (typeof KEY_LABELS)[number];

/** What became of a line: it served, its session is there but did not need it, or its session was not met. */
export type KeyUse = 'served' | 'session-seen' | 'unused';

/** A line as the key-log doctor sees it, without its secret. */
export interface KeyLogLine {
  readonly source: KeySource;
  /** Number of the text among those added, from 1, and of the line in it, from 1. */
  readonly text: number;
  readonly line: number;
  readonly label: KeyLabel;
  /** Client random, session id or start of the encrypted pre-master secret, in hex. */
  readonly id: string;
  readonly use: KeyUse;
}

/** A line that could not be taken. Its contents are not kept. */
export interface BadKeyLine {
  readonly source: KeySource;
  readonly text: number;
  readonly line: number;
  readonly reason: string;
}

/** A secret found, and which source served it. */
export interface KeyFound {
  readonly secret: Secret;
  readonly source: KeySource;
}

/** A line whose session has not been met. */
export interface Orphan extends KeyFound {
  readonly clientRandom: Uint8Array;
}

const SERVED = 2;
const SEEN = 1;
const USES: readonly KeyUse[] = ['unused', 'session-seen', 'served'];
const RANDOM = 32;
const MASTER = 48;

const labelNumber = new Map<string, number>(KEY_LABELS.map((label, i) => [label, i]));

/** Identities of different kinds must not meet: a session id may be as long as a client random. */
function kindOf(label: KeyLabel): string {
  return label === 'RSA' ? 'e' : label === 'RSA Session-ID' ? 's' : 'r';
}

/** All key logs of a run. Lines may be added at any time. */
export class KeyLog {
  /** Lines taken. */
  length = 0;
  /** Lines that were no key log lines. */
  bad = 0;
  /** Lines beyond the cap. */
  dropped = 0;
  /** Goes up whenever lines are added: what was missing may be there now. */
  revision = 0;
  /** The first bad lines. */
  readonly badLines: BadKeyLine[] = [];
  /** Private keys of servers. */
  readonly rsa = new RsaKeys();
  #texts = 0;
  #octets = new Uint8Array(1 << 12);
  #top = 0;
  /** By line: where identity and secret stand in the octets (`off`, then `off + idLength`), and what follows. */
  readonly #off: number[] = [];
  readonly #idLength: number[] = [];
  readonly #secretLength: number[] = [];
  readonly #label: number[] = [];
  readonly #source: number[] = [];
  readonly #text: number[] = [];
  readonly #line: number[] = [];
  readonly #use: number[] = [];
  /** The next line with the same identity, or -1. */
  readonly #next: number[] = [];
  readonly #first = new Map<string, number>();
  /** Reads key logs that were not read yet. */
  #unread: (() => void)[] = [];

  /**
   * Leaves a key log unread until the lines at hand do not settle a question. `read` adds its lines. Nothing that is
   * looked up through this class shows the difference.
   */
  defer(read: () => void): void {
    this.#unread.push(read);
  }

  /** Reads every key log that was left unread. */
  complete(): void {
    const unread = this.#unread;
    this.#unread = [];
    for (const read of unread) read();
  }

  /** A source whose lines are not taken. */
  refused: KeySource | undefined = undefined;

  /** Takes the lines of `text`; returns how many were good. Never throws. */
  add(text: string, source: KeySource): number {
    if (source === this.refused) return 0;
    const before = this.length;
    const number = ++this.#texts;
    let line = 0;
    for (let off = 0; off < text.length; ) {
      let end = off;
      while (end < text.length && text.charCodeAt(end) !== 10 && text.charCodeAt(end) !== 13) end++;
      line++;
      const reason = this.#addLine(text.slice(off, end), source, number, line);
      if (reason !== undefined) {
        this.bad++;
        if (this.badLines.length < LIMITS.badKeyLogLines) this.badLines.push({ source, text: number, line, reason });
      }
      off = end + (text.charCodeAt(end) === 13 && text.charCodeAt(end + 1) === 10 ? 2 : 1);
    }
    if (this.length > before) this.revision++;
    return this.length - before;
  }

  /** Takes the private key of a server in PEM; returns why it is of no use, or undefined. */
  addPrivateKey(pem: string): string | undefined {
    const reason = this.rsa.add(pem);
    if (reason === undefined) this.revision++;
    return reason;
  }

  /** Why a line is bad, or undefined. */
  #addLine(raw: string, source: KeySource, text: number, line: number): string | undefined {
    const trimmed = (line === 1 ? raw.replace(/^\ufeff/, '') : raw).trim();
    if (trimmed === '' || trimmed.startsWith('#')) return undefined;
    const words = trimmed.split(/[ \t]+/);
    if (words.length !== 3) return 'a line has a label and two hexadecimal values';
    let [label, id, secret] = words as [string, string, string];
    if (label === 'RSA' && id.startsWith('Session-ID:') && secret.startsWith('Master-Key:')) {
      label = 'RSA Session-ID';
      id = id.slice(11);
      secret = secret.slice(11);
    }
    const known = labelNumber.get(label);
    if (known === undefined) return 'the label is not known';
    const idOctets = unhex(id);
    const secretOctets = unhex(secret);
    if (idOctets === undefined || secretOctets === undefined) return 'a value is not hexadecimal';
    const reason = wrongLength(KEY_LABELS[known], idOctets.length, secretOctets.length);
    if (reason !== undefined) return reason;
    if (this.length >= LIMITS.keyLogLines) this.dropped++;
    else this.#keep(known, idOctets, secretOctets, source, text, line);
    return undefined;
  }

  #keep(label: number, id: Uint8Array, secret: Uint8Array, source: KeySource, text: number, line: number): void {
    const i = this.length++;
    const need = this.#top + id.length + secret.length;
    if (need > this.#octets.length) {
      const wider = new Uint8Array(Math.max(need, this.#octets.length * 2));
      wider.set(this.#octets);
      this.#octets = wider;
    }
    this.#off.push(this.#top);
    this.#idLength.push(id.length);
    this.#secretLength.push(secret.length);
    this.#octets.set(id, this.#top);
    this.#octets.set(secret, this.#top + id.length);
    this.#top = need;
    this.#label.push(label);
    this.#source.push(KEY_SOURCES.indexOf(source));
    this.#text.push(text);
    this.#line.push(line);
    this.#use.push(0);
    const key = kindOf(KEY_LABELS[label]) + latin1(id, 0, id.length);
    this.#next.push(this.#first.get(key) ?? -1);
    this.#first.set(key, i);
  }

  /** The secret of `label` for a client random (or the other identity that the label has), and marks its line as served. */
  find(label: KeyLabel, id: Uint8Array): KeyFound | undefined {
    const wanted = labelNumber.get(label)!;
    let best = -1;
    // The chain runs from the newest line to the oldest: of equal sources the oldest line serves.
    for (let i = this.#reach(kindOf(label), id); i >= 0; i = this.#next[i])
      if (this.#label[i] === wanted && (best < 0 || this.#source[i] <= this.#source[best])) best = i;
    if (best < 0) return undefined;
    this.#use[best] = SERVED;
    return this.#found(best);
  }

  #start(kind: string, id: Uint8Array): number {
    return this.#first.get(kind + latin1(id, 0, id.length)) ?? -1;
  }

  /** The same, once every key log is read that might have a better line: none is better than those of the option. */
  #reach(kind: string, id: Uint8Array): number {
    const start = this.#start(kind, id);
    if (this.#unread.length === 0) return start;
    for (let i = start; i >= 0; i = this.#next[i]) if (this.#source[i] === 0) return start;
    this.complete();
    return this.#start(kind, id);
  }

  #found(i: number): KeyFound {
    const at = this.#off[i] + this.#idLength[i];
    return {
      secret: new Secret(this.#octets.slice(at, at + this.#secretLength[i])),
      source: KEY_SOURCES[this.#source[i]],
    };
  }

  /** Says that the hello with this client random was met; returns whether there is any line for it. */
  claim(clientRandom: Uint8Array): boolean {
    let i = this.#reach('r', clientRandom);
    const any = i >= 0;
    for (; i >= 0; i = this.#next[i]) if (this.#use[i] === 0) this.#use[i] = SEEN;
    return any;
  }

  /** Labels that there are for a client random. */
  labels(clientRandom: Uint8Array): KeyLabel[] {
    const out: KeyLabel[] = [];
    for (let i = this.#start('r', clientRandom); i >= 0; i = this.#next[i]) out.push(KEY_LABELS[this.#label[i]]);
    return out;
  }

  /** Says that the session with this client random was joined late: see {@link orphans}. */
  joined(clientRandom: Uint8Array): void {
    const id = latin1(clientRandom, 0, clientRandom.length);
    this.#joined.add(id);
    this.#lastJoined = this.#first.get(`r${id}`) ?? -1;
  }
  readonly #joined = new Set<string>();
  /** Line of the session that was joined last. */
  #lastJoined = -1;

  /**
   * Numbers of the lines of a label whose hello was not met, at most `most`, in the order in which they are worth a try:
   * as they were added, for that is mostly the order of the sessions; then those that opened a session which was joined
   * late, for whoever reads it once more, from the one after the last of them on.
   */
  orphans(label: KeyLabel, most: number): number[] {
    this.complete();
    const wanted = labelNumber.get(label)!;
    const out: number[] = [];
    const later: number[] = [];
    const earlier: number[] = [];
    for (let i = 0; i < this.length && out.length < most; i++) {
      if (this.#label[i] !== wanted) continue;
      if (this.#use[i] === 0) out.push(i);
      else if (this.#joined.size > 0 && this.#joined.has(this.#id(i))) (i > this.#lastJoined ? later : earlier).push(i);
    }
    return [...out, ...later, ...earlier].slice(0, most);
  }

  /** Identity of line `i`, an octet a character. */
  #id(i: number): string {
    return latin1(this.#octets, this.#off[i], this.#off[i] + this.#idLength[i]);
  }

  /** Line `i` of {@link orphans}. */
  orphan(i: number): Orphan {
    const clientRandom = this.#octets.slice(this.#off[i], this.#off[i] + this.#idLength[i]);
    return { ...this.#found(i), clientRandom };
  }

  /** Octets of the secret of line `i`. */
  secretLength(i: number): number {
    return this.#secretLength[i];
  }

  /** How many lines opened something so far, and where those are from. */
  get served(): { lines: number; sources: KeySource[] } {
    let lines = 0;
    const sources = new Set<number>();
    for (let i = 0; i < this.#use.length; i++) {
      if (this.#use[i] !== SERVED) continue;
      lines++;
      sources.add(this.#source[i]);
    }
    return { lines, sources: [...sources].sort().map((n) => KEY_SOURCES[n]) };
  }

  /** Sessions (different identities) that the key logs have lines for. */
  get sessions(): number {
    this.complete();
    return this.#first.size;
  }

  /** Every line, without its secret. */
  *lines(): Generator<KeyLogLine> {
    this.complete();
    for (let i = 0; i < this.length; i++)
      yield {
        source: KEY_SOURCES[this.#source[i]],
        text: this.#text[i],
        line: this.#line[i],
        label: KEY_LABELS[this.#label[i]],
        id: hex(this.#octets, this.#off[i], this.#idLength[i], ''),
        use: USES[this.#use[i]],
      };
  }
}

function wrongLength(label: KeyLabel, id: number, secret: number): string | undefined {
  if (label === 'RSA') return id === 8 && secret === MASTER ? undefined : 'RSA takes 8 and 48 octets';
  if (label === 'RSA Session-ID')
    return id >= 1 && id <= 32 && secret === MASTER ? undefined : 'Session-ID takes up to 32, Master-Key 48 octets';
  if (id !== RANDOM) return 'the client random is not 32 octets long';
  if (label === 'CLIENT_RANDOM') return secret === MASTER ? undefined : 'the master secret is not 48 octets long';
  // RFC 8446 §7.1: the secret is as long as the hash; 64 leaves room for SHA-512.
  if (label.includes('TRAFFIC') || label.includes('EXPORTER'))
    return secret === 32 || secret === 48 || secret === 64 ? undefined : 'the secret is not as long as a hash';
  return secret > 0 ? undefined : 'the secret is empty';
}

/** Octets of a string of hex digits of either case, or undefined. */
function unhex(s: string): Uint8Array | undefined {
  if ((s.length & 1) !== 0) return undefined;
  const out = new Uint8Array(s.length >> 1);
  for (let i = 0; i < out.length; i++) {
    const v = (digit(s.charCodeAt(2 * i)) << 4) | digit(s.charCodeAt(2 * i + 1));
    if (v < 0) return undefined;
    out[i] = v;
  }
  return out;
}

/** Value of a hex digit, or -1. */
function digit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
