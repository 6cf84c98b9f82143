import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encode, Tree, View } from 'fttscope/kit';
import { type MediaNote, sdp } from '../../../dissectors/sdp/index.js';
import { at, udp } from '../../build/packets.js';
import { besideTshark } from '../../support/beside-tshark.js';
import { comparePlacesIn } from '../../support/places.js';
import { tsharkMissing } from '../../support/tshark.js';
import { dissect, type Layers, message, World } from '../sip/layers.js';

const PLAIN = { noNullPrototype: true };
const INVITE = ['INVITE sip:aa@b SIP/2.0', 'Content-Type: application/sdp', ''];
const START = message(...INVITE).length;

function layers(...lines: string[]): Layers {
  return dissect(message(...INVITE, ...lines));
}

/** Nodes of SDP: name without `sdp.`, value, offset in the body, length. Values and places are tshark's; keys are left out. */
function nodes(...lines: string[]): (string | number)[][] {
  return layers(...lines)
    .nodes.filter((n) => n[0].startsWith('sdp.'))
    .map(([name, value, off, len]) => [name.slice(4), value, off - START, len]);
}

const AUDIO = 'm=audio 1 RTP/AVP 96';
/** Nodes of the lines that follow {@link AUDIO}, offsets from the first of them. */
const inMedia = (...lines: string[]): (string | number)[][] => {
  const all = nodes(AUDIO, ...lines);
  return all.slice(nodes(AUDIO).length).map(([n, v, o, len]) => [n, v, (o as number) - AUDIO.length - 2, len]);
};

