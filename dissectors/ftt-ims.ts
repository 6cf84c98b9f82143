import {
  defineDissector,
  experts,
  fields,
  No,
  nameOf,
  need,
  put16,
  type Tree,
  Unsure,
  u8,
  u16,
  type View,
  Yes,
} from 'fttscope/kit';

/**
 * FTT-IMS envelopes, 3GPP TS 24.322 §7.1.2, most significant octet first (§7.1.1):
 *
 *     0               1               2               3
 *     +---------------+---------------+---------------+------------- - -
 *     |     Type      |            Length             |  Payload …
 *     +---------------+---------------+---------------+------------- - -
 *
 * Length counts the whole envelope. Type 1 is the IP packet envelope, whose payload is one IPv4 or IPv6 packet.
 */
export const HEADER = 3;
/** The TCP port of an EFTF, that of HTTPS. TS 24.322 §5.2.2.2 */
export const EFTF_PORT = 443;
/** The only type that is defined. TS 24.322 §7.1.2.1 */
export const IP_PACKET = 1;
const TYPES = { [IP_PACKET]: 'IP packet' };

const F = fields({
  fttims: { name: 'fttims', label: 'FTT-IMS envelope', type: 'protocol', clause: 'TS 24.322 §7.1.2' },
  type: { name: 'fttims.type', label: 'Type', type: 'u8', values: TYPES, clause: 'TS 24.322 §7.1.2.1' },
  length: { name: 'fttims.length', label: 'Length', type: 'u16', clause: 'TS 24.322 §7.1.2.1' },
  payload: { name: 'fttims.payload', label: 'Payload', type: 'bytes', clause: 'TS 24.322 §7.1.2.1' },
  stream: { name: 'fttims.stream', label: 'Tunnel', type: 'u32' },
  direction: { name: 'fttims.direction', label: 'Direction', type: 'string', words: ['up', 'down'] },
  number: { name: 'fttims.number', label: 'Number in its direction', type: 'u32' },
  frames: { name: 'fttims.frames', label: 'Frames that carried it', type: 'u32' },
  unknown: { name: 'fttims.unknown_type', label: 'Unknown type', type: 'none', clause: 'TS 24.322 §5.6' },
  resync: { name: 'fttims.resync', label: 'Framing was found again here', type: 'none' },
  ipVersion: { name: 'fttims.ip_version', label: 'IP version', type: 'u8', clause: 'TS 24.322 §5.3.2.2' },
});

const E = experts({
  badLength: {
    code: 'fttims.bad-length',
    severity: 'error',
    message: 'Length below 3: framing is lost',
    clause: 'TS 24.322 §7.1.2.1',
  },
  emptyIp: {
    code: 'fttims.empty-ip',
    severity: 'error',
    message: 'IP packet envelope without a packet',
    clause: 'TS 24.322 §7.1.2.2',
  },
  unknownType: {
    code: 'fttims.unknown-type',
    severity: 'note',
    message: 'Unknown envelope type: the receiver discards it',
    clause: 'TS 24.322 §5.6',
  },
  badVersion: {
    code: 'fttims.bad-ip-version',
    severity: 'warn',
    message: 'IP version neither 4 nor 6: the receiver discards it',
    clause: 'TS 24.322 §5.3.2.2',
  },
  lengthMismatch: {
    code: 'fttims.inner-length',
    severity: 'error',
    message: 'Length of the inner packet differs from that of the envelope',
    clause: 'TS 24.322 §7.1.2.2',
  },
});

const type = u8;
const length = (b: Uint8Array, o: number) => u16(b, o + 1);
const version = (b: Uint8Array, o: number) => b[o + HEADER] >> 4;

/** What the engine knows about an envelope. */
export interface EnvelopeNote {
  /** Number of its tunnel, from 1. */
  readonly tunnel: number;
  readonly direction: 'up' | 'down';
  /** Its number among those of its direction, from 1. */
  readonly number: number;
  /** How many frames carried it. */
  readonly frames: number;
  /** Framing was lost before it. */
  readonly resync: boolean;
}

/** Total length that the inner IP header at `o` states, or -1 where it is not IPv4 or IPv6 or not all there. */
export function innerLength(b: Uint8Array, o: number, end: number): number {
  const v = b[o] >> 4;
  if (v === 4 && end - o >= 20) return u16(b, o + 2);
  if (v === 6 && end - o >= 40) return 40 + u16(b, o + 4);
  return -1;
}

