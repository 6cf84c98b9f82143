import { counted, hostAndPortText, table } from '../kit/index.js';

/*
 * SIP messages as text: taken apart so that two of them can be held side by side. Pure; nothing here trusts what a
 * message says of itself.
 */

/** A line of a message: the start line has no name, lines of the body have `''` too. */
export interface SipLine {
  /** Full name of the header, in lower case; empty outside of the headers. */
  readonly name: string;
  readonly text: string;
  readonly part: 'start' | 'header' | 'blank' | 'body';
}

/** Compact forms of headers, RFC 3261 §7.3.3 and the IANA registry. */
const COMPACT = table<string>({
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  n: 'identity-info',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
});

/** Lines of a message that are shown; one more says how many there are. */
const MOST_LINES = 2000;

/** Octets of a message as text: UTF-8, what is none of it as U+FFFD. */
export const messageText = (octets: Uint8Array): string => new TextDecoder('utf-8').decode(octets);

/** Takes a message apart into lines. Folded lines belong to the header above (RFC 3261 §7.3.1). */
export function sipLines(message: string): SipLine[] {
  const out: SipLine[] = [];
  let part: SipLine['part'] = 'start';
  let name = '';
  const lines = message.split(/\r\n|\n|\r/);
  for (const text of lines.slice(0, MOST_LINES)) {
    if (part === 'header' && text === '') {
      out.push({ name: '', text, part: 'blank' });
      part = 'body';
      continue;
    }
    if (part === 'header' && !/^[ \t]/.test(text)) name = nameOf(text);
    out.push({ name: part === 'header' ? name : '', text, part });
    if (part === 'start') part = 'header';
  }
  while (out.at(-1)?.text === '') out.pop();
  const more = lines.length - MOST_LINES;
  if (more > 0) out.push({ name: '', text: `… and ${counted(more, 'more line')}`, part: 'body' });
  return out;
}

function nameOf(line: string): string {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
  return COMPACT[name] ?? name;
}

/** What may differ without being told of. */
export interface Ignored {
  readonly branch: boolean;
  readonly tags: boolean;
  readonly cseq: boolean;
}

/** Two lines that stand beside each other; one that the other message has not is undefined. */
export interface Pair {
  readonly left: SipLine | undefined;
  readonly right: SipLine | undefined;
  readonly same: boolean;
}

/** Holds two messages side by side: headers by name, in the order of the first; bodies line by line. */
export function compareMessages(left: string, right: string, ignored: Ignored): Pair[] {
  const a = sipLines(left);
  const b = sipLines(right);
  const pair = (l: SipLine | undefined, r: SipLine | undefined): Pair => ({
    left: l,
    right: r,
    same: l !== undefined && r !== undefined && plain(l, ignored) === plain(r, ignored),
  });
  const of = (lines: readonly SipLine[], part: SipLine['part']) => lines.filter((l) => l.part === part);
  const [start] = of(a, 'start');
  const [otherStart] = of(b, 'start');
  const headers = byName(of(a, 'header'), of(b, 'header'), pair);
  const bodies = inStep(of(a, 'body'), of(b, 'body'), pair);
  const blank: Pair = { left: BLANK, right: BLANK, same: true };
  return [pair(start, otherStart), ...headers, ...(bodies.length > 0 ? [blank, ...bodies] : [])];
}

const BLANK: SipLine = { name: '', text: '', part: 'blank' };

/** A line without what is ignored, its header by the full name, its blanks as one. */
function plain({ name, text, part }: SipLine, ignored: Ignored): string {
  let s = part === 'header' ? `${name}:${text.slice(text.indexOf(':') + 1)}` : text;
  s = s.replace(/\s+/g, ' ').replace(/: +/, ':').trim();
  if (ignored.branch && name === 'via') s = s.replace(/;\s*branch=[^;,\s]*/gi, ';branch');
  if (ignored.tags && (name === 'from' || name === 'to')) s = s.replace(/;\s*tag=[^;,\s]*/gi, '');
  if (ignored.cseq && name === 'cseq') return 'cseq:';
  return s;
}

type Join = (l: SipLine | undefined, r: SipLine | undefined) => Pair;

