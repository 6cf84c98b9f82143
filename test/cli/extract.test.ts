import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { CORPUS, corpusMissing } from '../support/corpus.js';
import { pcapPackets } from '../support/pcap.js';
import { tshark, tsharkMissing } from '../support/tshark.js';
import { run, sample } from './run.js';

const skip = corpusMissing('tunnel') || tsharkMissing;
const FOLDER = join(CORPUS, 'tunnel');
/** A choice of what differs: direction of cuts, IP versions, fragments, several tunnels, a proxy, unknown envelopes. */
const CAPTURES = [
  ...['coalesce.pcapng', 'ipv6only.pcapng', 'loss12.pcap', 'tls12-resume.pcapng', 'tls13-gcm256.pcap'],
  ...['proxy.pcapng', 'unknown.pcapng'],
];
const sngrepMissing = spawnSync('sngrep', ['-V']).status === 0 ? false : 'sngrep is not installed: skipped';

const dir = mkdtempSync(join(tmpdir(), 'fttscope-extract-'));
after(() => rmSync(dir, { recursive: true }));

/** Runs `fttscope extract` with this key log alone; returns the file that it wrote. */
function extract(capture: string, keys: string, name: string, ...options: string[]): string {
  const out = join(dir, name);
  const key = ['-o', `tls.keylog_file:${join(FOLDER, keys)}`];
  const ran = run(['extract', join(FOLDER, capture), '--quiet', '--no-auto-keys', ...key, '-w', out, ...options]);
  assert.equal(ran.code, 0, ran.err);
  return out;
}

const column = async (capture: string, field: string, ...options: string[]): Promise<string[]> =>
  (await tshark(['-n', '-r', capture, ...options, '-T', 'fields', '-e', field])).split('\n').filter(Boolean);

/** An envelope of type 1 may hold what is no IP packet; the truth was recorded on an IP interface. */
const isIp = (hex: string): boolean => hex.startsWith('4') || hex.startsWith('6');

describe('extract: inner packets as tshark reads them', { skip }, () => {
  if (skip) return;
  for (const file of CAPTURES) {
    const name = file.replace(/\.pcap(ng)?$/, '');
    test(file, async () => {
      const out = extract(file, `${name}.keys`, `${name}.pcapng`);
      const plain = join(dir, `${name}.pcap`);
      await tshark(['-n', '-r', out, '-F', 'pcap', '-w', plain]);
      const got = pcapPackets(plain).map((p) => p.toString('hex'));
      const truth = pcapPackets(join(FOLDER, `${name}.inner.pcap`)).map((p) => p.toString('hex'));
      assert.deepEqual(got.filter(isIp).sort(), truth.sort());
      // An inner packet has the time of the frame that made it readable, and they are in the order of the frames.
      const times = await column(out, 'frame.time_epoch');
      const outer = new Set(await column(join(FOLDER, file), 'frame.time_epoch'));
      assert.deepEqual(
        times.filter((t) => !outer.has(t)),
        [],
      );
      assert.deepEqual(times, [...times].sort());
    });
  }
});

describe('extract: what others make of it', { skip }, () => {
  if (skip) return;

  test('sngrep finds the SIP messages', { skip: sngrepMissing }, async () => {
    const out = extract('tls12-gcm.pcapng', 'tls12-gcm.keys', 'sngrep.pcapng');
    const dialogs = join(dir, 'dialogs.pcap');
    execFileSync('sngrep', ['-N', '-q', '-I', out, '-O', dialogs], { stdio: 'ignore', timeout: 120_000 });
    const seen = await column(dialogs, 'sip.Call-ID', '-Y', 'sip');
    const truth = await column(join(FOLDER, 'tls12-gcm.inner.pcap'), 'sip.Call-ID', '-Y', 'sip');
    assert.deepEqual(new Set(seen), new Set(truth));
  });

  for (const keys of ['tls12-resume.keys', 'tls12-resume.firstkey.keys'])
    test(`a resumed tunnel with its keys decrypts without options (${keys})`, async () => {
      const out = extract('tls12-resume.pcapng', keys, `${keys}.pcapng`, '--outer', '--tunnel', '2', '--with-keys');
      const ports = new Set(await column(out, 'tcp.stream'));
      assert.deepEqual([...ports], ['0'], 'one connection');
      const finished = await column(out, 'frame.number', '-Y', 'tls.handshake.type == 20');
      assert.equal(finished.length, 2, 'both Finished are readable');
      const stream = await tshark(['-n', '-r', out, '-q', '-z', 'follow,tls,raw,0']);
      const envelopes = stream.split('\n').filter((l) => /^\t?01[0-9a-f]{4}(45|60)/.test(l));
      const down = envelopes.some((l) => l.startsWith('\t'));
      assert.ok(down && envelopes.some((l) => !l.startsWith('\t')), 'envelopes in both directions');
    });

  test('frames of one tunnel are of no other, also where the end of the capture set its envelopes free', async () => {
    const out = join(dir, 'tunnel2.pcapng');
    assert.equal(run(['extract', sample('00-field.pcapng'), '-q', '--outer', '--tunnel', '2', '-w', out]).code, 0);
    const theirs = await column(sample('00-field.pcapng'), 'frame.time_epoch', '-Y', 'tcp.port == 40002');
    assert.deepEqual(await column(out, 'frame.time_epoch'), theirs);
  });
});
