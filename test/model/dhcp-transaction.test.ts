import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressOption, dhcpMessage, messageTypeOption, numberOption } from '../../dissectors/dhcp/message.js';
import { LIMITS, ReachedLimits } from '../../src/limits.js';
import { DhcpTransaction, RecentFacts } from '../../src/model/dhcp-transaction.js';
import type { Seen } from '../../src/model/moment.js';
import { address } from '../build/packets.js';

const ADDRESSES = ['0.0.0.0', '10.0.0.1', '10.0.0.2'];
const BOOTP = 0;

/** A message from either side, and how long it comes after the one before. */
interface Message {
  readonly up: boolean;
  readonly type: number;
  readonly own: string;
  readonly given: string;
  readonly server: string;
  /** Last octet of the hardware address. */
  readonly hardware: number;
  readonly flags: number;
  readonly options: boolean;
  readonly ms: number;
}

const MESSAGE: fc.Arbitrary<Message> = fc.record({
  up: fc.boolean(),
  type: fc.integer({ min: BOOTP, max: 10 }),
  own: fc.constantFrom(...ADDRESSES),
  given: fc.constantFrom(...ADDRESSES),
  server: fc.constantFrom(...ADDRESSES),
  hardware: fc.constantFrom(1, 2),
  flags: fc.constantFrom(0, 0x8000),
  options: fc.boolean(),
  ms: fc.constantFrom(0, 4000, 4000, 8000, 16_000),
});

const INFORM: Message = {
  up: true,
  type: 8,
  own: '10.0.0.2',
  given: '0.0.0.0',
  server: '0.0.0.0',
  hardware: 1,
  flags: 0,
  options: false,
  ms: 4000,
};

/** The exchange of these messages, packed after some of them, an hour later. */
function exchange(messages: readonly Message[], isPacked: (index: number) => boolean): DhcpTransaction {
  const recent = new RecentFacts();
  const reached = new ReachedLimits();
  let t: DhcpTransaction | undefined;
  let ms = 0;
  for (const [i, m] of messages.entries()) {
    const chaddr = Uint8Array.of(64, 0, 0, 0, 0, m.hardware);
    const more = [addressOption(54, address(m.server)), addressOption(50, address(m.own)), numberOption(51, 60)];
    const options = [...(m.type === BOOTP ? [] : [messageTypeOption(m.type)]), ...(m.options ? more : [])];
    const [ciaddr, yiaddr] = [m.own, m.given].map((a) => address(a));
    const head = { op: m.up ? 1 : 2, xid: 0xfedc_ba98, htype: 31, hlen: 6, flags: m.flags };
    const message = dhcpMessage({ ...head, chaddr, ciaddr, yiaddr, options });
    ms += m.ms;
    const at: Seen = { row: `2:${i + 1}.1`, seconds: Math.trunc(ms / 1000), nanos: (ms % 1000) * 1e6 + i };
    t ??= new DhcpTransaction(message);
    t.take(message, m.type, at, reached);
    if (isPacked(i)) t.pack(recent);
  }
  t!.finish({ seconds: ms / 1000 + 3600, nanos: 0 }, recent);
  return t!;
}

const WHICH = new Set('asked lease broadcast refusal decline unoffered strange hardwareChanged'.split(' '));

/** All that is told of an exchange and judged by. */
function known(e: DhcpTransaction): unknown {
  const { facts, told, acknowledged, backoff, xid } = e;
  const { unansweredSince: _, dueMs: __, ...rest } = facts;
  const seen = Object.entries(rest).map(([name, value]) => [
    name,
    WHICH.has(name) ? e.seen(value as number | Seen) : value,
  ]);
  return { told: { ...told, xid: `${xid}` }, seen, acknowledged, wrong: backoff.wrong };
}

test('what is known of an exchange stays the same while it is packed', () => {
  fc.assert(
    fc.property(fc.array(MESSAGE, { minLength: 1, maxLength: 8 }), fc.integer({ min: 0, max: 255 }), (list, packed) => {
      const plain = exchange(list, () => false);
      assert.deepEqual(known(exchange(list, (i) => ((packed >> i) & 1) === 1)), known(plain));
    }),
    { numRuns: 1000, seed: 1 },
  );
});

test('messages beyond those that are kept still count when it is packed', () => {
  const answer = { ...INFORM, up: false, type: 5 };
  const often = Array.from({ length: LIMITS.exchangeMessages }, (_, i) => (i % 2 === 0 ? INFORM : answer));
  for (const late of [
    [INFORM, { ...INFORM, ms: 9000 }],
    [
      { ...INFORM, flags: 0x8000, type: 3 },
      { ...answer, type: 6 },
    ],
  ]) {
    const list = [...often, ...late];
    const packed = exchange(list, (i) => i >= often.length);
    assert.equal(packed.messages.length, LIMITS.exchangeMessages);
    assert.deepEqual(known(packed), known(exchange(list, () => false)));
  }
});

test('exchanges that differ only in their messages share what else is known', () => {
  const recent = new RecentFacts();
  const [a, b] = [0, 1].map((i) => {
    const message = dhcpMessage({ op: 1, xid: i, options: [messageTypeOption(1)] });
    const t = new DhcpTransaction(message);
    t.take(message, 1, { row: `${i + 1}`, seconds: i, nanos: 5 }, new ReachedLimits());
    t.pack(recent);
    return t;
  });
  assert.equal(a.facts, b.facts);
  b.take(
    dhcpMessage({ op: 2, xid: 1, options: [messageTypeOption(5)] }),
    5,
    { row: '3', seconds: 3, nanos: 0 },
    new ReachedLimits(),
  );
  assert.deepEqual([a.entry.outcome, b.entry.outcome], ['in-progress', 'bound']);
});
