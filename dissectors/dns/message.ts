/** DNS messages as data: the codec, and functions that build and read records. RFC 1035 §4 */
import { type Codec, concat, put16, put32, Short, u16, u32, utf8Text } from 'fttscope/kit';
import { expandName, nameOctets, nameText } from './names.js';

/** Octets before the questions. RFC 1035 §4.1.1 */
export const HEADER = 12;

/** RFC 1035 §4.1.2 */
export interface DnsQuestion {
  /** Name without compression, as {@link nameOctets} writes it. */
  name: Uint8Array;
  type: number;
  class: number;
}

/** A resource record, `ttl` in seconds. RFC 1035 §4.1.3 */
export interface DnsRecord {
  /** Name without compression. */
  name: Uint8Array;
  type: number;
  class: number;
  ttl: number;
  /** Data; names in it stand without compression. */
  rdata: Uint8Array;
}

/** A whole message. Its canonical image is one without compression. */
export interface DnsMessage {
  id: number;
  /** The second word of the header: QR, opcode, flags, response code. */
  flags: number;
  questions: DnsQuestion[];
  answers: DnsRecord[];
  authorities: DnsRecord[];
  additional: DnsRecord[];
  /** Octets after the last record. */
  rest: Uint8Array;
}

/** QR: the message is a response. */
const RESPONSE = 0x8000;
export const response = (flags: number): boolean => (flags & RESPONSE) !== 0;
/** Kind of query. RFC 1035 §4.1.1 */
export const opcode = (flags: number): number => (flags >> 11) & 15;
/** RFC 6762 §10.2, §5.4 and §18.13: the top bit of a class has a meaning of its own in multicast DNS. */
export const TOP_BIT = 0x8000;
/** AA, RD and RA of RFC 1035 §4.1.1. */
const AUTHORITATIVE_ANSWER = 0x0400;
const RECURSION_DESIRED = 0x0100;
const RECURSION_AVAILABLE = 0x0080;

/** Types of records that code asks for by name. RFC 1035 §3.2.2, RFC 3596, RFC 2782, RFC 3403 */
export const TYPE = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33, NAPTR: 35 } as const;

/**
 * Where names stand in the data of the types that may be compressed (RFC 1035 §3.3, RFC 3597 §4): octets before the
 * first name, and how many names follow one another.
 */
const NAMES_IN: Readonly<Record<number, readonly [before: number, names: number]>> = {
  2: [0, 1],
  3: [0, 1],
  4: [0, 1],
  5: [0, 1],
  6: [0, 2],
  7: [0, 1],
  8: [0, 1],
  9: [0, 1],
  12: [0, 1],
  14: [0, 2],
  15: [2, 1],
  17: [0, 2],
  18: [2, 1],
  21: [2, 1],
  26: [2, 2],
  33: [6, 1],
};

function demand(b: Uint8Array, n: number, at: number, off: number, end: number): void {
  if (at + n > end || at + n > b.length) throw new Short(n, Math.max(0, end - at), at - off, false);
}

function parseRdata(b: Uint8Array, type: number, at: number, stop: number, off: number, end: number): Uint8Array {
  const [before, names] = NAMES_IN[type] ?? [0, 0];
  if (names === 0 || stop - at <= before) return b.slice(at, stop);
  const parts: Uint8Array[] = [b.slice(at, at + before)];
  let from = at + before;
  for (let i = 0; i < names && from < stop; i++) {
    const name = expandName(b, from, end, off);
    if (name.end > stop) return b.slice(at, stop);
    parts.push(name.wire);
    from = name.end;
  }
  parts.push(b.slice(from, stop));
  return concat(parts);
}

/** @throws Short, Malformed where a section does not hold what the header counts */
function parse(b: Uint8Array, off: number, end: number): DnsMessage {
  demand(b, HEADER, off, off, end);
  let at = off + HEADER;
  const questions: DnsQuestion[] = [];
  for (let n = u16(b, off + 4); n > 0; n--) {
    const name = expandName(b, at, end, off);
    demand(b, 4, name.end, off, end);
    questions.push({ name: name.wire, type: u16(b, name.end), class: u16(b, name.end + 2) });
    at = name.end + 4;
  }
  const section = (count: number): DnsRecord[] => {
    const records: DnsRecord[] = [];
    for (let n = count; n > 0; n--) {
      const name = expandName(b, at, end, off);
      const head = name.end;
      demand(b, 10, head, off, end);
      const type = u16(b, head);
      const size = u16(b, head + 8);
      demand(b, size, head + 10, off, end);
      const rdata = parseRdata(b, type, head + 10, head + 10 + size, off, end);
      records.push({ name: name.wire, type, class: u16(b, head + 2), ttl: u32(b, head + 4), rdata });
      at = head + 10 + size;
    }
    return records;
  };
  const answers = section(u16(b, off + 6));
  const authorities = section(u16(b, off + 8));
  const additional = section(u16(b, off + 10));
  return {
    id: u16(b, off),
    flags: u16(b, off + 2),
    questions,
    answers,
    authorities,
    additional,
    rest: b.slice(at, end),
  };
}

