/**
 * What the live ends need and carry: memory for each tunnel of an EFTF that holds many, with DHCP and a registration
 * each; and Mbit/s and packets a second from TUN device to TUN device, beside the same over socat with OpenSSL.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../../src/live/tls-certificate.js';
import { PROFILE } from '../../src/live/tls-settings.js';
import { Ue } from '../../src/live/ue.js';
import { ROOT } from '../support/corpus.js';
import { measureCapture } from './live-capture.js';

const MAIN = join(ROOT, 'dist/src/cli/fttscope.js');
const DOMAIN = 'bench.example';
const AT_A_TIME = 20;
const OCTETS = 60_000_000;
const DATAGRAMS_MS = 3000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resident memory of a process, megabytes. */
const resident = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

/** Starts a program and waits for a line of it. */
async function started(
  command: readonly string[],
  line: RegExp,
  env = process.env,
): Promise<{ child: ChildProcess; match: RegExpExecArray }> {
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env });
  let text = '';
  const match = await new Promise<RegExpExecArray>((resolve, reject) => {
    const hear = (d: Buffer): void => {
      text += d.toString('utf8');
      const m = line.exec(text);
      if (m !== null) resolve(m);
      if (text.length > 1 << 20) text = '';
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('exit', () => reject(new Error(`${command.join(' ')} ended: ${text}`)));
  });
  return { child, match };
}

/** The EFTF asks for a keep-alive every 110 s (RFC 6223): how long each UE is waited for to have had an answer. */
const KEPT_MS = 150_000;

/** Tunnels held by one EFTF, until each was kept alive: prints the memory that each costs it. */
async function tunnels(count: number, folder: string): Promise<void> {
  const subscribers = Array.from({ length: count }, (_, i) => ({
    impi: `u${i}@${DOMAIN}`,
    impu: `sip:u${i}@${DOMAIN}`,
    password: 'bench',
  }));
  const file = join(folder, 'subscribers.json');
  writeFileSync(file, JSON.stringify(subscribers));
  const command = [process.execPath, MAIN, 'eftf', '--listen', '127.0.0.1:0', '-4', '--subscribers', file];
  const { child, match } = await started(command, /listening 127\.0\.0\.1:(\d+)/, {
    ...process.env,
    XDG_STATE_HOME: folder,
  });
  const port = Number(match[1]);
  const connect = { host: '127.0.0.1', port, insecure: true, versions: PROFILE, timeoutMs: 60_000 };
  const held: Ue[] = [];
  const one = async (i: number): Promise<void> => {
    const subscriber = { ...subscribers[i], impus: [subscribers[i].impu], domain: DOMAIN, algorithm: 'MD5' as const };
    const ue = new Ue({ connect, families: [4], subscriber, tell: () => {} });
    await ue.connect();
    await ue.dhcp(60_000);
    const registered = ue.hear(/^registered/, 60_000);
    (await ue.startSip()).agent.register();
    await registered;
    held.push(ue);
  };
  await one(0);
  await pause(1000);
  const before = resident(child.pid!);
  const from = performance.now();
  for (let i = 1; i < count; i += AT_A_TIME)
    await Promise.all(Array.from({ length: Math.min(AT_A_TIME, count - i) }, (_, k) => one(i + k)));
  const seconds = (performance.now() - from) / 1000;
  const kept = (): number => held.filter((u) => u.up && (u.signalling?.agent.keptAlive ?? 0) > 0).length;
  for (const end = performance.now() + KEPT_MS; kept() < count && performance.now() < end; ) await pause(1000);
  const up = held.filter((u) => u.up).length;
  const each = ((resident(child.pid!) - before) * 1024) / (count - 1);
  console.log(
    `tunnels   ${up} of ${count} held, with DHCP and registration, ${(count / seconds).toFixed(0)} a second; ${kept()} kept alive since`,
  );
  console.log(`memory    ${each.toFixed(0)} kB a tunnel (${resident(child.pid!).toFixed(0)} MB in all)`);
  child.kill('SIGKILL');
}

const SPACES = [`fttbu${process.pid}`, `fttbe${process.pid}`];
const inSpace = (i: 0 | 1, ...command: string[]): string[] => ['ip', 'netns', 'exec', SPACES[i], ...command];

function spaces(): boolean {
  const ip = (...args: string[]): boolean => spawnSync('ip', args, { stdio: 'ignore' }).status === 0;
  return (
    SPACES.every((s) => ip('netns', 'add', s)) &&
    ip('link', 'add', 'v0', 'netns', SPACES[0], 'type', 'veth', 'peer', 'name', 'v1', 'netns', SPACES[1]) &&
    SPACES.every((s, i) => ip('-n', s, 'address', 'add', `192.0.2.${130 - i}/29`, 'dev', `v${i}`)) &&
    SPACES.every((s, i) => ip('-n', s, 'link', 'set', 'lo', 'up') && ip('-n', s, 'link', 'set', `v${i}`, 'up'))
  );
}

