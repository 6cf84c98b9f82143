import { type Ctx, startsWith, type View } from 'fttscope/kit';
import { behind, inside, OCTETS } from './ber.js';
import { named } from './named.js';

/** What proves who a user is in SMB, DCE/RPC and others, only named: GSS-API with SPNEGO around NTLM or Kerberos. */

export const NTLM = 'NTLMSSP\0';
/** What an NTLM signature of version 1 begins with; MS-NLMP §2.2.2.9. One of Kerberos; RFC 4121 §4.2.6.1. */
const NTLM_SIGNATURE = '\x01\0\0\0';
const KERBEROS_SIGNATURE = '\x04\x04';
/** A message that Kerberos wraps. RFC 4121 §4.2.6.2 */
export const WRAPPED = '\x05\x04';
/** Tags of RFC 2743 §3.1 and of messages of Kerberos that stand by themselves: AP-REQ, AP-REP, KRB-ERROR. RFC 4120 §5.10 */
export const FRAMED = 0x60;
const KERBEROS: ReadonlySet<number> = new Set([FRAMED, 0x6e, 0x6f, 0x7e]);
/** The object identifier of SPNEGO, with its tag and length. RFC 4178 §4.2 */
const SPNEGO = '\x06\x06\x2b\x06\x01\x05\x05\x02';
/** NegTokenInit and NegTokenResp, their tokens, and what protects the list of mechanisms. RFC 4178 §4.2.1, §4.2.2 */
const NEGOTIATION: ReadonlySet<number> = new Set([0xa0, 0xa1]);
const TOKEN = 0xa2;
const SIGNATURE = 0xa3;

/** Whether a view begins with these octets. */
export const isAt = (v: View, text: string): boolean => startsWith(v.buf, v.off, v.end, text);

/** Names the proof in a token. `around`: who shows GSS-API as a layer. */
export function proof(v: View, cx: Ctx, around = true): void {
  if (v.length === 0) return;
  if (around) cx.call('gss-api', v);
  if (isAt(v, NTLM)) cx.call('ntlmssp', v);
  else if (v.buf[v.off] === FRAMED && !isAt(inside(v), SPNEGO)) cx.call('spnego-krb5', v);
  else cx.call('spnego', v);
}

/** Names what protects a message: a token of Kerberos or a signature of NTLM. RFC 4121 §4.2.6, MS-NLMP §2.2.2.9 */
export function protection(v: View, cx: Ctx): void {
  const isNtlm = isAt(v, NTLM_SIGNATURE);
  if (!isNtlm && !isAt(v, WRAPPED) && !isAt(v, KERBEROS_SIGNATURE) && v.buf[v.off] !== FRAMED) return;
  cx.call('gss-api', v);
  cx.call(isNtlm ? 'ntlmssp' : 'spnego-krb5', v);
}

function token(v: View, cx: Ctx): void {
  if (isAt(v, NTLM)) cx.call('ntlmssp', v);
  else if (v.length > 0 && KERBEROS.has(v.buf[v.off])) cx.call('spnego-krb5', v);
}

function signature(v: View, cx: Ctx): void {
  if (isAt(v, NTLM_SIGNATURE) || isAt(v, NTLM)) cx.call('ntlmssp', v);
  else if (isAt(v, KERBEROS_SIGNATURE)) cx.call('spnego-krb5', v);
}

/** Tokens of security mechanisms, which tell in what they are wrapped. */
export const gss = [
  named({
    ...{ proto: 'gss-api', title: 'GSS-API Generic Security Service Application Program Interface' },
    ...{ short: 'GSS-API', spec: 'RFC 2743' },
  }),
  named({
    ...{ proto: 'spnego', title: 'Simple Protected Negotiation', short: 'SPNEGO', spec: 'RFC 4178' },
    calls: ['ntlmssp', 'spnego-krb5'],
    inner(v, cx) {
      const negotiation = v.length > 0 && v.buf[v.off] === FRAMED ? behind(inside(v)) : v;
      if (negotiation.length === 0 || !NEGOTIATION.has(negotiation.buf[negotiation.off])) return;
      for (let e = inside(inside(negotiation)); e.length > 0; e = behind(e)) {
        const { buf, off } = e;
        const value = inside(e);
        if (value.length === 0 || value.buf[value.off] !== OCTETS) continue;
        if (buf[off] === TOKEN) token(inside(value), cx);
        else if (buf[off] === SIGNATURE) signature(inside(value), cx);
      }
    },
  }),
  named({
    ...{ proto: 'spnego-krb5', title: 'SPNEGO-KRB5', short: 'SPNEGO-KRB5', spec: 'RFC 4178' },
  }),
  named({
    ...{ proto: 'ntlmssp', title: 'NTLM Secure Service Provider', short: 'NTLMSSP', spec: 'MS-NLMP' },
  }),
];
