/** TLS octets laid out by hand, and a way to dissect them without an engine. */
import { type Ctx, concat, hex, Malformed, Short, Tree, View } from 'fttscope/kit';
import { tls } from '../../../dissectors/tls/index.js';
import type { TlsRecordNote } from '../../../dissectors/tls/note.js';
import { amid } from '../../support/amid.js';

type Part = Uint8Array | readonly number[] | string;

const octetsOf = (p: Part): Uint8Array => (typeof p === 'string' ? fromHex(p) : Uint8Array.from(p));

/** Octets from hexadecimal digits; blanks do not count. */
export const fromHex = (s: string): Uint8Array =>
  Uint8Array.from((s.replace(/\s/g, '').match(/../g) ?? []).map((h) => Number.parseInt(h, 16)));

export const ascii = (s: string): Uint8Array => new TextEncoder().encode(s);

/** Parts one after the other; strings are hexadecimal. */
export const join = (...parts: Part[]): Uint8Array => concat(parts.map(octetsOf));

/** The parts with their length in `n` octets before them. */
export function vector(n: 1 | 2 | 3, ...parts: Part[]): Uint8Array {
  const body = join(...parts);
  const length = [body.length >>> 16, (body.length >>> 8) & 255, body.length & 255].slice(3 - n);
  return join(length, body);
}

export const u16 = (v: number): number[] => [v >>> 8, v & 255];

export const extension = (type: number, ...parts: Part[]): Uint8Array => join(u16(type), vector(2, ...parts));

export const handshake = (type: number, ...parts: Part[]): Uint8Array => join([type], vector(3, ...parts));

export const record = (type: number, version: number, ...parts: Part[]): Uint8Array =>
  join([type], u16(version), vector(2, ...parts));

/** 32 octets that count up from `from`. */
export const counting = (from: number): number[] => Array.from({ length: 32 }, (_, i) => (from + i) & 255);

/** A ClientHello of TLS 1.2 and 1.3 with the extensions given. */
export const clientHello = (...extensions: Uint8Array[]): Uint8Array =>
  handshake(1, '0303', counting(0), vector(1, 'a1a2a3a4'), vector(2, '1301 c02f 0a0a 00ff'), vector(1, '00'), [
    ...vector(2, ...extensions),
  ]);

export const serverHello = (suite: number, ...extensions: Uint8Array[]): Uint8Array =>
  handshake(2, '0303', counting(64), vector(1, 'b1b2'), u16(suite), [0], vector(2, ...extensions));

export interface Dissected {
  /** Field name and value; octets as hexadecimal digits with colons, '' for a node without a value. */
  readonly nodes: readonly (readonly [string, string])[];
  readonly experts: readonly string[];
  readonly texts: readonly string[];
  readonly summary: string;
  readonly stopped: Short | Malformed | undefined;
}

/** Dissects one record. Anything but Short and Malformed is thrown on. */
export function dissect(b: Uint8Array, note?: Partial<TlsRecordNote>, wire = b.length): Dissected {
  const t = new Tree();
  t.labels = true;
  const v = amid(b, 'Frame', wire);
  t.enter(v.source);
  const cx = { note: () => note } as unknown as Ctx;
  let stopped: Short | Malformed | undefined;
  try {
    tls.dissect(v, t, cx);
    if (t.level !== 0) throw new Error(`ends at depth ${t.level}`);
  } catch (e) {
    if (!(e instanceof Short) && !(e instanceof Malformed)) throw e;
    stopped = e;
  }
  const nodes: [string, string][] = [];
  for (let i = 0; i < t.length; i++) {
    const value = t.value(i);
    nodes.push([
      t.field(i).name,
      value instanceof Uint8Array ? hex(value, 0, value.length) : value === undefined ? '' : String(value),
    ]);
  }
  return {
    nodes,
    experts: t.experts.map((e) => e.expert.code),
    texts: [...t.texts.values()],
    summary: b.length < 2 ? '' : tls.summary!(v, cx),
    stopped,
  };
}

/** Values of a field, in order. */
export const valuesOf = (d: Dissected, name: string): string[] => d.nodes.filter((n) => n[0] === name).map((n) => n[1]);

/** The handshake messages that stand whole in the record `b`. */
export function messagesOf(b: Uint8Array): View[] {
  const v = View.of(b);
  const out: View[] = [];
  for (let at = 5; at + 4 <= b.length; ) {
    const end = at + 4 + ((b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!);
    if (end > b.length) break;
    out.push(new View(v.source, at, end));
    at = end;
  }
  return out;
}

/** A note of a record that was sent in the clear. */
export const CLEAR = { version: 0x0303, direction: 0, status: 'clear', contentType: 22, verified: false } as const;
