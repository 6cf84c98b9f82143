import type { Field, Tree } from '../kit/index.js';
import { editDistance } from './edit-distance.js';
import { captureFilterHint, FilterError } from './error.js';
import type { Range } from './parse.js';
import type { FieldRef } from './term.js';
import { kindOf } from './value.js';

/** The fields that filters may name. */
export interface FieldCatalogue {
  /** Fields with this name or alias; several may share one. */
  byName(name: string): readonly Field[];
  names(): Iterable<string>;
  /** Names of the layers: `ip`, `sip`. */
  protocols(): Iterable<string>;
}

/** One dissected row. */
export interface RowView {
  readonly tree: Tree;
  /** Protocols of layers that are there without a node. */
  readonly nodeless: readonly string[];
  /** What `test` says where the columns of the packet list are in the tree too. */
  withColumns?(test: () => boolean): boolean;
}

/** Fields that are columns of the packet list. */
const COLUMN = '_ws.col.';

/** The layer that parts the outer world from the inner one. */
const ENVELOPE = 'fttims';
/** Names that show an address as text. */
const HOST_NAME = /[._]host$/;

/** Names that protocols once had, which Wireshark still takes. */
const FORMER: Readonly<Record<string, string>> = { ssl: 'tls', bootp: 'dhcp' };

/** Resolves names of one expression and remembers what they were. */
export class Names {
  readonly fields = new Map<number, Field>();
  readonly protocols = new Set<string>();
  private readonly layers: readonly string[];

  /** @param all also fields that are known only when all was read may be named */
  constructor(
    private readonly catalogue: FieldCatalogue,
    private readonly all: boolean,
  ) {
    this.layers = [...catalogue.protocols()];
  }

  /** Whether the name is that of a field or layer, maybe with `inner.`, `outer.` or a leading dot. */
  has(name: string): boolean {
    return this.split(name).fields.length > 0;
  }
  /** Whether a column of the packet list is among the names. */
  get hasColumn(): boolean {
    for (const f of this.fields.values()) if (f.name.startsWith(COLUMN)) return true;
    return false;
  }
  /** Whether the name is that of a layer. */
  isLayer(name: string): boolean {
    return this.split(name).fields.some((f) => f.type === 'protocol');
  }

  private split(written: string): { fields: readonly Field[]; name: string; side?: 'inner' | 'outer' } {
    const plain = /^\.[A-Za-z_]/.test(written) ? written.slice(1) : written;
    const name = plain.replace(/^(?:ssl|bootp)(?=\.|$)/, (former) => FORMER[former]);
    const fields = this.catalogue.byName(name);
    const m = fields.length === 0 ? /^(inner|outer)\.(.+)$/.exec(name) : null;
    if (m === null) return { fields, name };
    return { fields: this.catalogue.byName(m[2]), name: m[2], side: m[1] as 'inner' | 'outer' };
  }

  /** @throws FilterError if there is no such field */
  resolve(written: string, layers: readonly Range[] | undefined, expression: string, at: number): FieldRef {
    const { fields, name, side } = this.split(written);
    if (fields.length === 0) throw this.unknown(written, expression, at);
    if (!this.all && fields.every((f) => f.atEnd === true))
      throw new FilterError(
        `"${written}" is known only when all of the capture was read.`,
        expression,
        at,
        written.length,
        'read and extract read it twice with -2, and the screens know it then.',
      );
    const layer = this.layerOf(name);
    this.protocols.add(layer);
    const keep = [...fields];
    if (layers !== undefined || fields.some((f) => f.type === 'protocol')) keep.push(...this.catalogue.byName(layer));
    if (side !== undefined) keep.push(...this.catalogue.byName(ENVELOPE));
    for (const f of keep) this.fields.set(f.id, f);
    const host = HOST_NAME.test(name) && fields.every((f) => f.type === 'ipv4' || f.type === 'ipv6');
    return {
      name: written,
      kind: host ? 'string' : kindOf(fields[0].type),
      fields,
      wanted: marks(fields),
      layer: marks(this.catalogue.byName(layer)),
      envelope: marks(this.catalogue.byName(ENVELOPE)),
      ...(layers === undefined ? {} : { layers }),
      ...(side === undefined ? {} : { side }),
    };
  }

  /** The layer that a field belongs to, by its name. */
  private layerOf(name: string): string {
    let best = '';
    for (const p of this.layers) if (p.length > best.length && (name === p || name.startsWith(`${p}.`))) best = p;
    return best || name.split('.')[0];
  }

  private unknown(name: string, expression: string, at: number): FilterError {
    const bare = name.replace(/^(\.|(inner|outer)\.(?=.))/, '');
    const similar = this.similar(bare);
    const prefix = name.slice(0, name.length - bare.length);
    const suggestion = similar.length > 0 ? `Did you mean ${similar.map((s) => prefix + s).join(' or ')}?` : undefined;
    return new FilterError(
      `"${name}" is neither a field nor a protocol name.`,
      expression,
      at,
      name.length,
      caseOnly(bare, similar)
        ? `Letter case counts. ${suggestion}`
        : (suggestion ?? captureFilterHint(expression) ?? this.asText(bare)),
    );
  }

  /** Up to three names that differ by letter case or by a typing error or two. */
  private similar(name: string): string[] {
    const lower = name.toLowerCase();
    const furthest = Math.min(3, Math.max(1, Math.floor(name.length / 4)));
    const found: { name: string; distance: number }[] = [];
    for (const candidate of new Set([...this.catalogue.names(), ...this.layers])) {
      const same = candidate.toLowerCase() === lower;
      const distance = same ? -1 : editDistance(lower, candidate.toLowerCase(), furthest);
      if (distance <= furthest) found.push({ name: candidate, distance });
    }
    found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
    const longer = (found[0]?.distance ?? Number.POSITIVE_INFINITY) > 1 ? this.longer(lower) : [];
    if (longer.length > 0) return longer;
    return found
      .filter((f) => f.distance === found[0].distance)
      .slice(0, 3)
      .map((f) => f.name);
  }

  /** How to look for a word, unless it is on its way to become a name. */
  private asText(word: string): string | undefined {
    if (!/^[\w-]+$/.test(word)) return undefined;
    const lower = word.toLowerCase();
    for (const name of this.catalogue.names()) if (name.toLowerCase().startsWith(lower)) return undefined;
    return textHint(`"${word}"`);
  }

  /** Names that begin so, the shortest first: `tunnel.id` for `tunnel`, `sip.Status-Code` for `sip.status`. */
  private longer(lower: string): string[] {
    if (lower.length < 4) return [];
    const goOn = lower.includes('.') ? lower : `${lower}.`;
    return [...new Set(this.catalogue.names())]
      .filter((n) => n.toLowerCase().startsWith(goOn))
      .sort((a, b) => a.length - b.length || (a < b ? -1 : 1))
      .slice(0, 3);
  }
}

/** How to look for a text in quotes, wherever it stands. */
export const textHint = (quoted: string): string =>
  `To look for text: frame contains ${quoted}, in a tunnel fttims contains ${quoted}`;

const caseOnly = (name: string, similar: readonly string[]): boolean =>
  similar.length > 0 && similar[0].toLowerCase() === name.toLowerCase();

function marks(fields: readonly Field[]): Uint8Array {
  const out = new Uint8Array(Math.max(0, ...fields.map((f) => f.id)) + 1);
  for (const f of fields) out[f.id] = 1;
  return out;
}
