import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { file, ip4, rawPcap, udp } from '../../cli/run.js';
import { fieldNames, tsharkMissing } from '../../support/tshark.js';
import { differences, ours } from '../bodies/wire.js';

const octets = (hex: string): Buffer => Buffer.from(hex.replace(/\s/g, ''), 'hex');
/** A whole message: up to Reference ID, the four timestamps, and what follows. */
const message = (head: string, times: readonly [string, string, string, string], rest = ''): Buffer =>
  octets([head, ...times, rest].join(''));
const NO = '00000000 00000000';
const [SENT, TAKEN, SET] = ['e8754700 80000000', 'e8754700 81000100', 'e875469c 00000001'];
/** A client asks, version 4. */
const ASKED = '23 00 00 00 00000000 00000000 00000000';
const asked = (rest: string): Buffer => message(ASKED, [NO, NO, NO, SENT], rest);
/** An extension: type and octets in all; so many octets of zeros. */
const extension = (type: string, n: number): string => type + n.toString(16).padStart(4, '0') + '00'.repeat(n - 4);
const zeros = (n: number): string => '00'.repeat(n);

const KISS = message('dc 00 06 ec 00000000 00000000 52415445', [NO, SENT, NO, TAKEN]);
const MESSAGES = [
  asked(''),
  message('24 02 03 e9 00000123 00000456 c0000201', [SET, SENT, TAKEN, TAKEN]),
  KISS,
  message('64 01 0a e3 00000000 0000000f 47505300', [SET, SENT, 'e8754700 ffffffff', '7fffffff 00000003']),
  message('a1 10 11 fa ffffffff 7fff8000 4c4f434c', [SET, SENT, '00000001 00000000', 'ffffffff ffffffff']),
  message('3b 00 80 7f 00000001 00000002 58585858', [SET, NO, NO, SENT]),
  message('08 c8 06 ee 00000001 00000002 01020304', [SET, NO, NO, SENT]),
  octets('16 02 0001 0000 0000 0000 0000'), // control
  octets(`17 00 03 2a ${zeros(44)}`), // private
  asked('').subarray(0, 30),
  // What follows the header: keys, extensions, both, and what is neither.
  ...['01', '0001', '00000001', `00000001 ${zeros(8)}`, `00000001 ${zeros(16)}`, `0000000a ${zeros(20)}`].map(asked),
  ...[16, 20, 24, 28, 72].map((n) => asked(extension('0104', n))),
  ...[4, 8, 12, 16, 20, 24, 72].map((n) => asked(extension('0104', 16) + zeros(n))),
  asked(extension('0104', 16) + extension('0204', 16)),
  asked(extension('0104', 16) + extension('0204', 20) + zeros(20)),
  asked(extension('0104', 30)),
  asked(extension('0104', 18) + zeros(22)),
  asked(`0104 0003 ${zeros(24)}`),
  asked(`0104 0064 ${zeros(24)}`),
  // Fractions of a second that binary and decimal fractions tell differently.
  ...[1, 2, 3, 0x1234_5678, 0x2000_0000, 0x9999_999a, 0xffff_fffe].map((n) =>
    message(ASKED, [NO, NO, NO, `e8754700 ${n.toString(16).padStart(8, '0')}`]),
  ),
];
const capture = (): string => file('ntp.pcap', rawPcap(...MESSAGES.map((m) => ip4(17, udp(123, 123, m)))));

describe('NTP', () => {
  test('every field is as in tshark', { skip: tsharkMissing }, async () => {
    // Messages of modes 6 and 7 are told apart, not taken apart.
    const names = (await fieldNames(['ntp'])).filter((n) => /^ntp\.(?!ctrl|priv)/.test(n));
    const found = await differences(capture(), [...names, 'frame.protocols']);
    // A timestamp of zeros says that there is none: tshark prints a word in the place of a time.
    const none = 'tshark ["NULL"], ours ["Jan  1, 1970 00:00:00.000000000 UTC"]';
    assert.deepEqual(
      found.filter((d) => !d.endsWith(none)),
      [],
    );
    assert.ok(found.every((d) => /, ntp\.(reftime|org|rec|xmt): /.test(d)));
  });

  test('a person reads what a server says', async () => {
    const [client, server, kiss, gps] = await ours(capture());
    assert.equal(client.info, 'NTP Version 4, client');
    assert.match(client.text, /Receive Timestamp: NULL\n/);
    assert.match(server.text, /Reference ID: 192\.0\.2\.1\n/);
    assert.match(server.text, /Peer Clock Precision: 0\.000000119 seconds\n/);
    assert.deepEqual(kiss.experts, ['The server gives no time: RATE (Rate exceeded)']);
    assert.match(gps.text, /Reference ID: GPS \(Global position system\)\n/);
    assert.deepEqual([...client.experts, ...server.experts, ...gps.experts], []);
  });
});
