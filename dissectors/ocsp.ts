import { defineDissector, fields, u8 } from 'fttscope/kit';
import { dissectOcsp } from './tls/ocsp.js';
import { Scan } from './tls/scan.js';
import { X } from './tls/x509fields.js';

/**
 * Online Certificate Status Protocol in bodies of HTTP, RFC 6960 §4 and appendix A. A response begins with its status,
 * an ENUMERATED; a request is named only.
 *
 *     SEQUENCE { ENUMERATED responseStatus, [0] responseBytes }
 *     SEQUENCE { SEQUENCE tbsRequest, … }
 */
const F = fields({
  request: { name: 'ocsp.OCSPRequest_element', label: 'OCSPRequest', type: 'none' },
});

const REQUEST = 'application/ocsp-request';
const SEQUENCE = 0x30;

export const ocsp = defineDissector({
  proto: 'ocsp',
  title: 'Online Certificate Status Protocol',
  short: 'OCSP',
  spec: 'RFC 6960',
  fields: { ...F, ...Object.fromEntries(Object.entries(X).map(([key, field]) => [`x509.${key}`, field])) },
  on: { media_type: [REQUEST, 'application/ocsp-response'] },

  dissect(v, t, cx) {
    if (cx.mediaType === REQUEST || u8(v.buf, v.off) !== SEQUENCE) t.none(F.request, v.off, v.length);
    else dissectOcsp(new Scan(t, v, v.off, v.end));
  },

  summary: (_, cx) => (cx.mediaType === REQUEST ? 'Request' : 'Response'),
});
