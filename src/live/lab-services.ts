import type { Cancel, Clock } from './clock.js';
import type { EftfFaults } from './fault-eftf.js';
import type { IpHost } from './host.js';
import type { LabService } from './lab-pcscf.js';
import type { Random } from './random.js';
import { EchoSource, tone } from './rtp-sources.js';
import type { IncomingCall } from './sip/callee.js';
import { RFC_TIMERS, type SipPeer } from './sip/transport.js';
import { SipPhone } from './sip-phone.js';

/**
 * Who can be called in the lab: `echo` gives back what it hears, `announcement` plays a tone and hangs up, `busy` is
 * busy, `overloaded` has no room for the call, `silent` rings and never answers.
 */
const SERVICES = ['echo', 'announcement', 'busy', 'silent', 'overloaded'] as const;
/** A user that answers every call in its own way. */
export type ServiceName = (typeof SERVICES)[number];

/** Port of the first; each has its own above it. */
const FIRST_PORT = 5070;
const RING_MS = 200;
const ANNOUNCEMENT_MS = 5000;
/** Longer than keep-alives of media leave between them. */
const SILENCE_MS = 60_000;

/** Where the services stand, and what they do wrong. */
export interface LabServicesOptions {
  host: IpHost;
  clock: Clock;
  random: Random;
  /** The P-CSCF, at an address of each family. */
  pcscfs: readonly SipPeer[];
  domain: string;
  /** What they do wrong. */
  faults?: EftfFaults;
}

/** The services, each a user agent of its own behind the P-CSCF, for each family: nothing translates their media. */
export class LabServices {
  readonly list: LabService[] = [];
  private readonly agents: SipPhone[] = [];
  private readonly waiting = new Set<Cancel>();

  constructor(private readonly options: LabServicesOptions) {
    for (const [f, pcscf] of options.pcscfs.entries())
      for (const [i, user] of SERVICES.entries()) this.open(user, pcscf, FIRST_PORT + SERVICES.length * f + i);
  }

  stop(): void {
    for (const cancel of this.waiting) cancel();
    this.waiting.clear();
    for (const a of this.agents) a.stop();
  }

  private after(ms: number, callback: () => void): void {
    const cancel = this.options.clock.after(ms, () => {
      this.waiting.delete(cancel);
      callback();
    });
    this.waiting.add(cancel);
  }

  private open(user: ServiceName, pcscf: SipPeer, port: number): void {
    const { host, clock, random, domain, faults } = this.options;
    const agent: SipPhone = new SipPhone({
      host,
      clock,
      random,
      pcscf,
      domain,
      port,
      timers: RFC_TIMERS,
      identity: { impi: `${user}@${domain}` },
      impu: `sip:${user}@${domain}`,
      source: (codec) => (user === 'echo' ? new EchoSource() : tone(codec)),
      codecs: ['PCMU', 'PCMA', 'AMR', 'AMR-WB'],
      userAgent: `fttscope lab ${user}`,
      mediaTo: ({ address, port }) =>
        faults?.has('mute') ? undefined : { address, port: (port + (faults?.value('wrong-port') ?? 0)) & 0xffff },
      onEvent: (event) => {
        if (event.type === 'incoming') this.serve(user, event.call, agent);
      },
    });
    this.agents.push(agent);
    this.list.push({ user, peer: { address: pcscf.address, port } });
  }

  private serve(user: ServiceName, call: IncomingCall, agent: SipPhone): void {
    if (user === 'busy' || user === 'overloaded') {
      call.reject(user === 'busy' ? 486 : 503);
      return;
    }
    call.ring();
    if (user === 'silent') return;
    this.after(RING_MS, () => call.answer());
    if (user === 'announcement') this.after(RING_MS + ANNOUNCEMENT_MS, () => call.hangUp());
    this.watch(call, agent, -1);
  }

  /** Hangs up on a caller that is not heard any more: its tunnel may be gone. */
  private watch(call: IncomingCall, agent: SipPhone, before: number): void {
    this.after(SILENCE_MS, () => {
      if (call.state === 'ended') return;
      const received = agent.talker(call)?.received ?? 0;
      if (received === before) call.hangUp();
      else this.watch(call, agent, received);
    });
  }
}
