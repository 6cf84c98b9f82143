import type { Row } from '../../engine/row.js';
import type { Field, Tree } from '../../kit/index.js';
import {
  firstNode,
  named,
  octetsOf,
  RULE,
  type Selector,
  type StatContext,
  type Statistic,
  selector,
} from './statistic.js';

/** A layer below the layers above it. */
interface Layer {
  readonly protocol: string;
  frames: number;
  bytes: number;
  readonly layers: Layer[];
}

const NAME_CELLS = 40;
/** Wireshark indents no further. */
const DEEPEST = 15;

/** Nodes that are no protocols and stand between them all the same. */
const SEGMENTS = 'tcp.segments';
const MARKS: readonly string[] = [SEGMENTS, '_ws.malformed', '_ws.short'];

/** Where Wireshark shows what it reads as parts of a layer, not as layers of their own. */
class Place {
  private layer = '';
  private quoted = false;
  private ipv6 = false;
  private message = false;

  /** Whether the next layer is shown inside of one before it. */
  inside(name: string): boolean {
    const { layer, quoted } = this;
    if (name === 'ipv6') this.ipv6 = true;
    if (name.startsWith('ipv6.') || name === 'osi' || name === 'igmp.message' || (name === 'ah' && this.ipv6))
      return true;
    this.layer = name;
    if (name === 'icmp' || name === 'icmpv6') {
      this.quoted = true;
      return quoted;
    }
    if (name === 'tls') return layer === 'tls';
    if (quoted) return HEADERS.has(name) || (name === 'data' && !HEADERS.has(layer));
    if (name === 'sip' || name === SEGMENTS || name.startsWith('_ws.')) this.message = name === 'sip' || this.message;
    else if (this.message) return true; // bodies are parts of the message
    return false;
  }
}

/** What an ICMP error quotes is part of it; only what such headers carry is not. */
const HEADERS: ReadonlySet<string> = new Set(['ip', 'ipv6', 'udp', 'tcp']);

/** `io,phs[,FILTER]`: how often each protocol stood on each stack of others. IPv6 has its extension headers in itself. */
export class Hierarchy implements Statistic {
  readonly asked: string;
  readonly fields: readonly Field[];
  private readonly top: Layer[] = [];
  private readonly only: Selector;
  /** Names of the nodes that are layers. */
  private readonly counted: ReadonlySet<string>;

  constructor(cx: StatContext, filter: string) {
    this.asked = cx.asked;
    this.only = selector(cx, filter);
    const all = named(cx.registry, ...cx.registry.protocols(), ...MARKS);
    const layers = all.filter((f) => f.type === 'protocol' || MARKS.includes(f.name));
    this.fields = [...layers, ...this.only.fields];
    this.counted = new Set(layers.map((f) => f.name).filter((n) => n !== 'frame'));
  }

  take(row: Row): void {
    if (!this.only.matches(row)) return;
    const t = row.dissection.tree;
    const bytes = octetsOf(row);
    let layers = this.top;
    for (const name of this.path(row, t)) {
      let layer = layers.find((l) => l.protocol === name);
      if (layer === undefined) layers.push((layer = { protocol: name, frames: 0, bytes: 0, layers: [] }));
      layer.frames++;
      layer.bytes += bytes;
      layers = layer.layers;
    }
  }

  /** The layers of a row from outside in, those that Wireshark shows inside of others left out. */
  private path(row: Row, t: Tree): string[] {
    const path: string[] = row.inner === 0 && row.outer.comments !== undefined ? ['pkt_comment'] : [];
    const place = new Place();
    let reassembled = false;
    let message = '';
    for (let i = firstNode(row, t); i < t.length; i++) {
      const { name } = t.field(i);
      if (t.depth(i) !== 0 || !this.counted.has(name) || place.inside(name)) continue;
      // What a message was put together from stands behind it.
      if (reassembled && (name === SEGMENTS || name === message)) path.push(SEGMENTS);
      if (name === SEGMENTS || name === message) reassembled = name === SEGMENTS;
      if (name === SEGMENTS) message = '';
      else {
        if (message === '' && reassembled) message = name;
        path.push(name);
      }
    }
    if (reassembled) path.push(SEGMENTS);
    return path;
  }

  text(): string {
    const lines: string[] = [];
    const add = (layers: readonly Layer[], depth: number): void => {
      for (const l of layers) {
        const indent = depth > DEEPEST ? `${'  '.repeat(DEEPEST)}...` : '  '.repeat(depth);
        lines.push(`${`${indent}${l.protocol}`.padEnd(NAME_CELLS)} frames:${l.frames} bytes:${l.bytes}`);
        add(l.layers, depth + 1);
      }
    };
    add(this.top, 0);
    return `\n${[RULE, 'Protocol Hierarchy Statistics', `Filter: ${this.only.text}`, '', ...lines, RULE].join('\n')}\n`;
  }

  json(): object {
    return { statistic: this.asked, filter: this.only.text, protocols: this.top };
  }
}
