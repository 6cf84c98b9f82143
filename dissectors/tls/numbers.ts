/** Code points of TLS that code asks for by name (RFC 8446 §5.1, §4, §4.2 and the IANA registries behind them). */

/** Octets of the record header: type(1), version(2), length(2). RFC 8446 §5.1 */
export const RECORD_HEADER = 5;

/** Types of records. RFC 8446 §5.1; Heartbeat: RFC 6520 */
export const ContentType = {
  ChangeCipherSpec: 20,
  Alert: 21,
  Handshake: 22,
  ApplicationData: 23,
  Heartbeat: 24,
} as const;

/** Types of handshake messages. RFC 8446 §4, and the registry */
export const HandshakeType = {
  HelloRequest: 0,
  ClientHello: 1,
  ServerHello: 2,
  HelloVerifyRequest: 3,
  NewSessionTicket: 4,
  EndOfEarlyData: 5,
  HelloRetryRequest: 6,
  EncryptedExtensions: 8,
  Certificate: 11,
  ServerKeyExchange: 12,
  CertificateRequest: 13,
  ServerHelloDone: 14,
  CertificateVerify: 15,
  ClientKeyExchange: 16,
  Finished: 20,
  CertificateUrl: 21,
  CertificateStatus: 22,
  SupplementalData: 23,
  KeyUpdate: 24,
  CompressedCertificate: 25,
  NextProtocol: 67,
  MessageHash: 254,
} as const;

/** Of alerts. RFC 8446 §6.1 */
export const CLOSE_NOTIFY = 0;

/** Types of extensions. RFC 8446 §4.2, and the registry */
export const Extension = {
  ServerName: 0,
  MaxFragmentLength: 1,
  ClientCertificateUrl: 2,
  TrustedCaKeys: 3,
  TruncatedHmac: 4,
  StatusRequest: 5,
  CertType: 9,
  SupportedGroups: 10,
  EcPointFormats: 11,
  Srp: 12,
  SignatureAlgorithms: 13,
  Heartbeat: 15,
  Alpn: 16,
  StatusRequestV2: 17,
  SignedCertificateTimestamp: 18,
  ClientCertType: 19,
  ServerCertType: 20,
  Padding: 21,
  EncryptThenMac: 22,
  ExtendedMasterSecret: 23,
  CompressCertificate: 27,
  RecordSizeLimit: 28,
  DelegatedCredentials: 34,
  SessionTicket: 35,
  KeyShareDraft: 40,
  PreSharedKey: 41,
  EarlyData: 42,
  SupportedVersions: 43,
  Cookie: 44,
  PskKeyExchangeModes: 45,
  CertificateAuthorities: 47,
  OidFilters: 48,
  PostHandshakeAuth: 49,
  SignatureAlgorithmsCert: 50,
  KeyShare: 51,
  ConnectionIdOld: 53,
  ConnectionId: 54,
  QuicTransportParameters: 57,
  NextProtocolNegotiation: 13172,
  ApplicationSettings: 17513,
  EncryptedClientHello: 0xfe0d,
  EncryptedServerName: 0xffce,
  RenegotiationInfo: 0xff01,
  QuicTransportParametersDraft: 0xffa5,
} as const;

/** Versions as records and hellos write them. */
export const Version = {
  Ssl2: 0x0002,
  Ssl3: 0x0300,
  Tls10: 0x0301,
  Tls11: 0x0302,
  Tls12: 0x0303,
  Tls13: 0x0304,
} as const;

const VERSIONS: Readonly<Record<number, string>> = {
  [Version.Ssl2]: 'SSLv2',
  [Version.Ssl3]: 'SSLv3',
  [Version.Tls10]: 'TLSv1',
  [Version.Tls11]: 'TLSv1.1',
  [Version.Tls12]: 'TLSv1.2',
  [Version.Tls13]: 'TLSv1.3',
  257: 'GMTLS',
};

/** "TLSv1.2" as the protocol column shows it; "TLS" for 0 and for versions that have no name. */
export function versionName(version: number): string {
  return VERSIONS[version] ?? (version >>> 8 === 0x7f || version >>> 8 === 0xfb ? 'TLSv1.3' : 'TLS');
}
