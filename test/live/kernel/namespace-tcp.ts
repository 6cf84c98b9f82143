import { spawn, spawnSync } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';
import { address } from '../../../src/live/address.js';
import { type Clock, realClock } from '../../../src/live/clock.js';
import { IpHost } from '../../../src/live/host.js';
import { readPacket } from '../../../src/live/ip-packet.js';
import { integer, seededRandom } from '../../../src/live/random.js';
import type { TcpConnection } from '../../../src/live/tcp-connection.js';
import { TcpHost } from '../../../src/live/tcp-host.js';
import { ACK, readSegment, type TcpSegment } from '../../../src/live/tcp-segment.js';
import { TunDevice } from '../../../src/live/tun.js';
import { until } from '../../support/until.js';
import { ip } from './ip.js';

/* Our TCP behind a TUN device, and the kernel's before it. */

/** Our TCP; the kernel's echoes what it hears, and is echoed, while a packet in twenty is lost each way. */
export async function tcpAgainstKernel(): Promise<object> {
  const tun = TunDevice.open('t0');
  ip('addr', 'add', '10.77.0.1/24', 'dev', 't0');
  ip('-6', 'addr', 'add', 'fd77::1/64', 'dev', 't0', 'nodad');
  const random = seededRandom(1);
  const chance = seededRandom(2);
  const isLost = () => chance.next() < 0.05;
  const host = new IpHost({ families: [4, 6], random, send: (packet) => void (isLost() || tun.send(packet)) });
  tun.onPacket((packet) => void (isLost() || host.handle(packet, realClock.now())));
  const addresses = ['10.77.0.2', 'fd77::2'].map(address);
  for (const a of addresses) host.addAddress({ address: a, prefixLength: a.length === 4 ? 24 : 64 });
  const tcp = new TcpHost(host, realClock, random);
  const body = Uint8Array.from({ length: 60_000 }, () => integer(random, 0, 255));

  /** Connects to the kernel, sends the body and ends; gives what came back, and how it ended. */
  const ours = (to: string, port: number): Promise<unknown> =>
    new Promise((resolve) => {
      const parts: Uint8Array[] = [];
      const connection = tcp.connect(
        { address: address(to), port },
        {
          onOpen: (opened) => opened.close(),
          onData: (octets) => void parts.push(octets.slice()),
          onEnd: () => resolve({ same: Buffer.concat(parts).equals(body) }),
          onClose: (why) => resolve(why),
        },
      )!;
      connection.send(body);
    });
  tcp.listen(7001, () => {
    let own: TcpConnection;
    return {
      onOpen: (connection) => {
        own = connection;
      },
      onData: (octets) => void own.send(octets.slice()),
      onEnd: () => own.close(),
      onClose: () => undefined,
    };
  });
  const theirs = (to: string, port: number): Promise<unknown> =>
    new Promise((resolve) => {
      const parts: Buffer[] = [];
      const socket = connect({ host: to, port });
      socket.on('data', (b) => parts.push(b));
      socket.on('error', (e: NodeJS.ErrnoException) => resolve(e.code));
      socket.on('close', () => resolve({ same: Buffer.concat(parts).equals(body) }));
      socket.end(body);
    });
  const echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(7000, '::', resolve));
  await until(() => !ip('-6', 'addr', 'show', 'dev', 't0').includes('tentative'));
  const [a, b, c, d, ...refused] = await Promise.all([
    ours('10.77.0.1', 7000),
    ours('fd77::1', 7000),
    theirs('10.77.0.2', 7001),
    theirs('fd77::2', 7001),
    ours('10.77.0.1', 7009),
    theirs('10.77.0.2', 7009),
  ]);
  echo.close();
  tcp.stop();
  return { ours: [a, b], theirs: [c, d], refused };
}

/** A host of ours at 10.77.0.2 and fd77::2 behind the device t0, the kernel at 10.77.0.1 and fd77::1; the segments of ours. */
function hostBehindTun(clock: Clock = realClock): { tcp: TcpHost; sent: TcpSegment[] } {
  const tun = TunDevice.open('t0');
  ip('addr', 'add', '10.77.0.1/24', 'dev', 't0');
  ip('-6', 'addr', 'add', 'fd77::1/64', 'dev', 't0', 'nodad');
  const sent: TcpSegment[] = [];
  const random = seededRandom(1);
  const host = new IpHost({
    families: [4, 6],
    random,
    send(packet) {
      const p = readPacket(packet);
      const segment = typeof p === 'string' ? undefined : readSegment(p);
      if (segment !== undefined) sent.push({ ...segment, payload: segment.payload.slice() });
      tun.send(packet);
    },
  });
  tun.onPacket((packet) => host.handle(packet, clock.now()));
  for (const a of ['10.77.0.2', 'fd77::2'].map(address))
    host.addAddress({ address: a, prefixLength: a.length === 4 ? 24 : 64 });
  return { tcp: new TcpHost(host, clock, random), sent };
}

