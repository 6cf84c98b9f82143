/** Numbers of IKE: IANA "Internet Key Exchange (IKE) Attributes" and "Internet Key Exchange Version 2 (IKEv2) Parameters". */

/** Exchange types. */
export const EXCHANGES: Readonly<Record<number, string>> = {
  0: 'NONE',
  1: 'Base',
  2: 'Identity Protection (Main Mode)',
  3: 'Authentication Only',
  4: 'Aggressive',
  5: 'Informational',
  6: 'Transaction (Config Mode)',
  32: 'Quick Mode',
  33: 'New Group Mode',
  34: 'IKE_SA_INIT',
  35: 'IKE_AUTH',
  36: 'CREATE_CHILD_SA',
  37: 'INFORMATIONAL',
  38: 'IKE_SESSION_RESUME',
};

/** Payload types: below 33 of version 1, from there on of version 2. */
export const PAYLOADS: Readonly<Record<number, string>> = {
  0: 'NONE / No Next Payload',
  1: 'Security Association',
  2: 'Proposal',
  3: 'Transform',
  4: 'Key Exchange',
  5: 'Identification',
  6: 'Certificate',
  7: 'Certificate Request',
  8: 'Hash',
  9: 'Signature',
  10: 'Nonce',
  11: 'Notification',
  12: 'Delete',
  13: 'Vendor ID',
  14: 'Attributes',
  15: 'SA KEK Payload',
  16: 'SA TEK Payload',
  17: 'Key Download',
  18: 'Sequence Number',
  19: 'Proof of Possession',
  20: 'NAT-D (RFC 3947)',
  21: 'NAT-OA (RFC 3947)',
  22: 'Group Associated Policy',
  33: 'Security Association',
  34: 'Key Exchange',
  35: 'Identification - Initiator',
  36: 'Identification - Responder',
  37: 'Certificate',
  38: 'Certificate Request',
  39: 'Authentication',
  40: 'Nonce',
  41: 'Notify',
  42: 'Delete',
  43: 'Vendor ID',
  44: 'Traffic Selector - Initiator',
  45: 'Traffic Selector - Responder',
  46: 'Encrypted and Authenticated',
  47: 'Configuration',
  48: 'Extensible Authentication',
  49: 'Generic Secure Password Method',
  50: 'Group Identification',
  51: 'Group Security Association',
  52: 'Key Download',
  53: 'Encrypted and Authenticated Fragment',
  130: 'NAT-D (draft-ietf-ipsec-nat-t-ike-01 to 03)',
  131: 'NAT-OA (draft-ietf-ipsec-nat-t-ike-01 to 03)',
  132: 'Cisco-Fragmentation',
};

/** Domains of interpretation: RFC 2407, RFC 6407. */
export const DOMAINS: Readonly<Record<number, string>> = { 0: 'ISAKMP', 1: 'IPSEC', 2: 'GDOI' };

/** Security protocols. */
export const PROTOCOLS: Readonly<Record<number, string>> = { 0: 'RESERVED', 1: 'IKE', 2: 'AH', 3: 'ESP', 4: 'IPCOMP' };

/** Transform types of version 2. */
export const TRANSFORM_TYPES: Readonly<Record<number, string>> = {
  1: 'Encryption Algorithm (ENCR)',
  2: 'Pseudo-random Function (PRF)',
  3: 'Integrity Algorithm (INTEG)',
  4: 'Diffie-Hellman Group (D-H)',
  5: 'Extended Sequence Numbers (ESN)',
};

/** Encryption algorithms of version 2. */
export const ENCR: Readonly<Record<number, string>> = {
  2: 'ENCR_DES',
  3: 'ENCR_3DES',
  11: 'ENCR_NULL',
  12: 'ENCR_AES_CBC',
  13: 'ENCR_AES_CTR',
  14: 'ENCR_AES-CCM_8',
  15: 'ENCR_AES-CCM_12',
  16: 'ENCR_AES-CCM_16',
  18: 'ENCR_AES-GCM_8',
  19: 'ENCR_AES-GCM_12',
  20: 'ENCR_AES-GCM_16',
  23: 'ENCR_CAMELLIA_CBC',
  28: 'ENCR_CHACHA20_POLY1305',
};

