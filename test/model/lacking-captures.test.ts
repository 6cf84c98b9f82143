import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { concat } from 'fttscope/kit';
import { CaptureBuilder } from '../build/capture.js';
import { clearConversation } from '../build/conversation.js';
import { where } from '../build/shape.js';
import { LE } from '../capture/support.js';
import {
  CORE_MEDIA,
  called,
  ENDS,
  finding,
  type Json,
  reportOn,
  rtpPacket,
  speech,
  type Talk,
  talk,
  UE_MEDIA,
} from './support.js';

/** What a capture claims of media where it lacks frames. */

const JUMP = 'media.timestamp-jump';
/** The packet from which on the timestamps are another five seconds ahead. */
const LEAP = 60;

/** A call whose UE sets its clock forward: the numbers go on. */
function leaping(): Talk {
  const t = called(talk(), 1000, 5000);
  const payload = new Uint8Array(160);
  for (let i = 0; i < 200; i++) {
    const timestamp = 160 * i + (i < LEAP ? 0 : 40_000);
    t.up(1220 + 20 * i, rtpPacket(UE_MEDIA, CORE_MEDIA, { payloadType: 8, sequence: i, timestamp, payload }));
    t.down(1225 + 20 * i, speech(CORE_MEDIA, UE_MEDIA, i, 2));
  }
  return t;
}

/** The finding, where the capture lacks the frames of the UE from one time to another, in milliseconds. */
async function jump(from: number, to: number): Promise<Json> {
  const lacks = where((f) => f.side !== 0 || f.time < from * 1e6 || f.time >= to * 1e6);
  const builder = new CaptureBuilder({ shape: [lacks] });
  builder.connection(clearConversation(leaping().steps), { ...ENDS, step: 10 });
  return finding(await reportOn(builder.build().octets), JUMP);
}

describe('a leap of timestamps', () => {
  const LEAPS = 1220 + 20 * LEAP;

  test('is certain where nothing is missing', async () => {
    const f = await jump(0, 0);
    assert.deepEqual([f.severity, f.confidence], ['warn', 'certain']);
  });

  test('is certain where packets are missing somewhere else', async () => {
    const f = await jump(LEAPS + 1000, LEAPS + 1300);
    assert.deepEqual([f.severity, f.confidence], ['warn', 'certain']);
  });

  test('is possible across the gap', async () => {
    const f = await jump(LEAPS - 300, LEAPS + 100);
    assert.deepEqual([f.severity, f.confidence], ['note', 'possible']);
    assert.match(f.meaning, /^It happened once, where its numbers jump too\..*the capture lacks something of it\.$/);
  });
});

describe('frames that the capturing system dropped', () => {
  /** A stream outside of tunnels of which every tenth packet did not come. */
  function clear(drops: readonly (readonly [option: 5 | 7, drops: bigint])[]): Promise<Json> {
    const builder = new CaptureBuilder();
    for (let i = 0; i < 200; i++) if (i % 10 !== 5) builder.packet(speech(UE_MEDIA, CORE_MEDIA, i), 20 * i);
    const statistics = drops.map(([option, n]) => LE.option(option, LE.u64(n)));
    const block = LE.block(5, LE.u32(0), LE.u64(0n), ...statistics, LE.u32(0));
    return reportOn(concat([builder.build().octets, ...(drops.length === 0 ? [] : [block])]));
  }

  test('are told, and loss is claimed more softly', async () => {
    const r = await clear([
      [5, 7n],
      [7, 5n],
    ]);
    const f = finding(r, 'capture.dropped');
    assert.equal(f.severity, 'warn');
    assert.match(f.meaning, /^The file says so of 12, and has 180\./);
    assert.deepEqual([finding(r, 'media.loss').severity, finding(r, 'media.loss').confidence], ['warn', 'possible']);
  });

  test('that are few are a note; where none were, or nothing is said of them, loss is loss', async () => {
    assert.equal(finding(await clear([[7, 1n]]), 'capture.dropped').severity, 'note');
    for (const drops of [[[5, 0n]], []] as const) {
      const r = await clear(drops);
      assert.equal(finding(r, 'capture.dropped'), undefined);
      assert.deepEqual([finding(r, 'media.loss').severity, finding(r, 'media.loss').confidence], ['error', 'certain']);
    }
  });

  test('of a tunnel would show as octets that are missing there: nothing is taken from what it tells', async () => {
    const t = called(talk(), 1000, 5000);
    for (let i = 0; i < 200; i++) if (i % 10 !== 5) t.up(1220 + 20 * i, speech(UE_MEDIA, CORE_MEDIA, i));
    const { octets } = new CaptureBuilder().connection(clearConversation(t.steps), { ...ENDS, step: 10 }).build();
    const r = await reportOn(concat([octets, LE.block(5, LE.u32(0), LE.u64(0n), LE.option(5, LE.u64(9n)), LE.u32(0))]));
    assert.equal(finding(r, 'media.loss').confidence, 'certain');
  });
});

describe('a capture that lacks most of a tunnel', () => {
  const [HEADER, RECORD, IP_SOURCE] = [24, 16, 14 + 12];

  /** The report of a sample, of which each packet is as `shape` leaves it, or without it. */
  async function shaped(shape: (packet: Buffer) => Buffer | undefined): Promise<Json> {
    const sample = (ending: string): Buffer =>
      readFileSync(new URL(`../../../samples/13-outer-loss.${ending}`, import.meta.url));
    const octets = sample('pcap');
    const parts = [octets.subarray(0, HEADER)];
    for (let off = HEADER; off < octets.length; ) {
      const next = off + RECORD + octets.readUInt32LE(off + 8);
      const packet = shape(octets.subarray(off + RECORD, next));
      if (packet !== undefined) {
        const record = Buffer.from(octets.subarray(off, off + RECORD));
        record.writeUInt32LE(packet.length, 8);
        parts.push(record, packet);
      }
      off = next;
    }
    return reportOn(Buffer.concat(parts), sample('keys').toString('latin1'));
  }

  test('claims no silence of the side whose packets were not captured', async () => {
    for (const ends of [10, 1]) {
      const r = await shaped((p) => (p[IP_SOURCE + 3] === ends ? p : undefined));
      assert.notEqual(finding(r, 'capture.one-sided'), undefined);
      assert.equal(finding(r, 'tunnel.dead'), undefined);
      assert.notEqual(r.tunnels[0].release.how, 'silent');
      assert.deepEqual(
        r.findings.filter((f: Json) => f.confidence === 'possible' && f.severity !== 'note'),
        [],
      );
    }
  });

  test('has no error ahead of what it lacks: what the rest would show is a guess', async () => {
    const r = await shaped((p) => p.subarray(0, 200));
    assert.equal(r.findings[0].code, 'capture.snaplen');
    const f = finding(r, 'pcscf.none');
    assert.deepEqual([f.severity, f.confidence], ['note', 'possible']);
  });
});
