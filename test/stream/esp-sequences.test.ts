import assert from 'node:assert/strict';
import { it } from 'node:test';
import { put32 } from 'fttscope/kit';
import { LIMITS } from '../../src/limits.js';
import { EspSequences } from '../../src/stream/esp-sequences.js';

/** Hands in the header of a packet of ESP: SPI, sequence number (RFC 4303 §2). */
function see(s: EspSequences, spi: number, sequence: number): string {
  const b = new Uint8Array(9);
  put32(b, 1, spi);
  put32(b, 5, sequence);
  return s.see(b, 1);
}

it('says of each sequence number of ESP what is wrong with it, by SPI', () => {
  const s = new EspSequences();
  assert.deepEqual(
    [7, 8, 8, 11, 9, 10].map((n) => see(s, 1, n)),
    ['', '', '8 repeated', '2 missing', '3 less than expected', ''],
  );
  assert.deepEqual(
    [0xffff_ffff, 0].map((n) => see(s, 2, n)),
    ['', ''],
  );
  assert.equal(see(s, 1, 11), '');
});

it('forgets the SPI that it has had longest where there are too many', () => {
  const s = new EspSequences();
  for (let spi = 0; spi <= LIMITS.transactions; spi++) see(s, spi, 1);
  assert.equal(see(s, LIMITS.transactions, 3), '1 missing');
  assert.equal(see(s, 1, 3), '1 missing');
  assert.equal(see(s, 0, 3), '');
});
