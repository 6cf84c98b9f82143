import { counted, nameOf, u16 } from 'fttscope/kit';
import { dissectNames } from './certificate.js';
import { objectId } from './der.js';
import { F } from './fields.js';
import { Extension, HandshakeType } from './numbers.js';
import { dissectOcsp } from './ocsp.js';
import type { Scan } from './scan.js';
import { dissectScheme, dissectSctList } from './sct.js';
import { EXTENSION_TYPES, GROUPS } from './values.js';

/**
 * Extensions of hellos and their like, RFC 8446 §4.2:
 *
 *     +--------+--------+- - any number of: +--------+--------+--------+--------+------- - -
 *     |  list's length  |                   | extension_type  |     length      | data …
 *     +--------+--------+- -                +--------+--------+--------+--------+------- - -
 */

/** The message that extensions stand in. */
export interface Within {
  /** Type of the handshake message. */
  readonly message: number;
  /** Whether it is a HelloRetryRequest, which has the type of a ServerHello. */
  readonly retry: boolean;
}

/** The extensions with their length; no node where the message ends before them. */
export function dissectExtensions(s: Scan, within: Within): void {
  if (!s.more) return;
  const list = s.vector16(F.extensionsLength);
  while (list.more) dissectExtension(list, within);
}

function dissectExtension(list: Scan, within: Within): void {
  const { t, v, off } = list;
  if (!list.has(4)) return;
  const type = u16(v.buf, off);
  const length = u16(v.buf, off + 2);
  t.open(F.text, off, Math.min(list.left, 4 + length));
  if (t.labels) t.label(`Extension: ${nameOf(EXTENSION_TYPES, type, `Unknown type ${type}`)} (len=${length})`);
  list.u16(F.extensionType);
  const data = list.vector16(F.extensionLength);
  const read = EXTENSIONS[type];
  if (read === undefined) data.t.bytes(F.extensionData, data.off, data.left);
  else {
    read(data, within);
    data.trailing();
  }
  t.pop();
}

const isHello = (w: Within): boolean => w.message === HandshakeType.ClientHello;
const nothing = (): void => {};

/** A list of schemes with its length, also in CertificateRequest. */
export function dissectSchemes(s: Scan): void {
  const list = s.vector16(F.schemesLength);
  list.heading(F.schemes, `Signature Hash Algorithms (${counted(list.left >> 1, 'algorithm')})`);
  while (list.more) dissectScheme(list);
  list.close();
}

/** Distinguished names of authorities with their length, also in CertificateRequest. */
export function dissectAuthorities(s: Scan): void {
  const list = s.vector16(F.namesLength);
  if (list.more) dissectNames(list);
}

function serverName(s: Scan): void {
  if (!s.more) return; // RFC 6066 §3: the server's answer is empty
  s.heading(F.text, 'Server Name Indication extension');
  const list = s.vector16(F.serverNameListLength);
  while (list.more) {
    list.u8(F.serverNameType);
    const name = list.vector16(F.serverNameLength, 1);
    name.text(F.serverName, name.left);
  }
  s.close();
}

function groups(s: Scan): void {
  const list = s.vector16(F.groupsLength);
  list.heading(F.groups, `Supported Groups (${counted(list.left >> 1, 'group')})`);
  while (list.more) list.u16(F.group);
  list.close();
}

function pointFormats(s: Scan): void {
  const list = s.vector8(F.pointFormatsLength);
  list.heading(F.pointFormats, `Elliptic curves point formats (${list.left})`);
  while (list.more) list.u8(F.pointFormat);
  list.close();
}

function alpn(s: Scan): void {
  const list = s.vector16(F.alpnLength, 2);
  list.heading(F.alpnList, 'ALPN Protocol');
  while (list.more) {
    const name = list.vector8(F.alpnStringLength, 1);
    name.text(F.alpn, name.left);
  }
  list.close();
}

function keyShareEntry(s: Scan): void {
  const { t, off } = s;
  if (!s.has(4)) return;
  const group = u16(s.v.buf, off);
  const length = u16(s.v.buf, off + 2);
  t.open(F.text, off, Math.min(s.left, 4 + length));
  if (t.labels) t.label(`Key Share Entry: Group: ${nameOf(GROUPS, group)}, Key Exchange length: ${length}`);
  s.u16(F.keyShareGroup);
  s.opaque16(F.keyExchangeLength, F.keyExchange);
  t.pop();
}

