import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Ctx, encode, No, type Track, Tree, Unsure, type View, Yes } from 'fttscope/kit';
import { ftt } from '../../../dissectors/ftt.js';
import { amid } from '../../support/amid.js';

const hex = (s: string): Uint8Array =>
  Uint8Array.from(s.replaceAll(/\s/g, '').match(/../g) ?? [], (x) => Number.parseInt(x, 16));
const probe = (b: Uint8Array, n = b.length) => ftt.probe!(b, 0, n);

/** Length 34, non-ESP marker (TS 24.302 §F.3.2.2), IKE header (RFC 7296 §3.1): SPIs, next payload, 2.0, exchange, I, 0, 28. */
const IKE = hex('0022 00000000 0102030405060708 0000000000000000 21 20 22 08 00000000 0000001c');
/** Length 18, SPI, sequence number (RFC 4303 §2), eight octets; twice. */
const ESP = hex('0012 c0000001 00000001 1111111111111111 0012 c0000001 00000002 2222222222222222');

test('an IKEv2 envelope is known by its whole header', () => {
  for (let n = 0; n < IKE.length; n++) assert.equal(probe(IKE, n), Unsure, String(n));
  assert.equal(probe(IKE), Yes);
  for (const [at, value, why] of [
    [1, 33, 'Length of another envelope'],
    [3, 1, 'no marker'],
    [6 + 17, 0x10, 'IKEv1'],
    [6 + 18, 33, 'no exchange of IKEv2'],
    [6 + 18, 45, 'nor this'],
    [6 + 27, 29, 'Length of another message'],
  ] as const) {
    const b = IKE.slice();
    b[at] = value;
    assert.equal(probe(b), No, why);
  }
  assert.equal(probe(IKE.with(6 + 18, 44)), Yes);
  assert.deepEqual([probe(IKE.with(1, 33), 2), probe(IKE, 2), probe(IKE, 1)], [No, Unsure, Unsure]);
  assert.equal(probe(IKE.with(6, 0)), Yes, 'an SPI may begin with zeros');
  const nobody = IKE.slice();
  nobody.fill(0, 6, 14);
  assert.equal(probe(nobody), No, 'RFC 7296 §3.1: the initiator has an SPI');
  assert.deepEqual([probe(nobody, 14), probe(nobody, 13)], [No, Unsure]);
  assert.equal(probe(nobody.with(13, 1)), Yes);
});

test('ESP envelopes are known by two of an SA', () => {
  assert.equal(probe(ESP), Yes);
  assert.equal(probe(ESP, 18), No);
  const back = ESP.slice();
  back[27] = 1;
  assert.equal(probe(back), No, 'the sequence number does not grow');
  const both = (at: number, value: number): Uint8Array => ESP.with(at, value).with(18 + at, value);
  const low = hex('0012 000000ff 00000001 1111111111111111 0012 000000ff 00000002 2222222222222222');
  assert.deepEqual([probe(low), probe(low.with(4, 1).with(22, 1))], [No, Yes], 'an SPI up to 255 is reserved');
  assert.deepEqual([probe(ESP.with(27, 65)), probe(ESP.with(27, 66))], [Yes, No], 'up to 63 packets are missing');
  assert.equal(probe(ESP.with(20, 0xc2)), No, 'another SA');
  assert.equal(probe(both(1, 9)), No, 'a Length without room for a header');
  assert.equal(probe(ESP, 27), No, 'the header of the second is not there');
  assert.equal(probe(ESP, 28), Yes);
});

/** Fields of an envelope with their places, what is wrong, and what is handed on. */
function see(b: Uint8Array): { fields: string[]; experts: readonly string[]; summary: string; next: string[] } {
  const t = new Tree();
  const v = amid(b);
  t.enter(v.source);
  const next: string[] = [];
  const hand = (table: string, kind: unknown, { off, end }: View) => next.push(`${table} ${kind} ${off}-${end}`);
  ftt.dissect(v, t, { next: hand } as unknown as Ctx);
  assert.equal(t.level, 0);
  ftt.track!(v, { track: hand } as unknown as Track);
  const fields = Array.from({ length: t.length }, (_, i) => `${t.field(i).name} ${t.off[i]}+${t.len[i]}`);
  return { fields, experts: t.experts.map((e) => e.expert.code), summary: ftt.summary!(v, {} as Ctx), next };
}

test('what an envelope shows and hands on', () => {
  assert.deepEqual(see(IKE), {
    fields: ['ftt 0+34', 'ftt.length 0+2', 'ftt.non_esp_marker 2+4', 'ftt.ikev2 6+28'],
    experts: [],
    summary: 'IKEv2, 34 octets',
    next: ['ftt.envelope ikev2 6-34', 'ftt.envelope ikev2 6-34'],
  });
  assert.deepEqual(see(ESP.slice(0, 18)), {
    fields: ['ftt 0+18', 'ftt.length 0+2', 'ftt.esp 2+16'],
    experts: [],
    summary: 'ESP, 18 octets',
    next: ['ftt.envelope esp 2-18', 'ftt.envelope esp 2-18'],
  });
  assert.deepEqual(see(hex('0006 01020304')), {
    fields: ['ftt 0+6', 'ftt.length 0+2', 'ftt.keep_alive 0+6'],
    experts: [],
    summary: 'Keep-alive, 6 octets',
    next: [],
  });
  assert.deepEqual(see(IKE.with(33, 29)).experts, ['ftt.ike-length']);
  assert.deepEqual(see(hex('0001')), {
    fields: ['ftt 0+1', 'ftt.length 0+2'],
    experts: ['ftt.bad-length'],
    summary: 'Keep-alive, 1 octets',
    next: [],
  });
  assert.equal(ftt.summary!(amid(hex('00')), {} as Ctx), 'Envelope cut short');
});

test('the octets of envelopes', () => {
  assert.deepEqual(encode(ftt.codec!, { payload: IKE.subarray(2) }), IKE);
  assert.deepEqual(encode(ftt.codec!, { payload: ESP.slice(2, 18) }), ESP.slice(0, 18));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (payload) => {
      const octets = encode(ftt.codec!, { payload });
      assert.equal(ftt.pduLength!(octets, 0, octets.length), octets.length);
      const r = ftt.codec!.parse(octets, 0, octets.length);
      assert.deepEqual(r, { payload });
      assert.deepEqual(encode(ftt.codec!, r), octets);
    }),
  );
});

test('a Length below 2 is no envelope', () => {
  for (const n of [0, 1]) assert.equal(ftt.pduLength!(Uint8Array.of(0, n, 0), 0, 3), -1);
  assert.equal(ftt.pduLength!(Uint8Array.of(0, 2), 0, 2), 2);
  assert.equal(ftt.pduLength!(Uint8Array.of(0), 0, 1), 0);
});
