import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { septets } from '../../../dissectors/sms/alphabet.js';
import { gsmRp } from '../../../dissectors/sms/rp.js';
import { encode } from '../../../src/kit/index.js';
import { fieldNames, tsharkMissing } from '../../support/tshark.js';
import { capture, differences, oneBody, ours } from './wire.js';

const SMS = 'application/vnd.3gpp.sms';
const hex = (s: string): Buffer => Buffer.from(s.replaceAll(' ', ''), 'hex');
const octet = (n: number): string => n.toString(16).padStart(2, '0');
const length = (s: string): string => octet(hex(s).length);

/** TS 24.011 §7.3, laid out by hand. `down`: from the network. */
const CENTRE = '07 91 447779078404';
const data = (down: boolean, tpdu: string): string =>
  `${down ? '01' : '00'} 2a ${down ? CENTRE : '00'} ${down ? '00' : CENTRE} ${length(tpdu)} ${tpdu}`;
const ack = (down: boolean, tpdu: string): string => `${down ? '03' : '02'} 2a 41 ${length(tpdu)} ${tpdu}`;
const error = (down: boolean, cause: string, tpdu = ''): string =>
  `${down ? '05' : '04'} 2a ${cause} ${tpdu === '' ? '' : `41 ${length(tpdu)} ${tpdu}`}`;

const ADDRESS = '0c 91 447722334455';
/** 2023-11-22 15:16:59, two hours east. */
const TIME = '32112251619580';
/** "Test" in septets. */
const TEST = '04 d4f29c0e';

/** TPDUs of TS 23.040 §9.2.2 in all their variants. */
const MESSAGES: Readonly<Record<string, string>> = {
  deliver: data(true, `04 ${ADDRESS} 00 00 ${TIME} ${TEST}`),
  deliverOctets: data(true, `24 ${ADDRESS} 00 04 ${TIME} 03 414243`),
  deliverUcs2: data(true, `04 ${ADDRESS} 00 08 ${TIME} 06 00e4 4e2d 6587`),
  deliverFromName: data(true, `04 0a d0 d4f29c0e03 00 11 ${TIME} ${TEST}`),
  deliverExtension: data(true, `04 ${ADDRESS} 00 f0 ${TIME} 03 9b3200`),
  deliverWest: data(true, `80 ${ADDRESS} 00 00 3211225161954a ${TEST}`),
  deliverNational: data(true, `0c 07 a1 214365f7 00 00 ${TIME} ${TEST}`),
  deliverStars: data(true, `04 06 81 ba dc 2e 00 00 ${TIME} ${TEST}`),
  deliverEmpty: data(true, `04 ${ADDRESS} 00 00 ${TIME} 00`),
  part16: data(true, `44 ${ADDRESS} 7f f6 ${TIME} 0a 06 08 04 1234 02 01 616263`),
  part8: data(true, `44 ${ADDRESS} 00 00 ${TIME} 0b 05 00 03 aa 02 01 a869730e`),
  indication: data(true, `44 ${ADDRESS} 00 04 ${TIME} 06 04 01 02 81 03 41`),
  languages: data(true, `44 ${ADDRESS} 00 04 ${TIME} 08 06 24 01 03 25 01 01 41`),
  controlled: data(true, `44 ${ADDRESS} 00 04 ${TIME} 0a 06 06 01 d5 07 01 03 414243`),
  formatted: data(true, `44 ${ADDRESS} 00 04 ${TIME} 0f 0b 0a 03 01 05 b6 0a 04 00 02 45 fa 414243`),
  objects: data(true, `44 ${ADDRESS} 00 04 ${TIME} 0f 0b 0b 02 01 05 0d 02 02 03 13 01 02 414243`),
  pictures: data(
    true,
    `44 ${ADDRESS} 00 04 ${TIME} 1d 1b 0c 02 0141 0e 02 0242 0f 02 0343 10 02 0444 11 02 0545 12 05 06 0102 aabb 41`,
  ),
  misfits: data(true, `44 ${ADDRESS} 00 04 ${TIME} 12 10 00 01 11 0a 02 2233 12 03 445566 24 02 0101 41`),
  unknownElement: data(true, `44 ${ADDRESS} 00 04 ${TIME} 06 04 70 02 5566 41`),
  compressed: data(true, `04 ${ADDRESS} 00 20 ${TIME} 03 414243`),
  reservedGroup: data(true, `04 ${ADDRESS} 80 c8 ${TIME} ${TEST}`),
  waitingUcs2: data(true, `04 ${ADDRESS} 00 e1 ${TIME} 02 0041`),
  submitRelative: data(false, `11 05 ${ADDRESS} 41 00 a7 ${TEST}`),
  submitAbsolute: data(false, `39 05 ${ADDRESS} 00 00 ${TIME} ${TEST}`),
  submitSeconds: data(false, `09 05 ${ADDRESS} 00 00 02 1e0000000000 ${TEST}`),
  submitClock: data(false, `a9 05 ${ADDRESS} 1f c8 43 102030000000 ${TEST}`),
  submit: data(false, `05 05 ${ADDRESS} 24 d0 ${TEST}`),
  fromNorthAmerica: data(true, `04 0b 91 2143658709f1 00 04 ${TIME} 01 41`),
  fromPortugal: data(true, `04 0c 91 531921436587 00 04 ${TIME} 01 41`),
  fromNowhere: data(true, `04 04 91 20a1 00 04 ${TIME} 01 41`),
  fromLetters: data(true, `04 04 91 b4a1 00 04 ${TIME} 01 41`),
  statusReport: data(true, `06 05 ${ADDRESS} ${TIME} ${TIME} 00`),
  statusReportMore: data(true, `06 05 ${ADDRESS} ${TIME} ${TIME} 62 07 00 00 ${TEST}`),
  command: data(false, `22 05 00 02 07 ${ADDRESS} 00`),
  commandData: data(false, `02 05 00 00 07 ${ADDRESS} 03 010203`),
  ackUp: '02 2a',
  ackDown: '03 2a',
  deliverReport: ack(false, '00 00'),
  deliverReportMore: ack(false, `00 07 00 00 ${TEST}`),
  submitReport: ack(true, `01 00 ${TIME}`),
  submitReportMore: ack(true, `01 07 ${TIME} 00 00 ${TEST}`),
  error: error(false, '01 16'),
  errorExtended: error(true, '01 a6'),
  errorDiagnostic: error(false, '02 16 55'),
  errorDeliverReport: error(false, '01 6f', '00 d0 00'),
  errorSubmitReport: error(true, '01 45', `01 c0 00 ${TIME}`),
  memoryAvailable: '06 2a',
  empty: '01 2a 00 00 00',
};

