import { type Address, addressText, isUnspecified } from './address.js';
import type { Clock } from './clock.js';
import type { IpHost } from './host.js';
import type { UdpSocket } from './host-types.js';
import { integer, type Random } from './random.js';
import type { AudioSource } from './rtp-sources.js';
import { RtpTalker } from './rtp-talker.js';
import type { Call, CallEvent } from './sip/call.js';
import type { AudioCodec } from './sip/sdp.js';

/** Where a call's media start from, and what is said in them. */
export interface MediaEndpointOptions {
  host: IpHost;
  clock: Clock;
  random: Random;
  /** Whom calls go through: it decides which address of ours media have. */
  near: Address;
  /** What is said in a call. */
  source(codec: AudioCodec): AudioSource;
  /** Where RTP goes instead of where it is to go; undefined: nowhere. A fault. */
  mediaTo?(remote: Remote): Remote | undefined;
  onDigit?(call: Call, signal: string, milliseconds: number): void;
}

/** Where the media of a call go. */
interface Remote {
  readonly address: Address;
  readonly port: number;
}

/** Sockets of one call, and who talks through them. */
interface Leg {
  rtp: UdpSocket;
  rtcp: UdpSocket;
  talker?: RtpTalker;
  codec?: string;
}

/** RFC 3550 §11: RTP at an even port, RTCP above it. */
const FIRST_PORT = 16_384;
const LAST_PORT = 32_766;
const TRIES = 200;

/** The media of a user agent's calls: ports, and a talker for each call that agreed on something. */
export class MediaEndpoint {
  private readonly legs = new Map<number, Leg>();

  constructor(private readonly options: MediaEndpointOptions) {}

  /** Opens ports for a new call. @throws RangeError where there are none, or no address */
  open(): { address: Address; port: number } {
    const { host, random, near } = this.options;
    const address = host.sourceFor(near);
    if (address === undefined) throw new RangeError(`no address to reach ${addressText(near)} from`);
    for (let i = 0; i < TRIES; i++) {
      const port = integer(random, FIRST_PORT / 2, LAST_PORT / 2) * 2;
      if (this.legs.has(port) || !this.bind(port)) continue;
      return { address, port };
    }
    throw new RangeError('no free media ports');
  }

  /** To be told each event of each call. */
  follow(call: Call, event: CallEvent): void {
    const { port } = call.session.local;
    const leg = this.legs.get(port);
    if (leg === undefined) return;
    if (event.type === 'ended') this.close(port, leg);
    else if (event.type === 'media') this.talk(call, leg);
  }

  /** Who talks in a call. */
  talker(call: Call): RtpTalker | undefined {
    return this.legs.get(call.session.local.port)?.talker;
  }

  /** Ends all, with an RTCP BYE each. */
  stop(): void {
    for (const [port, leg] of [...this.legs]) this.close(port, leg);
  }

  private bind(port: number): boolean {
    const { host } = this.options;
    let rtp: UdpSocket;
    try {
      rtp = host.udp(port, (d) => this.legs.get(port)?.talker?.receiveRtp(d.payload));
    } catch {
      return false;
    }
    try {
      const rtcp = host.udp(port + 1, (d) => this.legs.get(port)?.talker?.receiveRtcp(d.payload));
      this.legs.set(port, { rtp, rtcp });
      return true;
    } catch {
      rtp.close();
      return false;
    }
  }

  private talk(call: Call, leg: Leg): void {
    const media = call.media!;
    const { clock, random, source, onDigit, mediaTo = (to: Remote) => to } = this.options;
    if (leg.talker && leg.codec === media.codec.name) {
      leg.talker.change(media);
      return;
    }
    leg.talker?.stop();
    const remote = () => call.media!.remote;
    leg.codec = media.codec.name;
    leg.talker = new RtpTalker({
      clock,
      random,
      media,
      source: source(media.codec),
      cname: addressText(call.session.local.address),
      sendRtp: (octets) => {
        const to = mediaTo(remote());
        if (to !== undefined && !isUnspecified(to.address)) leg.rtp.send(to.address, to.port, octets);
      },
      sendRtcp: (octets) => {
        const { address, port } = remote();
        if (!isUnspecified(address)) leg.rtcp.send(address, port + 1, octets); // RFC 3264 §8.4
      },
      onDigit: (signal, milliseconds) => onDigit?.(call, signal, milliseconds),
    });
    leg.talker.start();
  }

  private close(port: number, leg: Leg): void {
    leg.talker?.stop();
    leg.rtp.close();
    leg.rtcp.close();
    this.legs.delete(port);
  }
}
