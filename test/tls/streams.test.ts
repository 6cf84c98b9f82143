import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { ip4, ip6 } from '../../src/kit/index.js';
import { CORPUS, corpusMissing, type PublicCapture, publicCaptures, reference } from '../support/corpus.js';
import { forRows } from '../support/rows.js';

/** Decrypted application data of whole connections, beside what `tshark -z follow,tls,raw` has of them. */

interface Decrypted {
  octets: number;
  sha256: string;
}

/** Captures of which we give nothing, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'Voev__snet/tests/pcap/data/decrypt_by_keylog/ssl3_0.pcap': 'SSL 3.0 is not decrypted (RFC 7568 forbids it)',
};

function keylogOf(c: PublicCapture): string[] {
  if (c.keyFile === '') return [];
  const path = [join(dirname(c.path), c.keyFile), join(CORPUS, 'public', c.keyFile)].find((p) => existsSync(p));
  return path === undefined ? [] : [readFileSync(path, 'latin1')];
}

const optionsOf = (c: PublicCapture): string[] =>
  [...`${c.options} ${c.decryptedOptions}`.matchAll(/-d (\S+)/g)].map((m) => m[1]!);

/** By `source>destination`: the application data of a connection in one direction. */
async function streamsOf(c: PublicCapture): Promise<Map<string, Decrypted>> {
  const found = new Map<string, { octets: number; hash: ReturnType<typeof createHash> }>();
  await forRows(
    c.path,
    { keylog: keylogOf(c), decodeAs: optionsOf(c), rows: 'outer', fields: [], bare: true },
    (row) => {
      const { flow, records } = row.outer;
      if (flow === null) return;
      for (const { record, side } of records ?? []) {
        if (record.plain === null || record.status !== 'open' || record.contentType !== 23) continue;
        const end = (address: Uint8Array, port: number): string =>
          address.length === 4 ? `${ip4(address, 0)}:${port}` : `[${ip6(address, 0)}]:${port}`;
        const ends = [end(flow.a, flow.aPort), end(flow.b, flow.bPort)];
        const name = side === 0 ? ends.join('>') : ends.reverse().join('>');
        const stream = found.get(name) ?? { octets: 0, hash: createHash('sha256') };
        found.set(name, stream);
        const { buf, off, end: stop } = record.plain;
        stream.octets += stop - off;
        stream.hash.update(buf.subarray(off, stop));
      }
    },
  );
  return new Map([...found].map(([name, s]) => [name, { octets: s.octets, sha256: s.hash.digest('hex') }]));
}

describe('decrypted streams of public captures', { skip: corpusMissing('public') }, () => {
  if (corpusMissing('public')) return;
  for (const c of publicCaptures()) {
    if (!c.references.includes('.streams.ndjson.gz')) continue;
    const wanted = reference(`${c.path}.streams.ndjson.gz`).filter((s) => s.kind === 'tls' && Number(s.length) > 0);
    if (wanted.length === 0) continue;
    const exception = EXCEPTIONS[c.file];
    test(exception === undefined ? c.file : `${c.file}: ${exception}`, async () => {
      const found = await streamsOf(c);
      for (const s of wanted) {
        const right = { octets: Number(s.length), sha256: String(s.sha256) };
        assert.deepEqual(found.get(`${s.src}>${s.dst}`), exception === undefined ? right : undefined);
      }
    });
  }
});
