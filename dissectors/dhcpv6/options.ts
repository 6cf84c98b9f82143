/** Shows the options of DHCPv6, those inside others too. RFC 9915 §21 */
import { type Field, hex, Malformed, Short, type Tree, u16, u32, type View } from 'fttscope/kit';
import { linkLayer } from '../dhcp/client.js';
import { putAscii, putUtf8 } from '../dhcp/text.js';
import { domains } from './domains.js';
import { bad, duid } from './duid.js';
import { E } from './experts.js';
import { F } from './fields.js';
import { MESSAGE_TYPES, OPTIONS } from './values.js';

/** What an option needs to know of what is around it. */
export interface Around {
  readonly v: View;
  /** Type of the message that the option stands in. */
  readonly type: number;
  /** Whether it came over TCP, where Bulk Leasequery runs. */
  readonly stream: boolean;
  /** How many relay messages are around it. */
  readonly depth: number;
  /** Shows the message in a relay message option. */
  message(v: View, t: Tree, depth: number, stream: boolean): void;
}

type Show = (t: Tree, a: Around, off: number, end: number) => void;

const HEADER = 4;

const list =
  (f: Field, what: string): Show =>
  (t, _, off, end) => {
    if ((end - off) % 16 !== 0) return bad(t, what);
    for (let i = off; i < end; i += 16) t.bytes(f, i, 16);
  };

const names =
  (f: Field): Show =>
  (t, a, off, end) =>
    domains(t, f, a.v.buf, off, end);

const text =
  (f: Field): Show =>
  (t, a, off, end) => {
    if (end > off) putUtf8(t, f, a.v.buf, off, end);
  };

const number =
  (f: Field, width: 1 | 2 | 4, what: string): Show =>
  (t, a, off, end) => {
    if (end - off !== width) return bad(t, what);
    const b = a.v.buf;
    t.num(f, off, width, width === 1 ? b[off] : width === 2 ? u16(b, off) : u32(b, off));
  };

const nothing: Show = (t, _, off, end) => {
  if (end > off) t.bytes(F.value, off, end - off);
};

const requested: Show = (t, a, off, end) => {
  for (let i = off; i < end; i += 2) {
    needIn(a, 2, i, end);
    t.num(F.requested, i, 2, u16(a.v.buf, i));
  }
};

