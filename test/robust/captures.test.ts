import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { CaptureError } from '../../src/capture/errors.js';
import { NdjsonWriter } from '../../src/report/ndjson.js';
import { summaryLine, treeText } from '../../src/report/text.js';
import { TextBytes } from '../../src/report/text-bytes.js';
import { CORPUS, corpusMissing, publicCaptures, ROOT } from '../support/corpus.js';
import { forRows, type RowsOptions } from '../support/rows.js';

/** Reads a capture with everything on; each row must print in every form, and no dissector may fault. */
async function readAll(path: string, options: RowsOptions): Promise<number> {
  const writer = new NdjsonWriter();
  const line = new TextBytes();
  let rows = 0;
  await forRows(path, options, (row) => {
    rows++;
    line.reset();
    writer.print(row, line);
    assert.doesNotThrow(() => JSON.parse(Buffer.from(line.octets).toString()), `row ${row.id} of ${path}`);
    summaryLine(row);
    treeText(row);
  });
  return rows;
}

/** The same where the input may be damaged beyond being a capture. */
async function readAny(path: string): Promise<void> {
  try {
    await readAll(path, {});
  } catch (e) {
    if (!(e instanceof CaptureError)) throw e;
  }
}

describe('every capture reads without a fault', () => {
  test('tunnel captures', { skip: corpusMissing('tunnel') }, async () => {
    const folder = join(CORPUS, 'tunnel');
    for (const file of readdirSync(folder)) {
      if (!/\.pcap(ng)?$/.test(file)) continue;
      const keys = join(folder, file.replace(/(\.inner)?\.pcap(ng)?$/, '.keys'));
      await readAll(join(folder, file), { keylog: existsSync(keys) ? [readFileSync(keys, 'latin1')] : [] });
    }
  });

  test('public captures', { skip: corpusMissing('public') }, async () => {
    let captures = 0;
    for (const c of publicCaptures()) {
      await readAny(c.path);
      captures++;
    }
    console.log(`${captures} public captures read`);
  });
});

/** A small generator, so that a failure can be repeated. */
function random(seed: number): () => number {
  let x = seed | 0;
  return () => {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    return (x >>> 8) / 0x1000000;
  };
}

describe('damaged captures', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fttscope-robust-'));
  after(() => rmSync(folder, { recursive: true }));
  const samples = ['07-proxy-connect.pcapng', '14-fin-without-close-notify.pcap', '09-unknown-types.pcapng'];

  test('octets changed at random: no crash, no fault', async () => {
    for (const [n, sample] of samples.entries()) {
      const whole = readFileSync(join(ROOT, 'samples', sample));
      const keys = readFileSync(join(ROOT, 'samples', sample.replace(/\.pcap(ng)?$/, '.keys')), 'latin1');
      for (let round = 0; round < 40; round++) {
        const next = random(1000 * n + round);
        const b = Buffer.from(whole);
        const changes = 1 + Math.floor(next() * 200);
        for (let i = 0; i < changes; i++) b[40 + Math.floor(next() * (b.length - 40))] = Math.floor(next() * 256);
        const path = join(folder, `changed-${round}`);
        writeFileSync(path, b);
        try {
          await readAll(path, { keylog: [keys] });
        } catch (e) {
          if (!(e instanceof CaptureError)) throw new Error(`${sample}, round ${round}`, { cause: e });
        }
      }
    }
  });
});