/** Headers of one name stand beside each other in their order; those that only the second has come at the end. */
function byName(a: readonly SipLine[], b: readonly SipLine[], pair: Join): Pair[] {
  const waiting = new Map<string, SipLine[]>();
  for (const line of b) waiting.set(line.name, [...(waiting.get(line.name) ?? []), line]);
  const out = a.map((line) => pair(line, waiting.get(line.name)?.shift()));
  for (const line of b) if (waiting.get(line.name)?.includes(line) === true) out.push(pair(undefined, line));
  return out;
}

/** Lines of two bodies in step: the longest sequence that both have stays together. */
function inStep(a: readonly SipLine[], b: readonly SipLine[], pair: Join): Pair[] {
  const common = longestCommon(a, b);
  const out: Pair[] = [];
  let [i, j] = [0, 0];
  for (const [x, y] of [...common, [a.length, b.length] as const]) {
    // What lies between stands side by side as far as there is of both, lines of one letter together.
    while (i < x || j < y) {
      const l = i < x ? a[i] : undefined;
      const r = j < y ? b[j] : undefined;
      const together = l !== undefined && r !== undefined && l.text[0] === r.text[0];
      if (together || l === undefined || r === undefined) {
        out.push(pair(l, r));
        i += l === undefined ? 0 : 1;
        j += r === undefined ? 0 : 1;
      } else {
        out.push(pair(l, undefined));
        i++;
      }
    }
    if (x < a.length && y < b.length) out.push(pair(a[i++], b[j++]));
  }
  return out;
}

/** Longer bodies are held line by line. */
const MOST_IN_STEP = 400;

/** Places of the longest sequence of lines that two lists have in common. */
function longestCommon(a: readonly SipLine[], b: readonly SipLine[]): [number, number][] {
  if (a.length > MOST_IN_STEP || b.length > MOST_IN_STEP) return [];
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i][j] =
        a[i].text === b[j].text ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
  const out: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i].text === b[j].text) out.push([i++, j++]);
    else if (lengths[i + 1][j] >= lengths[i][j + 1]) i++;
    else j++;
  }
  return out;
}

/** What a session description says of its media, a line each: `audio 10.0.0.1:49152 AMR-WB/16000 telephone-event sendrecv`. */
export function mediaLines(message: string): string[] {
  const body = sipLines(message).filter((l) => l.part === 'body');
  const out: string[] = [];
  let session = '';
  let here: { head: string; host: string; port: string; codecs: Map<string, string>; way: string } | undefined;
  const end = (): void => {
    if (here === undefined) return;
    const codecs = [...here.codecs.values()].filter((c) => c !== '').join(' ');
    const host = here.host === '' ? session : here.host;
    out.push(
      `${here.head} ${here.port === '0' ? 'refused' : hostAndPortText(host, here.port)} ${codecs} ${here.way}`.trim(),
    );
  };
  for (const { text } of body) {
    const value = text.slice(2);
    if (text.startsWith('m=')) {
      end();
      const [head = '', port = '', , ...formats] = value.split(' ');
      here = { head, host: '', port, codecs: new Map(formats.map((f) => [f, STATIC[f] ?? ''])), way: '' };
    } else if (text.startsWith('c=')) {
      const host = (value.split(' ')[2] ?? '').split('/')[0];
      if (here === undefined) session = host;
      else here.host = host;
    } else if (here !== undefined) attribute(here, text);
  }
  end();
  return out;
}

/** Payload types that need no rtpmap, RFC 3551 §6. */
const STATIC = table<string>({
  0: 'PCMU/8000',
  3: 'GSM/8000',
  8: 'PCMA/8000',
  9: 'G722/8000',
  18: 'G729/8000',
});

function attribute(here: { codecs: Map<string, string>; way: string }, text: string): void {
  const map = /^a=rtpmap:(\d+) ([^\s]+)/.exec(text);
  if (map !== null && here.codecs.has(map[1])) here.codecs.set(map[1], map[2]);
  const way = /^a=(sendrecv|sendonly|recvonly|inactive)$/.exec(text.trim());
  if (way !== null) here.way = way[1];
}
