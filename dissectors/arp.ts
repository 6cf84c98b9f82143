import {
  type AnyDissector,
  type Ctx,
  defineDissector,
  experts,
  type Field,
  fields,
  hex,
  ip4,
  nameOf,
  need,
  put16,
  type Tree,
  u8,
  u16,
  u32,
  type View,
} from 'fttscope/kit';
import { type Duplicate, Owners } from './arp-owners.js';
import { ETHERTYPES, HARDWARE_TYPES } from './numbers.js';

/**
 * Address Resolution Protocol, RFC 826, and its relatives with the same layout (RARP, inverse ARP):
 *
 *     +--------------------+--------------------+----------+----------+------------+
 *     | Hardware type (2)  | Protocol type (2)  | hlen (1) | plen (1) | Opcode (2) |
 *     +--------------------+----+---------------+----------+---+------+------------+-+
 *     | Sender hardware (hlen)  | Sender protocol (plen) | Target hardware | Target … |
 *     +-------------------------+------------------------+-----------------+----------+
 */
const HEADER = 8;
const REQUEST = 1;
const REPLY = 2;
const OPCODES: Readonly<Record<number, string>> = {
  [REQUEST]: 'request',
  [REPLY]: 'reply',
  3: 'reverse request',
  4: 'reverse reply',
  5: 'drarp request',
  6: 'drarp reply',
  7: 'drarp error',
  8: 'inverse request',
  9: 'inverse reply',
  10: 'arp nak',
  11: 'mars request',
  12: 'mars multi',
  13: 'mars mserv',
  14: 'mars join',
  15: 'mars leave',
  16: 'mars nak',
  17: 'mars unserv',
  18: 'mars sjoin',
  19: 'mars sleave',
  20: 'mars grouplist request',
  21: 'mars grouplist reply',
  22: 'mars redirect map',
  23: 'mapos unarp',
  24: 'experimental 1',
  25: 'experimental 2',
};

const F = fields({
  arp: { name: 'arp', label: 'Address Resolution Protocol', type: 'protocol' },
  hwType: { name: 'arp.hw.type', label: 'Hardware type', type: 'u16', values: HARDWARE_TYPES },
  protoType: { name: 'arp.proto.type', label: 'Protocol type', type: 'u16', base: 'hex', values: ETHERTYPES },
  hwSize: { name: 'arp.hw.size', label: 'Hardware size', type: 'u8' },
  protoSize: { name: 'arp.proto.size', label: 'Protocol size', type: 'u8' },
  opcode: { name: 'arp.opcode', label: 'Opcode', type: 'u16', values: OPCODES },
  gratuitous: { name: 'arp.isgratuitous', label: 'Is gratuitous', type: 'bool' },
  probe: { name: 'arp.isprobe', label: 'Is probe', type: 'bool' },
  announcement: { name: 'arp.isannouncement', label: 'Is announcement', type: 'bool' },
  srcHw: { name: 'arp.src.hw', label: 'Sender hardware address', type: 'bytes' },
  srcMac: { name: 'arp.src.hw_mac', label: 'Sender MAC address', type: 'ether' },
  srcProto: { name: 'arp.src.proto', label: 'Sender protocol address', type: 'bytes' },
  srcIp: { name: 'arp.src.proto_ipv4', label: 'Sender IP address', type: 'ipv4' },
  dstHw: { name: 'arp.dst.hw', label: 'Target hardware address', type: 'bytes' },
  dstMac: { name: 'arp.dst.hw_mac', label: 'Target MAC address', type: 'ether' },
  dstProto: { name: 'arp.dst.proto', label: 'Target protocol address', type: 'bytes' },
  dstIp: { name: 'arp.dst.proto_ipv4', label: 'Target IP address', type: 'ipv4' },
});
const D = fields({
  duplicate: { name: 'arp.duplicate-address-detected', label: 'Duplicate IP address configured', type: 'none' },
  frame: { name: 'arp.duplicate-address-frame', label: 'Frame showing earlier use of IP address', type: 'frame' },
  seconds: {
    ...({ name: 'arp.seconds-since-duplicate-address-frame', label: 'Seconds since earlier frame seen' } as const),
    type: 'u32',
  },
});

const E = experts({
  duplicate: {
    code: 'arp.duplicate-address',
    severity: 'warn',
    message: 'Duplicate IP address configured',
    clause: 'RFC 5227 §2.4',
  },
});

/** Addresses have the lengths that the packet states; `hwSize` and `protoSize` are theirs. */
export interface ArpPacket {
  hwType: number;
  protoType: number;
  opcode: number;
  srcHw: Uint8Array;
  srcProto: Uint8Array;
  dstHw: Uint8Array;
  dstProto: Uint8Array;
}

