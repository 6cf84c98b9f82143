import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CORPUS } from './corpus.js';

const run = promisify(execFile);

/** A Lua dissector that teaches tshark FTT-IMS. It does not belong to the project. */
const LUA = join(CORPUS, '../peer/ftt_ims.lua');

const installed = spawnSync('tshark', ['-v']).status === 0;

/** Why tests that ask tshark skip, or false. */
export const tsharkMissing: string | false = installed ? false : 'tshark is not installed: skipped';

/** Why tests that ask tshark about FTT-IMS skip, or false. */
export const luaMissing: string | false =
  tsharkMissing || (existsSync(LUA) ? false : 'no Lua dissector for FTT-IMS beside the captures: skipped');

/** Values of each field that a frame has, in the order of the tree. */
export type Values = Map<string, string[]>;

/** What tshark prints, in UTC. */
export async function tshark(args: readonly string[]): Promise<string> {
  const { stdout } = await run('tshark', args, {
    maxBuffer: 1 << 30,
    env: { ...process.env, TZ: 'UTC' },
  });
  return stdout;
}

/** Options that make tshark see into the tunnels of a capture. */
export function tunnelOptions(keyFile?: string, port = 443): string[] {
  return [
    ...['-X', `lua_script:${LUA}`, '-o', 'tcp.reassemble_out_of_order:TRUE'],
    ...(keyFile === undefined ? [] : ['-o', `tls.keylog_file:${keyFile}`]),
    ...(port === 443 ? [] : ['-d', `tls.port==${port},ftt-ims`]),
  ];
}

/** Names of all fields of the protocols (`sip` has `sip.Method`). */
export async function fieldNames(protocols: readonly string[]): Promise<string[]> {
  const names = new Set<string>();
  for (const line of (await tshark(['-G', 'fields'])).split('\n')) {
    const cells = line.split('\t');
    if (cells[0] === 'F' && protocols.includes(cells[2].split('.')[0])) names.add(cells[2]);
  }
  return [...names].sort();
}

/** The values of `fields` by frame number, as `-T fields` prints them. */
export async function frames(capture: string, options: string[], fields: string[]): Promise<Map<number, Values>> {
  const wanted = [...new Set(['frame.number', ...fields])].flatMap((f) => ['-e', f]);
  const out = new Map<number, Values>();
  const packets = JSON.parse(await tshark(['-n', ...options, '-r', capture, '-T', 'json', ...wanted]));
  for (const p of packets as { _source: { layers: Record<string, string[]> } }[]) {
    const { layers } = p._source;
    out.set(Number(layers['frame.number'][0]), new Map(Object.entries(layers)));
  }
  return out;
}
