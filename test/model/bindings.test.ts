import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addressed, codes, finding, type Json, type SipParts, sip, Talk } from './support.js';

const AOR = 'sip:alice@ims.example';
const OWN = '<sip:alice@10.0.0.2:5060>';
const OTHER = '<sip:alice@10.0.0.20:5060>';
const contact = (value: string) => ['Contact', value] as const;
type Headers = NonNullable<SipParts['headers']>;

/** A REGISTER and its answer. */
const asked = (
  t: Talk,
  ms: number,
  cseq: number,
  request: Headers,
  what: string,
  answer: Headers = [],
  callId = 'r1',
) => {
  const p = { callId, to: AOR, cseq };
  return t
    .up(ms, sip('REGISTER sip:ims.example', { ...p, headers: request }))
    .down(ms + 10, sip(`${what} REGISTER`, { ...p, toTag: 'r', headers: answer }, 'down'));
};
const talk = () => addressed(new Talk());
const bound = (seconds: number) => {
  const own = [contact(`${OWN};expires=${seconds}`)];
  return asked(talk(), 100, 1, own, '200 OK', own);
};
const after = (t: Talk, ms: number): Promise<Json> => t.report({ end: 'none' }, ms);
const identities = (r: Json): string[] => r.tunnels[0].subscriber.impu;
const states = (r: Json): string[] => r.registrations.map((x: Json) => x.state);

describe('contacts of a registration', () => {
  const expires = ['Expires', '3600'] as const;

  test('one is bound, and another removed', async () => {
    for (const list of [`${OWN}, ${OTHER};expires=0`, `"Alice, at home" ${OTHER};expires=0, ${OWN}`]) {
      const r = await after(
        asked(talk(), 100, 1, [contact(list), expires], '200 OK', [contact(`${OWN};expires=3600`)]),
        100_000,
      );
      const [{ state, contact: uri, expiresSeconds }] = r.registrations;
      assert.deepEqual([state, uri, expiresSeconds], ['registered', 'sip:alice@10.0.0.2:5060', 3600], list);
    }
  });

  test('the answer lists all bindings: its own counts', async () => {
    const lists = [[`${OTHER};expires=60, ${OWN};expires=3600`], [`${OTHER};expires=60`, `${OWN};expires=3600`]];
    for (const list of lists) {
      const r = await after(asked(talk(), 100, 1, [contact(OWN), expires], '200 OK', list.map(contact)), 120_000);
      assert.deepEqual(codes(r), []);
      assert.equal(r.registrations[0].expiresSeconds, 3600);
    }
  });

  test('the last one leaves, and others stay', async () => {
    const t = asked(bound(600), 5000, 2, [contact(`${OWN};expires=0`)], '200 OK', [contact(`${OTHER};expires=300`)]);
    assert.deepEqual(states(await after(t, 1000)), ['deregistered']);
  });

  test('who only asks registers nothing (RFC 3261 §10.2.3)', async () => {
    const r = await after(asked(talk(), 100, 1, [], '200 OK', [contact(`${OTHER};expires=60`)]), 120_000);
    assert.deepEqual([states(r), codes(r)], [['in-progress'], []]);
  });
});

test('P-Associated-URI is a list of addresses, which may have names (RFC 7315 §4.1)', async () => {
  const own = [contact(`${OWN};expires=60`)];
  const list = '"Alice, at home" <sip:+49170123456@ims.example;user=phone>, tel:+49170123456, <sip:a,b@ims.example>';
  const r = await after(asked(talk(), 100, 1, own, '200 OK', [...own, ['P-Associated-URI', list]]), 10);
  assert.deepEqual(identities(r), [
    AOR,
    'sip:+49170123456@ims.example;user=phone',
    'tel:+49170123456',
    'sip:a,b@ims.example',
  ]);
  assert.equal(r.tunnels[0].subscriber.msisdn, '+49170123456');
  const more = Array.from({ length: 100 }, () => '<sip:b@ims.example>').join();
  const long = await after(
    asked(talk(), 100, 1, own, '200 OK', [...own, ['P-Associated-URI', `${more}, <sip:c@ims.example>`]]),
    10,
  );
  assert.deepEqual(identities(long), [AOR, 'sip:b@ims.example', 'sip:c@ims.example']);
});

