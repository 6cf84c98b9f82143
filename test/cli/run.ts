import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../support/corpus.js';

/** The command as users start it. */
export const COMMAND = join(ROOT, 'dist/src/cli/fttscope.js');

export const sample = (name: string): string => join(ROOT, 'samples', name);
/** TLS 1.3, everything inside: 484 frames, 189 envelopes up and 189 down (its expect.json). */
export const TLS13 = sample('03-tls13-aes128-gcm.pcapng');
export const TLS13_KEYS = sample('03-tls13-aes128-gcm.keys');

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const environment = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  ...more,
});

/** Runs fttscope to its end. */
export function run(args: readonly string[], o: { input?: Uint8Array; env?: Record<string, string> } = {}): Ran {
  const r = spawnSync(process.execPath, [COMMAND, ...args], {
    env: environment(o.env),
    input: o.input ?? '',
    maxBuffer: 1 << 28,
  });
  return { code: r.status, out: r.stdout.toString('utf8'), err: r.stderr.toString('utf8') };
}

/** Runs a line of bash in which `$F` is fttscope. */
export function bash(line: string, env: Record<string, string> = {}): Ran {
  const F = `${process.execPath} ${COMMAND}`;
  const r = spawnSync('bash', ['-c', line], { env: environment({ ...env, F }), input: '' });
  return { code: r.status, out: r.stdout.toString('utf8'), err: r.stderr.toString('utf8') };
}

/** Starts fttscope with a pipe as its input, which stays open. */
export const start = (args: readonly string[]) =>
  spawn(process.execPath, [COMMAND, ...args], { env: environment(), stdio: 'pipe' });

/** Output of tshark, or null where it is not installed. */
export function tshark(args: readonly string[]): string | null {
  const r = spawnSync('tshark', [...args], { env: environment(), maxBuffer: 1 << 28 });
  return r.error === undefined ? r.stdout.toString('utf8') : null;
}

let folder: string | undefined;

/** The path of a file with these contents, gone after the tests. */
export function file(name: string, contents: Uint8Array | string = ''): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'fttscope-cli-'));
    folder = made;
    process.on('exit', () => rmSync(made, { recursive: true, force: true }));
  }
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

/** A pcap file of raw IP packets (LINKTYPE_RAW), a second apart from 2023-11-14 22:13:20 UTC on. */
export function rawPcap(...packets: readonly Uint8Array[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65_535, 16);
  head.writeUInt32LE(101, 20);
  const parts = [head];
  packets.forEach((p, i) => {
    const h = Buffer.alloc(16);
    h.writeUInt32LE(1_700_000_000 + i, 0);
    h.writeUInt32LE(p.length, 8);
    h.writeUInt32LE(p.length, 12);
    parts.push(h, Buffer.from(p));
  });
  return Buffer.concat(parts);
}

/** An IPv4 packet from 192.0.2.1 to 192.0.2.2, its header checksum left 0. */
export function ip4(protocol: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(20);
  head[0] = 0x45;
  head[8] = 64;
  head.writeUInt16BE(20 + payload.length, 2);
  head[9] = protocol;
  head.set([192, 0, 2, 1, 192, 0, 2, 2], 12);
  return Buffer.concat([head, payload]);
}

/** A UDP datagram without checksum. */
export function udp(sport: number, dport: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(sport, 0);
  head.writeUInt16BE(dport, 2);
  head.writeUInt16BE(8 + payload.length, 4);
  return Buffer.concat([head, payload]);
}
