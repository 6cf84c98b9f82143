import type { SipRepresentation } from '../../../dissectors/sip/index.js';
import { address, addressText } from '../../../src/live/address.js';
import { type Random, seededRandom } from '../../../src/live/random.js';
import { SipLayer } from '../../../src/live/sip/layer.js';
import {
  RFC_TIMERS,
  readSip,
  type SipPeer,
  type SipTimers,
  type SipTransport,
} from '../../../src/live/sip/transport.js';
import type { VirtualClock } from '../clock.js';

/** What went over the network: who to whom, and its first line. */
export interface Passed {
  at: number;
  from: string;
  to: string;
  line: string;
  message: SipRepresentation | undefined;
  lost: boolean;
}

/** Datagrams between named addresses, ten milliseconds under way; `lose` says which do not arrive. */
export class Network {
  readonly passed: Passed[] = [];
  lose: (p: Passed, n: number) => boolean = () => false;
  private readonly ends = new Map<string, SipTransport>();
  constructor(readonly clock: VirtualClock) {}

  transport(own: string, port = 5060): SipTransport {
    const local = { address: address(own), port };
    const transport: SipTransport = {
      onOctets: undefined,
      local: () => local,
      send: (octets, peer) => this.carry(octets.slice(), local, peer),
      close: () => this.ends.delete(key(local)),
    };
    this.ends.set(key(local), transport);
    return transport;
  }

  /** A layer at an address. */
  layer(own: string, seed: number, timers: SipTimers = RFC_TIMERS, random: Random = seededRandom(seed)): SipLayer {
    return new SipLayer({ transport: this.transport(own), clock: this.clock, random, timers });
  }

  /** First lines in the order in which they were sent: `a > b INVITE`, responses with their CSeq method. */
  log(): string[] {
    return this.passed.map((p) => `${p.from} > ${p.to} ${p.line}${p.lost ? ' (lost)' : ''}`);
  }

  private carry(octets: Uint8Array, from: SipPeer, to: SipPeer): void {
    const message = octets[0] >= 0x41 ? readSip(octets) : undefined;
    const passed: Passed = {
      at: this.clock.now(),
      from: last(from),
      to: last(to),
      line: message ? lineOf(message) : `octets ${octets.length}`,
      message,
      lost: false,
    };
    passed.lost = this.lose(passed, this.passed.length);
    this.passed.push(passed);
    if (!passed.lost) this.clock.after(10, () => this.ends.get(key(to))?.onOctets?.(octets, from));
  }
}

const key = (p: SipPeer): string => `${addressText(p.address)} ${p.port}`;
const last = (p: SipPeer): string => addressText(p.address).split(/[.:]/).at(-1)!;

export function lineOf(m: SipRepresentation): string {
  if ('method' in m.start) return m.start.method;
  const cseq = m.headers.find((h) => h.name === 'CSeq')?.value.split(' ')[1];
  return `${m.start.status} ${cseq}`;
}
