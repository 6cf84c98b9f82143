import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { file, rawPcap } from '../../cli/run.js';
import { fieldNames, tsharkMissing } from '../../support/tshark.js';
import { differences, ours } from '../bodies/wire.js';

const octets = (...parts: (string | Uint8Array)[]): Buffer =>
  Buffer.concat(parts.map((p) => (typeof p === 'string' ? Buffer.from(p.replace(/\s/g, ''), 'hex') : p)));
const zeros = (n: number): Buffer => Buffer.alloc(n);
const le32 = (...numbers: number[]): Buffer => Buffer.from(Uint32Array.from(numbers).buffer);
const le16 = (...numbers: number[]): Buffer => Buffer.from(Uint16Array.from(numbers).buffer);
const named = (name: string, n: number): Buffer => Buffer.from(name.padEnd(n, '\0'));

/** UDP 5060 to 5060 without data, in IPv4 from 192.0.2.1 to 192.0.2.2. */
const IP = octets('4500001c 00010000 4011f6cc c0000201 c0000202 13c413c4 00080000');
const ETHERNET = octets('020000000002 0a0000000001 0800', IP);
const WLAN = octets('0802 2c00 020000000002 0a0000000001 0a0000000001 1000 aaaa03 000000 0800', IP);
const LOOPBACK = octets('02000000', IP);
const PPP = octets('ff03 0021', IP);
const RADIOTAP = octets('0000 0800 00000000', WLAN);

/** A pcap file of that link type. */
function capture(link: number, frames: readonly Uint8Array[]): string {
  const octets = rawPcap(...frames);
  octets.writeUInt32LE(link, 20);
  return file(`link-${link}.pcap`, octets);
}

interface Compared {
  readonly name: string;
  readonly link: number;
  /** Protocols of which every field is compared. */
  readonly protocols: readonly string[];
  readonly frames: readonly Uint8Array[];
  /** Where we differ, and why, as `frame, field`. */
  readonly known: ReadonlyMap<string, string>;
}

const pktap = (dlt: number, packet: Uint8Array, { length = 108, record = 1, more = '' } = {}): Buffer =>
  octets(
    ...[le32(length, record, dlt), named('en0', 24), le32(1, 2, 14, 0, 4711), named('Safari', 20), le32(100)],
    ...[le16(6, 0), le32(4712), named('com.apple.WebKit', 20), more, packet],
  );
const PKTAP = [
  pktap(1, ETHERNET),
  pktap(12, IP),
  pktap(0, LOOPBACK),
  pktap(1, octets(ETHERNET, zeros(18))),
  pktap(1, zeros(0), { record: 0 }),
  pktap(1, ETHERNET, { record: 2 }),
  pktap(1, ETHERNET, { length: 112, more: '01020304' }),
  pktap(1, ETHERNET, { length: 90 }),
  pktap(101, IP),
  pktap(228, IP),
  pktap(105, WLAN),
  pktap(127, RADIOTAP),
  pktap(50, PPP),
  pktap(1, ETHERNET, { length: 5000 }),
  pktap(9999, ETHERNET),
];
const NO_DATA = 'tshark shows nothing of a link type that it does not know';
const EXPERT = 'the field of an expert item, which is among the findings here';

