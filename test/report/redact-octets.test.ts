import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { concat } from 'fttscope/kit';
import { envelope, up } from '../build/conversation.js';
import { address, at, type Endpoint, ip, tcp, udp } from '../build/packets.js';
import { tlsConversation } from '../build/tls.js';
import { file, run } from '../cli/run.js';
import { one } from '../engine/one.js';

const UE = at('172.29.77.88', 40_000);
const SERVER = at('172.29.77.1', 0);
const to = (port: number): Endpoint => ({ ...SERVER, port });
const text = (s: string): Uint8Array => Buffer.from(s, 'latin1');
/** An option of DHCP, or an attribute of STUN padded to words: RFC 2132 §2, RFC 8489 §14. */
const option = (code: number, ...v: readonly number[]): number[] => [code, v.length, ...v];
const attribute = (type: number, ...v: readonly number[]): number[] => {
  const padding = Array<number>((4 - (v.length % 4)) % 4).fill(0);
  return [type >> 8, type & 255, 0, v.length, ...v, ...padding];
};

/** RFC 2131 §2; names with a zero behind them, an option nobody knows, an identifier, a relay's circuit. */
const DHCP = Uint8Array.from([
  ...[1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78, ...Array<number>(20).fill(0)],
  ...[0x5c, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, ...Array<number>(202).fill(0), 99, 130, 83, 99],
  ...option(53, 1),
  ...option(12, ...text('mallory-p\0')),
  ...option(224, ...text('mallory-q')),
  ...option(61, 0, ...text('mallory-r')),
  ...option(82, ...option(1, ...text('mallory-s'))),
  255,
]);
/** Hardware that calls itself something longer, options too short for what they say, a DUID with a time (RFC 4361 §6.1). */
const ODD_DHCP = Uint8Array.from([
  ...[1, 1, 16, 0, 0x12, 0x34, 0x56, 0x79, ...Array<number>(20).fill(0), ...text('a1b2c3-mallory-w')],
  ...[...Array<number>(192).fill(0), 99, 130, 83, 99],
  ...option(53, 1),
  ...option(82, ...option(1, ...text('malry'))),
  ...option(120, 1, 172, 29, 77, 88, 1),
  ...option(125, 0, 0, 0x28, 0xaf, 7, ...option(1, ...text('malry'))),
  ...option(61, 255, 1, 2, 3, 4, 0, 1, 0, 1, ...text('malr'), 0x5c, 0xaa, 0xbb, 0xcc, 0xdd, 0xee),
  255,
]);
/** RTP whose padding (RFC 3550 §5.1) is not empty; two events in one packet, of which one is read. RFC 4733 */
const RTP = [0x80, 0, 0, 1, 0, 0, 0, 1, 0x12, 0x34, 0x56, 0x78];
const PADDED = Uint8Array.from([0xa0, ...RTP.slice(1), 0, 0, ...text('mallory-x'), 10]);
const EVENTS = Uint8Array.from([0x80, 0x65, ...RTP.slice(2), ...[5, 0x8a, 1, 2], ...text('malry')]);
const ATTRIBUTES = [
  ...attribute(0x0014, ...text('mallory-t')),
  ...attribute(0x0020, 0, 1, 0x21 ^ 0x9c, 0x12 ^ 0x40, 172 ^ 0x21, 29 ^ 0x12, 77 ^ 0xa4, 88 ^ 0x42),
  ...attribute(0x7f01, ...text('mallory-u')),
  ...attribute(0x0013, ...text('mallory-v')),
];
/** A binding response, RFC 8489 §5. */
const STUN = Uint8Array.from([
  ...[1, 1, 0, ATTRIBUTES.length, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  ...ATTRIBUTES,
]);
/** A response of HTTP behind so many header fields; its Content-Length is a number of 64 bits. */
const page = (fields: number): Uint8Array =>
  tcp(
    { ...SERVER, port: 80 },
    { ...UE, port: 50_000 + fields },
    { seq: 1, ack: 1 },
    text(`HTTP/1.1 200 OK\r\n${'Age: 1\r\n'.repeat(fields)}Content-Length: 0\r\n\r\n`),
  );
/** A Binding request with many attributes. */
const LONG = Uint8Array.from([
  ...[0, 1, 0, 12 * 20, 0x21, 0x12, 0xa4, 0x42, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  ...Array.from({ length: 20 }, () => attribute(0x0006, ...text('mallory-'))).flat(),
]);
/** A question for a name in UTF-8 with a client subnet: RFC 1035 §4.1, RFC 7871 §6. */
const DNS = Uint8Array.from([
  ...[0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 9, ...text('mallory-\xfc'), 3, ...text('org'), 0, 0, 1, 0, 1],
  ...[0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 11, 0, 8, 0, 7, 0, 1, 24, 0, 172, 29, 77],
]);
/** Feedback of an application, RFC 4585 §6.4, behind an empty report. */
const FEEDBACK = Uint8Array.from([
  ...[0x80, 201, 0, 1, 1, 2, 3, 4],
  ...[0x8f, 206, 0, 4, 1, 2, 3, 4, 1, 2, 3, 5, ...text('mallory!')],
]);
/** What a relay is to send on (RFC 8656 §11.1): a request of SIP, and a digit that was pressed. */
const relayed = (data: Uint8Array): Uint8Array => {
  const body = [...attribute(0x0012, 0, 1, 1, 1, 1, 1, 1, 1), ...attribute(0x0013, ...data)];
  const header = [0, 0x16, 0, body.length, 0x21, 0x12, 0xa4, 0x42, 3, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  return Uint8Array.from([...header, ...body]);
};
const REQUEST = text('OPTIONS sip:mallory@a SIP/2.0\r\nSubject: mallory\r\nCSeq: 1 OPTIONS\r\n\r\n');
/** ESP whose payload nobody encrypted. RFC 2410 */
const ESP = concat([Uint8Array.of(0, 0, 16, 1, 0, 0, 0, 1), text('mallory in the clear')]);
const ECHO = concat([Uint8Array.of(8, 0, 0, 0, 0, 1, 0, 1), text('mallory pings')]);

/** A group of a network, which has the prefix of that in its address. RFC 3306 §4 */
const GROUP = address('ff3e:40:2a02:8071:1234:5600:4321:1');
const UE6 = at('2a02:8071:1234:5600::77', 5000);

const PACKETS = [
  udp({ ...UE, port: 68 }, to(67), DHCP),
  udp(to(3478), UE, STUN),
  udp({ ...UE, port: 68 }, to(67), ODD_DHCP),
  udp(UE, to(40_002), PADDED),
  udp(UE, to(40_002), EVENTS),
  udp({ ...UE, port: 40_001 }, to(40_003), FEEDBACK),
  udp(UE, to(3478), relayed(REQUEST)),
  udp(UE, to(3478), relayed(EVENTS)),
  udp(UE6, { address: GROUP, port: 5000 }, text('mallory')),
  ...[0, 1, 2, 3, 4].flatMap((n) => [page(n), udp(UE, to(3478), LONG)]),
  udp(UE, to(53), DNS),
  ip(UE.address, SERVER.address, 50, ESP),
  udp({ ...UE, port: 4500 }, to(4500), ESP),
  ip(UE.address, SERVER.address, 1, ECHO),
];
const TOLD = [
  ...[text('mallory'), text('malr'), UE.address.subarray(0, 3), [172 ^ 0x21, 29 ^ 0x12], [0xbb, 0xcc, 0xdd, 0xee]],
  ...[text('a1b2c3'), [5, 0x8a, 1, 2], UE6.address.subarray(0, 8)],
];

describe('extract --redact of what is no text', () => {
  test('options, attributes, ESP and echoes tell of nobody', async () => {
    const built = one(await tlsConversation([up(PACKETS.map((p) => envelope(p)))], { version: 'TLSv1.3' }));
    const capture = file('octets.pcapng', built.octets);
    const out = file('octets-redacted.pcapng');
    const ran = run(['extract', capture, '-k', file('octets.keys', built.keylog), '-q', '-w', out, '--redact']);
    assert.equal(ran.code, 0, ran.err);
    const made = readFileSync(out);
    const before = concat(PACKETS);
    for (const s of TOLD) {
      assert.ok(Buffer.from(before).includes(Buffer.from(s)), `${s} is in the packets`);
      assert.ok(!made.includes(Buffer.from(s)), `${s} is not in the redacted ones`);
    }
    const rows = run(['read', out, '-T', 'ndjson', '-q']).out.trim().split('\n');
    const [dhcp, stun, ...others] = rows.map((l) => JSON.parse(l).fields);
    const long = others.filter((f) => f['stun.att.length']?.length === 20);
    assert.equal(long.length, 5);
    for (const f of long)
      assert.deepEqual(f['stun.att.length'], Array(20).fill(8), 'numbers stay, whatever came before');
    assert.deepEqual(dhcp['dhcp.option.dhcp'], [1]);
    assert.deepEqual(stun['stun.att.ipv4'], dhcp['ip.src']);
  });
});
