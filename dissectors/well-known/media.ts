import { fromRows } from './named.js';

/** Protocols of bodies that are only named: found by the media type. */
export const mediaTypes = fromRows([
  [
    ...(['image-jfif', 'JPEG File Interchange Format', 'JFIF (JPEG) image', 'ISO/IEC 10918-5'] as const),
    { media_type: ['image/jpeg', 'image/jpg', 'image/jfif'] },
  ],
  ['png', 'Portable Network Graphics', 'PNG', 'ISO/IEC 15948', { media_type: ['image/png'] }],
  ['image-gif', 'Compuserve GIF', 'GIF image', 'none', { media_type: ['image/gif'] }],
  [
    ...(['urlencoded-form', 'HTML Form URL Encoded', 'URL Encoded Form Data', 'WHATWG URL §5'] as const),
    { media_type: ['application/x-www-form-urlencoded'] },
  ],
  [
    ...(['message-http', 'Media Type: message/http', 'message/http', 'RFC 9112 §10.1'] as const),
    { media_type: ['message/http'] },
  ],
  [
    ...(['cbor', 'Concise Binary Object Representation', 'CBOR', 'RFC 8949'] as const),
    {
      media_type: ['application/cbor', 'application/cbor-seq', 'application/senml+cbor', 'application/sensml+cbor'],
    },
  ],
  [
    ...(['cms', 'Cryptographic Message Syntax', 'CMS', 'RFC 5652'] as const),
    { media_type: ['application/pkcs7-mime', 'application/pkcs7-signature'] },
  ],
  ['pkix-cert', 'PKIX CERT File Format', 'PKIX Certificate', 'RFC 2585', { media_type: ['application/pkix-cert'] }],
  ['x509af', 'X.509 Authentication Framework', 'X509AF', 'RFC 5280 §5', { media_type: ['application/pkix-crl'] }],
  [
    ...(['pkixtsp', 'PKIX Time Stamp Protocol', 'PKIXTSP', 'RFC 3161'] as const),
    { media_type: ['application/timestamp-query', 'application/timestamp-reply'] },
  ],
  ['pkcs10', 'PKCS#10 Certification Request', 'PKCS10', 'RFC 2986', { media_type: ['application/pkcs10'] }],
  ['tnef', 'Transport-Neutral Encapsulation Format', 'TNEF', 'MS-OXTNEF', { media_type: ['application/ms-tnef'] }],
  [
    ...(['cmp', 'Certificate Management Protocol', 'CMP', 'RFC 4210'] as const),
    { media_type: ['application/pkixcmp', 'application/pkixcmp-poll'] },
  ],
  [
    ...(['grpc', 'GRPC Message', 'GRPC', 'gRPC over HTTP2'] as const),
    {
      media_type: ['application/grpc', 'application/grpc+proto', 'application/grpc-web', 'application/grpc-web+proto'],
    },
  ],
  [
    ...(['wbxml', 'WAP Binary XML', 'WBXML', 'WAP-192-WBXML'] as const),
    {
      media_type: [
        'application/vnd.ms-sync',
        'application/vnd.ms-sync.wbxml',
        'application/vnd.syncml+wbxml',
        'application/vnd.syncml.dm+wbxml',
        'application/vnd.wap.coc',
        'application/vnd.wap.connectivity-wbxml',
        'application/vnd.wap.sic',
        'application/vnd.wap.slc',
        'application/vnd.wap.wbxml',
        'application/vnd.wap.wmlc',
        'application/vnd.wv.csp.wbxml',
      ],
    },
  ],
  [
    ...(['mmse', 'MMS Message Encapsulation', 'MMSE', 'OMA-TS-MMS_ENC'] as const),
    { media_type: ['application/vnd.wap.mms-message'] },
  ],
  ['amf', 'Action Message Format', 'AMF', 'none', { media_type: ['application/x-amf'] }],
  ['ipp', 'Internet Printing Protocol', 'IPP', 'RFC 8010', { media_type: ['application/ipp'] }],
  [
    ...(['ulp', 'OMA UserPlane Location Protocol', 'ULP', 'OMA-TS-ULP'] as const),
    { media_type: ['application/oma-supl-ulp', 'application/vnd.omaloc-supl-init'] },
  ],
  [
    ...(['daap', 'Digital Audio Access Protocol', 'DAAP', 'none'] as const),
    { media_type: ['application/x-dmap-tagged'] },
  ],
]);
