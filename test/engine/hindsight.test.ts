import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { hindsightFields } from '../../src/engine/engine-fields.js';
import type { CallEntity, FindingEntity, MediaEntity, TunnelEntity } from '../../src/model/entities.js';
import { KnownAtEnd } from '../../src/viewer/known-at-end.js';
import { run, sample } from '../cli/run.js';
import { until } from '../support/until.js';
import { viewerOf } from '../tui/support/stage.js';

/* What filters may ask of rows once everything was read, held against the report and against filters without hindsight. */

const SAMPLES = ['00-field', '13-outer-loss', '28-overloaded', '29-one-way-audio', '33-head-of-line'].map((name) =>
  sample(`${name}.${name.startsWith('13') ? 'pcap' : 'pcapng'}`),
);

interface Told {
  readonly tunnels: readonly TunnelEntity[];
  readonly calls: readonly CallEntity[];
  readonly media: readonly MediaEntity[];
  readonly findings: readonly FindingEntity[];
}

const EMPTY: Told = { tunnels: [], calls: [], media: [], findings: [] };

const told = (path: string): Told => JSON.parse(run(['report', '-q', path]).out) as Told;

/** Ids of the rows that a filter takes. */
function rows(path: string, filter: string, ...more: string[]): string[] {
  const { out, err, code } = run(['read', '-q', path, '-T', 'ndjson', '-e', 'frame.number', '-Y', filter, ...more]);
  assert.equal(code, 0, err);
  return out
    .split('\n')
    .filter((l) => l !== '')
    .map((l) => (JSON.parse(l) as { row: string }).row);
}

