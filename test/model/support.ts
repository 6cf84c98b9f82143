/** Reports of captures that are laid out here, in the process of the test. */

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { encode } from 'fttscope/kit';
import {
  addressOption,
  dhcpMessage,
  messageTypeOption,
  numberOption,
  tunnelHardware,
} from '../../dissectors/dhcp/index.js';
import { codec as dhcpCodec } from '../../dissectors/dhcp/message.js';
import { type Icmpv6Message, codec as icmpv6, PROTOCOL } from '../../dissectors/icmpv6/messages.js';
import { dissectors } from '../../dissectors/index.js';
import { type RtpPacket, rtp } from '../../dissectors/rtp.js';
import { sipCodec } from '../../dissectors/sip/codec.js';
import { tlsServices } from '../../src/cli/services.js';
import { EspKeys } from '../../src/crypto/esp-keys.js';
import { SubscriberKeys } from '../../src/crypto/subscriber-keys.js';
import { engineFields } from '../../src/engine/dissect.js';
import { NO_ROWS, Pass } from '../../src/engine/pass.js';
import { Registry } from '../../src/engine/registry.js';
import { SessionTap } from '../../src/engine/session-tap.js';
import type { Shelf } from '../../src/model/archive.js';
import { CATALOGUE } from '../../src/model/catalogue.js';
import { SessionModel } from '../../src/model/session-model.js';
import { reportOf } from '../../src/report/report.js';
import { reportJson } from '../../src/report/report-json.js';
import { reportSchema } from '../../src/report/report-schema.js';
import { ReportShelf } from '../../src/report/report-shelf.js';
import { KeyLog } from '../../src/tls/index.js';
import { type Built, CaptureBuilder, type CaptureOptions } from '../build/capture.js';
import type { ConnectionOptions } from '../build/connection.js';
import { type Conversation, clearConversation } from '../build/conversation.js';
import { address, at, type Endpoint, ip, udp } from '../build/packets.js';
import { Script } from '../build/script.js';
import { openStream } from '../support/stream.js';
import { violations } from './schema.js';

/** A value of a report; tests read any member of it. */
export type Json = ReturnType<typeof JSON.parse>;

/** Notes what is put away. */
export class WatchedShelf extends ReportShelf {
  readonly entries: object[] = [];

  override put(entry: object): number {
    this.entries.push(structuredClone(entry));
    return super.put(entry);
  }
}

/**
 * The report of the octets of a capture, as a reader of its JSON gets it.
 * @param rows `inner`: as where rows are wanted too, each packet is made
 * @param end `kept`: what is still at hand goes to the shelf before there is the report
 */
export async function reportOn(
  octets: Uint8Array,
  keylog = '',
  muted: readonly string[] = [],
  subscribers = '',
  shelf?: Shelf,
  rows: 'none' | 'inner' = 'none',
  end: 'told at once' | 'kept' = 'told at once',
): Promise<Json> {
  const source = await openStream(Readable.from([octets], { objectMode: false }), 'built');
  const registry = new Registry(dissectors, engineFields);
  const keys = new KeyLog();
  keys.add(keylog, 'option');
  const esp = new EspKeys();
  esp.growing = true;
  const secrets = new SubscriberKeys(esp);
  assert.deepEqual(secrets.add(subscribers), []);
  const model = new SessionModel(new Set(muted), secrets, shelf, 0);
  const tap = new SessionTap(model, registry, false);
  const options = { ...NO_ROWS, rows, analyseTcp: true, duplicates: true, heuristicRtp: true, tap };
  const pass = new Pass(registry, { ...tlsServices(keys, false, esp), ...options }, () => undefined);
  await pass.run(source);
  await source.close();
  tap.finish();
  if (end === 'kept') model.shelve();
  const report = reportOf(model, {
    generator: { name: 'fttscope', version: '0' },
    options: { heuristicRtp: true, verifyAll: false, autoKeys: true, muted: [] },
    files: source.files,
    damage: source.damage,
    limits: pass.index.ledger.limits,
    tap,
  });
  return JSON.parse([...reportJson(report)].join(''));
}

