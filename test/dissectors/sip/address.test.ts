import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { findOutside, ListAhead, parseAddress } from '../../../dissectors/sip/address.js';

const COMMA = 44;

/** Where the addresses of a list stand, and how many octets were looked at to find them. */
function list(text: string, withAhead: boolean): { uris: string[]; looks: number } {
  const octets = Buffer.from(text);
  let looks = 0;
  const b = new Proxy(new Uint8Array(octets), {
    get(target, key) {
      looks++;
      return Reflect.get(target, key, target);
    },
  });
  const uris: string[] = [];
  const ahead = withAhead ? new ListAhead(b, 0, octets.length) : undefined;
  for (let i = 0; i < octets.length; ) {
    const a = parseAddress(b, i, octets.length, ahead);
    if (a !== undefined) uris.push(octets.toString('utf8', a.uriOff, a.uriEnd));
    i = findOutside(b, a?.end ?? i, octets.length, COMMA) + 1;
  }
  return { uris, looks };
}

describe('lists of addresses', () => {
  it('are read the same, whatever is known of what follows', () => {
    const part = fc.constantFrom(
      'sip:a@b',
      '<sip:c@d;lr>',
      '"E, F" ',
      'G, H ',
      ',',
      ';q=1',
      '<',
      '>',
      '"',
      ':',
      ' ',
      'x',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        assert.deepEqual(list(parts.join(''), true).uris, list(parts.join(''), false).uris);
      }),
      { numRuns: 3000 },
    );
  });

  it('take work that grows with their length, not with its square', () => {
    for (const item of [',', 'a,', '<,', '"a",', '"', 'sip:a@b,', '<sip:a@b>,']) {
      for (const behind of ['', 'sip:x,<sip:y>']) {
        const [once, fourTimes] = [100, 400].map((n) => list(item.repeat(n) + behind, true).looks);
        assert.ok(fourTimes < 6 * once, `${item}: ${once} octets looked at, ${fourTimes} in a list four times as long`);
      }
    }
  });
});
