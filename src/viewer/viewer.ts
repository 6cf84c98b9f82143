import type { CaptureInterface } from '../capture/chunk.js';
import type { FilterError } from '../filter/index.js';
import type { CallsOver } from '../model/archive.js';
import type { Parties } from '../report/dialogs.js';
import type { Report } from '../report/report.js';
import type { Rows } from './rows.js';
import type { Story } from './story.js';

/*
 * What the screens ask of a capture. The answers come from a worker, or from the same thread in tests: whoever asks
 * cannot tell. Rows, and everything that a list shows of them, are in memory that both threads see, so that scrolling
 * waits for nobody.
 */

/** Which rows a list has: those of envelopes, frames, or envelopes and the frames that complete none. */
export type RowKind = 'inner' | 'outer' | 'both';

/** Which rows are wanted; all conditions hold. */
export interface Choice {
  readonly kind: RowKind;
  /** Display filter; empty: none. */
  readonly filter?: string;
  /** Numbers of tunnels. */
  readonly tunnels?: readonly number[];
  /** The SIP dialogs of a user, or one of them, with their media, as `--user` and `--call-id` of `read` take them. */
  readonly parties?: Parties;
  /** Ids of rows as they are written (`812.1`), in the order of the capture: those of a call, a stream, a finding. */
  readonly rows?: readonly string[];
}

/** The rows that a choice has found so far, in the order of the capture. */
export interface Selection {
  readonly choice: Choice;
  readonly count: number;
  /** Number in {@link Rows} of row `i` of the selection, which has so many. */
  at(i: number): number;
  /** Where a row of {@link Rows} stands; where it is not in the selection, the place of the next that is, less one, negated: `-(i + 1)`. */
  find(row: number): number;
  /** All rows that there are so far were looked at. */
  readonly done: boolean;
  /** Rows looked at so far. */
  readonly seen: number;
  /** Why it could not go on, in words. */
  readonly error?: string;
  /** Called when more was found, and when it is done. */
  onMore(listener: () => void): void;
  /** No more is wanted. */
  cancel(): void;
}

/** A run of octets that a tree points into: the frame, a decrypted record, a reassembled message. */
export interface DetailSource {
  readonly name: string;
  readonly octets: Uint8Array;
}

/** One line of a tree. */
export interface DetailNode {
  /** 0: a layer. */
  readonly depth: number;
  /** Name of the field; empty for text without one, and for what was noticed. */
  readonly field: string;
  /** Words for people; harmless on a terminal. */
  readonly label: string;
  /** Index in {@link Detail.sources}, and octets within it. */
  readonly source: number;
  readonly off: number;
  readonly length: number;
  /** Bits of the octets, where the field is not all of them; the last octet's lowest bit is bit 0. */
  readonly mask?: number;
  /** Something noticed about the node before it on the level above, with the clause it rests on. */
  readonly severity?: 'chat' | 'note' | 'warn' | 'error';
  readonly clause?: string;
  /** Computed, not read from the octets. */
  readonly generated?: true;
  /** Display filter that finds this value; absent where there is none. */
  readonly filter?: string;
  /** Number of the frame that the value names. */
  readonly frame?: number;
}

/** The whole of one row. */
export interface Detail {
  /** In {@link Rows}. */
  readonly row: number;
  readonly nodes: readonly DetailNode[];
  readonly sources: readonly DetailSource[];
  /** What a fault of the program keeps from being shown. */
  readonly fault?: string;
}

/** What is known of a tunnel while the capture is being read. */
export interface TunnelGlance {
  readonly id: number;
  readonly ue: string;
  readonly eftf: string;
  readonly sni?: string;
  readonly proxy?: string;
  readonly content: 'unknown' | 'fttims' | 'other';
  /** In words, where it is not FTT-IMS. */
  readonly other?: string;
  readonly version?: string;
  /** How decryption goes: of the direction that goes worse; `unneeded`: no encrypted record was seen. */
  readonly keys: 'full' | 'partial' | 'none' | 'clear' | 'unneeded';
  readonly reason?: string;
  readonly up: number;
  readonly down: number;
}

/** A file as far as it was read. */
export interface FileStatus {
  readonly name: string;
  readonly format: string;
  readonly size?: number;
  readonly frames: number;
  /** Where it was captured; the first few. */
  readonly interfaces: readonly CaptureInterface[];
  readonly comments: readonly string[];
}

/** How far the reading of the captures is. */
export interface ViewerStatus {
  readonly files: readonly FileStatus[];
  readonly frames: number;
  readonly rows: number;
  /** Octets of the files read, and to read where that is known. */
  readonly read: number;
  readonly size?: number;
  /** Everything was read, or reading was cancelled. */
  readonly done: boolean;
  readonly cancelled: boolean;
  /** The file is followed: more may come. */
  readonly growing: boolean;
  /** Keys came after records that they open: read again ({@link Viewer.reopen}), more can be read. */
  readonly late: boolean;
  /** Milliseconds since the opening. */
  readonly elapsedMs: number;
  /** Key logs: lines that are good, and those that a session used. */
  readonly keys: { readonly lines: number; readonly used: number; readonly sources: readonly string[] };
  readonly tunnels: readonly TunnelGlance[];
  /** Tunnels beyond those listed. */
  readonly moreTunnels: number;
  /** What is to be said: damage, doubtful key logs, caps that were reached, faults of dissectors; oldest first. */
  readonly messages: readonly { readonly severity: 'note' | 'warn' | 'error'; readonly text: string }[];
}

