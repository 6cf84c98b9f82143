import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  addressed,
  called,
  codes,
  finding,
  found,
  type Json,
  note,
  registered,
  type SipParts,
  sdp,
  sip,
  spoken,
  Talk,
} from './support.js';

describe('registration', () => {
  const p = { callId: 'reg-9@10.0.0.2', to: 'sip:alice@ims.example' };
  const contact = ['Contact', '<sip:alice@10.0.0.2>;expires=3600'] as const;
  const nonce = (n: string) => ['WWW-Authenticate', `Digest realm="ims.example", nonce="${n}", algorithm=MD5`] as const;
  const ask = (cseq: number, more: SipParts['headers'] = []) =>
    sip('REGISTER sip:ims.example', { ...p, cseq, headers: [contact, ...more] });
  const tell = (what: string, cseq: number, more: SipParts['headers'] = []) =>
    sip(`${what} REGISTER`, { ...p, cseq, toTag: 'r', headers: more }, 'down');

  test('nobody answers', async () => {
    const t = addressed(new Talk());
    for (const ms of [100, 600, 1600, 3600, 7600]) t.up(ms, ask(1));
    const r = await t.report({ end: 'none' }, 40_000);
    assert.deepEqual(codes(r), ['sip.register-timeout']);
    assert.equal(r.registrations[0].transactions.length, 1);
    assert.equal(r.registrations[0].transactions[0].retransmissions, 4);
    assert.equal(r.registrations[0].state, 'failed');
  });

  /** Timer E with the T1 of 2 s and the T2 of 16 s that a UE has. TS 24.229 table 7.7.1 */
  const IMS_AGAIN = [0, 2000, 6000, 14_000, 30_000, 46_000, 62_000, 78_000, 94_000, 110_000, 126_000];

  test('a UE with the timers of IMS is not done before 128 s', async () => {
    const asked = (beyond: number) => {
      const t = addressed(new Talk());
      for (const ms of IMS_AGAIN) if (ms < beyond) t.up(100 + ms, ask(1));
      return t;
    };
    const said = (r: Awaited<ReturnType<Talk['report']>>) => [
      r.registrations[0].state,
      ...r.findings
        .map((f: { code: string; confidence: string }) => `${f.code} ${f.confidence}`)
        .filter((f: string) => f.startsWith('sip.register-')),
    ];
    const early = await asked(40_000).report({ end: 'none' }, 60_000);
    assert.deepEqual(said(early), ['in-progress', 'sip.register-timeout likely']);
    assert.match(early.findings[0].meaning, /^What could be heard ends after 90 s; .* up to 128 s in IMS\./);
    assert.deepEqual(said(await asked(130_000).report({ end: 'none' }, 30_000)), [
      'failed',
      'sip.register-timeout certain',
    ]);
    const young = await asked(10_000).report({ end: 'none' }, 10_000);
    assert.deepEqual(said(young), ['in-progress', 'sip.register-retransmitted certain']);
    // What was still open at 60 s comes about in the end.
    const late = asked(70_000).down(70_000, tell('200 OK', 1, [contact]));
    assert.deepEqual(said(await late.report({ end: 'none' }, 40_000)), [
      'registered',
      'sip.register-retransmitted certain',
    ]);
  });

  test('challenged again and again', async () => {
    const t = addressed(new Talk());
    for (let i = 1; i <= 3; i++)
      t.up(100 * i, ask(i)).down(100 * i + 10, tell('401 Unauthorized', i, [nonce(`n${i}`)]));
    const r = await found(t);
    assert.equal(r.findings[0].code, 'sip.register-loop');
    assert.equal(r.registrations[0].state, 'failed');
    assert.deepEqual(r.tunnels[0].failure.stage, 'register');
  });

  test('the same nonce twice', async () => {
    const t = addressed(new Talk());
    for (let i = 1; i <= 2; i++) t.up(100 * i, ask(i)).down(100 * i + 10, tell('401 Unauthorized', i, [nonce('n')]));
    assert.deepEqual(codes(await found(t)), ['sip.register-loop']);
  });

  test('forbidden', async () => {
    const r = await found(addressed(new Talk()).up(100, ask(1)).down(110, tell('403 Forbidden', 1)));
    assert.deepEqual(codes(r), ['sip.register-forbidden']);
    assert.match(r.findings[0].meaning, /^The answer was 403\. The network/);
    const { failure } = r.tunnels[0];
    assert.deepEqual([failure.stage, failure.cause], ['register', 'REGISTER was answered with 403.']);
    assert.equal(r.registrations[0].state, 'failed');
    assert.equal(r.registrations[0].transactions[0].status, 403);
  });

  test('another error, and overload', async () => {
    const t = addressed(new Talk()).up(100, ask(1)).down(110, tell('500 Server Internal Error', 1));
    assert.deepEqual(codes(await found(t)), ['sip.register-failed']);
    const busy = addressed(new Talk()).up(100, ask(1));
    busy.down(110, tell('503 Service Unavailable', 1, [['Retry-After', '120']]));
    const r = await found(busy);
    assert.deepEqual(codes(r), ['sip.register-overload']);
    assert.match(r.findings[0].meaning, /120 s/);
  });

  const OFFER = 'ipsec-3gpp; alg=hmac-sha-1-96; spi-c=1; spi-s=2';

  test('AKA: the challenge is taken apart, a resynchronisation is a note, a second one an error', async () => {
    const octets = Uint8Array.from({ length: 32 }, (_, i) => i);
    const challenge = (n: number) =>
      [
        'WWW-Authenticate',
        `Digest realm="ims.example", nonce="${Buffer.from([...octets.slice(0, 31), n]).toString('base64')}", algorithm=AKAv1-MD5`,
      ] as const;
    const auts = ['Authorization', 'Digest username="u@ims", auts="AAAA", nonce="x"'] as const;
    const t = addressed(new Talk())
      .up(100, ask(1))
      .down(110, tell('401 Unauthorized', 1, [challenge(31)]));
    t.up(120, ask(2, [auts])).down(130, tell('401 Unauthorized', 2, [challenge(32)]));
    const healed = await found(
      t
        .copy()
        .up(140, ask(3))
        .down(150, tell('200 OK', 3, [contact])),
    );
    assert.deepEqual(codes(healed), []);
    note(healed, 'sip.aka-resync');
    const { aka } = healed.registrations[0];
    assert.equal(aka.rand, '000102030405060708090a0b0c0d0e0f');
    assert.equal(aka.sqnXorAk, '101112131415');
    assert.equal(aka.amf, '1617');
    assert.equal(aka.mac, '18191a1b1c1d1e20');
    assert.equal(aka.resynchronisations, 1);
    t.up(140, ask(3, [auts])).down(150, tell('401 Unauthorized', 3, [challenge(33)]));
    const twice = finding(await found(t.copy()), 'sip.aka-resync');
    assert.match(twice.meaning, /^It was asked for 2 times in a row: the first did not help\./);
    assert.equal(twice.severity, 'error');
    // The second did.
    const late = t.up(160, ask(4)).down(170, tell('200 OK', 4, [contact]));
    assert.equal(finding(await found(late.copy()), 'sip.aka-resync').severity, 'warn');
  });

  test('AKA: a resynchronisation now and then is no row of them', async () => {
    const nonce = (n: number): string =>
      Buffer.from(Uint8Array.from({ length: 32 }, (_, i) => i + n)).toString('base64');
    const challenge = (n: number) =>
      ['WWW-Authenticate', `Digest realm="ims.example", nonce="${nonce(n)}", algorithm=AKAv1-MD5`] as const;
    const auts = (n: number) =>
      ['Authorization', `Digest username="u@ims", auts="${'A'.repeat(20)}", nonce="${nonce(n)}"`] as const;
    const t = addressed(new Talk());
    for (const ms of [100, 600_000]) {
      const cseq = ms === 100 ? 1 : 4;
      t.up(ms, ask(cseq)).down(ms + 10, tell('401 Unauthorized', cseq, [challenge(cseq)]));
      t.up(ms + 20, ask(cseq + 1, [auts(cseq)])).down(
        ms + 30,
        tell('401 Unauthorized', cseq + 1, [challenge(cseq + 1)]),
      );
      t.up(ms + 40, ask(cseq + 2)).down(ms + 50, tell('200 OK', cseq + 2, [contact]));
    }
    const r = await found(t);
    assert.equal(r.registrations[0].aka.resynchronisations, 2);
    note(r, 'sip.aka-resync');
  });

  test('a security agreement that is refused, or changed on the way', async () => {
    const refused = addressed(new Talk()).up(100, ask(1)).down(110, tell('494 Security Agreement Required', 1));
    assert.deepEqual(codes(await found(refused)), ['sip.security-refused']);
    const demanding = (option: string) =>
      found(
        addressed(new Talk())
          .up(100, ask(1))
          .down(110, tell('421 Extension Required', 1, [['Require', option]])),
      );
    assert.deepEqual(codes(await demanding('path, sec-agree')), ['sip.security-refused']);
    assert.deepEqual(codes(await demanding('outbound')), ['sip.register-failed']);
    const t = addressed(new Talk()).up(100, ask(1, [['Security-Client', OFFER]]));
    t.down(110, tell('401 Unauthorized', 1, [nonce('n'), ['Security-Server', OFFER]]));
    t.up(120, ask(2, [['Security-Verify', OFFER.replace('spi-s=2', 'spi-s=3')]])).down(
      130,
      tell('200 OK', 2, [contact]),
    );
    const r = await found(t);
    assert.deepEqual(codes(r), ['sip.security-mismatch']);
    assert.equal(r.registrations[0].secAgree.server[0].spiS, 2);
    assert.equal(r.registrations[0].secAgree.verified, false);
  });

  test('a security agreement that is repeated in another order of parameters and mechanisms is the same', async () => {
    const [first, ...others] = OFFER.split(/;\s*/);
    const turned = [first, ...others.reverse()].join(';').toUpperCase();
    const server = ['Security-Server', `${OFFER};q=0.1, tls;q=0.2`] as const;
    const t = addressed(new Talk()).up(100, ask(1, [['Security-Client', OFFER]]));
    t.down(110, tell('401 Unauthorized', 1, [nonce('n'), server]));
    t.up(120, ask(2, [['Security-Verify', `tls; q=0.2, ${turned}; q=0.1`]])).down(130, tell('200 OK', 2, [contact]));
    const r = await found(t);
    assert.deepEqual(codes(r), []);
    assert.equal(r.registrations[0].secAgree.verified, true);
  });

  test('a registration that ran out', async () => {
    const short = ['Contact', '<sip:alice@10.0.0.2>;expires=60'] as const;
    const t = addressed(new Talk())
      .up(100, ask(1))
      .down(110, tell('200 OK', 1, [short]));
    const r = await t.report({ end: 'none' }, 120_000);
    assert.deepEqual(codes(r), ['sip.registration-expired']);
    assert.equal(r.registrations[0].state, 'expired');
    const told = (x: Json): string => finding(x, 'sip.registration-expired').meaning;
    const granted = /^It was granted for 60 s and ran out at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, and /;
    assert.match(told(r), granted);
    assert.match(told(r), /Z, and no refresh came in the 60 s after that\. /);
    const refreshed = (ms: number) => {
      const u = addressed(new Talk())
        .up(100, ask(1))
        .down(110, tell('200 OK', 1, [short]));
      u.up(ms, ask(2)).down(ms + 10, tell('200 OK', 2, [short]));
      return u.report({ end: 'none' });
    };
    const late = await refreshed(65_610);
    assert.match(told(late), granted);
    assert.match(told(late), /Z, and the refresh came 5\.5 s after that\. /);
    assert.deepEqual(codes(late), ['sip.registration-expired']);
    assert.deepEqual(codes(await refreshed(60_310)), [], 'seconds are counted whole');
  });

  test('requests that were sent again', async () => {
    const t = addressed(new Talk())
      .up(100, ask(1))
      .up(600, ask(1))
      .up(1600, ask(1))
      .down(1700, tell('200 OK', 1, [contact]));
    assert.deepEqual(codes(await found(t)), ['sip.register-retransmitted']);
  });
});

