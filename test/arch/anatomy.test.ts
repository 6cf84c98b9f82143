import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/corpus.js';

/** In the order of `src/kit/dissector.ts`, and of `dissectors/TEMPLATE.ts`. */
const MEMBERS =
  'proto layer title short spec fields experts on tables calls serves probe refuses pduLength plain peek track dissect column summary codec'.split(
    ' ',
  );
const PARTS = [/\/\*\*/, /= fields\(/, /= experts\(/, /= defineDissector/];

const isRising = (list: readonly number[]): boolean => list.every((n, i) => i === 0 || n >= list[i - 1]!);

test('every dissector has the same parts in the same order', () => {
  const files = readdirSync(join(ROOT, 'dissectors'), { recursive: true, encoding: 'utf8' });
  let found = 0;
  for (const file of files.filter((f) => f.endsWith('.ts'))) {
    const text = readFileSync(join(ROOT, 'dissectors', file), 'utf8');
    for (const [, members] of text.matchAll(/defineDissector(?:<[^>]*>)?\(\{\n(.*?)\n\}\)/gs)) {
      const names = [...members!.matchAll(/^ {2}(\w+)(?=[:(,<])/gm)].map(([, name]) => name!);
      assert.ok(isRising(names.map((n) => MEMBERS.indexOf(n)).filter((n) => n >= 0)), `${file}: ${names.join(' ')}`);
      found++;
    }
    if (!text.includes('= defineDissector')) continue;
    const places = PARTS.map((part) => text.search(part)).filter((at) => at >= 0);
    assert.ok(isRising(places), `${file}: doc comment, fields, experts, defineDissector`);
  }
  assert.ok(found > 80, `${found} dissectors`);
});
