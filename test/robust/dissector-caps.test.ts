import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode, type LimitName, type Track } from 'fttscope/kit';
import { codec as dns, dnsQuery, dnsResponse, TYPE } from '../../dissectors/dns/message.js';
import { rtp } from '../../dissectors/rtp.js';
import { Concatenations } from '../../dissectors/sms/concatenation.js';
import { LIMITS } from '../../src/limits.js';
import { LINKTYPES } from '../build/link.js';
import { address, at, ip, ping, SYN, tcp, udp } from '../build/packets.js';
import { FrameSource } from '../build/source.js';
import { forSource, type RowsOptions } from '../support/rows.js';

const A = at('10.0.0.1', 40_000);
const B = at('10.0.0.2', 20_000);
const MORE = 5;
const times = (n: number, make: (i: number) => Uint8Array): Uint8Array[] =>
  Array.from({ length: n }, (_, i) => make(i));
const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** The frames of packets that say that a cap was reached, and which cap how often. */
async function reached(
  packets: readonly Uint8Array[],
  o: RowsOptions = {},
): Promise<[number[], Record<string, number>]> {
  const frames: number[] = [];
  const raw = packets.map((octets) => ({ octets }));
  const pass = await forSource(new FrameSource(raw, LINKTYPES.raw), o, (row) => {
    if (row.codes().includes('capture.capped')) frames.push(row.frame);
  });
  return [frames, Object.fromEntries(pass.index.ledger.limits.map(({ name, hit }) => [name, hit]))];
}

/** Numbers of the last frames of a capture. */
const last = (n: number, count = MORE): number[] => Array.from({ length: count }, (_, i) => n - count + 1 + i);

const SERVER = at('10.0.0.2', 53);
const ask = (i: number): Uint8Array => udp(A, SERVER, encode(dns, dnsQuery(i, 'a.example', TYPE.A)));

test('queries of the DNS that wait for their answers', async () => {
  const n = LIMITS.transactions + MORE;
  assert.deepEqual(await reached(times(n, ask)), [last(n), { transactions: MORE }]);
});

test('queries that were answered make room unnoticed', async () => {
  const answers = times(LIMITS.transactions, (i) =>
    udp(SERVER, A, encode(dns, dnsResponse(dnsQuery(i, 'a.example', TYPE.A), []))),
  );
  const packets = [...times(LIMITS.transactions, ask), ...answers, ...times(MORE, (i) => ask(LIMITS.transactions + i))];
  assert.deepEqual(await reached(packets), [[], {}]);
});

test('transactions of STUN', async () => {
  const request = (i: number): Uint8Array => {
    const b = Buffer.alloc(20);
    b.writeUInt16BE(1, 0);
    b.writeUInt32BE(0x2112a442, 4);
    b.writeUInt32BE(i, 16);
    return udp(A, at('10.0.0.2', 3478), b);
  };
  const n = LIMITS.transactions + MORE;
  assert.deepEqual(await reached(times(n, request)), [last(n), { transactions: MORE }]);
});

test('pings that wait for their replies', async () => {
  const n = LIMITS.transactions + MORE;
  const packets = times(n, (i) => ping(A.address, B.address, 1, i, 8));
  assert.deepEqual(await reached(packets), [last(n), { transactions: MORE }]);
});

