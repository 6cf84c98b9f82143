import { experts } from 'fttscope/kit';

/** What may be noticed in DNS, in Wireshark's words. */
export const E = experts({
  ttlHigh: {
    code: 'dns.ttl-high-bit',
    severity: 'warn',
    message: 'The uppermost bit of the TTL is set (RFC 2181, section 8)',
    clause: 'RFC 2181 §8',
  },
  undecoded: { code: 'dns.undecoded-type', severity: 'note', message: 'Record type without a decoder' },
  badSubnet: {
    code: 'dns.bad-client-subnet',
    severity: 'error',
    message: 'Length too long for any type of IP address.',
    clause: 'RFC 7871 §6',
  },
  noAlgorithm: { code: 'dns.tsig-no-algorithm', severity: 'warn', message: 'No dissector for algorithm' },
  extraneous: { code: 'dns.extraneous-data', severity: 'note', message: 'Extraneous data' },
  queryAgain: { code: 'dns.query-retransmission', severity: 'warn', message: 'DNS query retransmission' },
  responseAgain: { code: 'dns.response-retransmission', severity: 'warn', message: 'DNS response retransmission' },
});
