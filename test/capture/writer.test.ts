import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemError } from '../../src/capture/errors.js';
import { PcapngWriter } from '../../src/capture/writer.js';
import { drainFile, file, LE, pattern, scratch } from './support.js';

const hasTshark = spawnSync('tshark', ['--version']).status === 0;
const hasCapinfos = spawnSync('capinfos', ['--version']).status === 0;
const noTshark = hasTshark ? false : 'skipped: tshark is not installed';

interface Sent {
  seconds: number;
  nanos: number;
  octets: Buffer;
  wire?: number;
  comment?: string;
  flags?: number;
}

const SENT: Sent[] = [
  { seconds: 0, nanos: 0, octets: pattern(60, 1) },
  { seconds: 1_772_355_600, nanos: 123_456_789, octets: pattern(61, 2), wire: 1500 },
  { seconds: 1_772_355_600, nanos: 999_999_999, octets: pattern(62, 3), comment: 'first, with ümlaut' },
  { seconds: 4_294_967_295, nanos: 999_999_999, octets: pattern(63, 4), flags: 2 },
  { seconds: 2_147_483_648, nanos: 1, octets: pattern(64, 5), comment: 'x', flags: 1 },
  { seconds: 8, nanos: 388_608, octets: pattern(262_144, 6) },
  { seconds: 9, nanos: 0, octets: Buffer.alloc(0) },
];

function send(writer: PcapngWriter, iface: number): void {
  for (const { seconds, nanos, octets, ...note } of SENT) writer.frame(iface, seconds, nanos, octets, note);
}

/** A field of every frame as tshark prints it. */
function tshark(path: string, field: string): string[] {
  const args = ['-n', '-r', path, '-T', 'fields', '-e', field];
  const { stdout, status, stderr } = spawnSync('tshark', args, {
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC' },
  });
  assert.equal(status, 0, stderr);
  return stdout.split('\n').slice(0, -1);
}

function writeNg(path: string): void {
  const writer = new PcapngWriter(path, { application: 'fttscope test', comment: 'A whole capture' });
  writer.secrets('CLIENT_RANDOM 00 11\n');
  const more = { description: 'Uplink', filter: 'tcp port 443', snaplen: 262_144, fcsLength: 4 };
  const raw = writer.iface(101, 'tun0');
  const ethernet = writer.iface(1, 'eth0', more);
  send(writer, ethernet);
  writer.frame(raw, 10, 0, pattern(20, 7));
  writer.statistics(ethernet, 11, 5, 100n, 2n ** 40n);
  writer.end();
}

