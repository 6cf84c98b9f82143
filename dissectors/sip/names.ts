import type { FieldType } from 'fttscope/kit';

/** A header of the IANA registry of SIP header fields, with what Wireshark calls it. */
export interface HeaderName {
  readonly name: string;
  /** Compact form, RFC 3261 §7.3.3 and the IANA registry. */
  readonly compact?: string;
  /** Filter name where it is not `sip.` and the name. */
  readonly field?: string;
  /** Label where it is not the name. */
  readonly label?: string;
  /** Type of the value where it is not text. */
  readonly type?: FieldType;
}

/** The methods of RFC 3261 and its extensions: one text for all messages of a method, for many are kept. */
export const METHODS: ReadonlyMap<string, string> = new Map(
  'INVITE ACK BYE CANCEL REGISTER OPTIONS PRACK UPDATE MESSAGE SUBSCRIBE NOTIFY REFER INFO PUBLISH'
    .split(' ')
    .map((name) => [name, name]),
);

/** The headers that have a field of their own. A header's id is its place in this list; 0 is any other header. */
export const HEADERS: readonly HeaderName[] = [
  { name: '' },
  { name: 'Accept' },
  { name: 'Accept-Contact', compact: 'a' },
  { name: 'Accept-Encoding' },
  { name: 'Accept-Language' },
  { name: 'Accept-Resource-Priority' },
  { name: 'Additional-Identity' },
  { name: 'Alert-Info' },
  { name: 'Allow' },
  { name: 'Allow-Events', compact: 'u' },
  { name: 'Answer-Mode' },
  { name: 'Attestation-Info' },
  { name: 'Authentication-Info' },
  { name: 'Authorization' },
  { name: 'Call-ID', compact: 'i' },
  { name: 'Call-Info' },
  { name: 'Cellular-Network-Info' },
  { name: 'Contact', compact: 'm' },
  { name: 'Content-Disposition' },
  { name: 'Content-Encoding', compact: 'e' },
  { name: 'Content-Language' },
  { name: 'Content-Length', compact: 'l', type: 'u32' },
  { name: 'Content-Type', compact: 'c' },
  { name: 'CSeq' },
  { name: 'Date' },
  { name: 'Diversion' },
  { name: 'Error-Info' },
  { name: 'Event', compact: 'o' },
  { name: 'Expires', type: 'u32' },
  { name: 'Feature-Caps' },
  { name: 'Flow-Timer' },
  { name: 'From', compact: 'f' },
  { name: 'Geolocation' },
  { name: 'Geolocation-Error' },
  { name: 'Geolocation-Routing' },
  { name: 'History-Info' },
  { name: 'Identity', compact: 'y' },
  { name: 'Identity-info', compact: 'n' },
  { name: 'Info-Package' },
  { name: 'In-Reply-To' },
  { name: 'Join' },
  { name: 'Max-Breadth', type: 'u32' },
  { name: 'Max-Forwards', type: 'u32' },
  { name: 'MIME-Version' },
  { name: 'Min-Expires' },
  { name: 'Min-SE' },
  { name: 'Organization' },
  { name: 'Origination-Id' },
  { name: 'P-Access-Network-Info' },
  { name: 'P-Answer-State' },
  { name: 'P-Asserted-Identity' },
  { name: 'P-Asserted-Service' },
  { name: 'P-Associated-URI' },
  { name: 'P-Called-Party-ID' },
  { name: 'P-Charge-Info' },
  { name: 'P-Charging-Function-Addresses' },
  { name: 'P-Charging-Vector' },
  { name: 'P-DCS-Billing-Info' },
  { name: 'P-DCS-LAES' },
  { name: 'P-DCS-OSPS' },
  { name: 'P-DCS-Redirect' },
  { name: 'P-DCS-Trace-Party-ID' },
  { name: 'P-Early-Media' },
  { name: 'P-Media-Authorization' },
  { name: 'P-Preferred-Identity' },
  { name: 'P-Preferred-Service' },
  { name: 'P-Profile-Key' },
  { name: 'P-Refused-URI-List' },
  { name: 'P-Served-User' },
  { name: 'P-User-Database' },
  { name: 'P-Visited-Network-ID' },
  { name: 'Path' },
  { name: 'Permission-Missing' },
  { name: 'Policy-Contact', field: 'sip.Policy_Contact' },
  { name: 'Policy-ID', field: 'sip.Policy_ID' },
  { name: 'Priority' },
  { name: 'Priority-Share' },
  { name: 'Priv-Answer-mode' },
  { name: 'Privacy' },
  { name: 'Proxy-Authenticate' },
  { name: 'Proxy-Authorization' },
  { name: 'Proxy-Require' },
  { name: 'RAck' },
  { name: 'Reason' },
  { name: 'Reason-Phrase' },
  { name: 'Record-Route' },
  { name: 'Recv-Info' },
  { name: 'Refer-Sub' },
  { name: 'Refer-To', compact: 'r' },
  { name: 'Referred-By', compact: 'b', field: 'sip.Referred-by', label: 'Referred By' },
  { name: 'Reject-Contact', compact: 'j' },
  { name: 'Relayed-Charge' },
  { name: 'Replaces' },
  { name: 'Reply-To' },
  { name: 'Request-Disposition', compact: 'd' },
  { name: 'Require' },
  { name: 'Resource-Priority' },
  { name: 'Resource-Share' },
  { name: 'Response-Source' },
  { name: 'Restoration-Info' },
  { name: 'Retry-After', type: 'u32' },
  { name: 'Route' },
  { name: 'RSeq', type: 'u32' },
  { name: 'Security-Client' },
  { name: 'Security-Server' },
  { name: 'Security-Verify' },
  { name: 'Server' },
  { name: 'Service-Interact-Info' },
  { name: 'Service-Route' },
  { name: 'Session-Expires', compact: 'x' },
  { name: 'Session-ID' },
  { name: 'SIP-ETag', field: 'sip.ETag', label: 'ETag' },
  { name: 'SIP-If-Match', field: 'sip.If_Match', label: 'If_Match' },
  { name: 'Subject', compact: 's' },
  { name: 'Subscription-State' },
  { name: 'Supported', compact: 'k' },
  { name: 'Suppress-If-Match', field: 'sip.Suppress_If_Match' },
  { name: 'Target-Dialog' },
  { name: 'Timestamp' },
  { name: 'To', compact: 't' },
  { name: 'Trigger-Consent' },
  { name: 'Unsupported' },
  { name: 'User-Agent' },
  { name: 'User-to-User', field: 'sip.uui' },
  { name: 'Via', compact: 'v' },
  { name: 'Warning' },
  { name: 'WWW-Authenticate' },
];

