import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode } from 'fttscope/kit';
import { codec as dns, dnsQuery, TYPE } from '../../dissectors/dns/message.js';
import { Watch } from '../../src/model/watch.js';
import { CaptureBuilder } from '../build/capture.js';
import type { ConnectionOptions } from '../build/connection.js';
import { clearConversation } from '../build/conversation.js';
import { at, SYN, tcp, udp } from '../build/packets.js';
import { told } from './files.js';
import { both, called, codes, deregistered, ENDS, finding, type Json, registered, Talk, talk } from './support.js';

/** Captures that have nothing to do with each other but that they are given together. */

const MONDAY = 1_700_000_000;
const TUESDAY = MONDAY + 86_400;

/** A phone that makes up the same Call-IDs, tags and branches each time, and sends the same SSRC. */
const whole = (): Talk => deregistered(both(called(talk(), 1000, 2000), 1210, 90), 4000);
const half = (): Talk => both(called(talk(), 1000, 2000, false), 1210, 90);

const tunnelled = (t: Talk, epoch: number, o: Partial<ConnectionOptions> = {}): Uint8Array =>
  new CaptureBuilder({ epoch }).connection(clearConversation(t.steps), { ...ENDS, step: 10, ...o }).build().octets;

/** The same without a tunnel. */
function plain(t: Talk, epoch: number): Uint8Array {
  const b = new CaptureBuilder({ epoch });
  let ms = 0;
  for (const step of t.steps) {
    if ('pause' in step) ms += step.pause;
    else if ('envelopes' in step) for (const e of step.envelopes) b.packet(e.octets.subarray(3), ms, step.side);
  }
  return b.build().octets;
}

/** State, tunnels and streams of each call, and how often its messages came again. */
const calls = (r: Json): unknown[] =>
  r.calls.map((c: Json) => [
    c.state,
    c.tunnels,
    c.media.length,
    c.messages.reduce((n: number, m: Json) => n + m.retransmissions, 0),
  ]);
const OTHER = { client: at('192.0.2.11', 40_001) };
const NAMES = ['monday', 'tuesday'];

describe('a phone that makes up the same Call-IDs again', () => {
  test('has a call in each of its captures', async () => {
    const r = await told([tunnelled(whole(), MONDAY), tunnelled(whole(), TUESDAY, OTHER)], '', NAMES);
    assert.deepEqual(calls(r), [
      ['ended', [1], 2, 0],
      ['ended', [2], 2, 0],
    ]);
    assert.deepEqual(codes(r), []);
    assert.equal(new Set(r.calls.map((c: Json) => c.uid)).size, 2);
    const names = r.registrations.map((x: Json) => [x.tunnel, x.uid]);
    assert.equal(new Set(names.map(([, uid]: string[]) => uid)).size, 2);
  });

  test('and so have two of them at a time', async () => {
    for (const later of [0, 1, 2]) {
      const files = [tunnelled(whole(), MONDAY), tunnelled(whole(), MONDAY + later, OTHER)];
      const r = await told(files, '', NAMES);
      assert.deepEqual(calls(r), [
        ['ended', [1], 2, 0],
        ['ended', [2], 2, 0],
      ]);
      assert.deepEqual(codes(r), []);
    }
  });

  test('one of which the capture ends before the call does', async () => {
    const files = [tunnelled(half(), MONDAY, { end: 'none' }), tunnelled(whole(), TUESDAY, OTHER)];
    const r = await told(files, '', NAMES);
    assert.deepEqual(calls(r), [
      ['established', [1], 2, 0],
      ['ended', [2], 2, 0],
    ]);
    assert.deepEqual(codes(r), []);
  });

  test('without a tunnel, a day or a minute later, in one file too: nobody sends anything again', async () => {
    for (const later of [TUESDAY, MONDAY + 60]) {
      const r = await told([plain(whole(), MONDAY), plain(whole(), later)], '', NAMES);
      assert.deepEqual(
        calls(r).map((c) => (c as unknown[])[3]),
        [0, 0],
      );
      assert.equal(r.registrations.length, 2);
      assert.deepEqual(codes(r), []);
    }
    const t = registered(new Talk(), 0);
    for (const ms of [1000, 10_000]) called(t, ms, 2000);
    const states = (await told([plain(t, MONDAY)], '')).calls.map((c: Json) => c.state);
    assert.deepEqual(states, ['ended', 'ended']);
  });
});

describe('what is not over when its capture ends', () => {
  test('is not until the next one ends', async () => {
    const r = await told(
      [tunnelled(half(), MONDAY, { end: 'none' }), tunnelled(registered(new Talk()), TUESDAY, OTHER)],
      '',
      NAMES,
    );
    const [t] = r.tunnels;
    assert.equal(t.release.how, 'capture-end');
    assert.equal(r.registrations[0].state, 'registered');
    for (const code of ['sip.registration-expired', 'dhcp.lease-expired', 'tunnel.dead', 'tunnel.idle-cut'])
      assert.equal(finding(r, code), undefined, code);
  });

  test('nor are a SYN and the question for the name of the EFTF that it ends with', async () => {
    const { client, server } = ENDS;
    const question = encode(dns, dnsQuery(1, 'eftf.example', TYPE.A));
    const asked = (ms: number): Uint8Array =>
      new CaptureBuilder({ epoch: MONDAY })
        .packet(tcp(client, server, { seq: 1, flags: SYN }, new Uint8Array(0)), 0)
        .packet(udp(at('192.0.2.10', 5353), at('192.0.2.53', 53), question), 0)
        .packet(udp(at('192.0.2.10', 9), at('192.0.2.53', 9), new Uint8Array(4)), ms)
        .build().octets;
    const next = tunnelled(registered(new Talk()), TUESDAY, OTHER);
    assert.deepEqual(codes(await told([asked(1000), next], '', NAMES)), []);
    assert.deepEqual(codes(await told([asked(9000), next], '', NAMES)).sort(), ['dns.eftf', 'tcp.no-answer']);
  });

  test('is where files are those of one rotation, and where the other one begins before', () => {
    const moment = (seconds: number) => ({ seconds, nanos: 0 });
    const file = (id: number, name: string, start: number, end: number) => ({
      file: id,
      name,
      start: moment(start),
      end: moment(end),
    });
    const end = moment(9999);
    const until = (...files: ReturnType<typeof file>[]) => new Watch(files).until([1], end).seconds;
    assert.equal(until(file(1, 'a_00001.pcap', 0, 100), file(2, 'a_00002.pcap', 1900, 2000)), 2000);
    assert.equal(until(file(1, 'ue.pcap', 0, 100), file(2, 'eftf.pcap', 50, 200)), 200);
    assert.equal(until(file(1, 'ue.pcap', 0, 100), file(2, 'eftf.pcap', 1900, 2000)), 100);
    assert.equal(until(file(1, 'day1.pcap', 0, 100), file(2, 'day2.pcap', 86_400, 86_500)), 100);
    assert.equal(new Watch().until([1], end), end);
  });
});
