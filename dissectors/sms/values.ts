/** Names of values in short messages: 3GPP TS 24.011 §8, TS 23.040 §9.2, TS 23.038 §4, in Wireshark's words. */
import type { ValueStrings } from 'fttscope/kit';

/** Names for ranges: the last entry whose first value is not above `value`. */
export const ranges =
  (...list: readonly (readonly [from: number, name: string])[]): ValueStrings =>
  (value) => {
    let name: string | undefined;
    for (const [from, text] of list) if (value >= from) name = text;
    return name;
  };

/** Names of a bit. */
export const flag = (yes: string, no: string): ValueStrings => ({ 0: no, 1: yes });
export const YES = flag('Yes', 'No');
export const PRESENT = flag('Present', 'Not Present');
export const EXTENDED = flag('Extended', 'No extension');

export const RP_TYPES: Readonly<Record<number, string>> = {
  0: 'RP-DATA (MS to Network)',
  1: 'RP-DATA (Network to MS)',
  2: 'RP-ACK (MS to Network)',
  3: 'RP-ACK (Network to MS)',
  4: 'RP-ERROR (MS to Network)',
  5: 'RP-ERROR (Network to MS)',
  6: 'RP-SMMA (MS to Network)',
};

/** TS 24.011 §8.2.5.4 */
export const RP_CAUSES: Readonly<Record<number, string>> = {
  1: 'Unassigned (unallocated) number',
  8: 'Operator determined barring',
  10: 'Call barred',
  11: 'Reserved',
  21: 'Short message transfer rejected',
  22: 'Memory capacity exceeded',
  27: 'Destination out of order',
  28: 'Unidentified subscriber',
  29: 'Facility rejected',
  30: 'Unknown subscriber',
  38: 'Network out of order',
  41: 'Temporary failure',
  42: 'Congestion',
  47: 'Resources unavailable, unspecified',
  50: 'Requested facility not subscribed',
  69: 'Requested facility not implemented',
  81: 'Invalid short message transfer reference value',
  95: 'Semantically incorrect message',
  96: 'Invalid mandatory information',
  97: 'Message type non-existent or not implemented',
  98: 'Message not compatible with short message protocol state',
  99: 'Information element non-existent or not implemented',
  111: 'Protocol error, unspecified',
  127: 'Interworking, unspecified',
};

/** TS 24.008 §10.5.4.7 */
export const RP_NUMBER_TYPES: ValueStrings = {
  0: 'unknown',
  1: 'International Number',
  2: 'National number',
  3: 'Network Specific Number',
  4: 'Dedicated access, short code',
  5: 'Reserved',
  6: 'Reserved',
  7: 'Reserved for extension',
};
export const RP_PLANS: ValueStrings = {
  0: 'unknown',
  1: 'ISDN/Telephony Numbering (ITU-T Rec. E.164 / ITU-T Rec. E.163)',
  2: 'spare',
  3: 'Data Numbering (ITU-T Rec. X.121)',
  4: 'Telex Numbering (ITU-T Rec. F.69)',
  8: 'National Numbering',
  9: 'Private Numbering',
  13: 'Reserved for CTS (see 3GPP TS 44.056)',
  15: 'Reserved for extension',
};

/** TP-MTI, from the network and to it. TS 23.040 §9.2.3.1 */
export const DOWN_TYPES = ['SMS-DELIVER', 'SMS-SUBMIT REPORT', 'SMS-STATUS REPORT', 'Reserved'] as const;
export const UP_TYPES = ['SMS-DELIVER REPORT', 'SMS-SUBMIT', 'SMS-COMMAND', 'Reserved'] as const;

export const VPF: ValueStrings = {
  0: 'TP-VP field not present',
  1: 'TP-VP field present - enhanced format',
  2: 'TP-VP field present - relative format',
  3: 'TP-VP field present - absolute format',
};
export const MMS = flag(
  'No more messages are waiting for the MS in this SC',
  'More messages are waiting for the MS in this SC',
);
export const LP = flag(
  'The message has either been forwarded or is a spawned message',
  'The message has not been forwarded and is not a spawned message',
);
export const SRI = flag(
  'A status report shall be returned to the SME',
  'A status report shall not be returned to the SME',
);
export const SRR = flag('A status report is requested', 'A status report is not requested');
export const UDHI = flag(
  'The beginning of the TP UD field contains a Header in addition to the short message',
  'The TP UD field contains only the short message',
);
export const RP_PATH = flag(
  'TP Reply Path parameter is set in this SMS SUBMIT/DELIVER',
  'TP Reply Path parameter is not set in this SMS SUBMIT/DELIVER',
);
export const RD = flag('Instruct SC to reject duplicates', 'Instruct SC to accept duplicates');
export const SRQ = flag(
  'The SMS STATUS REPORT is the result of an SMS COMMAND e.g. an Enquiry.',
  'SMS STATUS REPORT is the result of a SMS SUBMIT.',
);

