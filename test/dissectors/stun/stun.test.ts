import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encode, No, Unsure, Yes } from 'fttscope/kit';
import { rtcp } from '../../../dissectors/rtcp/index.js';
import { classicStun } from '../../../dissectors/stun/classic.js';
import { Attr, type Stun, stun } from '../../../dissectors/stun/index.js';
import { turnChannel } from '../../../dissectors/stun/relay.js';
import { at, ip, udp } from '../../build/packets.js';
import { besideTshark } from '../../support/beside-tshark.js';
import { askTshark, tsharkMissing } from '../rtp/tshark.js';
import { octets, values, World } from '../rtp/world.js';

const world = (): World => new World([stun, classicStun, turnChannel, rtcp]);
const HEAD = '2112a442 b7e7a701bc34d686fa87dfae';

/** RFC 5769 §2.1 to §2.3. */
const REQUEST = octets(`00010058 ${HEAD} 80220010 5354554e207465737420636c69656e74 00240004 6e0001ff
  80290008 932ff9b151263b36 00060009 6576746a3a68367659202020 00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2
  80280004 e57a3bcf`);
const RESPONSE4 = octets(`0101003c ${HEAD} 8022000b 7465737420766563746f7220 00200008 0001a147e112a643
  00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96`);
const RESPONSE6 = octets(`01010048 ${HEAD} 8022000b 7465737420766563746f7220
  00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9 00080014 a382954e4be67bf11784c97c8292c275bfe3ed41
  80280004 c8fb0b4c`);

describe('the test vectors of RFC 5769', () => {
  test('a request with ICE attributes', () => {
    const seen = world().see(stun, REQUEST);
    assert.deepEqual(seen.stopped, []);
    assert.deepEqual(values(seen, 'stun.type'), ['0x0001']);
    assert.deepEqual(values(seen, 'stun.att.software'), ['STUN test client']);
    assert.deepEqual(values(seen, 'stun.att.priority'), ['1845494271']);
    assert.deepEqual(values(seen, 'stun.att.tie-breaker'), ['93:2f:f9:b1:51:26:3b:36']);
    assert.deepEqual(values(seen, 'stun.att.username'), ['evtj:h6vY']);
    assert.deepEqual(values(seen, 'stun.att.crc32.status'), ['1']);
    assert.equal(seen.summary, 'Binding Request user: evtj:h6vY');
  });
  test('responses with mapped addresses', () => {
    const four = world().see(stun, RESPONSE4);
    assert.deepEqual(values(four, 'stun.att.ipv4'), ['192.0.2.1']);
    assert.deepEqual(values(four, 'stun.att.port'), ['32853']);
    assert.deepEqual(values(four, 'stun.att.crc32.status'), ['1']);
    const six = world().see(stun, RESPONSE6);
    assert.deepEqual(values(six, 'stun.att.ipv6'), ['2001:db8:1234:5678:11:2233:4455:6677']);
    assert.deepEqual(values(six, 'stun.att.port'), ['32853']);
    assert.deepEqual(values(six, 'stun.att.crc32.status'), ['1']);
  });
  test('a fingerprint over other octets is bad', () => {
    const b = REQUEST.slice();
    b[24] ^= 1;
    const seen = world().see(stun, b);
    assert.deepEqual(values(seen, 'stun.att.crc32.status'), ['0']);
    assert.deepEqual(seen.experts, ['stun.bad-fingerprint']);
  });
  test('the codec writes what it reads, fingerprint included', () => {
    // §2.1 pads with spaces, which RFC 5389 allows.
    for (const b of [REQUEST, RESPONSE4, RESPONSE6]) {
      const r = stun.codec!.parse(b, 0, b.length);
      assert.deepEqual(encode(stun.codec!, r), b);
      assert('attributes' in r);
      r.attributes[r.attributes.length - 1].value = new Uint8Array(0);
      assert.deepEqual(encode(stun.codec!, r), b);
    }
  });
});

const message = (type: string, attributes: string): Uint8Array => {
  const body = octets(attributes);
  return octets(`${type} ${body.length.toString(16).padStart(4, '0')} ${HEAD} ${Buffer.from(body).toString('hex')}`);
};