describe('with hindsight', () => {
  for (const path of SAMPLES)
    test(path.replace(/.*\//, ''), () => {
      const { tunnels, calls, media, findings } = told(path);
      for (const { id, state } of tunnels)
        assert.deepEqual(
          rows(path, `tunnel.id == ${id} && tunnel.state == "${state}"`, '-2'),
          rows(path, `tunnel.id == ${id}`),
        );
      for (const { id, callId, state, messages } of calls) {
        const sip = rows(path, `sip && call.id == ${id} && call.state == ${state}`, '-2');
        assert.deepEqual(sip, rows(path, `sip.Call-ID == "${callId}"`));
        for (const { row } of messages) assert.ok(sip.includes(row), row);
      }
      for (const { id, call, ssrc, source, destination, lostPercent, packets, duplicates } of media) {
        const family = source.address.includes(':') ? 'ipv6' : 'ip';
        const ends = `inner.${family}.src == ${source.address} && inner.${family}.dst == ${destination.address}`;
        const ports = `inner.udp.srcport == ${source.port} && inner.udp.dstport == ${destination.port}`;
        const plain = rows(
          path,
          `!icmp && !icmpv6 && rtp.ssrc == ${ssrc} && ${ends} && ${ports}`,
          '--enable-heuristic',
          'rtp_udp',
        );
        const own = `media.id == ${id} && media.loss >= ${lostPercent.toFixed(3)} - 0.001`;
        assert.deepEqual(rows(path, own, '-2', '--enable-heuristic', 'rtp_udp'), plain);
        assert.equal(plain.length, packets + duplicates);
        if (call !== undefined) assert.deepEqual(rows(path, `rtp && call.id == ${call} && ${own}`, '-2'), plain);
      }
      for (const { code, severity, rows: found } of findings) {
        const all = rows(path, `finding.code == "${code}" && finding.severity >= ${severity}`, '-2');
        for (const row of found) assert.ok(all.includes(row) || all.includes(`${row}.1`), `${code} in ${row}`);
      }
    });

  test('the screens take the same rows, and show them as columns', async () => {
    const path = sample('00-field.pcapng');
    const { viewer } = await viewerOf([path]);
    for (const filter of ['call.state == "failed"', 'media.loss > 2', 'finding.severity == error']) {
      const s = viewer.select({ kind: 'both', filter });
      await until(() => s.done);
      assert.equal(s.error, undefined);
      const shown = Array.from({ length: s.count }, (_, i) => viewer.rows.id(s.at(i)));
      assert.deepEqual(shown, rows(path, filter, '-2', '--enable-heuristic', 'rtp_udp'));
      assert.ok(shown.length > 0, filter);
    }
    const row = viewer.rows.byId(rows(path, 'sip.Status-Code == 503')[0]);
    const columns = ['call.state', 'call.status or sip.Status-Code', 'sip.Method'];
    const [{ texts }] = await viewer.values({ rows: [row], columns, frames: false });
    assert.deepEqual(texts, ['failed', '503,503', '']);
    await viewer.close();
  });

  test('packets of the calls that failed are extracted', () => {
    const path = sample('00-field.pcapng');
    const r = run(['extract', path, '-w', '-', '-2', '-Y', 'call.state == "failed"']);
    assert.match(r.err, new RegExp(`${rows(path, 'call.state == "failed"', '-2').length} inner packets of 1 tunnel`));
  });

  test('what still grows says so, and what is being read is waited for', async () => {
    const { callState, tunnelState } = hindsightFields;
    let [ended, grows] = [false, true];
    let more = (): void => undefined;
    const reading = {
      isEnded: () => ended,
      grows: () => grows,
      news: () => new Promise<void>((resolve) => (more = resolve)),
      telling: async <T>(make: (report: Told) => T) => make(EMPTY),
    };
    const known = new KnownAtEnd(reading, () => ({ byName: () => [] }));
    await assert.rejects(
      known.of([callState]),
      /call\.state is known at the end of the capture, and this one still grows/,
    );
    assert.equal(await known.of([]), undefined);
    grows = false;
    const first = known.of([callState]);
    more(); // there is more, and it is not the end
    await new Promise((resolve) => setImmediate(resolve));
    ended = true;
    more();
    assert.ok((await first) !== undefined);
    assert.equal(await known.of([callState]), await first);
    assert.notEqual(await known.of([tunnelState]), await first);
  });

  test('severities of what dissectors noticed need none', () => {
    const path = sample('00-field.pcapng');
    const expected = rows(path, '_ws.expert.severity >= "Warning" || finding.code == "capture.gap"');
    assert.deepEqual(rows(path, 'finding.severity >= warn'), expected);
  });
});

describe('without it', () => {
  const path = sample('00-field.pcapng');
  const refused = (args: string[], code: number, words: RegExp, input = new Uint8Array()): void => {
    const r = run(args, { input });
    assert.equal(r.code, code);
    assert.match(r.err, words);
    assert.equal(r.out, '');
  };

  test('it is said where a field is known', () => {
    const known =
      /"call\.state" is known only when all of the capture was read\.\n.*\n +\^~+\n +read and extract read it twice with -2/;
    refused(['read', path, '-Y', 'sip && call.state == "failed"'], 2, known);
    refused(['extract', path, '-w', '/dev/null', '-Y', 'call.state == "failed"'], 2, known);
    refused(
      ['read', path, '-T', 'fields', '-e', 'media.loss'],
      1,
      /-e media\.loss: it is known only when all .*\n.*-2/,
    );
  });

  test('what comes once is not read twice', () => {
    refused(['read', '-', '-2', '-Y', 'call.id == 1'], 1, /standard input does not allow/, readFileSync(path));
    // Of a named pipe the second look would wait for ever for somebody who writes.
    refused(['read', '/dev/null', '-2', '-Y', 'call.id == 1'], 1, /\/dev\/null, a pipe or a device, does not allow/);
    // tshark's habit goes on where nothing of it is asked.
    const r = run(['read', '-', '-2', '-q', '-Y', 'sip.Status-Code == 503', '-k', path.replace('pcapng', 'keys')], {
      input: readFileSync(path),
    });
    assert.equal(r.out.trim().split('\n').length, 1);
  });
});
