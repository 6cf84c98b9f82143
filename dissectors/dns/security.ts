/** Shows the data of DNSSEC and of other records with keys: RFC 4034, RFC 5155, and the documents named at each. */
import { u16, u32 } from 'fttscope/kit';
import { E } from './experts.js';
import { F } from './fields.js';
import type { Rdata, ShowRdata } from './rdata.js';

/** Types of this file. */
export const SECURITY: Readonly<Record<number, ShowRdata>> = {
  24: signature,
  25: oldKey,
  37: (r) => {
    r.u16(F.certType); // RFC 4398 §2
    r.u16(F.certTag);
    r.u8(F.certAlgorithm);
    r.rest(F.cert);
  },
  43: delegation,
  44: (r) => {
    r.u8(F.sshfpAlgorithm); // RFC 4255 §3.1
    r.u8(F.sshfpType);
    r.rest(F.sshfp);
  },
  45: ipsecKey,
  46: signature,
  47: (r) => {
    r.name(F.nsecNext);
    bitmap(r);
  },
  48: key,
  49: (r) => r.rest(F.dhcid),
  50: (r) => {
    hashing(r);
    const n = r.u8(F.hashLength);
    r.need(n);
    r.t.text(F.hashValue, r.at, n, base32(r.b, r.at, n));
    r.at += n;
    bitmap(r);
  },
  51: hashing,
  52: (r) => {
    r.u8(F.tlsaUsage); // RFC 6698 §2.1
    r.u8(F.tlsaSelector);
    r.u8(F.tlsaMatching);
    r.rest(F.tlsaData);
  },
  59: delegation,
  60: key,
  61: (r) => {
    r.t.text(F.openpgp, r.at, r.left);
    r.at = r.end;
  },
  62: childSync,
  63: (r) => {
    r.u32(F.zonemdSerial); // RFC 8976 §2.2
    r.u8(F.zonemdScheme);
    r.u8(F.zonemdHash);
    r.rest(F.zonemdDigest);
  },
  249: transactionKey,
  250: transactionSignature,
  32769: delegation,
};

/** Types 24 and 46, RFC 4034 §3.1. */
function signature(r: Rdata): void {
  r.u16(F.sigType);
  r.u8(F.sigAlgorithm);
  r.u8(F.sigLabels);
  r.u32(F.sigTtl);
  r.time(F.sigExpiration);
  r.time(F.sigInception);
  r.u16(F.sigTag);
  r.name(F.sigSigner);
  r.rest(F.signature);
}

/** Types 43, 59 and 32769, RFC 4034 §5.1. */
function delegation(r: Rdata): void {
  r.u16(F.dsTag);
  r.u8(F.dsAlgorithm);
  r.u8(F.dsDigestType);
  r.rest(F.dsDigest);
}

/** Key tag over the record's data, RFC 4034 appendix B; algorithm 1 takes it from the modulus. */
function keyTag(b: Uint8Array, off: number, end: number): number {
  if (b[off + 3] === 1) return end - off < 4 + 3 ? 0 : u16(b, end - 3);
  let sum = 0;
  for (let i = off; i < end; i++) sum += ((i - off) & 1) === 0 ? b[i] << 8 : b[i];
  sum += (sum >>> 16) & 0xffff;
  return sum & 0xffff;
}

/** Types 48 and 60, RFC 4034 §2.1. */
function key(r: Rdata): void {
  const { t } = r;
  const start = r.at;
  r.need(4);
  const flags = r.u16(F.keyFlags);
  t.push();
  t.bits(F.keyZone, start, 2, flags);
  t.bits(F.keyRevoked, start, 2, flags);
  t.bits(F.keySep, start, 2, flags);
  t.bits(F.keyReserved, start, 2, flags);
  t.pop();
  r.u8(F.keyProtocol);
  r.u8(F.keyAlgorithm);
  r.need(r.left);
  t.num(F.keyId, r.at, 0, keyTag(r.b, start, r.end));
  r.rest(F.publicKey);
}

