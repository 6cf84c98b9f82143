import { experts } from 'fttscope/kit';

/** What may be noticed in DHCPv4, in Wireshark's words. */
export const E = experts({
  badLength: { code: 'dhcp.bad-length', severity: 'error', message: 'Bad option length', clause: 'RFC 2132' },
  noAddress: { code: 'dhcp.no-client-address', severity: 'note', message: 'Client address not given' },
  secsSwapped: {
    code: 'dhcp.secs-little-endian',
    severity: 'note',
    message: 'Seconds elapsed appears to be encoded as little-endian',
  },
  nameOverloaded: {
    code: 'dhcp.server-name-overloaded',
    severity: 'note',
    message: 'Server name option overloaded by DHCP',
    clause: 'RFC 2132 §9.3',
  },
  fileOverloaded: {
    code: 'dhcp.boot-file-overloaded',
    severity: 'note',
    message: 'Boot file name option overloaded by DHCP',
    clause: 'RFC 2132 §9.3',
  },
  nameEndMissing: {
    code: 'dhcp.sname-end-missing',
    severity: 'error',
    message: 'sname overload end option missing',
    clause: 'RFC 2131 §4.1',
  },
  fileEndMissing: {
    code: 'dhcp.file-end-missing',
    severity: 'error',
    message: 'file overload end option missing',
    clause: 'RFC 2131 §4.1',
  },
  endMissing: {
    code: 'dhcp.end-missing',
    severity: 'error',
    message: 'End option missing',
    clause: 'RFC 2131 §4.1',
  },
  noSuboptionLength: {
    code: 'dhcp.no-suboption-length',
    severity: 'error',
    message: 'no room left in option for suboption length',
  },
  noSuboptionValue: {
    code: 'dhcp.no-suboption-value',
    severity: 'error',
    message: 'no room left in option for suboption value',
  },
  badDuid: { code: 'dhcp.bad-duid', severity: 'error', message: 'DUID: malformed option', clause: 'RFC 4361 §6.1' },
  nonStandard: {
    code: 'dhcp.non-standard-data',
    severity: 'note',
    message: 'Non standard compliant option data',
    clause: 'RFC 3004 §4',
  },
  ambiguousArchitecture: {
    code: 'dhcp.ambiguous-architecture',
    severity: 'warn',
    message: 'Client Architecture ID 9 is often incorrectly used for EFI x64',
    clause: 'RFC 4578 §2.1',
  },
  badNameService: {
    code: 'dhcp.bad-name-service',
    severity: 'error',
    message: 'Invalid Name Service',
    clause: 'RFC 2937',
  },
  badSipEncoding: {
    code: 'dhcp.bad-sip-encoding',
    severity: 'error',
    message: 'RFC 3361 defines only 0 and 1 for Encoding byte',
    clause: 'RFC 3361 §3',
  },
  badMaskWidth: {
    code: 'dhcp.bad-mask-width',
    severity: 'error',
    message: 'Mask width > 32',
    clause: 'RFC 3442',
  },
  badCivicType: {
    code: 'dhcp.bad-civic-type',
    severity: 'error',
    message: 'Error with CAType',
    clause: 'RFC 4776 §3.3',
  },
  bad6rd: { code: 'dhcp.bad-6rd', severity: 'error', message: '6RD: malformed option', clause: 'RFC 5969 §7.1.1' },
});
