import {
  defineDissector,
  experts,
  type Field,
  fields,
  ip4,
  latin1,
  nameOf,
  need,
  type Tree,
  u8,
  u16,
  u32,
  type ValueStrings,
  type View,
} from 'fttscope/kit';

/**
 * Network Time Protocol, RFC 5905 §7.3; SNTP, which phones speak, has the same messages (RFC 4330 §4):
 *
 *     0               1               2               3
 *     +---+-----+-----+---------------+---------------+---------------+
 *     |LI | VN  |Mode |    Stratum    |     Poll      |   Precision   |
 *     +---+-----+-----+---------------+---------------+---------------+
 *     |                          Root Delay                           |
 *     |                        Root Dispersion                        |
 *     |                         Reference ID                          |
 *     +---------------------------------------------------------------+
 *     |                    Reference Timestamp (8)                    |
 *     |                     Origin Timestamp (8)                      |
 *     |                     Receive Timestamp (8)                     |
 *     |                     Transmit Timestamp (8)                    |
 *     +-------------------------------+-------------------------------+
 *     |          Field Type           |            Length             |  extensions, RFC 7822
 *     |          Value …                                              |
 *     +-------------------------------+-------------------------------+
 *     |                         Key ID                                |  only with a key
 *     |          Message Authentication Code …                        |
 *     +---------------------------------------------------------------+
 *
 * Messages of mode 6 (control) and 7 (private) have other formats, which are not shown.
 */
const HEADER = 48;
/** Octets that an extension has at least, of a Key ID, and of a Key ID with the shortest digest. RFC 7822 §3 */
const EXTENSION = 16;
const KEY = 4;
const MAC = 20;
const SERVER = 4;
const CONTROL = 6;
const PRIVATE = 7;

const LEAP = {
  0: 'no warning',
  1: 'last minute of the day has 61 seconds',
  2: 'last minute of the day has 59 seconds',
  3: 'unknown (clock unsynchronized)',
};
const VERSIONS: ValueStrings = (n) => (n >= 1 && n <= 4 ? `NTP Version ${n}` : 'reserved');
const MODES = {
  0: 'reserved',
  1: 'symmetric active',
  2: 'symmetric passive',
  3: 'client',
  [SERVER]: 'server',
  5: 'broadcast',
  [CONTROL]: 'reserved for NTP control message',
  [PRIVATE]: 'reserved for private use',
};
const STRATA: ValueStrings = (n) =>
  n === 0
    ? 'unspecified or invalid'
    : n === 1
      ? 'primary reference'
      : n < 16
        ? 'secondary reference'
        : n === 16
          ? 'unsynchronized'
          : 'reserved';
/** What a server of stratum 0 says instead of the time, the kiss code. RFC 5905 §7.4 */
const KISSES: Readonly<Record<string, string>> = {
  ACST: 'The association belongs to a unicast server',
  AUTH: 'Server authentication failed',
  AUTO: 'Autokey sequence failed',
  BCST: 'The association belongs to a broadcast server',
  CRYP: 'Cryptographic authentication or identification failed',
  DENY: 'Access denied by remote server',
  DROP: 'Lost peer in symmetric mode',
  INIT: 'The association has not yet synchronized for the first time',
  MCST: 'The association belongs to a dynamically discovered server',
  NKEY: 'No key found',
  RATE: 'Rate exceeded',
  RMOT: 'Alteration of association from a remote host running ntpdc',
  RSTR: 'Access denied due to local policy',
  STEP: 'A step change in system time has occurred',
};
/** Reference clocks of stratum 1. RFC 5905 §7.3 figure 12 */
const CLOCKS: Readonly<Record<string, string>> = {
  ACTS: 'NIST telephone modem',
  CDMA: 'CDMA mobile',
  DCF: 'LF radio Mainflingen',
  GAL: 'Galileo positioning system',
  GOES: 'Geosynchronous orbit environment satellite',
  GPS: 'Global position system',
  HBG: 'LF radio Prangins',
  IRIG: 'Inter-range instrumentation group',
  LORC: 'MF radio LORAN C',
  MSF: 'LF radio Anthorn',
  OMEG: 'OMEGA radionavigation system',
  PPS: 'Generic pulse-per-second',
  PTB: 'European telephone modem',
  TDF: 'MF radio Allouis',
  USNO: 'USNO telephone modem',
  WWV: 'HF radio Ft. Collins',
  WWVB: 'LF radio Ft. Collins',
  WWVH: 'HF radio Kauai',
};
/** RFC 5906 §10, RFC 8915 §5, RFC 7821 §3; requests of Autokey have the uppermost bits clear. */
const AUTOKEY: Readonly<Record<number, string>> = {
  0: 'No-Operation',
  1: 'Association Message',
  2: 'Certificate Message',
  3: 'Cookie Message',
  4: 'Autokey Message',
  5: 'Leapseconds Message',
  6: 'Sign Message',
  7: 'IFF Identity Message',
  8: 'GQ Identity Message',
  9: 'MV Identity Message',
};
const NTS: Readonly<Record<number, string>> = {
  260: 'Unique Identifier',
  516: 'NTS Cookie',
  772: 'NTS Cookie Placeholder',
  1028: 'NTS Authenticator and Encrypted Extension Fields',
  8197: 'Checksum Complement',
};
const KINDS: Readonly<Record<number, string>> = { 0: 'Request', 128: 'Response', 192: 'Error Response' };
const EXTENSIONS: ValueStrings = (n) => {
  const [what, kind] = [AUTOKEY[(n >> 8) & 0x3f], KINDS[(n >> 8) & 0xc0]];
  return NTS[n] ?? ((n & 0xff) === 2 && what !== undefined && kind !== undefined ? `${what} ${kind}` : undefined);
};

