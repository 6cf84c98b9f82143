import { type AnyDissector, Peek, u16 } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Registry } from './registry.js';

const ICMP_HEADER = 8;
const TCP_HEADER = 20;
const LEAST_QUOTE = 8;

/** Finds the segment or datagram that an ICMP error is about: it quotes the beginning of it. */
export class QuoteFinder {
  private readonly q = new Peek();

  private readonly tcp: AnyDissector | undefined;

  constructor(private readonly registry: Registry) {
    this.tcp = registry.byProto('tcp');
  }

  /**
   * The way into the quoted packet, down to the payload of its TCP or UDP (which `table` says); null where the message at
   * `p` quotes no such packet. It is good until the next call.
   */
  find(p: Peek): Peek | null {
    const { buf, end } = p;
    if (end - p.off <= ICMP_HEADER || !isIcmpError(buf[p.off], p.net)) return null;
    const { q } = this;
    q.buf = buf;
    q.off = p.off + ICMP_HEADER;
    q.end = end;
    q.wireEnd = p.wireEnd;
    q.table = 'ip.version';
    q.key = buf[q.off] >> 4;
    q.net = 0;
    for (let depth = 0; depth < LIMITS.layers && q.table !== 'udp' && q.table !== 'tcp'; depth++) {
      const d = this.registry.lookup(q.table, q.key);
      if (d?.peek === undefined) return null;
      q.table = '';
      q.fragment = false;
      if (d === this.tcp && q.end - q.off < TCP_HEADER) return this.ports(q);
      d.peek(q);
      if (q.fragment) return null;
    }
    return q.net !== 0 && (q.table === 'tcp' || q.table === 'udp') ? q : null;
  }

  /** RFC 792: of a segment eight octets may be all that is quoted, its ports and its sequence number. */
  private ports(q: Peek): Peek | null {
    if (q.net === 0 || q.end - q.off < LEAST_QUOTE) return null;
    q.header = q.off;
    q.sport = u16(q.buf, q.off);
    q.dport = u16(q.buf, q.off + 2);
    q.off = q.end;
    q.table = 'tcp';
    return q;
  }
}

/** Whether an ICMP message quotes the packet that it is about. RFC 792, RFC 4443 §2.1. */
const isIcmpError = (type: number, net: 0 | 4 | 6): boolean =>
  net === 6 ? type < 128 : type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
