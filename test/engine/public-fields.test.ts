import { strict as assert } from 'node:assert';
import { before, suite, test } from 'node:test';
import { corpusMissing, publicCaptures } from '../support/corpus.js';
import { Comparison, KINDS, prefixOf, share } from '../support/public-compare.js';
import { listedDifferences, OUTSIDE } from '../support/public-differences.js';

/** Values of each prefix that are to be equal, at least. */
const BAR = 0.995;

suite('fields of the public captures', { skip: corpusMissing('public') }, () => {
  const comparison = new Comparison((_, prefix) => !OUTSIDE.has(prefix));
  const skipped: string[] = [];

  before(async () => {
    for (const c of publicCaptures()) {
      let compared = false;
      for (const kind of KINDS) if (await comparison.add(c, kind)) compared = true;
      if (!compared) skipped.push(c.file);
    }
  });

  test('all captures are compared', (t) => {
    t.diagnostic(
      `${comparison.captures.size} captures compared, with ${comparison.references} references; ${skipped.length} skipped`,
    );
    for (const file of skipped) t.diagnostic(`${file} has no reference: skipped`);
    assert.ok(comparison.captures.size > 0);
  });

  test('of each prefix nearly all values are equal', async (t) => {
    for (const [prefix, tally] of [...comparison.tallies].sort((a, b) => share(a[1]) - share(b[1])))
      await t.test(`${prefix}: ${(100 * share(tally)).toFixed(2)} %, ${tally.equal} of ${tally.total}`, () =>
        assert.ok(share(tally) >= BAR),
      );
  });

  test('every difference is listed with its cause', (t) => {
    const listed = listedDifferences();
    const unlisted: string[] = [];
    for (const [key, d] of comparison.differences)
      if (!listed.has(key)) unlisted.push(`${key.replaceAll('\t', ' ')}: ${d.example}`);
    const empty: string[] = [];
    for (const [key, { protocol, field, cause }] of listed) {
      const name = key.replaceAll('\t', ' ');
      const values = comparison.differences.get(key)?.values ?? 0;
      t.diagnostic(`${values} ${values === 1 ? 'value' : 'values'}: ${name}: ${cause}`);
      if (values === 0) empty.push(name);
      assert.equal(protocol, prefixOf(field), name);
      assert.ok(cause !== undefined && cause !== '', `${name} has no cause`);
    }
    assert.deepEqual(unlisted, [], 'differences that are not listed');
    assert.deepEqual(empty, [], 'lines that cover nothing');
  });
});
