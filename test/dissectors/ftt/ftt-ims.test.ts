import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Ctx, concat, encode, No, Peek, Tree, Unsure, type View, Yes } from 'fttscope/kit';
import { type EnvelopeNote, fttIms, innerLength } from '../../../dissectors/ftt-ims.js';
import { fieldText } from '../../../src/report/value.js';
import { envelope } from '../../build/conversation.js';
import { address, at, ping, udp } from '../../build/packets.js';
import { amid } from '../../support/amid.js';

const FOUR = envelope(ping(address('10.0.0.2'), address('10.0.0.1'), 1, 1, 8)).octets;
const SIX = envelope(udp(at('2001:db8::2', 5060), at('2001:db8::1', 5060), Uint8Array.of(1, 2))).octets;
const UNKNOWN = envelope(Uint8Array.of(7, 7), 9).octets;

/** `name pos+size value` of what an envelope shows, what is wrong with it, and what is handed on. */
function see(b: Uint8Array, note?: EnvelopeNote): { fields: string[]; experts: string[]; next: string[] } {
  const t = new Tree();
  const v = amid(b);
  t.enter(v.source);
  const next: string[] = [];
  fttIms.dissect(v, t, {
    note: () => note,
    next: (table: string, key: number, { off, end }: View) => next.push(`${table} ${key} ${off}-${end}`),
  } as unknown as Ctx);
  assert.equal(t.level, 0);
  const fields = Array.from({ length: t.length }, (_, i) =>
    `${t.field(i).name.replace('fttims.', '')} ${t.off[i]}+${t.len[i]} ${fieldText(t, i)}`.trim(),
  );
  return { fields, experts: t.experts.map((e) => e.expert.code), next };
}

describe('an envelope of FTT-IMS (TS 24.322 §7.1.2)', () => {
  test('shows its parts, and hands its packet on by the version', () => {
    const { fields, experts, next } = see(FOUR);
    assert.deepEqual([experts, next], [[], ['ip.version 4 3-39']]);
    assert.deepEqual(
      fields.filter((f) => !f.startsWith('payload')),
      ['fttims 0+39 FTT-IMS envelope', 'type 0+1 1', 'length 1+2 39', 'ip_version 3+1 4'],
    );
    assert.match(fields[3]!, /^payload 3\+36 4500/);
    assert.deepEqual(see(SIX).next, [`ip.version 6 3-${SIX.length}`]);
  });

  test('shows where it stands among the others', () => {
    const note = { tunnel: 2, direction: 'down', number: 7, frames: 3, resync: true } as const;
    const { fields } = see(UNKNOWN, note);
    const said = ['stream 0+0 2', 'direction 0+0 down', 'number 0+0 7', 'frames 0+0 3', 'resync 0+0 1'];
    assert.deepEqual(fields, [
      'fttims 0+5 FTT-IMS envelope',
      'type 0+1 9',
      'length 1+2 5',
      ...said,
      'payload 3+2 0707',
      'unknown_type 0+1 1',
    ]);
    assert.deepEqual(see(UNKNOWN, { ...note, resync: false }).fields.slice(3, 7), said.slice(0, 4));
  });

  test('says what is wrong with it', () => {
    const experts = (b: Uint8Array): string[] => see(b).experts;
    assert.deepEqual(experts(UNKNOWN), ['fttims.unknown-type']);
    assert.deepEqual(experts(Uint8Array.of(1, 0, 3)), ['fttims.empty-ip']);
    assert.deepEqual(experts(Uint8Array.of(1, 0, 2)), ['fttims.bad-length']);
    assert.deepEqual(experts(FOUR.with(3, 0x55)), ['fttims.bad-ip-version']);
    assert.deepEqual(see(FOUR.with(3, 0x55)).next, []);
    assert.deepEqual(experts(FOUR.with(6, FOUR[6]! + 1)), ['fttims.inner-length']);
    assert.deepEqual(experts(envelope(FOUR.subarray(3, 22)).octets), ['fttims.inner-length'], 'a header of 19 octets');
  });

  test('says in a line what it is', () => {
    const info = (b: Uint8Array): string => fttIms.summary!(amid(b), {} as Ctx);
    assert.deepEqual([FOUR, UNKNOWN, FOUR.slice(0, 2)].map(info), [
      'IP packet (1), 39 octets',
      'Unknown type (9), 5 octets',
      'Envelope cut short',
    ]);
  });

  test('is walked through as far as its packet goes', () => {
    const walk = (b: Uint8Array, end = b.length, wireEnd = b.length): unknown[] => {
      const p = Object.assign(new Peek(), { buf: amid(b).buf, off: 0, end, wireEnd });
      p.table = 'none';
      fttIms.peek!(p);
      return [p.table, p.key, p.off, p.end, p.wireEnd];
    };
    assert.deepEqual(walk(FOUR), ['ip.version', 4, 3, 39, 39]);
    assert.deepEqual(walk(concat([FOUR, UNKNOWN])), ['ip.version', 4, 3, 39, 39], 'another envelope follows');
    assert.deepEqual(walk(FOUR, 20), ['ip.version', 4, 3, 20, 39], 'cut');
    for (const b of [UNKNOWN, Uint8Array.of(1, 0, 3), FOUR.slice(0, 2), FOUR.slice(0, 3)])
      assert.notEqual(walk(b, b.length, 39)[0], 'ip.version');
  });

  test('is known by a packet that agrees with it', () => {
    const probe = (b: Uint8Array, n = b.length): unknown => fttIms.probe!(b, 0, n);
    for (const [b, header] of [
      [FOUR, 20],
      [SIX, 40],
    ] as const)
      for (let n = 0; n <= b.length; n++) assert.equal(probe(b, n), n < 3 + header ? Unsure : Yes, String(n));
    assert.deepEqual([probe(FOUR.with(2, 38)), probe(FOUR.with(3, 0x55))], [No, No]);
    assert.deepEqual([probe(UNKNOWN), probe(Uint8Array.of(1, 0, 3, 0x45))], [Unsure, Unsure]);
  });

  test('has the length of its packet', () => {
    const length = (b: Uint8Array, n = b.length): number => innerLength(concat([Uint8Array.of(9), b]), 1, 1 + n);
    const [four, six] = [FOUR.slice(3), SIX.slice(3)];
    assert.deepEqual([length(four), length(four, 20), length(four, 19)], [36, 36, -1]);
    assert.deepEqual([length(six), length(six, 40), length(six, 39)], [50, 50, -1]);
    assert.equal(length(six.with(0, 0x50)), -1);
    assert.deepEqual([fttIms.pduLength!(FOUR, 0, 2), fttIms.pduLength!(FOUR, 0, 3)], [0, 39]);
    assert.equal(fttIms.pduLength!(Uint8Array.of(1, 0, 2), 0, 3), -1);
  });

  test('is read as it is written', () => {
    fc.assert(
      fc.property(fc.nat(255), fc.uint8Array({ maxLength: 300 }), (type, payload) => {
        const b = encode(fttIms.codec!, { type, payload });
        assert.deepEqual(b, envelope(payload, type).octets);
        assert.deepEqual(fttIms.codec!.parse(concat([b, b]), b.length, 2 * b.length), { type, payload });
      }),
    );
  });
});