test('a capture that begins later knows the user by who is called', async () => {
  const called = (way: 'up' | 'down') =>
    sip('INVITE sip:alice@10.0.0.2', { headers: [['P-Called-Party-ID', '<sip:alice@ims.example>']] }, way);
  assert.deepEqual(identities(await after(talk().down(1000, called('down')), 10)), [AOR]);
  assert.equal((await after(talk().up(1000, called('up')), 10)).tunnels[0].subscriber, undefined);
});

describe('a registration that goes on elsewhere', () => {
  const own = (seconds: number) => [contact(`${OWN};expires=${seconds}`)];

  test('refreshed under another Call-ID it does not run out', async () => {
    const t = asked(bound(60), 30_000, 1, own(600), '200 OK', own(600), 'r2');
    const r = await after(t, 120_000);
    assert.deepEqual([states(r), codes(r)], [['registered', 'registered'], []]);
    assert.equal(r.registrations[0].nextRefresh, undefined);
    assert.notEqual(r.registrations[1].nextRefresh, undefined);
    // It is one binding.
    assert.deepEqual(
      r.registrations.map((x: Json) => x.continuedBy),
      [2, undefined],
    );
    assert.equal(r.summary.registrations.byState.registered, 1);
    // and has the fate of the other
    const later = await after(t, 700_000);
    assert.deepEqual([states(later), codes(later)], [['expired', 'expired'], ['sip.registration-expired']]);
  });

  test('it ran out before another one took its place', async () => {
    const r = await after(asked(bound(60), 90_000, 1, own(600), '200 OK', own(600), 'r2'), 1000);
    assert.deepEqual([states(r), codes(r)], [['expired', 'registered'], ['sip.registration-expired']]);
    assert.match(r.findings[0].meaning, /^It was granted for 60 s .*, and the UE registered anew after that\. /);
    const { registered, expired } = r.summary.registrations.byState;
    assert.deepEqual([registered, expired, r.registrations[0].continuedBy], [1, 1, undefined]);
  });

  test('removed under another Call-ID', async () => {
    const all = [contact('*'), ['Expires', '0'] as const];
    for (const request of [own(0), all]) {
      const r = await after(asked(bound(60), 30_000, 1, request, '200 OK', [], 'r2'), 50_000);
      assert.deepEqual([states(r), codes(r)], [['deregistered', 'deregistered'], []]);
    }
  });

  test('a phone that sends other URIs is known by its instance (RFC 5626 §6)', async () => {
    const named = (uri: string) => [contact(`<${uri}>;+sip.instance="<urn:gsma:imei:1-2-0>";reg-id=1;expires=60`)];
    const [first, second] = [named('sip:x1@10.0.0.2'), named('sip:x2@10.0.0.2')];
    const t = asked(asked(talk(), 100, 1, first, '200 OK', first), 30_000, 1, second, '200 OK', second, 'r2');
    assert.deepEqual(states(await after(t, 40_000)), ['registered', 'registered']);
  });

  const notify = (aor: string, state: string, before = '', event = 'rejected') => {
    const xml = `<?xml version="1.0"?>${before}<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="1" state="full"><registration aor="${aor}" id="a" state="${state}"><contact id="1" state="${state}" event="${event}"><uri>sip:alice@10.0.0.2:5060</uri></contact></registration></reginfo>`;
    const headers = [
      ['Event', 'reg'],
      ['Subscription-State', 'active'],
      ['Content-Type', 'application/reginfo+xml'],
    ] as const;
    return bound(60)
      .up(200, sip(`SUBSCRIBE ${AOR}`, { callId: 's1', to: AOR, headers: [['Event', 'reg']] }))
      .down(
        20_000,
        sip('NOTIFY sip:alice@10.0.0.2', { callId: 's1', fromTag: 's', toTag: 'a', headers, sdp: xml }, 'down'),
      );
  };

  test('the network ends it, and says so (TS 24.229 §5.1.1.7)', async () => {
    const r = await after(notify(AOR, 'terminated'), 70_000);
    assert.deepEqual(states(r), ['deregistered']);
    assert.equal(codes(r).includes('sip.registration-expired'), false);
    const ended = (x: Json) => finding(x, 'sip.registration-ended');
    assert.equal(ended(r).severity, 'warn');
    assert.match(ended(r).meaning, /^The network says rejected: the UE may not register again by itself\./);
    const own = [contact(`${OWN};expires=60`)];
    const anew = asked(notify(AOR, 'terminated', '', 'deactivated'), 21_000, 1, own, '200 OK', own, 'r2');
    assert.equal(ended(await after(anew, 50_000)).severity, 'note');
    // Some event of tomorrow.
    assert.match(
      ended(await after(notify(AOR, 'terminated', '', 'moved'), 50_000)).meaning,
      /^The network says moved\./,
    );
    const removed = notify(AOR, 'terminated', '', 'unregistered');
    assert.match(
      ended(await after(removed, 50_000)).meaning,
      /^The network says unregistered, as if the user had asked for that: no REGISTER of this UE did\./,
    );
    // A registration of a name that is barred: the network tells of those that it associated with it.
    const names = ['P-Associated-URI', `<sip:alice.public@ims.example>, <tel:+491234567>`] as const;
    const barred = asked(notify('sip:alice.public@ims.example', 'terminated'), 10_000, 2, own, '200 OK', [
      ...own,
      names,
    ]);
    assert.deepEqual(states(await after(barred, 70_000)), ['deregistered']);
    const leave = [contact(`${OWN};expires=0`)];
    for (const ms of [19_900, 20_500]) {
      const asks = notify(AOR, 'terminated', '', 'unregistered');
      asks.up(ms, sip('REGISTER sip:ims.example', { callId: 'r1', to: AOR, cseq: 2, headers: leave }));
      assert.equal(ended(await after(asks, 10_000)), undefined, 'its user removed it');
    }
    const long = notify(AOR, 'terminated', `<!-- ${'x'.repeat(20_000)} -->`);
    assert.deepEqual(states(await after(long, 70_000)), ['deregistered']);
    assert.deepEqual(states(await after(notify(AOR, 'active'), 70_000)), ['expired']);
    assert.deepEqual(states(await after(notify('sip:bob@ims.example', 'terminated'), 70_000)), ['expired']);
  });
});