const ppiField = (type: number, value: Uint8Array): Buffer => octets(le16(type, value.length), value);
const ppi = (dlt: number, fields: readonly Buffer[], packet: Uint8Array, flags = 0): Buffer => {
  const header = octets(...fields);
  return octets(
    [0, flags].map((n) => n.toString(16).padStart(2, '0')).join(''),
    le16(8 + header.length),
    le32(dlt),
    header,
    packet,
  );
};
const COMMON = ppiField(2, octets('391c0ae002000000 0100 1600 6c09 a000 01 02 bb b5'));
const NO_CHECK = ppiField(2, octets('0000000000000000 0e00 0000 3c14 4001 01 02 bb b5'));
const MAC = ppiField(3, octets('47000000 09000000 03 010203'));
const PHY = ppiField(
  4,
  octets('03000000 09000000 03 0702 1415161718191a1b1c 5014 4001 c8b4c8b4c8b4c8b4', le32(1, 2, 3, 4)),
);
const PPI = [
  ppi(105, [COMMON], octets(WLAN, 'cafe0123')),
  ppi(105, [NO_CHECK], WLAN),
  ppi(105, [NO_CHECK, MAC], WLAN),
  ppi(105, [NO_CHECK, PHY], WLAN),
  ppi(1, [ppiField(8, le32(7))], ETHERNET),
  ppi(1, [ppiField(9, le32(1, 15))], ETHERNET),
  ppi(
    105,
    [5, 6, 7].map((n) => ppiField(n, octets('616263'))),
    WLAN,
  ),
  ppi(105, [ppiField(2, zeros(10))], WLAN),
  ppi(105, [], WLAN),
  ppi(12, [], IP),
  ppi(228, [], IP),
  ppi(0, [], LOOPBACK),
  ppi(127, [], RADIOTAP),
  octets('0000 0400', le32(105), WLAN),
  octets('0000 6400', le32(105), COMMON, WLAN),
  ppi(105, [COMMON], WLAN).subarray(0, 30),
  ppi(105, [ppiField(5, octets('61626364'))], WLAN, 1),
  ppi(9999, [], ETHERNET),
];

const IP6 = octets('60000000 00083b40', zeros(15), '01', zeros(15), '02', zeros(8));
/** A record of Endace's cards: header, extension headers, what aligns Ethernet, packet. */
const erf = (type: number, packet: Uint8Array, { extensions = '', flags = '04', pad = '' } = {}): Buffer => {
  const rest = octets(extensions, pad, packet);
  const length = (n: number): string => n.toString(16).padStart(4, '0');
  const first = type.toString(16).padStart(2, '0');
  return octets('285c8f0201a1a2a3', first, flags, length(16 + rest.length), '0003', length(packet.length), rest);
};
const CHECKED = octets('020000000002 0a0000000001 0800', IP, zeros(22), 'cafe0123');
const ERF = [
  erf(2, CHECKED, { pad: '0000' }),
  erf(2, octets(CHECKED.subarray(0, 42), '55'.repeat(60), 'cafe0123'), { pad: '0000', flags: 'fb' }),
  erf(0x82, CHECKED, { extensions: '83 01020304050607 04 11121314151617', pad: '0000' }),
  erf(22, IP),
  erf(23, IP6),
];

const HDLC = [
  octets('0f00 0800', IP),
  octets('0f00 8035 00000002 00000005 00000004 ffff'),
  octets('8f00 8035 00000002 00000005 00000004 0001'),
  octets('8f00 8035 00000000 c0000201 ffffff00 0000'),
  octets('8f00 8035 00000001 c0000201 ffffff00 0000'),
  octets('8f00 8035 00000007 c0000201 ffffff00 0000'),
  octets('8f00 8035 00000002 00000005 00000004 ff'),
  octets('0f00 8847 00064140', IP),
  octets('8f00 4242', zeros(40)),
  octets('0f00 6558', ETHERNET),
  octets('8f00 fefe 00 83', zeros(30)),
  octets('8f00 fefe 83', zeros(30)),
  octets('8f00 fefe'),
  octets('8f00 0800'),
  octets('0f00 fffe 0102'),
  octets('0f00'),
  octets('8f00 fefe 00'),
];

