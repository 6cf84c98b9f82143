import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Ctx, encode, No, Unsure, View, Yes } from 'fttscope/kit';
import { tls, versionName } from '../../../dissectors/tls/index.js';
import type { TlsRecordNote } from '../../../dissectors/tls/note.js';
import { fieldText } from '../../../src/report/value.js';
import { ACK, at, SYN, tcp } from '../../build/packets.js';
import { FrameSource } from '../../build/source.js';
import { forSource } from '../../support/rows.js';
import {
  ascii,
  CLEAR,
  clientHello,
  counting,
  dissect,
  extension,
  fromHex,
  handshake,
  join,
  messagesOf,
  record,
  serverHello,
  u16,
  valuesOf,
  vector,
} from './octets.js';

const HELLO = clientHello(
  extension(0x1a1a),
  extension(0, vector(2, [0], vector(2, ascii('eftf.example')))),
  extension(5, '01 0000 0000'),
  extension(10, vector(2, '001d 0017')),
  extension(11, vector(1, '00')),
  extension(13, vector(2, '0403 0804 0303')),
  extension(16, vector(2, vector(1, ascii('h2')))),
  extension(21, '000000'),
  extension(27, vector(1, '0002')),
  extension(43, vector(1, '0304 0303')),
  extension(44, vector(2, 'c00c')),
  extension(45, vector(1, '01')),
  extension(51, vector(2, '001d', vector(2, counting(7)))),
  extension(41, vector(2, vector(2, 'c0ffee'), '00000001'), vector(2, vector(1, counting(1)))),
);
const RECORD = record(22, 0x0301, HELLO);

const open = (contentType: number, plain: Uint8Array, more: Partial<TlsRecordNote> = {}): Partial<TlsRecordNote> => {
  const view = View.of(plain, 'Decrypted TLS');
  return { version: 0x0304, direction: 0, status: 'open', contentType, verified: true, plain: view, ...more };
};

test('a ClientHello shows what it offers', () => {
  const d = dissect(RECORD, { ...CLEAR, version: 0, handshake: messagesOf(RECORD) });
  assert.equal(d.stopped, undefined);
  assert.deepEqual(d.experts, []);
  assert.equal(d.summary, 'Client Hello');
  assert.deepEqual(valuesOf(d, 'tls.record.content_type'), ['22']);
  assert.deepEqual(valuesOf(d, 'tls.record.version'), [String(0x0301)]);
  assert.deepEqual(valuesOf(d, 'tls.handshake.ciphersuite'), [0x1301, 0xc02f, 0x0a0a, 0x00ff].map(String));
  assert.deepEqual(valuesOf(d, 'tls.handshake.extensions_server_name'), ['eftf.example']);
  assert.deepEqual(valuesOf(d, 'tls.handshake.extensions_alpn_str'), ['h2']);
  assert.deepEqual(valuesOf(d, 'tls.handshake.extensions.supported_version'), [0x0304, 0x0303].map(String));
  assert.deepEqual(valuesOf(d, 'tls.handshake.extensions_key_share_group'), ['29']);
  assert.deepEqual(valuesOf(d, 'tls.handshake.sig_hash_alg'), [0x0403, 0x0804, 0x0303].map(String));
  assert.deepEqual(valuesOf(d, 'tls.handshake.sig_hash_hash'), ['4', '8', '3']);
  assert.deepEqual(valuesOf(d, 'tls.extension.psk_ke_mode'), ['1']);
  assert.deepEqual(valuesOf(d, 'tls.handshake.extensions.cookie'), ['c0:0c']);
  assert.deepEqual(valuesOf(d, 'tls.handshake.extensions.psk.identity.identity'), ['c0:ff:ee']);
  assert.deepEqual(valuesOf(d, 'tls.handshake.ja3_full'), [
    '771,4865-49199-255,0-5-10-11-13-16-21-27-43-44-45-51-41,29-23,0',
  ]);
  assert.deepEqual(valuesOf(d, 'tls.handshake.ja3'), [
    createHash('md5').update(valuesOf(d, 'tls.handshake.ja3_full')[0]!).digest('hex'),
  ]);
  assert.ok(d.texts.includes('Extension: Reserved (GREASE) (len=0)'));
  assert.ok(d.texts.includes('TLSv1 Record Layer: Handshake Protocol: Client Hello'));
});

