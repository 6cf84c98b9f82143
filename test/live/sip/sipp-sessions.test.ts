import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { Usim } from '../../../src/live/sip/usim.js';
import { freePort } from '../../support/ports.js';
import { until } from '../../support/until.js';
import { missing } from '../outer-support.js';
import { agent } from './agent.js';
import { accept, ack, CONTACT, callee, expect, recv, request, respond, SDP, sipp } from './sipp.js';

/* Session timers, preconditions and AKA of our user agent, with SIPp at the other end. */

const skip = missing('sipp', '-v');

/** Takes a request, and wants a header or the body to match. */
const check = (name: string, where: string, regexp: string): string =>
  `<ereg regexp="${regexp}" search_in="${where === 'body' ? 'body' : 'hdr'}" ${where === 'body' ? '' : `header="${where}:"`} check_it="true" assign_to="${name}"/>`;
const used = (...names: string[]): string => `<Reference variables="${names.join(',')}"/>`;

/** Calls SIPp, which goes through a scenario; resolves to what happened at our end. */
const TIMED = `
  <recv request="INVITE"><action>${check('e1', 'Session-Expires', '90')}</action></recv>
  ${respond('422 Session Interval Too Small', 'Min-SE: 120\n      ')} ${recv('ACK')}
  <recv request="INVITE"><action>${check('e2', 'Session-Expires', '120')}${check('m', 'Min-SE', '120')}</action></recv>
  ${respond('200 OK', 'Session-Expires: 2;refresher=uac\n      Require: timer\n      Allow: INVITE, ACK, BYE, UPDATE\n      ', SDP)}
  ${recv('ACK')}
  <recv request="UPDATE"><action>${check('e3', 'Session-Expires', '120;refresher=uac')}</action></recv>
  ${accept().replace('Content-Length', 'Session-Expires: 120;refresher=uac\n      Content-Length')}
  ${recv('BYE')} ${accept()}
  ${used('e1', 'e2', 'e3', 'm')}
`;

test('a session timer: SIPp wants it longer, then our side refreshes by UPDATE', {
  skip,
  timeout: 300_000,
}, async (t) => {
  const { port, done } = await callee(t, TIMED);
  const { ua, heard } = await agent(t, port, () => undefined, { sessionExpires: 90 });
  const call = ua.call('sip:sipp@ims.example');
  await Promise.race([until(() => heard.some((m) => /^SIP\/2\.0 200[\s\S]*^CSeq: \d+ UPDATE/m.test(m))), done]);
  call.hangUp();
  assert.equal(await done, 'ok');
});

const REFRESHER = `
  ${request('INVITE', 1, 'Supported: timer\n      Session-Expires: 60\n      ', SDP, '', 'sip:alice@[remote_ip]:[remote_port]')}
  ${expect(100, 'optional="true"')}
  <recv response="422"><action>${check('least', 'Min-SE', '90')}</action></recv>
  ${ack(1).replace('[$contact]', 'sip:alice@[remote_ip]:[remote_port]')}
  ${request('INVITE', 2, 'Supported: timer\n      Session-Expires: 90\n      ', SDP, '', 'sip:alice@[remote_ip]:[remote_port]')}
  ${expect(100, 'optional="true"')}
  <recv response="200"><action>
    <ereg regexp="sip:[^&gt;]*" search_in="hdr" header="Contact:" assign_to="contact"/>
    ${check('granted', 'Session-Expires', '90;refresher=uac')}${check('require', 'Require', 'timer')}
  </action></recv>
  ${ack(2)}
  ${request('UPDATE', 3, 'Supported: timer\n      Session-Expires: 90;refresher=uac\n      ')}
  <recv response="200"><action>${check('again', 'Session-Expires', '90;refresher=uac')}</action></recv>
  ${request('BYE', 4)} ${expect(200)}
  ${used('least', 'granted', 'require', 'again')}
`;

test('SIPp asks for a session timer that is too short, then refreshes', { skip, timeout: 300_000 }, async (t) => {
  const { port } = await agent(t, 9, (e) => e.type === 'incoming' && e.call.answer());
  assert.equal(await sipp(t, REFRESHER, ['-p', String(await freePort()), `127.0.0.1:${port}`]), 'ok');
});

