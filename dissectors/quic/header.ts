import { fields, u8, u16, u32, u48, type View } from 'fttscope/kit';

/*
 * A packet with a long header, RFC 9000 §17.2:
 *
 *     0               1                               5       6            6+n     7+n
 *     +-+-+---+-------+-------------- - - ------------+-------+--- - - -----+-------+--- - - ---
 *     |1|1|typ|4 bits |            version            | DCIL  |    DCID     | SCIL  |   SCID …
 *     +-+-+---+-------+-------------- - - ------------+-------+--- - - -----+-------+--- - - ---
 *
 * Initial packets go on with a token and its length, and all but Retry and Version Negotiation with the length of what
 * follows: packet number and payload, both protected. Numbers of variable length: RFC 9000 §16.
 */
/** Header Form and Fixed Bit. RFC 9000 §17.2 */
export const LONG = 0x80;
export const FIXED = 0x40;
/** Octets of a long header before the connection IDs. */
const FIRST = 5;
/** RFC 9000 §17.2: longer IDs are of another version. */
const LONGEST_ID = 20;

/** Types of long headers, by the numbers of version 1. RFC 9000 §17.2, table 5. */
export const Kind = { Initial: 0, ZeroRtt: 1, Handshake: 2, Retry: 3 } as const;

/** Versions 1 and 2. RFC 9000 §15, RFC 9369 §3.1 */
export const V1 = 1;
export const V2 = 0x6b3343cf;
const DRAFT = 0xff000000;

/** Google's Q050, whose headers are those of the drafts; its packets carry Google's handshake. */
export const Q050 = 0x51303530;
/** Google's T050 and T051, which differ from the drafts in their keys alone. */
export const T050 = 0x54303530;
export const T051 = 0x54303531;
/** Versions of Facebook and Google, and the drafts that they follow. */
const FOLLOWING: ReadonlyMap<number, number> = new Map([
  [0xfaceb001, 22],
  [0xfaceb002, 27],
  [0xfaceb00e, 27],
  [Q050, 27],
  [T050, 27],
  [T051, 27],
]);

/** Number of the draft that a version stands for; 0: none. */
export const draftOf = (version: number): number =>
  version >>> 8 === DRAFT >>> 8 ? version & 0xff : (FOLLOWING.get(version) ?? 0);

/** By the first octet of four: whether one of the versions that are known begins with it. Every datagram of media is asked. */
const BEGINS = new Uint8Array(256);
for (const version of [V1, V2, DRAFT, ...FOLLOWING.keys()]) BEGINS[version >>> 24] = 1;
for (let octet = 0x0a; octet < BEGINS.length; octet += 0x10) BEGINS[octet] = 1; // RFC 9000 §15
export const mayBeVersion = (first: number): boolean => BEGINS[first] !== 0;

/** Whether the version is there to be refused. RFC 9000 §15. */
export const isReserved = (version: number): boolean => (version & 0x0f0f0f0f) === 0x0a0a0a0a;

/** Whether long headers of the version are read as those of RFC 9000. They are since draft 22; Wireshark takes older ones. */
const isKnown = (version: number): boolean =>
  version === V1 || version === V2 || draftOf(version) >= 11 || isReserved(version);

/** Offsets and octets of the parts of a long header. RFC 9000 §17.2 */
export interface LongHeader {
  readonly version: number;
  /** A {@link Kind}; -1 where the version is not known, and for Version Negotiation, whose version is 0. */
  readonly kind: number;
  readonly dcid: number;
  readonly dcidLength: number;
  readonly scid: number;
  readonly scidLength: number;
  /** Where the token's length stands, and the token. */
  readonly tokenAt: number;
  readonly token: number;
  readonly tokenLength: number;
  /** Where the length stands; what it counts starts at `rest` and ends at `end`. */
  readonly lengthAt: number;
  readonly rest: number;
  readonly end: number;
}

/** Octets of the number that starts with `first`. RFC 9000 §16. */
export const varintSize = (first: number): number => 1 << (first >> 6);

