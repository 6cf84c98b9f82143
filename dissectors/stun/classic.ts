import {
  type AnyDissector,
  type Ctx,
  defineDissector,
  type Field,
  fields,
  No,
  nameOf,
  need,
  type Tree,
  u8,
  u16,
  u32,
  utf8Text,
  View,
  Yes,
} from 'fttscope/kit';
import { relayed } from './relay.js';
import { follow, type StunNote } from './transactions.js';
import { FAMILIES } from './values.js';

/**
 * Simple Traversal of UDP through NATs as it was before it had a magic cookie, RFC 3489 §11.1:
 *
 *     0               1               2               3
 *     +-------------------------------+-------------------------------+
 *     |      STUN Message Type        |         Message Length        |
 *     +-------------------------------+-------------------------------+
 *     |                Transaction ID (16 octets) …
 *     +-------------------------------+-------------------------------+
 *     |             Attribute type, length, value …                   |
 */
const HEADER = 20;

const TYPES: Readonly<Record<number, string>> = {
  1: 'Binding Request',
  2: 'Shared Secret Request',
  3: 'Allocate Request',
  4: 'Send Request',
  6: 'Set Active Destination Request',
  257: 'Binding Response',
  258: 'Shared Secret Response',
  259: 'Allocate Response',
  260: 'Send Response',
  262: 'Set Active Destination Response',
  273: 'Binding Error Response',
  275: 'Allocate Error Response',
  276: 'Send Error Response',
  277: 'Data Indication',
  278: 'Set Active Destination Error Response',
  4370: 'Shared Secret Error Response',
};
const ATTRIBUTES: Readonly<Record<number, string>> = {
  1: 'MAPPED-ADDRESS',
  2: 'RESPONSE-ADDRESS',
  3: 'CHANGE-REQUEST',
  4: 'SOURCE-ADDRESS',
  5: 'CHANGED-ADDRESS',
  6: 'USERNAME',
  7: 'PASSWORD',
  8: 'MESSAGE-INTEGRITY',
  9: 'ERROR-CODE',
  10: 'UNKNOWN-ATTRIBUTES',
  11: 'REFLECTED-FROM',
  13: 'LIFETIME',
  14: 'ALTERNATE_SERVER',
  15: 'MAGIC_COOKIE',
  16: 'BANDWIDTH',
  17: 'DESTINATION_ADDRESS',
  18: 'REMOTE_ADDRESS',
  19: 'DATA',
  20: 'NONCE',
  21: 'REALM',
  22: 'REQUESTED_ADDRESS_TYPE',
  32800: 'XOR_MAPPED_ADDRESS',
  33: 'XOR_ONLY',
  32802: 'SERVER',
};

