import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldText } from '../../../src/report/value.js';
import { file, Octets } from '../../capture/support.js';
import { forRows } from '../../support/rows.js';
import { frames, tsharkMissing } from '../../support/tshark.js';

const LINK_TYPES = 300;
/** What cooked headers must say they hold: packets of IrDA, LAPD. */
const COOKED = new Map([
  [144, 0x17],
  [177, 0x30],
]);
const O = new Octets(true);

function octetsFor(link: number): Uint8Array {
  const packet = Buffer.alloc(64);
  packet.writeUInt16BE(COOKED.get(link) ?? 0, 14);
  return packet;
}

test('each link type has the encapsulation that tshark gives it', { skip: tsharkMissing }, async () => {
  const links = Array.from({ length: LINK_TYPES }, (_, link) => link);
  const path = file(
    Buffer.concat([
      O.section(),
      ...links.map((link) => O.description(link)),
      ...links.map((link) => O.packet(link, 0n, octetsFor(link))),
    ]),
  );
  const theirs = await frames(path, [], ['frame.encap_type']);
  await forRows(path, {}, ({ frame, dissection: { tree } }) => {
    for (let i = 0; i < tree.length; i++)
      if (tree.field(i).name === 'frame.encap_type')
        assert.deepEqual([fieldText(tree, i)], theirs.get(frame)?.get('frame.encap_type'), `link type ${frame - 1}`);
  });
  assert.equal(theirs.size, LINK_TYPES);
});
