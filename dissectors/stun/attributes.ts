import {
  type Ctx,
  type Field,
  hexNumber,
  Malformed,
  nameOf,
  need,
  padded,
  type Tree,
  u8,
  u16,
  u32,
  u64,
  utf8Text,
  View,
} from 'fttscope/kit';
import { address, addressText } from './addresses.js';
import { E, F } from './fields.js';
import { checkFingerprint } from './fingerprint.js';
import { relayed } from './relay.js';
import { ERRORS, iceVersion, MS_VERSIONS, TRANSPORTS } from './values.js';

/** Where an attribute's value stands: `[at, end)` of `v.buf`; `message` is the offset of the message's first octet. */
interface Place {
  readonly v: View;
  readonly at: number;
  readonly end: number;
  readonly message: number;
}

/** What is known about an attribute type. */
interface Kind {
  readonly name: string;
  show(t: Tree, p: Place, cx: Ctx): void;
  /** What the heading says behind the name. */
  text?(p: Place): string;
  /** What the Info column says, '' for nothing. */
  brief?(p: Place): string;
}

const value: Kind['show'] = (t, { at, end }) => {
  if (end > at) t.bytes(F.value, at, end - at);
};

const plain = (name: string): Kind => ({ name, show: value });

const addressed = (name: string, xor: boolean): Kind => ({
  name,
  show: (t, p) => address(t, p.v.buf, p.at, p.end, xor, p.message),
  text(p) {
    const s = addressText(p.v.buf, p.at, p.end, xor, p.message);
    return s === '' ? '' : `: ${s}`;
  },
  brief(p) {
    const s = addressText(p.v.buf, p.at, p.end, xor, p.message);
    return s === '' ? '' : ` ${name}: ${s}`;
  },
});

/** Text up to the first NUL, if there is one. */
function textOf(b: Uint8Array, at: number, end: number): string {
  const nul = b.subarray(at, end).indexOf(0);
  return utf8Text(b, at, nul < 0 ? end : at + nul);
}

const text = (name: string, field: Field, heading: boolean, brief?: Kind['brief']): Kind => ({
  name,
  show: (t, { at, end }) => t.plainText(field, at, end - at),
  ...(heading && { text: ({ v, at, end }: Place) => `: ${textOf(v.buf, at, end)}` }),
  ...(brief && { brief }),
});

const octets = (name: string, field: Field, least = 0, most = Number.POSITIVE_INFINITY): Kind => ({
  name,
  show(t, { at, end }) {
    if (end - at >= least) t.bytes(field, at, Math.min(most, end - at));
  },
});

type Words = (n: number) => string;
const numberWords =
  (words: Words): ((p: Place) => string) =>
  ({ v, at, end }) =>
    end - at >= 4 ? words(u32(v.buf, at)) : '';

const number = (name: string, field: Field, heading?: Words, brief?: Words): Kind => ({
  name,
  show(t, { v, at, end }) {
    if (end - at >= 4) t.num(field, at, 4, u32(v.buf, at));
  },
  ...(heading && { text: numberWords(heading) }),
  ...(brief && { brief: numberWords(brief) }),
});

/** Two 16-bit numbers. */
const pair = (name: string, first: Field, second: Field): Kind => ({
  name,
  show(t, { v, at, end }) {
    if (end - at < 4) return;
    t.num(first, at, 2, u16(v.buf, at));
    t.num(second, at + 2, 2, u16(v.buf, at + 2));
  },
});

const changeRequest: Kind = {
  name: 'CHANGE_REQUEST',
  show(t, { v, at, end }) {
    if (end - at < 4) return;
    t.bits(F.changeIp, at, 4, u32(v.buf, at));
    t.bits(F.changePort, at, 4, u32(v.buf, at));
  },
};

