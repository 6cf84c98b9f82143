/** Runs one dissector over octets laid out by hand, without an engine. */
import {
  type AnyDissector,
  type Ctx,
  type Field,
  hex,
  hexNumber,
  ip4,
  ip6,
  Malformed,
  Short,
  Tree,
} from 'fttscope/kit';
import { amid } from '../../support/amid.js';

/** What a dissector made of a message. */
export interface Layer {
  readonly tree: Tree;
  /** Values of each field by name, in order, as text the way tshark prints them. */
  readonly fields: Readonly<Record<string, string[]>>;
  readonly experts: readonly string[];
  readonly summary: string;
  /** What stopped the dissector. */
  readonly stopped: Short | Malformed | undefined;
}

export interface Where {
  /** Whether the message came out of a stream. */
  readonly stream?: boolean;
  readonly sport?: number;
  readonly dport?: number;
  readonly note?: unknown;
  /** Octets that the message had on the wire. */
  readonly wire?: number;
}

/** A context that hands nothing on. */
export function context(where: Where = {}): Ctx {
  return {
    frame: 1,
    seconds: 1_700_000_000,
    nanos: 0,
    direction: 0,
    stream: where.stream ?? false,
    net: { version: 4, buf: new Uint8Array(32), src: 0, dst: 4 },
    sport: where.sport ?? 0,
    dport: where.dport ?? 0,
    quoted: false,
    verifies: () => true,
    next: () => undefined,
    call: () => false,
    payload: () => undefined,
    data: () => undefined,
    note: () => where.note,
  } as unknown as Ctx;
}

/** Octets from hexadecimal digits; blanks are for the eye. */
export const octets = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s+/g, ''), 'hex'));

/** Runs `d` over `b`. Anything but Short and Malformed is thrown on. */
export function run(d: AnyDissector, b: Uint8Array, where: Where = {}): Layer {
  const tree = new Tree();
  tree.labels = true;
  const v = amid(b, 'Frame', where.wire);
  tree.enter(v.source);
  const cx = context(where);
  let stopped: Short | Malformed | undefined;
  try {
    d.dissect(v, tree, cx);
    if (tree.level !== 0) throw new Error(`ends at depth ${tree.level}`);
  } catch (e) {
    if (!(e instanceof Short) && !(e instanceof Malformed)) throw e;
    stopped = e;
  }
  const fields: Record<string, string[]> = {};
  for (let i = 0; i < tree.length; i++) {
    const name = tree.field(i).name;
    fields[name] ??= [];
    fields[name].push(text(tree, i));
  }
  return { tree, fields, experts: tree.experts.map((e) => e.message), summary: d.summary?.(v, cx) ?? '', stopped };
}

function text(tree: Tree, i: number): string {
  const f: Field = tree.field(i);
  const value = tree.value(i);
  if (value instanceof Uint8Array) {
    if (f.type === 'ipv4') return ip4(value, 0);
    if (f.type === 'ipv6') return ip6(value, 0);
    const s = hex(value, 0, value.length);
    return f.type === 'guid' ? s.replaceAll(':', '').replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') : s;
  }
  if (f.base === 'hex' && value !== undefined && typeof value !== 'string') return hexNumber(Number(value), digits(f));
  return value === undefined ? '' : String(value);
}

const digits = (f: Field): number => Number(f.type.slice(1)) / 4;

/**
 * Runs `d` over `b` cut at every length, as if it had ended there on the wire and as if the snaplen had cut it: nothing
 * but Short and Malformed may be thrown, and what is missing by a cut is never called malformed by Short.
 */
export function cutEverywhere(d: AnyDissector, b: Uint8Array, where: Where = {}): void {
  for (let n = 0; n < b.length; n++) {
    run(d, b.slice(0, n), where);
    const { stopped } = run(d, b.slice(0, n), { ...where, wire: b.length });
    if (stopped instanceof Short && !stopped.cut) throw new Error(`cut at ${n}: ${stopped.message}`);
  }
}
