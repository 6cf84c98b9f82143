import { defineDissector, fields, nameOf, need, type Tree, u8, u16, type View } from 'fttscope/kit';

/**
 * PPP Password Authentication Protocol, RFC 1334 §2.2:
 *
 *     0        1        2                 4        5
 *     +--------+--------+-----------------+--------+---- - -
 *     |  code  |   id   |     length      | length | name, password or message …
 *     +--------+--------+-----------------+--------+---- - -
 */
const HEADER = 4;
const CODES = { 1: 'Authenticate-Request', 2: 'Authenticate-Ack', 3: 'Authenticate-Nak' };
const REQUEST = 1;

const F = fields({
  pap: { name: 'pap', label: 'PPP Password Authentication Protocol', type: 'protocol' },
  code: { name: 'pap.code', label: 'Code', type: 'u8', values: CODES },
  id: { name: 'pap.identifier', label: 'Identifier', type: 'u8' },
  length: { name: 'pap.length', label: 'Length', type: 'u16' },
  peerLength: { name: 'pap.peer_id.length', label: 'Peer-ID-Length', type: 'u8' },
  peer: { name: 'pap.peer_id', label: 'Peer-ID', type: 'string' },
  passwordLength: { name: 'pap.password.length', label: 'Password-Length', type: 'u8' },
  password: { name: 'pap.password', label: 'Password', type: 'string' },
  messageLength: { name: 'pap.message.length', label: 'Message-Length', type: 'u8' },
  message: { name: 'pap.message', label: 'Message', type: 'string' },
});

export const pap = defineDissector({
  proto: 'pap',
  title: 'PPP Password Authentication Protocol',
  short: 'PPP PAP',
  spec: 'RFC 1334',
  fields: F,
  on: { 'ppp.protocol': [0xc023] },

  dissect(v, t) {
    const { buf, off } = v;
    t.open(F.pap, off, v.length);
    need(v, HEADER);
    const code = u8(buf, off);
    t.num(F.code, off, 1, code);
    t.num(F.id, off + 1, 1, u8(buf, off + 1));
    t.num(F.length, off + 2, 2, u16(buf, off + 2));
    if (code === REQUEST)
      counted(v, t, F.passwordLength, F.password, counted(v, t, F.peerLength, F.peer, off + HEADER));
    else if (v.wireLength > HEADER) counted(v, t, F.messageLength, F.message, off + HEADER);
    t.pop();
  },

  summary: (v) => (v.length < 1 ? '' : nameOf(CODES, u8(v.buf, v.off))),
});

/** Octets and their number before them; returns where they end. */
function counted(v: View, t: Tree, length: typeof F.peerLength, text: typeof F.peer, at: number): number {
  need(v, 1, at);
  const n = u8(v.buf, at);
  t.num(length, at, 1, n);
  need(v, n, at + 1);
  if (n > 0) t.text(text, at + 1, n);
  return at + 1 + n;
}
