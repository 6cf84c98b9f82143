import type { TlsRecordNote } from '../../dissectors/tls/note.js';
import { ContentType } from '../../dissectors/tls/numbers.js';
import { type AnyDissector, type Pdu, type Segment, type Source, View } from '../kit/index.js';
import type { TlsRecord } from '../tls/index.js';
import type { Connection } from './connection.js';

/**
 * A TLS record that is whole in a frame, as a message of its stream. View and note are made when it is shown: by then
 * the record is decrypted, and most are never shown.
 */
export class TlsPdu implements Pdu {
  /** Messages of which its plain text holds the last octet. */
  messages: Pdu[] | null = null;
  /** Octets at the end of its plain text that are the start of a message which goes on. */
  left = 0;
  /** Its plain text was read. */
  read = false;
  /** It waits for the decryptor to be read. */
  waits = false;
  private shown: View | undefined = undefined;

  constructor(
    readonly connection: Connection,
    /** Of the flow. */
    readonly side: 0 | 1,
    readonly record: TlsRecord,
    /** Octets of the stream are missing before it. */
    readonly afterGap: boolean,
    readonly segments?: readonly Segment[] | undefined,
    /** Octets of it that were not captured. */
    private readonly missing = 0,
  ) {}

  get dissector(): AnyDissector {
    return this.connection.tlsDissector;
  }

  get around(): Pdu['around'] {
    return this.connection.around;
  }

  get view(): View {
    if (this.shown === undefined) {
      const { buf, off, end } = this.record;
      this.shown = new View({ name: 'TLS record', buf, start: off, end }, off, end, end + this.missing);
    }
    return this.shown;
  }

  /** What was decrypted, once it was; null if it could not be. What is sent in the clear lies in the record itself. */
  get plainSource(): Source | null {
    const p = this.record.plain;
    if (p === null) return null;
    if (this.record.status === 'clear') return this.view.source;
    this.decrypted ??= { name: 'Decrypted TLS', buf: p.buf, start: p.off, end: p.end };
    return this.decrypted;
  }
  private decrypted: Source | undefined = undefined;

  /** Whether it is the server's change of keys, in a session that takes an earlier one up again. */
  private get resumes(): boolean {
    const { resumed, swapped } = this.connection.session!;
    const { type, direction } = this.record;
    return (
      type === ContentType.ChangeCipherSpec &&
      (direction === 1) !== swapped &&
      (resumed === 'id' || resumed === 'ticket')
    );
  }

  /** The handshake messages that it completes. */
  private get handshake(): View[] {
    return this.record.handshake.map(
      (h) => new View({ name: 'Handshake message', buf: h.buf, start: h.off, end: h.end }, h.off, h.end),
    );
  }

  get note(): TlsRecordNote {
    const r = this.record;
    const { plain } = r;
    const session = this.connection.session!;
    return {
      version: session.version,
      direction: r.direction,
      status: r.status === 'queued' ? 'no-keys' : r.status,
      contentType: r.contentType,
      verified: r.verified,
      keySource: r.served,
      reason: r.reason,
      sequence: r.sequence >= 0 ? r.sequence : undefined,
      resumes: this.resumes,
      messages: this.messages ?? undefined,
      left: this.left,
      cipherSuite: session.suite !== 0 ? session.suite : undefined,
      plain: plain === null ? undefined : new View(this.plainSource!, plain.off, plain.end),
      handshake: r.handshake.length === 0 ? undefined : this.handshake,
    };
  }
}