/** The number at `o`, all octets of which are there; those over 2^53 lose their last bits. */
export function varint(b: Uint8Array, o: number): number {
  const size = varintSize(b[o]);
  if (size === 1) return b[o] & 63;
  if (size === 2) return u16(b, o) & 0x3fff;
  if (size === 4) return u32(b, o) & 0x3fffffff;
  return (u16(b, o) & 0x3fff) * 0x1_0000_0000_0000 + u48(b, o + 2);
}

/** The type of version 1 that the first octet means. RFC 9369 §3.2: version 2 turned them by one. */
const kindOf = (first: number, version: number): number => {
  const type = (first >> 4) & 3;
  return version === V2 ? (type + 3) & 3 : type;
};

/** The long header at `off`; undefined where it is cut or contradicts itself. */
export function longHeader(b: Uint8Array, off: number, end: number): LongHeader | undefined {
  if (end - off < FIRST + 2) return undefined;
  const version = u32(b, off + 1);
  const dcid = off + FIRST + 1;
  const dcidLength = u8(b, dcid - 1);
  const scid = dcid + dcidLength + 1;
  if (scid > end) return undefined;
  const scidLength = u8(b, scid - 1);
  const after = scid + scidLength;
  if (after > end) return undefined;
  const ids = { version, dcid, dcidLength, scid, scidLength };
  const none = { tokenAt: after, token: after, tokenLength: 0, lengthAt: after };
  if (!isKnown(version)) return { ...ids, ...none, kind: -1, rest: after, end };
  if (dcidLength > LONGEST_ID || scidLength > LONGEST_ID) return undefined;
  const kind = kindOf(u8(b, off), version);
  if (kind === Kind.Retry) return { ...ids, ...none, kind, rest: after, end };
  let token = after;
  let tokenLength = 0;
  if (kind === Kind.Initial) {
    if (after >= end || after + varintSize(u8(b, after)) > end) return undefined;
    tokenLength = varint(b, after);
    token = after + varintSize(u8(b, after));
  }
  const lengthAt = token + tokenLength;
  if (lengthAt >= end || lengthAt + varintSize(u8(b, lengthAt)) > end) return undefined;
  const rest = lengthAt + varintSize(u8(b, lengthAt));
  const stop = rest + varint(b, lengthAt);
  return { ...ids, kind, tokenAt: after, token, tokenLength, lengthAt, rest, end: Math.min(end, stop) };
}

/** The header of the packet that `v` begins with, where it is a long one. */
export const headerOf = (v: View, at: number): LongHeader | undefined =>
  (u8(v.buf, at) & LONG) === 0 ? undefined : longHeader(v.buf, at, v.end);

const VERSIONS = (version: number): string | undefined => {
  if (version === 0) return 'Version Negotiation';
  if (version === V1) return '1';
  if (version === V2) return '2';
  if (isReserved(version)) return 'Forcing Version Negotiation';
  return version >>> 8 === DRAFT >>> 8 ? `draft-${version & 0xff}` : undefined;
};
const KINDS = { 0: 'Initial', 1: '0-RTT', 2: 'Handshake', 3: 'Retry' };
const KINDS_V2 = { 0: 'Retry', 1: 'Initial', 2: '0-RTT', 3: 'Handshake' };
/** RFC 9000 §19. */
export const FRAMES: Readonly<Record<number, string>> = {
  ...{ 0: 'PADDING', 1: 'PING', 2: 'ACK', 3: 'ACK', 6: 'CRYPTO', 28: 'CONNECTION_CLOSE (Transport)' },
};

