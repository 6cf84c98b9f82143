/** Names of code points in TLS: the IANA registries "TLS Parameters" and "TLS Extensions", in Wireshark's wording. */
import { cipherSuiteName, isGrease } from './ciphersuites.js';

type Names = Readonly<Record<number, string>>;

/** Names of 16-bit code points with the reserved ones of RFC 8701 among them. */
const withGrease =
  (names: Names) =>
  (code: number): string | undefined =>
    names[code] ?? (isGrease(code) ? 'Reserved (GREASE)' : undefined);

/** Types of records. RFC 8446 §5.1 */
export const CONTENT_TYPES: Names = {
  20: 'Change Cipher Spec',
  21: 'Alert',
  22: 'Handshake',
  23: 'Application Data',
  24: 'Heartbeat',
  25: 'Connection ID',
  26: 'ACK',
};

/** Types of handshake messages. RFC 8446 §4 */
export const HANDSHAKE_TYPES: Names = {
  0: 'Hello Request',
  1: 'Client Hello',
  2: 'Server Hello',
  3: 'Hello Verify Request',
  4: 'New Session Ticket',
  5: 'End of Early Data',
  6: 'Hello Retry Request',
  8: 'Encrypted Extensions',
  11: 'Certificate',
  12: 'Server Key Exchange',
  13: 'Certificate Request',
  14: 'Server Hello Done',
  15: 'Certificate Verify',
  16: 'Client Key Exchange',
  20: 'Finished',
  21: 'Client Certificate URL',
  22: 'Certificate Status',
  23: 'Supplemental Data',
  24: 'Key Update',
  25: 'Compressed Certificate',
  67: 'Encrypted Extensions',
};

const VERSION_NAMES: Names = {
  2: 'SSL 2.0',
  257: 'GMTLS',
  768: 'SSL 3.0',
  769: 'TLS 1.0',
  770: 'TLS 1.1',
  771: 'TLS 1.2',
  772: 'TLS 1.3',
  65277: 'DTLS 1.2',
  65279: 'DTLS 1.0',
};
/** Versions, drafts of TLS 1.3 and GREASE (RFC 8701) among them. */
export const VERSIONS = (version: number): string | undefined =>
  VERSION_NAMES[version] ??
  (version >>> 8 === 0x7f ? `TLS 1.3 (draft ${version & 0xff})` : isGrease(version) ? 'Reserved (GREASE)' : undefined);

/** Names of cipher suites; GREASE is named as such. */
export const CIPHER_SUITES = cipherSuiteName;

/** Compression of records, up to TLS 1.2. RFC 3749 §2 */
export const COMPRESSION_METHODS: Names = { 0: 'null', 1: 'DEFLATE', 64: 'LZS' };

/** Types of extensions. RFC 8446 §4.2 */
export const EXTENSION_TYPES = withGrease({
  0: 'server_name',
  1: 'max_fragment_length',
  2: 'client_certificate_url',
  3: 'trusted_ca_keys',
  4: 'truncated_hmac',
  5: 'status_request',
  6: 'user_mapping',
  7: 'client_authz',
  8: 'server_authz',
  9: 'cert_type',
  10: 'supported_groups',
  11: 'ec_point_formats',
  12: 'srp',
  13: 'signature_algorithms',
  14: 'use_srtp',
  15: 'heartbeat',
  16: 'application_layer_protocol_negotiation',
  17: 'status_request_v2',
  18: 'signed_certificate_timestamp',
  19: 'client_certificate_type',
  20: 'server_certificate_type',
  21: 'padding',
  22: 'encrypt_then_mac',
  23: 'extended_master_secret',
  24: 'token_binding',
  25: 'cached_info',
  27: 'compress_certificate',
  28: 'record_size_limit',
  34: 'delegated_credentials',
  35: 'session_ticket',
  40: 'Reserved (key_share)',
  41: 'pre_shared_key',
  42: 'early_data',
  43: 'supported_versions',
  44: 'cookie',
  45: 'psk_key_exchange_modes',
  46: 'Reserved (ticket_early_data_info)',
  47: 'certificate_authorities',
  48: 'oid_filters',
  49: 'post_handshake_auth',
  50: 'signature_algorithms_cert',
  51: 'key_share',
  52: 'transparency_info',
  53: 'connection_id (deprecated)',
  54: 'connection_id',
  55: 'external_id_hash',
  56: 'external_session_id',
  57: 'quic_transport_parameters',
  58: 'ticket_request',
  59: 'dnssec_chain',
  13172: 'next_protocol_negotiation',
  17513: 'application_settings',
  17613: 'application_settings_new',
  30031: 'channel_id_old',
  30032: 'channel_id',
  64768: 'ech_outer_extensions',
  65037: 'encrypted_client_hello',
  65281: 'renegotiation_info',
  65445: 'quic_transport_parameters (drafts version)',
  65486: 'encrypted_server_name',
});