test('a flight in one record has all its messages', () => {
  const hello = serverHello(0xc02f, extension(0xff01, vector(1)), extension(23));
  const key = handshake(12, [3, 0, 29], vector(1, counting(3)), '0804', vector(2, 'beef'));
  const done = handshake(14);
  const b = record(22, 0x0303, hello, key, done);
  const d = dissect(b, { ...CLEAR, direction: 1, cipherSuite: 0xc02f, handshake: messagesOf(b) });
  assert.equal(d.summary, 'Server Hello, Server Key Exchange, Server Hello Done');
  assert.deepEqual(valuesOf(d, 'tls.handshake.type'), ['2', '12', '14']);
  assert.deepEqual(valuesOf(d, 'tls.handshake.server_named_curve'), ['29']);
  assert.deepEqual(valuesOf(d, 'tls.handshake.sig'), ['be:ef']);
  assert.deepEqual(valuesOf(d, 'tls.handshake.ja3s_full'), ['771,49199,65281-23']);
  assert.deepEqual(valuesOf(d, 'tls.handshake.ja3s'), [createHash('md5').update('771,49199,65281-23').digest('hex')]);
});

test('a message of several records is shown where it ends', () => {
  const first = record(22, 0x0301, HELLO.subarray(0, 60));
  const d = dissect(first, { ...CLEAR, version: 0 });
  assert.equal(d.summary, '[Client Hello Fragment]');
  assert.deepEqual(valuesOf(d, 'tls.handshake'), ['']);
  const rest = record(22, 0x0301, HELLO.subarray(60));
  const whole = View.of(HELLO, 'Handshake message');
  const e = dissect(rest, { ...CLEAR, version: 0, handshake: [whole] });
  assert.equal(e.summary, 'Client Hello');
  assert.deepEqual(valuesOf(e, 'tls.handshake.extensions_server_name'), ['eftf.example']);
  assert.ok(e.texts.includes('Handshake Protocol: Handshake (last fragment)'));
});

test('TLS 1.3 hides the content type until the record is open', () => {
  const b = record(23, 0x0303, counting(0));
  const closed = dissect(b, { ...CLEAR, version: 0x0304, status: 'no-keys', contentType: 23, reason: 'No key log' });
  assert.equal(closed.summary, 'Application Data');
  assert.deepEqual(valuesOf(closed, 'tls.record.opaque_type'), ['23']);
  assert.deepEqual(valuesOf(closed, 'tls.record.content_type'), []);
  assert.deepEqual(valuesOf(closed, 'tls.app_data').length, 1);
  assert.deepEqual(valuesOf(closed, 'fttims.verdict'), ['No key log']);

  const update = handshake(24, [1]);
  const message = View.of(update, 'Decrypted TLS');
  const opened = dissect(b, open(22, update, { handshake: [message], plain: message }));
  assert.equal(opened.summary, 'Key Update');
  assert.deepEqual(valuesOf(opened, 'tls.record.content_type'), ['22']);
  assert.deepEqual(valuesOf(opened, 'tls.handshake.key_update.request_update'), ['1']);
  assert.deepEqual(valuesOf(opened, 'tls.app_data'), []);

  const data = dissect(b, open(23, ascii('x')));
  assert.equal(valuesOf(data, 'tls.app_data').length, 1);
  assert.deepEqual(valuesOf(data, 'tls.record.content_type'), ['23']);
  assert.deepEqual(valuesOf(dissect(b, open(23, ascii('x'), { verified: false })), 'fttims.verdict'), [
    'Decrypted, but not verified',
  ]);
});

