import { strict as assert } from 'node:assert';
import { createCipheriv, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { dissectors } from '../../dissectors/index.js';
import { EspKeys } from '../../src/crypto/esp-keys.js';
import { LIMITS } from '../../src/limits.js';
import { forRows } from '../support/rows.js';
import { frames, tsharkMissing } from '../support/tshark.js';

const KEYS: Readonly<Record<string, Buffer>> = {
  NULL: Buffer.alloc(0),
  'TripleDES-CBC [RFC2451]': Buffer.from('4043434545464649494a4a4c4c4f4f515152525454575758', 'hex'),
  'AES-CBC [RFC3602]': Buffer.from('90d382b410eeba7ad938c46cec1a82bf', 'hex'),
};
const BLOCKS: Readonly<Record<string, number>> = { NULL: 0, 'TripleDES-CBC [RFC2451]': 8, 'AES-CBC [RFC3602]': 16 };
const NAMES: Readonly<Record<string, string>> = {
  'TripleDES-CBC [RFC2451]': 'des-ede3-cbc',
  'AES-CBC [RFC3602]': 'aes-128-cbc',
};
const CHECKS: Readonly<Record<string, readonly [string, number]>> = {
  NULL: ['', 0],
  'HMAC-MD5-96 [RFC2403]': ['md5', 12],
  'HMAC-SHA-1-96 [RFC2404]': ['sha1', 12],
  'HMAC-SHA-256-128 [RFC4868]': ['sha256', 16],
};
const CHECK_KEY = Buffer.from('00112233445566778899aabbccddeeff00112233', 'hex');

/** UDP from 4000 to 4001 with four octets. */
const UDP = Buffer.from('0fa00fa1000c000001020304', 'hex');

/** An IPv4 packet from 192.0.2.1 to 192.0.2.2 with ESP as RFC 4303 §2 lays it out. */
function packet(encryption: string, authentication: string, spi: number): Buffer {
  const block = BLOCKS[encryption];
  const unit = Math.max(4, block);
  const pad = (unit - ((UDP.length + 2) % unit)) % unit;
  const plain = Buffer.concat([UDP, Buffer.from([...Array(pad).keys()].map((i) => i + 1)), Buffer.from([pad, 17])]);
  const iv = Buffer.alloc(block, 0x5a);
  const sealed =
    block === 0
      ? plain
      : Buffer.concat([
          iv,
          createCipheriv(NAMES[encryption], KEYS[encryption], iv).setAutoPadding(false).update(plain),
        ]);
  const header = Buffer.alloc(8);
  header.writeUInt32BE(spi);
  header.writeUInt32BE(1, 4);
  const [hash, length] = CHECKS[authentication];
  const covered = Buffer.concat([header, sealed]);
  const icv = length === 0 ? covered.subarray(0, 0) : createHmac(hash, CHECK_KEY).update(covered).digest();
  const ip = Buffer.from('450000000001000040320000c0000201c0000202', 'hex');
  const whole = Buffer.concat([ip, covered, icv.subarray(0, length)]);
  whole.writeUInt16BE(whole.length, 2);
  return whole;
}

interface Sample {
  readonly line: string;
  readonly octets: Buffer;
}

const samples: Sample[] = Object.keys(KEYS).flatMap((encryption, i) =>
  Object.keys(CHECKS).map((authentication, k) => {
    const spi = 0x100 * (i + 1) + k;
    const texts = ['IPv4', '*', '192.0.2.2', `0x${spi.toString(16)}`, encryption];
    texts.push(`0x${KEYS[encryption].toString('hex')}`, authentication, `0x${CHECK_KEY.toString('hex')}`);
    return { line: texts.map((text) => `"${text}"`).join(','), octets: packet(encryption, authentication, spi) };
  }),
);

/** A capture of raw IP. */
function capture(packets: readonly Buffer[]): Buffer {
  const head = Buffer.from('d4c3b2a1020004000000000000000000ffff000065000000', 'hex');
  const parts = packets.map((p) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(p.length, 8);
    record.writeUInt32LE(p.length, 12);
    return Buffer.concat([record, p]);
  });
  return Buffer.concat([head, ...parts]);
}

const ENDS = { net: 4, addresses: Buffer.from('c0000201c0000202', 'hex'), src: 0, dst: 4 } as const;

