import { experts, type Field, type FieldDef, fields } from 'fttscope/kit';
import { HEADERS } from './names.js';

/** Fields of one address: display name, URI and the parts of the URI. */
export interface AddressFields {
  readonly display: Field;
  readonly uri: Field;
  readonly user: Field;
  readonly host: Field;
  readonly port: Field;
  readonly param: Field;
}

const text = (name: string, label: string): FieldDef => ({ name, label, type: 'string' });

/** @param labels of display name, URI, user, host, port and URI parameter */
function address(prefix: string, uri: string, labels: readonly [string, string, string, string, string, string]) {
  return fields({
    display: text(`sip.${prefix}.display.info`, labels[0]),
    uri: text(uri === '' ? `sip.${prefix}` : `sip.${prefix}.${uri}`, labels[1]),
    user: text(`sip.${prefix}.user`, labels[2]),
    host: text(`sip.${prefix}.host`, labels[3]),
    port: text(`sip.${prefix}.port`, labels[4]),
    param: text(`sip.${prefix}.param`, labels[5]),
  });
}

const identity = (prefix: string, name: string) =>
  address(prefix, 'addr', [
    `SIP ${name} display info`,
    `SIP ${name} Address`,
    `SIP ${name} User Part`,
    `SIP ${name} Host Part`,
    `SIP ${name} Host Port`,
    `SIP ${name} URI parameter`,
  ]);

const party = (prefix: string, name: string) =>
  address(prefix, 'addr', [
    `SIP ${prefix} display info`,
    `SIP ${prefix} address`,
    `SIP ${prefix} address User Part`,
    `SIP ${prefix} address Host Part`,
    `SIP ${prefix} address Host Port`,
    `SIP ${name} URI parameter`,
  ]);

const routeAddress = (prefix: string, display = `${prefix} display info`) =>
  address(prefix, 'uri', [
    display,
    `${prefix} URI`,
    `${prefix} Userinfo`,
    `${prefix} Host Part`,
    `${prefix} Host Port`,
    `${prefix} URI parameter`,
  ]);

/** Where addresses stand. */
export const ADDRESS = {
  requestUri: address('r-uri', '', [
    'Request-URI display info',
    'Request-URI',
    'Request-URI User Part',
    'Request-URI Host Part',
    'Request-URI Host Port',
    'Request URI parameter',
  ]),
  to: party('to', 'To'),
  from: party('from', 'From'),
  contact: address('contact', 'uri', [
    'SIP C-URI display info',
    'Contact URI',
    'Contact URI User Part',
    'Contact URI Host Part',
    'Contact URI Host Port',
    'Contact URI parameter',
  ]),
  route: routeAddress('Route'),
  recordRoute: routeAddress('Record-Route'),
  serviceRoute: routeAddress('Service-Route'),
  path: routeAddress('Path', 'Path URI'),
  asserted: identity('pai', 'PAI'),
  preferred: identity('ppi', 'PPI'),
  permissionMissing: identity('pmiss', 'PMISS'),
  triggerConsent: identity('tc', 'TC'),
} as const satisfies Record<string, AddressFields>;

/** By header id: the field of the header's value; undefined for id 0. */
export const HEADER_FIELD: readonly (Field | undefined)[] = HEADERS.map((h) =>
  h.name === ''
    ? undefined
    : fields({
        header: { name: h.field ?? `sip.${h.name}`, label: h.label ?? h.name, type: h.type ?? 'string' },
      }).header,
);