const SHOWN: Readonly<Record<number, Show>> = {
  1: (t, a, off, end) => duid(t, a.v.buf, off, end),
  2: (t, a, off, end) => duid(t, a.v.buf, off, end),
  3: (t, a, off, end) => association(t, a, off, end, 'IA_NA'),
  4: (t, a, off, end) => {
    if (end - off < 4) return bad(t, 'IA_TA');
    t.text(F.iata, off, 4, hex(a.v.buf, off, 4, ''));
    options(t, a, off + 4, end);
  },
  5: address,
  6: requested,
  7: number(F.preference, 1, 'PREFERENCE'),
  8: (t, a, off, end) => {
    if (end - off !== 2) return bad(t, 'ELAPSED-TIME');
    const ms = 10 * u16(a.v.buf, off); // RFC 9915 §21.9: hundredths of a second
    t.num(F.elapsed, off, 2, ms);
    if (t.labels) t.label(`Elapsed time: ${ms}ms`);
  },
  9: (t, a, off, end) => {
    if (end === off) return bad(t, 'RELAY-MSG');
    a.message(a.v.sub(off, end), t, a.depth + 1, a.stream);
  },
  11: authentication,
  12: (t, _, off, end) => (end - off === 16 ? t.bytes(F.unicast, off, 16) : bad(t, 'UNICAST')),
  13: (t, a, off, end) => {
    needIn(a, 2, off, end);
    t.num(F.status, off, 2, u16(a.v.buf, off));
    if (end > off + 2) putUtf8(t, F.statusMessage, a.v.buf, off + 2, end);
  },
  14: nothing,
  15: userClass,
  16: vendorClass,
  17: vendorOptions,
  18: (t, _, off, end) => {
    if (end === off) return bad(t, 'INTERFACE_ID');
    t.bytes(F.interfaceId, off, end - off);
  },
  19: number(F.reconfigure, 1, 'RECONF_MSG'),
  20: (t, a, off, end) => {
    if (end > off) bad(t, 'RECONF_ACCEPT'); // RFC 9915 §21.20: no data
    nothing(t, a, off, end);
  },
  21: names(F.sipName),
  22: list(F.sipAddress, 'SIP servers address'),
  23: list(F.dnsServer, 'DNS servers address'),
  24: names(F.searchEntry),
  25: (t, a, off, end) => association(t, a, off, end, 'IA_PD'),
  26: prefix,
  27: list(F.nisServer, 'NIS servers address'),
  28: list(F.nispServer, 'NISP servers address'),
  29: names(F.nisName),
  30: names(F.nispName),
  31: list(F.sntpServer, 'SNTP servers address'),
  32: number(F.lifetime, 4, 'LIFETIME'),
  33: names(F.bcmcsName),
  34: list(F.bcmcsAddress, 'BCMCS servers address'),
  37: (t, a, off, end) => {
    if (end - off < 4) return bad(t, 'REMOTE_ID');
    t.num(F.remoteEnterprise, off, 4, u32(a.v.buf, off));
    if (end > off + 4) t.bytes(F.remoteId, off + 4, end - off - 4);
  },
  38: (t, a, off, end) => {
    if (end === off) return bad(t, 'SUBSCRIBER_ID');
    putUtf8(t, F.subscriberId, a.v.buf, off, end);
  },
  39: clientFqdn,
  40: list(F.panaAgent, 'PANA agent address'),
  41: text(F.timezone),
  42: text(F.tzdb),
  43: requested,
  44: (t, a, off, end) => {
    if (end - off < 17) return bad(t, 'LQ-QUERY');
    t.num(F.queryType, off, 1, a.v.buf[off]);
    if (a.v.buf[off] >= 3 && a.v.buf[off] <= 5 && !a.stream) t.expert(E.bulkQuery);
    t.bytes(F.queryLink, off + 1, 16);
    options(t, a, off + 17, end);
  },
  45: options,
  46: number(F.lastTransaction, 4, 'CLT_TIME'),
  47: (t, a, off, end) => {
    if (end - off < 16) return bad(t, 'LQ_RELAY_DATA');
    t.bytes(F.relayDataPeer, off, 16);
    if (end > off + 16) a.message(a.v.sub(off + 16, end), t, a.depth + 1, a.stream);
  },
  48: list(F.clientLink, 'LQ client links address'),
  53: (t, a, off, end) => duid(t, a.v.buf, off, end), // RFC 5460 §5.4.1
  52: list(F.capwap, 'CAPWAP Access Controllers address'),
  56: timeServers,
  59: text(F.bootUrl),
  60: bootParameters,
  64: (t, a, off, end) => oneName(t, F.aftrName, a.v.buf, off, end),
  67: (t, a, off, end) => {
    if (end - off < 2 || end - off > 17) return bad(t, 'PD_EXCLUDE'); // RFC 6603 §4.2
    t.num(F.excludeLength, off, 1, a.v.buf[off]);
    t.bytes(F.excludeSubnet, off + 1, end - off - 1);
  },
  79: (t, a, off, end) => {
    if (end - off < 2) return bad(t, 'CLIENT_LINKLAYER_ADDR');
    const hardware = u16(a.v.buf, off); // RFC 6939 §4
    t.num(F.linkHardware, off, 2, hardware);
    if (end > off + 2) t.text(F.linkAddress, off + 2, end - off - 2, linkLayer(a.v.buf, hardware, off + 2, end));
  },
  82: number(F.maxSolicit, 4, 'SOL_MAX_RT'),
  83: number(F.maxInformation, 4, 'INF_MAX_RT'),
  89: softwireRule,
  // RFC 7598 §4.2
  90: (t, _, off, end) => (end - off === 16 ? t.bytes(F.borderRelay, off, 16) : bad(t, 'S46_BR')),
  91: (t, a, off, end) => {
    if (end - off < 1 || end - off > 17) return bad(t, 'S46_DMR'); // RFC 7598 §4.3
    optionsAfter(t, a, softwirePrefix(t, a, F.mappingPrefixLength, F.mappingPrefix, off, end), end);
  },
  92: (t, a, off, end) => {
    if (end - off < 5) return bad(t, 'S46_V4V6BIND');
    t.bytes(F.bindingAddress, off, 4);
    optionsAfter(t, a, softwirePrefix(t, a, F.bindingPrefixLength, F.bindingPrefix, off + 4, end), end);
  },
  93: (t, a, off, end) => {
    const bits = a.v.buf[off + 1];
    if (end - off !== 4 || bits > 16) return bad(t, 'S46_PORTPARAMS');
    // RFC 7598 §4.5: so many of the first bits of the next two octets
    t.num(F.portOffset, off, 1, a.v.buf[off]);
    t.num(F.portSetLength, off + 1, 1, bits);
    t.num(F.portSet, off + 2, 2, u16(a.v.buf, off + 2) >> (16 - bits));
  },
  94: options, // RFC 7598 §5
  95: options,
  96: options,
  103: text(F.captivePortal),
  112: text(F.mudUrl),
  135: number(F.relayPort, 2, 'Relay Port'),
};

