import { equalBytes, fromHex, u8, u24, utf8Text } from 'fttscope/kit';
import { Cursor } from './cursor.js';
import { Extension, HandshakeType, Version } from './numbers.js';

/**
 * Handshake messages as plain data that owns its octets, for whoever follows a session:
 *
 *     0               1               2               3
 *     +---------------+---------------+---------------+---------------+----- - -
 *     |   msg_type    |                    length                     | body …
 *     +---------------+---------------+---------------+---------------+----- - -
 *
 * All parsers take `[off, end)` of one message with this header (RFC 8446 §4). They never throw. A message whose fixed
 * part is not all there, or which is of another type, gives `undefined`; vectors that are cut give what could be read.
 */
export const HANDSHAKE_HEADER = 4;

/** Octets of the handshake message at `off` with its header, or 0 while the header is not all there. */
export const handshakeLength = (b: Uint8Array, off: number, end: number): number =>
  end - off < HANDSHAKE_HEADER ? 0 : HANDSHAKE_HEADER + u24(b, off + 1);

/** An extension: its data is `len` octets at `off` of the buffer that was parsed. */
export interface ExtensionAt {
  readonly type: number;
  readonly off: number;
  readonly len: number;
}

/** An identity offered in pre_shared_key (RFC 8446 §4.2.11): `len` octets at `off` of the buffer that was parsed. */
export interface PskIdentityAt {
  readonly off: number;
  readonly len: number;
  readonly identity: Uint8Array;
}

/** What extensions may say in more than one message. */
export interface CommonExtensions {
  readonly extensions: readonly ExtensionAt[];
  /** Protocols in application_layer_protocol_negotiation, in order. RFC 7301 §3.1 */
  readonly alpn: readonly string[];
  /** Code of max_fragment_length: 1 is 512 octets … 4 is 4096. RFC 6066 §4 */
  readonly maxFragmentLength?: number;
  /** RFC 8449 §4 */
  readonly recordSizeLimit?: number;
  /** early_data is there. RFC 8446 §4.2.10 */
  readonly earlyData: boolean;
}

/** What hellos below TLS 1.3 may say too. */
export interface HelloExtensions extends CommonExtensions {
  /** extended_master_secret is there. RFC 7627 §5.1 */
  readonly extendedMasterSecret: boolean;
  /** encrypt_then_mac is there. RFC 7366 §2 */
  readonly encryptThenMac: boolean;
  /** truncated_hmac is there. RFC 6066 §7 */
  readonly truncatedHmac: boolean;
  /** Content of session_ticket, which may be empty. RFC 5077 §3.2 */
  readonly ticket?: Uint8Array;
  /** renegotiated_connection, empty in a first handshake. RFC 5746 §3.2 */
  readonly renegotiationInfo?: Uint8Array;
}

/** RFC 8446 §4.1.2, RFC 5246 §7.4.1.2 */
export interface ClientHello extends HelloExtensions {
  /** client_version, which TLS 1.3 fixes at 0x0303. */
  readonly version: number;
  /** 32 octets. */
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly suites: readonly number[];
  readonly compressions: readonly number[];
  /** First host name in server_name. RFC 6066 §3 */
  readonly sni?: string;
  /** Content of supported_versions, GREASE included. RFC 8446 §4.2.1 */
  readonly supportedVersions: readonly number[];
  /** Content of supported_groups, GREASE included. RFC 8446 §4.2.7 */
  readonly groups: readonly number[];
  readonly pskIdentities: readonly PskIdentityAt[];
  /** encrypted_client_hello of the outer or of the inner kind. RFC 9849 §5 */
  readonly ech?: 'outer' | 'inner';
}

/** RFC 8446 §4.1.3, RFC 5246 §7.4.1.3 */
export interface ServerHello extends HelloExtensions {
  /** server_version, which TLS 1.3 fixes at 0x0303. */
  readonly version: number;
  /** 32 octets. */
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly suite: number;
  readonly compression: number;
  /** Whether it is a HelloRetryRequest. RFC 8446 §4.1.3 */
  readonly retry: boolean;
  /** Content of supported_versions: the version of the session where it is there. */
  readonly selectedVersion?: number;
  /** Index in pre_shared_key. RFC 8446 §4.2.11 */
  readonly selectedPsk?: number;
  /** Group in key_share. RFC 8446 §4.2.8 */
  readonly selectedGroup?: number;
}

/** RFC 8446 §4.3.1 */
export type EncryptedExtensions = CommonExtensions;

/** RFC 8446 §4.6.1, RFC 5077 §3.3 */
export interface NewSessionTicket {
  /** In seconds. */
  readonly lifetime: number;
  readonly ticket: Uint8Array;
  /** TLS 1.3 only, as are the following. RFC 8446 §4.6.1 */
  readonly ageAdd?: number;
  readonly nonce?: Uint8Array;
  /** From early_data: most octets of 0-RTT data. */
  readonly maxEarlyData?: number;
}

