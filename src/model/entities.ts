import type { Own, Told } from '../kit/index.js';
import type { Cadence } from './cadence.js';
import type { Moment } from './moment.js';
import type { Series } from './series.js';
import type { CallState, RELEASED_BY, RELEASES, RegistrationState, TunnelState } from './states.js';

export type { CallState, RegistrationState, TunnelState } from './states.js';

/*
 * What a report tells, as plain data: the keys are those of the report, times are moments, durations milliseconds, rows
 * as people write them. What is absent is unknown.
 */

/** Address, as text, and port. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/** What the report has a list of. */
export interface Entity {
  /** From 1, in the order of appearance. */
  id: number;
  /** Hash of its protocol identity. */
  readonly uid: string;
}

/** The step at which a tunnel, or what is set up in it, did not get any further. */
export type FailureStage = 'dns' | 'tcp' | 'proxy' | 'tls' | 'dhcp' | 'slaac' | 'pcscf' | 'register';

/** Why a UE has no service through a tunnel; `row` is where that shows. */
export interface TunnelFailure {
  stage: FailureStage;
  cause: Own;
  row?: string;
}

/** How a tunnel ended; `inferred` where no packet of the capture says so. */
export interface Release {
  by: (typeof RELEASED_BY)[number];
  how: (typeof RELEASES)[number];
  at?: Moment;
  row?: string;
  idleBeforeMs?: number;
  basis: 'observed' | 'inferred';
  /** Octets that nobody had acknowledged when a reset came. */
  pending?: { up: number; down: number };
}

/** Where on the way from UE to EFTF a file was captured. */
export type CapturePoint = 'ue' | 'proxy' | 'eftf' | 'behind-eftf';

/** How one capture of a connection differs from another. */
export interface LegDelay {
  /** What the clock of this leg shows more than that of the first. */
  readonly clockOffsetMs: number;
  /** From the place nearer to the UE to the other one (up), and back. */
  readonly delayMs: {
    readonly up: { min: number; mean: number; max: number };
    readonly down: { min: number; mean: number; max: number };
    readonly samples: number;
  };
  /** Whether this leg is nearer to the UE than the first. */
  readonly nearUe: boolean;
}

/** One connection of a tunnel as one file has it: to the proxy, behind the proxy, or the same one captured twice. */
export interface Leg extends Partial<LegDelay> {
  file: number;
  /** The number that its rows carry. */
  tunnel: number;
  client: Place;
  server: Place;
  role: 'direct' | 'ue-proxy' | 'proxy-eftf' | 'clear';
}

/**
 * A time in which one direction delivered nothing because TCP waited for a segment. It came at `at`, and `released` envelopes
 * became whole with it, packets of the streams `media` late among them.
 */
export interface StallEntry {
  id: number;
  at: Moment;
  ms: number;
  direction: 'up' | 'down';
  released: number;
  media: number[];
}

/** How many records of a direction were opened; `verified` are those whose tag or MAC was checked. */
export interface Verdict {
  verdict: 'full' | 'partial' | 'none';
  reason?: Told;
  source?: string;
  records: number;
  decrypted: number;
  failed: number;
  verified: number;
}

/** An alert of TLS, RFC 8446 §6; `description` is its number. */
export interface AlertEntry {
  at?: Moment;
  row: string;
  direction: 'up' | 'down';
  level: 'warning' | 'fatal';
  description: number;
  name: Own;
}

/** The certificate of the EFTF, as far as the handshake shows it. */
export interface CertificateEntry {
  subject: string;
  issuer: string;
  notBefore?: Moment;
  notAfter?: Moment;
  names: string[];
}

/** What the handshake of a tunnel agreed on, and what could be decrypted. */
export interface TlsEntry {
  version?: Own;
  cipher?: Own;
  sni?: string;
  alpn?: string;
  resumed: boolean;
  /** The tunnel whose session it takes up. */
  resumedFrom?: number;
  clientRandom?: string;
  certificate?: CertificateEntry;
  alerts: AlertEntry[];
  keyUpdates: number;
  decryption: { up: Verdict; down: Verdict };
}