/** tshark 4.0 takes this period for shorter than the seven octets of TS 23.040 §9.2.3.12. */
const ENHANCED = data(false, `09 05 ${ADDRESS} 00 00 01 0f0000000000 ${TEST}`);

const E164_NAMES = ['e164.msisdn', 'e164.country_code', 'e164.country_code.non_decimal'];

/** A part of a message of `parts`, coded as `dcs` says, with a text of `udl` units and its octets. */
const part = (
  id: string,
  parts: number,
  n: number,
  dcs: string,
  udl: number,
  text: string,
  address = ADDRESS,
): string =>
  data(true, `44 ${address} 00 ${dcs} ${TIME} ${octet(udl)} 05 00 03 ${id} ${octet(parts)} ${octet(n)} ${text}`);

/** Messages in parts: in order and not, some come again, one with other octets; and what makes none. */
const PARTS: readonly string[] = [
  part('01', 3, 1, '04', 9, '414243'),
  part('01', 3, 2, '04', 8, '4445'),
  part('02', 2, 2, '08', 10, '00e44e2d'),
  part('01', 3, 2, '04', 8, '4445'),
  part('01', 3, 3, '04', 7, '46'),
  part('02', 2, 1, '08', 8, '0041'),
  part('03', 2, 1, '00', 11, 'a869730e'),
  part('03', 2, 2, '00', 11, 'a869730e'),
  part('04', 2, 1, '04', 8, '6161'),
  part('04', 2, 1, '04', 8, '6262'),
  part('04', 2, 2, '04', 8, '6363'),
  part('05', 1, 1, '04', 7, '41'),
  part('06', 2, 3, '04', 7, '41'),
  part('06', 2, 0, '04', 7, '41'),
  part('07', 2, 1, '04', 7, '41'),
  part('07', 2, 2, '04', 7, '42', '0c 91 447722334456'),
];

/**
 * What only tshark has: of frames that come later, what cannot be where parts have numbers, and how a text is aligned,
 * which it has under the name of who made a header.
 */
const LEFT_OUT = /^gsm_sms\.(fragment\.(multiple_tails|too_long_fragment)|reassembled\.in|udh_created)/;
const theirs = async (): Promise<string[]> => (await fieldNames(['gsm_sms'])).filter((n) => !LEFT_OUT.test(n));

