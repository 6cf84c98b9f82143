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

const ADDRESSES = new Set([1, 2, 4, 5, 11, 14, 17, 18]);
const NUMBERS: Readonly<Record<number, Field>> = { 13: F.lifetime, 15: F.magic, 16: F.bandwidth };
const CHANGE_REQUEST = 3;
const ERROR_CODE = 9;
const UNKNOWN = 10;
const DATA = 19;
const ADDRESS_TYPE = 22;
const XOR_MAPPED = 0x8020;
const SERVER = 0x8022;

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
    attribute(v, t, cx, type, at + 4, stop);
    t.pop();
    at = stop;
  }
}

function attribute(v: View, t: Tree, cx: Ctx, type: number, at: number, end: number): void {
  const { buf } = v;
  const n = end - at;
  if (ADDRESSES.has(type)) address(t, buf, at, n);
  else if (type === XOR_MAPPED) maskedAddress(t, buf, v.off + 4, at, n);
  else if (type === ERROR_CODE) {
    if (n < 4) return;
    t.bits(F.errorClass, at + 2, 1, u8(buf, at + 2));
    t.num(F.error, at + 3, 1, u8(buf, at + 3));
    if (n > 4) t.text(F.reason, at + 4, n - 4);
  } else if (type === CHANGE_REQUEST) {
    if (n < 4) return;
    t.bits(F.changeIp, at, 4, u32(buf, at));
    t.bits(F.changePort, at, 4, u32(buf, at));
  } else if (NUMBERS[type] !== undefined) {
    if (n >= 4) t.num(NUMBERS[type], at, 4, u32(buf, at));
  } else if (type === ADDRESS_TYPE) {
    if (n >= 2) t.num(F.family, at, 2, u16(buf, at));
  } else if (type === UNKNOWN) for (let o = at; o + 2 <= end; o += 2) t.num(F.unknown, o, 2, u16(buf, o));
  else if (type === SERVER) t.text(F.server, at, n, utf8Text(buf, at, end).replace(/\0.*$/s, ''));
  else if (type === DATA) {
    t.bytes(F.data, at, n);
    if (n > 0) relayed(new View(v.source, at, end), cx);
  } else if (n > 0) t.bytes(F.value, at, n);
}

/** RFC 3489 §11.2.1. */
function address(t: Tree, b: Uint8Array, at: number, n: number): void {
  if (n < 4) return;
  t.num(F.family, at, 2, u16(b, at));
  t.num(F.port, at + 2, 2, u16(b, at + 2));
  if (u16(b, at) === 1 && n >= 8) t.bytes(F.ipv4, at + 4, 4);
  else if (u16(b, at) === 2 && n >= 20) t.bytes(F.ipv6, at + 4, 16);
}

/** An address XORed with the identifier, as in the drafts on the way to RFC 5389. */
function maskedAddress(t: Tree, b: Uint8Array, id: number, at: number, n: number): void {
  if (n < 4) return;
  t.num(F.family, at, 2, u16(b, at));
  t.num(F.xorPort, at + 2, 2, u16(b, at + 2));
  t.num(F.port, at + 2, 2, u16(b, at + 2) ^ u16(b, id));
  const size = u16(b, at) === 1 ? 4 : u16(b, at) === 2 ? 16 : 0;
  if (size === 0 || n < 4 + size) return;
  const clear = new Uint8Array(size);
  for (let i = 0; i < size; i++) clear[i] = b[at + 4 + i] ^ b[id + i];
  t.bytes(size === 4 ? F.xor4 : F.xor6, at + 4, size);
  t.bytes(size === 4 ? F.ipv4 : F.ipv6, at + 4, size, clear);
}