/** Messages that tshark 4.0 reads to their end, each with an identifier of the same transaction. */
const MESSAGES = [
  REQUEST,
  RESPONSE4,
  RESPONSE6,
  message('0003', '00190004 11000000 00170004 02000000 00180001 80000000 001a0000'),
  message('0113', '0009001000000401 556e617574686f72697a6564 00140005 72656c6d2e000000 00150006 6e6f6e6365310000'),
  message('0103', '00160008 0001a147e112a643 000d0004 00000258 00220008 0102030405060708'),
  message('0009', '000c0004 40000000 00120008 0001a147e112a643'),
  message('0016', '00120008 0001a147e112a643 00130005 0102030405000000'),
  message('0017', '0013001c 80c80006 11223344 aabbccdd 00112233 00000000 00000001 00000002'),
  message('0016', '00130008 40000004 61626364'),
  message('0111', '00090004 00000414 000a0004 7fffc000'),
  message('0001', '00030004 00000006 80270004 00000e10 8004000401020000'),
  message('0001', '80020008 00020000 00010000 001d0004 00010000'),
  message('0001', 'c0570004 000103e7 80550004 00010001 80080004 00000004 80700004 00000003'),
  message('0001', '12340003 abcdef00 80950008 0102030405060708 80680004 01020100'),
  message('0001', '805d000c c0000001 00000064 00000032 80580010 00000001000000020000000300000004'),
];

test('fields and Info are those of tshark', { skip: tsharkMissing }, () => {
  const own = /^(stun|turnchannel)\.(?!re[qs]|time|unknown_attr|att\.crc32\.bad|short|wrong)/;
  const references = askTshark(MESSAGES, 'stun', own);
  for (const [i, b] of MESSAGES.entries()) {
    const seen = world().see(stun, b);
    const name = Buffer.from(b).toString('hex');
    const unpunctuated = (list: readonly (readonly [string, string])[]) =>
      list.filter(([f]) => own.test(f) && f !== 'stun.attributes').map(([f, s]) => `${f} ${s.replace(/:/g, '')}`);
    assert.deepEqual(unpunctuated(seen.fields), unpunctuated(references[i].fields), name);
    if (!seen.protocols.includes('rtcp') && !seen.protocols.includes('turnchannel'))
      assert.equal(seen.summary, references[i].info, name);
    assert.deepEqual(seen.stopped, [], name);
  }
});

test('what a relay carries is recognised', () => {
  const carried = (b: Uint8Array): readonly string[] => world().see(stun, b).protocols;
  assert.deepEqual(carried(MESSAGES[8]), ['stun', 'rtcp']);
  assert.deepEqual(carried(MESSAGES[9]), ['stun', 'turnchannel', 'data']);
  assert.deepEqual(carried(octets('40000005 0102030405')), ['stun', 'data']);
  assert.equal(world().see(stun, octets('40000005 0102030405')).summary, 'ChannelData TURN Message');
});

test('answers find their requests, and repetitions the first of their kind', () => {
  const w = world();
  const see = (b: Uint8Array, frame: number, nanos: number) => {
    const seen = w.see(stun, b, { frame, seconds: 100, nanos });
    return seen.fields.filter(([f]) => /^stun\.(re[qs]\w*-|req|time)/.test(f)).map(([f, s]) => `${f} ${s}`);
  };
  assert.deepEqual(see(REQUEST, 1, 0), []);
  assert.deepEqual(see(REQUEST, 2, 5), ['stun.reqduplicate 1']);
  assert.deepEqual(see(RESPONSE4, 3, 250_000_000), ['stun.response-to 1', 'stun.time 0.250000000']);
  assert.deepEqual(see(RESPONSE4, 4, 500_000_000), [
    'stun.response-to 1',
    'stun.time 0.500000000',
    'stun.reqduplicate 3',
  ]);
  assert.deepEqual(see(REQUEST, 5, 0), ['stun.response-in 3', 'stun.reqduplicate 1']);
});

test('attributes that do not fit end the message', () => {
  const seen = world().see(stun, message('0001', '00060020 61626364'));
  assert.deepEqual(seen.experts, ['stun.attribute-past-end']);
  assert(seen.labels.includes('Attribute Length: 32 (bogus, goes past the end of the message)'));
  assert.deepEqual(world().see(stun, REQUEST.subarray(0, 60)).stopped, ['stun']);
  assert.deepEqual(world().see(stun, REQUEST.subarray(0, 10)).stopped, ['stun']);
});

