import {
  defineDissector,
  experts,
  fields,
  No,
  need,
  type Probe,
  put16,
  Unsure,
  u16,
  u32,
  type View,
  Yes,
} from 'fttscope/kit';

/**
 * Firewall traversal tunnel to the ePDG, envelopes of 3GPP TS 24.302 §F.3.2:
 *
 *     0               1               2               3
 *     +---------------+---------------+---------------+---------------+
 *     |            Length             |  Payload …
 *     +---------------+---------------+---------------+------------- - -
 *
 * Length counts the whole envelope. An IKEv2 envelope (§F.3.2.2) has a non-ESP marker of four zero octets before the
 * IKEv2 message, an ESP envelope (§F.3.2.3) an ESP packet, whose SPI is not zero. Both have a Length above 6: shorter
 * ones are taken for keep-alives.
 *
 * It runs in TLS on port 443 like FTT-IMS (TS 24.322), whose envelopes start with a type.
 */
const HEADER = 2;
const MARKER = 4;
/** RFC 7296 §3.1. */
const IKE_HEADER = 28;
const IKE_VERSION_2 = 2;
/** Exchange types of IKEv2 start with IKE_SA_INIT; the registry has these. */
const FIRST_EXCHANGE = 34;
const LAST_EXCHANGE = 44;
/** SPI and sequence number, RFC 4303 §2. */
const ESP_HEADER = 8;
/** RFC 4303 §2.1: the numbers up to here are reserved. */
const RESERVED_SPI = 255;
/** Packets of an SA that may be missing between two envelopes. */
const MISSING = 64;

const F = fields({
  ftt: { name: 'ftt', label: 'FTT envelope', type: 'protocol', clause: 'TS 24.302 §F.3.2' },
  length: { name: 'ftt.length', label: 'Length', type: 'u16', clause: 'TS 24.302 §F.3.2.1' },
  marker: {
    name: 'ftt.non_esp_marker',
    label: 'Non-ESP marker',
    type: 'u32',
    base: 'hex',
    clause: 'TS 24.302 §F.3.2.2',
  },
  ikev2: { name: 'ftt.ikev2', label: 'IKEv2 message', type: 'bytes', clause: 'TS 24.302 §F.3.2.2' },
  esp: { name: 'ftt.esp', label: 'ESP packet', type: 'bytes', clause: 'TS 24.302 §F.3.2.3' },
  keepAlive: { name: 'ftt.keep_alive', label: 'Keep-alive', type: 'none', clause: 'TS 24.302 §F.3.2.4' },
});

const E = experts({
  badLength: {
    code: 'ftt.bad-length',
    severity: 'error',
    message: 'Length below 2: framing is lost',
    clause: 'TS 24.302 §F.3.2.1',
  },
  ikeLength: {
    code: 'ftt.ike-length',
    severity: 'error',
    message: 'Length of the IKEv2 message differs from that of the envelope',
    clause: 'TS 24.302 §F.3.2.2',
  },
});

const length = u16;

/** An envelope: what follows its Length, before a message of IKEv2 its marker. TS 24.302 §F.3.2.2 */
export interface FttEnvelope {
  payload: Uint8Array;
}

/** What an envelope carries; its octets from `HEADER` on are all there. */
function kindOf(b: Uint8Array, off: number, end: number): 'ikev2' | 'esp' | 'keep-alive' {
  if (end - off <= HEADER + MARKER) return 'keep-alive';
  return u32(b, off + HEADER) === 0 ? 'ikev2' : 'esp';
}

/**
 * Whether an IKEv2 envelope starts at `off`: its Length agrees with that of an IKE header, which FTT-IMS could only have
 * as octets of an envelope of unknown type.
 */
