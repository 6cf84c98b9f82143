import { type Framing, indexOf } from 'fttscope/kit';
import { named } from './named.js';

/** Protocols of one line from the client, which the server answers with all that it sends before it closes. */

const LINE_FEED = 10;

/** The question ends with its line, what else the client sends with its segment; the answer with the stream. */
const questionOr =
  (port: number) =>
  (b: Uint8Array, off: number, end: number, known?: Framing): number => {
    if (known !== undefined && known.port !== port) return Number.POSITIVE_INFINITY;
    return indexOf(b, LINE_FEED, off, end) < 0 ? 0 : end - off;
  };

const WHOIS = 43;
const FINGER = 79;

export const questions = [
  named({
    ...{ proto: 'whois', title: 'whois', short: 'WHOIS', spec: 'RFC 3912 §2' },
    on: { 'tcp.port': [WHOIS] },
    pduLength: questionOr(WHOIS),
  }),
  named({
    ...{ proto: 'finger', title: 'finger', short: 'FINGER', spec: 'RFC 1288 §2.1' },
    on: { 'tcp.port': [FINGER] },
    pduLength: questionOr(FINGER),
  }),
];
