import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { Held } from 'fttscope/kit';
import type { Row } from '../../../src/engine/row.js';
import { fieldText } from '../../../src/report/value.js';
import { corpusMissing, type PublicCapture, publicCaptures, reference } from '../../support/corpus.js';
import { forRows } from '../../support/rows.js';

const skip = corpusMissing('public');

/** Captures with every kind of handshake; all of their TLS values must be those of tshark 4.0.17. */
const CAPTURES = [
  'decrypt_by_keylog/mTLS1_1_DSA.pcap',
  'decrypt_by_keylog/mTLS1_2_Ed448.pcap',
  'decrypt_by_keylog/mTLS1_3_ECDSA.pcap',
  'decrypt_by_keylog/tls_DHE-RSA-AES256-CCM8.pcap',
  'decrypt_by_keylog/tls1.3_keyupdates_aes256.pcap',
  'all_ciphers_test/all_ciphers.pcap',
  'tls/tls12/tls12no_renogotiation.pcapng',
  'tls13/tls13_TLS_AES_128_CCM_SHA256_X25519MLKEM768.pcapng',
  'curl-enabled-tls13.pcap',
];

const plain = (s: string): string => (/^[0-9a-f]{2}(:[0-9a-f]{2})+$/.test(s) ? s.replaceAll(':', '') : s);

/** Values of the `tls.*` fields of all rows, by frame. */
async function ours(c: PublicCapture, keys: boolean): Promise<Map<number, Map<string, string[]>>> {
  const out = new Map<number, Map<string, string[]>>();
  const path = [join(dirname(c.path), c.keyFile), c.path.slice(0, -c.file.length) + c.keyFile].find(existsSync);
  const keylog = keys && path !== undefined ? [readFileSync(path, 'latin1')] : [];
  await forRows(c.path, { keylog, rows: 'outer' }, (row: Row) => {
    const frame = new Map<string, string[]>();
    const t = row.dissection.tree;
    for (let i = 0; i < t.length; i++) {
      const { name } = t.field(i);
      if (!name.startsWith('tls.') || t.held(i) === Held.Nothing) continue;
      frame.set(name, [...(frame.get(name) ?? []), plain(fieldText(t, i))]);
    }
    out.set(row.frame, frame);
  });
  return out;
}

for (const name of CAPTURES) {
  for (const kind of ['', 'decrypted.']) {
    test(`${name} ${kind === '' ? 'without' : 'with'} keys`, { skip }, async () => {
      const capture = publicCaptures().find((c) => c.file.endsWith(name));
      assert.ok(capture, `${name} is in the index`);
      const path = `${capture.path}.${kind}tshark.ndjson.gz`;
      if (!existsSync(path)) return;
      const mine = await ours(capture, kind !== '');
      for (const frame of reference(path)) {
        const number = Number(frame['frame.number']);
        for (const [field, values] of Object.entries(frame)) {
          if (!field.startsWith('tls.')) continue;
          assert.deepEqual(mine.get(number)?.get(field), (values as string[]).map(plain), `frame ${number} ${field}`);
        }
      }
    });
  }
}
