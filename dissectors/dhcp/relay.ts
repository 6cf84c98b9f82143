/**
 * Options that hold others: relay agent information (82, RFC 3046) and what vendors define (43 of RFC 2132, 124 and 125
 * of RFC 3925). Suboptions are a code, a length and as many octets.
 */
import { type Field, nameOf, Short, type Tree, u24, u32 } from 'fttscope/kit';
import { E } from './experts.js';
import { F } from './fields.js';
import { asciiText, putAscii } from './text.js';
import { RELAY_SUBOPTIONS, TR111_SUBOPTIONS } from './values.js';

const CABLELABS = 4491;
const BROADBAND_FORUM = 3561;

type Kind = 'bytes' | 'text' | 'ip' | 'u8' | 'u32' | 'none';

/** Suboptions of option 82 of one simple type; RFC 3046, 3256, 3527, 3993, 4014, 4030, 5010, 5107, 6925, 7839, 8357. */
const RELAY: Readonly<Record<number, readonly [Kind, Field]>> = {
  1: ['bytes', F.circuitId],
  2: ['bytes', F.remoteId],
  3: ['bytes', F.relayReserved],
  4: ['u32', F.docsisDeviceClass],
  5: ['ip', F.linkSelection],
  6: ['text', F.subscriberId],
  7: ['bytes', F.radiusAttributes],
  8: ['bytes', F.relayAuthentication],
  10: ['u8', F.relayFlags],
  11: ['ip', F.serverIdOverride],
  12: ['bytes', F.relayAgentId],
  14: ['text', F.aniNetworkName],
  15: ['text', F.aniApName],
  16: ['bytes', F.aniApBssid],
  17: ['bytes', F.aniOperatorId],
  18: ['text', F.aniOperatorRealm],
  19: ['none', F.relaySourcePort],
  150: ['ip', F.linkSelectionCisco],
  152: ['ip', F.serverIdOverrideCisco],
};

const WIDTH: Readonly<Record<Kind, number>> = { bytes: -1, text: -1, ip: 4, u8: 1, u32: 4, none: -1 };

/** How the suboptions of an option are shown. */
interface Suboptions {
  /** Has the code of each. */
  readonly field: Field;
  label(code: number): string;
  /** Shows the octets of one, which are `[off, end)`. */
  show(code: number, off: number, end: number): void;
}

/** Suboptions in `[off, end)`. */
function suboptions(t: Tree, b: Uint8Array, off: number, end: number, s: Suboptions): void {
  let at = off;
  while (at < end) {
    const code = b[at];
    if (at + 1 >= end) {
      t.expert(E.noSuboptionLength, `Suboption ${code}: no room left in option for suboption length`);
      return;
    }
    const n = b[at + 1];
    t.num(s.field, at, n + 2, code);
    if (t.labels) t.label(s.label(code));
    t.push();
    t.num(F.suboptionLength, at + 1, 1, n);
    if (at + 2 + n > end) {
      t.expert(E.noSuboptionValue, `Suboption ${code}: no room left in option for suboption value`);
      t.pop();
      return;
    }
    s.show(code, at + 2, at + 2 + n);
    t.pop();
    at += 2 + n;
  }
}

/** Option 82, RFC 3046 §2.0. */
export function relayInformation(t: Tree, b: Uint8Array, off: number, end: number): void {
  suboptions(t, b, off, end, {
    field: F.relay,
    label: (code) => `Option 82 Suboption: (${code}) ${nameOf(RELAY_SUBOPTIONS, code)}`,
    show: (code, from, to) => relaySuboption(t, b, code, from, to),
  });
}

function relaySuboption(t: Tree, b: Uint8Array, code: number, off: number, end: number): void {
  const type = RELAY[code];
  const n = end - off;
  const known = type !== undefined || code === 9 || code === 151;
  t.bytes(known ? F.hiddenRelayValue : F.relayValue, off, n);
  if (code === 9)
    vendorParts(t, b, off, end, F.relayEnterprise, F.relayDataLength, (to) => t.bytes(F.relayVendor, to.off, to.len));
  else if (code === 151) vpn(t, b, off, end);
  else if (type !== undefined) {
    const [kind, field] = type;
    if (WIDTH[kind] >= 0 && n !== WIDTH[kind]) {
      t.expert(E.badLength, `length isn't ${WIDTH[kind]}`);
      return;
    }
    simple(t, b, kind, field, off, end);
  }
}

