import type { Address } from './address.js';
import { addressText } from './address.js';
import type { Clock } from './clock.js';
import type { InnerUe } from './inner-ue.js';
import type { Random } from './random.js';
import type { RtpTalker } from './rtp-talker.js';
import type { Call, CallEvent } from './sip/call.js';
import { IncomingCall } from './sip/callee.js';
import type { UserAgent, UserAgentEvent } from './sip/user-agent.js';
import { Usim } from './sip/usim.js';
import { type CallSettings, pcscfAt, SipPhone, type SipPhoneEvent, type SipProtocol } from './sip-phone.js';
import type { Subscriber } from './subscriber-file.js';

/** What a UE needs to speak SIP. */
export interface UeSipOptions {
  readonly inner: InnerUe;
  readonly subscriber: Subscriber;
  readonly calls: CallSettings;
  /** What SIP goes over; UDP without it. */
  readonly protocol?: SipProtocol;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of everything that happens, a line each. */
  readonly tell: (line: string) => void;
}

/** Why a challenge has no answer. */
const unanswered = (reason = 'no credentials'): string =>
  reason === 'mac failure' ? 'mac failure (K or OPc are not those of the network)' : reason;

/** The SIP side of a UE: its registration, its calls and their media, told in lines. */
export class UeSip {
  private readonly phone: SipPhone;
  /** Who talked last. */
  private talker: RtpTalker | undefined;
  /** The call that it talks in. */
  private talking: Call | undefined;

  /** @param pcscf where everything is sent @throws RangeError where a port 5060 is taken */
  constructor(
    private readonly o: UeSipOptions,
    pcscf: Address,
  ) {
    const { impi, impus, domain, password, usim } = o.subscriber;
    const { clock, random, calls } = o;
    this.phone = new SipPhone({
      ...calls,
      host: o.inner.host,
      tcp: o.inner.tcp,
      clock,
      random,
      pcscf: pcscfAt(pcscf, o.protocol),
      identity: { impi, ...(password !== undefined && { password }), ...(usim && { usim: new Usim(usim) }) },
      impu: impus[0],
      domain,
      onEvent: (e) => this.onEvent(e),
    });
  }

  get agent(): UserAgent {
    return this.phone.agent;
  }

  /** The call that goes on; without one the newest of those that are made or come in. */
  get call(): Call | undefined {
    const all = [...this.agent.calls];
    return all.findLast((call) => call.state === 'confirmed') ?? all.at(-1);
  }

  /** Whether a call comes in and waits for an answer. */
  get ringing(): IncomingCall | undefined {
    const waits = (call: Call): call is IncomingCall =>
      call instanceof IncomingCall && (call.state === 'incoming' || call.state === 'ringing');
    return [...this.agent.calls].findLast(waits);
  }

  /** Who talks in the call, or talked in the last one. */
  get media(): RtpTalker | undefined {
    return this.talker;
  }

  /** Sends a digit in the media of a call, or by INFO where it has no telephone events. RFC 4733 */
  digit(call: Call, signal: string): void {
    if (!this.phone.dial(call, signal)) call.sendInfoDigit(signal);
  }

  stop(): void {
    this.phone.stop();
  }

  private onEvent(e: SipPhoneEvent): void {
    const { tell } = this.o;
    if (e.type === 'registration') tell(registrationInWords(e.event));
    else if (e.type === 'incoming') tell(`call from ${e.call.from}`);
    else if (e.type === 'call') this.onCall(e.call, e.event);
    else if (e.type === 'digit') tell(`digit ${e.signal}`);
    else if (e.type === 'refused') tell(`refused ${e.why}`);
    else if (e.type === 'message') tell(`message from ${e.from}: ${e.text}`);
    else tell(`keep-alive: ${e.event}${e.seenAs === undefined ? '' : `, seen as ${e.seenAs}`}`);
  }

  private onCall(call: Call, e: CallEvent): void {
    if (e.type === 'media') {
      this.talker = this.phone.talker(call);
      this.talking = call;
    }
    if (e.type === 'ended' && this.talker !== undefined && this.talking === call)
      this.o.tell(`media: ${this.talker.received} packets received`);
    this.o.tell(callInWords(e));
  }
}

function registrationInWords(e: Extract<UserAgentEvent, { type: 'registration' }>['event']): string {
  if (e.type === 'challenged') return `challenged${e.answered ? '' : `, no answer: ${unanswered(e.reason)}`}`;
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
      const by = e.by === 'local' ? ' by this UE' : e.by === 'remote' ? ' by the other side' : '';
      return `call ended${by}${e.status === undefined ? '' : `: ${e.status}`}${e.reason === undefined ? '' : ` ${e.reason}`}`;
    }
  }
}