const errorCode: Kind = {
  name: 'ERROR-CODE',
  show(t, { v, at, end }) {
    const n = end - at;
    if (n >= 2) t.bytes(F.reserved, at, 2);
    if (n >= 3) t.bits(F.errorClass, at + 2, 1, u8(v.buf, at + 2));
    if (n >= 4) t.num(F.error, at + 3, 1, u8(v.buf, at + 3));
    if (n > 4) t.plainText(F.reason, at + 4, n - 4);
  },
  text({ v, at, end }) {
    if (end - at < 4) return '';
    const code = errorNumber(v.buf, at);
    const reason = end - at > 4 ? `: ${textOf(v.buf, at + 4, end)}` : '';
    return ` ${code} (${errorName(code)})${reason}`;
  },
  brief({ v, at, end }) {
    if (end - at < 4) return '';
    const code = errorNumber(v.buf, at);
    return ` error-code: ${code} (${errorName(code)}) ${textOf(v.buf, at + 4, end)}`.trimEnd();
  },
};
const errorName = (code: number): string => nameOf(ERRORS, code, '*Unknown error code*');

/** The number that class and code of an ERROR-CODE make. RFC 8489 §14.8. */
const errorNumber = (b: Uint8Array, at: number): number => (u8(b, at + 2) & 7) * 100 + u8(b, at + 3);

const unknownAttributes: Kind = {
  name: 'UNKNOWN-ATTRIBUTES',
  show(t, { v, at, end }) {
    for (let o = at; o + 2 <= end; o += 2) t.num(F.unknown, o, 2, u16(v.buf, o));
  },
};

const channelNumber: Kind = {
  name: 'CHANNEL-NUMBER',
  show(t, { v, at, end }) {
    if (end - at < 4) return;
    t.num(F.channelNumber, at, 2, u16(v.buf, at));
    t.bytes(F.reserved, at + 2, 2);
  },
  text: ({ v, at, end }) => (end - at < 4 ? '' : `: ${hexNumber(u16(v.buf, at), 0)}`),
  brief: ({ v, at, end }) => (end - at < 4 ? '' : ` ChannelNumber=${hexNumber(u16(v.buf, at), 0)}`),
};

/** One octet and three that are reserved. */
const octet = (name: string, field: Field, heading?: (n: number) => string): Kind => ({
  name,
  show(t, { v, at, end }) {
    if (end <= at) return;
    t.num(field, at, 1, u8(v.buf, at));
    if (end - at >= 4) t.bytes(F.reserved, at + 1, 3);
  },
  ...(heading && {
    text: ({ v, at, end }: Place) => (end - at < 4 ? '' : `: ${heading(u8(v.buf, at))}`),
    brief: ({ v, at, end }: Place) => (end - at < 4 ? '' : ` ${heading(u8(v.buf, at))}`),
  }),
});

const evenPort: Kind = {
  name: 'EVEN-PORT',
  show(t, { v, at, end }) {
    if (end > at) t.bits(F.reserveNext, at, 1, u8(v.buf, at));
  },
};

const data: Kind = {
  name: 'DATA',
  show(t, p, cx) {
    if (p.end <= p.at) return;
    value(t, p, cx);
    relayed(new View(p.v.source, p.at, p.end), cx);
  },
};

/** One algorithm or `several`, with their parameters. RFC 8489 §14.11 and §14.12 */
const algorithms = (name: string, several: boolean): Kind => ({
  name,
  show(t, { v, at, end }) {
    for (let o = at; o < end; ) {
      const size = end - o < 4 ? 0 : u16(v.buf, o + 2);
      if (end - o >= 4) {
        t.num(F.algorithm, o, 2, u16(v.buf, o));
        t.num(F.algorithmLength, o + 2, 2, size);
      }
      if (end - o < 4 + size) {
        t.none(F.shortPacket, o, end - o);
        t.expert(E.short);
        return;
      }
      if (size > 0) t.bytes(F.algorithmData, o + 4, size);
      o += 4 + padded(size); // RFC 8489 §14.11: parameters are padded as attributes are
      if (!several && o < end) {
        t.none(F.longAttribute, o, end - o);
        t.expert(E.long);
      }
    }
  },
});