suite('keys of ESP', () => {
  for (const { line, octets } of samples)
    test(`open ${line}`, () => {
      const keys = new EspKeys();
      assert.deepEqual(keys.add(line), []);
      const opened = keys.open(ENDS, octets, 20, octets.length);
      assert.ok(opened !== undefined);
      assert.deepEqual(Buffer.from(opened.bytes.subarray(0, opened.payload)), UDP);
      assert.equal(opened.next, 17);
      assert.equal(opened.good, opened.icv > 0);
    });

  test('a wrong check value is not good, and another SPI, end or length stays shut', () => {
    const { line, octets } = samples.find((s) => s.line.includes('AES-CBC') && s.line.includes('SHA-256'))!;
    const keys = new EspKeys();
    keys.add(line);
    const changed = Buffer.from(octets);
    changed[changed.length - 1] ^= 1;
    assert.equal(keys.open(ENDS, changed, 20, changed.length)?.good, false);
    assert.equal(keys.open(ENDS, octets, 20, octets.length - 1), undefined);
    assert.equal(keys.open(ENDS, octets, 20, 27), undefined);
    assert.equal(keys.open({ ...ENDS, dst: 0 }, octets, 20, octets.length), undefined);
    changed[23] ^= 1;
    assert.equal(keys.open(ENDS, changed, 20, changed.length), undefined);
  });

  /** Test cases 2 and 3 of draft-mcgrew-gcm-test-01 §4: key, salt, header, explicit nonce, what is sealed, and sealed. */
  for (const [bits, key, salt, header, nonce, plain, sealed, tag] of [
    [
      192,
      'feffe9928665731c6d6a8f9467308308feffe9928665731c',
      'cafebabe',
      '0000a5f80000000a',
      'facedbaddecaf888',
      '45000028a4ad4000400678800a01038f0a010612802306b8cb712602dd6bb03e501016d075680001',
      'a5b1f8066029aea40e598b8122de02420938b3ab33f828e687b8858b5bfbdbd0315b27452144cc77',
      '95457b9652037f5318027b5b4cd7a636',
    ],
    [
      256,
      'abbccddef00112233445566778899aababbccddef00112233445566778899aab',
      '11223344',
      '4a2cbfe300000002',
      '0102030405060708',
      '4500003069a6400080062690c0a801029389155e0a9e008b2dc57ee0000000007002400020bf0000020405b40101040201020201',
      'ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763748a637985771d347f0545659f14e99def842d8e',
      'b335f4eecfdbf831824b4c4915956c96',
    ],
  ] as const)
    test(`AES-GCM with a key of ${bits} bits`, () => {
      const octets = Buffer.from(`${header}${nonce}${sealed}${tag}`, 'hex');
      for (const name of ['AES-GCM [RFC4106]', 'AES-GCM with 16 octet ICV [RFC4106]']) {
        const keys = new EspKeys();
        const line = ['IPv4', '*', '*', `0x${header.slice(0, 8)}`, name, `0x${key}${salt}`, 'NULL', ''];
        assert.deepEqual(keys.add(line.map((text) => `"${text}"`).join(',')), []);
        const opened = keys.open(ENDS, octets, 0, octets.length);
        assert.equal(Buffer.from(opened!.bytes).toString('hex'), plain);
        assert.deepEqual(
          [opened!.icv, opened!.good, opened!.payload],
          [16, true, plain.length / 2 - 2 - (bits === 192 ? 0 : 2)],
        );
        const changed = Buffer.from(octets);
        changed[changed.length - 1] ^= 1;
        assert.equal(keys.open(ENDS, changed, 0, changed.length)?.good, false);
      }
    });

  test('AES-GMAC (RFC 4543 §3.3): the payload is in the clear, and all of it is authenticated', () => {
    const key = Buffer.from('4c80cdefbb5d10da906ac73c3613a634', 'hex');
    const salt = Buffer.from('22432b4d', 'hex');
    const head = Buffer.from('000043210000000149' + '56ed7e3b244cfe', 'hex');
    const plain = Buffer.concat([UDP, Buffer.from('01020211', 'hex')]);
    const gmac = createCipheriv('aes-128-gcm', key, Buffer.concat([salt, head.subarray(8)]));
    gmac.setAAD(Buffer.concat([head, plain])).final();
    const octets = Buffer.concat([head, plain, gmac.getAuthTag()]);
    const keys = new EspKeys();
    const line = [
      'IPv4',
      '*',
      '*',
      '0x4321',
      'NULL',
      '',
      'AES-GMAC [RFC4543]',
      `0x${key.toString('hex')}${salt.toString('hex')}`,
    ];
    assert.deepEqual(keys.add(line.map((text) => `"${text}"`).join(',')), []);
    const opened = keys.open(ENDS, octets, 0, octets.length)!;
    assert.deepEqual(Buffer.from(opened.bytes.subarray(0, opened.payload)), UDP);
    assert.deepEqual([opened.next, opened.icv, opened.good], [17, 16, true]);
    octets[20] ^= 1;
    assert.equal(keys.open(ENDS, octets, 0, octets.length)?.good, false);
    const short = new EspKeys();
    assert.equal(short.add(line.map((text) => `"${text.replace('22432b4d', '')}"`).join(',')).length, 1);
  });

  test('what is learnt goes before the table, and makes room for what is learnt later', () => {
    const [{ line: table, octets: mine }] = samples;
    const learnt = samples.find((s) => s.line.includes('AES-CBC') && s.line.includes('SHA-256'))!;
    const line = (n: number) => learnt.line.replace('"*"', '"192.0.2.1"').replace(/0x[^"]*/, `0x${n.toString(16)}`);
    const opens = (keys: EspKeys, b: Buffer): boolean | undefined => keys.open(ENDS, b, 20, b.length)?.good;
    const spi = learnt.octets.readUInt32BE(20);
    const keys = new EspKeys();
    keys.add(`${table}\n${learnt.line.replaceAll('0x00', '0xff')}`);
    assert.equal(opens(keys, learnt.octets), false);
    for (let i = 0; i < 2; i++) keys.learn(line(spi));
    assert.deepEqual([keys.length, keys.dropped, opens(keys, learnt.octets)], [3, 0, true]);
    for (let i = 1; i < LIMITS.espAssociations; i++) keys.learn(line(0x10000 + i));
    assert.deepEqual([keys.dropped, opens(keys, learnt.octets)], [0, true]);
    keys.learn(line(0x20000));
    assert.deepEqual([keys.length, keys.dropped], [2 + LIMITS.espAssociations, 1]);
    assert.deepEqual([opens(keys, learnt.octets), opens(keys, mine)], [false, false], 'the table stays');
  });

  test('lines of no use are named', () => {
    const keys = new EspKeys();
    const text = `# a comment\n\n${samples[0].line}\n"IPv4","*"\n${samples[1].line.replace('IPv4', 'IPv5')}`;
    assert.ok(EspKeys.looksLike(text));
    assert.ok(!EspKeys.looksLike('CLIENT_RANDOM 00 00'));
    assert.deepEqual(keys.add(text), ['line 4: 2 texts in quotes, not 8', 'line 5: unknown protocol IPv5']);
    assert.equal(keys.length, 1);
  });

  test('tshark opens the same', { skip: tsharkMissing }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'esp-keys-'));
    try {
      const path = join(folder, 'esp.pcap');
      writeFileSync(path, capture(samples.map((s) => s.octets)));
      const fields = ['esp.spi', 'esp.pad_len', 'esp.protocol', 'esp.icv_good', 'udp.dstport', 'frame.protocols'];
      const options = ['-o', 'esp.enable_encryption_decode:TRUE', '-o', 'esp.enable_authentication_check:TRUE'];
      const lines = samples.flatMap((s) => ['-o', `uat:esp_sa:${s.line}`]);
      const theirs = await frames(path, [...options, ...lines], fields);
      const keylog = [samples.map((s) => s.line).join('\n')];
      await forRows(path, { keylog }, (row) => {
        const t = row.dissection.tree;
        const port = [...Array(t.length).keys()].find((i) => t.field(i).name === 'udp.dstport');
        assert.ok(port !== undefined, `frame ${row.frame}`);
        const want = theirs.get(row.frame)!;
        assert.deepEqual([String(t.value(port))], want.get('udp.dstport'));
        assert.deepEqual([row.dissection.protocols.join(':')], want.get('frame.protocols'));
        const good = [...Array(t.length).keys()].find((i) => t.field(i).name === 'esp.icv_good');
        assert.deepEqual(good === undefined ? undefined : [String(t.value(good))], want.get('esp.icv_good'));
      });
      const port = dissectors.find((d) => d.proto === 'udp')!.fields.dstport;
      let rows = 0;
      await forRows(path, { keylog, fields: [port], bare: true }, (row) => {
        assert.equal(row.dissection.tree.length, 1);
        assert.equal(row.dissection.tree.value(0), 4001);
        rows++;
      });
      assert.equal(rows, samples.length);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
