import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { framedStreams } from '../../../dissectors/well-known/framed.js';
import { portsOnly } from '../../../dissectors/well-known/ports-only.js';
import { at, type Endpoint, tcp, udp } from '../../build/packets.js';
import { file, rawPcap } from '../../cli/run.js';
import { tsharkMissing } from '../../support/tshark.js';
import { differences, ours } from '../bodies/wire.js';
import { octets } from '../rtp/world.js';

/** Protocols that a port names, with or without a look at the first octets: tshark is asked about each of them. */

const SERVER = '192.0.2.2';
const text = (s: string): string => Buffer.from(s, 'latin1').toString('hex');

/** Octets that say nothing, and text. */
const NOTHING = 'a5'.repeat(64);
const LINE = text('some words and the end of a line\r\n');

const ports = (table: string): number[] =>
  [...portsOnly, ...framedStreams].flatMap((d) => (d.on?.[table] ?? []) as number[]).sort((a, b) => a - b);

/** Each message in a flow of its own. */
const datagrams = (name: string, ...sent: readonly (readonly [number, string])[]): string =>
  file(
    `${name}.pcap`,
    rawPcap(...sent.map(([port, hex], i) => udp(at('192.0.2.1', 40_000 + i), at(SERVER, port), octets(hex)))),
  );

/** A stream whose start is there: segments to a port, and from it where they begin with `<`. */
function stream(client: Endpoint, port: number, ...segments: readonly string[]): Uint8Array[] {
  const server = at(SERVER, port);
  const none = new Uint8Array(0);
  const packets = [
    tcp(client, server, { seq: 99, flags: 2 }, none),
    tcp(server, client, { seq: 499, ack: 100, flags: 18 }, none),
  ];
  let [seq, ack] = [100, 500];
  for (const segment of segments) {
    const answers = segment.startsWith('<');
    const payload = octets(answers ? segment.slice(1) : segment);
    packets.push(
      answers ? tcp(server, client, { seq: ack, ack: seq }, payload) : tcp(client, server, { seq, ack }, payload),
    );
    if (answers) ack += payload.length;
    else seq += payload.length;
  }
  return packets;
}

const streams = (name: string, ...sent: readonly (readonly [number, ...string[]])[]): string =>
  file(`${name}.pcap`, rawPcap(...sent.flatMap(([port, ...s], i) => stream(at('192.0.2.1', 40_000 + i), port, ...s))));

const FIELDS = ['frame.protocols', 'data.len'];

