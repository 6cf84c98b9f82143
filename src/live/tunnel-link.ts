import type { TLSSocket } from 'node:tls';
import { LIMITS } from '../limits.js';
import { type Cancel, type Clock, realClock } from './clock.js';
import type { PacketPort } from './port.js';
import type { Tap } from './tls-tap.js';
import { plainly } from './tls-words.js';
import { type EnvelopeCounts, EnvelopeReader, type Families, ipEnvelope, LARGEST_PACKET } from './tunnel-envelopes.js';

/** A line of text; of an envelope the type, 1, and the length are hardly all letters (TS 24.322 §7.1.2). */
const TEXT = /^[ -~]{8,}/;
const TEXT_OCTETS = 60;

/** Why a tunnel is no more. */
export interface TunnelEnd {
  /** Who ended it: this end, the peer, or the network between them. */
  readonly by: 'us' | 'peer' | 'network';
  /** `cut`: this end gave the peer up. */
  readonly how: 'close_notify' | 'fin' | 'rst' | 'alert' | 'cut';
  /** The same for people. */
  readonly words: string;
}

/** What a tunnel sent. */
export interface SentCounts {
  packets: number;
  octets: number;
  /** Not sent: the peer reads too slowly, and the queue was full. */
  dropped: number;
  /** Not sent: larger than an envelope can hold. */
  tooLarge: number;
}

/** Writes octets to TLS in its own way: split, merged … */
export interface Shape {
  /** Takes octets of the stream, and writes them in its time. */
  take(octets: Uint8Array, write: (part: Uint8Array, done?: () => void) => void): void;
  /** Octets that it has not written yet. */
  readonly waiting: number;
  /** What it has not written yet, and will not write any more. */
  rest(): Uint8Array;
}

/** What a tunnel's end supports, and what its messages call the other one. */
export interface LinkOptions {
  readonly families?: Families;
  readonly clock?: Clock;
  /** Names the peer in words: `the EFTF`, `the UE`. */
  readonly peer?: string;
  /** Who the TCP connection is with, where that is not the peer: `the proxy`. */
  readonly hop?: string;
}

/**
 * An established tunnel at either end: a port for IP packets over TLS. It ends once, by a close_notify of either side
 * (TS 24.322 §5.4, §5.5) or by what goes wrong, and then says why.
 */
export class TunnelLink implements PacketPort {
  readonly sent: SentCounts = { packets: 0, octets: 0, dropped: 0, tooLarge: 0 };
  readonly reader: EnvelopeReader;
  /** Resolves when the tunnel is no more; never rejects. */
  readonly ended: Promise<TunnelEnd>;
  end: TunnelEnd | undefined;
  /** Resolves when the TCP connection is closed too, which may be a moment later. */
  readonly closed: Promise<void>;
  /** When octets last arrived, and since when the peer takes nothing (0: it does), by the clock. */
  lastHeard: number;
  stalledSince = 0;
  private shaping: Shape | undefined;
  private receive: ((ip: Uint8Array) => void) | undefined;
  private finish!: (end: TunnelEnd) => void;
  private readonly clock: Clock;
  private readonly peer: string;
  private readonly hop: string;
  /** Why this end closes, once it does. */
  private closing: string | undefined;
  private giveUp: Cancel | undefined;
  /** What came first, where it is a line of text: web servers answer so. '' where it is not. */
  private text: string | undefined;

  /** @param tls after its handshake @param tap the TCP connection under it */
  constructor(
    readonly tls: TLSSocket,
    readonly tap: Tap,
    o: LinkOptions = {},
  ) {
    this.clock = o.clock ?? realClock;
    this.peer = o.peer ?? 'the peer';
    this.hop = o.hop ?? this.peer;
    this.lastHeard = this.clock.now();
    this.reader = new EnvelopeReader(o.families ?? { ip4: true, ip6: true }, (ip) => this.receive?.(ip));
    this.ended = new Promise((resolve) => {
      this.finish = resolve;
    });
    this.closed = new Promise((resolve) => {
      tap.raw.once('close', () => resolve());
    });
    // Whoever made it hears of the first packet, too.
    setImmediate(() => tls.on('data', (octets: Buffer) => this.arrived(octets)));
    tls.on('end', () => this.heardEnd());
    tls.on('error', (error) => this.broke(error));
    tls.on('close', () => this.gone());
  }

  get counts(): EnvelopeCounts {
    return this.reader.counts;
  }

  /** How octets are written to TLS, where a fault asks for another way than one write an envelope. */
  set shape(shape: Shape | undefined) {
    if (shape !== this.shaping) this.writeRest();
    this.shaping = shape;
  }

  private writeRest(): void {
    const rest = this.shaping?.rest();
    if (rest !== undefined && rest.length > 0) this.tls.write(rest);
  }

  onPacket(receive: (ip: Uint8Array) => void): void {
    this.receive = receive;
  }