const hwSize = (b: Uint8Array, o: number) => u8(b, o + 4);
const protoSize = (b: Uint8Array, o: number) => u8(b, o + 5);
const opcodeOf = (b: Uint8Array, o: number) => u16(b, o + 6);
const isMac = (b: Uint8Array, o: number) => hwSize(b, o) === 6 && (u16(b, o) === 1 || u16(b, o) === 6);
const isIpv4 = (b: Uint8Array, o: number) => protoSize(b, o) === 4 && u16(b, o + 2) === 0x0800;
const srcProto = (b: Uint8Array, o: number) => o + HEADER + hwSize(b, o);
const dstHw = (b: Uint8Array, o: number) => srcProto(b, o) + protoSize(b, o);
const dstProto = (b: Uint8Array, o: number) => dstHw(b, o) + hwSize(b, o);
const total = (b: Uint8Array, o: number) => HEADER + 2 * (hwSize(b, o) + protoSize(b, o));

type Kind = 'gratuitous' | 'probe' | 'announcement';

/** What a packet for IPv4 is beyond its opcode; RFC 5227 §1.1. */
function kindOf(b: Uint8Array, o: number): Kind | undefined {
  const op = opcodeOf(b, o);
  if (!isIpv4(b, o) || (op !== REQUEST && op !== REPLY)) return undefined;
  const sender = u32(b, srcProto(b, o));
  if (op === REQUEST && sender === 0) return 'probe';
  if (sender !== u32(b, dstProto(b, o))) return undefined;
  let zero = op === REQUEST;
  for (let i = 0; zero && i < hwSize(b, o); i++) zero = b[dstHw(b, o) + i] === 0;
  return zero ? 'announcement' : 'gratuitous';
}

/** The heading of the layer. */
function heading({ buf, off, length }: View): string {
  const name = nameOf(OPCODES, opcodeOf(buf, off), 'unknown opcode');
  const kind = length >= total(buf, off) ? kindOf(buf, off) : undefined;
  const what = { gratuitous: `${name}/gratuitous ARP`, probe: 'ARP Probe', announcement: 'ARP Announcement' };
  return `Address Resolution Protocol (${kind === undefined ? name : what[kind]})`;
}

function info({ buf, off }: View): string {
  const op = opcodeOf(buf, off);
  const ip = (at: number) => (isIpv4(buf, off) ? ip4(buf, at) : hex(buf, at, protoSize(buf, off)));
  const hw = (at: number) => hex(buf, at, hwSize(buf, off));
  const sender = ip(srcProto(buf, off));
  const target = ip(dstProto(buf, off));
  const kind = kindOf(buf, off);
  if (kind === 'probe') return `Who has ${target}? (ARP Probe)`;
  if (kind === 'announcement') return `ARP Announcement for ${sender}`;
  if (kind === 'gratuitous') return `Gratuitous ARP for ${sender} (${op === REQUEST ? 'Request' : 'Reply'})`;
  switch (op) {
    case REQUEST:
      return `Who has ${target}? Tell ${sender}`;
    case REPLY:
      return `${sender} is at ${hw(off + HEADER)}`;
    case 3:
    case 5:
      return `Who is ${hw(dstHw(buf, off))}? Tell ${hw(off + HEADER)}`;
    case 4:
    case 6:
      return `${hw(dstHw(buf, off))} is at ${target}`;
    case 8:
      return `Who is ${hw(dstHw(buf, off))}? Tell ${hw(off + HEADER)}`;
    case 9:
      return `${hw(off + HEADER)} is at ${sender}`;
    default:
      return nameOf(OPCODES, op, `Unknown ARP opcode 0x${op.toString(16).padStart(4, '0')}`);
  }
}

const dotted = (ip: number): string => [24, 16, 8, 0].map((shift) => (ip >>> shift) & 255).join('.');

/** What `track` noticed. */
const duplicatesOf = (v: View, cx: Ctx): readonly Duplicate[] =>
  cx.note<readonly Duplicate[]>(arp as AnyDissector, v) ?? NONE;
const NONE: readonly Duplicate[] = [];

function duplicate({ off, length }: View, t: Tree, d: Duplicate): void {
  const ip = dotted(d.ip);
  t.open(D.duplicate, off, length);
  if (t.labels)
    t.label(
      `Duplicate IP address detected for ${ip} (${hex(d.mac, 0, 6)}) - also in use by ${hex(d.owner, 0, 6)} (frame ${d.frame})`,
    );
  t.num(D.frame, off, 0, d.frame);
  t.expert(E.duplicate, `Duplicate IP address configured (${ip})`);
  t.num(D.seconds, off, 0, d.seconds);
  t.pop();
}

