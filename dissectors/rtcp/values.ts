/** Names of values, in Wireshark's words. */

export const VERSIONS = { 0: 'Old VAT Version', 1: 'First Draft Version', 2: 'RFC 1889 Version' };

/** Packet types, RFC 3550 §12.1 and the registry that grew from it. */
export const Type = {
  Fir: 192,
  Nack: 193,
  Jitter: 195,
  SenderReport: 200,
  ReceiverReport: 201,
  Description: 202,
  Goodbye: 203,
  Application: 204,
  TransportFeedback: 205,
  PayloadFeedback: 206,
  Extended: 207,
} as const;

/** What packet types are called. RFC 3550 §12.1 */
export const TYPES: Readonly<Record<number, string>> = {
  192: 'Full Intra-frame Request (H.261)',
  193: 'Negative Acknowledgement (H.261)',
  194: 'SMPTE time-code mapping',
  195: 'Extended inter-arrival jitter report',
  200: 'Sender Report',
  201: 'Receiver Report',
  202: 'Source description',
  203: 'Goodbye',
  204: 'Application specific',
  205: 'Generic RTP Feedback',
  206: 'Payload-specific Feedback',
  207: 'Extended report (RFC 3611)',
  208: 'AVB RTCP packet (IEEE1733)',
  209: 'Receiver Summary Information',
  210: 'Port Mapping',
};

/** Item types of a source description, RFC 3550 §12.2. */
export const ITEMS = {
  0: 'END',
  1: 'CNAME (user and domain)',
  2: 'NAME (common name)',
  3: 'EMAIL (e-mail address)',
  4: 'PHONE (phone number)',
  5: 'LOC (geographic location)',
  6: 'TOOL (name/version of source app)',
  7: 'NOTE (note about source)',
  8: 'PRIV (private extensions)',
  9: 'H323-CADDR (H.323 callable address)',
  10: 'Application Specific Identifier',
};

/** Transport feedback, RFC 4585 §6.2, RFC 5104 §4.2. */
export const TRANSPORT_FEEDBACK = {
  1: 'Generic negative acknowledgement (NACK)',
  3: 'Temporary Maximum Media Stream Bit Rate Request (TMMBR)',
  4: 'Temporary Maximum Media Stream Bit Rate Notification (TMMBN)',
  15: 'Transport-wide Congestion Control (Transport-cc)',
  31: 'Reserved for future extensions',
};

/** Payload-specific feedback, RFC 4585 §6.3, RFC 5104 §4.3. */
export const PAYLOAD_FEEDBACK = {
  1: 'Picture Loss Indication',
  2: 'Slice Loss Indication',
  3: 'Reference Picture Selection Indication',
  4: 'Full Intra Request (FIR) Command',
  5: 'Temporal-Spatial Trade-off Request (TSTR)',
  6: 'Temporal-Spatial Trade-off Notification (TSTN)',
  7: 'Video Back Channel Message (VBCM)',
  15: 'Application Layer Feedback',
  31: 'Reserved for future extensions',
};
/** Their short names in the Info column. */
export const PAYLOAD_FEEDBACK_SHORT = {
  ...{ 1: 'PLI', 2: 'SLI', 3: 'RPSI', 4: 'FIR', 5: 'TSTR', 6: 'TSTN', 7: 'VBCM', 15: 'ALFB', 31: 'Reserved' },
};

/** Profile-specific extensions of reports; the names are Microsoft's, [MS-RTP] §2.2.11. */
export const EXTENSIONS = {
  1: 'MS - Estimated Bandwidth',
  4: 'MS - Packet Loss Notification',
  5: 'MS - Video Preference',
  6: 'MS - Padding',
  7: 'MS - Policy Server Bandwidth',
  8: 'MS - TURN Server Bandwidth',
  9: 'MS - Audio Healer Metrics',
  10: 'MS - Receiver-side Bandwidth Limit',
  11: 'MS - Packet Train Packet',
  12: 'MS - Peer Info Exchange',
  13: 'MS - Network Congestion Notification',
  14: 'MS - Modality Send Bandwidth Limit',
};

/** Blocks of an extended report, RFC 3611 §4 and later. */
export const Block = {
  LossRle: 1,
  DuplicateRle: 2,
  ReceiptTimes: 3,
  ReferenceTime: 4,
  Dlrr: 5,
  Statistics: 6,
  VoipMetrics: 7,
  Xnq: 8,
  RepairedRle: 10,
  Idms: 12,
} as const;

/** Types of blocks of extended reports, and words in them. RFC 3611 §4 */
export const BLOCKS = {
  1: 'Loss Run Length Encoding Report Block',
  2: 'Duplicate Run Length Encoding Report Block',
  3: 'Packet Receipt Times Report Block',
  4: 'Receiver Reference Time Report Block',
  5: 'DLRR Report Block',
  6: 'Statistics Summary Report Block',
  7: 'VoIP Metrics Report Block',
  8: 'BT XNQ RTCP XR (RFC5093) Report Block',
  9: 'Texas Instruments Extended VoIP Quality Block',
  10: 'Post-repair Loss RLE Report Block',
  11: 'Multicast Acquisition Report Block',
  12: 'Inter-destination Media Synchronization Block',
};

export const CONCEALMENT = { 0: 'Unspecified', 1: 'Disabled', 2: 'Enhanced', 3: 'Standard' };
export const ADAPTATION = { 0: 'Unknown', 1: 'Reserved', 2: 'Non-Adaptive', 3: 'Adaptive' };
export const HOP_LIMIT = { 0: 'No TTL Values', 1: 'IPv4', 2: 'IPv6', 3: 'Undefined' };
export const SENDER_TYPES = { 0: 'Reserved', 1: 'SC', 2: 'MSAS', 3: "SC' INPUT", 4: "SC' OUTPUT" };