describe('SMS over IP', () => {
  test('every field is as in tshark', { skip: tsharkMissing }, async () => {
    const fields = [
      ...(await theirs()),
      ...Object.values(gsmRp.fields).map((f) => f.name),
      ...E164_NAMES,
      'frame.protocols',
    ];
    const wanted = [...new Set(fields)].filter((n) => n !== 'gsm_a.rp' && n !== 'gsm_sms');
    const bodies = Object.values(MESSAGES).map((octets) => ({ type: SMS, octets: hex(octets) }));
    assert.deepEqual(await differences(capture('sms.pcap', bodies), wanted), []);
  });

  test('a message in parts is put together as tshark does it', { skip: tsharkMissing }, async () => {
    const bodies = PARTS.map((octets) => ({ type: SMS, octets: hex(octets) }));
    // With labels the list of parts has a text of its own.
    const wanted = (await theirs()).filter((n) => n !== 'gsm_sms' && n !== 'gsm_sms.fragments');
    assert.deepEqual(await differences(capture('parts.pcap', bodies), wanted), []);
  });

  test('what brings the last part says where the others came from', async () => {
    const seen = await ours(
      capture(
        'parts.pcap',
        PARTS.map((octets) => ({ type: SMS, octets: hex(octets) })),
      ),
    );
    assert.deepEqual(seen[4].values.get('gsm_sms.sms_body'), ['414243444546']);
    assert.deepEqual(seen[5].values.get('gsm_sms.sms_text'), ['A', 'ä中']);
    assert.match(seen[10].text, /\[3 Short Message fragments \(4 octets\): #9\(2\), #10\(2\), #11\(2\)\]/);
    assert.match(seen[10].text, /\[Frame: 11, payload: 2-3 \(2 octets\)\]/);
  });

  test('an enhanced validity period takes seven octets', async () => {
    const { values } = await oneBody(SMS, hex(ENHANCED));
    assert.deepEqual(values.get('gsm_sms.vp.validity_period'), ['15']);
    assert.deepEqual(values.get('gsm_sms.sms_text'), ['Test']);
  });

  test('Info says who writes what', async () => {
    const infos: Readonly<Record<string, string>> = {
      deliver: 'RP-DATA (Network to MS), SMS-DELIVER from 447722334455: Test',
      deliverUcs2: 'RP-DATA (Network to MS), SMS-DELIVER from 447722334455: ä中文',
      deliverFromName: 'RP-DATA (Network to MS), SMS-DELIVER from Test0: Test',
      deliverOctets: 'RP-DATA (Network to MS), SMS-DELIVER from 447722334455: 3 octets',
      part16: 'RP-DATA (Network to MS), SMS-DELIVER from 447722334455 (part 1 of 2): 3 octets',
      submitAbsolute: 'RP-DATA (MS to Network), SMS-SUBMIT to 447722334455: Test',
      statusReport:
        'RP-DATA (Network to MS), SMS-STATUS REPORT for 447722334455: Short message received by the SME ' +
        '(No error, short message transaction completed)',
      ackUp: 'RP-ACK (MS to Network)',
      deliverReport: 'RP-ACK (MS to Network), SMS-DELIVER REPORT',
      error: 'RP-ERROR (MS to Network): Memory capacity exceeded',
      memoryAvailable: 'RP-SMMA (MS to Network)',
    };
    for (const [name, info] of Object.entries(infos))
      assert.equal((await oneBody(SMS, hex(MESSAGES[name]))).info, `Request: MESSAGE sip:b@example.com | ${info}`);
  });

  test('the tree says in words what the bits mean', async () => {
    const { text } = await oneBody(SMS, hex(MESSAGES.submitRelative));
    for (const line of [
      'GSM A-I/F RP - RP-DATA (MS to Network)',
      '    RP-Destination Address - (447797704840)',
      'GSM SMS TPDU (GSM 03.40) SMS-SUBMIT',
      '    TP-RD: Instruct SC to accept duplicates',
      '    TP-Destination-Address - (447722334455)',
      '        Message type: Replace Short Message Type 1 (1)',
      '    TP-Validity-Period: 24 hours 0 minutes',
      '        SMS text: Test',
    ])
      assert.ok(text.split('\n').includes(line), line);
  });

  test('a header says who made it, and how text looks', async () => {
    const controlled = await oneBody(SMS, hex(MESSAGES.controlled));
    assert.deepEqual(controlled.values.get('gsm_sms.udh_created'), ['3']);
    const formatted = await oneBody(SMS, hex(MESSAGES.formatted));
    assert.equal(formatted.values.get('gsm_sms.udh_created'), undefined);
    for (const line of [
      'Alignment: Right',
      'Font Size: Large',
      'Style Italic: On',
      'Background Colour: Bright Magenta',
    ])
      assert.match(formatted.text, new RegExp(line));
  });

  test('messages that are cut are shown as far as they go', async () => {
    for (const name of ['deliver', 'submitAbsolute', 'statusReportMore', 'commandData']) {
      const octets = hex(MESSAGES[name]);
      for (let n = 0; n < octets.length; n++) {
        const { experts } = await oneBody(SMS, octets.subarray(0, n));
        assert.ok(n === 0 || experts.length > 0, `${name}, ${n} octets`);
      }
    }
  });

  test('of user data that are shorter than they say, what is there is shown', async () => {
    // Without an error, tshark shows the same of octets, and nothing of texts.
    const cut = async (scheme: string, udl: string, octets: string) =>
      oneBody(SMS, hex(data(true, `04 ${ADDRESS} 00 ${scheme} ${TIME} ${udl} ${octets}`)));
    const text = await cut('00', '04', 'd4f29c');
    assert.deepEqual(text.values.get('gsm_sms.sms_text'), ['Tes']);
    assert.ok(text.experts.includes('Malformed Packet (Exception occurred)'));
    const wide = await cut('08', '06', '00e44e2d');
    assert.deepEqual(wide.values.get('gsm_sms.sms_text'), ['ä中']);
    const plain = await cut('04', '09', '0102');
    assert.deepEqual(plain.values.get('gsm_sms.sms_body'), ['0102']);
  });

  test('a header that is longer than the user data is noted', async () => {
    const { experts } = await oneBody(SMS, hex(data(true, `44 ${ADDRESS} 00 04 ${TIME} 03 09 0003`)));
    assert.deepEqual(experts, ['Trailing stray characters', 'The user data header does not fit its length']);
  });
});

describe('GSM 7 bit default alphabet', () => {
  /** Packs septets, least significant bit first: TS 23.038 §6.1.2.1. */
  const pack = (codes: readonly number[], bit = 0): Uint8Array => {
    const bits = [...Array(bit).fill(0), ...codes.flatMap((c) => [0, 1, 2, 3, 4, 5, 6].map((i) => (c >> i) & 1))];
    const out = new Uint8Array(Math.ceil(bits.length / 8));
    bits.forEach((b, i) => {
      out[i >> 3] |= b << (i & 7);
    });
    return out;
  };

  test('the table of TS 23.038 §6.2.1', () => {
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'];
    const codes = letters.map((c) => c.charCodeAt(0)); // these are where ASCII has them
    assert.equal(septets(pack(codes), 0, 0, codes.length), letters.join(''));
    const others = [0x00, 0x02, 0x04, 0x05, 0x10, 0x12, 0x1e, 0x24, 0x40, 0x5b, 0x5f, 0x60, 0x7b, 0x7f];
    assert.equal(septets(pack(others), 0, 0, others.length), '@$èéΔΦß¤¡Ä§¿äà');
  });

  test('the extension table of §6.2.1.1', () => {
    const codes = [0x14, 0x28, 0x29, 0x2f, 0x3c, 0x3d, 0x3e, 0x40, 0x65].flatMap((c) => [0x1b, c]);
    assert.equal(septets(pack(codes), 0, 0, codes.length), '^{}\\[~]|€');
  });

  test('septets may begin at any bit', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0x61, max: 0x7a }), { maxLength: 40 }), fc.nat(20), (codes, bit) => {
        assert.equal(septets(pack(codes, bit), 0, bit, codes.length), String.fromCharCode(...codes));
      }),
    );
  });
});

describe('RP codec', () => {
  test('emit gives back the octets that parse read', () => {
    for (const octets of Object.values(MESSAGES)) {
      const b = hex(octets);
      assert.deepEqual(Buffer.from(encode(gsmRp.codec!, gsmRp.codec!.parse(b, 0, b.length))), b);
    }
  });

  test('parse gives back what emit wrote', () => {
    const bytes = fc.uint8Array({ maxLength: 40 });
    const plain = fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 9);
    fc.assert(
      fc.property(plain, fc.nat(255), bytes, bytes, bytes, bytes, (type, reference, a, b, c, rest) => {
        const kind = type < 6 ? type >> 1 : 3;
        const r = {
          type,
          reference,
          ...(kind === 0 ? { originator: a, destination: b } : {}),
          ...(kind === 2 ? { cause: a } : {}),
          ...(kind < 3 ? { userData: c } : {}),
          rest,
        };
        const octets = encode(gsmRp.codec!, r);
        assert.deepEqual(gsmRp.codec!.parse(octets, 0, octets.length), r);
      }),
    );
  });
});