const qos = (local: string, remote: string): string =>
  `${SDP.trimEnd()}
      a=curr:qos local ${local}
      a=curr:qos remote ${remote}
      a=des:qos mandatory local sendrecv
      a=des:qos mandatory remote sendrecv
`;
const RAISED = `<ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" assign_to="rseq"/>`;
const RESERVING = `
  ${request('INVITE', 1, 'Supported: 100rel, precondition\n      ', qos('none', 'none'), '', 'sip:alice@[remote_ip]:[remote_port]')}
  ${expect(100, 'optional="true"')}
  <recv response="183">${CONTACT.replace('</action>', `${check('conf', 'body', 'a=conf:qos remote sendrecv')}${check('own', 'body', 'a=curr:qos local sendrecv')}</action>`)}</recv>
  ${request('PRACK', 2, 'RAck: [$rseq] 1 INVITE\n      ')} ${expect(200)}
  ${request('UPDATE', 3, '', qos('sendrecv', 'sendrecv'))}
  <recv response="200"><action>${check('met', 'body', 'a=curr:qos remote sendrecv')}</action></recv>
  <recv response="180"><action>${RAISED}</action></recv>
  ${request('PRACK', 4, 'RAck: [$rseq] 1 INVITE\n      ')} ${expect(200)}
  ${expect(200)} ${ack(1)}
  ${request('BYE', 5)} ${expect(200)}
  ${used('conf', 'own', 'met')}
`;

test('SIPp calls with preconditions: we ring when its resources are there', { skip, timeout: 300_000 }, async (t) => {
  const { port } = await agent(t, 9, (e) => {
    if (e.type !== 'incoming') return;
    e.call.ring();
    setTimeout(() => e.call.answer(), 300); // sooner or later than they are there: the answer waits
  });
  assert.equal(await sipp(t, RESERVING, ['-p', String(await freePort()), `127.0.0.1:${port}`]), 'ok');
});

/** TS 35.208, test set 1. */
const K = Buffer.from('465b5ce8b199b49faa5f0a2ee238a6bc', 'hex');
const OPC = Buffer.from('cd63cb71954a9f4e48a5994e37a02baf', 'hex');
const RES = Buffer.from('a54211d5e3ba50bf', 'hex');
const NONCE = Buffer.from('23553cbe9637a89d218ae64dae47bf3555f328b43577b9b94a9ffac354dfafb3', 'hex').toString('base64');
const SQN = 0xff9bb4d0b607;

const md5 = (...parts: (string | Buffer)[]): string => {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/** The response of RFC 2617 §3.2.2.1 without qop. */
const response = (password: string | Buffer): string =>
  `response=.${md5(md5('alice:ims.example:', password), ':', NONCE, ':', md5('REGISTER:sip:ims.example'))}`;

/** Base64 of HMAC-MD5 over "http-digest-akav2-password" with RES, IK and CK for the key: RFC 4169 §2.1 */
const IK = Buffer.from('f769bcd751044604127672711c6d3441', 'hex');
const CK = Buffer.from('b40ba9a3c58b2a05bbf0d987b21bf8cb', 'hex');
const SECOND = createHmac('md5', Buffer.concat([RES, IK, CK]))
  .update('http-digest-akav2-password')
  .digest('base64');

for (const [algorithm, what, sqn, pattern, status] of [
  ['AKAv1-MD5', 'RES for a password', SQN - 1, response(RES), '200 OK'], // RFC 3310 §3.3
  ['AKAv2-MD5', 'its password', SQN - 1, response(SECOND), '200 OK'],
  // RFC 3310 §3.4; SQN xor f5* (451e8beca43b) is ba853f3c123c
  [
    'AKAv1-MD5',
    'AUTS of a USIM that is ahead',
    SQN,
    `auts=.${Buffer.from('ba853f3c123c', 'hex').toString('base64')}`,
    '403 Forbidden',
  ],
] as const)
  test(`SIPp challenges by ${algorithm} with the test set 1, and gets ${what}`, {
    skip,
    timeout: 300_000,
  }, async (t) => {
    const challenge = `WWW-Authenticate: Digest realm="ims.example", nonce="${NONCE}", algorithm=${algorithm}\n      `;
    const scenario = `
      ${recv('REGISTER')} ${respond('401 Unauthorized', challenge)}
      <recv request="REGISTER"><action>${check('proof', 'Authorization', pattern)}</action></recv>
      ${respond(status, 'Expires: 600\n      ')} ${used('proof')}`;
    const { port, done } = await callee(t, scenario);
    const identity = { impi: 'alice', usim: new Usim({ k: K, opc: OPC, sqn }) };
    const { ua } = await agent(t, port, () => undefined, { identity });
    ua.register();
    assert.equal(await done, 'ok');
  });
