/** Checks of inputs that are captures: the whole engine, every writer, several wants. */

import { Readable } from 'node:stream';
import { dissectors } from '../../dissectors/index.js';
import type { CaptureSource } from '../../src/capture/chunk.js';
import { CaptureError } from '../../src/capture/errors.js';
import { tlsServices } from '../../src/cli/services.js';
import { engineFields } from '../../src/engine/dissect.js';
import { NO_ROWS, Pass, type PassOptions } from '../../src/engine/pass.js';
import { Registry } from '../../src/engine/registry.js';
import type { Row } from '../../src/engine/row.js';
import { SessionTap } from '../../src/engine/session-tap.js';
import { compile } from '../../src/filter/index.js';
import type { Field } from '../../src/kit/index.js';
import { SessionModel } from '../../src/model/session-model.js';
import { reportOf } from '../../src/report/report.js';
import { reportJson } from '../../src/report/report-json.js';
import { fieldText } from '../../src/report/value.js';
import { KeyLog } from '../../src/tls/index.js';
import { FrameSource } from '../build/source.js';
import { openStream } from '../support/stream.js';
import { agree } from '../support/way-down.js';
import { Finding, type Input } from './input.js';
import { Chance } from './mutate.js';
import { framesOf, type Handshake } from './wire.js';
import { Writers } from './writers.js';

/** Processor seconds that one row may take. */
export const ROW_SECONDS = 2;

const registry = new Registry(dissectors, engineFields);
const FIELDS: readonly Field[] = dissectors.flatMap((d) => Object.values(d.fields));
const FIXED: readonly Field[] = FIELDS.filter((f) => f.at !== undefined);

/** Filters that every row is asked. */
const FILTERS = [
  'sip || rtp || dns',
  'ip.src == 10.0.0.0/8 && udp.port > 1000',
  'tcp.len > 0 and not tls',
  'frame contains "sip" or sip.Method matches "^[A-Z]+$"',
  'inner.ip.ttl < 65 || ipv6',
  'udp[2:2] == 13:c4 or dhcp.option.dhcp in {1..8}',
  '_ws.malformed || tcp.analysis.flags',
  'fttims && !(fttims.type == 1)',
];

/** Processor time of this process in seconds. */
export function spent(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

type Open = () => Promise<CaptureSource>;
type Wants = Partial<Pick<PassOptions, 'rows' | 'fields' | 'labels' | 'experts' | 'info' | 'tap'>>;

async function pass(open: Open, keylog: string, w: Wants, give: (row: Row) => void): Promise<Pass> {
  const source = await open();
  const keys = new KeyLog();
  keys.add(keylog, 'option');
  let before = spent();
  const options = { ...NO_ROWS, rows: 'both', analyseTcp: true, duplicates: true, heuristicRtp: true, ...w } as const;
  const p = new Pass(registry, { ...tlsServices(keys, true), ...options }, (row) => {
    give(row);
    const now = spent();
    if (now - before > ROW_SECONDS)
      throw new Finding('slow row', `row ${row.id}, ${row.dissection.protocols.join(':')}: ${now - before} s`);
    before = now;
    return undefined;
  });
  try {
    await p.run(source);
  } finally {
    await source.close();
  }
  return p;
}

/** Where a layer could not be read: what is below it is not shown, but may be found. */
const FAILED: readonly Field[] = [engineFields.malformed, engineFields.short];

/**
 * Every row as text: its number and the values of the fields in the order of their names; '' for one with a layer that
 * could not be read.
 */
async function values(open: Open, keylog: string, fields: readonly Field[], bare: boolean): Promise<string[]> {
  const ids = new Set(fields.map((f) => f.id));
  const out: string[] = [];
  const wanted = bare ? fields : [...fields, ...FAILED];
  await pass(open, keylog, { fields: wanted, experts: !bare, info: !bare }, ({ id, dissection }) => {
    const t = dissection.tree;
    const failed = Array.from({ length: t.length }, (_, i) => t.field(i)).some((f) => FAILED.includes(f));
    if (!bare && failed) {
      out.push('');
      return;
    }
    const list: string[] = [];
    for (let i = 0; i < t.length; i++) if (ids.has(t.field(i).id)) list.push(`${t.field(i).name}=${fieldText(t, i)}`);
    out.push(`${id} ${list.sort((a, b) => order(a, b)).join(' ')}`);
  });
  return out;
}

const nameOf = (value: string): string => value.slice(0, value.indexOf('='));
const order = (a: string, b: string): number => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0);

