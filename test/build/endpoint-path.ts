/** What stands between a UE and its EFTF: proxies, and a NAT that forgets. */

import { type AddressInfo, createServer, type Socket, connect as tcp } from 'node:net';
import type { VirtualClock } from '../live/clock.js';

/** Somebody who takes the UE's connection instead of the EFTF. */
export interface Between {
  readonly port: number;
  close(): void;
}

/** @param take serves a connection */
function listening(take: (socket: Socket) => void): Promise<Between> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.on('error', () => {}));
    take(socket);
  });
  const close = (): void => {
    for (const s of sockets) s.destroy();
    server.close();
  };
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({ port: (server.address() as AddressInfo).port, close }));
  });
}

export const CREDENTIALS = { username: 'phone', password: 'secret' };
const BASIC = Buffer.from(`${CREDENTIALS.username}:${CREDENTIALS.password}`).toString('base64');
const WANTED =
  'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="office"\r\nContent-Length: 0\r\n\r\n';
const REFUSED = 'HTTP/1.1 403 Forbidden\r\nVia: 1.1 proxy.example\r\nContent-Length: 0\r\n\r\n';

/**
 * An HTTP proxy that wants credentials, and connects to the EFTF whatever is asked for; or refuses all. RFC 9110 §9.3.6
 * @param eftf port of the EFTF; undefined: nobody may connect
 */
export function startProxy(eftf: number | undefined): Promise<Between> {
  return listening((socket) => {
    let head = '';
    const hear = (octets: Buffer): void => {
      head += octets.toString('latin1');
      if (!head.endsWith('\r\n\r\n')) return;
      const known = head.includes(`Proxy-Authorization: Basic ${BASIC}`);
      head = '';
      if (eftf === undefined) socket.end(REFUSED);
      else if (!known) socket.write(WANTED);
      else {
        socket.off('data', hear);
        const onward = tcp(eftf, '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
          socket.pipe(onward).pipe(socket);
        });
        onward.on('error', () => socket.destroy());
      }
    };
    socket.on('data', hear);
  });
}

/** A NAT that forgets a connection on which nothing passes for `ms`, and resets it when something comes. RFC 5382 §5 */
export function startNat(eftf: number, clock: VirtualClock, ms: number): Promise<Between> {
  return listening((socket) => {
    let last = clock.now();
    const onward = tcp(eftf, '127.0.0.1').on('error', () => {});
    const passes = (to: Socket) => (octets: Buffer) => {
      if (clock.now() - last > ms) socket.resetAndDestroy();
      else to.write(octets);
      last = clock.now();
    };
    socket.on('data', passes(onward)).once('end', () => onward.end());
    onward.on('data', passes(socket)).once('end', () => socket.end());
  });
}
