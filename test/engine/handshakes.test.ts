import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tunnelLine } from '../../src/report/tunnels.js';
import type { Frame, Shaper } from '../build/capture.js';
import { envelope } from '../build/conversation.js';
import { innerRows, mark } from '../build/expect.js';
import { at, register, udp } from '../build/packets.js';
import { Sealer } from '../build/sealer.js';
import { late, where } from '../build/shape.js';
import { type TlsOptions, tlsConversation } from '../build/tls.js';
import { chatter } from '../build/traffic.js';
import { EFTF, expectedOf, found, one, readWith, SHORT, UE, V12, V13, verdicts } from './one.js';

/** Handshakes of tunnels that were captured in part, in another order, or with early data. */

describe('a ClientHello that is missing, torn or late', () => {
  const isHello = (f: Frame): boolean => f.side === 0 && f.payload > 0 && f.segment!.from === 0;
  const cases: readonly (readonly [string, TlsOptions, number, Shaper])[] = [
    ['missing, TLS 1.2', V12, 1400, where((f) => !isHello(f))],
    ['missing, TLS 1.3', V13, 1400, where((f) => !isHello(f))],
    ['without its second segment, TLS 1.2', V12, 150, where((f) => f.side === 1 || f.segment!.from !== 150)],
    ['without its second segment, TLS 1.3', V13, 150, where((f) => f.side === 1 || f.segment!.from !== 150)],
  ];
  for (const [name, o, mss, shape] of cases)
    test(name, async () => {
      const built = one(await tlsConversation(chatter(5, 40), o), { mss, capture: { shape: [shape] } });
      const r = await readWith(built);
      for (const side of [0, 1] as const) assert.ok(found(built, r, side).length > 8);
    });

  for (const [name, o] of [
    ['TLS 1.2', V12],
    ['TLS 1.2, resumed', { ...V12, session: true }],
    ['TLS 1.3', V13],
  ] as const)
    test(`behind what the server answers, ${name}`, async () => {
      const session = 'session' in o ? (await tlsConversation(SHORT, V12)).session : undefined;
      const c = await tlsConversation(chatter(5, 40), { ...o, session });
      assert.equal(c.reused, session !== undefined);
      const behind: Shaper = (frames) => {
        const hello = frames.find(isHello)!;
        const answer = frames.findIndex((f, i) => f.side === 0 && f.payload > 0 && i > frames.indexOf(hello));
        return [...frames.slice(0, answer).filter((f) => f !== hello), hello, ...frames.slice(answer)];
      };
      const built = one(c, { capture: { shape: [behind] } });
      const r = await readWith(built);
      assert.deepEqual(expectedOf(r), innerRows(built));
    });
});

test('the line about a tunnel names the direction, wherever its first packet came from', async () => {
  const c = await tlsConversation(chatter(5, 40), V13);
  const keylog = [c.keylog.replace(/^SERVER_TRAFFIC.*\n/m, '')];
  const past = [0, 1].map((side) => c.inner.find((i) => i.side === side)!.from);
  const ends = { client: at('192.0.2.10', 1234), server: at('198.51.100.1', 8443) };
  for (const client of [ends.client, at('192.0.2.10', 40_000)])
    for (const first of [0, 1] as const) {
      const from: Shaper = (frames) => frames.slice(frames.findIndex((f) => f.side === first));
      const built = one(c, { ...ends, client, capture: { shape: [late([past[0]!, past[1]!]), from] } });
      const r = await readWith(built, { keylog });
      const line = tunnelLine(r.pass.index.tunnels[0]!);
      assert.match(
        line,
        new RegExp(`192.0.2.10:${client.port} → 198.51.100.1:8443: partly decrypted.* down: The (handshake|key log)`),
      );
      assert.doesNotMatch(line, / up: /);
    }
});

/** A record with a ClientHello, to which the extension early_data is added. RFC 8446 §4.2.10 */
function offersEarlyData(record: Uint8Array): Uint8Array {
  const b = Buffer.concat([record, Uint8Array.of(0, 42, 0, 0)]);
  let at = 43 + 1 + b[43]!; // random and session id
  at += 2 + b.readUInt16BE(at); // suites
  at += 1 + b[at]!; // compression
  for (const length of [3, 7, at]) b.writeUInt16BE(b.readUInt16BE(length) + 4, length);
  return b;
}

test('envelopes in early data break §5.2.2.4', async () => {
  const c = await tlsConversation(SHORT, { ...V13, ciphers: 'TLS_AES_128_GCM_SHA256:AES128-SHA:@SECLEVEL=0' });
  const secret = Buffer.alloc(32, 0x5a);
  const sealer = new Sealer(c.cipher, secret, 0);
  const early = [2, 3].map((n) => envelope(udp(UE, EFTF, register(n))));
  const records = early.map((e) => sealer.seal(e.octets));
  const end = sealer.seal(Uint8Array.of(5, 0, 0, 0), 22); // EndOfEarlyData
  const [hello, answer, ...rest] = c.flights;
  assert.deepEqual([hello!.side, answer!.side, rest[0]!.side], [0, 1, 0]);
  const flights = [
    { ...hello!, octets: offersEarlyData(hello!.octets) },
    ...records.map((octets) => ({ ...hello!, octets })),
    answer!,
    { ...hello!, octets: end },
    ...rest,
  ];
  const random = c.keylog.split(' ')[1];
  const keylog = `${c.keylog}CLIENT_EARLY_TRAFFIC_SECRET ${random} ${secret.toString('hex')}\n`;
  const built = one({ ...c, flights, inner: [] });
  const r = await readWith(built, { keylog: [keylog] });
  const marks = [...early, ...c.inner.map((i) => i.envelope)].map((e) => mark(e.octets));
  assert.deepEqual(r.inner.map((row) => row.envelope).sort(), marks.sort());
  const breaking = r.rows.filter((row) => row.findings.includes('fttims.early-data'));
  assert.deepEqual(breaking.map((row) => row.envelope).sort(), early.map((e) => mark(e.octets)).sort());
  // Without the secret of early data, what comes after it is read all the same.
  const without = await readWith(built, { keylog: [c.keylog] });
  assert.equal(without.inner.length, c.inner.length);
  assert.match(verdicts(without)[0]!.reason!, /no CLIENT_EARLY_TRAFFIC_SECRET line/);
});
