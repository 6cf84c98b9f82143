import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LineFile } from '../../src/capture/line-file.js';
import type { CallEntity } from '../../src/model/entities.js';
import { CaptureBuilder } from '../build/capture.js';
import { clearConversation } from '../build/conversation.js';
import {
  CORE,
  CORE_MEDIA,
  called,
  dhcpDown,
  dhcpUp,
  ENDS,
  reportOn,
  sdp,
  sip,
  speech,
  spoken,
  Talk,
  UE,
  UE_MEDIA,
  WatchedShelf,
} from './support.js';

/** A call of five seconds that one side does not speak in for long, and others minutes later. */
function talk(): Talk {
  const t = spoken(called(new Talk(), 1000, 5000), 1210, 240, 'up', (i) => i % 9 === 5);
  spoken(t, 1210, 20, 'down');
  for (const [i, ms] of [70_000, 200_000, 210_000].entries()) {
    const p = { callId: `later-${i}@10.0.0.2` };
    t.up(ms, sip('INVITE sip:bob@ims.example', p)).down(
      ms + 50,
      sip('486 Busy Here INVITE', { ...p, toTag: 'x' }, 'down'),
    );
  }
  return t;
}

describe('what is over', () => {
  const octets = new CaptureBuilder().connection(clearConversation(talk().steps), { ...ENDS, step: 10 }).build().octets;

  test('is told of in the same way after it was put away', async () => {
    const whole = await reportOn(octets);
    const shelf = new WatchedShelf();
    assert.deepEqual(await reportOn(octets, '', [], '', shelf), whole);
    shelf.close();
    const ids = shelf.entries.flatMap((e) => (e as Partial<CallEntity>).callId ?? []);
    assert.deepEqual(ids, ['call-1@10.0.0.2', 'later-0@10.0.0.2']);
    assert.equal(shelf.entries.length - ids.length, 2); // the streams of the first
    assert.ok(whole.findings.some((f: { code: string }) => f.code === 'media.loss'));
    const all = new WatchedShelf();
    assert.deepEqual(await reportOn(octets, '', [], '', all, 'none', 'kept'), whole);
    all.close();
    assert.equal(all.entries.filter((e) => 'callId' in e).length, 4);
  });

  test('is put away where each call has the same SSRC, too, unless it was seen behind the EFTF', async () => {
    const t = talk();
    const again = { callId: 'again@10.0.0.2', sdp: sdp(UE, 30_000) };
    t.up(70_100, sip('INVITE sip:bob@ims.example', again))
      .down(70_200, sip('200 OK INVITE', { ...again, toTag: 'b', sdp: sdp(CORE, 40_000) }, 'down'))
      .up(70_210, sip('ACK sip:bob@ims.example', { callId: again.callId, toTag: 'b' }))
      .up(75_200, sip('BYE sip:bob@ims.example', { callId: again.callId, toTag: 'b', cseq: 2 }))
      .down(75_210, sip('200 OK BYE', { callId: again.callId, toTag: 'b', cseq: 2 }, 'down'));
    spoken(spoken(t, 70_220, 200, 'up'), 70_220, 200, 'down');
    const streams = async (behind: boolean): Promise<number> => {
      const builder = new CaptureBuilder().connection(clearConversation(t.steps), { ...ENDS, step: 10 });
      if (behind) for (let i = 0; i < 200; i++) builder.packet(speech(UE_MEDIA, CORE_MEDIA, i, 1), 70_300 + 20 * i);
      const { octets } = builder.build();
      const shelf = new WatchedShelf();
      assert.deepEqual(await reportOn(octets, '', [], '', shelf), await reportOn(octets));
      shelf.close();
      return shelf.entries.filter((e) => 'ssrc' in e).length;
    };
    assert.equal(await streams(false), 4);
    assert.ok((await streams(true)) < 4);
  });

  test('keeps the messages of many DHCP exchanges', async () => {
    const t = new Talk();
    for (let xid = 1, ms = 0; xid <= 20; xid++, ms += 1000) {
      t.up(ms, dhcpUp('discover', xid)).down(ms + 10, dhcpDown('offer', xid));
      t.up(ms + 20, dhcpUp('request', xid)).down(ms + 30, dhcpDown('ack', xid));
    }
    t.up(30_000, dhcpUp('request', 1)).down(30_040, dhcpDown('ack', 1)); // the first goes on after it was packed
    const { exchanges } = (await t.report()).addressing[0].dhcp;
    assert.equal(exchanges.length, 20);
    const whole = ['DISCOVER up', 'OFFER down', 'REQUEST up', 'ACK down'];
    for (const [i, e] of exchanges.entries()) {
      const list = e.messages.map((m: { type: string; direction: string }) => `${m.type} ${m.direction}`);
      assert.deepEqual(list, i === 0 ? [...whole, 'REQUEST up', 'ACK down'] : whole);
      assert.equal(e.outcome, 'bound');
      const [discover, , , ack] = e.messages;
      assert.equal(Math.round((ack.at.epoch - discover.at.epoch) * 1000), 30);
    }
    assert.equal(
      new Set(exchanges.flatMap((e: { messages: { row: string }[] }) => e.messages.map((m) => m.row))).size,
      82,
    );
  });

  test('says how many messages of a call are not listed', async () => {
    const t = talk();
    for (let i = 0; i < 600; i++)
      t.up(3000 + i, sip('INFO sip:bob@ims.example', { toTag: 'b', cseq: 10 + i, branch: `z9hG4bKinfo${i}` }));
    const octets = new CaptureBuilder().connection(clearConversation(t.steps), { ...ENDS, step: 10 }).build().octets;
    const shelf = new WatchedShelf();
    for (const r of [await reportOn(octets), await reportOn(octets, '', [], '', shelf)]) {
      const listed = r.calls[0].messages.length;
      assert.equal(listed, 500);
      assert.deepEqual(r.limits, [{ name: 'callMessages', cap: 500, hit: 600 + 7 - listed }]);
    }
    shelf.close();
  });

  test('waits in a file', () => {
    const file = new LineFile();
    const lines = Array.from({ length: 400 }, (_, i) => `${i} ${'\u00e4b\ud83d\ude00'.repeat((i * i) % 4000)}`);
    const places = lines.map((line) => file.put(Buffer.from(line)));
    const get = (place: number): string => Buffer.from(file.get(place)).toString();
    for (let i = 0; i < lines.length; i++) assert.equal(get(places[i]), lines[i]);
    for (let i = lines.length - 1; i >= 0; i -= 7) assert.equal(get(places[i]), lines[i]);
    places.push(file.put(Buffer.from('one more')));
    assert.equal(get(places[400]), 'one more');
    file.close();
  });
});
