import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codec as rtcpCodec } from '../../dissectors/rtcp/codec.js';
import { type RtpPacket, rtp } from '../../dissectors/rtp.js';
import { u24, u32 } from '../../src/kit/index.js';
import { address } from '../../src/live/address.js';
import { seededRandom } from '../../src/live/random.js';
import { RtpReception } from '../../src/live/rtp-reception.js';
import { aLaw, EchoSource, muLaw, recording, tone, UnusableAudio } from '../../src/live/rtp-sources.js';
import { RtpTalker } from '../../src/live/rtp-talker.js';
import { CODECS, MediaSession, meet, type NegotiatedMedia, readAudio } from '../../src/live/sip/sdp.js';
import { VirtualClock } from './clock.js';

const MEDIA: NegotiatedMedia = {
  codec: CODECS.PCMU,
  eventType: 101,
  remote: { address: address('10.0.0.2'), port: 4000 },
  direction: 'sendrecv',
  ptime: 20,
};

test('samples become G.711 as its tables say', () => {
  // Decision values and codes of G.711 tables 1a and 2a at 16 bits, and their negatives
  const samples = [0, 7, 8, 100, 1000, 5000, 20_000, 32_635, 32_767, -100, -1000, -5000, -20_000, -32_768];
  const hex = (f: (s: number) => number) => samples.map((s) => f(s).toString(16).padStart(2, '0')).join(' ');
  assert.equal(hex(muLaw), 'ff fe fe f2 ce ab 8c 80 80 72 4e 2b 0c 00');
  assert.equal(hex(aLaw), 'd5 d5 d5 d3 fa 86 a6 aa aa 53 7a 06 26 2a');
});

function talker(media = MEDIA, source = tone(CODECS.PCMU)) {
  const clock = new VirtualClock();
  const packets: { at: number; p: RtpPacket }[] = [];
  const reports: { at: number; packets: ReturnType<typeof rtcpCodec.parse>['packets'] }[] = [];
  const digits: string[] = [];
  const t = new RtpTalker({
    clock,
    random: seededRandom(4),
    media,
    source,
    cname: 'ue@10.0.0.1',
    sendRtp: (o) => packets.push({ at: clock.now(), p: rtp.codec!.parse(o, 0, o.length) }),
    sendRtcp: (o) => reports.push({ at: clock.now(), packets: rtcpCodec.parse(o, 0, o.length).packets }),
    wallClock: () => 1_700_000_000_000 + clock.now(),
    onDigit: (signal, ms) => digits.push(`${signal} ${ms}`),
  });
  return { clock, t, packets, reports, digits };
}

test('packets go every twenty milliseconds with their numbers in order', () => {
  const { clock, t, packets } = talker();
  t.start();
  clock.advance(1000);
  assert.deepEqual(
    packets.map((x) => x.at),
    Array.from({ length: 51 }, (_, i) => 20 * i),
  );
  assert.deepEqual(
    packets.map((x) => x.p.marker),
    packets.map((_, i) => i === 0),
  );
  for (const [i, { p }] of packets.entries()) {
    assert.equal((p.sequence - packets[0].p.sequence) & 0xffff, i);
    assert.equal((p.timestamp - packets[0].p.timestamp) >>> 0, 160 * i);
    assert.equal(p.payload.length, 160);
  }
});

test('a talker that was held up does not make it up, and its timestamps show the gap', () => {
  const { clock, t, packets } = talker();
  t.start();
  clock.advance(100);
  const before = packets.length;
  const real = clock.now.bind(clock);
  let ahead = 0;
  clock.now = () => real() + ahead;
  ahead = 3000; // the machine slept
  clock.advance(40);
  const gap = (packets[before].p.timestamp - packets[before - 1].p.timestamp) >>> 0;
  assert.ok(gap >= 24_000 - 160 && gap <= 24_320, String(gap));
  assert.ok(packets.length - before <= 3);
});

test('a digit is an event that grows, ends three times, and interrupts the tone', () => {
  const { clock, t, packets, digits } = talker();
  t.start();
  clock.advance(100);
  const from = packets.length;
  assert.equal(t.dial('9', 100), true);
  assert.equal(t.dial('x'), false);
  clock.advance(240);
  const events = packets.slice(from).filter((x) => x.p.payloadType === 101);
  assert.equal(events.length, 7);
  assert.deepEqual(
    events.map((x) => Buffer.from(x.p.payload).toString('hex')),
    [
      '090a00a0', // RFC 4733 §2.3: event 9, volume 10, duration
      '090a0140',
      '090a01e0',
      '090a0280',
      '098a0320', // end, three times
      '098a0320',
      '098a0320',
    ],
  );
  assert.equal(new Set(events.map((x) => x.p.timestamp)).size, 1);
  assert.deepEqual(
    events.map((x) => x.p.marker),
    [true, false, false, false, false, false, false],
  );
  const peer = talker();
  for (const e of events) peer.t.receiveRtp(encodeRtp(e.p));
  assert.deepEqual(peer.digits, ['9 100']);
  assert.deepEqual(digits, []);
});

