import { type Ctx, defineDissector, fields, nameOf, need, type Tree, table, u8, u16, u32, View } from 'fttscope/kit';

/**
 * WebSocket, RFC 6455 §5.2, after an upgrade of HTTP:
 *
 *     0               1               2
 *     +-+-+-+-+-------+-+-------------+-------- - - ----------+------ - - --------+---- - -
 *     |F|R|R|R|opcode |M|   length    | more length (16, 64)  | masking key (32)  | payload …
 *     +-+-+-+-+-------+-+-------------+-------- - - ----------+------ - - --------+---- - -
 */
const OPCODES: Readonly<Record<number, string>> = {
  ...{ 0: 'Continuation', 1: 'Text', 2: 'Binary', 8: 'Connection Close', 9: 'Ping', 10: 'Pong' },
};
const Opcode = { Text: 1, Close: 8 } as const;
/** Dissectors of what frames carry, by the subprotocol that both ends settled on. RFC 7118. */
const SUBPROTOCOLS = table<string>({ sip: 'sip' });
const LONG = 126;
const LONGER = 127;

const F = fields({
  websocket: { name: 'websocket', label: 'WebSocket', type: 'protocol' },
  fin: { name: 'websocket.fin', label: 'Fin', type: 'bool', mask: 0x80 },
  reserved: { name: 'websocket.rsv', label: 'Reserved', type: 'u8', base: 'hex', mask: 0x70 },
  opcode: { name: 'websocket.opcode', label: 'Opcode', type: 'u8', mask: 0x0f, values: OPCODES },
  mask: { name: 'websocket.mask', label: 'Mask', type: 'bool', mask: 0x80 },
  length: { name: 'websocket.payload_length', label: 'Payload length', type: 'u8', mask: 0x7f },
  length16: {
    name: 'websocket.payload_length_ext_16',
    label: 'Extended Payload length (16 bits)',
    type: 'u16',
  },
  length64: { name: 'websocket.payload_length_ext_64', label: 'Extended Payload length (64 bits)', type: 'u64' },
  key: { name: 'websocket.masking_key', label: 'Masking-Key', type: 'bytes' },
  payload: { name: 'websocket.payload', label: 'Payload', type: 'none' },
  closeCode: { name: 'websocket.payload.close.status_code', label: 'Close', type: 'u16' },
  closeReason: { name: 'websocket.payload.close.reason', label: 'Reason', type: 'string' },
});

/** What a frame is told about its connection. */
export interface WebSocketNote {
  /** What the server took of what the client offered, '' if nothing. RFC 6455 §1.9. */
  readonly subprotocol: string;
}

/** Octets of the header of the frame at `off`, 0 while it is not all there. */
function headerLength(b: Uint8Array, off: number, end: number): number {
  if (end - off < 2) return 0;
  const n = b[off + 1] & 0x7f;
  const size = 2 + (n === LONG ? 2 : n === LONGER ? 8 : 0) + (b[off + 1] >= 0x80 ? 4 : 0);
  return end - off < size ? 0 : size;
}

/** Octets of its payload. */
function payloadLength(b: Uint8Array, off: number): number {
  const n = b[off + 1] & 0x7f;
  if (n === LONG) return u16(b, off + 2);
  return n === LONGER ? u32(b, off + 2) * 0x1_0000_0000 + u32(b, off + 6) : n;
}

export const websocket = defineDissector({
  proto: 'websocket',
  title: 'WebSocket',
  short: 'WebSocket',
  spec: 'RFC 6455',
  fields: F,
  calls: ['data-text-lines', 'sip'],

  pduLength(b, off, end) {
    const header = headerLength(b, off, end);
    return header === 0 ? 0 : header + payloadLength(b, off);
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.websocket, off, v.length);
    need(v, 2);
    t.bits(F.fin, off, 1, u8(buf, off));
    t.bits(F.reserved, off, 1, u8(buf, off));
    t.bits(F.opcode, off, 1, u8(buf, off));
    t.bits(F.mask, off + 1, 1, u8(buf, off + 1));
    t.bits(F.length, off + 1, 1, u8(buf, off + 1));
    const header = headerLength(buf, off, v.end);
    need(v, header === 0 ? v.length + 1 : header);
    const code = u8(buf, off + 1) & 0x7f;
    if (code === LONG) t.num(F.length16, off + 2, 2, u16(buf, off + 2));
    if (code === LONGER && t.wanted(F.length64)) t.big(F.length64, off + 2, 8, BigInt(payloadLength(buf, off)));
    const masked = u8(buf, off + 1) >= 0x80;
    if (masked) t.bytes(F.key, off + header - 4, 4);
    const body = v.sub(off + header, off + header + payloadLength(buf, off));
    const { subprotocol = '' } = cx.note<WebSocketNote>(websocket, v) ?? {};
    const inner = masked ? unmasked(body, off + header - 4) : body;
    if (body.length > 0) payload(inner, t, cx, u8(buf, off) & 0x0f, SUBPROTOCOLS[subprotocol.toLowerCase()]);
    t.pop();
  },

  summary: (v) => (v.length < 1 ? '' : `WebSocket ${nameOf(OPCODES, u8(v.buf, v.off) & 0x0f)}`),
});

/** RFC 6455 §5.3. */
function unmasked(v: View, key: number): View {
  const out = v.buf.slice(v.off, v.end);
  for (let i = 0; i < out.length; i++) out[i] = u8(out, i) ^ u8(v.buf, key + (i & 3));
  return View.of(out, 'Unmasked data');
}

function payload(v: View, t: Tree, cx: Ctx, opcode: number, inner: string | undefined): void {
  const before = t.enter(v.source);
  const depth = t.level;
  t.none(F.payload, v.off, v.length);
  t.push();
  if (inner !== undefined && opcode < Opcode.Close) cx.call(inner, v);
  else if (opcode === Opcode.Text) cx.call('data-text-lines', v);
  else if (opcode === Opcode.Close && v.length >= 2) {
    t.num(F.closeCode, v.off, 2, u16(v.buf, v.off));
    if (v.length > 2) t.text(F.closeReason, v.off + 2, v.length - 2);
  } else if (opcode < Opcode.Close) cx.data(v);
  t.leave(before, depth);
}
