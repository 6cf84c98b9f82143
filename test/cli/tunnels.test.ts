import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { file, ip4, rawPcap, run, sample, TLS13, TLS13_KEYS } from './run.js';

/** What is said of the tunnels of a capture. */
const said = (...args: string[]): string => run([...args, '-T', 'text']).err;

/** Secrets of the key log in which some are spoiled. */
const keys = (name: string, change: (line: string) => string): string =>
  file(name, readFileSync(TLS13_KEYS, 'utf8').split('\n').map(change).join('\n'));

/** A TCP segment between ports 40000 and 443. */
function segment(up: boolean, seq: number, flags: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt16BE(up ? 40_000 : 443, 0);
  head.writeUInt16BE(up ? 443 : 40_000, 2);
  head.writeUInt32BE(seq, 4);
  head[12] = 0x50;
  head[13] = flags;
  head.writeUInt16BE(0xffff, 14);
  const packet = ip4(6, Buffer.concat([head, payload]));
  if (!up) packet.set([192, 0, 2, 2, 192, 0, 2, 1], 12);
  return packet;
}

describe('what is said of a tunnel', () => {
  test('decrypted', () => {
    assert.equal(said(TLS13), 'tunnel 1: 192.0.2.10:53410 → 192.0.2.1:443: decrypted, 189 envelopes up, 189 down\n');
  });

  test('decrypted, and nobody looked into its envelopes', () => {
    assert.match(said(TLS13, '--rows', 'outer'), /: decrypted\n$/);
  });

  test('no key log', () => {
    assert.match(said(TLS13, '--no-auto-keys'), /: not decrypted\. There is no key log\.\n$/);
  });

  test('the key log of another capture', () => {
    // The random is that of the ClientHello, and of the key log that fits.
    const random = /CLIENT_TRAFFIC_SECRET_0 (\S+)/.exec(readFileSync(TLS13_KEYS, 'utf8'))![1];
    const other = sample('01-tls12-aes128-gcm.keys');
    const line = said(TLS13, '--no-auto-keys', '-k', other);
    assert.match(line, new RegExp(`not decrypted\\. The key log has no line for client random ${random}`));
  });

  test('keys of one direction', () => {
    const half = keys('half.keys', (line) => (line.startsWith('CLIENT_') ? '' : line));
    assert.match(
      said(TLS13, '--no-auto-keys', '-k', half),
      /partly decrypted, 0 envelopes up, 189 down\. up: .*CLIENT_/,
    );
  });

  test('keys that do not fit', () => {
    const wrong = keys('wrong.keys', (line) => line.replace(/(_TRAFFIC_SECRET_0 \S+ )....(.*)/, '$1ffff$2'));
    const line = said(TLS13, '--no-auto-keys', '-k', wrong);
    assert.match(line, /: partly decrypted, no envelope among it\. .*tag/);
  });

  test('TLS 1.2 captured after the handshake', () => {
    const line = said(sample('16-handshake-missing.pcapng'));
    assert.match(
      line,
      /\(which end is the UE is inferred\): not decrypted\. The handshake was not captured: .*TLS 1\.2/,
    );
  });

  test('a proxy that refuses, and one that does not', () => {
    const refused = said(sample('08-proxy-denied.pcapng'));
    assert.match(refused, /via proxy to 192\.0\.2\.1:443: the proxy refused the CONNECT with 403\n$/);
    const through = said(sample('07-proxy-connect.pcapng'));
    assert.match(through, /:3128 via proxy to 192\.0\.2\.1:443: decrypted, 21 envelopes up, 17 down\n$/);
  });

  test('envelopes of unknown types', () => {
    const file9 = sample('09-unknown-types.pcapng');
    const { envelopes } = JSON.parse(readFileSync(file9.replace('.pcapng', '.expect.json'), 'utf8')) as {
      envelopes: { unknown: number; invalid: number };
    };
    const odd = `\\(${envelopes.unknown} of unknown type, ${envelopes.invalid} without a whole IP packet\\)`;
    assert.match(said(file9), new RegExp(`23 envelopes up, 22 down ${odd}\n$`));
  });

  test('envelopes in the clear', () => {
    // TS 24.322 §7.1.2: type 1, length of the IP packet and of this header, the packet
    const envelope = (up: boolean): Buffer => {
      const packet = ip4(17, Buffer.from('0001000200080000', 'hex'));
      if (!up) packet.set([192, 0, 2, 2, 192, 0, 2, 1], 12);
      return Buffer.concat([Buffer.from([1, 0, packet.length + 3]), packet]);
    };
    const frames = [segment(true, 0, 2, Buffer.alloc(0)), segment(false, 0, 0x12, Buffer.alloc(0))];
    for (let i = 0; i < 4; i++)
      for (const up of [true, false]) frames.push(segment(up, 1 + i * envelope(up).length, 0x18, envelope(up)));
    const line = said(file('clear.pcap', rawPcap(...frames)));
    assert.match(line, /192\.0\.2\.1:40000 → 192\.0\.2\.2:443: envelopes in the clear, 4 envelopes up, 4 down\n$/);
  });

  test('nothing with -q; with other formats, only what went wrong', () => {
    assert.equal(run([TLS13, '-q']).err, '');
    assert.equal(run([TLS13, '-T', 'ndjson']).err, '');
    assert.match(run([TLS13, '-T', 'ndjson', '--no-auto-keys']).err, /not decrypted/);
  });
});
