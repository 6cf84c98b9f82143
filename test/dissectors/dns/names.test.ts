import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Malformed, Short } from 'fttscope/kit';
import {
  escapeControls,
  expandName,
  labelCount,
  nameOctets,
  nameText,
  readName,
} from '../../../dissectors/dns/names.js';
import { octets } from './layer.js';

const read = (hex: string, off = 0) => {
  const b = octets(hex);
  return readName(b, off, b.length, 0);
};

describe('domain names', () => {
  it('reads labels and pointers (RFC 1035 4.1.4)', () => {
    // F.ISI.ARPA at 0, FOO.F.ISI.ARPA at 12, a pointer to ARPA at 18, the root at 20: the example of the RFC
    const b = octets('0146 03495349 0441525041 00  03464f4f c000  c006  00');
    assert.deepEqual(readName(b, 0, b.length, 0), { text: 'F.ISI.ARPA', end: 12, length: 10 });
    assert.deepEqual(readName(b, 12, b.length, 0), { text: 'FOO.F.ISI.ARPA', end: 18, length: 14 });
    assert.deepEqual(readName(b, 18, b.length, 0), { text: 'ARPA', end: 20, length: 4 });
    assert.deepEqual(readName(b, 20, b.length, 0), { text: '<Root>', end: 21, length: 6 });
    assert.deepEqual(expandName(b, 12, b.length, 0), { wire: octets('03464f4f 0146 03495349 0441525041 00'), end: 18 });
  });

  it('ends at pointers that go round', () => {
    for (const hex of ['c000', 'c002c000', '03616263c000', '0161c0040162c000'])
      assert.equal(read(hex).text, '<Name contains a pointer that loops>');
    let chain = '';
    for (let i = 1; i < 4000; i++) chain += (0xc000 | (2 * i)).toString(16);
    assert.equal(read(`${chain}00`).text, '<Name contains a pointer that loops>');
    assert.throws(() => expandName(octets('c000'), 0, 2, 0), Malformed);
  });

  it('knows the longest name', () => {
    const label = `3f${'61'.repeat(63)}`;
    assert.equal(read(`${label.repeat(3)}3d${'62'.repeat(61)}00`).text.length, 253);
    assert.equal(read(`${label.repeat(3)}3e${'62'.repeat(62)}00`).text, '<Name too long>');
    assert.equal(read(`${label.repeat(4)}00`).end, 257);
    assert.throws(() => expandName(octets(`${label.repeat(4)}00`), 0, 257, 0), Malformed);
  });

  it('tells what is missing from what is wrong', () => {
    for (const hex of ['', '03', '0377', '03777777', 'c0', '0161c0ff']) assert.throws(() => read(hex), Short);
    for (const hex of ['40', '8000', '016180']) assert.throws(() => read(hex), Malformed);
    const cut = (() => {
      try {
        readName(octets('0377'), 0, 2, 0, 20);
      } catch (e) {
        return e;
      }
      return undefined;
    })();
    assert.ok(cut instanceof Short && cut.cut);
  });

  it('writes control characters as Wireshark does', () => {
    assert.equal(escapeControls(read('04 61 00 62 63 00').text), 'a\\000bc');
    assert.equal(escapeControls('\x01\x7f\x1f \t\n\r\v'), '\\001\\177\\037 \\t\\n\\r\\v');
    assert.equal(read('04c3a4ff21 00').text, 'ä\ufffd!');
  });

  it('counts labels', () => {
    assert.equal(labelCount('a.b.c'), 3);
    assert.equal(labelCount('<Root>'), 1);
  });

  it('writes names that it can read', () => {
    const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 8 }), (labels) => {
        assert.equal(nameText(nameOctets(labels.join('.'))), labels.join('.'));
      }),
    );
    assert.deepEqual(nameOctets('_sip._udp.a.'), octets('045f736970 045f756470 0161 00'));
    assert.deepEqual(nameOctets(''), octets('00'));
    assert.deepEqual(nameOctets('.'), octets('00'));
    for (const bad of ['a..b', 'x'.repeat(64), `${'abcdefg.'.repeat(32)}a`])
      assert.throws(() => nameOctets(bad), RangeError);
  });

  it('throws nothing but Short and Malformed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (b, off) => {
        try {
          readName(b, off, b.length, 0);
        } catch (e) {
          assert.ok(e instanceof Short || e instanceof Malformed);
        }
      }),
    );
  });
});
