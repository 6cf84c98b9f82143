import type { FieldCatalogue } from '../filter/index.js';
import { savedFilters } from '../filter/saved-filters.js';
import type { Detail, Selection, Viewer } from '../viewer/viewer.js';
import { complete, type FieldName, type FilterNames } from './completion.js';
import type { Completion } from './prompt.js';
import type { Settings } from './settings.js';
import type { Story } from './told.js';

/** Values remembered of a field. */
const VALUES = 500;
/** Packets that are looked into for the values of a field. */
const LOOKED_INTO = 40;

const COMPARED =
  /([A-Za-z_][\w.-]*)\s*(?:===?|!==?|~=|[<>]=?|\beq\b|\bne\b|\bcontains\b|\bmatches\b|\bin\s*\{)[^&|()]*$/;

/** The names and values that a filter may have here: of the catalogue, of the report, and of packets that were looked into. */
export class FilterWords {
  private names: FilterNames | undefined;
  private readonly looked = new Map<string, Map<string, number>>();
  private readonly noted = new Set<number>();
  private field = '';
  private current: Selection | undefined;

  constructor(
    private readonly viewer: Viewer,
    private readonly fields: FieldCatalogue,
    private readonly story: () => Story | undefined,
    private readonly settings: Pick<Settings, 'filters'> = { filters: [] },
  ) {}

  /** What Tab offers at the cursor. */
  complete(text: string, cursor: number): Completion | undefined {
    this.names ??= namesOf(this.fields);
    const seen = new Map([...(this.story()?.seen ?? []), ...this.looked]);
    const { from, to, proposals } = complete(text, cursor, this.names, seen, savedFilters(this.settings.filters));
    if (to > cursor && text.slice(cursor, to).trim() !== '') return undefined;
    const words = proposals.map((p) => ({ text: p.text, note: p.detail }));
    return { from, words };
  }

  /** Notes the values of a packet. */
  note(detail: Detail): void {
    if (this.noted.has(detail.row)) return;
    this.noted.add(detail.row);
    for (const { field, filter } of detail.nodes)
      if (filter?.startsWith(`${field} == `) === true) this.add(field, filter.slice(field.length + 4));
  }

  private add(field: string, literal: string): void {
    const value = literal.startsWith('"') ? literal.slice(1, -1).replace(/\\(["\\])/g, '$1') : literal;
    let values = this.looked.get(field);
    if (values === undefined) this.looked.set(field, (values = new Map()));
    const n = values.get(value);
    if (n !== undefined || values.size < VALUES) values.set(value, (n ?? 0) + 1);
  }

  /** Looks into packets that have the field which the text compares last, so that its values are known to Tab. */
  lookAhead(text: string): void {
    const field = COMPARED.exec(text)?.[1];
    if (field === undefined || field === this.field || this.viewer.check(field) !== null) return;
    this.stop();
    this.field = field;
    const s = this.viewer.select({ kind: 'both', filter: field });
    this.current = s;
    s.onMore(() => {
      if (this.current !== s || (!s.done && s.count < LOOKED_INTO)) return;
      this.current = undefined;
      s.cancel();
      void this.read(s, field);
    });
  }

  /** Nobody types any more. */
  stop(): void {
    this.current?.cancel();
    this.current = undefined;
    this.field = '';
  }

  private async read(s: Selection, field: string): Promise<void> {
    const step = Math.max(1, Math.floor(s.count / LOOKED_INTO));
    for (let i = 0; i < s.count && field === this.field; i += step)
      try {
        this.note(await this.viewer.detail(s.at(i)));
      } catch {
        return; // somebody asked for the tree of another packet
      }
  }
}

function namesOf(catalogue: FieldCatalogue): FilterNames {
  const named = (name: string): FieldName => {
    const f = catalogue.byName(name)[0];
    return { name, label: f?.label ?? '', type: f?.type ?? 'none' };
  };
  const sorted = (names: Iterable<string>): FieldName[] => [...new Set(names)].sort().map(named);
  return { fields: sorted(catalogue.names()), protocols: sorted(catalogue.protocols()) };
}
