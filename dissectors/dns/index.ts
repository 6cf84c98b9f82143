import {
  type AnyDissector,
  type Ctx,
  type Dissector,
  defineDissector,
  type Field,
  fields,
  No,
  nameOf,
  need,
  Short,
  type Track,
  type Tree,
  u16,
  u32,
  type View,
  Yes,
} from 'fttscope/kit';
import { durationText } from '../dhcp/text.js';
import { E } from './experts.js';
import { F } from './fields.js';
import { gistOf } from './info.js';
import { codec, type DnsMessage, HEADER, opcode, response, TOP_BIT } from './message.js';
import { escapeControls, labelCount, readName } from './names.js';
import { ednsOptions, statefulOperations } from './options.js';
import { Rdata } from './rdata.js';
import { OPT, showRdata, typeName } from './records.js';
import { summary } from './summary.js';
import { type DnsNote, follow } from './transactions.js';
import { CLASSES, OPCODES, RCODES } from './values.js';

/**
 * Domain Name System, RFC 1035 §4.1; over TCP a length of two octets comes before (§4.2.2):
 *
 *       0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15
 *     +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
 *     |                      ID                       |
 *     |QR|   Opcode  |AA|TC|RD|RA| Z|AD|CD|   RCODE   |
 *     |      QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT       |
 *     +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
 *     |  questions: name, type, class                 |
 *     |  records: name, type, class, TTL, length, data|
 */
const PREFIX = 2;
const UPDATE = 5;
const STATEFUL = 6;
const SRV = 33;

export * from './message.js';
export { nameOctets, nameText } from './names.js';

const L = fields({
  dns: { name: 'dns', label: 'Domain Name System', type: 'protocol' },
  mdns: { name: 'mdns', label: 'Multicast Domain Name System', type: 'protocol' },
  llmnr: { name: 'llmnr', label: 'Link-local Multicast Name Resolution', type: 'protocol' },
});

/** One of the protocols that have this format. */
interface Kind {
  readonly title: string;
  readonly layer: Field;
  /** The top bits of classes are flags. */
  readonly multicast: boolean;
  /** Bits of the header have the meaning of RFC 4795 §2.1.1. */
  readonly linkLocal: boolean;
}

/** The message of a layer without the length that TCP has before it. */
const body = (v: View, stream: boolean | undefined): View =>
  stream === true ? v.sub(Math.min(v.wireEnd, v.off + PREFIX)) : v;

function dissect(d: AnyDissector, kind: Kind, v: View, t: Tree, cx: Ctx, stream = cx.stream): void {
  const m = body(v, stream);
  const { buf, off } = m;
  const title =
    t.labels && m.length >= 4 ? `${kind.title} (${response(u16(buf, off + 2)) ? 'response' : 'query'})` : undefined;
  t.open(kind.layer, v.off, v.length, title);
  if (stream === true) {
    need(v, PREFIX);
    t.num(F.length, v.off, PREFIX, u16(v.buf, v.off));
  }
  need(m, 2);
  t.num(F.id, off, 2, u16(buf, off));
  need(m, 4);
  header(kind, m, t);
  const flags = u16(buf, off + 2);
  const update = opcode(flags) === UPDATE;
  counts(m, t, update);
  let end = m.end;
  if (isStateful(m)) statefulOperations(new Rdata(t, m, off, off + HEADER, m.wireEnd, '', 0), t);
  else end = sections(kind, m, t, update);
  notes(d, v, t, cx);
  extraneous(m, t, end);
  t.pop();
}

/** Whether TLVs follow the header: all counts are zero. RFC 8490 §5.4 */
function isStateful(m: View): boolean {
  const { buf, off } = m;
  return opcode(u16(buf, off + 2)) === STATEFUL && u32(buf, off + 4) === 0 && u32(buf, off + 8) === 0;
}

function header(kind: Kind, m: View, t: Tree): void {
  const at = m.off + 2;
  const flags = u16(m.buf, at);
  t.num(F.flags, at, 2, flags);
  if (t.labels) {
    const error = response(flags) ? ` response, ${RCODES[flags & 15] ?? 'Unknown error'}` : '';
    t.label(
      `Flags: 0x${flags.toString(16).padStart(4, '0')} ${nameOf(OPCODES, opcode(flags), 'Unknown operation')}${error}`,
    );
  }
  t.push();
  t.bits(F.response, at, 2, flags);
  t.bits(F.opcode, at, 2, flags);
  if (kind.linkLocal) {
    t.bits(F.conflict, at, 2, flags);
    t.bits(F.truncated, at, 2, flags);
    t.bits(F.tentative, at, 2, flags);
    if (response(flags)) t.bits(F.rcode, at, 2, flags);
  } else if (response(flags)) {
    for (const f of RESPONSE_FLAGS) t.bits(f, at, 2, flags);
  } else {
    t.bits(F.truncated, at, 2, flags);
    t.bits(F.recursionDesired, at, 2, flags);
    t.bits(F.z, at, 2, flags);
    if ((flags & 0x20) !== 0) t.bits(F.authenticatedQuery, at, 2, flags);
    t.bits(F.checkingDisabled, at, 2, flags);
  }
  t.pop();
}

