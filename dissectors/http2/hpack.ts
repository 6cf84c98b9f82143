import { LIMITS, latin1, u8 } from 'fttscope/kit';
import { huffmanText } from './huffman.js';

/*
 * Compressed headers, RFC 7541: each field is an index into what both ends know, or text, or an index and a text. What
 * they know is a fixed table and, behind it, one of fields that were sent, the newest first.
 */

/** A header: its name and value. */
export type HeaderField = readonly [string, string];

/** RFC 7541 Appendix A. */
const STATIC: readonly HeaderField[] = [
  ...named(':authority', ''),
  ...named(':method', 'GET', 'POST'),
  ...named(':path', '/', '/index.html'),
  ...named(':scheme', 'http', 'https'),
  ...named(':status', '200', '204', '206', '304', '400', '404', '500'),
  ...named('accept-charset', ''),
  ...named('accept-encoding', 'gzip, deflate'),
  ...[
    ...['accept-language', 'accept-ranges', 'accept', 'access-control-allow-origin', 'age', 'allow', 'authorization'],
    ...['cache-control', 'content-disposition', 'content-encoding', 'content-language', 'content-length'],
    ...['content-location', 'content-range', 'content-type', 'cookie', 'date', 'etag', 'expect', 'expires', 'from'],
    ...['host', 'if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'last-modified'],
    ...['link', 'location', 'max-forwards', 'proxy-authenticate', 'proxy-authorization', 'range', 'referer', 'refresh'],
    ...['retry-after', 'server', 'set-cookie', 'strict-transport-security', 'transfer-encoding', 'user-agent', 'vary'],
    ...['via', 'www-authenticate'],
  ].flatMap((name) => named(name, '')),
];

function named(name: string, ...values: readonly string[]): HeaderField[] {
  return values.map((value): HeaderField => [name, value]);
}

/** What a field costs beside its characters, and the size of a table that nobody set. RFC 7541 §4.1, RFC 9113 §6.5.2 */
const FIELD_COST = 32;
const USUAL_SIZE = 4096;
/** Most octets of a number, beside its first one: more than 32 bits mean nothing here. */
const NUMBER_OCTETS = 5;

const cost = ([name, value]: HeaderField): number => name.length + value.length + FIELD_COST;

/** Reads header blocks of one direction of a connection, in their order. */
export class HeaderReader {
  /** Characters of the fields that were sent, and what they cost beside. */
  size = 0;
  private limit = USUAL_SIZE;
  private readonly sent: HeaderField[] = [];
  /** A block could not be read: those behind it may speak of what is not known. */
  private isLost = false;
  private at = 0;
  private buf: Uint8Array = new Uint8Array(0);
  /** The block that was read last has more fields than are told. */
  isCut = false;

  /**
   * The fields of a block, as far as {@link LIMITS.headerListOctets} has room for them; undefined where it cannot be read, or
   * one before it could not. RFC 7541 §3.2
   */
  read(block: Uint8Array): HeaderField[] | undefined {
    if (this.isLost) return undefined;
    this.buf = block;
    this.at = 0;
    const out: HeaderField[] = [];
    let room = LIMITS.headerListOctets;
    while (this.at < block.length) {
      const first = u8(block, this.at);
      if ((first & 0xe0) === 0x20) {
        if (!this.resize(this.number(5))) return this.lose();
        continue;
      }
      const field = (first & 0x80) !== 0 ? this.known(this.number(7)) : this.literal((first & 0x40) !== 0);
      if (field === undefined) return this.lose();
      room -= cost(field);
      if (room >= 0) out.push(field);
    }
    this.isCut = room < 0;
    return out;
  }

  private lose(): undefined {
    this.isLost = true;
    return undefined;
  }

  /** RFC 7541 §6.3. Who may have more than is kept here is not followed. */
  private resize(limit: number): boolean {
    if (!(limit >= 0 && limit <= LIMITS.headerTableOctets)) return false;
    this.limit = limit;
    this.make(0);
    return true;
  }

  /** Makes room for a field of so many octets. RFC 7541 §4.3, §4.4 */
  private make(room: number): void {
    while (this.sent.length > 0 && this.size + room > this.limit) this.size -= cost(this.sent.pop()!);
  }

  private known(index: number): HeaderField | undefined {
    return index <= STATIC.length ? STATIC[index - 1] : this.sent[index - STATIC.length - 1];
  }

  /** RFC 7541 §6.2 */
  private literal(isKept: boolean): HeaderField | undefined {
    const index = this.number(isKept ? 6 : 4);
    const name = index === 0 ? this.text() : this.known(index)?.[0];
    const value = name === undefined ? undefined : this.text();
    if (value === undefined) return undefined;
    const field: HeaderField = [name!, value];
    if (isKept) {
      const octets = cost(field);
      this.make(octets);
      if (octets <= this.limit) {
        this.sent.unshift(field);
        this.size += octets;
      }
    }
    return field;
  }

  /** A number with a prefix of so many bits; NaN where there is none. RFC 7541 §5.1 */
  private number(bits: number): number {
    const most = (1 << bits) - 1;
    let n = this.buf[this.at++] & most;
    if (n < most) return n;
    for (let i = 0; i < NUMBER_OCTETS; i++) {
      if (this.at >= this.buf.length) return Number.NaN;
      const octet = this.buf[this.at++];
      n += (octet & 0x7f) * 2 ** (7 * i);
      if (octet < 0x80) return n;
    }
    return Number.NaN;
  }

  /** RFC 7541 §5.2 */
  private text(): string | undefined {
    if (this.at >= this.buf.length) return undefined;
    const isHuffman = this.buf[this.at] >= 0x80;
    const n = this.number(7);
    const start = this.at;
    if (!(start + n <= this.buf.length)) return undefined;
    this.at += n;
    return isHuffman ? huffmanText(this.buf, start, this.at) : latin1(this.buf, start, this.at);
  }
}
