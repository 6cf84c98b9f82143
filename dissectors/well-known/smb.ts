import { type Ctx, indexOf, No, startsWith, u8, u16, u16le, u32, u32le, type View, Yes } from 'fttscope/kit';
import { proof } from './gss.js';
import { named } from './named.js';
import { dcerpcLength } from './streams.js';

/** SMB of all versions with what carries it, all only named: sessions and datagrams of NetBIOS, and TCP by itself. */
const MAILSLOTS = ['\\MAILSLOT\\BROWSE', '\\MAILSLOT\\LANMAN'];
/** What begins an SMB message: of version 1, of 2 and 3, encrypted, and compressed. MS-SMB2 §2.2 */
const FIRST_OCTETS: ReadonlySet<number> = new Set([0xff, 0xfe, 0xfd, 0xfc]);
const SMB1 = 0xff;
const SMB2 = 0xfe;
const NTLM = 'NTLMSSP\0';
/** Where the text stands in the range, or -1. */
function find(b: Uint8Array, off: number, end: number, text: string): number {
  const first = text.charCodeAt(0);
  for (let at = indexOf(b, first, off, end); at >= 0; at = indexOf(b, first, at + 1, end))
    if (startsWith(b, at, end, text)) return at;
  return -1;
}

const begins = (b: Uint8Array, off: number, end: number): boolean =>
  FIRST_OCTETS.has(u8(b, off)) && startsWith(b, off + 1, end, 'SMB');

/** Gives an SMB message to who reads its version. */
function smb(v: View, cx: Ctx): void {
  cx.call(u8(v.buf, v.off) === SMB1 ? 'smb' : 'smb2', v);
}

/** Octets of a session message: its type, and a length of 24 bits, or of 17. RFC 1002 §4.3.1, MS-SMB2 §2.1 */
function sessionLength(b: Uint8Array, off: number, end: number): number {
  if (end - off < 4) return 0;
  const type = u8(b, off);
  if (type !== 0 && (type < 0x81 || type > 0x85)) return -1;
  if (type === 0 && end - off >= 8 && u16(b, off + 2) > 0 && !begins(b, off + 4, end)) return -1;
  return 4 + (u32(b, off) & 0xffffff);
}

const SMB1_HEADER = 32;
const SMB2_HEADER = 64;
const NEGOTIATE = 0;
const SESSION_SETUP = 1;
const READ = 8;
const WRITE = 9;
const IOCTL = 11;

/** What an SMB2 message carries for others; undefined: nothing. MS-SMB2 §2.2.4 to §2.2.32 */
function carried(v: View): View | undefined {
  const { buf, off } = v;
  const body = off + SMB2_HEADER;
  if (v.end - body < 8) return undefined;
  const answers = (buf[off + 16] & 1) !== 0;
  const part = (at: number, length: number) => (length > 0 ? v.sub(off + at, off + at + length) : undefined);
  const command = u16le(buf, off + 12);
  if (command === NEGOTIATE) return answers ? part(u16le(buf, body + 56), u16le(buf, body + 58)) : undefined;
  if (command === SESSION_SETUP) {
    const at = answers ? body + 4 : body + 12;
    return part(u16le(buf, at), u16le(buf, at + 2));
  }
  if (command === READ && answers) return part(u8(buf, body + 2), u32le(buf, body + 4));
  if (command === WRITE && !answers) return part(u16le(buf, body + 2), u32le(buf, body + 4));
  if (command !== IOCTL || v.end - body < 40) return undefined;
  const at = answers ? body + 32 : body + 24;
  return part(u32le(buf, at), u32le(buf, at + 4));
}

/** Names what proves who a user is: NTLM stands there by itself, too. */
function proven(v: View, cx: Ctx): void {
  if (startsWith(v.buf, v.off, v.end, NTLM)) cx.call('ntlmssp', v);
  else proof(v, cx);
}

/** Commands of SMB version 1 that carry a proof. MS-CIFS §2.2.4.52, §2.2.4.53; MS-SMB §2.2.4.5, §2.2.4.6 */
const NEGOTIATE_1 = 0x72;
const SETUP_ANDX = 0x73;
/** Words of such a message: of a request to set up a session, its answer, and an answer of the negotiation. */
const SETUP_WORDS = 12;
const SET_UP_WORDS = 4;
const NEGOTIATED_WORDS = 17;
const GUID = 16;
/** Where the last octet of its capabilities is, which says that a proof follows. */
const CAPABILITIES = 22;
const EXTENDED = 0x80;

