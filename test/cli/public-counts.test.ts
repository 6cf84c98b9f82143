import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Json, reportOn } from '../model/support.js';
import { CORPUS, corpusMissing } from '../support/corpus.js';
import { tshark, tsharkMissing } from '../support/tshark.js';

/** Captures without tunnels in which somebody calls, or speaks. */
const CAPTURES = [
  'OISF__suricata-verify/tests/sip-body-large/sip-body-large.pcap',
  'OISF__suricata-verify/tests/sip-compact-form/sip_compact_form.pcap',
  'SIPp__sipp/pcap/g711a.pcap',
  'aboutsip__pkts/pkts-core/src/test/resources/io/pkts/sipp.pcap',
  'aboutsip__pkts/pkts-examples/my_traffic.pcap',
  'arkime__arkime/tests/pcap/gtp-iphone.inner-raw.pcap',
  'arkime__arkime/tests/pcap/gtp-iphone.pcap',
  'dotpcap__packetnet/Test/CaptureFiles/udp-ip-fragmented.pcap',
  'irontec__sngrep/tests/aaa.pcap',
  'sipcapture__heplify/src/decoder/testdata/ipip0.pcap',
];
/** sngrep does not look into GTP, nor at a message that is longer than its buffer. */
const HIDDEN = /gtp-iphone\.pcap$|sip-body-large/;
const SNGREP = spawnSync('sngrep', ['-V']).status === 0;

/** A line of `rtp,streams`: times from the first frame, ends, SSRC, packets, lost, then mean and maximal jitter. */
const STREAM =
  /^\s+([\d.]+)\s+([\d.]+)\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)\s+0x(\w+)\s+.*?\s+(\d+)\s+(-?\d+) \([-\d.]+%\)(?:\s+[\d.]+){4}\s+([\d.]+)\s+([\d.]+)/gm;

const skip = corpusMissing('public') || tsharkMissing;

describe('calls and streams outside of tunnels are as many as others count', { skip }, () => {
  for (const name of skip === false ? CAPTURES : [])
    test(name, async () => {
      const path = join(CORPUS, 'public', name);
      const told = await reportOn(readFileSync(path));
      const asked = ['-Y', 'sip.Method == "INVITE"', '-T', 'fields', '-e', 'sip.Call-ID', '-z', 'rtp,streams'];
      const lines = await tshark(['-r', path, '--enable-heuristic', 'rtp_udp', ...asked]);
      const [list, table] = lines.split(/^=+ RTP Streams =+$/m);
      const ids = new Set(list!.split(/[\n,]/).filter((id) => id !== ''));
      assert.equal(told.calls.length, ids.size, 'calls as tshark counts them');
      if (SNGREP && !HIDDEN.test(name)) {
        const counted = spawnSync('sngrep', ['-c', '-N', '-I', path], { encoding: 'utf8', input: '' }).stdout;
        const last = [...counted.matchAll(/Dialog count: (\d+)/g)].pop();
        assert.equal(told.calls.length, Number(last?.[1]), 'calls as sngrep counts them');
      }
      const expected = [...table!.matchAll(STREAM)].map((m) => {
        const [from, to, ...rest] = m.slice(1);
        const ms = ((Number(to) - Number(from)) * 1000).toFixed(2);
        return `${rest.map((x) => x.toLowerCase()).join(' ')} ${ms}`;
      });
      const streams = told.media.map((m: Json) => {
        const { source: s, destination: d, jitterMs: j, start, end } = m;
        const jitter = `${j.mean.toFixed(3)} ${j.max.toFixed(3)}`;
        const ms = ((Number(end.epoch) - Number(start.epoch)) * 1000).toFixed(2);
        const ends = `${s.address} ${s.port} ${d.address} ${d.port}`;
        return `${ends} ${m.ssrc.slice(2)} ${m.packets} ${m.lost} ${jitter} ${ms}`;
      });
      assert.deepEqual(streams.sort(), expected.sort(), 'streams as tshark counts them');
    });
  test('sngrep was asked too', { skip: SNGREP ? false : 'sngrep is not installed: skipped' }, () => {});
});
