import { Cursor } from '../../dissectors/tls/cursor.js';
import { Der, Tag } from '../../dissectors/tls/der.js';
import { HANDSHAKE_HEADER, handshakeLength } from '../../dissectors/tls/hello.js';
import { ContentType, HandshakeType, Version } from '../../dissectors/tls/numbers.js';
import { attributesOf, nameText } from '../../dissectors/tls/x509names.js';
import { concat, Malformed, printable } from '../kit/index.js';
import { LIMITS } from '../limits.js';

/** A line of text, as web servers and log-in pages begin with. */
const TEXT = /^[ -~]{8,60}/;

/** So many authorities are named. */
const NAMED = 3;

/**
 * What a server says in the clear before it encrypts: in TLS 1.2 and older that is all that it asks for. Of an alert that
 * follows it does not say what it is about.
 */
export class ServerFlight {
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  /** Octets that came. */
  readonly hear = (octets: Uint8Array): void => {
    if (this.length > LIMITS.undecidedOctets) return;
    this.length += octets.length;
    this.parts.push(octets);
  };

  /** What came first, where that is text and no TLS; '' where it is not. */
  get text(): string {
    return TEXT.exec(Buffer.from(concat(this.parts)).toString('latin1'))?.[0] ?? '';
  }

  /** What it asked for that a UE does not have, in words; '' where that is nothing. */
  get wants(): string {
    let version = 0;
    for (const [type, body] of messagesIn(concat(this.parts))) {
      if (type === HandshakeType.ServerHello) version = body.u16();
      if (type === HandshakeType.CertificateRequest) return inWords(authoritiesIn(body, version));
    }
    return '';
  }
}

function inWords(names: readonly string[]): string {
  const more = names.length > NAMED ? ` or ${names.length - NAMED} others` : '';
  const of = names.length === 0 ? '' : ` of ${printable(names.slice(0, NAMED).join(' or '))}${more}`;
  return `it asked for a certificate${of}, and a UE of fttscope has none`;
}

/** Names of the authorities whose certificates a CertificateRequest wants; none: of any. RFC 5246 §7.4.4, RFC 4346 §7.4.4 */
function authoritiesIn(body: Cursor, version: number): string[] {
  body.vector8(); // certificate_types
  if (version >= Version.Tls12) body.vector16(); // supported_signature_algorithms
  const list = body.vector16();
  const names: string[] = [];
  while (list.left > 0) {
    const der = list.vector16().octets();
    try {
      names.push(nameText(attributesOf(der, new Der(der, 0, der.length).expect(Tag.Sequence))));
    } catch (e) {
      if (!(e instanceof Malformed)) throw e;
    }
  }
  return names;
}

/** Handshake messages that stand in records in the clear, up to what is something else. */
function* messagesIn(flight: Uint8Array): Generator<[type: number, body: Cursor]> {
  const records = new Cursor(flight, 0, flight.length);
  const parts: Uint8Array[] = [];
  while (records.u8() === ContentType.Handshake) {
    records.take(2);
    parts.push(records.vector16().octets());
  }
  const b = concat(parts);
  for (let at = 0, n = 0; (n = handshakeLength(b, at, b.length)) > 0 && at + n <= b.length; at += n)
    yield [b[at], new Cursor(b, at + HANDSHAKE_HEADER, at + n)];
}
