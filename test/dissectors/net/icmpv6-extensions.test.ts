import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { icmpv6 } from '../../../dissectors/icmpv6/index.js';
import { checksum } from '../../../src/kit/checksum.js';
import { hex, type NetPair, pseudoHeader, put16 } from '../../../src/kit/index.js';
import { besideTshark, fieldsOf } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets, see } from './layers.js';

const FIELDS = fieldsOf(icmpv6);

/** A message with its checksum, in IPv6. */
function message(...parts: readonly (number | readonly number[] | Uint8Array)[]): Uint8Array {
  const m = Uint8Array.from(parts.flatMap((p) => (typeof p === 'number' ? [p] : [...p])));
  const size = m.length.toString(16).padStart(4, '0');
  const ends = 'fe80000000000000025056fffec00001 ff020000000000000000000000000001';
  const b = octets(`6000 0000 ${size} 3a ff ${ends} ${hex(m, 0, m.length, '')}`);
  const net: NetPair = { version: 6, buf: b, src: 8, dst: 24 };
  if (m.length >= 4) put16(b, 42, checksum(b, 40, b.length, pseudoHeader(net, 58, m.length)));
  return b;
}

/** `n` octets, none like the one before it. */
const run = (n: number): number[] => Array.from({ length: n }, (_, i) => 0x41 + (i % 64));
const solicitation = (...rest: readonly (number | readonly number[])[]): Uint8Array =>
  message(133, 0, 0, 0, [0, 0, 0, 0], ...rest);
/** An option of so many units of eight octets, the first of which after the length are given. */
const option = (type: number, units: number, ...first: readonly number[]): Uint8Array =>
  solicitation(type, units, [...first, ...run(8 * units - 2)].slice(0, 8 * units - 2));
const MTU = [5, 1, 0, 0, 0, 0, 5, 0];

describe('ICMPv6 beside tshark', { skip: tsharkMissing }, () => {
  it('reads each option of neighbor discovery, of each length', async () => {
    await besideTshark(
      [
        ...[1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 14, 17, 18, 19, 20, 23, 24, 25, 26, 31, 32, 33, 34, 35, 36, 37, 38],
        ...[21, 22, 39, 40, 41, 100, 138, 139, 253],
      ].flatMap((type) => [1, 2, 3, 4, 5].map((units) => option(type, units))),
      FIELDS,
    );
  });

  it('reads the options whose octets depend on others of theirs', async () => {
    await besideTshark(
      [
        option(1, 2, ...run(8), 0, 0, 0, 0, 0, 0),
        option(2, 2, ...run(8), 0, 0, 0, 0, 0, 0),
        option(15, 3, 1, 2),
        option(15, 3, 2, 2, ...Buffer.from('ca.example')),
        option(20, 3, 0, 2),
        option(20, 3, 0, 128),
        option(31, 3, 0, 0, 0, 0, 0, 60, 3, 0x66, 0x6f, 0x6f, 0, 0, 0, 0),
        ...[0, 1, 2, 3, 4, 5, 6, 7].map((code) => option(38, 2, 0, code)),
      ],
      FIELDS,
    );
  });

  it('shows of messages and options that are cut what is there', async () => {
    await besideTshark(
      [
        ...[1, 2, 3, 4, 5, 9, 12, 13, 18, 24, 30, 36].flatMap((n) =>
          [128, 130, 134, 135, 136, 137, 139, 143, 144, 147, 148, 149, 157, 160].map((type) =>
            message([type, 0, 0, 0, 0, ...run(n)].slice(0, n)),
          ),
        ),
        solicitation(3, 4, run(20)),
        solicitation(99, 4, run(20)),
      ],
      FIELDS,
    );
  });

  it('reads the messages of mobile nodes, certified routers and networks of low power, with their options', async () => {
    await besideTshark(
      [
        ...[144, 146, 151, 152, 153].map((type) => message(type, 0, 0, 0, run(4))),
        message(145, 0, 0, 0, run(4), run(32)),
        ...[147, 148, 141, 142].map((type) => message(type, 0, 0, 0, run(4), MTU)),
        message(149, 0, 0, 0, run(8), MTU),
        ...[0, 2, 3, 4, 5, 6].flatMap((subtype) =>
          [150, 154].map((type) => message(type, 0, 0, 0, subtype, run(3), MTU)),
        ),
        message(156, 0, 0, 0, 2, run(3), run(24)),
        ...[157, 158].map((type) => message(type, 0, 0, 0, run(28))),
        ...[0, 1, 2, 3].map((code) => message(139, code, 0, 0, 0, 2, 0, 63, run(8), [3, 0x66, 0x6f, 0x6f, 0], run(11))),
        ...[0, 3, 4].map((qtype) => message(140, 0, 0, 0, 0, qtype, 0, 63, run(8), run(40))),
        message(140, 0, 0, 0, 0, 2, 0, 63, run(8), [0, 0, 0, 5, 3, 0x66, 0x6f, 0x6f, 0]),
        ...[5, 100, 127, 170, 200, 255].map((type) => message(type, 0, 0, 0, run(9))),
      ],
      FIELDS,
    );
  });

  it('says of quoted packets that are no IPv6 that they are data, and of headers how much they want', async () => {
    await besideTshark(
      [0, 1, 8, 24, 39].flatMap((n) => [
        message(3, 0, 0, 0, [0, 0, 0, 0, 0x60, 0, 0, 0, 0, 9, 17, 64, ...run(32)].slice(0, 4 + n)),
        message(3, 0, 0, 0, [0, 0, 0, 0, ...run(n)]),
      ]),
      ['ipv6.version', 'ipv6.hlim', 'ipv6.src', ...FIELDS],
    );
  });

  it('reads all records of a report that says that it has fewer', async () => {
    await besideTshark([message(143, 0, 0, 0, 0, 0, 0, 1, [4, 1, 0, 1], run(36), [3, 0, 0, 0], run(16))], FIELDS);
  });
});

describe('ICMPv6 where tshark is wrong', () => {
  it('does not take octets of the next option for those of one that is too short', () => {
    // RFC 4861 §4.6.2: a prefix needs four units. tshark reads the MTU that follows as lifetime, and more.
    const { fields, experts } = see('ip.version', 6, solicitation(3, 1, run(6), MTU));
    assert.deepEqual(fields['icmpv6.opt.prefix.length'], ['65']);
    assert.equal(fields['icmpv6.opt.prefix.preferred_lifetime'], undefined);
    assert.deepEqual(fields['icmpv6.opt.mtu'], ['1280']);
    assert.deepEqual(experts, ['Invalid Option Length']);
  });

  it('takes the padding of keys, and the second octet of a shortcut limit, once', () => {
    // RFC 5269 §4.1, RFC 2491 appendix D. tshark goes back by some octets and calls those unknown.
    const key = see('ip.version', 6, option(27, 3, 3, 0x10));
    assert.deepEqual(
      key.fields['icmpv6.opt.hkr.padding']?.map((s) => s.length),
      [6],
    );
    const limit = see('ip.version', 6, option(6, 1));
    assert.equal(limit.fields['icmpv6.opt.reserved'].length, 2);
    assert.deepEqual([...key.experts, ...limit.experts], []);
  });

  it('says that a report has fewer records than it says', () => {
    // RFC 9777 §5.2.9. tshark does not look at their number.
    const { fields, failed } = see('ip.version', 6, message(143, 0, 0, 0, 0, 0, 0, 2, [4, 0, 0, 0], run(16)));
    assert.equal(fields['icmpv6.mldr.mar.record_type'].length, 1);
    assert.ok(failed);
  });
});
