import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { file, LE, pattern } from '../capture/support.js';
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
      assert.deepEqual(got.sort(), truth.sort());
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

test('extract writes nothing that is no IP packet, and says so', { skip: corpusMissing('tunnel') }, () => {
  const ran = run(['extract', join(FOLDER, 'unknown.pcapng'), '-w', join(dir, 'ip-alone.pcapng')]);
  assert.equal(
    ran.err,
    '37 inner packets of 1 tunnel written\n1 envelope left out, whose payload is neither IPv4 nor IPv6\n',
  );
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

test('Custom Blocks have the numbers and fields that tshark gives them, and are written where they may be copied', {
  skip: tsharkMissing,
}, async () => {
  const ethernet = Buffer.concat([pattern(12, 1), Buffer.from('88b5', 'hex'), pattern(46, 3)]);
  const capture = file(
    Buffer.concat([
      LE.section(),
      LE.block(0xbad, LE.u32(32_473), Buffer.from('an example..')),
      LE.description(1),
      LE.packet(0, 1_700_000_000_000_000n, ethernet),
      LE.block(0x4000_0bad, LE.u32(36_724), Buffer.from('kept')),
      LE.packet(0, 1_700_000_001_000_000n, ethernet),
    ]),
  );
  const names = ['number', 'time_epoch', 'len', 'cap_len', 'encap_type', 'cb_pen', 'cb_copy', 'protocols'];
  const fields = ['-T', 'fields', ...names.flatMap((n) => ['-e', `frame.${n}`]), '-e', 'data.len'];
  const theirs = async (path: string): Promise<string> => await tshark(['-n', '-r', path, ...fields]);
  assert.equal(run(['read', capture, ...fields]).out, await theirs(capture));
  const column = ['-T', 'fields', '-e', '_ws.col.Protocol', '-Y', 'frame.cb_pen'];
  assert.equal(run(['read', capture, ...column]).out, await tshark(['-n', '-r', capture, ...column]));
  const out = join(dir, 'custom.pcapng');
  assert.equal(run(['read', capture, '-w', out]).code, 0);
  assert.deepEqual(
    (await theirs(out))
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[5]),
    ['32473', '', ''],
  );
});