// tshark 4.0: level and description where both have a name, else "Encrypted Alert".
test('alerts that are in the clear are told from encrypted ones by their octets', () => {
  const long = record(21, 0x0303, [0x9b, 0x7f, ...counting(0)]);
  assert.equal(dissect(long, { ...CLEAR, contentType: 21 }).summary, 'Encrypted Alert');
  const after = dissect(record(21, 0x0303, [2, 48]), { ...CLEAR, status: 'no-keys', contentType: 21 });
  assert.equal(after.summary, 'Alert (Level: Fatal, Description: Unknown CA)');
  assert.deepEqual(valuesOf(after, 'tls.alert_message.level'), ['2']);
});

test('alerts are named, or said to be encrypted', () => {
  const fatal = dissect(record(21, 0x0303, [2, 40]), { ...CLEAR, contentType: 21 });
  assert.equal(fatal.summary, 'Alert (Level: Fatal, Description: Handshake Failure)');
  assert.deepEqual(valuesOf(fatal, 'tls.alert_message.desc'), ['40']);
  const b = record(21, 0x0303, counting(0));
  assert.equal(dissect(b, { ...CLEAR, status: 'no-keys', contentType: 21 }).summary, 'Encrypted Alert');
  const close = dissect(b, open(21, Uint8Array.of(1, 0), { version: 0x0303 }));
  assert.equal(close.summary, 'Alert (Level: Warning, Description: Close Notify)');
});

test('without a session only what looks clear is read', () => {
  assert.equal(dissect(RECORD).summary, 'Client Hello');
  assert.equal(dissect(record(22, 0x0303, counting(200))).summary, 'Encrypted Handshake Message');
  assert.equal(dissect(record(22, 0x0303, '00', counting(0))).summary, 'Encrypted Handshake Message');
  assert.equal(dissect(record(20, 0x0303, [1])).summary, 'Change Cipher Spec');
  assert.equal(dissect(record(24, 0x0303, counting(0))).summary, 'Encrypted Heartbeat');
  assert.equal(dissect(record(23, 0x0303, counting(0))).summary, 'Application Data');
});

test('a heartbeat has payload and padding', () => {
  const b = record(24, 0x0303, [1], vector(2, 'cafe'), Array(16).fill(0));
  const d = dissect(b, { ...CLEAR, contentType: 24 });
  assert.equal(d.summary, 'Heartbeat Request');
  assert.deepEqual(valuesOf(d, 'tls.heartbeat_message.payload'), ['ca:fe']);
  const lie = dissect(record(24, 0x0303, [1], u16(0x4000), 'cafe'), { ...CLEAR, contentType: 24 });
  assert.deepEqual(lie.experts, ['tls.malformed.vector-truncated']);
});

test('key exchanges read as their suite says', () => {
  const guess = { ...CLEAR, status: 'cut' } as const;
  assert.deepEqual(dissect(record(22, 0x0303, handshake(16, 'aa')), guess).experts, []);
  const exchange = (suite: number, version: number, body: Uint8Array) => {
    const b = record(22, version, handshake(16, body));
    return dissect(b, { ...CLEAR, version, cipherSuite: suite, handshake: messagesOf(b) });
  };
  const cke = (d: ReturnType<typeof exchange>, name: string) => valuesOf(d, `tls.handshake.${name}`);
  assert.deepEqual(cke(exchange(0x002f, 0x0303, vector(2, 'e1e2')), 'epms'), ['e1:e2']);
  assert.deepEqual(cke(exchange(0x002f, 0x0300, fromHex('e1e2')), 'epms'), ['e1:e2']);
  assert.deepEqual(cke(exchange(0x0033, 0x0303, vector(2, 'd1')), 'yc'), ['d1']);
  assert.deepEqual(cke(exchange(0xc013, 0x0303, vector(1, 'ec')), 'client_point'), ['ec']);
  const psk = exchange(0xccac, 0x0303, join(vector(2, 'aa'), vector(1, 'ec')));
  assert.deepEqual([cke(psk, 'identity'), cke(psk, 'client_point')], [['aa'], ['ec']]);
});