/** Pseudo-random functions of version 2. */
export const PRF: Readonly<Record<number, string>> = {
  1: 'PRF_HMAC_MD5',
  2: 'PRF_HMAC_SHA1',
  4: 'PRF_AES128_XCBC',
  5: 'PRF_HMAC_SHA2_256',
  6: 'PRF_HMAC_SHA2_384',
  7: 'PRF_HMAC_SHA2_512',
  8: 'PRF_AES128_CMAC',
};

/** Integrity algorithms of version 2. */
export const INTEG: Readonly<Record<number, string>> = {
  0: 'NONE',
  1: 'AUTH_HMAC_MD5_96',
  2: 'AUTH_HMAC_SHA1_96',
  5: 'AUTH_AES_XCBC_96',
  8: 'AUTH_AES_CMAC_96',
  12: 'AUTH_HMAC_SHA2_256_128',
  13: 'AUTH_HMAC_SHA2_384_192',
  14: 'AUTH_HMAC_SHA2_512_256',
};

/** Diffie-Hellman groups of both versions. */
export const GROUPS: Readonly<Record<number, string>> = {
  0: 'NONE',
  1: 'Default 768-bit MODP group',
  2: 'Alternate 1024-bit MODP group',
  5: '1536 bit MODP group',
  14: '2048 bit MODP group',
  15: '3072 bit MODP group',
  16: '4096 bit MODP group',
  17: '6144 bit MODP group',
  18: '8192 bit MODP group',
  19: '256-bit random ECP group',
  20: '384-bit random ECP group',
  21: '521-bit random ECP group',
  22: '1024-bit MODP Group with 160-bit Prime Order Subgroup',
  23: '2048-bit MODP Group with 224-bit Prime Order Subgroup',
  24: '2048-bit MODP Group with 256-bit Prime Order Subgroup',
  31: 'Curve25519',
  32: 'Curve448',
};

/** Extended sequence numbers. */
export const ESN: Readonly<Record<number, string>> = {
  0: 'No Extended Sequence Numbers',
  1: 'Extended Sequence Numbers',
};

/** Of version 1, RFC 2409 appendix A: encryption algorithms, hash algorithms, authentication methods, types of lifetime. */
export const CIPHERS_1: Readonly<Record<number, string>> = {
  1: 'DES-CBC',
  2: 'IDEA-CBC',
  3: 'BLOWFISH-CBC',
  4: 'RC5-R16-B64-CBC',
  5: '3DES-CBC',
  6: 'CAST-CBC',
  7: 'AES-CBC',
  8: 'CAMELLIA-CBC',
};
export const HASHES_1: Readonly<Record<number, string>> = {
  1: 'MD5',
  2: 'SHA',
  3: 'TIGER',
  4: 'SHA2-256',
  5: 'SHA2-384',
  6: 'SHA2-512',
};
export const METHODS_1: Readonly<Record<number, string>> = {
  1: 'Pre-shared key',
  2: 'DSS signatures',
  3: 'RSA signatures',
  4: 'Encryption with RSA',
  5: 'Revised encryption with RSA',
};
export const LIFE_TYPES: Readonly<Record<number, string>> = { 1: 'Seconds', 2: 'Kilobytes' };

/** RFC 2407 §4.5, RFC 3947 §5.1: modes of encapsulation, authentication algorithms. */
export const MODES: Readonly<Record<number, string>> = {
  1: 'Tunnel',
  2: 'Transport',
  3: 'UDP-Encapsulated-Tunnel',
  4: 'UDP-Encapsulated-Transport',
};
export const HMACS_1: Readonly<Record<number, string>> = {
  1: 'HMAC-MD5',
  2: 'HMAC-SHA',
  5: 'HMAC-SHA2-256',
  6: 'HMAC-SHA2-384',
  7: 'HMAC-SHA2-512',
};
