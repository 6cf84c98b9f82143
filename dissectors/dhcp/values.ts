/** Names of DHCPv4 values: RFC 2131, RFC 2132 and the IANA registries of BOOTP/DHCP and ARP parameters. */

export const OPCODES: Readonly<Record<number, string>> = {
  1: 'Boot Request',
  2: 'Boot Reply',
};

/** Option 53. RFC 2132 §9.6 */
export const MESSAGE_TYPES: Readonly<Record<number, string>> = {
  1: 'Discover',
  2: 'Offer',
  3: 'Request',
  4: 'Decline',
  5: 'ACK',
  6: 'NAK',
  7: 'Release',
  8: 'Inform',
  9: 'Force Renew',
  10: 'Lease query',
  11: 'Lease Unassigned',
  12: 'Lease Unknown',
  13: 'Lease Active',
  14: 'Bulk Lease Query',
  15: 'Lease Query Done',
  16: 'Active LeaseQuery',
  17: 'Lease Query Status',
  18: 'TLS',
};

/** The flag B. RFC 2131 §2 */
export const BROADCAST: Readonly<Record<number, string>> = {
  0: 'Unicast',
  1: 'Broadcast',
};

export const ENABLED: Readonly<Record<number, string>> = {
  0: 'Disabled',
  1: 'Enabled',
};

export const YES: Readonly<Record<number, string>> = {
  0: 'No',
  1: 'Yes',
};

export const DATA_SOURCES: Readonly<Record<number, string>> = {
  0: 'Local',
  1: 'Remote',
};

/** Option 46. RFC 2132 §8.7 */
export const NETBIOS_NODES: Readonly<Record<number, string>> = {
  1: 'B-node',
  2: 'P-node',
  4: 'M-node',
  8: 'H-node',
};

/** Option 52. RFC 2132 §9.3 */
export const OVERLOADS: Readonly<Record<number, string>> = {
  1: 'Boot file name holds options',
  2: 'Server host name holds options',
  3: 'Boot file and server host names hold options',
};

/** Option 61, type 255. RFC 4361 §6.1 */
export const DUID_TYPES: Readonly<Record<number, string>> = {
  1: 'link-layer address plus time',
  2: 'assigned by vendor based on Enterprise number',
  3: 'link-layer address',
};

/** Options 78 and 79: how agents, and scopes, are to be found. RFC 2610 */
export const SLP_AGENT: Readonly<Record<number, string>> = {
  0: 'Dynamic Discovery',
  1: 'Static Discovery',
  128: 'Backwards compatibility',
};

export const SLP_SCOPE: Readonly<Record<number, string>> = {
  0: 'Preferred Scope',
  1: 'Mandatory Scope',
};

/** Flags of option 81. RFC 4702 §2.1 */
export const FQDN_N: Readonly<Record<number, string>> = {
  0: 'Some server updates',
  1: 'No server updates',
};

export const FQDN_E: Readonly<Record<number, string>> = {
  0: 'ASCII encoding',
  1: 'Binary encoding',
};

export const FQDN_O: Readonly<Record<number, string>> = {
  0: 'No override',
  1: 'Override',
};

export const FQDN_S: Readonly<Record<number, string>> = {
  0: 'Client',
  1: 'Server',
};

/** Parts of option 82. RFC 3046 */
export const RELAY_SUBOPTIONS: Readonly<Record<number, string>> = {
  0: 'Padding',
  1: 'Agent Circuit ID',
  2: 'Agent Remote ID',
  3: 'Reserved',
  4: 'DOCSIS Device Class',
  5: 'Link selection',
  6: 'Subscriber ID',
  7: 'RADIUS Attributes',
  8: 'Authentication',
  9: 'Vendor-Specific Information',
  10: 'Flags',
  11: 'Server ID Override',
  12: 'Relay Agent Identifier',
  13: 'Access Technology Type',
  14: 'Access Network Name',
  15: 'Access Point Name',
  16: 'Access Point BSSID',
  17: 'Access Network Operator ID',
  18: 'Access Network Operator Realm',
  19: 'Source Port',
  150: 'Link selection (Cisco proprietary)',
  151: 'VRF name/VPN ID',
  152: 'Server ID Override (Cisco proprietary)',
};

/** Option 90. RFC 3118 §2 */
export const AUTH_PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'configuration token',
  1: 'delayed authentication',
};

export const AUTH_ALGORITHMS: Readonly<Record<number, string>> = {
  1: 'HMAC_MD5',
};

export const AUTH_RDM: Readonly<Record<number, string>> = {
  0: 'Monotonically-increasing counter',
};

