import {
  codec,
  type DnsMessage,
  type DnsRecord,
  dnsQuery,
  readPointer,
  readService,
  response,
  TYPE,
} from '../../dissectors/dns/message.js';
import { nameText } from '../../dissectors/dns/names.js';
import { encode } from '../kit/index.js';
import { type Address, same } from './address.js';
import type { Cancel, Clock } from './clock.js';
import type { IpHost } from './host.js';
import type { ReceivedDatagram, UdpSocket } from './host-types.js';
import { integer, type Random } from './random.js';
import type { SipPeer } from './sip/transport.js';

/** What came of a question: records, possibly none; or nothing at all. */
export type DnsOutcome = { records: DnsRecord[]; rcode: number } | { failure: 'no server' | 'no answer' };

/** From where a resolver asks, and whom. */
export interface ResolverOptions {
  host: IpHost;
  clock: Clock;
  random: Random;
  /** DNS servers, best first; asked for at each question. */
  servers(): readonly Address[];
}

/** RFC 1035 §4.2.1: seconds are enough; ms. */
const WAIT = 2000;
const ROUNDS = 2;
const DNS_PORT = 53;
/** Codes of a server that does not know what another may know: SERVFAIL, NOTIMP, REFUSED. RFC 1035 §7.2, §4.1.1 */
const CANNOT: readonly number[] = [2, 4, 5];

/** A stub resolver, and the way from a name to a P-CSCF. RFC 1035 §7, RFC 3263 §4 */
export class Resolver {
  constructor(private readonly options: ResolverOptions) {}

  /** Asks for records of a name: one server after the other, twice. */
  query(name: string, type: number, done: (outcome: DnsOutcome) => void): void {
    const servers = this.options.servers();
    if (servers.length === 0) done({ failure: 'no server' });
    else this.attempt(name, type, [...servers, ...servers].slice(0, ROUNDS * servers.length), done);
  }

  /**
   * Finds P-CSCFs for a name: NAPTR, then SRV, then addresses; of the families given, in their order.
   * @param done gets none where there are none
   */
  pcscf(name: string, families: readonly (4 | 6)[], done: (found: SipPeer[]) => void): void {
    this.query(name, TYPE.NAPTR, (naptr) => {
      const pointers = readable(naptr, TYPE.NAPTR, readPointer);
      const udp = pointers.filter((p) => p.service.toUpperCase() === 'SIP+D2U' && p.flags.toLowerCase() === 's');
      const best = udp.sort((a, b) => a.order - b.order || a.preference - b.preference)[0];
      this.services(best?.replacement ?? `_sip._udp.${name}`, name, families, done); // RFC 3263 §4.1
    });
  }

  private services(
    service: string,
    name: string,
    families: readonly (4 | 6)[],
    done: (found: SipPeer[]) => void,
  ): void {
    this.query(service, TYPE.SRV, (srv) => {
      const list = readable(srv, TYPE.SRV, readService).sort((a, b) => a.priority - b.priority || b.weight - a.weight);
      if (list.length === 0) list.push({ priority: 0, weight: 0, port: 5060, target: name }); // RFC 3263 §4.2
      this.addresses(list, families, [], done);
    });
  }

  private addresses(
    targets: readonly { target: string; port: number }[],
    families: readonly (4 | 6)[],
    found: SipPeer[],
    done: (found: SipPeer[]) => void,
  ): void {
    const left = targets.flatMap((t) => families.map((family) => ({ ...t, family })));
    const next = (i: number): void => {
      if (i >= left.length) {
        done(found);
        return;
      }
      const { target, port, family } = left[i];
      const type = family === 4 ? TYPE.A : TYPE.AAAA;
      this.query(target, type, (outcome) => {
        const size = family === 4 ? 4 : 16;
        for (const a of readable(outcome, type, (rdata) => rdata))
          if (a.length === size) found.push({ address: a, port });
        next(i + 1);
      });
    };
    next(0);
  }

  private attempt(name: string, type: number, servers: readonly Address[], done: (outcome: DnsOutcome) => void): void {
    const { host, clock, random } = this.options;
    const [server, ...others] = servers;
    const id = integer(random, 0, 0xffff);
    let cancel: Cancel = () => undefined;
    const finish = (outcome: DnsOutcome | undefined) => {
      cancel();
      socket.close();
      if (outcome) done(outcome);
      else if (others.length > 0) this.attempt(name, type, others, done);
      else done({ failure: 'no answer' });
    };
    const socket: UdpSocket = host.udp(0, (d) => {
      const reply = isFrom(d, server) ? readReply(d.payload, id, name, type) : undefined;
      if (reply === undefined) return;
      const rcode = reply.flags & 15;
      const another = CANNOT.includes(rcode) && others.some((o) => !same(o, server));
      finish(another ? undefined : { records: reply.answers, rcode });
    });
    socket.onError = () => finish(undefined);
    cancel = clock.after(WAIT, () => finish(undefined));
    if (!socket.send(server, DNS_PORT, encode(codec, dnsQuery(id, name, type)))) finish(undefined);
  }
}

const isFrom = (d: ReceivedDatagram, server: Address): boolean => d.srcport === DNS_PORT && same(d.src, server);

/** An answer to the question; undefined for anything else. RFC 5452 §9.1 */
function readReply(octets: Uint8Array, id: number, name: string, type: number): DnsMessage | undefined {
  try {
    const m = codec.parse(octets, 0, octets.length);
    const [q] = m.questions;
    const ours = q && q.type === type && nameText(q.name).toLowerCase() === name.toLowerCase();
    return m.id === id && response(m.flags) && ours ? m : undefined;
  } catch {
    return undefined;
  }
}

/** The data of records of a type, those left out that cannot be read. */
function readable<T>(outcome: DnsOutcome, type: number, read: (rdata: Uint8Array) => T): T[] {
  if (!('records' in outcome)) return [];
  return outcome.records.flatMap((r) => {
    if (r.type !== type) return [];
    try {
      return [read(r.rdata)];
    } catch {
      return [];
    }
  });
}
