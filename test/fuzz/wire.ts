/** From parts to frames: TCP connections, tunnels sealed with recorded keys, checksums. */

import { createDecipheriv } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dissectors } from '../../dissectors/index.js';
import { openCapture } from '../../src/capture/open.js';
import { Registry } from '../../src/engine/registry.js';
import { checksum, concat, Peek, pseudoHeader, put16, put32, u16 } from '../../src/kit/index.js';
import { Connection, type Network } from '../build/connection.js';
import type { Conversation, Flight, Side } from '../build/conversation.js';
import { at } from '../build/packets.js';
import { expand, Sealer } from '../build/sealer.js';
import { drain } from '../capture/support.js';
import { ROOT } from '../support/corpus.js';
import type { Input } from './input.js';
import { Chance } from './mutate.js';

const registry = new Registry(dissectors);

/** Goes down the headers of a frame; `see` is told of each. Returns the position behind the last. */
export function descend(octets: Uint8Array, link: number, see: (proto: string, off: number, p: Peek) => void): Peek {
  const p = new Peek();
  Object.assign(p, { buf: octets, off: 0, end: octets.length, wireEnd: octets.length, table: 'link', key: link });
  for (let depth = 0; depth < 16; depth++) {
    const d = registry.lookup(p.table, p.key);
    if (d === undefined) break;
    const { off } = p;
    p.table = '';
    p.fragment = false;
    d.peek?.(p);
    see(d.proto, off, p);
    if (p.table === '' || p.fragment) break;
  }
  return p;
}

/** Makes the checksums of a frame right, in place. */
export function fixChecksums(octets: Uint8Array, link: number): void {
  descend(octets, link, (proto, off, p) => {
    const { end } = p;
    const put = (at: number, sum: number): void => {
      if (at + 2 > end) return;
      put16(octets, at, 0);
      put16(octets, at, checksum(octets, off, proto === 'ip' ? Math.min(end, off + 20) : end, sum));
    };
    const length = end - off;
    if (proto === 'ip') put(off + 10, 0);
    else if (proto === 'icmp') put(off + 2, 0);
    else if (p.net === 0) return;
    else {
      const net = { version: p.net, buf: octets, src: p.src, dst: p.dst } as const;
      if (proto === 'udp') put(off + 6, pseudoHeader(net, 17, length));
      else if (proto === 'tcp') put(off + 16, pseudoHeader(net, 6, length));
      else if (proto === 'icmpv6') put(off + 2, pseudoHeader(net, 58, length));
    }
  });
}

/** A handshake of TLS 1.3 that was captured, and what is needed to go on. */
interface Handshake {
  readonly flights: readonly Flight[];
  readonly keylog: string;
  readonly secrets: readonly [Uint8Array, Uint8Array];
}

const SUITE = 'TLS_AES_128_GCM_SHA256';
const SAMPLE = join(ROOT, 'samples/03-tls13-aes128-gcm');

/** The handshake of a sample, up to the first record under the keys of application data. */
export async function handshake(): Promise<Handshake> {
  const keylog = readFileSync(`${SAMPLE}.keys`, 'latin1');
  const secret = (label: string): Buffer => {
    const line = keylog.split('\n').find((l) => l.startsWith(`${label} `))!;
    return Buffer.from(line.split(' ')[2]!, 'hex');
  };
  const secrets = [secret('CLIENT_TRAFFIC_SECRET_0'), secret('SERVER_TRAFFIC_SECRET_0')] as const;
  const [client, server] = await streams(`${SAMPLE}.pcapng`);
  const hello = 5 + u16(client, 3);
  const finished = server.subarray(0, applicationStart(server, secrets[1]));
  const flights: Flight[] = [
    { side: 0, octets: client.subarray(0, hello), ordered: true, pause: 0 },
    { side: 1, octets: finished, ordered: true, pause: 0 },
    { side: 0, octets: client.subarray(hello, applicationStart(client, secrets[0])), ordered: true, pause: 0 },
  ];
  return { flights, keylog, secrets };
}

/** The two streams of the first connection of a capture. */
async function streams(path: string): Promise<[Uint8Array, Uint8Array]> {
  const { frames } = await drain(await openCapture([path]));
  const sides: { seq: number; octets: Uint8Array }[][] = [[], []];
  let port = 0;
  for (const f of frames)
    descend(f.octets, f.iface.link, (proto, _, p) => {
      if (proto !== 'tcp' || p.end <= p.off) return;
      if (p.dport === 443) port ||= p.sport;
      const side = p.sport === port ? 0 : p.dport === port ? 1 : 2;
      sides[side]?.push({ seq: p.seq, octets: f.octets.slice(p.off, p.end) });
    });
  return sides.map(joined) as [Uint8Array, Uint8Array];
}

function joined(segments: readonly { seq: number; octets: Uint8Array }[]): Uint8Array {
  const base = segments[0]!.seq;
  const out = new Uint8Array(segments.reduce((n, s) => Math.max(n, s.seq - base + s.octets.length), 0));
  for (const s of segments) if (s.seq >= base) out.set(s.octets, s.seq - base);
  return out;
}