describe('SDP lines', () => {
  test('of the session', () => {
    assert.deepEqual(
      nodes(
        'v=0',
        'o=- 123 456 IN IP4 1.2.3.4',
        's=-',
        'i=info here',
        'u=http://x',
        'e=a@b (n)',
        'p=+1 23',
        'c=IN IP4 224.2.1.1/127/3',
        'b=AS:64',
        'b=RR',
        't=2873397496 0',
        'r=7d 1h 0 25h',
        'z=2882844526 -1h 2898848070 0',
        'k=base64:abc',
        'k=clear',
        'a=recvonly',
        'a=tool:foo bar:baz',
        'x=unknown',
      ),
      [
        ['version', '0', 0, 3],
        ['owner', '- 123 456 IN IP4 1.2.3.4', 5, 26],
        ['owner.username', '-', 7, 1],
        ['owner.sessionid', '123', 9, 3],
        ['owner.version', '456', 13, 3],
        ['owner.network_type', 'IN', 17, 2],
        ['owner.address_type', 'IP4', 20, 3],
        ['owner.address', '1.2.3.4', 24, 7],
        ['session_name', '-', 33, 3],
        ['session_info', 'info here', 38, 11],
        ['uri', 'http://x', 51, 10],
        ['email', 'a@b (n)', 63, 9],
        ['phone', '+1 23', 74, 7],
        ['connection_info', 'IN IP4 224.2.1.1/127/3', 83, 24],
        ['connection_info.network_type', 'IN', 85, 2],
        ['connection_info.address_type', 'IP4', 88, 3],
        ['connection_info.address', '224.2.1.1', 92, 9],
        ['connection_info.ttl', '127', 102, 3],
        ['connection_info.num_addr', '3', 106, 1],
        ['bandwidth', 'AS:64', 109, 7],
        ['bandwidth.modifier', 'AS', 111, 2],
        ['bandwidth.value', '64', 114, 2],
        ['bandwidth', 'RR', 118, 4],
        ['time', '2873397496 0', 124, 14],
        ['time.start', '2873397496', 126, 10],
        ['time.stop', '0', 137, 1],
        ['repeat_time', '7d 1h 0 25h', 140, 13],
        ['repeat_time.interval', '7d', 142, 2],
        ['repeat_time.duration', '1h', 145, 2],
        ['repeat_time.offset', '0', 148, 1],
        ['repeat_time.offset', '25h', 150, 3],
        ['timezone', '2882844526 -1h 2898848070 0', 155, 29],
        ['timezone.time', '2882844526', 157, 10],
        ['timezone.offset', '-1h', 168, 3],
        ['timezone.time', '2898848070', 172, 10],
        ['timezone.offset', '0', 183, 1],
        ['encryption_key', 'base64:[not shown]', 186, 12],
        ['encryption_key.type', 'base64', 188, 6],
        ['encryption_key.data', '[not shown]', 195, 3],
        ['encryption_key', 'clear', 200, 7],
        ['session_attr', 'recvonly', 209, 10],
        ['session_attr', 'tool:foo bar:baz', 221, 18],
        ['session_attr.field', 'tool', 223, 4],
        ['session_attr.value', 'foo bar:baz', 228, 11],
        ['unknown', 'x=unknown', 241, 9],
      ],
    );
  });

  test('of media', () => {
    assert.deepEqual(nodes('m=audio 49170/2 RTP/AVP 0 8 96 72 35 300 x'), [
      ['media', 'audio 49170/2 RTP/AVP 0 8 96 72 35 300 x', 0, 42],
      ['media.media', 'audio', 2, 5],
      ['media.port_string', '49170', 8, 5],
      ['media.port', '49170', 8, 5],
      ['media.portcount', '2', 14, 1],
      ['media.proto', 'RTP/AVP', 16, 7],
      ['media.format', 'ITU-T G.711 PCMU', 24, 1],
      ['media.format', 'ITU-T G.711 PCMA', 26, 1],
      ['media.format', 'DynamicRTP-Type-96', 28, 2],
      ['media.format', 'Reserved for RTCP conflict avoidance', 31, 2],
      ['media.format', 'Unassigned', 34, 2],
      ['media.format', '300', 37, 3],
      ['media.format', 'x', 41, 1],
    ]);
    assert.deepEqual(nodes('m=image $ udptl 0').slice(2), [
      ['media.port_string', '$', 8, 1],
      ['media.proto', 'udptl', 10, 5],
      ['media.format', '0', 16, 1],
    ]);
    assert.deepEqual(inMedia('i=title', 'b=AS:50')[0], ['media_title', 'title', 0, 7]);
  });

  test('of media attributes', () => {
    assert.deepEqual(inMedia('a=rtpmap:96 AMR-WB/16000/1'), [
      ['media_attr', 'rtpmap:96 AMR-WB/16000/1', 0, 26],
      ['media_attribute.field', 'rtpmap', 2, 6],
      ['media.format', '96', 9, 2],
      ['mime.type', 'AMR-WB', 12, 6],
      ['sample_rate', '16000', 19, 5],
    ]);
    assert.deepEqual(inMedia('a=rtpmap:96 AMR').slice(2), [['media.format', '96', 9, 2]]);
    // As tshark has it: the name is empty, and the rate is there.
    assert.deepEqual(inMedia('a=rtpmap:96 /8000').slice(2), [
      ['media.format', '96', 9, 2],
      ['mime.type', '', 12, 0],
      ['sample_rate', '8000', 13, 4],
    ]);
    assert.deepEqual(inMedia('a=fmtp:96 mode-set=0,2; octet-align=1;x').slice(2), [
      ['media.format', '96', 7, 2],
      ['fmtp.parameter', 'mode-set=0,2', 10, 12],
      ['fmtp.parameter', 'octet-align=1', 24, 13],
      ['fmtp.parameter', 'x', 38, 1],
    ]);
    assert.deepEqual(inMedia('a=des:qos mandatory local sendrecv').slice(1), [
      ['media_attribute.field', 'des', 2, 3],
      ['media_attribute.value', 'qos mandatory local sendrecv', 6, 28],
    ]);
    assert.deepEqual(inMedia('a=candidate:2 1 TCP 1694498815 192.0.2.3 45664 typ srflx raddr 10.0.1.1').slice(1), [
      ['media_attribute.field', 'candidate', 2, 9],
      ['ice_candidate.foundation', '2', 12, 1],
      ['ice_candidate.componentid', '1', 14, 1],
      ['ice_candidate.transport', 'TCP', 16, 3],
      ['ice_candidate.priority', '1694498815', 20, 10],
      ['ice_candidate.address', '192.0.2.3', 31, 9],
      ['ice_candidate.port', '45664', 41, 5],
      ['ice_candidate.type', 'srflx', 51, 5],
    ]);
    assert.deepEqual(
      inMedia('a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:32')
        .slice(2)
        .map((n) => [n[0], n[1]]),
      [
        ['crypto.tag', '1'],
        ['crypto.crypto_suite', 'AES_CM_128_HMAC_SHA1_80'],
        ['key_and_salt', ''],
        ['crypto.lifetime', '2^20'],
        ['crypto.mki-valu', '1'],
        ['crypto.mki_length', '32'],
      ],
    );
  });

  test('without the keys', () => {
    const KEY = 'PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR';
    const lines = [
      'v=0',
      `k=clear:${KEY}`,
      `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${KEY}|2^20|1:4;inline:${KEY}|1:4 KDR=1`,
      `a=key-mgmt:mikey ${KEY}`,
      'm=audio 4000 RTP/SAVP 0',
      `k=base64:${KEY}`,
      'k=uri:https://192.0.2.1/key',
      `a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:${KEY}`,
      `a=CRYPTO:3 F8_128_HMAC_SHA1_80 INLINE:${KEY}|1:4 FEC_ORDER=FEC_SRTP`,
      `a=key-mgmt:mikey ${KEY}`,
    ];
    const all = layers(...lines).nodes;
    assert.deepEqual(
      all.filter((n) => String(n[1]).includes(KEY.slice(0, 6))),
      [],
    );
    const shown = all.map((n) => n[1]);
    for (const text of [
      'crypto:1 AES_CM_128_HMAC_SHA1_80 inline:[not shown]|2^20|1:4;inline:[not shown]|1:4 KDR=1',
      'crypto:2 AES_CM_128_HMAC_SHA1_32 inline:[not shown]',
      'key-mgmt:mikey [not shown]',
      'uri:https://192.0.2.1/key',
    ])
      assert.ok(shown.includes(text), text);
  });

  test('of parameters that depend on the encoding', () => {
    const fmtp = (map: string, parameters: string): (string | number)[][] =>
      inMedia(`a=rtpmap:96 ${map}/90000`, `a=fmtp:96 ${parameters}`)
        .slice(8)
        .map((n) => [n[0], n[1]])
        .filter((n) => n[0] !== 'fmtp.parameter');
    assert.deepEqual(fmtp('h264', 'packetization-mode=2;sprop-parameter-sets=Z0IACpZTBYmI,aMljiA=='), [
      ['fmtp.h264_packetization_mode', '2'],
      ['nal_unit_1_string', 'Z0IACpZTBYmI'],
      ['nal_unit_2_string', 'aMljiA=='],
    ]);
    assert.deepEqual(fmtp('H263-2000', 'profile=0;level=10'), [
      ['fmtp.h263profile', '0'],
      ['fmtp.h263level', '10'],
    ]);
    assert.deepEqual(fmtp('MP4V-ES', 'profile-level-id=8;config=000'), [['fmtp.profile_level_id', '8']]);
    assert.deepEqual(fmtp('AMR', 'profile=0'), []);
  });

  test('that are wrong', () => {
    const experts = (...lines: string[]): readonly string[] => layers(...lines).experts;
    assert.deepEqual(experts('v=0', 'foo', 'a =b'), Array(2).fill("Invalid SDP line (no '=' delimiter)"));
    assert.deepEqual(experts('c='), ['Invalid SDP line (missing required fields)']);
    assert.deepEqual(experts('o=- 1'), ['Invalid SDP line (missing required fields)']);
    assert.deepEqual(experts('m=audio 70000 RTP/AVP 0'), ['Invalid media port']);
    assert.deepEqual(experts('m=audio 0x5 RTP/AVP 0'), ['Invalid media port']);
    assert.deepEqual(experts('m=audio 5 RTP/AVP  0'), ['Invalid SDP whitespace (extra space character)']);
    const space = 'Invalid SDP whitespace (extra space character)';
    assert.deepEqual(experts('m=audio  5  RTP/AVP  0'), [space, space, space]);
    assert.deepEqual(experts('o=-  1  2  IN IP4 1.2.3.4'), [space, space, space]);
    assert.deepEqual(experts('c=IN  IP4 1.2.3.4'), [space]);
    assert.deepEqual(experts('m=audio 5/ RTP/AVP 0'), [space]);
    assert.deepEqual(experts(AUDIO, 'a=rtpmap:96 foo/bar'), ['Invalid sample rate']);
    assert.deepEqual(experts(AUDIO, 'a=X-foo:'), ['Invalid SDP line (missing required fields)']);
    assert.deepEqual(nodes('v=0', '', 's=-').at(-1), ['data', '0d:0a:73:3d:2d:0d:0a', 5, 7]);
    assert.deepEqual(
      experts(...Array.from({ length: 1100 }, () => 'a=x')).filter((e) => e === 'More lines than are shown').length,
      1,
    );
  });
});

