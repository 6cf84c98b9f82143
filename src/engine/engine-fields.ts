import { experts, fields, type Severity } from '../kit/index.js';

/** Numbers of the severities, as Wireshark has them. */
export const SEVERITIES: Readonly<Record<Severity, number>> = {
  chat: 0x200000,
  note: 0x400000,
  warn: 0x600000,
  error: 0x800000,
};
const SEVERITY_NAMES = { 2097152: 'Chat', 4194304: 'Note', 6291456: 'Warning', 8388608: 'Error' };

const F = fields({
  malformed: { name: '_ws.malformed', label: 'Malformed Packet', type: 'string' },
  // Wireshark's expert item has the name of the field as its value.
  malformedItem: { name: '_ws.malformed', label: 'Malformed Packet', type: 'string', hidden: true },
  short: { name: '_ws.short', label: 'Packet size limited during capture', type: 'string' },
  message: { name: '_ws.expert.message', label: 'Message', type: 'string', aliases: ['_ws.expert'] },
  severity: { name: '_ws.expert.severity', label: 'Severity level', type: 'u32', values: SEVERITY_NAMES },
  tunnel: { name: 'tunnel.id', label: 'Tunnel', type: 'u32' },
  direction: { name: 'tunnel.direction', label: 'Direction in the tunnel', type: 'string' },
  gap: { name: 'fttims.gap', label: 'Octets of the tunnel missing before it', type: 'u32' },
  code: { name: 'finding.code', label: 'Finding', type: 'string' },
  columnProtocol: { name: '_ws.col.protocol', label: 'Protocol column', type: 'string' },
  columnInfo: { name: '_ws.col.info', label: 'Info column', type: 'string' },
});
/** Fields that the engine itself adds. */
export const engineFields = F;
/** Those that say what dissectors noticed, and where they failed. */
export const expertFields = {
  message: F.message,
  severity: F.severity,
  code: F.code,
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
  fault: { code: 'frame.dissector-fault', severity: 'error', message: 'Dissector fault' },
});
