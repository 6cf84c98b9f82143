import { experts } from 'fttscope/kit';

/** What may be noticed in DHCPv6, in Wireshark's words where it has them. */
export const E = experts({
  malformed: { code: 'dhcpv6.malformed-option', severity: 'error', malformed: true, message: 'Malformed option' },
  bulkQuery: {
    code: 'dhcpv6.bulk-query',
    severity: 'warn',
    malformed: true,
    message: 'LQ-QUERY: Query types only supported by Bulk Leasequery',
    clause: 'RFC 5460 §4',
  },
  optionCut: {
    code: 'dhcpv6.option-cut',
    severity: 'error',
    message: 'Option runs past the end of what holds it',
    clause: 'RFC 9915 §21.1',
  },
  tooDeep: { code: 'dhcpv6.too-deep', severity: 'warn', message: 'Relay messages nest too deep' },
  hopCount: {
    code: 'dhcpv6.hop-count',
    severity: 'warn',
    message: 'Detected error on hop-count',
    clause: 'RFC 9915 §19.1',
  },
  fqdnMessage: {
    code: 'dhcpv6.fqdn-message',
    severity: 'warn',
    message: 'This message type is not permitted to use OPTION_CLIENT_FQDN',
    clause: 'RFC 4704 §5',
  },
  fqdnBits: {
    code: 'dhcpv6.fqdn-bits',
    severity: 'error',
    message: 'ERROR: When the N-bit is set, the S-bit must be reset',
    clause: 'RFC 4704 §4.1',
  },
  notEncoded: {
    code: 'dhcpv6.name-not-encoded',
    severity: 'error',
    message: 'ERROR: This name is not a DNS record encoded',
    clause: 'RFC 9915 §10',
  },
  exceeded: {
    code: 'dhcpv6.name-cut',
    severity: 'error',
    malformed: true,
    message: 'ERROR: FQDN exceeds length of the domain name field',
    clause: 'RFC 9915 §10',
  },
  tooLong: {
    code: 'dhcpv6.name-too-long',
    severity: 'error',
    malformed: true,
    message: "ERROR: FQDN's *encoded* length exceeds 255 octets [RFC 1035 3.1.]",
    clause: 'RFC 1035 §3.1',
  },
  rootOnly: {
    code: 'dhcpv6.root-only-name',
    severity: 'error',
    message: 'ERROR: A root-only domain name cannot be resolved.',
  },
  tld: { code: 'dhcpv6.top-level-name', severity: 'warn', message: 'WARNING: TLDs are rarely resolvable ' },
  partialAfter: {
    code: 'dhcpv6.partial-name',
    severity: 'error',
    message: 'ERROR: Partial name is preceded by an FQDN',
  },
});
