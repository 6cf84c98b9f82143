/** Makes input number `n` of a seed. */

import { readFileSync } from 'node:fs';
import { dissectors } from '../../dissectors/index.js';
import { Registry } from '../../src/engine/registry.js';
import { type AnyDissector, concat, encode, type NetPair } from '../../src/kit/index.js';
import { envelope } from '../build/conversation.js';
import { at, ip, udp } from '../build/packets.js';
import { type Input, input } from './input.js';
import { Chance, mutate, mutateValue, swollen } from './mutate.js';
import { framesOf, type Layers, type SeedCapture, type SeedFrames } from './seeds.js';
import { filterText, keyLogText } from './texts.js';
import { fixChecksums } from './wire.js';

const registry = new Registry(dissectors);
const ADDRESSES: NetPair = { version: 4, buf: Uint8Array.of(10, 0, 0, 1, 10, 0, 0, 2), src: 0, dst: 4 };
const PORTS = [...registry.entries()]
  .flatMap(([name, keys]) => (/port$/.test(name) ? [...keys.keys()] : []))
  .map(Number);
const IP_PROTOCOLS = [...registry.entries()]
  .flatMap(([name, keys]) => (name === 'ip.proto' ? [...keys.keys()] : []))
  .map(Number);
const KEYS = [...registry.entries()]
  .flatMap(([, keys]) => [...keys.keys()])
  .filter((key): key is number => typeof key === 'number');
const ON_TCP = [443, 443, 5060, 80, 53, 3478, ...PORTS];
/** Frames of an input at most. */
const FRAMES = 40;

/** Makes inputs from seeds; input `n` depends on the seed and on `n` alone. */
export class Generator {
  private readonly frames = new Map<SeedCapture, SeedFrames>();

  constructor(
    private readonly seed: number,
    private readonly captures: readonly SeedCapture[],
    private readonly layers: Layers,
  ) {}

  /** Which kinds of inputs there are, as chances. */
  async make(n: number): Promise<Input> {
    const c = new Chance(Math.imul(this.seed, 0x9e37_79b1) ^ Math.imul(n, 0x85eb_ca6b));
    const made = await this.kind(c);
    return { ...made, seed: c.below(1 << 30) };
  }

  private async kind(c: Chance): Promise<Input> {
    const kind = c.next();
    if (kind < 0.6) return this.layer(c);
    if (kind < 0.74) return this.damaged(c);
    if (kind < 0.8) return this.made(c);
    if (kind < 0.85) return this.tunnel(c);
    if (kind < 0.89) return this.stream(c);
    if (kind < 0.92) return this.file(c);
    if (kind < 0.94) return input('keylog', 'keylog', [keyLogText(c, c.of(this.captures).keylog)]);
    if (kind < 0.98) return input('filter', 'filter', [filterText(c, registry)]);
    return input('text', 'sip', [this.octets('sip', c)]);
  }

  /** Octets for a dissector: real ones changed, written by its codec, at random, or very many. */
  private octets(proto: string, c: Chance): Uint8Array {
    const seeds = this.layers.get(proto) ?? [];
    if (seeds.length === 0 || c.is(0.05)) return c.octets(c.below(c.is(0.1) ? 2000 : 120));
    const layer = c.of(seeds);
    const kind = c.next();
    if (kind < 0.25) return this.recoded(proto, layer, c) ?? mutate(layer, c);
    if (kind < 0.27) {
      const from = c.below(layer.length);
      const piece = layer.subarray(from, from + c.few(24));
      const room = concat([
        layer.subarray(0, from),
        swollen(piece, c.of([2000, 20_000, 60_000])),
        layer.subarray(from),
      ]);
      return room.slice(0, 65_535);
    }
    return mutate(layer, c);
  }

  /** A layer that its codec read, with other values. */
  private recoded(proto: string, layer: Uint8Array, c: Chance, payload?: Uint8Array): Uint8Array | undefined {
    const codec = registry.byProto(proto)?.codec;
    if (codec === undefined) return undefined;
    try {
      const r = mutateValue<Record<string, unknown>>(codec.parse(layer, 0, layer.length), c);
      if (payload !== undefined && 'payload' in r) r.payload = payload;
      for (const name of ['protocol', 'next', 'type', 'srcport', 'dstport'])
        if (typeof r[name] === 'number' && c.is(0.2)) r[name] = c.of(/port/.test(name) ? PORTS : KEYS);
      return encode(codec, r, ADDRESSES);
    } catch {
      return undefined; // Codecs need not write what no message has.
    }
  }

  private layer(c: Chance): Input {
    const { proto } = c.of(dissectors);
    return input(
      'layer',
      proto,
      Array.from({ length: c.few(4) }, () => this.octets(proto, c)),
    );
  }

  /** Some frames of a capture, a few of them changed. */
  private async damaged(c: Chance): Promise<Input> {
    const seed = c.of(this.captures);
    let all = this.frames.get(seed);
    if (all === undefined) this.frames.set(seed, (all = await framesOf(seed)));
    const { link } = all;
    if (all.frames.length === 0) return input('frames', seed.name, [c.octets(60)], { link });
    const from = c.is(0.4) ? 0 : c.below(all.frames.length);
    const frames = all.frames.slice(from, from + 1 + c.below(FRAMES)).map((f) => f.slice());
    for (let n = c.few(8); n > 0 && frames.length > 0; n--) this.damage(frames, link, c);
    return input('frames', seed.name, frames, { link, keylog: seed.keylog });
  }

