/** What the schema of a report says of tunnels, and of addresses inside. */

import * as Standard from '../model/standard-words.js';
import { RELEASED_BY, RELEASES, TUNNEL_STATES } from '../model/states.js';
import type { Schema } from './holds.js';
import {
  ADDRESS,
  BOOLEAN,
  COUNT,
  DIRECTION,
  entity,
  HOST,
  list,
  MS,
  map,
  NUMBER,
  OURS,
  object,
  of,
  PLACE,
  protocols,
  ROW,
  ref,
  SECRET,
  spread,
  TIME,
  text,
  URI,
} from './schema-parts.js';

/** Schema of {@link Verdict}. */
export const verdict = object({
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

/** Schema of {@link EnvelopeCount}. */
export const envelopes = object({ total: COUNT, ip4: COUNT, ip6: COUNT, unknown: COUNT, invalid: COUNT, bytes: COUNT });

/** Schema of {@link TunnelEntity}. */
export const tunnel = entity({
  state: of(...TUNNEL_STATES),
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
  'proxy?': object({
    address: HOST,
    port: COUNT,
    target: HOST,
    'status?': COUNT,
    'waitMs?': MS,
    'retryAfterSeconds?': COUNT,
  }),
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
    by: of(...RELEASED_BY),
    how: of(...RELEASES),
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
  'cadence?': object({
    up: COUNT,
    down: COUNT,
    'steady?': object({ upPerSecond: COUNT, downPerSecond: COUNT, durationMs: MS }),
  }),
  'overhead?': NUMBER,
  dscp: map(COUNT, '^[0-9]{1,2}$'),
  addresses: list(ADDRESS),
  'pcscf?': object({ address: HOST, source: of('dhcp', 'dhcpv6', 'dns', 'dns-srv', 'static', 'unknown') }),
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

/** Schema of {@link AddressingEntity}. */
export const addressing = entity({
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
