import { type Ctx, View } from 'fttscope/kit';
import { isAt, NTLM, proof } from '../well-known/gss.js';
import type { Message } from './message.js';

/** Fields that prove who somebody is, or ask for it. RFC 9110 §11.6, §11.7 */
const FIELDS: ReadonlySet<string> = new Set([
  ...['authorization', 'proxy-authorization', 'www-authenticate', 'proxy-authenticate'],
]);
/** The schemes whose tokens are those of security mechanisms. RFC 4559 §4.1 */
const TOKEN = /^(?:NTLM|Negotiate) +([A-Za-z0-9+/]+=*)/;

/** Base64 as Latin-1 text; '' where it is not base64. RFC 7617 §2. */
export function decodeBase64(text: string): string {
  try {
    return atob(text);
  } catch {
    return '';
  }
}

/** Hands on the tokens of security mechanisms in the fields of a message. */
export function proofs({ headers }: Message, cx: Ctx): void {
  for (const { name, value } of headers) {
    const token = FIELDS.has(name) ? TOKEN.exec(value) : null;
    if (token === null) continue;
    const octets = View.of(
      Uint8Array.from(decodeBase64(token[1]), (c) => c.charCodeAt(0)),
      'NTLMSSP / GSSAPI data',
    );
    if (isAt(octets, NTLM)) cx.call('ntlmssp', octets);
    else proof(octets, cx);
  }
}