test('a call that is refused because the registration has ended says so', async () => {
  const refused = (t: Talk, ms: number) =>
    t
      .up(ms, sip('INVITE sip:bob@ims.example'))
      .down(ms + 50, sip('403 Forbidden INVITE', { toTag: 'b' }, 'down'))
      .up(ms + 60, sip('ACK sip:bob@ims.example', { toTag: 'b' }));
  const said = async (t: Talk, ms: number) =>
    finding(await after(refused(t, ms), ms + 1000), 'call.forbidden').meaning as string;
  assert.match(await said(bound(60), 90_110), / The registration of the UE had ended 30 s before\./);
  assert.doesNotMatch(await said(bound(60), 50_000), /had ended/);
  const own = [contact(`${OWN};expires=60`)];
  assert.doesNotMatch(await said(asked(bound(60), 50_000, 2, own, '200 OK', own), 90_110), /had ended/);
  assert.doesNotMatch(await said(bound(60), 50_000), /shows no/);
  assert.match(await said(talk(), 90_110), / The capture shows no registration of the UE\./);
});

describe('a registration that fails, and another one', () => {
  const own = [contact(`${OWN};expires=600`)];
  const refused = (what: string) => asked(talk(), 100, 1, own, what, [['Retry-After', '600']]);
  const severity = async (t: Talk) => (await after(t, 60_000)).findings.map((f: Json) => f.severity)[0];

  test('is no error where the user came in with the next one, by another P-CSCF for instance', async () => {
    for (const what of ['503 Service Unavailable', '500 Server Internal Error', '403 Forbidden']) {
      assert.equal(await severity(refused(what)), 'error', what);
      assert.equal(await severity(asked(refused(what), 200, 1, own, '200 OK', own, 'r2')), 'warn', what);
    }
    const silent = () => talk().up(100, sip('REGISTER sip:ims.example', { callId: 'r1', to: AOR, headers: own }));
    assert.equal(await severity(silent()), 'error');
    assert.equal(await severity(asked(silent(), 33_000, 1, own, '200 OK', own, 'r2')), 'warn');
  });

  const registering = (t: Talk, ms: number, cseq: number, what: string, answer: Headers, request: Headers = []) =>
    asked(t, ms, cseq, [...own, ...request], what, answer);
  const failed = async (t: Talk) => (await after(t, 60_000)).findings.map((f: Json) => `${f.code}: ${f.meaning}`)[0];

  test('for credentials that were not taken is not one whose challenge the UE leaves alone', async () => {
    const challenge = (nonce: string, more = '') =>
      ['WWW-Authenticate', `Digest realm="a", nonce="${nonce}"${more}, algorithm=MD5`] as const;
    const credentials = ['Authorization', 'Digest username="a", nonce="1", response="x"'] as const;
    const first = () => registering(talk(), 100, 1, '401 Unauthorized', [challenge('1')]);
    assert.match(await failed(first()), /^sip\.register-failed: The UE did not answer the challenge\./);
    const again = (more = '') =>
      registering(first(), 200, 2, '401 Unauthorized', [challenge('2', more)], [credentials]);
    assert.match(await failed(again()), /^sip\.register-failed: The network did not take the credentials\./);
    assert.match(await failed(again(', stale=true')), /^sip\.register-failed: The UE did not answer the challenge\./);
  });

  test('with a provisional answer alone has reached the P-CSCF', async () => {
    const t = registering(talk(), 100, 1, '100 Trying', []);
    assert.match(await failed(t), /^sip\.register-timeout: The P-CSCF said that it tries, and nothing more\./);
  });

  test('is one where another user came in, or only before', async () => {
    const other = (t: Talk) =>
      t
        .up(200, sip('REGISTER sip:ims.example', { callId: 'r2', to: 'sip:bob@ims.example', headers: own }))
        .down(
          210,
          sip('200 OK REGISTER', { callId: 'r2', to: 'sip:bob@ims.example', toTag: 'r', headers: own }, 'down'),
        );
    assert.equal(await severity(other(refused('403 Forbidden'))), 'error');
    assert.equal(await severity(asked(bound(600), 5000, 1, own, '403 Forbidden', [], 'r2')), 'error');
  });
});

