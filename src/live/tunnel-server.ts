import { readFileSync } from 'node:fs';
import { createServer, isIP, type Server, type Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { hostAndPortText } from '../kit/index.js';
import { LIMITS } from '../limits.js';
import { unmapped } from './address.js';
import { listed, unsent } from './discard-words.js';
import type { EftfFaults } from './fault-eftf.js';
import { addressOfName } from './lookup.js';
import type { OuterTape } from './tap-tape.js';
import type { Certified } from './tls-certificate.js';
import { insistOnName } from './tls-hello.js';
import { contextOptions, type TlsVersions } from './tls-settings.js';
import { Tap } from './tls-tap.js';
import { plainly } from './tls-words.js';
import { discardsInWords, type Families } from './tunnel-envelopes.js';
import { TunnelLink } from './tunnel-link.js';

/** How many connections an EFTF holds, and how long it waits; the defaults stand in the limits. */
export interface ServerLimits {
  readonly tunnels: number;
  readonly tunnelsPerAddress: number;
  /** Connections whose handshake goes on; the oldest makes room. */
  readonly handshakes: number;
  readonly handshakeMs: number;
  /** A UE that takes nothing, or sends half an envelope, for so long is cut off. */
  readonly stallMs: number;
  readonly idleMs: number;
  /** Files and connections that the system lets this process have open. */
  readonly descriptors: number;
}

/** How tunnels are accepted. */
export interface ServerOptions {
  readonly certificate: Certified;
  readonly versions: TlsVersions;
  readonly ciphers?: string;
  readonly families?: Families;
  readonly tape?: OuterTape;
  readonly limits?: Partial<ServerLimits>;
  /** What it does wrong. */
  readonly faults?: EftfFaults;
  readonly onKey?: (line: Buffer) => void;
  /** A tunnel was established. */
  readonly onTunnel: (tunnel: ServedTunnel) => void;
  /** Something that the operator wants to know. */
  readonly tell: (words: string) => void;
}

/** A tunnel at the EFTF. */
export interface ServedTunnel {
  /** From 1, in the order of establishment. */
  readonly id: number;
  readonly link: TunnelLink;
  /** `ADDRESS:PORT` of the UE. */
  readonly ue: string;
  /** `TLSv1.3, TLS_AES_256_GCM_SHA384, resumed`. */
  readonly tls: string;
}

/** How often stalled tunnels are looked for. */
const WATCH_MS = 1000;

const DEFAULTS: ServerLimits = {
  tunnels: LIMITS.liveTunnels,
  tunnelsPerAddress: LIMITS.liveTunnelsPerAddress,
  handshakes: LIMITS.liveHandshakes,
  handshakeMs: LIMITS.liveHandshakeMs,
  stallMs: LIMITS.liveStallMs,
  idleMs: LIMITS.liveIdleMs,
  descriptors: openFiles(),
};

/** What of the descriptors is not for connections: Node's own, and files. Without any Node closes what arrives, and tells nobody. */
const SPARE_DESCRIPTORS = 40;

/** How many files this process may have open; where the system does not say, it does not matter. */
function openFiles(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? Infinity);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** A connection before its tunnel is established. */
interface Arrival {
  readonly socket: Socket;
  readonly name: string;
  readonly since: number;
  /** Once its first octet came. */
  tap: Tap | undefined;
}

/** The outer side of an EFTF: takes TCP connections, runs their handshakes, holds their tunnels (TS 24.322 §5.2.3). */
export class TunnelServer {
  readonly tunnels = new Map<number, ServedTunnel>();
  /** Connections that did not become tunnels. */
  refused = 0;
  private readonly server: Server;
  private readonly context: SecureContext;
  private readonly limits: ServerLimits;
  /** In the order of arrival. */
  private readonly arrivals = new Set<Arrival>();
  private readonly byAddress = new Map<string, number>();
  private watch: NodeJS.Timeout | undefined;
  private lastId = 0;
  private closing = false;
  private told = new Map<string, number>();

  /** @throws Error of TLS, where certificate, versions or suites do not serve */
  constructor(private readonly o: ServerOptions) {
    this.limits = { ...DEFAULTS, ...o.limits };
    const { cert, key } = o.certificate;
    this.context = createSecureContext({
      cert,
      key,
      sessionIdContext: SESSIONS,
      ...contextOptions(o.versions, o.ciphers),
    });
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.arrived(socket));
  }

  /** Listens; returns the address and port that it got. @param gone nobody wants it any more, while a name is resolved */
  async listen(host: string, port: number, gone?: AbortSignal): Promise<{ address: string; port: number }> {
    const own = isIP(host) === 0 ? await addressOfName(host, gone) : host;
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ host: own, port, backlog: 4096 }, () => {
        this.server.off('error', reject);
        this.server.on('error', (e) => this.o.tell(`cannot accept: ${plainly(e)}`));
        // What came while this process could not run is heard before anybody is judged by the time.
        this.watch = setInterval(() => setImmediate(() => this.look()), WATCH_MS);
        const at = this.server.address() as { address: string; port: number };
        resolve({ address: at.address, port: at.port });
      });
    });
  }

  /** Releases all tunnels by close_notify and listens no more. TS 24.322 §5.5.2 */
  async close(): Promise<void> {
    this.closing = true;
    clearInterval(this.watch);
    this.server.close();
    for (const a of [...this.arrivals]) this.drop(a);
    const links = [...this.tunnels.values()].map((t) => t.link);
    for (const link of links) link.close('released by the EFTF, which ends');
    await Promise.all(links.map((link) => link.closed));
  }

  private arrived(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const name = hostAndPortText(unmapped(address), socket.remotePort ?? 0);
    const { limits } = this;
    const held = this.byAddress.get(address) ?? 0;
    if (this.closing || address === '') {
      socket.destroy();
      return;
    }
    const all = this.tunnels.size + this.arrivals.size;
    const full = held >= limits.tunnelsPerAddress || all >= limits.tunnels + limits.handshakes;
    if (full || all >= limits.descriptors - SPARE_DESCRIPTORS) {
      socket.destroy();
      this.refused++;
      const why = full
        ? 'too many are held'
        : `this process may open ${limits.descriptors} files at a time (ulimit -n)`;
      this.often(`refused connections: ${why}`, name);
      return;
    }
    if (this.arrivals.size >= limits.handshakes) this.evict();
    this.byAddress.set(address, held + 1);
    socket.once('close', () => this.left(address));
    const arrival: Arrival = { socket, name, since: performance.now(), tap: undefined };
    this.arrivals.add(arrival);
    const gone = (): void => this.drop(arrival);
    socket.once('error', gone).once('close', gone).once('end', gone);
    // TLS costs memory: it starts when the UE does.
    socket.once('readable', () => {
      socket.off('error', gone).off('end', gone);
      if (this.arrivals.has(arrival) && !socket.destroyed) this.begin(arrival);
    });
  }

  private left(address: string): void {
    const held = (this.byAddress.get(address) ?? 1) - 1;
    if (held === 0) this.byAddress.delete(address);
    else this.byAddress.set(address, held);
  }

  /** The oldest connection whose handshake goes on makes room. */
  private evict(): void {
    const [oldest] = this.arrivals;
    this.refused++;
    this.often(`cut off half-open connections: more than ${this.limits.handshakes} at a time`, oldest.name);
    this.drop(oldest);
  }

  private drop(a: Arrival): void {
    if (!this.arrivals.delete(a)) return;
    if (a.tap === undefined) a.socket.on('error', () => {}).destroy();
    else a.tap.destroy();
  }

  /** The first octets of a connection come. */
  private begin(arrival: Arrival): void {
    const { socket, name } = arrival;
    const here = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 };
    const there = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    const tap = new Tap(socket, this.o.tape?.connection(here, there, false));
    arrival.tap = tap;
    const go = (): void => {
      if (this.arrivals.has(arrival)) this.handshake(arrival, tap);
    };
    if (!this.o.faults?.has('want-sni')) {
      go();
      return;
    }
    tap.on('error', () => {}).once('close', () => this.drop(arrival));
    insistOnName(tap, go, () => {
      this.refused++;
      this.often('refused a ClientHello without a server name', name);
    });
  }

  private handshake(arrival: Arrival, tap: Tap): void {
    const { name } = arrival;
    const tls = new TLSSocket(tap, { isServer: true, secureContext: this.context });
    tls.on('keylog', (line: Buffer) => {
      this.o.tape?.key(line.toString('latin1'));
      this.o.onKey?.(line);
    });
    const failed = (e: NodeJS.ErrnoException): void => {
      if (this.arrivals.has(arrival)) this.often('TLS failed', `${name}: ${plainly(e)}`);
      this.refused++;
      this.drop(arrival);
    };
    const closed = (): void => this.drop(arrival);
    tls.on('error', failed).on('close', closed).on('end', closed);
    tls.once('secure', () => {
      tls.off('error', failed).off('close', closed).off('end', closed);
      if (this.arrivals.delete(arrival)) this.established(tls, tap, name);
      else tls.destroy();
    });
  }

  private established(tls: TLSSocket, tap: Tap, ue: string): void {
    if (this.tunnels.size >= this.limits.tunnels) {
      this.refused++;
      this.often(`refused tunnels: more than ${this.limits.tunnels}`, ue);
      tls.on('error', () => {}).end(() => tls.destroy());
      return;
    }
    const { families } = this.o;
    const link = new TunnelLink(tls, tap, { peer: 'the UE', ...(families && { families }) });
    const words = [tls.getProtocol(), tls.getCipher().standardName, ...(tls.isSessionReused() ? ['resumed'] : [])];
    const tunnel: ServedTunnel = { id: ++this.lastId, link, ue, tls: words.join(', ') };
    this.tunnels.set(tunnel.id, tunnel);
    void link.ended.then((end) => {
      this.tunnels.delete(tunnel.id);
      const discarded = listed(discardsInWords(link.counts), unsent(link.sent));
      this.o.tell(`tunnel ${tunnel.id} ended: ${end.words}${discarded === '' ? '' : `; discarded ${discarded}`}`);
    });
    this.o.onTunnel(tunnel);
  }

  /** Cuts off who does not go on. */
  private look(): void {
    const now = performance.now();
    const { handshakeMs, stallMs, idleMs } = this.limits;
    for (const a of this.arrivals) {
      if (now - a.since < handshakeMs) break;
      this.refused++;
      this.often(`cut off connections that did not finish their handshake within ${handshakeMs / 1000} s`, a.name);
      this.drop(a);
    }
    for (const { link } of this.tunnels.values()) {
      const silent = now - link.lastHeard;
      if (link.stalledSince !== 0 && now - link.stalledSince > stallMs)
        link.cut(`cut off: the UE took nothing for ${stallMs / 1000} s (slow reader)`);
      else if (link.reader.waiting > 0 && silent > stallMs)
        link.cut(`cut off: half an envelope came, and nothing more for ${stallMs / 1000} s`);
      else if (silent > idleMs) link.cut(`cut off: nothing came for ${Math.round(idleMs / 60_000)} minutes`);
    }
  }

  /** Tells what may happen very often: at the 1st, 10th, 100th … time. */
  private often(what: string, example: string): void {
    const n = (this.told.get(what) ?? 0) + 1;
    this.told.set(what, n);
    if (Number.isInteger(Math.log10(n)))
      this.o.tell(n === 1 ? `${what}: ${example}` : `${what}: ${n} times, now ${example}`);
  }
}

/** Lets sessions be resumed at this EFTF. RFC 5246 §7.4.1.2 */
const SESSIONS = 'fttscope eftf';
