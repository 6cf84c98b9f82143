import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { file, LE, pattern, scratch } from './support.js';

const OPEN = fileURLToPath(new URL('../../src/capture/open.js', import.meta.url));
/** Prints the frames of each chunk as it comes, then damage, or the error. */
const SCRIPT = `
  const { openCapture } = await import(${JSON.stringify(OPEN)});
  try {
    const source = await openCapture([process.argv[1]]);
    for (let chunk = await source.next(); chunk; chunk = await source.next()) console.log(chunk.count);
    console.log('end', source.files[0].name, source.files[0].format, source.damage.length);
    await source.close();
  } catch (error) {
    console.log(error.code, error.message);
  }`;
const ARGS = ['--input-type=module', '-e', SCRIPT];

const CAPTURE = Buffer.concat([
  LE.pcapHeader(0xa1b2c3d4, 1),
  ...Array.from({ length: 100 }, (_, i) => LE.pcapPacket(i, i, pattern(100, i))),
]);

function run(options: { input?: Buffer; stdin?: number }, path = '-'): string {
  const { input, stdin } = options;
  const stdio = stdin === undefined ? undefined : { stdio: [stdin, 'pipe', 'pipe'] as [number, 'pipe', 'pipe'] };
  const result: SpawnSyncReturns<Buffer> = spawnSync(process.execPath, [...ARGS, path], {
    ...(input ? { input } : {}),
    ...stdio,
    timeout: 120_000,
  });
  assert.equal(result.status, 0, result.stderr.toString());
  return result.stdout.toString();
}

const total = (output: string): number =>
  output
    .split('\n')
    .filter((line) => /^\d+$/.test(line))
    .reduce((sum, line) => sum + Number(line), 0);

describe('standard input', () => {
  it('is read as a pipe, compressed or not', () => {
    const plain = run({ input: CAPTURE });
    assert.equal(total(plain), 100);
    assert.match(plain, /end - pcap 0/);
    const packed = run({ input: gzipSync(CAPTURE) });
    assert.equal(total(packed), 100);
    assert.match(packed, /end - pcap \(gzip\) 0/);
  });

  it('is read as a file', () => {
    const stdin = openSync(file(CAPTURE), 'r');
    assert.equal(total(run({ stdin })), 100);
    closeSync(stdin);
  });

  it('says what it looks like where it is no capture', () => {
    assert.match(
      run({ input: Buffer.from('hello there, all of you') }),
      /^FTT_E_NOT_A_CAPTURE standard input: .* text$/m,
    );
    const stdin = openSync('/dev/null', 'r');
    assert.match(run({ stdin }), /^FTT_E_EMPTY standard input: there is nothing in it$/m);
    closeSync(stdin);
  });

  it('gives frames while the writer is still there', async () => {
    const child = spawn(process.execPath, [...ARGS, '-'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    child.stdin.write(CAPTURE.subarray(0, 24 + 3 * 116 + 50));
    while (total(output) < 3) await once(child.stdout, 'data');
    child.stdin.write(CAPTURE.subarray(24 + 3 * 116 + 50, 24 + 4 * 116));
    while (total(output) < 4) await once(child.stdout, 'data');
    assert.doesNotMatch(output, /end/);
    child.stdin.end(CAPTURE.subarray(24 + 4 * 116));
    await once(child, 'close');
    assert.equal(total(output), 100);
  });
});

describe('a named pipe', () => {
  const path = join(scratch, 'fifo');
  const made = spawnSync('mkfifo', [path]).status === 0;
  it('is read like a file', { skip: made ? false : 'skipped: mkfifo does not work here' }, async () => {
    const child = spawn(process.execPath, [...ARGS, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    const writer = spawn('sh', ['-c', `cat ${file(CAPTURE)} > ${path}`]);
    await Promise.all([once(child, 'close'), once(writer, 'close')]);
    assert.equal(total(output), 100);
    assert.match(output, /end .*fifo pcap 0/);
  });
});