describe('a refresh that fails', () => {
  const again = [contact(`${OWN};expires=60`)];

  test('what refused it is told, and not that the UE came too late', async () => {
    const t = asked(bound(60), 30_000, 2, again, '403 Forbidden');
    const r = await after(t, 120_000);
    assert.deepEqual([states(r), codes(r)], [['expired'], ['sip.register-forbidden']]);
    assert.match(r.findings[0].meaning, /^The answer to the refresh was 403\./);
    // A new registration heals it.
    const healed = await after(asked(t, 32_000, 1, again, '200 OK', again, 'r2'), 10_000);
    assert.deepEqual([states(healed), codes(healed)], [['registered', 'registered'], []]);
  });

  test('nobody answers', async () => {
    const t = bound(60);
    for (const ms of [30_000, 30_500, 31_500])
      t.up(ms, sip('REGISTER sip:ims.example', { callId: 'r1', to: AOR, cseq: 2, headers: again }));
    const r = await after(t, 120_000);
    assert.deepEqual([states(r), codes(r)], [['expired'], ['sip.register-timeout']]);
  });

  test('the end of a registration that is refused is no refresh', async () => {
    const r = await after(asked(bound(600), 30_000, 2, [contact(`${OWN};expires=0`)], '403 Forbidden'), 50_000);
    assert.deepEqual([states(r), codes(r)], [['registered'], []]);
  });
});
