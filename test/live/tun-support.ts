import { spawnSync } from 'node:child_process';
import { after } from 'node:test';
import { packageMissing, type Running, startFttscope, startProgram } from './outer-support.js';

/** Two network namespaces with a cable between: a UE lives in the one, its EFTF and real servers in the other. */

export const UE = `fttu${process.pid}`;
export const NET = `ftte${process.pid}`;
const [UE_ADDRESS, EFTF_ADDRESS] = ['192.0.2.130', '192.0.2.129'];

const ip = (...args: string[]): boolean => spawnSync('ip', args, { stdio: 'ignore' }).status === 0;
export const within = (space: string, ...command: string[]): string[] => ['netns', 'exec', space, ...command];

/** Makes both, for as long as the tests of a file run. Why there are none, in words, or false. */
export function makeSpaces(): string | false {
  if (process.getuid?.() !== 0) return 'network namespaces want root: skipped';
  const without = packageMissing('koffi');
  if (without !== false) return without;
  after(() => {
    for (const space of [UE, NET]) ip('netns', 'delete', space);
  });
  const made =
    ip('netns', 'add', UE) &&
    ip('netns', 'add', NET) &&
    ip('link', 'add', 'vu', 'netns', UE, 'type', 'veth', 'peer', 'name', 've', 'netns', NET) &&
    ip('-n', UE, 'address', 'add', `${UE_ADDRESS}/29`, 'dev', 'vu') &&
    ip('-n', NET, 'address', 'add', `${EFTF_ADDRESS}/29`, 'dev', 've') &&
    [UE, NET].every((space) => ip('-n', space, 'link', 'set', 'lo', 'up')) &&
    ip('-n', UE, 'link', 'set', 'vu', 'up') &&
    ip('-n', NET, 'link', 'set', 've', 'up');
  return made ? false : 'network namespaces cannot be made here: skipped';
}

/** Runs a program in a namespace. */
export const inside = (space: string, program: string, ...args: string[]): Running =>
  startProgram('ip', within(space, program, ...args));

/** An EFTF of the lab whose tunnels lead to the device `te`. */
export async function startTunEftf(...args: string[]): Promise<Running> {
  const listen = ['--listen', `${EFTF_ADDRESS}:443`, '--tun', 'te'];
  const eftf = startFttscope(['eftf', '--lab', ...listen, ...args], ['ip', ...within(NET)]);
  await eftf.line(/^listening/m);
  return eftf;
}

/** A UE of the lab at that EFTF. */
export const startTunUe = (...args: string[]): Running =>
  startFttscope(['ue', EFTF_ADDRESS, '--lab', ...args], ['ip', ...within(UE)]);

/** Addresses of a device, as `ip` shows them. */
export const addressesOf = (space: string, device: string, family: 4 | 6): string =>
  spawnSync('ip', ['-n', space, `-${family}`, 'address', 'show', 'dev', device], { encoding: 'utf8' }).stdout;
