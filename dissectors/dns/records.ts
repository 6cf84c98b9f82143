/** Shows the data of records, by type: RFC 1035 §3.3 and §3.4, and the documents named at each. DNSSEC: security.ts. */
import { type Field, latin1, table, u32, utf8Text } from 'fttscope/kit';
import { durationText } from '../dhcp/text.js';
import { E } from './experts.js';
import { F } from './fields.js';
import { readName } from './names.js';
import { serviceBinding } from './options.js';
import type { Rdata, ShowRdata } from './rdata.js';
import { SECURITY } from './security.js';
import { TYPE_NAMES } from './values.js';

/** Type of the pseudo-record of EDNS. RFC 6891 §6.1.1 */
export const OPT = 41;

const name =
  (f: Field): ShowRdata =>
  (r) => {
    r.name(f);
  };

const bytes =
  (f: Field): ShowRdata =>
  (r) =>
    r.rest(f);

const strings =
  (length: Field, f: Field): ShowRdata =>
  (r) => {
    while (r.left > 0) r.string(length, f);
  };

const preferred =
  (preference: Field, f: Field): ShowRdata =>
  (r) => {
    r.u16(preference);
    r.name(f);
  };

const located =
  (preference: Field, f: Field, n: number): ShowRdata =>
  (r) => {
    r.u16(preference);
    r.bytes(f, n);
  };

const SHOWN: Readonly<Record<number, ShowRdata>> = {
  1: (r) => r.bytes(F.a, 4),
  2: name(F.ns),
  3: name(F.md),
  4: name(F.mf),
  5: name(F.cname),
  6: soa,
  7: name(F.mb),
  8: name(F.mg),
  9: name(F.mr),
  10: bytes(F.nullData),
  11: wellKnown,
  12: name(F.ptr),
  13: (r) => {
    r.string(F.cpuLength, F.cpu);
    r.string(F.osLength, F.os);
  },
  14: (r) => {
    r.name(F.minfoR);
    r.name(F.minfoE);
  },
  15: preferred(F.mxPreference, F.mxExchange),
  16: strings(F.txtLength, F.txt),
  17: (r) => {
    r.name(F.rpMailbox);
    r.name(F.rpText);
  },
  18: preferred(F.afsdbSubtype, F.afsdbHost),
  19: (r) => {
    r.string(F.x25Length, F.x25Address);
  },
  20: (r) => {
    r.string(F.isdnLength, F.isdnAddress);
    if (r.left > 0) r.string(F.isdnSubLength, F.isdnSubAddress);
  },
  21: preferred(F.rtPreference, F.rtHost),
  22: bytes(F.nsap),
  23: name(F.nsapOwner),
  26: (r) => {
    r.u16(F.pxPreference);
    r.name(F.px822);
    r.name(F.px400);
  },
  27: (r) => {
    r.string(F.gposLongitudeLength, F.gposLongitude);
    r.string(F.gposLatitudeLength, F.gposLatitude);
    r.string(F.gposAltitudeLength, F.gposAltitude);
  },
  28: (r) => r.bytes(F.aaaa, 16),
  29: location,
  30: nextDomain,
  33: (r) => {
    r.u16(F.srvPriority);
    r.u16(F.srvWeight);
    r.u16(F.srvPort);
    r.name(F.srvTarget);
  },
  35: naptr,
  36: preferred(F.kxPreference, F.kxExchange),
  38: a6,
  39: name(F.dname),
  42: prefixList,
  55: hostIdentity,
  64: serviceBinding,
  65: serviceBinding,
  99: strings(F.spfLength, F.spf),
  104: located(F.nidPreference, F.nid, 8),
  105: located(F.l32Preference, F.l32, 4),
  106: located(F.l64Preference, F.l64, 8),
  107: preferred(F.lpPreference, F.lp),
  108: (r) => r.bytes(F.eui48, 6),
  109: (r) => r.bytes(F.eui64, 8),
  257: authorization,
  65281: wins,
  65282: winsReverse,
  65422: proxied,
  ...SECURITY,
};

