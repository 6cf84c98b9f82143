import {
  defineDissector,
  fields,
  hex,
  No,
  nameOf,
  need,
  put16,
  type Tree,
  u8,
  u16,
  type View,
  Yes,
} from 'fttscope/kit';

/**
 * Signalling Compression, RFC 3320 §7: what stands before the compressed octets, which are not decompressed.
 *
 *     0   1   2   3   4   5   6   7
 *     +---+---+---+---+---+---+---+---+
 *     | 1   1   1   1   1 | T |  len  |
 *     +---+---+---+---+---+---+---+---+
 *     : returned feedback item        :  if T = 1
 *     : partial state identifier      :  if len > 0; else
 *     | code_len (12) | destination   |  : UDVM bytecode :  code_len 0: a NACK, RFC 4077 §3.1
 *     : remaining SigComp message     :
 */
const PREFIX = 0xf8;
const STATE_OCTETS = [0, 6, 9, 12];
const SHA1 = 20;
const LENGTHS = { 0: 'No partial state (Message type 2)', 1: '(6 bytes)', 2: '(9 bytes)', 3: '(12 bytes)' };
/** RFC 3320 §7.3: bytecode goes to multiples of 64 from 128 on. */
const destination = (n: number): string => (n === 0 ? 'Reserved' : String(64 * (n + 1)));
/** RFC 4077 §3.2 */
const REASONS: Readonly<Record<number, string>> = Object.fromEntries(
  (
    'STATE_NOT_FOUND CYCLES_EXHAUSTED USER_REQUESTED SEGFAULT TOO_MANY_STATE_REQUESTS INVALID_STATE_ID_LENGTH ' +
    'INVALID_STATE_PRIORITY OUTPUT_OVERFLOW STACK_UNDERFLOW BAD_INPUT_BITORDER DIV_BY_ZERO SWITCH_VALUE_TOO_HIGH ' +
    'TOO_MANY_BITS_REQUESTED INVALID_OPERAND HUFFMAN_NO_MATCH MESSAGE_TOO_SHORT INVALID_CODE_LOCATION ' +
    'BYTECODES_TOO_LARGE INVALID_OPCODE INVALID_STATE_PROBE ID_NOT_UNIQUE MULTILOAD_OVERWRITTEN STATE_TOO_SHORT ' +
    'INTERNAL_ERROR FRAMING_ERROR'
  )
    .split(' ')
    .map((name, i) => [i + 1, name]),
);

const F = fields({
  sigcomp: { name: 'sigcomp', label: 'Signaling Compression', type: 'protocol' },
  t: { name: 'sigcomp.t.bit', label: 'T bit', type: 'u8', mask: 4 },
  length: {
    name: 'sigcomp.length',
    label: 'Partial state id length',
    type: 'u8',
    base: 'hex',
    mask: 3,
    values: LENGTHS,
  },
  feedbackLength: {
    name: 'sigcomp.returned.feedback.item.len',
    label: 'Returned feedback item length',
    type: 'u8',
    mask: 0x7f,
  },
  feedback: { name: 'sigcomp.returned.feedback.item', label: 'Returned_feedback item', type: 'bytes' },
  state: { name: 'sigcomp.partial.state.identifier', label: 'Partial state identifier', type: 'string' },
  codeLength: { name: 'sigcomp.code.len', label: 'Code length', type: 'u16', base: 'hex', mask: 0xfff0 },
  destination: {
    name: 'sigcomp.destination',
    label: 'Destination',
    type: 'u8',
    base: 'hex',
    mask: 0x0f,
    values: destination,
  },
  code: { name: 'sigcomp.udvm.byte-code', label: 'Uploaded UDVM bytecode', type: 'none' },
  remaining: { name: 'sigcomp.remaining-bytes', label: 'Remaining SigComp message bytes', type: 'u32' },
  message: { name: 'sigcomp.remaining_sigcomp_message', label: 'Remaining SigComp message', type: 'bytes' },
  nackVersion: { name: 'sigcomp.nack.ver', label: 'NACK Version', type: 'u8', mask: 0x0f },
  reason: { name: 'sigcomp.nack.reason', label: 'Reason Code', type: 'u8', values: REASONS },
  opcode: { name: 'sigcomp.nack.failed_op_code', label: 'OPCODE of failed instruction', type: 'u8' },
  counter: { name: 'sigcomp.nack.pc', label: 'PC of failed instruction', type: 'u16' },
  sha1: { name: 'sigcomp.nack.sha1', label: 'SHA-1 Hash of failed message', type: 'bytes' },
});

/** A message: an identifier of 6, 9 or 12 octets, or bytecode with its destination (1 to 15), and what follows. */
export interface SigComp {
  /** Absent: no returned feedback; at most 127 octets. */
  feedback?: Uint8Array;
  state?: Uint8Array;
  code?: Uint8Array;
  destination?: number;
  rest: Uint8Array;
}

