import { defineDissector, experts, fields, need, type Tree, u8, u16, u32, type View } from 'fttscope/kit';

/**
 * Intermediate System to Intermediate System, ISO 10589 §9: the header that all packets begin with, and of link state
 * packets the rest; the others are named.
 *
 *     0        1        2        3        4        5        6        7
 *     +--------+--------+--------+--------+---+----+--------+--------+--------+
 *     |  0x83  | length |version | ID len |res|type|version |reserved|  areas |
 *     +--------+--------+--------+--------+---+----+--------+--------+--------+
 *
 *     0                 2                 4                          12                20       22       23
 *     +-----------------+-----------------+---------- - - -----------+-----------------+--------+--------+- - -
 *     |   PDU length    | remaining life  |     LSP ID (8 octets)    | sequence number |checksum|  type  | TLVs …
 *     +-----------------+-----------------+---------- - - -----------+-----------------+--------+--------+- - -
 */
const HEADER = 8;
const LSP_HEADER = 19;
const NLPID = 0x83;
const KINDS: Readonly<Record<number, string>> = {
  ...{ 15: 'hello', 16: 'hello', 17: 'hello', 18: 'lsp', 20: 'lsp' },
  ...{ 24: 'csnp', 25: 'csnp', 26: 'psnp', 27: 'psnp' },
};
const TYPES = {
  ...{ 15: 'L1 HELLO', 16: 'L2 HELLO', 17: 'P2P HELLO', 18: 'L1 LSP', 20: 'L2 LSP' },
  ...{ 24: 'L1 CSNP', 25: 'L2 CSNP', 26: 'L1 PSNP', 27: 'L2 PSNP' },
};
/** RFC 8202 §3.1. */
const INSTANCE = 7;

const F = fields({
  isis: {
    name: 'isis',
    label: 'ISO 10589 ISIS InTRA Domain Routeing Information Exchange Protocol',
    type: 'protocol',
  },
  discriminator: { name: 'isis.irpd', label: 'Intradomain Routing Protocol Discriminator', type: 'u8', base: 'hex' },
  length: { name: 'isis.len', label: 'Length Indicator', type: 'u8' },
  version: { name: 'isis.version', label: 'Version/Protocol ID Extension', type: 'u8' },
  idLength: { name: 'isis.sysid_len', label: 'ID Length', type: 'u8' },
  typeReserved: { name: 'isis.type.reserved', label: 'Reserved', type: 'u8', base: 'hex', mask: 0xe0 },
  type: { name: 'isis.type', label: 'PDU Type', type: 'u8', mask: 0x1f, values: TYPES },
  version2: { name: 'isis.version2', label: 'Version', type: 'u8' },
  reserved: { name: 'isis.reserved', label: 'Reserved', type: 'u8' },
  areas: { name: 'isis.max_area_adr', label: 'Maximum Area Addresses', type: 'u8' },
});
const L = fields({
  lsp: { name: 'isis.lsp', label: 'ISO 10589 ISIS Link State Protocol Data Unit', type: 'protocol' },
  length: { name: 'isis.lsp.pdu_length', label: 'PDU length', type: 'u16' },
  life: { name: 'isis.lsp.remaining_life', label: 'Remaining lifetime', type: 'u16' },
  id: { name: 'isis.lsp.lsp_id', label: 'LSP-ID', type: 'bytes' },
  sequence: { name: 'isis.lsp.sequence_number', label: 'Sequence number', type: 'u32', base: 'hex' },
  checksum: { name: 'isis.lsp.checksum', label: 'Checksum', type: 'u16', base: 'hex' },
  block: { name: 'isis.lsp.is_type', label: 'Type of Intermediate System', type: 'u8', mask: 0x03 },
  tlvType: { name: 'isis.lsp.clv.type', label: 'Type', type: 'u8' },
  tlvLength: { name: 'isis.lsp.clv.length', label: 'Length', type: 'u8' },
});

const E = experts({
  reserved: { code: 'isis.reserved', severity: 'warn', message: 'Reserved must be 0', clause: 'ISO 10589 §9.5' },
});
const LE = experts({
  long: {
    code: 'isis.lsp.long',
    severity: 'error',
    malformed: true,
    message: 'PDU length greater than packet length',
    clause: 'ISO 10589 §9.8',
  },
  short: {
    code: 'isis.lsp.short-clv',
    severity: 'error',
    malformed: true,
    message: 'short address (no length for payload)',
    clause: 'RFC 8202 §3.1',
  },
});

export const isis = defineDissector({
  proto: 'isis',
  title: 'ISO 10589 ISIS InTRA Domain Routeing Information Exchange Protocol',
  short: 'ISIS',
  spec: 'ISO 10589',
  fields: F,
  experts: E,
  on: { 'osi.nlpid': [NLPID] },
  tables: ['isis.type'],

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.isis, off, Math.min(v.length, HEADER));
    need(v, HEADER);
    t.num(F.discriminator, off, 1, u8(buf, off));
    t.num(F.length, off + 1, 1, u8(buf, off + 1));
    t.num(F.version, off + 2, 1, u8(buf, off + 2));
    t.num(F.idLength, off + 3, 1, u8(buf, off + 3));
    t.bits(F.typeReserved, off + 4, 1, u8(buf, off + 4));
    t.bits(F.type, off + 4, 1, u8(buf, off + 4));
    t.num(F.version2, off + 5, 1, u8(buf, off + 5));
    t.num(F.reserved, off + 6, 1, u8(buf, off + 6));
    if (u8(buf, off + 6) !== 0) t.expert(E.reserved);
    t.num(F.areas, off + 7, 1, u8(buf, off + 7));
    t.pop();
    const kind = KINDS[u8(buf, off + 4) & 0x1f];
    if (kind !== undefined) cx.next('isis.type', kind, v);
  },

  summary: (v) => (v.length > 4 ? (TYPES[(u8(v.buf, v.off + 4) & 0x1f) as keyof typeof TYPES] ?? 'Unknown') : ''),
});

/** Takes the whole packet, as do those that are only named. */
export const isisLsp = defineDissector({
  proto: 'isis.lsp',
  title: 'ISO 10589 ISIS Link State Protocol Data Unit',
  short: 'ISIS LSP',
  spec: 'ISO 10589 §9.8',
  fields: L,
  experts: LE,
  on: { 'isis.type': ['lsp'] },

  dissect(v, t) {
    const { buf } = v;
    const at = v.off + HEADER;
    t.open(L.lsp, at, v.length - HEADER);
    need(v, LSP_HEADER, at);
    const length = u16(buf, at);
    t.num(L.length, at, 2, length);
    if (length > v.wireLength) t.expert(LE.long);
    t.num(L.life, at + 2, 2, u16(buf, at + 2));
    t.bytes(L.id, at + 4, 8);
    t.num(L.sequence, at + 12, 4, u32(buf, at + 12));
    t.num(L.checksum, at + 16, 2, u16(buf, at + 16));
    t.bits(L.block, at + 18, 1, u8(buf, at + 18));
    variables(v, t, at + LSP_HEADER, v.off + length);
    t.pop();
  },
});

/** Fields of variable length: code, length, value. */
function variables(v: View, t: Tree, from: number, end: number): void {
  const { buf } = v;
  for (let at = from; at < end; ) {
    need(v, 2, at);
    const length = u8(buf, at + 1);
    t.num(L.tlvType, at, 1, u8(buf, at));
    t.num(L.tlvLength, at + 1, 1, length);
    need(v, length, at + 2);
    if (u8(buf, at) === INSTANCE && length === 0) t.expert(LE.short);
    at += 2 + length;
  }
}
