import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { ethernet } from '../../dissectors/ethernet.js';
import { ipv4 } from '../../dissectors/ipv4.js';
import { ipv6 } from '../../dissectors/ipv6.js';
import { TCP } from '../../dissectors/numbers.js';
import { tcp } from '../../dissectors/tcp/index.js';
import { CaptureError } from '../capture/errors.js';
import { PcapngWriter } from '../capture/writer.js';
import { concat, encode, type NetPair, parseAddress } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { unmapped } from './address.js';
import { type Clock, realClock } from './clock.js';
import type { TapListener } from './tls-tap.js';

/** One end of a TCP connection. */
export interface TapeEnd {
  readonly address: string;
  readonly port: number;
}

/** A file that a tape is written to. */
export interface TapeFile {
  /** Path or descriptor, or `-` for standard output. */
  readonly target: string | number;
  /** Write the TLS key log of each connection into the file, before the frames that it opens. */
  readonly withKeys: boolean;
}

/** A time other than ours, for runs that are not in it. */
export interface TapeTime {
  readonly clock: Clock;
  /** When the tape begins, milliseconds since the epoch. */
  readonly epochMs: number;
}

const LINKTYPE_ETHERNET = 1;
const COMMENT =
  'The octets are those that passed between TCP and TLS of this endpoint, at their original times. The Ethernet, IP and ' +
  'TCP headers around them are made up: no retransmission, window or acknowledgement here was on any wire.';
const [FIN, SYN, RST, PSH, ACK] = [1, 2, 4, 8, 16];
const IP4 = 0x0800;
const IP6 = 0x86dd;
/** Octets that one segment carries over IPv4 and IPv6: what an Ethernet of 1500 octets leaves. */
const SEGMENT = [1460, 1440];
/** The receiver of a one-way stream acknowledges after so many octets. */
const ACKNOWLEDGED = 32_768;
/** How often frames are written out; how long frames wait at most for the keys of a handshake that goes on. */
const WRITE_MS = 50;
const KEYS_MS = 250;
/** How often the reader of a pipe that was full is offered more. */
const OFFER_MS = 5;
/** Frames that wait at most. */
const QUEUE = 8192;

interface WrittenFile {
  readonly writer: PcapngWriter;
  readonly withKeys: boolean;
  readonly target: string | number;
  /** Frames that were written, and that were left out; key log lines were, too. */
  written: number;
  left: number;
  keysLeft: boolean;
}

interface Frame {
  readonly ms: number;
  readonly octets: Uint8Array;
  readonly sent: boolean;
  readonly of: TapedConnection;
}

/**
 * Writes the outer conversation of live tunnels as a capture would have it: the octets tapped under TLS, in made-up
 * headers. Frames wait a moment, so that a key log line stands before the frames that it opens.
 */
export class OuterTape {
  private files: WrittenFile[];
  private readonly queue: Frame[] = [];
  private keyLog = '';
  private readonly timer: NodeJS.Timeout;
  private readonly startMs: number;
  private readonly clock: Clock;
  private readonly zero: number;
  private ended = false;
  private offering: NodeJS.Timeout | undefined;

  /**
   * @param application name and version of the program, for the headers
   * @param failed told where a file can be written no more, and the tape goes on without it, or (`lacks`) lacks frames
   * @throws CaptureError
   */
  constructor(
    files: readonly TapeFile[],
    application: string,
    private readonly failed: (error: CaptureError, lacks?: boolean) => void,
    time: TapeTime = { clock: realClock, epochMs: Date.now() },
  ) {
    this.clock = time.clock;
    this.zero = this.clock.now();
    this.startMs = time.epochMs;
    this.files = files.map(({ target, withKeys }) => {
      const writer = new PcapngWriter(target, { application, comment: COMMENT, live: true });
      writer.iface(LINKTYPE_ETHERNET, 'tap', { description: 'octets between TCP and TLS' });
      writer.flush();
      return { writer, withKeys, target, written: 0, left: 0, keysLeft: false };
    });
    this.timer = setInterval(() => this.write(false), WRITE_MS);
    this.timer.unref();
  }

  /** Begins a TCP connection. @param opened this end opened it @param asked when the SYN went, by {@link now} */
  connection(here: TapeEnd, there: TapeEnd, opened: boolean, asked?: number): TapedConnection {
    return new TapedConnection(this, here, there, opened, asked);
  }

  /** A TCP connection that this end asked for, and that did not come to be. */
  inVain(here: TapeEnd, there: TapeEnd, vain: Vain): void {
    new TapedConnection(this, here, there, true, vain.asked, vain);
  }

  /** A line of the TLS key log. */
  key(line: string): void {
    this.keyLog += line.endsWith('\n') ? line : `${line}\n`;
  }

  /** Milliseconds since the tape began, with a fraction. */
  now(): number {
    return this.clock.now() - this.zero;
  }

  add(frame: Frame): void {
    if (this.ended) return;
    this.queue.push(frame);
    if (this.queue.length >= QUEUE) this.write(true);
  }

