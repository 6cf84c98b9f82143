import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FindingEntity, MediaEntity, RegistrationEntity, TunnelEntity } from '../../src/model/entities.js';
import { reportJson } from '../../src/report/report-json.js';
import { run } from '../cli/run.js';
import { Stage, sample, viewerOf } from './support/stage.js';

/* The screens and `fttscope report` tell of one model: what one of them says the other says too. */

const SAMPLES = ['00-field', '22-wrong-key-log', '33-head-of-line'];

interface Told {
  readonly tunnels: readonly TunnelEntity[];
  readonly calls: readonly { readonly id: number; readonly state: string }[];
  readonly registrations: readonly RegistrationEntity[];
  readonly media: readonly MediaEntity[];
  readonly findings: readonly FindingEntity[];
}

describe('screens and report', () => {
  for (const name of SAMPLES)
    test(name, async () => {
      const path = sample(`${name}.pcapng`);
      const printed = run(['report', path]);
      assert.equal(printed.code, 0, printed.err);
      const { viewer, fields } = await viewerOf([path]);
      const shown = [...reportJson(await viewer.report())].join('');
      assert.equal(shown, printed.out);
      const told = JSON.parse(printed.out) as Told;

      const stage = new Stage(viewer, fields, 200, 50);
      const lines = async (...keys: readonly string[]): Promise<readonly string[]> => {
        for (const key of keys) await stage.press(key);
        return stage.app.view.plain();
      };
      const tunnels = (await lines('1')).join('\n');
      for (const t of told.tunnels) assert.ok(tunnels.includes(`${t.ue.address}:${t.ue.port}`), tunnels);
      const findings = await lines('1', '5', '5');
      const codes = findings.flatMap((l) => /^(?:error|warning|note) ([\w.-]+)/.exec(l)?.slice(1) ?? []);
      assert.deepEqual(
        codes,
        told.findings.map((f) => f.code),
      );
      const calls = (await lines('1', '3', '3')).join('\n');
      for (const c of told.calls)
        assert.match(
          calls,
          new RegExp(`call ${c.id}\\n[^\\n]*${c.state === 'failed' ? 'FAILED' : c.state.toUpperCase()}`),
        );
      for (const r of told.registrations)
        assert.match(calls, new RegExp(`reg ${r.id}\\n[^\\n]*${r.state.toUpperCase()}`));
      const media = (await lines('1', '4', '4')).join('\n');
      for (const m of told.media) assert.ok(media.includes(m.ssrc), m.ssrc);
      assert.equal((media.match(/^stream/gm) ?? []).length, told.media.length);
      await stage.end();
    });

  test('who issues certificates of EFTFs is said in the same way', async () => {
    const path = sample('20-healthy-call.pcapng');
    const printed = run(['report', path, '--eftf-issuer', 'Operator CA']);
    const { viewer, fields } = await viewerOf([path], { eftfIssuer: ['Operator CA'] });
    assert.equal([...reportJson(await viewer.report())].join(''), printed.out);
    const stage = new Stage(viewer, fields, 200, 50);
    await stage.press('5');
    await stage.until(/! tls\.unexpected-issuer/);
    await stage.end();
  });
});
