import { experts, fields } from 'fttscope/kit';
import { SET } from '../numbers.js';
import { CHECKSUM_STATUS, completeness, SCALE } from './values.js';

/* Fields and expert items of the TCP header; those of the options and of the analysis stand with them. */

/* The control bits. RFC 9293 §3.1 */
/** Control bits. RFC 9293 §3.1 */
export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;
export const URG = 32;

const bit = (name: string, label: string, mask: number) =>
  ({ name: `tcp.flags.${name}`, label, type: 'bool', mask, values: SET }) as const;

export const F = fields({
  tcp: { name: 'tcp', label: 'Transmission Control Protocol', type: 'protocol' },
  srcport: { name: 'tcp.srcport', label: 'Source Port', at: [0, 2], type: 'u16', aliases: ['tcp.port'] },
  dstport: { name: 'tcp.dstport', label: 'Destination Port', at: [2, 2], type: 'u16', aliases: ['tcp.port'] },
  stream: { name: 'tcp.stream', label: 'Stream index', type: 'u32' },
  completeness: { name: 'tcp.completeness', label: 'Conversation completeness', type: 'u8', values: completeness },
  len: { name: 'tcp.len', label: 'TCP Segment Len', type: 'u32' },
  seq: { name: 'tcp.seq', label: 'Sequence Number', type: 'u32' },
  seqRaw: { name: 'tcp.seq_raw', label: 'Sequence Number (raw)', at: [4, 4], type: 'u32' },
  nxtseq: { name: 'tcp.nxtseq', label: 'Next Sequence Number', type: 'u32' },
  ack: { name: 'tcp.ack', label: 'Acknowledgment Number', type: 'u32' },
  ackRaw: { name: 'tcp.ack_raw', label: 'Acknowledgment number (raw)', at: [8, 4], type: 'u32' },
  hdrLen: { name: 'tcp.hdr_len', label: 'Header Length', type: 'u8', unit: 'octets' },
  flags: { name: 'tcp.flags', label: 'Flags', at: [12, 2], type: 'u16', base: 'hex', mask: 0xfff },
  res: bit('res', 'Reserved', 0xe00),
  ae: bit('ae', 'Accurate ECN', 0x100),
  cwr: bit('cwr', 'Congestion Window Reduced', 0x80),
  ece: bit('ece', 'ECN-Echo', 0x40),
  urg: bit('urg', 'Urgent', URG),
  ackFlag: bit('ack', 'Acknowledgment', ACK),
  push: bit('push', 'Push', 0x08),
  reset: bit('reset', 'Reset', RST),
  syn: bit('syn', 'Syn', SYN),
  fin: bit('fin', 'Fin', FIN),
  str: { name: 'tcp.flags.str', label: 'TCP Flags', type: 'string' },
  window: { name: 'tcp.window_size_value', label: 'Window', at: [14, 2], type: 'u16' },
  calculated: { name: 'tcp.window_size', label: 'Calculated window size', type: 'u32' },
  scale: { name: 'tcp.window_size_scalefactor', label: 'Window size scaling factor', type: 'i32', values: SCALE },
  checksum: { name: 'tcp.checksum', label: 'Checksum', at: [16, 2], type: 'u16', base: 'hex' },
  status: { name: 'tcp.checksum.status', label: 'Checksum Status', type: 'u8', values: CHECKSUM_STATUS },
  urgent: { name: 'tcp.urgent_pointer', label: 'Urgent Pointer', at: [18, 2], type: 'u16' },
  payload: { name: 'tcp.payload', label: 'TCP payload', type: 'bytes' },
  segmentData: { name: 'tcp.segment_data', label: 'TCP segment data', type: 'bytes' },
  resetCause: { name: 'tcp.reset_cause', label: 'Reset cause', type: 'string' },
  segments: { name: 'tcp.segments', label: 'Reassembled TCP Segments', type: 'none' },
  segment: { name: 'tcp.segment', label: 'TCP Segment', type: 'frame' },
  count: { name: 'tcp.segment.count', label: 'Segment count', type: 'u32' },
  reassembledLength: { name: 'tcp.reassembled.length', label: 'Reassembled TCP length', type: 'u32' },
  reassembledData: { name: 'tcp.reassembled.data', label: 'Reassembled TCP Data', type: 'bytes' },
  synAckItem: {
    name: 'tcp.connection.synack',
    label: 'Connection establish acknowledge (SYN+ACK)',
    type: 'none',
  },
  synItem: { name: 'tcp.connection.syn', label: 'Connection establish request (SYN)', type: 'none' },
  finItem: { name: 'tcp.connection.fin', label: 'Connection finish (FIN)', type: 'none' },
  rstItem: { name: 'tcp.connection.rst', label: 'Connection reset (RST)', type: 'none' },
  finActive: {
    name: 'tcp.connection.fin_active',
    label: 'This frame initiates the connection closing',
    type: 'none',
  },
  finPassive: {
    name: 'tcp.connection.fin_passive',
    label: 'This frame undergoes the connection closing',
    type: 'none',
  },
  fastOpenAck: { name: 'tcp.analysis.tfo_ack', label: 'TCP SYN-ACK accepting TFO data', type: 'none' },
  fastOpenIgnored: { name: 'tcp.analysis.tfo_ignored', label: 'TCP SYN-ACK ignoring TFO data', type: 'none' },
  overlaps: { name: '_ws.malformed', label: 'Malformed Packet', type: 'string' },
  ackNonzero: {
    name: 'tcp.ack.nonzero',
    label: 'The acknowledgment number field is nonzero while the ACK flag is not set',
    type: 'none',
  },
  urgentNonzero: {
    name: 'tcp.urgent_pointer.non_zero',
    label: 'The urgent pointer field is nonzero while the URG flag is not set',
    type: 'none',
  },
  shortSegment: { name: 'tcp.short_segment', label: 'Short segment', type: 'none' },
  bogusLength: { name: 'tcp.bogus_header_length', label: 'Bogus TCP Header length', type: 'none' },
  badChecksum: { name: 'tcp.checksum_bad.expert', label: 'Bad checksum', type: 'none' },
});