/** Envelopes of a direction by what they hold, TS 24.322 §7.1.2; `bytes` with their headers. */
export interface EnvelopeCount {
  total: number;
  ip4: number;
  ip6: number;
  unknown: number;
  invalid: number;
  bytes: number;
}

/** Who uses a tunnel, as SIP in it says. */
export interface Subscriber {
  impu: string[];
  impi?: string;
  instanceId?: string;
  userAgent?: string;
  msisdn?: string;
}

/** A keep-alive that was seen at a regular interval, and the interval that was agreed on, if any. */
export interface KeepAlive {
  kind: 'crlf' | 'stun' | 'rtp-pt20' | 'rtcp' | 'sip';
  intervalMs: number;
  negotiatedMs?: number;
}

/** A step of a connection's life; `direction` is that of who took it. */
export interface TunnelStep {
  step: 'syn' | 'syn-ack' | 'connect' | 'connect-answer' | 'client-hello' | 'finished' | 'close-notify' | 'fin' | 'rst';
  row: string;
  at: Moment;
  direction: 'up' | 'down';
}

/** Another way that the phone of a tunnel tried: FTT-IMS is the last resort (TS 24.229 R.3.1.0). */
export interface AttemptEntry {
  readonly kind: 'sip' | 'epdg' | 'portal' | 'dns';
  readonly at: Moment;
  readonly row: string;
  readonly to: Place;
  /** Host that was asked for. */
  readonly name?: string;
  readonly tries: number;
  readonly outcome: 'succeeded' | 'answered' | 'failed' | 'refused' | 'unanswered' | 'redirected';
  /** Of SIP or HTTP. */
  readonly status?: number;
  /** To the first answer. */
  readonly ms?: number;
}

/** Rows and octets by stack of protocols: `fttims:ip:udp:sip`. */
export type ProtocolCounts = Record<string, { rows: number; bytes: number }>;

/** Octets of a tunnel's stream that the capture does not have. */
export interface GapEntry {
  /** When it was clear that they will not come, and the row of that. */
  at: Moment;
  row: string;
  direction: 'up' | 'down';
  octets: number;
  /** About how many segments that is, by the largest one of the direction. */
  estimatedSegments?: number;
  /** Number of the first TLS record that is not whole, and of the one with which decryption went on. */
  firstRecord?: number;
  resumedRecord?: number;
}

/** A tunnel of FTT-IMS (TS 24.322 §5), or a connection that was taken for one and carries something else (`other`). */
export interface TunnelEntity extends Entity {
  state: TunnelState;
  other?: Own;
  failure?: TunnelFailure;
  accessType?: 'I' | 'II';
  transport: 'tls' | 'tcp';
  ue: Place;
  eftf: Place & { name?: string };
  proxy?: Place & { target: string; status?: number; waitMs?: number; retryAfterSeconds?: number };
  legs: Leg[];
  subscriber?: Subscriber;
  opened: Moment;
  established?: Moment;
  closed?: Moment;
  /** Of the connection that a proxied tunnel begins with, in order; of each kind the first. */
  steps: TunnelStep[];
  release: Release;
  idleMaxMs: number;
  tcp: {
    rttMs?: number;
    retransmissions: number;
    outOfOrder: number;
    lostSegments: number;
    stalls: StallEntry[];
  };
  tls?: TlsEntry;
  envelopes: { up: EnvelopeCount; down: EnvelopeCount };
  unknownTypes: Record<string, number>;
  protocols: ProtocolCounts;
  gaps: GapEntry[];
  resyncs: number;
  /** Where nothing of it can be read: what its records look like. */
  cadence?: Cadence;
  overhead?: number;
  dscp: Record<string, number>;
  addresses: string[];
  /** `unknown`: what named it may be among what the capture lacks. */
  pcscf?: { address: string; source: 'dhcp' | 'dhcpv6' | 'dns' | 'dns-srv' | 'static' | 'unknown' };
  keepAlives: KeepAlive[];
  attempts?: AttemptEntry[];
  findings: number[];
}

/** A message of address configuration. */
export interface AddressingMessage {
  row: string;
  at: Moment;
  type: string;
  direction: 'up' | 'down';
}