const RESPONSE_FLAGS: readonly Field[] = [
  F.authoritative,
  F.truncated,
  F.recursionDesired,
  F.recursionAvailable,
  F.z,
  F.authenticated,
  F.checkingDisabled,
  F.rcode,
];

function counts(m: View, t: Tree, update: boolean): void {
  let at = m.off + 4;
  for (const f of update ? UPDATE_COUNTS : COUNTS) {
    need(m, 2, at);
    t.num(f, at, 2, u16(m.buf, at));
    at += 2;
  }
}

const COUNTS: readonly Field[] = [F.queries, F.answers, F.authorities, F.additional];
const UPDATE_COUNTS: readonly Field[] = [F.zones, F.prerequisites, F.updates, F.additional]; // RFC 2136 §2
const SECTIONS = ['Answers', 'Authoritative nameservers', 'Additional records'];
const UPDATE_SECTIONS = ['Prerequisites', 'Updates', 'Additional records']; // RFC 2136 §2

/** Shows the four sections; returns where they end. */
function sections(kind: Kind, m: View, t: Tree, update: boolean): number {
  const { buf, off } = m;
  let at = off + HEADER;
  const n = u16(buf, off + 4);
  if (n > 0) {
    t.open(F.text, at, m.end - at, update ? 'Zone' : 'Queries');
    for (let i = 0; i < n; i++) at = question(kind, m, t, at);
    t.pop();
  }
  for (let s = 0; s < 3; s++) {
    const records = u16(buf, off + 6 + 2 * s);
    if (records === 0) continue;
    t.open(F.text, at, m.end - at, (update ? UPDATE_SECTIONS : SECTIONS)[s]);
    for (let i = 0; i < records; i++) at = record(kind, m, t, at);
    t.pop();
  }
  return at;
}

function question(kind: Kind, m: View, t: Tree, at: number): number {
  const { buf } = m;
  const name = readName(buf, at, m.end, m.off, m.wireEnd);
  need(m, 4, name.end);
  const text = escapeControls(name.text);
  const type = u16(buf, name.end);
  const cls = u16(buf, name.end + 2);
  const unicast = (cls & TOP_BIT) !== 0;
  const known = kind.multicast ? cls & ~TOP_BIT : cls;
  t.open(F.text, at, name.end + 4 - at);
  if (t.labels)
    t.label(
      `${text}: type ${typeName(type)}, class ${nameOf(CLASSES, known)}${kind.multicast ? `, "Q${unicast ? 'U' : 'M'}" question` : ''}`,
    );
  t.text(F.qryName, at, name.end - at, text);
  t.num(F.qryNameLength, at, name.end - at, name.length);
  t.num(F.labels, at, name.end - at, labelCount(name.text));
  t.num(F.qryType, name.end, 2, type);
  t.num(kind.multicast ? F.multicastQryClass : F.qryClass, name.end + 2, 2, known);
  if (kind.multicast) t.bits(F.qryUnicast, name.end + 2, 2, cls);
  t.pop();
  return name.end + 4;
}

function record(kind: Kind, m: View, t: Tree, at: number): number {
  const { buf } = m;
  const name = readName(buf, at, m.end, m.off, m.wireEnd);
  const head = name.end;
  need(m, 10, head);
  const text = escapeControls(name.text);
  const type = u16(buf, head);
  const end = head + 10 + u16(buf, head + 8);
  t.open(F.text, at, Math.min(end, m.end) - at);
  if (t.labels) t.label(recordLine(kind, m, text, type, head, end));
  owner(t, text, type, at, head);
  t.num(F.respType, head, 2, type);
  if (type === OPT) optHead(kind, m, t, head);
  else plainHead(kind, m, t, head);
  t.num(F.respLength, head + 8, 2, end - head - 10);
  if (end > head + 10) {
    const r = new Rdata(t, m, m.off, head + 10, end, text, type);
    if (type === OPT) ednsOptions(r);
    else showRdata(r);
  }
  t.pop();
  if (end > m.end) throw new Short(end - head - 10, m.end - head - 10, head + 10 - m.source.start, end <= m.wireEnd);
  return end;
}

