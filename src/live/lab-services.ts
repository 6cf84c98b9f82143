import type { Clock } from './clock.js';
import type { IpHost } from './host.js';
import type { LabService } from './lab-pcscf.js';
import type { Random } from './random.js';
import { EchoSource, tone } from './rtp-sources.js';
import type { IncomingCall } from './sip/callee.js';
import { RFC_TIMERS, type SipPeer } from './sip/transport.js';
import { SipUe } from './sip-ue.js';

/**
 * Who can be called in the lab: `echo` gives back what it hears, `announcement` plays a tone and hangs up, `busy` is
 * busy, `silent` rings and never answers.
 */
export const SERVICES = ['echo', 'announcement', 'busy', 'silent'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** Port of the first; each has its own above it. */
const FIRST_PORT = 5070;
const RING_MS = 200;
const ANNOUNCEMENT_MS = 5000;

export interface LabServicesOptions {
  host: IpHost;
  clock: Clock;
  random: Random;
  /** The P-CSCF, at an address of each family. */
  pcscfs: readonly SipPeer[];
  domain: string;
}

/** The services, each a user agent of its own behind the P-CSCF, for each family: nothing translates their media. */
export class LabServices {
  readonly list: LabService[] = [];
  private readonly agents: SipUe[] = [];

  constructor(private readonly options: LabServicesOptions) {
    for (const [f, pcscf] of options.pcscfs.entries())
      for (const [i, user] of SERVICES.entries()) this.open(user, pcscf, FIRST_PORT + SERVICES.length * f + i);
  }

  stop(): void {
    for (const a of this.agents) a.stop();
  }

  private open(user: ServiceName, pcscf: SipPeer, port: number): void {
    const { host, clock, random, domain } = this.options;
    const agent: SipUe = new SipUe({
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
      onEvent: (event) => {
        if (event.type === 'incoming') this.serve(user, event.call);
      },
    });
    this.agents.push(agent);
    this.list.push({ user, peer: { address: pcscf.address, port } });
  }

  private serve(user: ServiceName, call: IncomingCall): void {
    const { clock } = this.options;
    if (user === 'busy') {
      call.reject(486);
      return;
    }
    call.ring();
    if (user === 'silent') return;
    clock.after(RING_MS, () => call.answer());
    if (user === 'announcement') clock.after(RING_MS + ANNOUNCEMENT_MS, () => call.hangUp());
  }
}
