/** Runs dissectors over octets laid out by hand, without an engine. */
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
import { CallIds } from '../../../dissectors/sdp/call-ids.js';
import type { MediaNote, PayloadType } from '../../../dissectors/sdp/index.js';
import { fieldText } from '../../../src/report/value.js';
import { amid } from '../../support/amid.js';

export interface Sent {
  readonly frame?: number;
  readonly seconds?: number;
  readonly nanos?: number;
  readonly direction?: 0 | 1;
  /** What SDP announced. */
  readonly expected?: unknown;
  /** Octets that the packet had on the wire. */
  readonly wire?: number;
}

export interface Seen {
  /** Field name and value as tshark prints it, headings left out. */
  readonly fields: readonly (readonly [string, string])[];
  readonly protocols: readonly string[];
  readonly experts: readonly string[];
  /** What people read: texts of nodes. */
  readonly labels: readonly string[];
  readonly summary: string;
  /** What stopped a dissector. */
  readonly stopped: readonly string[];
}

/** Dissectors that know each other, and one flow between 192.0.2.1 and 192.0.2.2. */
export class World {
  private readonly tables = new Map<string, AnyDissector>();
  private readonly states = new Map<AnyDissector, unknown>();

  constructor(private readonly dissectors: readonly AnyDissector[]) {
    for (const d of dissectors)
      for (const [table, keys] of Object.entries(d.on ?? {})) for (const k of keys) this.tables.set(`${table} ${k}`, d);
  }

  /** Tracks and dissects one message. */
  see(d: AnyDissector, b: Uint8Array, sent: Sent = {}): Seen {
    const v = amid(b, 'Frame', sent.wire);
    const notes = new Map<AnyDissector, unknown>();
    if (d.track) this.track(d, v, sent, notes);
    const tree = new Tree();
    tree.labels = true;
    const protocols: string[] = [];
    const stopped: string[] = [];
    const leaves: [AnyDissector, View][] = [];
    const layer = (x: AnyDissector, view: View): void => {
      const { level } = tree;
      const source = tree.enter(view.source);
      tree.level = 0;
      protocols.push(x.proto);
      if (x.summary) leaves.push([x, view]);
      try {
        x.dissect(view, tree, cx);
        if (tree.level !== 0) throw new Error(`${x.proto} ends at depth ${tree.level}`);
      } catch (e) {
        if (!(e instanceof Short) && !(e instanceof Malformed)) throw e;
        stopped.push(x.proto);
      }
      tree.leave(source, level);
    };
    const cx = this.context(layer, protocols, notes, sent);
    layer(d, v);
    const [last, view] = leaves[leaves.length - 1];
    const nodes = Array.from({ length: tree.length }, (_, i) => i);
    return {
      fields: nodes
        .filter((i) => tree.field(i).type !== 'protocol' && tree.field(i).name !== 'text')
        .map((i) => [tree.field(i).name, valueText(tree, i)] as const),
      protocols,
      experts: tree.experts.map((e) => e.expert.code),
      labels: [...tree.texts.values()],
      summary: last.summary!(view, cx),
      stopped,
    };
  }

  private track(d: AnyDissector, v: View, sent: Sent, notes: Map<AnyDissector, unknown>): void {
    const net: NetPair = { version: 4, buf: Uint8Array.of(192, 0, 2, 1, 192, 0, 2, 2), src: 0, dst: 4 };
    let now = d;
    const flow = <S>(x: AnyDissector, make: () => S): S => {
      if (!this.states.has(x)) this.states.set(x, make());
      return this.states.get(x) as S;
    };
    const cx: Track = {
      frame: sent.frame ?? 1,
      seconds: sent.seconds ?? 0,
      nanos: sent.nanos ?? 0,
      net,
      sport: 4000,
      dport: 5000,
      direction: sent.direction ?? 0,
      flow,
      scope: flow,
      expect: () => {},
      capped: () => {},
      expected: <T>() => sent.expected as T | undefined,
      track: (table, key, view) => {
        const next = this.tables.get(`${table} ${key}`);
        if (next?.track === undefined) return;
        const before = now;
        now = next;
        next.track(view, cx);
        now = before;
      },
      note: (value) => {
        notes.set(now, value);
      },
    };
    d.track!(v, cx);
  }

  private context(
    layer: (d: AnyDissector, v: View) => void,
    protocols: string[],
    notes: Map<AnyDissector, unknown>,
    sent: Sent,
  ): Ctx {
    const cx = {
      frame: sent.frame ?? 1,
      seconds: 0,
      nanos: 0,
      direction: sent.direction ?? 0,
      net: { version: 4, buf: new Uint8Array(8), src: 0, dst: 4 },
      sport: 4000,
      dport: 5000,
      quoted: false,
      verifies: () => true,
      mediaParameters: '',
      takes: (table: string, key: string | number) => this.tables.has(`${table} ${key}`),
      next: (table: string, key: string | number, v: View) => {
        const d = this.tables.get(`${table} ${key}`);
        if (d === undefined) cx.data(v);
        else layer(d, v);
      },
      call: (proto: string, v: View) => {
        const d = this.dissectors.find((x) => x.proto === proto);
        if (d !== undefined) layer(d, v);
        return d !== undefined;
      },
      payload: (v: View) => cx.data(v),
      data: (v: View) => {
        if (v.length > 0) protocols.push('data');
      },
      note: (d: AnyDissector) => notes.get(d),
    };
    return cx as unknown as Ctx;
  }
}

function valueText(t: Tree, i: number): string {
  const { type } = t.field(i);
  if (type === 'none') return '';
  const o = t.octets(i);
  return type === 'bytes' ? hex(o, 0, o.length) : fieldText(t, i);
}

/** What SDP in a frame said of the payload types at an address. */
export const announced = (payloadTypes: ReadonlyMap<number, PayloadType>, setupFrame = 1): MediaNote => ({
  ...{ setupFrame, callId: '', callIds: CallIds.NONE, kind: 'audio', payloadTypes, secure: false },
});

/** Octets from hexadecimal text; white space is left out. */
export const octets = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s+/g, ''), 'hex'));

/** The values of one field. */
export const values = (seen: Seen, name: string): string[] => seen.fields.filter((f) => f[0] === name).map((f) => f[1]);
