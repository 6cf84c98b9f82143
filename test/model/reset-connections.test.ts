import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ACK, at, PSH, RST, SYN, tcp } from '../build/packets.js';
import { BOB, both, CORE, codes, finding, found, sdp, sip, type Talk, talk, UE } from './support.js';

/** Connections of SIP inside a tunnel that end under an INVITE: RFC 3261 §8.1.3.1 takes that for a failure at once. */

const [OWN, THEIRS] = [at(UE, 5080), at(CORE, 5060)];
const NOTHING = new Uint8Array(0);
/** Octets of a datagram's payload. */
const payload = (packet: Uint8Array): Uint8Array => packet.subarray(28);

/** An INVITE over TCP, and what one side says to it. */
function asked(more: (t: Talk, sent: number) => Talk): Talk {
  const invite = payload(sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000) }));
  const t = talk()
    .up(1000, tcp(OWN, THEIRS, { seq: 100, flags: SYN }, NOTHING))
    .down(1010, tcp(THEIRS, OWN, { seq: 500, ack: 101, flags: SYN | ACK }, NOTHING))
    .up(1020, tcp(OWN, THEIRS, { seq: 101, ack: 501, flags: PSH | ACK }, invite));
  return more(t, 101 + invite.length);
}
const reset = (t: Talk): Talk => t.down(1060, tcp(THEIRS, OWN, { seq: 501, flags: RST }, NOTHING));

describe('a connection that is reset before anything came of its INVITE', () => {
  test('by the network: the call has failed then, and no end of the tunnel is why', async () => {
    const r = await found(asked(reset), 2000);
    assert.deepEqual(codes(r), ['call.no-answer']);
    assert.match(
      finding(r, 'call.no-answer').meaning,
      /^The network reset the connection of the INVITE 40 ms after it, without an answer\./,
    );
    assert.deepEqual([r.calls[0].state, r.calls[0].media.length], ['failed', 0]);
  });

  test('by the UE', async () => {
    const left = (t: Talk, sent: number): Talk => t.up(3000, tcp(OWN, THEIRS, { seq: sent, flags: RST }, NOTHING));
    const r = await found(asked(left), 2000);
    assert.match(finding(r, 'call.no-answer').meaning, /^The UE reset the connection of the INVITE 1980 ms after it/);
  });

  test('and it was answered on another way', async () => {
    const again = (t: Talk): Talk =>
      reset(t)
        .up(1500, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000), branch: 'z9hG4bKudp' }))
        .down(1700, sip('200 OK INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000), branch: 'z9hG4bKudp' }, 'down'))
        .up(1710, sip(`ACK ${BOB}`, { toTag: 'b' }))
        .up(4000, sip(`BYE ${BOB}`, { toTag: 'b', cseq: 2 }))
        .down(4010, sip('200 OK BYE', { toTag: 'b', cseq: 2 }, 'down'));
    const r = await found(both(asked(again), 1720, 110));
    assert.deepEqual([r.calls.length, r.calls[0].state, codes(r)], [1, 'ended', []]);
  });

  test('behind 100 it may be answered on a connection of the network', async () => {
    const tried = (t: Talk, sent: number): Talk => {
      const trying = payload(sip('100 Trying INVITE', {}, 'down'));
      t.down(1040, tcp(THEIRS, OWN, { seq: 501, ack: sent, flags: PSH | ACK }, trying));
      return t.down(1060, tcp(THEIRS, OWN, { seq: 501 + trying.length, flags: RST }, NOTHING));
    };
    const r = await found(asked(tried), 10_000, 'none');
    assert.deepEqual([r.calls[0].state, codes(r)], ['in-progress', []]);
  });
});
