/** Runs SIP and the dissectors of its bodies over octets laid out by hand, without an engine. */
import {
  type AnyDissector,
  type Ctx,
  hex,
  Malformed,
  type NetPair,
  Short,
  type Track,
  Tree,
  type View,
} from 'fttscope/kit';
import { mimeMultipart } from '../../../dissectors/mime-multipart.js';
import { sdp } from '../../../dissectors/sdp/index.js';
import { sip } from '../../../dissectors/sip/index.js';
import { dataTextLines, media } from '../../../dissectors/text-media.js';
import { xml } from '../../../dissectors/xml.js';
import { amid } from '../../support/amid.js';

const dissectors: readonly AnyDissector[] = [sip, sdp, mimeMultipart, dataTextLines, xml, media];
const bodies = new Map<string | number, AnyDissector>();
for (const d of dissectors) for (const key of d.on?.media_type ?? []) bodies.set(key, d);

/** A node of the tree: field name, value as tshark prints it, offset and length. */
export type Node = readonly [name: string, value: string, off: number, len: number];

export interface Expectation {
  readonly address: string;
  readonly port: number;
  readonly proto: string;
  readonly note: unknown;
}

/** A world of its own: what one message says about later ones stays in it. */
export class World {
  readonly expectations: Expectation[] = [];
  private readonly scopes = new Map<AnyDissector, unknown>();

  /** Tracks a message and returns what was noted about it. `from` 0 is 192.0.2.1, 1 is 192.0.2.2. */
  track(
    b: Uint8Array,
    frame = 1,
    from: 0 | 1 = 0,
    micros = 0,
    ports: readonly [number, number] = [5060, 5060],
  ): unknown {
    let noted: unknown;
    const buf = Uint8Array.from([192, 0, 2, 1 + from, 192, 0, 2, 2 - from]);
    const net: NetPair = { version: 4, buf, src: 0, dst: 4 };
    const cx: Track = {
      frame,
      seconds: Math.floor(micros / 1e6),
      nanos: (micros % 1e6) * 1000,
      net,
      sport: ports[from],
      dport: ports[1 - from],
      direction: from,
      flow: (_, make) => make(),
      scope: <S>(d: AnyDissector, make: () => S): S => {
        if (!this.scopes.has(d)) this.scopes.set(d, make());
        return this.scopes.get(d) as S;
      },
      expect: (a, port, proto, note) => {
        this.expectations.push({ address: Array.from(a).join('.'), port, proto, note });
      },
      expected: () => undefined,
      capped: () => {},
      track: (_, key, v) => bodies.get(key)?.track?.(v, cx),
      note: (value) => {
        noted = value;
      },
    };
    sip.track!(amid(b), cx);
    return noted;
  }
}

export interface Layers {
  readonly nodes: readonly Node[];
  readonly protocols: readonly string[];
  readonly experts: readonly string[];
  readonly summary: string;
  readonly tree: Tree;
  /** What stopped the message's own dissector. */
  readonly stopped: Short | Malformed | undefined;
}

/** Dissects a message. Anything but Short and Malformed is thrown on. */
export function dissect(b: Uint8Array, note?: unknown, wire = b.length): Layers {
  const tree = new Tree();
  tree.labels = true;
  const v = amid(b, 'Frame', wire);
  tree.enter(v.source);
  const protocols: string[] = [];
  const cx = context(tree, protocols, note);
  let stopped: Short | Malformed | undefined;
  try {
    sip.dissect(v, tree, cx);
    if (tree.level !== 0) throw new Error(`ends at depth ${tree.level}`);
  } catch (e) {
    if (!(e instanceof Short) && !(e instanceof Malformed)) throw e;
    stopped = e;
  }
  return {
    nodes: nodesOf(tree),
    protocols,
    experts: tree.experts.map((e) => e.message),
    summary: sip.summary!(v, cx),
    tree,
    stopped,
  };
}

function context(tree: Tree, protocols: string[], note: unknown): Ctx {
  const layer = (d: AnyDissector, v: View): void => {
    const depth = tree.level;
    protocols.push(d.proto);
    tree.level = 0;
    try {
      d.dissect(v, tree, cx);
    } catch (e) {
      if (!(e instanceof Short) && !(e instanceof Malformed)) throw e;
    }
    tree.level = depth;
  };
  const cx = {
    frame: 1,
    seconds: 0,
    nanos: 0,
    net: { version: 4 as const, buf: new Uint8Array(8), src: 0, dst: 4 },
    sport: 5060,
    dport: 5060,
    quoted: false,
    verifies: () => true,
    wantsBelow: () => true,
    mediaType: '',
    mediaParameters: '',
    takes: (table: string, key: string | number) => table === 'media_type' && bodies.has(key),
    next(_table: string, key: string | number, v: View) {
      const d = bodies.get(key);
      cx.mediaType = String(key);
      if (d !== undefined) layer(d, v);
      else cx.data(v);
    },
    call(proto: string, v: View) {
      const d = dissectors.find((x) => x.proto === proto);
      if (d !== undefined) layer(d, v);
      return d !== undefined;
    },
    payload: (v: View) => cx.data(v),
    data(v: View) {
      if (v.length > 0) protocols.push('data');
    },
    note: () => note as never,
  };
  return cx as unknown as Ctx;
}

function nodesOf(tree: Tree): Node[] {
  const nodes: Node[] = [];
  for (let i = 0; i < tree.length; i++) {
    const f = tree.field(i);
    if (f.name === 'text') continue;
    const value = tree.value(i);
    const text = value instanceof Uint8Array ? hex(value, 0, value.length) : String(value ?? '');
    nodes.push([f.name, f.type === 'guid' ? guid(text) : text, tree.off[i], tree.len[i]]);
  }
  return nodes;
}

const guid = (s: string): string => s.replaceAll(':', '').replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

/** A message from lines: the octets with CRLF after each. */
export const message = (...lines: string[]): Uint8Array =>
  new TextEncoder().encode(lines.map((l) => `${l}\r\n`).join(''));

/** The values of one field, in order. */
export const valuesOf = (l: Layers, name: string): string[] => l.nodes.filter((n) => n[0] === name).map((n) => n[1]);
