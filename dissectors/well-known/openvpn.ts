import { type AnyDissector, concat, LIMITS, type Track, u8, u16, u32, View } from 'fttscope/kit';
import { named } from './named.js';
import { framed } from './streams.js';

/**
 * OpenVPN: of its packets those of the control channel are followed, which carry TLS. One begins with an opcode and the ID
 * of its session; behind them a proof of who sent it where one was agreed on, the packets that it acknowledges, its own
 * number, and a part of the TLS.
 */
const TITLE = { title: 'OpenVPN Protocol', short: 'OpenVPN', spec: 'OpenVPN wire protocol' } as const;
const CONTROL = 4;
const SESSION = 9;
/** A proof as it mostly is, of 20 octets, and the number and time of the packet behind it. */
const PROOF = 28;
/** Where a packet acknowledges others, the ID of the other session follows. */
const PEER = 8;
const NUMBER = 4;
/** A part of so many octets has others behind it. */
const PART = 100;

/** Whether a proof stands at `off`: else a count of few packets does, before numbers that begin with zeros, as Wireshark has it. */
function isProof(b: Uint8Array, off: number): boolean {
  let zeros = 0;
  for (let i = 0; i < 4; i++) if (u8(b, off + i) === 0) zeros++;
  return u8(b, off) > 0 && zeros <= 1;
}

/** The part of the TLS that a packet carries; undefined: none. */
function partOf({ buf, off, end }: View): { readonly off: number; readonly end: number } | undefined {
  if (end - off < SESSION + 4 || u8(buf, off) >> 3 !== CONTROL) return undefined;
  const acknowledged = off + SESSION + (isProof(buf, off + SESSION) ? PROOF : 0);
  if (acknowledged >= end) return undefined;
  const n = u8(buf, acknowledged);
  const at = acknowledged + 1 + (n > 0 ? 4 * n + PEER : 0) + NUMBER;
  return at < end ? { off: at, end } : undefined;
}

/** The parts of the TLS of one direction that others follow. */
class Parts {
  private session = 0;
  private parts: Uint8Array[] = [];
  octets = 0;

  /** Takes a part; returns all of them where it is the last. */
  take(b: Uint8Array, off: number, end: number, session: number, cx: Track): Uint8Array | undefined {
    if (session !== this.session || this.octets + end - off > LIMITS.handshakeOctets) {
      if (session === this.session) cx.capped('handshakeOctets');
      this.clear();
    }
    this.session = session;
    this.parts.push(b.slice(off, end));
    this.octets += end - off;
    if (end - off === PART) return undefined;
    const all = concat(this.parts);
    this.clear();
    return all;
  }

  private clear(): void {
    this.parts = [];
    this.octets = 0;
  }
}

class Channel {
  readonly directions = [new Parts(), new Parts()] as const;

  /** What it holds, in units that a few entries cost. */
  get size(): number {
    return (this.directions[0].octets + this.directions[1].octets) >> 8;
  }
}

/** A packet begins `prefix` octets behind the start of its message. */
function openvpn(proto: string, prefix: number, more: Partial<Parameters<typeof named>[0]>): AnyDissector {
  const d: AnyDissector = named({
    ...{ proto, layer: 'openvpn', ...TITLE },
    ...more,
    calls: ['tls'],
    serves: { fields: [], protocols: ['tls'] },
    track(v, cx) {
      const packet = v.sub(v.off + prefix);
      const part = partOf(packet);
      if (part === undefined) return;
      const parts = cx.flow(d, () => new Channel()).directions[cx.direction];
      const octets = parts.take(v.buf, part.off, part.end, u32(v.buf, packet.off + 5), cx);
      if (octets !== undefined) cx.note(octets);
    },
    inner(v, cx) {
      const octets = cx.note<Uint8Array>(d, v);
      if (octets !== undefined) cx.call('tls', View.of(octets, 'Reassembled message'));
    },
  });
  return d;
}

export const openvpns = [
  openvpn('openvpn', 0, { on: { 'udp.port': [1194] } }),
  openvpn('openvpn.stream', 2, { on: { 'tcp.port': [1194] }, pduLength: framed(2, (b, o) => 2 + u16(b, o)) }),
];