/** Where the first record stands that opens with `secret` as number 0. */
function applicationStart(stream: Uint8Array, secret: Uint8Array): number {
  const key = expand('sha256', secret, 'key', 16);
  const iv = expand('sha256', secret, 'iv', 12);
  for (let off = 0; off + 5 < stream.length; off += 5 + u16(stream, off + 3)) {
    const end = off + 5 + u16(stream, off + 3);
    if (stream[off] !== 23) continue;
    const open = createDecipheriv('aes-128-gcm', key, iv, { authTagLength: 16 });
    open.setAAD(stream.subarray(off, off + 5));
    open.setAuthTag(stream.subarray(end - 16, end));
    open.update(stream.subarray(off + 5, end - 16));
    try {
      open.final();
      return off;
    } catch {
      // A record of the handshake.
    }
  }
  throw new Error('the sample has no application data');
}

/** How a part of a tunnel is written: the first octet of the part, halved. */
export const Written = {
  Sealed: 0,
  Handshake: 1,
  Padded: 2,
  Bare: 3,
  Damaged: 4,
  Lost: 5,
  Alert: 6,
  KeyUpdate: 7,
} as const;

function record(part: Uint8Array, sealer: Sealer): Uint8Array {
  const plain = part.subarray(1, 1 + 16_384);
  switch (part[0]! >> 1) {
    case Written.Handshake:
      return sealer.seal(plain, 22);
    case Written.Alert:
      return sealer.seal(plain, 21);
    case Written.Padded:
      return sealer.seal(plain.subarray(0, 16_000), 23, 300);
    case Written.Bare:
      return plain;
    case Written.Damaged: {
      const b = sealer.seal(plain);
      b[5 + (b.length >> 1) - 3]! ^= 1;
      return b;
    }
    case Written.Lost:
      sealer.seal(plain);
      return new Uint8Array(0);
    case Written.KeyUpdate:
      return sealer.keyUpdate();
    default:
      return sealer.seal(plain);
  }
}

/** What both sides of the tunnel send. */
function tunnelFlights(parts: readonly Uint8Array[], h: Handshake): Flight[] {
  const sealers = h.secrets.map((secret) => new Sealer(SUITE, secret, 0));
  const flights = [...h.flights];
  for (const part of parts) {
    if (part.length === 0) continue;
    const side = (part[0]! & 1) as Side;
    flights.push({ side, octets: record(part, sealers[side]!), ordered: false, pause: 0 });
  }
  return flights;
}

const streamFlights = (parts: readonly Uint8Array[]): Flight[] =>
  parts
    .filter((part) => part.length > 1)
    .map((part) => ({ side: (part[0]! & 1) as Side, octets: part.subarray(1), ordered: false, pause: 0 }));

/** The packets of a connection whose network the seed of the input chooses. */
function packets(flights: readonly Flight[], { seed, port }: Input): Uint8Array[] {
  const c = new Chance(seed);
  const conversation: Conversation = { flights, inner: [], keylog: '', cipher: '', reused: false };
  const six = c.is(0.2);
  const network: Network = { seed, cut: c.is(0.4), reorder: c.of([0, 0, 3]), repeat: 0.02, overlap: c.of([0, 0.05]) };
  const connection = new Connection(conversation, {
    client: six ? at('2001:db8::10', 40_000) : at('192.0.2.10', 40_000),
    server: six ? at('2001:db8::1', port) : at('198.51.100.1', port),
    mss: c.of([1400, 1400, 536, 20_000]),
    isn: c.is(0.2) ? [0xffff_ff00, 0xffff_fff0] : [1000, 2000],
    opening: c.is(0.9),
    end: c.of(['fin', 'rst', 'none']),
    ...(c.is(0.5) && { network }),
  });
  const lost = c.of([0, 0, 0, 0.03]);
  return connection.segments.filter((s) => s.from === s.to || !c.is(lost)).map((s, i) => connection.packet(s, i));
}

/** The frames of an input, and the LINKTYPE number of their capture. */
export function framesOf(o: Input, h: Handshake): { readonly frames: readonly Uint8Array[]; readonly link: number } {
  if (o.kind === 'frames') return { frames: o.parts, link: o.link };
  const flights = o.kind === 'tunnel' ? tunnelFlights(o.parts, h) : streamFlights(o.parts);
  return { frames: packets(flights, o), link: 101 };
}

/** Frames as a pcap file. */
export function pcap(frames: readonly Uint8Array[], link: number): Uint8Array {
  const head = new Uint8Array(24);
  put32(head, 0, 0xa1b2_c3d4);
  put16(head, 4, 2);
  put16(head, 6, 4);
  put32(head, 16, 65_535);
  put32(head, 20, link);
  const records = frames.map((octets, i) => {
    const h = new Uint8Array(16);
    put32(h, 0, 1_700_000_000 + i);
    put32(h, 8, octets.length);
    put32(h, 12, octets.length);
    return concat([h, octets]);
  });
  return concat([head, ...records]);
}

export type { Handshake };
