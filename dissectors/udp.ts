import {
  badChecksum,
  type Ctx,
  checksum,
  defineDissector,
  experts,
  fields,
  fold,
  isLeftToCard,
  need,
  type Peek,
  pseudoHeader,
  put16,
  sumWords,
  type Tree,
  u16,
  type View,
} from 'fttscope/kit';

/**
 * User Datagram Protocol, RFC 768:
 *
 *     +--------+--------+--------+--------+
 *     |   Source Port   | Destination Port|
 *     +--------+--------+--------+--------+
 *     |     Length      |    Checksum     |
 *     +--------+--------+--------+--------+
 */
const HEADER = 8;
const PROTOCOL = 17;
const CHECKSUM_STATUS = { 0: 'Bad', 1: 'Good', 2: 'Unverified', 3: 'Not present' };

const F = fields({
  udp: { name: 'udp', label: 'User Datagram Protocol', type: 'protocol' },
  srcport: { name: 'udp.srcport', label: 'Source Port', at: [0, 2], type: 'u16', aliases: ['udp.port'] },
  dstport: { name: 'udp.dstport', label: 'Destination Port', at: [2, 2], type: 'u16', aliases: ['udp.port'] },
  length: { name: 'udp.length', label: 'Length', at: [4, 2], type: 'u16' },
  checksum: { name: 'udp.checksum', label: 'Checksum', at: [6, 2], type: 'u16', base: 'hex' },
  status: { name: 'udp.checksum.status', label: 'Checksum Status', type: 'u8', values: CHECKSUM_STATUS },
  stream: { name: 'udp.stream', label: 'Stream index', type: 'u32' },
  payload: { name: 'udp.payload', label: 'UDP payload', type: 'bytes' },
});

/** First port that traceroute sends to, and how many ports Wireshark takes for its probes. */
const TRACEROUTE = 33_435;
const PROBES = 30;
/** Of each hop. */
const ATTEMPTS = 3;

const E = experts({
  badLength: { code: 'udp.bad-length', severity: 'error', malformed: true, message: 'Bad length value' },
  badChecksum: { code: 'udp.bad-checksum', severity: 'error', message: 'Bad checksum' },
  zeroChecksum: { code: 'udp.zero-checksum', severity: 'error', message: 'Illegal checksum value (0)' },
  traceroute: { code: 'udp.traceroute', severity: 'chat', message: 'Possible traceroute' },
});

/** What the index pass knows about a datagram. */
export interface UdpNote {
  /** Number of the conversation, from 0. */
  readonly stream: number;
}

/** Source and destination port, and what they carry. */
export interface UdpDatagram {
  srcport: number;
  dstport: number;
  payload: Uint8Array;
}

const length = (b: Uint8Array, o: number) => u16(b, o + 4);

/** Whether a datagram cannot be as long as it says: 0 means "to the end of the packet" for IPv6 jumbograms. RFC 2675 §4 */
const isTooShort = (n: number, version: number) => n < HEADER && (n !== 0 || version !== 6);

/** Status of the checksum: bad, good, 2 where it cannot be told, or 3 where there is none. */
function checksumStatus(v: View, cx: Ctx, wireLength: number): number {
  const { buf, off } = v;
  const { net } = cx;
  const stored = u16(buf, off + 6);
  if (stored === 0) return 3;
  if (!cx.verifies('udp') || v.length < wireLength || net.buf.length === 0) return 2;
  if (checksum(buf, off, off + wireLength, pseudoHeader(net, PROTOCOL, wireLength)) === 0) return 1;
  return isLeftToCard(stored, net, PROTOCOL, wireLength) ? 2 : 0;
}

/** A header that ends early: what is there is shown. */
function headerStart(v: View, t: Tree): void {
  const { buf, off } = v;
  need(v, 4);
  t.open(F.udp, off, v.length);
  t.num(F.srcport, off, 2, u16(buf, off));
  t.num(F.dstport, off + 2, 2, u16(buf, off + 2));
  need(v, 6);
  t.num(F.length, off + 4, 2, length(buf, off));
  need(v, HEADER);
}

/** Notes port `n`, counted from 0, of the probes of traceroute; any other is none. */
function probe(n: number, t: Tree): void {
  if (n < 0 || n >= PROBES) return;
  const hop = Math.trunc(n / ATTEMPTS) + 1;
  t.expert(E.traceroute, `${E.traceroute.message}: hop #${hop}, attempt #${(n % ATTEMPTS) + 1}`);
}