describe('calls', () => {
  const invite = sip('INVITE sip:bob@ims.example', { sdp: sdp('10.0.0.2', 30_000) });
  const refusal = (what: string, headers: SipParts['headers'] = []) =>
    found(
      registered(addressed(new Talk()))
        .up(1000, invite)
        .down(1010, sip('100 Trying INVITE', {}, 'down'))
        .down(1100, sip(`${what} INVITE`, { toTag: 'b', headers }, 'down'))
        .up(1110, sip('ACK sip:bob@ims.example', { toTag: 'b' })),
    );

  for (const [what, code, severity] of [
    ['503 Service Unavailable', 'call.overload', 'error'],
    ['500 Server Internal Error', 'call.server-failure', 'error'],
    ['403 Forbidden', 'call.forbidden', 'error'],
    ['488 Not Acceptable Here', 'call.not-acceptable', 'error'],
    ['480 Temporarily Unavailable', 'call.unavailable', 'warn'],
    ['486 Busy Here', 'call.busy', 'note'],
    ['380 Alternative Service', 'call.emergency-redirected', 'warn'],
    ['420 Bad Extension', 'call.failed', 'error'],
  ] as const)
    test(what, async () => {
      const r = await refusal(what);
      assert.deepEqual(
        codes(r, 0).filter((c) => c.startsWith('call.')),
        [code],
      );
      assert.equal(finding(r, code).severity, severity);
      if (severity !== 'note') assert.equal(r.findings[0].code, code);
      assert.equal(r.calls[0].state, 'failed');
      assert.equal(r.calls[0].failure.status, Number(what.slice(0, 3)));
    });

  test('what the response says is told', async () => {
    const r = await refusal('503 Service Unavailable', [
      ['Retry-After', '30 (overload)'],
      ['Reason', 'Q.850;cause=42;text="Switching equipment congestion"'],
      ['Warning', '399 pcscf "too many calls"'],
    ]);
    const { failure } = r.calls[0];
    assert.equal(failure.retryAfterSeconds, 30);
    assert.equal(failure.q850, 42);
    assert.match(failure.reason, /503 Service Unavailable.*Switching equipment congestion; too many calls/);
    assert.match(r.findings[0].meaning, /after 30 s/);
  });

  test('an INVITE that nobody answers', async () => {
    const t = registered(addressed(new Talk()));
    for (const ms of [1000, 1500, 2500]) t.up(ms, invite);
    const r = await t.report({ end: 'none' }, 40_000);
    assert.deepEqual(codes(r), ['call.no-answer']);
    assert.equal(r.calls[0].failure.status, undefined);
    assert.equal(r.calls[0].messages.length, 1);
    assert.equal(r.calls[0].messages[0].retransmissions, 2);
  });

  test('an INVITE that a UE with the timers of IMS may still repeat', async () => {
    const asked = () => registered(addressed(new Talk())).up(1000, invite).up(3000, invite).up(7000, invite);
    const early = await asked().report({ end: 'none' }, 60_000);
    assert.deepEqual([early.calls[0].state, early.calls[0].failure], ['in-progress', undefined]);
    const { confidence, meaning } = finding(early, 'call.no-answer');
    assert.equal(confidence, 'likely');
    assert.match(meaning, /^What could be heard ends after 6\d s; an answer is waited for up to 128 s in IMS\./);
    const over = await asked().report({ end: 'none' }, 130_000);
    assert.deepEqual([over.calls[0].state, finding(over, 'call.no-answer').confidence], ['failed', 'certain']);
  });

  test('cancelled', async () => {
    const t = registered(addressed(new Talk())).up(1000, invite);
    t.down(1100, sip('180 Ringing INVITE', { toTag: 'b' }, 'down')).up(3000, sip('CANCEL sip:bob@ims.example'));
    t.down(3010, sip('200 OK CANCEL', { toTag: 'b' }, 'down'));
    const r = await found(t.down(3020, sip('487 Request Terminated INVITE', { toTag: 'b' }, 'down')));
    assert.deepEqual(codes(r), []);
    assert.equal(r.calls[0].state, 'cancelled');
  });

  test('a challenge is no failure', async () => {
    const t = registered(addressed(new Talk())).up(1000, invite);
    t.down(1010, sip('407 Proxy Authentication Required INVITE', { toTag: 'x' }, 'down'));
    t.up(1020, sip('ACK sip:bob@ims.example', { toTag: 'x' }));
    t.up(1030, sip('INVITE sip:bob@ims.example', { cseq: 2, sdp: sdp('10.0.0.2', 30_000) }));
    t.down(1100, sip('180 Ringing INVITE', { cseq: 2, toTag: 'b' }, 'down'));
    const r = await found(t, 0, 'none');
    assert.deepEqual(codes(r), []);
    assert.equal(r.calls[0].state, 'ringing');
    assert.equal(r.calls.length, 1);
  });

  test('an answer that is not acknowledged', async () => {
    const t = registered(addressed(new Talk())).up(1000, invite);
    t.down(1100, sip('200 OK INVITE', { toTag: 'b', sdp: sdp('10.0.0.1', 40_000) }, 'down'));
    spoken(spoken(t, 1110, 100, 'up'), 1110, 100, 'down');
    assert.deepEqual(codes(await t.report({ end: 'none' }, 40_000)), ['call.no-ack', 'media.stopped']);
  });

  test('the tunnel ends in the middle', async () => {
    const t = called(registered(addressed(new Talk())), 1000, 0, false);
    const r = await found(spoken(spoken(t, 1210, 60, 'up'), 1210, 60, 'down'));
    assert.deepEqual(codes(r), ['tunnel.closed-in-call']);
  });
});