  private damage(frames: Uint8Array[], link: number, c: Chance): void {
    const i = c.below(frames.length);
    const kind = c.next();
    if (kind < 0.1) frames.splice(i, 1);
    else if (kind < 0.2) frames.splice(c.below(frames.length), 0, frames[i]!.slice());
    else if (kind < 0.3) frames.push(...frames.splice(i, 1 + c.below(4)));
    else {
      // Headers are a small part of the octets, and the one that tells most.
      const octets = frames[i]!;
      const head = c.is(0.4) ? Math.min(octets.length, 14 + c.below(80)) : octets.length;
      const changed = concat([mutate(octets.subarray(0, head), c, 4), octets.subarray(head)]);
      if (c.is(0.7)) fixChecksums(changed, link);
      frames[i] = changed;
    }
  }

  /** A packet from codecs: a message, and layers around it that carry it or only might. */
  private packet(c: Chance): Uint8Array {
    let b: Uint8Array;
    const d = c.of(dissectors);
    const message = this.octets(d.proto, c);
    const ports = Object.entries(d.on ?? {}).flatMap(([table, keys]) => (table === 'udp.port' ? keys : []));
    const port = Number(ports.length > 0 && c.is(0.8) ? c.of(ports) : c.of(PORTS));
    const from = c.is(0.3) ? at('2001:db8::2', port) : at('10.0.0.2', port);
    const to = from.address.length === 4 ? at('10.0.0.1', c.of(PORTS)) : at('2001:db8::1', c.of(PORTS));
    const protocol = ipProtocol(d, c);
    if (protocol === undefined) b = udp(from, to, message.subarray(0, 65_000));
    else b = ip(from.address, to.address, protocol, message.subarray(0, 65_000));
    for (let n = c.is(0.4) ? c.few(12) : 0; n > 0; n--) b = this.wrapped(b, c);
    return b.length > 65_535 ? b.slice(0, 65_535) : b;
  }

  /** A layer of a protocol that has a payload, around `b`, in IP or in UDP. */
  private wrapped(b: Uint8Array, c: Chance): Uint8Array {
    const d = c.of(dissectors);
    const seeds = this.layers.get(d.proto);
    const around = seeds === undefined || b.length > 60_000 ? undefined : this.recoded(d.proto, c.of(seeds), c, b);
    if (around === undefined || around.length > 65_000) return b;
    if (d.proto === 'ip' || d.proto === 'ipv6') return around;
    const ports = Object.entries(d.on ?? {}).flatMap(([table, keys]) => (table === 'udp.port' ? keys : []));
    if (ports.length > 0) return udp(at('10.0.0.2', c.of(PORTS)), at('10.0.0.1', Number(ports[0])), around);
    return ip(at('10.0.0.2', 0).address, at('10.0.0.1', 0).address, ipProtocol(d, c) ?? c.of(IP_PROTOCOLS), around);
  }

  private made(c: Chance): Input {
    const parts = Array.from({ length: c.few(12) }, () => {
      const b = this.packet(c);
      return c.is(0.3) ? mutate(b, c, 3) : b;
    });
    if (c.is(0.3)) parts.push(...parts.map((b) => b.slice()).reverse());
    return input('frames', 'made', parts, { link: 101 });
  }

  /** Envelopes cut anywhere into records, most of which are right. */
  private tunnel(c: Chance): Input {
    const parts: Uint8Array[] = [];
    for (let n = c.few(12); n > 0; n--) {
      const side = c.below(2);
      const envelopes = Array.from({ length: c.few(6) }, () => this.envelope(c));
      const all = concat(envelopes);
      for (let from = 0; from < all.length; ) {
        const size = c.is(0.6) ? all.length : 1 + c.below(1 + c.below(2000));
        const how = c.is(0.93) ? 0 : c.below(8);
        parts.push(concat([[(how << 1) | side], all.subarray(from, from + size)].map((x) => Uint8Array.from(x))));
        from += size;
      }
    }
    return input('tunnel', 'tunnel', parts.slice(0, 200));
  }

  private envelope(c: Chance): Uint8Array {
    const b = this.packet(c).subarray(0, 16_000);
    const type = c.is(0.9) ? 1 : c.below(256);
    const { octets } = c.is(0.93) ? envelope(b, type) : envelope(b, type, c.is(0.5) ? c.below(8) : c.below(65_536));
    return octets;
  }

  /** Messages in a TCP connection: handshakes of TLS above all. */
  private stream(c: Chance): Input {
    const protos = c.is(0.5) ? ['tls'] : dissectors.filter((d) => d.pduLength !== undefined).map((d) => d.proto);
    const parts = Array.from({ length: c.few(10) }, (_, i) => {
      const proto = c.of(protos);
      const seeds = this.layers.get(proto) ?? [];
      const b = seeds.length > 0 && c.is(0.5) ? c.of(seeds) : this.octets(proto, c);
      return concat([Uint8Array.of(c.is(0.7) ? i & 1 : c.below(2)), b]);
    });
    return input('stream', protos.length === 1 ? 'tls' : 'any', parts, { port: c.of(ON_TCP) });
  }

  /** A small capture file, changed anywhere. */
  private file(c: Chance): Input {
    const seed = c.of(this.captures);
    const whole = readFileSync(seed.path);
    const b = mutate(whole.subarray(0, c.is(0.3) ? 600 : 40_000), c, 12);
    return input('file', seed.name, [b], { keylog: seed.keylog });
  }
}

function ipProtocol(d: AnyDissector, c: Chance): number | undefined {
  const keys = d.on?.['ip.proto'] ?? [];
  return keys.length > 0 ? Number(c.of(keys)) : undefined;
}