/** RFC 8446 §4.2.8 */
function keyShare(s: Scan, within: Within): void {
  s.heading(F.text, 'Key Share extension');
  if (isHello(within)) {
    const list = s.vector16(F.keyShareLength);
    while (list.more) keyShareEntry(list);
  } else if (within.retry) s.u16(F.selectedGroup);
  else keyShareEntry(s);
  s.close();
}

/** Of draft-ietf-tls-esni-01 to -06; later drafts have encrypted_client_hello instead. */
function encryptedServerName(s: Scan, within: Within): void {
  if (!isHello(within)) {
    s.bytes(F.extensionData, s.left);
    return;
  }
  s.u16(F.esniSuite);
  keyShareEntry(s);
  s.opaque16(F.esniDigestLength, F.esniDigest);
  s.opaque16(F.esniLength, F.esni);
}

/** RFC 8446 §4.2.11 */
function preSharedKey(s: Scan, within: Within): void {
  s.heading(F.text, 'Pre-Shared Key extension');
  if (!isHello(within)) s.u16(F.pskSelected);
  else {
    const list = s.vector16(F.pskIdentitiesLength);
    while (list.more) {
      const n = list.has(2) ? u16(list.v.buf, list.off) : 0;
      list.t.open(F.text, list.off, Math.min(list.left, n + 6));
      if (list.t.labels) list.t.label(`PSK Identity (length: ${n})`);
      list.opaque16(F.pskIdentityLength, F.pskIdentity);
      list.u32(F.pskAge);
      list.close();
    }
    const binders = s.vector16(F.pskBindersLength);
    binders.none(F.pskBinders, binders.left);
  }
  s.close();
}

function supportedVersions(s: Scan, within: Within): void {
  const list = isHello(within) ? s.vector8(F.supportedVersionsLength) : s;
  while (list.more) list.u16(F.supportedVersion);
}

function pskModes(s: Scan): void {
  const list = s.vector8(F.pskModesLength);
  while (list.more) list.u8(F.pskMode);
}

/** CertificateStatus as it stands in a message of its own, RFC 6066 §8, and in Certificate, RFC 8446 §4.4.2.1. */
export function dissectStatus(s: Scan): void {
  const type = s.u8(F.statusType);
  if (type === 1) {
    const response = s.vector24(F.ocspResponseLength);
    if (response.more) dissectOcsp(response);
  } else if (type === 2) {
    const list = s.vector24(F.ocspResponseListLength); // RFC 6961 §2.2
    while (list.more) {
      const response = list.vector24(F.ocspResponseLength);
      if (response.more) dissectOcsp(response);
    }
  }
}

function statusRequest(s: Scan, within: Within): void {
  if (within.message === HandshakeType.Certificate) dissectStatus(s);
  else if (s.more) {
    s.u8(F.statusType);
    statusRequestBody(s);
  }
}

function statusRequestBody(s: Scan): void {
  const ids = s.vector16(F.responderIdsLength);
  ids.bytes(F.extensionData, ids.left);
  const extensions = s.vector16(F.statusExtensionsLength);
  extensions.bytes(F.extensionData, extensions.left);
}

/** RFC 6961 §2.2 */
function statusRequestV2(s: Scan): void {
  if (!s.more) return;
  const list = s.vector16(F.statusListLength);
  while (list.more) {
    list.u8(F.statusType);
    statusRequestBody(list.vector16(F.statusLength));
  }
}

function sessionTicket(s: Scan): void {
  s.t.bytes(F.extensionData, s.off, s.left);
  if (s.t.labels) s.t.label(`Data (${s.left} bytes)`);
  s.off = s.end;
}

function renegotiationInfo(s: Scan): void {
  s.heading(F.text, 'Renegotiation Info extension');
  s.opaque8(F.renegotiationLength, F.renegotiation);
  s.close();
}

function compressCertificate(s: Scan): void {
  const list = s.vector8(F.compressionAlgorithmsLength);
  while (list.more) list.u16(F.compressionAlgorithm);
}

/** client_certificate_type and server_certificate_type, RFC 7250 §3: a list from the client, one from the server. */
function certificateTypes(s: Scan, within: Within): void {
  if (!isHello(within)) {
    s.u8(F.typeOffered);
    return;
  }
  const list = s.vector8(F.typesLength);
  list.heading(F.types, `Certificate Type List (${list.left})`);
  while (list.more) list.u8(F.typeOffered);
  list.close();
}