const F = fields({
  ntp: { name: 'ntp', label: 'Network Time Protocol', type: 'protocol' },
  flags: { name: 'ntp.flags', label: 'Flags', type: 'u8', base: 'hex' },
  leap: { name: 'ntp.flags.li', label: 'Leap Indicator', type: 'u8', mask: 0xc0, values: LEAP },
  version: { name: 'ntp.flags.vn', label: 'Version number', type: 'u8', mask: 0x38, values: VERSIONS },
  mode: { name: 'ntp.flags.mode', label: 'Mode', type: 'u8', mask: 0x07, values: MODES },
  stratum: { name: 'ntp.stratum', label: 'Peer Clock Stratum', type: 'u8', values: STRATA },
  poll: { name: 'ntp.ppoll', label: 'Peer Polling Interval', type: 'u8' },
  precision: { name: 'ntp.precision', label: 'Peer Clock Precision', type: 'u8' },
  rootDelay: { name: 'ntp.rootdelay', label: 'Root Delay', type: 'u32' },
  rootDispersion: { name: 'ntp.rootdispersion', label: 'Root Dispersion', type: 'u32' },
  referenceId: { name: 'ntp.refid', label: 'Reference ID', type: 'bytes' },
  reference: { name: 'ntp.reftime', label: 'Reference Timestamp', type: 'time' },
  origin: { name: 'ntp.org', label: 'Origin Timestamp', type: 'time' },
  receive: { name: 'ntp.rec', label: 'Receive Timestamp', type: 'time' },
  transmit: { name: 'ntp.xmt', label: 'Transmit Timestamp', type: 'time' },
  extension: { name: 'ntp.ext', label: 'Extension', type: 'none', clause: 'RFC 7822 §3' },
  extensionType: { name: 'ntp.ext.type', label: 'Field Type', type: 'u16', base: 'hex', values: EXTENSIONS },
  extensionLength: { name: 'ntp.ext.length', label: 'Length', type: 'u16' },
  extensionValue: { name: 'ntp.ext.value', label: 'Value', type: 'bytes' },
  badLength: { name: 'ntp.ext.invalid_length', label: 'Extension invalid length', type: 'none' },
  keyId: { name: 'ntp.keyid', label: 'Key ID', type: 'bytes' },
  mac: { name: 'ntp.mac', label: 'Message Authentication Code', type: 'bytes' },
});

const E = experts({
  kiss: { code: 'ntp.kiss', severity: 'note', message: 'The server gives no time', clause: 'RFC 5905 §7.4' },
  badLength: {
    code: 'ntp.bad-extension-length',
    severity: 'warn',
    message: 'Extension length is no multiple of 4',
    clause: 'RFC 7822 §3',
  },
});

/** Seconds from the beginning of NTP's first era to that of Unix time. */
export const NTP_TO_UNIX = 2_208_988_800;
const ERA = 0x1_0000_0000;

/** Puts a 64-bit NTP timestamp; seconds without the top bit are of the era that begins in 2036. RFC 4330 §3 */
export function putNtp(t: Tree, f: Field, b: Uint8Array, o: number): void {
  const seconds = u32(b, o);
  const nanos = Math.floor(1e9 * (u32(b, o + 4) / 2 ** 32));
  if (seconds === 0 && nanos === 0) t.time(f, o, 8, 0, 0);
  else t.time(f, o, 8, seconds - NTP_TO_UNIX + (seconds < 0x80000000 ? ERA : 0), nanos);
}

const version = (b: Uint8Array, o: number): number => (b[o] >> 3) & 7;
const mode = (b: Uint8Array, o: number): number => b[o] & 7;

/** What a Reference ID says, by the stratum: a kiss code, a clock, or the server that the time comes from. */
function referenceText(b: Uint8Array, o: number, stratum: number): string {
  if (u32(b, o) === 0) return 'NULL';
  if (stratum > 1) return ip4(b, o);
  const code = latin1(b, o, o + 4).replace(/\0+$/, '');
  const meaning = (stratum === 0 ? KISSES : CLOCKS)[code];
  return meaning === undefined ? code : `${code} (${meaning})`;
}