test('requests of HTTP that wait for their responses', async () => {
  const get = ascii('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const to = at('10.0.0.2', 80);
  const n = LIMITS.transactions + MORE;
  const packets = times(n, (i) => tcp(A, to, { seq: 1 + i * get.length }, get));
  const [frames, limits] = await reached([tcp(A, to, { seq: 0, flags: SYN }, new Uint8Array(0)), ...packets]);
  assert.deepEqual([frames, limits], [last(1 + n), { transactions: MORE }]);
});

test('dialogs of SIP', async () => {
  const options = (i: number): Uint8Array =>
    udp(
      at('10.0.0.1', 5060),
      at('10.0.0.2', 5060),
      ascii(`OPTIONS sip:b SIP/2.0\r\nCall-ID: ${i}\r\nCSeq: 1 OPTIONS\r\n\r\n`),
    );
  const n = LIMITS.sipDialogs + MORE;
  assert.deepEqual(await reached(times(n, options)), [last(n), { sipDialogs: MORE }]);
});

/** An INVITE with five lines of a session, and these. */
const described = (lines: readonly string[]): Uint8Array => {
  const sdp = ['v=0', 'o=- 1 1 IN IP4 10.0.0.1', 's=-', 'c=IN IP4 10.0.0.1', 't=0 0', ...lines, ''];
  const head = `INVITE sip:b SIP/2.0\r\nCall-ID: ${lines.length}\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp`;
  return udp(at('10.0.0.1', 5060), at('10.0.0.2', 5060), ascii(`${head}\r\n\r\n${sdp.join('\r\n')}`));
};

test('media of a session description', async () => {
  const media = (n: number): string[] => Array.from({ length: n }, (_, i) => `m=audio ${30_000 + 2 * i} RTP/AVP 8`);
  const packets = [described(media(LIMITS.sessionMedia)), described(media(LIMITS.sessionMedia + 1))];
  assert.deepEqual(await reached(packets), [[2], { sessionMedia: 1 }]);
});

test('lines of a session description', async () => {
  const lines = (n: number): string[] => new Array(n - 5).fill('a=x');
  const media = ['m=audio 30000 RTP/AVP 8'];
  const packets = [
    described(lines(LIMITS.sdpLines)),
    described([...lines(LIMITS.sdpLines), 'a=y']),
    described([...media, ...lines(LIMITS.sdpLines)]),
  ];
  assert.deepEqual(await reached(packets), [[2, 3], { sdpLines: 2 }]);
});

test('ports of a medium', async () => {
  const media = (n: number): string[] => [`m=audio 30000/${n} RTP/AVP 8`];
  const packets = [described(media(LIMITS.mediaPorts)), described(media(LIMITS.mediaPorts + 1))];
  assert.deepEqual(await reached(packets), [[2], { mediaPorts: 1 }]);
});

test('parts of messages of SCTP', async () => {
  const chunk = (tsn: number): Uint8Array => {
    const b = Buffer.alloc(32);
    b.writeUInt32BE(0x0000_0014, 12); // a DATA chunk without B and E
    b.writeUInt32BE(tsn, 16);
    return ip(address('10.0.0.1'), address('10.0.0.2'), 132, b);
  };
  const n = LIMITS.sctpParts + 1;
  assert.deepEqual(await reached(times(n, (i) => chunk(2 * i))), [[n], { sctpParts: 1 }]);
});

test('connection IDs of QUIC', async () => {
  const packet = (first: number, scid: number): Uint8Array =>
    Uint8Array.of(first, 0, 0, 0, 1, 1, 0xdd, 1, scid, ...(first === 0xc0 ? [0] : []), 0x14, ...new Array(20).fill(0));
  const to = at('10.0.0.2', 443);
  // The first octet of an Initial packet, and of a Handshake packet: RFC 9000 §17.2.
  // The client's own first ID is one of them.
  const n = LIMITS.quicIds + 1;
  const packets = times(n, (i) => udp(A, to, packet(i === 0 ? 0xc0 : 0xe0, i)));
  assert.deepEqual(await reached([...packets, packets[1]!]), [last(n, 2), { quicIds: 2 }]);
});

test('the octets of a mail', async () => {
  const to = at('10.0.0.2', 25);
  const data = ascii('DATA\r\n');
  const part = ascii(`${'a'.repeat(59_998)}\r\n`);
  const n = Math.floor(LIMITS.messageOctets / part.length);
  const mail = times(n + 1, (i) => tcp(A, to, { seq: 1 + data.length + i * part.length }, part));
  const packets = [tcp(A, to, { seq: 0, flags: SYN }, new Uint8Array(0)), tcp(A, to, { seq: 1 }, data), ...mail];
  assert.deepEqual(await reached(packets), [[packets.length], { messageOctets: 1 }]);
});

test('sources of RTP in a conversation', async () => {
  const packet = (i: number): Uint8Array =>
    udp(A, B, encode(rtp.codec!, { ...HEAD, sequence: 1, timestamp: 160, ssrc: 1 + i, payload: new Uint8Array(160) }));
  const HEAD = { marker: false, payloadType: 8, csrc: [], padding: 0 };
  // That which sends beside those that are remembered.
  const n = LIMITS.rtpSources + 2;
  const found = await reached(times(n, packet), { decodeAs: ['udp.port==20000,rtp'] });
  assert.deepEqual(found, [last(n, 1), { rtpSources: 1 }]);
});

test('a handshake message of DTLS', async () => {
  const part = (length: number): Uint8Array => {
    const b = Buffer.alloc(13 + 12 + 100);
    b.set([22, 0xfe, 0xfd]);
    b.writeUInt16BE(12 + 100, 11);
    b[13] = 11;
    b.writeUIntBE(length, 14, 3);
    b.writeUIntBE(100, 22, 3);
    return udp(A, B, b);
  };
  assert.deepEqual(await reached([part(LIMITS.handshakeOctets)]), [[], {}]);
  assert.deepEqual(await reached([part(LIMITS.handshakeOctets + 1)]), [[1], { handshakeOctets: 1 }]);
});

test('short messages of which parts are missing', () => {
  const told: LimitName[] = [];
  const cx = { frame: 1, capped: (name: LimitName) => void told.push(name) } as unknown as Track;
  const all = new Concatenations();
  const add = (id: number, part: number) =>
    all.add(
      Uint8Array.of(part),
      { part: { id, parts: 2, part }, headerEnd: 0, end: 1, text: undefined } as never,
      'a',
      cx,
    );
  for (let id = 0; id < LIMITS.smsWaiting; id++) assert.equal(add(id, 1), undefined);
  assert.ok(add(3, 2) !== undefined);
  add(1000, 1);
  assert.deepEqual(told, []);
  add(1001, 1);
  assert.deepEqual([told, all.size], [['smsWaiting'], LIMITS.smsWaiting]);
  assert.equal(add(0, 2), undefined); // its first part was given up
});