/** Shows a field that is to hold one name. */
function oneName(t: Tree, f: Field, b: Uint8Array, off: number, end: number): void {
  if (off === end) t.num(F.fieldLength, off, 0, 0);
  else domains(t, f, b, off, end);
}

/** Demands `n` octets at `at` of an option that ends at `end`. @throws Short */
function needIn(a: Around, n: number, at: number, end: number): void {
  if (at + n > end) throw new Short(n, Math.max(0, end - at), at - a.v.source.start, false);
}

/** Shows the options in `[off, end)`. */
export function options(t: Tree, a: Around, off: number, end: number): void {
  let at = off;
  while (at < end) {
    const stop = at + HEADER <= end ? at + HEADER + u16(a.v.buf, at + 2) : end + 1;
    if (stop > end) {
      if (end < a.v.end || a.v.end === a.v.wireEnd) {
        t.bytes(F.value, at, end - at);
        t.expert(E.optionCut);
        return;
      }
      throw new Short(stop - at, end - at, at - a.v.source.start, true);
    }
    option(t, a, u16(a.v.buf, at), at, stop);
    at = stop;
  }
}

function option(t: Tree, a: Around, code: number, at: number, end: number): void {
  const name = OPTIONS[code] ?? `DHCP option ${code}`;
  t.text(F.optionName, at, end - at, name);
  if (t.labels) t.label(name);
  t.push();
  t.num(F.option, at, 2, code);
  t.num(F.optionLength, at + 2, 2, end - at - HEADER);
  const { level } = t;
  try {
    (SHOWN[code] ?? nothing)(t, a, at + HEADER, end);
  } catch (e) {
    if (!(e instanceof Malformed || (e instanceof Short && !e.cut))) throw e;
    if (end >= a.v.wireEnd) throw e; // nothing follows that could be read all the same
    t.level = level; // what it holds ends with it: the options behind it are read all the same
    bad(t, name);
  }
  t.pop();
}

/** Options 3 and 25, RFC 9915 §21.4 and §21.21. */
function association(t: Tree, a: Around, off: number, end: number, what: string): void {
  if (end - off < 12) {
    bad(t, what);
    return;
  }
  t.text(F.iaid, off, 4, hex(a.v.buf, off, 4, ''));
  t.num(F.t1, off + 4, 4, u32(a.v.buf, off + 4));
  t.num(F.t2, off + 8, 4, u32(a.v.buf, off + 8));
  options(t, a, off + 12, end);
}