export const ENDS = { client: at('192.0.2.10', 40_000), server: at('198.51.100.1', 443) };

/** A capture of one connection. */
export const captured = (c: Conversation, o: Partial<ConnectionOptions> = {}, capture: CaptureOptions = {}): Built =>
  new CaptureBuilder(capture).connection(c, { ...ENDS, step: 10, ...o }).build();

/** What runs in a tunnel, and the report of it. */
export class Talk extends Script {
  copy(): Talk {
    const t = new Talk();
    t.said = [...this.said];
    return t;
  }

  /** The talk in a tunnel without TLS, to its end and so many milliseconds beyond. */
  async report(o: Partial<ConnectionOptions> = {}, beyond = 0): Promise<Json> {
    const builder = new CaptureBuilder().connection(clearConversation(this.steps), { ...ENDS, step: 10, ...o });
    if (beyond > 0) builder.packet(udp(at('192.0.2.99', 9), at('192.0.2.98', 9), new Uint8Array(1)), this.end + beyond);
    return reportOn(builder.build().octets);
  }

  /** The talk outside of any tunnel, each packet in a frame of its own. */
  bare(): Promise<Json> {
    const builder = new CaptureBuilder();
    for (const { packet, ms, side } of this.said) builder.packet(packet, ms, side);
    return reportOn(builder.build().octets);
  }
}

const SCHEMA = reportSchema(Object.keys(CATALOGUE));

/**
 * The report of a talk; it follows the schema.
 * @param beyond milliseconds that the capture goes on
 * @param end of the tunnel: a FIN at once, or none
 */
export async function found(t: Talk, beyond = 0, end: 'fin' | 'none' = 'fin'): Promise<Json> {
  const r = await t.report({ end }, beyond);
  assert.deepEqual(violations(r, SCHEMA), []);
  return r;
}

/** Codes of the findings that are worse than a note. */
export const codes = (report: Json, least = 1): string[] =>
  report.findings.filter((f: Json) => ['note', 'warn', 'error'].indexOf(f.severity) >= least).map((f: Json) => f.code);

export const finding = (report: Json, code: string): Json => report.findings.find((f: Json) => f.code === code);

/** Requires a finding that is there, and no more than a note. */
export const note = (report: Json, code: string): void => assert.equal(finding(report, code)?.severity, 'note', code);

// The inside of a tunnel

export const UE = '10.0.0.2';
export const CORE = '10.0.0.1';
const CLIENT = at('0.0.0.0', 68);
const SERVER = at(CORE, 67);
const ANYBODY = at('255.255.255.255', 67);
const UE_HARDWARE = tunnelHardware(address('192.0.2.10'));

const Message = { discover: 1, offer: 2, request: 3, decline: 4, ack: 5, nak: 6 } as const;
const PCSCF = { code: 120, bytes: Uint8Array.of(1, 10, 0, 0, 1) };

/** A DHCPv4 message of the UE. */
export function dhcpUp(type: 'discover' | 'request' | 'decline', xid = 1, client = true): Uint8Array {
  const options = [messageTypeOption(Message[type]), ...(client ? [{ code: 61, bytes: Uint8Array.of(0, 1) }] : [])];
  return udp(CLIENT, ANYBODY, encode(dhcpCodec, dhcpMessage({ op: 1, xid, ...UE_HARDWARE, options })));
}

/** A DHCPv4 message of the server, with a P-CSCF if nothing else is said. */
export function dhcpDown(type: 'offer' | 'ack' | 'nak', xid = 1, pcscf = true): Uint8Array {
  const options = [
    messageTypeOption(Message[type]),
    addressOption(54, address(CORE)),
    numberOption(51, 3600),
    ...(pcscf ? [PCSCF] : []),
  ];
  const yiaddr = type === 'nak' ? address('0.0.0.0') : address(UE);
  const message = dhcpMessage({ op: 2, xid, ...UE_HARDWARE, yiaddr, options });
  return udp(SERVER, at(UE, 68), encode(dhcpCodec, message));
}

/** DHCP as it should be, in the first 40 ms. */
export const addressed = (t: Talk): Talk =>
  t.up(0, dhcpUp('discover')).down(10, dhcpDown('offer')).up(20, dhcpUp('request')).down(30, dhcpDown('ack'));