export const E = experts({
  synAck: { code: 'tcp.syn-ack', severity: 'chat', message: 'Connection establish acknowledge (SYN+ACK)' },
  syn: { code: 'tcp.syn', severity: 'chat', message: 'Connection establish request (SYN)' },
  fin: { code: 'tcp.fin', severity: 'chat', message: 'Connection finish (FIN)' },
  rst: { code: 'tcp.rst', severity: 'warn', message: 'Connection reset (RST)' },
  finActive: { code: 'tcp.fin-active', severity: 'note', message: 'This frame initiates the connection closing' },
  finPassive: { code: 'tcp.fin-passive', severity: 'note', message: 'This frame undergoes the connection closing' },
  fastOpenAck: { code: 'tcp.fast-open-ack', severity: 'note', message: 'TCP SYN-ACK accepting TFO data' },
  fastOpenIgnored: { code: 'tcp.fast-open-ignored', severity: 'note', message: 'TCP SYN-ACK ignoring TFO data' },
  overlaps: {
    code: 'tcp.overlaps',
    severity: 'error',
    malformed: true,
    message: 'New fragment overlaps old data (retransmission?)',
  },
  ackNonzero: {
    code: 'tcp.ack-nonzero',
    severity: 'note',
    message: 'The acknowledgment number field is nonzero while the ACK flag is not set',
  },
  urgentNonzero: {
    code: 'tcp.urgent-nonzero',
    severity: 'note',
    message: 'The urgent pointer field is nonzero while the URG flag is not set',
  },
  shortSegment: {
    code: 'tcp.short-segment',
    severity: 'warn',
    malformed: true,
    message:
      'Short segment. Segment/fragment does not contain a full TCP header (might be NMAP or someone else deliberately sending unusual packets)',
  },
  bogusLength: {
    code: 'tcp.header-length',
    severity: 'error',
    message: 'Bogus TCP header length',
    clause: 'RFC 9293 §3.1',
  },
  badChecksum: { code: 'tcp.bad-checksum', severity: 'error', message: 'Bad checksum' },
});