/** Messages of DHCP with one transaction id, and what came of them. RFC 2131 §3 */
export interface DhcpExchange {
  xid: Own;
  messages: AddressingMessage[];
  outcome: 'bound' | 'informed' | 'refused' | 'declined' | 'unanswered' | 'offered' | 'released' | 'in-progress';
  address?: string;
  server?: string;
  leaseSeconds?: number;
  htype: number;
  hlen: number;
  chaddr: string;
  pcscf: string[];
  dns: string[];
}

/** A Prefix Information option of a Router Advertisement. RFC 4861 §4.6.2 */
export interface PrefixEntry {
  prefix: string;
  onLink: boolean;
  autonomous: boolean;
  validSeconds: number;
  preferredSeconds: number;
}

/**
 * IPv6 autoconfiguration in a tunnel: solicitations, advertisements, prefixes, and whether addresses are unique. RFC
 * 4862
 */
export interface Slaac {
  rs: number;
  ra: number;
  /** The first solicitations, advertisements and probes. */
  messages: AddressingMessage[];
  prefixes: PrefixEntry[];
  addresses: string[];
  dad: { target: string; outcome: 'unique' | 'duplicate' | 'unknown' }[];
}

/**
 * An exchange of DHCPv6 and the servers that it named; its client is told by {@link AddressingEntity.tunnel}. RFC 9915
 */
export interface Dhcpv6Exchange {
  xid: Own;
  messages: (AddressingMessage & { type: Own })[];
  outcome: 'answered' | 'unanswered' | 'refused';
  pcscf: string[];
  dns: string[];
}

/** All that gave the UE of one tunnel its addresses. */
export interface AddressingEntity extends Entity {
  tunnel: number;
  dhcp: { exchanges: Series<DhcpExchange> };
  slaac: Slaac;
  dhcpv6: { exchanges: Dhcpv6Exchange[] };
}

/** A challenge of AKA and its answer, in hex. RFC 3310, TS 33.102 §6.3 */
export interface Aka {
  algorithm: string;
  rand?: string;
  autn?: string;
  sqnXorAk?: string;
  amf?: string;
  mac?: string;
  /** With the key of the subscriber: SQN itself, and whether MAC and response are right. */
  sqn?: string;
  macVerified?: boolean;
  responseVerified?: boolean;
  resynchronisations: number;
}

/** One proposal or choice of RFC 3329, as TS 33.203 annex H has it. */
export interface SecurityMechanism {
  mechanism: string;
  alg?: string;
  ealg?: string;
  mod?: string;
  spiC?: number;
  spiS?: number;
  portC?: number;
  portS?: number;
}

/**
 * The mechanisms that both sides offered; `verified` says whether Security-Verify repeats those of the server. RFC 3329
 */
export interface SecAgree {
  client: SecurityMechanism[];
  server: SecurityMechanism[];
  verified?: boolean;
}

/** A request and its final response. `ms` lie between them; `retransmissions` are of the request. */
export interface TransactionEntry {
  row: string;
  at: Moment;
  method: string;
  cseq: number;
  status?: number;
  reason?: string;
  responseRow?: string;
  ms?: number;
  retransmissions: number;
}

/** A UE's registrations of one address of record with one Call-ID. RFC 3261 §10 */
export interface RegistrationEntity extends Entity {
  tunnel?: number;
  aor: string;
  contact?: string;
  callId: string;
  state: RegistrationState;
  emergency: boolean;
  start: Moment;
  end?: Moment;
  transactions: TransactionEntry[];
  expiresSeconds?: number;
  nextRefresh?: Moment;
  /** Number of the registration under which the binding went on, whose state it has. */
  continuedBy?: number;
  aka?: Aka;
  secAgree?: SecAgree;
}

/** A dialog of a call: forked calls have several. RFC 3261 §12 */
export interface CallDialog {
  readonly toTag: string;
  /** `terminated`: it ended early, without an answer (RFC 3261 §12.3, RFC 6228). */
  readonly state: 'early' | 'confirmed' | 'terminated';
  /** Of the response that made it. */
  readonly row: string;
}

/** A time in which one side of a call did not want to hear the other. RFC 6337 §5.3 */
export interface Hold {
  readonly by: 'caller' | 'callee';
  readonly row: string;
  readonly start: Moment;
  end?: Moment;
}

