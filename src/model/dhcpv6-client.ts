import {
  codec,
  type Dhcpv6Message,
  Dhcpv6Type,
  findOption,
  optionAddresses,
  optionNames,
} from '../../dissectors/dhcpv6/index.js';
import { MESSAGE_TYPES } from '../../dissectors/dhcpv6/values.js';
import { addressText, hexNumber, isDamage, nameOf, ofNumber, u16 } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import { Backoff } from './backoff.js';
import type { Dhcpv6Exchange } from './entities.js';
import type { Content } from './events.js';
import type { Arrival, Seen } from './moment.js';

const Option = { nonTemporary: 3, address: 5, status: 13, sipNames: 21, sipAddresses: 22, dns: 23 } as const;
/** Octets of an identity association before its options. RFC 9915 §21.4 */
const IA_HEADER = 12;
/** By type of message: the first pause before it is repeated, and the longest, in milliseconds. RFC 9915 §7.6 */
const PAUSES: Readonly<Record<number, readonly [number, number]>> = {
  3: [1000, 30_000],
  4: [1000, 4000],
  5: [10_000, 600_000],
  6: [10_000, 600_000],
};
const USUAL = [1000, 3_600_000] as const;

/** An exchange of DHCPv6 that a client began, by its transaction id. RFC 9915 §16.1 */
export interface Dhcpv6Transaction {
  readonly entry: Dhcpv6Exchange;
  /** First and last message of the client. */
  readonly first: Seen;
  asked: Seen;
  requests: number;
  /** The client gives back what it has: of what servers no longer know nothing is lost. RFC 9915 §18.2.10.2 */
  readonly returns: boolean;
  /** The last answer, and its status code (RFC 9915 §21.13); 0: success. */
  answer: Seen | null;
  status: number;
  /** RFC 9915 §15: twice as long each time, a tenth more or less. */
  readonly backoff: Backoff;
}

/** The DHCPv6 client of a tunnel (RFC 9915; stateless, TS 24.322 §6.3). */
export class Dhcpv6Client {
  readonly exchanges: Dhcpv6Transaction[] = [];
  private readonly byXid = new Map<number, Dhcpv6Transaction>();
  /** Addresses that servers gave, where the tunnel has stateful configuration. */
  readonly given = new Set<string>();

  /** @param reached is told of what does not fit */
  constructor(private readonly reached: ReachedLimits) {}

  take(at: Arrival, c: Content): void {
    const m = c.parsed(codec);
    if (m === undefined) return;
    // The server starts a Reconfigure, under no number: the exchange comes after it (RFC 9915 §18.3.11).
    if (!('xid' in m) || m.type === Dhcpv6Type.Reconfigure) return;
    const xid = ofNumber(m.xid, (n) => hexNumber(n, 6));
    const seen = at.seen();
    let t = this.byXid.get(m.xid);
    if (t === undefined) {
      if (this.exchanges.length >= LIMITS.exchanges) {
        this.reached.capped('exchanges');
        return;
      }
      t = {
        entry: { xid, messages: [], outcome: 'unanswered', pcscf: [], dns: [] },
        first: seen,
        asked: seen,
        requests: 0,
        returns: m.type === Dhcpv6Type.Release || m.type === Dhcpv6Type.Decline,
        answer: null,
        status: 0,
        backoff: new Backoff(...(PAUSES[m.type] ?? USUAL), 0, 0.1),
      };
      this.exchanges.push(t);
      this.byXid.set(m.xid, t);
    }
    const { entry } = t;
    const type = ofNumber(m.type, (n) => nameOf(MESSAGE_TYPES, n, `type ${n}`));
    if (entry.messages.length >= LIMITS.exchangeMessages) this.reached.capped('exchangeMessages');
    else entry.messages.push({ row: seen.row, at: seen, type, direction: at.up ? 'up' : 'down' });
    if (m.type === Dhcpv6Type.Reply || m.type === Dhcpv6Type.Advertise) {
      for (const address of leased(m)) {
        if (this.given.size < LIMITS.exchanges || this.given.has(address)) this.given.add(address);
        else this.reached.capped('exchanges');
      }
      t.backoff.answered();
      const status = statusOf(m, t.returns);
      // RFC 9915 §18.2.9: of several servers one that has what is wanted is enough.
      if (m.type === Dhcpv6Type.Advertise && status !== 0 && entry.outcome === 'answered') return;
      t.answer = seen;
      t.status = status;
      note(entry, m, status);
    } else {
      t.backoff.sent(seen);
      t.asked = seen;
      t.requests++;
    }
  }
}

/** The status code of an answer, or that of the associations for which it gives no address. */
function statusOf(m: Dhcpv6Message, returns: boolean): number {
  const option = findOption(m, Option.status);
  const own = option !== undefined && option.length >= 2 ? u16(option, 0) : 0;
  return own === 0 && !returns && leased(m).length === 0 ? refusal(m) : own;
}

/** Notes what an answer says. */
function note(entry: Dhcpv6Exchange, m: Dhcpv6Message, status: number): void {
  entry.outcome = status === 0 ? 'answered' : 'refused';
  const dns = optionAddresses(m, Option.dns).map(addressText);
  if (dns.length > 0) entry.dns = dns;
  const pcscf = [...names(m), ...optionAddresses(m, Option.sipAddresses).map(addressText)];
  if (pcscf.length > 0) entry.pcscf = pcscf;
}

/** The values of the options of a kind, at least so long, within IA_NA options. RFC 9915 §21.4 */
function associated(m: Dhcpv6Message, kind: number, least: number): Uint8Array[] {
  return m.options.flatMap(({ code, bytes: b }) => {
    const out: Uint8Array[] = [];
    if (code !== Option.nonTemporary) return out;
    for (let i = IA_HEADER; i + 4 + least <= b.length; i += 4 + u16(b, i + 2))
      if (u16(b, i) === kind && u16(b, i + 2) >= least) out.push(b.subarray(i + 4, i + 4 + u16(b, i + 2)));
    return out;
  });
}

/** The addresses that associations have. RFC 9915 §21.6 */
const leased = (m: Dhcpv6Message): string[] =>
  associated(m, Option.address, 16).map((b) => addressText(b.subarray(0, 16)));

/** The first status code of an association that is no success, 0 where there is none. RFC 9915 §18.2.10.1, §21.13 */
const refusal = (m: Dhcpv6Message): number =>
  associated(m, Option.status, 2)
    .map((b) => u16(b, 0))
    .find((code) => code !== 0) ?? 0;

function names(m: Dhcpv6Message): string[] {
  try {
    return optionNames(m, Option.sipNames);
  } catch (e) {
    if (!isDamage(e)) throw e;
    return [];
  }
}
