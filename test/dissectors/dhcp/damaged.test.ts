import { describe, it } from 'node:test';
import { dhcp } from '../../../dissectors/dhcp/index.js';
import { datagramsBesideTshark, fieldsOf } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';

const FIELDS = fieldsOf(dhcp).filter((f) => f.startsWith('dhcp.') || f.startsWith('_ws'));
const PORTS = [68, 67] as const;
const zeros = (n: number): number[] => new Array<number>(n).fill(0);
const run = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/** What stands before the cookie; the names are given. */
const head = (server: readonly number[] = [], file: readonly number[] = []): number[] => [
  ...[1, 1, 6, 0, 1, 2, 3, 4],
  ...zeros(20),
  ...[2, 0, 0, 0, 0, 1],
  ...zeros(10),
  ...[...server, ...zeros(64)].slice(0, 64),
  ...[...file, ...zeros(128)].slice(0, 128),
];
const COOKIE = [0x63, 0x82, 0x53, 0x63];
const discover = (...options: readonly number[]): Uint8Array =>
  Uint8Array.from([...head(), ...COOKIE, 53, 1, 1, ...options, 255]);

describe('Damaged DHCP beside tshark', { skip: tsharkMissing }, () => {
  it('shows of a message that is cut what is there', async () => {
    // Of a request tshark shows nothing if the address of its hardware is cut.
    const whole = Uint8Array.from([2, ...head().slice(1)]);
    await datagramsBesideTshark(
      PORTS,
      [4, 6, 8, 9, 10, 11, 12, 15, 16, 20, 24, 27, 28].map((n) => whole.subarray(0, n)),
      FIELDS,
    );
  });

  it('reads on behind the 64 octets that a message without the cookie has for vendors', async () => {
    const bootp = (...after: readonly number[]): Uint8Array => Uint8Array.from([...head(), ...run(64), ...after]);
    await datagramsBesideTshark(PORTS, [bootp(), bootp(1, 4, 255, 255, 0, 0, 255), bootp(0, 12, 1, 0x61, 255)], FIELDS);
  });

  it('says that a name has characters behind its NUL', async () => {
    const named = (server: readonly number[], file: readonly number[] = []): Uint8Array =>
      Uint8Array.from([...head(server, file), ...COOKIE, 53, 1, 1, 255]);
    await datagramsBesideTshark(
      PORTS,
      [named([0x61]), named([0x61, 0, 0x62]), named([0, 0x62]), named([], [0x61, 0, 0, 0x62])],
      FIELDS,
    );
  });

  it('says of options of any length what is wrong with them', async () => {
    const codes = [
      1, 2, 3, 4, 6, 9, 12, 13, 15, 19, 22, 23, 24, 26, 28, 31, 35, 37, 42, 44, 46, 47, 50, 51, 54, 55, 56,
    ];
    await datagramsBesideTshark(
      PORTS,
      [...codes, 57, 58, 59, 60, 66, 67, 80, 88, 90, 97, 100, 101, 114, 116, 118, 120, 150, 175, 224].flatMap((code) =>
        [1, 2, 3, 4, 5, 8, 16, 33].map((n) => discover(code, n, ...run(n))),
      ),
      FIELDS,
    );
  });
});