describe('pcapng that is written', () => {
  const path = join(scratch, 'written.pcapng');
  writeNg(path);

  it('is for its owner alone', () => {
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it('is the octets that the format wants', () => {
    const small = join(scratch, 'small.pcapng');
    const writer = new PcapngWriter(small);
    writer.iface(1);
    writer.frame(0, 1, 5, Buffer.from('abcde'), { wire: 9 });
    writer.secrets('RSA');
    writer.end();
    const ticks = LE.packet(0, 1_000_000_005n, Buffer.from('abcde'), { wire: 9 });
    const nano = LE.description(1, 0, [LE.option(9, Buffer.from([9])), LE.u32(0)]);
    const dsb = LE.block(10, LE.u32(0x544c534b), LE.u32(3), Buffer.from('RSA\0'));
    assert.deepEqual(readFileSync(small), Buffer.concat([LE.section(), nano, ticks, dsb]));
  });

  it('opens in tshark with its times, lengths, octets, interfaces and comments', { skip: noTshark }, () => {
    const times = SENT.map(({ seconds, nanos }) => `${seconds}.${String(nanos).padStart(9, '0')}`);
    assert.deepEqual(tshark(path, 'frame.time_epoch'), [...times, '10.000000000']);
    assert.deepEqual(tshark(path, 'frame.len').map(Number), [...SENT.map((s) => s.wire ?? s.octets.length), 20]);
    assert.deepEqual(tshark(path, 'frame.cap_len').map(Number), [...SENT.map((s) => s.octets.length), 20]);
    assert.deepEqual(tshark(path, 'frame.interface_name'), [...SENT.map(() => 'eth0'), 'tun0']);
    assert.deepEqual(tshark(path, 'frame.comment'), [...SENT.map((s) => s.comment ?? ''), '']);
  });

  it('opens in capinfos with what it says of itself', {
    skip: hasCapinfos ? false : 'skipped: capinfos is not installed',
  }, () => {
    const { stdout, status } = spawnSync('capinfos', [path], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.match(stdout, /Capture application: +fttscope test/);
    assert.match(stdout, /A whole capture/);
    assert.match(stdout, /Name = eth0[\s\S]*Description = Uplink[\s\S]*Encapsulation = Ethernet/);
    assert.match(stdout, /Filter string = tcp port 443/);
    assert.match(stdout, /Time precision = nanoseconds \(9\)/);
    assert.match(stdout, /Number of stat entries = 1/);
    assert.match(stdout, /Number of decryption secrets in file: 1|Decryption secrets/i);
  });

  it('is read with all that was given', async () => {
    const { frames, secrets, damage, source } = await drainFile(path);
    assert.deepEqual(damage, []);
    assert.deepEqual(secrets, ['CLIENT_RANDOM 00 11\n']);
    const got = frames.slice(0, -1).map((f) => ({
      seconds: f.seconds,
      nanos: f.nanos,
      octets: f.octets,
      ...(f.wire === f.octets.length ? {} : { wire: f.wire }),
      ...(f.comments ? { comment: f.comments.join('|') } : {}),
      ...(f.flags === undefined ? {} : { flags: f.flags }),
    }));
    assert.deepEqual(got, SENT);
    const [tun, eth] = source.files[0].interfaces;
    assert.deepEqual([tun.name, tun.link, eth.name, eth.filter], ['tun0', 101, 'eth0', 'tcp port 443']);
    assert.deepEqual([eth.description, eth.fcsLength, eth.snaplen, eth.drops], ['Uplink', 4, 262_144, 2n ** 40n]);
    assert.deepEqual(source.files[0].comments, ['A whole capture', 'fttscope test']);
  });

  it('holds every comment of a frame, cut at a character where it is too long', async () => {
    const long = join(scratch, 'long.pcapng');
    const writer = new PcapngWriter(long);
    writer.iface(1);
    const many = Array.from({ length: 6 }, () => 'ä'.repeat(40_000));
    writer.frame(0, 1, 1, pattern(10, 1), { comment: many });
    writer.frame(0, 2, 2, pattern(10, 2));
    writer.end();
    const { frames, damage } = await drainFile(long);
    assert.deepEqual([frames.length, damage.length], [2, 0]);
    assert.deepEqual(
      frames[0].comments,
      many.map(() => 'ä'.repeat(32_767)),
    );
  });
});

describe('a writer', () => {
  it('never writes over a file that is being read', () => {
    const octets = Buffer.from('precious');
    const input = file(octets);
    for (const inputs of [[input], ['/nowhere', join(scratch, '.', input.slice(scratch.length))]]) {
      assert.throws(() => new PcapngWriter(input, { inputs }), { code: 'FTT_E_SAME_FILE' });
    }
    assert.deepEqual(readFileSync(input), octets);
  });

  it('says what is wrong with its target', () => {
    assert.throws(() => new PcapngWriter('/nowhere/at/all.pcapng'), { code: 'FTT_E_MISSING' });
    assert.throws(() => new PcapngWriter(scratch), { code: 'FTT_E_DIRECTORY' });
  });

  it('says that the disk is full, once, and can be ended', {
    skip: existsSync('/dev/full') ? false : 'skipped: no /dev/full',
  }, () => {
    const writer = new PcapngWriter('/dev/full');
    writer.iface(1);
    assert.throws(() => writer.flush(), { code: 'FTT_E_DISK_FULL' });
    writer.end();
    writer.end();
    assert.throws(() => writer.flush(), { code: 'FTT_E_WRITE' });
  });
});

describe('a file that may not be written', () => {
  it('is refused in words that say so', () => {
    for (const code of ['EACCES', 'EPERM']) {
      const { message, hint } = systemError('x', { code }, 'FTT_E_WRITE');
      assert.equal(message, 'x: no permission to write it');
      assert.match(hint ?? '', /the file and its folder/);
      assert.equal(systemError('x', { code }, 'FTT_E_READ').message, 'x: no permission to open the file');
    }
  });
});
