import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { test } from 'node:test';
import { opc } from '../../../src/crypto/milenage.js';
import { address } from '../../../src/live/address.js';
import { type Clock, realClock } from '../../../src/live/clock.js';
import { LabPcscf } from '../../../src/live/lab-pcscf.js';
import type { LabSubscriber } from '../../../src/live/lab-registrar.js';
import { seededRandom } from '../../../src/live/random.js';
import { SipLayer } from '../../../src/live/sip/layer.js';
import { RFC_TIMERS } from '../../../src/live/sip/transport.js';
import { Usim } from '../../../src/live/sip/usim.js';
import { freePort } from '../../support/ports.js';
import { until } from '../../support/until.js';
import { missing } from '../outer-support.js';
import { agent, socketTransport } from './agent.js';
import { accept, ack, CONTACT, callee, expect, recv, request, respond, SDP, sipp } from './sipp.js';

/*
 * The user agent against SIPp, which is not ours: over a UDP socket of this machine, both as caller and as callee.
 */

const skip = missing('sipp', '-v');

const CALLEE = `
  ${recv('INVITE')}
  ${respond('180 Ringing', 'Require: 100rel\n      RSeq: 7\n      ')}
  ${recv('PRACK')} ${accept()}
  <send retrans="500"><![CDATA[
      SIP/2.0 200 OK
      Via: [$via]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      CSeq: [$cseq] INVITE
      Contact: <sip:sipp@[local_ip]:[local_port]>
      Content-Type: application/sdp
      Content-Length: [len]
${SDP}
  ]]></send>
  ${recv('ACK')}
  ${recv('INVITE')} ${accept(SDP.replace('sendrecv', 'recvonly'))} ${recv('ACK')}
  ${recv('INFO')} ${accept()}
  ${recv('BYE')} ${accept()}
`.replace(
  '<recv request="INVITE" crlf="true"/>',
  `<recv request="INVITE" crlf="true"><action>
     <ereg regexp="(.*)" search_in="hdr" header="Via:" assign_to="all,via"/>
     <ereg regexp="([0-9]+)" search_in="hdr" header="CSeq:" assign_to="x,cseq"/>
   </action></recv><Reference variables="all,x"/>`,
);

test('our caller and SIPp as callee: reliable ringing, answer, hold, INFO, BYE', {
  skip,
  timeout: 300_000,
}, async (t) => {
  const { port, done } = await callee(t, CALLEE);
  const log: string[] = [];
  const { ua } = await agent(t, port, (e) => {
    if (e.type !== 'call') return;
    log.push(e.event.type === 'progress' ? `progress ${e.event.status} ${e.event.reliable}` : e.event.type);
    if (e.event.type === 'answered') e.call.hold();
    if (e.event.type === 'media' && e.event.media.direction === 'sendonly') {
      e.call.sendInfoDigit('5');
      setTimeout(() => e.call.hangUp(), 200);
    }
  });
  const call = ua.call('sip:sipp@ims.example', 'supported');
  assert.equal(await done, 'ok');
  await until(() => log.includes('ended'));
  assert.deepEqual(log, ['progress 180 true', 'media', 'answered', 'media', 'ended']);
  assert.equal(call.media?.codec.name, 'PCMA');
});

const FIRST = request(
  'INVITE',
  1,
  'Record-Route: <sip:p2.example;lr>\n      Require: 100rel\n      ',
  SDP,
  '',
  'sip:alice@[remote_ip]:[remote_port]',
);
const CALLER = `
  ${FIRST}
  ${expect(100, 'optional="true"')}
  <recv response="180">${CONTACT}</recv>
  ${request('PRACK', 2, 'RAck: [$rseq] 1 INVITE\n      ')} ${expect(200)}
  <recv response="200"><action>
    <ereg regexp="sip:p2.example;lr" search_in="hdr" header="Record-Route:" check_it="true" assign_to="route"/>
  </action></recv>
  <Reference variables="route"/> ${ack(1)}
  ${request('UPDATE', 3, '', SDP.replace('sendrecv', 'sendonly'))} ${expect(200)}
  ${request('INVITE', 4, '', SDP)} ${expect(200)} ${ack(4)}
  ${request('BYE', 5)} ${expect(200)}
`;