const encodeRtp = (p: RtpPacket): Uint8Array => {
  const b = new Uint8Array(rtp.codec!.size(p));
  rtp.codec!.emit(p, b, 0);
  return b;
};

test('while nothing is to be sent, an empty packet of type 20 goes every fifteen seconds', () => {
  const { clock, t, packets } = talker({ ...MEDIA, direction: 'recvonly' });
  t.start();
  clock.advance(46_000);
  assert.deepEqual(
    packets.map((x) => [x.p.payloadType, x.p.payload.length]),
    [
      [20, 0],
      [20, 0],
      [20, 0],
    ],
  );
  const [a, b] = packets;
  assert.deepEqual(
    [b.at - a.at, (b.p.timestamp - a.p.timestamp) >>> 0, b.p.sequence - a.p.sequence],
    [15_000, 120_000, 1],
  );
});

test('reports say what was sent and received; the end is said', () => {
  const { clock, t, reports, packets } = talker();
  t.start();
  const peer = { ...packets[0].p, ssrc: 77, sequence: 100 };
  for (let i = 0; i < 50; i++) {
    if (i !== 10) t.receiveRtp(encodeRtp({ ...peer, sequence: 100 + i, timestamp: 160 * i }));
    clock.advance(20);
  }
  clock.advance(29_000);
  t.stop();
  const gaps = reports.slice(1, -1).map((r, i) => r.at - reports[i].at);
  // RFC 3550 §6.2, §6.3.1: five seconds, half to one and a half of it, divided by e - 3/2
  assert.ok(
    gaps.every((g) => g >= 2500 / 1.2183 && g <= 7500 / 1.2182),
    String(gaps),
  );
  const [sr, sdes] = reports[0].packets;
  assert.deepEqual([sr.type, sr.count, sdes.type], [200, 1, 202]);
  assert.equal(u32(sr.body, 4), Math.floor(1_700_000_000 + reports[0].at / 1000) + 2_208_988_800);
  assert.equal(u32(sr.body, 24), 77);
  assert.equal(Buffer.from(sdes.body.subarray(4, 17)).toString('latin1'), '\x01\x0bue@10.0.0.1');
  const last = reports.at(-1)!.packets;
  assert.deepEqual(
    last.map((p) => p.type),
    [200, 202, 203],
  );
  assert.equal(u24(last[0].body, 29), 1); // one lost in all
  assert.equal(u32(last[0].body, 16), packets.length);
});

test('reception counts as RFC 3550 appendix A does', () => {
  const r = new RtpReception(1, 8000);
  for (const [i, seq] of [65_533, 65_534, 65_535, 0, 1, 3, 2, 5].entries()) r.packet(seq, 160 * i, 20 * i);
  assert.equal(r.extendedHighest, 0x10005);
  assert.equal(r.lost, 1);
  assert.equal(r.jitter, 0);
  const first = r.report(1000);
  assert.deepEqual([first.fraction, first.lost], [Math.floor(256 / 9), 1]);
  r.packet(6, 160 * 8, 160 + 8); // eight milliseconds late: 64 units, a sixteenth of it
  assert.equal(r.jitter, 4);
  assert.equal(r.report(2000).fraction, 0);
});

test('a source that counts from elsewhere is followed from its second packet on. RFC 3550 §A.1', () => {
  const r = new RtpReception(1, 8000);
  const sequences = [100, 101, 103, 40_000, 40_001, 40_002, 40_004];
  for (const [i, seq] of sequences.entries()) r.packet(seq, seq < 1000 ? 160 * i : 160 * i + 999_999, 20 * i);
  assert.deepEqual([r.received, r.extendedHighest, r.lost], [7, 40_004, 2]);
  assert.equal(r.jitter, 0);
  r.packet(20_000, 0, 140); // alone: no new beginning, and neither are late ones
  r.packet(40_003, 160 * 6 + 999_999, 160);
  r.packet(40_005, 160 * 8 + 999_999, 160);
  assert.equal(r.extendedHighest, 40_005);
});