/** What a description makes the engine expect: address, port, protocol, kind of media, whether encrypted. */
const expected = (...lines: string[]): (string | number | boolean)[][] => {
  const world = new World();
  world.track(message(...INVITE, ...lines), 7);
  return world.expectations.map(({ address, port, proto, note }) => {
    const { kind, secure } = note as MediaNote;
    return [address, port, proto, kind, secure];
  });
};

describe('SDP announces', () => {
  test('RTP and RTCP of each audio and video line', () => {
    assert.deepEqual(
      expected(
        'c=IN IP4 192.0.2.7',
        'm=audio 4000 RTP/AVP 0',
        'm=video 0 RTP/AVP 34', // RFC 3264 §6: refused
        'm=video 5000/2 RTP/SAVPF 99',
        'c=IN IP4 192.0.2.8/127',
        'm=message 6000 TCP/MSRP *',
        'm=audio 7000 UDP/TLS/RTP/SAVPF 0',
        'a=rtcp-mux',
        'a=rtcp:7009 IN IP4 192.0.2.9',
      ),
      [
        ['192.0.2.7', 4000, 'rtp', 'audio', false],
        ['192.0.2.7', 4001, 'rtcp', 'audio', false],
        ['192.0.2.8', 5000, 'rtp', 'video', true],
        ['192.0.2.8', 5001, 'rtcp', 'video', true],
        ['192.0.2.8', 5002, 'rtp', 'video', true],
        ['192.0.2.8', 5003, 'rtcp', 'video', true],
        ['192.0.2.7', 7000, 'rtp', 'audio', true],
        ['192.0.2.9', 7009, 'rtcp', 'audio', true],
      ],
    );
    assert.deepEqual(expected('c=IN IP4 0.0.0.0', 'm=audio 4000 RTP/AVP 0'), []);
    assert.deepEqual(expected('m=audio 4000 RTP/AVP 0'), []);
    assert.deepEqual(expected('c=IN IP4 host.example', 'm=audio 4000 RTP/AVP 0'), []);
  });

  test('over IPv6', () => {
    const octets = (text: string): string =>
      expected(`c=IN IP6 ${text}`, 'm=audio 4000 RTP/AVP 0').map((e) => e[0])[0] as string;
    assert.equal(octets('2001:db8::1'), '32.1.13.184.0.0.0.0.0.0.0.0.0.0.0.1');
    assert.equal(octets('1:2:3:4:5:6:7:8'), '0.1.0.2.0.3.0.4.0.5.0.6.0.7.0.8');
    assert.equal(octets('::ffff:192.0.2.1'), '0.0.0.0.0.0.0.0.0.0.255.255.192.0.2.1');
    for (const bad of ['1:2', '::1::', '1:2:3:4:5:6:7:8:9', 'g::', '1:2:3:4:5:6:7::8:9'])
      assert.equal(octets(bad), undefined, bad);
  });

  test('what the payload types are', () => {
    const world = new World();
    world.track(
      message(
        ...INVITE,
        'c=IN IP4 192.0.2.7',
        'm=audio 4000 RTP/AVP 0 96 101',
        'a=rtpmap:96 AMR-WB/16000',
        'a=rtpmap:101 telephone-event/8000',
      ),
      7,
    );
    const note = world.expectations[0].note as MediaNote;
    assert.equal(note.setupFrame, 7);
    assert.deepEqual(Object.fromEntries(note.payloadTypes), {
      0: { name: 'PCMU', clock: 8000 },
      96: { name: 'AMR-WB', clock: 16000 },
      101: { name: 'telephone-event', clock: 8000 },
    });
  });
});

