import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { dissectors } from '../../dissectors/index.js';
import { openViewer } from '../../src/cli/view.js';
import { engineFields } from '../../src/engine/dissect.js';
import { Registry } from '../../src/engine/registry.js';
import { LIMITS } from '../../src/limits.js';
import { reportHtml } from '../../src/report/report-html.js';
import { reportJson } from '../../src/report/report-json.js';
import { reportMarkdown } from '../../src/report/report-markdown.js';
import { Stopped } from '../../src/viewer/superseded.js';
import type { Viewer, Watch } from '../../src/viewer/viewer.js';
import { CaptureBuilder } from '../build/capture.js';
import { clearConversation } from '../build/conversation.js';
import { run, sample } from '../cli/run.js';
import { ENDS, sip, Talk } from '../model/support.js';
import { until } from '../support/until.js';

const folder = mkdtempSync(join(tmpdir(), 'fttscope-redacted-'));
after(() => rmSync(folder, { recursive: true }));

async function opened(path: string): Promise<Viewer> {
  const viewer = await openViewer(
    { captures: [path], options: { autoKeys: true } },
    new Registry(dissectors, engineFields),
  );
  await until(() => viewer.status.done);
  return viewer;
}

const patient = (parts: number[] = []): Watch => ({
  progress: (part) => void parts.push(part),
  signal: new AbortController().signal,
});

/** Calls that are refused, more than are kept at hand: each of another user, and what it says names one more. */
function refusals(): string {
  const t = new Talk();
  for (let i = 0; i < 2 * LIMITS.keptCalls; i++) {
    const p = { callId: `call-${i}@10.0.0.2`, more: [] };
    t.up(i * 80, sip(`INVITE sip:user${i}@ims.example`, p));
    t.down(i * 80 + 20, sip('486 Busy Here INVITE', { ...p, toTag: `t${i}` }, 'down'));
  }
  const path = join(folder, 'refusals.pcapng');
  writeFileSync(
    path,
    new CaptureBuilder().connection(clearConversation(t.steps), { ...ENDS, step: 10 }).build().octets,
  );
  return path;
}

/** A capture that ends within a packet. */
function cut(): string {
  const path = join(folder, 'cut.pcapng');
  writeFileSync(
    path,
    new CaptureBuilder()
      .connection(clearConversation(new Talk().up(0, sip('OPTIONS sip:a@b')).steps), ENDS)
      .build()
      .octets.subarray(0, -9),
  );
  return path;
}

describe('a redacted report from the screens', () => {
  const captures = {
    'of a field capture': () => sample('00-field.pcapng'),
    'of several subscribers': () => sample('33-head-of-line.pcapng'),
    'of more calls than are kept at hand': refusals,
    'of a capture that was cut': cut,
  };
  for (const [name, path] of Object.entries(captures))
    test(`${name} is what report --redact prints`, async () => {
      const at = path();
      const viewer = await opened(at);
      const parts: number[] = [];
      const redacted = await viewer.redactedReport(patient(parts));
      const printed = (...form: string[]): string => run(['report', at, '--redact', ...form]).out;
      assert.equal([...reportJson(redacted)].join(''), printed());
      assert.equal([...reportMarkdown(redacted)].join(''), printed('--markdown'));
      assert.equal([...reportHtml(redacted)].join(''), printed('--html'));
      assert.ok(parts.length > 0 && parts.every((p, i) => p <= 1 && p >= (parts[i - 1] ?? 0)), parts.join());
      // What the screens themselves tell has no pseudonyms.
      const own = [...reportJson(await viewer.report())].join('');
      assert.equal(own, run(['report', at]).out);
      await viewer.close();
    });

  test('is not gone on with where nobody wants it', async () => {
    const viewer = await opened(refusals());
    const stop = new AbortController();
    const parts: number[] = [];
    const progress = (part: number): void => {
      parts.push(part);
      stop.abort();
    };
    await assert.rejects(viewer.redactedReport({ progress, signal: stop.signal }), Stopped);
    assert.ok(parts[0] < 1, parts.join());
    await viewer.redactedReport(patient());
    await viewer.close();
  });
});
