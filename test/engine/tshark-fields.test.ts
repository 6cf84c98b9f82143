import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Row } from '../../src/engine/row.js';
import { fieldText } from '../../src/report/value.js';
import { CORPUS, corpusMissing } from '../support/corpus.js';
import { forRows } from '../support/rows.js';
import { fieldNames, frames, luaMissing, tunnelOptions, type Values } from '../support/tshark.js';

/*
 * Our rows of the tunnel captures beside what tshark finds in them through a Lua dissector: all values of a frame, field
 * by field, as multisets. Outer fields stand in every inner row and count once; inner ones are those behind `fttims`.
 */

const skip = corpusMissing('tunnel') || luaMissing;

/** Protocols of which every field that tshark shows is compared, beside the list that the public references have. */
const PROTOCOLS = [
  ...[
    'frame',
    'eth',
    'arp',
    'ip',
    'ipv6',
    'icmp',
    'icmpv6',
    'udp',
    'tcp',
    'tls',
    'http',
    'data',
    'dhcp',
    'dhcpv6',
    'dns',
  ],
  ...['sip', 'sdp', 'mime_multipart', 'rtp', 'rtpevent', 'rtcp', 'amr', 'pkcs1', 'pkix1explicit', 'pkix1implicit'],
  ...['x509af', 'x509ce', 'x509if', 'x509sat'],
];

/** Fields in which we differ and why. */
const KNOWN: readonly { readonly fields: RegExp; readonly captures?: RegExp; readonly why: string }[] = [
  { fields: /^(ip|tcp|udp)\.checksum\.status$/, why: 'we verify checksums, tshark does not by default' },
  { fields: /_resolved$/, why: 'names of addresses are not looked up' },
  {
    fields: /^frame\.(ignored|marked|offset_shift|section_number|time_delta_displayed)$/,
    why: 'the state of a user interface; the number of a section',
  },
  { fields: /^udp\.time_(delta|relative)$/, why: 'not computed' },
  {
    fields: /^tls\.(segments?|segment\.(data|count)|reassembled\.(data|length)|app_data_proto)$/,
    why: 'an envelope of several records: the frames stand in the fttims layer',
  },
  {
    fields: /^amr\.(toc\.[fq]|wb\.toc\.ft)$/,
    why: 'RFC 4867 §4.3: tshark 4.0 says that it decodes the bandwidth-efficient mode and then does not',
  },
  {
    fields: /^rtp\.extseq$/,
    why: 'tshark keeps one number a frame, and a frame carries several packets here',
  },
  { fields: /^rtcp\.setup/, why: 'RTCP in the quote of an ICMP error: what SDP said about it is not looked up' },
  {
    fields: /^ipv6\.opt\.padn$|^tls\.handshake\.extension\.data$/,
    why: 'tshark writes <none> or <MISSING> for no octets',
  },
  { fields: /^sip\.msg_hdr$/, why: 'the value of tshark goes on over the body' },
  { fields: /^sip\.contact\.parameter$/, why: 'tshark takes the end of the line for part of the last parameter' },
  { fields: /^sip\.r-uri\.param$/, why: 'tshark leaves out the parameters of an ACK to a Contact' },
  {
    fields: /^(http|data)\.|^_ws\.expert\.message$|^tcp\.|^frame\.protocols$/,
    captures: /^proxy/,
    why: 'a body that ends with the connection: we show the header when it is there, tshark the whole in the frame of the FIN',
  },
  {
    fields: /^http\.(chat|request\.full_uri|proxy_connect_\w+)$/,
    why: 'CONNECT: tshark names the target behind it alone',
  },
  {
    fields: /^tcp\.(segment_data|segment|segments|segment\.count|reassembled\.(data|length)|analysis\.duplicate_ack)$/,
    why: 'parts of records that were sent again or cut often: tshark reports some twice, some not',
  },
  {
    fields: /^data\.(data|len)$/,
    captures: /^unknown/,
    why: 'an envelope with IP version 7: the Lua dissector calls it data, we fttims.payload',
  },
  {
    fields: /^frame\.protocols$/,
    captures: /^split/,
    why: 'tshark lists tls in some segments that bring only a part of a record, in others not',
  },
  {
    fields: /^_ws\.expert\.message$/,
    captures: /resume/,
    why: 'tshark remarks on resumption',
  },
  {
    fields: /^_ws\.expert\.message$/,
    captures: /^(split|unknown)/,
    why: 'unknown envelopes: the words are those of the Lua dissector',
  },
];

