import type { CallsOver } from '../model/archive.js';
import type { CallEntity, FindingEntity, MediaEntity } from '../model/entities.js';
import type { Report } from '../report/report.js';
import { Seen, type SeenValues } from './seen-values.js';
import { Slices } from './slices.js';
import { Texts, type TextsAdded, TextsWriter } from './texts.js';

/** A report as screens show it: its lists at hand. */
export interface Story extends Omit<Report, 'calls' | 'media' | 'findings'> {
  /** All of the capture was read when it was made. */
  readonly whole: boolean;
  readonly calls: readonly CallEntity[];
  readonly media: readonly MediaEntity[];
  readonly findings: readonly FindingEntity[];
  /** Values of fields that the report tells of. */
  readonly seen: SeenValues;
}

type Members = Readonly<Record<string, unknown>>;
interface Entry {
  readonly id: number;
}

/**
 * Lists that may be long, with the members of their entries that only somebody wants who looks at one of them: the
 * thread of the screens keeps these packed.
 */
const LONG: Readonly<Record<string, readonly string[]>> = {
  addressing: ['dhcp', 'slaac', 'dhcpv6'],
  calls: [
    'messages',
    'pinholes',
    'preconditions',
    'dialogs',
    'holds',
    'transfers',
    'reliable',
    'sessionTimer',
    'ringing',
  ],
  media: ['negotiated', 'speech', 'bytes', 'reordered', 'duplicates', 'keepAlives', 'dtmf'],
  findings: ['last', 'clause', 'kind', 'next'],
};

/** Entries to a page, few: texts of a large one would live until they are moved to where collections seldom look. */
const PAGE = 32;
/** Entries that stay unpacked. */
const KEPT = 16;
/** Values that are looked for in later entries: what is the same stands near each other. */
const SHARED = 1000;

/** A list on its way to the screens: both parts of each entry as JSON, the first behind a digit for each member that may be aside. */
interface ListSent {
  readonly atHand: TextsAdded;
  readonly aside: TextsAdded;
}

/** A report on its way to the screens. */
export interface StorySent {
  readonly lists: Readonly<Record<string, ListSent>>;
  readonly rest: Members;
  readonly seen: SeenValues;
  readonly whole: boolean;
}

/** What screens show of a report, in the thread that made it. */
export function storyOf(report: Report, whole = true): Story {
  const story: Record<string, unknown> = {};
  const seen = new Seen();
  for (const [name, value] of Object.entries(report)) {
    const entries = entriesOf(value);
    if (entries === undefined) seen.member(name, value);
    else for (const entry of entries) seen.entry(name, entry);
    story[name] = entries === undefined ? value : [...entries];
  }
  return { ...story, seen: seen.values, whole } as unknown as Story;
}

/** The entries of a list; undefined for a member that is none. */
const entriesOf = (value: unknown): Iterable<Members> | undefined =>
  typeof value === 'object' && value !== null && Symbol.iterator in value ? (value as Iterable<Members>) : undefined;

/** Packs a report for the thread of the screens. */
export async function packed(report: Report, whole: boolean): Promise<StorySent> {
  const slices = new Slices();
  const seen = new Seen();
  const lists: Record<string, ListSent> = {};
  const rest: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(report)) {
    const entries = entriesOf(value);
    const aside = LONG[name];
    if (entries === undefined) seen.member(name, value);
    if (entries === undefined || aside === undefined) rest[name] = value;
    const list = new ListWriter(aside ?? []);
    for (const entry of entries ?? []) {
      seen.entry(name, entry);
      if (aside === undefined) continue;
      list.add(entry);
      await slices.between();
    }
    if (aside !== undefined) lists[name] = list.sent;
  }
  return { lists, rest, seen: seen.values, whole };
}

/** A list as it is packed. */
class ListWriter {
  private readonly atHand = new TextsWriter(PAGE);
  private readonly aside = new TextsWriter(PAGE);

  constructor(private readonly names: readonly string[]) {}

  add(entry: Members): void {
    const [first, second] = divided(entry, this.names);
    this.atHand.add(first);
    this.aside.add(second);
  }

  get sent(): ListSent {
    return { atHand: this.atHand.added(), aside: this.aside.added() };
  }
}

