import {
  defineDissector,
  experts,
  type Framing,
  fields,
  indexOf,
  latin1,
  need,
  startsWith,
  type Tree,
  u8,
  u32,
  type View,
} from 'fttscope/kit';

/**
 * Secure Shell, RFC 4253 §6: a line, then packets, in the clear up to the new keys. Only the signature that ends a key
 * exchange is looked at; like Wireshark we say so where its kind is not read further. Behind the new keys, and where the
 * start of the stream is not there, a message is what a segment holds.
 *
 *     +---------------+---------------+---------------+---------------+
 *     |                         packet_length                         |
 *     +---------------+---------------+---------------+---------------+
 *     |padding_length |  message code | payload, padding …
 */
const HEADER = 6;
const LONGEST = 35_000; // RFC 4253 §6.1
/** What the line of a side begins with, and how it ends; one of the older version, which has other packets. §4.2, §5.1 */
const IDENTIFICATION = 'SSH-';
const LINE_FEED = 10;
const OLD = 'SSH-1.';
const OLD_AND_NEW = 'SSH-1.99';
const NEW_KEYS = 21;
/** SSH_MSG_KEXDH_REPLY (also of ECDH) and SSH_MSG_KEX_DH_GEX_REPLY. RFC 4253 §8, RFC 4419 §3 */
const REPLIES = [31, 33];
/** Kinds of signatures that Wireshark takes apart. */
const READ = ['ssh-rsa', 'ssh-dss'];

/** Stages of a stream: the packets are in the clear, or nobody can tell where one ends. */
const CLEAR = 1;
const HIDDEN = 2;

/** How long the line or the packet in the clear that begins here is. */
function lengthOf(b: Uint8Array, off: number, end: number, known: Framing): number {
  if (known.stage !== CLEAR) {
    const isLine = known.stage === 0 && startsWith(b, off, end, IDENTIFICATION);
    const line = isLine ? indexOf(b, LINE_FEED, off, end) : end;
    if (line < 0) return 0;
    const isOld = startsWith(b, off, end, OLD) && !startsWith(b, off, end, OLD_AND_NEW);
    known.stage = isLine && !isOld ? CLEAR : HIDDEN;
    return isLine ? line + 1 - off : end - off;
  }
  if (end - off < HEADER) return 0;
  const n = 4 + u32(b, off);
  if (n < HEADER || n > LONGEST) {
    known.stage = HIDDEN;
    return end - off;
  }
  if (n <= end - off && u8(b, off + 5) === NEW_KEYS) known.stage = HIDDEN; // RFC 4253 §7.3
  return n;
}

const F = fields({ ssh: { name: 'ssh', label: 'SSH Protocol', type: 'protocol' } });

const E = experts({
  signature: {
    code: 'ssh.unread-signature',
    severity: 'chat', // no fault of the message: a warning in Wireshark
    message: 'Decoded less than the length of the signature',
    clause: 'RFC 4253 §8',
  },
});

/** A string: where its octets start and end; undefined where it does not fit. RFC 4251 §5 */
function stringAt(b: Uint8Array, off: number, end: number): readonly [number, number] | undefined {
  if (off + 4 > end) return undefined;
  const n = u32(b, off);
  return n <= end - off - 4 ? [off + 4, off + 4 + n] : undefined;
}

/** The host key, the server's part of the exchange, and the signature. */
function reply(t: Tree, b: Uint8Array, off: number, end: number): void {
  const key = stringAt(b, off, end);
  const part = key && stringAt(b, key[1], end);
  const signature = part && stringAt(b, part[1], end);
  const kind = signature && stringAt(b, signature[0], signature[1]);
  if (signature === undefined || kind === undefined || READ.includes(latin1(b, kind[0], kind[1]))) return;
  const said = `Decoded ${kind[1] - signature[0] + 4} bytes, but packet legnth is ${signature[1] - signature[0]} bytes`;
  t.expert(E.signature, said);
}

function packets(t: Tree, { buf, off, end }: View): void {
  for (let at = off; at + HEADER <= end; ) {
    const next = at + 4 + u32(buf, at);
    const padding = u8(buf, at + 4);
    const code = u8(buf, at + 5);
    if (next > end || next - at > LONGEST || next - padding < at + HEADER || code === NEW_KEYS) return;
    if (REPLIES.includes(code)) reply(t, buf, at + HEADER, next - padding);
    at = next;
  }
}

export const ssh = defineDissector({
  proto: 'ssh',
  title: 'SSH Protocol',
  short: 'SSH',
  spec: 'RFC 4253',
  fields: F,
  experts: E,
  on: { 'tcp.port': [22, 29418] },
  listsStart: true,
  pduLength: (b, off, end, known) => (known === undefined ? end - off : lengthOf(b, off, end, known)),

  dissect(v, t) {
    t.none(F.ssh, v.off, v.length);
    if (t.wantsExperts) packets(t, v);
    if (v.isCut) need(v, v.wireLength);
  },

  summary: () => 'SSH Protocol',
});
