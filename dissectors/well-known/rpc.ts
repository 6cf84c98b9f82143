import { type Dissector, No, type Probe, type Track, u32, type View, Yes } from 'fttscope/kit';
import { named } from './named.js';

/** Sun's remote procedure calls, RFC 5531 §9, and their programs, all only named: of an answer the call says which it is. */
const CALL = 0;
const REPLY = 1;
/** Programs of RFC 5531 appendix C that have a name of their own. */
const PROGRAMS = [
  [100_000, 'portmap', 'Portmap', 'RFC 1833'],
  [100_003, 'nfs', 'Network File System', 'RFC 1813'],
  [100_004, 'ypserv', 'Yellow Pages Service', 'none'],
  [100_005, 'mount', 'Mount Service', 'RFC 1813 Appendix I'],
  [100_011, 'rquota', 'Remote Quota', 'none'],
  [100_021, 'nlm', 'Network Lock Manager Protocol', 'RFC 1813 Appendix II'],
  [100_024, 'stat', 'Network Status Monitor Protocol', 'none'],
  [100_227, 'nfsacl', 'NFSACL', 'none'],
] as const;
const NAMES: ReadonlyMap<number, string> = new Map(PROGRAMS.map(([number, proto]) => [number, proto]));
/** Programs that are defined for all. RFC 5531 §13.3.1 */
const DEFINED = 100_000 >>> 16;
const LAST_FRAGMENT = 0x8000_0000;
/** Most octets of a fragment that is believed. */
const LARGEST = 1 << 20;
/** Calls of two endpoints whose answers are waited for. */
const WAITING = 64;

/** Octets before the message: in a stream a record mark (RFC 5531 §11). */
const markLength = (stream: boolean | undefined): number => (stream === true ? 4 : 0);

const isCall = (b: Uint8Array, off: number, end: number): boolean =>
  end - off >= 24 && u32(b, off + 4) === CALL && u32(b, off + 8) === 2 && u32(b, off + 12) >>> 16 === DEFINED;

/** A call, in a datagram or behind a record mark; an answer where one was seen. */
function probe(b: Uint8Array, off: number, end: number, known?: boolean): Probe {
  if (isCall(b, off, end)) return Yes;
  if (known === true && end - off >= 12 && u32(b, off + 4) === REPLY) return Yes;
  return end - off >= 28 && recordLength(b, off, end) > 0 && isCall(b, off + 4, end) ? Yes : No;
}

function recordLength(b: Uint8Array, off: number, end: number): number {
  if (end - off < 4) return 0;
  const n = u32(b, off) & ~LAST_FRAGMENT;
  return n < 12 || n > LARGEST ? -1 : 4 + n;
}

/** Where what a call or an answer says to or of its program starts; `end` if it says nothing. RFC 5531 §9 */
function bodyAt(b: Uint8Array, off: number, end: number): number {
  const call = isCall(b, off, end);
  let at = off + (call ? 24 : 12);
  // What proves who asks, and what proves who answers: a kind, a length, and octets.
  for (let i = call ? 2 : 1; i > 0; i--) {
    if (at + 8 > end) return end;
    at += 8 + u32(b, at + 4);
  }
  return Math.min(end, call ? at : at + 4);
}

/** The programs that were called, by transaction. */
class Calls {
  private readonly programs = new Map<number, number>();

  see(v: View, cx: Track): number | undefined {
    const at = v.off + markLength(cx.stream);
    if (v.end - at < 12) return undefined;
    const id = u32(v.buf, at);
    if (u32(v.buf, at + 4) === REPLY) return this.programs.get(id);
    if (!isCall(v.buf, at, v.end)) return undefined;
    const program = u32(v.buf, at + 12);
    if (this.programs.size >= WAITING) this.programs.delete(this.programs.keys().next().value!);
    this.programs.set(id, program);
    return program;
  }
}

const rpc: Dissector = named({
  ...{ proto: 'rpc', title: 'Remote Procedure Call', short: 'RPC', spec: 'RFC 5531' },
  on: { 'tcp.port': [111], 'udp.heuristic': ['rpc'] },
  calls: [...NAMES.values()],
  probe,
  pduLength: recordLength,
  serves: { fields: [], protocols: [...NAMES.values()] },
  track(v, cx) {
    cx.note(cx.flow(rpc, () => new Calls()).see(v, cx));
  },
  inner(v, cx) {
    const name = NAMES.get(cx.note<number>(rpc, v) ?? 0);
    if (name === undefined) return;
    const inside = v.sub(bodyAt(v.buf, v.off + markLength(cx.stream), v.end));
    if (inside.length > 0) cx.call(name, inside);
  },
});

/** Datagrams on the port of RPC that are no calls are only called so. */
const other = named({
  ...{ proto: 'rpc.other', layer: 'rpc', title: 'Remote Procedure Call', short: 'RPC', spec: 'RFC 5531' },
  on: { 'udp.port': [111] },
  probe: (b, off, end) => (end - off < 12 || (!isCall(b, off, end) && u32(b, off + 4) !== REPLY) ? Yes : No),
});

export const rpcs = [
  rpc,
  other,
  ...PROGRAMS.map(([, proto, title, spec]) => named({ proto, title, short: proto.toUpperCase(), spec })),
];
