import type { CaptureFile, Damage } from '../capture/chunk.js';
import type { Capture } from '../capture/source.js';
import type { EspKeys } from '../crypto/esp-keys.js';
import type { PassOptions } from '../engine/pass.js';
import type { Registry } from '../engine/registry.js';
import type { Row } from '../engine/row.js';
import type { SessionTap } from '../engine/session-tap.js';
import type { LimitReached } from '../limits.js';
import type { SubscriberSecrets } from '../model/aka.js';
import type { SessionModel } from '../model/session-model.js';
import type { Pseudonyms } from '../report/redact.js';
import type { Report } from '../report/report.js';
import type { TlsServices } from '../tls/index.js';
import type { Reopen, WriteRequest } from './viewer.js';

/** TLS and ESP keys of one reading. Each pass has its own decryptors; what sessions know of each other they share. */
export interface PassKeys {
  readonly tls: TlsServices;
  readonly innerTls: TlsServices;
  readonly esp: EspKeys | undefined;
}

/** What a report is made of, see {@link ViewedCapture.report}. */
export interface ReportSources {
  readonly model: SessionModel;
  readonly tap: SessionTap;
  readonly files: readonly CaptureFile[];
  readonly damage: readonly Damage[];
  readonly limits: readonly LimitReached[];
}

/** Takes rows that are written to a file. */
export interface RowFile {
  /** What it needs of them. */
  readonly options: Pick<PassOptions, 'fields'> & Partial<PassOptions>;
  take(row: Row): void;
  /** Ends the file; returns how many packets are in it. */
  end(): number;
  /** Takes the file away that was begun. */
  abandon(): void;
}

/** Captures to look at, as the command line means them. */
export interface ViewedCapture {
  readonly registry: Registry;
  readonly names: readonly string[];
  /** More may come: it is a pipe, or is written while it is read. */
  readonly grows: boolean;
  /** Opens the captures so that their octets can be read again. @throws CaptureError */
  open(): Promise<Capture>;
  keys(): PassKeys;
  /** Keys of subscribers, for what a report can say with them. */
  readonly subscribers: SubscriberSecrets;
  /** Who issues certificates of EFTFs; none: nobody said. */
  readonly issuers: readonly string[];
  /** Lines of key logs, and what is to be said about them. */
  keyState(): { lines: number; used: number; sources: string[]; warnings: readonly string[] };
  /** Takes the key log of a Decryption Secrets Block. */
  learn(keyLog: string): void;
  /** Lines that key logs got since the last call, which were taken; empty where none came. */
  moreKeys(): string;
  /** @param names pseudonyms for what the report tells; the model was made with them */
  report(sources: ReportSources, names?: Pseudonyms): Report;
  /** Has the memory of what is not in use any more given back: where much of it lies outside of V8's heap, V8 waits long. */
  collect(): void;
  file(request: WriteRequest): RowFile;
  /** The same captures with other keys or rules. @throws an error in words */
  again(changes: Reopen): Promise<ViewedCapture>;
}
