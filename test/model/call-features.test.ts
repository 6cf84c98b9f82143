import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CaptureBuilder } from '../build/capture.js';
import { clearConversation, down, envelope, up } from '../build/conversation.js';
import { ACK, at, SYN, tcp, udp } from '../build/packets.js';
import {
  addressed,
  BOB,
  both,
  CORE,
  called,
  codes,
  ENDS,
  finding,
  found,
  type Json,
  reportOn,
  type SipParts,
  sdp,
  sip,
  Talk,
  talk,
  UE,
} from './support.js';

const callCodes = (r: Json) => codes(r, 0).filter((c) => c.startsWith('call.'));

const qos = (current: string) => [
  `a=curr:qos local ${current}`,
  `a=curr:qos remote ${current}`,
  'a=des:qos mandatory local sendrecv',
  'a=des:qos mandatory remote sendrecv',
];

/** An INVITE with preconditions and its reliable 183. */
function begun(): Talk {
  const reliable = [
    ['Require', '100rel'],
    ['RSeq', '7'],
  ] as const;
  return talk()
    .up(1000, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000, qos('none')) }))
    .down(1010, sip('100 Trying INVITE', {}, 'down'))
    .down(
      1100,
      sip(
        '183 Session Progress INVITE',
        { toTag: 'b', headers: reliable, sdp: sdp(CORE, 40_000, qos('none')) },
        'down',
      ),
    );
}

describe('reliable responses and preconditions', () => {
  test('PRACK and UPDATE belong to the call, which has what it asked for', async () => {
    const t = begun()
      .up(1120, sip(`PRACK ${BOB}`, { toTag: 'b', cseq: 2, headers: [['RAck', '7 1 INVITE']] }))
      .down(1140, sip('200 OK PRACK', { toTag: 'b', cseq: 2 }, 'down'))
      .up(1150, sip(`UPDATE ${BOB}`, { toTag: 'b', cseq: 3, sdp: sdp(UE, 30_000, qos('sendrecv')) }))
      .down(1180, sip('200 OK UPDATE', { toTag: 'b', cseq: 3, sdp: sdp(CORE, 40_000, qos('sendrecv')) }, 'down'))
      .down(1500, sip('180 Ringing INVITE', { toTag: 'b' }, 'down'))
      .down(1900, sip('200 OK INVITE', { toTag: 'b' }, 'down'))
      .up(1910, sip(`ACK ${BOB}`, { toTag: 'b' }))
      .up(3900, sip(`BYE ${BOB}`, { toTag: 'b', cseq: 4 }));
    const r = await found(both(t, 1910, 90));
    assert.deepEqual(codes(r), []);
    const [call] = r.calls;
    assert.deepEqual(call.reliable, { responses: 1, acknowledged: 1 });
    assert.equal(call.preconditions.met, true);
    assert.deepEqual(
      call.messages.map((m: Json) => `${m.status ?? ''}${m.method}`),
      [
        'INVITE',
        '100INVITE',
        '183INVITE',
        'PRACK',
        '200PRACK',
        'UPDATE',
        '200UPDATE',
        '180INVITE',
        '200INVITE',
        'ACK',
        'BYE',
      ],
    );
    assert.deepEqual(
      call.messages.filter((m: Json) => m.sdp).map((m: Json) => m.sdp),
      ['offer', 'answer', 'offer', 'answer'],
    );
  });

  test('a PRACK that does not pass all hops of the response acknowledges it', async () => {
    // A proxy that does not record its route, between two that do: the PRACK goes past it.
    const [near, proxy, far] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
    const b = new CaptureBuilder();
    let ms = 0;
    const send = (from: string, to: string, what: string, parts: SipParts) => {
      const octets = sip(what, { ...parts, branch: `z9hG4bK${what.length}${from}` }).subarray(28);
      b.packet(udp(at(from, 5060), at(to, 5060), octets), (ms += 10));
    };
    const reliable = {
      toTag: 'b',
      headers: [
        ['Require', '100rel'],
        ['RSeq', '7'],
      ],
    } as const;
    send(near, proxy, `INVITE ${BOB}`, { sdp: sdp(UE, 30_000) });
    send(proxy, far, `INVITE ${BOB}`, { sdp: sdp(UE, 30_000) });
    send(far, proxy, '183 Session Progress INVITE', { ...reliable, sdp: sdp(CORE, 40_000) });
    send(proxy, near, '183 Session Progress INVITE', { ...reliable, sdp: sdp(CORE, 40_000) });
    send(near, far, `PRACK ${BOB}`, { toTag: 'b', cseq: 2, headers: [['RAck', '7 1 INVITE']] });
    send(far, near, '200 OK PRACK', { toTag: 'b', cseq: 2 });
    ms += 5000;
    send(far, proxy, '200 OK INVITE', { toTag: 'b' });
    send(proxy, near, '200 OK INVITE', { toTag: 'b' });
    send(near, far, `ACK ${BOB}`, { toTag: 'b' });
    const r = await reportOn(b.build().octets);
    assert.deepEqual(r.calls[0].reliable, { responses: 1, acknowledged: 1 });
    assert.deepEqual(callCodes(r), []);
  });

  test('without PRACK the response comes again', async () => {
    const reliable = [
      ['Require', '100rel'],
      ['RSeq', '7'],
    ] as const;
    const again = sip(
      '183 Session Progress INVITE',
      { toTag: 'b', headers: reliable, sdp: sdp(CORE, 40_000, qos('none')) },
      'down',
    );
    const t = begun()
      .down(3100, again)
      .down(7100, sip('504 Server Time-out INVITE', { toTag: 'b' }, 'down'));
    const r = await found(t);
    assert.deepEqual(callCodes(r), ['call.server-failure', 'call.no-prack', 'call.preconditions']);
    assert.deepEqual(r.calls[0].reliable, { responses: 1, acknowledged: 0 });
    assert.equal(r.calls[0].preconditions.met, false);
  });

  test('a late 100', async () => {
    const t = talk().up(1000, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000) }));
    t.down(3500, sip('100 Trying INVITE', {}, 'down')).down(3600, sip('486 Busy Here INVITE', { toTag: 'b' }, 'down'));
    const r = await found(t);
    assert.deepEqual(codes(r), ['call.slow-trying']);
    assert.match(r.findings[0].meaning, /^It came after 25\d\d ms\./);
  });

  test('each INVITE waits for itself: one that is challenged was heard at once', async () => {
    const credentials = [['Proxy-Authorization', 'Digest username="alice", response="0"']] as const;
    const again = (answer: number) =>
      talk()
        .up(1000, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000) }))
        .down(1150, sip('407 Proxy Authentication Required INVITE', { toTag: 'q' }, 'down'))
        .up(1160, sip(`ACK ${BOB}`, { toTag: 'q' }))
        .up(30_000, sip(`INVITE ${BOB}`, { cseq: 2, sdp: sdp(UE, 30_000), headers: credentials }))
        .down(30_000 + answer, sip('100 Trying INVITE', { cseq: 2 }, 'down'))
        .up(36_000, sip(`CANCEL ${BOB}`, { cseq: 2 }))
        .down(36_010, sip('200 OK CANCEL', { cseq: 2, toTag: 'b' }, 'down'))
        .down(36_020, sip('487 Request Terminated INVITE', { cseq: 2, toTag: 'b' }, 'down'));
    assert.deepEqual(codes(await found(again(170))), []);
    const r = await found(again(3000));
    assert.deepEqual(codes(r), ['call.slow-trying']);
    assert.match(r.findings[0].meaning, /^It came after 30\d\d ms\./);
  });
});