/** Groups of a key exchange. RFC 8446 §4.2.7 */
export const GROUPS = withGrease({
  1: 'sect163k1',
  2: 'sect163r1',
  3: 'sect163r2',
  4: 'sect193r1',
  5: 'sect193r2',
  6: 'sect233k1',
  7: 'sect233r1',
  8: 'sect239k1',
  9: 'sect283k1',
  10: 'sect283r1',
  11: 'sect409k1',
  12: 'sect409r1',
  13: 'sect571k1',
  14: 'sect571r1',
  15: 'secp160k1',
  16: 'secp160r1',
  17: 'secp160r2',
  18: 'secp192k1',
  19: 'secp192r1',
  20: 'secp224k1',
  21: 'secp224r1',
  22: 'secp256k1',
  23: 'secp256r1',
  24: 'secp384r1',
  25: 'secp521r1',
  26: 'brainpoolP256r1',
  27: 'brainpoolP384r1',
  28: 'brainpoolP512r1',
  29: 'x25519',
  30: 'x448',
  31: 'brainpoolP256r1tls13',
  32: 'brainpoolP384r1tls13',
  33: 'brainpoolP512r1tls13',
  34: 'GC256A',
  35: 'GC256B',
  36: 'GC256C',
  37: 'GC256D',
  38: 'GC512A',
  39: 'GC512B',
  40: 'GC512C',
  41: 'curveSM2',
  256: 'ffdhe2048',
  257: 'ffdhe3072',
  258: 'ffdhe4096',
  259: 'ffdhe6144',
  260: 'ffdhe8192',
  512: 'MLKEM512',
  513: 'MLKEM768',
  514: 'MLKEM1024',
  4587: 'SecP256r1MLKEM768',
  4588: 'X25519MLKEM768',
  4589: 'SecP384r1MLKEM1024',
  4590: 'curveSM2MLKEM768',
  25497: 'X25519Kyber768Draft00',
  25498: 'SecP256r1Kyber768Draft00',
  65281: 'arbitrary_explicit_prime_curves',
  65282: 'arbitrary_explicit_char2_curves',
});

/** How points of a curve are written. RFC 8422 §5.1.2 */
export const POINT_FORMATS: Names = {
  0: 'uncompressed',
  1: 'ansiX962_compressed_prime',
  2: 'ansiX962_compressed_char2',
};

const HASHES: Names = {
  0: 'None',
  1: 'MD5',
  2: 'SHA1',
  3: 'SHA224',
  4: 'SHA256',
  5: 'SHA384',
  6: 'SHA512',
  7: 'SM3',
};
/** SignatureAndHashAlgorithm: the hash. RFC 5246 §7.4.1.4.1 */
export const HASH_ALGORITHMS = (code: number): string => HASHES[code] ?? 'Unknown';
const SIGNATURES: Names = { 0: 'Anonymous', 1: 'RSA', 2: 'DSA', 3: 'ECDSA', 4: 'SM2' };
/** SignatureAndHashAlgorithm: the signature. RFC 5246 §7.4.1.4.1 */
export const SIGNATURE_KINDS = (code: number): string => SIGNATURES[code] ?? 'Unknown';

const SCHEMES: Names = {
  513: 'rsa_pkcs1_sha1',
  515: 'ecdsa_sha1',
  1025: 'rsa_pkcs1_sha256',
  1027: 'ecdsa_secp256r1_sha256',
  1056: 'rsa_pkcs1_sha256_legacy',
  1281: 'rsa_pkcs1_sha384',
  1283: 'ecdsa_secp384r1_sha384',
  1312: 'rsa_pkcs1_sha384_legacy',
  1537: 'rsa_pkcs1_sha512',
  1539: 'ecdsa_secp521r1_sha512',
  1568: 'rsa_pkcs1_sha512_legacy',
  1800: 'sm2sig_sm3',
  2052: 'rsa_pss_rsae_sha256',
  2053: 'rsa_pss_rsae_sha384',
  2054: 'rsa_pss_rsae_sha512',
  2055: 'ed25519',
  2056: 'ed448',
  2057: 'rsa_pss_pss_sha256',
  2058: 'rsa_pss_pss_sha384',
  2059: 'rsa_pss_pss_sha512',
  2074: 'ecdsa_brainpoolP256r1tls13_sha256',
  2075: 'ecdsa_brainpoolP384r1tls13_sha384',
  2076: 'ecdsa_brainpoolP512r1tls13_sha512',
  2308: 'mldsa44',
  2309: 'mldsa65',
  2310: 'mldsa87',
};
/** A scheme of RFC 8446 §4.2.3, or the two halves that TLS 1.2 gave the number (RFC 5246 §7.4.1.4.1). */
export function SIGNATURE_SCHEMES(code: number): string {
  if (isGrease(code)) return 'Reserved (GREASE)';
  return SCHEMES[code] ?? `${HASH_ALGORITHMS(code >>> 8)} ${SIGNATURE_KINDS(code & 0xff)}`;
}

