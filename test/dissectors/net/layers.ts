import { arp } from '../../../dissectors/arp.js';
import { data } from '../../../dissectors/data.js';
import { ethernet } from '../../../dissectors/ethernet.js';
import { icmp } from '../../../dissectors/icmp.js';
import { icmpv6 } from '../../../dissectors/icmpv6/index.js';
import { serviceTag } from '../../../dissectors/ieee8021ah.js';
import { ipv4 } from '../../../dissectors/ipv4.js';
import { ipv6 } from '../../../dissectors/ipv6.js';
import { destinationOptions, fragmentHeader, hopByHop, routing } from '../../../dissectors/ipv6-extensions.js';
import { llc } from '../../../dissectors/llc.js';
import { nullLoop } from '../../../dissectors/null-loop.js';
import { ppp } from '../../../dissectors/ppp.js';
import { pppoed, pppoes } from '../../../dissectors/pppoe.js';
import { rawIp } from '../../../dissectors/raw-ip.js';
import { sctp } from '../../../dissectors/sctp.js';
import { sll } from '../../../dissectors/sll.js';
import { sll2 } from '../../../dissectors/sll2.js';
import { ssh } from '../../../dissectors/ssh.js';
import { udp } from '../../../dissectors/udp.js';
import { vlan } from '../../../dissectors/vlan.js';
import { Registry } from '../../../src/engine/registry.js';
import {
  type AnyDissector,
  type Ctx,
  Malformed,
  type NetPair,
  Peek,
  Short,
  type TableKey,
  type Track,
  Tree,
  type View,
} from '../../../src/kit/index.js';
import { fieldText } from '../../../src/report/value.js';
import { amid } from '../../support/amid.js';

const LAYERS = [
  ...[ethernet, llc, vlan, serviceTag, sll, sll2, nullLoop, rawIp, ppp, pppoes, pppoed, arp, ipv4, ipv6, hopByHop],
  ...[routing, fragmentHeader, destinationOptions, icmp, icmpv6, sctp, ssh, udp, data],
] as readonly AnyDissector[];
const registry = new Registry(LAYERS);
const NO_NET: NetPair = { version: 4, buf: new Uint8Array(0), src: 0, dst: 0 };

/** Octets written as hex, blanks ignored. */
export const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replace(/\s+/g, ''), 'hex'));

/** What a packet looks like when all of its layers were read. */
export interface Seen {
  readonly protocols: string[];
  /** Values as `-T fields` prints them. */
  readonly fields: Record<string, string[]>;
  readonly experts: string[];
  /** The Info column: that of the last layer that has one. */
  info: string;
  /** What the layer that failed said, if one did. */
  failed: Error | undefined;
  /** Context as it stood at the end. */
  readonly cx: Ctx;
}

export interface SeeOptions {
  /** Octets on the wire, where a snaplen cut the packet. */
  wire?: number;
  /** Notes of the index pass, by dissector. */
  notes?: ReadonlyMap<AnyDissector, unknown>;
  seconds?: number;
}

/** Dissects `b` from `table` and `key` on, as the engine does, with the layers of this test alone. */
export function see(table: string, key: TableKey, b: Uint8Array, options: SeeOptions = {}): Seen {
  const t = new Tree();
  t.labels = true;
  const protocols: string[] = [];
  let leaf: { d: AnyDissector; v: View } | undefined;
  let failed: Error | undefined;
  const layer = (d: AnyDissector, v: View): void => {
    protocols.push(d.proto);
    if (d.summary !== undefined && !cx.quoted) leaf = { d, v };
    const depth = t.level;
    const source = t.enter(v.source);
    t.level = 0;
    try {
      d.dissect(v, t, cx);
      if (t.level !== 0) throw new Error(`${d.proto} ends at depth ${t.level}`);
    } catch (e) {
      if (!(e instanceof Short || e instanceof Malformed)) throw e;
      failed ??= e;
    }
    t.leave(source, depth);
  };
  const cx: Ctx = {
    frame: 1,
    seconds: options.seconds ?? 0,
    nanos: 0,
    net: NO_NET,
    sport: 0,
    dport: 0,
    quoted: false,
    verifies: () => true,
    next: (below: string, k: TableKey, v: View): void => {
      if (below === 'ethertype') protocols.push('ethertype');
      const d = registry.lookup(below, k);
      if (d === undefined) cx.data(v);
      else layer(d, v);
    },
    takes: (below: string, k: TableKey): boolean => registry.lookup(below, k) !== undefined,
    call: () => false,
    payload: (v: View): void => cx.data(v),
    data: (v: View): void => {
      if (v.length > 0) layer(data, v);
    },
    note: <T>(d: AnyDissector): T | undefined => options.notes?.get(d) as T | undefined,
  } as unknown as Ctx;
  cx.next(table, key, amid(b, 'Frame', options.wire));
  const fields: Record<string, string[]> = {};
  for (let i = 0; i < t.length; i++) {
    const { name } = t.field(i);
    if (fields[name] === undefined) fields[name] = [];
    fields[name].push(fieldText(t, i));
  }
  const info = leaf?.d.summary?.(leaf.v, cx) ?? '';
  return { protocols, fields, experts: t.experts.map((e) => e.message), info, failed, cx };
}

/** Follows `peek` from `table` and `key` on as far as it leads; returns the walk as it ends, and who took part. */
export function walk(table: string, key: TableKey, b: Uint8Array): { p: Peek; protocols: string[] } {
  const p = new Peek();
  p.buf = b;
  p.end = b.length;
  p.wireEnd = b.length;
  p.table = table;
  p.key = key;
  const protocols: string[] = [];
  for (let depth = 0; depth < 32; depth++) {
    const d = registry.lookup(p.table, p.key);
    if (d?.peek === undefined) break;
    protocols.push(d.proto);
    p.table = '';
    d.peek(p);
    if (p.fragment) break;
  }
  return { p, protocols };
}

/** Runs `track` of a dissector on a message; returns what it noted. State is kept in `states`. */
export function track(
  d: AnyDissector,
  b: Uint8Array,
  net: NetPair,
  at: { frame: number; seconds: number; nanos: number },
  states: Map<AnyDissector, unknown>,
): unknown {
  let noted: unknown;
  const cx: Partial<Track> = {
    ...at,
    net,
    sport: 0,
    dport: 0,
    direction: 0,
    scope: <S>(owner: AnyDissector, make: () => S): S => {
      if (!states.has(owner)) states.set(owner, make());
      return states.get(owner) as S;
    },
    note: (value: unknown) => {
      noted = value;
    },
  };
  d.track!(amid(b), cx as Track);
  return noted;
}

/** Every prefix of a packet must end well, whatever layer it cuts. */
export function cutEverywhere(table: string, key: TableKey, b: Uint8Array): void {
  for (let n = 0; n <= b.length; n++) {
    const part = b.slice(0, n);
    see(table, key, part);
    see(table, key, part, { wire: b.length });
    walk(table, key, part);
  }
}

export { LAYERS };