export const F = fields({
  quic: { name: 'quic', label: 'QUIC IETF', type: 'protocol' },
  packetLength: { name: 'quic.packet_length', label: 'Packet Length', type: 'u32' },
  form: {
    name: 'quic.header_form',
    label: 'Header Form',
    type: 'u8',
    mask: 0x80,
    values: { 0: 'Short Header', 1: 'Long Header' },
  },
  fixed: { name: 'quic.fixed_bit', label: 'Fixed Bit', type: 'bool', mask: 0x40 },
  kind: { name: 'quic.long.packet_type', label: 'Packet Type', type: 'u8', mask: 0x30, values: KINDS },
  kindV2: { name: 'quic.long.packet_type_v2', label: 'Packet Type', type: 'u8', mask: 0x30, values: KINDS_V2 },
  reserved: { name: 'quic.long.reserved', label: 'Reserved', type: 'u8', mask: 0x0c },
  numberLength: { name: 'quic.packet_number_length', label: 'Packet Number Length', type: 'u8', mask: 0x03 },
  version: { name: 'quic.version', label: 'Version', type: 'u32', base: 'hex', values: VERSIONS },
  supported: { name: 'quic.supported_version', label: 'Supported Version', type: 'u32', base: 'hex', values: VERSIONS },
  unused: { name: 'quic.vn.unused', label: 'Unused', type: 'u8', base: 'hex', mask: 0x7f },
  dcil: { name: 'quic.dcil', label: 'Destination Connection ID Length', type: 'u8' },
  dcid: { name: 'quic.dcid', label: 'Destination Connection ID', type: 'bytes' },
  scil: { name: 'quic.scil', label: 'Source Connection ID Length', type: 'u8' },
  scid: { name: 'quic.scid', label: 'Source Connection ID', type: 'bytes' },
  tokenLength: { name: 'quic.token_length', label: 'Token Length', type: 'u64' },
  token: { name: 'quic.token', label: 'Token', type: 'bytes' },
  retryToken: { name: 'quic.retry_token', label: 'Retry Token', type: 'bytes' },
  retryTag: { name: 'quic.retry_integrity_tag', label: 'Retry Integrity Tag', type: 'bytes' },
  length: { name: 'quic.length', label: 'Length', type: 'u64' },
  number: { name: 'quic.packet_number', label: 'Packet Number', type: 'u64', clause: 'RFC 9000 §17.1' },
  payload: { name: 'quic.payload', label: 'Payload', type: 'bytes' },
  remaining: { name: 'quic.remaining_payload', label: 'Remaining Payload', type: 'bytes' },
  short: { name: 'quic.short', label: 'QUIC Short Header', type: 'none' },
  spin: { name: 'quic.spin_bit', label: 'Spin Bit', type: 'bool', mask: 0x20 },
  frame: { name: 'quic.frame', label: 'Frame', type: 'none' },
  frameType: { name: 'quic.frame_type', label: 'Frame Type', type: 'u64', values: FRAMES },
  padding: { name: 'quic.padding_length', label: 'Padding Length', type: 'u32' },
  ackLargest: { name: 'quic.ack.largest_acknowledged', label: 'Largest Acknowledged', type: 'u64' },
  ackDelay: { name: 'quic.ack.ack_delay', label: 'ACK Delay', type: 'u64' },
  ackCount: { name: 'quic.ack.ack_range_count', label: 'ACK Range Count', type: 'u64' },
  ackFirst: { name: 'quic.ack.first_ack_range', label: 'First ACK Range', type: 'u64' },
  ackGap: { name: 'quic.ack.gap', label: 'Gap', type: 'u64' },
  ackRange: { name: 'quic.ack.ack_range', label: 'ACK Range', type: 'u64' },
  ect0: { name: 'quic.ack.ect0_count', label: 'ECT(0) Count', type: 'u64' },
  ect1: { name: 'quic.ack.ect1_count', label: 'ECT(1) Count', type: 'u64' },
  ce: { name: 'quic.ack.ecn_ce_count', label: 'ECN-CE Count', type: 'u64' },
  cryptoOffset: { name: 'quic.crypto.offset', label: 'Offset', type: 'u64', clause: 'RFC 9000 §19.6' },
  cryptoLength: { name: 'quic.crypto.length', label: 'Length', type: 'u64' },
  cryptoData: { name: 'quic.crypto.crypto_data', label: 'Crypto Data', type: 'none' },
  closeCode: { name: 'quic.cc.error_code', label: 'Error code', type: 'u64' },
  closeAlert: { name: 'quic.cc.error_code.tls_alert', label: 'TLS Alert Description', type: 'u8' },
  closeFrame: { name: 'quic.cc.frame_type', label: 'Frame Type', type: 'u64' },
  closeLength: { name: 'quic.cc.reason_phrase.length', label: 'Reason phrase Length', type: 'u64' },
  closeReason: { name: 'quic.cc.reason_phrase', label: 'Reason phrase', type: 'string' },
});
