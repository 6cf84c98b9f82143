import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dhcpv6 } from '../../../dissectors/dhcpv6/index.js';
import { put16 } from '../../../src/kit/index.js';
import { datagramsBesideTshark, fieldsOf } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets, run } from '../dns/layer.js';

/** tshark does not show the octets of an option that it knows nothing of; some fields are those of later versions. */
const FIELDS = fieldsOf(dhcpv6, [
  ...['dhcpv6.option.value', 'dhcpv6.boot_file_parameter', 'dhcpv6.boot_file_url', 'dhcpv6.client_link_layer.addr'],
  ...['dhcpv6.client_link_layer.hwtype', 'dhcpv6.inf_max_rt', 'dhcpv6.sol_max_rt'],
]);
const PORTS = [547, 546] as const;

const REPLY = [7, 1, 2, 3];
const run1 = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
/** `foo.com` and zeros. */
const named = (n: number): number[] =>
  [3, 0x66, 0x6f, 0x6f, 3, 0x63, 0x6f, 0x6d, ...new Array<number>(40).fill(0)].slice(0, n);

function option(code: number, value: readonly number[]): number[] {
  const head = new Uint8Array(4);
  put16(head, 0, code);
  put16(head, 2, value.length);
  return [...head, ...value];
}
const reply = (...options: readonly (readonly number[])[]): Uint8Array =>
  Uint8Array.from([...REPLY, ...options.flat()]);

/** Codes of options that tshark reads as they are laid down, whatever their length. */
const CODES = [
  ...[1, 2, 6, 7, 8, 11, 12, 13, 14, 15, 18, 19, 20, 22, 23, 27, 28, 31, 32, 34, 38, 39, 40, 41, 42],
  ...[43, 46, 48, 52, 53, 56, 67, 90, 112, 135, 140, 200],
];

describe('Damaged DHCPv6 beside tshark', { skip: tsharkMissing }, () => {
  it('says of options of any length what is wrong with them', async () => {
    await datagramsBesideTshark(
      PORTS,
      CODES.flatMap((code) => [0, 1, 2, 3, 4, 5, 8, 11, 12, 16, 17, 18, 32].map((n) => reply(option(code, run1(n))))),
      FIELDS,
    );
  });

  it('reads the options of softwires', async () => {
    await datagramsBesideTshark(
      PORTS,
      [
        reply(option(89, [1, 2, 24, 192, 0, 2, 0, 20, 0x20, 1, 0x0d])),
        reply(option(91, [64, 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0])),
        reply(option(92, [192, 0, 2, 1, 24, 0x20, 1, 0x0d])),
        reply(option(94, [...option(93, [6, 8, 0xab, 0]), ...option(90, run1(16))])),
        ...[7, 3].map((n) => reply(option(89, run1(n)))),
        ...[0, 4].map((n) => reply(option(92, run1(n)))),
        reply(option(93, run1(3))),
      ],
      FIELDS,
    );
  });

  it('reads on behind an option that is damaged', async () => {
    await datagramsBesideTshark(
      PORTS,
      [8, 12, 19, 20, 23, 32, 46, 56, 67, 90, 91, 93, 135].map((code) => reply(option(code, run1(33)), option(7, [9]))),
      FIELDS,
    );
  });
});

describe('Damaged DHCPv6 where tshark is wrong', () => {
  it('shows what stands behind an option whose length goes too far', () => {
    // RFC 9915 §21.1. tshark shows nothing of it, and nothing of the options behind the one that holds it.
    const { fields, experts } = run(dhcpv6, octets('07010203 0003000e 000000010000006400000000c8 0005ff'));
    assert.ok(fields['dhcpv6.option.value'].length > 0);
    assert.match(experts.join(), /runs past the end/);
  });

  it('takes the time of a DUID for what it says beyond 2106', () => {
    // RFC 9915 §11.2: seconds since 2000. tshark adds them in 32 bits.
    const { fields } = run(dhcpv6, octets('07010203 0001000e 00010001ff000000020000000001'));
    assert.deepEqual(fields['dhcpv6.duidllt.time'], [String(946_684_800 + 0xff000000)]);
  });

  it('stops at a name that is the root alone, and shows no name that is none', async () => {
    const { fields } = run(dhcpv6, reply(option(24, named(16))));
    assert.deepEqual(fields['dhcpv6.search_list_entry'] ?? fields['dhcpv6.domain_search_fqdn'], ['foo.com.']);
    assert.equal(fields['dhcpv6.root_only_domain_name'].length, 1);
  });
});