/** TS 23.040 §9.2.3.22 */
export const FAILURE_CAUSES = ranges(
  [0, 'Reserved'],
  [128, 'Telematic interworking not supported'],
  [129, 'Short message Type 0 not supported'],
  [130, 'Cannot replace short message'],
  [131, 'Reserved'],
  [143, 'Unspecified TP-PID error'],
  [144, 'Data coding scheme (alphabet) not supported'],
  [145, 'Message class not supported'],
  [146, 'Reserved'],
  [159, 'Unspecified TP-DCS error'],
  [160, 'Command cannot be actioned'],
  [161, 'Command unsupported'],
  [162, 'Reserved'],
  [175, 'Unspecified TP-Command error'],
  [176, 'TPDU not supported'],
  [177, 'Reserved'],
  [192, 'SC busy'],
  [193, 'No SC subscription'],
  [194, 'SC system failure'],
  [195, 'Invalid SME address'],
  [196, 'Destination SME barred'],
  [197, 'SM Rejected-Duplicate SM'],
  [198, 'TP-VPF not supported'],
  [199, 'TP-VP not supported'],
  [200, 'Reserved'],
  [208, '(U)SIM SMS storage full'],
  [209, 'No SMS storage capability in (U)SIM'],
  [210, 'Error in MS'],
  [211, 'Memory Capacity Exceeded'],
  [212, '(U)SIM Application Toolkit Busy'],
  [213, '(U)SIM data download error'],
  [214, 'Reserved'],
  [224, 'Value specific to an application'],
  [255, 'Unspecified error cause'],
);

/** TS 23.040 §9.1.2.5 */
export const NUMBER_TYPES: ValueStrings = {
  0: 'Unknown',
  1: 'International',
  2: 'National',
  3: 'Network specific',
  4: 'Subscriber',
  5: 'Alphanumeric (coded according to 3GPP TS 23.038 GSM 7-bit default alphabet)',
  6: 'Abbreviated number',
  7: 'Reserved for extension',
};
export const PLANS: ValueStrings = {
  0: 'Unknown',
  1: 'ISDN/telephone (E.164/E.163)',
  3: 'Data numbering plan (X.121)',
  4: 'Telex numbering plan',
  5: 'Service Centre Specific plan',
  6: 'Service Centre Specific plan',
  8: 'National numbering plan',
  9: 'Private numbering plan',
  10: 'ERMES numbering plan (ETSI DE/PS 3 01-3)',
  15: 'Reserved for extension',
};

/** TS 23.040 §9.2.3.9 */
export const TELEMATIC = flag('Yes', 'no telematic interworking, but SME-to-SME protocol');
export const DEVICES = ranges(
  [0, 'implicit - device type is specific to this SC, or can be concluded on the basis of the address'],
  [1, 'telex (or teletex reduced to telex format)'],
  [2, 'group 3 telefax'],
  [3, 'group 4 telefax'],
  [4, 'voice telephone (i.e. conversion to speech)'],
  [5, 'ERMES (European Radio Messaging System)'],
  [6, 'National Paging system (known to the SC)'],
  [7, 'Videotex (T.100 [20] /T.101 [21])'],
  [8, 'teletex, carrier unspecified'],
  [9, 'teletex, in PSPDN'],
  [10, 'teletex, in CSPDN'],
  [11, 'teletex, in analog PSTN'],
  [12, 'teletex, in digital ISDN'],
  [13, 'UCI (Universal Computer Interface, ETSI DE/PS 3 01-3)'],
  [14, 'Reserved'],
  [16, 'a message handling facility (known to the SC)'],
  [17, 'any public X.400-based message handling system'],
  [18, 'Internet Electronic Mail'],
  [19, 'Reserved'],
  [24, 'values specific to each SC'],
  [31, 'GSM/UMTS mobile station'],
);
export const PID_MESSAGES: ValueStrings = {
  0: 'Short Message Type 0',
  1: 'Replace Short Message Type 1',
  2: 'Replace Short Message Type 2',
  3: 'Replace Short Message Type 3',
  4: 'Replace Short Message Type 4',
  5: 'Replace Short Message Type 5',
  6: 'Replace Short Message Type 6',
  7: 'Replace Short Message Type 7',
  8: 'Device Triggering Short Message',
  30: 'Enhanced Message Service (Obsolete)',
  31: 'Return Call Message',
  60: 'ANSI-136 R-DATA',
  61: 'ME Data download',
  62: 'ME De-personalization Short Message',
  63: '(U)SIM Data download',
};

