import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, deflateSync } from 'node:zlib';
import { at } from '../../build/packets.js';
import { file, rawPcap } from '../../cli/run.js';
import { besideTshark, Talk } from '../../support/beside-tshark.js';
import { forRows } from '../../support/rows.js';
import { tsharkMissing } from '../../support/tshark.js';
import { certificate } from '../../tls/certificate.js';
import { octets } from '../rtp/world.js';

/* Certificates that were compressed (RFC 8879), as tshark 4.0.17 reads them. */

const FIELDS = [
  'tls.handshake.type',
  'tls.handshake.certificates_length',
  'tls.compress_certificate.algorithm',
  'x509af.serialNumber',
  'x509sat.uTF8String',
];

const u24 = (n: number): Buffer => Buffer.from([n >> 16, n >> 8, n]);
const record = (b: Buffer): Buffer => Buffer.concat([octets('16 0303'), u24(b.length).subarray(1), b]);

/** A record with the message that holds `plain`, compressed to `packed`. */
const compressed = (algorithm: number, plain: Buffer, packed: Buffer, said = plain.length): Buffer =>
  record(
    Buffer.concat([
      octets('19'),
      u24(packed.length + 8),
      Buffer.from([0, algorithm]),
      u24(said),
      u24(packed.length),
      packed,
    ]),
  );

const { der } = certificate('ec', 'eftf.example');
const plain = Buffer.concat([u24(der.length + 3), u24(der.length), der]);

test('a certificate that brotli compressed is read', { skip: tsharkMissing }, async () => {
  const talk = new Talk([at('192.0.2.1', 50_000), at('192.0.2.2', 443)]);
  talk.say(0, octets(`16 0301 002f 01 00002b 0303 ${'ab'.repeat(32)} 00 0002 c02b 01 00 0000`));
  talk.say(1, octets(`16 0303 002a 02 000026 0303 ${'cd'.repeat(32)} 00 c02b 00`));
  talk.say(1, compressed(2, plain, brotliCompressSync(plain)));
  talk.say(1, compressed(3, plain, brotliCompressSync(plain)));
  talk.say(1, compressed(2, plain, Buffer.from('no brotli at all')));
  await besideTshark(talk.packets, FIELDS);
});

// tshark 4.0.17 shows its octets.
test('one that zlib compressed is read, too, but not where it is not as long as is said', async () => {
  const stacks: string[] = [];
  const talk = new Talk([at('192.0.2.1', 50_000), at('192.0.2.2', 443)]);
  talk.say(1, compressed(1, plain, deflateSync(plain)));
  talk.say(1, compressed(1, plain, deflateSync(plain), plain.length - 1));
  await forRows(file('zlib.pcap', rawPcap(...talk.packets)), {}, ({ dissection: { protocols } }) =>
    stacks.push(protocols.slice(2).join(':')),
  );
  assert.deepEqual(stacks.slice(-2), ['tcp:tls:x509sat:x509sat:pkcs-1', 'tcp:tls']);
});
