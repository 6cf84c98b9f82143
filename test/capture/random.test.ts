import assert from 'node:assert/strict';
import { readdirSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openCapture } from '../../src/capture/open.js';
import { scanSecrets } from '../../src/capture/secrets.js';
import type { Capture } from '../../src/capture/source.js';
import { openStream } from '../support/stream.js';
import { file, LE, padded, pattern } from './support.js';

const PACKETS = Array.from({ length: 2000 }, (_, i) => pattern(50 + (i % 400), i));
const PLAIN = Buffer.concat([
  LE.section(),
  LE.description(1),
  ...PACKETS.map((octets, i) => LE.packet(0, BigInt(i), octets)),
]);

/** Reads to the end, then every 37th frame again, last first. */
async function checkAgain(source: Capture, id = 1): Promise<void> {
  const places: [number, number, number][] = [];
  for (let chunk = await source.next(); chunk; chunk = await source.next()) {
    for (let i = 0; i < chunk.count; i++) {
      if (chunk.iface[i].file === id) places.push([chunk.number[i], chunk.fileOffset[i], chunk.cap[i]]);
    }
  }
  assert.equal(places.length, PACKETS.length);
  for (const [number, offset, cap] of places.toReversed().filter((_, i) => i % 37 === 0)) {
    assert.deepEqual(Buffer.from(source.octets(id, offset, cap)), PACKETS[number - 1]);
  }
}

const spools = () => readdirSync(tmpdir()).filter((name) => /^fttscope-(?!test)/.test(name));

describe('octets of frames', () => {
  it('are read again from a plain file', async () => {
    const source = await openCapture([file(PLAIN)]);
    await checkAgain(source);
    await source.close();
  });

  it('are read again from a spool: gzip, a pipe, gzip in a pipe', async () => {
    const before = spools();
    const packed = gzipSync(PLAIN);
    const sources = [
      await openCapture([file(packed)], { spool: true }),
      await openStream(Readable.from([PLAIN]), 'pipe', { spool: true }),
      await openStream(Readable.from([packed.subarray(0, 100), packed.subarray(100)]), 'pipe', { spool: true }),
    ];
    for (const source of sources) {
      assert.deepEqual(spools(), before, 'the spool has no name');
      await checkAgain(source);
      await source.close();
      await source.close();
    }
  });

  it('are read again from several files, compressed or not, few or many', async () => {
    const source = await openCapture([file(PLAIN), file(gzipSync(PLAIN))], { spool: true });
    await checkAgain(source, 2);
    assert.throws(() => source.octets(3, 0, 1), RangeError);
    await source.close();
    const many = await openCapture(Array.from({ length: 70 }, () => file(PLAIN)));
    await checkAgain(many, 70);
    await many.close();
  });

  it('are refused without a spool, beyond its cap, and when the file has changed', async () => {
    const packed = file(gzipSync(PLAIN));
    const bare = await openCapture([packed]);
    while (await bare.next());
    assert.throws(() => bare.octets(1, 100, 50), { code: 'FTT_E_NOT_KEPT' });
    await bare.close();

    const capped = await openCapture([packed], { spool: true, spoolOctets: 300_000 });
    let last = 0;
    for (let chunk = await capped.next(); chunk; chunk = await capped.next()) last = chunk.fileOffset[chunk.count - 1];
    assert.equal(capped.octets(1, 100, 50).length, 50);
    assert.throws(() => capped.octets(1, last, 50), { code: 'FTT_E_NOT_KEPT', message: /only \d+ octets are kept/ });
    await capped.close();

    const path = file(PLAIN);
    const plain = await openCapture([path]);
    while (await plain.next());
    truncateSync(path, 1000);
    assert.throws(() => plain.octets(1, 5000, 50), { code: 'FTT_E_CHANGED' });
    await plain.close();
  });
});

describe('secrets', () => {
  const dsb = (s: string) => LE.block(10, LE.u32(0x544c534b), LE.u32(s.length), padded(Buffer.from(s)));
  const octets = Buffer.concat([PLAIN, dsb('one'), LE.packet(0, 1n, pattern(9, 9)), dsb('two')]);

  it('are found before a file is read, compressed or not', async () => {
    assert.deepEqual(await scanSecrets(file(octets)), ['one', 'two']);
    assert.deepEqual(await scanSecrets(file(gzipSync(octets))), ['one', 'two']);
    assert.deepEqual(await scanSecrets(file(octets.subarray(0, octets.length - 3))), ['one']);
  });

  it('are none in pcap and in what can be read only once', async () => {
    assert.deepEqual(await scanSecrets(file(LE.pcapHeader(0xa1b2c3d4, 1))), []);
    assert.deepEqual(await scanSecrets('-'), []);
    assert.deepEqual(await scanSecrets('/dev/null'), []);
    await assert.rejects(scanSecrets('/nowhere/at/all'), { code: 'FTT_E_MISSING' });
  });
});
