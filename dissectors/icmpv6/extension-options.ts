import { u8, u16 } from 'fttscope/kit';
import { F as X } from './extension-fields.js';
import { F } from './nd-fields.js';
import type { Reader } from './reader.js';

/** Octets of the DER value at `at`: what SEQUENCE and its length say, all that is left where it is none. */
function derLength(r: Reader): number {
  const { buf } = r.v;
  const short = u8(buf, r.at + 1);
  if (r.left < 4 || u8(buf, r.at) !== 0x30) return r.left;
  if (short < 0x80) return 2 + short;
  return short === 0x81 ? 3 + u8(buf, r.at + 2) : short === 0x82 ? 4 + u16(buf, r.at + 2) : r.left;
}

/** RFC 3971 §5.1; the parameters: RFC 3972 §3, their extensions: RFC 4581 §2 */
function cga(r: Reader): void {
  const pad = r.u8(X.padLength);
  r.none(F.optionReserved, 1);
  const size = r.left - pad;
  r.bytes(X.cga, size);
  r.at -= size;
  const end = r.at + size;
  r.t.push();
  r.bytes(X.modifier, 16);
  r.bytes(X.subnetPrefix, 8);
  r.bytes(X.collisions, 1);
  r.none(X.publicKey, derLength(r));
  while (r.at < end) {
    r.u16(X.extType);
    r.bytes(X.extData, r.u16(X.extLength));
  }
  r.t.pop();
  r.none(F.padding, pad);
}

/** RFC 3971 §6.4.3 */
function trustAnchor(r: Reader): void {
  const type = r.u8(X.nameType);
  const pad = r.u8(X.padLength);
  const size = r.left - pad;
  if (type === 1) r.bytes(X.x501, size);
  else if (type === 2) r.text(X.fqdn, size);
  else if (size > 0) r.bytes(F.optionData, size);
  r.none(F.padding, pad);
}

/** RFC 3971 §6.4.4 */
function certificate(r: Reader): void {
  r.u8(X.nameType);
  r.none(F.optionReserved, 1);
  r.none(X.certificatePadding, r.left);
}

/** A code, a length, so many octets and, up to a multiple of eight, padding. RFC 5271 §6.1, §6.2 */
const identifier = (r: Reader, which: 'hai' | 'mn'): void => {
  r.u8(which === 'hai' ? X.haiCode : X.mnCode);
  const n = r.u8(which === 'hai' ? X.haiLength : X.mnLength);
  r.bytes(which === 'hai' ? X.haiValue : X.mnValue, n);
  const padding = -(4 + n) & 7;
  if (padding > 0) r.none(F.padding, padding);
};

/** RFC 5269 §4.1, §4.2: the reply has a lifetime. */
function handoverKey(r: Reader, reply: boolean): void {
  const pad = r.u8(X.keyPadLength);
  r.bits8(X.algorithm, X.keyReserved);
  if (reply) r.u16(X.keyLifetime);
  r.bytes(reply ? X.handoverKey : X.encryptionKey, r.left - pad);
  r.bytes(X.keyPadding, pad);
}

/** By type of option, what stands behind its length. */
export const EXTENSIONS: Readonly<Record<number, (r: Reader) => void>> = {
  // RFC 2491 appendix D; tshark takes the second octet for reserved once more, and the last for unknown.
  6: (r) => {
    r.u8(X.shortcutLimit);
    r.none(F.optionReserved, 1);
    r.none(F.optionReserved, 4);
  },
  9: addresses,
  10: addresses,
  11: cga,
  // RFC 3971 §5.2
  12: (r) => {
    r.none(F.optionReserved, 2);
    r.bytes(X.keyHash, 16);
    r.none(X.signature, r.left);
  },
  15: trustAnchor,
  16: certificate,
  // RFC 5568 §6.4.1
  17: (r) => {
    r.u8(X.ipaCode);
    r.u8(X.ipaPrefixLength);
    r.none(F.optionReserved, 4);
    r.bytes(X.ipaAddress, 16);
  },
  // RFC 4068 §6.4.2
  18: (r) => {
    r.u8(X.nrpiCode);
    r.u8(X.nrpiPrefixLength);
    r.none(F.optionReserved, 4);
    r.bytes(X.nrpiPrefix, 16);
  },
  // RFC 5568 §6.4.3: how long an address is, depends on the link
  19: (r) => {
    r.u8(X.llaCode);
    r.bytes(X.lla, r.left);
  },
  // RFC 5568 §6.4.6; an address is read where Wireshark looks for it, without the reserved octets before it.
  20: (r) => {
    r.u8(X.naackCode);
    if (r.u8(X.naackStatus) === 2) r.bytes(X.suppliedAddress, 16);
    else r.none(F.optionReserved, r.left);
  },
  // RFC 5380 §5
  23: (r) => {
    r.bits8(X.mapDistance, X.mapPreference);
    r.flags8(X.mapFlags, X.mapR, X.mapReserved);
    r.u32(X.mapLifetime);
    r.bytes(X.mapAddress, 16);
  },
  27: (r) => handoverKey(r, false),
  28: (r) => handoverKey(r, true),
  29: (r) => identifier(r, 'hai'),
  30: (r) => identifier(r, 'mn'),
  // RFC 6496 §5.1
  32: (r) => {
    r.none(F.optionReserved, 2);
    r.bytes(X.proxyKeyHash, 16);
    r.none(X.signature, r.left);
  },
  // RFC 6775 §4.1
  33: (r) => {
    r.u8(X.aroStatus);
    r.none(F.optionReserved, 3);
    r.u16(X.aroLifetime);
    r.bytes(X.aroEui64, 8);
  },
  // RFC 6775 §4.3
  35: (r) => {
    r.u16(X.abroVersionLow);
    r.u16(X.abroVersionHigh);
    r.u16(X.abroLifetime);
    r.bytes(X.abroAddress, 16);
  },
  // RFC 7400 §3.3
  36: (r) => {
    r.bits16(X.capability, X.capabilityG);
    r.u32(X.capabilityRest);
  },
};

/** RFC 3122 §3.1 */
function addresses(r: Reader): void {
  r.none(F.optionReserved, 6);
  while (r.left > 0) r.bytes(X.address, 16);
}