describe('hold, transfer, timers, forks', () => {
  test('hold and resume', async () => {
    const t = called(talk(), 1000, 6000);
    const again = (ms: number, cseq: number, line: string, answer: string) =>
      t
        .up(ms, sip(`INVITE ${BOB}`, { toTag: 'b', cseq, sdp: sdp(UE, 30_000, [line]) }))
        .down(ms + 50, sip('200 OK INVITE', { toTag: 'b', cseq, sdp: sdp(CORE, 40_000, [answer]) }, 'down'))
        .up(ms + 60, sip(`ACK ${BOB}`, { toTag: 'b', cseq }));
    both(t, 1210, 90);
    again(3000, 11, 'a=sendonly', 'a=recvonly');
    again(5000, 12, 'a=sendrecv', 'a=sendrecv');
    const r = await found(t);
    assert.deepEqual(codes(r), []);
    const [hold, ...more] = r.calls[0].holds;
    assert.deepEqual([hold.by, more.length], ['caller', 0]);
    assert.equal(Math.round(Number(hold.end.epoch) - Number(hold.start.epoch)), 2);
    assert.equal(r.calls.length, 1);
    assert.equal(r.calls[0].state, 'ended');
  });

  const refer = (result: string) => {
    const t = both(called(talk(), 1000, 4000), 1210, 90);
    const target = '<sip:carol@ims.example?Replaces=call-2%40ims.example%3Bto-tag%3Dx%3Bfrom-tag%3Dy>';
    t.up(3000, sip(`REFER ${BOB}`, { toTag: 'b', cseq: 3, headers: [['Refer-To', target]] }));
    t.down(3020, sip('202 Accepted REFER', { toTag: 'b', cseq: 3 }, 'down'));
    const parts = { toTag: 'a', from: BOB, to: 'sip:alice@ims.example', headers: [['Event', 'refer']] } as const;
    return found(t.down(3500, notify({ ...parts, cseq: 21 }, result)));
  };
  /** A NOTIFY with a fragment of a response as its body; `sip` gives bodies the type of SDP, which nobody asks here. */
  const notify = (p: SipParts, fragment: string) => sip('NOTIFY sip:alice@10.0.0.2', { ...p, sdp: fragment }, 'down');

  test('a transfer and what became of it', async () => {
    const r = await refer('SIP/2.0 200 OK\r\n');
    assert.deepEqual(codes(r), []);
    const { row: _, at: _at, ...transfer } = r.calls[0].transfers[0];
    assert.deepEqual(transfer, {
      by: 'caller',
      target: 'sip:carol@ims.example',
      replaces: 'call-2@ims.example',
      status: 202,
      progress: 200,
    });
    assert.equal(r.subscriptions.length, 0);
    const failed = await refer('SIP/2.0 603 Decline\r\n');
    assert.deepEqual(codes(failed), ['call.transfer-failed']);
    assert.match(failed.findings[0].meaning, /carol@ims\.example got 603/);
  });

  const timed = (seconds: number, duration: number, refresh: boolean) => {
    const expires = [['Session-Expires', `${seconds};refresher=uac`]] as const;
    const t = talk()
      .up(1000, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000) }))
      .down(1200, sip('200 OK INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000), headers: expires }, 'down'))
      .up(1210, sip(`ACK ${BOB}`, { toTag: 'b' }));
    if (refresh)
      t.up(1200 + 500 * seconds, sip(`UPDATE ${BOB}`, { toTag: 'b', cseq: 5 })).down(
        1250 + 500 * seconds,
        sip('200 OK UPDATE', { toTag: 'b', cseq: 5, headers: expires }, 'down'),
      );
    return found(
      both(t, 1210, 60).down(
        1200 + duration,
        sip('BYE sip:alice@10.0.0.2', { toTag: 'a', from: BOB, cseq: 9 }, 'down'),
      ),
    );
  };

  test('a session that nobody refreshed', async () => {
    const r = await timed(90, 62_000, false);
    assert.deepEqual(callCodes(r), ['call.session-expired']);
    assert.deepEqual(r.calls[0].sessionTimer, { seconds: 90, refresher: 'uac', refreshes: 0 });
    const good = await timed(90, 62_000, true);
    assert.deepEqual(callCodes(good), []);
    assert.equal(good.calls[0].sessionTimer.refreshes, 1);
  });

  test('a call that forks', async () => {
    const t = talk()
      .up(1000, sip(`INVITE ${BOB}`, { sdp: sdp(UE, 30_000) }))
      .down(1100, sip('180 Ringing INVITE', { toTag: 'b' }, 'down'))
      .down(1150, sip('180 Ringing INVITE', { toTag: 'c' }, 'down'))
      .down(2000, sip('200 OK INVITE', { toTag: 'c', sdp: sdp(CORE, 40_000) }, 'down'))
      .up(2010, sip(`ACK ${BOB}`, { toTag: 'c' }))
      .up(4000, sip(`BYE ${BOB}`, { toTag: 'c', cseq: 2 }));
    const r = await found(both(t, 2010, 90));
    assert.deepEqual(codes(r), []);
    assert.equal(r.calls.length, 1);
    assert.deepEqual(
      r.calls[0].dialogs.map((d: Json) => [d.toTag, d.state]),
      [
        ['b', 'early'],
        ['c', 'confirmed'],
      ],
    );
  });

  test('a call that takes the place of another', async () => {
    const headers = [['Replaces', 'call-0@ims.example;to-tag=x;from-tag=y']] as const;
    const t = talk().up(1000, sip(`INVITE ${BOB}`, { headers, sdp: sdp(UE, 30_000) }));
    const r = await found(t.down(1100, sip('486 Busy Here INVITE', { toTag: 'b' }, 'down')));
    assert.equal(r.calls[0].replaces, 'call-0@ims.example');
  });

  test('an emergency call that the network wants elsewhere', async () => {
    const body =
      '<?xml version="1.0"?><ims-3gpp version="1"><alternative-service><type>emergency</type><reason>x</reason><action>emergency-registration</action></alternative-service></ims-3gpp>';
    const t = talk().up(1000, sip('INVITE urn:service:sos', { to: 'urn:service:sos', sdp: sdp(UE, 30_000) }));
    const r = await found(t.down(1100, sip('380 Alternative Service INVITE', { toTag: 'b', sdp: body }, 'down')));
    assert.equal(r.calls[0].emergency, true);
    assert.deepEqual(r.calls[0].failure.alternative, { type: 'emergency', action: 'emergency-registration' });
    assert.deepEqual(codes(r), ['call.emergency-redirected']);
  });
});