/** Of a capture of which nothing was read yet. */
export const NOTHING_READ: ViewerStatus = {
  files: [],
  frames: 0,
  rows: 0,
  read: 0,
  done: false,
  cancelled: false,
  growing: false,
  late: false,
  elapsedMs: 0,
  keys: { lines: 0, used: 0, sources: [] },
  tunnels: [],
  moreTunnels: 0,
  messages: [],
};

/** What is to be shown of rows besides what {@link Rows} has. */
export interface ValuesRequest {
  /** In {@link Rows}. */
  readonly rows: readonly number[];
  /** Fields as filters name them, several with `or` between: `sip.Method or sip.Status-Code`. */
  readonly columns: readonly string[];
  /** The frames that carried them are listed. */
  readonly frames: boolean;
}

/** A frame as a list shows it. */
export interface FrameLook {
  readonly source: string;
  readonly destination: string;
  readonly protocol: string;
  readonly info: string;
}

/** What a line of the packet list shows. */
export interface RowValues {
  readonly row: number;
  /** By column; harmless on a terminal. */
  readonly texts: readonly string[];
  readonly frame?: FrameLook;
}

/** One piece of a followed stream. */
export interface StreamPiece {
  readonly row: number;
  /** 0: from the side that spoke first. */
  readonly side: 0 | 1;
  readonly octets: Uint8Array;
}

/** A conversation as both ends sent it, for people to read. */
export interface FollowedStream {
  /** What it is: `TCP 10.0.0.2:5060 ↔ 10.0.0.9:5060`. */
  readonly title: string;
  readonly pieces: readonly StreamPiece[];
  /** There was more than is kept. */
  readonly cut: boolean;
  /** Pieces of a side go on in one another, as segments of TCP do; otherwise each is a message. */
  readonly joined: boolean;
}

/** Anything that makes the capture be read anew. */
export interface Reopen {
  readonly keylog?: readonly string[];
  readonly decodeAs?: readonly string[];
}

/** What of a capture is to be written to a file of its own, and how. */
export interface WriteRequest {
  readonly path: string;
  /** As `fttscope extract`: decrypted inner packets, or the frames; as `read -T json` the whole trees. */
  readonly what: 'inner' | 'outer' | 'json';
  readonly withKeys: boolean;
  /** Rows to write; absent: all. */
  readonly rows?: Uint32Array;
}

/** How something that takes its time is watched, and stopped. */
export interface Watch {
  /** Told how much is done, from 0 to 1, at most some twenty times a second. */
  progress(part: number): void;
  /** Aborted, it is not wanted any more: the promise is rejected with `Stopped`. */
  readonly signal: AbortSignal;
}

/** A capture that is looked at. */
export interface Viewer {
  readonly rows: Rows;
  readonly status: ViewerStatus;
  /** Called when {@link status} is another, at most some twenty times a second. */
  onStatus(listener: () => void): void;
  /** What is wrong with a display filter; null: nothing. Answers at once. */
  check(filter: string): FilterError | null;
  select(choice: Choice): Selection;
  /** The tree and the octets of a row. Only the newest unanswered question is worked on: older ones are refused. */
  detail(row: number): Promise<Detail>;
  /**
   * What rows have in columns, by dissecting them: of as many as can be done in a moment; ask again for the others.
   * Only the newest unanswered question is worked on.
   */
  values(request: ValuesRequest): Promise<readonly RowValues[]>;
  /** The report of what was read so far, the same as `fttscope report` makes. */
  report(): Promise<Report>;
  /** The same as `fttscope report --redact` makes, of what was read so far: the captures are read again for it. */
  redactedReport(watch: Watch): Promise<Report>;
  /** What screens show of that report. Entries of long lists are unpacked as far as somebody looks at them. */
  story(): Promise<Story>;
  /**
   * Calls that were over for good when this was asked, while a capture with many is being read: some of those from a place
   * on, which is 0 for the first. They are as the report of all will have them, without their streams.
   */
  over(from: number): Promise<CallsOver>;
  /** Octets of the conversation that a row belongs to: of the innermost TCP or UDP layer, or the envelopes of the tunnel. */
  follow(row: number, what: 'payload' | 'envelopes'): Promise<FollowedStream>;
  /** Writes rows to a file; resolves to the number of packets written. Stopped, it leaves no file. */
  write(request: WriteRequest, watch?: Watch): Promise<number>;
  /** Stops reading the captures; what was read stays. */
  cancel(): void;
  /** Reads the captures again with other keys or rules; rows begin anew. */
  reopen(changes: Reopen): Promise<void>;
  close(): Promise<void>;
}
