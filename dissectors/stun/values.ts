/** Names of methods, attributes, errors and their values, in Wireshark's words. */

/** By method number, RFC 8489 §18.2, RFC 8656 §17, RFC 6062 §6.1. */
const METHODS: Readonly<Record<number, string>> = {
  1: 'Binding',
  2: 'SharedSecret',
  3: 'Allocate',
  4: 'Refresh',
  6: 'Send',
  7: 'Data',
  8: 'CreatePermission',
  9: 'Channel-Bind',
  10: 'Connect',
  11: 'ConnectionBind',
  12: 'ConnectionAttempt',
  128: 'GooglePing',
};

/** The class bits of a message type, RFC 8489 §5. */
export const Class = { Request: 0, Indication: 0x10, Success: 0x100, Error: 0x110 } as const;
export const CLASS_BITS = 0x110;

const CLASSES: Readonly<Record<number, string>> = {
  [Class.Request]: 'Request',
  [Class.Indication]: 'Indication',
  [Class.Success]: 'Success Response',
  [Class.Error]: 'Error Response',
};

/** The method in a message type: its bits stand around those of the class. RFC 8489 §5. */
export const methodOf = (type: number): number => (type & 0xf) | ((type >> 1) & 0x70) | ((type >> 2) & 0xf80);

/** Parts of a message type in words. RFC 8489 §5 */
export const className = (type: number): string => CLASSES[type & CLASS_BITS];
export const methodName = (type: number): string => METHODS[methodOf(type)] ?? 'Unknown';
/** "Binding Request". */
export const typeName = (type: number): string => `${methodName(type)} ${className(type)}`;

/** RFC 8489 §14.8, RFC 8656 §19, RFC 8445 §16, and drafts that were in use. */
export const ERRORS: Readonly<Record<number, string>> = {
  274: 'Disable Candidate',
  275: 'Disable Candidate Pair',
  300: 'Try Alternate',
  400: 'Bad Request',
  401: 'Unauthenticated',
  403: 'Forbidden',
  405: 'Mobility Forbidden',
  420: 'Unknown Attribute',
  430: 'Stale Credentials (legacy)',
  431: 'Integrity Check Failure (legacy)',
  432: 'Missing Username (legacy)',
  433: 'Use TLS (legacy)',
  434: 'Missing Realm (legacy)',
  435: 'Missing Nonce (legacy)',
  436: 'Unknown User (legacy)',
  437: 'Allocation Mismatch',
  438: 'Stale Nonce',
  439: 'Wrong Credentials (legacy)',
  440: 'Address Family not Supported',
  441: 'Wrong Credentials',
  442: 'Unsupported Transport Protocol',
  443: 'Peer Address Family Mismatch',
  446: 'Connection Already Exists',
  447: 'Connection Timeout or Failure',
  481: 'Connection does not exist (legacy)',
  486: 'Allocation Quota Reached',
  487: 'Role Conflict',
  500: 'Server Error',
  503: 'Service Unavailable (legacy)',
  507: 'Insufficient Bandwidth Capacity (legacy)',
  508: 'Insufficient Port Capacity',
  600: 'Global Failure',
};

/** Words for values of attributes. RFC 8489 §14, RFC 8656 §18 */
export const ASSIGNMENT = { 0: 'IETF Review', 1: 'Designated Expert' };
export const COMPREHENSION = { 0: 'Required', 1: 'Optional' };
export const FAMILIES = { 1: 'IPv4', 2: 'IPv6' };
export const ALGORITHMS = { 0: 'Reserved', 1: 'MD5', 2: 'SHA-256' };
export const RESERVE = { 0: 'No reservation', 1: 'Reserve next port number' };
export const TRANSPORTS: Readonly<Record<number, string>> = { 6: 'TCP', 17: 'UDP' };
export const VERSIONS = { 1: 'MS-TURN', 2: 'RFC-3489 and earlier', 3: 'RFC-5389/8489' };

/** Versions that MS-ICE2 names. */
export const MS_VERSIONS: Readonly<Record<number, string>> = {
  1: 'ICE',
  2: 'MS-ICE2',
  3: 'MS-ICE2 with SHA256',
  4: 'MS-ICE2 with SHA256 and IPv6',
  5: 'MULTIPLEXED TURN over UDP only',
  6: 'MULTIPLEXED TURN over UDP and TCP',
};
/** [MS-ICE2BWN] §2.2: versions 0 to 2 speak drafts. */
export const iceVersion = (n: number): string =>
  n < 3 ? 'Supports only RFC3489bis-02 message formats' : 'Supports RFC5389 message formats';
export const STREAMS = { 1: 'Audio', 2: 'Video', 3: 'Supplemental Video', 4: 'Data' };
export const QUALITIES = { 0: 'Best effort delivery', 1: 'Reliable delivery' };
export const ADMISSION = { 0: 'Reservation Check', 1: 'Reservation Commit', 2: 'Reservation Update' };
export const LOCATIONS = { 0: 'Unknown', 1: 'Internet', 2: 'Intranet' };
export const FEDERATIONS = { 0: 'No Federation', 1: 'Enterprise Federation', 2: 'Public Cloud Federation' };
export const COSTS = {
  0: 'Min',
  10: 'Low',
  50: 'Unknown',
  250: 'Cellular5G',
  500: 'Cellular4G',
  900: 'Cellular',
  910: 'Cellular3G',
  980: 'Cellular2G',
  999: 'Max',
};

/** Attribute types that are asked for by name. RFC 8489 §18.3, RFC 8656 §18, RFC 8445 §16.1, RFC 5780 §7. */
export const Attr = {
  MappedAddress: 0x0001,
  ChangeRequest: 0x0003,
  Username: 0x0006,
  MessageIntegrity: 0x0008,
  ErrorCode: 0x0009,
  UnknownAttributes: 0x000a,
  ChannelNumber: 0x000c,
  Lifetime: 0x000d,
  XorPeerAddress: 0x0012,
  Data: 0x0013,
  Realm: 0x0014,
  Nonce: 0x0015,
  XorRelayedAddress: 0x0016,
  RequestedTransport: 0x0019,
  PasswordAlgorithm: 0x001d,
  XorMappedAddress: 0x0020,
  Priority: 0x0024,
  UseCandidate: 0x0025,
  PasswordAlgorithms: 0x8002,
  MsVersion: 0x8008,
  Software: 0x8022,
  Fingerprint: 0x8028,
  IceControlled: 0x8029,
  IceControlling: 0x802a,
  MsImplementation: 0x8070,
} as const;
