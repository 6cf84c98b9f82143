/**
 * Which layer Wireshark names for an OBJECT IDENTIFIER of a name or an extension: the module that lays its syntax down
 * (RFC 5280, X.509, X.520, PKCS #9, RFC 6960, and those of Microsoft and Netscape). What has none it does not read.
 */
type Modules = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>;

/** The last arcs by what stands before them, by module. */
const ATTRIBUTES: Modules = {
  x509sat: {
    '2.5.4': [
      0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 35, 41,
      42, 43, 44, 45, 46, 47, 48, 50, 51, 52, 54, 56, 65, 66, 67,
    ],
    '0.9.2342.19200300.100.1': [25],
    '1.2.840.113549.1.9': [1, 7, 8, 13, 20, 21],
    '1.3.6.1.4.1.311.20.2': [3],
    '1.3.6.1.4.1.311.60.2.1': [1, 2, 3],
    '1.3.6.1.5.5.7.9': [1, 2, 3, 4, 5],
  },
  x509if: { '2.5.4': [1, 31, 32, 33, 34, 49] },
  x509af: { '2.5.4': [36, 37, 38, 39, 40, 53, 58, 59], '0.9.2342.19200300.100.1': [1] },
  pkixac: { '2.5.4': [55, 72] },
};

const EXTENSIONS: Modules = {
  x509ce: {
    '2.5.29': [
      3, 9, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 27, 28, 29, 30, 31, 32, 33, 35, 36, 37, 40, 44, 45, 46, 47, 51, 53,
      54, 58, 59, 60, 61,
    ],
    '1.3.6.1.4.1.311.21': [7, 10],
    '1.2.840.113533.7.65': [0],
  },
  x509sat: {
    '1.3.6.1.4.1.311.20': [2],
    '1.3.6.1.4.1.311.20.2': [3],
    '1.3.6.1.4.1.311.21': [1, 2, 3, 4],
    '1.2.840.113549.1.9': [1, 20, 21],
  },
  pkix1implicit: {
    '1.3.6.1.5.5.7.1': [1],
    '1.3.6.1.4.1.311.20': [1],
    '1.3.6.1.4.1.311.20.2': [1, 2],
    '1.3.6.1.4.1.311.21': [5, 6, 19],
  },
  pkix1explicit: { '1.3.6.1.5.5.7.1': [7, 8, 24], '1.2.840.113549.1.9': [14] },
  pkixqualified: { '1.3.6.1.5.5.7.1': [2, 3], '1.3.6.1.5.5.7.8': [5] },
  pkixac: { '1.3.6.1.5.5.7.1': [6, 10], '2.5.29': [55] },
  pkixproxy: { '1.3.6.1.5.5.7.1': [14] },
  logotypecertextn: { '1.3.6.1.5.5.7.1': [12] },
  wlancertextn: { '1.3.6.1.5.5.7.1': [13] },
  mudurl: { '1.3.6.1.5.5.7.1': [25] },
  cms: { '1.2.840.113549.1.9': [3, 4, 6, 15] },
  ocsp: { '1.3.6.1.5.5.7.48.1': [1, 2, 3, 4, 5, 6, 7] },
  ns_cert_exts: { '2.16.840.1.113730.1': [1, 2, 3, 4, 7, 8, 12, 13] },
  tls: { '1.3.6.1.4.1.11129.2.4': [2, 5] },
};

function byOid(modules: Modules): ReadonlyMap<string, string> {
  const out = new Map<string, string>();
  for (const [module, prefixes] of Object.entries(modules))
    for (const [prefix, arcs] of Object.entries(prefixes)) for (const arc of arcs) out.set(`${prefix}.${arc}`, module);
  return out;
}

/** Layers that Wireshark lists for attributes of names, and for extensions, by object identifier. */
export const ATTRIBUTE_LAYERS = byOid(ATTRIBUTES);
export const EXTENSION_LAYERS = byOid(EXTENSIONS);