describe('keep-alives', () => {
  const p = { callId: 'k1', to: 'sip:alice@ims.example' };
  const contact = ['Contact', '<sip:alice@10.0.0.2>;expires=600'] as const;
  const via = (keep: string) => ['Via', `SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKk1;rport${keep}`] as const;
  /** `sip` puts a Via of its own first; the one that counts has to come before it. */
  const first = (octets: Uint8Array, [, value]: readonly [string, string]): Uint8Array => {
    const text = Buffer.from(octets.subarray(28))
      .toString('latin1')
      .replace(/^Via: .*$/m, `Via: ${value}`);
    const [from, to] = octets[15] === 2 ? [at(UE, 5060), at(CORE, 5060)] : [at(CORE, 5060), at(UE, 5060)];
    return udp(from, to, Buffer.from(text, 'latin1'));
  };
  const registering = (offer: string, answer: string) =>
    addressed(new Talk())
      .up(100, first(sip('REGISTER sip:ims.example', { ...p, headers: [contact] }), via(offer)))
      .down(120, first(sip('200 OK REGISTER', { ...p, toTag: 'r', headers: [contact] }, 'down'), via(answer)));
  const binding = udp(
    at(UE, 5060),
    at(CORE, 5060),
    Uint8Array.of(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...new Uint8Array(12)),
  );
  const notes = (r: Json) => codes(r, 0).filter((c) => c.startsWith('keep.'));

  test('what was agreed stands beside what is done', async () => {
    const t = registering(';keep', ';keep=30');
    for (let i = 1; i <= 4; i++) t.up(25_000 * i, binding);
    const r = await found(t);
    assert.deepEqual(notes(r), []);
    const [k] = r.tunnels[0].keepAlives;
    assert.deepEqual([k.kind, Math.round(k.intervalMs), k.negotiatedMs], ['stun', 25_000, 30_000]);
  });

  test('too slow, not answered, not offered', async () => {
    const slow = registering(';keep', ';keep=30');
    for (let i = 1; i <= 4; i++) slow.up(60_000 * i, binding);
    assert.deepEqual(codes(await found(slow)), ['keep.too-slow']);
    assert.deepEqual(notes(await found(registering(';keep', ';keep'))), ['keep.not-answered']);
    assert.deepEqual(notes(await found(registering('', ''))), ['keep.not-offered']);
  });

  test('a ping without pong', async () => {
    const [ue, core] = [at(UE, 5062), at(CORE, 5060)];
    const text = (s: string) => new TextEncoder().encode(s);
    const message = Buffer.from(sip('OPTIONS sip:ims.example').subarray(28));
    const answer = Buffer.from(sip('200 OK OPTIONS', { toTag: 'o' }).subarray(28));
    const n = 1 + message.length;
    const m = 1 + answer.length;
    const of = (pong: boolean) => {
      const said = [
        up([envelope(tcp(ue, core, { seq: 0, flags: SYN }, new Uint8Array(0)))]),
        down([envelope(tcp(core, ue, { seq: 0, ack: 1, flags: SYN | ACK }, new Uint8Array(0)))]),
        up([envelope(tcp(ue, core, { seq: 1, ack: 1 }, message))]),
        down([envelope(tcp(core, ue, { seq: 1, ack: n }, answer))]),
        { pause: 5000 },
        up([envelope(tcp(ue, core, { seq: n, ack: m }, text('\r\n\r\n')))]),
        { pause: 20 },
        ...(pong ? [down([envelope(tcp(core, ue, { seq: m, ack: n + 4 }, text('\r\n')))])] : []),
        { pause: 15_000 },
        up([envelope(tcp(ue, core, { seq: n + 4, ack: pong ? m + 2 : m }, message))]),
      ];
      return reportOn(new CaptureBuilder().connection(clearConversation(said), { ...ENDS, step: 10 }).build().octets);
    };
    assert.deepEqual(codes(await of(true)), []);
    assert.deepEqual(codes(await of(false)), ['keep.no-pong']);
    assert.equal(finding(await of(false), 'keep.no-pong').rows.length, 1);
  });
});
