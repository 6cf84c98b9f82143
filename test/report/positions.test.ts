import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { run, sample } from '../cli/run.js';
import { comparePlaces } from '../support/places.js';
import { tsharkMissing } from '../support/tshark.js';

describe('fields lie in the octets where tshark sees them', { skip: tsharkMissing }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'fttscope-places-'));
  after(() => rmSync(folder, { recursive: true }));

  for (const name of ['02-tls12-cbc-etm.pcap', '07-proxy-connect.pcapng', '12-ipv6-only.pcapng'])
    test(`outside: ${name}`, async () => {
      const { same, different } = await comparePlaces(sample(name));
      assert.deepEqual(different, []);
      assert.ok(same.size > 100, String(same.size));
    });

  for (const name of ['04-tls13-aes256-gcm-fragments.pcap', '12-ipv6-only.pcapng', '20-healthy-call.pcapng'])
    test(`inside: ${name}`, async () => {
      const inner = join(folder, `${name}.inner`);
      assert.equal(run(['extract', sample(name), '-q', '-w', inner]).code, 0);
      const { same, different } = await comparePlaces(inner);
      assert.deepEqual(different, []);
      assert.ok(same.size > 100, String(same.size));
    });
});
