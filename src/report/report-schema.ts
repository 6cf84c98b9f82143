/** The JSON Schema (draft 2020-12) of a report. Every object is closed, and so is every enumeration. */

type Schema = Readonly<Record<string, unknown>>;

const TEXT: Schema = { type: 'string' };
const NUMBER: Schema = { type: 'number' };
const COUNT: Schema = { type: 'integer', minimum: 0 };
const INTEGER: Schema = { type: 'integer' };
const BOOLEAN: Schema = { type: 'boolean' };
const MS: Schema = { type: 'number', description: 'milliseconds' };
const ROW: Schema = { type: 'string', pattern: '^([0-9]+:)?[0-9]+(\\.[0-9]+)?$' };
const HEX: Schema = { type: 'string', pattern: '^[0-9a-f]*$' };

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
  object({ id: { type: 'integer', minimum: 1 }, uid: { type: 'string', pattern: '^[0-9a-f]{16}$' }, ...members });
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
  muted: list(TEXT),
  'eftfIssuer?': list(TEXT),
  'frames?': COUNT,
  'decodeAs?': list(TEXT),
  'redacted?': of(true),
  'tunnel?': TEXT,
  'user?': TEXT,
  'callId?': TEXT,
  'from?': TEXT,
  'to?': TEXT,
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
      name: TEXT,
      format: of('pcap', 'pcapng', 'pcap (gzip)', 'pcapng (gzip)', 'empty', 'empty (gzip)'),
      linkTypes: list(COUNT),
      frames: COUNT,
      bytes: COUNT,
      'start?': TIME,
      'end?': TIME,
      'truncated?': TEXT,
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
  'reason?': TEXT,
  'source?': of('option', 'dsb', 'sidecar', 'environment', 'rsa', 'resumption', 'endpoint'),
  records: COUNT,
  decrypted: COUNT,
  failed: COUNT,
  verified: COUNT,
});

const tls = object({
  'version?': TEXT,
  'cipher?': TEXT,
  'sni?': TEXT,
  'alpn?': TEXT,
  resumed: BOOLEAN,
  'resumedFrom?': COUNT,
  'clientRandom?': HEX,
  'certificate?': object({
    subject: TEXT,
    issuer: TEXT,
    'notBefore?': TIME,
    'notAfter?': TIME,
    names: list(TEXT),
  }),
  alerts: list(
    object({
      'at?': TIME,
      row: ROW,
      direction: DIRECTION,
      level: of('warning', 'fatal'),
      description: COUNT,
      name: TEXT,
    }),
  ),
  keyUpdates: COUNT,
  decryption: object({ up: ref('verdict'), down: ref('verdict') }),
});

const envelopes = object({ total: COUNT, ip4: COUNT, ip6: COUNT, unknown: COUNT, invalid: COUNT, bytes: COUNT });

const tunnel = entity({
  state: of(...TUNNEL_STATE),
  'other?': TEXT,
  'failure?': object({
    stage: of('dns', 'tcp', 'proxy', 'tls', 'dhcp', 'slaac', 'pcscf', 'register'),
    cause: TEXT,
    'row?': ROW,
  }),
  'accessType?': of('I', 'II'),
  transport: of('tls', 'tcp'),
  ue: PLACE,
  eftf: object({ address: TEXT, port: COUNT, 'name?': TEXT }),
  'proxy?': object({ address: TEXT, port: COUNT, target: TEXT, 'status?': COUNT, 'waitMs?': MS }),
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
    impu: list(TEXT),
    'impi?': TEXT,
    'instanceId?': TEXT,
    'userAgent?': TEXT,
    'msisdn?': TEXT,
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
  addresses: list(TEXT),
  'pcscf?': object({ address: TEXT, source: of('dhcp', 'dhcpv6', 'dns', 'dns-srv', 'static') }),
  keepAlives: list(
    object({ kind: of('crlf', 'stun', 'rtp-pt20', 'rtcp', 'sip'), intervalMs: MS, 'negotiatedMs?': MS }),
  ),
  'attempts?': list(
    object({
      kind: of('sip', 'epdg', 'portal', 'dns'),
      at: TIME,
      row: ROW,
      to: PLACE,
      'name?': TEXT,
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
        xid: TEXT,
        messages: list(step(DHCP_MESSAGE)),
        outcome: of('bound', 'informed', 'refused', 'declined', 'unanswered', 'offered', 'released', 'in-progress'),
        'address?': TEXT,
        'server?': TEXT,
        'leaseSeconds?': COUNT,
        htype: COUNT,
        hlen: COUNT,
        chaddr: TEXT,
        pcscf: list(TEXT),
        dns: list(TEXT),
      }),
    ),
  }),
  slaac: object({
    rs: COUNT,
    ra: COUNT,
    messages: list(step(of('RS', 'RA', 'DAD'))),
    prefixes: list(
      object({
        prefix: TEXT,
        onLink: BOOLEAN,
        autonomous: BOOLEAN,
        validSeconds: COUNT,
        preferredSeconds: COUNT,
      }),
    ),
    addresses: list(TEXT),
    dad: list(object({ target: TEXT, outcome: of('unique', 'duplicate', 'unknown') })),
  }),
  dhcpv6: object({
    exchanges: list(
      object({
        xid: TEXT,
        messages: list(step(TEXT)),
        outcome: of('answered', 'unanswered', 'refused'),
        pcscf: list(TEXT),
        dns: list(TEXT),
      }),
    ),
  }),
});