/** The owner of a record; that of an SRV record in the parts of RFC 2782. */
function owner(t: Tree, text: string, type: number, at: number, end: number): void {
  if (type !== SRV) {
    t.text(F.respName, at, end - at, text);
    return;
  }
  const [service, proto, ...rest] = text.split('.');
  t.text(F.srvService, at, end - at, service);
  if (proto !== undefined) t.text(F.srvProto, at, end - at, proto);
  if (rest.length > 0) t.text(F.srvName, at, end - at, rest.join('.'));
}

function plainHead(kind: Kind, m: View, t: Tree, head: number): void {
  const cls = u16(m.buf, head + 2);
  t.num(kind.multicast ? F.multicastRespClass : F.respClass, head + 2, 2, kind.multicast ? cls & ~TOP_BIT : cls);
  if (kind.multicast) t.bits(F.cacheFlush, head + 2, 2, cls);
  const ttl = u32(m.buf, head + 4);
  t.num(F.ttl, head + 4, 4, ttl);
  if (t.labels) t.label(`Time to live: ${ttl} (${durationText(ttl)})`);
  if (ttl > 0x7fff_ffff) t.expert(E.ttlHigh);
}

/** RFC 6891 §6.1.2: class and TTL of an OPT record have other meanings. */
function optHead(kind: Kind, m: View, t: Tree, head: number): void {
  const { buf } = m;
  const cls = u16(buf, head + 2);
  if (kind.multicast) {
    t.bits(F.multicastPayloadSize, head + 2, 2, cls);
    t.bits(F.cacheFlush, head + 2, 2, cls);
  } else t.num(F.payloadSize, head + 2, 2, cls);
  t.num(F.extendedRcode, head + 4, 1, buf[head + 4]);
  t.num(F.ednsVersion, head + 5, 1, buf[head + 5]);
  const z = u16(buf, head + 6);
  t.num(F.ednsZ, head + 6, 2, z);
  t.push();
  t.bits(F.ednsDo, head + 6, 2, z);
  t.bits(F.ednsReserved, head + 6, 2, z);
  t.pop();
}

function recordLine(kind: Kind, m: View, name: string, type: number, head: number, end: number): string {
  const cls = u16(m.buf, head + 2);
  const flush = kind.multicast && (cls & TOP_BIT) !== 0 ? ', cache flush' : '';
  const line = `${name}: type ${typeName(type)}`;
  if (type === OPT) return line + flush;
  const known = kind.multicast ? cls & ~TOP_BIT : cls;
  return `${line}, class ${nameOf(CLASSES, known)}${flush}${gistOf(m, type, head + 10, end, name).line}`;
}

function notes(d: AnyDissector, v: View, t: Tree, cx: Ctx): void {
  const note = cx.quoted ? undefined : cx.note<DnsNote>(d, v);
  if (note === undefined) return;
  if (note.answers !== undefined) {
    t.num(F.responseTo, v.off, 0, note.answers.query);
    t.time(F.time, v.off, 0, note.answers.seconds, note.answers.nanos);
  }
  if (note.repeats !== undefined) {
    const m = body(v, cx.stream);
    const again = response(u16(m.buf, m.off + 2));
    t.num(F.retransmission, v.off, 0, 1);
    t.num(again ? F.retransmittedResponse : F.retransmittedRequest, v.off, 0, note.repeats);
    if (again) t.expert(E.responseAgain, `${E.responseAgain.message}. Original response in frame ${note.repeats}`);
    else t.expert(E.queryAgain, `${E.queryAgain.message}. Original request in frame ${note.repeats}`);
  }
  if (note.unsolicited === true) t.num(F.unsolicited, v.off, 0, 1);
}

function extraneous(m: View, t: Tree, at: number): void {
  if (at >= m.end) return;
  const n = m.end - at;
  t.open(F.text, at, n, `Extraneous Data (${n} bytes)`);
  t.bytes(F.extraneous, at, n);
  t.num(F.extraneousLength, at, 0, n);
  t.expert(E.extraneous);
  t.pop();
}

