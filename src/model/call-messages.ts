import { LIMITS, type ReachedLimits } from '../limits.js';
import type { CallMessage, Place } from './entities.js';
import type { Arrival, Seen } from './moment.js';
import { isHold, type SessionMedia } from './session-media.js';
import type { SipEvent } from './sip-event.js';

/** Addresses with ports that messages share; others have their own. */
const SHARED_PLACES = 16;

/** The messages of a call, each once however often it was sent. */
export class CallMessages {
  readonly list: CallMessage[] = [];
  /** The hash of what names each of them. */
  private readonly identities: number[] = [];
  private places: readonly Place[] = [];

  /** @param reached is told of what does not fit */
  constructor(private readonly reached: ReachedLimits) {}

  /** The message of this identity, where it came before. */
  same(identity: number): CallMessage | undefined {
    return this.list[this.identities.indexOf(identity)];
  }

  /** The first response to the INVITE with this number. */
  answer(cseq: number): CallMessage | undefined {
    return this.list.find((m) => m.status !== undefined && m.cseq === cseq && m.method === 'INVITE');
  }

  /** Lists a message that did not. */
  add(
    at: Arrival,
    e: SipEvent,
    seen: Seen,
    identity: number,
    media: SessionMedia[] | undefined,
    sdp: CallMessage['sdp'],
  ): void {
    if (this.list.length >= LIMITS.callMessages) {
      this.reached.capped('callMessages');
      return;
    }
    const { status } = e;
    const toTag = status > 100 ? e.to.tag : '';
    // Members in the order of the report.
    this.list.push({
      row: seen.row,
      at: seen,
      direction: at.tunnel === 0 ? undefined : at.up ? 'up' : 'down',
      source: this.place(e.content.from, e.content.sport),
      destination: this.place(e.content.to, e.content.dport),
      method: e.method,
      cseq: e.cseq,
      status: status === 0 ? undefined : status,
      reason: status === 0 ? undefined : e.reason,
      toTag: toTag === '' ? undefined : toTag,
      retransmissions: 0,
      sdp,
      hold: media !== undefined && isHold(media) ? true : undefined,
    });
    this.identities.push(identity);
  }

  /** One object a place: its messages are many. */
  private place(address: string, port: number): Place {
    const known = this.places.find((p) => p.port === port && p.address === address);
    if (known !== undefined) return known;
    const place = { address, port };
    if (this.places.length < SHARED_PLACES) this.places = [...this.places, place];
    return place;
  }
}
