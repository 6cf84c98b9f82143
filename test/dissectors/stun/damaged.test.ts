import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classicStun } from '../../../dissectors/stun/classic.js';
import { stun } from '../../../dissectors/stun/index.js';
import { datagramsBesideTshark, fieldsOf } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets, values, World } from '../rtp/world.js';

const WRONG = ['_ws.expert.message', '_ws.expert.severity', '_ws.malformed'];

describe('Damaged STUN beside tshark', { skip: tsharkMissing }, () => {
  it('says that a text has characters behind its NUL', async () => {
    const software = (text: string): Uint8Array =>
      octets(`0101 0010 2112a442 b7e7a701bc34d686fa87dfae 8022 000c ${text}`);
    await datagramsBesideTshark(
      [3478, 40_000],
      [
        software('6162630000000000000000 00'),
        software('616263000000640000000000'),
        software('006162636465666768696a6b'),
      ],
      ['stun.att.software', ...WRONG],
    );
  });

  it('says that more than one algorithm is named where one may be', async () => {
    const message = (attributes: string): Uint8Array => {
      const n = octets(attributes).length.toString(16).padStart(4, '0');
      return octets(`0001 ${n} 2112a442 00112233445566778899aabb ${attributes}`);
    };
    await datagramsBesideTshark(
      [3478, 40_000],
      [
        message('001d 0004 00020000'),
        message('001d 0008 00020000 00010000'),
        message('001d 000c 00020000 00010000 00020000'),
        message('8002 0008 00020000 00010000'),
      ],
      // Its message names the attribute alone: ` (PASSWORD-ALGORITHM)`.
      fieldsOf(stun, ['_ws.expert.message', 'text']).filter((f) => !/response|time/.test(f)),
    );
  });

  it('stops at an unknown attribute, or at a head, that is not all there', async () => {
    const message = (attributes: string): Uint8Array => {
      const n = octets(attributes).length.toString(16).padStart(4, '0');
      return octets(`0113 ${n} 2112a442 00112233445566778899aabb ${attributes}`);
    };
    await datagramsBesideTshark(
      [3478, 40_000],
      [
        message('0800 0028 61626364'),
        message('c900 0028 61626364'),
        message('0009 0008 0000040161626364 0800 0064 6162'),
        message('0009 0008 0000040161626364 0006'),
        message('0009 0008 0000040161626364 000600'),
        message('0009 0008 0000040161626364 00'),
        message('0800 0005 6162636465'),
      ],
      ['stun.att.type', 'stun.att.length', '_ws.expert.message', '_ws.expert.severity'],
    );
  });

  it('says how long a last attribute would be if it were padded', async () => {
    const unpadded = octets('0101 0009 2112a442 00112233445566778899aabb 8022 0005 6162636465');
    await datagramsBesideTshark([3478, 40_000], [unpadded], ['stun.att.type', 'stun.att.length', ...WRONG]);
  });

  it('says that an attribute of the first STUN, without the cookie, is cut', async () => {
    const message = (attributes: string): Uint8Array => {
      const n = octets(attributes).length.toString(16).padStart(4, '0');
      return octets(`0001 ${n} 00112233445566778899aabbccddeeff ${attributes}`);
    };
    await datagramsBesideTshark(
      [3478, 40_000],
      [message('0006 0004 61626364'), message('0006 0004 61626364 0006'), message('0006 0004 61626364 000600')],
      fieldsOf(classicStun).filter((f) => /^classicstun\.|^_ws/.test(f) && !/response|time/.test(f)),
    );
  });
});

describe('Damaged STUN where tshark is wrong', () => {
  it('reads a message with the cookie that is longer than its datagram', () => {
    // RFC 8489 §6.3: who receives it discards it, as it is no whole STUN. tshark calls it data.
    const seen = new World([stun]).see(stun, octets('0001 0100 2112a442 b7e7a701bc34d686fa87dfae 0006 0004 61626364'));
    assert.deepEqual(values(seen, 'stun.att.username'), ['abcd']);
    assert.ok(seen.stopped.length > 0);
  });
});