test('recordings are taken where they fit the codec', () => {
  const wav = (tag: number, bits: number, body: number[], rate = 8000) => {
    const b = Buffer.alloc(44 + body.length);
    b.write('RIFF', 0);
    b.write('WAVEfmt ', 8);
    b.writeUInt32LE(16, 16);
    b.writeUInt16LE(tag, 20);
    b.writeUInt16LE(1, 22);
    b.writeUInt32LE(rate, 24);
    b.writeUInt16LE(bits, 34);
    b.write('data', 36);
    b.writeUInt32LE(body.length, 40);
    b.set(body, 44);
    return new Uint8Array(b);
  };
  const pcm = recording(wav(1, 16, [0, 0, 0xe8, 0x03]), CODECS.PCMU); // 0, 1000
  assert.deepEqual([...pcm.next(4)!], [0xff, 0xce, 0xff, 0xce]);
  assert.deepEqual([...recording(wav(7, 8, [1, 2, 3]), CODECS.PCMU).next(4)!], [1, 2, 3, 1]);
  assert.throws(() => recording(wav(7, 8, [1]), CODECS.PCMA), UnusableAudio);
  assert.throws(() => recording(wav(1, 16, [0, 0], 16_000), CODECS.PCMU), UnusableAudio);
  // RFC 4867 §5.3: a frame of type 7 (12.2 kbit/s) has 31 octets after its header
  const amr = Uint8Array.from([...Buffer.from('#!AMR\n'), 0x3c, ...Array.from({ length: 31 }, (_, i) => i)]);
  const frame = recording(amr, CODECS.AMR).next(160)!;
  assert.deepEqual([frame.length, frame[0], frame[1], frame[2], frame[32]], [33, 0xf0, 0x3c, 0, 30]);
  assert.throws(() => recording(amr, CODECS.PCMU), UnusableAudio);
  const echo = new EchoSource();
  echo.push(Uint8Array.of(1));
  assert.deepEqual([echo.next(), echo.next()], [Uint8Array.of(1), undefined]);
});

test('packets of one source after another are all counted', () => {
  const clock = new VirtualClock();
  const talker = new RtpTalker({
    clock,
    random: seededRandom(1),
    media: {
      codec: CODECS.PCMA,
      remote: { address: address('10.0.0.2'), port: 6000 },
      direction: 'inactive',
      ptime: 20,
    },
    source: new EchoSource(),
    cname: 'x',
    sendRtp: () => {},
    sendRtcp: () => {},
  });
  const packet = (ssrc: number, sequence: number): void => {
    const b = new Uint8Array(20);
    b[0] = 0x80;
    b[1] = 8;
    b[3] = sequence;
    b[11] = ssrc;
    talker.receiveRtp(b);
  };
  for (let i = 0; i < 5; i++) packet(1, i);
  for (let i = 0; i < 3; i++) packet(2, i);
  assert.deepEqual([talker.received, talker.reception!.received], [8, 3]);
});

test('offers of a session keep all of its streams, and their profile. RFC 3264 §8', () => {
  const local = { address: address('10.0.0.1'), port: 4000 };
  const session = new MediaSession(local, [CODECS.PCMA], seededRandom(1));
  const streams = (b: Uint8Array) =>
    [
      ...Buffer.from(b)
        .toString()
        .matchAll(/^m=.*$/gm),
    ].map(([m]) => m.trim());
  const offer = 'v=0\r\nc=IN IP4 10.0.0.9\r\nm=audio 6000 RTP/AVPF 8\r\nm=video 6002 RTP/AVPF 99\r\n';
  const wanted = ['m=audio 4000 RTP/AVPF 8', 'm=video 0 RTP/AVPF 99'];
  assert.deepEqual(streams(session.answer(Buffer.from(offer))!), wanted); // RFC 3264 §6: the profile of the offer
  session.wanted = 'sendonly';
  const [audio, video] = streams(session.offer());
  assert.match(audio, /^m=audio 4000 RTP\/AVPF 8 101$/);
  assert.equal(video, wanted[1]);
  // What wants keys is not answered without: RFC 3711, RFC 4568
  const secure = offer.replaceAll('AVPF', 'SAVP');
  assert.equal(new MediaSession(local, [CODECS.PCMA], seededRandom(1)).answer(Buffer.from(secure)), undefined);
  assert.equal(readAudio(Buffer.from('m=audio 70000 RTP/AVP 8\r\nc=IN IP4 10.0.0.9\r\n')), undefined);
});