describe('protocols that a port names, as tshark', { skip: tsharkMissing }, () => {
  test('in datagrams', async () => {
    const all = ports('udp.port');
    assert.ok(all.length > 80);
    for (const [i, octets] of [NOTHING, LINE].entries())
      assert.deepEqual(await differences(datagrams(`udp-${i}`, ...all.map((p) => [p, octets] as const)), FIELDS), []);
  });

  test('in segments of streams', async () => {
    const all = ports('tcp.name');
    assert.ok(all.length > 50);
    for (const [i, octets] of [NOTHING, LINE].entries())
      assert.deepEqual(await differences(streams(`tcp-${i}`, ...all.map((p) => [p, octets] as const)), FIELDS), []);
  });

  test('with a look at their first octets', async () => {
    const path = datagrams(
      'looks',
      ...([
        [88, `04 02 ${NOTHING}`],
        [88, `04 00 ${NOTHING}`],
        [88, `6a ${NOTHING}`],
        [88, NOTHING],
      ] as const),
      ...([
        [750, `04 03 ${NOTHING}`],
        [750, `05 03 ${NOTHING}`],
      ] as const),
      ...([
        [2427, text('CRCX 1 a MGCP 1.0\r\n')],
        [2427, text('200 1 OK\r\n')],
        [2427, text('HELP 1\r\n')],
      ] as const),
      ...([
        [7000, `${'a5'.repeat(20)} 02 ${'00'.repeat(7)}`],
        [7000, `${'a5'.repeat(20)} 01 ${'00'.repeat(12)}`],
      ] as const),
      ...([
        [4569, '8001 0002 00000001 00 00 06 02'],
        [4569, `0001 0002 ${NOTHING}`],
      ] as const),
      ...([[4569, `8001 0002 00000001 00 00 02 02 ${NOTHING}`]] as const),
      ...([
        [8161, '3003020100'],
        [1700, `01 01 0014 ${'00'.repeat(16)}`],
        [2048, '0000000a 00000000'],
      ] as const),
      ...([
        [3205, `0001 0001 ${NOTHING}`],
        [3205, `0002 0001 ${NOTHING}`],
      ] as const),
      ...([
        [4000, '0200'],
        [4000, '0700'],
        [8000, '020000 0002 0000'],
        [8000, '020000 0003 0000'],
      ] as const),
    );
    assert.deepEqual(await differences(path, FIELDS), []);
  });

  test('whose messages say how long they are', async () => {
    const git = text('0009done\n');
    const path = streams(
      'framed',
      ...([[49, 'c0 01 01 00 00000001 00000002', '0102']] as const),
      ...([[42, '00000006 0000', '7800']] as const),
      ...([[323, '01 02 0000 00000008', '01 02 0000 0000', '0008']] as const),
      ...([[464, '00000004 00', '000000']] as const),
      ...([[9418, git, git.slice(0, 8), git.slice(8)]] as const),
      ...([[13400, '02 fd 0005 00000007 00 00 00 00 00 00 00', '02 fd 8001 00000006 0e80 1000 3e00']] as const),
      ...([[5222, text("<?xml version='1.0'?><a>"), text('<b'), text('></b>')]] as const),
      ...([
        [6881, `13 ${text('BitTorrent protocol')} ${'00'.repeat(48)}`, '00000001 00', '0000', '0000', NOTHING],
      ] as const),
      ...([[40_500, `13 ${text('BitTorrent protocol')} ${'00'.repeat(48)}`, `00000005 04 0000`, '0001']] as const),
      ...([[104, '01 00 0000000a 0001 0000 0000 0000', '0000']] as const),
      ...([[40_501, `000b d0 01 0001 0005 2001 00`, `000b d0 01`, '0001 0005 2001 00']] as const),
      ...([[5900, `<${text('RFB 003.008\n')}`, text('RFB 003.008\n'), '<0101', '01']] as const),
      ...([[40_502, `<${text('RFB 003.008\n')}`, text('RFB 003.008\n'), '<0101', '01']] as const),
    );
    assert.deepEqual(await differences(path, ['frame.protocols']), []);
  });

  test('that begin in a stream that was nobody’s, whose start need not be there', async () => {
    const version = `f9beb4d9 ${text('verack')} 000000000000 00000000 5df6e0e2`.replaceAll(' ', '');
    const opened = streams('nobodys', [
      40_600,
      '7f7f4943',
      '<0a0b',
      version,
      `<${version}`,
      version.slice(0, 20),
      version.slice(20),
    ]);
    assert.deepEqual(await differences(opened, ['frame.protocols']), []);
    const stacks = (await ours(opened)).map((s) => s.protocols.slice(3).join(':'));
    assert.deepEqual(stacks.slice(2), ['data', 'data', 'bitcoin', 'bitcoin', '', 'bitcoin']);
    const middle = file(
      'middle.pcap',
      rawPcap(...stream(at('192.0.2.1', 40_700), 40_601, version.slice(0, 20), version.slice(20)).slice(3)),
    );
    assert.deepEqual(await differences(middle, ['frame.protocols']), []);
  });

  test('FTP says where its data go', async () => {
    const data = (from: Endpoint, to: Endpoint, payload: string) => [
      tcp(from, to, { seq: 1, flags: 2 }, new Uint8Array(0)),
      tcp(to, from, { seq: 1, ack: 2, flags: 18 }, new Uint8Array(0)),
      tcp(to, from, { seq: 2, ack: 2 }, octets(payload)),
    ];
    const control = stream(
      at('192.0.2.1', 40_000),
      21,
      text('EPSV\r\n'),
      `<${text('227 Entering Passive Mode (192,0,2,2,156,166).\r\n')}`,
      `<${text('229 Extended (|||40103|)\r\n')}`,
    );
    const client = (port: number) => at('192.0.2.1', port);
    const path = file(
      'ftp.pcap',
      rawPcap(
        ...control,
        ...data(at(SERVER, 20), client(40_100), NOTHING),
        ...data(at(SERVER, 20), client(40_101), LINE),
        ...data(client(41_000), at(SERVER, 40_102), text('a file of many words, and of lines')),
        ...data(client(41_001), at(SERVER, 40_103), NOTHING),
        ...data(client(41_002), at(SERVER, 40_104), NOTHING),
      ),
    );
    assert.deepEqual(await differences(path, ['frame.protocols', 'data.len']), []);
    assert.deepEqual(
      (await ours(path)).map((s) => s.protocols.slice(3).join(':')).filter((s) => s !== '' && s !== 'ftp'),
      ['ftp-data', 'ftp-data:data-text-lines', 'ftp-data:data-text-lines', 'ftp-data', 'data'],
    );
  });

  test('TNS: what its data packets hold, and octets that are none of it', async () => {
    const path = streams(
      'tns',
      [
        1521,
        `000b 0000 06 00 0000 0000 09`,
        `0014 0000 06 00 0000 0000 03 3b ${'01'.repeat(8)}`,
        '0008 0000 0b 00 0000',
      ],
      [1521, `0038 0000 06 00 0000 0000 deadbeef 0020 0920 0100 0004 0000 0400 0300 ${'00'.repeat(30)}`, NOTHING],
    );
    assert.deepEqual(await differences(path, FIELDS), []);
  });

  test('what is no record on the ports of TLS', async () => {
    const path = streams(
      'tls',
      [443, NOTHING, '<0036ff'],
      [443, LINE],
      [8883, '01'],
      [443, text('abcd')],
      [443, text('abcde')],
    );
    assert.deepEqual(await differences(path, FIELDS), []);
  });
});
