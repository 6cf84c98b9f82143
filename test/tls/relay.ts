import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Conversation, Flight } from '../build/conversation.js';

/** Stands between two programs that speak TLS, and writes down what each says, as a capture between them would. */
export class Relay {
  private readonly flights: Flight[] = [];
  private readonly sockets = new Set<Socket>();
  /** Connections that both sides have ended. */
  ended = 0;
  /** Octets from the client and from the server, in all. */
  readonly passed: [number, number] = [0, 0];

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** Listens on a port of the loopback interface for what goes to `target`. */
  static async to(target: number): Promise<Relay> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const relay = new Relay(server, (server.address() as AddressInfo).port);
    server.on('connection', (client) => relay.join(client, target));
    return relay;
  }

  private join(client: Socket, target: number): void {
    const server = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true });
    const ends = [client, server] as const;
    let open = 2;
    ends.forEach((from, side) => {
      const to = ends[1 - side]!;
      this.sockets.add(from.setNoDelay());
      from.on('data', (octets) => {
        this.flights.push({ side: side as 0 | 1, octets: Uint8Array.from(octets), ordered: true, pause: 0 });
        this.passed[side as 0 | 1] += octets.length;
        to.write(octets);
      });
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        if (--open === 0) this.ended++;
      });
    });
  }

  /** What was said since this was asked last, with the keys that one of the programs wrote down. */
  said(keylog: string): Conversation {
    return { flights: this.flights.splice(0), inner: [], keylog, cipher: '', reused: false };
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}
