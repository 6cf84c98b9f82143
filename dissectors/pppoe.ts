import {
  defineDissector,
  experts,
  type Field,
  fields,
  hexNumber,
  nameOf,
  need,
  type Peek,
  printable,
  type Tree,
  u8,
  u16,
  u32,
  utf8Text,
  type View,
} from 'fttscope/kit';

/**
 * PPP over Ethernet, RFC 2516 §4; a discovery packet carries tags, a session packet one PPP frame:
 *
 *     +-----+------+----------+----------------+------------+--------- - - -
 *     | Ver | Type | Code (1) | Session id (2) | Length (2) | Payload
 *     +-----+------+----------+----------------+------------+--------- - - -
 *
 *     tag:  +----------+------------+------- - - -
 *           | Type (2) | Length (2) | Value
 *           +----------+------------+------- - - -
 */
const HEADER = 6;
const TAG = 4;
const END_OF_LIST = 0;
const VENDOR_SPECIFIC = 0x0105;
const AC_NAME = 0x0102;

const CODES: Readonly<Record<number, string>> = {
  0: 'Session Data',
  7: 'Active Discovery Offer (PADO)',
  9: 'Active Discovery Initiation (PADI)',
  10: 'Active Discovery Session-Grant (PADG)',
  11: 'Active Discovery Session-Credit Resp.(PADC)',
  12: 'Active Discovery Quality (PADQ)',
  25: 'Active Discovery Request (PADR)',
  101: 'Active Discovery Session-confirmation (PADS)',
  167: 'Active Discovery Terminate (PADT)',
  211: 'Active Discovery Message (PADM)',
  212: 'Active Discovery Network (PADN)',
};
const TAGS: Readonly<Record<number, string>> = {
  [END_OF_LIST]: 'End-Of-List',
  257: 'Service-Name',
  [AC_NAME]: 'AC-Name',
  259: 'Host-Uniq',
  260: 'AC-Cookie',
  [VENDOR_SPECIFIC]: 'Vendor-Specific',
  262: 'Credits',
  263: 'Metrics',
  264: 'Sequence Number',
  265: 'Credit Scale Factor',
  272: 'Relay-Session-Id',
  273: 'HURL',
  274: 'MOTM',
  288: 'PPP-Max-Payload',
  289: 'IP Route Add',
  513: 'Service-Name-Error',
  514: 'AC-System-Error',
  515: 'Generic-Error',
};

const H = {
  version: { name: 'pppoe.version', label: 'Version', type: 'u8', mask: 0xf0 },
  type: { name: 'pppoe.type', label: 'Type', type: 'u8', mask: 0x0f },
  code: { name: 'pppoe.code', label: 'Code', type: 'u8', base: 'hex', values: CODES },
  session: { name: 'pppoe.session_id', label: 'Session ID', type: 'u16', base: 'hex' },
  length: { name: 'pppoe.payload_length', label: 'Payload Length', type: 'u16' },
} as const;

const S = fields({ layer: { name: 'pppoes', label: 'PPP-over-Ethernet Session', type: 'protocol' }, ...H });
const D = fields({
  layer: { name: 'pppoed', label: 'PPP-over-Ethernet Discovery', type: 'protocol' },
  ...H,
  tags: { name: 'pppoed.tags', label: 'PPPoE Tags', type: 'none' },
  tag: { name: 'pppoed.tag', label: 'Tag', type: 'u16', base: 'hex', values: TAGS },
  tagLength: { name: 'pppoed.tag_length', label: 'Tag Length', type: 'u16' },
  unknown: { name: 'pppoed.tag.unknown_data', label: 'Unknown Data', type: 'bytes' },
  serviceName: { name: 'pppoed.tags.service_name', label: 'Service-Name', type: 'string' },
  acName: { name: 'pppoed.tags.ac_name', label: 'AC-Name', type: 'string' },
  hostUniq: { name: 'pppoed.tags.host_uniq', label: 'Host-Uniq', type: 'bytes' },
  acCookie: { name: 'pppoed.tags.ac_cookie', label: 'AC-Cookie', type: 'bytes' },
  vendorId: { name: 'pppoed.tags.vendor_id', label: 'Vendor id', type: 'u32' },
  vendorOther: { name: 'pppoed.tags.vendor_unspecified', label: 'Vendor unspecified', type: 'bytes' },
  credits: { name: 'pppoed.tags.credits', label: 'Credits', type: 'bytes' },
  metrics: { name: 'pppoed.tags.metrics', label: 'Metrics', type: 'bytes' },
  sequence: { name: 'pppoed.tags.seq_num', label: 'Sequence Number', type: 'u16', base: 'hex' },
  scale: { name: 'pppoed.tags.credit_scale', label: 'Credit Scale Factor', type: 'u16' },
  relay: { name: 'pppoed.tags.relay_session_id', label: 'Relay-Session-Id', type: 'bytes' },
  hurl: { name: 'pppoed.tags.hurl', label: 'HURL', type: 'bytes' },
  motm: { name: 'pppoed.tags.motm', label: 'MOTM', type: 'bytes' },
  maxPayload: { name: 'pppoed.tags.max_payload', label: 'PPP-Max-Payload', type: 'bytes' },
  routeAdd: { name: 'pppoed.tags.ip_route_add', label: 'IP Route Add', type: 'bytes' },
  serviceError: { name: 'pppoed.tags.service_name_error', label: 'Service-Name-Error', type: 'string' },
  systemError: { name: 'pppoed.tags.ac_system_error', label: 'AC-System-Error', type: 'string' },
  genericError: { name: 'pppoed.tags.generic_error', label: 'Generic-Error', type: 'string' },
});
const TAG_FIELDS: Readonly<Record<number, Field>> = {
  257: D.serviceName,
  [AC_NAME]: D.acName,
  259: D.hostUniq,
  260: D.acCookie,
  262: D.credits,
  263: D.metrics,
  264: D.sequence,
  265: D.scale,
  272: D.relay,
  273: D.hurl,
  274: D.motm,
  288: D.maxPayload,
  289: D.routeAdd,
  513: D.serviceError,
  514: D.systemError,
  515: D.genericError,
};

