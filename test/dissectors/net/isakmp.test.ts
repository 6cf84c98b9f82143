import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isakmp } from '../../../dissectors/isakmp/index.js';
import { file, ip4, rawPcap, udp } from '../../cli/run.js';
import { besideTshark } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { certificate } from '../../tls/certificate.js';
import { differences, ours } from '../bodies/wire.js';

const octets = (hex: string): Buffer => Buffer.from(hex.replace(/\s/g, ''), 'hex');

/** A message: version, exchange and flags, the first payload, and all payloads. */
function message(version: number, exchange: number, flags: number, first: number, payloads: string): Buffer {
  const body = octets(payloads);
  const head = octets('0102030405060708 1112131415161718 00 00 00 00 00000000 00000000');
  head[16] = first;
  head[17] = version;
  head[18] = exchange;
  head[19] = flags;
  head.writeUInt32BE(28 + body.length, 24);
  return Buffer.concat([head, body]);
}

/** A payload, proposal or transform with its header. */
function part(next: number, hex: string): string {
  const n = octets(hex).length + 4;
  return `${next.toString(16).padStart(2, '0')}00${n.toString(16).padStart(4, '0')}${hex}`;
}

// RFC 7296 §3.3: two proposals, the second with an SPI; a key length, a transform type that nobody knows.
const CHOICE = [
  part(
    2,
    [
      '01 01 00 04',
      part(3, '01 00 000c 800e 0100') + part(3, '02 00 0005') + part(3, '03 00 000c') + part(0, '04 00 000e'),
    ].join(''),
  ),
  part(0, `02 03 04 03 cafebabe ${part(3, '01 00 0014 800e 0080')}${part(3, '05 00 0001')}${part(0, '09 00 0007')}`),
].join('');
const INIT = message(
  0x20,
  34,
  0x08,
  33,
  [
    part(34, CHOICE),
    part(40, `000e 0000 ${'5a'.repeat(32)}`),
    part(41, 'a5'.repeat(16)),
    part(41, '00 00 4004 0102030405060708090a0b0c0d0e0f1011121314'),
    part(0, '00 00 402e'),
  ].join(''),
);

// RFC 2409 appendix A: numbers in two octets and in four, a lifetime of eight; RFC 2407 §4.5 of another protocol.
const OFFER = part(
  0,
  `00 01 00 01 ${part(0, '00 01 0000 800b0001 000c0004 00007080 80010005 80020002 80030001 80040002')}`,
);
const CHILD = part(
  0,
  `01 03 04 01 01020304 ${part(0, '01 0c 0000 80010001 00020008 0000000000007080 80040001 80050002 80060100 00090003 010203')}`,
);
const MAIN = [
  message(0x10, 2, 0, 1, part(13, `00000001 00000001 ${OFFER}`) + part(0, '4a131c81070358455c5728f20e95452f')),
  message(
    0x10,
    2,
    0,
    4,
    part(10, '77'.repeat(16)) + part(20, '66'.repeat(8)) + part(130, '55'.repeat(20)) + part(0, '44'.repeat(20)),
  ),
  message(0x10, 4, 0, 8, part(9, '33'.repeat(20)) + part(11, '22'.repeat(8)) + part(0, '00000001 03 04 0007 0a0b0c0d')),
  message(0x10, 32, 0, 1, part(0, `00000001 00000001 ${CHILD}`)),
  message(0x10, 2, 1, 5, '99'.repeat(40)),
];

const MESSAGES = [
  INIT,
  ...MAIN,
  // RFC 7383 §2.5: the first fragment names what is inside, the others nothing.
  message(0x20, 35, 8, 53, part(35, `0001 0002 ${'5a'.repeat(40)}`)),
  message(0x20, 35, 8, 53, part(0, `0002 0002 ${'a5'.repeat(24)}`)),
  // Lengths that do not fit.
  message(0x20, 34, 8, 33, part(0, part(0, `01 01 00 01 ${part(0, '01 00 000c 000e ffff')}`))),
  message(0x20, 34, 8, 33, part(0, '00 00 0003 01 01 00 01')),
];
/** Of the test: an authority, and what it signed. */
const { der: CERTIFICATE } = certificate('ec', 'ue.example');
const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex');
const NAME = '30 1a 31 0b 3009 0603550406 1302 5345 31 0b 3009 0603550403 0c02 6361';
const CERTIFICATES = [
  message(0x10, 2, 0, 7, part(6, `04 ${NAME}`) + part(7, `04 ${hex(CERTIFICATE)}`) + part(0, '04')),
  message(0x10, 2, 0, 7, part(0, `07 ${NAME}`)),
  message(0x10, 2, 0, 6, part(0, '04 30 03 020101')),
  message(0x20, 35, 8, 37, part(38, `04 ${hex(CERTIFICATE)}`) + part(0, `04 ${'a1'.repeat(20)} ${'b2'.repeat(20)}`)),
  message(0x20, 35, 8, 37, part(0, `0c ${'a1'.repeat(20)} ${hex(Buffer.from('http://www.example.com/c'))}`)),
];
const capture = (): string => file('isakmp.pcap', rawPcap(...MESSAGES.map((m) => ip4(17, udp(500, 500, m)))));

describe('IKE', () => {
  test('every field is as in tshark', { skip: tsharkMissing }, async () => {
    const names = Object.values(isakmp.fields)
      .map((f) => f.name)
      .filter((n) => n.startsWith('isakmp.') && n !== 'isakmp.datapayload');
    assert.ok(names.includes('isakmp.ike2.attr.key_length') && names.includes('isakmp.ipsec.attr.life_duration64'));
    assert.deepEqual(await differences(capture(), [...new Set(names)]), []);
  });

  test('certificates, and requests for them, name their layers', { skip: tsharkMissing }, async () => {
    const names = ['isakmp.cert.encoding', 'isakmp.cert.x509.url', 'isakmp.certreq.type'];
    const authorities = ['isakmp.ike.certreq.authority.sig', 'isakmp.ike.certreq.authority'];
    const inside = ['x509af.serialNumber', 'x509sat.uTF8String', 'x509sat.CountryName'];
    await besideTshark(
      CERTIFICATES.map((m) => ip4(17, udp(500, 500, m))),
      [...names, ...authorities, ...inside],
    );
  });

  test('a length that is none of its datagram', { skip: tsharkMissing }, async () => {
    const lengths = [0, 27, 28, 60, 61, 1000, 0x7fff_ffff, 0xffff_ffff];
    const messages = lengths.map((n) => {
      const m = message(0x10, 2, 0, 13, part(0, 'a1'.repeat(28)));
      m.writeUInt32BE(n, 24);
      return ip4(17, udp(500, 500, m));
    });
    await besideTshark(messages, ['isakmp.exchangetype', '_ws.expert.message', '_ws.malformed', 'data.len']);
  });

  test('what is proposed can be read', async () => {
    const { text } = (await ours(capture()))[0];
    for (const line of [
      'Transform ID (ENCR): ENCR_AES_CBC (12)',
      'Key Length: 256',
      'SPI: cafebabe',
      'Transform ID (D-H): 2048 bit MODP group (14)',
    ])
      assert.ok(text.includes(line), line);
  });

  test('a message that is cut is shown as far as it goes, of which tshark shows nothing behind its length', async () => {
    const path = file('cut.pcap', rawPcap(ip4(17, udp(500, 500, INIT.subarray(0, 60)))));
    const { values } = (await ours(path))[0];
    assert.deepEqual(values.get('isakmp.tf.id.encr'), ['12']);
    assert.deepEqual(values.get('isakmp.typepayload'), ['33', '2', '3', '3']);
  });
});
