import { strict as assert } from 'node:assert';
import { createCipheriv } from 'node:crypto';
import { suite, test } from 'node:test';
import { CryptoStream } from '../../../dissectors/quic/crypto-stream.js';
import { headerOf, Kind, longHeader, V1, V2, varint } from '../../../dissectors/quic/header.js';
import { type InitialKeys, initialKeys, openPacket, reservedKeys } from '../../../dissectors/quic/keys.js';
import { ciphers } from '../../../src/crypto/ciphers.js';
import { concat, View } from '../../../src/kit/index.js';
import { at, udp } from '../../build/packets.js';
import { file, rawPcap } from '../../cli/run.js';
import { besideTshark } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { differences, ours } from '../bodies/wire.js';
import { octets } from './layers.js';

const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex');
const DCID = octets('8394c8f03e515708');

/** The server's Initial packet of RFC 9001 appendix A.3, and its payload. */
const SERVER = octets(`
  cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2
  493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbd
  ca3d20398c276456cbc42158407dd074ee`);
const PAYLOAD = `02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5430b9a045a12001301000
  02e00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf32bb9da1a002b00020304`;

/** An Initial packet number 0 with so many octets of padding, of a version in hex, under these keys. */
function initial(
  version: string,
  client: InitialKeys['client'],
  octetsInside: number,
  dcid = DCID,
  scid: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const length = (0x4000 + 1 + octetsInside + 16).toString(16);
  const head = octets(`c0 ${version} 08 ${hex(dcid)} 0${scid.length} ${hex(scid)} 00 ${length} 00`);
  const gcm = createCipheriv('aes-128-gcm', client.key, client.iv); // its nonce is the IV
  gcm.setAAD(head);
  const packet = concat([head, gcm.update(new Uint8Array(octetsInside)), gcm.final(), gcm.getAuthTag()]);
  const mask = ciphers.aesBlock(client.hp, packet.subarray(head.length + 3, head.length + 19));
  packet[0]! ^= mask[0]! & 15;
  packet[head.length - 1]! ^= mask[1]!;
  return packet;
}

/** An answer to {@link DCID} that asks for another start with this ID, and proves that it saw the first. RFC 9001 §5.8 */
function retry(id: Uint8Array): Uint8Array {
  const packet = concat([octets('f0 00000001 00 08'), id, octets('01020304')]);
  const gcm = createCipheriv(
    'aes-128-gcm',
    octets('be0c690b9f66575a1d766b54e368c84e'),
    octets('461599d35d632bf2239825bb'),
  );
  gcm.setAAD(concat([Uint8Array.of(DCID.length), DCID, packet]));
  gcm.final();
  return concat([packet, gcm.getAuthTag()]);
}

