/** Numbers in TCP and the names that Wireshark shows for them. */

/** Option kinds, IANA TCP Parameters. */
export const KINDS: Readonly<Record<number, string>> = {
  0: 'End of Option List',
  1: 'No-Operation',
  2: 'Maximum Segment Size',
  3: 'Window Scale',
  4: 'SACK Permitted',
  5: 'SACK',
  6: 'Echo',
  7: 'Echo Reply',
  8: 'Time Stamp Option',
  9: 'Partial Order Connection Permitted',
  10: 'Partial Order Service Profile',
  11: 'CC',
  12: 'CC.NEW',
  13: 'CC.ECHO',
  14: 'TCP Alternate Checksum Request',
  15: 'TCP Alternate Checksum Data',
  16: 'Skeeter',
  17: 'Bubba',
  18: 'Trailer Checksum Option',
  19: 'MD5 Signature Option',
  20: 'SCPS Capabilities',
  21: 'Selective Negative Acknowledgements',
  22: 'Record Boundaries',
  23: 'Corruption experienced',
  24: 'SNAP',
  25: 'Unassigned',
  26: 'TCP Compression Filter',
  27: 'Quick-Start Response',
  28: 'User Timeout Option',
  29: 'The TCP Authentication Option',
  30: 'Multipath TCP',
  34: 'TCP Fast Open Cookie',
  76: 'Riverbed Probe',
  78: 'Riverbed Transparency',
  172: 'Accurate ECN Order 0',
  174: 'Accurate ECN Order 1',
  253: 'RFC3692-style Experiment 1',
  254: 'RFC3692-style Experiment 2',
};

/** Option names as in the line above the options. */
export const OPTION_NAMES: Readonly<Record<number, string>> = {
  0: 'End of Option List (EOL)',
  1: 'No-Operation (NOP)',
  2: 'Maximum segment size',
  3: 'Window scale',
  4: 'SACK permitted',
  5: 'SACK',
  6: 'Echo',
  7: 'Echo reply',
  8: 'Timestamps',
  11: 'CC',
  12: 'CC.NEW',
  13: 'CC.ECHO',
  19: 'TCP MD5 signature',
  20: 'SCPS capabilities',
  21: 'Selective Negative Acknowledgment',
  22: 'SCPS record boundary',
  23: 'SCPS corruption experienced',
  27: 'Quick-Start',
  28: 'User Timeout',
  29: 'TCP AO',
  30: 'MPTCP',
  34: 'TCP Fast Open',
  76: 'Riverbed Probe',
  78: 'Riverbed Transparency',
  172: 'Accurate ECN',
  174: 'Accurate ECN',
  253: 'Experimental',
  254: 'Experimental',
};

/** Experiment identifiers of shared options, RFC 6994. */
export const EXPERIMENTS: Readonly<Record<number, string>> = {
  172: 'TCP ACK Rate Request',
  840: 'Host ID',
  2573: 'Autonomous System Compensation',
  3232: 'Capability Option',
  3792: 'Extended Data Offset',
  17742: 'Encryption Negotiation',
  21283: 'Service Number',
  30188: 'Timestamp Interval',
  44224: 'Accurate ECN - Order 0',
  44225: 'Accurate ECN - Order 1',
  44238: 'Accurate ECN',
  58068: 'Shared Memory communications over RMDA protocol',
  63881: 'Fast Open',
  63888: 'Low Latency',
};

/** Multipath TCP subtypes, RFC 8684. */
export const SUBTYPES: Readonly<Record<number, string>> = {
  0: 'Multipath Capable',
  1: 'Join Connection',
  2: 'Data Sequence Signal',
  3: 'Add Address',
  4: 'Remove Address',
  5: 'Change Subflow Priority',
  6: 'TCP Fallback',
  7: 'Fast Close',
  8: 'TCP Reset',
};

/** Reasons of MP_TCPRST, RFC 8684 §3.6. */
export const RST_REASONS: Readonly<Record<number, string>> = {
  0: 'Unspecified error',
  1: 'MPTCP-specific error',
  2: 'Lack of resources',
  3: 'Administratively prohibited',
  4: 'Too much outstanding data',
  5: 'Unacceptable performance',
  6: 'Middlebox interference',
};

/** Quick-Start rates, RFC 4782 §3.1: 40 kbit/s times two to the power of the number. */
export const QS_RATE: Readonly<Record<number, string>> = {
  0: '0 bit/s',
  1: '80 Kbit/s',
  2: '160 Kbit/s',
  3: '320 Kbit/s',
  4: '640 Kbit/s',
  5: '1.28 Mbit/s',
  6: '2.56 Mbit/s',
  7: '5.12 Mbit/s',
  8: '10.24 Mbit/s',
  9: '20.48 Mbit/s',
  10: '40.96 Mbit/s',
  11: '81.92 Mbit/s',
  12: '163.84 Mbit/s',
  13: '327.68 Mbit/s',
  14: '655.36 Mbit/s',
  15: '1.31072 Gbit/s',
};

/** Units of the user timeout, RFC 5482 §3.3. */
export const UNITS = { 0: 'Seconds', 1: 'Minutes' };

/** The largest shift count of the window scale option. RFC 7323 §2.3 */
export const MAX_SHIFT = 14;
/** `tcp.window_size_scalefactor` where it is no factor. */
export const SCALE: Readonly<Record<number, string>> = { [-1]: 'unknown', [-2]: 'no window scaling used' };

/** What comes of looking at a checksum, as Wireshark numbers it. */
export const CHECKSUM_STATUS: Readonly<Record<number, string>> = {
  0: 'Bad',
  1: 'Good',
  2: 'Unverified',
  3: 'Not present',
};

/** What {@link Seen} bits say of a conversation. */
export function completeness(seen: number): string {
  const closed = (seen & 48) !== 0;
  if (closed && (seen & 15) === 15) return 'Complete, WITH_DATA';
  if (closed && (seen & 15) === 7) return 'Complete, NO_DATA';
  if (seen === 15) return 'Incomplete, DATA';
  if (seen === 7) return 'Incomplete, ESTABLISHED';
  if (seen === 3) return 'Incomplete, CLIENT_ESTABLISHED';
  if (seen === 1) return 'Incomplete, SYN_SENT';
  return 'Incomplete';
}