const OWN = fields({
  sip: { name: 'sip', label: 'Session Initiation Protocol', type: 'protocol' },
  requestLine: { name: 'sip.Request-Line', label: 'Request-Line', type: 'string', clause: 'RFC 3261 §7.1' },
  method: { name: 'sip.Method', label: 'Method', type: 'string' },
  statusLine: { name: 'sip.Status-Line', label: 'Status-Line', type: 'string', clause: 'RFC 3261 §7.2' },
  statusCode: { name: 'sip.Status-Code', label: 'Status-Code', type: 'u32' },
  resend: { name: 'sip.resend', label: 'Resent Packet', type: 'bool' },
  resendOriginal: { name: 'sip.resend-original', label: 'Suspected resend of frame', type: 'frame' },
  responseRequest: { name: 'sip.response-request', label: 'Request Frame', type: 'frame' },
  responseTime: { name: 'sip.response-time', label: 'Response Time (ms)', type: 'u32' },
  releaseTime: { name: 'sip.release-time', label: 'Release Time (ms)', type: 'u32' },
  messageHeader: { name: 'sip.msg_hdr', label: 'Message Header', type: 'string' },
  messageBody: { name: 'sip.msg_body', label: 'Message Body', type: 'none' },
  displayInfo: { name: 'sip.display.info', label: 'SIP Display info', type: 'string', hidden: true },
  tag: { name: 'sip.tag', label: 'SIP tag', type: 'string', hidden: true },
  toTag: { name: 'sip.to.tag', label: 'SIP to tag', type: 'string' },
  fromTag: { name: 'sip.from.tag', label: 'SIP from tag', type: 'string' },
  contactParameter: { name: 'sip.contact.parameter', label: 'Contact parameter', type: 'string' },
  consentTarget: { name: 'sip.tc.target-uri', label: 'SIP TC Target URI', type: 'string' },
  callIdGenerated: { name: 'sip.call_id_generated', label: 'Generated Call-ID', type: 'string' },
  auth: { name: 'sip.auth', label: 'Authentication', type: 'string', hidden: true },
  authScheme: { name: 'sip.auth.scheme', label: 'Authentication Scheme', type: 'string' },
  authResponse: { name: 'sip.auth.digest.response', label: 'Digest Authentication Response', type: 'string' },
  authNc: { name: 'sip.auth.nc', label: 'Nonce Count', type: 'string' },
  authUsername: { name: 'sip.auth.username', label: 'Username', type: 'string' },
  authRealm: { name: 'sip.auth.realm', label: 'Realm', type: 'string' },
  authNonce: { name: 'sip.auth.nonce', label: 'Nonce Value', type: 'string' },
  authAlgorithm: { name: 'sip.auth.algorithm', label: 'Algorithm', type: 'string' },
  authOpaque: { name: 'sip.auth.opaque', label: 'Opaque Value', type: 'string' },
  authQop: { name: 'sip.auth.qop', label: 'QOP', type: 'string' },
  authCnonce: { name: 'sip.auth.cnonce', label: 'CNonce Value', type: 'string' },
  authUri: { name: 'sip.auth.uri', label: 'Authentication URI', type: 'string' },
  authDomain: { name: 'sip.auth.domain', label: 'Authentication Domain', type: 'string' },
  authStale: { name: 'sip.auth.stale', label: 'Stale Flag', type: 'string' },
  authAuts: { name: 'sip.auth.auts', label: 'Authentication Token', type: 'string' },
  authRspauth: { name: 'sip.auth.rspauth', label: 'Response auth', type: 'string' },
  authNextnonce: { name: 'sip.auth.nextnonce', label: 'Next Nonce', type: 'string' },
  authIk: { name: 'sip.auth.ik', label: 'Integrity Key', type: 'string', clause: 'TS 24.229 §7.2A.1' },
  authCk: { name: 'sip.auth.ck', label: 'Cyphering Key', type: 'string', clause: 'TS 24.229 §7.2A.1' },
  cseqNumber: { name: 'sip.CSeq.seq', label: 'Sequence Number', type: 'u32' },
  cseqMethod: { name: 'sip.CSeq.method', label: 'Method', type: 'string' },
  viaTransport: { name: 'sip.Via.transport', label: 'Transport', type: 'string' },
  viaAddress: { name: 'sip.Via.sent-by.address', label: 'Sent-by Address', type: 'string' },
  viaPort: { name: 'sip.Via.sent-by.port', label: 'Sent-by port', type: 'u16' },
  viaBranch: { name: 'sip.Via.branch', label: 'Branch', type: 'string' },
  viaMaddr: { name: 'sip.Via.maddr', label: 'Maddr', type: 'string' },
  viaRport: { name: 'sip.Via.rport', label: 'RPort', type: 'string', clause: 'RFC 3581' },
  viaReceived: { name: 'sip.Via.received', label: 'Received', type: 'string' },
  viaTtl: { name: 'sip.Via.ttl', label: 'TTL', type: 'string' },
  viaComp: { name: 'sip.Via.comp', label: 'Comp', type: 'string', clause: 'RFC 3486' },
  viaSigcompId: { name: 'sip.Via.sigcomp-id', label: 'Sigcomp identifier', type: 'string', clause: 'RFC 5049' },
  viaOc: { name: 'sip.Via.oc', label: 'Overload Control', type: 'string', clause: 'RFC 7339' },
  viaOcValue: { name: 'sip.Via.oc_val', label: 'Overload Control Value', type: 'u32' },
  viaOcValidity: { name: 'sip.Via.oc_validity', label: 'Overload Control Validity', type: 'string' },
  viaOcSeq: { name: 'sip.Via.oc_seq', label: 'Overload Control Sequence', type: 'string' },
  viaOcTime: { name: 'sip.Via.oc_seq.ts', label: 'Overload Control Sequence Time Stamp', type: 'time' },
  viaOcAlgo: { name: 'sip.Via.oc_algo', label: 'Overload Control Algorithm', type: 'string' },
  viaBeRoute: { name: 'sip.Via.be_route', label: 'be-route', type: 'string' },
  accessType: { name: 'sip.P-Access-Network-Info.access-type', label: 'access-type', type: 'string' },
  utranCell: {
    name: 'sip.P-Access-Network-Info.utran-cell-id-3gpp',
    label: 'utran-cell-id-3gpp',
    type: 'string',
  },
  rackRseq: { name: 'sip.RAck.RSeq.seq', label: 'RSeq Sequence Number', type: 'u32' },
  rackCseq: { name: 'sip.RAck.CSeq.seq', label: 'CSeq Sequence Number', type: 'u32' },
  rackMethod: { name: 'sip.RAck.CSeq.method', label: 'CSeq Method', type: 'string' },
  reasonProtocol: { name: 'sip.reason_protocols', label: 'Reason protocols', type: 'string' },
  reasonQ850: { name: 'sip.reason_cause_q850', label: 'Cause', type: 'u32', base: 'dec_hex' },
  reasonSip: { name: 'sip.reason_cause_sip', label: 'Cause', type: 'u32' },
  reasonOther: { name: 'sip.reason_cause_other', label: 'Cause', type: 'u32' },
  reasonText: { name: 'sip.reason_text', label: 'Text', type: 'string' },
  mechanism: { name: 'sip.sec_mechanism', label: '[Security-mechanism]', type: 'string' },
  mechanismAlg: { name: 'sip.sec_mechanism.alg', label: 'alg', type: 'string' },
  mechanismEalg: { name: 'sip.sec_mechanism.ealg', label: 'ealg', type: 'string' },
  mechanismProt: { name: 'sip.sec_mechanism.prot', label: 'prot', type: 'string' },
  mechanismSpiC: { name: 'sip.sec_mechanism.spi_c', label: 'spi-c', type: 'u32', base: 'dec_hex' },
  mechanismSpiS: { name: 'sip.sec_mechanism.spi_s', label: 'spi-s', type: 'u32', base: 'dec_hex' },
  mechanismPort1: { name: 'sip.sec_mechanism.port1', label: 'port1', type: 'u16' },
  mechanismPortC: { name: 'sip.sec_mechanism.port_c', label: 'port-c', type: 'u16' },
  mechanismPort2: { name: 'sip.sec_mechanism.port2', label: 'port2', type: 'u16' },
  mechanismPortS: { name: 'sip.sec_mechanism.port_s', label: 'port-s', type: 'u16' },
  sessionId: { name: 'sip.Session-ID.sess_id', label: 'sess-id', type: 'bytes', clause: 'RFC 7989' },
  sessionParam: { name: 'sip.Session-ID.param', label: 'param', type: 'string' },
  sessionLocal: { name: 'sip.Session-ID.local_uuid', label: 'local-uuid', type: 'guid' },
  sessionRemote: { name: 'sip.Session-ID.remote_uuid', label: 'remote-uuid', type: 'guid' },
  sessionLogme: { name: 'sip.Session-ID.logme', label: 'logme', type: 'bool', clause: 'RFC 8497' },
  featureCap: { name: 'sip.feature_cap', label: 'Feature Cap', type: 'string', clause: 'RFC 6809' },
  icidValue: { name: 'sip.icid_value', label: 'icid-value', type: 'string', clause: 'RFC 7315 §4.6' },
  icidGenerated: { name: 'sip.icid_gen_addr', label: 'icid-gen-addr', type: 'string' },
});