const attribute = (type: number, value: string | Uint8Array): Buffer => {
  const v = octets(value);
  return octets(le16(4 + v.length, type), v, zeros(-v.length & 3));
};
const log = (family: number, ...attributes: Buffer[]): Buffer => octets(Uint8Array.of(family, 0, 0, 7), ...attributes);
const OF_IPV4 = attribute(1, '08000300');
const LOGGED = attribute(9, IP);
const NUMBERS = [2, 4, 5, 6, 7, 11, 14].map((type) => attribute(type, `ffffff0${type.toString(16)}`));
const TIMED = attribute(3, '000000006553f100 000000000001e240');
const NFLOG = [
  log(2, OF_IPV4, attribute(10, Buffer.from('hello\0')), ...NUMBERS, TIMED, attribute(8, zeros(12)), LOGGED),
  log(7, OF_IPV4, LOGGED),
  log(7, LOGGED),
  log(7, LOGGED, OF_IPV4),
  log(0, LOGGED),
  log(2, attribute(0, ''), LOGGED),
  log(2, attribute(0, ''), attribute(0x8009, IP)),
  log(2, LOGGED, attribute(3, zeros(8)), attribute(11, '3132'), attribute(10, ''), LOGGED),
  log(2, attribute(1, '080003')),
  octets(log(2, attribute(1, '31323334')), '03000100'),
];

const MACS = '020000000001 0a0000000009';
const I_TAG = '88e7 a8000123 020000000002 0a0000000001';
const TAGS = [
  octets(MACS, I_TAG, '0800', IP),
  octets(MACS, '88a8 f064', I_TAG, '0800', IP),
  octets(MACS, '88a8 0064 88a8 20c8 0800', IP),
  octets(MACS, '88a8 0064 88a8 20c8 88a8 0005 0800', IP),
  octets(MACS, '88a8 0064 88a8 20c8 8100 0005 0800', IP, zeros(10)),
  octets(MACS, '88a8 0064 88a8 20c8', I_TAG, '0800', IP),
  octets(MACS, '88a8 0064 8100 20c8 0800', IP, zeros(4)),
  octets(MACS, I_TAG, '8100 0064 0800', IP),
  octets(MACS, I_TAG, I_TAG, '0800', IP),
  octets(MACS, I_TAG, '0800', IP, zeros(8)),
  octets(MACS, '88a8 0064', I_TAG, '0800', IP, '6162636465666768'),
  octets(MACS, I_TAG),
  octets(MACS, I_TAG).subarray(0, 23),
  octets(MACS, '88a8 0064 88a8 20c8'),
  octets(MACS, I_TAG, '0026 aaaa03 000000 0800', IP),
  octets(MACS, '88a8 0064 0026 aaaa03 000000 0800', IP),
];
const LLC = 'a length may stand behind a tag as behind addresses (IEEE 802.1Q §9.4): tshark takes it for a type';