/** What a router of the tunnel says: it serves for 1800 s, and configures nothing by DHCPv6. */
export const ADVERTISEMENT = {
  hopLimit: 64,
  managed: false,
  other: false,
  preference: 0,
  lifetime: 1800,
  reachable: 0,
  retransmit: 0,
};
/** The prefix that it says: 2001:db8:9::/64. */
export const PREFIX = {
  prefix: address('2001:db8:9::'),
  length: 64,
  onLink: true,
  autonomous: true,
  valid: 86_400,
  preferred: 14_400,
};

/** A message of neighbor discovery. */
export function nd(from: string, to: string, m: Icmpv6Message, hops = 255): Uint8Array {
  const pair = { version: 6, buf: new Uint8Array([...address(from), ...address(to)]), src: 0, dst: 16 } as const;
  return ip(address(from), address(to), PROTOCOL, encode(icmpv6, m, pair), { ttl: hops });
}

/** What of a SIP message differs from the others. */
export interface SipParts {
  readonly callId?: string;
  readonly cseq?: number;
  readonly from?: string;
  readonly to?: string;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly branch?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly sdp?: string;
}

const UE_SIP = at(UE, 5060);
const CORE_SIP = at(CORE, 5060);

/** A SIP message: `INVITE sip:bob@ims.example`, or `200 OK INVITE` for a response to a method. */
export function sip(what: string, p: SipParts = {}, way: 'up' | 'down' = 'up'): Uint8Array {
  const m = /^(\d{3}) (.*) (\w+)$/.exec(what);
  const method = m === null ? what.split(' ')[0] : m[3];
  const { callId = 'call-1@10.0.0.2', cseq = 1, from = 'sip:alice@ims.example', to = 'sip:bob@ims.example' } = p;
  const body = new TextEncoder().encode(p.sdp ?? '');
  const message = {
    start: m === null ? { method, uri: what.split(' ')[1] } : { status: Number(m[1]), reason: m[2] },
    headers: [
      ['Via', `SIP/2.0/UDP 10.0.0.2:5060;branch=${p.branch ?? `z9hG4bK${callId}${cseq}${method}`}`],
      ['From', `<${from}>;tag=${p.fromTag ?? 'a'}`],
      ['To', `<${to}>${p.toTag === undefined ? '' : `;tag=${p.toTag}`}`],
      ['Call-ID', callId],
      ['CSeq', `${cseq} ${method}`],
      ...(p.headers ?? []),
      ...(body.length > 0 ? [['Content-Type', 'application/sdp']] : []),
      ['Content-Length', String(body.length)],
    ].map(([name, value]) => ({ name, value })),
    body,
  };
  const octets = encode(sipCodec, message);
  return way === 'up' ? udp(UE_SIP, CORE_SIP, octets) : udp(CORE_SIP, UE_SIP, octets);
}

/** A session description with one audio medium: PCMA, and telephone events as 101. */
export const sdp = (where: string, port: number, more: readonly string[] = []): string =>
  [
    'v=0',
    `o=- 1 1 IN IP4 ${where}`,
    's=-',
    `c=IN IP4 ${where}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 8 101`,
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:101 telephone-event/8000',
    ...more,
    '',
  ].join('\r\n');

export const UE_MEDIA = at(UE, 30_000);
export const CORE_MEDIA = at(CORE, 40_000);

type RtpParts = Pick<RtpPacket, 'sequence' | 'timestamp' | 'payloadType' | 'payload'> & Partial<RtpPacket>;

/** An RTP packet in a datagram; of SSRC 1 if nothing else is said. */
export const rtpPacket = (from: Endpoint, to: Endpoint, parts: RtpParts): Uint8Array =>
  udp(from, to, encode(rtp.codec!, { marker: false, ssrc: 1, csrc: [], padding: 0, ...parts }));