const icmp = (name: string): Kind => ({
  name,
  show(t, { v, at, end }) {
    if (end - at < 4) return;
    t.num(F.icmpType, at, 1, u8(v.buf, at));
    t.num(F.icmpCode, at + 1, 1, u8(v.buf, at + 1));
  },
});

const padding: Kind = { name: 'PADDING', show: (t, { at, end }) => t.num(F.padding, at, end - at, end - at) };

const fingerprint: Kind = {
  name: 'FINGERPRINT',
  show(t, { v, at, end, message }) {
    if (end - at >= 4) checkFingerprint(t, v.buf, at, message);
  },
};

const msSequence: Kind = {
  name: 'MS-SEQUENCE-NUMBER',
  show(t, { v, at, end }) {
    if (end - at >= 20) t.bytes(F.msConnection, at, 20);
    if (end - at >= 24) t.num(F.msSequence, at + 20, 4, u32(v.buf, at + 20));
  },
};

const admission: Kind = {
  name: 'Bandwidth Admission Control Message',
  show(t, { v, at, end }) {
    if (end - at < 4) return;
    t.bytes(F.reserved, at, 2);
    t.num(F.admission, at + 2, 2, u16(v.buf, at + 2));
  },
};

const AMOUNTS = [F.maxSend, F.minSend, F.maxReceive, F.minReceive];
const amounts: Kind = {
  name: 'Bandwidth Reservation Amount',
  show(t, { v, at, end }) {
    for (let i = 0; i < AMOUNTS.length && at + 4 * i + 4 <= end; i++)
      t.num(AMOUNTS[i], at + 4 * i, 4, u32(v.buf, at + 4 * i));
  },
};

const site = (name: string, pstn: boolean): Kind => ({
  name,
  show(t, { v, at, end }) {
    if (end - at < 4) return;
    const word = u32(v.buf, at);
    t.bits(F.siteValid, at, 4, word);
    if (pstn) t.bits(F.sitePstn, at, 4, word);
    t.bits(F.siteReserved, at, 4, word);
    if (end - at >= 8) t.num(F.siteSend, at + 4, 4, u32(v.buf, at + 4));
    if (end - at >= 12) t.num(F.siteReceive, at + 8, 4, u32(v.buf, at + 8));
  },
});

const location: Kind = {
  name: 'Location Profile',
  show(t, { v, at, end }) {
    if (end - at < 4) return;
    t.num(F.peerLocation, at, 1, u8(v.buf, at));
    t.num(F.selfLocation, at + 1, 1, u8(v.buf, at + 1));
    t.num(F.federation, at + 2, 1, u8(v.buf, at + 2));
    t.bytes(F.reserved, at + 3, 1);
  },
};

const session: Kind = {
  name: 'MS-MULTIPLEXED-TURN-SESSION-ID',
  show(t, { v, at, end }) {
    if (end - at >= 8 && t.wanted(F.msMultiplexed)) t.big(F.msMultiplexed, at, 8, u64(v.buf, at));
  },
};

const versionText = (n: number): string => `: ${nameOf(MS_VERSIONS, n, `Unknown (0x${n})`)}`;

