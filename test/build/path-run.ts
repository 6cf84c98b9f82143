/** A UE and an EFTF of ours in network namespaces, over the TCP of the kernel; between them a path of packets that loses one. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PcapngWriter } from '../../src/capture/writer.js';
import { u16, u32 } from '../../src/kit/index.js';
import { TunDevice } from '../../src/live/tun.js';
import { ca, certificate, EFTF, EPOCH, PHONE, type Played, UNDER_WAY } from './endpoint-run.js';
import type { Heard, Told } from './path-end.js';

const COMMENT =
  'Captured at the UE, between two TUN devices: TCP and all above it as two kernels and two endpoints sent it. The path ' +
  'in between takes 12 ms, and loses one segment, again and again for 1.2 s.';
const LINKTYPE_RAW = 101;
const TCP = 6;
/** Which of the segments with payload that come from the EFTF is lost, and for how long each copy of it. */
const LOST = 60;
const LOST_MS = 1200;
const SPACES = { ue: `fttu${process.pid}`, eftf: `ftte${process.pid}` };
type End = keyof typeof SPACES;

const ip = (...args: string[]): boolean => spawnSync('ip', args, { stdio: 'ignore' }).status === 0;

/** Why there can be no such path here, in words, or false. */
export function whyNoPath(): string | false {
  if (process.getuid?.() !== 0) return 'network namespaces want root';
  try {
    TunDevice.check();
  } catch (e) {
    return (e as Error).message;
  }
  const possible = ip('netns', 'add', SPACES.ue) && ip('netns', 'delete', SPACES.ue);
  return possible ? false : 'network namespaces cannot be made here';
}

/** A namespace whose only way out is a TUN device that this process holds. */
function makeSpace(end: End, address: string): TunDevice {
  const space = SPACES[end];
  ip('netns', 'add', space);
  const device = TunDevice.open(space);
  const on = ['-n', space];
  const made =
    ip('link', 'set', space, 'netns', space) &&
    ip(...on, 'address', 'add', `${address}/32`, 'dev', space) &&
    ip(...on, 'link', 'set', space, 'up') &&
    ip(...on, 'route', 'add', 'default', 'dev', space);
  if (!made) throw new Error(`the namespace ${space} cannot be set up`);
  return device;
}

/** Octets of payload in a TCP segment over IPv4, and where in the stream they begin; undefined for anything else. */
function segmentOf(packet: Uint8Array): { seq: number; length: number } | undefined {
  const at = (packet[0] & 15) * 4;
  if (packet[0] >> 4 !== 4 || packet[9] !== TCP || packet.length < at + 20) return undefined;
  return { seq: u32(packet, at + 4), length: u16(packet, 2) - at - (packet[at + 12] >> 4) * 4 };
}

/** The way between both devices. What passes at the UE is written down. */
class Path {
  frames = 0;
  private readonly writer: PcapngWriter;
  private start: number | undefined;
  private segments = 0;
  private lost: { readonly seq: number; readonly until: number } | undefined;

  constructor(file: string, ue: TunDevice, eftf: TunDevice) {
    this.writer = new PcapngWriter(file, { application: 'fttscope samples', comment: COMMENT });
    this.writer.iface(LINKTYPE_RAW, 'tun', { description: 'the only way out of the UE' });
    ue.onPacket((packet) => {
      if (segmentOf(packet) === undefined) return;
      this.write(packet, true);
      later(packet, (p) => eftf.send(p));
    });
    eftf.onPacket((packet) => {
      if (segmentOf(packet) === undefined || this.loses(packet)) return;
      later(packet, (p) => {
        this.write(p, false);
        ue.send(p);
      });
    });
  }

  end(): void {
    this.writer.end();
  }

  private loses(packet: Uint8Array): boolean {
    const { seq, length } = segmentOf(packet)!;
    const now = performance.now();
    if (length > 0 && ++this.segments === LOST) this.lost = { seq, until: now + LOST_MS };
    const { lost } = this;
    return lost !== undefined && now < lost.until && ((lost.seq - seq) | 0) >= 0 && ((lost.seq - seq - length) | 0) < 0;
  }

  private write(packet: Uint8Array, sent: boolean): void {
    this.start ??= performance.now();
    const ms = performance.now() - this.start;
    const seconds = Math.floor(ms / 1000);
    const nanos = Math.round((ms - 1000 * seconds) * 1e6) % 1e9;
    this.frames++;
    this.writer.frame(0, EPOCH / 1000 + seconds, nanos, packet, { flags: sent ? 2 : 1 });
  }
}

function later(packet: Uint8Array, send: (packet: Uint8Array) => void): void {
  const copy = packet.slice();
  setTimeout(() => send(copy), UNDER_WAY);
}

const PROGRAM = fileURLToPath(new URL('path-end.js', import.meta.url));

/** Starts an end, and waits for what it says. */
class EndProcess {
  private readonly child: ChildProcess;

  constructor(end: End) {
    this.child = spawn('ip', ['netns', 'exec', SPACES[end], process.execPath, PROGRAM], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
  }

  tell(told: Told): Promise<Heard> {
    return new Promise((resolve, reject) => {
      this.child.once('message', (heard: Heard) => resolve(heard));
      this.child.once('exit', () => reject(new Error(`an end of the path died, told to be ${told.be}`)));
      this.child.send(told);
    });
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}

/**
 * Plays steps at the UE. It takes as long as they do.
 * @throws Error where {@link whyNoPath}, or where an end fails
 */
export async function playedOnPath(steps: readonly string[]): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), 'fttscope-path-'));
  const devices: TunDevice[] = [];
  const ends: EndProcess[] = [];
  try {
    devices.push(makeSpace('ue', PHONE.address), makeSpace('eftf', EFTF.address));
    const file = join(folder, 'path.pcapng');
    const path = new Path(file, devices[0], devices[1]);
    const [eftf, ue] = [new EndProcess('eftf'), new EndProcess('ue')];
    ends.push(eftf, ue);
    await eftf.tell({ be: 'eftf', certificate });
    const up = (await ue.tell({ be: 'ue', ca: ca.cert, steps })) as Exclude<Heard, 'ready'>;
    await new Promise((resolve) => setTimeout(resolve, 10 * UNDER_WAY));
    const down = (await eftf.tell({ be: 'gone' })) as Exclude<Heard, 'ready'>;
    path.end();
    const octets = readFileSync(file);
    return { octets, keys: up.keys, frames: path.frames, tunnels: 1, up: up.sent, down: down.sent };
  } finally {
    for (const end of ends) end.kill();
    for (const device of devices) device.close();
    for (const space of Object.values(SPACES)) ip('netns', 'delete', space);
    rmSync(folder, { recursive: true });
  }
}
