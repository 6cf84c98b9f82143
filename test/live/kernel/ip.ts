import { spawnSync } from 'node:child_process';

/** Runs `ip`, and gives what it printed. @throws Error where it fails */
export const ip = (...args: string[]): string => {
  const r = spawnSync('ip', args, { encoding: 'utf8' });
  if (r.status !== 0) throw new Error(`ip ${args.join(' ')}: ${r.stderr}`);
  return r.stdout;
};
