import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addressed, codes, finding, found, type Json, sip, Talk, talk } from './support.js';

/** Answers that refuse a REGISTER, a MESSAGE, a SUBSCRIBE: what they say beside their status is the cause, mostly. */

type Header = readonly [string, string];

const ME = 'sip:alice@ims.example';
const p = { callId: 'reg-1@10.0.0.2', from: ME, to: ME };
const contact: Header = ['Contact', '<sip:alice@10.0.0.2:5060>;expires=3600'];
const ask = (cseq: number, headers: readonly Header[] = []) =>
  sip('REGISTER sip:ims.example', { ...p, cseq, headers: [contact, ...headers] });
const tell = (answer: string, cseq: number, headers: readonly Header[] = []) =>
  sip(`${answer} REGISTER`, { ...p, cseq, toTag: 'r', headers }, 'down');

describe('a REGISTER that is refused', () => {
  const told = async (answer: string, ...headers: Header[]): Promise<Json> =>
    (
      await found(
        addressed(new Talk())
          .up(100, ask(1))
          .down(130, tell(answer, 1, headers)),
      )
    ).findings[0];

  test('names what it does not know, or demands (RFC 3261 §21.4.15, §21.4.16)', async () => {
    const unknown = await told('420 Bad Extension', ['Unsupported', 'path']);
    assert.equal(unknown.code, 'sip.register-failed');
    assert.match(unknown.meaning, /^The answer was 420\. It does not know path\. /);
    const demanded = await told('421 Extension Required', ['Require', 'sec-agree']);
    assert.equal(demanded.code, 'sip.security-refused');
    assert.match(demanded.meaning, /^The answer was 421\. It demands sec-agree\. /);
  });

  test('says why in Warning (RFC 3261 §20.43), in Reason (RFC 3326), or in a phrase of its own', async () => {
    const warned = await told('403 Forbidden', ['Warning', '399 hss "Unknown user"']);
    assert.match(warned.meaning, /^The answer was 403: Unknown user\. /);
    const reasoned = await told('500 Server Internal Error', ['Reason', 'SIP;cause=500;text="No S-CSCF"']);
    assert.match(reasoned.meaning, /^The answer was 500: No S-CSCF\. /);
    // As Kamailio's S-CSCF says it.
    assert.match(
      (await told('403 Forbidden - HSS User Unknown')).meaning,
      /^The answer was 403 Forbidden - HSS User U/,
    );
  });

  test('says nothing of why: OpenSER writes into Warning where it saw the request', async () => {
    const noise = ['Warning', '392 10.0.0.1:5060 "Noisy feedback tells:  pid=7 req_src_ip=10.0.0.2"'] as const;
    assert.match((await told('404 Not Found', noise)).meaning, /^The answer was 404\. /);
  });

  const nonce = (n: number): Header => ['WWW-Authenticate', `Digest realm="a", nonce="n${n}", algorithm=MD5`];
  const answer = (n: number): Header => ['Authorization', `Digest username="a", nonce="n${n}", response="x"`];
  /** So many challenges, each answered. */
  function challenged(times: number): Talk {
    const t = addressed(new Talk()).up(100, ask(1));
    for (let n = 1; n <= times; n++)
      t.down(100 * n + 30, tell('401 Unauthorized', n, [nonce(n)])).up(100 * n + 60, ask(n + 1, [answer(n)]));
    return t;
  }

  test('in the end, after challenge upon challenge: it is no loop, and the credentials are wrong', async () => {
    const r = await found(challenged(3).down(500, tell('403 Forbidden', 4)));
    assert.deepEqual(codes(r), ['sip.register-forbidden']);
    assert.match(r.findings[0].meaning, /^The answer was 403\. 3 challenges came in a row before: password, K or OPc /);
    assert.equal(r.registrations[0].state, 'failed');
    const loop = await found(challenged(2).down(400, tell('401 Unauthorized', 3, [nonce(3)])));
    assert.deepEqual(codes(loop), ['sip.register-loop']);
  });
});

test('messages and subscriptions that are refused say why, too', async () => {
  const warning: Header = ['Warning', '399 as "Not provisioned"'];
  const refused = (method: string, headers: readonly Header[]) =>
    talk()
      .up(1000, sip(`${method} sip:bob@ims.example`, { callId: 'm1', headers }))
      .down(1050, sip(`403 Forbidden ${method}`, { callId: 'm1', toTag: 's', headers: [warning] }, 'down'));
  const message = await found(refused('MESSAGE', []));
  assert.match(finding(message, 'message.failed').meaning, /^The answer was 403: Not provisioned\. /);
  const subscription = await found(refused('SUBSCRIBE', [['Event', 'reg']]));
  assert.match(
    finding(subscription, 'subscription.failed').meaning,
    /^The answer to the one for reg was 403: Not prov/,
  );
  const publication = await found(refused('PUBLISH', [['Event', 'presence']]));
  assert.match(finding(publication, 'publication.failed').meaning, /^The answer was 403: Not provisioned\. /);
});
