import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { espNull } from '../../../dissectors/esp.js';

/** Eight octets of payload, two of padding, Pad Length 2, Next Header 17: RFC 4303 §2. */
const INSIDE = Buffer.from('0fa00fa1000800000102' + '0211', 'hex');

for (const check of [12, 16, 24, 32])
  test(`the trailer before a check value of ${check} octets is found`, () => {
    const icv = Buffer.alloc(check, 0xee);
    const octets = Buffer.concat([INSIDE, icv]);
    const parsed = espNull.codec!.parse(octets, 0, octets.length);
    assert.equal(Buffer.from(parsed.payload).toString('hex'), '0fa00fa100080000');
    assert.equal(parsed.next, 17);
    assert.equal(parsed.padding, 2);
    assert.deepEqual(Buffer.from(parsed.icv), icv);
  });
