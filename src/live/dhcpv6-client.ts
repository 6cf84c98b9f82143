import {
  type ClientMessage,
  type Dhcpv6Message,
  Dhcpv6Type,
  dhcpv6Message,
  elapsedOption,
  findOption,
  optionAddresses,
  optionNames,
  optionNumber,
  requestOption,
} from '../../dissectors/dhcpv6/message.js';
import { equalBytes } from '../kit/index.js';
import type { Address } from './address.js';
import type { Machine } from './clock.js';
import { integer, type Random } from './random.js';

/*
 * The client of stateless DHCPv6: it asks for everything but addresses. RFC 9915 §18.2.6, TS 24.322 §6.3.1 NOTE 1
 */

/** What a server told. */
export interface Dhcpv6Configuration {
  dns: Address[];
  search: string[];
  sipNames: string[];
  sipAddresses: Address[];
  /** Seconds until it is asked for again. */
  refreshSeconds: number;
}

/** What became of the question for servers. */
export type Dhcpv6ClientEvent =
  | { type: 'configured'; configuration: Dhcpv6Configuration }
  /** Several requests were not answered; they go on, ever more slowly. */
  | { type: 'no answer' };

/** Who asks, and how; the client has neither socket nor clock of its own. */
export interface Dhcpv6ClientOptions {
  /** DHCP unique identifier. RFC 9915 §11 */
  duid: Uint8Array;
  random: Random;
  /** Sends a message from port 546 to ff02::1:2, port 547. */
  send(message: ClientMessage): void;
  onEvent(event: Dhcpv6ClientEvent): void;
}

/** RFC 9915 §7.6, ms */
const MAX_DELAY = 1000;
const FIRST_TIMEOUT = 1000;
const LONGEST_TIMEOUT = 3_600_000;
/** Seconds; RFC 9915 §7.6: IRT_DEFAULT, IRT_MINIMUM */
const REFRESH = 86_400;
const LEAST_REFRESH = 600;
/** Requests without an answer after which it is told. */
const TOLD_AFTER = 5;
/** SIP servers by name and address, DNS servers, search list, refresh time, longest timeout. */
const WANTED = [21, 22, 23, 24, 32, 83];

/** Asks for other configuration, without an address. RFC 9915 §6.1 */
export class Dhcpv6Client implements Machine {
  configuration: Dhcpv6Configuration | undefined;
  private state: 'stopped' | 'delay' | 'asking' | 'configured' = 'stopped';
  private due = Number.POSITIVE_INFINITY;
  private xid = 0;
  private began = 0;
  private timeout = 0;
  private longest = LONGEST_TIMEOUT;
  private tries = 0;

  constructor(private readonly options: Dhcpv6ClientOptions) {}

  pollAt(): number {
    return this.due;
  }

  /** Asks after a short delay. RFC 9915 §18.2.6: hosts that a router wakes at the same time do not ask at once. */
  start(now: number): void {
    this.state = 'delay';
    this.due = now + this.options.random.next() * MAX_DELAY;
  }

  stop(): void {
    this.state = 'stopped';
    this.due = Number.POSITIVE_INFINITY;
  }

  poll(now: number): void {
    if (now < this.due || this.state === 'stopped') return;
    if (this.state === 'configured') {
      this.start(now); // RFC 9915 §21.23
      return;
    }
    if (this.state !== 'asking') {
      this.state = 'asking';
      this.xid = integer(this.options.random, 0, 0xff_ffff);
      this.began = now;
      this.tries = this.timeout = 0;
    }
    this.ask(now);
  }

  handle(m: Dhcpv6Message, now: number): void {
    if (this.state !== 'asking' || !('xid' in m) || m.type !== Dhcpv6Type.Reply || m.xid !== this.xid) return;
    if (findOption(m, 2) === undefined) return; // RFC 9915 §16.10: no server identifier
    const client = findOption(m, 1);
    const { duid } = this.options;
    if (client && (client.length !== duid.length || !equalBytes(client, 0, duid, 0, duid.length))) return;
    const longest = optionNumber(m, 83);
    if (longest !== undefined && longest >= 60 && longest <= 86_400) this.longest = 1000 * longest; // RFC 9915 §21.25
    const refreshSeconds = Math.max(LEAST_REFRESH, optionNumber(m, 32) ?? REFRESH); // RFC 9915 §21.23
    this.configuration = {
      dns: optionAddresses(m, 23),
      search: names(m, 24),
      sipNames: names(m, 21),
      sipAddresses: optionAddresses(m, 22),
      refreshSeconds,
    };
    this.state = 'configured';
    this.due = refreshSeconds === 0xffff_ffff ? Number.POSITIVE_INFINITY : now + 1000 * refreshSeconds;
    this.options.onEvent({ type: 'configured', configuration: this.configuration });
  }

  private ask(now: number): void {
    const options = [
      { code: 1, bytes: this.options.duid },
      elapsedOption(this.tries === 0 ? 0 : now - this.began),
      requestOption(WANTED),
    ];
    this.tries++;
    const jitter = 0.2 * (this.options.random.next() - 0.5);
    // RFC 9915 §15: doubled each time, a tenth more or less, up to a limit
    const next = this.timeout === 0 ? FIRST_TIMEOUT * (1 + jitter) : this.timeout * (2 + jitter);
    this.timeout = next > this.longest ? this.longest * (1 + jitter) : next;
    this.due = now + this.timeout;
    if (this.tries === TOLD_AFTER) this.options.onEvent({ type: 'no answer' });
    this.options.send(dhcpv6Message(Dhcpv6Type.InformationRequest, this.xid, options)); // the answer may come during the call
  }
}

/** A list that cannot be read is as good as none. */
function names(m: ClientMessage, code: number): string[] {
  try {
    return optionNames(m, code);
  } catch {
    return [];
  }
}
