/**
 * The JSON Schema (draft 2020-12) of a report. Every object is closed, and so is every enumeration; every other string says
 * what it holds, and redaction goes by that.
 */

import * as Standard from '../model/standard-words.js';
import { CALL_STATES, REGISTRATION_STATES, TUNNEL_STATES } from '../model/states.js';
import type { Schema } from './holds.js';
import { call, exchange, media, registration, sms } from './schema-dialogs.js';
import {
  BOOLEAN,
  CALL,
  COUNT,
  DIRECTION,
  entity,
  HOST,
  INTEGER,
  list,
  NUMBER,
  OURS,
  object,
  of,
  protocols,
  ROW,
  ref,
  SEVERITY,
  TIME,
  text,
} from './schema-parts.js';
import { addressing, envelopes, tunnel, verdict } from './schema-tunnel.js';

const byState = (states: readonly string[], more: Record<string, Schema> = {}): Schema =>
  object({ byState: object(Object.fromEntries(states.map((s) => [s, COUNT]))), ...more });

const distribution = object({ count: COUNT, p50: NUMBER, p90: NUMBER, p99: NUMBER, max: NUMBER });

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
  tunnels: byState(TUNNEL_STATES),
  registrations: byState(REGISTRATION_STATES),
  calls: byState(CALL_STATES, { 'cutOff?': COUNT }),
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
      iso: { type: 'string', pattern: '^[-+0-9]{4,13}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{9}Z$' },
      epoch: { type: 'string', pattern: '^-?[0-9]+\\.[0-9]{9}$' },
    }),
    place: object({ address: HOST, port: COUNT }),
    verdict,
    envelopes,
    ...entries(codes),
    record: { anyOf: Object.entries(entries(codes)).map(([name, schema]) => record(name, schema)) },
  },
});