/** An envelope as {@link fttIms}' codec reads and writes it; its length follows from the payload. */
export interface Envelope {
  type: number;
  payload: Uint8Array;
}

function showNote(t: Tree, off: number, note: EnvelopeNote): void {
  t.num(F.stream, off, 0, note.tunnel);
  t.text(F.direction, off, 0, note.direction);
  t.num(F.number, off, 0, note.number);
  t.num(F.frames, off, 0, note.frames);
  if (note.resync) t.none(F.resync, off, 0);
}

export const fttIms = defineDissector<Envelope>({
  proto: 'fttims',
  title: 'FTT-IMS envelope',
  short: 'FTT-IMS',
  spec: '3GPP TS 24.322 §7.1.2',
  fields: F,
  experts: E,
  on: { 'tls.app': ['fttims'] },
  tables: ['ip.version'],

  /** A type 1 envelope whose inner packet agrees about its length. An IKE message of annex F may start with 01 too. */
  probe(b, off, end) {
    if (end - off < HEADER + 1) return Unsure;
    if (type(b, off) !== IP_PACKET || length(b, off) <= HEADER) return Unsure;
    const v = version(b, off);
    if (v !== 4 && v !== 6) return No;
    if (end - off < HEADER + (v === 4 ? 20 : 40)) return Unsure;
    return innerLength(b, off + HEADER, end) === length(b, off) - HEADER ? Yes : No;
  },

  pduLength(b, off, end) {
    if (end - off < HEADER) return 0;
    return length(b, off) < HEADER ? -1 : length(b, off);
  },

  peek(p) {
    const n = p.end - p.off < HEADER ? 0 : length(p.buf, p.off);
    if (n <= HEADER || type(p.buf, p.off) !== IP_PACKET) {
      p.stop();
      return;
    }
    if (p.off + n < p.wireEnd) p.wireEnd = p.off + n;
    if (p.end > p.wireEnd) p.end = p.wireEnd;
    p.off += HEADER;
    if (p.off >= p.end) {
      p.stop();
      return;
    }
    p.table = 'ip.version';
    p.key = p.buf[p.off] >> 4; // TS 24.322 §5.3.2.2
  },

  dissect(v, t, cx) {
    need(v, HEADER);
    const { buf, off } = v;
    const n = length(buf, off);
    t.open(F.fttims, off, Math.min(n, v.length));
    t.num(F.type, off, 1, type(buf, off));
    t.num(F.length, off + 1, 2, n);
    const note = cx.note<EnvelopeNote>(fttIms, v);
    if (note !== undefined) showNote(t, off, note);
    if (n < HEADER) {
      t.expert(E.badLength);
      t.pop();
      return;
    }
    const payload = v.sub(off + HEADER, off + n);
    if (n > HEADER) t.bytes(F.payload, off + HEADER, payload.length);
    if (type(buf, off) !== IP_PACKET) {
      t.none(F.unknown, off, 1);
      t.expert(E.unknownType); // TS 24.322 §5.6: discard
    } else if (n === HEADER)
      t.expert(E.emptyIp); // TS 24.322 §7.1.2.2: "bigger than 3"
    else if (payload.length > 0) {
      const ip = version(buf, off);
      t.num(F.ipVersion, off + HEADER, 1, ip);
      if (ip !== 4 && ip !== 6) t.expert(E.badVersion);
      else {
        const inner = innerLength(buf, off + HEADER, payload.end);
        if (inner !== n - HEADER) t.expert(E.lengthMismatch);
      }
      t.pop();
      if (ip === 4 || ip === 6) cx.next('ip.version', ip, payload); // TS 24.322 §5.3.2.2: the version picks the handler
      return;
    }
    t.pop();
  },

  summary(v: View) {
    if (v.length < HEADER) return 'Envelope cut short';
    return `${nameOf(TYPES, type(v.buf, v.off), 'Unknown type')} (${type(v.buf, v.off)}), ${length(v.buf, v.off)} octets`;
  },

  codec: {
    parse: (b, o) => ({ type: type(b, o), payload: b.slice(o + HEADER, o + length(b, o)) }),
    size: (r) => HEADER + r.payload.length,
    emit(r, b, o) {
      const n = HEADER + r.payload.length;
      b[o] = r.type;
      put16(b, o + 1, n);
      b.set(r.payload, o + HEADER);
      return n;
    },
  },
});