/** Levels and descriptions of alerts. RFC 8446 §6 */
export const ALERT_LEVELS: Names = { 1: 'Warning', 2: 'Fatal' };
export const ALERTS: Names = {
  0: 'Close Notify',
  1: 'End of Early Data',
  10: 'Unexpected Message',
  20: 'Bad Record MAC',
  21: 'Decryption Failed',
  22: 'Record Overflow',
  30: 'Decompression Failure',
  40: 'Handshake Failure',
  41: 'No Certificate',
  42: 'Bad Certificate',
  43: 'Unsupported Certificate',
  44: 'Certificate Revoked',
  45: 'Certificate Expired',
  46: 'Certificate Unknown',
  47: 'Illegal Parameter',
  48: 'Unknown CA',
  49: 'Access Denied',
  50: 'Decode Error',
  51: 'Decrypt Error',
  52: 'Too Many CIDs Requested',
  60: 'Export Restriction',
  70: 'Protocol Version',
  71: 'Insufficient Security',
  80: 'Internal Error',
  86: 'Inappropriate Fallback',
  90: 'User Canceled',
  100: 'No Renegotiation',
  109: 'Missing Extension',
  110: 'Unsupported Extension',
  111: 'Certificate Unobtainable',
  112: 'Unrecognized Name',
  113: 'Bad Certificate Status Response',
  114: 'Bad Certificate Hash Value',
  115: 'Unknown PSK Identity',
  116: 'Certificate Required',
  120: 'No application Protocol',
  121: 'ECH Required',
};

/** What certificates a server takes of clients, up to TLS 1.2. RFC 5246 §7.4.4 */
export const CLIENT_CERTIFICATE_TYPES: Names = {
  1: 'RSA Sign',
  2: 'DSS Sign',
  3: 'RSA Fixed DH',
  4: 'DSS Fixed DH',
  5: 'RSA Ephemeral DH',
  6: 'DSS Ephemeral DH',
  20: 'Fortezza DMS',
  21: 'GOST R 34.10-94',
  22: 'GOST R 34.10-2001',
  64: 'ECDSA Sign',
  65: 'RSA Fixed ECDH',
  66: 'ECDSA Fixed ECDH',
  67: 'GOST R 34.10-2012 256',
  68: 'GOST R 34.10-2012 512',
  80: 'IBC Params',
};
/** What stands in the place of a certificate. RFC 7250 §3 */
export const CERTIFICATE_TYPES: Names = { 0: 'X.509', 1: 'OpenPGP', 2: 'Raw Public Key', 3: '1609Dot2' };

/** How a ServerKeyExchange says which curve it uses. RFC 8422 §5.4 */
export const CURVE_TYPES: Names = { 1: 'explicit_prime', 2: 'explicit_char2', 3: 'named_curve' };
/** RFC 8446 §4.2.9 */
export const PSK_MODES = (mode: number): string | undefined =>
  mode === 0
    ? 'PSK-only key establishment (psk_ke)'
    : mode === 1
      ? 'PSK with (EC)DHE key establishment (psk_dhe_ke)'
      : mode % 0x1f === 0x0b && mode <= 0xe4
        ? 'Reserved (GREASE)' // RFC 8701 §2: 0x0B, 0x2A … 0xE4
        : undefined;
export const STATUS_TYPES: Names = { 1: 'OCSP', 2: 'OCSP Multi' };
export const SERVER_NAME_TYPES: Names = { 0: 'host_name' };
export const FRAGMENT_LENGTHS: Names = { 1: '512', 2: '1024', 3: '2048', 4: '4096' };
export const COMPRESSIONS: Names = { 1: 'zlib', 2: 'brotli', 3: 'zstd' };
export const HEARTBEAT_MODES: Names = { 1: 'Peer allowed to send requests', 2: 'Peer not allowed to send requests' };
export const HEARTBEAT_TYPES: Names = { 1: 'Request', 2: 'Response' };
export const KEY_UPDATES: Names = { 0: 'update_not_requested', 1: 'update_requested' };