/** The number of the conversation, which the header does not say. */
export const UDP_STREAM = F.stream;

export const udp = defineDissector<UdpDatagram>({
  proto: 'udp',
  title: 'User Datagram Protocol',
  short: 'UDP',
  spec: 'RFC 768',
  fields: F,
  experts: E,
  on: { 'ip.proto': [PROTOCOL] },
  tables: ['udp.port'],

  plain: (b, off, end, wireEnd) => end - off >= HEADER && length(b, off) >= HEADER && off + length(b, off) <= wireEnd,

  peek(p: Peek) {
    p.header = p.off;
    if (p.end - p.off < HEADER) {
      p.stop();
      return;
    }
    const n = length(p.buf, p.off);
    if (isTooShort(n, p.net)) {
      p.stop();
      return;
    }
    p.sport = u16(p.buf, p.off);
    p.dport = u16(p.buf, p.off + 2);
    if (n >= HEADER && p.off + n < p.wireEnd) {
      p.wireEnd = p.off + n;
      if (p.end > p.wireEnd) p.end = p.wireEnd;
    }
    p.off += HEADER;
    p.table = 'udp';
  },

  dissect(v, t, cx) {
    if (v.length < HEADER) headerStart(v, t);
    const { buf, off } = v;
    const n = length(buf, off);
    cx.sport = u16(buf, off);
    cx.dport = u16(buf, off + 2);
    t.open(F.udp, off, HEADER);
    if (t.labels) t.label(`User Datagram Protocol, Src Port: ${cx.sport}, Dst Port: ${cx.dport}`);
    t.num(F.srcport, off, 2, cx.sport);
    if (t.wantsExperts) probe(cx.sport - TRACEROUTE, t);
    t.num(F.dstport, off + 2, 2, cx.dport);
    if (t.wantsExperts) probe(cx.dport - TRACEROUTE, t);
    t.num(F.length, off + 4, 2, n);
    if (isTooShort(n, cx.net.version)) {
      t.expert(E.badLength, `${E.badLength.message} ${n} < ${HEADER}`);
      t.pop();
      return;
    }
    const whole = n === 0 ? v.wireLength : n;
    if (whole > v.wireLength && !cx.quoted) t.expert(E.badLength, `${E.badLength.message} ${n} > IP payload length`);
    t.num(F.checksum, off + 6, 2, u16(buf, off + 6));
    if (t.wanted(F.status) || t.wantsExperts) {
      const status = cx.quoted ? 2 : checksumStatus(v, cx, whole);
      t.num(F.status, off + 6, 0, status);
      if (status === 0) {
        const rest = checksum(buf, off, off + whole, pseudoHeader(cx.net, PROTOCOL, whole));
        t.expert(E.badChecksum, badChecksum(u16(buf, off + 6), rest));
      }
      if (status === 3 && cx.net.version === 6) t.expert(E.zeroChecksum); // RFC 8200 §8.1
    }
    const note = cx.note<UdpNote>(udp, v);
    if (note !== undefined) t.num(F.stream, off, 0, note.stream);
    const payload = v.sub(off + HEADER, off + whole);
    if (payload.length > 0) t.bytes(F.payload, payload.off, payload.length);
    t.pop();
    if (payload.length > 0) cx.payload(payload);
  },

  summary(v, cx) {
    return v.length < HEADER
      ? 'Cut short'
      : `${cx.sport} → ${cx.dport} Len=${Math.max(0, length(v.buf, v.off) - HEADER)}`;
  },

  codec: {
    parse: (b, o, end) => ({
      srcport: u16(b, o),
      dstport: u16(b, o + 2),
      payload: b.slice(o + HEADER, Math.min(end, o + Math.max(HEADER, length(b, o)))),
    }),
    size: (r) => HEADER + r.payload.length,
    emit(r, b, o, net) {
      const n = HEADER + r.payload.length;
      put16(b, o, r.srcport);
      put16(b, o + 2, r.dstport);
      put16(b, o + 4, n);
      put16(b, o + 6, 0);
      b.set(r.payload, o + HEADER);
      if (net) {
        const sum = fold(sumWords(b, o, o + n, pseudoHeader(net, PROTOCOL, n)));
        put16(b, o + 6, sum === 0 ? 0xffff : sum); // RFC 768: an all-zero sum is sent as all ones
      }
      return n;
    },
  },
});
