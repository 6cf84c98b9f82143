import type { SdpLine } from '../../../dissectors/sdp/index.js';

/*
 * Preconditions: nobody is alerted before both sides have what the media need. Segmented status, desired in both
 * directions. RFC 3312, RFC 4032
 */

/** `a=curr:qos local sendrecv`, `a=des:qos mandatory remote sendrecv`, `a=conf:qos remote recv`. RFC 3312 §4 */
const ATTRIBUTE = /^(curr|des|conf):qos (?:(none|optional|mandatory) )?(local|remote) (none|send|recv|sendrecv)\s*$/;

/** What an endpoint does about preconditions. */
export interface PreconditionOptions {
  /** Whether offers of ours have them; those of a peer are honoured anyhow. */
  offered: boolean;
  /** How long it takes until our resources are there, ms. */
  reserveMs: number;
}

/** Resources of one stream, as both sides know of them. */
export class Reservation {
  /** Whether both sides speak of preconditions. */
  active = false;
  /** Whether ours are there. */
  own: boolean;
  /** Whether the peer's are there. */
  theirs = false;
  /** What we said last about ours; undefined before that. */
  said: boolean | undefined;
  /** Whether the peer asked to be told when ours are there. */
  asked = false;

  constructor(readonly options: PreconditionOptions) {
    this.own = options.reserveMs === 0;
  }

  /** Whether there is something to wait for. RFC 3312 §5 */
  get waiting(): boolean {
    return this.active && !(this.own && this.theirs);
  }

  /** Whether the peer does not know yet that ours are there. */
  get news(): boolean {
    return this.active && this.own && this.said === false;
  }

  /** Attributes of the stream in an offer or an answer of ours. RFC 3312 §5.1, §5.2 */
  lines(kind: 'offer' | 'answer'): string[] {
    if (!this.active && !(kind === 'offer' && this.options.offered)) return [];
    this.said = this.own;
    const status = (there: boolean): string => (there ? 'sendrecv' : 'none');
    // TS 24.229 §6.1.2: what the peer needs is not known before it spoke
    const strength = this.active ? 'mandatory' : 'optional';
    return [
      `a=curr:qos local ${status(this.own)}`,
      `a=curr:qos remote ${status(this.theirs)}`,
      'a=des:qos mandatory local sendrecv',
      `a=des:qos ${strength} remote sendrecv`,
      ...(this.active && !this.theirs ? ['a=conf:qos remote sendrecv'] : []),
    ];
  }

  /** Takes the attributes of the peer's stream. Its `local` is our `remote`. */
  take(lines: readonly SdpLine[]): void {
    const found = lines.flatMap((l) => (l.type === 'a' ? [ATTRIBUTE.exec(l.value) ?? []] : []));
    const value = (kind: string): string | undefined =>
      found.find(([, k, , side]) => k === kind && side === (kind === 'conf' ? 'remote' : 'local'))?.[4];
    const current = value('curr');
    this.active = current !== undefined;
    this.theirs = current === 'sendrecv';
    this.asked ||= value('conf') !== undefined;
  }
}
