import type { TlsRecordNote } from '../../dissectors/tls/note.js';
import { type AnyDissector, type Pdu, type Segment, View } from '../kit/index.js';
import type { TlsRecord, TlsSession } from '../tls/index.js';

/** A TLS record as a message of its stream. Its note is made when it is shown: by then the record is decrypted. */
export class TlsPdu implements Pdu {
  constructor(
    readonly dissector: AnyDissector,
    readonly view: View,
    readonly record: TlsRecord,
    private readonly session: TlsSession,
    readonly segments?: readonly Segment[] | undefined,
  ) {}

  get note(): TlsRecordNote {
    const r = this.record;
    const p = r.plain;
    return {
      version: this.session.version,
      direction: r.direction,
      status: r.status === 'queued' ? 'no-keys' : r.status,
      contentType: r.contentType,
      verified: r.verified,
      ...(r.reason !== undefined && { reason: r.reason }),
      ...(r.sequence >= 0 && { sequence: r.sequence }),
      ...(this.session.suite !== 0 && { cipherSuite: this.session.suite }),
      ...(p !== null && {
        plain: new View({ name: 'Decrypted TLS', buf: p.buf, start: p.off, end: p.end }, p.off, p.end),
      }),
      ...(r.handshake.length > 0 && {
        handshake: r.handshake.map(
          (h) => new View({ name: 'Handshake message', buf: h.buf, start: h.off, end: h.end }, h.off, h.end),
        ),
      }),
    };
  }
}