/** Option 5, RFC 9915 §21.6. */
function address(t: Tree, a: Around, off: number, end: number): void {
  if (end - off < 24) {
    bad(t, 'IA_TA');
    return;
  }
  t.bytes(F.iaAddress, off, 16);
  t.num(F.iaPreferred, off + 16, 4, u32(a.v.buf, off + 16));
  t.num(F.iaValid, off + 20, 4, u32(a.v.buf, off + 20));
  options(t, a, off + 24, end);
}

/** Option 26, RFC 9915 §21.22. */
function prefix(t: Tree, a: Around, off: number, end: number): void {
  if (end - off < 25) {
    bad(t, 'IAPREFIX');
    return;
  }
  t.num(F.prefixPreferred, off, 4, u32(a.v.buf, off));
  t.num(F.prefixValid, off + 4, 4, u32(a.v.buf, off + 4));
  t.num(F.prefixLength, off + 8, 1, a.v.buf[off + 8]);
  t.bytes(F.prefixAddress, off + 9, 16);
  options(t, a, off + 25, end);
}

/**
 * A length in bits and so much of a prefix as it says.
 * @returns where it ends
 */
function softwirePrefix(t: Tree, a: Around, length: Field, f: Field, off: number, end: number): number {
  const b = a.v.buf;
  const n = Math.min(16, (b[off] + 7) >> 3);
  t.num(length, off, 1, b[off]);
  needIn(a, n, off + 1, end);
  const whole = new Uint8Array(16);
  whole.set(b.subarray(off + 1, off + 1 + n));
  t.bytes(f, off + 1, n, whole);
  return off + 1 + n;
}

const optionsAfter = (t: Tree, a: Around, off: number, end: number): void => {
  if (off < end) options(t, a, off, end);
};

/** Option 89, RFC 7598 §4.1. */
function softwireRule(t: Tree, a: Around, off: number, end: number): void {
  const b = a.v.buf;
  if (end - off < 8) {
    bad(t, 'S46_RULE');
    return;
  }
  t.num(F.ruleFlags, off, 1, b[off]);
  t.push();
  t.bits(F.ruleReserved, off, 1, b[off]);
  t.bits(F.ruleFmr, off, 1, b[off]);
  t.pop();
  t.num(F.ruleEaLength, off + 1, 1, b[off + 1]);
  t.num(F.rulePrefixLength4, off + 2, 1, b[off + 2]);
  t.bytes(F.rulePrefix4, off + 3, 4);
  optionsAfter(t, a, softwirePrefix(t, a, F.rulePrefixLength6, F.rulePrefix6, off + 7, end), end);
}

/** Option 11, RFC 9915 §21.11; protocol 2 is the delayed authentication of RFC 3315 §21.4. */
function authentication(t: Tree, a: Around, off: number, end: number): void {
  const b = a.v.buf;
  if (end - off < 11) {
    bad(t, 'AUTH');
    return;
  }
  t.num(F.authProtocol, off, 1, b[off]);
  t.num(F.authAlgorithm, off + 1, 1, b[off + 1]);
  t.num(F.authRdm, off + 2, 1, b[off + 2]);
  t.bytes(F.authReplay, off + 3, 8);
  const n = end - off - 11;
  if (b[off] === 2 && n >= 20) {
    putAscii(t, F.authRealm, b, off + 11, end - 20);
    t.num(F.authKeyId, end - 20, 4, u32(b, end - 20));
    t.bytes(F.authMd5, end - 16, 16);
  } else t.bytes(F.authInfo, off + 11, n);
}

/** Option 15, RFC 9915 §21.15. */
function userClass(t: Tree, a: Around, off: number, end: number): void {
  for (let at = off; at < end; ) {
    needIn(a, 2, at, end);
    const n = u16(a.v.buf, at);
    if (at + 2 + n > end) {
      t.expert(E.malformed, 'User Class: suboption too long');
      return;
    }
    t.num(F.userClassLength, at, 2, n);
    t.push();
    t.bytes(F.userClassData, at + 2, n);
    t.pop();
    at += 2 + n;
  }
}