suite('QUIC', () => {
  test('keys of Initial packets, RFC 9001 A.1', () => {
    const { client, server } = initialKeys(ciphers, V1, DCID);
    assert.equal(hex(client.key), '1f369613dd76d5467730efcbe3b1a22d');
    assert.equal(hex(client.iv), 'fa044b2f42a3fd3b46fb255c');
    assert.equal(hex(client.hp), '9f50449e04a0e810283a1e9933adedd2');
    assert.equal(hex(server.key), 'cf3a5331653c364c88f0f379b6067e37');
    assert.equal(hex(server.iv), '0ac1493ca1905853b0bba03e');
    assert.equal(hex(server.hp), 'c206b8d9b9f0f37644430b490eeaa314');
  });

  test('keys of version 2, RFC 9369 A.1', () => {
    const { client } = initialKeys(ciphers, V2, DCID);
    assert.equal(hex(client.key), '8b1a0bc121284290a29e0971b5cd045d');
    assert.equal(hex(client.iv), '91f73e2351d8fa91660e909f');
    assert.equal(hex(client.hp), '45b95e15235d6f45a6b19cbcb0294ba9');
  });

  test('an Initial packet is opened, RFC 9001 A.3', () => {
    const h = longHeader(SERVER, 0, SERVER.length)!;
    assert.equal(h.kind, Kind.Initial);
    assert.equal(h.end, SERVER.length);
    assert.equal(hex(SERVER.subarray(h.scid, h.scid + h.scidLength)), 'f067a5502a4262b5');
    const keys = initialKeys(ciphers, V1, DCID);
    const opened = openPacket(ciphers, keys.server, SERVER, 0, h)!;
    assert.equal(opened.number, 1);
    assert.equal(hex(opened.payload), PAYLOAD.replace(/\s/g, ''));
    assert.equal(openPacket(ciphers, keys.client, SERVER, 0, h), undefined);
  });

  test('of a reserved version, by the keys of whichever fits', () => {
    const DRAFT_29 = 0xff00001d;
    for (const version of [V1, DRAFT_29]) {
      const { client } = initialKeys(ciphers, version, DCID);
      const packet = initial('0a0a0a0a', client, 20);
      const h = longHeader(packet, 0, packet.length)!;
      const keys = reservedKeys(ciphers, packet, 0, h);
      assert.equal(hex(keys.client.key), hex(client.key));
      assert.equal(openPacket(ciphers, keys.client, packet, 0, h)?.payload.length, 20);
    }
  });

  test("Google's and Facebook's versions, whose keys tshark has too", { skip: tsharkMissing }, async () => {
    const packets = ['54303530', '54303531', 'faceb00e'].map((version, i) => {
      const dcid = DCID.map((octet) => octet ^ i); // by which tshark knows a connection
      const { client } = initialKeys(ciphers, Number.parseInt(version, 16), dcid);
      return udp(at('192.0.2.1', 50_000 + i), at('192.0.2.2', 443), initial(version, client, 1150, dcid));
    });
    const path = file('quic-versions.pcap', rawPcap(...packets));
    assert.deepEqual(await differences(path, ['quic.version', 'quic.packet_number']), []);
    for (const s of await ours(path)) assert.equal(s.values.get('quic.frame_type')?.length, 1); // it was opened
  });

  test('of several Retry packets the first counts, as in tshark', { skip: tsharkMissing }, async () => {
    const [a, b] = [at('192.0.2.1', 50_100), at('192.0.2.2', 443)];
    const ids = ['1111111111111111', '2222222222222222'].map(octets);
    const first = initial('00000001', initialKeys(ciphers, V1, DCID).client, 1150);
    const second = initial('00000001', initialKeys(ciphers, V1, ids[0]!).client, 1150, ids[0]);
    const packets = [udp(a, b, first), ...ids.map((id) => udp(b, a, retry(id))), udp(a, b, second)];
    const path = file('quic-retry.pcap', rawPcap(...packets));
    assert.deepEqual(await differences(path, ['quic.packet_number', 'quic.frame_type', 'frame.protocols']), []);
    assert.equal((await ours(path))[3]!.values.get('quic.frame_type')?.length, 1); // it was opened
  });

  test('IDs say who sends where both sides have one address', { skip: tsharkMissing }, async () => {
    const keys = initialKeys(ciphers, V1, DCID);
    const [client, server] = [octets('c1c1c1c1c1c1c1c1'), octets('5e5e5e5e5e5e5e5e')];
    const one = at('192.0.2.1', 443);
    const packets = [
      initial('00000001', keys.client, 1200, DCID, client),
      initial('00000001', keys.server, 1200, client, server),
      initial('00000001', keys.client, 1200, server, client),
    ];
    const stacks = await besideTshark(
      packets.map((p) => udp(one, at('192.0.2.2', 443), p)),
      ['quic.packet_number', '_ws.expert.message'],
    );
    assert.equal(stacks.length, packets.length);
  });

  test('numbers of variable length, RFC 9000 A.1', () => {
    assert.equal(varint(octets('c2197c5eff14e88c'), 0), Number(151_288_809_941_952_652n));
    assert.equal(varint(octets('9d7f3e7d'), 0), 494_878_333);
    assert.equal(varint(octets('7bbd'), 0), 15_293);
    assert.equal(varint(octets('25'), 0), 37);
  });

  test('a header that is cut is none', () => {
    for (let n = 1; n < 20; n++) assert.equal(headerOf(View.of(SERVER.slice(0, n)), 0) === undefined, n < 18, `${n}`);
  });

  test('CRYPTO data is handed on in order', () => {
    const message = octets('02000006 010203040506');
    const s = new CryptoStream();
    const cx = { capped: () => assert.fail('it has room') };
    assert.equal(s.add(0, 4, message.subarray(4, 7), cx), undefined);
    const first = s.add(9, 0, message.subarray(0, 4), cx)!;
    assert.equal(hex(first.bytes), '02000006010203');
    assert.deepEqual(first.messages, []);
    assert.equal(first.part, true);
    const last = s.add(3, 7, message.subarray(7), cx)!;
    assert.deepEqual(last.messages.map(hex), [hex(message)]);
    assert.equal(last.part, false);
    assert.equal(s.add(5, 2, message.subarray(2, 5), cx)!.reused, true);
  });

  test('CRYPTO data beyond all bounds is let go, and that is told', () => {
    const s = new CryptoStream();
    const told: string[] = [];
    const cx = { capped: (name: string) => void told.push(name) };
    assert.equal(s.add(0, 2 ** 40, octets('01'), cx), undefined);
    for (let off = 1; off < 1 << 20; off += 1000) s.add(0, off, new Uint8Array(900), cx);
    assert.ok(s.octets <= 1 << 18);
    assert.deepEqual(new Set(told), new Set(['handshakeOctets']));
    assert.equal(told.length, 1 + Math.ceil(((1 << 20) - 1) / 1000) - s.octets / 900);
  });
});
