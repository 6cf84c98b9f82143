import { createSocket } from 'node:dgram';
import { isIPv6, type Socket } from 'node:net';
import type { OuterTape, TapeEnd } from './tap-tape.js';

/** A connection that was asked for. */
interface Attempt {
  readonly there: TapeEnd;
  /** When the SYN went, by the clock of the tape. */
  readonly asked: number;
  /** From which address, once that is known. */
  here?: string;
  /** When it was refused or given up. */
  over?: number;
  isRefused: boolean;
}

/** Made up: which port the system took is not told where nothing came of it. */
const PORT = 49_152;
const PORTS = 16_384;

/** The connections that a socket asks for, to be taped where nothing comes of them. */
export class Attempts {
  private readonly list: Attempt[] = [];

  constructor(
    socket: Socket,
    private readonly tape: OuterTape,
  ) {
    socket.on('connectionAttempt', (address, port) => this.begin({ address, port }));
    socket.on('connectionAttemptTimeout', (address) => this.over(address));
    socket.on('connectionAttemptFailed', (address, _port, _family, error) => this.over(address, error));
    socket.on('error', (error: NodeJS.ErrnoException & { address?: string }) => this.over(error.address, error));
  }

  /** When the SYN of the last one went. */
  get asked(): number | undefined {
    return this.list.at(-1)?.asked;
  }

  private begin(there: TapeEnd): void {
    const attempt: Attempt = { there, asked: this.tape.now(), isRefused: false };
    this.list.push(attempt);
    sourceTowards(there, (address) => {
      attempt.here = address;
    });
  }

  private over(address: string | undefined, error?: NodeJS.ErrnoException): void {
    const attempt = this.list.find((a) => a.there.address === address);
    if (attempt === undefined || attempt.over !== undefined) return;
    attempt.over = this.tape.now();
    attempt.isRefused = error?.code === 'ECONNREFUSED';
  }

  /** Tapes those that were refused or not answered. @param answered where the connection came to be in the end */
  write(answered?: string): void {
    for (const { there, here, asked, over = this.tape.now(), isRefused } of this.list) {
      if (there.address === answered || here === undefined) continue;
      const port = PORT + (Math.floor(asked) % PORTS);
      this.tape.inVain({ address: here, port }, there, { asked, over, isRefused });
    }
  }
}

/** Tells the address from which this machine sends to another; nothing where there is no way. */
function sourceTowards({ address, port }: TapeEnd, tell: (address: string) => void): void {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.on('error', () => socket.close());
  // Nothing is sent: this chooses a route.
  socket.connect(port, address, () => {
    tell(socket.address().address);
    socket.close();
  });
}
