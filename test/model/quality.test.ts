import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CallEntity } from '../../src/model/entities.js';
import { CaptureBuilder, type Shaper } from '../build/capture.js';
import { clearConversation, envelope, type Step, up } from '../build/conversation.js';
import { ACK, at, ping, RST, tcp, udp } from '../build/packets.js';
import { only, snaplen, where } from '../build/shape.js';
import { tlsConversation } from '../build/tls.js';
import {
  addressed,
  both,
  CORE,
  called,
  captured,
  codes,
  ENDS,
  finding,
  found,
  type Json,
  registered,
  reportOn,
  sip,
  spoken,
  Talk,
  UE,
  WatchedShelf,
} from './support.js';

/** A call in which one packet of nine is lost on the way up, nobody speaks on the way down, and some that fail later. */
function talk(): Talk {
  const t = spoken(called(registered(new Talk()), 1000, 5000), 1210, 240, 'up', (i) => i % 9 === 5);
  for (const [i, ms] of [70_000, 200_000, 210_000].entries()) {
    const p = { callId: `later-${i}@10.0.0.2` };
    t.up(ms, sip('INVITE sip:bob@ims.example', p));
    t.down(ms + 50, sip('486 Busy Here INVITE', { ...p, toTag: 'x' }, 'down'));
  }
  return t;
}

const claim = (r: Json, code: string): string[] => {
  const { severity, confidence } = finding(r, code);
  return [severity, confidence];
};

describe('what rests on something that was not seen', () => {
  const steps = talk().steps;
  const whole = () => captured(clearConversation(steps));
  /** The same without the last segment from the network, whose loss shows when the end is acknowledged. */
  const lacking = () => {
    const down = whole().frames.filter((f) => f.side === 1 && f.payload > 0);
    const gone = down[down.length - 2]!;
    return captured(clearConversation(steps), {}, { shape: [where((f) => f.time !== gone.time)] });
  };

  test('is claimed in full where the capture is whole', async () => {
    const r = await reportOn(whole().octets);
    assert.deepEqual(claim(r, 'media.loss'), ['error', 'certain']);
    assert.deepEqual(claim(r, 'media.one-way'), ['error', 'certain']);
  });

  test('is claimed softly where segments are missing, whenever it was judged', async () => {
    const shelf = new WatchedShelf();
    for (const r of [await reportOn(lacking().octets), await reportOn(lacking().octets, '', [], '', shelf)]) {
      assert.ok(finding(r, 'capture.gap') !== undefined);
      assert.deepEqual(claim(r, 'media.loss'), ['warn', 'possible']);
      const [first, second] = codes(r).filter((c) => c === 'capture.gap' || c === 'media.loss');
      assert.deepEqual([first, second], ['capture.gap', 'media.loss'], 'the gap explains the loss');
      assert.deepEqual(claim(r, 'media.one-way'), ['error', 'possible']);
      assert.match(finding(r, 'media.one-way').meaning, / It may only look so: the capture lacks something of it\.$/);
    }
    assert.ok(
      shelf.entries.some((e) => (e as Partial<CallEntity>).callId?.startsWith('call-1@')),
      'the call was put away before the gap came',
    );
    shelf.close();
  });

  test('and where frames were cut', async () => {
    const r = await reportOn(captured(clearConversation(steps), {}, { shape: [snaplen(1000)] }).octets);
    assert.equal(claim(r, 'media.loss')[1], 'certain');
    const cut = await reportOn(captured(clearConversation(steps), {}, { shape: [snaplen(360)] }).octets);
    assert.equal(claim(cut, 'media.loss')[1], 'possible');
  });

  test('and is not claimed at all of a side that nothing was heard of', async () => {
    const datagram = (from: string, to: string) => udp(at(from, 7000), at(to, 7001), new Uint8Array(20));
    const t = both(called(addressed(new Talk()), 1000, 2000), 1210, 90)
      .up(4000, datagram(UE, '10.0.0.77'))
      .down(4010, datagram(UE, '10.0.0.77')); // the EFTF knows nobody else who had it
    assert.deepEqual(codes(await found(t.copy())), []);
    const heard = (side: 0 | 1): Promise<Json> =>
      reportOn(captured(clearConversation(t.steps), {}, { shape: [only(side)] }).octets);
    const up = await heard(0);
    assert.deepEqual(codes(up), ['capture.one-sided'], 'the UE asked on, so that DHCP answered it');
    assert.deepEqual(up.tunnels[0].pcscf, { address: CORE, source: 'unknown' }, 'who named it was not captured');
    assert.deepEqual(codes(await heard(1)), ['capture.one-sided']);
  });

  test('octets that are waited for to the end are missing in their own tunnel', async () => {
    const c = clearConversation(both(called(addressed(new Talk()), 1000, 2000), 1210, 90).steps);
    const other = { ...ENDS, client: at('192.0.2.11', 40_000), step: 10, end: 'none' } as const;
    const built = (shape: readonly Shaper[]) =>
      new CaptureBuilder({ shape })
        .connection(c, { ...ENDS, step: 10, start: 1003 })
        .connection(c, other)
        .build();
    // The last but one of the segments of the second; the first one goes on for longer.
    const { frames, connections } = built([]);
    const own = frames.filter((f) => f.connection === connections[1] && f.side === 1 && f.payload > 0);
    const gone = own[own.length - 2]!.time;
    const lacking = where((f) => f.side === 0 || f.time !== gone);
    const r = await reportOn(built([lacking]).octets);
    const numbers = r.tunnels.map((t: Json) => [t.ue.address, t.gaps.length]);
    const tunnel = 1 + numbers.findIndex(([address]: [string]) => address === '192.0.2.11');
    assert.equal(numbers[tunnel - 1][1], 1);
    assert.deepEqual(
      r.findings.filter((f: Json) => f.code === 'capture.gap').map((f: Json) => f.refs),
      [[{ kind: 'tunnel', id: tunnel }]],
    );
    assert.equal(finding(r, 'capture.gap').rows[0], r.tunnels[tunnel - 1].gaps[0].row);
  });

  test('but what can be seen from outside does not suffer from missing keys', async () => {
    const some: Step[] = [up([envelope(ping(ENDS.client.address, ENDS.server.address, 1, 1, 40))])];
    const c = await tlsConversation(some, { version: 'TLSv1.2', closeNotify: false });
    const b = new CaptureBuilder().connection(c, { ...ENDS, step: 10, end: 'none', acks: 1 });
    const { segments } = b.build().connections[0]!;
    const sent = [0, 1].map((side) => Math.max(...segments.filter((s) => s.side === side).map((s) => s.to)));
    const { client, server } = ENDS;
    const record = Uint8Array.of(23, 3, 3, 0, 20, ...new Uint8Array(20));
    b.packet(tcp(client, server, { seq: 1001 + sent[0]!, ack: 2_000_000_001 + sent[1]!, flags: ACK }, record), 90_000);
    b.packet(tcp(server, client, { seq: 2_000_000_001 + sent[1]!, flags: RST }, new Uint8Array(0)), 90_020, 1);
    const r = await reportOn(b.build().octets);
    assert.ok(finding(r, 'tls.no-keys') !== undefined);
    assert.deepEqual(claim(r, 'tunnel.idle-cut'), ['error', 'likely']);
  });
});
