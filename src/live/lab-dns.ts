import {
  addressRecord,
  codec,
  type DnsMessage,
  type DnsRecord,
  dnsResponse,
  opcode,
  pointerRecord,
  response,
  serviceRecord,
  TYPE,
} from '../../dissectors/dns/message.js';
import { nameText } from '../../dissectors/dns/names.js';
import { encode } from '../kit/index.js';
import type { Address } from './address.js';
import type { IpHost } from './host.js';
import type { UdpSocket } from './host-types.js';

/** The names that the laboratory's DNS server knows. */
export interface LabDnsOptions {
  domain: string;
  /** Addresses of `pcscf.DOMAIN`. */
  pcscf: readonly Address[];
  port?: number;
}

const NO_ERROR = 0;
const NAME_ERROR = 3;
const NOT_IMPLEMENTED = 4;
const REFUSED = 5;
const TTL = 300;
const ANY = 255;

/** Answers DNS questions about the lab's domain: NAPTR, SRV and addresses of its P-CSCF. RFC 1035, RFC 3263 §4 */
export class LabDns {
  private readonly records: readonly { name: string; record: DnsRecord }[];
  private readonly socket: UdpSocket;

  constructor(
    host: IpHost,
    private readonly options: LabDnsOptions,
  ) {
    this.records = zone(options).map((record) => ({ name: nameText(record.name).toLowerCase(), record }));
    this.socket = host.udp(53, (d) => {
      const reply = this.answer(d.payload);
      if (reply) this.socket.send(d.src, d.srcport, reply, { src: d.dst });
    });
  }

  close(): void {
    this.socket.close();
  }

  /** The answer to a query; undefined for what is none. */
  answer(octets: Uint8Array): Uint8Array | undefined {
    let query: DnsMessage;
    try {
      query = codec.parse(octets, 0, octets.length);
      if (response(query.flags) || query.questions.length !== 1) return undefined;
      const plain = { ...query, additional: [], answers: [], authorities: [], rest: new Uint8Array(0) };
      return encode(codec, this.reply(plain));
    } catch {
      return undefined;
    }
  }

  private reply(query: DnsMessage): DnsMessage {
    if (opcode(query.flags) !== 0) return dnsResponse(query, [], NOT_IMPLEMENTED);
    const [question] = query.questions;
    const name = nameText(question.name).toLowerCase();
    const { domain } = this.options;
    if (name !== domain && !name.endsWith(`.${domain}`)) return dnsResponse(query, [], REFUSED);
    const all = this.records.filter((r) => r.name === name);
    const found = all.filter((r) => r.record.type === question.type || question.type === ANY).map((r) => r.record);
    const exists = all.length > 0 || this.records.some((r) => r.name.endsWith(`.${name}`)); // RFC 8020 §2
    return dnsResponse(query, found, exists ? NO_ERROR : NAME_ERROR, this.helpful(found));
  }

  /** Addresses of what SRV records point to. RFC 2782 */
  private helpful(found: readonly DnsRecord[]): DnsRecord[] {
    const services = found.some((r) => r.type === TYPE.SRV);
    if (!services) return [];
    return this.records.filter((r) => r.record.type === TYPE.A || r.record.type === TYPE.AAAA).map((r) => r.record);
  }
}

function zone({ domain, pcscf, port = 5060 }: LabDnsOptions): DnsRecord[] {
  const service = `_sip._udp.${domain}`;
  const target = `pcscf.${domain}`;
  const pointer = { order: 10, preference: 50, flags: 's', service: 'SIP+D2U', regexp: '', replacement: service };
  return [
    pointerRecord(domain, pointer, TTL),
    serviceRecord(service, { priority: 0, weight: 0, port, target }, TTL),
    ...pcscf.map((a) => addressRecord(target, a, TTL)),
  ];
}