/** Option 16, RFC 9915 §21.16. */
function vendorClass(t: Tree, a: Around, off: number, end: number): void {
  const b = a.v.buf;
  if (end - off < 4) {
    bad(t, 'VENDOR_CLASS');
    return;
  }
  t.num(F.vendorClass, off, 4, u32(b, off));
  for (let at = off + 4; at + 2 < end; ) {
    const stop = Math.min(end, at + 2 + u16(b, at));
    putAscii(t, F.vendorClassData, b, at + 2, stop);
    at = stop;
  }
}

/** Option 17, RFC 9915 §21.17. */
function vendorOptions(t: Tree, a: Around, off: number, end: number): void {
  const b = a.v.buf;
  if (end - off < 4) {
    bad(t, 'VENDOR_OPTS');
    return;
  }
  t.num(F.vendorOptions, off, 4, u32(b, off));
  for (let at = off + 4; at < end; ) {
    needIn(a, 4, at, end);
    const n = u16(b, at + 2);
    t.num(F.vendorCode, at, 2, u16(b, at));
    t.num(F.vendorLength, at + 2, 2, n);
    needIn(a, n, at + 4, end);
    t.bytes(F.vendorData, at + 4, n);
    at += 4 + n;
  }
}

/** Messages that may carry option 39. RFC 4704 §5 */
const FQDN_FROM_CLIENT = new Set([1, 3, 5, 6]);
const FQDN_FROM_SERVER = new Set([2, 7]);

/** Option 39, RFC 4704 §4. */
function clientFqdn(t: Tree, a: Around, off: number, end: number): void {
  if (end === off) {
    bad(t, 'FQDN');
    return;
  }
  const flags = a.v.buf[off];
  const fromServer = FQDN_FROM_SERVER.has(a.type);
  t.num(F.fqdnFlags, off, 1, flags);
  t.push();
  t.bits(fromServer ? F.serverN : F.clientN, off, 1, flags);
  if (fromServer) t.bits(F.serverO, off, 1, flags);
  t.bits(fromServer ? F.serverS : F.clientS, off, 1, flags);
  t.pop();
  if (!fromServer && !FQDN_FROM_CLIENT.has(a.type))
    t.expert(E.fqdnMessage, `${E.fqdnMessage.message} (${MESSAGE_TYPES[a.type] ?? a.type})`);
  if ((flags & 5) === 5) t.expert(E.fqdnBits);
  oneName(t, F.clientDomain, a.v.buf, off + 1, end);
}

/** Option 56, RFC 5908 §4. */
function timeServers(t: Tree, a: Around, off: number, end: number): void {
  const b = a.v.buf;
  if (end - off < 4) {
    bad(t, 'NTP Server');
    return;
  }
  for (let at = off; at < end; ) {
    needIn(a, 4, at, end);
    if (at + 4 + u16(b, at + 2) > end) {
      t.expert(E.malformed, 'NTP Server: suboption too long');
      return;
    }
    const type = u16(b, at);
    const n = u16(b, at + 2);
    t.num(F.ntpType, at, 2, type);
    t.push();
    t.num(F.ntpLength, at + 2, 2, n);
    if ((type === 1 || type === 2) && n === 16) t.bytes(type === 1 ? F.ntpAddress : F.ntpMulticast, at + 4, 16);
    else if (type === 3) domains(t, F.ntpName, b, at + 4, at + 4 + n);
    else if (n > 0) t.bytes(F.value, at + 4, n);
    t.pop();
    at += 4 + n;
  }
}

/** Option 60, RFC 5970 §3.2. */
function bootParameters(t: Tree, a: Around, off: number, end: number): void {
  for (let at = off; at < end; ) {
    if (end - at < 2 || at + 2 + u16(a.v.buf, at) > end) {
      bad(t, 'BOOTFILE_PARAM');
      return;
    }
    const n = u16(a.v.buf, at);
    putUtf8(t, F.bootParameter, a.v.buf, at + 2, at + 2 + n);
    at += 2 + n;
  }
}
