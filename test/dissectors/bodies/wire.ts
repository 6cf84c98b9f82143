/** Bodies of SIP messages as a capture, read by tshark and by us. */
import { treeText } from '../../../src/report/text.js';
import { fieldText } from '../../../src/report/value.js';
import { file, ip4, rawPcap, udp } from '../../cli/run.js';
import { forRows } from '../../support/rows.js';
import { frames, type Values } from '../../support/tshark.js';

/** A body with its Content-Type. */
export interface Body {
  readonly type: string;
  readonly octets: Uint8Array | string;
}

/** What is shown of a frame. */
export interface Seen {
  /** As `-T fields` has them, by name. */
  readonly values: Values;
  /** Messages of its expert items. */
  readonly experts: readonly string[];
  readonly protocols: readonly string[];
  readonly info: string;
  /** The tree as people see it. */
  readonly text: string;
}

/** A pcap file with one SIP MESSAGE a body. */
export function capture(name: string, bodies: readonly Body[]): string {
  return file(
    name,
    rawPcap(
      ...bodies.map(({ type, octets }, i) => {
        const body = Buffer.from(octets);
        const head = [
          'MESSAGE sip:b@example.com SIP/2.0',
          `Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${i}`,
          'From: <sip:a@example.com>;tag=1',
          'To: <sip:b@example.com>',
          `Call-ID: ${i}`,
          'CSeq: 1 MESSAGE',
          `Content-Type: ${type}`,
          `Content-Length: ${body.length}`,
          '\r\n',
        ].join('\r\n');
        return ip4(17, udp(5060, 5060, Buffer.concat([Buffer.from(head), body])));
      }),
    ),
  );
}

/** What we make of each frame of a capture. */
export async function ours(path: string): Promise<Seen[]> {
  const out: Seen[] = [];
  await forRows(path, { labels: true }, (row) => {
    const t = row.dissection.tree;
    const values: Values = new Map();
    for (let i = 0; i < t.length; i++) {
      const { name } = t.field(i);
      const list = values.get(name);
      if (list === undefined) values.set(name, [fieldText(t, i)]);
      else list.push(fieldText(t, i));
    }
    out.push({
      values,
      experts: t.experts.map((e) => e.message),
      protocols: [...row.dissection.protocols],
      info: row.dissection.info(),
      text: treeText(row),
    });
  });
  return out;
}

/** What we make of one body. */
export const oneBody = async (type: string, octets: Uint8Array | string): Promise<Seen> =>
  (await ours(capture('body.pcap', [{ type, octets }])))[0];

/** Each value of the fields in which tshark and we differ: `frame, field, theirs, ours`. */
export async function differences(path: string, fields: readonly string[]): Promise<string[]> {
  const theirs = await frames(path, [], [...fields]);
  const out: string[] = [];
  (await ours(path)).forEach((seen, i) => {
    for (const f of fields) {
      // tshark says so of no octets.
      const a = JSON.stringify((theirs.get(i + 1)?.get(f) ?? []).map((v) => (v === '<MISSING>' ? '' : v)));
      const b = JSON.stringify(f === 'frame.protocols' ? [seen.protocols.join(':')] : (seen.values.get(f) ?? []));
      if (a !== b) out.push(`frame ${i + 1}, ${f}: tshark ${a}, ours ${b}`);
    }
  });
  return out;
}
