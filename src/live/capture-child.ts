/**
 * A process of its own that captures on one interface with node-pcap and writes pcapng to descriptor 3. It stands apart
 * because the addon blocks its process while packets come, cannot be closed, and alone needs rights. It ends with its
 * parent, and when it is told to.
 */
import { readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { PcapngWriter } from '../capture/writer.js';
import { u32le } from '../kit/bytes.js';
import type { ChildOrder, ChildWord } from './capture-order.js';

/** What is used of the package, whose own types would bring those of an old Node. */
interface Session {
  readonly link_type: string;
  on(event: 'packet', take: (packet: { buf: Buffer; header: Buffer }) => void): void;
  stats(): { ps_recv: number; ps_drop: number; ps_ifdrop: number };
}
interface Pcap {
  warningHandler: (text: string) => void;
  createSession(device: string, options: Record<string, unknown>): Session;
  findalldevs(): { name: string; description?: string; flags?: string }[];
}

const LINK_TYPES: Readonly<Record<string, number>> = {
  LINKTYPE_NULL: 0,
  LINKTYPE_ETHERNET: 1,
  LINKTYPE_RAW: 101,
  LINKTYPE_LINUX_SLL: 113,
  LINKTYPE_IEEE802_11_RADIO: 127,
};

const STREAM = 3;
/** Who started this process closes it to end the capture. */
const CONTROL = 4;
/** Longest wait of a packet in the buffer of the kernel, and in ours. Without any the kernel drops many. */
const KERNEL_MS = 100;
const FLUSH_MS = 50;
const STATISTICS_MS = 1000;
/** Packets between two looks at the clock: while they come without end, no timer runs, and no message arrives. */
const LOOK = 64;
/** The kernel hands over what came before the end within this time: a block of its buffer waits twice KERNEL_MS at most. */
const SETTLED_MS = 4 * KERNEL_MS;

type CaptureOrder = Extract<ChildOrder, { do: 'capture' }>;

const order = JSON.parse(process.argv[2]) as ChildOrder;
const say = (word: ChildWord): void => {
  process.send?.(word);
};

function capture(pcap: Pcap, o: CaptureOrder): void {
  const session = pcap.createSession(o.device, {
    filter: o.filter,
    buffer_size: o.bufferOctets,
    buffer_timeout: KERNEL_MS,
    snap_length: o.snaplen,
    promiscuous: o.promiscuous,
  });
  // Ctrl-C and the end of a terminal go to every process of it: who started this one says when the end is.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  const stream = new CapturedStream(session, o);
  // From here on the descriptor does not block; where no packets come its end is heard here, which closes it.
  new Socket({ fd: CONTROL }).on('close', () => stream.stop()).unref();
  say({ kind: 'started' });
  session.on('packet', ({ buf, header }) => stream.packet(buf, header));
  // What came while this process could not run is read before it is judged by the time.
  setInterval(() => setImmediate(() => stream.look()), FLUSH_MS);
}

/** What is captured, as pcapng, with what the kernel counted. */
class CapturedStream {
  private readonly writer: PcapngWriter;
  private readonly iface: number;
  private untilLook = LOOK;
  private lastFlush = performance.now();
  private lastStatistics = this.lastFlush;
  private taken = 0;
  private received = 0;
  private dropped = 0;
  private readonly last = { received: 0, dropped: 0 };
  /** Once the end was told: how many packets the kernel says that it had for us, and a time which none of them bears (ms). */
  private end: { readonly packets: number; readonly after: number } | undefined;

  constructor(
    private readonly session: Session,
    o: CaptureOrder,
  ) {
    const { snaplen, filter, device, application } = o;
    this.writer = new PcapngWriter(STREAM, { application });
    const unknown = /(\d+)$/.exec(session.link_type);
    const link = LINK_TYPES[session.link_type] ?? Number(unknown?.[1] ?? 1);
    this.iface = this.writer.iface(link, device, { snaplen, ...(filter !== '' && { filter }) });
    this.writer.flush();
  }

  packet(octets: Buffer, header: Buffer): void {
    try {
      const captured = Math.min(u32le(header, 8), octets.length);
      const [seconds, nanoseconds] = [u32le(header, 0), u32le(header, 4) * 1000];
      this.writer.frame(this.iface, seconds, nanoseconds, octets.subarray(0, captured), { wire: u32le(header, 12) });
      this.taken++;
      if (this.end !== undefined) this.endAt(seconds * 1000 + nanoseconds / 1e6, this.end);
      if (--this.untilLook === 0) this.look();
    } catch {
      process.exit(0); // nobody reads any more
    }
  }

  /** Does what is due. */
  look(): void {
    this.untilLook = LOOK;
    const now = performance.now();
    if (now - this.lastFlush < FLUSH_MS) return;
    this.lastFlush = now;
    if (this.end === undefined && told()) this.stop();
    if (this.end === undefined && now - this.lastStatistics >= STATISTICS_MS) {
      this.count();
      this.statistics();
      this.lastStatistics = now;
    }
    this.writer.flush();
  }

  /** Ends as soon as what came until now is read. */
  stop(): void {
    if (this.end !== undefined) return;
    this.count();
    this.end = { packets: this.received - this.dropped, after: Date.now() + SETTLED_MS };
    if (this.taken >= this.end.packets) this.finish();
    // libpcap counts what it then leaves out as well (all that goes out on lo, what came before the filter was set): the count
    // may never be reached. Between a timer and setImmediate all is read that the kernel has handed over.
    setTimeout(() => setImmediate(() => this.finish()), SETTLED_MS);
  }

  /** After a packet of that time: where more come than can be read, no timer runs. */
  private endAt(ms: number, { packets, after }: NonNullable<CapturedStream['end']>): void {
    if (this.taken >= packets || ms >= after) this.finish();
  }

  private finish(): never {
    this.statistics();
    this.writer.flush();
    process.exit(0); // a session that captures cannot be closed
  }

  private count(): void {
    const { ps_recv, ps_drop, ps_ifdrop } = this.session.stats();
    const dropped = (ps_drop + ps_ifdrop) >>> 0;
    // Its counters have 32 bits, which a busy line fills in some days.
    this.received += (ps_recv - this.last.received) >>> 0;
    this.dropped += (dropped - this.last.dropped) >>> 0;
    Object.assign(this.last, { received: ps_recv, dropped });
  }

  private statistics(): void {
    const ms = Date.now();
    const [seconds, nanoseconds] = [Math.floor(ms / 1000), (ms % 1000) * 1_000_000];
    this.writer.statistics(this.iface, seconds, nanoseconds, BigInt(this.received), BigInt(this.dropped));
  }
}

/** Whether the capture is to end: to be asked where the event loop does not run for a while. */
function told(): boolean {
  try {
    return readSync(CONTROL, Buffer.alloc(1)) === 0;
  } catch {
    return false; // nothing to read
  }
}

process.on('disconnect', () => process.exit(0));
try {
  const pcap = createRequire(import.meta.url)('pcap') as Pcap;
  pcap.warningHandler = () => {};
  if (order.do === 'list') say({ kind: 'interfaces', interfaces: pcap.findalldevs() });
  else capture(pcap, order);
} catch (e) {
  const { code = '', message } = e as NodeJS.ErrnoException;
  const loads = code !== 'MODULE_NOT_FOUND' && code !== 'ERR_DLOPEN_FAILED';
  say({ kind: 'failed', loads, message: message.split('\n')[0] });
}