async function sameBare(what: string, open: Open, keylog: string, fields: readonly Field[]): Promise<void> {
  const whole = await values(open, keylog, fields, false);
  const bare = await values(open, keylog, fields, true);
  const i = whole.findIndex((row, k) => row !== '' && row !== bare[k]);
  if (i >= 0) throw new Finding(`disagree ${what}`, `whole ${whole[i]}\nbare  ${bare[i]}`);
  if (whole.length !== bare.length) throw new Finding(`disagree ${what}`, 'another number of rows');
}

/** Everything, with every writer; peek against dissect; each filter on the full tree. */
async function everything(open: Open, keylog: string, text: string): Promise<string[]> {
  const writers = new Writers();
  const filter = compile(text, registry);
  const matched: string[] = [];
  const all = { fields: null, labels: true, experts: true, info: true };
  const p = await pass(open, keylog, all, (row) => {
    writers.write(row);
    if (filter.matches(row.dissection)) matched.push(row.id);
    try {
      agree(row, 'input');
    } catch (e) {
      throw new Finding(`disagree peek ${row.dissection.protocols.join(':')}`, String(e));
    }
    for (const { expert, message } of row.dissection.tree.experts)
      if (expert.code === 'frame.dissector-fault') throw new Finding(`fault ${message}`, `row ${row.id}: ${message}`);
  });
  for (const [proto, n] of p.dissection.faults.counts) throw new Finding(`fault ${proto}`, `${n} faults of ${proto}`);
  return matched;
}

async function filtered(open: Open, keylog: string, text: string, matched: readonly string[]): Promise<void> {
  const filter = compile(text, registry);
  const few: string[] = [];
  await pass(open, keylog, { fields: filter.fields }, (row) => {
    if (filter.matches(row.dissection)) few.push(row.id);
  });
  if (few.join() !== matched.join())
    throw new Finding(`disagree filter ${text}`, `of all fields: ${matched.join()}\nof its own: ${few.join()}`);
}

async function told(open: Open, keylog: string): Promise<void> {
  const model = new SessionModel();
  const tap = new SessionTap(model, registry, false);
  await pass(open, keylog, { rows: 'none', fields: [], tap }, () => undefined);
  tap.finish();
  const parts = {
    generator: { name: 'fttscope', version: '0' },
    options: { heuristicRtp: true, verifyAll: true, autoKeys: false },
    files: [],
    damage: [],
    tap,
  };
  const text = [...reportJson(reportOf(model, parts))].join('');
  JSON.parse(text);
}

/** Reads a capture in all ways; some of them only now and then, as the seed chooses. */
async function read(open: Open, o: Input): Promise<void> {
  const c = new Chance(o.seed ^ 0x5eed);
  const filter = c.of(FILTERS);
  const matched = await everything(open, o.keylog, filter);
  if (c.is(0.4)) await told(open, o.keylog);
  if (c.is(0.4)) await filtered(open, o.keylog, filter, matched);
  if (c.is(0.4)) await sameBare('fixed fields', open, o.keylog, FIXED);
  const few = Array.from({ length: 4 }, () => registry.byName(c.of(FIELDS).name)).flat();
  if (c.is(0.4)) await sameBare('few fields', open, o.keylog, few);
}

/** Frames, tunnels and streams. */
export function checkFrames(o: Input, h: Handshake): Promise<void> {
  const { frames, link } = framesOf(o, h);
  const c = new Chance(o.seed);
  const cut = c.is(0.1) ? 20 + c.below(200) : Number.POSITIVE_INFINITY;
  const raw = frames.map((f) => ({ octets: f.subarray(0, cut), wire: f.length }));
  return read(async () => new FrameSource(raw, link), { ...o, keylog: o.kind === 'tunnel' ? h.keylog : o.keylog });
}

/** A capture file that arrives in pieces. */
export async function checkFile(o: Input): Promise<void> {
  const c = new Chance(o.seed);
  const octets = o.parts[0] ?? new Uint8Array(0);
  const size = c.of([1 << 20, 1 << 20, 4096, 61]);
  const open: Open = () => {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < octets.length; at += size) pieces.push(octets.slice(at, at + size));
    return openStream(Readable.from(pieces, { objectMode: false }), 'input');
  };
  try {
    await read(open, o);
  } catch (e) {
    if (!(e instanceof CaptureError)) throw e;
  }
}
