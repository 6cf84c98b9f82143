import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Peek } from '../../src/kit/index.js';
import { type Flow, FlowTable } from '../../src/stream/flow.js';
import { Ledger } from '../../src/stream/ledger.js';

/** Addresses: sixteen octets each, the last one counting. */
const ADDRESSES = new Uint8Array(16 * 40);
for (let i = 0; i < 40; i++) ADDRESSES[16 * i + 15] = ADDRESSES[16 * i + 3] = i;
const at = (n: number): number => 16 * n;

const find = (
  t: FlowTable,
  a: number,
  ap: number,
  b: number,
  bp: number,
  scope = 0,
  protocol = 6,
  net: 4 | 6 = 4,
): Flow => t.find(scope, protocol, peek(net, at(a), at(b), ap, bp), ADDRESSES);

const peek = (net: 4 | 6, src: number, dst: number, sport: number, dport: number): Peek =>
  Object.assign(new Peek(), { net, src, dst, sport, dport });

describe('FlowTable', () => {
  it('finds a flow from both sides and tells the direction', () => {
    const t = new FlowTable();
    const flow = find(t, 1, 1000, 2, 443);
    assert.equal(t.direction, 0);
    assert.equal(find(t, 2, 443, 1, 1000), flow);
    assert.equal(t.direction, 1);
    assert.equal(find(t, 1, 1000, 2, 443), flow);
    assert.equal(t.direction, 0);
    assert.deepEqual([[...flow.a], flow.aPort, [...flow.b], flow.bPort], [[0, 0, 0, 1], 1000, [0, 0, 0, 2], 443]);
    assert.deepEqual([flow.id, flow.state, t.size], [0, null, 1]);
  });

  it('keeps scopes, protocols, versions and ports apart', () => {
    const t = new FlowTable();
    const flows = [
      find(t, 1, 1000, 2, 443),
      find(t, 1, 443, 2, 1000),
      find(t, 1, 1000, 2, 443, 1),
      find(t, 1, 1000, 2, 443, 0, 17),
      find(t, 1, 1000, 2, 443, 0, 6, 6),
      find(t, 1, 1000, 3, 443),
    ];
    assert.equal(new Set(flows).size, flows.length);
    assert.equal(flows[4].a.length, 16);
  });

  it('looks at all words of both addresses of IPv6, in either direction', () => {
    const both = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
    const t = new FlowTable();
    const flow = t.find(0, 6, peek(6, 0, 16, 1000, 443), both);
    assert.deepEqual([flow.a, flow.b], [both.slice(0, 16), both.slice(16)]);
    for (let i = 0; i < 32; i++) {
      const other = both.slice();
      other[i] ^= 0x80;
      assert.equal(t.find(0, 6, peek(6, 16, 0, 443, 1000), both), flow);
      assert.notEqual(t.find(0, 6, peek(6, 16, 0, 443, 1000), other), flow, `octet ${i}, back`);
      assert.equal(t.find(0, 6, peek(6, 0, 16, 1000, 443), both), flow);
      assert.notEqual(t.find(0, 6, peek(6, 0, 16, 1000, 443), other), flow, `octet ${i}, forth`);
    }
  });

  it('owns its addresses', () => {
    const t = new FlowTable();
    const b = Uint8Array.of(192, 0, 2, 1, 192, 0, 2, 2);
    const flow = t.find(0, 6, peek(4, 0, 4, 1, 2), b);
    b.fill(0);
    assert.deepEqual([...flow.a], [192, 0, 2, 1]);
  });

  it('takes one direction for both where an endpoint talks to itself', () => {
    const t = new FlowTable();
    const flow = find(t, 1, 7, 1, 7);
    assert.equal(find(t, 1, 7, 1, 7), flow);
    assert.equal(t.direction, 0);
  });

  it('makes a new flow after the old one was forgotten', () => {
    const t = new FlowTable();
    const first = find(t, 1, 1000, 2, 443);
    t.forget(first);
    t.forget(first);
    assert.equal(t.size, 0);
    const second = find(t, 2, 443, 1, 1000);
    assert.notEqual(second, first);
    assert.deepEqual([t.direction, second.id, second.aPort], [0, 1, 443]);
  });

  it('makes room by dropping the flow that was idle longest', () => {
    const ledger = new Ledger();
    const t = new FlowTable(ledger);
    for (const port of [1, 2, 3]) find(t, 1, port, 2, 443);
    find(t, 2, 443, 1, 1);
    const three = ledger.octets;
    assert.equal(t.evict()?.aPort, 2);
    assert.equal(ledger.octets * 3, three * 2);
    find(t, 1, 4, 2, 443);
    assert.deepEqual(
      [...t].map((f) => f.aPort),
      [3, 1, 4],
    );
    for (let i = 0; i < 3; i++) t.evict();
    assert.deepEqual([t.evict(), t.size, ledger.octets], [undefined, 0, 0]);
  });

  it('drops all flows of a scope', () => {
    const t = new FlowTable();
    for (const port of [1, 2, 3, 4]) find(t, 1, port, 2, 443, port & 1);
    t.forget(find(t, 1, 3, 2, 443, 1));
    assert.deepEqual(
      t.forgetScope(1).map((f) => f.aPort),
      [1],
    );
    assert.deepEqual(t.forgetScope(1), []);
    assert.deepEqual(
      [...t].map((f) => f.aPort),
      [2, 4],
    );
  });

  it('does what a map by text would do', () => {
    const endpoint = fc.tuple(fc.nat(39), fc.nat(3));
    const step = fc.tuple(endpoint, endpoint, fc.nat(1), fc.constantFrom(4 as const, 6 as const), fc.nat(19));
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 300 }), (steps) => {
        const t = new FlowTable();
        const model = new Map<string, Flow>();
        for (const [[a, ap], [b, bp], scope, net, forget] of steps) {
          const keys = [`${a}:${ap}-${b}:${bp}`, `${b}:${bp}-${a}:${ap}`].map((k) => `${scope}/${net}/${k}`);
          const known = keys.map((k) => model.get(k)).find((f) => f !== undefined);
          if (known === undefined && model.size === 40) {
            const oldest = model.keys().next().value!;
            assert.equal(t.evict(), model.get(oldest));
            model.delete(oldest);
          }
          const flow = find(t, a, ap, b, bp, scope, 6, net);
          if (known !== undefined) assert.equal(flow, known);
          assert.equal(t.direction === 0, flow.aPort === ap && flow.a[3] === a);
          for (const k of keys) model.delete(k);
          if (forget === 0) t.forget(flow);
          else model.set(keys[0], flow);
          assert.equal(t.size, model.size);
        }
        assert.deepEqual([...t], [...model.values()]);
      }),
      { numRuns: 300 },
    );
  });
});