/** Option 93. RFC 4578 §2.1 */
export const ARCHITECTURES: Readonly<Record<number, string>> = {
  0: 'IA x86 PC',
  1: 'NEC/PC98',
  2: 'IA64 PC',
  3: 'DEC Alpha',
  4: 'ArcX86',
  5: 'Intel Lean Client',
  6: 'EFI IA32',
  7: 'EFI x64',
  8: 'EFI Xscale',
  9: 'EFI BC',
  10: 'ARM 32-bit UEFI',
  11: 'ARM 64-bit UEFI',
  12: 'PowerPC Open Firmware',
  13: 'PowerPC ePAPR',
  14: 'POWER OPAL v3',
  15: 'x86 UEFI HTTP',
  16: 'x64 UEFI HTTP',
  17: 'EBC UEFI HTTP',
  18: 'ARM 32-bit UEFI HTTP',
  19: 'ARM 64-bit UEFI HTTP',
  20: 'PC/AT HTTP',
  21: 'ARM 32-bit uboot',
  22: 'ARM 64-bit uboot',
  23: 'ARM 32-bit uboot HTTP',
  24: 'ARM 64-bit uboot HTTP',
  25: 'RISC-V 32-bit UEFI',
  26: 'RISC-V 32-bit UEFI HTTP',
  27: 'RISC-V 64-bit UEFI',
  28: 'RISC-V 64-bit UEFI HTTP',
  29: 'RISC-V 128-bit UEFI',
  30: 'RISC-V 128-bit UEFI HTTP',
  31: 's390 Basic',
  32: 's390 Extended',
};

/** Option 99: whose place it is. RFC 4776 */
export const CIVIC_WHAT: Readonly<Record<number, string>> = {
  0: 'Location of the DHCP server',
  1: 'Location of the network element believed to be closest to the client',
  2: 'Location of the client',
};

/** Option 99: parts of an address. RFC 4776 */
export const CIVIC_TYPES: Readonly<Record<number, string>> = {
  0: 'Language',
  1: 'A1',
  2: 'A2',
  3: 'A3',
  4: 'A4',
  5: 'A5',
  6: 'A6',
  16: 'PRD (Leading street direction)',
  17: 'POD (Trailing street suffix)',
  18: 'STS (Street suffix)',
  19: 'HNO (House number)',
  20: 'HNS (House number suffix)',
  21: 'LMK (Landmark or vanity address)',
  22: 'LOC (Additional location information)',
  23: 'NAM',
  24: 'PC (Postal/ZIP code)',
  25: 'BLD (Building)',
  26: 'UNIT',
  27: 'FLR (Floor)',
  28: 'ROOM',
  29: 'PLC (Place-type)',
  30: 'PCN (Postal community name)',
  31: 'POBOX',
  32: 'ADDCODE (Additional Code)',
  33: 'SEAT',
  34: 'RD (Primary road or street)',
  35: 'RDSEC (Road section)',
  36: 'RDBR (Road branch)',
  37: 'RDSUBBR (Road sub-branch)',
  38: 'PRM (Road pre-modifier)',
  39: 'POM (Road post-modifier',
  128: 'Script',
};

/** Option 120. RFC 3361 */
export const SIP_ENCODINGS: Readonly<Record<number, string>> = {
  0: 'Fully Qualified Domain Name',
  1: 'IPv4 Address',
};

/** Option 116. RFC 2563 */
export const AUTO_CONFIGURATION: Readonly<Record<number, string>> = {
  0: 'DoNotAutoConfigure',
  1: 'AutoConfigure',
};

export const CL_ADDRESS_MODES: Readonly<Record<number, string>> = {
  1: 'IPv4',
  2: 'IPv6',
};

/** What the Broadband Forum has in option 125. */
export const TR111_SUBOPTIONS: Readonly<Record<number, string>> = {
  1: 'DeviceManufacturerOUI',
  2: 'DeviceSerialNumber',
  3: 'DeviceProductClass',
  4: 'GatewayManufacturerOUI',
  5: 'GatewaySerialNumber',
  6: 'GatewayProductClass',
};

/** Option 145. RFC 6704 */
export const NONCE_ALGORITHMS: Readonly<Record<number, string>> = {
  1: 'HMAC-MD5',
};

/** Option 146. RFC 6731 §4.3 */
export const RDNSS_PREFERENCES: Readonly<Record<number, string>> = {
  0: 'Medium',
  1: 'High',
  2: 'Reserved',
  3: 'Low',
};

/** Option 151. RFC 6926 */
export const LEASE_STATUS: Readonly<Record<number, string>> = {
  0: 'Success',
  1: 'UpsecFail',
  2: 'QueryTerminated',
  3: 'MalformedQuery',
  4: 'NotAllowed',
};

/** Option 156. RFC 6926 */
export const LEASE_STATES: Readonly<Record<number, string>> = {
  1: 'Available',
  2: 'Active',
  3: 'Expired',
  4: 'Released',
  5: 'Abandoned',
  6: 'Reset',
  7: 'Remote',
  8: 'Transitioning',
};

export { HARDWARE_TYPES as HARDWARE } from '../numbers.js';

/** Some of IANA's private enterprise numbers. */
const ENTERPRISES: Readonly<Record<number, string>> = {
  2: 'IBM',
  9: 'ciscoSystems',
  11: 'Hewlett-Packard',
  43: '3Com',
  94: 'Nokia',
  193: 'Ericsson AB',
  311: 'Microsoft',
  343: 'Intel Corporation',
  2011: 'HUAWEI Technology Co.,Ltd',
  2636: 'Juniper Networks, Inc.',
  3561: "Broadband Forum (previously 'DSL Forum')",
  4491: 'Cable Television Laboratories, Inc.',
  10415: '3GPP',
  11129: 'Google, Inc.',
  43793: 'systemd',
};

/** The holder of an IANA Private Enterprise Number. */
export const enterpriseName = (n: number): string => ENTERPRISES[n] ?? 'Unknown';
