import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { CaptureError } from '../../src/capture/errors.js';
import { shellWord } from '../../src/capture/look.js';
import { openCapture } from '../../src/capture/open.js';
import { file, LE, pattern, scratch } from './support.js';

async function refusal(paths: string | string[]): Promise<CaptureError> {
  try {
    await openCapture(typeof paths === 'string' ? [paths] : paths);
  } catch (error) {
    assert.equal((error as Error).name, 'CaptureError');
    assert.doesNotMatch((error as Error).message, /\n/);
    return error as CaptureError;
  }
  throw new assert.AssertionError({ message: 'was opened' });
}

const ustar = Buffer.alloc(512);
ustar.write('capture.pcap');
ustar.write('ustar', 257);

const LOOKS: [string, Buffer | string, string, RegExp, RegExp?][] = [
  ['an empty file', '', 'FTT_E_EMPTY', /there is nothing in it/],
  ['an empty file in gzip', gzipSync(''), 'FTT_E_EMPTY', /there is nothing inside gzip/],
  ['a key log', `CLIENT_RANDOM ${'ab'.repeat(32)} ${'cd'.repeat(48)}\n`, 'FTT_E_NOT_A_CAPTURE', /a TLS key log/, /-k/],
  [
    'a TLS 1.3 key log',
    `# made by curl\nCLIENT_HANDSHAKE_TRAFFIC_SECRET ${'ab'.repeat(32)} cd\n`,
    'FTT_E_NOT_A_CAPTURE',
    /a TLS key log/,
    /-k/,
  ],
  ['text', 'Dear all,\n\nplease find the capture elsewhere.\n', 'FTT_E_NOT_A_CAPTURE', /looks like text/, /-k/],
  ['short text', 'ab', 'FTT_E_NOT_A_CAPTURE', /looks like text/],
  ['text in gzip', gzipSync('Dear all'), 'FTT_E_NOT_A_CAPTURE', /looks like text inside gzip/],
  ['JSON', '  {"row": "812.1"}', 'FTT_E_NOT_A_CAPTURE', /JSON/],
  ['XML', '<?xml version="1.0"?><pdml/>', 'FTT_E_NOT_A_CAPTURE', /XML/],
  ['HTML', '\n<!DOCTYPE html><html>', 'FTT_E_NOT_A_CAPTURE', /HTML/],
  ['a hex dump', '0000  45 00 00 1c 00 01\n', 'FTT_E_NOT_A_CAPTURE', /hex dump/, /text2pcap/],
  ['PEM', '-----BEGIN RSA PRIVATE KEY-----\n', 'FTT_E_NOT_A_CAPTURE', /PEM/, /-k/],
  ['a program', Buffer.from('\x7fELF\x02\x01\x01', 'latin1'), 'FTT_E_NOT_A_CAPTURE', /ELF/],
  ['snoop', Buffer.from('snoop\0\0\0\0\0\0\x02'), 'FTT_E_NOT_A_CAPTURE', /snoop/, /editcap/],
  ['an LFS pointer', 'version https://git-lfs.github.com/spec/v1\n', 'FTT_E_NOT_A_CAPTURE', /Git LFS/, /git lfs pull/],
  ['anything else', Buffer.from([0, 1, 2, 3, 255, 254]), 'FTT_E_NOT_A_CAPTURE', /octets that begin 00 01 02 03 ff fe/],
  [
    'zstd',
    Buffer.from('28b52ffd0458', 'hex'),
    'FTT_E_COMPRESSED',
    /zstd/,
    /^Unpack it: zstd -dc \S+ \| fttscope -r -$/,
  ],
  ['xz', Buffer.from('fd377a585a000004', 'hex'), 'FTT_E_COMPRESSED', /xz/, /xz -dc /],
  ['lz4', Buffer.from('04224d186440', 'hex'), 'FTT_E_COMPRESSED', /lz4/, /lz4 -dc /],
  ['bzip2', Buffer.from('425a683931415926', 'hex'), 'FTT_E_COMPRESSED', /bzip2/, /bzip2 -dc /],
  ['zip', Buffer.from('504b030414000000', 'hex'), 'FTT_E_COMPRESSED', /zip archive/, /unzip -p /],
  ['tar', ustar, 'FTT_E_COMPRESSED', /tar archive/, /tar -xOf /],
  ['gzip in gzip', gzipSync(gzipSync('x')), 'FTT_E_COMPRESSED', /gzip data inside gzip data inside gzip/, /gzip -dc /],
  ['gzip that is cut at once', gzipSync('x').subarray(0, 11), 'FTT_E_DAMAGED', /gzip data is cut short/],
  ['gzip that is none', Buffer.from('1f8b00000000', 'hex'), 'FTT_E_DAMAGED', /gzip data is damaged/],
];

describe('a file that is no capture', () => {
  for (const [what, octets, code, message, hint] of LOOKS) {
    it(`is refused with what it looks like: ${what}`, async () => {
      const error = await refusal(file(Buffer.from(octets as string)));
      assert.equal(error.code, code);
      assert.match(error.message, message);
      if (hint) assert.match(error.hint ?? '', hint);
    });
  }

  it('is refused where it is missing, a directory or not to be read', async () => {
    const missing = await refusal(join(scratch, 'missing.pcap'));
    assert.deepEqual([missing.code, missing.message], ['FTT_E_MISSING', `${scratch}/missing.pcap: no such file`]);
    mkdirSync(join(scratch, 'folder'));
    assert.equal((await refusal(join(scratch, 'folder'))).code, 'FTT_E_DIRECTORY');
    assert.equal((await refusal(join(file(Buffer.from('x')), 'below'))).code, 'FTT_E_MISSING');
    assert.equal((await refusal([])).code, 'FTT_E_MISSING');
    assert.equal((await refusal(['-', '-'])).code, 'FTT_E_STDIN');
  });

  it('is refused without the right to read it', async () => {
    const path = file(Buffer.from('x'));
    chmodSync(path, 0);
    // The superuser may read everything, so the test steps down to nobody.
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65_534);
    try {
      assert.equal((await refusal(path)).code, 'FTT_E_PERMISSION');
    } finally {
      if (root) process.seteuid?.(0);
    }
  });

  it('is damage among several, of which the others are read', async () => {
    const good = file(Buffer.concat([LE.pcapHeader(0xa1b2c3d4, 1), LE.pcapPacket(1, 1, pattern(9, 9))]));
    const missing = join(scratch, 'missing');
    for (let i = 0; i < 50; i++) {
      const source = await openCapture([good, missing, good]);
      assert.deepEqual(
        source.files.map((f) => f.id),
        [1, 3],
      );
      assert.deepEqual(source.damage, [{ file: 2, offset: 0, label: missing, message: `${missing}: no such file` }]);
      let frames = 0;
      for (let chunk = await source.next(); chunk !== null; chunk = await source.next()) frames += chunk.count;
      assert.equal(frames, 2);
      await source.close();
      assert.equal((await refusal([missing, `${missing}-too`])).message, `${missing}: no such file`);
    }
    if (existsSync('/proc/self/fd')) assert.ok(readdirSync('/proc/self/fd').length < 60, 'no descriptor is left open');
  });
});

describe('a shell word', () => {
  it('means the same to a shell', () => {
    for (const word of ['a.pcap', "it's here.pcap", 'a b', '$(ls)', '`x`', 'ä;&|<>*?', '-n']) {
      const { stdout } = spawnSync('sh', ['-c', `for w in ${shellWord(word)}; do printf %s "$w"; done`]);
      assert.equal(stdout.toString(), word);
    }
  });
});