test('messages are found in datagrams and streams', () => {
  const { probe, pduLength } = stun;
  const all = (b: Uint8Array, known?: boolean) => probe!(b, 0, b.length, known);
  assert.equal(all(REQUEST), Yes);
  assert.equal(all(REQUEST.subarray(0, 5)), Unsure);
  assert.equal(all(octets('00010000 00000000 00000000 00000000 00000000')), No);
  assert.equal(all(octets('40000004 61626364')), No);
  assert.equal(all(octets('40000004 61626364'), true), Yes);
  assert.equal(all(octets('40000003 61626364'), true), Yes);
  assert.equal(all(octets('40000000 61626364'), true), No);
  assert.equal(all(octets('68656c6c6f')), No);
  const framed = octets(`006c ${Buffer.from(REQUEST).toString('hex')}`);
  assert.equal(all(framed), Yes);
  assert.equal(pduLength!(framed, 0, framed.length), framed.length);
  assert.deepEqual(values(world().see(stun, framed), 'stun.tcp_frame_length'), ['108']);
  assert.equal(pduLength!(REQUEST, 0, 8), REQUEST.length);
  assert.equal(pduLength!(REQUEST, 0, 7), 0);
  assert.equal(pduLength!(octets('40000003 616263'), 0, 7), 8); // RFC 8656 §12.5
  assert.equal(pduLength!(octets('00ffffffffffffffffffff'), 0, 11), -1);
});

test('classic STUN is known by its types and its length', () => {
  const request = octets('00010008 000102030405060708090a0b0c0d0e0f 00030004 00000006');
  assert.equal(classicStun.probe!(request, 0, request.length), Yes);
  assert.equal(classicStun.probe!(request, 0, request.length - 1), No);
  const w = world();
  assert.deepEqual(values(w.see(classicStun, request, { frame: 1 }), 'classicstun.att.change.port'), ['1']);
  const response = octets('0101000c 000102030405060708090a0b0c0d0e0f 00010008 00010d96c0000201');
  const seen = w.see(classicStun, response, { frame: 2, seconds: 1 });
  assert.deepEqual(values(seen, 'classicstun.att.ipv4'), ['192.0.2.1']);
  assert.deepEqual(values(seen, 'classicstun.att.port'), ['3478']);
  assert.deepEqual(values(seen, 'classicstun.response_to'), ['1']);
  assert.deepEqual(values(seen, 'classicstun.time'), ['1.000000000']);
  assert.equal(seen.summary, 'Message: Binding Response');
});

const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const plain = { noNullPrototype: true } as const;
const attribute = fc.record(
  { type: fc.integer({ min: 0, max: 0xffff }).filter((n) => n !== Attr.Fingerprint), value: bytes(0, 24) },
  plain,
);
const anyStun: fc.Arbitrary<Stun> = fc.oneof(
  fc.record(
    {
      type: fc.integer({ min: 0, max: 0x3ff }), // methods up to 255, RFC 7983 §3
      id: bytes(12, 12),
      attributes: fc.array(attribute, { maxLength: 5 }),
    },
    plain,
  ),
  fc.record({ channel: fc.integer({ min: 0x4000, max: 0x7fff }), data: bytes(0, 40) }, plain),
);

test('the codec reads what it writes, and the dissector shows it whole', () => {
  fc.assert(
    fc.property(anyStun, (r) => {
      const b = encode(stun.codec!, r);
      assert.deepEqual(stun.codec!.parse(b, 0, b.length), r);
      assert.equal(stun.probe!(b, 0, b.length, true), Yes);
      assert.deepEqual(
        world()
          .see(stun, b)
          .stopped.filter((p) => p !== 'rtcp'),
        [],
      );
    }),
  );
});

test('any octets behind a header end well', () => {
  fc.assert(
    fc.property(bytes(0, 64), fc.boolean(), (rest, classic) => {
      const b = classic
        ? octets(
            `0001${rest.length.toString(16).padStart(4, '0')} 00112233445566778899aabbccddeeff ${Buffer.from(rest).toString('hex')}`,
          )
        : message('0001', Buffer.from(rest).toString('hex'));
      world().see(classic ? classicStun : stun, b);
    }),
  );
});

test('an ICMP error may quote data of a channel', { skip: tsharkMissing }, async () => {
  const client = at('192.0.2.1', 40_000);
  const server = at('192.0.2.2', 40_002);
  const unreachable = (quoted: Uint8Array): Uint8Array =>
    ip(client.address, server.address, 1, Buffer.concat([octets('0303 0000 00000000'), quoted]));
  const channel = udp(server, client, octets('4000 0008 0102030405060708'));
  const stacks = await besideTshark(
    [unreachable(channel), udp(client, server, REQUEST), channel, unreachable(channel)],
    ['stun.type', 'stun.channel', 'stun.length', 'data.len'],
  );
  assert.deepEqual(stacks, ['icmp:ip:udp:data', 'udp:stun', 'udp:stun:data', 'icmp:ip:udp:stun:data']);
});
