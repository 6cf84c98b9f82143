import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { corpusMissing, publicCaptures, reference } from '../support/corpus.js';
import { forRows } from '../support/rows.js';

/** The parts of certificates are layers in the protocol stack, in the order and number in which tshark has them. */

const CAPTURES = [
  'zeek__zeek/testing/btest/Traces/tls/signed_certificate_timestamp-2.pcap',
  'zeek__zeek/testing/btest/Traces/tls/ocsp-stapling.trace',
  'Voev__snet/tests/pcap/data/decrypt_by_keylog/mTLS1_2_ECDSA.pcap',
  'Voev__snet/tests/pcap/data/decrypt_by_keylog/mTLS1_1_DSA.pcap',
  'Voev__snet/tests/pcap/data/decrypt_by_keylog/mTLS1_1_RSA.pcap',
];

describe('layers of certificates', { skip: corpusMissing('public') }, () => {
  if (corpusMissing('public')) return;
  const captures = publicCaptures().filter((c) => CAPTURES.includes(c.file));
  for (const c of captures)
    test(c.file, async () => {
      assert.ok(existsSync(c.path));
      const frames = reference(`${c.path}.tshark.ndjson.gz`);
      let seen = 0;
      await forRows(c.path, { rows: 'outer' }, (row) => {
        const wanted = String(frames[row.frame - 1]!['frame.protocols']);
        if (!wanted.includes('x509')) return;
        seen++;
        assert.equal(row.dissection.protocols.join(':'), wanted, `frame ${row.frame}`);
      });
      assert.ok(seen > 0);
    });
  test('there are some', () => assert.ok(captures.length >= 3));
});
