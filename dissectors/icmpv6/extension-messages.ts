import { u8, type View } from 'fttscope/kit';
import { readName } from '../dns/names.js';
import { F as X } from './extension-fields.js';
import { F as MldFields } from './mld.js';
import type { Reader } from './reader.js';

/** A name without compression. RFC 4620 §4 */
function name(r: Reader, f: typeof X.nodeName): void {
  const { v, t, at } = r;
  const read = readName(v.buf, at, v.end, at, v.wireEnd);
  t.text(f, r.take(read.end - at), read.end - at, read.text);
}

/** RFC 4620 §4: what a query is about says its code. */
function nodeInformation(r: Reader, query: boolean, code: number): void {
  const qtype = r.u16(X.qtype);
  r.flags16(X.niFlags, X.niGlobal, X.niSite, X.niLink, X.niCompatible, X.niAll, X.niTruncated, X.niReserved);
  r.u64(X.niNonce);
  if (query) {
    if (code === 0) r.bytes(X.subject6, 16);
    else if (code === 1) name(r, X.subjectName);
    else if (code === 2) r.bytes(X.subject4, 4);
    return;
  }
  if (qtype === 2) {
    r.u32(X.nodeTtl);
    while (r.left > 0) name(r, X.nodeName);
    return;
  }
  if (qtype !== 3 && qtype !== 4) return;
  while (r.left > 0) {
    r.u32(X.nodeTtl);
    if (qtype === 3) r.bytes(X.nodeAddress, 16);
    else r.bytes(X.nodeAddress4, 4);
  }
}

/** RFC 5568 §6.1 and the experimental protocol before it, RFC 4068 §6.1 */
function fastHandover(r: Reader): void {
  const subtype = r.u8(X.subtype);
  if (subtype === 4) r.flags8(X.handoverFlags, X.handoverS, X.handoverU, X.handoverReserved);
  else if (subtype === 2 || subtype === 3 || subtype === 5) r.bytes(MldFields.reserved, 1);
  else r.take(1);
  r.u16(X.handoverIdentifier);
}

/** RFC 6743 §2 */
function locatorUpdate(r: Reader): void {
  const n = r.u8(X.locators);
  r.bytes(MldFields.reserved, 1);
  r.bytes(MldFields.reserved, 2);
  for (let i = 0; i < n; i++) {
    r.u64(X.locator);
    const at = r.take(4);
    const { buf } = r.v;
    r.t.num(X.locatorPreference, at, 2, (buf[at] << 8) | buf[at + 1]);
    r.t.num(X.locatorLifetime, at + 2, 2, (buf[at + 2] << 8) | buf[at + 3]);
  }
}

/** RFC 6775 §4.4 */
function duplicateAddress(r: Reader): void {
  r.u8(X.dadStatus);
  r.u8(X.dadReserved);
  r.u16(X.dadLifetime);
  r.bytes(X.dadEui64, 8);
  r.bytes(X.dadAddress, 16);
}

/** By type of message, what stands behind the checksum. */
const MESSAGES: Readonly<Record<number, (r: Reader, code: number) => void>> = {
  139: (r, code) => nodeInformation(r, true, code),
  140: (r, code) => nodeInformation(r, false, code),
  // RFC 3122 §2
  141: (r) => r.bytes(MldFields.reserved, 4),
  142: (r) => r.bytes(MldFields.reserved, 4),
  // RFC 6275 §6.5 to §6.8
  144: (r) => {
    r.u16(X.mipIdentifier);
    r.bytes(MldFields.reserved, 2);
  },
  145: (r) => {
    r.u16(X.mipIdentifier);
    r.bytes(MldFields.reserved, 2);
    while (r.left > 0) r.bytes(X.homeAgentAddress, 16);
  },
  146: (r) => {
    r.u16(X.mipIdentifier);
    r.bytes(MldFields.reserved, 2);
  },
  147: (r) => {
    r.u16(X.mipIdentifier);
    r.flags16(X.mipFlags, X.mipManaged, X.mipOther, X.mipReserved);
  },
  // RFC 3971 §6.4.1, §6.4.2
  148: (r) => {
    r.u16(X.sendIdentifier);
    r.u16(X.component);
  },
  149: (r) => {
    r.u16(X.sendIdentifier);
    r.u16(X.allComponents);
    r.u16(X.component);
    r.bytes(MldFields.reserved, 2);
  },
  150: fastHandover,
  // RFC 4286 §3.2, §4.1, §5.1
  151: (r) => {
    r.u16(X.queryInterval);
    r.u16(X.robustness);
  },
  152: () => {},
  153: () => {},
  154: fastHandover,
  156: locatorUpdate,
  157: duplicateAddress,
  158: duplicateAddress,
};

const WITH_OPTIONS = new Set([141, 142, 147, 148, 149, 150, 154]);

/**
 * The message of an extension whose header starts at `v`, up to its options.
 * @returns where its options begin, the end of the message where it has none, -1 for a type of which nothing is known
 */
export function extensionMessage(r: Reader, v: View): number {
  const type = u8(v.buf, v.off);
  const read = MESSAGES[type];
  if (read === undefined) return -1;
  read(r, u8(v.buf, v.off + 1));
  return WITH_OPTIONS.has(type) ? r.at : v.wireEnd;
}
