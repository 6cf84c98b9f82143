import {
  defineDissector,
  experts,
  fields,
  hexNumber,
  No,
  need,
  type Tree,
  u16,
  u32,
  type View,
  Yes,
} from 'fttscope/kit';

/**
 * Label Distribution Protocol, RFC 5036 §3.1: the header of a PDU, and what messages it holds.
 *
 *     0                 2                 4                                  8                 10
 *     +-----------------+-----------------+----------------------------------+-----------------+
 *     |     version     |   PDU length    |              LSR ID              |   label space   |
 *     +-----------------+-----------------+----------------------------------+-----------------+
 *     |U|     type      |  message length |            message ID            | parameters …
 *     +-----------------+-----------------+----------------------------------+---- - -
 */
const HEADER = 10;
const MESSAGE = 8;
const MESSAGES: Readonly<Record<number, string>> = {
  ...{ 1: 'Notification Message', 256: 'Hello Message', 512: 'Initialization Message' },
  ...{ 513: 'Keep Alive Message', 768: 'Address Message', 769: 'Address Withdrawal Message' },
  ...{ 1024: 'Label Mapping Message', 1025: 'Label Request Message', 1026: 'Label Withdrawal Message' },
  ...{ 1027: 'Label Release Message', 1028: 'Label Abort Request Message' },
};

const F = fields({
  ldp: { name: 'ldp', label: 'Label Distribution Protocol', type: 'protocol' },
  version: { name: 'ldp.hdr.version', label: 'Version', type: 'u16' },
  length: { name: 'ldp.hdr.pdu_len', label: 'PDU Length', type: 'u16' },
  router: { name: 'ldp.hdr.ldpid.lsr', label: 'LSR ID', type: 'ipv4' },
  space: { name: 'ldp.hdr.ldpid.lsid', label: 'Label Space ID', type: 'u16' },
  unknown: { name: 'ldp.msg.ubit', label: 'U bit', type: 'bool', mask: 0x8000 },
  type: { name: 'ldp.msg.type', label: 'Message Type', type: 'u16', base: 'hex', mask: 0x7fff, values: MESSAGES },
  messageLength: { name: 'ldp.msg.len', label: 'Message Length', type: 'u16' },
  id: { name: 'ldp.msg.id', label: 'Message ID', type: 'u32', base: 'hex' },
});

const E = experts({
  length: {
    code: 'ldp.message-length',
    severity: 'error',
    malformed: true,
    message: 'Error processing Message Length',
    clause: 'RFC 5036 §3.5',
  },
});

export const ldp = defineDissector({
  proto: 'ldp',
  title: 'Label Distribution Protocol',
  short: 'LDP',
  spec: 'RFC 5036',
  fields: F,
  experts: E,
  on: { 'udp.port': [646] },

  probe: (b, off, end) => (end - off >= 2 && u16(b, off) === 1 ? Yes : No), // RFC 5036 §3.1

  dissect(v, t, cx) {
    const { buf } = v;
    let { off } = v;
    do {
      const next = off + 4 + (off + 4 <= v.end ? u16(buf, off + 2) : 0);
      const more = cx.stream === true && next < v.end;
      t.open(F.ldp, off, more ? next - off : v.end - off);
      need(v, HEADER, off);
      t.num(F.version, off, 2, u16(buf, off));
      t.num(F.length, off + 2, 2, u16(buf, off + 2));
      t.bytes(F.router, off + 4, 4);
      t.num(F.space, off + 8, 2, u16(buf, off + 8));
      messages(v, t, off + HEADER, Math.min(v.wireEnd, next));
      t.pop();
      if (!more) return;
      off = next;
    } while (off < v.end);
  },

  summary(v) {
    if (v.length < HEADER + 2) return '';
    const type = u16(v.buf, v.off + HEADER) & 0x7fff;
    return MESSAGES[type] ?? `Message ${hexNumber(type, 4)}`;
  },
});

function messages(v: View, t: Tree, from: number, end: number): void {
  const { buf } = v;
  for (let at = from; end - at >= MESSAGE; ) {
    need(v, 4, at);
    const length = u16(buf, at + 2);
    if (length < 4) {
      t.expert(E.length, `${E.length.message}: length is ${length}, should be >= 4`);
      return;
    }
    need(v, MESSAGE, at);
    t.bits(F.unknown, at, 2, u16(buf, at));
    t.bits(F.type, at, 2, u16(buf, at));
    t.push();
    t.num(F.messageLength, at + 2, 2, length);
    t.num(F.id, at + 4, 4, u32(buf, at + 4));
    t.pop();
    at += 4 + length;
  }
}
