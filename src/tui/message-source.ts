import type { Detail, DetailNode, Viewer } from '../viewer/viewer.js';
import { messageText } from './sip-text.js';

/** A message as one reads it. */
export interface MessageText {
  /** What it is: `sip` is text as it was sent, `tree` are the layers of something else, `wait` and `error` are words about it. */
  readonly kind: 'sip' | 'tree' | 'wait' | 'error';
  readonly lines: readonly string[];
  /** The whole text, where there is one. */
  readonly text: string;
}

/** Messages that are kept. */
const KEPT = 200;

const words = (kind: 'wait' | 'error', line: string): MessageText => ({ kind, lines: [line], text: '' });

/** Fetches messages of rows, one at a time: the one asked for last is fetched first. */
export class MessageSource {
  private readonly kept = new Map<string, MessageText>();
  private wanted: string[] = [];
  private busy = false;
  private waiting: { readonly id: string; readonly take: (message: MessageText) => void }[] = [];

  constructor(
    private readonly viewer: Viewer,
    private readonly changed: () => void,
  ) {}

  /** The message of a row, as far as it is known now. */
  get(id: string): MessageText {
    const known = this.kept.get(id);
    if (known !== undefined) return known;
    this.wanted = [...this.wanted.filter((w) => w !== id), id];
    void this.fetch();
    return words('wait', 'reading …');
  }

  /** Gives the message of a row to somebody, once it was read. */
  whenRead(id: string, take: (message: MessageText) => void): void {
    const message = this.get(id);
    if (message.kind === 'wait') this.waiting.push({ id, take });
    else take(message);
  }

  /** What was read is of an older reading of the capture. */
  forget(): void {
    this.kept.clear();
    this.wanted = [];
    this.waiting = [];
  }

  private async fetch(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    for (let id = this.wanted.pop(); id !== undefined; id = this.wanted.pop()) this.keep(id, await this.read(id));
    this.busy = false;
    this.changed();
  }

  private keep(id: string, message: MessageText): void {
    if (this.kept.size >= KEPT) this.kept.delete(this.kept.keys().next().value!);
    this.kept.set(id, message);
    const here = this.waiting.filter((w) => w.id === id);
    this.waiting = this.waiting.filter((w) => w.id !== id);
    for (const { take } of here) take(message);
    this.changed();
  }

  private async read(id: string): Promise<MessageText> {
    const row = this.viewer.rows.byId(id);
    if (row < 0) return words('error', `there is no packet ${id}`);
    try {
      return messageOf(await this.viewer.detail(row));
    } catch (e) {
      return words('error', `packet ${id}: ${(e as Error).message}`);
    }
  }
}

/** The innermost message of a row: SIP as text, anything else as its tree. */
export function messageOf({ nodes, sources }: Detail): MessageText {
  const layers = nodes.filter((n) => n.depth === 0 && n.field !== '');
  const sip = layers.findLast((n) => n.field === 'sip');
  if (sip !== undefined) {
    const octets = sources[sip.source]?.octets.subarray(sip.off, sip.off + sip.length) ?? new Uint8Array(0);
    const text = messageText(octets);
    return { kind: 'sip', lines: text.replace(/[\r\n]+$/, '').split(/\r\n|\n|\r/), text };
  }
  // What is said of a packet as a whole, as the tunnel that it ran in, has no octets.
  const last = layers.findLast((n) => n.length > 0) ?? layers.at(-1);
  const lines = last === undefined ? [] : treeLines(nodes, nodes.indexOf(last));
  return { kind: 'tree', lines, text: lines.join('\n') };
}

/** A layer and what is in it. */
function treeLines(nodes: readonly DetailNode[], from: number): string[] {
  const out = [nodes[from].label];
  for (let i = from + 1; i < nodes.length && nodes[i].depth > 0; i++)
    out.push(`${'  '.repeat(nodes[i].depth)}${nodes[i].severity === undefined ? '' : '! '}${nodes[i].label}`);
  return out;
}
