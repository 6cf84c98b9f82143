import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Hears what passes a {@link Tap}, in the order of the wire. Octets are valid only during the call. */
export interface TapListener {
  octets(sent: boolean, octets: Uint8Array): void;
  /** A FIN. */
  finished(sent: boolean): void;
  /** The connection broke: by a RST that was sent, or by an error. */
  broken(sent: boolean): void;
}

/** How long the FIN of the peer is waited for. */
const LINGER_MS = 500;

const NOTHING = new Uint8Array(0);
const NOBODY: TapListener = { octets: () => {}, finished: () => {}, broken: () => {} };

/**
 * A TCP connection under TLS of which every octet is seen. It also tells apart what the interface of Node's TLS does
 * not: an end by close_notify, and one by a FIN alone (a truncation, RFC 5246 §7.2.1). The FIN is passed on to TLS a
 * moment late: when TLS tells an end while {@link finPassed} is false, it was a close_notify.
 */
export class Tap extends Duplex {
  finPassed = false;
  /** Octets on the wire. */
  sentOctets = 0;
  receivedOctets = 0;
  /** What broke the connection. */
  failure: NodeJS.ErrnoException | undefined;
  /** This end sent a RST. */
  resetSent = false;
  private finSent = false;

  /** @param raw a connected socket that allows half-open connections */
  constructor(
    readonly raw: Socket,
    private readonly listener: TapListener = NOBODY,
  ) {
    super({ allowHalfOpen: true });
    raw.on('data', (chunk: Buffer) => this.arrived(chunk));
    raw.on('end', () => {
      if (this.isBroken()) return; // an error follows
      listener.finished(false);
      moments(2, () => this.passFin());
    });
    raw.on('error', (error) => {
      this.failure = error;
      this.listener.broken(false);
      this.destroy(error);
    });
    raw.on('close', () => moments(4, () => this.destroy(this.failure)));
  }

  /** Whether an end is none: that of a RST close behind octets is told as one. A write of nothing fails then. */
  private isBroken(): boolean {
    const { raw } = this;
    if (raw.writable && raw.writableLength === 0) raw.write(NOTHING);
    return raw.errored !== null;
  }

  private arrived(chunk: Buffer): void {
    this.receivedOctets += chunk.length;
    this.listener.octets(false, chunk);
    if (this.destroyed) return;
    if (!this.push(chunk)) this.raw.pause();
  }

  private passFin(): void {
    if (this.destroyed) return;
    this.finPassed = true;
    this.push(null);
  }

  override _read(): void {
    this.raw.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.finSent) {
      done();
      return;
    }
    this.sentOctets += chunk.length;
    this.listener.octets(true, chunk);
    this.raw.write(chunk, (error) => {
      if (error && this.failure === undefined) {
        this.failure = error;
        this.listener.broken(false); // before what follows from it ends the run
      }
      done(error);
    });
  }

  override _final(done: () => void): void {
    this.sendFin();
    done();
  }

  /** After a FIN that was sent in good order the peer has a moment for its own. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const { raw } = this;
    if (error === null && this.finSent && !raw.readableEnded && !raw.destroyed) {
      raw.resume();
      setTimeout(() => raw.destroy(), LINGER_MS).unref();
    } else {
      if (!this.finSent && error === null) this.listener.finished(true);
      this.finSent = true;
      raw.destroy();
    }
    done(error);
  }

  /** Sends a FIN now; nothing more can be sent, but what the peer sends still arrives. */
  sendFin(): void {
    if (this.finSent) return;
    this.finSent = true;
    this.listener.finished(true);
    this.raw.end();
  }

  /** Sends a RST now, or behind a FIN that is on its way. */
  reset(): void {
    this.finSent = true;
    this.resetSent = true;
    this.listener.broken(true);
    const { raw } = this;
    // resetAndDestroy() ends in good order first, with a FIN; its second half alone does not.
    const rst = (): void => void Object.assign(raw, { resetAndClosing: true }).destroy();
    // While a FIN is on its way the system takes no RST, and the connection would stay.
    if (raw.writableEnded && !raw.writableFinished && raw.writableLength === 0) raw.once('finish', rst);
    else rst();
  }
}

/** Calls back after `n` turns of the event loop: what TLS makes of the octets before has then been told. */
function moments(n: number, callback: () => void): void {
  if (n === 0) callback();
  else setImmediate(() => moments(n - 1, callback));
}
