import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What one run of a command took. */
export interface Run {
  /** User and system CPU time, wall time, in seconds. */
  readonly cpu: number;
  readonly wall: number;
  /** Largest resident size in megabytes, sampled from /proc. */
  readonly peak: number;
  /** Until its first octet of output, in seconds; NaN if it wrote nothing. */
  readonly first: number;
  /** Lines and octets that it wrote. */
  readonly lines: number;
  readonly octets: number;
}

const SAMPLE_MS = 15;

/** The processes below `pid`, itself included. */
function family(pid: number): number[] {
  const out = [pid];
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim();
      if (children !== '') for (const child of children.split(' ')) out.push(...family(Number(child)));
    }
  } catch {
    // gone meanwhile
  }
  return out;
}

function peakOf(pid: number): number {
  try {
    const m = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return m === null ? 0 : Number(m[1]) / 1024;
  } catch {
    return 0;
  }
}

/** Runs a shell command to its end; its output is counted and thrown away. @throws Error when it exits with other than 0 */
export function run(command: string): Promise<Run> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const script = `TIMEFORMAT='@@ %R %U %S'; time { ${command} ; }`;
    const child = spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'pipe'] });
    let first = Number.NaN;
    let lines = 0;
    let octets = 0;
    let errors = '';
    let peak = 0;
    const timer = setInterval(() => {
      for (const pid of family(child.pid!)) peak = Math.max(peak, peakOf(pid));
    }, SAMPLE_MS);
    child.stdout.on('data', (b: Buffer) => {
      if (octets === 0) first = (performance.now() - started) / 1000;
      octets += b.length;
      for (let i = b.indexOf(10); i >= 0; i = b.indexOf(10, i + 1)) lines++;
    });
    child.stderr.on('data', (b: Buffer) => {
      errors = (errors + b.toString('latin1')).slice(-4000);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(timer);
      const m = /@@ ([\d.]+) ([\d.]+) ([\d.]+)/.exec(errors);
      if (m === null || code !== 0) {
        reject(new Error(`${command}\nexit ${code}\n${errors}`));
        return;
      }
      resolve({ wall: Number(m[1]), cpu: Number(m[2]) + Number(m[3]), peak, first, lines, octets });
    });
  });
}

const median = (list: readonly number[]): number => {
  const sorted = [...list].sort((a, b) => a - b);
  const mid = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[mid] : (sorted[mid - 1] + sorted[mid]) / 2;
};

/** The medians of several runs, figure by figure. */
export function medians(runs: readonly Run[]): Run {
  return {
    cpu: median(runs.map((r) => r.cpu)),
    wall: median(runs.map((r) => r.wall)),
    peak: median(runs.map((r) => r.peak)),
    first: median(runs.map((r) => r.first)),
    lines: runs[0].lines,
    octets: runs[0].octets,
  };
}
