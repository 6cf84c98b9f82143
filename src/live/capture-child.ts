/**
 * A process of its own that captures on one interface with node-pcap and writes pcapng to descriptor 3. It stands apart
 * because the addon blocks its process while packets come, cannot be closed, and alone needs rights. It ends with its
 * parent, and when it is told to.
 */
import { createRequire } from 'node:module';
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
/** Longest wait of a packet in the buffer of the kernel, and in ours. Without any the kernel drops many. */
const KERNEL_MS = 100;
const FLUSH_MS = 50;
const STATISTICS_MS = 1000;
/** Packets between two looks at the clock: while they come without end, no timer runs. */
const LOOK = 64;

const order = JSON.parse(process.argv[2]) as ChildOrder;
const say = (word: ChildWord): void => {
  process.send?.(word);
};

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

function capture(pcap: Pcap, o: Extract<ChildOrder, { do: 'capture' }>): void {
  const session = pcap.createSession(o.device, {
    filter: o.filter,
    buffer_size: o.bufferOctets,
    buffer_timeout: KERNEL_MS,
    snap_length: o.snaplen,
    promiscuous: o.promiscuous,
  });
  const writer = new PcapngWriter(STREAM, { application: o.application });
  const unknown = /(\d+)$/.exec(session.link_type);
  const link = LINK_TYPES[session.link_type] ?? Number(unknown?.[1] ?? 1);
  const iface = writer.iface(link, o.device, { snaplen: o.snaplen, ...(o.filter !== '' && { filter: o.filter }) });
  writer.flush();
  say({ kind: 'started' });
  let untilLook = LOOK;
  let lastFlush = performance.now();
  let lastStatistics = lastFlush;
  const statistics = (): void => {
    const { ps_recv, ps_drop, ps_ifdrop } = session.stats();
    const ms = Date.now();
    const seconds = Math.floor(ms / 1000);
    writer.statistics(iface, seconds, (ms % 1000) * 1_000_000, BigInt(ps_recv), BigInt(ps_drop + ps_ifdrop));
  };
  const look = (): void => {
    const now = performance.now();
    if (now - lastStatistics >= STATISTICS_MS) {
      statistics();
      lastStatistics = now;
    }
    if (now - lastFlush >= FLUSH_MS) {
      writer.flush();
      lastFlush = now;
    }
  };
  session.on('packet', ({ buf, header }) => {
    try {
      const captured = Math.min(u32le(header, 8), buf.length);
      writer.frame(iface, u32le(header, 0), u32le(header, 4) * 1000, buf.subarray(0, captured), {
        wire: u32le(header, 12),
      });
      if (--untilLook === 0) {
        untilLook = LOOK;
        look();
      }
    } catch {
      process.exit(0); // nobody reads any more
    }
  });
  setInterval(look, FLUSH_MS);
  process.on('message', () => {
    statistics();
    writer.flush();
    process.exit(0); // a session that captures cannot be closed
  });
}