/** A timestamp of no octet but zeros says that there is none. RFC 5905 §6 */
function timestamp(t: Tree, f: Field, b: Uint8Array, o: number): void {
  putNtp(t, f, b, o);
  if (t.labels && u32(b, o) === 0 && u32(b, o + 4) === 0) t.label(`${f.label}: NULL`);
}

/** Seconds as 16 bits before and 16 bits behind the point. RFC 5905 §6 */
function short(t: Tree, f: Field, b: Uint8Array, o: number): void {
  t.num(f, o, 4, u32(b, o));
  if (t.labels) t.label(`${f.label}: ${(u32(b, o) / 0x10000).toFixed(6)} seconds`);
}

/** Octets of the extension at `at`; 0 where what stands there is the Key ID. */
function extensionAt(b: Uint8Array, at: number, end: number): number {
  if (end - at < EXTENSION) return 0;
  const n = u16(b, at + 2);
  const left = end - at - n;
  if (n < EXTENSION || left < 0) return 0;
  return left === 0 || left === KEY || left >= MAC || extensionAt(b, at + n, end) > 0 ? n : 0;
}

/** Extensions and authentication, from `from` on. Only lengths tell one from the other. RFC 7822 §3 */
function rest(v: View, t: Tree, from: number): void {
  const { buf, end } = v;
  let at = from;
  for (let n = extensionAt(buf, at, end); n > 0; n = extensionAt(buf, at, end)) {
    t.open(F.extension, at, n);
    t.num(F.extensionType, at, 2, u16(buf, at));
    t.num(F.extensionLength, at + 2, 2, n);
    if (n % 4 !== 0) {
      t.none(F.badLength, at + 2, 2);
      t.expert(E.badLength);
      t.pop();
      return;
    }
    t.bytes(F.extensionValue, at + 4, n - 4);
    t.pop();
    at += n;
  }
  if (at + KEY > end) return;
  t.bytes(F.keyId, at, KEY);
  if (at + KEY < end) t.bytes(F.mac, at + KEY, end - at - KEY);
}

const KIND: Readonly<Record<number, string>> = { ...MODES, [CONTROL]: 'control', [PRIVATE]: 'private' };
const heading = (b: Uint8Array, o: number): string => `${nameOf(VERSIONS, version(b, o))}, ${KIND[mode(b, o)]}`;

export const ntp = defineDissector({
  proto: 'ntp',
  title: 'Network Time Protocol',
  short: 'NTP',
  spec: 'RFC 5905',
  fields: F,
  experts: E,
  on: { 'udp.port': [123] },

  dissect(v, t) {
    need(v, 1);
    const { buf, off } = v;
    t.open(F.ntp, off, v.length);
    if (t.labels) t.label(`Network Time Protocol (${heading(buf, off)})`);
    t.num(F.flags, off, 1, buf[off]);
    t.push();
    if (mode(buf, off) !== PRIVATE) t.bits(F.leap, off, 1, buf[off]);
    t.bits(F.version, off, 1, buf[off]);
    t.bits(F.mode, off, 1, buf[off]);
    t.pop();
    if (mode(buf, off) !== CONTROL && mode(buf, off) !== PRIVATE) time(v, t);
    t.pop();
  },

  summary: ({ buf, off, length }) => (length < 1 ? 'Cut short' : heading(buf, off)),
});

/** The message behind its first octet. RFC 5905 §7.3 */
function time(v: View, t: Tree): void {
  const { buf, off } = v;
  need(v, 4);
  const [stratum, poll, precision] = [u8(buf, off + 1), u8(buf, off + 2), u8(buf, off + 3)];
  t.num(F.stratum, off + 1, 1, stratum);
  t.num(F.poll, off + 2, 1, poll);
  if (t.labels && poll <= 17) t.label(`Peer Polling Interval: ${poll} (${2 ** poll} seconds)`);
  t.num(F.precision, off + 3, 1, precision);
  if (t.labels) t.label(`Peer Clock Precision: ${(2 ** ((precision << 24) >> 24)).toFixed(9)} seconds`);
  need(v, 16);
  short(t, F.rootDelay, buf, off + 4);
  short(t, F.rootDispersion, buf, off + 8);
  t.bytes(F.referenceId, off + 12, 4);
  if (t.labels) t.label(`Reference ID: ${referenceText(buf, off + 12, stratum)}`);
  if (stratum === 0 && mode(buf, off) === SERVER && u32(buf, off + 12) !== 0)
    t.expert(E.kiss, `The server gives no time: ${referenceText(buf, off + 12, 0)}`);
  [F.reference, F.origin, F.receive, F.transmit].forEach((f, i) => {
    need(v, 8, off + 16 + 8 * i);
    timestamp(t, f, buf, off + 16 + 8 * i);
  });
  need(v, v.wireLength);
  rest(v, t, off + HEADER);
}