/** By the hash of the name in lower case: ids of long and compact names. */
const BY_HASH = new Map<number, number>();
/** By id: the long name and the compact name in lower case. */
const LOWER: string[] = HEADERS.map((h) => h.name.toLowerCase());

const FNV = 0x811c9dc5;
const PRIME = 0x01000193;
const lower = (c: number): number => (c >= 0x41 && c <= 0x5a ? c | 0x20 : c);

function hashOf(name: string): number {
  let h = FNV;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ lower(name.charCodeAt(i)), PRIME);
  return h;
}

for (let id = 1; id < HEADERS.length; id++) {
  BY_HASH.set(hashOf(HEADERS[id].name), id);
  if (HEADERS[id].compact !== undefined) BY_HASH.set(hashOf(HEADERS[id].compact!), id);
}

/** Whether the octets are the text, which is in lower case, whatever case they are in. */
export function equalsName(b: Uint8Array, off: number, end: number, name: string): boolean {
  if (end - off !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (lower(b[off + i]) !== name.charCodeAt(i)) return false;
  return true;
}

/** Id of the header whose name stands in `[off, end)`, in any case, long or compact; 0 if it has none. */
export function headerIdAt(b: Uint8Array, off: number, end: number): number {
  let h = FNV;
  for (let i = off; i < end; i++) h = Math.imul(h ^ lower(b[i]), PRIME);
  const id = BY_HASH.get(h);
  if (id === undefined) return 0;
  if (end - off === 1) return lower(b[off]) === HEADERS[id].compact?.charCodeAt(0) ? id : 0;
  return equalsName(b, off, end, LOWER[id]) ? id : 0;
}

/** Id of a header by its name, long or compact, in any case; 0 if it has none. */
export function headerId(name: string): number {
  const id = BY_HASH.get(hashOf(name));
  if (id === undefined) return 0;
  const s = name.toLowerCase();
  return s === LOWER[id] || s === HEADERS[id].compact ? id : 0;
}

/** Ids of the headers that code asks for. */
export const Header = {
  AcceptContact: headerId('Accept-Contact'),
  AuthenticationInfo: headerId('Authentication-Info'),
  Authorization: headerId('Authorization'),
  CallId: headerId('Call-ID'),
  Contact: headerId('Contact'),
  ContentDisposition: headerId('Content-Disposition'),
  ContentEncoding: headerId('Content-Encoding'),
  ContentLength: headerId('Content-Length'),
  ContentType: headerId('Content-Type'),
  CSeq: headerId('CSeq'),
  Event: headerId('Event'),
  Expires: headerId('Expires'),
  FeatureCaps: headerId('Feature-Caps'),
  From: headerId('From'),
  HistoryInfo: headerId('History-Info'),
  PAccessNetworkInfo: headerId('P-Access-Network-Info'),
  PAssertedIdentity: headerId('P-Asserted-Identity'),
  PAssociatedUri: headerId('P-Associated-URI'),
  PChargingFunctionAddresses: headerId('P-Charging-Function-Addresses'),
  PChargingVector: headerId('P-Charging-Vector'),
  PPreferredIdentity: headerId('P-Preferred-Identity'),
  Path: headerId('Path'),
  PermissionMissing: headerId('Permission-Missing'),
  ProxyAuthenticate: headerId('Proxy-Authenticate'),
  ProxyAuthorization: headerId('Proxy-Authorization'),
  RAck: headerId('RAck'),
  Reason: headerId('Reason'),
  RecordRoute: headerId('Record-Route'),
  RetryAfter: headerId('Retry-After'),
  Route: headerId('Route'),
  RSeq: headerId('RSeq'),
  SecurityClient: headerId('Security-Client'),
  SecurityServer: headerId('Security-Server'),
  SecurityVerify: headerId('Security-Verify'),
  ServiceRoute: headerId('Service-Route'),
  SessionExpires: headerId('Session-Expires'),
  SessionId: headerId('Session-ID'),
  Supported: headerId('Supported'),
  To: headerId('To'),
  TriggerConsent: headerId('Trigger-Consent'),
  UserAgent: headerId('User-Agent'),
  Via: headerId('Via'),
  WwwAuthenticate: headerId('WWW-Authenticate'),
} as const;
