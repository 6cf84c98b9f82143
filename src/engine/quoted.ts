import { Peek } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import type { Registry } from './registry.js';

const ICMP_HEADER = 8;

/** Finds the segment or datagram that an ICMP error is about: it quotes the beginning of it. */
export class QuoteFinder {
  private readonly q = new Peek();

  constructor(private readonly registry: Registry) {}

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
      d.peek(q);
      if (q.fragment) return null;
    }
    return q.net !== 0 && (q.table === 'tcp' || q.table === 'udp') ? q : null;
  }
}

/** Whether an ICMP message quotes the packet that it is about. RFC 792, RFC 4443 §2.1. */
const isIcmpError = (type: number, net: 0 | 4 | 6): boolean =>
  net === 6 ? type < 128 : type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