/** RFC 8489 §18.3, RFC 8656 §18, RFC 8445, RFC 5780, RFC 8016, and what Microsoft and Google added; Wireshark's names. */
const KINDS: Readonly<Record<number, Kind>> = {
  1: addressed('MAPPED-ADDRESS', false),
  2: addressed('RESPONSE_ADDRESS', false),
  3: changeRequest,
  4: addressed('SOURCE_ADDRESS', false),
  5: addressed('CHANGED_ADDRESS', false),
  6: text('USERNAME', F.username, true, ({ v, at, end }) => ` user: ${textOf(v.buf, at, end)}`),
  7: octets('PASSWORD', F.password),
  8: octets('MESSAGE-INTEGRITY', F.hmac, 20),
  9: errorCode,
  10: unknownAttributes,
  11: addressed('REFLECTED-FROM', false),
  12: channelNumber,
  13: number(
    'LIFETIME',
    F.lifetime,
    (n) => ` ${n}`,
    (n) => ` lifetime: ${n}`,
  ),
  14: addressed('MS-ALTERNATE-SERVER', false),
  15: number('MAGIC-COOKIE', F.magic),
  16: number(
    'BANDWIDTH',
    F.bandwidth,
    (n) => ` ${n}`,
    (n) => ` bandwidth: ${n}`,
  ),
  17: addressed('DESTINATION-ADDRESS', false),
  18: addressed('XOR-PEER-ADDRESS', true),
  19: data,
  20: text('REALM', F.realm, true, ({ v, at, end }) => ` realm: ${textOf(v.buf, at, end)}`),
  21: text('NONCE', F.nonce, true, () => ' with nonce'),
  22: addressed('XOR-RELAYED-ADDRESS', true),
  23: octet('REQUESTED-ADDRESS-FAMILY', F.family),
  24: evenPort,
  25: octet('REQUESTED-TRANSPORT', F.transport, (n) => nameOf(TRANSPORTS, n)),
  26: plain('DONT-FRAGMENT'),
  27: plain('ACCESS-TOKEN'),
  28: plain('MESSAGE-INTEGRITY-SHA256'),
  29: algorithms('PASSWORD-ALGORITHM', false),
  30: plain('USERHASH'),
  32: addressed('XOR-MAPPED-ADDRESS', true),
  34: octets('RESERVATION-TOKEN', F.token, 8, 8),
  36: number('PRIORITY', F.priority),
  37: plain('USE-CANDIDATE'),
  38: padding,
  39: addressed('XOR-RESPONSE-TARGET', true),
  40: addressed('XOR-REFELECTED-FROM', true),
  42: plain('CONNECTION-ID'),
  48: icmp('LEGACY-ICMP'),
  32768: plain('ADDITIONAL-ADDRESS-FAMILY'),
  32769: plain('ADDRESS-ERROR-CODE'),
  32770: algorithms('PASSWORD-ALGORITHMS', true),
  32771: plain('ALTERNATE-DOMAIN'),
  32772: icmp('ICMP'),
  32774: octets('MS-TURN UNKNOWN 8006', F.unknown8006),
  32776: number('MS-VERSION', F.msVersion, versionText),
  32800: addressed('XOR-MAPPED-ADDRESS', true),
  32802: text('SOFTWARE', F.software, false),
  32803: addressed('ALTERNATE-SERVER', false),
  32805: plain('TRANSACTION-TRANSMIT-COUNTER'),
  32807: number('CACHE-TIMEOUT', F.cacheTimeout),
  32808: fingerprint,
  32809: octets('ICE-CONTROLLED', F.tieBreaker, 8, 8),
  32810: octets('ICE-CONTROLLING', F.tieBreaker, 8, 8),
  32811: addressed('RESPONSE-ORIGIN', false),
  32812: addressed('OTHER-ADDRESS', false),
  32813: plain('ECN-CHECK-STUN'),
  32814: plain('THIRD-PARTY-AUTHORIZATION'),
  32816: plain('MOBILITY-TICKET'),
  32818: plain('MS-ALTERNATE-HOST-NAME'),
  32823: plain('MS-APP-ID'),
  32825: plain('MS-SECURE-TAG'),
  32848: msSequence,
  32852: text('MS-CANDIDATE-IDENTIFIER', F.msFoundation, false),
  32853: pair('MS-SERVICE-QUALITY', F.msStream, F.msQuality),
  32854: admission,
  32855: octets('Bandwidth Reservation Identifier', F.reservation, 16, 16),
  32856: amounts,
  32857: addressed('Remote Site Address', true),
  32858: addressed('Remote Relay Site Address', true),
  32859: addressed('Local Site Address', true),
  32860: addressed('Local Relay Site Address', true),
  32861: site('Remote Site Address Response', true),
  32862: site('Remote Relay Site Address Response', false),
  32863: site('Local Site Address Response', true),
  32864: site('Local Relay Site Address Response', false),
  32865: octets('SIP Dialog Identifier', F.dialog),
  32866: octets('SIP Call Identifier', F.call),
  32872: location,
  32880: number('MS-IMPLEMENTATION-VERSION', F.msIce, (n) => `: ${iceVersion(n)}`),
  32912: addressed('MS-ALT-MAPPED-ADDRESS', false),
  32917: session,
  49152: plain('CISCO-STUN-FLOWDATA'),
  49153: plain('ENF-FLOW-DESCRIPTION'),
  49154: plain('ENF-NETWORK-STATUS'),
  49239: pair('GOOG-NETWORK-INFO', F.networkId, F.networkCost),
  49240: plain('GOOG-LAST-ICE-CHECK-RECEIVED'),
  49241: plain('GOOG-MISC-INFO'),
  49242: plain('GOOG-OBSOLETE-1'),
  49243: plain('GOOG-CONNECTION-ID'),
  49244: plain('GOOG-DELTA'),
  49245: plain('GOOG-DELTA-ACK'),
  49248: plain('GOOG-MESSAGE_INTEGRITY-32'),
  65284: plain('GOOG-MULTI-MAPPING'),
  65285: plain('GOOG-LOGGING-ID'),
};