const SNAP = 'aaaa03 000000 0800';
const SERVICES = [
  octets(MACS, '894f 0006 0101 00000102 00000001 00000002 00000003 00000004', IP),
  octets(MACS, '894f 3fc2 0201 123456ff', IP),
  octets(MACS, '894f 0006 0201 123456ff 0001 02 01 12345678 0002 83 04 12345678', IP),
  octets(MACS, '894f 0002 0203 00000102', ETHERNET),
  octets(MACS, '894f 0002 0204 00000102 0002 0201 00000101', IP),
  octets(MACS, '894f 0002 0205 00000102 00064140', IP),
  octets(MACS, '894f 0002 0209 00000102 01020304'),
  octets(MACS, '894f 0002 0201 0000'),
];
const RING = [
  octets('50 400000000040 500000000080', SNAP, IP),
  octets('57 020000000002 0a00000000ff', SNAP, IP),
  octets('4f 400000000040 500000000080 aaaa03'),
  octets('41 400000000040 500000000080 00112233'),
  octets('c2 400000000040 500000000080 00112233'),
  octets('80 400000000040 500000000080 00'),
];
const ZONES = [
  octets('01 02 0000 0000001c 00000004 00000005 00000006 00000007', IP),
  octets('01 02 0002 0000001c 00000004 00000005 00000006 00000007', IP),
  octets('01 09 0001 0000001c 00000004 00000005 00000006 00000007', IP),
  octets('01 02 0000'),
];
const GID = 'fe80000000000000000000000000abcd';
const INFINIBAND = [
  octets(zeros(20), '00123456', GID, '0800 0000', IP),
  octets('6aabcdef 0040 1b 07 fe800000000000000002c90300001234', GID, '0800 0001', IP),
];
const EXTENSIONS = '4d4743 80 001a 01020304 020100 030106 04021234 05010e 060110 070101 080102';
const ROUTERS = [
  octets('4d4743 81 0004 01020304', ETHERNET),
  octets('4d4743 00', ETHERNET),
  octets('4d4743 02 02000000', IP),
  octets('4d4743 82 0004 01020304 02000000', IP),
  octets(EXTENSIONS, ETHERNET),
  octets('4d47'),
  octets('4d4744 00', ETHERNET),
];
const TWICE = 'tshark shows it and has it again among what it hides';
const NOT_JUNIPER = 'without the magic number there is no telling where an Ethernet header is';
const SWITCHES = [
  octets(MACS, '8926 c0010033 0800', IP),
  octets(MACS, '8926 3fffffff 8100 0064 0800', IP),
  octets(MACS, '8926 00000033 0024', SNAP, IP),
  octets(MACS, '8926 00000033 0800', IP, '61626364656667'),
  octets(MACS, '8926 000000'),
  octets(MACS, '893f 3001 50d3 0102 0800', IP),
  octets(MACS, '893f 3001 50d3 0102 8100 0064 0800', IP, '61626364'),
  octets(MACS, 'd28b 0001 0010 5ceeed57 384f59c8 0800', IP),
  octets(MACS, 'd28b 0001 0020 5cee 384f59c8 0800', IP),
  octets(MACS, 'd28b 0001 0110 5ceeed57 384f59c8 8100 0064 0800', IP),
  octets(MACS, 'd28b 0001 0120 5cee ffffffff 0800', IP, '616263646566'),
  octets(MACS, '893f 3001 50d3 0102 0024', SNAP, IP),
  octets(MACS, 'd28b 0001 0010 5ceeed57 384f59c8 0024', SNAP, IP),
  octets(MACS, 'd28b 0001 0011 5ceeed57 384f59c8 0800', IP),
];
const UNKNOWN = 'what follows a timestamp of another version is shown as data';