/** RFC 8446 §4.2.5 */
function oidFilters(s: Scan): void {
  const list = s.vector16(F.oidFiltersLength);
  while (list.more) {
    const id = list.vector8(F.oidFilterLength);
    // The identifier has the header of its DER encoding: tag and length.
    if (id.left > 2 && id.has(id.left)) id.t.text(F.oidFilter, id.off, id.left, objectId(id.v.buf, id.off + 2, id.end));
    list.opaque16(F.oidFilterValuesLength, F.extensionData);
  }
}

/** draft-vvv-tls-alps */
function applicationSettings(s: Scan, within: Within): void {
  if (!isHello(within)) {
    s.bytes(F.alpsSettings, s.left);
    return;
  }
  const list = s.vector16(F.alpsLength);
  list.heading(F.alpsList, 'Supported ALPN List');
  while (list.more) {
    const name = list.vector8(F.alpsStringLength);
    name.text(F.alpsString, name.left);
  }
  list.close();
}

function nextProtocols(s: Scan): void {
  while (s.more) {
    const name = s.vector8(F.npnStringLength);
    name.text(F.npnOffer, name.left);
  }
}

/** Those that only say that they are there: see RFC 6066 §7, RFC 7366 §2, RFC 7627 §5.1, RFC 8446 §4.2.6. */
const FLAGS = [
  Extension.ClientCertificateUrl,
  Extension.TruncatedHmac,
  Extension.EncryptThenMac,
  Extension.ExtendedMasterSecret,
  Extension.PostHandshakeAuth,
];

const EXTENSIONS: Readonly<Record<number, (s: Scan, within: Within) => void>> = {
  ...Object.fromEntries(FLAGS.map((type) => [type, nothing])),
  [Extension.ServerName]: serverName,
  [Extension.MaxFragmentLength]: (s) => void s.u8(F.maxFragmentLength),
  [Extension.StatusRequest]: statusRequest,
  [Extension.CertType]: certificateTypes,
  [Extension.SupportedGroups]: groups,
  [Extension.EcPointFormats]: pointFormats,
  [Extension.Srp]: (s) => {
    const name = s.vector8(F.srpLength);
    name.text(F.srp, name.left);
  },
  [Extension.SignatureAlgorithms]: dissectSchemes,
  [Extension.SignatureAlgorithmsCert]: dissectSchemes,
  [Extension.DelegatedCredentials]: (s, within) =>
    isHello(within) ? dissectSchemes(s) : s.bytes(F.extensionData, s.left),
  [Extension.Heartbeat]: (s) => void s.u8(F.heartbeatMode),
  [Extension.Alpn]: alpn,
  [Extension.StatusRequestV2]: statusRequestV2,
  [Extension.SignedCertificateTimestamp]: (s) => s.more && dissectSctList(s),
  [Extension.ClientCertType]: certificateTypes,
  [Extension.ServerCertType]: certificateTypes,
  [Extension.Padding]: (s) => s.bytes(F.padding, s.left),
  [Extension.CompressCertificate]: compressCertificate,
  [Extension.RecordSizeLimit]: (s) => void s.u16(F.recordSizeLimit),
  [Extension.SessionTicket]: sessionTicket,
  [Extension.KeyShareDraft]: keyShare,
  [Extension.PreSharedKey]: preSharedKey,
  [Extension.EarlyData]: (s, within) => {
    if (within.message === HandshakeType.NewSessionTicket) s.u32(F.maxEarlyData); // RFC 8446 §4.2.10
  },
  [Extension.SupportedVersions]: supportedVersions,
  [Extension.Cookie]: (s) => s.opaque16(F.cookieLength, F.cookie),
  [Extension.PskKeyExchangeModes]: pskModes,
  [Extension.CertificateAuthorities]: dissectAuthorities,
  [Extension.OidFilters]: oidFilters,
  [Extension.KeyShare]: keyShare,
  [Extension.ConnectionIdOld]: (s) => s.opaque8(F.connectionIdLength, F.connectionId),
  [Extension.ConnectionId]: (s) => s.opaque8(F.connectionIdLength, F.connectionId),
  [Extension.NextProtocolNegotiation]: nextProtocols,
  [Extension.ApplicationSettings]: applicationSettings,
  [Extension.EncryptedServerName]: encryptedServerName,
  [Extension.RenegotiationInfo]: renegotiationInfo,
};
