import { type Ctx, latin1, u8, u16, u32, type View } from 'fttscope/kit';
import { behind, berLength, inside, OCTETS, SEQUENCE, tagOf } from './ber.js';
import { FRAMED, isAt, NTLM, proof, protection, WRAPPED } from './gss.js';
import { named } from './named.js';

/** LDAP, of which only the name is shown, with what proves a user and protects messages. */

/** Operations, RFC 4511 §4.2; the choice of SASL, its answer, and the choices of Microsoft's Sicily, MS-ADTS §5.1.1.1.3. */
const BIND_REQUEST = 0x60;
const BIND_RESPONSE = 0x61;
const SASL = 0xa3;
const SERVER_CREDENTIALS = 0x87;
const SICILY: ReadonlySet<number> = new Set([0x8a, 0x8b]);
/** A tag of class APPLICATION, as GSS-API and NTLM begin with one. ITU-T X.690 §8.1.2.2 */
const APPLICATION = 0x40;
const NEG_TOKEN_RESP = 0xa1;

/** The length before what a layer of security protects, whose first octet is 0; RFC 4422 §3.7. The header of its token. */
const BUFFER_LENGTH = 4;
const CFX_HEADER = 16;
const SEALED = 0x02;

/** A message is a sequence, or stands in a buffer of SASL. */
function ldapLength(b: Uint8Array, off: number, end: number): number {
  if (u8(b, off) === SEQUENCE) return berLength(b, off, end);
  if (b[off] !== 0) return -1;
  return end - off < BUFFER_LENGTH ? 0 : BUFFER_LENGTH + u32(b, off);
}

/** Controls whose values are read: paging, sorting, DirSync, password policies and synchronization. */
const CONTROLS: ReadonlySet<string> = new Set([
  ...['1.2.840.113556.1.4.319', '1.2.840.113556.1.4.473', '1.2.840.113556.1.4.474', '1.2.840.113556.1.4.841'],
  ...['1.3.6.1.4.1.42.2.27.8.5.1', '1.3.6.1.4.1.4203.1.9.1.1', '1.3.6.1.4.1.4203.1.9.1.2', '1.3.6.1.4.1.4203.1.9.1.3'],
]);
const CONTROLS_TAG = 0xa0;

/** The values of controls behind the operation of a message, each of which Wireshark lists as a layer. RFC 4511 §4.1.11 */
function controls(behindOperation: View, cx: Ctx): void {
  if (tagOf(behindOperation) !== CONTROLS_TAG) return;
  for (let e = inside(behindOperation); e.length > 0; e = behind(e)) {
    const { buf, off, end } = inside(inside(e));
    if (!CONTROLS.has(latin1(buf, off, end))) continue;
    for (let part = behind(inside(e)); part.length > 0; part = behind(part))
      if (tagOf(part) === OCTETS) cx.call('ldap.control', inside(part));
  }
}

/** The credentials of a request: GSS-API is what begins like it, whatever the mechanism. */
function asked(bind: View, cx: Ctx): void {
  const authentication = behind(behind(bind));
  if (SICILY.has(tagOf(authentication))) cx.call('ntlmssp', inside(authentication));
  else if (tagOf(authentication) === SASL) {
    const credentials = inside(behind(inside(authentication)));
    if ((tagOf(credentials) & 0xc0) !== APPLICATION) return;
    if (isAt(credentials, NTLM) || tagOf(credentials) === FRAMED) proof(credentials, cx);
    else cx.call('gss-api', credentials);
  }
}

/** What the server answers: in the credentials, or in the name where Sicily is spoken. */
function answered(bind: View, cx: Ctx): void {
  const name = behind(bind);
  if (isAt(inside(name), NTLM)) cx.call('ntlmssp', inside(name));
  for (let e = behind(name); e.length > 0; e = behind(e)) {
    if (tagOf(e) !== SERVER_CREDENTIALS) continue;
    const credentials = inside(e);
    if (isAt(credentials, NTLM)) cx.call('ntlmssp', credentials);
    else if (tagOf(credentials) === NEG_TOKEN_RESP) cx.call('spnego', credentials);
    else if (tagOf(credentials) === FRAMED) proof(credentials, cx);
  }
}

function message(v: View, cx: Ctx): void {
  const operation = behind(inside(v));
  if (tagOf(operation) === BIND_REQUEST) asked(inside(operation), cx);
  else if (tagOf(operation) === BIND_RESPONSE) answered(inside(operation), cx);
  controls(behind(operation), cx);
}

/** What stands in a token that was not encrypted, between the header, the rotated checksum and its end. RFC 4121 §4.2.4 */
function readable({ buf, off, end, length }: View): [number, number] {
  if (length < CFX_HEADER || (buf[off + 2] & SEALED) !== 0) return [end, end];
  const [checksum, rotated] = [u16(buf, off + 4), u16(buf, off + 6)];
  return [off + CFX_HEADER + rotated, end - (checksum - rotated)];
}

function buffer(v: View, cx: Ctx): void {
  protection(v, cx);
  if (!isAt(v, WRAPPED)) return;
  const [from, to] = readable(v);
  for (let e = v.sub(Math.min(from, v.end), Math.min(to, v.end)); tagOf(e) === SEQUENCE; e = behind(e)) message(e, cx);
}

export const ldap = [
  named({
    ...{ proto: 'ldap', title: 'Lightweight Directory Access Protocol', short: 'LDAP', spec: 'RFC 4511 §4.1.1' },
    on: { 'tcp.port': [389, 3268] },
    calls: ['ldap.control', 'gss-api', 'ntlmssp', 'spnego', 'spnego-krb5'],
    pduLength: ldapLength,
    inner(v, cx) {
      if (u8(v.buf, v.off) === SEQUENCE) message(v, cx);
      else buffer(v.sub(v.off + BUFFER_LENGTH), cx);
    },
  }),
  named({ proto: 'ldap.control', layer: 'ldap', title: 'LDAP control', short: 'LDAP', spec: 'RFC 4511 §4.1.11' }),
];