function ikev2At(b: Uint8Array, off: number, end: number): Probe {
  const n = end - off;
  const ike = off + HEADER + MARKER;
  if (n >= HEADER && length(b, off) < HEADER + MARKER + IKE_HEADER) return No;
  for (let i = off + HEADER; i < Math.min(ike, end); i++) if (b[i] !== 0) return No;
  if (n >= HEADER + MARKER + 8 && u32(b, ike) === 0 && u32(b, ike + 4) === 0) return No; // RFC 7296 §3.1: never zero
  if (n < HEADER + MARKER + IKE_HEADER) return Unsure;
  const exchange = b[ike + 18];
  if (b[ike + 17] >> 4 !== IKE_VERSION_2 || exchange < FIRST_EXCHANGE || exchange > LAST_EXCHANGE) return No;
  return u32(b, ike + 24) === length(b, off) - HEADER - MARKER ? Yes : No;
}

/** Whether two ESP envelopes of one SA start at `off`, one after the other. */
function espAt(b: Uint8Array, off: number, end: number): Probe {
  if (end - off < HEADER + ESP_HEADER) return Unsure;
  const spi = u32(b, off + HEADER);
  if (spi <= RESERVED_SPI || length(b, off) < HEADER + ESP_HEADER) return No;
  const next = off + length(b, off);
  if (end - next < HEADER + ESP_HEADER) return Unsure;
  const ahead = u32(b, next + HEADER + 4) - u32(b, off + HEADER + 4);
  return u32(b, next + HEADER) === spi && ahead > 0 && ahead <= MISSING ? Yes : No;
}

/** Shows Length, and what the payload is. */
export const ftt = defineDissector<FttEnvelope>({
  proto: 'ftt',
  title: 'FTT envelope',
  short: 'FTT',
  spec: '3GPP TS 24.302 §F.3.2',
  fields: F,
  experts: E,
  on: { 'tls.app': ['ftt'] },
  tables: ['ftt.envelope'],

  /** IKEv2 envelopes are certain by themselves; ESP envelopes, where a capture starts late, by a second one. */
  probe(b, off, end) {
    const ikev2 = ikev2At(b, off, end);
    return ikev2 === Yes || end - off < HEADER + MARKER ? ikev2 : espAt(b, off, end) === Yes ? Yes : ikev2;
  },

  pduLength(b, off, end) {
    if (end - off < HEADER) return 0;
    return length(b, off) < HEADER ? -1 : length(b, off);
  },

  track(v, cx) {
    const kind = kindOf(v.buf, v.off, v.end);
    if (kind === 'ikev2') cx.track('ftt.envelope', kind, v.sub(v.off + HEADER + MARKER));
    else if (kind === 'esp') cx.track('ftt.envelope', kind, v.sub(v.off + HEADER));
  },

  dissect(v, t, cx) {
    need(v, HEADER);
    const { buf, off } = v;
    const n = length(buf, off);
    t.open(F.ftt, off, Math.min(n, v.length));
    t.num(F.length, off, HEADER, n);
    if (n < HEADER) {
      t.expert(E.badLength);
      t.pop();
      return;
    }
    const kind = kindOf(buf, off, v.end);
    if (kind === 'keep-alive') {
      t.none(F.keepAlive, off, v.length);
      t.pop();
      return;
    }
    if (kind === 'ikev2') t.num(F.marker, off + HEADER, MARKER, 0);
    const payload = v.sub(off + HEADER + (kind === 'ikev2' ? MARKER : 0), off + n);
    t.bytes(kind === 'ikev2' ? F.ikev2 : F.esp, payload.off, payload.length);
    if (kind === 'ikev2' && payload.length >= IKE_HEADER && u32(buf, payload.off + 24) !== payload.wireLength)
      t.expert(E.ikeLength);
    t.pop();
    cx.next('ftt.envelope', kind, payload);
  },

  summary(v: View) {
    if (v.length < HEADER) return 'Envelope cut short';
    const kind = kindOf(v.buf, v.off, v.end);
    const what = kind === 'ikev2' ? 'IKEv2' : kind === 'esp' ? 'ESP' : 'Keep-alive';
    return `${what}, ${length(v.buf, v.off)} octets`;
  },

  codec: {
    parse: (b, o) => ({ payload: b.slice(o + HEADER, o + length(b, o)) }),
    size: (r) => HEADER + r.payload.length,
    emit(r, b, o) {
      put16(b, o, HEADER + r.payload.length);
      b.set(r.payload, o + HEADER);
      return HEADER + r.payload.length;
    },
  },
});