test('a payload type stands for the same format in all offers of a session. RFC 3264 §8.3.2', () => {
  const local = { address: address('10.0.0.1'), port: 4000 };
  const session = new MediaSession(local, [CODECS.AMR, CODECS['AMR-WB']], seededRandom(1));
  const text = (b: Uint8Array) => Buffer.from(b).toString();
  const of = (b: Uint8Array) => [...text(b).matchAll(/^a=rtpmap:(.*)$/gm)].map(([, m]) => m.trim());
  assert.ok(
    session.answer(
      Buffer.from(
        'v=0\r\nc=IN IP4 10.0.0.9\r\nm=audio 6000 RTP/AVP 97 96\r\na=rtpmap:97 AMR/8000\r\na=fmtp:97 octet-align=1\r\na=rtpmap:96 telephone-event/8000\r\n',
      ),
    ),
  );
  const offer = session.offer();
  const maps = ['97 AMR/8000', '98 AMR-WB/16000', '96 telephone-event/8000', '102 telephone-event/16000'];
  assert.deepEqual(of(offer), maps);
  assert.match(text(offer), /^m=audio 4000 RTP\/AVP 97 98 96 102\r$/m);
  assert.match(text(offer), /^a=fmtp:98 octet-align=1\r$/m);
  assert.deepEqual(of(session.offer()), maps);
  // Somebody who takes them all leaves none, and stops nobody.
  const all = Array.from({ length: 32 }, (_, i) => 96 + i);
  const greedy = `v=0\r\nc=IN IP4 10.0.0.9\r\nm=audio 6000 RTP/AVP 0 ${all.join(' ')}\r\n${all.map((n) => `a=rtpmap:${n} X${n}/8000\r\n`).join('')}`;
  const other = new MediaSession(local, [CODECS.PCMU, CODECS.AMR], seededRandom(1));
  assert.ok(other.answer(Buffer.from(greedy)));
  assert.match(text(other.offer()), /^m=audio 4000 RTP\/AVP 0 96 101\r$/m);
});

test('nothing is sent to an address that is none: RFC 3264 §8.4, the hold of RFC 2543', () => {
  const session = new MediaSession({ address: address('10.0.0.1'), port: 4000 }, [CODECS.PCMA], seededRandom(1));
  const hold = 'v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 6000 RTP/AVP 8\r\n';
  assert.match(Buffer.from(session.answer(Buffer.from(hold))!).toString(), /a=recvonly\r\n/);
  assert.equal(session.media!.direction, 'recvonly');
  const inactive = session.answer(Buffer.from(`${hold}a=recvonly\r\n`))!;
  assert.match(Buffer.from(inactive).toString(), /a=inactive\r\n/);
});

test('offers and answers meet as RFC 3264 says', () => {
  const local = { address: address('10.0.0.1'), port: 4000 };
  const session = new MediaSession(local, [CODECS.AMR, CODECS.PCMA], seededRandom(1));
  const text = (b: Uint8Array) => Buffer.from(b).toString();
  assert.match(
    text(session.offer()),
    /^v=0\r\no=- (\d+) \1 IN IP4 10\.0\.0\.1\r\ns=-\r\nc=IN IP4 10\.0\.0\.1\r\nt=0 0\r\nm=audio 4000 RTP\/AVP 96 8 101\r\nb=AS:80\r\na=rtpmap:96 AMR\/8000\r\na=fmtp:96 octet-align=1\r\na=rtpmap:8 PCMA\/8000\r\na=rtpmap:101 telephone-event\/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n$/,
  );
  // Packets of 20 ms: 160 octets, and headers of 12, 8 and 40. RFC 3550 §6.2: b=AS has those of IP and UDP in it
  const six = new MediaSession({ address: address('fd00::1'), port: 4000 }, [CODECS.PCMA], seededRandom(1));
  assert.match(text(six.offer()), new RegExp(`\\r\\nb=AS:${((160 + 12 + 8 + 40) * 8 * 50) / 1000}\\r\\n`));
  const offer = [
    'v=0',
    'o=x 1 1 IN IP6 2001:db8::1',
    's=-',
    't=0 0',
    'm=video 5000 RTP/AVP 31',
    'c=IN IP4 10.0.0.9',
    'm=audio 6000 RTP/AVP 97 98 8 99',
    'c=IN IP6 2001:db8::9',
    'a=rtpmap:97 AMR/8000',
    'a=rtpmap:98 AMR/8000/1',
    'a=fmtp:98 mode-set=7; octet-align=1',
    'a=rtpmap:99 telephone-event/8000',
    'a=sendonly',
    'a=ptime:40',
    '',
  ].join('\r\n');
  const answer = text(session.answer(Buffer.from(offer))!);
  assert.match(answer, /m=video 0 RTP\/AVP 31\r\nm=audio 4000 RTP\/AVP 98 99\r\n/); // RFC 3264 §6: port 0 refuses
  assert.match(answer, /a=recvonly\r\n$/);
  const { codec, eventType, remote, direction, ptime } = session.media!;
  assert.deepEqual([codec.payloadType, eventType, remote.port, direction, ptime], [98, 99, 6000, 'recvonly', 40]);
  assert.equal(session.answer(Buffer.from('v=0\r\nm=audio 6000 RTP/AVP 18\r\nc=IN IP4 10.0.0.9\r\n')), undefined);
  assert.equal(readAudio(Buffer.from('m=audio 0 RTP/AVP 8\r\nc=IN IP4 10.0.0.9\r\n')), undefined);
  assert.deepEqual(
    (['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const).map((theirs) => meet('sendrecv', theirs)),
    ['sendrecv', 'recvonly', 'sendonly', 'inactive'],
  );
});
