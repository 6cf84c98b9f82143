/**
 * The JSON Schema (draft 2020-12) of a report. Every object is closed, and so is every enumeration; every other string says
 * what it holds, and redaction goes by that.
 */

import * as Standard from '../model/standard-words.js';
import { HOLDS, type Holds, type Schema } from './holds.js';

const text = (holds: Holds): Schema => ({ type: 'string', [HOLDS]: holds });
const OURS = text('ours');
const HOST = text('host');
const URI = text('uri');
const CALL = text('call');
const TAG = text('tag');
const METHOD = text(Standard.METHODS);
const CODEC = text('codec');
const PHRASE = text('phrase');
const ADDRESS = text('address');
const NUMBER: Schema = { type: 'number' };
const COUNT: Schema = { type: 'integer', minimum: 0 };
const INTEGER: Schema = { type: 'integer' };
const BOOLEAN: Schema = { type: 'boolean' };
const MS: Schema = { type: 'number', description: 'milliseconds' };
const ROW: Schema = { type: 'string', pattern: '^([0-9]+:)?[0-9]+(\\.[0-9]+)?$' };
const HEX: Schema = { type: 'string', pattern: '^[0-9a-f]*$' };
const SECRET: Schema = { ...HEX, [HOLDS]: 'secret' };

const list = (items: Schema): Schema => ({ type: 'array', items });
const of = (...values: readonly (string | number | boolean)[]): Schema => ({ enum: values });
const map = (values: Schema, keys = '.*'): Schema => ({
  type: 'object',
  propertyNames: { pattern: keys },
  additionalProperties: values,
});
/** Members with a `?` behind their name may be absent. */
function object(members: Readonly<Record<string, Schema>>): Schema {
  const names = Object.keys(members);
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((n) => [n.replace('?', ''), members[n]])),
    required: names.filter((n) => !n.endsWith('?')),
    additionalProperties: false,
  };
}
const entity = (members: Readonly<Record<string, Schema>>): Schema =>
  object({ id: { type: 'integer', minimum: 1 }, uid: { ...text('uid'), pattern: '^[0-9a-f]{16}$' }, ...members });
