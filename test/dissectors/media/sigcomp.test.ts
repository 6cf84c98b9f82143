import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encode, No, Yes } from 'fttscope/kit';
import { type SigComp, sigcomp } from '../../../dissectors/sigcomp.js';
import { t38 } from '../../../dissectors/t38.js';
import { octets, values, World } from '../rtp/world.js';

const world = new World([sigcomp, t38]);

/** Expected values are those of tshark 4.0; RFC 3320 §7. */
test('SigComp: feedback, state identifiers, bytecode and NACKs', () => {
  const state = world.see(sigcomp, octets('fd 83aabbcc 414243444546 7a7a'));
  assert.deepEqual(values(state, 'sigcomp.t.bit'), ['1']);
  assert.deepEqual(values(state, 'sigcomp.length'), ['0x01']);
  assert.deepEqual(values(state, 'sigcomp.returned.feedback.item.len'), ['3']);
  assert.deepEqual(values(state, 'sigcomp.returned.feedback.item'), ['aa:bb:cc']);
  assert.deepEqual(values(state, 'sigcomp.partial.state.identifier'), ['414243444546']);
  assert.deepEqual(values(state, 'sigcomp.remaining-bytes'), ['2']);
  assert.equal(state.summary, 'Msg format 1');
  const code = world.see(sigcomp, octets('f8 0041 01222222 2222222222'));
  assert.deepEqual(values(code, 'sigcomp.code.len'), ['0x0004']);
  assert.deepEqual(values(code, 'sigcomp.destination'), ['0x01']);
  assert.deepEqual(values(code, 'sigcomp.remaining_sigcomp_message'), ['22:22:22:22:22']);
  assert.equal(code.summary, 'Msg format 2');
  const nack = world.see(sigcomp, octets(`f8 0001 12 01 3333 ${'33'.repeat(20)}`));
  assert.deepEqual(values(nack, 'sigcomp.nack.ver'), ['1']);
  assert.deepEqual(values(nack, 'sigcomp.nack.reason'), ['18']);
  assert(nack.labels.includes('Reason Code: BYTECODES_TOO_LARGE (18)'));
  assert.deepEqual(world.see(sigcomp, octets('f9 4142')).stopped, ['sigcomp']);
  assert.equal(sigcomp.probe!(octets('f9'), 0, 1), Yes);
  assert.equal(sigcomp.probe!(octets('49'), 0, 1), No);
});

test('the SigComp codec writes what it reads', () => {
  const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
  const feedback = fc.option(
    fc.oneof(
      fc.nat(127).map((n) => Uint8Array.of(n)),
      bytes(2, 127),
    ),
    { nil: undefined },
  );
  const body: fc.Arbitrary<Omit<SigComp, 'rest' | 'feedback'>> = fc.oneof(
    fc.constantFrom(6, 9, 12).chain((n) => bytes(n, n).map((state) => ({ state }))),
    fc.tuple(bytes(1, 40), fc.integer({ min: 1, max: 15 })).map(([code, destination]) => ({ code, destination })),
  );
  fc.assert(
    fc.property(feedback, body, bytes(0, 30), (item, rest, tail) => {
      const r: SigComp = { ...(item !== undefined && { feedback: item }), ...rest, rest: tail };
      const b = encode(sigcomp.codec!, r);
      assert.deepEqual(sigcomp.codec!.parse(b, 0, b.length), r);
      assert.deepEqual(world.see(sigcomp, b).stopped, []);
    }),
  );
});

/** Expected values are those of tshark 4.0. */
test('T.38 packets are numbered and named', () => {
  const cng = world.see(t38, octets('0000 01 02 00 00'));
  assert.deepEqual(values(cng, 't38.seq_number'), ['0']);
  assert.deepEqual(values(cng, 't38.type_of_msg'), ['0']);
  assert.deepEqual(values(cng, 't38.t30_indicator'), ['1']);
  assert.equal(cng.summary, 'UDP: UDPTLPacket Seq=00000  t30ind: cng');
  const data = world.see(t38, octets('0001 06 c00100 0000ff 0000'));
  assert.deepEqual(values(data, 't38.t30_data'), ['0']);
  assert.equal(data.summary, 'UDP: UDPTLPacket Seq=00001  data:v21');
  assert.deepEqual(world.see(t38, octets('0001 06 c0')).stopped, ['t38']);
});