describe('SDP codec', () => {
  test('parse(emit(r)) equals r, and emit(parse(x)) equals x', () => {
    const codec = sdp.codec!;
    const line = fc.record({ type: fc.stringMatching(/^[a-z]$/), value: fc.stringMatching(/^[ -~]{0,40}$/) }, PLAIN);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), (r) => {
        const b = encode(codec, r);
        assert.deepEqual(codec.parse(b, 0, b.length), r);
        assert.deepEqual(encode(codec, codec.parse(b, 0, b.length)), b);
      }),
    );
  });

  test('any octets can be shown', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...'vocmabtrzk=: /0IN\r\n;|$', 'a=crypto:', 'a=rtpmap:', 'm=')), (parts) => {
        const b = new TextEncoder().encode(parts.join(''));
        const tree = new Tree();
        const v = View.of(b);
        tree.enter(v.source);
        sdp.dissect(v, tree, { note: () => undefined } as never);
        assert.equal(tree.level, 0);
      }),
      { numRuns: 500 },
    );
  });
});

test('the parts of attributes, and where they lie, as in tshark', { skip: tsharkMissing }, async () => {
  const attributes = [
    ['rtpmap:96 AMR/8000/1', 'fmtp:96 packetization-mode=1'],
    ['rtpmap:96 H264/90000', 'fmtp:96 packetization-mode=1;other=2'],
    ['rtpmap:96 H264/90000', 'fmtp:96 packetization-mode=0; sprop-parameter-sets=Z0IACpZTBYmI,aMljiA=='],
    ['rtpmap:96 H263-1998/90000', 'fmtp:96 profile=0;level=10'],
    ['rtpmap:96 MP4V-ES/90000', 'fmtp:96 profile-level-id=1'],
    ['candidate:1 1 UDP 2130706431 10.0.1.1 8998 typ srflx raddr 10.0.1.1 rport 8998'],
    ['candidate:1 1 UDP 2130706431 10.0.1.1 8998 tip host'],
    ['crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:4'],
    ['crypto:x AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR'],
  ];
  const packets = attributes.map((list, i) => {
    const own = INVITE.slice(0, -1).concat(`CSeq: ${i + 1} INVITE`, '');
    const lines = ['v=0', AUDIO, ...list.map((a) => `a=${a}`), ''];
    return udp(at('192.0.2.1', 5060), at('192.0.2.2', 5060), message(...own, ...lines));
  });
  const fields = [
    'mime.type',
    'sample_rate',
    'fmtp.parameter',
    'fmtp.profile_level_id',
    'fmtp.h264_packetization_mode',
  ];
  fields.push('fmtp.h263profile', 'fmtp.h263level', 'nal_unit_1_string', 'nal_unit_2_string', 'media.format');
  fields.push('ice_candidate.foundation', 'ice_candidate.port', 'ice_candidate.type');
  fields.push('crypto.tag', 'crypto.crypto_suite', 'crypto.lifetime', 'crypto.mki_length');
  await besideTshark(
    packets,
    fields.map((name) => `sdp.${name}`),
  );
  assert.deepEqual((await comparePlacesIn(packets)).different, []);
});

test('format parameters that are empty, as in tshark', { skip: tsharkMissing }, async () => {
  const said = ['a=1;b=2;', 'a=1;;b=2', 'a=1; ', 'a=1; b=2', ';a=1', ';', 'a=1;;', ' ', ''];
  const packets = said.map((parameters, i) => {
    const own = INVITE.slice(0, -1).concat(`CSeq: ${i + 1} INVITE`, '');
    const lines = ['v=0', AUDIO, 'a=rtpmap:96 AMR/8000', `a=fmtp:96 ${parameters}`, ''];
    return udp(at('192.0.2.1', 5060), at('192.0.2.2', 5060), message(...own, ...lines));
  });
  await besideTshark(packets, ['sdp.fmtp.parameter']);
});
