import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type FieldDef, fields, Tree, View } from '../../src/kit/index.js';
import { treeText } from '../../src/report/text.js';
import { nodeLabel } from '../../src/report/value.js';

const F = fields({
  heading: { name: 'x', label: 'Example', type: 'protocol' },
  named: { name: 'x.named', label: 'Named', type: 'bool', values: { 0: 'Off', 1: 'On' } },
  plain: { name: 'x.plain', label: 'Plain', type: 'bool' },
  hidden: { name: 'x.hidden', label: 'Hidden', type: 'u8', hidden: true },
  kind: { name: 'x.kind', label: 'Kind', type: 'u8', base: 'hex', values: { 1: 'First' } },
} satisfies Record<string, FieldDef>);

function example(): Tree {
  const t = new Tree();
  t.enter(View.of(Uint8Array.of(1, 2, 3)).source);
  t.open(F.heading, 0, 3);
  t.num(F.named, 0, 1, 1);
  t.num(F.named, 0, 1, 0);
  t.num(F.plain, 0, 1, 1);
  t.num(F.hidden, 1, 1, 2);
  t.num(F.kind, 2, 1, 1);
  t.num(F.kind, 2, 1, 3);
  t.pop();
  return t;
}

describe('the tree for people', () => {
  test('names values of numbers and booleans, and leaves hidden fields out', () => {
    const tree = example();
    const text = treeText({ dissection: { tree } } as unknown as Parameters<typeof treeText>[0]);
    assert.deepEqual(text.trimEnd().split('\n'), [
      'Example',
      '    Named: On',
      '    Named: Off',
      '    Plain: True',
      '    Kind: First (0x01)',
      '    Kind: 0x03',
    ]);
  });

  test('hidden fields keep their label for those who ask', () => {
    assert.equal(nodeLabel(example(), 4), 'Hidden: 2');
  });
});