  /** Writes what does not wait for keys any more; with `all`, everything. */
  private write(all: boolean): void {
    const { queue } = this;
    const late = this.now() - KEYS_MS;
    let n = 0;
    while (n < queue.length && (all || !queue[n].of.waitsForKeys || queue[n].ms < late)) n++;
    const { keyLog } = this;
    this.keyLog = '';
    const frames = queue.splice(0, n);
    for (const file of [...this.files])
      this.attempt(file, ({ writer, withKeys }) => {
        if (withKeys && keyLog !== '') {
          if (writer.waiting <= LIMITS.livePipeOctets + LIMITS.ringKeyOctets) writer.secrets(keyLog);
          else file.keysLeft = true;
        }
        for (const f of frames) this.frame(file, f);
        writer.flush();
      });
    this.offer();
  }

  /** Goes on offering what waits for the readers of pipes. */
  private offer(): void {
    if (this.ended || this.files.every(({ writer }) => writer.waiting === 0)) return;
    this.offering ??= setTimeout(() => {
      this.offering = undefined;
      for (const file of [...this.files]) this.attempt(file, ({ writer }) => writer.flush());
      this.offer();
    }, OFFER_MS).unref();
  }

  private frame(file: WrittenFile, { ms, octets, sent }: Frame): void {
    const { writer } = file;
    if (writer.waiting > LIMITS.livePipeOctets) {
      if (file.left++ === 0) this.lacks(file, 'its reader takes too little, so packets are left out');
      return;
    }
    file.written++;
    writer.frame(0, ...this.timeOf(ms), octets, { flags: sent ? 2 : 1 });
  }

  /** Seconds since the epoch, and nanoseconds. */
  private timeOf(ms: number): [number, number] {
    const whole = Math.floor(ms / 1000);
    const nanos = Math.round((ms - whole * 1000) * 1e6) + (this.startMs % 1000) * 1_000_000;
    const carry = Math.floor(nanos / 1e9);
    return [Math.floor(this.startMs / 1000) + whole + carry, nanos - carry * 1e9];
  }

  private lacks({ writer }: WrittenFile, words: string): void {
    this.failed(new CaptureError('FTT_E_WRITE', `${writer.label}: ${words}`), true);
  }

  /** Closes a file, with the number of frames that it lacks. */
  private close(file: WrittenFile): void {
    const { writer, written, left, keysLeft } = file;
    if (left > 0) {
      this.lacks(file, `${left} packets ${keysLeft ? 'and keys ' : ''}were left out`);
      writer.statistics(0, ...this.timeOf(this.now()), BigInt(written + left), BigInt(left));
    }
    writer.end();
  }

  /** Does something to a file; one that cannot be written is left. */
  private attempt(file: WrittenFile, write: (file: WrittenFile) => void): void {
    try {
      write(file);
    } catch (e) {
      if (!(e instanceof CaptureError)) throw e;
      const at = this.files.indexOf(file);
      if (at >= 0) this.files.splice(at, 1);
      try {
        file.writer.end();
      } catch {
        // it is closed nevertheless
      }
      this.failed(e);
    }
  }

  /** Writes to a file no more. */
  leave(target: string | number): void {
    this.write(true);
    for (const file of this.files.filter((f) => f.target === target)) this.attempt(file, (f) => this.close(f));
    this.files = this.files.filter((f) => f.target !== target);
  }

  /** Writes what is left and closes the file. */
  end(): void {
    if (this.ended) return;
    clearInterval(this.timer);
    this.write(true);
    clearTimeout(this.offering);
    this.ended = true;
    for (const file of [...this.files]) this.attempt(file, (f) => this.close(f));
  }
}

/** One direction of a connection: where the next octet stands in its stream. */
interface Half {
  readonly mac: Uint8Array;
  readonly address: Uint8Array;
  readonly port: number;
  seq: number;
  /** Octets that the other side has not acknowledged. */
  unacknowledged: number;
  finished: boolean;
  identification: number;
}

/** When a connection was asked for that did not come to be, and when it was refused or given up, by the clock of the tape. */
export interface Vain {
  readonly asked: number;
  readonly over: number;
  readonly isRefused: boolean;
}

/** RFC 6298 §2 (2.1), §5 (5.5): a SYN that is not answered goes again after a second, then after twice as long each time. */
const SYN_AGAIN_MS = 1000;

/** A TCP connection on the tape. Its ends are told what passes as {@link TapListener}. */
export class TapedConnection implements TapListener {
  /** Its handshake goes on: keys may come that its frames need. */
  waitsForKeys = true;
  private readonly here: Half;
  private readonly there: Half;
  private broke = false;