const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` });

const TIME = ref('time');
const PLACE = ref('place');
const DIRECTION = of('up', 'down');
const SEVERITY = of('note', 'warn', 'error');
const TUNNEL_STATE = ['established', 'failed', 'partial', 'other'] as const;
const REGISTRATION_STATE = ['registered', 'failed', 'in-progress', 'expired', 'deregistered'] as const;
const CALL_STATE = ['established', 'failed', 'cancelled', 'ringing', 'in-progress', 'ended'] as const;

const byState = (states: readonly string[]): Schema =>
  object({ byState: object(Object.fromEntries(states.map((s) => [s, COUNT]))) });

const distribution = object({ count: COUNT, p50: NUMBER, p90: NUMBER, p99: NUMBER, max: NUMBER });

/** By stack of protocols. */
const protocols = map(object({ rows: COUNT, bytes: COUNT }));

const options = object({
  heuristicRtp: BOOLEAN,
  verifyAll: BOOLEAN,
  autoKeys: BOOLEAN,
  muted: list(OURS),
  'eftfIssuer?': list(text('issuer')),
  'frames?': COUNT,
  'decodeAs?': list(text('line')),
  'redacted?': of(true),
  'tunnel?': text('which'),
  'user?': text('user'),
  'callId?': CALL,
  'from?': text('line'),
  'to?': text('line'),
});

const summary = object({
  tunnels: byState(TUNNEL_STATE),
  registrations: byState(REGISTRATION_STATE),
  calls: byState(CALL_STATE),
  media: object({ streams: COUNT, packets: COUNT, lost: COUNT, lostPercent: NUMBER }),
  findings: object({ bySeverity: object({ error: COUNT, warn: COUNT, note: COUNT }) }),
  worst: list(INTEGER),
  'handshakeMs?': distribution,
  'pddMs?': distribution,
  'setupMs?': distribution,
  'lostPercent?': distribution,
  'jitterMs?': distribution,
});

const POINT = of('ue', 'proxy', 'eftf', 'behind-eftf');
const spread = object({ min: NUMBER, mean: NUMBER, max: NUMBER });

const capture = object({
  files: list(
    object({
      id: COUNT,
      name: text('file'),
      format: of('pcap', 'pcapng', 'pcap (gzip)', 'pcapng (gzip)', 'empty', 'empty (gzip)'),
      linkTypes: list(COUNT),
      frames: COUNT,
      bytes: COUNT,
      'start?': TIME,
      'end?': TIME,
      'truncated?': OURS,
      duplicates: COUNT,
      'point?': POINT,
    }),
  ),
  'start?': TIME,
  'end?': TIME,
  'point?': POINT,
});

const verdict = object({
  verdict: of('full', 'partial', 'none'),
  'reason?': OURS,
  'source?': of('option', 'dsb', 'sidecar', 'environment', 'rsa', 'resumption', 'endpoint'),
  records: COUNT,
  decrypted: COUNT,
  failed: COUNT,
  verified: COUNT,
});

const tls = object({
  'version?': OURS,
  'cipher?': OURS,
  'sni?': HOST,
  'alpn?': text(Standard.PROTOCOLS),
  resumed: BOOLEAN,
  'resumedFrom?': COUNT,
  'clientRandom?': SECRET,
  'certificate?': object({
    subject: text('issuer'),
    issuer: text('issuer'),
    'notBefore?': TIME,
    'notAfter?': TIME,
    names: list(HOST),
  }),
  alerts: list(
    object({
      'at?': TIME,
      row: ROW,
      direction: DIRECTION,
      level: of('warning', 'fatal'),
      description: COUNT,
      name: OURS,
    }),
  ),
  keyUpdates: COUNT,
  decryption: object({ up: ref('verdict'), down: ref('verdict') }),
});

const envelopes = object({ total: COUNT, ip4: COUNT, ip6: COUNT, unknown: COUNT, invalid: COUNT, bytes: COUNT });

const tunnel = entity({
  state: of(...TUNNEL_STATE),
  'other?': OURS,
  'failure?': object({
    stage: of('dns', 'tcp', 'proxy', 'tls', 'dhcp', 'slaac', 'pcscf', 'register'),
    cause: OURS,
    'row?': ROW,
  }),
  'accessType?': of('I', 'II'),
  transport: of('tls', 'tcp'),
  ue: PLACE,
  eftf: object({ address: HOST, port: COUNT, 'name?': HOST }),
  'proxy?': object({ address: HOST, port: COUNT, target: HOST, 'status?': COUNT, 'waitMs?': MS }),
  legs: list(
    object({
      file: COUNT,
      tunnel: COUNT,
      client: PLACE,
      server: PLACE,
      role: of('direct', 'ue-proxy', 'proxy-eftf', 'clear'),
      'clockOffsetMs?': NUMBER,
      'delayMs?': object({ up: spread, down: spread, samples: COUNT }),
      'nearUe?': BOOLEAN,
    }),
  ),
  'subscriber?': object({
    impu: list(URI),
    'impi?': text('user'),
    'instanceId?': text('instance'),
    'userAgent?': text('agent'),
    'msisdn?': text('user'),
  }),
  opened: TIME,
  'established?': TIME,
  'closed?': TIME,
  steps: list(
    object({
      step: of('syn', 'syn-ack', 'connect', 'connect-answer', 'client-hello', 'finished', 'close-notify', 'fin', 'rst'),
      row: ROW,
      at: TIME,
      direction: DIRECTION,
    }),
  ),
  release: object({
    by: of('ue', 'eftf', 'middlebox', 'unknown'),
    how: of('close_notify', 'fin', 'rst', 'silent', 'capture-end'),
    'at?': TIME,
    'row?': ROW,
    'idleBeforeMs?': MS,
    basis: of('observed', 'inferred'),
    'pending?': object({ up: COUNT, down: COUNT }),
  }),
  idleMaxMs: MS,
  tcp: object({
    'rttMs?': MS,
    retransmissions: COUNT,
    outOfOrder: COUNT,
    lostSegments: COUNT,
    stalls: list(object({ id: COUNT, at: TIME, ms: MS, direction: DIRECTION, released: COUNT, media: list(COUNT) })),
  }),
  'tls?': tls,
  envelopes: object({ up: ref('envelopes'), down: ref('envelopes') }),
  unknownTypes: map(COUNT, '^[0-9]{1,3}$'),
  protocols,
  gaps: list(
    object({
      at: TIME,
      row: ROW,
      direction: DIRECTION,
      octets: COUNT,
      'estimatedSegments?': COUNT,
      'firstRecord?': COUNT,
      'resumedRecord?': COUNT,
    }),
  ),
  resyncs: COUNT,
  'overhead?': NUMBER,
  dscp: map(COUNT, '^[0-9]{1,2}$'),
  addresses: list(ADDRESS),
  'pcscf?': object({ address: HOST, source: of('dhcp', 'dhcpv6', 'dns', 'dns-srv', 'static') }),
  keepAlives: list(
    object({ kind: of('crlf', 'stun', 'rtp-pt20', 'rtcp', 'sip'), intervalMs: MS, 'negotiatedMs?': MS }),
  ),
  'attempts?': list(
    object({
      kind: of('sip', 'epdg', 'portal', 'dns'),
      at: TIME,
      row: ROW,
      to: PLACE,
      'name?': HOST,
      tries: COUNT,
      outcome: of('succeeded', 'answered', 'failed', 'refused', 'unanswered', 'redirected'),
      'status?': COUNT,
      'ms?': MS,
    }),
  ),
  findings: list(COUNT),
});

const DHCP_MESSAGE: Schema = {
  type: 'string',
  pattern: '^(BOOTP|DISCOVER|OFFER|REQUEST|DECLINE|ACK|NAK|RELEASE|INFORM|type [0-9]+)$',
};

const step = (type: Schema): Schema => object({ row: ROW, at: TIME, type, direction: DIRECTION });

const addressing = entity({
  tunnel: COUNT,
  dhcp: object({
    exchanges: list(
      object({
        xid: OURS,
        messages: list(step(DHCP_MESSAGE)),
        outcome: of('bound', 'informed', 'refused', 'declined', 'unanswered', 'offered', 'released', 'in-progress'),
        'address?': ADDRESS,
        'server?': ADDRESS,
        'leaseSeconds?': COUNT,
        htype: COUNT,
        hlen: COUNT,
        chaddr: ADDRESS,
        pcscf: list(HOST),
        dns: list(ADDRESS),
      }),
    ),
  }),
  slaac: object({
    rs: COUNT,
    ra: COUNT,
    messages: list(step(of('RS', 'RA', 'DAD'))),
    prefixes: list(
      object({
        prefix: ADDRESS,
        onLink: BOOLEAN,
        autonomous: BOOLEAN,
        validSeconds: COUNT,
        preferredSeconds: COUNT,
      }),
    ),
    addresses: list(ADDRESS),
    dad: list(object({ target: ADDRESS, outcome: of('unique', 'duplicate', 'unknown') })),
  }),
  dhcpv6: object({
    exchanges: list(
      object({
        xid: OURS,
        messages: list(step(OURS)),
        outcome: of('answered', 'unanswered', 'refused'),
        pcscf: list(HOST),
        dns: list(ADDRESS),
      }),
    ),
  }),
});

const mechanism = object({
  mechanism: text(Standard.MECHANISMS),
  'alg?': text(Standard.MECHANISMS),
  'ealg?': text(Standard.MECHANISMS),
  'mod?': text(Standard.MECHANISMS),
  'spiC?': COUNT,
  'spiS?': COUNT,
  'portC?': COUNT,
  'portS?': COUNT,
});

const registration = entity({
  'tunnel?': COUNT,
  aor: URI,
  'contact?': URI,
  callId: CALL,
  state: of(...REGISTRATION_STATE),
  emergency: BOOLEAN,
  start: TIME,
  'end?': TIME,
  transactions: list(
    object({
      row: ROW,
      at: TIME,
      method: METHOD,
      cseq: COUNT,
      retransmissions: COUNT,
      'status?': COUNT,
      'reason?': PHRASE,
      'responseRow?': ROW,
      'ms?': MS,
    }),
  ),
  'expiresSeconds?': COUNT,
  'nextRefresh?': TIME,
  'continuedBy?': COUNT,
  'aka?': object({
    algorithm: text(Standard.MECHANISMS),
    'rand?': SECRET,
    'autn?': SECRET,
    'sqnXorAk?': SECRET,
    'amf?': SECRET,
    'mac?': SECRET,
    'sqn?': HEX,
    'macVerified?': BOOLEAN,
    'responseVerified?': BOOLEAN,
    resynchronisations: COUNT,
  }),
  'secAgree?': object({ client: list(mechanism), server: list(mechanism), 'verified?': BOOLEAN }),
});

const SIDE = of('caller', 'callee');
const pinholeSide = object({
  address: HOST,
  port: COUNT,
  flowing: of('sendrecv', 'sendonly', 'recvonly', 'inactive'),
});

const call = entity({
  tunnels: list(COUNT),
  callId: CALL,
  fromUri: URI,
  toUri: URI,
  'direction?': of('originated', 'terminated'),
  state: of(...CALL_STATE),
  emergency: BOOLEAN,
  start: TIME,
  'ringing?': TIME,
  'answer?': TIME,
  'end?': TIME,
  'releasedBy?': of('caller', 'callee'),
  'release?': object({ reason: OURS, 'q850?': COUNT }),
  'pddMs?': MS,
  'setupMs?': MS,
  'durationMs?': MS,
  'failure?': object({
    'status?': COUNT,
    reason: OURS,
    'q850?': COUNT,
    'retryAfterSeconds?': COUNT,
    'alternative?': object({ type: text(Standard.ALTERNATIVES), 'action?': text(Standard.ALTERNATIVES) }),
  }),
  messages: list(
    object({
      row: ROW,
      at: TIME,
      'direction?': DIRECTION,
      source: PLACE,
      destination: PLACE,
      method: METHOD,
      cseq: COUNT,
      'status?': COUNT,
      'reason?': PHRASE,
      'toTag?': TAG,
      retransmissions: COUNT,
      'sdp?': of('offer', 'answer'),
      'hold?': of(true),
    }),
  ),
  media: list(COUNT),
  'pinholes?': list(
    object({
      kind: text(Standard.MEDIA),
      'caller?': pinholeSide,
      'callee?': pinholeSide,
      codecs: list(CODEC),
      toCaller: COUNT,
      toCallee: COUNT,
    }),
  ),
  'dialogs?': list(object({ toTag: TAG, state: of('early', 'confirmed', 'terminated'), row: ROW })),
  'reliable?': object({ responses: COUNT, acknowledged: COUNT }),
  'preconditions?': object({ met: BOOLEAN, at: TIME, row: ROW }),
  'holds?': list(object({ by: SIDE, row: ROW, start: TIME, 'end?': TIME })),
  'transfers?': list(
    object({
      row: ROW,
      at: TIME,
      by: SIDE,
      target: URI,
      'replaces?': CALL,
      'status?': COUNT,
      'progress?': COUNT,
    }),
  ),
  'replaces?': CALL,
  'replacedBy?': CALL,
  'sessionTimer?': object({ seconds: COUNT, 'refresher?': of('uac', 'uas'), refreshes: COUNT }),
});

const exchange = {
  'tunnel?': COUNT,
  callId: CALL,
  start: TIME,
  fromUri: URI,
  toUri: URI,
  'status?': COUNT,
  'responseRow?': ROW,
  rows: list(ROW),
};

const sms = object({ rp: of('RP-DATA', 'RP-ACK', 'RP-ERROR', 'RP-SMMA'), reference: COUNT, 'cause?': COUNT });

const media = entity({
  'tunnel?': COUNT,
  'call?': COUNT,
  ssrc: { type: 'string', pattern: '^0x[0-9a-f]{8}$' },
  'direction?': DIRECTION,
  source: PLACE,
  destination: PLACE,
  start: TIME,
  end: TIME,
  payloadType: COUNT,
  'codec?': CODEC,
  'copyOf?': COUNT,
  'negotiated?': object({
    kind: text(Standard.MEDIA),
    codecs: list(object({ payloadType: COUNT, name: CODEC, clock: COUNT })),
  }),
  packets: COUNT,
  bytes: COUNT,
  lost: COUNT,
  lostPercent: NUMBER,
  duplicates: COUNT,
  reordered: COUNT,
  'jitterMs?': object({ mean: MS, max: MS }),
  bursts: object({ count: COUNT, longest: COUNT }),
  'mos?': object({ value: NUMBER, method: of('ITU-T G.107', 'ITU-T G.107.1'), estimate: of(true) }),
  'speech?': object({
    modes: map(COUNT, '^.{1,32}$'),
    'sid?': COUNT,
    'noData?': COUNT,
    'lost?': COUNT,
    'damaged?': COUNT,
    'misfits?': COUNT,
    'requests?': map(COUNT, '^.{1,32}$'),
  }),
  keepAlives: COUNT,
  'dtmf?': text('secret'),
  headOfLine: list(object({ stall: COUNT, packets: COUNT, ms: MS })),
  'rtcp?': object({
    senderReports: COUNT,
    receiverReports: COUNT,
    'packetsSent?': COUNT,
    'lost?': INTEGER,
    'jitterMs?': MS,
    'roundTripMs?': MS,
  }),
});

const finding = (codes: readonly string[]): Schema =>
  entity({
    code: of(...codes),
    severity: SEVERITY,
    kind: of('service', 'conformance', 'quality', 'capture'),
    confidence: of('certain', 'likely', 'possible'),
    title: OURS,
    'clause?': OURS,
    refs: list(object({ kind: of('tunnel', 'call', 'registration', 'media', 'file'), id: COUNT })),
    first: TIME,
    last: TIME,
    count: COUNT,
    rows: { ...list(ROW), maxItems: 20 },
    meaning: OURS,
    next: OURS,
  });

/** What the entries of lists are, by the name that a record gives them. */
const entries = (codes: readonly string[]): Readonly<Record<string, Schema>> => ({
  tunnel,
  addressing,
  registration,
  call,
  message: entity({ ...exchange, 'direction?': DIRECTION, 'contentType?': text(Standard.MEDIA_TYPES), 'sms?': sms }),
  subscription: entity({
    ...exchange,
    method: of('SUBSCRIBE', 'NOTIFY', 'PUBLISH'),
    'event?': text(Standard.EVENTS),
    'state?': text(Standard.STATES),
    'reason?': text(Standard.ENDS),
    'expiresSeconds?': COUNT,
    'notifications?': COUNT,
  }),
  media,
  finding: finding(codes),
});

/** An entry as a line of `--records`: it says what it is. */
function record(name: string, schema: Schema): Schema {
  const { properties, required } = schema as { properties: object; required: readonly string[] };
  return {
    ...schema,
    properties: { record: { const: name }, ...properties },
    required: ['record', ...required],
  };
}

/** The schema; `codes` are those of all findings. */
export const reportSchema = (codes: readonly string[]): Schema => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:fttscope:report:1',
  title: 'fttscope report',
  ...object({
    schema: { const: 'fttscope.report/1' },
    generator: object({ name: { const: 'fttscope' }, version: OURS }),
    options,
    summary,
    capture,
    tunnels: list(ref('tunnel')),
    addressing: list(ref('addressing')),
    registrations: list(ref('registration')),
    calls: list(ref('call')),
    messages: list(ref('message')),
    subscriptions: list(ref('subscription')),
    media: list(ref('media')),
    findings: list(ref('finding')),
    protocols,
    limits: list(object({ name: OURS, cap: COUNT, hit: COUNT })),
  }),
  $defs: {
    time: object({
      iso: { type: 'string', pattern: '^[-+0-9]{4,7}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{9}Z$' },
      epoch: { type: 'string', pattern: '^-?[0-9]+\\.[0-9]{9}$' },
    }),
    place: object({ address: HOST, port: COUNT }),
    verdict,
    envelopes,
    ...entries(codes),
    record: { anyOf: Object.entries(entries(codes)).map(([name, schema]) => record(name, schema)) },
  },
});