/** RFC 8446 §4.4.2, RFC 5246 §7.4.2 */
export interface CertificateChain {
  /** certificate_request_context of TLS 1.3. */
  readonly context: Uint8Array;
  /** DER, the end entity first. */
  readonly certificates: readonly Uint8Array[];
}

// RFC 8446 §4.1.3: SHA-256 of "HelloRetryRequest"
const RETRY = fromHex('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c');

/** Whether the 32 octets at `off` are the random of a HelloRetryRequest. RFC 8446 §4.1.3 */
export const isRetryRandom = (b: Uint8Array, off: number): boolean => equalBytes(b, off, RETRY, 0, 32);

/** Whether a ServerHello of the version has neither session ID nor compression: drafts 14 to 21 of RFC 8446. */
export const isBriefDraft = (version: number): boolean => version >= 0x7f0e && version <= 0x7f15;

/** The version that a ServerHello settles: supported_versions goes first (RFC 8446 §4.2.1). */
export const settledVersion = (hello: ServerHello): number => hello.selectedVersion ?? hello.version;

/** Body of a message of `type`, or undefined. */
function body(b: Uint8Array, off: number, end: number, type: number): Cursor | undefined {
  if (end - off < HANDSHAKE_HEADER || u8(b, off) !== type) return undefined;
  return new Cursor(b, off + HANDSHAKE_HEADER, Math.min(end, off + handshakeLength(b, off, end)));
}

/** A list of extensions with its two octets of length; none where the message ends before it. */
function extensionList(c: Cursor): ExtensionAt[] {
  const out: ExtensionAt[] = [];
  if (c.left < 2) return out;
  const list = c.vector16();
  const all = new Cursor(list.buf, list.off, list.end);
  while (all.left >= 4) {
    const type = all.u16();
    const data = all.vector16();
    out.push({ type, off: data.off, len: data.end - data.off });
  }
  return out;
}

const numbers16 = (c: Cursor): number[] => {
  const out: number[] = [];
  const all = new Cursor(c.buf, c.off, c.end);
  while (all.left >= 2) out.push(all.u16());
  return out;
};

/** Cursor over the data of the first extension of `type`. */
function find(b: Uint8Array, extensions: readonly ExtensionAt[], type: number): Cursor | undefined {
  const at = extensions.find((e) => e.type === type);
  return at && new Cursor(b, at.off, at.off + at.len);
}

const has = (extensions: readonly ExtensionAt[], type: number): boolean => extensions.some((e) => e.type === type);

/** `{ [key]: value }`, or nothing where there is no value. */
const given = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });

/** A number that is the whole content of an extension, or undefined where its octets are not there. */
function sole(c: Cursor | undefined, octets: 1 | 2): number | undefined {
  if (c === undefined || c.left < octets) return undefined;
  return octets === 1 ? c.u8() : c.u16();
}

function alpnOf(c: Cursor | undefined): string[] {
  const out: string[] = [];
  if (c === undefined) return out;
  const list = c.vector16();
  const all = new Cursor(list.buf, list.off, list.end);
  while (all.left > 0) {
    const name = all.vector8();
    out.push(utf8Text(name.buf, name.off, name.end));
  }
  return out;
}

function common(b: Uint8Array, extensions: readonly ExtensionAt[]): CommonExtensions {
  return {
    extensions,
    alpn: alpnOf(find(b, extensions, Extension.Alpn)),
    ...given('maxFragmentLength', sole(find(b, extensions, Extension.MaxFragmentLength), 1)),
    ...given('recordSizeLimit', sole(find(b, extensions, Extension.RecordSizeLimit), 2)),
    earlyData: has(extensions, Extension.EarlyData),
  };
}

function helloExtensions(b: Uint8Array, extensions: readonly ExtensionAt[]): HelloExtensions {
  return {
    ...common(b, extensions),
    extendedMasterSecret: has(extensions, Extension.ExtendedMasterSecret),
    encryptThenMac: has(extensions, Extension.EncryptThenMac),
    truncatedHmac: has(extensions, Extension.TruncatedHmac),
    ...given('ticket', find(b, extensions, Extension.SessionTicket)?.octets()),
    ...given('renegotiationInfo', find(b, extensions, Extension.RenegotiationInfo)?.vector8().octets()),
  };
}

function serverNameOf(c: Cursor | undefined): string | undefined {
  if (c === undefined) return undefined;
  const list = c.vector16();
  const all = new Cursor(list.buf, list.off, list.end);
  while (all.left >= 3) {
    const type = all.u8();
    const name = all.vector16();
    // RFC 6066 §3: host_name; the capture may lack its end, and then it is another name.
    if (type === 0) return name.short ? undefined : utf8Text(name.buf, name.off, name.end);
  }
  return undefined;
}