function size(r: DnsMessage): number {
  let n = HEADER + r.rest.length;
  for (const q of r.questions) n += q.name.length + 4;
  for (const part of [r.answers, r.authorities, r.additional])
    for (const record of part) n += record.name.length + 10 + record.rdata.length;
  return n;
}

function emit(r: DnsMessage, b: Uint8Array, off: number): number {
  put16(b, off, r.id);
  put16(b, off + 2, r.flags);
  put16(b, off + 4, r.questions.length);
  put16(b, off + 6, r.answers.length);
  put16(b, off + 8, r.authorities.length);
  put16(b, off + 10, r.additional.length);
  let at = off + HEADER;
  for (const q of r.questions) {
    b.set(q.name, at);
    at += q.name.length;
    put16(b, at, q.type);
    put16(b, at + 2, q.class);
    at += 4;
  }
  for (const part of [r.answers, r.authorities, r.additional])
    for (const record of part) {
      b.set(record.name, at);
      at += record.name.length;
      put16(b, at, record.type);
      put16(b, at + 2, record.class);
      put32(b, at + 4, record.ttl);
      put16(b, at + 8, record.rdata.length);
      b.set(record.rdata, at + 10);
      at += 10 + record.rdata.length;
    }
  b.set(r.rest, at);
  return at + r.rest.length - off;
}

/** A message with its records as octets; names are written without compression. */
export const codec: Codec<DnsMessage> = { parse, size, emit };

/** A query for one name. */
export const dnsQuery = (id: number, name: string, type: number): DnsMessage => ({
  id,
  flags: RECURSION_DESIRED,
  questions: [{ name: nameOctets(name), type, class: 1 }],
  answers: [],
  authorities: [],
  additional: [],
  rest: new Uint8Array(0),
});

/** The response to a query, with a response code of RFC 1035 §4.1.1. */
export const dnsResponse = (
  query: DnsMessage,
  answers: DnsRecord[],
  rcode = 0,
  additional: DnsRecord[] = [],
): DnsMessage => ({
  id: query.id,
  flags:
    RESPONSE | AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | (query.flags & (0x7800 | RECURSION_DESIRED)) | (rcode & 15),
  questions: query.questions,
  answers,
  authorities: [],
  additional,
  rest: new Uint8Array(0),
});

const record = (name: string, type: number, ttl: number, rdata: Uint8Array): DnsRecord => ({
  name: nameOctets(name),
  type,
  class: 1,
  ttl,
  rdata,
});

/** A record with an address: A for four octets, AAAA for sixteen. */
export const addressRecord = (name: string, address: Uint8Array, ttl = 300): DnsRecord =>
  record(name, address.length === 4 ? TYPE.A : TYPE.AAAA, ttl, address);

/** RFC 2782. */
export interface Service {
  priority: number;
  weight: number;
  port: number;
  target: string;
}

/** An SRV record; `ttl` in seconds. RFC 2782 */
export function serviceRecord(name: string, s: Service, ttl = 300): DnsRecord {
  const head = new Uint8Array(6);
  put16(head, 0, s.priority);
  put16(head, 2, s.weight);
  put16(head, 4, s.port);
  return record(name, TYPE.SRV, ttl, concat([head, nameOctets(s.target)]));
}

/** RFC 3403 §4.1. */
export interface Pointer {
  order: number;
  preference: number;
  flags: string;
  service: string;
  regexp: string;
  replacement: string;
}

/** A NAPTR record; `ttl` in seconds. RFC 3403 §4.1 */
export function pointerRecord(name: string, p: Pointer, ttl = 300): DnsRecord {
  const head = new Uint8Array(4);
  put16(head, 0, p.order);
  put16(head, 2, p.preference);
  const texts = [p.flags, p.service, p.regexp].map(characterString);
  return record(name, TYPE.NAPTR, ttl, concat([head, ...texts, nameOctets(p.replacement)]));
}

function characterString(text: string): Uint8Array {
  const octets = new TextEncoder().encode(text);
  if (octets.length > 255) throw new RangeError(`Text of ${octets.length} octets: 255 at most`);
  return concat([Uint8Array.of(octets.length), octets]);
}

/** The data of an SRV record. @throws Short, Malformed */
export function readService(rdata: Uint8Array): Service {
  demand(rdata, 7, 0, 0, rdata.length);
  return { priority: u16(rdata, 0), weight: u16(rdata, 2), port: u16(rdata, 4), target: nameText(rdata.subarray(6)) };
}

/** The data of a NAPTR record. @throws Short, Malformed */
export function readPointer(rdata: Uint8Array): Pointer {
  demand(rdata, 8, 0, 0, rdata.length);
  const texts: string[] = [];
  let at = 4;
  for (let i = 0; i < 3; i++) {
    demand(rdata, 1, at, 0, rdata.length);
    demand(rdata, 1 + rdata[at], at, 0, rdata.length);
    texts.push(utf8Text(rdata, at + 1, at + 1 + rdata[at]));
    at += 1 + rdata[at];
  }
  return {
    order: u16(rdata, 0),
    preference: u16(rdata, 2),
    flags: texts[0],
    service: texts[1],
    regexp: texts[2],
    replacement: nameText(rdata.subarray(at)),
  };
}
