import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ipv4 } from '../../dissectors/ipv4.js';
import {
  ENCAPSULATIONS,
  type Encapsulation,
  encapsulated,
  IPV6_ONLY,
  NULL_ESP,
  relinked,
} from '../build/encapsulate.js';
import { innerRows, rowIds } from '../build/expect.js';
import { at } from '../build/packets.js';
import { read } from '../build/read.js';
import { tlsConversation } from '../build/tls.js';
import { chatter } from '../build/traffic.js';
import { file } from '../capture/support.js';
import { forRows } from '../support/rows.js';
import { frames, tsharkMissing } from '../support/tshark.js';
import { ENDS, expectedOf, one } from './one.js';

const SIX = { client: at('2001:db8:1::10', 40_000), server: at('2001:db8:2::1', 443) };
const LOOK_INTO_ESP = 'esp.payload==0,esp.null';

const conversation = await tlsConversation(chatter(6, 30), { version: 'TLSv1.3' });

/** A tunnel whose every frame stands in an encapsulation; the IP fragments are those inside it. */
function built(e: Encapsulation, six = false, fragment?: number) {
  return one(conversation, {
    ...(six ? SIX : ENDS),
    ...{ mss: 900, capture: { shape: [encapsulated(e)] } },
    ...(fragment !== undefined && { fragment }),
  });
}

async function tunnelInside(e: Encapsulation, six: boolean, decodeAs: readonly string[]): Promise<void> {
  for (const fragment of [undefined, 400]) {
    const b = built(e, six, fragment);
    const r = await read(relinked(b.octets, e.link), { keylog: [b.keylog], decodeAs });
    assert.deepEqual(expectedOf(r), innerRows(b));
    assert.deepEqual(
      r.rows.map((row) => row.id),
      rowIds(b),
    );
    for (const row of r.rows) assert.ok(row.protocols.startsWith(`${e.layers}:`), `${row.protocols} in ${row.id}`);
  }
}

describe('a tunnel inside another protocol is found, put together and decrypted', () => {
  for (const e of ENCAPSULATIONS) test(e.name, () => tunnelInside(e, false, []));
  for (const e of NULL_ESP) test(e.name, () => tunnelInside(e, false, [LOOK_INTO_ESP]));
  for (const e of IPV6_ONLY) test(e.name, () => tunnelInside(e, true, []));
  test('ESP is not looked into unless it was asked for', async () => {
    const b = built(NULL_ESP[0]!);
    const r = await read(b.octets, { keylog: [b.keylog] });
    assert.equal(r.inner.length, 0);
    assert.deepEqual([...new Set(r.rows.map((row) => row.protocols))], ['eth:ethertype:ip:esp']);
  });
});

describe('addresses inside are found whatever fields are asked for', () => {
  for (const e of ENCAPSULATIONS)
    test(e.name, async () => {
      const b = built(e);
      const wanted = e.layers.split(':').filter((layer) => layer === 'ip').length;
      await read(relinked(b.octets, e.link), { rows: 'outer', fields: [ipv4.fields.src!] }, ({ dissection }) => {
        assert.equal(dissection.tree.length, wanted);
      });
    });
});

const FIELDS = [
  'frame.protocols',
  'ip.src',
  'ipv6.src',
  'tcp.stream',
  'udp.stream',
  'tcp.srcport',
  'udp.srcport',
  'tcp.len',
];

/** The stack without what TCP carries, which other tests compare. */
const toTransport = (protocols: string): string => protocols.replace(/:tls.*$/, '');

async function sameAsTshark(e: Encapsulation, six: boolean, decodeAs: readonly string[], options: string[]) {
  const b = built(e, six);
  const path = file(relinked(b.octets, e.link));
  const theirs = await frames(path, options, FIELDS);
  let rows = 0;
  await forRows(path, { rows: 'outer', decodeAs }, (row) => {
    const t = row.dissection.tree;
    const ours = new Map([['frame.protocols', [toTransport(row.dissection.protocols.join(':'))]]]);
    for (let i = 0; i < t.length; i++) {
      const { name } = t.field(i);
      if (!FIELDS.includes(name) || name === 'frame.protocols') continue;
      const o = t.octets(i);
      const value = name === 'ip.src' ? o.join('.') : name === 'ipv6.src' ? '' : String(t.value(i));
      ours.set(name, [...(ours.get(name) ?? []), value]);
    }
    rows++;
    for (const name of FIELDS) {
      let wanted = theirs.get(row.frame)!.get(name);
      if (name === 'frame.protocols') wanted = wanted?.map(toTransport);
      if (name === 'ipv6.src') assert.equal(ours.get(name)?.length, wanted?.length, `${name} of frame ${row.frame}`);
      else assert.deepEqual(ours.get(name), wanted, `${name} of frame ${row.frame}`);
    }
  });
  assert.equal(rows, theirs.size);
}

describe('tshark sees the same layers and numbers the same streams', { skip: tsharkMissing }, () => {
  for (const e of ENCAPSULATIONS) test(e.name, () => sameAsTshark(e, false, [], []));
  for (const e of NULL_ESP)
    test(e.name, () =>
      sameAsTshark(e, false, [LOOK_INTO_ESP], ['-o', 'esp.enable_null_encryption_decode_heuristic:TRUE']),
    );
  for (const e of IPV6_ONLY) test(e.name, () => sameAsTshark(e, true, [], []));
});
