/** Packets laid out from parts, with the codecs of the dissectors. */

import { concat, encode, type NetPair, put16, put32 } from 'fttscope/kit';
import { icmp } from '../../dissectors/icmp.js';
import { ipv4 } from '../../dissectors/ipv4.js';
import { ipv6 } from '../../dissectors/ipv6.js';
import { rtp } from '../../dissectors/rtp.js';
import { sipCodec } from '../../dissectors/sip/codec.js';
import { tcp as tcpDissector } from '../../dissectors/tcp/index.js';
import { udp as udpDissector } from '../../dissectors/udp.js';

/** One end of a conversation. */
export interface Endpoint {
  /** Four or sixteen octets. */
  readonly address: Uint8Array;
  readonly port: number;
}

/** The octets of an address as people write it. */
export function address(text: string): Uint8Array {
  if (!text.includes(':')) return Uint8Array.from(text.split('.'), Number);
  const [head, tail] = text.split('::');
  const words = (s: string | undefined): number[] => (s ? s.split(':').map((w) => Number.parseInt(w, 16)) : []);
  const front = words(head);
  const back = words(tail);
  const out = new Uint8Array(16);
  front.forEach((w, i) => {
    put16(out, 2 * i, w);
  });
  back.forEach((w, i) => {
    put16(out, 16 - 2 * (back.length - i), w);
  });
  return out;
}

/** `at('192.0.2.1', 443)`. */
export const at = (text: string, port: number): Endpoint => ({ address: address(text), port });

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const IPV6_FRAGMENT = 44;

function pair(src: Uint8Array, dst: Uint8Array): NetPair {
  return { version: src.length === 4 ? 4 : 6, buf: concat([src, dst]), src: 0, dst: src.length };
}

/** What of an IP header may be chosen. */
export interface IpOptions {
  readonly id?: number;
  readonly ttl?: number;
  /** DSCP and ECN. */
  readonly ds?: number;
}

/** An IPv4 or IPv6 packet, as the addresses have it. */
export function ip(
  src: Uint8Array,
  dst: Uint8Array,
  protocol: number,
  payload: Uint8Array,
  o: IpOptions = {},
): Uint8Array {
  const { id = 0, ttl = 64, ds = 0 } = o;
  if (src.length === 16)
    return encode(ipv6.codec!, { tclass: ds, flow: 0, next: protocol, hlim: ttl, src, dst, payload });
  const options = new Uint8Array(0);
  return encode(ipv4.codec!, { ds, id, flags: 0, offset: 0, ttl, protocol, src, dst, options, payload });
}

export function udp(from: Endpoint, to: Endpoint, payload: Uint8Array, o: IpOptions = {}): Uint8Array {
  const datagram = { srcport: from.port, dstport: to.port, payload };
  return ip(from.address, to.address, UDP, encode(udpDissector.codec!, datagram, pair(from.address, to.address)), o);
}

/** What of a TCP header may be chosen; `flags` is 16 (ACK) if nothing is said. */
export interface TcpHeader {
  readonly seq: number;
  readonly ack?: number;
  readonly flags?: number;
  readonly window?: number;
  readonly options?: Uint8Array;
}

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;

export function tcp(from: Endpoint, to: Endpoint, h: TcpHeader, payload: Uint8Array, o: IpOptions = {}): Uint8Array {
  const segment = {
    srcport: from.port,
    dstport: to.port,
    seq: h.seq,
    ack: h.ack ?? 0,
    flags: h.flags ?? ACK,
    window: h.window ?? 64_240,
    urgent: 0,
    options: h.options ?? new Uint8Array(0),
    payload,
  };
  return ip(from.address, to.address, TCP, encode(tcpDissector.codec!, segment, pair(from.address, to.address)), o);
}

/** An ICMP echo request of `n` octets. */
export function ping(from: Uint8Array, to: Uint8Array, ident: number, seq: number, n: number): Uint8Array {
  const data = Uint8Array.from({ length: n }, (_, i) => (i * 7 + seq) & 255);
  const message = { type: 8, code: 0, word: ((ident << 16) | seq) >>> 0, data };
  return ip(from, to, ICMP, encode(icmp.codec!, message), { id: seq });
}

/** One packet of a G.711 stream, 20 ms each. */
export function rtpPacket(from: Endpoint, to: Endpoint, sequence: number, ssrc: number, n = 160): Uint8Array {
  const payload = new Uint8Array(n).fill(sequence & 255);
  const packet = {
    marker: sequence === 0,
    payloadType: 0,
    sequence: sequence & 0xffff,
    timestamp: (sequence * 160) >>> 0,
    ssrc,
    csrc: [],
    payload,
    padding: 0,
  };
  return udp(from, to, encode(rtp.codec!, packet), { id: sequence & 0xffff, ds: 0xb8 });
}

/** A REGISTER with the headers that every request has (RFC 3261 §8.1.1). */
export function register(cseq: number, user = 'ue'): Uint8Array {
  return encode(sipCodec, {
    start: { method: 'REGISTER', uri: 'sip:ims.example' },
    headers: [
      { name: 'Via', value: `SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK${user}${cseq}` },
      { name: 'Max-Forwards', value: '70' },
      { name: 'From', value: `<sip:${user}@ims.example>;tag=${user}` },
      { name: 'To', value: `<sip:${user}@ims.example>` },
      { name: 'Call-ID', value: `${user}@10.0.0.2` },
      { name: 'CSeq', value: `${cseq} REGISTER` },
      { name: 'Contact', value: `<sip:${user}@10.0.0.2:5060>` },
      { name: 'Content-Length', value: '0' },
    ],
    body: new Uint8Array(0),
  });
}

/** Cuts an IPv4 or IPv6 packet into fragments whose payloads have `size` octets (a multiple of 8). */
export function fragments(packet: Uint8Array, size: number, id = 1): Uint8Array[] {
  if (packet[0]! >> 4 === 4) {
    const p = ipv4.codec!.parse(packet, 0, packet.length);
    return pieces(p.payload, size).map(({ offset, octets, more }) =>
      encode(ipv4.codec!, { ...p, id, offset, flags: more ? 0x20 : 0, payload: octets }),
    );
  }
  const p = ipv6.codec!.parse(packet, 0, packet.length);
  return pieces(p.payload, size).map(({ offset, octets, more }) => {
    const header = new Uint8Array(8); // RFC 8200 §4.5
    header[0] = p.next;
    put16(header, 2, offset | (more ? 1 : 0));
    put32(header, 4, id);
    return encode(ipv6.codec!, { ...p, next: IPV6_FRAGMENT, payload: concat([header, octets]) });
  });
}

function pieces(b: Uint8Array, size: number): { offset: number; octets: Uint8Array; more: boolean }[] {
  const out = [];
  for (let offset = 0; offset < b.length; offset += size)
    out.push({ offset, octets: b.subarray(offset, offset + size), more: offset + size < b.length });
  return out;
}
