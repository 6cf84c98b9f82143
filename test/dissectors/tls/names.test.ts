import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at } from '../../build/packets.js';
import { besideTshark, Talk } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { certificate } from '../../tls/certificate.js';
import { handshake, record, vector } from './octets.js';

const COMMON_NAME = Buffer.from('550403', 'hex');
const ALTERNATIVE_NAME = Buffer.from('551d11', 'hex');

test('a name may hold what belongs into an extension', { skip: tsharkMissing }, async () => {
  const der = Buffer.from(certificate('ec', 'eftf.example').der);
  for (let at = der.indexOf(COMMON_NAME); at >= 0; at = der.indexOf(COMMON_NAME)) ALTERNATIVE_NAME.copy(der, at);
  const talk = new Talk([at('192.0.2.1', 50_000), at('192.0.2.2', 443)]);
  talk.say(1, record(22, 0x0303, handshake(11, vector(3, vector(3, der)))));
  const stacks = await besideTshark(talk.packets, ['tls.handshake.type']);
  assert.ok(stacks.at(-1)!.startsWith('tcp:tls:x509ce:x509ce'), stacks.at(-1));
});