const why = (field: string, capture: string): string | undefined =>
  KNOWN.find((k) => k.fields.test(field) && (k.captures === undefined || k.captures.test(capture)))?.why;

/**
 * The layers outside a tunnel: those inside have a stack of their own in each row, and none in tshark. Names and extensions
 * of certificates, which tshark lists as layers, are none with us.
 */
const outerStack = (layers: string): string => layers.replace(/:fttims.*/, '').replace(/:(ftt-ims|x509\w+)/g, '');

/** Adds the values of a row to those of its frame. */
function collect(row: Row, into: Map<number, Values>): void {
  const first = !into.has(row.frame);
  const frame: Values = into.get(row.frame) ?? new Map();
  into.set(row.frame, frame);
  const t = row.dissection.tree;
  let inside = false;
  for (let i = 0; i < t.length; i++) {
    const f = t.field(i);
    inside ||= f.name === 'fttims';
    if (!inside && !first) continue;
    const value = f.name === 'frame.protocols' ? outerStack(fieldText(t, i)) : fieldText(t, i);
    for (const name of [f.name, ...(f.aliases ?? [])]) {
      const list = frame.get(name);
      if (list === undefined) frame.set(name, [value]);
      else list.push(value);
    }
  }
}

/** How many values the lists share, each used once. */
function common(a: readonly string[], b: readonly string[]): number {
  const left = [...a].sort();
  const right = [...b].sort();
  let n = 0;
  for (let i = 0, k = 0; i < left.length && k < right.length; ) {
    if (left[i] === right[k]) {
      n++;
      i++;
      k++;
    } else if (left[i] < right[k]) i++;
    else k++;
  }
  return n;
}

interface Tally {
  compared: number;
  equal: number;
}

describe('fields of the tunnel captures are those of tshark', { skip }, async () => {
  if (skip) return;
  const folder = join(CORPUS, 'tunnel');
  const listed = new Set(readFileSync(join(CORPUS, 'public/TSHARK-FIELDS.txt'), 'utf8').trim().split('\n'));
  listed.delete('frame.md5_hash'); // of the references alone
  const fields = [...new Set([...listed, ...(await fieldNames(PROTOCOLS))])];
  const asked = new Set(fields);
  const overall: Tally = { compared: 0, equal: 0 };

  for (const file of readdirSync(folder).sort()) {
    const m = /^(.*)\.pcap(ng)?$/.exec(file);
    if (m === null || file.endsWith('.inner.pcap')) continue;
    test(file, async (t) => {
      const path = join(folder, file);
      const keys = join(folder, `${m[1]}.keys`);
      const keyFile = existsSync(keys) ? keys : undefined;
      const theirs = frames(path, tunnelOptions(keyFile), fields);
      const ours = new Map<number, Values>();
      const keylog = keyFile === undefined ? [] : [readFileSync(keyFile, 'latin1')];
      await forRows(path, { keylog }, (row) => collect(row, ours));
      const tally: Tally = { compared: 0, equal: 0 };
      const unexplained: string[] = [];
      for (const [number, want] of await theirs) {
        const have: Values = ours.get(number) ?? new Map();
        for (const name of new Set([...want.keys(), ...have.keys()])) {
          if (!asked.has(name)) continue;
          const a = have.get(name) ?? [];
          const b = (want.get(name) ?? []).map((v) => (name === 'frame.protocols' ? outerStack(v) : v));
          const equal = common(a, b);
          if (listed.has(name)) {
            tally.compared += b.length;
            tally.equal += equal;
          }
          if (equal === Math.max(a.length, b.length) || why(name, file) !== undefined) continue;
          unexplained.push(`frame ${number}, ${name}: tshark ${b.join(' | ')}, ours ${a.join(' | ')}`.slice(0, 300));
        }
      }
      t.diagnostic(`${tally.equal} of ${tally.compared} values are equal`);
      overall.compared += tally.compared;
      overall.equal += tally.equal;
      assert.deepEqual(unexplained.slice(0, 10), [], `${unexplained.length} differences that nothing explains`);
    });
  }

  after(() => {
    assert.ok(overall.equal >= 0.999 * overall.compared, `${overall.equal} of ${overall.compared} values are equal`);
  });
});