/** Shows the data of a record; of a type without a format as octets. */
export function showRdata(r: Rdata): void {
  const show = SHOWN[r.type];
  if (show !== undefined) {
    show(r);
    return;
  }
  // As Wireshark says it.
  r.t.expert(
    E.undecoded,
    `Dissector for DNS Type (${r.type}) code not implemented, Contact Wireshark developers if you want this supported`,
  );
  r.bytes(F.data, r.left);
}

/** Name of a record type as zone files have it. */
export const typeName = (type: number): string => TYPE_NAMES[type] ?? `Unknown (${type})`;

function seconds(r: Rdata, f: Field): void {
  const value = r.u32(f);
  if (r.t.labels) r.t.label(`${f.label}: ${value} (${durationText(value)})`);
}

function soa(r: Rdata): void {
  r.name(F.soaMname);
  r.name(F.soaRname);
  r.u32(F.soaSerial);
  seconds(r, F.soaRefresh);
  seconds(r, F.soaRetry);
  seconds(r, F.soaExpire);
  seconds(r, F.soaMinimum);
}

/** Type 11, RFC 1035 §3.4.2: a bit for each port from 0 on. */
function wellKnown(r: Rdata): void {
  r.bytes(F.wksAddress, 4);
  r.u8(F.wksProtocol);
  for (let port = 0; r.left > 0; port += 8) {
    r.need(1);
    const bits = r.b[r.at];
    if (bits === 0) r.at++;
    else {
      r.u8(F.wksBits);
      if (r.t.labels) r.t.label(`Bits: 0x${bits.toString(16).padStart(2, '0')} (${ports(bits, port)})`);
    }
  }
}

function ports(bits: number, first: number): string {
  const list: number[] = [];
  for (let i = 0; i < 8; i++) if ((bits & (0x80 >> i)) !== 0) list.push(first + i);
  return list.join(', ');
}

/** Type 29, RFC 1876 §2. */
function location(r: Rdata): void {
  r.need(1);
  if (r.b[r.at] !== 0) {
    r.u8(F.locVersion);
    r.at--;
    r.rest(F.locUnknown);
    return;
  }
  r.u8(F.locVersion);
  for (const f of [F.locSize, F.locHorizontal, F.locVertical]) {
    const value = r.u8(f);
    if (r.t.labels) r.t.label(`${f.label}: ${value} (${metres(value)})`);
  }
  const latitude = r.u32(F.locLatitude);
  if (r.t.labels) r.t.label(`Latitude: ${latitude} (${degrees(latitude, 'N', 'S')})`);
  const longitude = r.u32(F.locLongitude);
  if (r.t.labels) r.t.label(`Longitude: ${longitude} (${degrees(longitude, 'E', 'W')})`);
  const altitude = r.u32(F.locAltitude);
  if (r.t.labels) r.t.label(`Altitude: ${altitude} (${(altitude - 10_000_000) / 100} m)`); // RFC 1876 §2
}

/** A base and a power of ten, in centimetres. */
const metres = (value: number): string => `${((value >> 4) * 10 ** (value & 15)) / 100} m`;

/** Thousandths of a second of arc from 2^31 on. */
function degrees(value: number, positive: string, negative: string): string {
  const arc = Math.abs(value - 0x8000_0000);
  const whole = Math.floor(arc / 3_600_000);
  const minutes = Math.floor((arc % 3_600_000) / 60_000);
  return `${whole} deg ${minutes} min ${((arc % 60_000) / 1000).toFixed(3)} sec ${value >= 0x8000_0000 ? positive : negative}`;
}

/** Type 30, RFC 2535 §5.2: a bit for each type below 128. */
function nextDomain(r: Rdata): void {
  r.name(F.nxtNext);
  for (let type = 0; r.left > 0; type += 8) {
    r.need(1);
    for (let i = 0; i < 8; i++) if ((r.b[r.at] & (0x80 >> i)) !== 0) r.t.num(F.bitmapType, r.at, 1, type + i);
    r.at++;
  }
}

/** Type 35, RFC 3403 §4.1. */
function naptr(r: Rdata): void {
  r.u16(F.naptrOrder);
  r.u16(F.naptrPreference);
  r.string(F.naptrFlagsLength, F.naptrFlags);
  r.string(F.naptrServiceLength, F.naptrService);
  r.string(F.naptrRegexLength, F.naptrRegex);
  const replacement = readName(r.b, r.at, r.v.end, r.base, r.v.wireEnd);
  r.t.num(F.naptrReplacementLength, r.at, 0, replacement.length);
  r.name(F.naptrReplacement);
}