const mechanism = object({
  mechanism: TEXT,
  'alg?': TEXT,
  'ealg?': TEXT,
  'mod?': TEXT,
  'spiC?': COUNT,
  'spiS?': COUNT,
  'portC?': COUNT,
  'portS?': COUNT,
});

const registration = entity({
  'tunnel?': COUNT,
  aor: TEXT,
  'contact?': TEXT,
  callId: TEXT,
  state: of(...REGISTRATION_STATE),
  emergency: BOOLEAN,
  start: TIME,
  'end?': TIME,
  transactions: list(
    object({
      row: ROW,
      at: TIME,
      method: TEXT,
      cseq: COUNT,
      retransmissions: COUNT,
      'status?': COUNT,
      'reason?': TEXT,
      'responseRow?': ROW,
      'ms?': MS,
    }),
  ),
  'expiresSeconds?': COUNT,
  'nextRefresh?': TIME,
  'aka?': object({
    algorithm: TEXT,
    'rand?': HEX,
    'autn?': HEX,
    'sqnXorAk?': HEX,
    'amf?': HEX,
    'mac?': HEX,
    'sqn?': HEX,
    'macVerified?': BOOLEAN,
    'responseVerified?': BOOLEAN,
    resynchronisations: COUNT,
  }),
  'secAgree?': object({ client: list(mechanism), server: list(mechanism), 'verified?': BOOLEAN }),
});

const SIDE = of('caller', 'callee');
const pinholeSide = object({
  address: TEXT,
  port: COUNT,
  flowing: of('sendrecv', 'sendonly', 'recvonly', 'inactive'),
});

const call = entity({
  tunnels: list(COUNT),
  callId: TEXT,
  fromUri: TEXT,
  toUri: TEXT,
  'direction?': of('originated', 'terminated'),
  state: of(...CALL_STATE),
  emergency: BOOLEAN,
  start: TIME,
  'ringing?': TIME,
  'answer?': TIME,
  'end?': TIME,
  'releasedBy?': of('caller', 'callee'),
  'pddMs?': MS,
  'setupMs?': MS,
  'durationMs?': MS,
  'failure?': object({
    'status?': COUNT,
    reason: TEXT,
    'q850?': COUNT,
    'retryAfterSeconds?': COUNT,
    'alternative?': object({ type: TEXT, 'action?': TEXT }),
  }),
  messages: list(
    object({
      row: ROW,
      at: TIME,
      'direction?': DIRECTION,
      source: PLACE,
      destination: PLACE,
      method: TEXT,
      cseq: COUNT,
      'status?': COUNT,
      'reason?': TEXT,
      'toTag?': TEXT,
      retransmissions: COUNT,
      'sdp?': of('offer', 'answer'),
      'hold?': of(true),
    }),
  ),
  media: list(COUNT),
  'pinholes?': list(
    object({
      kind: TEXT,
      'caller?': pinholeSide,
      'callee?': pinholeSide,
      codecs: list(TEXT),
      toCaller: COUNT,
      toCallee: COUNT,
    }),
  ),
  'dialogs?': list(object({ toTag: TEXT, state: of('early', 'confirmed'), row: ROW })),
  'reliable?': object({ responses: COUNT, acknowledged: COUNT }),
  'preconditions?': object({ met: BOOLEAN, at: TIME, row: ROW }),
  'holds?': list(object({ by: SIDE, row: ROW, start: TIME, 'end?': TIME })),
  'transfers?': list(
    object({
      row: ROW,
      at: TIME,
      by: SIDE,
      target: TEXT,
      'replaces?': TEXT,
      'status?': COUNT,
      'progress?': COUNT,
    }),
  ),
  'replaces?': TEXT,
  'sessionTimer?': object({ seconds: COUNT, 'refresher?': of('uac', 'uas'), refreshes: COUNT }),
});

const exchange = {
  'tunnel?': COUNT,
  callId: TEXT,
  start: TIME,
  fromUri: TEXT,
  toUri: TEXT,
  'status?': COUNT,
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
  'codec?': TEXT,
  'copyOf?': COUNT,
  'negotiated?': object({
    kind: TEXT,
    codecs: list(object({ payloadType: COUNT, name: TEXT, clock: COUNT })),
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
  'dtmf?': TEXT,
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
    title: TEXT,
    'clause?': TEXT,
    refs: list(object({ kind: of('tunnel', 'call', 'registration', 'media', 'file'), id: COUNT })),
    first: TIME,
    last: TIME,
    count: COUNT,
    rows: { ...list(ROW), maxItems: 20 },
    meaning: TEXT,
    next: TEXT,
  });

/** What the entries of lists are, by the name that a record gives them. */
const entries = (codes: readonly string[]): Readonly<Record<string, Schema>> => ({
  tunnel,
  addressing,
  registration,
  call,
  message: entity({ ...exchange, 'direction?': DIRECTION, 'contentType?': TEXT, 'sms?': sms }),
  subscription: entity({
    ...exchange,
    'event?': TEXT,
    'state?': TEXT,
    'reason?': TEXT,
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
    generator: object({ name: { const: 'fttscope' }, version: TEXT }),
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
    limits: list(object({ name: TEXT, cap: COUNT, hit: COUNT })),
  }),
  $defs: {
    time: object({
      iso: { type: 'string', pattern: '^[-+0-9]{4,7}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{9}Z$' },
      epoch: { type: 'string', pattern: '^-?[0-9]+\\.[0-9]{9}$' },
    }),
    place: object({ address: TEXT, port: COUNT }),
    verdict,
    envelopes,
    ...entries(codes),
    record: { anyOf: Object.entries(entries(codes)).map(([name, schema]) => record(name, schema)) },
  },
});
