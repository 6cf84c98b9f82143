import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bareUri, findOutside, ListAhead, parseAddress } from '../../../dissectors/sip/address.js';

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

describe('URIs that are compared (RFC 3261 §19.1.4)', () => {
  const same = (a: string, b: string): boolean => bareUri(a) === bareUri(b);
  it('counts the case of the user alone', () => {
    assert(same('sip:%61lice@AtLanTa.CoM;Transport=TCP', 'SIP:alice@AtLanta.CoM;Transport=tcp'));
    assert(!same('sip:alice@atlanta.com', 'sip:ALICE@atlanta.com'));
    assert(!same('sip:alice@atlanta.com', 'sips:alice@atlanta.com'));
    assert(!same('sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'));
    assert(!same('sip:a%3bb@h', 'sip:a;b@h'), 'what is reserved means something else when it is escaped');
    assert(same('sip:a%3bb@h', 'sip:a%3Bb@h'));
  });
  it('takes what a telephone number in the place of the user says of itself for a part of it', () => {
    const local = (context: string): string => `sip:7042;phone-context=${context}@ims.example;user=phone`;
    assert(!same(local('a.example'), local('b.example')));
    assert(same(local('a.example'), 'sip:7042;phone-context=a.example@IMS.example'));
    assert(same('tel:+1-201-555-0123;x=y', 'TEL:+1-201-555-0123'));
  });
});