const F = fields({
  classicstun: { name: 'classicstun', label: 'Simple Traversal of UDP Through NAT', type: 'protocol' },
  type: { name: 'classicstun.type', label: 'Message Type', type: 'u16', base: 'hex', values: TYPES },
  length: { name: 'classicstun.length', label: 'Message Length', type: 'u16', base: 'hex' },
  id: { name: 'classicstun.id', label: 'Message Transaction ID', type: 'bytes' },
  attributes: { name: 'classicstun.att', label: 'Attributes', type: 'none' },
  responseIn: { name: 'classicstun.response_in', label: 'Response In', type: 'frame' },
  responseTo: { name: 'classicstun.response_to', label: 'Request In', type: 'frame' },
  time: { name: 'classicstun.time', label: 'Time', type: 'duration' },
  attribute: { name: 'text', label: 'Attribute', type: 'none' },
  attType: { name: 'classicstun.att.type', label: 'Attribute Type', type: 'u16', base: 'hex', values: ATTRIBUTES },
  attLength: { name: 'classicstun.att.length', label: 'Attribute Length', type: 'u16' },
  value: { name: 'classicstun.att.value', label: 'Value', type: 'bytes' },
  family: { name: 'classicstun.att.family', label: 'Protocol Family', type: 'u16', base: 'hex', values: FAMILIES },
  ipv4: { name: 'classicstun.att.ipv4', label: 'IP', type: 'ipv4' },
  ipv6: { name: 'classicstun.att.ipv6', label: 'IP', type: 'ipv6' },
  port: { name: 'classicstun.att.port', label: 'Port', type: 'u16' },
  changeIp: { name: 'classicstun.att.change.ip', label: 'Change IP', type: 'bool', mask: 4 },
  changePort: { name: 'classicstun.att.change.port', label: 'Change Port', type: 'bool', mask: 2 },
  unknown: { name: 'classicstun.att.unknown', label: 'Unknown Attribute', type: 'u16', base: 'hex' },
  errorClass: { name: 'classicstun.att.error.class', label: 'Error Class', type: 'u8', mask: 7 },
  error: { name: 'classicstun.att.error', label: 'Error Code', type: 'u8' },
  reason: { name: 'classicstun.att.error.reason', label: 'Error Reason Phase', type: 'string' },
  xor4: { name: 'classicstun.att.ipv4-xord', label: 'IP (XOR-d)', type: 'ipv4' },
  xor6: { name: 'classicstun.att.ipv6-xord', label: 'IP (XOR-d)', type: 'ipv6' },
  xorPort: { name: 'classicstun.att.port-xord', label: 'Port (XOR-d)', type: 'u16' },
  server: { name: 'classicstun.att.server', label: 'Server version', type: 'string' },
  lifetime: { name: 'classicstun.att.lifetime', label: 'Lifetime', type: 'u32' },
  magic: { name: 'classicstun.att.magic.cookie', label: 'Magic Cookie', type: 'u32', base: 'hex' },
  bandwidth: { name: 'classicstun.att.bandwidth', label: 'Bandwidth', type: 'u32' },
  data: { name: 'classicstun.att.data', label: 'Data', type: 'bytes' },
});

export const classicStun = defineDissector({
  proto: 'classicstun',
  title: 'Simple Traversal of UDP Through NAT',
  short: 'CLASSIC-STUN',
  spec: 'RFC 3489',
  fields: F,
  on: { 'udp.heuristic': ['classicstun'] },
  serves: { fields: [F.responseIn, F.responseTo, F.time] },

  /** A known type and a length that is that of the octets: there is no cookie to go by. */
  probe: (b, off, end) =>
    end - off >= HEADER && b[off] < 0x12 && TYPES[u16(b, off)] !== undefined && u16(b, off + 2) === end - off - HEADER
      ? Yes
      : No,

  track(v, cx) {
    if (v.length < HEADER) return;
    follow(classicStun as AnyDissector, cx, v.buf, v.off + 4, 16, u16(v.buf, v.off) < 0x100);
  },

  dissect(v, t, cx) {
    need(v, HEADER);
    const { buf, off } = v;
    const length = u16(buf, off + 2);
    t.open(F.classicstun, off, v.length);
    const note = cx.note<StunNote>(classicStun, v);
    if (note !== undefined && note.other !== 0) {
      const isRequest = u16(buf, off) < 0x100;
      t.num(isRequest ? F.responseIn : F.responseTo, off, 0, note.other);
      if (!isRequest) t.time(F.time, off, 0, note.seconds, note.nanos);
    }
    t.num(F.type, off, 2, u16(buf, off));
    t.num(F.length, off + 2, 2, length);
    t.bytes(F.id, off + 4, 16);
    if (length > 0) {
      t.open(F.attributes, off + HEADER, length);
      attributes(v, t, cx, Math.min(v.end, off + HEADER + length));
      t.pop();
      need(v, length, off + HEADER);
    }
    t.pop();
  },

  summary: (v) => (v.length < HEADER ? 'Cut short' : `Message: ${nameOf(TYPES, u16(v.buf, v.off))}`),
});

/** RFC 3489 §11.2: attributes are not padded. */
function attributes(v: View, t: Tree, cx: Ctx, end: number): void {
  const { buf } = v;
  for (let at = v.off + HEADER; at < end; ) {
    need(v, 4, at);
    const type = u16(buf, at);
    const stop = at + 4 + u16(buf, at + 2);
    t.open(F.attribute, at, stop - at, t.labels ? `Attribute: ${nameOf(ATTRIBUTES, type)}` : undefined);
    t.num(F.attType, at, 2, type);
    t.num(F.attLength, at + 2, 2, u16(buf, at + 2));
    need(v, stop - at, at);
    (VALUES[type] ?? anyValue)({ v, t, cx, at: at + 4, n: stop - at - 4 });
    t.pop();
    at = stop;
  }
}