function divided(entry: Members, aside: readonly string[]): [string, string] {
  const [first, second]: Record<string, unknown>[] = [{}, {}];
  for (const name of Object.keys(entry)) (aside.includes(name) ? second : first)[name] = entry[name];
  const digits = aside.map((name) => (second[name] === undefined ? 0 : 1)).join('');
  return [digits + JSON.stringify(first), JSON.stringify(second)];
}

/** Makes a story of what was packed. Members that were put aside are unpacked when somebody looks at them. */
export async function unpacked({ lists, rest, seen, whole }: StorySent): Promise<Story> {
  const slices = new Slices();
  const story: Record<string, unknown> = { ...rest, seen, whole };
  for (const [name, sent] of Object.entries(lists)) {
    const list = new EntryList(sent, LONG[name]);
    while (list.more()) await slices.between();
    story[name] = list.entries;
  }
  return story as unknown as Story;
}

/** Calls that are over, on their way to the screens. */
export interface OverSent {
  readonly list: ListSent;
  readonly next: number;
}

/** Packs calls for the thread of the screens. */
export function packedOver({ calls, next }: CallsOver): OverSent {
  const list = new ListWriter(LONG.calls);
  for (const call of calls) list.add(call as unknown as Members);
  return { list: list.sent, next };
}

/** What was packed. */
export function unpackedOver({ list, next }: OverSent): CallsOver {
  const entries = new EntryList(list, LONG.calls);
  while (entries.more());
  return { calls: entries.entries as readonly Entry[] as readonly CallEntity[], next };
}

/** The entries of a list as they are unpacked. */
class EntryList {
  readonly entries: Entry[] = [];
  private readonly atHand = new Texts(PAGE, 1);
  private readonly aside = new Texts(PAGE, 4);
  private readonly kept = new Map<number, Members>();
  /** What entries with the same members aside inherit, by the digits that name these: a property each would cost more than the entry. */
  private readonly shapes = new Map<string, object>();
  /** What many entries have: texts, and small values by their JSON. */
  private readonly values = new Map<string, unknown>();

  constructor(
    sent: ListSent,
    private readonly names: readonly string[],
  ) {
    this.atHand.add(sent.atHand);
    this.aside.add(sent.aside);
  }

  /** Unpacks one more entry; false where there is none. */
  more(): boolean {
    const { entries, atHand, names } = this;
    if (entries.length >= atHand.count) {
      atHand.clear();
      this.values.clear();
      return false;
    }
    const text = atHand.at(entries.length);
    const entry = JSON.parse(text.slice(names.length)) as Record<string, unknown>;
    for (const name of Object.keys(entry)) entry[name] = this.shared(entry[name]);
    const digits = text.slice(0, names.length);
    let shape = this.shapes.get(digits);
    if (shape === undefined) this.shapes.set(digits, (shape = this.shape(digits)));
    entries.push(Object.setPrototypeOf(entry, shape));
    return true;
  }

  /** The same value as in an entry before, where there is one. Times are seldom the same. */
  private shared(value: unknown): unknown {
    if (typeof value !== 'string' && (typeof value !== 'object' || value === null || 'seconds' in value)) return value;
    const key = typeof value === 'string' ? value : JSON.stringify(value);
    const known = this.values.get(key);
    if (known !== undefined) return known;
    if (this.values.size >= SHARED) this.values.clear();
    this.values.set(key, value);
    return value;
  }

  private shape(digits: string): object {
    const { names } = this;
    const unpack = ({ id }: Entry): Members => this.whole(id);
    const shape = {
      toJSON(this: Entry) {
        return { ...this, ...unpack(this) };
      },
    };
    for (let i = 0; i < names.length; i++)
      if (digits[i] === '1')
        Object.defineProperty(shape, names[i], {
          get(this: Entry) {
            return unpack(this)[names[i]];
          },
        });
    return shape;
  }

  /** What was put aside of the entry with an id. */
  private whole(id: number): Members {
    const { entries, kept } = this;
    let found = kept.get(id);
    if (found === undefined) {
      const i = entries[id - 1]?.id === id ? id - 1 : entries.findIndex((e) => e.id === id);
      found = JSON.parse(this.aside.at(i)) as Members;
      if (kept.size >= KEPT) kept.delete(kept.keys().next().value!);
      kept.set(id, found);
    }
    return found;
  }
}