/** A REFER inside a call, and what became of it. RFC 3515 */
export interface Transfer {
  readonly row: string;
  readonly at: Moment;
  readonly by: 'caller' | 'callee';
  readonly target: string;
  /** Call-ID of the call that the new one is to take the place of (RFC 3891). */
  readonly replaces?: string;
  /** Of the REFER itself. */
  status?: number;
  /** Of the request that it asked for, as the last NOTIFY says. */
  progress?: number;
}

/** Resources that have to be there before the callee is told. RFC 3312 */
export interface Preconditions {
  met: boolean;
  /** When they were met, or first asked for. */
  at: Moment;
  row: string;
}

/** RFC 4028 §4. */
export interface SessionTimer {
  seconds: number;
  /** Who refreshes the session: the caller (`uac`) or the callee, whoever sent the last request. */
  refresher?: 'uac' | 'uas';
  refreshes: number;
}

/** What a call has beyond INVITE, ACK and BYE. */
export interface CallFeatureEntries {
  dialogs?: CallDialog[] | undefined;
  /** Reliable provisional responses, RFC 3262. */
  reliable?: { responses: number; acknowledged: number } | undefined;
  preconditions?: Preconditions | undefined;
  holds?: Hold[] | undefined;
  transfers?: Transfer[] | undefined;
  /** Call-ID of the call whose place this one takes. RFC 3891 */
  replaces?: string | undefined;
  /** Call-ID of the call that took its place. */
  replacedBy?: string | undefined;
  sessionTimer?: SessionTimer | undefined;
}

/** Why a call failed, as its final response or its end tells. */
export interface CallFailure {
  /** Absent where no final response came. */
  status?: number;
  /** In plain words, with what the response says itself. */
  reason: Told;
  /** Cause of ITU-T Q.850, where a Reason header gives one (RFC 3326). */
  q850?: number;
  retryAfterSeconds?: number;
  /** Of a 380: what the network asks for instead. TS 24.229 §7.6 */
  alternative?: { type: string; action?: string };
}

/** A message of a call's ladder. */
export interface CallMessage {
  row: string;
  at: Moment;
  direction: 'up' | 'down' | undefined;
  source: Place;
  destination: Place;
  method: string;
  cseq: number;
  status: number | undefined;
  reason: string | undefined;
  /** To tag of a response: each stands for an early dialog, or a dialog (RFC 3261 §12). */
  toTag: string | undefined;
  retransmissions: number;
  sdp: 'offer' | 'answer' | undefined;
  /** Whether its session description puts the media on hold (RFC 3264 §8.4). */
  hold: true | undefined;
}

/** A dialogue that an INVITE began, with all its forks. RFC 3261 §12 */
export interface CallEntity extends Entity, CallFeatureEntries {
  tunnels: number[];
  callId: string;
  fromUri: string;
  toUri: string;
  direction?: 'originated' | 'terminated' | undefined;
  state: CallState;
  emergency: boolean;
  start: Moment;
  ringing?: Moment | undefined;
  answer?: Moment | undefined;
  end?: Moment | undefined;
  releasedBy?: 'caller' | 'callee' | undefined;
  /** Why, as the Reason of the BYE or CANCEL says (RFC 3326). */
  release?: { reason: Told; q850?: number } | undefined;
  pddMs?: number | undefined;
  setupMs?: number | undefined;
  durationMs?: number | undefined;
  failure?: CallFailure | undefined;
  messages: CallMessage[];
  media: number[];
  pinholes?: Pinhole[] | undefined;
}

/** The relay layer of a short message over IP. TS 24.011 §7.3 */
export interface SmsEntry {
  rp: 'RP-DATA' | 'RP-ACK' | 'RP-ERROR' | 'RP-SMMA';
  reference: number;
  /** Of an RP-ERROR, TS 24.011 §8.2.5.4. */
  cause?: number;
}

/** A MESSAGE outside of calls, RFC 3428: text, or a short message of TS 24.341. */
export interface MessageEntity extends Entity {
  tunnel?: number;
  callId: string;
  start: Moment;
  fromUri: string;
  toUri: string;
  direction?: 'up' | 'down';
  contentType?: string;
  sms?: SmsEntry;
  status?: number;
  /** Of the response with this status. */
  responseRow?: string;
  rows: string[];
}