/** One RTP packet of 20 ms. */
export function speech(from: Endpoint, to: Endpoint, sequence: number, ssrc = 1, payloadType = 8): Uint8Array {
  const payload = new Uint8Array(payloadType === 20 ? 0 : 160).fill(sequence & 255);
  return rtpPacket(from, to, { payloadType, sequence: sequence & 0xffff, timestamp: sequence * 160, ssrc, payload });
}

/** A registration with a challenge, and its success, from `ms` on. */
export function registered(t: Talk, ms = 100): Talk {
  const p = { callId: 'reg-1@10.0.0.2', from: 'sip:alice@ims.example', to: 'sip:alice@ims.example' };
  const contact = ['Contact', '<sip:alice@10.0.0.2:5060>;expires=3600'] as const;
  const challenge = ['WWW-Authenticate', 'Digest realm="ims.example", nonce="abc", algorithm=MD5'] as const;
  const authorization = ['Authorization', 'Digest username="alice@ims.example", nonce="abc"'] as const;
  return t
    .up(ms, sip('REGISTER sip:ims.example', { ...p, headers: [contact] }))
    .down(ms + 10, sip('401 Unauthorized REGISTER', { ...p, toTag: 'r', headers: [challenge] }, 'down'))
    .up(ms + 20, sip('REGISTER sip:ims.example', { ...p, cseq: 2, headers: [contact, authorization] }))
    .down(ms + 30, sip('200 OK REGISTER', { ...p, cseq: 2, toTag: 'r', headers: [contact] }, 'down'));
}

/** That registration is taken back. */
export function deregistered(t: Talk, ms: number): Talk {
  const p = { callId: 'reg-1@10.0.0.2', from: 'sip:alice@ims.example', to: 'sip:alice@ims.example', cseq: 3 };
  const leave = sip('REGISTER sip:ims.example', {
    ...p,
    headers: [['Contact', '<sip:alice@10.0.0.2:5060>;expires=0']],
  });
  return t.up(ms, leave).down(ms + 10, sip('200 OK REGISTER', { ...p, toTag: 'r' }, 'down'));
}

/** The signalling of a call from `ms` on: answered after 200 ms, ended by the UE after `duration`. */
export function called(t: Talk, ms: number, duration: number, end = true): Talk {
  const offer = { sdp: sdp(UE, 30_000) };
  t.up(ms, sip('INVITE sip:bob@ims.example', offer))
    .down(ms + 10, sip('100 Trying INVITE', {}, 'down'))
    .down(ms + 100, sip('180 Ringing INVITE', { toTag: 'b' }, 'down'))
    .down(ms + 200, sip('200 OK INVITE', { toTag: 'b', sdp: sdp(CORE, 40_000) }, 'down'))
    .up(ms + 210, sip('ACK sip:bob@ims.example', { toTag: 'b' }));
  if (!end) return t;
  const at = ms + 200 + duration;
  return t
    .up(at, sip('BYE sip:bob@ims.example', { toTag: 'b', cseq: 2 }))
    .down(at + 10, sip('200 OK BYE', { toTag: 'b', cseq: 2 }, 'down'));
}

/** So many packets of speech, 20 ms apart; `drop` says which are lost. */
export function spoken(
  t: Talk,
  ms: number,
  n: number,
  way: 'up' | 'down',
  drop = (_i: number): boolean => false,
): Talk {
  for (let i = 0; i < n; i++) {
    if (drop(i)) continue;
    if (way === 'up') t.up(ms + 20 * i, speech(UE_MEDIA, CORE_MEDIA, i, 1));
    else t.down(ms + 20 * i + 5, speech(CORE_MEDIA, UE_MEDIA, i, 2));
  }
  return t;
}

export const ALICE = 'sip:alice@10.0.0.2';
export const BOB = 'sip:bob@ims.example';

/** A UE that has its address and is registered. */
export const talk = (): Talk => registered(addressed(new Talk()));

/** So many packets of speech in each direction. */
export const both = (t: Talk, ms: number, n: number): Talk => spoken(spoken(t, ms, n, 'up'), ms, n, 'down');

/** A tunnel in which all is well: addresses, a registration, a call of two seconds with speech both ways. */
export function healthy(): Talk {
  return both(called(talk(), 1000, 2000), 1210, 90);
}
