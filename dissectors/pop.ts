import {
  type AnyDissector,
  defineDissector,
  fields,
  find,
  latin1,
  lineAt,
  startsWith,
  type Track,
  type Tree,
  utf8Text,
  View,
} from 'fttscope/kit';
import { type Mail, MailParts, showSegments } from './mail.js';

/**
 * Post Office Protocol 3, RFC 1939: lines of a client and of a server, and mails of the server.
 *
 *     C: RETR 1
 *     S: +OK 120 octets
 *     S: Subject: hello            the mail, up to a line with a dot alone
 *     S: …
 *     S: .
 *
 * Like Wireshark it takes a segment of the stream as a whole. One of the server that begins with no status is a mail, or
 * that part of one; how long the mail is the answer to RETR may say.
 */
const SPACE = 32;
const PORT = 110;

const F = fields({
  pop: { name: 'pop', label: 'Post Office Protocol', type: 'protocol' },
  request: { name: 'pop.request', label: 'Request', type: 'string' },
  command: { name: 'pop.request.command', label: 'Request command', type: 'string', clause: 'RFC 1939 §3' },
  parameter: { name: 'pop.request.parameter', label: 'Request parameter', type: 'string' },
  requestData: { name: 'pop.request.data', label: 'Data', type: 'string' },
  response: { name: 'pop.response', label: 'Response', type: 'string' },
  indicator: { name: 'pop.response.indicator', label: 'Response indicator', type: 'string', clause: 'RFC 1939 §3' },
  description: { name: 'pop.response.description', label: 'Response description', type: 'string' },
  responseData: { name: 'pop.response.data', label: 'Data', type: 'string' },
  fragments: { name: 'pop.data.fragments', label: 'DATA fragments', type: 'none' },
  fragment: { name: 'pop.data.fragment', label: 'DATA fragment', type: 'frame' },
  fragmentCount: { name: 'pop.data.fragment.count', label: 'DATA fragment count', type: 'u32' },
  length: { name: 'pop.data.reassembled.length', label: 'Reassembled DATA length', type: 'u32' },
});

/** What is under way in a connection. */
class Download {
  /** A mail was asked for. */
  private asked = false;
  /** Octets of the mail that are to come; 0: nobody said. */
  private left = 0;
  private readonly parts = new MailParts();

  /** What it holds, in units that a few entries cost. */
  get size(): number {
    return this.parts.size;
  }

  request({ buf, off, end }: View): void {
    if (/^(?:RETR|TOP)\b/i.test(latin1(buf, off, Math.min(end, off + 5)))) this.asked = true;
  }

  /** RFC 1939 §5: `+OK 120 octets`. Servers need not say it. */
  status({ buf, off, end }: View): void {
    if (!this.asked || !startsWith(buf, off, end, '+OK')) return;
    this.asked = false;
    this.parts.clear();
    this.left = Number(/^\+OK +(\d{1,9})/.exec(latin1(buf, off, Math.min(end, off + 20)))?.[1] ?? 0);
  }

  /** Takes a segment that is not the last of its mail; returns the mail that ends with this one. */
  take(v: View, cx: Track): Mail | undefined {
    if (this.left === 0 && this.parts.octets === 0) return undefined;
    this.parts.keep(v.buf, v.off, v.end, cx);
    this.left = Math.max(0, this.left - v.length);
    return this.left > 0 ? undefined : this.parts.take();
  }

  /** Whether more of the mail is to come. */
  get waits(): boolean {
    return this.left > 0;
  }
}

/** What the index pass says of a segment that is part of a mail. */
const PART = 'part';

/** Whether a segment of the server begins with a status. RFC 1939 §3 */
const isStatus = ({ buf, off, end }: View): boolean =>
  startsWith(buf, off, end, '+OK') || startsWith(buf, off, end, '-ERR');

export const pop = defineDissector({
  proto: 'pop',
  title: 'Post Office Protocol',
  short: 'POP',
  spec: 'RFC 1939',
  fields: F,
  on: { 'tcp.port': [PORT], 'tls.name': [995] },
  calls: ['imf'],
  serves: { fields: Object.values(F), protocols: ['imf'] },

  pduLength: (_, off, end) => end - off,

  track(v, cx) {
    const download = cx.flow(pop as AnyDissector, () => new Download());
    if (cx.dport === PORT) download.request(v);
    else if (isStatus(v)) download.status(v);
    else {
      const note = download.take(v, cx);
      if (note !== undefined || download.waits) cx.note(note ?? PART);
    }
  },

  dissect(v, t, cx) {
    t.open(F.pop, v.off, v.length);
    if (cx.dport === PORT) lines(v, t, REQUEST);
    else if (isStatus(v)) lines(v, t, RESPONSE);
    else {
      const note = cx.note<Mail | typeof PART>(pop as AnyDissector, v);
      if (note !== undefined && note !== PART) showSegments(t, F, note);
      t.pop();
      if (note !== PART) cx.call('imf', note === undefined ? v : View.of(note.octets, 'Mail'));
      return;
    }
    t.pop();
  },

  summary(v, cx) {
    if (cx.dport !== PORT && !isStatus(v)) return `S: DATA fragment, ${v.length} bytes`;
    return `${cx.dport === PORT ? 'C' : 'S'}: ${utf8Text(v.buf, v.off, lineAt(v.buf, v.off, v.end).end)}`;
  },
});

const REQUEST = [F.request, F.command, F.parameter, F.requestData] as const;
const RESPONSE = [F.response, F.indicator, F.description, F.responseData] as const;

/** The first line has a word and what it is about; others have data. */
function lines({ buf, off, end }: View, t: Tree, [line, word, rest, data]: typeof REQUEST | typeof RESPONSE): void {
  for (let at = off; at < end; ) {
    const { end: stop, next } = lineAt(buf, at, end);
    if (at > off) t.text(data, at, stop - at);
    else {
      const wordEnd = find(buf, SPACE, at, stop);
      t.text(line, at, stop - at);
      t.push();
      if (wordEnd > at) t.text(word, at, wordEnd - at);
      if (wordEnd + 1 < stop) t.text(rest, wordEnd + 1, stop - wordEnd - 1);
      t.pop();
    }
    at = next;
  }
}
