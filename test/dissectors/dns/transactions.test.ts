import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AnyDissector, encode, LIMITS, type LimitName, type Track } from 'fttscope/kit';
import { addressRecord, dns, dnsQuery, dnsResponse } from '../../../dissectors/dns/index.js';
import { amid } from '../../support/amid.js';
import { run } from './layer.js';

const codec = dns.codec!;
const query = (id: number): Uint8Array => encode(codec, dnsQuery(id, 'a.example', 1));
const response = (id: number): Uint8Array =>
  encode(codec, dnsResponse(dnsQuery(id, 'a.example', 1), [addressRecord('a.example', Uint8Array.of(192, 0, 2, 1))]));

/** Runs messages of one conversation through `track`; gives the fields that each gets from its note, and the caps that they reach. */
function converse(
  messages: readonly (readonly [number, Uint8Array])[],
  limits: LimitName[] = [],
): Readonly<Record<string, string>>[] {
  const state = new Map<AnyDissector, unknown>();
  return messages.map(([ms, b], i) => {
    let note: unknown;
    const cx = {
      frame: i + 1,
      seconds: Math.floor(ms / 1000),
      nanos: (ms % 1000) * 1e6,
      flow<S>(d: AnyDissector, make: () => S): S {
        if (!state.has(d)) state.set(d, make());
        return state.get(d) as S;
      },
      capped: (name: LimitName) => limits.push(name),
      note: (value: unknown) => {
        note = value;
      },
    } as unknown as Track;
    dns.track!(amid(b), cx);
    const { fields } = run(dns, b, { note });
    const said: Record<string, string> = {};
    for (const key of [
      'response_to',
      'time',
      'retransmission',
      'retransmit_request_in',
      'retransmit_response_in',
      'unsolicited',
    ])
      if (fields[`dns.${key}`] !== undefined) said[key] = fields[`dns.${key}`][0];
    return said;
  });
}

// The expected values are those of tshark 4.0.17 for the same conversations.
describe('DNS transactions', () => {
  it('joins responses to queries, and tells repeated ones', () => {
    assert.deepEqual(
      converse([
        [0, query(1)],
        [500, response(1)],
        [600, response(1)],
        [700, query(1)],
        [800, response(1)],
      ]),
      [
        {},
        { response_to: '1', time: '0.5' },
        { retransmission: '1', retransmit_response_in: '2' },
        {},
        { response_to: '4', time: '0.1' },
      ],
    );
  });

  it('takes a query within five seconds for a retransmission', () => {
    assert.deepEqual(
      converse([
        [0, query(1)],
        [4999, query(1)],
        [5000, query(1)],
        [9900, query(1)],
        [10200, query(1)],
        [15000, response(1)],
      ]),
      [
        {},
        { retransmission: '1', retransmit_request_in: '1' },
        {},
        { retransmission: '1', retransmit_request_in: '3' },
        {},
        { response_to: '5', time: '4.8' },
      ],
    );
  });

  it('knows responses that nobody asked for', () => {
    assert.deepEqual(
      converse([
        [0, response(1)],
        [100, query(1)],
        [200, response(2)],
        [300, response(1)],
      ]),
      [{ unsolicited: '1' }, {}, { unsolicited: '1' }, { response_to: '2', time: '0.2' }],
    );
  });

  it('forgets the oldest of very many queries, and says so where somebody may wait for it', () => {
    const n = LIMITS.transactions + 2;
    for (const [step, told] of [
      [1, ['transactions', 'transactions']],
      [1000, []],
    ] as const) {
      const messages: [number, Uint8Array][] = [];
      for (let id = 1; id <= n; id++) messages.push([step * id, query(id)]);
      messages.push([step * n + 500, response(1)], [step * n + 500, response(n)]);
      const limits: LimitName[] = [];
      const said = converse(messages, limits);
      assert.deepEqual(said.at(-2), { unsolicited: '1' });
      assert.deepEqual(said.at(-1), { response_to: String(n), time: '0.5' });
      assert.deepEqual(limits, told);
    }
  });
});
