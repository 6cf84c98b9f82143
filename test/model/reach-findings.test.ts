import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode } from 'fttscope/kit';
import { icmp } from '../../dissectors/icmp.js';
import { ACK, address, at, ip, RST, SYN, tcp } from '../build/packets.js';
import { addressed, CORE, codes, finding, found, type Json, note, registered, Talk, talk, UE } from './support.js';

/** SIP over TCP inside a tunnel, whose P-CSCF does not take the connection. RFC 3261 §18.1.1 */

const CODE = 'pcscf.no-connection';
const NOTHING = new Uint8Array(0);
const [OWN, PCSCF] = [at(UE, 50_000), at(CORE, 5060)];
/** RFC 6298 §2 (2.1), §5 (5.5): when a SYN is sent again. */
const AGAIN = [0, 1000, 3000, 7000];

const syn = (to = PCSCF) => tcp(OWN, to, { seq: 100, ack: 0, flags: SYN }, NOTHING);
const answer = (flags: number, from = PCSCF) => tcp(from, OWN, { seq: 0, ack: 101, flags: flags | ACK }, NOTHING);

function knocked(t: Talk, ms = 100, times: readonly number[] = AGAIN, to = PCSCF): Talk {
  for (const after of times) t.up(ms + after, syn(to));
  return t;
}
const failure = (r: Json): unknown => [r.tunnels[0].failure?.stage, r.tunnels[0].failure?.cause];

describe('a P-CSCF that takes no connection', () => {
  test('is silent: that is why nobody registers', async () => {
    const r = await found(knocked(addressed(new Talk())), 60_000, 'none');
    assert.deepEqual(codes(r), [CODE]);
    const f = finding(r, CODE);
    assert.match(f.meaning, /^4 SYN went to 10\.0\.0\.1:5060 in 7 s, and nothing came back\./);
    assert.deepEqual(failure(r), ['pcscf', 'The P-CSCF did not answer the connection.']);
    assert.deepEqual(r.tunnels[0].pcscf, { address: CORE, source: 'dhcp' });
  });

  test('resets it', async () => {
    const r = await found(knocked(addressed(new Talk()), 100, [0]).down(110, answer(RST)));
    assert.deepEqual(codes(r), [CODE]);
    assert.match(finding(r, CODE).meaning, /^A SYN went to 10\.0\.0\.1:5060, and a reset came back\./);
    assert.deepEqual(failure(r), ['pcscf', 'The P-CSCF refused the connection.']);
  });

  test('is known by ICMP not to be reached, which says it alone', async () => {
    const said = ip(address(CORE), address(UE), 1, encode(icmp.codec!, { type: 3, code: 1, word: 0, data: syn() }));
    const r = await found(knocked(addressed(new Talk())).down(110, said), 60_000, 'none');
    assert.deepEqual(codes(r), ['inner.unreachable']);
    assert.deepEqual(failure(r), ['pcscf', 'The P-CSCF cannot be reached: host unreachable.']);
  });

  test('has no time to answer, or answers: no word of it', async () => {
    const early = await found(knocked(addressed(new Talk()), 100, [0, 1000]), 0, 'none');
    assert.equal(finding(early, CODE), undefined);
    const there = knocked(addressed(new Talk()), 100, [0]).down(110, answer(SYN)).down(5000, answer(RST));
    const r = await found(there, 60_000, 'none');
    assert.equal(finding(r, CODE), undefined);
    assert.equal(r.tunnels[0].failure, undefined);
  });

  test('is another one than that which the UE uses then', async () => {
    // By UDP.
    const r = await found(registered(knocked(addressed(new Talk())), 9000), 60_000, 'none');
    note(r, CODE);
    assert.equal(r.tunnels[0].failure, undefined);
    const second = at('10.0.0.9', 5060);
    const moved = knocked(knocked(addressed(new Talk())), 9000, [0], second).down(9010, answer(SYN, second));
    assert.equal(finding(await found(moved, 60_000, 'none'), CODE).severity, 'warn');
  });

  test('is lost later', async () => {
    const r = await found(knocked(talk(), 9000), 60_000, 'none');
    assert.equal(finding(r, CODE).severity, 'warn');
    assert.equal(r.tunnels[0].failure, undefined);
  });
});
