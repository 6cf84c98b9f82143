import { type Codec, latin1 } from 'fttscope/kit';
import { readMessage } from './message.js';

/** A message; text is Latin-1, one character an octet. Field names keep their letter case. */
export interface HttpMessage {
  start: RequestLine | StatusLine;
  headers: { name: string; value: string }[];
  /** What follows the empty line, chunks as they are. */
  body: Uint8Array;
}

/** RFC 9112 §3 */
export interface RequestLine {
  method: string;
  target: string;
  version: string;
}

/** RFC 9112 §4 */
export interface StatusLine {
  version: string;
  status: number;
  reason: string;
}

/** `CONNECT target HTTP/1.1` to a proxy, RFC 9110 §9.3.6. */
export const connectRequest = (
  target: string,
  headers: readonly { name: string; value: string }[] = [],
): HttpMessage => ({
  start: { method: 'CONNECT', target, version: 'HTTP/1.1' },
  headers: [{ name: 'Host', value: target }, ...headers],
  body: new Uint8Array(0),
});

/** Whether a message is a response. */
export const isStatusLine = (s: RequestLine | StatusLine): s is StatusLine => 'status' in s;

const startLine = (s: RequestLine | StatusLine): string =>
  isStatusLine(s)
    ? `${s.version} ${String(s.status).padStart(3, '0')} ${s.reason}`
    : `${s.method} ${s.target} ${s.version}`;

function head(r: HttpMessage): string {
  return `${startLine(r.start)}\r\n${r.headers.map((h) => `${h.name}: ${h.value}\r\n`).join('')}\r\n`;
}

function parseStart(line: string): RequestLine | StatusLine {
  const status = /^(HTTP\/\S+) (\d{3})(?: (.*))?$/.exec(line);
  if (status) return { version: status[1], status: Number(status[2]), reason: status[3] ?? '' };
  const first = line.indexOf(' ');
  const last = line.lastIndexOf(' ');
  if (first < 0) return { method: line, target: '', version: '' };
  if (last === first) return { method: line.slice(0, first), target: line.slice(first + 1), version: '' };
  return { method: line.slice(0, first), target: line.slice(first + 1, last), version: line.slice(last + 1) };
}

/** A message with its header fields as they are written. What has no whole header is a start line alone. */
export const codec: Codec<HttpMessage> = {
  parse(b, o, end) {
    const m = readMessage(b, o, end);
    if (m === undefined) return { start: parseStart(latin1(b, o, end)), headers: [], body: new Uint8Array(0) };
    return {
      start: parseStart(latin1(b, m.start.off, m.start.end)),
      headers: m.headers.map((h) => ({ name: latin1(b, h.off, h.nameEnd), value: h.value })),
      body: b.slice(m.body, end),
    };
  },
  size: (r) => head(r).length + r.body.length,
  emit(r, b, o) {
    const text = head(r);
    for (let i = 0; i < text.length; i++) b[o + i] = text.charCodeAt(i);
    b.set(r.body, o + text.length);
    return text.length + r.body.length;
  },
};
