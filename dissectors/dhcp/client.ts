/** Options that say who the client is and what it wants: 55, 61, 77, 81, 90, 93, 94, 97. */
import { hex, Malformed, put16, put32, Short, type Tree, u16, u16le, u32, u32le, u64 } from 'fttscope/kit';
import { readName } from '../dns/names.js';
import { E } from './experts.js';
import { F } from './fields.js';
import { optionName } from './options.js';
import { asciiText, putAscii } from './text.js';

const ETHERNET = 1;
const IEEE802 = 6;
/** RFC 4361 §6.1: type of a client identifier that holds an IAID and a DUID. */
const TYPE_DUID = 255;
const HIGHEST_HARDWARE = 48;

/** Whether an address of this hardware is shown as a MAC address. */
export const isMac = (htype: number, hlen: number): boolean => hlen === 6 && (htype === ETHERNET || htype === IEEE802);

/** The sixteen octets of a GUID whose first three parts are little-endian, in the order in which they are printed. */
function guidLe(b: Uint8Array, off: number): Uint8Array {
  const out = b.slice(off, off + 16);
  put32(out, 0, u32le(b, off));
  put16(out, 4, u16le(b, off + 4));
  put16(out, 6, u16le(b, off + 6));
  return out;
}

/** Option 55: the codes of the options that the client asks for. RFC 2132 §9.8 */
export function requestList(t: Tree, b: Uint8Array, off: number, end: number): void {
  for (let i = off; i < end; i++) {
    t.num(F.requestItem, i, 1, b[i]);
    if (t.labels) t.label(`Parameter Request List Item: (${b[i]}) ${optionName(b[i])}`);
  }
}

/** Option 61, RFC 2132 §9.14; with type 255, RFC 4361 §6.1. */
export function clientId(t: Tree, b: Uint8Array, off: number, end: number): void {
  const n = end - off;
  if (n === 0) return;
  const type = b[off];
  if (type > 0 && type < HIGHEST_HARDWARE && n === 7) {
    t.num(F.hwType, off, 1, type);
    if (isMac(type, n - 1)) t.bytes(F.mac, off + 1, n - 1);
    else t.text(F.clientHardware, off + 1, n - 1, hex(b, off + 1, n - 1, ''));
  } else if (n === 17 && type === 0) {
    t.bytes(F.clientUuid, off + 1, 16, guidLe(b, off + 1)); // RFC 4578 §2.3: as PXE lays it out
  } else if (type === 0 && n > 1) {
    t.num(F.clientIdType, off, 1, type);
    // Opaque octets, RFC 2132 §9.14: those behind a NUL are no mistake, though tshark marks them so.
    t.text(F.clientIdText, off + 1, n - 1, asciiText(b, off + 1, end));
  } else if (type === TYPE_DUID) {
    duid(t, b, off + 1, end);
  } else {
    t.num(F.clientIdType, off, 1, type);
    if (n > 1) t.bytes(F.clientId, off + 1, n - 1);
  }
}

function duid(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (off + 4 > end) throw new Short(4, end - off, off, false);
  t.text(F.iaid, off, 4, hex(b, off, 4, ''));
  if (off + 6 > end) throw new Short(2, end - off - 4, off + 4, false);
  const at = off + 4;
  const type = u16(b, at);
  t.num(F.duidType, at, 2, type);
  const least = type === 1 ? 8 : type === 2 ? 6 : 4;
  if (type >= 1 && type <= 3 && end - at < least) {
    t.expert(E.badDuid);
    return;
  }
  if (type === 1) {
    t.num(F.duidLltHw, at + 2, 2, u16(b, at + 2));
    t.num(F.duidTime, at + 4, 4, u32(b, at + 4));
    if (end > at + 8) t.text(F.duidLink, at + 8, end - at - 8, linkLayer(b, u16(b, at + 2), at + 8, end));
  } else if (type === 2) {
    t.num(F.duidEnterprise, at + 2, 4, u32(b, at + 2));
    if (end > at + 6) t.bytes(F.clientId, at + 6, end - at - 6);
  } else if (type === 3) {
    t.num(F.duidLlHw, at + 2, 2, u16(b, at + 2));
    if (end > at + 4) t.text(F.duidLink, at + 4, end - at - 4, linkLayer(b, u16(b, at + 2), at + 4, end));
  } else if (type === 4 && end - at === 18) {
    t.bytes(F.clientUuid, at + 2, 16); // RFC 6355 §4
  } else if (end > at + 2) {
    t.bytes(F.clientId, at + 2, end - at - 2);
  }
}

/** A link-layer address: with colons where it is a MAC address. */
export const linkLayer = (b: Uint8Array, hardware: number, off: number, end: number): string =>
  hex(b, off, end - off, isMac(hardware, end - off) ? ':' : '');