const isBare = (s: TcpSegment): boolean => s.payload.length === 0 && s.flags === ACK;

/** The kernel asks a hundred times, is answered, and ends; then it says what has no answer. */
export async function tcpInFewSegments(): Promise<object> {
  const { tcp, sent } = hostBehindTun();
  const heard: number[] = [];
  tcp.listen(7001, () => {
    let own: TcpConnection;
    return {
      onOpen: (connection) => {
        own = connection;
      },
      onData(octets) {
        heard.push(octets.length);
        if (octets[0] === 0x3f) setTimeout(() => own.send(Uint8Array.of(0x21)), 5); // as one that has to think
      },
      onEnd: () => own.close(),
      onClose: () => undefined,
    };
  });
  const socket = connect({ host: '10.77.0.2', port: 7001, noDelay: true });
  for (let i = 0; i < 100; i++) {
    const answered = new Promise((resolve) => socket.once('data', resolve));
    socket.write('?'.repeat(500));
    await answered;
  }
  const [answers, bare] = [sent.filter((s) => s.payload.length > 0).length, sent.filter(isBare).length];
  socket.write('.'.repeat(500));
  await until(() => sent.filter(isBare).length > bare);
  const told = sent.filter(isBare).length - bare;
  socket.end();
  await new Promise((resolve) => socket.once('close', resolve));
  tcp.stop();
  return { heard: heard.length, answers, few: bare < answers / 2, told: told > 0 };
}

/** The kernel never ends its direction. Time of ours goes by a hundred times as fast. */
export async function tcpWithoutEnd(): Promise<object> {
  const clock: Clock = {
    now: () => 100 * realClock.now(),
    after: (ms, callback) => realClock.after(ms / 100, callback),
  };
  const { tcp } = hostBehindTun(clock);
  let theirs: Socket | undefined;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    theirs = socket;
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(7000, '10.77.0.1', resolve));
  const closed = await new Promise<string | undefined>((resolve) => {
    tcp.connect(
      { address: address('10.77.0.1'), port: 7000 },
      {
        onOpen: (opened) => opened.close(),
        onData: () => undefined,
        onEnd: () => undefined,
        onClose: resolve,
      },
    );
  });
  const error = new Promise((resolve) => theirs!.once('error', (e: NodeJS.ErrnoException) => resolve(e.code)));
  const asks = setInterval(() => theirs!.write('is anybody there?'), 20);
  const result = { closed, told: await error };
  clearInterval(asks);
  server.close();
  return result;
}

/** The kernel as a router to another network, by a path that is narrower than both links; there the kernel counts what comes. */
export async function tcpByNarrowPath(): Promise<object> {
  const { tcp, sent } = hostBehindTun();
  const far = spawn('unshare', ['-n', 'sleep', '600'], { stdio: 'ignore' });
  const inFar = (...command: string[]): string[] => ['-t', String(far.pid), '-n', ...command];
  const farther = (...command: string[]): boolean => spawnSync('nsenter', inFar(...command)).status === 0;
  try {
    // A namespace of its own, not yet ours: without the device t0.
    await until(() => farther('true') && !farther('ip', 'link', 'show', 't0'));
    ip('link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1', 'netns', String(far.pid));
    ip('-6', 'addr', 'add', 'fd78::1/64', 'dev', 'v0', 'nodad');
    ip('link', 'set', 'v0', 'up');
    for (const args of ['link set lo up', 'link set v1 up', '-6 addr add fd78::2/64 dev v1 nodad'])
      if (!farther('ip', ...args.split(' '))) throw new Error(`ip ${args}`);
    if (!farther('ip', '-6', 'route', 'add', 'default', 'via', 'fd78::1')) throw new Error('no route');
    spawnSync('sysctl', ['-qw', 'net.ipv6.conf.all.forwarding=1']);
    ip('-6', 'route', 'replace', 'fd78::2/128', 'dev', 'v0', 'mtu', 'lock', '1300');
    const script = `require('net').createServer((s) => { let n = 0; s.on('data', (b) => { n += b.length; if (n >= 200000) s.end(String(n)); }); }).listen(7000, '::', () => console.log('up'))`;
    const server = spawn('nsenter', inFar(process.execPath, '-e', script), { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => server.stdout.once('data', resolve));
    const heard = await new Promise<string>((resolve) => {
      let text = '';
      const connection = tcp.connect(
        { address: address('fd78::2'), port: 7000 },
        {
          onData: (octets) => {
            text += Buffer.from(octets).toString();
          },
          onEnd: () => resolve(text),
          onClose: (why) => resolve(why ?? 'closed'),
        },
      )!;
      connection.send(new Uint8Array(200_000));
    });
    server.kill();
    tcp.stop();
    const lengths = sent.map((s) => s.payload.length);
    return { heard, tooLong: lengths.some((n) => n > 1240), longest: lengths.findLast((n) => n >= 1240) };
  } finally {
    far.kill();
  }
}
