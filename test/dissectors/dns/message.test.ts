import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encode, Malformed, Short } from 'fttscope/kit';
import * as m from '../../../dissectors/dns/index.js';
import { octets } from './layer.js';

const codec = m.dns.codec!;
const PLAIN = { noNullPrototype: true } as const;

const name = fc
  .array(fc.stringMatching(/^[a-z0-9-]{1,12}$/), { maxLength: 5 })
  .map((labels) => m.nameOctets(labels.join('.')));
const question = fc.record({ name, type: fc.nat(0xffff), class: fc.nat(0xffff) }, PLAIN);
const plainRecord = fc.record(
  {
    name,
    type: fc.constantFrom(1, 16, 28, 35, 41, 64, 999),
    class: fc.nat(0xffff),
    ttl: fc.nat(0xffffffff),
    rdata: fc.uint8Array({ maxLength: 40 }),
  },
  PLAIN,
);
const nameRecord = fc
  .tuple(name, fc.constantFrom(2, 5, 12), name)
  .map(([owner, type, target]) => ({ name: owner, type, class: 1, ttl: 60, rdata: target }));
const records = fc.array(fc.oneof(plainRecord, nameRecord), { maxLength: 4 });
const message: fc.Arbitrary<m.DnsMessage> = fc.record(
  {
    id: fc.nat(0xffff),
    flags: fc.nat(0xffff),
    questions: fc.array(question, { maxLength: 3 }),
    answers: records,
    authorities: records,
    additional: records,
    rest: fc.uint8Array({ maxLength: 5 }),
  },
  PLAIN,
);

describe('DNS codec', () => {
  it('parses what it emits, and emits that again', () => {
    fc.assert(
      fc.property(message, (r) => {
        const b = encode(codec, r);
        assert.equal(b.length, codec.size(r));
        const again = codec.parse(b, 0, b.length);
        assert.deepEqual(again, r);
        assert.deepEqual(encode(codec, again), b);
      }),
    );
  });

  it('writes out names that stand compressed, in data too', () => {
    const b = octets(
      '0001 8180 0001 0001 0000 0000 0161 076578616d706c65 00 000f 0001 c00c 000f 0001 0000012c 0006 000a 0162 c00e',
    );
    const { answers } = codec.parse(b, 0, b.length);
    assert.deepEqual(answers[0].name, m.nameOctets('a.example'));
    assert.deepEqual(answers[0].rdata, octets('000a 0162 076578616d706c65 00'));
  });

  it('throws nothing but Short and Malformed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (b) => {
        try {
          codec.parse(b, 0, b.length);
        } catch (e) {
          assert.ok(e instanceof Short || e instanceof Malformed);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('builds what finds a P-CSCF: NAPTR, SRV and addresses', () => {
    const pointer = {
      order: 10,
      preference: 50,
      flags: 's',
      service: 'SIP+D2U',
      regexp: '',
      replacement: '_sip._udp.ims.example',
    };
    const service = { priority: 1, weight: 2, port: 5060, target: 'pcscf.ims.example' };
    const query = m.dnsQuery(7, 'ims.example', m.TYPE.NAPTR);
    assert.deepEqual(
      encode(codec, query),
      octets('0007 0100 0001 0000 0000 0000 03696d73 076578616d706c65 00 0023 0001'),
    );
    const reply = m.dnsResponse(query, [m.pointerRecord('ims.example', pointer)], 0, [
      m.serviceRecord('_sip._udp.ims.example', service),
      m.addressRecord('pcscf.ims.example', Uint8Array.of(10, 0, 0, 1)),
      m.addressRecord('pcscf.ims.example', new Uint8Array(16)),
    ]);
    const read = codec.parse(encode(codec, reply), 0, codec.size(reply));
    assert.equal(read.flags, 0x8580);
    assert.deepEqual(m.readPointer(read.answers[0].rdata), pointer);
    assert.deepEqual(m.readService(read.additional[0].rdata), service);
    assert.deepEqual(
      read.additional.map((r) => r.type),
      [33, 1, 28],
    );
    assert.equal(m.dnsResponse(query, [], 3).flags, 0x8583);
    assert.throws(() => m.readPointer(octets('000a0032')), Short);
    assert.throws(() => m.readService(octets('0001')), Short);
  });
});
