import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why tests that ask tshark skip, or false where it is installed. */
export const noTshark: string | false =
  spawnSync('tshark', ['--version']).status === 0 ? false : 'tshark is not installed';

/** A pcap of raw IP packets (link type 101), a second apart. */
function rawCapture(packets: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(262_144, 16);
  header.writeUInt32LE(101, 20);
  const parts = [header];
  for (const [i, p] of packets.entries()) {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(1000 + i, 0);
    record.writeUInt32LE(p.length, 8);
    record.writeUInt32LE(p.length, 12);
    parts.push(record, Buffer.from(p));
  }
  return Buffer.concat(parts);
}

/** What tshark reads in raw IP packets: a line of fields for each, checksums verified. */
export function tsharkFields(
  packets: readonly Uint8Array[],
  fields: readonly string[],
  more: string[] = [],
): string[][] {
  const folder = mkdtempSync(join(tmpdir(), 'fttscope-live-'));
  const file = join(folder, 'packets.pcap');
  writeFileSync(file, rawCapture(packets));
  try {
    const checks = ['ip', 'udp', 'tcp'].flatMap((p) => ['-o', `${p}.check_checksum:TRUE`]);
    const args = ['-r', file, '-n', ...checks, ...more, '-T', 'fields', ...fields.flatMap((f) => ['-e', f])];
    const text = execFileSync('tshark', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split('\t'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