const badLength = {
  code: 'pppoe.bad-length',
  severity: 'warn',
  message: 'Possible bad payload length',
  clause: 'RFC 2516 §4',
} as const;
const E = experts({ badLength });

const payloadEnd = (v: View) => v.off + HEADER + u16(v.buf, v.off + 4);

function header(v: View, t: Tree, f: typeof S | typeof D): void {
  need(v, HEADER);
  const { buf, off } = v;
  t.open(f.layer, off, HEADER);
  t.bits(f.version, off, 1, u8(buf, off));
  t.bits(f.type, off, 1, u8(buf, off));
  t.num(f.code, off + 1, 1, u8(buf, off + 1));
  t.num(f.session, off + 2, 2, u16(buf, off + 2));
  t.num(f.length, off + 4, 2, u16(buf, off + 4));
  if (payloadEnd(v) > v.wireEnd)
    t.expert(E.badLength, `Possible bad payload length ${u16(buf, off + 4)} != ${v.wireEnd - off - HEADER}`);
}

function summary(v: View): string {
  if (v.length < HEADER) return 'Header cut short';
  const code = u8(v.buf, v.off + 1);
  let s = nameOf(CODES, code, `Unknown code ${hexNumber(code, 2)}`);
  eachTag(v, (type, off, length) => {
    if (type === AC_NAME) s += ` AC-Name='${printable(utf8Text(v.buf, off, off + length))}'`;
  });
  return s;
}

/** Calls `visit` with type, offset and length of the value of each tag; stops at a tag that does not fit. */
function eachTag(v: View, visit: (type: number, off: number, length: number) => void): void {
  const end = Math.min(v.end, payloadEnd(v));
  for (let o = v.off + HEADER; o + TAG <= end; ) {
    const n = u16(v.buf, o + 2);
    if (o + TAG + n > end) return;
    visit(u16(v.buf, o), o + TAG, n);
    if (u16(v.buf, o) === END_OF_LIST) return; // RFC 2516 appendix A
    o += TAG + n;
  }
}

function tagValue(t: Tree, v: View, type: number, off: number, n: number): void {
  const f = TAG_FIELDS[type];
  if (type === VENDOR_SPECIFIC && n >= 4) {
    t.num(D.vendorId, off, 4, u32(v.buf, off));
    if (n > 4) t.bytes(D.vendorOther, off + 4, n - 4);
  } else if (f === undefined) {
    if (type === END_OF_LIST) return;
    t.num(D.tag, off - TAG, 2, type);
    t.num(D.tagLength, off - 2, 2, n);
    t.bytes(D.unknown, off, n);
  } else if (f.type === 'string') t.text(f, off, n);
  else if (f.type === 'u16') {
    if (n === 2) t.num(f, off, 2, u16(v.buf, off));
  } else t.bytes(f, off, n);
}

export const pppoes = defineDissector({
  proto: 'pppoes',
  title: 'PPP-over-Ethernet Session',
  short: 'PPPoES',
  spec: 'RFC 2516 §4',
  fields: S,
  experts: E,
  on: { ethertype: [0x8864] },
  tables: ['pppoes'],

  peek(p: Peek) {
    if (p.end - p.off < HEADER) return p.stop();
    const end = p.off + HEADER + u16(p.buf, p.off + 4);
    if (end < p.wireEnd) p.wireEnd = end;
    if (p.end > p.wireEnd) p.end = p.wireEnd;
    p.off += HEADER;
    p.table = 'pppoes';
    p.key = 0;
  },

  dissect(v, t, cx) {
    header(v, t, S);
    t.pop();
    cx.next('pppoes', 0, v.sub(v.off + HEADER, payloadEnd(v)));
  },

  summary: (v) => (v.length < HEADER ? 'Header cut short' : nameOf(CODES, u8(v.buf, v.off + 1))),
});

export const pppoed = defineDissector({
  proto: 'pppoed',
  title: 'PPP-over-Ethernet Discovery',
  short: 'PPPoED',
  spec: 'RFC 2516 §5',
  fields: D,
  experts: E,
  on: { ethertype: [0x8863] },

  dissect(v, t) {
    header(v, t, D);
    const body = v.sub(v.off + HEADER, payloadEnd(v));
    if (body.wireLength > 0) {
      t.open(D.tags, body.off, body.length);
      let seen = body.off;
      eachTag(v, (type, off, n) => {
        tagValue(t, v, type, off, n);
        seen = type === END_OF_LIST ? body.end : off + n;
      });
      t.pop();
      if (seen < body.end) need(body, seen + TAG > body.end ? TAG : TAG + u16(v.buf, seen + 2), seen);
    }
    t.pop();
  },

  summary,
});
