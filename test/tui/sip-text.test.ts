import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compareMessages, mediaLines, sipLines } from '../../src/tui/sip-text.js';

const NOTHING = { branch: false, tags: false, cseq: false };
const ALL = { branch: true, tags: true, cseq: true };

const message = (lines: readonly string[]): string => lines.join('\r\n');

const INVITE = message([
  'INVITE sip:bob@ims.example SIP/2.0',
  'Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK1',
  'From: <sip:alice@ims.example>;tag=a',
  'To: <sip:bob@ims.example>',
  'Call-ID: c1',
  'CSeq: 1 INVITE',
  'Content-Type: application/sdp',
  '',
  'v=0',
  'o=- 1 1 IN IP4 10.0.0.2',
  'm=audio 30000 RTP/AVP 8',
  '',
]);
const AGAIN = message([
  'INVITE sip:bob@ims.example SIP/2.0',
  'v: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK2',
  'f: <sip:alice@ims.example>;tag=b',
  't: <sip:bob@ims.example>',
  'i: c1',
  'CSeq: 2 INVITE',
  'Priority: urgent',
  'c: application/sdp',
  '',
  'v=0',
  'o=- 1 2 IN IP4 10.0.0.2',
  'a=ptime:20',
  'm=audio 30000 RTP/AVP 8',
  '',
]);

describe('messages side by side', () => {
  test('the same message has no difference', () => {
    assert.ok(compareMessages(INVITE, INVITE, NOTHING).every((p) => p.same));
  });

  test('headers are held by name, compact forms too; what is ignored does not count', () => {
    const differing = compareMessages(INVITE, AGAIN, ALL).filter((p) => !p.same);
    assert.deepEqual(
      differing.map((p) => [p.left?.text, p.right?.text]),
      [
        [undefined, 'Priority: urgent'],
        ['o=- 1 1 IN IP4 10.0.0.2', 'o=- 1 2 IN IP4 10.0.0.2'],
        [undefined, 'a=ptime:20'],
      ],
    );
  });

  test('where nothing is ignored, branch, tag and CSeq differ', () => {
    const names = compareMessages(INVITE, AGAIN, NOTHING)
      .filter((p) => !p.same && p.left?.part === 'header')
      .map((p) => p.left?.name);
    assert.deepEqual(names, ['via', 'from', 'cseq']);
  });

  test('very many lines are counted', () => {
    const lines = Array.from({ length: 2003 }, (_, i) => (i === 0 ? 'INVITE sip:b SIP/2.0' : `X-${i}: 1`));
    assert.equal(sipLines(lines.slice(0, 2000).join('\r\n')).at(-1)?.text, 'X-1999: 1');
    assert.deepEqual(
      sipLines(lines.join('\r\n'))
        .slice(1999)
        .map((l) => l.text),
      ['X-1999: 1', '… and 3 more lines'],
    );
  });

  test('all lines of both are there, whatever they are', () => {
    const odd = 'x\n\ny: 1\nno header\n\n\n\nbody';
    for (const [a, b] of [
      [odd, INVITE],
      [INVITE, odd],
      ['', ''],
    ]) {
      const pairs = compareMessages(a, b, NOTHING);
      const side = (s: 'left' | 'right') => pairs.flatMap((p) => p[s]?.text || []).sort();
      assert.deepEqual(
        side('left'),
        sipLines(a)
          .flatMap((l) => l.text || [])
          .sort(),
      );
      assert.deepEqual(
        side('right'),
        sipLines(b)
          .flatMap((l) => l.text || [])
          .sort(),
      );
    }
  });
});

describe('session descriptions in a line', () => {
  const offer = (...lines: string[]): string => message(['INVITE sip:b SIP/2.0', 'Call-ID: 1', '', 'v=0', ...lines]);

  test('address, port, codecs, way', () => {
    assert.deepEqual(
      mediaLines(
        offer(
          'c=IN IP4 10.0.0.2',
          'm=audio 30000 RTP/AVP 8 96 101',
          'a=rtpmap:96 AMR-WB/16000',
          'a=rtpmap:101 telephone-event/8000',
          'a=sendonly',
          'm=video 0 RTP/AVP 34',
        ),
      ),
      ['audio 10.0.0.2:30000 PCMA/8000 AMR-WB/16000 telephone-event/8000 sendonly', 'video refused'],
    );
  });

  test('an address of the medium goes before that of the session', () => {
    assert.deepEqual(mediaLines(offer('c=IN IP4 10.0.0.2', 'm=audio 4000 RTP/AVP 0', 'c=IN IP6 2001:db8::1')), [
      'audio [2001:db8::1]:4000 PCMU/8000',
    ]);
  });

  test('none where there is none', () => {
    assert.deepEqual(mediaLines('OPTIONS sip:b SIP/2.0\r\n\r\n'), []);
  });
});
