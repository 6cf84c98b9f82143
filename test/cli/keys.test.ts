import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { testCertificate } from '../tls/pair.js';
import { file, run, sample, TLS13, TLS13_KEYS } from './run.js';

const good = readFileSync(TLS13_KEYS, 'utf8');
const other = readFileSync(sample('01-tls12-aes128-gcm.keys'), 'utf8');
const lineOf = (text: string, label: string): string => text.split('\n').find((l) => l.startsWith(`${label} `))!;
/** The random of a line, as it stands in the ClientHello. */
const randomOf = (text: string, label: string): string => lineOf(text, label).split(' ')[1];

describe('fttscope keys', () => {
  test('says which lines are good, bad and unused, and which opened a tunnel', () => {
    const log = file(
      'mixed.keys',
      [
        '# a comment',
        lineOf(good, 'CLIENT_HANDSHAKE_TRAFFIC_SECRET'),
        lineOf(good, 'SERVER_HANDSHAKE_TRAFFIC_SECRET'),
        'NO_SUCH_LABEL 00 00',
        lineOf(good, 'CLIENT_TRAFFIC_SECRET_0'),
        lineOf(good, 'SERVER_TRAFFIC_SECRET_0'),
        lineOf(good, 'EXPORTER_SECRET'),
        lineOf(other, 'CLIENT_RANDOM'),
        'CLIENT_RANDOM 0011 2233',
        '',
      ].join('\n'),
    );
    const r = run(['keys', log, '-r', TLS13]);
    assert.equal(r.code, 0);
    assert.equal(r.err, '');
    assert.deepEqual(r.out.split('\n'), [
      `${log}: 6 good lines, 4 used, 1 not needed, 1 unused, 2 bad`,
      '  line 4 is bad: the label is not known',
      '  line 9 is bad: the client random is not 32 octets long',
      `  line 8 unused: no session with client random ${randomOf(other, 'CLIENT_RANDOM')} is in the capture`,
      'tunnel 1: 192.0.2.10:53410 → 192.0.2.1:443: decrypted, 189 envelopes up, 189 down',
      `  client random ${randomOf(good, 'EXPORTER_SECRET')}: lines 2-3, 5-6 of ${log}`,
      '',
    ]);
  });

  test('prints no secret', () => {
    const { out, err } = run(['keys', TLS13_KEYS, sample('01-tls12-aes128-gcm.keys'), '-r', TLS13]);
    for (const line of `${good}${other}`.split('\n')) {
      const secret = line.startsWith('#') ? undefined : line.split(' ')[2];
      if (secret !== undefined) assert.ok(!(out + err).includes(secret.slice(0, 16)));
    }
  });

  test('keys of subscribers and of ESP, and what is wrong with their lines', () => {
    const key = '0123456789abcdef0123456789abcdef';
    const aka = file('aka.keys', `impi=alice@ims.example k=${key} opc=${key}\nk=12 opc=${key}\n`);
    const esp = file('esp_sa', `"IPv4","*","*","*","NULL","","HMAC-SHA-1-96 [RFC2404]","0x${key}01234567"\n`);
    for (const capture of [[], ['-r', TLS13, '--no-auto-keys']]) {
      const r = run(['keys', aka, esp, ...capture]);
      assert.equal(r.code, 0);
      assert.deepEqual(r.out.split('\n').slice(0, 3), [
        `${aka}: keys of 1 subscriber, 1 bad line`,
        '  line 2: k has not 32 hexadecimal digits',
        `${esp}: keys of 1 security association, 0 bad lines`,
      ]);
      assert.doesNotMatch(r.out + r.err, new RegExp(key));
    }
    const none = file('none.keys', `impi=alice@ims.example k=12 opc=${key}\n`);
    const r = run(['keys', none]);
    assert.deepEqual([r.code, r.out.split('\n')[0]], [2, `${none}: keys of 0 subscribers, 1 bad line`]);
  });

  test('no line for the tunnel', () => {
    const r = run(['keys', sample('01-tls12-aes128-gcm.keys'), '-r', TLS13, '--no-auto-keys', '--require-decrypt']);
    assert.equal(r.code, 4);
    assert.match(r.out, /: 1 good line, 0 used, 0 not needed, 1 unused, 0 bad\n/);
    assert.match(r.out, new RegExp(`client random ${randomOf(good, 'EXPORTER_SECRET')}: no line\n$`));
  });

  test('a key log on standard input', () => {
    const input = readFileSync(TLS13_KEYS);
    const opened = run(['keys', '-', '-r', TLS13, '--no-auto-keys'], { input });
    assert.match(opened.out, /^standard input: 5 good lines, 4 used.*\n.*: decrypted, 189 envelopes up/m);
    const sip = ['read', TLS13, '--no-auto-keys', '-q', '-Y', 'sip'];
    assert.equal(run([...sip, '-k', '-'], { input }).out, run([...sip, '-k', TLS13_KEYS]).out);
  });

  test('keys of an earlier session, and a Decryption Secrets Block', () => {
    const capture = sample('06-tls12-resumption.pcapng');
    const first = readFileSync(sample('06-tls12-resumption.keys'), 'utf8').split('\n').slice(0, 2).join('\n');
    const r = run(['keys', file('first.keys', first), '-r', capture, '--no-auto-keys']);
    assert.equal(r.out.match(/: keys of the session that it resumes\n/g)?.length, 2);
    const dsb = sample('15-keys-in-the-capture.pcapng');
    const wrong = sample('01-tls12-aes128-gcm.keys');
    assert.match(run(['keys', wrong, '-r', dsb]).out, /\(Decryption Secrets Block\): 5 good lines, 4 used/);
  });

  test('--no-auto-keys leaves out what the capture itself has', () => {
    const dsb = sample('15-keys-in-the-capture.pcapng');
    const asked = (...options: string[]): number | null => run(['report', dsb, '--require-decrypt', ...options]).code;
    assert.deepEqual([asked(), asked('--no-auto-keys')], [0, 4]);
    // The same keys are in the log of the sample whose capture that is.
    assert.equal(asked('--no-auto-keys', '-k', sample('03-tls13-aes128-gcm.keys')), 0);
  });

  test('without a capture it reads the lines alone', () => {
    const r = run([
      'keys',
      TLS13_KEYS,
      file('rsa.pem', testCertificate('rsa').key),
      file('ec.pem', testCertificate('ec').key),
    ]);
    assert.equal(r.code, 0);
    assert.match(r.out, /ec\.pem: this private key is of no use: it is of type ec/);
    assert.match(r.out, /^1 RSA private key$/m);
    assert.match(r.out, /^.*aes128-gcm\.keys: 5 good lines, 0 bad$/m);
  });

  test('byte order marks, UTF-16 and line ends of other systems are no matter', () => {
    const lines = good.replace(/^#.*\n/gm, '').replaceAll('\n', '\r\n');
    const wide = Buffer.from(`\ufeff${lines}`, 'utf16le');
    for (const log of [file('bom.keys', `\ufeff${lines}`), file('wide.keys', wide)])
      assert.match(run(['keys', log]).out, /keys: 5 good lines, 0 bad\n$/);
  });

  test('what gzip packed is unpacked', () => {
    const packed = file('packed.keys.gz', gzipSync(good));
    assert.deepEqual(run(['keys', packed]).out, run(['keys', TLS13_KEYS]).out.replaceAll(TLS13_KEYS, packed));
    const damaged = file('damaged.keys.gz', gzipSync(good).subarray(0, 60));
    const r = run(['keys', damaged]);
    assert.equal(r.code, 2);
    assert.match(r.err, /damaged\.keys\.gz: the gzip data is damaged \(unexpected end of file\)/);
  });

  test('of a directory only the key logs', () => {
    const folder = dirname(TLS13);
    const { out, code } = run(['keys', folder]);
    assert.equal(code, 0);
    assert.match(out, /03-tls13-aes128-gcm\.keys: 5 good lines, 0 bad/);
    assert.doesNotMatch(out, /pcap|json|README/);
  });

  test('of a directory with a link to itself the others', () => {
    const folder = join(dirname(file('other.keys', good)), 'linked');
    mkdirSync(folder);
    writeFileSync(join(folder, 'first.keys'), good);
    symlinkSync('circle.keys', join(folder, 'circle.keys'));
    const { out, code } = run(['keys', folder]);
    assert.match(out, /first\.keys: 5 good lines, 0 bad/);
    assert.equal(code, 0);
  });

  test('errors', () => {
    const words = run(['keys', file('words.keys', 'no key\n'.repeat(40))]);
    assert.match(words.out, /words\.keys: not a key log: no line of it is a key line\n$/);
    assert.equal(words.code, 2);
    assert.equal(run(['keys', TLS13]).code, 2);
    assert.equal(run(['keys']).code, 1);
    assert.equal(run(['keys', '/no/such/file', '-r', TLS13]).code, 2);
    assert.equal(run(['keys', TLS13_KEYS, '-r', '/no/such/file']).code, 2);
  });
});
