import assert from 'node:assert/strict';
import { createCipheriv, createHash, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { concat, put16, put32 } from 'fttscope/kit';
import { EspKeys } from '../../src/crypto/esp-keys.js';
import { f1, f1star, f5star, f2345 } from '../../src/crypto/milenage.js';
import { SubscriberKeys } from '../../src/crypto/subscriber-keys.js';
import { LIMITS } from '../../src/limits.js';
import { CaptureBuilder } from '../build/capture.js';
import { clearConversation } from '../build/conversation.js';
import * as ims from '../build/ims.js';
import { address, ip, udp } from '../build/packets.js';
import { Script } from '../build/script.js';
import { file, run } from '../cli/run.js';
import { tshark, tsharkMissing } from '../support/tshark.js';
import { codes, ENDS, type Json, note, reportOn } from './support.js';

const hex = (s: string): Uint8Array => Uint8Array.from(Buffer.from(s, 'hex'));
const K = hex(ims.SUBSCRIBER.k);
const OPC = hex(ims.SUBSCRIBER.opc);
const RAND = hex('23553cbe9637a89d218ae64dae47bf35');
const KEYS = `# test set 1 of TS 35.208\nimpi=${ims.SUBSCRIBER.impi} k=${ims.SUBSCRIBER.k} opc=${ims.SUBSCRIBER.opc}\n`;
const { ck, ik } = f2345(K, OPC, RAND);
const VECTOR = `ck=${Buffer.from(ck).toString('hex')} ik=${Buffer.from(ik).toString('hex')}`;

const capture = (s: Script): Uint8Array =>
  new CaptureBuilder().connection(clearConversation(s.steps), { ...ENDS, step: 10, end: 'none' }).build().octets;
const told = (s: Script, keys = KEYS): Promise<Json> => reportOn(capture(s), '', [], keys);

const nonce = (text = ims.akaNonce()) => `Digest realm="ims.example", nonce="${text}", algorithm=AKAv1-MD5, qop="auth"`;
const challenge = (header: string, more: readonly (readonly [string, string])[] = []) =>
  ims.tell(401, 'Unauthorized', 'REGISTER', ims.REGISTERING, 1, { headers: [['WWW-Authenticate', header], ...more] });
const welcome = [['Contact', `<sip:${ims.UE}:5060>;expires=3600`]] as const;
const accepted = (cseq = 2) => ims.tell(200, 'OK', 'REGISTER', ims.REGISTERING, cseq, { headers: welcome });

describe('a challenge with the key of the subscriber', () => {
  const dialog = (header: string, authorization: string): Script =>
    new Script()
      .up(0, ims.register(1))
      .down(50, challenge(header))
      .up(60, ims.register(2, 3600, authorization))
      .down(100, accepted());

  test('MAC and RES are right, SQN is known', async () => {
    const r = await told(dialog(nonce(), ims.akaAnswer()));
    const { aka } = r.registrations[0];
    assert.deepEqual([aka.macVerified, aka.responseVerified, aka.sqn], [true, true, 'ff9bb4d0b607']);
    assert.deepEqual(codes(r), []);
    assert.ok(!JSON.stringify(r).includes(ims.SUBSCRIBER.k));
    assert.ok(!JSON.stringify(r).toLowerCase().includes(Buffer.from(ck).toString('hex')));
  });

  test('keys of somebody else are told of, and a folder with them alone has keys', () => {
    const path = file('aka.pcapng', capture(dialog(nonce(), ims.akaAnswer())));
    const said = (keys: string): string => run(['report', path, '-k', file('subscriber.keys', keys)]).err;
    assert.equal(said(KEYS), '');
    assert.match(said(KEYS.replace(/impi=\S+/, 'impi=262010123456789')), /^fttscope: no challenge is to a subscriber/m);
    assert.doesNotMatch(said(KEYS.replace('opc=', 'opc= ')), /[0-9a-f]{8}/);
    const folder = mkdtempSync(join(tmpdir(), 'fttscope-subscribers-'));
    writeFileSync(join(folder, 'card.txt'), KEYS);
    assert.equal(run(['report', path, '-k', folder]).err, '');
    rmSync(folder, { recursive: true });
  });

  test('without the key nothing is claimed', async () => {
    const { aka } = (await told(dialog(nonce(), ims.akaAnswer()), '')).registrations[0];
    assert.deepEqual([aka.macVerified, aka.responseVerified, aka.sqn], [undefined, undefined, undefined]);
  });

  test('another K makes neither', async () => {
    const other = `k=${ims.SUBSCRIBER.opc} op=${ims.SUBSCRIBER.k}\n`;
    const r = await told(dialog(nonce(), ims.akaAnswer()), other);
    assert.deepEqual(codes(r), ['sip.aka-mac', 'sip.aka-response']);
    const wrong = ims.akaAnswer().replace(/response="./, 'response="x');
    assert.deepEqual(codes(await told(dialog(nonce(), wrong))), ['sip.aka-response']);
  });

  test('a resynchronisation', async () => {
    const sqn = hex('ff9bb4d0b608');
    const auts = concat([
      f5star(K, OPC, RAND).map((o, i) => o ^ sqn[i]!),
      f1star(K, OPC, RAND, sqn, new Uint8Array(2)),
    ]);
    const ask = (b: Uint8Array) =>
      ims.akaAnswer().replace('qop=auth', `qop=auth, auts="${Buffer.from(b).toString('base64')}"`);
    const r = await told(dialog(nonce(), ask(auts)));
    assert.deepEqual(codes(r), []);
    note(r, 'sip.aka-resync');
    assert.deepEqual(codes(await told(dialog(nonce(), ask(auts.map((o) => o ^ 1))))), ['sip.aka-response']);
  });

  test('an answer to the challenge before says nothing of this one', async () => {
    const rand = RAND.map((o) => o ^ 0x55);
    const sqn = hex('ff9bb4d0b620');
    const amf = hex('b9b9');
    const masked = f2345(K, OPC, rand).ak.map((o, i) => o ^ sqn[i]!);
    const later = Buffer.from(concat([rand, masked, amf, f1(K, OPC, rand, sqn, amf)])).toString('base64');
    const refused = ims.tell(401, 'Unauthorized', 'REGISTER', ims.REGISTERING, 3, {
      headers: [['WWW-Authenticate', nonce(later)]],
    });
    const r = await told(
      dialog(nonce(), ims.akaAnswer())
        .up(2000, ims.register(3, 3600, ims.akaAnswer()))
        .down(2050, refused) // and the UE does not get it
        .up(10_000, ims.register(4, 3600, ims.akaAnswer()))
        .down(10_050, accepted(4)),
    );
    assert.deepEqual(codes(r), []);
    assert.equal(r.registrations[0].aka.sqn, 'ff9bb4d0b620');
    assert.equal(r.registrations[0].aka.responseVerified, undefined);
  });

  test('AKAv2-MD5 (RFC 4169 §2.1), and credentials that do not repeat the algorithm', async () => {
    const md5 = (...parts: string[]) => createHash('md5').update(parts.join(':')).digest('hex');
    const { res } = f2345(K, OPC, RAND);
    const password = createHmac('md5', concat([res, ik, ck]))
      .update('http-digest-akav2-password')
      .digest('base64');
    const [realm, uri] = ['ims.example', 'sip:ims.example'];
    const a1 = md5(ims.SUBSCRIBER.impi, realm, password);
    const response = md5(a1, ims.akaNonce(), '00000001', '0a4f113b', 'auth', md5('REGISTER', uri));
    const answer = ims.akaAnswer().replace(/response="[^"]*"/, `response="${response}"`);
    const second = nonce().replace('AKAv1', 'AKAv2');
    for (const said of [answer.replace('AKAv1', 'AKAv2'), answer.replace(', algorithm=AKAv1-MD5', '')]) {
      const r = await told(dialog(second, said));
      assert.equal(r.registrations[0].aka.responseVerified, true, said);
      assert.deepEqual(codes(r), []);
    }
  });

  test('qop auth-int, which covers the body (RFC 7616 §3.4.3)', async () => {
    const md5 = (...parts: (string | Uint8Array)[]) =>
      createHash('md5')
        .update(Buffer.concat(parts.flatMap((p, i) => [Buffer.from(i === 0 ? '' : ':'), Buffer.from(p)])))
        .digest('hex');
    const { res } = f2345(K, OPC, RAND);
    const a1 = md5(ims.SUBSCRIBER.impi, 'ims.example', res);
    const answer = (body: string) => {
      const a2 = md5('REGISTER', 'sip:ims.example', md5(body));
      const response = md5(a1, ims.akaNonce(), '00000001', '0a4f113b', 'auth-int', a2);
      return ims
        .akaAnswer()
        .replace(/response="[^"]*"/, `response="${response}"`)
        .replace('qop=auth', 'qop=auth-int');
    };
    const judged = async (header: string) => {
      const r = await told(dialog(nonce().replace('"auth"', '"auth,auth-int"'), header));
      return [r.registrations[0].aka.responseVerified, codes(r)];
    };
    assert.deepEqual(await judged(answer('')), [true, []]);
    assert.deepEqual(await judged(answer('what an element on the way took off')), [false, ['sip.aka-response']]);
  });

  test('a card that finds the challenge false (TS 24.229 §5.1.1.5.3)', async () => {
    const empty = ims.akaAnswer().replace(/response="[^"]*"/, 'response=""');
    const forbidden = ims.tell(403, 'Forbidden', 'REGISTER', ims.REGISTERING, 2);
    const start = new Script()
      .up(0, ims.register(1))
      .down(50, challenge(nonce()))
      .up(60, ims.register(2, 3600, empty));
    for (const keys of ['', KEYS]) {
      const r = await told(start.down(100, forbidden), keys);
      assert.deepEqual(codes(r), ['sip.aka-refused', 'sip.register-forbidden']);
      assert.match(r.findings[1].meaning, /^The answer was 403\. It came for the answer to a challenge: password, K /);
    }
  });

  test('a challenge for AKA behind one for Digest', async () => {
    const first = ['WWW-Authenticate', 'Digest realm="ims.example", nonce="0123", algorithm=MD5'] as const;
    const both = ims.tell(401, 'Unauthorized', 'REGISTER', ims.REGISTERING, 1, {
      headers: [first, ['WWW-Authenticate', nonce()]],
    });
    const r = await told(
      new Script()
        .up(0, ims.register(1))
        .down(50, both)
        .up(60, ims.register(2, 3600, ims.akaAnswer()))
        .down(100, accepted()),
    );
    const { aka } = r.registrations[0];
    assert.deepEqual([aka.macVerified, aka.responseVerified, aka.sqn], [true, true, 'ff9bb4d0b607']);
    assert.deepEqual(codes(r), []);
  });

  test('lines that are of no use are told without their keys', () => {
    const s = new SubscriberKeys(new EspKeys());
    const wrong = s.add(`impi=a k=${ims.SUBSCRIBER.k}\nsecret=1\nk=12 opc=34\n${VECTOR}`);
    assert.equal(s.length, 1);
    assert.equal(wrong.length, 3);
    assert.ok(!wrong.join().includes(ims.SUBSCRIBER.k));
    assert.ok(SubscriberKeys.looksLike(KEYS));
    // A key that stands alone behind a space, or before an equals sign, is none of the names: and is not told.
    const { k, opc } = ims.SUBSCRIBER;
    for (const line of [`impi=a k= ${k} opc=${opc}`, `${k}=k opc=${opc}`, `k=${k} opc = ${opc}`]) {
      const [said] = new SubscriberKeys(new EspKeys()).add(line);
      assert.ok(said !== undefined && !/[0-9a-f]{6}/i.test(said), said);
    }
    const upper = new SubscriberKeys(new EspKeys());
    assert.ok(SubscriberKeys.looksLike(`IMPI=a K=${k} OPc=${opc}`));
    assert.deepEqual([upper.add(`IMPI=a K=${k} OPc=${opc}`), upper.length], [[], 1]);
    const both = `k=${k} op=${'0'.repeat(32)} opc=${opc}`;
    assert.deepEqual(upper.add(both), ['line 1: opc is not that of k and op']);
    assert.ok(!SubscriberKeys.looksLike('CLIENT_RANDOM 00 00'));
  });
});

describe('ESP that was agreed on', () => {
  const offer = (alg: string, ealg: string, spis: string) => `ipsec-3gpp; alg=${alg}; ealg=${ealg}; mod=trans; ${spis}`;
  const CLIENT = 'spi-c=1001; spi-s=1002; port-c=5062; port-s=5064';
  const SERVER = 'spi-c=2001; spi-s=2002; port-c=6062; port-s=6064';

  /** The UDP datagram of a packet in ESP (RFC 4303 §2) with the keys of TS 33.203 annex I. */
  function sealed(packet: Uint8Array, way: 'up' | 'down', spi: number, alg: string, ealg: string): Uint8Array {
    const datagram = packet.slice(20);
    const ports = way === 'up' ? [5062, 6064] : [6064, 5062];
    put16(datagram, 0, ports[0]!);
    put16(datagram, 2, ports[1]!);
    put16(datagram, 6, 0);
    if (alg === 'aes-gmac' || ealg === 'aes-gcm') return galois(datagram, spi, ealg === 'aes-gcm');
    const block = ealg === 'null' ? 4 : ealg === 'aes-cbc' ? 16 : 8;
    const pad = (block - ((datagram.length + 2) % block)) % block;
    const plain = concat([datagram, Uint8Array.from({ length: pad }, (_, i) => i + 1), Uint8Array.of(pad, 17)]);
    const iv = new Uint8Array(ealg === 'null' ? 0 : block).fill(0x5a);
    const key = ealg === 'aes-cbc' ? ck : concat([ck, ck.subarray(0, 8)]);
    const name = ealg === 'aes-cbc' ? 'aes-128-cbc' : 'des-ede3-cbc';
    const secret = ealg === 'null' ? plain : createCipheriv(name, key, iv).setAutoPadding(false).update(plain);
    const header = new Uint8Array(8);
    put32(header, 0, spi);
    put32(header, 4, 1);
    const covered = concat([header, iv, secret]);
    const [hash, checkKey] = alg === 'hmac-sha-1-96' ? ['sha1', concat([ik, new Uint8Array(4)])] : ['md5', ik];
    const icv = createHmac(hash as string, checkKey as Uint8Array)
      .update(covered)
      .digest()
      .subarray(0, 12);
    return concat([covered, icv]);
  }

  /** FC || P0 || L0 of TS 33.220 §B.2.0. */
  const saltOf = (name: string, fc: number): Buffer =>
    createHmac('sha256', concat([ck, ik]))
      .update(Buffer.concat([Buffer.of(fc), Buffer.from(name), Buffer.of(0, name.length)]))
      .digest()
      .subarray(28);

  /** The same with AES-GCM (RFC 4106) or AES-GMAC (RFC 4543); salts are made as TS 33.203 annex I and TS 33.220 §B.2.0 say. */
  function galois(datagram: Uint8Array, spi: number, encrypts: boolean): Uint8Array {
    const salt = encrypts ? saltOf('AES_GCM_SALT', 0x59) : saltOf('AES_GMAC_SALT', 0x58);
    const pad = (4 - ((datagram.length + 2) % 4)) % 4;
    const plain = concat([datagram, Uint8Array.from({ length: pad }, (_, i) => i + 1), Uint8Array.of(pad, 17)]);
    const header = new Uint8Array(8);
    put32(header, 0, spi);
    put32(header, 4, 1);
    const nonce = new Uint8Array(8).fill(0x5a);
    const c = createCipheriv('aes-128-gcm', encrypts ? ck : ik, concat([salt, nonce]));
    c.setAAD(encrypts ? header : concat([header, nonce, plain]));
    const text = encrypts ? c.update(plain) : plain;
    c.final();
    return concat([header, nonce, text, c.getAuthTag()]);
  }

  const [UE, CORE] = [address(ims.UE), address(ims.PCSCF)];

  /** A registration whose second half is protected; `encapsulated`: in UDP, as behind a NAT. */
  function secured(
    alg: string,
    ealg: string,
    encapsulated = false,
    header = nonce(),
    offers = offer(alg, ealg, CLIENT),
    answers = offer(alg, ealg, SERVER),
  ): Script {
    const client = [['Security-Client', offers]] as const;
    const server = [['Security-Server', answers]] as const;
    const first = ims.ask('REGISTER', 'sip:ims.example', ims.REGISTERING, 1, { headers: client });
    const up = sealed(ims.register(2, 3600, ims.akaAnswer()), 'up', 2002, alg, ealg);
    const down = sealed(accepted(), 'down', 1001, alg, ealg);
    const carry = (octets: Uint8Array, from: Uint8Array, to: Uint8Array): Uint8Array =>
      encapsulated ? udp({ address: from, port: 4500 }, { address: to, port: 4500 }, octets) : ip(from, to, 50, octets);
    return new Script()
      .up(0, first)
      .down(50, challenge(header, server))
      .up(60, carry(up, UE, CORE))
      .down(100, carry(down, CORE, UE));
  }

  for (const [alg, ealg] of [
    ['hmac-sha-1-96', 'aes-cbc'],
    ['hmac-md5-96', 'aes-cbc'],
    ['hmac-sha-1-96', 'des-ede3-cbc'],
    ['hmac-sha-1-96', 'null'],
    ['null', 'aes-gcm'],
    ['aes-gmac', 'null'],
  ] as const)
    test(`${alg} and ${ealg}`, async () => {
      const r = await told(secured(alg, ealg));
      assert.equal(r.registrations.length, 1);
      assert.equal(r.registrations[0].state, 'registered');
      assert.equal(r.registrations[0].aka.responseVerified, true);
      assert.deepEqual(codes(r), []);
    });

  test('of several mechanisms the one that the network likes best, of those that the UE has', async () => {
    const [md5, sha1] = ['hmac-md5-96', 'hmac-sha-1-96'];
    const offers = [
      offer(md5!, 'null', CLIENT),
      offer(sha1!, 'null', CLIENT),
      offer('HMAC-SHA-1-96', 'AES-CBC', CLIENT),
    ];
    const answers = [
      `${offer(md5!, 'null', SERVER)}; q=0.1`,
      `${offer(sha1!, 'aes-cbc', SERVER)}; q=0.8`,
      `${offer('null', 'aes-gcm', SERVER)}; q=0.9`,
    ];
    const r = await told(secured(sha1!, 'aes-cbc', false, nonce(), offers.join(', '), answers.join(', ')));
    assert.equal(r.registrations[0].state, 'registered');
    assert.deepEqual(codes(r), []);
  });

  /** tshark has no GMAC; of GCM it takes the key with its salt behind it. */
  test('AES-GCM as tshark opens it with the key and the salt', { skip: tsharkMissing }, async () => {
    const packet = sealed(ims.register(2, 3600, ims.akaAnswer()), 'up', 2002, 'null', 'aes-gcm');
    const path = file('gcm.pcapng', new CaptureBuilder().packet(ip(UE, CORE, 50, packet), 0).build().octets);
    const key = Buffer.concat([ck, saltOf('AES_GCM_SALT', 0x59)]).toString('hex');
    const line = ['IPv4', '*', '*', '0x000007d2', 'AES-GCM with 16 octet ICV [RFC4106]', `0x${key}`, 'NULL', ''];
    const table = `uat:esp_sa:${line.map((x) => `"${x}"`).join(',')}`;
    const on = ['-o', 'esp.enable_encryption_decode:TRUE', '-o', table, '-d', 'udp.port==6064,sip'];
    const text = await tshark(['-n', '-r', path, ...on, '-T', 'fields', '-e', 'sip.Method', '-e', 'sip.CSeq.seq']);
    assert.equal(text.trim(), 'REGISTER\t2');
    const r = run(['read', path, ...on, '-T', 'fields', '-e', 'sip.Method']);
    assert.equal(r.out.trim(), 'REGISTER', r.err);
  });

  test('AES-GCM that is encapsulated in UDP', async () => {
    const r = await told(secured('null', 'aes-gcm', true), VECTOR);
    assert.equal(r.registrations[0].state, 'registered');
  });

  test('encapsulated in UDP, and with CK and IK alone', async () => {
    const r = await told(secured('hmac-sha-1-96', 'aes-cbc', true), VECTOR);
    assert.equal(r.registrations[0].state, 'registered');
    assert.equal(r.registrations[0].aka.macVerified, undefined);
  });

  test('with the keys that the challenge carries, which is told', async () => {
    const [c, i] = [ck, ik].map((b) => Buffer.from(b).toString('hex'));
    const r = await told(secured('hmac-sha-1-96', 'aes-cbc', false, `${nonce()}, ck="${c}", ik="${i}"`), '');
    assert.equal(r.registrations[0].state, 'registered');
    assert.deepEqual(codes(r), ['sip.aka-leak']);
  });

  test('very many are told, of those that make room', () => {
    const agreements = LIMITS.espAssociations / 4 + 1;
    const s = new Script();
    for (let i = 0; i < agreements; i++) {
      const spis = (side: number) => `spi-c=${10_000 * side + 2 * i}; spi-s=${10_000 * side + 2 * i + 1}`;
      const client = [['Security-Client', offer('hmac-sha-1-96', 'null', spis(1))]] as const;
      const server = ['Security-Server', offer('hmac-sha-1-96', 'null', spis(2))] as const;
      const headers = [['WWW-Authenticate', nonce()], server] as const;
      s.up(100 * i, ims.ask('REGISTER', 'sip:ims.example', ims.REGISTERING, 1 + i, { headers: client }));
      s.down(100 * i + 50, ims.tell(401, 'Unauthorized', 'REGISTER', ims.REGISTERING, 1 + i, { headers }));
    }
    const path = file('agreements.pcapng', capture(s));
    const keys = file('agreements.txt', Buffer.from(KEYS));
    const said = /the limit espAssociations \(4096\) was reached 4 times/;
    assert.match(run(['read', path, '-k', keys]).err, said);
    const report = run(['report', path, '-k', keys]);
    assert.match(report.err, said);
    const { limits } = JSON.parse(report.out);
    assert.deepEqual(
      limits.find((l: Json) => l.name === 'espAssociations'),
      { name: 'espAssociations', cap: LIMITS.espAssociations, hit: 4 },
    );
  });

  test('without keys it stays closed', async () => {
    const r = await told(secured('hmac-sha-1-96', 'aes-cbc'), '');
    assert.equal(r.registrations[0].state, 'in-progress');
    assert.equal(r.registrations[0].transactions.length, 1);
  });
});

test('a key of another challenge is not taken', async () => {
  const s = new SubscriberKeys(new EspKeys());
  s.add(`${VECTOR} rand=${Buffer.from(RAND).toString('hex')}`);
  assert.ok(s.challenge('', RAND, new Uint8Array(16)));
  assert.equal(s.challenge('', new Uint8Array(16), new Uint8Array(16)), undefined);
});