function address(t: Tree, f: Field, off: number, n: number): void {
  if (n > 0) t.bytes(f, off, n);
}

export const arp = defineDissector<ArpPacket>({
  proto: 'arp',
  title: 'Address Resolution Protocol',
  short: 'ARP',
  spec: 'RFC 826',
  fields: { ...F, ...D },
  experts: E,
  on: { ethertype: [0x0806, 0x8035], 'gre.proto': [0x0806] },

  serves: { fields: Object.values(D) },

  /** What ARP says of hardware addresses: of senders, and of the targets of replies that speak of somebody else. */
  track({ buf, off, length }, cx) {
    if (length < HEADER || length < total(buf, off) || !isMac(buf, off) || !isIpv4(buf, off)) return;
    const op = opcodeOf(buf, off);
    if (op !== REQUEST && op !== REPLY) return;
    const owners = cx.scope(arp as AnyDissector, () => new Owners());
    const sender = owners.see(buf, off + HEADER, srcProto(buf, off), cx);
    const isOther = u32(buf, srcProto(buf, off)) !== u32(buf, dstProto(buf, off));
    const target = op === REPLY && isOther ? owners.see(buf, dstHw(buf, off), dstProto(buf, off), cx) : undefined;
    if (sender !== undefined || target !== undefined)
      cx.note([sender, target].filter((d) => d !== undefined) satisfies Duplicate[]);
  },

  dissect(v, t, cx) {
    need(v, HEADER);
    const { buf, off } = v;
    const n = total(buf, off);
    t.open(F.arp, off, Math.min(n, v.length));
    if (t.labels) t.label(heading(v));
    t.num(F.hwType, off, 2, u16(buf, off));
    t.num(F.protoType, off + 2, 2, u16(buf, off + 2));
    t.num(F.hwSize, off + 4, 1, hwSize(buf, off));
    t.num(F.protoSize, off + 5, 1, protoSize(buf, off));
    t.num(F.opcode, off + 6, 2, opcodeOf(buf, off));
    need(v, n);
    const kind = kindOf(buf, off);
    if (kind !== undefined) t.num(F[kind], off, 0, 1);
    if (kind === 'announcement') t.num(F.gratuitous, off, 0, 1);
    const mac = isMac(buf, off);
    const ip = isIpv4(buf, off);
    address(t, mac ? F.srcMac : F.srcHw, off + HEADER, hwSize(buf, off));
    address(t, ip ? F.srcIp : F.srcProto, srcProto(buf, off), protoSize(buf, off));
    address(t, mac ? F.dstMac : F.dstHw, dstHw(buf, off), hwSize(buf, off));
    address(t, ip ? F.dstIp : F.dstProto, dstProto(buf, off), protoSize(buf, off));
    t.pop();
    for (const twice of duplicatesOf(v, cx)) duplicate(v, t, twice);
  },

  summary(v, cx): string {
    if (v.length < HEADER || v.length < total(v.buf, v.off)) return 'Packet cut short';
    return (
      info(v) +
      duplicatesOf(v, cx)
        .map(({ ip }) => ` (duplicate use of ${dotted(ip)} detected!)`)
        .join('')
    );
  },

  codec: {
    parse(b, o) {
      const hw = hwSize(b, o);
      const p = protoSize(b, o);
      return {
        hwType: u16(b, o),
        protoType: u16(b, o + 2),
        opcode: opcodeOf(b, o),
        srcHw: b.slice(o + HEADER, o + HEADER + hw),
        srcProto: b.slice(srcProto(b, o), srcProto(b, o) + p),
        dstHw: b.slice(dstHw(b, o), dstHw(b, o) + hw),
        dstProto: b.slice(dstProto(b, o), dstProto(b, o) + p),
      };
    },
    size: (r) => HEADER + 2 * (r.srcHw.length + r.srcProto.length),
    emit(r, b, o) {
      put16(b, o, r.hwType);
      put16(b, o + 2, r.protoType);
      b[o + 4] = r.srcHw.length;
      b[o + 5] = r.srcProto.length;
      put16(b, o + 6, r.opcode);
      b.set(r.srcHw, o + HEADER);
      b.set(r.srcProto, srcProto(b, o));
      b.set(r.dstHw, dstHw(b, o));
      b.set(r.dstProto, dstProto(b, o));
      return total(b, o);
    },
  },
});