/** TS 23.038 §4; for the field of two bits by those two alone. */
export const CODING_GROUPS_2: ValueStrings = {
  0: 'General Data Coding indication',
  1: 'Message Marked for Automatic Deletion Group',
  2: 'Reserved coding groups',
};
export const CODING_GROUPS_4: ValueStrings = {
  8: 'Reserved coding groups',
  9: 'Reserved coding groups',
  10: 'Reserved coding groups',
  11: 'Reserved coding groups',
  12: 'Message Waiting Indication Group: Discard Message',
  13: 'Message Waiting Indication Group: Store Message',
  14: 'Message Waiting Indication Group: Store Message',
  15: 'Data coding/message class',
};
export const CHARACTER_SETS: ValueStrings = {
  0: 'GSM 7 bit default alphabet',
  1: '8 bit data',
  2: 'UCS2 (16 bit)/UTF-16',
  3: 'Reserved',
};
export const CLASSES: ValueStrings = {
  0: 'Class 0',
  1: 'Class 1 Default meaning: ME-specific',
  2: 'Class 2 (U)SIM specific message',
  3: 'Class 3 Default meaning: TE-specific',
};
export const COMPRESSED = flag('Compressed', 'Not compressed');
export const CLASS_DEFINED = flag('Defined below', 'Reserved, no message class');
export const SENSE = flag('Set Indication Active', 'Set Indication Inactive');
export const WAITING: ValueStrings = { 0: 'Voicemail', 1: 'Fax', 2: 'Electronic Mail', 3: 'Other' };
export const CODING = flag('8 bit data', 'GSM 7 bit default alphabet');

/** TS 23.040 §9.2.3.12.3 */
export const VALIDITY: ValueStrings = {
  0: 'None specified',
  1: 'Relative',
  2: 'Relative',
  3: 'Relative',
  4: 'Reserved',
  5: 'Reserved',
  6: 'Reserved',
  7: 'Reserved',
};

/** TS 23.040 §9.2.3.15 */
export const STATUS_DEFINITION = flag('Reserved', 'as follows');
export const STATUS_ERRORS: Readonly<Record<number, string>> = {
  0: 'No error, short message transaction completed',
  1: 'Temporary error, SC still trying to transfer SM',
  2: 'Permanent error, SC is not making any more transfer attempts',
  3: 'Temporary error, SC is not making any more transfer attempts',
};
const STATUS_REASONS: readonly (readonly string[])[] = [
  [
    'Short message received by the SME',
    'Short message forwarded by the SC to the SME but the SC is unable to confirm delivery',
    'Short message replaced by the SC',
  ],
  [
    'Congestion',
    'SME busy',
    'No response from SME',
    'Service rejected',
    'Quality of service not available',
    'Error in SME',
  ],
  [
    'Remote procedure error',
    'Incompatible destination',
    'Connection rejected by SME',
    'Not obtainable',
    'Quality of service not available',
    'No interworking available',
    'SM Validity Period Expired',
    'SM Deleted by originating SME',
    'SM Deleted by SC Administration',
    'SM does not exist',
  ],
  [
    'Congestion',
    'SME busy',
    'No response from SME',
    'Service rejected',
    'Quality of service not available',
    'Error in SME',
  ],
];

/** Name of the reason in a TP-Status. */
export function statusReason(status: number): string {
  const reason = status & 0x1f;
  return STATUS_REASONS[(status >> 5) & 3][reason] ?? (reason < 16 ? 'Reserved' : 'Values specific to each SC');
}

/** TS 23.040 §9.2.3.19 */
export const COMMANDS = ranges(
  [0, 'Enquiry relating to previously submitted short message'],
  [1, 'Cancel Status Report Request relating to previously submitted short message'],
  [2, 'Delete previously submitted Short Message'],
  [3, 'Enable Status Report Request relating to previously submitted short message'],
  [4, 'Reserved unspecified'],
  [32, 'Undefined'],
  [224, 'Values specific for each SC'],
);
