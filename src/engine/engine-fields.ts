import { experts, fields, type Severity } from '../kit/index.js';
import { CALL_STATES, RELEASED_BY, RELEASES, TUNNEL_STATES } from '../model/states.js';

/** Numbers of the severities, as Wireshark has them. */
export const SEVERITIES: Readonly<Record<Severity, number>> = {
  comment: 0x100000,
  chat: 0x200000,
  note: 0x400000,
  warn: 0x600000,
  error: 0x800000,
};
export const SEVERITY_NAMES: Readonly<Record<number, string>> = {
  1048576: 'Comment',
  2097152: 'Chat',
  4194304: 'Note',
  6291456: 'Warning',
  8388608: 'Error',
};

const F = fields({
  malformed: { name: '_ws.malformed', label: 'Malformed Packet', type: 'string' },
  // Wireshark's expert item has the name of the field as its value.
  malformedItem: { name: '_ws.malformed', label: 'Malformed Packet', type: 'string', hidden: true },
  short: { name: '_ws.short', label: 'Packet size limited during capture', type: 'string' },
  message: { name: '_ws.expert.message', label: 'Message', type: 'string', aliases: ['_ws.expert'] },
  severity: { name: '_ws.expert.severity', label: 'Severity level', type: 'u32', values: SEVERITY_NAMES },
  tunnel: { name: 'tunnel.id', label: 'Tunnel', type: 'u32' },
  direction: { name: 'tunnel.direction', label: 'Direction in the tunnel', type: 'string', words: ['up', 'down'] },
  gap: { name: 'fttims.gap', label: 'Octets of the tunnel missing before it', type: 'u32' },
  code: { name: 'finding.code', label: 'Finding', type: 'string' },
  findingSeverity: {
    name: 'finding.severity',
    label: 'Severity of the finding',
    type: 'u8',
    values: { 1: 'note', 2: 'warn', 3: 'error' },
  },
  columnProtocol: { name: '_ws.col.protocol', label: 'Protocol column', type: 'string' },
  columnInfo: { name: '_ws.col.info', label: 'Info column', type: 'string' },
});
/** Values of `finding.severity`; what has 0 is none. */
export const FINDING_SEVERITIES: Readonly<Record<Severity, number>> = {
  comment: 0,
  chat: 0,
  note: 1,
  warn: 2,
  error: 3,
};

/** What a report says of the tunnels, calls, streams and findings that rows belong to. */
export const hindsightFields = fields({
  tunnelState: { name: 'tunnel.state', label: 'Tunnel state', type: 'string', words: TUNNEL_STATES, atEnd: true },
  tunnelReleasedBy: {
    name: 'tunnel.released_by',
    label: 'Tunnel released by',
    type: 'string',
    words: RELEASED_BY,
    atEnd: true,
  },
  tunnelRelease: {
    name: 'tunnel.release',
    label: 'How the tunnel was released',
    type: 'string',
    words: RELEASES,
    atEnd: true,
  },
  call: { name: 'call.id', label: 'Call', type: 'u32', atEnd: true },
  callState: { name: 'call.state', label: 'Call state', type: 'string', words: CALL_STATES, atEnd: true },
  callDirection: {
    name: 'call.direction',
    label: 'Call direction',
    type: 'string',
    words: ['originated', 'terminated'],
    atEnd: true,
  },
  callStatus: { name: 'call.status', label: 'Status that the call failed with', type: 'u16', atEnd: true },
  callEmergency: { name: 'call.emergency', label: 'Emergency call', type: 'bool', atEnd: true },
  callPdd: { name: 'call.pdd_ms', label: 'Post-dial delay', type: 'float', unit: 'ms', atEnd: true },
  callSetup: { name: 'call.setup_ms', label: 'Call setup', type: 'float', unit: 'ms', atEnd: true },
  callDuration: { name: 'call.duration_ms', label: 'Call duration', type: 'float', unit: 'ms', atEnd: true },
  callReleasedBy: {
    name: 'call.released_by',
    label: 'Call released by',
    type: 'string',
    words: ['caller', 'callee'],
    atEnd: true,
  },
  media: { name: 'media.id', label: 'Media stream', type: 'u32', atEnd: true },
  codec: { name: 'media.codec', label: 'Codec of the stream', type: 'string', atEnd: true },
  lost: { name: 'media.lost', label: 'Packets that the stream lost', type: 'u32', atEnd: true },
  loss: { name: 'media.loss', label: 'Loss of the stream', type: 'float', unit: '%', atEnd: true },
  burst: { name: 'media.burst', label: 'Longest burst of loss, in packets', type: 'u32', atEnd: true },
  jitter: { name: 'media.jitter_ms', label: 'Mean jitter of the stream', type: 'float', unit: 'ms', atEnd: true },
  jitterMax: {
    name: 'media.jitter_max_ms',
    label: 'Greatest jitter of the stream',
    type: 'float',
    unit: 'ms',
    atEnd: true,
  },
  mos: { name: 'media.mos', label: 'Estimated quality of the stream (MOS)', type: 'float', atEnd: true },
});

/** Fields that the engine itself adds. */
export const engineFields = { ...F, ...hindsightFields };
/** Those that say what dissectors noticed, and where they failed. */
export const expertFields = {
  message: F.message,
  severity: F.severity,
  code: F.code,
  findingSeverity: F.findingSeverity,
  malformed: F.malformed,
  malformedItem: F.malformedItem,
  short: F.short,
};

/** Columns that filters may name; they are in no tree but while a filter is asked ({@link Dissection.withColumns}). */
export const columnFields = { protocol: F.columnProtocol, info: F.columnInfo };

/** What the engine itself notices. */
export const engineExperts = experts({
  malformed: {
    code: 'frame.malformed',
    severity: 'error',
    malformed: true,
    message: 'Malformed Packet (Exception occurred)',
  },
  tooDeep: { code: 'frame.too-many-layers', severity: 'warn', message: 'Layers nest too deep; the rest is not shown' },
  fault: { code: 'frame.dissector-fault', severity: 'error', message: 'Dissector bug' },
});