  send(ip: Uint8Array): void {
    if (ip.length > LARGEST_PACKET) this.sent.tooLarge++;
    else if (this.sendOctets(ipEnvelope(ip))) {
      this.sent.packets++;
      this.sent.octets += ip.length;
    }
  }

  /** Sends octets as they are, envelopes or not; false: they were dropped. The octets must stay as they are. */
  sendOctets(octets: Uint8Array): boolean {
    const { tls } = this;
    if (this.closing !== undefined || this.end !== undefined || !tls.writable) return false;
    const isStalled = tls.writableLength > LIMITS.liveQueueOctets;
    if (isStalled && this.stalledSince === 0) this.waitForPeer();
    if (isStalled || (this.shaping?.waiting ?? 0) > LIMITS.liveQueueOctets) {
      this.sent.dropped++;
      return false;
    }
    if (this.shaping === undefined) tls.write(octets);
    else this.shaping.take(octets, (part, done) => tls.write(part, done));
    return true;
  }

  private waitForPeer(): void {
    this.stalledSince = this.clock.now();
    this.tls.once('drain', () => {
      this.stalledSince = 0;
    });
  }

  /** Releases the tunnel by close_notify. TS 24.322 §5.4.2, §5.5.2 */
  close(why = 'released by this end'): void {
    if (this.closing !== undefined || this.end !== undefined) return;
    this.closing = why;
    this.writeRest();
    this.tls.end();
    this.giveUp = this.clock.after(LIMITS.liveReleaseMs, () => {
      // It goes behind all that waits.
      if (this.tls.writableFinished)
        this.over('us', 'close_notify', `${why}: close_notify was sent, ${this.peer} did not answer it`);
      else this.over('us', 'cut', `${why}, without close_notify: ${this.peer} takes nothing`);
    });
  }

  /** Ends the TCP connection without a close_notify, as a middlebox or a crash would. */
  breakOff(): void {
    this.tap.sendFin();
    this.over('us', 'fin', 'this end ended the TCP connection without a close_notify');
  }

  /** Gives the peer up at once, without close_notify. */
  cut(why: string): void {
    this.over('us', 'cut', why);
  }

  private arrived(octets: Buffer): void {
    this.lastHeard = this.clock.now();
    if (this.end !== undefined) return;
    this.text ??= TEXT.exec(octets.toString('latin1', 0, TEXT_OCTETS))?.[0] ?? '';
    if (!this.reader.feed(octets))
      this.cut(
        `cut off: ${this.peer} sent an envelope of a length below 3, so that framing is lost (TS 24.322 7.1.2.1)`,
      );
  }

  /** The peer's direction ended. RFC 5246 §7.2.1: a close_notify is answered with one, a FIN alone is a truncation. */
  private heardEnd(): void {
    const clean = !this.tap.finPassed;
    if (this.closing !== undefined)
      this.over('us', 'close_notify', `${this.closing}: close_notify was sent${clean ? ' and answered' : ''}`);
    else if (this.tap.failure !== undefined)
      this.broke(this.tap.failure); // what follows a reset is read as an end
    else if (!clean)
      this.over('peer', 'fin', `${this.hop} ended the TCP connection without a close_notify (truncation)`);
    else {
      const words = `released by ${this.peer}: it sent close_notify`;
      this.closing = 'answer';
      this.tls.end(() => this.over('peer', 'close_notify', words));
      // The answer goes behind all that waits.
      this.giveUp = this.clock.after(LIMITS.liveReleaseMs, () =>
        this.over('peer', 'close_notify', `${words}, and takes no answer`),
      );
    }
  }

  private gone(): void {
    const { failure, resetSent } = this.tap;
    if (resetSent) this.over('us', 'rst', 'this end reset the connection');
    else if (failure !== undefined) this.broke(failure);
    else this.over('network', 'fin', `the connection to ${this.hop} is gone`);
  }

  /** What TLS says of a broken connection is second-hand: the socket knows better. */
  private broke(told: NodeJS.ErrnoException): void {
    const error = this.tap.failure ?? told;
    const words = plainly(error);
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE')
      this.over('peer', 'rst', `${this.hop} or a middlebox reset the connection`);
    else if (error.code?.startsWith('ERR_SSL')) this.over('peer', 'alert', `TLS failed: ${words}`);
    else this.over('network', 'rst', `the connection to ${this.hop} broke: ${words}`);
  }

  private over(by: TunnelEnd['by'], how: TunnelEnd['how'], words: string): void {
    if (this.end !== undefined) return;
    const text = this.text ? `; what ${this.peer} sent first is text: "${this.text}"` : '';
    const { waiting } = this.reader;
    const half =
      waiting > 0 && how !== 'cut' ? `; the last envelope of ${this.peer} is not complete: ${waiting} octets came` : '';
    this.end = { by, how, words: words + half + text };
    this.giveUp?.();
    // Later than what is still being written: an answer to a close_notify.
    if (how === 'close_notify') setImmediate(() => this.tls.destroy());
    else this.tls.destroy();
    this.finish(this.end);
  }
}
