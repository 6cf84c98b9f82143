import type { Address } from './address.js';
import type { Clock } from './clock.js';
import type { IpHost } from './host.js';
import { MediaEndpoint } from './media-endpoint.js';
import type { Random } from './random.js';
import { type AudioSource, tone } from './rtp-sources.js';
import type { RtpTalker } from './rtp-talker.js';
import type { Call } from './sip/call.js';
import type { Identity } from './sip/credentials.js';
import { SipLayer } from './sip/layer.js';
import type { AudioCodec, CodecName } from './sip/sdp.js';
import { IMS_TIMERS, type SipPeer, type SipTimers, udpTransport } from './sip/transport.js';
import { UserAgent, type UserAgentEvent } from './sip/user-agent.js';

export type SipUeEvent = UserAgentEvent | { type: 'digit'; call: Call; signal: string; milliseconds: number };

export interface SipUeOptions {
  /** With an address of the P-CSCF's family. */
  host: IpHost;
  clock: Clock;
  random: Random;
  pcscf: SipPeer;
  identity: Identity;
  impu: string;
  domain: string;
  /** Port of ours; 5060 without it. */
  port?: number;
  codecs?: readonly CodecName[];
  timers?: SipTimers;
  expires?: number;
  instance?: string;
  userAgent?: string;
  /** What is said in calls; a tone without it. */
  source?(codec: AudioCodec): AudioSource;
  onEvent(event: SipUeEvent): void;
}

/** A user agent with its media on a host: what a UE does in IMS. */
export class SipUe {
  readonly agent: UserAgent;
  readonly layer: SipLayer;
  private readonly media: MediaEndpoint;

  /** @throws RangeError where the port is taken */
  constructor(options: SipUeOptions) {
    const { host, clock, random, pcscf, onEvent, timers = IMS_TIMERS } = options;
    this.layer = new SipLayer({ transport: udpTransport(host, options.port ?? 5060), clock, random, timers });
    this.media = new MediaEndpoint({
      host,
      clock,
      random,
      near: pcscf.address,
      source: options.source ?? ((codec) => tone(codec)),
      onDigit: (call, signal, milliseconds) => onEvent({ type: 'digit', call, signal, milliseconds }),
    });
    const { identity, impu, domain, codecs, expires, instance, userAgent } = options;
    this.agent = new UserAgent({
      layer: this.layer,
      identity,
      impu,
      domain,
      peer: pcscf,
      mediaPort: () => this.media.open(),
      ...(codecs ? { codecs } : {}),
      ...(expires ? { expires } : {}),
      ...(instance ? { instance } : {}),
      ...(userAgent ? { userAgent } : {}),
      onEvent: (event) => {
        if (event.type === 'call') this.media.follow(event.call, event.event);
        onEvent(event);
      },
    });
  }

  /** Sends a digit in the media of a call; false where it has no telephone events. RFC 4733 */
  dial(call: Call, signal: string, milliseconds?: number): boolean {
    return this.media.talker(call)?.dial(signal, milliseconds) ?? false;
  }

  /** Who talks in a call, with what was sent and received. */
  talker(call: Call): RtpTalker | undefined {
    return this.media.talker(call);
  }

  /** Where to reach us, for who wants to call without a registrar. */
  contact(): string {
    return this.agent.registration.contact();
  }

  stop(): void {
    this.media.stop();
    this.agent.stop();
  }
}

/** A P-CSCF at an address, at the port of RFC 3261 §19.1.2. */
export const pcscfAt = (address: Address, port = 5060): SipPeer => ({ address, port });
