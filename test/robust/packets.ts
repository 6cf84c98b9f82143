/** The kinds of packets that the samples have. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LINKTYPES } from '../build/link.js';
import { ROOT } from '../support/corpus.js';
import { forRows } from '../support/rows.js';

/** A packet that is unlike the others. */
export interface Kind {
  /** Protocol stack and what the Info column says, without its numbers. */
  readonly name: string;
  /** LINKTYPE number: that of the sample, or raw IP for packets of a tunnel. */
  readonly link: number;
  readonly octets: Uint8Array;
}

export const SAMPLES = join(ROOT, 'samples');

/** Captures of the samples with their key logs. */
export function samples(): { path: string; keylog: string[] }[] {
  const files = readdirSync(SAMPLES).filter((file) => /\.pcap(ng)?$/.test(file));
  return files.sort().map((file) => {
    const keys = join(SAMPLES, file.replace(/\.pcap(ng)?$/, '.keys'));
    return { path: join(SAMPLES, file), keylog: existsSync(keys) ? [readFileSync(keys, 'latin1')] : [] };
  });
}

/** One packet of each kind, from outside and inside the tunnels. */
export async function kinds(): Promise<Kind[]> {
  const found = new Map<string, Kind>();
  for (const { path, keylog } of samples())
    await forRows(path, { keylog }, (row) => {
      const { dissection, content, outer } = row;
      const stack = dissection.protocols;
      const inside = stack.slice(stack.indexOf('fttims') + 1);
      const kind = (content === null ? stack : inside).join(':');
      const name = `${kind} ${dissection
        .info()
        .replace(/[0-9a-f]*\d[0-9a-f]*/g, '#')
        .slice(0, 50)}`;
      if (found.has(name)) return;
      const v = content?.view ?? outer.view;
      const octets = v.buf.slice(content === null ? v.off : v.off + 3, v.end);
      found.set(name, { name, octets, link: content === null ? outer.iface.link : LINKTYPES.raw });
    });
  return [...found.values()];
}
