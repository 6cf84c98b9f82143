/** What inputs are made from: captures, and the layers that are found in them. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { dissectors } from '../../dissectors/index.js';
import { openCapture } from '../../src/capture/open.js';
import type { AnyDissector, View } from '../../src/kit/index.js';
import { drain } from '../capture/support.js';
import { CORPUS, corpusMissing, publicCaptures, ROOT } from '../support/corpus.js';
import { forRows } from '../support/rows.js';

/** A capture file with its key log. */
export interface SeedCapture {
  readonly name: string;
  readonly path: string;
  readonly keylog: string;
}

/** Frames of a capture of one link type. */
export interface SeedFrames {
  readonly link: number;
  readonly frames: readonly Uint8Array[];
}

/** Captures larger than this are left out: there are others of every kind. */
const CAPTURE_OCTETS = 1 << 20;
const FRAMES_OF_A_CAPTURE = 4000;
const LAYERS_OF_A_DISSECTOR = 80;
const LAYER_OCTETS = 4096;

function folder(path: string): SeedCapture[] {
  const names = readdirSync(path).filter((name) => /\.pcap(ng)?$/.test(name));
  return names.sort().map((name) => {
    const keys = join(path, name.replace(/(\.inner)?\.pcap(ng)?$/, '.keys'));
    return { name, path: join(path, name), keylog: existsSync(keys) ? readFileSync(keys, 'latin1') : '' };
  });
}

/** The samples, and the corpus where it is there. */
export function captures(): SeedCapture[] {
  const out = folder(join(ROOT, 'samples'));
  if (corpusMissing('tunnel') === false) out.push(...folder(join(CORPUS, 'tunnel')));
  if (corpusMissing('public') === false)
    for (const { path, keyFile } of publicCaptures()) {
      const keys = join(CORPUS, 'public', keyFile);
      const keylog = keyFile !== '' && existsSync(keys) ? readFileSync(keys, 'latin1') : '';
      out.push({ name: basename(path), path, keylog });
    }
  return out.filter(({ path }) => existsSync(path) && readFileSync(path).length <= CAPTURE_OCTETS);
}

/** The frames of a capture that have the link type of its first one; none if it cannot be read. */
export async function framesOf(seed: SeedCapture): Promise<SeedFrames> {
  try {
    const { frames } = await drain(await openCapture([seed.path]));
    const link = frames[0]?.iface.link ?? 1;
    const same = frames.filter((f) => f.iface.link === link).slice(0, FRAMES_OF_A_CAPTURE);
    return { link, frames: same.map((f) => f.octets) };
  } catch {
    return { link: 1, frames: [] };
  }
}

/** Octets of layers by protocol, unlike each other in length or start. */
export type Layers = ReadonlyMap<string, readonly Uint8Array[]>;

/** Reads all captures and keeps some layers of each protocol. */
export async function layersOf(list: readonly SeedCapture[]): Promise<Layers> {
  const out = new Map<string, Uint8Array[]>();
  const seen = new Set<string>();
  const keep = (d: AnyDissector, v: View): void => {
    let layers = out.get(d.proto);
    if (layers === undefined) out.set(d.proto, (layers = []));
    if (layers.length >= LAYERS_OF_A_DISSECTOR || v.length === 0) return;
    const octets = v.buf.slice(v.off, Math.min(v.end, v.off + LAYER_OCTETS));
    const kind = `${d.proto} ${octets.length >> 3} ${octets.subarray(0, 4).join()}`;
    if (seen.has(kind)) return;
    seen.add(kind);
    layers.push(octets);
  };
  const undo = watch(keep);
  for (const { path, keylog } of list)
    await forRows(path, { keylog: [keylog], heuristicRtp: true }, () => undefined).catch(() => undefined);
  undo();
  return out;
}

/** Tells of every layer that is dissected, until it is undone. */
function watch(keep: (d: AnyDissector, v: View) => void): () => void {
  const before = dissectors.map((d) => d.dissect);
  for (const d of dissectors) {
    const { dissect } = d;
    const watched: AnyDissector['dissect'] = (v, t, cx) => {
      keep(d, v);
      dissect.call(d, v, t, cx);
    };
    Object.assign(d, { dissect: watched });
  }
  return () => {
    dissectors.forEach((d, i) => {
      Object.assign(d, { dissect: before[i] });
    });
  };
}
