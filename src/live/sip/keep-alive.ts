import { COOKIE } from '../../../dissectors/stun/addresses.js';
import { stun as dissector, type StunMessage } from '../../../dissectors/stun/index.js';
import { concat, encode, equalBytes, put16, put32, u16, u32 } from '../../kit/index.js';
import { type Address, addressText } from '../address.js';
import type { Cancel, Clock } from '../clock.js';
import { octets, type Random } from '../random.js';
import type { SipPeer } from './transport.js';

/*
 * Keep-alives of a SIP flow: STUN Binding over UDP, an empty line over streams, as often as RFC 6223 negotiated.
 * TS 24.229 E.3.1.0 and R.3.1.0 ask a UE behind FTT-IMS for them. RFC 5626 §4.4, RFC 6223
 */

const BINDING_REQUEST = 0x0001;
const BINDING_RESPONSE = 0x0101;
const XOR_MAPPED_ADDRESS = 0x0020;
const FINGERPRINT = 0x8028;
/** RFC 8489 §6.2.1: first timeout, requests, and the last wait as a multiple of the first. */
const RTO = 500;
const REQUESTS = 7;
const LAST_WAIT = 16;
/** RFC 5626 §4.4.1: the pong comes within that. */
const PONG_WAIT = 10_000;
/** RFC 5626 §4.4.2, §4.4.1: intervals where none was negotiated, ms. */
const UDP_INTERVAL = [24_000, 29_000] as const;
const STREAM_INTERVAL = [95_000, 120_000] as const;

/** RFC 5626 §4.4.1 */
const PING = Uint8Array.of(13, 10, 13, 10);
const PONG = Uint8Array.of(13, 10);

const codec = dissector.codec!;

const finger = { type: FINGERPRINT, value: new Uint8Array(0) };

/** A Binding request. RFC 8489 §5, RFC 5626 §8 */
export const bindingRequest = (id: Uint8Array): Uint8Array =>
  encode(codec, { type: BINDING_REQUEST, id, attributes: [finger] });

/** Type and transaction identifier of a STUN message; undefined for other octets. */
function readStun(b: Uint8Array): StunMessage | undefined {
  if (b.length < 20 || b[0] > 3 || u32(b, 4) !== COOKIE || u16(b, 2) + 20 !== b.length) return undefined;
  const m = codec.parse(b, 0, b.length);
  return 'channel' in m ? undefined : m;
}

/**
 * The answer to a keep-alive: to a Binding request where it came from, on a stream an empty line to two; undefined for other
 * octets. RFC 8489 §14.2, RFC 5626 §4.4.1, §8
 */
export function keepAliveAnswer(request: Uint8Array, from: SipPeer): Uint8Array | undefined {
  if (from.protocol === 'TCP') return equalBytes(request, 0, PING, 0, PING.length) ? PONG : undefined;
  const m = readStun(request);
  if (m?.type !== BINDING_REQUEST) return undefined;
  const head = new Uint8Array(4);
  head[1] = from.address.length === 4 ? 1 : 2;
  put16(head, 2, from.port ^ (COOKIE >>> 16));
  const value = concat([head, masked(from.address, m.id)]);
  return encode(codec, { type: BINDING_RESPONSE, id: m.id, attributes: [{ type: XOR_MAPPED_ADDRESS, value }, finger] });
}

/** An address under the cookie and the transaction identifier; twice gives itself. RFC 8489 §14.2 */
function masked(a: Address, id: Uint8Array): Uint8Array {
  const key = new Uint8Array(16);
  put32(key, 0, COOKIE);
  key.set(id, 4);
  return a.map((o, i) => o ^ key[i]);
}

/** The address that a Binding response tells, as text; undefined for other octets. */
export function mappedAddress(response: Uint8Array): string | undefined {
  const m = readStun(response);
  const value = m?.attributes.find((x) => x.type === XOR_MAPPED_ADDRESS)?.value;
  if (m?.type !== BINDING_RESPONSE || value === undefined || (value.length !== 8 && value.length !== 20))
    return undefined;
  return `${addressText(masked(value.subarray(4), m.id))} ${u16(value, 2) ^ (COOKIE >>> 16)}`;
}

/** What keep-alives found out about the flow to the P-CSCF. */
export type KeepAliveEvent = 'answered' | 'failed' | 'address changed';

/** The flow that is kept alive, and how its answers are told. */
export interface KeepAliveOptions {
  clock: Clock;
  random: Random;
  /** A stream has CRLF for it. */
  stream: boolean;
  send(octets: Uint8Array): void;
  /**
   * The first answer came; or the flow is dead, or (UDP) we have another address than before. RFC 5626 §4.4.2
   * @param seenAs address and port that a Binding response told
   */
  onEvent(event: KeepAliveEvent, seenAs?: string): void;
}

/** Keeps one flow alive. */
export class KeepAlive {
  /** Keep-alives that were answered. */
  answered = 0;
  private cancel: Cancel = () => undefined;
  private interval: readonly [number, number];
  private running = false;
  private id: Uint8Array | undefined;
  private mapped: string | undefined;
  private waiting = false;

  constructor(private readonly options: KeepAliveOptions) {
    this.interval = this.usual;
  }

  private get usual(): readonly [number, number] {
    return this.options.stream ? STREAM_INTERVAL : UDP_INTERVAL;
  }

  /**
   * Begins; where it runs, it goes on, as often as is said now.
   * @param seconds what the peer asked for: `keep`, or Flow-Timer. RFC 6223 §5
   */
  start(seconds?: number): void {
    const [low] = this.interval;
    this.interval = seconds !== undefined && seconds > 0 ? [800 * seconds, 1000 * seconds] : this.usual; // RFC 5626 §4.4
    if (!this.running || this.interval[0] !== low) this.wait();
    this.running = true;
  }

  stop(): void {
    this.cancel();
    this.running = false;
    this.waiting = false;
    this.id = undefined;
  }

  /** Takes octets that are no SIP message. True if they were an answer. */
  receive(b: Uint8Array): boolean {
    if (!this.waiting) return false;
    if (this.options.stream) {
      if (b.length !== PONG.length || b[0] !== 13 || b[1] !== 10) return false;
    } else {
      const m = readStun(b);
      if (!m || !this.id || !equalBytes(m.id, 0, this.id, 0, 12) || m.type === BINDING_REQUEST) return false;
      const mapped = mappedAddress(b);
      const changed = this.mapped !== undefined && mapped !== undefined && mapped !== this.mapped;
      this.mapped = mapped ?? this.mapped;
      if (changed) this.options.onEvent('address changed', mapped);
    }
    if (this.answered++ === 0) this.options.onEvent('answered', this.mapped);
    this.wait();
    return true;
  }

  private wait(): void {
    this.cancel();
    this.waiting = false;
    const [low, high] = this.interval;
    this.cancel = this.options.clock.after(low + this.options.random.next() * (high - low), () => this.ask());
  }

  private ask(): void {
    this.waiting = true;
    if (this.options.stream) {
      this.cancel = this.options.clock.after(PONG_WAIT, () => this.fail());
      this.options.send(PING);
      return;
    }
    this.id = octets(this.options.random, 12);
    this.repeat(bindingRequest(this.id), 1, RTO);
  }

  private repeat(request: Uint8Array, n: number, wait: number): void {
    const last = n === REQUESTS;
    const next = last ? () => this.fail() : () => this.repeat(request, n + 1, 2 * wait);
    this.cancel = this.options.clock.after(last ? LAST_WAIT * RTO : wait, next);
    this.options.send(request);
  }

  private fail(): void {
    this.stop();
    this.options.onEvent('failed');
  }
}
