import { describe, test } from 'node:test';
import { icmp } from '../../../dissectors/icmp.js';
import { checksum, put16 } from '../../../src/kit/index.js';
import { ip4 } from '../../cli/run.js';
import { besideTshark, fieldsOf } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from './layers.js';

/** Of `icmp.ext.object`, the whole of an object, tshark knows nothing. */
const FIELDS = fieldsOf(icmp, ['icmp.ext.object']);

/** A message with its checksum, in IPv4. */
function message(hexText: string): Uint8Array {
  const m = octets(hexText);
  put16(m, 2, checksum(m, 0, m.length));
  return ip4(1, m);
}

/** An extension structure with one object. RFC 4884 §7 */
function extension(object: string): string {
  const b = octets(`2000 0000 ${object}`);
  put16(b, 2, checksum(b, 0, b.length));
  return Buffer.from(b).toString('hex');
}

describe('extended echo, RFC 8335', { skip: tsharkMissing }, () => {
  test('a request names an interface by name, by index or by address', async () => {
    const ways = ['0008 0301 65746830', '0008 0302 00000002', '000c 0303 0001 0400 c0000201'];
    await besideTshark(
      ways.flatMap((way) => ['00', '01'].map((local) => message(`2a00 0000 0007 05 ${local} ${extension(way)}`))),
      FIELDS,
    );
  });

  test('an answer says how the interface is', async () => {
    await besideTshark(
      ['00', '02', '06', '07', '44', '81', 'ff'].map((bits) => message(`2b00 0000 0007 05 ${bits}`)),
      FIELDS,
    );
  });
});