/** A subscription to events, or a publication of them. */
export interface SubscriptionEntity extends Entity {
  tunnel?: number;
  callId: string;
  start: Moment;
  /** What it began with, as far as that was captured. PUBLISH makes a publication, RFC 3903. */
  method: 'SUBSCRIBE' | 'NOTIFY' | 'PUBLISH';
  event?: string;
  /** As the last NOTIFY says: active, pending, terminated. RFC 6665 §4.1.3 */
  state?: string;
  reason?: string;
  expiresSeconds?: number;
  notifications?: number;
  fromUri: string;
  toUri: string;
  status?: number;
  /** Of the response with this status. */
  responseRow?: string;
  rows: string[];
}

/** Frames of speech by mode in kbit/s, and of other kinds. */
export interface SpeechEntry {
  modes: Record<string, number>;
  /** Silence descriptors, frames without data, lost before they were sent, marked as damaged. */
  sid?: number;
  noData?: number;
  lost?: number;
  damaged?: number;
  /** Packets that are not of the length that they announce. */
  misfits?: number;
  /** Modes that the sender asks the other side for. */
  requests?: Record<string, number>;
}

/** What both sides of a call agreed to about one medium, and what flowed: the pinhole. */
export interface Pinhole {
  kind: string;
  /** Where each side wants to receive. */
  caller?: PinholeSide;
  callee?: PinholeSide;
  codecs: string[];
  /** Packets to each side, keep-alives aside. */
  toCaller: number;
  toCallee: number;
}

/** Where a side wants to receive a medium, and which way it says that media may flow. */
export interface PinholeSide {
  address: string;
  port: number;
  flowing: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
}

/** What a stream has no word for is undefined, so that all entries have one shape. */
export interface MediaEntity extends Entity {
  tunnel?: number | undefined;
  call?: number | undefined;
  ssrc: string;
  direction?: 'up' | 'down' | undefined;
  source: Place;
  destination: Place;
  start: Moment;
  end: Moment;
  payloadType: number;
  codec?: string | undefined;
  /** The stream inside a tunnel of which this one is the same, behind the EFTF: it does not count again. */
  copyOf?: number | undefined;
  negotiated?: { kind: string; codecs: { payloadType: number; name: string; clock: number }[] } | undefined;
  packets: number;
  bytes: number;
  lost: number;
  lostPercent: number;
  /** Of those lost: numbers that are missing where the session had no such medium for a while, as on hold. */
  skipped?: number | undefined;
  duplicates: number;
  reordered: number;
  /** Absent where the clock of the payload type is not known. */
  jitterMs?: { mean: number; max: number } | undefined;
  bursts: { count: number; longest: number };
  mos?: { value: number; method: string; estimate: true } | undefined;
  speech?: SpeechEntry | undefined;
  keepAlives: number;
  dtmf?: string | undefined;
  headOfLine: { stall: number; packets: number; ms: number }[];
  rtcp?: RtcpEntry | undefined;
}

/** What RTCP of both ends says of a stream, its latest reports first of all. RFC 3550 §6.4 */
export interface RtcpEntry {
  senderReports: number;
  receiverReports: number;
  packetsSent?: number;
  lost?: number;
  jitterMs?: number;
  roundTripMs?: number;
}

/** How bad a finding is, from what is only to be known to what cost somebody a service or a call. */
export type Severity = 'note' | 'warn' | 'error';

/** What was found wrong, under a code of the catalogue: once a code and what it is about, however often it was seen. */
export interface FindingEntity extends Entity {
  code: string;
  severity: Severity;
  kind: 'service' | 'conformance' | 'quality' | 'capture';
  confidence: 'certain' | 'likely' | 'possible';
  title: Own;
  clause?: Own;
  refs: { kind: 'tunnel' | 'call' | 'registration' | 'media' | 'file'; id: number }[];
  first: Moment;
  last: Moment;
  count: number;
  rows: string[];
  meaning: Told;
  next: Own;
}
