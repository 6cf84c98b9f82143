import type { RecordStatus } from '../../dissectors/tls/note.js';
import { asSaid, type Words } from '../kit/index.js';
import type { Served } from './epoch.js';

/** Octets `[off, end)` of `buf`. */
export interface Span {
  readonly buf: Uint8Array;
  readonly off: number;
  readonly end: number;
}

const NO_MESSAGES: readonly Span[] = [];

/**
 * One TLS record of a session. What depends on its key is filled in when it is opened: at once for handshakes, alerts
 * and the like, in {@link Decryptor.flush} for application data (until then its status is `queued`).
 */
export class TlsRecord {
  /** `queued`: it waits for the flush. */
  status: RecordStatus | 'queued' = 'queued';
  /** Number under its key, from 0; -1 where it is not protected or the number is not known. */
  sequence = -1;
  /** The content without explicit nonce, padding, content type and tag; valid until the next flush. */
  plain: Span | null = null;
  /** Content type: in TLS 1.3 the inner one once it is open. */
  contentType: number;
  /** Whether tag or MAC were checked and fit. */
  verified = false;
  /** Early data (0-RTT) of TLS 1.3: may be replayed, and never part of the stream after the handshake. */
  early = false;
  /** Handshake messages that this record completes, each with its header; put together over records. */
  handshake: readonly Span[] = NO_MESSAGES;
  /** Who gave the key that opened it. */
  served: Served | undefined = undefined;
  /** Why it could not be read. */
  why: Words | undefined = undefined;

  constructor(
    /** 0 from the client, 1 from the server, as the engine has it. */
    readonly direction: 0 | 1,
    readonly frame: number,
    /** Outer content type. */
    readonly type: number,
    /** Version in the record header. */
    readonly version: number,
    readonly buf: Uint8Array,
    /** Where its header starts. */
    readonly off: number,
    readonly end: number,
  ) {
    this.contentType = type;
  }

  /** Marks it as read. `buf` holds the content at `[off, end)`. */
  opened(buf: Uint8Array, off: number, end: number, contentType: number, verified: boolean): void {
    this.plain = { buf, off, end };
    this.contentType = contentType;
    this.verified = verified;
    this.status = 'open';
  }

  /** Takes what TLS 1.3 puts after the content off: content type and padding. */
  trim(end: number, contentType: number): void {
    (this.plain as { end: number }).end = end;
    this.contentType = contentType;
  }

  /** Marks it as not read. */
  closed(status: 'no-keys' | 'failed' | 'cut', why: Words): void {
    this.plain = null;
    this.contentType = this.type;
    this.verified = false;
    this.status = status;
    this.why = why;
  }

  /** Takes back what opening it under a key said: it is opened again, under another one. */
  requeue(): void {
    this.plain = null;
    this.contentType = this.type;
    this.verified = false;
    this.status = 'queued';
    this.why = undefined;
  }

  /** Why it could not be read, in words. */
  get reason(): string | undefined {
    return this.why && asSaid(this.why);
  }
}
