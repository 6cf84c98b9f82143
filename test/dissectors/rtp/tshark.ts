import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why tests that ask tshark skip, or false. */
export const tsharkMissing: string | false =
  spawnSync('tshark', ['-v']).status === 0 ? false : 'tshark is not here: skipped';

/** A datagram as tshark sees it. */
export interface Reference {
  readonly fields: readonly (readonly [string, string])[];
  readonly info: string;
}

/** What tshark says about UDP payloads of a protocol: its fields of that prefix, and the Info column. */
export function askTshark(payloads: readonly Uint8Array[], proto: string, prefix: RegExp): Reference[] {
  const dir = mkdtempSync(join(tmpdir(), 'fttscope-'));
  const path = join(dir, 'x.pcap');
  try {
    writeFileSync(path, pcap(payloads));
    const run = (...args: string[]): string =>
      execFileSync('tshark', ['-n', '-r', path, '-d', `udp.port==5005,${proto}`, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        env: { ...process.env, TZ: 'UTC' },
      });
    const infos = run('-T', 'fields', '-e', '_ws.col.Info').split('\n');
    return run('-T', 'pdml')
      .split('<packet>')
      .slice(1)
      .map((packet, i) => ({
        fields: [...packet.matchAll(/<field name="([^"]+)"[^>]*? show="([^"]*)"/g)]
          .filter((m) => prefix.test(m[1]))
          .map((m) => [m[1], decode(m[2])] as const),
        info: infos[i],
      }));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#x27': "'" };
const decode = (s: string): string => s.replace(/&([\w#]+);/g, (all, e: string) => ENTITIES[e] ?? all);

function pcap(payloads: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(101, 20);
  const parts: Buffer[] = [header];
  for (const [i, p] of payloads.entries()) {
    const b = Buffer.alloc(16 + 28);
    b.writeUInt32LE(1_700_000_000 + i, 0);
    b.writeUInt32LE(28 + p.length, 8);
    b.writeUInt32LE(28 + p.length, 12);
    b.writeUInt8(0x45, 16);
    b.writeUInt16BE(28 + p.length, 18);
    b.writeUInt8(64, 24);
    b.writeUInt8(17, 25);
    b.set([192, 0, 2, 1, 192, 0, 2, 2], 28);
    b.writeUInt16BE(5005, 36);
    b.writeUInt16BE(5005, 38);
    b.writeUInt16BE(8 + p.length, 40);
    parts.push(b, Buffer.from(p));
  }
  return Buffer.concat(parts);
}