test('lengths that contradict each other are said, and the rest is shown', () => {
  const broken = clientHello(extension(16, u16(99), vector(1, ascii('h2'))), extension(23));
  const d = dissect(record(22, 0x0301, broken));
  assert.deepEqual(d.experts, ['tls.malformed.vector-truncated']);
  assert.deepEqual(valuesOf(d, 'tls.handshake.extension.type'), ['16', '23']);
  const short = dissect(record(22, 0x0301, clientHello(extension(16, vector(2, vector(1, '')), extension(23)))));
  assert.ok(short.experts.includes('tls.malformed.vector-length'), 'an ALPN name has at least one octet');
  const trailing = dissect(record(22, 0x0301, clientHello(extension(1, [1, 2]))));
  assert.deepEqual(trailing.experts, ['tls.malformed.trailing-data']);
});

test('a hello of SSL 2.0 is recognised', () => {
  const body = join('01 0301', u16(6), u16(0), u16(16), '00002f 010080', counting(0).slice(0, 16));
  const b = join([0x80, body.length], body);
  assert.equal(tls.probe!(b, 0, b.length), Unsure);
  assert.equal(tls.pduLength!(b, 0, b.length), b.length);
  const d = dissect(b);
  assert.equal(d.summary, 'Client Hello');
  assert.deepEqual(valuesOf(d, 'tls.handshake.cipherspec'), [String(0x2f), String(0x010080)]);
});

test('a hello of SSL 2.0 starts a stream of TLS', async () => {
  const body = join('01 0301', u16(6), u16(0), u16(16), '00002f 010080', counting(0).slice(0, 16));
  const hello = join([0x80, body.length], body);
  const answer = record(22, 0x0301, serverHello(0x002f), handshake(14));
  const [a, b] = [at('192.0.2.1', 40_000), at('192.0.2.2', 443)];
  const none = new Uint8Array(0);
  const frames = [
    tcp(a, b, { seq: 1, flags: SYN }, none),
    tcp(b, a, { seq: 1, ack: 2, flags: SYN | ACK }, none),
    tcp(a, b, { seq: 2, ack: 2 }, hello.subarray(0, 20)),
    tcp(a, b, { seq: 22, ack: 2 }, hello.subarray(20)),
    tcp(b, a, { seq: 2, ack: 2 + hello.length }, answer),
    tcp(a, b, { seq: 2 + hello.length, ack: 2 + answer.length }, record(22, 0x0301, handshake(16, [1, 2]))),
  ];
  const seen: string[] = [];
  const source = new FrameSource(
    frames.map((octets) => ({ octets })),
    101,
  );
  await forSource(source, {}, ({ dissection: { tree } }) => {
    for (let i = 0; i < tree.length; i++)
      if (tree.field(i).name === 'tls.handshake.type') seen.push(fieldText(tree, i));
  });
  assert.deepEqual(seen, ['1', '2', '14', '16']); // as tshark 4.0.17 on the same octets
});

test('a ServerHello of drafts 14 to 21 has neither session ID nor compression', () => {
  const hello = handshake(
    2,
    '7f12',
    counting(64),
    u16(0x1301),
    vector(2, extension(40, '001d', vector(2, counting(7)))),
  );
  const d = dissect(record(22, 0x0301, hello));
  assert.deepEqual(valuesOf(d, 'tls.handshake.ciphersuite'), [String(0x1301)]);
  assert.deepEqual(valuesOf(d, 'tls.handshake.extension.type'), ['40']);
  assert.deepEqual(valuesOf(d, 'tls.handshake.extensions_key_share_group'), ['29']);
  assert.deepEqual(d.experts, []);
});

test('encrypted_server_name has a share of its own', () => {
  const share = ['001d', vector(2, counting(7))] as const;
  const esni = extension(0xffce, '1301', ...share, vector(2, 'aabb'), vector(2, 'ccdd'));
  const d = dissect(record(22, 0x0301, clientHello(esni)));
  assert.deepEqual(valuesOf(d, 'tls.handshake.extensions_key_share_group'), ['29']);
  assert.deepEqual(valuesOf(d, 'tls.esni.record_digest'), ['aa:bb']);
  assert.deepEqual(valuesOf(d, 'tls.esni.encrypted_sni'), ['cc:dd']);
  assert.deepEqual(d.experts, []);
});

