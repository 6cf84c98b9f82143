/** What runs inside the tunnels of tests: packets that are all different, in envelopes and records of every size. */

import { random } from '../capture/support.js';
import { down, type Envelope, envelope, type Side, type Step, up } from './conversation.js';
import { at, fragments, ping, register, rtpPacket, udp } from './packets.js';

const UE = at('10.0.0.2', 5060);
const EFTF = at('10.0.0.1', 5060);
const UE6 = at('2001:db8::2', 4000);
const EFTF6 = at('2001:db8::1', 4002);

/** One envelope; `n` makes it unlike all others. */
function one(side: Side, n: number, next: () => number): Envelope {
  const [from, to] = side === 0 ? [UE, EFTF] : [EFTF, UE];
  const [from6, to6] = side === 0 ? [UE6, EFTF6] : [EFTF6, UE6];
  const kind = next();
  const length = Math.floor(next() ** 3 * 1400);
  if (kind < 0.3) return envelope(rtpPacket(from6, to6, n, 0x1234_0000 + side));
  if (kind < 0.5) return envelope(ping(from.address, to.address, side, n, length));
  if (kind < 0.65) return envelope(udp(at('10.0.0.9', 1000 + side), at('10.0.0.8', 1000), marked(n, length)));
  if (kind < 0.75) return envelope(udp(from6, to6, marked(n, length)));
  if (kind < 0.85) return envelope(udp(from, to, register(n)));
  if (kind < 0.95) return envelope(marked(n, length), 2 + Math.floor(next() * 254));
  return envelope(fragments(ping(from.address, to.address, side, n, 800), 400, n)[1]!);
}

/** Octets that are no IP packet and that start with `n`. */
function marked(n: number, length: number): Uint8Array {
  const b = new Uint8Array(4 + length).fill(0x6e);
  b.set([n >> 24, n >> 16, n >> 8, n]);
  return b;
}

/** A talk of about `n` envelopes; the first one of each side is a SIP request. */
export function chatter(seed: number, n: number): Step[] {
  const next = random(seed);
  let number = 0;
  const steps: Step[] = [up([envelope(udp(UE, EFTF, register(1)))]), down([envelope(udp(EFTF, UE, register(2)))])];
  while (number < n) {
    const side: Side = next() < 0.5 ? 0 : 1;
    const count = 1 + Math.floor(next() ** 2 * 8);
    const envelopes = Array.from({ length: count }, () => one(side, ++number + 10, next));
    const records = next() < 0.5 ? undefined : Array.from({ length: 6 }, () => 1 + Math.floor(next() ** 2 * 3000));
    steps.push(side === 0 ? up(envelopes, records) : down(envelopes, records));
  }
  return steps;
}