test('SIPp as caller and our callee: PRACK, UPDATE, re-INVITE, BYE', { skip, timeout: 300_000 }, async (t) => {
  const log: string[] = [];
  const { port } = await agent(t, 9, (e) => {
    if (e.type === 'incoming') {
      e.call.ring();
      e.call.answer();
    } else if (e.type === 'call')
      log.push(e.event.type === 'media' ? `media ${e.event.media.direction}` : e.event.type);
  });
  const done = sipp(t, CALLER, ['-p', String(await freePort()), `127.0.0.1:${port}`]);
  assert.equal(await done, 'ok');
  assert.deepEqual(log, ['answered', 'media sendrecv', 'media recvonly', 'media sendrecv', 'ended']);
});

const CANCELLER = `
  ${FIRST}
  ${expect(100, 'optional="true"')}
  <recv response="180">${CONTACT}</recv>
  ${request('PRACK', 2, 'RAck: [$rseq] 1 INVITE\n      ')} ${expect(200)}
  <send retrans="500"><![CDATA[
      CANCEL sip:alice@[remote_ip]:[remote_port] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch-5]
      From: <sip:sipp@[local_ip]>;tag=[pid]
      To: <sip:alice@ims.example>
      Call-ID: [call_id]
      CSeq: 1 CANCEL
      Max-Forwards: 70
      Content-Length: 0
  ]]></send>
  ${expect(200)}
  ${expect(487)}
`;

test('SIPp cancels a call to us', { skip, timeout: 300_000 }, async (t) => {
  const log: string[] = [];
  const { port } = await agent(t, 9, (e) => {
    if (e.type === 'incoming') e.call.ring();
    else if (e.type === 'call' && e.event.type === 'ended') log.push(`ended ${e.event.by} ${e.event.status}`);
  });
  const done = sipp(t, CANCELLER, ['-p', String(await freePort()), `127.0.0.1:${port}`]);
  const outcome = await done;
  assert.deepEqual(log, ['ended remote 487'], outcome);
});

const REGISTRAR = `
  ${recv('REGISTER')}
  ${respond('401 Unauthorized', 'WWW-Authenticate: Digest realm="ims.example", nonce="47364c23432d2e131a5fb210812c", qop="auth", algorithm=MD5\n      ')}
  <recv request="REGISTER" crlf="true"><action>
    <verifyauth assign_to="authvalid" username="alice" password="secret"/>
  </action></recv>
  <nop hide="true" test="authvalid" next="good"/>
  ${respond('403 Forbidden')}
  <nop next="end"/>
  <label id="good"/>
  ${respond('200 OK', 'Expires: 600\n      ')}
  <label id="end"/>
`;

test('SIPp as registrar finds our Digest right', { skip, timeout: 300_000 }, async (t) => {
  const { port, done } = await callee(t, REGISTRAR);
  const log: string[] = [];
  const { ua } = await agent(t, port, (e) => {
    if (e.type === 'registration')
      log.push(e.event.type === 'registered' ? `registered ${e.event.seconds}` : e.event.type);
  });
  ua.register();
  assert.equal(await done, 'ok');
  await until(() => log.length >= 2);
  assert.deepEqual(log, ['challenged', 'registered 600']);
});

/** Test set 1 of TS 35.208 §4.3: key, OPc, challenge, sequence number, f2 to f5*, AMF. */
const SET = {
  k: Buffer.from('465b5ce8b199b49faa5f0a2ee238a6bc', 'hex'),
  opc: Buffer.from('cd63cb71954a9f4e48a5994e37a02baf', 'hex'),
  rand: Buffer.from('23553cbe9637a89d218ae64dae47bf35', 'hex'),
  sqn: 0xff9bb4d0b607,
  ak: Buffer.from('aa689c648370', 'hex'),
  akStar: Buffer.from('451e8beca43b', 'hex'),
  amf: Buffer.from('b9b9', 'hex'),
};

const mixed = (a: Buffer, b: Buffer): Buffer => Buffer.from(a.map((o, i) => o ^ b[i]));
const sequence = (n: number): Buffer => Buffer.from(n.toString(16).padStart(12, '0'), 'hex');

