import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromBase64, fromDump, fromHex } from '../../src/cli/octets.js';
import { file, ip4, run, udp } from './run.js';

/** An empty datagram to the SIP port, in an envelope: TS 24.322 §7.1.2. */
const PACKET = ip4(17, udp(40_000, 9, Buffer.from('hello')));
const ENVELOPE = Buffer.concat([Buffer.from([1, 0, PACKET.length + 3]), PACKET]);
const HEX = ENVELOPE.toString('hex');

/** `-T fields` of the envelope: what every way to write it down must give. */
const WANTED = ['-e', 'fttims.length', '-e', 'ip.dst', '-e', 'udp.dstport', '-e', 'data.data'];
const VALUES = '36\t192.0.2.2\t9\t68656c6c6f\n';

function fields(args: readonly string[], input?: Uint8Array | string): string {
  const r = run(['decode', ...args, ...WANTED], input === undefined ? {} : { input: Buffer.from(input) });
  assert.equal(r.err, '');
  assert.equal(r.code, 0);
  return r.out;
}

describe('decode', () => {
  test('prints the tree of an envelope', () => {
    const { out, err, code } = run(['decode', HEX]);
    assert.deepEqual([err, code], ['', 0]);
    assert.match(out, /^FTT-IMS envelope\n {4}Type: IP packet \(1\)\n {4}Length: 36\n/);
    assert.match(out, /^Internet Protocol Version 4, Src: 192\.0\.2\.1, Dst: 192\.0\.2\.2$/m);
    assert.match(out, /^User Datagram Protocol, Src Port: 40000, Dst Port: 9$/m);
  });

  test('takes hex in its usual forms, and base64', () => {
    const pairs = HEX.match(/../g)!;
    for (const given of [
      [HEX],
      [HEX.toUpperCase()],
      pairs,
      [pairs.join(':')],
      [pairs.map((x) => `0x${x}`).join(', ')],
      [pairs.map((x) => `\\x${x}`).join('')],
      [ENVELOPE.toString('base64')],
      [ENVELOPE.toString('base64url')],
      ['--in', 'base64', ENVELOPE.toString('base64')],
    ])
      assert.equal(fields(given), VALUES, given.join(' '));
  });

  test('takes text or octets from standard input and from a file', () => {
    assert.equal(fields(['-'], `${HEX}\n`), VALUES);
    assert.equal(fields(['-'], ENVELOPE), VALUES);
    assert.equal(fields(['-r', file('one.hex', HEX)]), VALUES);
    assert.equal(fields(['-r', file('one.bin', ENVELOPE)]), VALUES);
    assert.equal(fields(['--in', 'octets', '-r', file('one.bin', ENVELOPE)]), VALUES);
  });

  test('tells IP packets and messages from envelopes', () => {
    assert.match(run(['decode', PACKET.toString('hex')]).out, /^Internet Protocol Version 4/);
    const message = 'OPTIONS sip:a SIP/2.0\r\nCall-ID: x\r\n\r\n';
    assert.equal(run(['decode', '-', '-e', 'sip.Call-ID'], { input: Buffer.from(message) }).out, 'x\n');
    const unknown = run(['decode', '09 0005 aabb']).out; // type 9, Length 5
    assert.match(unknown, /Type: 9\n/);
    assert.match(unknown, /Payload: aabb/);
  });

  test('--as says what the octets are', () => {
    const r = run(['decode', '--as', 'dns', '000101000001000000000000 0161 00 0001 0001', '-e', 'dns.qry.name']);
    assert.equal(r.out, 'a\n');
    assert.equal(run(['decode', '--as', 'udp', '1388 1389 0008 0000', '-e', 'udp.srcport']).out, '5000\n');
  });

  test('envelopes one after the other are rows, and what has no length is shown', () => {
    const { out } = run(['decode', `${HEX}${HEX}020003`, '-e', 'fttims.type', '-e', 'fttims.length']);
    assert.equal(out, '1\t36\n1\t36\n2\t3\n');
    const cut = run(['decode', `${HEX}0100`]);
    assert.equal(cut.code, 0);
    assert.match(cut.out, /Malformed Packet: FTT-IMS\] needs 3 octets at offset 0, has 2/);
  });

  test('envelopes of unknown types are rows too, empty ones as well, wherever they stand', () => {
    const rows = (hex: string): string => {
      const r = run(['decode', hex, '-e', 'fttims.type', '-e', 'fttims.length', '-e', 'fttims.payload']);
      assert.deepEqual([r.err, r.code], ['', 0], hex);
      return r.out;
    };
    assert.equal(rows('050003 050003 060003'), '5\t3\t\n5\t3\t\n6\t3\t\n');
    assert.equal(rows('050005aabb 060003'), '5\t5\taabb\n6\t3\t\n');
    assert.equal(rows(`060003 ${HEX} 050004ff`), `6\t3\t\n1\t36\t${PACKET.toString('hex')}\n5\t4\tff\n`);
    assert.match(rows(`050003 ${HEX.slice(0, 60)}`), /^5\t3\t\n1\t36\t4500/);
    const tree = run(['decode', '050003050003']).out;
    assert.equal(tree.match(/Unknown envelope type: the receiver discards it/g)?.length, 2);
    for (const none of ['050003 060002', '050003 0600', '050003 060004'])
      assert.match(run(['decode', none]).err, /neither an envelope nor an IP packet/);
  });

  test('output is in the forms of read', () => {
    const row = JSON.parse(run(['decode', '-T', 'ndjson', HEX]).out);
    assert.deepEqual(row.protocols, ['fttims', 'ip', 'udp', 'data']);
    assert.deepEqual(row.fields['udp.length'], [13]);
    assert.match(run(['decode', '-T', 'text', HEX]).out, /192\.0\.2\.1 → 192\.0\.2\.2 +UDP .*40000 → 9 Len=5/);
    const [packet] = JSON.parse(run(['decode', '-T', 'json', HEX]).out);
    assert.equal(packet._source.layers.fttims['fttims.length'], '36');
    assert.match(run(['decode', '-x', HEX]).out, /^0000 {2}01 00 24 45 00/m);
  });

  test('what cannot be understood is said, with exit code 2; wrong usage with 1', () => {
    const refused: [string[], number, RegExp][] = [
      [['012'], 2, /neither hex nor base64: 012/],
      [['nothing of the kind!'], 2, /neither hex nor base64/],
      [['ff'], 2, /neither an envelope nor an IP packet/],
      [['-r', '/no/such/file'], 2, /no such file/],
      [['-'], 2, /standard input: no octets/],
      [[], 1, /no octets given/],
      [['--as', 'sipp', '00'], 1, /did you mean sip\?/],
      [['--in', 'morse', '00'], 1, /Allowed choices are auto, hex, base64, octets/],
      [['-T', 'xml', HEX], 1, /unknown format/],
      [['-r', 'x', '00'], 1, /not both/],
    ];
    for (const [args, code, words] of refused) {
      const r = run(['decode', ...args]);
      assert.equal(r.code, code, args.join(' '));
      assert.match(r.err, words);
      assert.equal(r.out, '');
    }
  });
});

