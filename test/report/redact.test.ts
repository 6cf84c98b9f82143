import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Kind, quoted, words } from '../../src/kit/index.js';
import { Pseudonyms } from '../../src/report/redact.js';
import { redacted } from '../../src/report/redact-report.js';
import { reportSchema } from '../../src/report/report-schema.js';
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

test('hardware addresses in any writing, names beyond ASCII, and names of people before an address', () => {
  const p = new Pseudonyms();
  assert.equal(
    p.text('00:1a:2b:3c:4d:5e is 00-1A-2B-3C-4D-5E and 001a.2b3c.4d5e; 00-1a-2b-3c-4d-5f is not'),
    '02:00:00:00:00:01 is 02-00-00-00-00-01 and 0200.0000.0001; 02-00-00-00-00-02 is not',
  );
  assert.equal(p.text('ff-ff-ff-ff-ff-ff'), 'ff-ff-ff-ff-ff-ff');
  assert.equal(
    p.text('asked pcscf.münchen.example, xn--e1afmkfd.xn--p1ai and пример.рф.'),
    'asked host1.example, host2.example and host3.example.',
  );
  assert.equal(p.text('sip:bärbel@münchen.example'), 'sip:u1@host4.example');
  assert.equal(p.text('bärbel@пример.рф'), 'u1@host3.example');
  // The same octets of UTF-8, one character each.
  assert.doesNotMatch(p.text(Buffer.from('to pcscf.münchen.example').toString('latin1')), /nchen|pcscf/);
  assert.equal(
    p.text('To "Alice \\"Al\\" Liddell" <sip:alice@ims.example>, Bob Example <tel:+15550100>'),
    'To "name1" <sip:u2@host6.example>, name2 <tel:+99900001>',
  );
  assert.equal(p.text('Alice Liddell <sip:alice@ims.example>'), 'name3 <sip:u2@host6.example>');
});

test('multicast addresses that are made of an address of somebody, and hardware addresses that look like such', () => {
  const p = new Pseudonyms();
  assert.equal(p.text('61:6c:69:63:65:21'), '02:00:00:00:00:01');
  assert.equal(p.text('ff02::1:ffab:cdef, ff02::1:ffab:cdee'), 'ff02::1:ff00:1, ff02::1:ff00:2');
  assert.equal(p.text('ff3e:40:2a02:8071:1234:5600:4321:1'), 'ff3e::1');
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

test('what a sentence quotes is told by what it is, and the rest of it is as it was', () => {
  const p = new Pseudonyms();
  const tell = (kind: Kind, said: string): string =>
    p.tell(words`another 12345678 of 1.2.3.4: ${quoted(kind, said)}`).slice(29);
  assert.equal(p.tell(words`another 12345678 of 1.2.3.4: `), 'another 12345678 of 1.2.3.4: ');
  const told: readonly (readonly [Kind, string, string])[] = [
    ['host', 'pcscf', 'host1.example'],
    ['host', 'PCSCF:5060', 'host1.example:5060'],
    ['host', '*.ims.example', '*.host2.example'],
    ['host', '4915112345678', '9990000000001'],
    ['host', '[2001:db8:9::1]:443', '[2001:db8:0:1::1]:443'],
    ['host', '[somebody]:443', '[host3.example]:443'],
    ['host', 'a:b:c', 'host4.example'],
    ['address', '192.0.2.1', '10.0.2.1'],
    ['uri', 'sip:alice@pcscf;transport=tcp;x=bob', 'sip:u1@host1.example;transport=tcp;…'],
    ['uri', 'sip:alice@pcscf;user=bob?Subject=bob', 'sip:u1@host1.example;user=…?…'],
    ['uri', 'sip:alice@pcscf> "Bob', 'sip:u1@host1.example…'],
    ['uri', 'http://pcscf/alice', 'http:…'],
    ['uri', 'urn:service:sos.police', 'urn:service:sos.police'],
    ['issuer', 'C=SE, O=Alice, Bob and Co, CN=pcscf', 'C=host5.example, O=host6.example, CN=host1.example'],
    ['issuer', 'O=Alice, bob=c', 'O=host7.example, …=host8.example'],
    ['file', '/home/alice/calls.pcap.gz', 'capture-1.pcap.gz'],
    ['free', 'Alice is out', '…'],
  ];
  for (const [kind, said, as] of told) assert.equal(tell(kind, said), as, said);
});

test('keys and nonces are left out', () => {
  const p = new Pseudonyms();
  const aka = { algorithm: 'AKAv1-MD5', rand: '00'.repeat(16), autn: 'ff', resynchronisations: 0 };
  const told = redacted(
    { registrations: [{ aka }], tunnels: [{ tls: { clientRandom: 'aa' } }], media: [{ dtmf: '1' }] },
    reportSchema([]),
    p,
  );
  assert.deepEqual(told, {
    registrations: [{ aka: { algorithm: 'AKAv1-MD5', resynchronisations: 0 } }],
    tunnels: [{ tls: {} }],
    media: [{}],
  });
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
