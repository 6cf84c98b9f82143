import { ftt } from '../../dissectors/ftt.js';
import { HEADER, IP_PACKET } from '../../dissectors/ftt-ims.js';
import { COOKIE } from '../../dissectors/stun/addresses.js';
import { indexOf, type Own, ours, startsWith, u16, u32, Yes } from '../kit/index.js';
import type { PduBuffer } from '../stream/pdu-buffer.js';
import { anchored } from './deframe.js';

/**
 * What the octets at the start of a tunnel's plain text are. `chain`: a row of envelopes of unknown types that ends with the
 * octets; `early`: too few to tell whether an envelope starts here; `unsure`: the start of such a row, if any. `proto` is
 * whose they are, where a dissector may know them.
 */
export type Verdict =
  | { readonly kind: 'fttims' | 'chain' | 'early' | 'unsure' }
  | { readonly kind: 'other'; readonly name: Own; readonly proto?: string };

const FTTIMS: Verdict = { kind: 'fttims' };
const CHAIN: Verdict = { kind: 'chain' };
const EARLY: Verdict = { kind: 'early' };
const UNSURE: Verdict = { kind: 'unsure' };
const HTTP_METHODS = ['GET ', 'POST ', 'PUT ', 'HEAD ', 'DELETE ', 'OPTIONS ', 'PATCH ', 'CONNECT ', 'TRACE '];
const SIP_METHODS = [
  'REGISTER sip',
  'INVITE sip',
  'INVITE tel',
  'OPTIONS sip',
  'SUBSCRIBE sip',
  'MESSAGE sip',
  'SIP/2.0 ',
];

const other = (name: Own, proto?: string): Verdict => ({
  kind: 'other',
  name,
  ...(proto !== undefined && { proto }),
});

/**
 * Tells FTT-IMS from what else runs in TLS on port 443 (TS 24.322 clause 7 against TS 24.302 annex F, RFC 9329, SIP
 * and TURN over TLS of TS 33.203 annex W, HTTP). FTT-IMS wants an envelope whose inner packet agrees with it, or a
 * chain of envelopes of any type that ends with the octets at hand: a first octet 01 alone may be an IKE message.
 */
export function detect(b: Uint8Array, off: number, end: number): Verdict {
  if (off === end) return EARLY;
  const envelope = anchored(b, off, end);
  if (envelope === 'yes') return FTTIMS;
  for (const m of SIP_METHODS) if (startsWith(b, off, end, m)) return other(ours`SIP over TLS`, 'sip');
  if (startsWith(b, off, end, '\r\n')) return other(ours`SIP over TLS (CRLF keep-alive)`, 'sip');
  if (startsWith(b, off, end, 'PRI * HTTP/2')) return other(ours`HTTP/2`, 'http2');
  for (const m of HTTP_METHODS) if (startsWith(b, off, end, m)) return other(ours`HTTP/1.1`, 'http');
  if (startsWith(b, off, end, 'HTTP/1.')) return other(ours`HTTP/1.1`, 'http');
  if (startsWith(b, off, end, 'IKETCP')) return other(ours`IKE and ESP in TCP (RFC 9329)`);
  if (end - off >= 20 && b[off] < 0x40 && u32(b, off + 4) === COOKIE) return other(ours`STUN or TURN over TLS`, 'stun');
  if (ftt.probe!(b, off, end) === Yes) return other(ours`FTT to an ePDG (TS 24.302 annex F: Length first)`, 'ftt');
  return envelope === 'unsure' ? EARLY : chain(b, off, end);
}

/** Whether the octets are a row of whole envelopes to their very end. */
function chain(b: Uint8Array, off: number, end: number): Verdict {
  let at = off;
  while (end - at >= HEADER) {
    const n = u16(b, at + 1);
    if (n < HEADER || at + n > end) break;
    if (b[at] === IP_PACKET && n > HEADER && anchored(b, at, end) === 'yes') return FTTIMS;
    at += n;
  }
  return at === end ? CHAIN : UNSURE;
}

/** Octets up to which what is undecided is asked about each time that there are more. */
const SHORT = 2048;
const LF = 10;

/** Says when a stream that nobody knows yet is worth another look: text that goes on without the end of a line is not. */
export class Undecided {
  private asked = 0;

  /** Whether what came since the last look may decide. A look is one at the latest after an eighth more. */
  isWorthALook({ buf, off, end }: PduBuffer): boolean {
    const n = end - off;
    const before = this.asked;
    const goesOn = n > before && n < before + (before >> 3) && indexOf(buf, LF, off + before, end) < 0;
    if (n > SHORT && buf[off] >= 0x41 && goesOn) return false;
    this.asked = n;
    return true;
  }
}

const PROXY_1 = 'PROXY ';
const PROXY_2 = '\r\n\r\n\0\r\nQUIT\n';

/** Octets of a PROXY protocol header (versions 1 and 2) at `off`; 0: more octets are needed; -1: there is none. */
export function proxyHeader(b: Uint8Array, off: number, end: number): number {
  const n = end - off;
  if (startsWith(b, off, end, PROXY_1)) {
    for (let i = off; i + 1 < end && i + 1 < off + 107; i++) if (b[i] === 13 && b[i + 1] === 10) return i + 2 - off;
    return n < 107 ? 0 : -1;
  }
  if (startsWith(b, off, end, PROXY_2)) {
    if (n < 16) return 0;
    const total = 16 + u16(b, off + 14);
    return n < total ? 0 : total;
  }
  return begins(b, off, end, PROXY_1) || begins(b, off, end, PROXY_2) ? 0 : -1;
}

/** Whether the octets are the start of `s`, and not all of it. */
const begins = (b: Uint8Array, off: number, end: number, s: string): boolean =>
  end - off < s.length && startsWith(b, off, end, s.slice(0, end - off));