const all: Record<string, Field> = { ...OWN };
for (const [where, group] of Object.entries(ADDRESS))
  for (const [part, f] of Object.entries(group)) all[`${where}.${part}`] = f;
for (const f of HEADER_FIELD) if (f !== undefined) all[f.name] = f;

export const F = OWN;
/** Every field of SIP. */
export const SIP_FIELDS: Readonly<Record<string, Field>> = all;

export const E = experts({
  // No fault of the message: a warning in Wireshark.
  stray: { code: 'sip.stray-characters', severity: 'chat', message: 'Trailing stray characters' },
  unrecognized: { code: 'sip.unrecognized-header', severity: 'note', message: 'Unrecognised SIP header' },
  noColon: {
    code: 'sip.header-no-colon',
    severity: 'warn',
    malformed: true,
    message: 'Header has no colon after the name',
  },
  notTerminated: {
    code: 'sip.header-not-terminated',
    severity: 'warn',
    malformed: true,
    message: 'Header not terminated by empty line (CRLF)',
    clause: 'RFC 3261 §7',
  },
  tooManyHeaders: { code: 'sip.too-many-headers', severity: 'warn', message: 'More headers than are shown' },
  badContentLength: { code: 'sip.invalid-content-length', severity: 'note', message: 'Invalid content_length' },
  bodyShort: {
    code: 'sip.body-short',
    severity: 'error',
    message: 'Body is shorter than Content-Length says',
    clause: 'RFC 3261 §18.3',
  },
  badRetryAfter: { code: 'sip.invalid-retry-after', severity: 'note', message: 'Invalid retry_after value' },
  badViaPort: { code: 'sip.invalid-via-port', severity: 'note', message: 'Invalid SIP Via sent-by-port' },
  badMechanism: {
    code: 'sip.malformed-security-mechanism',
    severity: 'warn',
    message: 'SIP Security-mechanism header malformed',
  },
  emptySessionId: { code: 'sip.empty-session-id', severity: 'warn', message: 'Session ID cannot be empty' },
  badCseq: {
    code: 'sip.invalid-cseq',
    severity: 'warn',
    message: 'CSeq is not a number and a method',
    clause: 'RFC 3261 §20.16',
  },
  resent: { code: 'sip.retransmission', severity: 'note', message: 'SIP message sent again', clause: 'RFC 3261 §17' },
});
