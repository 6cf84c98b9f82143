import { type Address, addressText } from './address.js';
import type { Clock } from './clock.js';
import type { InnerUe } from './inner-ue.js';
import { integer, type Random } from './random.js';
import type { Call, CallEvent } from './sip/call.js';
import { IncomingCall } from './sip/callee.js';
import { SipLayer } from './sip/layer.js';
import { IMS_TIMERS, type SipPeer, udpTransport } from './sip/transport.js';
import { UserAgent, type UserAgentEvent } from './sip/user-agent.js';
import { Usim } from './sip/usim.js';
import type { Subscriber } from './subscriber-file.js';

/** What a UE needs to speak SIP. */
export interface UeSipOptions {
  readonly inner: InnerUe;
  readonly subscriber: Subscriber;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of everything that happens, a line each. */
  readonly tell: (line: string) => void;
}

const SIP_PORT = 5060;
/** Even ports of RTP, one for each call. */
const [FIRST_MEDIA, LAST_MEDIA] = [40_000, 49_998];

/** The SIP side of a UE: its registration and its calls, told in lines. */
export class UeSip {
  readonly agent: UserAgent;
  readonly peer: SipPeer;
  private mediaPort: number;

  /** @param pcscf where everything is sent */
  constructor(
    private readonly o: UeSipOptions,
    pcscf: Address,
  ) {
    const { inner, subscriber, clock, random } = o;
    this.peer = { address: pcscf, port: SIP_PORT };
    this.mediaPort = integer(random, FIRST_MEDIA / 2, LAST_MEDIA / 2) * 2;
    const { impi, impus, domain, password, usim } = subscriber;
    this.agent = new UserAgent({
      layer: new SipLayer({ transport: udpTransport(inner.host, SIP_PORT), clock, random, timers: IMS_TIMERS }),
      identity: { impi, ...(password !== undefined && { password }), ...(usim && { usim: new Usim(usim) }) },
      impu: impus[0],
      domain,
      peer: this.peer,
      mediaPort: () => this.nextMedia(),
      onEvent: (e) => this.onEvent(e),
    });
  }

  /** The call that goes on, or comes in: the newest. */
  get call(): Call | undefined {
    return [...this.agent.calls].at(-1);
  }

  private nextMedia(): { address: Address; port: number } {
    this.mediaPort = this.mediaPort >= LAST_MEDIA ? FIRST_MEDIA : this.mediaPort + 2;
    return { address: this.o.inner.host.sourceFor(this.peer.address)!, port: this.mediaPort };
  }

  private onEvent(e: UserAgentEvent): void {
    const { tell } = this.o;
    if (e.type === 'registration') tell(registrationInWords(e.event));
    else if (e.type === 'incoming') tell(`call from ${e.call.from}`);
    else if (e.type === 'call') tell(callInWords(e.event));
    else if (e.type === 'message') tell(`message from ${e.from}: ${e.text}`);
    else tell(`keep-alive: ${e.event}`);
  }

  /** Whether a call comes in and waits for an answer. */
  get ringing(): IncomingCall | undefined {
    const { call } = this;
    return call instanceof IncomingCall && (call.state === 'incoming' || call.state === 'ringing') ? call : undefined;
  }
}

function registrationInWords(e: Extract<UserAgentEvent, { type: 'registration' }>['event']): string {
  if (e.type === 'challenged') return `challenged${e.answered ? '' : `, no answer: ${e.reason ?? 'no credentials'}`}`;
  if (e.type === 'deregistered') return 'deregistered';
  if (e.type === 'failed') return `registration failed: ${e.status} ${e.reason}`;
  const keep = e.keepSeconds === undefined ? '' : `, keep-alive ${e.keepSeconds} s`;
  return `registered${e.refreshed ? ' again' : ''} for ${e.seconds} s${keep}`;
}

function callInWords(e: CallEvent): string {
  switch (e.type) {
    case 'progress':
      return `call: ${e.status}${e.reliable ? ', reliable' : ''}`;
    case 'answered':
      return 'call answered';
    case 'media': {
      const { codec, remote, direction } = e.media;
      return `media: ${codec.name} with ${addressText(remote.address)} port ${remote.port}, ${direction}`;
    }
    case 'digit':
      return `digit ${e.signal}`;
    case 'refused':
      return `${e.method} refused: ${e.status}`;
    default: {
      const by = e.by === 'local' ? 'by this UE' : e.by === 'remote' ? 'by the other side' : 'by failure';
      return `call ended ${by}${e.status === undefined ? '' : `: ${e.status}`}${e.reason === undefined ? '' : ` ${e.reason}`}`;
    }
  }
}
