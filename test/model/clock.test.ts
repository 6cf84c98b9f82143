import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { codes, finding, type Json, reportOn } from './support.js';

/** Captures whose clock was set while they were made: frames of Linux, which have the timestamps of RFC 7323. */

const HEADER = 24;
const RECORD = 16;
/** Ethernet, IPv4 and TCP, to where the timestamps stand behind two octets of no operation. */
const OPTION = 14 + 20 + 20;

interface Shift {
  /** The number of the frame from which on the clock shows other times, and by how many seconds. */
  readonly from: number;
  readonly seconds: number;
  /** Whose clocks go on with it, by the port that they send from; 0: all. */
  readonly pausing?: (sourcePort: number) => boolean;
}

/** A sample, as pcap with microseconds, whose clock was set. */
function set(name: string, { from, seconds, pausing = () => false }: Shift): Buffer {
  const octets = readFileSync(new URL(`../../../samples/${name}.pcap`, import.meta.url));
  assert.equal(octets.readUInt32LE(0), 0xa1b2c3d4);
  for (let off = HEADER, frame = 1; off < octets.length; frame++) {
    const length = octets.readUInt32LE(off + 8);
    const packet = octets.subarray(off + RECORD, off + RECORD + length);
    if (frame >= from) {
      octets.writeUInt32LE(octets.readUInt32LE(off) + seconds, off);
      const hasTicks = packet.length >= OPTION + 12 && packet.readUInt32BE(OPTION) === 0x0101_080a;
      // Linux counts milliseconds.
      if (hasTicks && pausing(packet.readUInt16BE(OPTION - 20)))
        packet.writeUInt32BE((packet.readUInt32BE(OPTION + 4) + seconds * 1000) >>> 0, OPTION + 4);
    }
    off += RECORD + length;
  }
  return octets;
}

const told = async (name: string, shift: Shift): Promise<Json> => {
  const keys = readFileSync(new URL(`../../../samples/${name}.keys`, import.meta.url), 'latin1');
  return reportOn(set(name, shift), keys);
};

const SAMPLE = '13-outer-loss';
const DAYS = 30 * 86_400;
/** What would take so long. */
const LONG = ['tunnel.idle-gap', 'dhcp.lease-expired', 'sip.registration-expired', 'tunnel.stall'];

describe('a clock that is set forward', () => {
  test('is known where for neither end so much time passed; nothing lasted as long as it looks', async () => {
    const whole = await told(SAMPLE, { from: 1e9, seconds: 0 });
    for (const from of [150, 273, 400]) {
      const r = await told(SAMPLE, { from, seconds: DAYS });
      const f = finding(r, 'capture.clock-jump');
      assert.deepEqual([f.severity, f.rows], ['warn', [String(from)]]);
      assert.match(f.meaning, /^From one frame to the next it goes forward by 2592000 s that passed for neither end/);
      assert.deepEqual(
        codes(r).filter((c) => LONG.includes(c)),
        codes(whole).filter((c) => LONG.includes(c)),
      );
      assert.deepEqual(
        r.registrations.map((x: Json) => x.state),
        whole.registrations.map((x: Json) => x.state),
      );
      const [t] = r.tunnels;
      assert.ok(t.idleMaxMs < 2000, String(t.idleMaxMs));
      assert.ok(t.tcp.stalls.every((s: Json) => s.ms < 2000));
    }
  });

  test('is nothing that media waited for: before they began, behind a lost segment, after they ended', async () => {
    const whole = codes(await told(SAMPLE, { from: 1e9, seconds: 0 }));
    for (const from of [70, 195, 350, 420, 495]) {
      const r = await told(SAMPLE, { from, seconds: DAYS });
      assert.deepEqual(
        codes(r).filter((c) => !whole.includes(c)),
        ['capture.clock-jump'],
        String(from),
      );
      for (const m of r.media)
        assert.ok(
          m.headOfLine.every((h: Json) => h.ms < 2000),
          String(from),
        );
    }
  });

  test('is none where time passed for both ends, or for one: a phone may sleep', async () => {
    for (const pausing of [() => true, (port: number) => port === 443]) {
      const r = await told(SAMPLE, { from: 273, seconds: DAYS, pausing });
      assert.equal(finding(r, 'capture.clock-jump'), undefined);
      assert.equal(finding(r, 'tunnel.idle-gap').severity, 'warn');
      assert.notEqual(finding(r, 'sip.registration-expired'), undefined);
      assert.notEqual(finding(r, 'dhcp.lease-expired'), undefined);
    }
  });
});

describe('a clock that goes back', () => {
  test('tells nobody what was under way when the tunnel ended', async () => {
    const r = await told(SAMPLE, { from: 273, seconds: -3600 });
    assert.notEqual(finding(r, 'capture.clock-jump'), undefined);
    assert.deepEqual(
      codes(r).filter((c) => c.startsWith('tunnel.closed')),
      [],
    );
  });
});
