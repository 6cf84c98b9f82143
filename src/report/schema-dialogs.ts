/** What the schema of a report says of registrations, calls, messages, subscriptions and media. */

import * as Standard from '../model/standard-words.js';
import { CALL_STATES, REGISTRATION_STATES } from '../model/states.js';
import {
  BOOLEAN,
  CALL,
  CODEC,
  COUNT,
  DIRECTION,
  entity,
  HEX,
  HOST,
  INTEGER,
  list,
  METHOD,
  MS,
  map,
  NUMBER,
  OURS,
  object,
  of,
  PHRASE,
  PLACE,
  ROW,
  SECRET,
  TAG,
  TIME,
  text,
  URI,
} from './schema-parts.js';

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

/** Schema of {@link RegistrationEntity}. */
export const registration = entity({
  'tunnel?': COUNT,
  aor: URI,
  'contact?': URI,
  callId: CALL,
  state: of(...REGISTRATION_STATES),
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

/** Schema of {@link CallEntity}. */
export const call = entity({
  tunnels: list(COUNT),
  callId: CALL,
  fromUri: URI,
  toUri: URI,
  'direction?': of('originated', 'terminated'),
  state: of(...CALL_STATES),
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

/** What messages and subscriptions have in common. */
export const exchange = {
  'tunnel?': COUNT,
  callId: CALL,
  start: TIME,
  fromUri: URI,
  toUri: URI,
  'status?': COUNT,
  'responseRow?': ROW,
  rows: list(ROW),
};

/** Schema of the short message that a MESSAGE carries. */
export const sms = object({ rp: of('RP-DATA', 'RP-ACK', 'RP-ERROR', 'RP-SMMA'), reference: COUNT, 'cause?': COUNT });

/** Schema of {@link MediaEntity}. */
export const media = entity({
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
  'skipped?': COUNT,
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