/** What the attribute of type `type` in `[at, end)` adds to the Info column, for the message at `message`. */
export const brief = (v: View, type: number, at: number, end: number, message: number): string =>
  KINDS[type]?.brief?.({ v, at, end, message }) ?? '';

/** The attributes in `[from, end)` of the message at `message`, RFC 8489 §14. */
export function attributes(v: View, t: Tree, cx: Ctx, message: number, from: number, end: number): void {
  const { buf } = v;
  for (let at = from; at < end; ) {
    if (at + 4 > end) beyond(v, at, 4);
    const type = u16(buf, at);
    const length = u16(buf, at + 2);
    const stop = at + 4 + length;
    const pad = -length & 3;
    const kind = KINDS[type];
    const place: Place = { v, at: at + 4, end: Math.min(stop, end), message };
    if (kind === undefined) t.none(F.unknownItem, at, place.end - at);
    else t.num(F.attribute, at, place.end - at, type);
    if (t.labels) t.label(heading(type, kind, place, stop <= end));
    t.push();
    attributeType(t, at, type, kind);
    // Wireshark says of a last attribute that is not padded how long it would be.
    const isPadded = stop + pad <= end || kind === undefined;
    t.num(F.attLength, at + 2, 2, isPadded ? length : length + pad);
    if (stop > end) {
      if (kind === undefined) beyond(v, at, 4 + length);
      if (t.labels) t.label(`Attribute Length: ${length} (bogus, goes past the end of the message)`);
      t.expert(E.pastEnd);
      t.pop();
      return;
    }
    if (kind === undefined) value(t, place, cx);
    else kind.show(t, place, cx);
    if (pad > 0 && stop < end) t.num(F.padding, stop, pad, pad);
    t.pop();
    at = stop + pad; // RFC 8489 §14: each attribute ends on a 32-bit boundary
  }
}

/** `n` octets at `at` are not all of the message. */
function beyond(v: View, at: number, n: number): never {
  need(v, n, at);
  throw new Malformed('an attribute goes past the end of the message');
}

function heading(type: number, kind: Kind | undefined, p: Place, whole: boolean): string {
  if (kind === undefined) return `Unknown attribute ${hexNumber(type, 4)}`;
  return whole && kind.text !== undefined ? kind.name + kind.text(p) : kind.name;
}

function attributeType(t: Tree, at: number, type: number, kind: Kind | undefined): void {
  if (kind === undefined) {
    t.none(F.unknownAttribute, at, 2);
    t.expert(E.unknown, `Unknown attribute ${hexNumber(type, 4)}`);
    return;
  }
  t.num(F.attType, at, 2, type);
  if (t.labels) t.label(`Attribute Type: ${kind.name}`);
  t.push();
  t.bits(F.comprehension, at, 2, type);
  t.bits(F.assignment, at, 2, type);
  t.pop();
}