/** Makes the dissector of one of the protocols. */
function protocol(
  of: Pick<Dissector<DnsMessage>, 'proto' | 'title' | 'short' | 'spec' | 'on' | 'fields'>,
  kind: Kind,
): Dissector<DnsMessage> {
  const d: Dissector<DnsMessage> = defineDissector<DnsMessage>({
    ...of,
    experts: E,
    serves: { fields: Object.values(of.fields) },

    pduLength(b, off, end) {
      return end - off < PREFIX ? 0 : PREFIX + u16(b, off);
    },

    track(v: View, cx: Track) {
      const m = body(v, cx.stream);
      if (m.length < HEADER) return;
      follow(d, cx, u16(m.buf, m.off), response(u16(m.buf, m.off + 2)));
    },

    dissect: (v, t, cx) => dissect(d, kind, v, t, cx),
    summary: (v, cx) => summary(kind.multicast, body(v, cx.stream)),
    codec,
  });
  return d;
}

const UNICAST: Kind = { title: 'Domain Name System', layer: L.dns, multicast: false, linkLocal: false };

/** The DNS as it is over UDP and TCP; mDNS and LLMNR have the same messages. */
export const dns = protocol(
  {
    proto: 'dns',
    title: 'Domain Name System',
    short: 'DNS',
    spec: 'RFC 1035',
    on: { 'udp.port': [53], 'tcp.port': [53, 5353] },
    fields: { dns: L.dns, ...F },
  },
  UNICAST,
);

/** DNS in HTTP: a message without a length. HTTP says which question it answers, its own number is mostly 0. RFC 8484 §4.1 */
export const dnsOverHttps = defineDissector<DnsMessage>({
  proto: 'dns.https',
  layer: 'dns',
  title: 'Domain Name System',
  short: 'DNS',
  spec: 'RFC 8484',
  fields: dns.fields,
  experts: E,
  on: { media_type: ['application/dns-message'] },
  serves: dns.serves!,
  track(v, cx) {
    const stream = Number(cx.exchange?.id);
    if (v.length >= HEADER && stream >= 0)
      follow(dnsOverHttps as AnyDissector, cx, stream, response(u16(v.buf, v.off + 2)));
  },
  dissect: (v, t, cx) => dissect(dnsOverHttps as AnyDissector, UNICAST, v, t, cx, false),
  summary: (v) => summary(false, v),
  codec,
});

/** Most records of a section, and most answers, of a message on a port that is not that of DNS. */
const FEW = 10;
const MANY = 100;

/** Whether a standard query with one question may begin at `off`, or the answer to one. RFC 1035 §4.1.1 */
function looksLikeDns(b: Uint8Array, off: number, end: number): boolean {
  if (end - off <= HEADER) return false;
  const flags = u16(b, off + 2);
  const questions = u16(b, off + 4);
  const answers = u16(b, off + 6);
  const authorities = u16(b, off + 8);
  if (opcode(flags) !== 0 || questions > 1 || u16(b, off + 10) > FEW) return false;
  if (response(flags)) return answers <= MANY && authorities <= FEW;
  return questions === 1 && answers === 0 && authorities === 0;
}

/** DNS on another port, known by its header alone. */
export const dnsGuess = defineDissector<DnsMessage>({
  proto: 'dns_guess',
  layer: 'dns',
  title: 'Domain Name System',
  short: 'DNS',
  spec: 'RFC 1035',
  fields: dns.fields,
  on: { 'udp.heuristic': ['dns_guess'] },
  serves: dns.serves!,
  probe: (b, off, end) => (looksLikeDns(b, off, end) ? Yes : No),
  track: (v, cx) => dns.track!(v, cx),
  dissect: (v, t, cx) => dns.dissect(v, t, cx),
  summary: (v, cx) => dns.summary!(v, cx),
  codec,
});

/** Multicast DNS, RFC 6762. */
export const mdns = protocol(
  {
    proto: 'mdns',
    title: 'Multicast Domain Name System',
    short: 'MDNS',
    spec: 'RFC 6762',
    on: { 'udp.port': [5353] },
    fields: { mdns: L.mdns, ...F },
  },
  { title: 'Multicast Domain Name System', layer: L.mdns, multicast: true, linkLocal: false },
);

/** Link-local multicast name resolution, RFC 4795. */
export const llmnr = protocol(
  {
    proto: 'llmnr',
    title: 'Link-local Multicast Name Resolution',
    short: 'LLMNR',
    spec: 'RFC 4795',
    on: { 'udp.port': [5355] },
    fields: { llmnr: L.llmnr, ...F },
  },
  { title: 'Link-local Multicast Name Resolution', layer: L.llmnr, multicast: false, linkLocal: true },
);
