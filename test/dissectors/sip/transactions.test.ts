import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SipNote } from '../../../dissectors/sip/index.js';
import { message, World } from './layers.js';

/** A request (`INVITE 1`, with another Method line: `ACK 1`) or a response (`200 INVITE 1`); `<` comes from the callee. */
function octets(s: string): { b: Uint8Array; from: 0 | 1 } {
  const from = s.startsWith('<') ? 1 : 0;
  const words = s.replace('<', '').split(' ');
  const [method, number] = words.slice(-2);
  const start = words.length === 3 ? `SIP/2.0 ${words[0]} X` : `${method} sip:aa@bb SIP/2.0`;
  return { b: message(start, 'Call-ID: c1', `CSeq: ${number} ${method}`, ''), from };
}

/** One message a second; for each `original/request/milliseconds`, `-` where there is none. */
function follow(...messages: string[]): string[] {
  const world = new World();
  return messages.map((s, i) => {
    const { b, from } = octets(s);
    const n = world.track(b, i + 1, from, i * 1_000_000) as SipNote;
    return [n.original || '-', n.request || '-', n.request ? n.sinceMs : '-'].join('/');
  });
}

// What is expected here is what tshark 4.0.17 shows for the same messages over UDP.
describe('SIP transactions', () => {
  test('a call', () => {
    assert.deepEqual(
      follow(
        'INVITE 1',
        'INVITE 1',
        '<100 INVITE 1',
        '<180 INVITE 1',
        '<180 INVITE 1',
        '<200 INVITE 1',
        '<200 INVITE 1',
        'ACK 1',
        'ACK 1',
        'BYE 2',
        'BYE 2',
        '<200 BYE 2',
        '<200 BYE 2',
      ),
      [
        '-/-/-',
        '1/-/-',
        '-/1/2000',
        '-/1/3000',
        '-/1/4000',
        '-/1/5000',
        '6/1/6000',
        '-/1/7000',
        '-/8/1000',
        '-/-/-',
        '10/-/-',
        '-/10/2000',
        '12/10/3000',
      ],
    );
  });

  test('CANCEL', () => {
    assert.deepEqual(
      follow(
        'INVITE 1',
        '<180 INVITE 1',
        'CANCEL 1',
        '<200 CANCEL 1',
        '<487 INVITE 1',
        'ACK 1',
        '<487 INVITE 1',
        'ACK 1',
      ),
      ['-/-/-', '-/1/1000', '-/-/-', '-/-/-', '-/3/2000', '-/3/3000', '5/6/1000', '-/6/2000'],
    );
  });

  test('requests within a dialog', () => {
    assert.deepEqual(
      follow(
        'INVITE 1',
        '<183 INVITE 1',
        'PRACK 2',
        '<200 PRACK 2',
        'UPDATE 3',
        '<200 UPDATE 3',
        '<180 INVITE 1',
        '<200 INVITE 1',
        'ACK 1',
        'INVITE 1',
        '<200 INVITE 1',
        '<200 UPDATE 3',
      ),
      [
        '-/-/-',
        '-/1/1000',
        '-/-/-',
        '-/3/1000',
        '-/-/-',
        '-/5/1000',
        '-/-/-',
        '-/-/-',
        '-/5/4000',
        '-/-/-',
        '8/-/-',
        '-/-/-',
      ],
    );
  });

  test('other responses and directions', () => {
    assert.deepEqual(
      follow('INVITE 1', '<200 INVITE 1', '<486 INVITE 1', '<180 INVITE 1', '<200 INVITE 1', 'INVITE 1', '<200 FOO 1'),
      ['-/-/-', '-/1/1000', '-/1/2000', '-/1/3000', '-/1/4000', '1/-/-', '-/-/-'],
    );
    assert.deepEqual(follow('<200 INVITE 1', '200 INVITE 1', 'INVITE 1', '<200 INVITE 1', '200 INVITE 1'), [
      '-/-/-',
      '-/-/-',
      '-/-/-',
      '1/3/1000',
      '-/-/-',
    ]);
    assert.deepEqual(follow('INVITE 1', 'UPDATE 3', 'ACK 1', 'ACK 1', 'BYE 4'), [
      '-/-/-',
      '-/-/-',
      '-/2/1000',
      '-/3/1000',
      '-/-/-',
    ]);
  });

  test('ports keep conversations apart', () => {
    const world = new World();
    const invite = octets('INVITE 1').b;
    const ok = octets('200 INVITE 1').b;
    const see = (b: Uint8Array, frame: number, from: 0 | 1, micros: number, ports: [number, number]): SipNote =>
      world.track(b, frame, from, micros, ports) as SipNote;
    assert.deepEqual(
      [
        see(invite, 1, 0, 0, [5060, 5060]),
        see(invite, 2, 0, 1500, [5061, 5060]),
        see(ok, 3, 1, 3499, [5061, 5060]),
        see(ok, 4, 1, 4500, [5060, 5060]),
      ].map((n) => [n.original, n.request, n.sinceMs]),
      [
        [0, 0, 0],
        [0, 0, 0],
        [0, 2, 1],
        [0, 1, 4],
      ],
    );
  });

  test('what is remembered is bounded', () => {
    const world = new World();
    const invite = (i: number): Uint8Array =>
      message('INVITE sip:aa@bb SIP/2.0', `Call-ID: ${i}`, 'CSeq: 1 INVITE', '');
    for (let i = 0; i < 16_385; i++) world.track(invite(i), i + 1);
    assert.equal((world.track(invite(0), 20_000) as SipNote).original, 0);
    assert.equal((world.track(invite(16_384), 20_001) as SipNote).original, 16_385);
  });

  test('a message without CSeq, and octets that are no SIP, are nobody’s', () => {
    const world = new World();
    const note = world.track(message('OPTIONS sip:a@b SIP/2.0', 'i: x', '')) as SipNote;
    assert.deepEqual([note.original, note.request, note.sinceMs], [0, 0, 0]);
    assert.equal(world.track(message('hello')), undefined);
  });
});
