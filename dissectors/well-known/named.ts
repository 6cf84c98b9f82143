import {
  type Ctx,
  type Dissector,
  defineDissector,
  type Framing,
  fields,
  No,
  need,
  type Peek,
  type Probe,
  type TableKey,
  type Track,
  type View,
  Yes,
} from 'fttscope/kit';

/**
 * A protocol of which only the name is shown: what stands in its messages is for other tools. It keeps captures readable
 * that have more in them than tunnels, and tells "nobody knows these octets" from "this is none of our business".
 */
export interface Named {
  /** Filter name and title as Wireshark has them, and the short name of the protocol column. */
  readonly proto: string;
  readonly title: string;
  readonly short: string;
  /** Where the format is laid down. */
  readonly spec: string;
  readonly on?: Readonly<Record<string, readonly TableKey[]>>;
  /** Name in the protocol stack where it is another. */
  readonly layer?: string;
  /** Tables that {@link inner} asks. */
  readonly tables?: readonly string[];
  /** Protocols that {@link inner} calls. */
  readonly calls?: readonly string[];
  /** Whether the first octets may be this protocol, where numbers and ports alone do not say it. */
  probe?(b: Uint8Array, off: number, end: number, known?: boolean): Probe;
  /** Octets of a message of a stream, as {@link Dissector.pduLength}: with a `probe` it is looked for on every port. */
  pduLength?(b: Uint8Array, off: number, end: number, known?: Framing): number;
  /** The way down to the packets that the messages carry. */
  peek?(p: Peek): void;
  /** What a message says about later ones, and for whom, as {@link Dissector.serves}. */
  track?(v: View, cx: Track): void;
  readonly serves?: NonNullable<Dissector['serves']>;
  /** Hands on what the messages carry. */
  inner?(v: View, cx: Ctx): void;
}

/** The dissector of a protocol that is only named. */
export function named({ proto, title, inner, ...rest }: Named): Dissector {
  const F = fields({ name: { name: proto, label: title, type: 'protocol' } });
  return defineDissector({
    ...{ proto, title, fields: F },
    ...rest,
    dissect(v, t, cx) {
      t.none(F.name, v.off, v.length);
      if (inner === undefined) need(v, v.wireLength);
      else inner(v, cx);
    },
    summary: () => title,
  });
}

/** Whether octets may be a protocol, of which at least one is there. */
type Look = (b: Uint8Array, off: number, n: number) => boolean;

/** Rows of a table: name, title, short name, specification, where it is found, and what its first octets are like. */
export type NamedRow = readonly [string, string, string, string, Readonly<Record<string, readonly TableKey[]>>, Look?];

/** Dissectors that only name what is there, a row each. */
export const fromRows = (rows: readonly NamedRow[]): Dissector[] =>
  rows.map(([proto, title, short, spec, on, look]) =>
    named({
      ...{ proto, title, short, spec, on },
      ...(look !== undefined && { probe: (b, off, end) => (end > off && look(b, off, end - off) ? Yes : No) }),
    }),
  );