const COMPARED: readonly Compared[] = [
  {
    ...{ name: 'PKTAP', link: 258, protocols: ['pktap'], frames: PKTAP },
    known: new Map([
      ['frame 8, pktap.hdrlen_too_short', EXPERT],
      ['frame 15, frame.protocols', NO_DATA],
    ]),
  },
  {
    ...{ name: 'PKTAP as the link type of users', link: 149, protocols: ['pktap'], frames: PKTAP },
    known: new Map([
      ['frame 8, pktap.hdrlen_too_short', EXPERT],
      ['frame 15, frame.protocols', NO_DATA],
    ]),
  },
  {
    ...{ name: 'PPI', link: 192, protocols: ['ppi', 'wlan.fcs'], frames: PPI },
    known: new Map([
      ['frame 8, ppi.invalid_length', EXPERT],
      ['frame 18, frame.protocols', NO_DATA],
    ]),
  },
  {
    ...{ name: 'Cisco HDLC and SLARP', link: 104, protocols: ['chdlc', 'slarp'], frames: HDLC },
    known: new Map([['frame 3, slarp.reliability.invalid', EXPERT]]),
  },
  { name: 'ERF', link: 197, protocols: ['erf'], frames: ERF, known: new Map() },
  { name: 'NFLOG', link: 239, protocols: ['nflog'], frames: NFLOG, known: new Map() },
  {
    ...{ name: 'tags of provider and backbone bridges', link: 1, frames: TAGS },
    protocols: ['ieee8021ad', 'ieee8021ah', 'vlan'],
    known: new Map([
      ['frame 15, frame.protocols', LLC],
      ['frame 15, ip.src', LLC],
      ['frame 16, frame.protocols', LLC],
      ['frame 16, ip.src', LLC],
    ]),
  },
  {
    ...{ name: 'tags and timestamps of switches', link: 1, frames: SWITCHES, protocols: ['vntag', 'etag', 'avsp'] },
    known: new Map([
      ['frame 12, frame.protocols', LLC],
      ['frame 12, ip.src', LLC],
      ['frame 13, frame.protocols', LLC],
      ['frame 13, ip.src', LLC],
      ['frame 14, avsp.ts.unknown_version', EXPERT],
      ['frame 14, frame.protocols', UNKNOWN],
    ]),
  },
  { name: 'Network Service Header', link: 1, frames: SERVICES, protocols: ['nsh'], known: new Map() },
  {
    ...{ name: 'FDDI', link: 10, frames: RING, protocols: ['fddi'] },
    known: new Map(RING.flatMap((_, i) => ['dst', 'src'].map((f) => [`frame ${i + 1}, fddi.${f}`, TWICE] as const))),
  },
  { name: 'IPNET', link: 226, frames: ZONES, protocols: ['ipnet'], known: new Map() },
  { name: 'IP over InfiniBand', link: 242, frames: INFINIBAND, protocols: ['ipoib'], known: new Map() },
  {
    ...{ name: 'Ethernet of Juniper', link: 178, frames: ROUTERS, protocols: ['juniper'] },
    known: new Map([
      ['frame 7, juniper.magic-number.none', EXPERT],
      ['frame 7, juniper.payload_type', NOT_JUNIPER],
      ['frame 7, frame.protocols', NOT_JUNIPER],
    ]),
  },
  {
    ...{ name: 'Cisco HDLC in captures of PPP', link: 9, frames: [...HDLC.slice(0, 7), PPP] },
    protocols: ['ppp', 'chdlc', 'slarp'],
    known: new Map([['frame 3, slarp.reliability.invalid', EXPERT]]),
  },
];
/** Of ERF the packets alone are read: neither what probes tell of themselves, nor other networks, nor their extensions. */
const METADATA = /^erf\.(meta|ehdr|aal2|mc)|^erf\.(hostid|sourceid|color|anchor|source_meta|packet_loss|checksum)/;
const ALSO = ['frame.protocols', 'frame.encap_type', 'ip.src', 'eth.padding', 'eth.trailer', 'eth.fcs', 'wlan.fcs'];

describe('what stands before a packet of a capture is as in tshark', { skip: tsharkMissing }, () => {
  for (const { name, link, protocols, frames, known } of COMPARED)
    test(name, async () => {
      const all = [...(await fieldNames(protocols)), ...ALSO];
      const fields = all.filter((name) => name !== 'fddi.addr' && !METADATA.test(name));
      const found = await differences(capture(link, frames), fields);
      assert.deepEqual(
        found.map((d) => d.replace(/: tshark .*/, '')),
        [...known.keys()],
        found.join('\n'),
      );
    });
});

describe('NFLOG of a machine with the other byte order', () => {
  /** The attributes with their lengths and types turned round. */
  function turned(entry: Buffer): Buffer {
    const b = Buffer.from(entry);
    for (let at = 4; at + 4 <= b.length; ) {
      const n = b.readUInt16LE(at);
      b.subarray(at, at + 4).swap16();
      at += (n + 3) & ~3;
    }
    return b;
  }

  test('is read as well, whatever wrote the file', async () => {
    const whole = NFLOG.slice(0, 8);
    const [little, big] = [await ours(capture(239, whole)), await ours(capture(239, whole.map(turned)))];
    const told = (all: typeof little) =>
      all.map(({ values, protocols }) =>
        [...values].filter(([name]) => name !== 'nflog.tlv').concat([['stack', [...protocols]]]),
      );
    assert.deepEqual(told(big), told(little));
    assert.equal(little[0].protocols.join(':'), 'nflog:ip:udp');
  });
});
