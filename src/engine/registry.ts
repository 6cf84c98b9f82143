import { type AnyDissector, type Field, fieldCount, type TableKey } from '../kit/index.js';

/** Answers that are kept, a power of two. */
const RECENT = 32;
const TABLE_STEP = 7;

/** The dissectors of this run, found by protocol name, by table and by field name. Made once, from a plain list. */
export class Registry {
  readonly dissectors: readonly AnyDissector[];
  private readonly tables = new Map<string, Map<TableKey, AnyDissector>>();
  private readonly protos = new Map<string, AnyDissector>();
  private readonly fields = new Map<string, Field[]>();

  /**
   * @param more fields that no dissector owns
   * @throws Error when two dissectors claim the same name or table entry
   */
  constructor(dissectors: readonly AnyDissector[], more: Readonly<Record<string, Field>> = {}) {
    this.dissectors = dissectors;
    const etherTypes = new Map<TableKey, AnyDissector>();
    this.tables.set('ethertype', etherTypes);
    this.tables.set('esp.payload', new Map()); // what ESP carries unencrypted is for users to say
    this.tables.set('ethertype.bare', etherTypes); // behind a header that names them, where Wireshark lists no layer
    for (const f of Object.values(more)) this.enterNames(f);
    for (const d of dissectors) {
      if (this.protos.has(d.proto)) throw new Error(`two dissectors are called ${d.proto}`);
      this.protos.set(d.proto, d);
      for (const f of Object.values(d.fields)) this.enterNames(f);
      for (const [table, keys] of Object.entries(d.on ?? {})) for (const key of keys) this.enter(table, key, d);
    }
  }

  private enterNames(f: Field): void {
    this.enterName(f.name, f);
    if (f.aliases !== undefined) for (const alias of f.aliases) this.enterName(alias, f);
  }

  private enterName(name: string, f: Field): void {
    const list = this.fields.get(name);
    if (list === undefined) this.fields.set(name, [f]);
    else if (!list.includes(f)) list.push(f);
  }

  private enter(table: string, key: TableKey, d: AnyDissector): void {
    let keys = this.tables.get(table);
    if (keys === undefined) this.tables.set(table, (keys = new Map()));
    const other = keys.get(key);
    if (other !== undefined && other !== d) throw new Error(`${other.proto} and ${d.proto} both claim ${table} ${key}`);
    keys.set(key, d);
  }

  /** Puts `d` at a table entry for this run (decode-as), whoever stood there. */
  assign(table: string, key: TableKey, d: AnyDissector): void {
    let keys = this.tables.get(table);
    if (keys === undefined) this.tables.set(table, (keys = new Map()));
    keys.set(key, d);
    this.assigned.add(d);
    for (const r of this.recent) r.table = '';
  }
  /** Who was put at an entry by {@link assign}: octets that cannot be theirs are refused, and no others. */
  readonly assigned = new Set<AnyDissector>();

  /** Protocols of which checksums are verified outside of tunnels too, as a user wants it. */
  readonly verified = new Set<string>();

  /** Who is at the port of the server where that is known (else 0), else at the lower of two: servers have low ones. */
  ofPorts(table: string, a: number, b: number, server = 0): AnyDissector | undefined {
    const d = server === 0 ? undefined : this.lookup(table, server);
    return d ?? this.lookup(table, Math.min(a, b)) ?? this.lookup(table, Math.max(a, b));
  }

  lookup(table: string, key: TableKey): AnyDissector | undefined {
    // Most packets ask the same few questions: the answers given last are kept, by key and table so that IP's version 6
    // and its protocol 6, which every other packet asks for, have places of their own.
    const slot = ((typeof key === 'number' ? key : key.length) + TABLE_STEP * table.length) & (RECENT - 1);
    const recent = this.recent[slot];
    if (recent.key === key && recent.table === table) return recent.dissector;
    recent.dissector = this.tables.get(table)?.get(key);
    recent.table = table;
    recent.key = key;
    return recent.dissector;
  }
  private readonly recent = Array.from({ length: RECENT }, () => ({
    table: '',
    key: -1 as TableKey,
    dissector: undefined as AnyDissector | undefined,
  }));

  /** Every dissector of a table, each once. */
  table(name: string): Iterable<AnyDissector> {
    return new Set(this.tables.get(name)?.values() ?? []);
  }

  /** Every table with its entries. */
  entries(): Iterable<readonly [string, ReadonlyMap<TableKey, AnyDissector>]> {
    return this.tables;
  }

  byProto(proto: string): AnyDissector | undefined {
    return this.protos.get(proto);
  }

  /** Fields of that name or alias; empty if there is none. */
  byName(name: string): readonly Field[] {
    return this.fields.get(name) ?? [];
  }

  /** Every field name and alias. */
  names(): Iterable<string> {
    return this.fields.keys();
  }

  /** Every protocol name, without those of other ways to a protocol: `dns_guess` is `dns` on a port of somebody else. */
  *protocols(): Iterable<string> {
    for (const [name, d] of this.protos) if (!d.layer || this.fields.has(name)) yield name;
  }

  /** A table of wanted fields with room for every field. */
  wants(fields: Iterable<Field> | null): Uint8Array {
    const w = new Uint8Array(fieldCount());
    if (fields === null) w.fill(1);
    else for (const f of fields) w[f.id] = 1;
    return w;
  }
}
