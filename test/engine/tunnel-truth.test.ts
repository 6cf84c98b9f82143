import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CORPUS, corpusMissing, ROOT } from '../support/corpus.js';
import { pcapPackets } from '../support/pcap.js';
import { forRows } from '../support/rows.js';

/** The inner packets of a capture as our rows give them, in hex, by direction. */
async function innerPackets(path: string, keylog: string[]) {
  const up: string[] = [];
  const down: string[] = [];
  const pass = await forRows(path, { keylog, rows: 'inner' }, (row) => {
    const v = row.content!.view;
    if (v.buf[v.off] !== 1 || v.length <= 3) return;
    (row.direction === 'up' ? up : down).push(Buffer.from(v.buf.subarray(v.off + 3, v.end)).toString('hex'));
  });
  return { up, down, pass };
}

const sorted = (list: readonly string[]): string[] => [...list].sort();
const truth = (path: string): string[] => sorted(pcapPackets(path).map((p) => p.toString('hex')));

/** Octets of packets that are no IPv4 or IPv6 packet (type 1 envelopes that the kit made on purpose) are not in the truth. */
const isIp = (p: string): boolean => p.startsWith('4') || p.startsWith('6');

interface Side {
  tx_ip: number;
  rx_ip: number;
  tx_unknown: number;
  rx_unknown: number;
  tx_odd: number;
  rx_odd: number;
}

describe('inner packets equal the ground truth octet for octet', { skip: corpusMissing('tunnel') }, () => {
  if (corpusMissing('tunnel') !== false) return;
  const folder = join(CORPUS, 'tunnel');
  for (const file of readdirSync(folder).sort()) {
    const m = /^(.*)\.pcap(ng)?$/.exec(file);
    if (m === null || file.endsWith('.inner.pcap')) continue;
    const name = m[1];
    const base = name === 'tls13-gcm-dsb' ? 'tls13-gcm' : name;
    if (!existsSync(join(folder, `${base}.inner.pcap`))) continue;
    const keyFiles = name === 'tls13-gcm-dsb' ? [] : [`${name}.keys`];
    if (existsSync(join(folder, `${name}.firstkey.keys`))) keyFiles.push(`${name}.firstkey.keys`);
    for (const keyFile of keyFiles.length > 0 ? keyFiles : ['']) {
      test(`${file} ${keyFile}`, async () => {
        const keylog = keyFile === '' ? [] : [readFileSync(join(folder, keyFile), 'latin1')];
        const { up, down, pass } = await innerPackets(join(folder, file), keylog);
        assert.deepEqual(sorted([...up, ...down].filter(isIp)), truth(join(folder, `${base}.inner.pcap`)));
        const stats = JSON.parse(readFileSync(join(folder, `${base}.stats.json`), 'utf8')) as {
          ue: { tunnels: Side[] };
        };
        const opened = pass.index.tunnels.filter((t) => t.envelopes[0].total + t.envelopes[1].total > 0);
        assert.equal(opened.length, stats.ue.tunnels.length);
        for (const [i, side] of stats.ue.tunnels.entries()) {
          const [u, d] = opened[i].envelopes;
          assert.deepEqual([u.ip4 + u.ip6, u.unknown], [side.tx_ip, side.tx_unknown], `up, tunnel ${i + 1}`);
          assert.deepEqual([d.ip4 + d.ip6, d.unknown], [side.rx_ip, side.rx_unknown], `down, tunnel ${i + 1}`);
        }
      });
    }
  }
});

describe('samples', () => {
  const folder = join(ROOT, 'samples');
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.expect.json')) continue;
    test(file, async () => {
      const stem = file.replace('.expect.json', '');
      const capture = ['pcapng', 'pcap'].map((x) => join(folder, `${stem}.${x}`)).find((p) => existsSync(p))!;
      const keys = join(folder, `${stem}.keys`);
      const expect = JSON.parse(readFileSync(join(folder, file), 'utf8'));
      const seen = { sip: 0, dhcp: 0, icmpv6: 0, dhcpv6: 0, rtp: 0, dns: 0 };
      let frames = 0;
      let before = 0;
      const keylog = existsSync(keys) ? [readFileSync(keys, 'latin1')] : [];
      const pass = await forRows(capture, { keylog }, (row) => {
        if (row.frame !== before) frames++;
        before = row.frame;
        if (row.inner === 0) return;
        const { protocols } = row.dissection;
        const inside = protocols.slice(protocols.indexOf('fttims'));
        for (const p of Object.keys(seen) as (keyof typeof seen)[])
          seen[p] += p === 'sip' ? inside.filter((x) => x === 'sip').length : inside.includes(p) ? 1 : 0;
      });
      assert.equal(frames, expect.frames);
      if (!expect.readable) return;
      let up = 0;
      let down = 0;
      for (const t of pass.index.tunnels) {
        up += t.envelopes[0].total;
        down += t.envelopes[1].total;
      }
      assert.deepEqual([up, down], [expect.envelopes.up, expect.envelopes.down]);
      const { packets: _, ...counts } = expect.inner;
      assert.deepEqual(seen, counts);
    });
  }
});