/** The proof in a message of version 1; undefined: none. */
function proofOf1(v: View): View | undefined {
  const { buf, off } = v;
  const words = off + SMB1_HEADER + 1;
  if (v.end - words < 2 * NEGOTIATED_WORDS) return undefined;
  const count = buf[off + SMB1_HEADER];
  const body = words + 2 * count + 2;
  const command = buf[off + 4];
  if (command === NEGOTIATE_1 && count === NEGOTIATED_WORDS && (buf[words + CAPABILITIES] & EXTENDED) !== 0)
    return v.sub(body + GUID, body + u16le(buf, body - 2));
  if (command !== SETUP_ANDX || (count !== SETUP_WORDS && count !== SET_UP_WORDS)) return undefined;
  return v.sub(body, body + u16le(buf, words + (count === SETUP_WORDS ? 14 : 6)));
}

/** Commands that carry what pipes do: where their words say how many octets, and where they begin. MS-CIFS §2.2.4.33, §2.2.4.42, §2.2.4.43 */
const TRANSACTION = 0x25;
const READ_ANDX = 0x2e;
const WRITE_ANDX = 0x2f;
const ANSWERS = 0x80;
const PIPE_WORDS: ReadonlyMap<number, readonly [words: number, at: number]> = new Map([
  [TRANSACTION, [14, 22]],
  [TRANSACTION | (ANSWERS << 8), [10, 12]],
  [READ_ANDX | (ANSWERS << 8), [12, 10]],
  [WRITE_ANDX, [12, 20]],
]);

/** The call of DCE/RPC in a message of version 1; undefined: none. */
function callOf1(v: View): View | undefined {
  const { buf, off } = v;
  if (v.length < SMB1_HEADER + 1) return undefined;
  const known = PIPE_WORDS.get(buf[off + 4] | ((buf[off + 9] & ANSWERS) << 8));
  if (known === undefined || buf[off + SMB1_HEADER] < known[0]) return undefined;
  const at = off + SMB1_HEADER + 1 + known[1];
  if (at + 4 > v.end) return undefined;
  const from = off + u16le(buf, at + 2);
  const inside = v.sub(from, from + u16le(buf, at));
  return inside.length > 0 && dcerpcLength(buf, inside.off, inside.end) > 0 ? inside : undefined;
}

export const smbs = [
  named({
    proto: 'nbss',
    title: 'NetBIOS Session Service',
    short: 'NBSS',
    spec: 'RFC 1002 §4.3',
    on: { 'tcp.port': [139, 445] },
    pduLength: sessionLength,
    calls: ['smb', 'smb2'],
    inner(v, cx) {
      if (v.length > 8 && begins(v.buf, v.off + 4, v.end)) smb(v.sub(v.off + 4), cx);
    },
  }),
  // What no message begins goes on with one, for Wireshark.
  named({
    ...{ proto: 'nbss.continuation', layer: 'nbss', title: 'NetBIOS Session Service', short: 'NBSS' },
    ...{ spec: 'RFC 1002 §4.3', on: { 'tcp.name': [139, 445] } },
    probe: (b, off, end) => (end - off === 1 && b[off] === 0 ? No : Yes), // else TCP asks whether the other side is there
  }),
  named({
    proto: 'nbdgm',
    title: 'NetBIOS Datagram Service',
    short: 'NBDS',
    spec: 'RFC 1002 §4.4',
    on: { 'udp.port': [138] },
    calls: ['smb', 'browser'],
    inner(v, cx) {
      const at = find(v.buf, v.off, v.end, '\xffSMB');
      if (at < 0) return;
      cx.call('smb', v.sub(at));
      if (MAILSLOTS.some((name) => find(v.buf, at, v.end, name) >= 0)) cx.call('browser', v.sub(at));
    },
  }),
  named({
    ...{ proto: 'smb', title: 'SMB (Server Message Block Protocol)', short: 'SMB', spec: 'MS-CIFS §2.2' },
    calls: ['gss-api', 'spnego', 'ntlmssp', 'spnego-krb5', 'dcerpc'],
    inner(v, cx) {
      const token = proofOf1(v);
      if (token !== undefined && token.length > 2) proof(token, cx);
      const call = callOf1(v);
      if (call !== undefined) cx.call('dcerpc', call);
    },
  }),
  named({ proto: 'browser', title: 'Microsoft Windows Browser Protocol', short: 'BROWSER', spec: 'MS-BRWS' }),
  named({
    proto: 'smb2',
    title: 'SMB2 (Server Message Block Protocol version 2)',
    short: 'SMB2',
    spec: 'MS-SMB2 §2.2',
    calls: ['gss-api', 'spnego', 'ntlmssp', 'spnego-krb5', 'dcerpc'],
    inner(v, cx) {
      if (u8(v.buf, v.off) !== SMB2) return;
      const inside = carried(v);
      if (inside === undefined || inside.length === 0) return;
      if (u16le(v.buf, v.off + 12) <= SESSION_SETUP) proven(inside, cx);
      else if (dcerpcLength(inside.buf, inside.off, inside.end) > 0) cx.call('dcerpc', inside);
      else if (u16le(v.buf, v.off + 12) !== IOCTL) cx.data(inside);
    },
  }),
];