/** The value of an attribute: `n` octets at `at`. One that is too short is not shown. */
interface Value {
  readonly v: View;
  readonly t: Tree;
  readonly cx: Ctx;
  readonly at: number;
  readonly n: number;
}
type Show = (value: Value) => void;

const anyValue: Show = ({ t, at, n }) => {
  if (n > 0) t.bytes(F.value, at, n);
};

const number =
  (field: Field): Show =>
  ({ v, t, at, n }) => {
    if (n >= 4) t.num(field, at, 4, u32(v.buf, at));
  };

/** RFC 3489 §11.2.1 */
const address: Show = ({ v, t, at, n }) => {
  if (n < 4) return;
  const family = u16(v.buf, at);
  t.num(F.family, at, 2, family);
  t.num(F.port, at + 2, 2, u16(v.buf, at + 2));
  if (family === 1 && n >= 8) t.bytes(F.ipv4, at + 4, 4);
  else if (family === 2 && n >= 20) t.bytes(F.ipv6, at + 4, 16);
};

/** RFC 3489 §11.2.4 */
const changeRequest: Show = ({ v, t, at, n }) => {
  if (n < 4) return;
  t.bits(F.changeIp, at, 4, u32(v.buf, at));
  t.bits(F.changePort, at, 4, u32(v.buf, at));
};

/** RFC 3489 §11.2.9 */
const errorCode: Show = ({ v, t, at, n }) => {
  if (n < 4) return;
  t.bits(F.errorClass, at + 2, 1, u8(v.buf, at + 2));
  t.num(F.error, at + 3, 1, u8(v.buf, at + 3));
  if (n > 4) t.text(F.reason, at + 4, n - 4);
};

/** RFC 3489 §11.2.10 */
const unknownTypes: Show = ({ v, t, at, n }) => {
  for (let o = at; o + 2 <= at + n; o += 2) t.num(F.unknown, o, 2, u16(v.buf, o));
};

const data: Show = ({ v, t, cx, at, n }) => {
  t.bytes(F.data, at, n);
  if (n > 0) relayed(new View(v.source, at, at + n), cx);
};

const addressType: Show = ({ v, t, at, n }) => {
  if (n >= 2) t.num(F.family, at, 2, u16(v.buf, at));
};

/** An address XORed with the identifier, as in the drafts on the way to RFC 5389. */
const maskedAddress: Show = ({ v, t, at, n }) => {
  if (n < 4) return;
  const b = v.buf;
  const id = v.off + 4;
  t.num(F.family, at, 2, u16(b, at));
  t.num(F.xorPort, at + 2, 2, u16(b, at + 2));
  t.num(F.port, at + 2, 2, u16(b, at + 2) ^ u16(b, id));
  const size = u16(b, at) === 1 ? 4 : u16(b, at) === 2 ? 16 : 0;
  if (size === 0 || n < 4 + size) return;
  const clear = new Uint8Array(size);
  for (let i = 0; i < size; i++) clear[i] = b[at + 4 + i] ^ b[id + i];
  t.bytes(size === 4 ? F.xor4 : F.xor6, at + 4, size);
  t.bytes(size === 4 ? F.ipv4 : F.ipv6, at + 4, size, clear);
};

const server: Show = ({ v, t, at, n }) => t.text(F.server, at, n, utf8Text(v.buf, at, at + n).replace(/\0.*$/s, ''));

/** By type; the numbers from 13 on are those of TURN's first drafts and of what came with them. */
const VALUES: Readonly<Record<number, Show>> = {
  ...Object.fromEntries([1, 2, 4, 5, 11, 14, 17, 18].map((type) => [type, address])),
  3: changeRequest,
  9: errorCode,
  10: unknownTypes,
  13: number(F.lifetime),
  15: number(F.magic),
  16: number(F.bandwidth),
  19: data,
  22: addressType,
  32800: maskedAddress,
  32802: server,
};
