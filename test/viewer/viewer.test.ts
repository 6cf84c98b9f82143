import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { Viewing } from '../../src/cli/viewing.js';
import { Pass } from '../../src/engine/pass.js';
import { printable } from '../../src/kit/index.js';
import { endpoints } from '../../src/report/columns.js';
import { isRepeated } from '../../src/report/layers.js';
import { nodeLabel } from '../../src/report/value.js';
import { CaptureViewer } from '../../src/viewer/capture-viewer.js';
import { ROOT } from '../support/corpus.js';
import { until } from '../support/until.js';

const SAMPLES = join(ROOT, 'samples');
const captures = readdirSync(SAMPLES).filter((name) => /\.pcap(ng)?$/.test(name));

/** What the screens show of a row, from a pass that dissects every row. */
interface Whole {
  readonly id: string;
  readonly line: string;
  readonly tree: string;
}

const line = (source: string, destination: string, protocol: string, info: string): string =>
  `${source} ${destination} ${protocol} ${info}`;

async function wholeRows(path: string): Promise<Whole[]> {
  const viewing = await Viewing.of([path], { autoKeys: true });
  const out: Whole[] = [];
  const pass = new Pass(
    viewing.registry,
    {
      ...viewing.keys(),
      rows: 'both',
      fields: null,
      labels: true,
      experts: true,
      info: true,
      frames: 0,
      heuristicRtp: true,
      analyseTcp: true,
      duplicates: true,
      severalFiles: false,
    },
    (row) => {
      const { tree } = row.dissection;
      const labels: string[] = [];
      for (let i = 0; i < tree.length; i++)
        if (tree.field(i).hidden !== true && !isRepeated(tree, i))
          labels.push(`${tree.depth(i)} ${printable(nodeLabel(tree, i))}`);
      const [source, destination] = endpoints(row);
      const info = printable(row.dissection.info()).replaceAll('\n', ' ');
      out.push({
        id: row.id,
        line: line(source, destination, row.dissection.protocol(), info),
        tree: labels.join('\n'),
      });
      return undefined;
    },
  );
  const source = await viewing.open();
  await pass.run(source);
  await source.close();
  return out;
}

async function opened(path: string): Promise<CaptureViewer> {
  const viewer = await CaptureViewer.open(await Viewing.of([path], { autoKeys: true }));
  await new Promise<void>((resolve) => viewer.onStatus(() => viewer.status.done && resolve()));
  return viewer;
}

/** Octets that stand once a frame: the trees of later rows of it have them all the same. */
const ONCE = /^\d+ (TCP payload|TCP segment data|Encrypted Application Data|Application Data|TLS segment data)/;
const withoutOnce = (tree: string): string =>
  tree
    .split('\n')
    .filter((l) => !ONCE.test(l))
    .join('\n');

suite('a row shown again is the row that the pass saw', () => {
  for (const name of captures)
    test(name, async () => {
      const path = join(SAMPLES, name);
      const whole = await wholeRows(path);
      const viewer = await opened(path);
      const { rows } = viewer;
      assert.equal(rows.count, whole.length);
      // From the end to the start, and then in the order of the capture: both ways of reaching a row.
      const order = [...whole.keys()];
      for (const row of [...order.filter((i) => i % 7 === 0).reverse(), ...order.filter((i) => i % 3 === 0)]) {
        const { id, line: shown, tree } = whole[row];
        assert.equal(rows.id(row), id);
        assert.equal(rows.byId(id), row);
        assert.equal(line(rows.source(row), rows.destination(row), rows.protocol(row), rows.info(row)), shown, id);
        const detail = await viewer.detail(row);
        const again = detail.nodes.filter((n) => n.severity === undefined).map((n) => `${n.depth} ${n.label}`);
        assert.equal(withoutOnce(again.join('\n')), withoutOnce(tree), `tree of ${id}`);
      }
      await viewer.close();
    });
});

test('the filter that the screens offer for what was noticed finds the packet', async () => {
  const viewer = await opened(join(SAMPLES, '20-healthy-call.pcapng'));
  const severities = new Set<string>();
  for (let row = 0; row < viewer.rows.count; row++) {
    const noticed = (await viewer.detail(row)).nodes.filter((n) => n.severity !== undefined);
    for (const { severity, filter } of noticed) {
      if (severities.has(severity!)) continue;
      severities.add(severity!);
      const found = viewer.select({ kind: 'both', filter: filter! });
      await until(() => found.done);
      const rows = Array.from({ length: found.count }, (_, i) => found.at(i));
      assert.ok(rows.includes(row), `${severity}: ${filter}`);
    }
  }
  assert.deepEqual([...severities].sort(), ['chat', 'note']);
  await viewer.close();
});