function identitiesOf(c: Cursor | undefined): PskIdentityAt[] {
  const out: PskIdentityAt[] = [];
  if (c === undefined) return out;
  const list = c.vector16();
  const all = new Cursor(list.buf, list.off, list.end);
  while (all.left >= 6) {
    const identity = all.vector16();
    out.push({ off: identity.off, len: identity.end - identity.off, identity: identity.octets() });
    all.u32(); // obfuscated_ticket_age
  }
  return out;
}

function echOf(c: Cursor | undefined): 'outer' | 'inner' | undefined {
  if (c === undefined || c.left < 1) return undefined;
  return c.u8() === 0 ? 'outer' : 'inner'; // RFC 9849 §5
}

/** RFC 5246 §7.4.1.2, RFC 8446 §4.1.2 */
export function parseClientHello(b: Uint8Array, off: number, end: number): ClientHello | undefined {
  const c = body(b, off, end, HandshakeType.ClientHello);
  if (c === undefined) return undefined;
  const version = c.u16();
  const random = c.range(32).octets();
  if (c.short) return undefined;
  const sessionId = c.vector8().octets();
  const suites = numbers16(c.vector16());
  const compressions = [...c.vector8().octets()];
  const extensions = extensionList(c);
  return {
    version,
    random,
    sessionId,
    suites,
    compressions,
    ...helloExtensions(b, extensions),
    ...given('sni', serverNameOf(find(b, extensions, Extension.ServerName))),
    supportedVersions: numbers16(find(b, extensions, Extension.SupportedVersions)?.vector8() ?? new Cursor(b, 0, 0)),
    groups: numbers16(find(b, extensions, Extension.SupportedGroups)?.vector16() ?? new Cursor(b, 0, 0)),
    pskIdentities: identitiesOf(find(b, extensions, Extension.PreSharedKey)),
    ...given('ech', echOf(find(b, extensions, Extension.EncryptedClientHello))),
  };
}

/** RFC 5246 §7.4.1.3, RFC 8446 §4.1.3; HelloRetryRequest has the same form (§4.1.4). */
export function parseServerHello(b: Uint8Array, off: number, end: number): ServerHello | undefined {
  const c = body(b, off, end, HandshakeType.ServerHello);
  if (c === undefined) return undefined;
  const version = c.u16();
  const random = c.range(32).octets();
  const brief = isBriefDraft(version);
  const sessionId = brief ? new Uint8Array(0) : c.vector8().octets();
  const suite = c.u16();
  const compression = brief ? 0 : c.u8();
  if (c.short) return undefined;
  const extensions = extensionList(c);
  return {
    version,
    random,
    sessionId,
    suite,
    compression,
    retry: isRetryRandom(random, 0),
    ...helloExtensions(b, extensions),
    ...given('selectedVersion', sole(find(b, extensions, Extension.SupportedVersions), 2)),
    ...given('selectedPsk', sole(find(b, extensions, Extension.PreSharedKey), 2)),
    ...given('selectedGroup', sole(find(b, extensions, Extension.KeyShare), 2)),
  };
}

/** RFC 8446 §4.3.1 */
export function parseEncryptedExtensions(b: Uint8Array, off: number, end: number): EncryptedExtensions | undefined {
  const c = body(b, off, end, HandshakeType.EncryptedExtensions);
  return c && common(b, extensionList(c));
}

/** RFC 5077 §3.3 for versions up to 0x0303, RFC 8446 §4.6.1 for 0x0304. */
export function parseNewSessionTicket(
  b: Uint8Array,
  off: number,
  end: number,
  version: number,
): NewSessionTicket | undefined {
  const c = body(b, off, end, HandshakeType.NewSessionTicket);
  if (c === undefined) return undefined;
  const lifetime = c.u32();
  if (version < Version.Tls13) {
    const ticket = c.vector16().octets();
    return c.short ? undefined : { lifetime, ticket };
  }
  const ageAdd = c.u32();
  const nonce = c.vector8().octets();
  const ticket = c.vector16().octets();
  if (c.short) return undefined;
  const early = find(b, extensionList(c), Extension.EarlyData);
  return {
    lifetime,
    ageAdd,
    nonce,
    ticket,
    ...given('maxEarlyData', early && early.left >= 4 ? early.u32() : undefined),
  };
}

/** RFC 5246 §7.4.2 for versions up to 0x0303, RFC 8446 §4.4.2 for 0x0304. A cut last certificate is left out. */
export function parseCertificateChain(
  b: Uint8Array,
  off: number,
  end: number,
  version: number,
): CertificateChain | undefined {
  const c = body(b, off, end, HandshakeType.Certificate);
  if (c === undefined) return undefined;
  const context = version >= Version.Tls13 ? c.vector8().octets() : new Uint8Array(0);
  const list = c.vector24();
  const all = new Cursor(list.buf, list.off, list.end);
  const certificates: Uint8Array[] = [];
  while (all.left >= 3) {
    const der = all.vector24();
    if (der.short) break;
    certificates.push(der.octets());
    if (version >= Version.Tls13) all.vector16(); // extensions of this certificate
  }
  return { context, certificates };
}
