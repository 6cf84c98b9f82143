import { createSocket } from 'node:dgram';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { until } from './until.js';

/** Ports from which the system takes none for connections of its own: what is free stays free until somebody listens. */
const [FIRST, LAST] = [10_000, 32_000];

/** A port of the loopback interface that nobody has, neither for TCP nor for UDP. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if ((await isFreeForTcp(port)) && (await isFreeForUdp(port))) return port;
  }
}

const isFreeForTcp = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });

const isFreeForUdp = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createSocket('udp4')
      .once('error', () => resolve(false))
      .bind(port, '127.0.0.1', () => socket.close(() => resolve(true)));
  });

/**
 * Waits until a port has a listener, in the network namespace of a process: without asking it, which a server that
 * counts whoever comes would notice.
 */
export async function listening(kind: 'tcp' | 'udp', port: number, pid: number | undefined): Promise<void> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  // Local address, remote address, state: 0A is LISTEN, 07 is any of UDP.
  const line = new RegExp(`^ *\\d+: [0-9A-F]+:${hex} [0-9A-F]+:0000 0[7A] `, 'm');
  await until(
    () => {
      const tables = [kind, `${kind}6`].map((table) => `/proc/${pid}/net/${table}`);
      return tables.some((path) => existsSync(path) && line.test(readFileSync(path, 'latin1')));
    },
    () => `nobody listens on ${kind} port ${port}`,
    20,
  );
}