  constructor(
    private readonly tape: OuterTape,
    here: TapeEnd,
    there: TapeEnd,
    opened: boolean,
    asked?: number,
    vain?: Vain,
  ) {
    const six = isIPv6(plain(here.address)) || isIPv6(plain(there.address));
    const name = `${here.address} ${here.port} ${there.address} ${there.port} ${tape.now()}`;
    this.here = half(here, six, `${name} here`);
    this.there = half(there, six, `${name} there`);
    this.segment(opened, SYN, EMPTY, asked);
    if (vain !== undefined) {
      this.waitsForKeys = false;
      this.fail(vain);
      return;
    }
    this.segment(!opened, SYN | ACK);
    this.segment(opened, ACK);
  }

  /** What followed the SYN of a connection that did not come to be. */
  private fail({ asked, over, isRefused }: Vain): void {
    if (isRefused) {
      this.there.seq = 0; // RFC 9293 §3.10.7.1
      this.segment(false, RST | ACK, EMPTY, over);
      return;
    }
    let pause = SYN_AGAIN_MS;
    for (let at = asked + pause; at < over; at += pause) {
      this.here.seq = (this.here.seq - 1) >>> 0;
      this.segment(true, SYN, EMPTY, at);
      pause *= 2;
    }
  }

  octets(sent: boolean, octets: Uint8Array): void {
    const from = sent ? this.here : this.there;
    const size = SEGMENT[from.address.length === 4 ? 0 : 1];
    for (let at = 0; at < octets.length; at += size) {
      const part = octets.slice(at, at + size);
      this.segment(sent, at + size < octets.length ? ACK : ACK | PSH, part);
    }
    if (from.unacknowledged > ACKNOWLEDGED) this.segment(!sent, ACK);
  }

  finished(sent: boolean): void {
    const from = sent ? this.here : this.there;
    if (from.finished || this.broke) return;
    this.waitsForKeys = false;
    this.segment(sent, FIN | ACK);
    from.finished = true;
    if ((sent ? this.there : this.here).finished) this.segment(!sent, ACK);
  }

  broken(sent: boolean): void {
    if (this.broke) return;
    this.segment(sent, RST | ACK);
    this.waitsForKeys = false;
    this.broke = true;
  }

  private segment(sent: boolean, flags: number, payload: Uint8Array = EMPTY, ms = this.tape.now()): void {
    if (this.broke) return;
    const from = sent ? this.here : this.there;
    const to = sent ? this.there : this.here;
    const net: NetPair = {
      version: from.address.length === 4 ? 4 : 6,
      buf: concat([from.address, to.address]),
      src: 0,
      dst: from.address.length,
    };
    const ack = (flags & ACK) === 0 ? 0 : to.seq;
    const segment = {
      srcport: from.port,
      dstport: to.port,
      seq: from.seq,
      ack,
      flags,
      window: 0xffff,
      urgent: 0,
      options: (flags & SYN) === 0 ? EMPTY : synOptions(net.version),
      payload,
    };
    const octets = frame(from, to, encode(tcp.codec!, segment, net));
    this.tape.add({ ms, octets, sent, of: this });
    from.seq = (from.seq + payload.length + ((flags & (SYN | FIN)) === 0 ? 0 : 1)) >>> 0;
    from.unacknowledged += payload.length;
    if ((flags & ACK) !== 0) to.unacknowledged = 0;
  }
}

const EMPTY = new Uint8Array(0);

/** An address without its zone, as it stands in a header. */
const plain = (address: string): string => unmapped(address).replace(/%.*$/, '');

function half({ address, port }: TapeEnd, six: boolean, name: string): Half {
  const hash = createHash('sha256').update(name).digest();
  const octets = parseAddress(plain(address)) ?? new Uint8Array(six ? 16 : 4);
  // Locally administered, made of the address: the same host has the same everywhere.
  const mac = createHash('sha256').update(octets).digest().subarray(0, 6);
  mac[0] = (mac[0] & 0xfc) | 2;
  return {
    mac,
    address: octets,
    port,
    seq: hash.readUInt32BE(0),
    unacknowledged: 0,
    finished: false,
    identification: hash.readUInt16BE(4),
  };
}

/** MSS, SACK permitted, and a window scale that lets the made-up window never be full. RFC 7323 §2.3 */
function synOptions(version: 4 | 6): Uint8Array {
  const mss = SEGMENT[version === 4 ? 0 : 1];
  return Uint8Array.of(2, 4, mss >> 8, mss & 255, 1, 3, 3, 14);
}

function frame(from: Half, to: Half, payload: Uint8Array): Uint8Array {
  const { address: src } = from;
  const { address: dst } = to;
  const six = src.length === 16;
  const ip = six
    ? encode(ipv6.codec!, { tclass: 0, flow: 0, next: TCP, hlim: 64, src, dst, payload })
    : encode(ipv4.codec!, {
        ds: 0,
        id: from.identification++ & 0xffff,
        flags: 0x40,
        offset: 0,
        ttl: 64,
        protocol: TCP,
        src,
        dst,
        options: EMPTY,
        payload,
      });
  return encode(ethernet.codec!, { src: from.mac, dst: to.mac, type: six ? IP6 : IP4, payload: ip });
}