function simple(t: Tree, b: Uint8Array, kind: Kind, field: Field, off: number, end: number): void {
  if (kind === 'bytes' || kind === 'ip') t.bytes(field, off, end - off);
  else if (kind === 'text') putAscii(t, field, b, off, end);
  else if (kind === 'u8') t.num(field, off, 1, b[off]);
  else if (kind === 'u32') t.num(field, off, 4, u32(b, off));
  else t.none(field, off, end - off);
}

/** Suboption 151, RFC 6607 §3.2: type 0 is a name, 1 an RFC 2685 VPN-ID, 255 the global VPN. */
function vpn(t: Tree, b: Uint8Array, off: number, end: number): void {
  const n = end - off;
  if (n === 0) {
    t.expert(E.badLength, 'length must be >= 1');
    return;
  }
  if (n === 1) t.num(F.vrfGlobal, off, 1, b[off]);
  else if (b[off] === 0) putAscii(t, F.vrfName, b, off + 1, end);
  else if (b[off] === 1 && n === 8) {
    t.num(F.vpnOui, off + 1, 3, u24(b, off + 1));
    t.num(F.vpnIndex, off + 4, 4, u32(b, off + 4));
  } else t.bytes(F.vpnId, off, n);
}

/** Octets of a part. */
interface Part {
  readonly off: number;
  readonly len: number;
  readonly enterprise: number;
}

/** A list of enterprise number, length and octets: RFC 3925 §3 and §4, RFC 4243 §3. */
function vendorParts(
  t: Tree,
  b: Uint8Array,
  off: number,
  end: number,
  enterprise: Field,
  length: Field,
  show: (part: Part) => void,
): void {
  let at = off;
  do {
    if (end - at < 5) {
      t.expert(E.badLength, 'length < 5');
      return;
    }
    t.num(enterprise, at, 4, u32(b, at));
    t.push();
    const n = b[at + 4];
    t.num(length, at + 4, 1, n);
    if (at + 5 + n > end) {
      if (enterprise !== F.relayEnterprise) throw new Short(n, end - at - 5, at + 5, false);
      t.expert(E.noSuboptionValue);
      t.pop();
      return;
    }
    show({ off: at + 5, len: n, enterprise: u32(b, at) });
    t.pop();
    at += 5 + n;
  } while (at < end);
}

/** Option 124, RFC 3925 §3. An octet alone is the address mode of CableLabs. */
export function vendorClass(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (end - off === 1) {
    t.num(F.classAddressMode, off, 1, b[off]);
    return;
  }
  vendorParts(t, b, off, end, F.classEnterprise, F.classLength, (p) =>
    putAscii(t, F.classData, b, p.off, p.off + p.len),
  );
}

/** Option 125, RFC 3925 §4. */
export function vendorInformation(t: Tree, b: Uint8Array, off: number, end: number): void {
  vendorParts(t, b, off, end, F.viEnterprise, F.viLength, (p) => vendorSuboptions(t, b, p));
}

const TR111: Readonly<Record<number, Field>> = {
  1: F.tr111DeviceOui,
  2: F.tr111DeviceSerial,
  3: F.tr111DeviceClass,
  4: F.tr111GatewayOui,
  5: F.tr111GatewaySerial,
  6: F.tr111GatewayClass,
};

function vendorSuboptions(t: Tree, b: Uint8Array, { off, len, enterprise }: Part): void {
  const forum = enterprise === BROADBAND_FORUM;
  const field = forum ? F.viTr111 : enterprise === CABLELABS ? F.viCableLabs : F.viSuboption;
  suboptions(t, b, off, off + len, {
    field,
    label: (code) => `Option 125 Suboption: ${forum ? `(${code}) ${nameOf(TR111_SUBOPTIONS, code)}` : code}`,
    show: (code, from, to) => vendorSuboption(t, b, enterprise, code, from, to),
  });
}

function vendorSuboption(t: Tree, b: Uint8Array, enterprise: number, code: number, off: number, end: number): void {
  const n = end - off;
  const field = enterprise === BROADBAND_FORUM ? TR111[code] : undefined;
  if (field === F.tr111DeviceOui && n === 3) t.num(field, off, 3, u24(b, off));
  else if (field === F.tr111DeviceOui && n === 6) {
    // TR-069 annex F writes the OUI as six hexadecimal digits
    const oui = Number.parseInt(asciiText(b, off, end), 16);
    if (Number.isNaN(oui)) t.bytes(F.viData, off, n);
    else t.num(field, off, n, oui);
  } else if (field !== undefined && field !== F.tr111DeviceOui) putAscii(t, field, b, off, end);
  else if (enterprise === CABLELABS && code === 2 && n > 0 && n % 4 === 0) {
    for (let i = off; i < end; i += 4) t.bytes(F.viTftp, i, 4);
  } else t.bytes(F.viData, off, n);
}
