import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pseudonyms } from '../../src/report/redact.js';
import { run, sample } from '../cli/run.js';
import { violations } from '../model/schema.js';

test('the same gets the same pseudonym, and subnets stay subnets', () => {
  const p = new Pseudonyms();
  assert.equal(p.text('192.0.2.10 to 192.0.2.1, 198.51.100.1:443'), '10.0.1.1 to 10.0.1.2, 10.0.2.1:443');
  assert.equal(p.text('again 192.0.2.1.'), 'again 10.0.1.2.');
  assert.equal(p.text('[2001:db8:9:0:1735:ab1d:77c:ea22]:5060'), '[2001:db8:0:3::1]:5060');
  assert.equal(p.text('2001:db8:9::/64'), '2001:db8:0:3::/64');
  assert.equal(p.text('sip:alice@ims.example;user=phone'), 'sip:u1@host1.example;user=phone');
  assert.equal(p.text('<tel:+4915112345678>'), '<tel:+9990000000001>');
  assert.equal(p.text('262010123456789@ims.mnc001.mcc262.3gppnetwork.org'), '999000000000002@host2.example');
  assert.equal(p.text('alice@ims.example said 4915112345678'), 'u1@host1.example said 9990000000001');
  assert.equal(p.text('urn:gsma:imei:35-209900-176148-1'), 'urn:gsma:imei:999000000000003');
  const uuid = 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6';
  assert.equal(p.text(`<urn:uuid:${uuid}>`), '<urn:uuid:00000000-0000-0000-0000-000000000001>');
  assert.equal(p.text('<sip:alice@ims.example?Replaces=1%40192.0.2.1>'), '<sip:u1@host1.example?…>');
  assert.equal(p.text('sip:[2001:db8:9::1%25eth0]'), 'sip:[2001:db8:0:3::2]');
  assert.equal(p.text('2001:db8:9::192.0.2.1'), '2001:db8:0:3::3');
});

test('what is nobody in particular stays', () => {
  const p = new Pseudonyms();
  for (const s of [
    '0.0.0.0',
    '255.255.255.255',
    '127.0.0.1',
    'ff02::1',
    '::',
    '::1',
    '503 Service Unavailable',
    'row 12.1',
  ])
    assert.equal(p.text(s), s);
});

test('keys and nonces are left out', () => {
  const p = new Pseudonyms();
  const told = p.value({
    rand: '00'.repeat(16),
    aka: { autn: 'ff', algorithm: 'AKAv1-MD5' },
    clientRandom: 'aa',
    dtmf: '1',
  });
  assert.deepEqual(told, { aka: { algorithm: 'AKAv1-MD5' } });
  assert.equal(p.text(`k=${'0123456789abcdef'.repeat(2)}`), 'k=…');
});

const NAMES = /192\.0\.2\.|10\.9\.0\.|2001:db8:9:|ue1|ue2|ims\.example|5550199|5550100|f9f379e8|40:00:c0|samples/;
const schema = JSON.parse(run(['report', '--schema']).out);

test('a redacted report names nobody, in any form, and follows the schema', () => {
  for (const name of ['07-proxy-connect.pcapng', '12-ipv6-only.pcapng', '14-fin-without-close-notify.pcap']) {
    const path = sample(name);
    const json = run(['report', '--redact', path]).out;
    assert.doesNotMatch(json, NAMES, name);
    assert.deepEqual(violations(JSON.parse(json), schema), []);
    for (const form of ['--html', '--markdown', '--records=all'])
      assert.doesNotMatch(run(['report', '--redact', form, path]).out, NAMES, `${name} ${form}`);
    assert.equal(run(['report', '--redact', path]).out, json);
  }
});

test('a redacted report counts as the whole one does', () => {
  const path = sample('06-tls12-resumption.pcapng');
  const [whole, redacted] = [[], ['--redact']].map((o) => JSON.parse(run(['report', path, ...o]).out));
  assert.deepEqual(redacted.summary, whole.summary);
  for (const name of ['tunnels', 'registrations', 'calls', 'media', 'findings'])
    assert.equal(redacted[name].length, whole[name].length);
  const uris = (r: typeof whole): number => new Set(r.calls.map((c: { toUri: string }) => c.toUri)).size;
  assert.equal(uris(redacted), uris(whole));
});
