/** What is given to fttscope, as plain data that can be saved, sent to a thread and made smaller. */

/** How the parts of an input become something to read. */
export type Kind =
  /** Parts are frames of a capture. */
  | 'frames'
  /** Parts are writes of application data in a TLS tunnel: an octet that names the side, and the octets. */
  | 'tunnel'
  /** Parts are what the sides of a TCP connection send: an octet that names the side, and the octets. */
  | 'stream'
  /** The part is a capture file. */
  | 'file'
  /** The part is given to one dissector. */
  | 'layer'
  /** The part is a key log. */
  | 'keylog'
  /** The part is the text of a display filter. */
  | 'filter'
  /** The part is given to functions that read text. */
  | 'text';

export interface Input {
  readonly kind: Kind;
  /** Of a dissector or a capture, for people. */
  readonly name: string;
  readonly parts: readonly Uint8Array[];
  /** LINKTYPE number of frames. */
  readonly link: number;
  readonly keylog: string;
  /** Ports of a stream; the first is the server's. */
  readonly port: number;
  /** For choices that a check makes. */
  readonly seed: number;
}

export const input = (kind: Kind, name: string, parts: readonly Uint8Array[], more: Partial<Input> = {}): Input => ({
  kind,
  name,
  parts,
  link: 101,
  keylog: '',
  port: 443,
  seed: 0,
  ...more,
});

/** Something that must not happen: what went wrong, and words that are the same when it happens again. */
export class Finding extends Error {
  constructor(
    /** `fault`, `exception`, `slow`, `memory`, `hang`, `disagree` and what or where. */
    readonly sign: string,
    message: string,
  ) {
    super(message);
  }
}

/** The function of this project that an exception came from: its top frame outside the tests. */
export function place(e: unknown): string {
  const stack = e instanceof Error ? (e.stack ?? '') : '';
  const line = stack.split('\n').find((l) => /dist\/(src|dissectors)\//.test(l));
  return line === undefined ? '' : line.replace(/^.*\/dist\//, '').replace(/:\d+\)?$/, '');
}

/** Makes a finding of whatever was thrown. */
export const asFinding = (e: unknown): Finding =>
  e instanceof Finding
    ? e
    : new Finding(`exception ${place(e)}`, e instanceof Error ? (e.stack ?? e.message) : String(e));
