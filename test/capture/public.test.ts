import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { SectionInterface } from '../../src/capture/pcapng-options.js';
import { CORPUS, type Drained, drainFile, file } from './support.js';

const ROOT = join(CORPUS, 'public');
const INDEX = join(ROOT, 'INDEX.tsv');
const skip = existsSync(INDEX) ? false : `skipped: there are no public captures in ${ROOT} (set FTTSCOPE_CORPUS)`;

interface Reference {
  'frame.time_epoch'?: string;
  'frame.len': number;
  'frame.cap_len': number;
  'frame.encap_type'?: number;
  'frame.interface_id'?: number;
  'frame.comment'?: string[];
  'frame.md5_hash'?: string;
}

/** What frames have that tshark shows without a time. */
const NO_TIME = '0.000000000';

function reference(capture: string): Reference[] {
  const lines = gunzipSync(readFileSync(join(ROOT, `${capture}.tshark.ndjson.gz`)))
    .toString()
    .split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Reference);
}

function ours(drained: Drained): Required<Omit<Reference, 'frame.encap_type'>>[] {
  return drained.frames.map((frame) => ({
    'frame.time_epoch': frame.iface.customBlock ? NO_TIME : `${frame.seconds}.${String(frame.nanos).padStart(9, '0')}`,
    'frame.len': frame.wire,
    'frame.cap_len': frame.octets.length,
    'frame.interface_id': (frame.iface as Partial<SectionInterface>).id ?? 0,
    'frame.comment': frame.comments ?? [],
    'frame.md5_hash': createHash('md5').update(frame.octets).digest('hex'),
  }));
}

function theirs(rows: readonly Reference[]): ReturnType<typeof ours> {
  return rows.map((row) => ({
    'frame.time_epoch': row['frame.time_epoch'] ?? NO_TIME,
    'frame.len': row['frame.len'],
    'frame.cap_len': row['frame.cap_len'],
    'frame.interface_id': row['frame.interface_id'] ?? 0,
    'frame.comment': row['frame.comment'] ?? [],
    'frame.md5_hash': row['frame.md5_hash'] ?? '',
  }));
}

describe('public captures', { skip }, () => {
  const rows = skip ? [] : readFileSync(INDEX, 'utf8').trimEnd().split('\n');
  const [head, ...lines] = rows.map((row) => row.split('\t'));
  const captures = lines.map((line) => ({ path: line[head.indexOf('file')], exit: line[head.indexOf('tshark_exit')] }));

  it('have the frames that tshark sees: times, lengths, octets, interfaces, comments', async () => {
    assert.ok(captures.length > 300);
    for (const { path, exit } of captures) {
      const drained = await drainFile(join(ROOT, path));
      assert.deepEqual(ours(drained), theirs(reference(path)), path);
      assert.equal(drained.damage.length, exit === '0' ? 0 : 1, `${path}: ${drained.damage[0]?.message}`);
    }
  });

  it('have the same frames inside gzip', async () => {
    for (const { path } of captures.filter((_, i) => i % 10 === 0)) {
      const packed = await drainFile(file(gzipSync(readFileSync(join(ROOT, path))), 'packed'));
      assert.deepEqual(ours(packed), theirs(reference(path)), path);
    }
  });

  const generated = captures.filter(({ path }) => path.includes('pcapng-test-generator'));
  for (const { path } of generated) {
    it(`${path.split('/').slice(-3).join('/')} holds the blocks that its author counted`, async () => {
      const expected = readFileSync(join(ROOT, path.replace(/pcapng$/, 'txt')), 'utf8');
      const count = (block: string) => Number(new RegExp(`\\b${block}: (\\d+)`).exec(expected)?.[1] ?? 0);
      const { frames, source } = await drainFile(join(ROOT, path));
      assert.equal(
        frames.length,
        count('EPB') + count('SPB') + count('PB') + count('OPB') + count('CB') + count('DCB'),
      );
      assert.equal(source.files[0].interfaces.length, count('IDB'));
      const sections = (source.files[0].interfaces as SectionInterface[]).map((face) => face.section);
      assert.ok(Math.max(0, ...sections) <= count('SHB'));
    });
  }
});

describe('tunnel captures', {
  skip: existsSync(join(CORPUS, 'tunnel')) ? false : `skipped: no ${CORPUS}/tunnel`,
}, () => {
  it('give the key log of a Decryption Secrets Block', async () => {
    const { secrets } = await drainFile(join(CORPUS, 'tunnel/tls13-gcm-dsb.pcapng'));
    assert.equal(secrets.length, 1);
    assert.match(secrets[0], /^\w+ [0-9a-f]{64} [0-9a-f]+$/m);
  });
});
