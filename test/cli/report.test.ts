import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CORPUS } from '../support/corpus.js';
import { run, sample } from './run.js';

const FOLDER = join(CORPUS, 'tunnel');
const skip = existsSync(FOLDER) ? false : `no captures in ${FOLDER}`;

interface Truth {
  readonly tx_ip: number;
  readonly rx_ip: number;
  readonly tx_unknown: number;
  readonly rx_unknown: number;
  readonly tx_odd: number;
  readonly rx_odd: number;
  readonly tx_bytes: number;
  readonly rx_bytes: number;
  readonly release: string;
  readonly resumed: boolean;
}

/** What the UE says of the end of a tunnel, as the report has it. */
const RELEASES: Readonly<Record<string, readonly [by: string, how: string]>> = {
  'local notify': ['ue', 'close_notify'],
  'local fin': ['ue', 'fin'],
};
/** Captures whose ground truth stands beside another. */
const SAME: Readonly<Record<string, string>> = { 'tls13-gcm-dsb': 'tls13-gcm' };

function report(path: string, ...more: string[]) {
  const r = run(['report', path, ...more]);
  assert.equal(r.code, 0, r.err);
  return JSON.parse(r.out);
}

const envelopes = (e: { ip4: number; ip6: number; unknown: number; invalid: number; bytes: number }) => [
  e.ip4 + e.ip6,
  e.unknown,
  e.invalid,
  e.bytes,
];

test('tunnels are told as their two ends counted them', { skip }, () => {
  for (const file of readdirSync(FOLDER).filter((f) => /\.pcap(ng)?$/.test(f) && !f.includes('.inner.'))) {
    const name = file.replace(/\..*$/, '');
    if (name === 'midstart-late') continue;
    const truth = JSON.parse(readFileSync(join(FOLDER, `${SAME[name] ?? name}.stats.json`), 'utf8'));
    const expected: Truth[] = truth.ue.tunnels;
    const { tunnels } = report(join(FOLDER, file));
    if (expected.length === 0) continue;
    assert.equal(tunnels.length, expected.length, name);
    for (const [i, t] of tunnels.entries()) {
      const w = expected[i];
      assert.equal(t.state, 'established', name);
      assert.deepEqual(envelopes(t.envelopes.up), [w.tx_ip, w.tx_unknown, w.tx_odd, w.tx_bytes], name);
      assert.deepEqual(envelopes(t.envelopes.down), [w.rx_ip, w.rx_unknown, w.rx_odd, w.rx_bytes], name);
      assert.deepEqual([t.release.by, t.release.how], RELEASES[w.release], name);
      assert.equal(t.release.basis, 'observed', name);
      assert.equal(t.tls.resumed, w.resumed, name);
      assert.equal(t.tls.decryption.up.verdict, 'full', name);
      assert.equal(t.tls.decryption.down.verdict, 'full', name);
    }
  }
});

test('a proxy that refuses fails the tunnel, with its status', () => {
  const [t] = report(sample('08-proxy-denied.pcapng')).tunnels;
  assert.equal(t.state, 'failed');
  assert.equal(t.failure.stage, 'proxy');
  assert.equal(t.proxy.status, 403);
  assert.equal(t.accessType, 'II');
});

test('without keys a late capture is told as far as it shows', () => {
  const [t] = report(sample('16-handshake-missing.pcapng')).tunnels;
  assert.equal(t.state, 'partial');
  assert.equal(t.tls.decryption.up.verdict, 'none');
  assert.deepEqual([t.release.by, t.release.how, t.release.basis], ['ue', 'close_notify', 'inferred']);
});

test('the same input gives the same octets', () => {
  const path = sample('03-tls13-aes128-gcm.pcapng');
  assert.equal(run(['report', path]).out, run(['report', path]).out);
});