export const sigcomp = defineDissector<SigComp>({
  proto: 'sigcomp',
  title: 'Signaling Compression',
  short: 'SIGCOMP',
  spec: 'RFC 3320',
  fields: F,
  on: { 'udp.port': [5555, 6666] },

  /** The first five bits are never those of text. RFC 3320 §7. */
  probe: (b, off, end) => (end > off && (b[off] & PREFIX) === PREFIX ? Yes : No),

  dissect(v, t) {
    need(v, 1);
    const { buf, off } = v;
    const first = u8(buf, off);
    t.open(F.sigcomp, off, v.length);
    t.bits(F.t, off, 1, first);
    t.bits(F.length, off, 1, first);
    const at = (first & 4) === 0 ? off + 1 : feedback(v, t, off + 1);
    const octets = STATE_OCTETS[first & 3];
    if (octets > 0) {
      need(v, octets, at);
      t.text(F.state, at, octets, hex(buf, at, octets, ''));
      t.num(F.remaining, at + octets, 0, v.end - at - octets);
    } else bytecode(v, t, at);
    t.pop();
  },

  summary(v) {
    if (v.length < 1) return 'Cut short';
    return `Msg format ${(u8(v.buf, v.off) & 3) === 0 ? 2 : 1}`;
  },

  codec: {
    parse(b, o, end) {
      const octets = STATE_OCTETS[b[o] & 3];
      let at = o + 1;
      const r: SigComp = { rest: new Uint8Array(0) };
      if ((b[o] & 4) !== 0) {
        const n = b[at] >= 0x80 ? b[at] & 0x7f : 0;
        r.feedback = b.slice(n > 0 ? at + 1 : at, at + 1 + n);
        at += 1 + n;
      }
      if (octets > 0) {
        r.state = b.slice(at, at + octets);
        at += octets;
      } else {
        const n = u16(b, at) >> 4;
        r.destination = b[at + 1] & 0x0f;
        r.code = b.slice(at + 2, Math.min(end, at + 2 + n));
        at += 2 + n;
      }
      r.rest = b.slice(Math.min(at, end), end);
      return r;
    },
    size: (r) => 1 + feedbackSize(r) + (r.state?.length ?? 2 + (r.code?.length ?? 0)) + r.rest.length,
    emit(r, b, o) {
      b[o] =
        PREFIX |
        (r.feedback === undefined ? 0 : 4) |
        (r.state === undefined ? 0 : STATE_OCTETS.indexOf(r.state.length));
      let at = o + 1;
      if (r.feedback !== undefined) {
        if (feedbackSize(r) > 1) b[at++] = 0x80 | r.feedback.length;
        b.set(r.feedback, at);
        at += r.feedback.length;
      }
      if (r.state === undefined) {
        put16(b, at, ((r.code?.length ?? 0) << 4) | (r.destination ?? 0));
        at += 2;
      }
      const body = r.state ?? r.code ?? new Uint8Array(0);
      b.set(body, at);
      b.set(r.rest, at + body.length);
      return at + body.length + r.rest.length - o;
    },
  },
});

/** RFC 3320 §7.1: one octet below 128, or a length and as many octets. */
function feedbackSize(r: SigComp): number {
  if (r.feedback === undefined) return 0;
  return r.feedback.length === 1 && r.feedback[0] < 0x80 ? 1 : 1 + r.feedback.length;
}

/** Returns the offset behind the returned feedback item. */
function feedback(v: View, t: Tree, at: number): number {
  need(v, 1, at);
  const octet = u8(v.buf, at);
  if (octet < 0x80) {
    t.bytes(F.feedback, at, 1);
    return at + 1;
  }
  const n = octet & 0x7f;
  t.bits(F.feedbackLength, at, 1, octet);
  need(v, n, at + 1);
  t.bytes(F.feedback, at + 1, n);
  return at + 1 + n;
}

function bytecode(v: View, t: Tree, at: number): void {
  need(v, 2, at);
  const { buf } = v;
  const n = u16(buf, at) >> 4;
  if (n === 0) {
    nack(v, t, at + 1);
    return;
  }
  t.bits(F.codeLength, at, 2, u16(buf, at));
  t.bits(F.destination, at + 1, 1, u8(buf, at + 1));
  need(v, n, at + 2);
  t.none(F.code, at + 2, n);
  const rest = at + 2 + n;
  if (rest < v.end) t.bytes(F.message, rest, v.end - rest);
}

/** RFC 4077 §3.1. */
function nack(v: View, t: Tree, at: number): void {
  const { buf } = v;
  t.bits(F.nackVersion, at, 1, u8(buf, at));
  need(v, 4 + SHA1, at + 1);
  t.num(F.reason, at + 1, 1, u8(buf, at + 1));
  if (t.labels) t.label(`Reason Code: ${nameOf(REASONS, u8(buf, at + 1))} (${u8(buf, at + 1)})`);
  t.num(F.opcode, at + 2, 1, u8(buf, at + 2));
  t.num(F.counter, at + 3, 2, u16(buf, at + 3));
  t.bytes(F.sha1, at + 5, SHA1);
}