/** Type 38, RFC 2874 §3.1. */
function a6(r: Rdata): void {
  const bits = r.u8(F.a6Length);
  const n = bits > 128 ? 0 : 16 - (bits >> 3);
  r.need(n);
  const suffix = new Uint8Array(16);
  suffix.set(r.b.subarray(r.at, r.at + n), 16 - n);
  r.t.bytes(F.a6Suffix, r.at, n, suffix);
  r.at += n;
  if (r.left > 0) r.name(F.a6Name);
}

/** Type 42, RFC 3123 §4. */
function prefixList(r: Rdata): void {
  while (r.left > 0) {
    const family = r.u16(F.aplFamily);
    r.u8(F.aplPrefix);
    r.need(1);
    const word = r.b[r.at];
    r.t.bits(F.aplNegation, r.at, 1, word);
    r.t.bits(F.aplLength, r.at, 1, word);
    r.at++;
    const n = word & 0x7f;
    r.need(n);
    const width = family === 1 ? 4 : family === 2 ? 16 : 0;
    if (width === 0 || n > width) r.t.bytes(F.aplData, r.at, n);
    else r.t.bytes(family === 1 ? F.apl4 : F.apl6, r.at, n, filled(r, n, width));
    r.at += n;
  }
}

function filled(r: Rdata, n: number, width: number): Uint8Array {
  const out = new Uint8Array(width);
  out.set(r.b.subarray(r.at, r.at + n));
  return out;
}

/** Type 55, RFC 8005 §5. */
function hostIdentity(r: Rdata): void {
  const tag = r.u8(F.hitLength);
  r.u8(F.hitAlgorithm);
  const key = r.u16(F.hipKeyLength);
  r.bytes(F.hit, tag);
  r.bytes(F.hipKey, key);
  while (r.left > 0) r.name(F.hipServer);
}

const CAA = table<Field>({ issue: F.caaIssue, issuewild: F.caaIssueWild, iodef: F.caaIodef });

/** Type 257, RFC 8659 §4.1. */
function authorization(r: Rdata): void {
  const { t, b } = r;
  const flags = r.u8(F.caaFlags);
  t.push();
  t.bits(F.caaCritical, r.at - 1, 1, flags);
  t.pop();
  r.need(1);
  const at = r.at;
  const n = b[at];
  r.at = at + 1;
  r.need(n);
  const value = at + 1 + n;
  const tag = latin1(b, at + 1, value);
  r.at = value;
  r.need(r.left);
  const text = utf8Text(b, value, r.end);
  t.text(CAA[tag] ?? F.caaUnknown, at, r.end - at, text);
  t.push();
  t.num(F.caaTagLength, at, 1, n);
  t.text(F.caaTag, at + 1, n);
  t.text(F.caaValue, value, r.end - value);
  t.pop();
  r.at = r.end;
}

/** Types 65281 and 65282: lookups of Windows name servers. */
function wins(r: Rdata): void {
  r.need(4);
  r.t.bits(F.winsLocal, r.at, 4, u32(r.b, r.at));
  r.at += 4;
  r.u32(F.winsLookup);
  r.u32(F.winsCache);
  const n = r.u32(F.winsCount);
  for (let i = 0; i < n && r.left > 0; i++) r.bytes(F.winsServer, 4);
}

function winsReverse(r: Rdata): void {
  r.need(4);
  r.t.bits(F.winsrLocal, r.at, 4, u32(r.b, r.at));
  r.at += 4;
  r.u32(F.winsrLookup);
  r.u32(F.winsrCache);
  r.name(F.winsrDomain);
}

/** Type 65422: what a proxy says about the client that it speaks for. */
function proxied(r: Rdata): void {
  const version = r.u8(F.xpfVersion);
  r.u8(F.xpfProtocol);
  const six = version === 6;
  r.bytes(six ? F.xpfSource6 : F.xpfSource4, six ? 16 : 4);
  r.bytes(six ? F.xpfDestination6 : F.xpfDestination4, six ? 16 : 4);
  r.u16(F.xpfSport);
  r.u16(F.xpfDport);
}
