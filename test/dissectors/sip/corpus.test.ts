import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fieldText } from '../../../src/report/value.js';
import { corpusMissing, publicCaptures, reference } from '../../support/corpus.js';
import { forRows } from '../../support/rows.js';

const skip = corpusMissing('public');
const OURS = /^(sip|sdp|mime_multipart)\./;

/** Captures whose SIP lies in protocols that fttscope does not dissect: GTP-U. */
const HIDDEN = /gtp-iphone\.pcap$/;

const WITH_SIP = /sip[^/]*\.pcap|tests\/sip-|my_traffic|ipip0|aaa\.pcap|inner-raw|udp-ip-fragmented/;

const captures = skip ? [] : publicCaptures().filter((c) => WITH_SIP.test(c.file) && !HIDDEN.test(c.file));

/** Values by field name in the order of the tree, for each frame. */
async function values(path: string): Promise<Map<number, Record<string, string[]>>> {
  const frames = new Map<number, Record<string, string[]>>();
  await forRows(path, { rows: 'outer' }, (row) => {
    const { tree } = row.dissection;
    const fields: Record<string, string[]> = {};
    for (let i = 0; i < tree.length; i++) {
      const f = tree.field(i);
      if (!OURS.test(f.name)) continue;
      fields[f.name] ??= [];
      fields[f.name].push(fieldText(tree, i));
    }
    frames.set(row.frame, fields);
  });
  return frames;
}

describe('SIP, SDP and multipart as tshark shows them', { skip }, () => {
  for (const c of captures)
    test(c.file, async () => {
      const frames = await values(c.path);
      let compared = 0;
      for (const frame of reference(`${c.path}.tshark.ndjson.gz`)) {
        const mine = frames.get(Number(frame['frame.number'])) ?? {};
        for (const [name, wanted] of Object.entries(frame)) {
          if (!OURS.test(name)) continue;
          assert.deepEqual(mine[name], wanted, `${name} of frame ${frame['frame.number']}`);
          compared++;
        }
      }
      if (!/dhcpv6|inner-raw/.test(c.file)) assert.ok(compared > 0);
    });
});
