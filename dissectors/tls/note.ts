import type { Pdu, View } from 'fttscope/kit';

/** How far a record could be read. */
export type RecordStatus =
  /** sent in the clear */
  | 'clear'
  /** decrypted */
  | 'open'
  /** no key material for this session or direction */
  | 'no-keys'
  /** a key, but the tag, MAC or padding does not fit */
  | 'failed'
  /** not wholly captured */
  | 'cut';

/** What the index pass knows about a TLS record, for the dissector. */
export interface TlsRecordNote {
  /** Version of the session as negotiated (0x0303, 0x0304 …), 0 while unknown. */
  readonly version: number;
  /** 0 from the client, 1 from the server. */
  readonly direction: 0 | 1;
  readonly status: RecordStatus;
  /** Why it could not be read, in words. */
  readonly reason?: string | undefined;
  /** The content without padding, content type and tag; absent where it could not be read. */
  readonly plain?: View | undefined;
  /** Content type of `plain`: in TLS 1.3 the inner one. */
  readonly contentType: number;
  /** Number of the record under its key, from 0. */
  readonly sequence?: number | undefined;
  /** Whether tag or MAC were checked. */
  readonly verified: boolean;
  /** Who gave the key that opened it: `option`, `dsb`, `sidecar`, `environment`, `rsa`, `resumption` or `endpoint`. */
  readonly keySource?: string | undefined;
  /** Handshake messages that this record completes, each with its 4-octet header, put together over records. */
  readonly handshake?: readonly View[] | undefined;
  /** The server's change of keys, in a session below TLS 1.3 that takes an earlier one up again. */
  readonly resumes?: boolean | undefined;
  /** The messages of another protocol that end in `plain`, and octets of it that are the start of one which goes on. */
  readonly messages?: readonly Pdu[] | undefined;
  readonly left?: number | undefined;
  /** Negotiated suite, once known. */
  readonly cipherSuite?: number | undefined;
}