/** Mbit/s of a TCP transfer to the UE's side, and datagrams of 100 octets a second. */
async function rates(address: string): Promise<{ mbits: number; packets: number }> {
  const web = `const b=Buffer.alloc(${OCTETS});require('http').createServer((_,r)=>r.end(b)).listen(8080,'${address}',()=>console.log('up'))`;
  const server = await started(inSpace(1, process.execPath, '-e', web), /up/);
  const r = spawnSync(
    'ip',
    inSpace(0, 'curl', '-s', '-m', '60', '-o', '/dev/null', '-w', '%{speed_download}', `http://${address}:8080/`).slice(
      1,
    ),
    { encoding: 'utf8' },
  );
  server.child.kill('SIGKILL');
  const sink = `let n=0;const s=require('dgram').createSocket({type:'udp4',recvBufferSize:1<<23});s.on('message',()=>n++);s.bind(9000,'${address}',()=>console.log('up'));setTimeout(()=>{console.log('got',n);process.exit()},${DATAGRAMS_MS + 2500})`;
  const receiver = await started(inSpace(1, process.execPath, '-e', sink), /up/);
  const got = new Promise<number>((resolve) => {
    receiver.child.stdout?.on('data', (d: Buffer) => {
      const m = /got (\d+)/.exec(d.toString());
      if (m !== null) resolve(Number(m[1]));
    });
  });
  const source = `const s=require('dgram').createSocket('udp4');const b=Buffer.alloc(100);const end=Date.now()+${DATAGRAMS_MS};const go=()=>{if(Date.now()>end)process.exit();for(let i=0;i<50;i++)s.send(b,9000,'${address}');setImmediate(go)};go()`;
  spawnSync('ip', inSpace(0, process.execPath, '-e', source).slice(1));
  return { mbits: (Number(r.stdout) * 8) / 1e6, packets: ((await got) / DATAGRAMS_MS) * 1000 };
}

async function throughOurs(folder: string): Promise<{ mbits: number; packets: number }> {
  const env = { ...process.env, XDG_STATE_HOME: folder };
  const eftf = await started(
    inSpace(
      1,
      process.execPath,
      MAIN,
      'eftf',
      '--lab',
      '--listen',
      '192.0.2.129:443',
      '-4',
      '--tun',
      't1',
      '--tun-address',
      '10.99.0.1/32',
      '--dns',
      '10.99.0.1',
    ),
    /listening/,
    env,
  );
  const ue = await started(
    inSpace(0, process.execPath, MAIN, 'ue', '192.0.2.129', '--lab', '-4', '--tun', 't0'),
    /IPv4 /,
    env,
  );
  const found = await rates('10.99.0.1');
  ue.child.kill('SIGKILL');
  eftf.child.kill('SIGKILL');
  return found;
}

async function throughSocat(folder: string): Promise<{ mbits: number; packets: number }> {
  const { cert, key } = makeCertificate({ name: 'bench', names: ['192.0.2.129'], days: 1 });
  writeFileSync(join(folder, 'socat.pem'), key + cert);
  const listen = `OPENSSL-LISTEN:4433,reuseaddr,verify=0,cert=${join(folder, 'socat.pem')}`;
  const eftf = await started(
    inSpace(1, 'socat', '-d', '-d', listen, 'TUN:10.98.0.1/24,up,tun-type=tun,iff-no-pi'),
    /listening on/,
  );
  const ue = await started(
    inSpace(0, 'socat', '-d', '-d', 'OPENSSL:192.0.2.129:4433,verify=0', 'TUN:10.98.0.2/24,up,tun-type=tun,iff-no-pi'),
    /starting data transfer/,
  );
  await pause(500);
  const found = await rates('10.98.0.1');
  ue.child.kill('SIGKILL');
  eftf.child.kill('SIGKILL');
  return found;
}

/** Prints what live capture, and the live ends, need and carry. @param count tunnels that are held */
export async function measureLive(count = 1000): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'fttscope-bench-live-'));
  try {
    await measureCapture(MAIN, folder);
    await tunnels(count, folder);
    if (process.getuid?.() !== 0 || !spaces()) {
      console.log('TUN       left out: network namespaces want root');
      return;
    }
    const ours = await throughOurs(folder);
    console.log(`TUN       ${ours.mbits.toFixed(0)} Mbit/s, ${ours.packets.toFixed(0)} packets/s`);
    if (spawnSync('socat', ['-V'], { stdio: 'ignore' }).error !== undefined) {
      console.log('socat     left out: not installed');
      return;
    }
    const theirs = await throughSocat(folder);
    console.log(`socat     ${theirs.mbits.toFixed(0)} Mbit/s, ${theirs.packets.toFixed(0)} packets/s`);
    console.log(
      `ratio     ${(ours.mbits / theirs.mbits).toFixed(2)} in Mbit/s, ${(ours.packets / theirs.packets).toFixed(2)} in packets/s`,
    );
  } finally {
    for (const s of SPACES) spawnSync('ip', ['netns', 'delete', s], { stdio: 'ignore' });
    rmSync(folder, { recursive: true, force: true });
  }
  process.exit(0); // the tunnels of the first part live on
}