describe('octets that people paste', () => {
  const octets = [...'FTT-IMS: a firewall traversal'].map((c) => c.charCodeAt(0));
  const text = 'FTT-IMS: a firewall traversal';

  test('dumps of tools', () => {
    const dumps = {
      xxd: `00000000: 4654 542d 494d 533a 2061 2066 6972 6577  FTT-IMS: a firew
00000010: 616c 6c20 7472 6176 6572 7361 6c         all traversal
`,
      hexdump: `00000000  46 54 54 2d 49 4d 53 3a  20 61 20 66 69 72 65 77  |FTT-IMS: a firew|
00000010  61 6c 6c 20 74 72 61 76  65 72 73 61 6c           |all traversal|
0000001d
`,
      tcpdump: `\t0x0000:  4654 542d 494d 533a 2061 2066 6972 6577  FTT-IMS:.a.firew
\t0x0010:  616c 6c20 7472 6176 6572 7361 6c         all.traversal
`,
      wireshark: `0000   46 54 54 2d 49 4d 53 3a 20 61 20 66 69 72 65 77   FTT-IMS: a firew
0010   61 6c 6c 20 74 72 61 76 65 72 73 61 6c            all traversal
`,
      od: `000000 46 54 54 2d 49 4d 53 3a 20 61 20 66 69 72 65 77
000010 61 6c 6c 20 74 72 61 76 65 72 73 61 6c
00001d
`,
    };
    for (const [tool, dump] of Object.entries(dumps)) assert.deepEqual([...fromDump(dump)!], octets, tool);
    assert.deepEqual([...fromDump(dumps.xxd.replaceAll('\n', '\r\n'))!], octets);
  });

  test('a dump with a line missing is none', () => {
    assert.equal(fromDump('0000  41 42\n0010  43\n'), undefined);
    assert.equal(fromDump('41424344'), undefined);
  });

  test('hex and base64', () => {
    assert.deepEqual([...fromHex('{0x46, 0x54}')!], [0x46, 0x54]);
    assert.equal(fromHex('4'), undefined);
    assert.equal(fromHex('xy'), undefined);
    assert.equal(Buffer.from(fromBase64('RlRULUlNUzogYSBmaXJld2Fs\nbCB0cmF2ZXJzYWw=')!).toString(), text);
    assert.equal(fromBase64('R'), undefined);
    assert.equal(fromBase64('=='), undefined);
  });
});