test('probe and length tell records from other streams', () => {
  const probe = (b: Uint8Array) => tls.probe!(b, 0, b.length);
  const length = (b: Uint8Array) => tls.pduLength!(b, 0, b.length);
  assert.deepEqual([probe(RECORD), length(RECORD)], [Yes, RECORD.length]);
  assert.equal(probe(RECORD.subarray(0, 5)), Unsure);
  assert.equal(probe(RECORD.subarray(0, 1)), Unsure);
  assert.equal(probe(new Uint8Array(0)), Unsure);
  assert.equal(length(RECORD.subarray(0, 4)), 0);
  assert.equal(probe(record(23, 0x0303, counting(0))), Yes);
  for (const b of [ascii('GET / HTTP/1.1\r\n'), fromHex('1603090100'), fromHex('1703036000'), fromHex('0100200000')]) {
    assert.equal(probe(b), No);
    assert.equal(length(b), -1);
  }
  assert.equal(probe(join(record(23, 0x0303, [1, 2]), ascii('GET /'))), No);
});

test('every cut of a record says that it is cut and nothing else happens', () => {
  const b = record(22, 0x0303, HELLO, handshake(14));
  for (let n = 2; n < b.length; n++) {
    const d = dissect(b.subarray(0, n), undefined, b.length);
    assert.equal(d.stopped?.name, 'Error', `cut at ${n}`);
    assert.deepEqual(d.experts, []);
  }
});

test('any octets with any note end in a tree', () => {
  const status = fc.constantFrom('clear', 'open', 'no-keys', 'failed', 'cut');
  const body = fc.uint8Array({ maxLength: 120 });
  const inner = fc.tuple(fc.constantFrom(1, 2, 4, 8, 11, 12, 13, 15, 16, 20, 22, 24, 25, 67), body);
  fc.assert(
    fc.property(
      fc.constantFrom(20, 21, 22, 23, 24),
      fc.constantFrom(0x0300, 0x0301, 0x0303, 0x0304),
      fc.oneof(
        body,
        inner.map(([type, b]) => handshake(type, b)),
      ),
      fc.constantFrom(0, 0x002f, 0x0033, 0xc02f, 0xccac, 0x1301),
      status,
      (type, version, b, cipherSuite, s) => {
        const bytes = record(type, 0x0303, b);
        const view = View.of(bytes);
        const note: TlsRecordNote = {
          version,
          direction: 0,
          status: s as TlsRecordNote['status'],
          contentType: type,
          verified: true,
          cipherSuite,
          plain: view.sub(5),
          ...(b.length >= 4 && { handshake: [view.sub(5)] }),
        };
        dissect(bytes, note);
        dissect(bytes);
      },
    ),
    { numRuns: 2000 },
  );
});

test('the codec keeps records', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.nat(0xffff), fc.uint8Array({ maxLength: 300 }), (type, version, fragment) => {
      const image = { type, version, fragment };
      const b = encode(tls.codec!, image);
      assert.deepEqual(tls.codec!.parse(b, 0, b.length), image);
      assert.deepEqual(encode(tls.codec!, tls.codec!.parse(b, 0, b.length)), b);
    }),
  );
});

test('the protocol column has the version of the session, and a ClientHello its own', () => {
  const column = (b: Uint8Array, note?: Partial<TlsRecordNote>) =>
    tls.column!(View.of(b), { note: () => note } as unknown as Ctx);
  assert.equal(column(RECORD, { ...CLEAR, version: 0x0304 }), 'TLSv1');
  assert.equal(column(record(23, 0x0303, [1]), { ...CLEAR, version: 0x0304 }), 'TLSv1.3');
  assert.equal(column(record(23, 0x0303, [1])), 'TLSv1.2');
});

test('versions have the names of the protocol column', () => {
  assert.deepEqual([0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x7f1c, 0].map(versionName), [
    'SSLv3',
    'TLSv1',
    'TLSv1.1',
    'TLSv1.2',
    'TLSv1.3',
    'TLSv1.3',
    'TLS',
  ]);
});
