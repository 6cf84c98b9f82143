import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { data } from '../../dissectors/data.js';
import { udp as udpDissector } from '../../dissectors/udp.js';
import type { Row } from '../../src/engine/row.js';
import { fields, Held, Tree } from '../../src/kit/index.js';
import { NdjsonWriter } from '../../src/report/ndjson.js';
import { TextBytes } from '../../src/report/text-bytes.js';
import { jsonText, jsonValue } from '../../src/report/value.js';
import { at, ping, udp } from '../build/packets.js';
import { FrameSource } from '../build/source.js';
import { CORPUS, corpusMissing, publicCaptures, ROOT } from '../support/corpus.js';
import { forRows, forSource } from '../support/rows.js';

const { code: CODE } = fields({ code: { name: 'test.code', label: 'Code', type: 'string' } });

/** The fields of a row, one value after the other. */
function slowly(t: Tree): string {
  const values = new Map<string, string[]>();
  for (let i = 0; i < t.length; i++) {
    const { name, type } = t.field(i);
    if (t.held(i) === Held.Nothing && type !== 'none') continue;
    const list = values.get(name);
    if (list === undefined) values.set(name, [jsonValue(t, i)]);
    else list.push(jsonValue(t, i));
  }
  return Array.from(values, ([name, list]) => `${JSON.stringify(name)}:[${list.join(',')}]`).join(',');
}

/** Compares how rows are written, from templates and from octets, with how single values are. */
async function agree(path: string, keylog: readonly string[]): Promise<number> {
  const writer = new NdjsonWriter();
  const out = new TextBytes();
  let rows = 0;
  await forRows(path, { keylog }, (row: Row) => {
    out.reset();
    writer.print(row, out);
    const { text } = out;
    rows++;
    assert.equal(text.slice(text.indexOf(',"fields":')), `,"fields":{${slowly(row.dissection.tree)}}}\n`, row.id);
    assert.ok(text.includes(`,"info":${jsonText(row.dissection.info())},"findings":`), row.id);
  });
  return rows;
}

const keysBeside = (path: string): string[] => {
  const file = path.replace(/(\.inner)?\.pcap(ng)?$/, '.keys');
  return existsSync(file) ? [readFileSync(file, 'utf8')] : [];
};
const captures = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => /\.pcap(ng)?$/.test(name))
    .map((name) => join(folder, name));

describe('rows of ndjson are what their values are one by one', () => {
  for (const path of captures(join(ROOT, 'samples')))
    test(path.slice(ROOT.length + 1), async () => {
      assert.ok((await agree(path, keysBeside(path))) > 0);
    });

  test('the same layer with names before it, and alone', async () => {
    const [a, b] = [at('192.0.2.10', 40_000), at('192.0.2.11', 40_002)];
    const frames = [1, 2, 3].flatMap((n) => [
      udp(a, b, new Uint8Array(20).fill(n)),
      ping(a.address, b.address, 1, n, 20),
    ]);
    const writer = new NdjsonWriter();
    const out = new TextBytes();
    const told: string[] = [];
    const fields = [udpDissector.fields.srcport!, data.fields.bytes!, data.fields.len!];
    await forSource(
      new FrameSource(
        frames.map((octets) => ({ octets })),
        101,
      ),
      { fields, bare: true },
      (row) => {
        out.reset();
        writer.print(row, out);
        told.push(Object.keys(JSON.parse(out.text).fields).join());
      },
    );
    const two = ['udp.srcport,data.data,data.len', 'data.data,data.len'];
    assert.deepEqual(told, [...two, ...two, ...two]);
  });

  test('texts that take many octets, wherever the room ends', () => {
    const tree = new Tree();
    const writer = new NdjsonWriter();
    const out = new TextBytes();
    const dissection = { tree, info: () => '', stack: () => '', protocols: [] };
    const time = { seconds: 0, nanos: 0, relative: [0, 0] };
    const row = { dissection, tunnel: null, direction: null, ...time, codes: () => [] } as unknown as Row;
    for (let n = 0; n < 128; n++) {
      tree.reset();
      for (let i = 0; i < 200; i++) tree.text(CODE, 0, 0, '\u0001'.repeat(60) + (((n >> 2) + i) % 2));
      out.reset();
      out.ascii(' '.repeat(512 * n));
      writer.print(row, out);
      const { text } = out;
      assert.ok(text.endsWith(`"fields":{${slowly(tree)}}}\n`), `${n}`);
    }
  });

  test('tunnels', { skip: corpusMissing('tunnel') }, async () => {
    for (const path of captures(join(CORPUS, 'tunnel'))) await agree(path, keysBeside(path));
  });

  test('public captures', { skip: corpusMissing('public') }, async () => {
    for (const { path, keyFile } of publicCaptures())
      await agree(path, keyFile === '' ? [] : [readFileSync(join(CORPUS, 'public', keyFile), 'utf8')]);
  });
});
