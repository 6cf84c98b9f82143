import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, at, ip, udp } from '../build/packets.js';
import { octets } from '../dissectors/rtp/world.js';
import { besideTshark } from '../support/beside-tshark.js';
import { tsharkMissing } from '../support/tshark.js';

/* Layers that tshark 4.0.17 lists where little of them is there. */

const FIELDS = ['_ws.malformed', '_ws.expert.message'];
const [A, B] = [at('192.0.2.1', 5060), at('192.0.2.2', 5060)];

test('SIP of which an ICMP error quotes the beginning', { skip: tsharkMissing }, async () => {
  const lines = ['OPTIONS sip:b@example.com SIP/2.0', 'Call-ID: quoted', 'CSeq: 1 OPTIONS', 'Max-Forwards: 70'];
  const quoted = udp(A, B, Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)).subarray(0, 100);
  const error = ip(
    address('192.0.2.2'),
    address('192.0.2.1'),
    1,
    Buffer.concat([octets('0303 0000 00000000'), quoted]),
  );
  assert.deepEqual(await besideTshark([error], ['sip.Method']), ['icmp:ip:udp:sip']);
});

test('VXLAN that holds no frame', { skip: tsharkMissing }, async () => {
  const vxlan = (rest: string): Uint8Array => udp(A, { ...B, port: 4789 }, octets(`08000000 00002a00 ${rest}`));
  await besideTshark([vxlan(''), vxlan('0011')], FIELDS);
});

test('authorities that a server of DTLS names', { skip: tsharkMissing }, async () => {
  const list = '0011 000f 300d 310b 3009 0603550403 0c02 6361'; // CN=ca
  const request = (body: string): Uint8Array => {
    const b = octets(body);
    const n = (k: number, digits: number): string => k.toString(16).padStart(digits, '0');
    const head = `0d ${n(b.length, 6)} 0001 000000 ${n(b.length, 6)}`;
    const record = Buffer.concat([octets(head), b]);
    return Buffer.concat([octets(`16 fefd 0000 000000000001 ${n(record.length, 4)}`), record]);
  };
  const packet = (body: string): Uint8Array => udp({ ...A, port: 4433 }, { ...B, port: 40_000 }, request(body));
  const fields = ['dtls.handshake.dnames_len', 'dtls.handshake.dname_len', 'x509sat.uTF8String'];
  await besideTshark([packet(`01 40 0002 0403 ${list}`), packet('01 40 0002 0403 0000')], fields);
});