/** f1 and f1* of TS 35.206 §4.1, eight octets each, by the AES of OpenSSL. */
function authenticationCodes(sqn: Buffer, amf: Buffer): [Buffer, Buffer] {
  const block = (b: Buffer): Buffer =>
    createCipheriv('aes-128-ecb', SET.k, null).setAutoPadding(false).update(mixed(b, SET.opc));
  const turned = mixed(Buffer.concat([sqn, amf, sqn, amf]), SET.opc);
  const input = mixed(Buffer.concat([turned.subarray(8), turned.subarray(0, 8)]), block(SET.rand));
  const out = mixed(block(mixed(input, SET.opc)), SET.opc);
  return [out.subarray(0, 8), out.subarray(8)];
}

/** RAND and AUTN as a nonce. RFC 3310 §3.2 */
const aka = (sqn: number): string => {
  const [mac] = authenticationCodes(sequence(sqn), SET.amf);
  return Buffer.concat([SET.rand, mixed(sequence(sqn), SET.ak), SET.amf, mac]).toString('base64');
};

/** A request that must have such credentials. */
const credentials = (pattern: string): string => `
  <recv request="REGISTER" crlf="true"><action>
    <ereg regexp="${pattern.replaceAll('"', '&quot;')}" search_in="hdr" header="Authorization:" check_it="true" assign_to="had"/>
  </action></recv><Reference variables="had"/>`;
const literal = (text: string): string => text.replace(/[+.]/g, '[$&]');
const challenge = (sqn: number): string =>
  respond(
    '401 Unauthorized',
    `WWW-Authenticate: Digest realm="ims.example", nonce="${aka(sqn)}", algorithm=AKAv1-MD5\n      `,
  );

test('SIPp as registrar is told by our USIM which number it wants, and finds the next one right', {
  skip,
  timeout: 300_000,
}, async (t) => {
  assert.equal(authenticationCodes(sequence(SET.sqn), SET.amf)[0].toString('hex'), '4a9ffac354dfafb3'); // TS 35.208 §4.3
  assert.equal(authenticationCodes(sequence(SET.sqn), SET.amf)[1].toString('hex'), '01cfaf9ec4e871e9');
  // TS 33.102 §6.3.3: SQN of the USIM under AK*, and f1* with an AMF of zeros
  const macS = authenticationCodes(sequence(SET.sqn), Buffer.alloc(2))[1];
  const auts = Buffer.concat([mixed(sequence(SET.sqn), SET.akStar), macS]).toString('base64');
  const { port, done } = await callee(
    t,
    `${recv('REGISTER')} ${challenge(SET.sqn)}
     ${credentials(`auts="${literal(auts)}"`)} ${challenge(SET.sqn + 32)}
     ${credentials(`nonce="${literal(aka(SET.sqn + 32))}".*response="[0-9a-f]{32}"`)}
     ${respond('200 OK', 'Expires: 600\n      ')}`,
  );
  const log: string[] = [];
  const usim = new Usim({ k: SET.k, opc: SET.opc, sqn: SET.sqn });
  const { ua } = await agent(
    t,
    port,
    (e) => {
      if (e.type !== 'registration') return;
      const { event } = e;
      log.push(event.type === 'challenged' && event.resynchronising ? 'resynchronising' : event.type);
    },
    { identity: { impi: 'alice', usim } },
  );
  ua.register();
  const outcome = await done;
  assert.equal(outcome, 'ok');
  await until(() => log.length >= 3);
  assert.deepEqual(log, ['resynchronising', 'challenged', 'registered']);
  assert.equal(usim.sqn, SET.sqn + 32);
});

/** A second takes fifty milliseconds. */
const hurried: Clock = {
  now: () => 20 * realClock.now(),
  after: (ms, callback) => realClock.after(ms / 20, callback),
};

/** A REGISTER whose Via offers keep-alives, and an answer that asks for one a second. RFC 6223 §4 */
const KEPT = `
  <recv request="REGISTER" crlf="true"><action>
    <ereg regexp="(.*);keep(.*)" search_in="hdr" header="Via:" check_it="true" assign_to="all,before,behind"/>
  </action></recv><Reference variables="all"/>
  ${respond('200 OK', 'Expires: 600\n      ').replace('[last_Via:]', 'Via:[$before];keep=1[$behind]')}`;

