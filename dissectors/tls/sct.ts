import { u16, u32 } from 'fttscope/kit';
import { F } from './fields.js';
import type { Scan } from './scan.js';

const { text, scheme, schemeHash, schemeSignature, sctsLength, sctLength, sctVersion, sctLog, sctTime } = F;
const { sctExtensionsLength, sctExtensions, sctSignatureLength, sctSignature } = F;
/** What is shown here, for others who show certificates. */
export const SCT_FIELDS = {
  ...{ text, scheme, schemeHash, schemeSignature, sctsLength, sctLength, sctVersion, sctLog, sctTime },
  ...{ sctExtensionsLength, sctExtensions, sctSignatureLength, sctSignature },
};

/**
 * A SignedCertificateTimestampList, RFC 6962 §3.3: in a TLS extension, and in an extension of certificates.
 *
 *     +--------+--------+- - one or more: +--------+--------+-----+---------+-----------+- -
 *     |   list length   |                 |   SCT length    | ver |  log id | timestamp | …
 *     +--------+--------+- -              +--------+--------+-----+---------+-----------+- -
 */
export function dissectSctList(s: Scan): void {
  const list = s.vector16(F.sctsLength);
  while (list.more) {
    const n = list.left >= 2 && list.off + 2 <= list.v.end ? u16(list.v.buf, list.off) : 0;
    list.t.open(F.text, list.off, Math.min(list.left, 2 + n));
    if (list.t.labels) list.t.label('Signed Certificate Timestamp');
    dissectSct(list.vector16(F.sctLength));
    list.close();
  }
}

function dissectSct(s: Scan): void {
  s.u8(F.sctVersion);
  s.bytes(F.sctLog, 32);
  if (s.has(8)) {
    const { buf } = s.v;
    const millis = u32(buf, s.off) * 0x1_0000_0000 + u32(buf, s.off + 4); // RFC 6962 §3.2: since the epoch
    const seconds = Math.floor(millis / 1000);
    s.t.time(F.sctTime, s.off, 8, seconds, (millis - seconds * 1000) * 1_000_000);
    s.off += 8;
  }
  const extensions = s.vector16(F.sctExtensionsLength);
  if (extensions.more) extensions.none(F.sctExtensions, extensions.left);
  dissectScheme(s);
  s.opaque16(F.sctSignatureLength, F.sctSignature);
}

/** A SignatureScheme of RFC 8446 §4.2.3, with the two halves that it had in RFC 5246 §7.4.1.4.1. */
export function dissectScheme(s: Scan): void {
  if (!s.has(2)) return;
  const at = s.off;
  s.u16(F.scheme);
  s.t.push();
  s.t.num(F.schemeHash, at, 1, s.v.buf[at]);
  s.t.num(F.schemeSignature, at + 1, 1, s.v.buf[at + 1]);
  s.t.pop();
}