/** Type 25, RFC 2535 §3.1. */
function oldKey(r: Rdata): void {
  const { t } = r;
  const start = r.at;
  r.need(4);
  const flags = r.u16(F.oldKeyFlags);
  t.push();
  for (const f of [F.oldKeyAuthentication, F.oldKeyConfidentiality]) t.bits(f, start, 2, flags);
  // Of a key that may be used for neither there is none. RFC 2535 §3.1.2
  if (flags >> 14 !== 3)
    for (const f of [F.oldKeyRequired, F.oldKeyUser, F.oldKeyEntity, F.oldKeyIpsec, F.oldKeyMime, F.oldKeySignatory])
      t.bits(f, start, 2, flags);
  t.pop();
  r.u8(F.oldKeyProtocol);
  r.u8(F.oldKeyAlgorithm);
  r.need(r.left);
  t.num(F.oldKeyId, r.at, 0, keyTag(r.b, start, r.end));
  r.rest(F.oldPublicKey);
}

/** Type 45, RFC 4025 §2.1. */
function ipsecKey(r: Rdata): void {
  r.u8(F.ipsecPrecedence);
  const type = r.u8(F.ipsecType);
  r.u8(F.ipsecAlgorithm);
  if (type === 1) r.bytes(F.ipsec4, 4);
  else if (type === 2) r.bytes(F.ipsec6, 16);
  else if (type === 3) r.name(F.ipsecName);
  r.rest(F.ipsecKey);
}

/** A list of record types, RFC 4034 §4.1.2: windows of 256 types with a bit for each. */
function bitmap(r: Rdata): void {
  while (r.left > 0) {
    r.need(2);
    const first = r.b[r.at] << 8;
    const n = r.b[r.at + 1];
    r.at += 2;
    r.need(n);
    for (let i = 0; i < n; i++) {
      for (let bit = 0; bit < 8; bit++)
        if ((r.b[r.at + i] & (0x80 >> bit)) !== 0) r.t.num(F.bitmapType, r.at + i, 1, first + 8 * i + bit);
    }
    r.at += n;
  }
}

/** What types 50 and 51 begin with, RFC 5155 §3.2 and §4.2. */
function hashing(r: Rdata): void {
  r.u8(F.nsec3Algorithm);
  const flags = r.u8(F.nsec3Flags);
  if (r.type === 50) {
    r.t.push();
    r.t.bits(F.nsec3OptOut, r.at - 1, 1, flags);
    r.t.pop();
  }
  r.u16(F.nsec3Iterations);
  r.bytes(F.salt, r.u8(F.saltLength));
}

const BASE32 = '0123456789abcdefghijklmnopqrstuv';

/** Octets in the base 32 of RFC 4648 §7, without padding. */
function base32(b: Uint8Array, off: number, n: number): string {
  let s = '';
  let bits = 0;
  let held = 0;
  for (let i = 0; i < n; i++) {
    held = (held << 8) | b[off + i];
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      s += BASE32[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? s + BASE32[(held << (5 - bits)) & 31] : s;
}

/** Type 62, RFC 7477 §2.1. */
function childSync(r: Rdata): void {
  r.u32(F.csyncSerial);
  const flags = r.u16(F.csyncFlags);
  r.t.push();
  r.t.bits(F.csyncImmediate, r.at - 2, 2, flags);
  r.t.bits(F.csyncSoaMinimum, r.at - 2, 2, flags);
  r.t.pop();
  r.need(r.left);
  r.t.bytes(F.csyncBitmap, r.at, r.left);
  bitmap(r);
}

/** Type 249, RFC 2930 §2. */
function transactionKey(r: Rdata): void {
  r.name(F.tkeyAlgorithm);
  r.time(F.tkeyInception);
  r.time(F.tkeyExpiration);
  r.u16(F.tkeyMode);
  r.u16(F.tkeyError);
  const n = r.u16(F.tkeySize);
  if (n > 0) r.bytes(F.tkeyData, n);
  const other = r.u16(F.tkeyOtherSize);
  if (other > 0) r.bytes(F.tkeyOther, other);
}

/** Type 250, RFC 8945 §4.2. */
function transactionSignature(r: Rdata): void {
  const algorithm = r.name(F.tsigAlgorithm);
  r.need(6);
  r.t.time(F.tsigTime, r.at, 6, u16(r.b, r.at) * 0x1_0000_0000 + u32(r.b, r.at + 2));
  r.at += 6;
  r.u16(F.tsigFudge);
  const n = r.u16(F.tsigMacSize);
  if (n > 0) {
    r.t.none(F.tsigMac, r.at, n);
    r.t.expert(E.noAlgorithm, `No dissector for algorithm:${algorithm}`);
    r.need(n);
    r.at += n;
  }
  r.u16(F.tsigId);
  r.u16(F.tsigError);
  const other = r.u16(F.tsigOtherLength);
  if (other > 0) r.bytes(F.tsigOther, other);
}