test('SIPp asks for keep-alives and answers none: the flow is dead, and the registration is made anew', {
  skip,
  timeout: 300_000,
}, async (t) => {
  const { port, done } = await callee(t, `${KEPT} ${KEPT}`);
  const log: string[] = [];
  const { ua } = await agent(
    t,
    port,
    (e) => {
      if (e.type === 'keep-alive') log.push(e.event);
      else if (e.type === 'registration' && e.event.type === 'registered')
        log.push(`registered, keep ${e.event.keepSeconds}`);
    },
    {},
    hurried,
  );
  ua.register();
  const outcome = await done;
  assert.equal(outcome, 'ok');
  await until(() => log.length >= 3);
  assert.deepEqual(log.slice(0, 3), ['registered, keep 1', 'failed', 'registered, keep 1']);
});

/** A REGISTER with what `[authentication …]` needs. */
const register = (cseq: number, more: string, expires = 600) => `
  <send retrans="500"><![CDATA[
      REGISTER sip:ims.example SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];keep
      From: <sip:sipp@ims.example>;tag=[pid]
      To: <sip:sipp@ims.example>
      Call-ID: [call_id]
      CSeq: ${cseq} REGISTER
      Contact: <sip:sipp@[local_ip]:[local_port]>;expires=${expires}
      Max-Forwards: 70
      ${more}Content-Length: 0
  ]]></send>`;

/** SIPp puts keys into its scenario as text: letters alone. */
const K = 'abcdefghijklmnop';
const OP = 'qrstuvwxyzABCDEF';
const AMF = 'GH';
const octets = (text: string): Uint8Array => new TextEncoder().encode(text);

for (const [algorithm, credentials, secrets] of [
  ['MD5', 'password=secret', { password: 'secret' }],
  [
    'AKAv1-MD5',
    `aka_K=${K} aka_OP=${OP} aka_AMF=${AMF}`,
    { usim: { k: octets(K), opc: opc(octets(K), octets(OP)), amf: octets(AMF) } },
  ],
] as [LabSubscriber['algorithm'], string, Partial<LabSubscriber>][])
  test(`our registrar and SIPp with ${algorithm}: register, call a service, deregister`, {
    skip,
    timeout: 300_000,
  }, async (t) => {
    const { transport, port } = await socketTransport();
    // SIPp takes RES for text, which ends at a zero octet: there is none with this seed.
    const layer = new SipLayer({ transport, clock: realClock, random: seededRandom(3), timers: RFC_TIMERS });
    t.after(() => layer.close());
    const log: string[] = [];
    const busy = await agent(t, port, (e) => {
      if (e.type !== 'incoming') return;
      e.call.ring();
      e.call.answer();
    });
    new LabPcscf(layer, {
      domain: 'ims.example',
      subscribers: [{ impi: 'sipp', impus: ['sip:sipp@ims.example'], algorithm, ...secrets }],
      services: [{ user: 'alice', peer: { address: address('127.0.0.1'), port: busy.port } }],
      keepSeconds: 30,
      onEvent: (e) => log.push(e.type),
    });
    const answer = `[authentication username=sipp ${credentials}]\n      `;
    const scenario = `
      ${register(1, '')} <recv response="401" auth="true"/>
      ${register(2, answer)}
      <recv response="200"><action>
        <ereg regexp="keep=30" search_in="hdr" header="Via:" check_it="true" assign_to="keep"/>
        <ereg regexp="sip:orig@" search_in="hdr" header="Service-Route:" check_it="true" assign_to="route"/>
      </action></recv>
      <Reference variables="keep,route"/>
      ${request('INVITE', 3, '', SDP, '', 'sip:alice@ims.example')}
      ${expect(100, 'optional="true"')} ${expect(180, 'optional="true"')}
      <recv response="200" rrs="true"/>
      ${request('ACK', 3, '[routes]\n      ', '', '[peer_tag_param]', '[next_url]').replace(' retrans="500"', '')}
      ${request('BYE', 4, '[routes]\n      ', '', '[peer_tag_param]', '[next_url]')} ${expect(200)}
      ${register(5, '', 0)} <recv response="401" auth="true"/>
      ${register(6, answer, 0)} ${expect(200)}`;
    const outcome = await sipp(t, scenario, ['-p', String(await freePort()), `127.0.0.1:${port}`]);
    assert.equal(outcome, 'ok');
    assert.deepEqual(log, ['challenged', 'registered', 'challenged', 'deregistered']);
  });
