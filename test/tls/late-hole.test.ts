import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { concat } from '../../src/kit/index.js';
import { finding, type Json, reportOn } from '../model/support.js';

/** Captures that start in the middle of a stall: of one direction the first octets are missing. */

const sample = (name: string): Buffer => readFileSync(new URL(`../../../samples/${name}`, import.meta.url));
const ENHANCED_PACKET = 6;

/** A pcapng file from its frame of this number on. */
function from(octets: Buffer, first: number): Uint8Array {
  const blocks: Uint8Array[] = [];
  let frame = 0;
  for (let at = 0; at < octets.length; ) {
    const end = at + octets.readUInt32LE(at + 4);
    if (octets.readUInt32LE(at) !== ENHANCED_PACKET || ++frame >= first) blocks.push(octets.subarray(at, end));
    at = end;
  }
  return concat(blocks);
}

test('a direction that begins with a hole is joined after the other one, whatever its number', async () => {
  const keys = sample('33-head-of-line.keys').toString('latin1');
  for (const first of [146, 150, 160, 195]) {
    const r: Json = await reportOn(from(sample('33-head-of-line.pcapng'), first), keys);
    const { up, down } = r.tunnels[0].tls.decryption;
    assert.deepEqual([first, up.verdict, down.verdict, down.failed], [first, 'full', 'full', 0]);
    assert.equal(finding(r, 'tls.bad-tag'), undefined);
    assert.notEqual(finding(r, 'capture.late'), undefined);
  }
});
