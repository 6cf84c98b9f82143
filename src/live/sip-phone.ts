import type { Address } from './address.js';
import type { Clock } from './clock.js';
import type { IpHost } from './host.js';
import { MediaEndpoint, type MediaEndpointOptions } from './media-endpoint.js';
import type { Random } from './random.js';
import { type AudioSource, tone } from './rtp-sources.js';
import type { RtpTalker } from './rtp-talker.js';
import type { Call } from './sip/call.js';
import { SipLayer } from './sip/layer.js';
import type { AudioCodec } from './sip/sdp.js';
import { bothTransports } from './sip/tcp-transport.js';
import { IMS_TIMERS, type SipPeer, type SipTimers, udpTransport } from './sip/transport.js';
import { UserAgent, type UserAgentEvent, type UserAgentOptions } from './sip/user-agent.js';
import type { TcpHost } from './tcp-host.js';

/** What a phone's user would notice. */
export type SipPhoneEvent = UserAgentEvent | { type: 'digit'; call: Call; signal: string; milliseconds: number };

/** What a phone's requests go over. */
export type SipProtocol = 'UDP' | 'TCP';

/** How calls are made and taken. */
export interface CallSettings extends Pick<UserAgentOptions, 'codecs' | 'preconditions' | 'sessionExpires'> {
  /** What is said in calls; a tone without it. */
  source?(codec: AudioCodec): AudioSource;
}

type OfUserAgent = 'identity' | 'impu' | 'domain' | 'expires' | 'instance' | 'userAgent';

/** Who the phone is, and through which P-CSCF it speaks. */
export interface SipPhoneOptions extends CallSettings, Pick<UserAgentOptions, OfUserAgent> {
  /** With an address of the P-CSCF's family. */
  host: IpHost;
  /** Its TCP; without it there is UDP alone. */
  tcp?: TcpHost;
  clock: Clock;
  random: Random;
  pcscf: SipPeer;
  /** Port of ours; 5060 without it. */
  port?: number;
  timers?: SipTimers;
  /** Where speech goes, if not where the session description wants it: see {@link MediaEndpointOptions}. */
  mediaTo?: MediaEndpointOptions['mediaTo'];
  onEvent(event: SipPhoneEvent): void;
}

/** A user agent with its media on a host: what a UE does in IMS. */
export class SipPhone {
  readonly agent: UserAgent;
  readonly layer: SipLayer;
  private readonly media: MediaEndpoint;

  /** @throws RangeError where the port is taken */
  constructor(options: SipPhoneOptions) {
    const {
      host,
      tcp,
      clock,
      random,
      pcscf,
      onEvent,
      timers = IMS_TIMERS,
      port = 5060,
      source = tone,
      mediaTo,
      ...agent
    } = options;
    const transport = tcp === undefined ? udpTransport(host, port) : bothTransports(host, tcp, port);
    this.layer = new SipLayer({ transport, clock, random, timers });
    this.media = new MediaEndpoint({
      host,
      clock,
      random,
      near: pcscf.address,
      source: (codec) => source(codec),
      ...(mediaTo && { mediaTo }),
      onDigit: (call, signal, milliseconds) => onEvent({ type: 'digit', call, signal, milliseconds }),
    });
    this.agent = new UserAgent({
      ...agent,
      layer: this.layer,
      peer: pcscf,
      mediaPort: () => this.media.open(),
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

  stop(): void {
    this.media.stop();
    this.agent.stop();
  }
}

/** A P-CSCF at an address, at the port of RFC 3261 §19.1.2. */
export const pcscfAt = (address: Address, protocol: SipProtocol = 'UDP'): SipPeer => ({
  address,
  port: 5060,
  ...(protocol === 'TCP' && { protocol }),
});