/** Option 77, RFC 3004 §4; text without lengths, as some boot loaders send it, too. */
export function userClass(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (end - off < 2) {
    t.expert(E.badLength, "length isn't >= 2");
    return;
  }
  let at = off;
  while (at < end) at += 1 + b[at];
  if (at !== end && b[off] !== 0) {
    putAscii(t, F.userClassText, b, off, end);
    t.expert(E.nonStandard);
    return;
  }
  at = off;
  for (let i = 0; at < end; i++) {
    const n = b[at];
    t.num(F.userClass, at, n + 1, i);
    if (t.labels) t.label(`Instance of User Class: [${i}]`);
    t.push();
    t.num(F.userClassLength, at, 1, n);
    if (n === 0) {
      t.expert(E.badLength, `UC_Len_${i} isn't >= 1 (UC_Len_${i} = 0)`); // RFC 3004 §4
      t.pop();
      return;
    }
    t.bytes(F.userClassData, at + 1, n);
    t.pop();
    at += 1 + n;
  }
}

/** Option 81, RFC 4702 §2. */
export function clientFqdn(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (end - off < 3) {
    t.expert(E.badLength, "length isn't >= 3");
    return;
  }
  const flags = b[off];
  t.num(F.fqdnFlags, off, 1, flags);
  t.push();
  t.bits(F.fqdnMbz, off, 1, flags);
  t.bits(F.fqdnN, off, 1, flags);
  t.bits(F.fqdnE, off, 1, flags);
  t.bits(F.fqdnO, off, 1, flags);
  t.bits(F.fqdnS, off, 1, flags);
  t.pop();
  t.num(F.fqdnRcode1, off + 1, 1, b[off + 1]);
  t.num(F.fqdnRcode2, off + 2, 1, b[off + 2]);
  if (end === off + 3) return;
  if ((flags & 0x04) === 0) putAscii(t, F.fqdnName, b, off + 3, end);
  else t.text(F.fqdnName, off + 3, end - off - 3, partialName(b, off + 3, end));
}

/** A name in wire form that may lack the final zero: a host name without its domain. RFC 4702 §2.3 */
function partialName(b: Uint8Array, off: number, end: number): string {
  const whole = new Uint8Array(end - off + 1);
  whole.set(b.subarray(off, end));
  const name = readName(whole, 0, whole.length, 0);
  if (name.end > whole.length) throw new Malformed('Name runs past its option');
  return name.text;
}

/** Option 90, RFC 3118 §2. */
export function authentication(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (end - off < 11) {
    t.expert(E.badLength, "length isn't >= 11");
    return;
  }
  const protocol = b[off];
  const delayed = protocol === 1;
  t.num(F.authProtocol, off, 1, protocol);
  t.num(delayed ? F.authDelay : F.authAlgorithm, off + 1, 1, b[off + 1]);
  t.num(F.authRdm, off + 2, 1, b[off + 2]);
  if (b[off + 2] === 0) t.big(F.authReplay, off + 3, 8, u64(b, off + 3));
  else putAscii(t, F.authRdv, b, off + 3, off + 11);
  if (end === off + 11) return;
  if (delayed && b[off + 1] === 1) {
    if (end - off < 31) return; // the request for it carries neither secret id nor hash (RFC 3118 §5.2)
    t.num(F.authSecret, off + 11, 4, u32(b, off + 11));
    t.bytes(F.authHash, off + 15, 16);
  } else putAscii(t, F.authInformation, b, off + 11, end);
}

/** Option 93, RFC 4578 §2.1. */
export function architecture(t: Tree, b: Uint8Array, off: number, end: number): void {
  if ((end - off) % 2 !== 0) {
    t.expert(E.badLength, "Option length isn't a multiple of 2");
    return;
  }
  for (let i = off; i < end; i += 2) {
    t.num(F.architecture, i, 2, u16(b, i));
    if (u16(b, i) === 9) t.expert(E.ambiguousArchitecture);
  }
}

/** Option 94, RFC 4578 §2.2: type 1 is the Universal Network Device Interface and its version. */
export function networkInterface(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (off === end) throw new Short(1, 0, off, false);
  if (b[off] !== 1 || end - off < 3) return;
  t.num(F.networkMajor, off + 1, 1, b[off + 1]);
  t.num(F.networkMinor, off + 2, 1, b[off + 2]);
}

/** Option 97, RFC 4578 §2.3: type 0 is a GUID. */
export function machineId(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (end - off === 17 && b[off] === 0) t.bytes(F.clientUuid, off + 1, 16, guidLe(b, off + 1));
}

/** Option 117, RFC 2937: the name services in the order in which they are to be asked. */
export function nameServices(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (end - off < 2) {
    t.expert(E.badLength, "length isn't >= 2");
    return;
  }
  if ((end - off) % 2 !== 0) {
    t.expert(E.badLength, "Option length isn't a multiple of 2");
    return;
  }
  for (let i = off; i < end; i += 2) {
    const code = u16(b, i);
    const name = NAME_SERVICES[code];
    if (name === undefined)
      t.expert(
        E.badNameService,
        `Invalid Name Service (${code}). RFC 2937 defines only 0, 6, 41, 44, and 65 as possible values.`,
      );
    else t.text(F.nameService, i, 2, `${name} (${code})`);
  }
}

const NAME_SERVICES: Readonly<Record<number, string>> = {
  0: 'Local naming information (e.g., an /etc/hosts file on a UNIX machine)',
  6: 'Domain Name Server Option',
  41: 'Network Information Servers Option',
  44: 'NetBIOS over TCP/IP Name Server Option',
  65: 'Network Information Service+ Servers Option',
};
