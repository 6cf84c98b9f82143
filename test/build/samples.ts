/** Samples of a healthy service and of its common failures, one small capture each. */

import { encode } from 'fttscope/kit';
import { addressRecord, codec as dns, dnsQuery, dnsResponse } from '../../dissectors/dns/message.js';
import {
  mtuOption,
  neighborSolicitation,
  routerAdvertisement,
  routerSolicitation,
} from '../../dissectors/icmpv6/messages.js';
import { type Built, CaptureBuilder, type Frame, type Shaper } from './capture.js';
import type { ConnectionOptions } from './connection.js';
import { answer, type Conversation, clearConversation, connect } from './conversation.js';
import * as ims from './ims.js';
import { address, at, type Endpoint, udp } from './packets.js';
import { Script } from './script.js';
import { type TlsOptions, tlsConversation } from './tls.js';

/** A capture and what a report has to say of it. */
export interface Sample {
  readonly name: string;
  /** What it shows, for the list of samples. */
  readonly shows: string;
  /** Code of the finding that has to stand first; undefined: none is worse than a note. */
  readonly finding?: string;
  readonly tunnels: number;
  /** Key log beside it. */
  readonly keys: string;
  readonly built: Built;
}

const PHONE = at('192.0.2.10', 50_702);
const EFTF = at('198.51.100.1', 443);
const PROXY = at('192.0.2.80', 3128);
const ENDS = { client: PHONE, server: EFTF, step: 20, start: 20 } as const;
/** 2026-03-01T09:00:00Z. */
const EPOCH = 1_772_355_600;
const V13: TlsOptions = { version: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256', certificate: 'ec' };

// What runs inside

const addressed = (s = new Script()): Script =>
  s
    .up(0, ims.dhcpAsk('discover'))
    .down(24, ims.dhcpTell('offer'))
    .up(30, ims.dhcpAsk('request'))
    .down(52, ims.dhcpTell('ack'));

const challenge = [
  ['WWW-Authenticate', `Digest realm="ims.example", nonce="${ims.akaNonce()}", algorithm=AKAv1-MD5, qop="auth"`],
] as const;

/** Registered at 190 ms, and told so by the registration event package. */
function registered(s = addressed()): Script {
  const { REGISTERING: d, ALICE } = ims;
  const bound = [
    ['Contact', `<sip:${ims.UE}:5060>;expires=3600`],
    ['P-Associated-URI', `<${ALICE}>, <tel:+15550100>`],
    ['Service-Route', '<sip:scscf.ims.example;lr>'],
  ] as const;
  const events = { callId: 's1@10.9.0.50', from: ALICE, to: ALICE, fromTag: 'sub1', toTag: 'not1' };
  return s
    .up(60, ims.register(1))
    .down(110, ims.tell(401, 'Unauthorized', 'REGISTER', d, 1, { headers: challenge }))
    .up(130, ims.register(2, 3600, ims.akaAnswer()))
    .down(190, ims.tell(200, 'OK', 'REGISTER', d, 2, { headers: bound }))
    .up(
      220,
      ims.ask('SUBSCRIBE', ALICE, events, 1, {
        headers: [
          ['Event', 'reg'],
          ['Expires', '600000'],
        ],
      }),
    )
    .down(260, ims.tell(200, 'OK', 'SUBSCRIBE', events, 1, { headers: [['Expires', '600000']] }));
}

function deregistered(s: Script): Script {
  const after = s.end + 200;
  return s
    .up(after, ims.register(3, 0, ims.akaAnswer()))
    .down(after + 50, ims.tell(200, 'OK', 'REGISTER', ims.REGISTERING, 3));
}

const QOS = (current: string): readonly (readonly [string, string])[] => [
  ['curr', `qos local ${current}`],
  ['curr', `qos remote ${current}`],
  ['des', 'qos mandatory local sendrecv'],
  ['des', 'qos mandatory remote sendrecv'],
];

/** A call with preconditions, answered at 3 s; it lasts so long. */
function called(s: Script, ms: number): Script {
  const { CALLING: d, BOB, ask, tell, description, UE_RTP, CORE_RTP } = ims;
  const reliable = [
    ['Require', '100rel, precondition'],
    ['RSeq', '1'],
  ] as const;
  const offered = {
    headers: [
      ['Supported', '100rel, precondition'],
      ['Contact', `<sip:${ims.UE}:5060>`],
    ] as const,
  };
  return s
    .up(1000, ask('INVITE', BOB, d, 1, { ...offered, sdp: description(UE_RTP, QOS('none')) }))
    .down(1020, tell(100, 'Trying', 'INVITE', d, 1))
    .down(
      1300,
      tell(183, 'Session Progress', 'INVITE', d, 1, { headers: reliable, sdp: description(CORE_RTP, QOS('none')) }),
    )
    .up(1320, ask('PRACK', BOB, d, 2, { headers: [['RAck', '1 1 INVITE']] }))
    .down(1360, tell(200, 'OK', 'PRACK', d, 2))
    .up(1380, ask('UPDATE', BOB, d, 3, { sdp: description(UE_RTP, QOS('sendrecv')) }))
    .down(1430, tell(200, 'OK', 'UPDATE', d, 3, { sdp: description(CORE_RTP, QOS('sendrecv')) }))
    .down(1800, tell(180, 'Ringing', 'INVITE', d, 1))
    .down(3000, tell(200, 'OK', 'INVITE', d, 1, { headers: [['Contact', '<sip:bob@10.9.0.1:5060>']] }))
    .up(3020, ask('ACK', BOB, d, 1))
    .up(3000 + ms, ask('BYE', BOB, d, 4))
    .down(3040 + ms, tell(200, 'OK', 'BYE', d, 4));
}

const UP = 0x5a17_0001;
const DOWN = 0x5a17_0002;

/** Speech of one side from 3030 ms on, with a sender report every half second. */
function spoken(s: Script, way: 'up' | 'down', ms: number, to?: Endpoint): Script {
  const { UE_RTP, CORE_RTP, UE_RTCP, CORE_RTCP, speech, senderReport } = ims;
  for (let n = 0; n * 20 < ms - 60; n++) {
    const when = 3030 + 20 * n;
    if (way === 'up') s.up(when, speech(UE_RTP, to ?? CORE_RTP, n, UP));
    else s.down(when + 7, speech(CORE_RTP, to ?? UE_RTP, n, DOWN));
    if (to !== undefined || n % 25 !== 24) continue;
    if (way === 'up') s.up(when + 3, senderReport(UE_RTCP, CORE_RTCP, UP, DOWN, 20 * n));
    else s.down(when + 9, senderReport(CORE_RTCP, UE_RTCP, DOWN, UP, 20 * n));
  }
  return s;
}

const talk = (ms: number): Script => spoken(spoken(called(registered(), ms), 'up', ms), 'down', ms);

// Captures

interface Capture {
  readonly tls?: TlsOptions;
  readonly connection?: Partial<ConnectionOptions>;
  readonly shape?: readonly Shaper[];
  /** Milliseconds for which the capture goes on after all else. */
  readonly beyond?: number;
}

/** A frame that has nothing to do with the tunnel, so that the capture goes on until then. */
const unrelated = (b: CaptureBuilder, ms: number): CaptureBuilder =>
  b.packet(udp(at('192.0.2.10', 57_000), at('192.0.2.53', 123), new Uint8Array(48).fill(0x23, 0, 1)), ms);

async function tunnel(s: Script, o: Capture = {}): Promise<Built> {
  const { connection = {}, shape = [], beyond = 0 } = o;
  const b = new CaptureBuilder({ epoch: EPOCH, shape });
  b.connection(await tlsConversation(s.steps, { ...V13, ...o.tls }), { ...ENDS, ...connection });
  return (beyond > 0 ? unrelated(b, s.end + beyond) : b).build();
}

/** DNS of the phone outside of any tunnel: where the EFTF is. */
function resolved(b: CaptureBuilder, name: string, ms: number): CaptureBuilder {
  const question = dnsQuery(0x4a31, name, 1);
  const [phone, server] = [at('192.0.2.10', 41_000), at('192.0.2.53', 53)];
  return b
    .packet(udp(phone, server, encode(dns, question)), ms)
    .packet(udp(server, phone, encode(dns, dnsResponse(question, [addressRecord(name, EFTF.address)]))), ms + 12, 1);
}

/** The EFTF refuses a ClientHello that names no server with the alert unrecognized_name (RFC 6066 §3). */
async function unnamed(): Promise<Built> {
  const { flights } = await tlsConversation([], { ...V13, client: { servername: '' } });
  const alert = { side: 1, octets: Uint8Array.of(21, 3, 3, 0, 2, 2, 112), ordered: true, pause: 22 } as const;
  const c: Conversation = { flights: [flights[0]!, alert], inner: [], keylog: '', cipher: '', reused: false };
  return resolved(new CaptureBuilder({ epoch: EPOCH }), 'eftf.ims.example', 0)
    .connection(c, ENDS)
    .build();
}

/** After a pause nothing of the tunnel passes any more: the phone repeats its last segment in vain. */
const forgotten =
  (pauseMs: number): Shaper =>
  (frames) => {
    const gap = frames.findIndex((f, i) => i > 0 && f.time - frames[i - 1]!.time > pauseMs * 1e6);
    const last = frames[gap]!;
    const again = [300, 900, 2100, 4500].map((ms): Frame => ({ ...last, time: last.time + ms * 1e6 }));
    return [...frames.slice(0, gap + 1), ...again];
  };

const ROUTER = {
  hopLimit: 64,
  managed: false,
  other: true,
  preference: 0,
  lifetime: 1800,
  reachable: 0,
  retransmit: 0,
};

function unprefixed(): Script {
  const own = 'fe80::5054:ff:fe12:3456';
  const s = new Script();
  s.up(0, ims.nd('0::0', 'ff02::1:ff12:3456', neighborSolicitation(address(own))));
  s.up(1200, ims.nd(own, 'ff02::2', routerSolicitation()));
  const advertisement = ims.nd('fe80::1', 'ff02::1', routerAdvertisement(ROUTER, [mtuOption(1400)]));
  s.down(1230, advertisement)
    .up(5200, ims.nd(own, 'ff02::2', routerSolicitation()))
    .down(5240, advertisement);
  return s.up(9200, ims.nd(own, 'ff02::2', routerSolicitation())).down(9230, advertisement);
}

/** A challenge after each REGISTER. */
function challenged(): Script {
  const s = addressed();
  for (let n = 1; n <= 4; n++) {
    s.up(100 * n, ims.register(n, 3600, n === 1 ? undefined : ims.akaAnswer().replace(/response="./, 'response="0')));
    const nonce = ims.akaNonce().replace(/^../, `${n}A`);
    const header = challenge[0][1].replace(ims.akaNonce(), nonce);
    s.down(
      100 * n + 50,
      ims.tell(401, 'Unauthorized', 'REGISTER', ims.REGISTERING, n, { headers: [['WWW-Authenticate', header]] }),
    );
  }
  return s;
}

function forbidden(): Script {
  const headers = [['Reason', 'SIP ;cause=403 ;text="Not allowed over untrusted access"']] as const;
  return addressed()
    .up(60, ims.register(1))
    .down(130, ims.tell(403, 'Forbidden', 'REGISTER', ims.REGISTERING, 1, { headers }));
}

function overloaded(): Script {
  const { CALLING: d, BOB } = ims;
  return registered()
    .up(1000, ims.ask('INVITE', BOB, d, 1, { sdp: ims.description(ims.UE_RTP) }))
    .down(1020, ims.tell(100, 'Trying', 'INVITE', d, 1))
    .down(1080, ims.tell(503, 'Service Unavailable', 'INVITE', d, 1, { headers: [['Retry-After', '120']] }))
    .up(1090, ims.ask('ACK', BOB, d, 1));
}

/** A call whose capture goes on: the phone asks for more long after the way is gone. */
const paused = (): Script => talk(600).up(400_000, ims.register(3, 3600, ims.akaAnswer()));

const refused = (): Conversation =>
  clearConversation([], [connect('eftf.ims.example:443'), answer(403, 'Forbidden', ['Via: 1.1 proxy.example'])]);

const otherKeys = (log: string): string => log.replace(/ [0-9a-f]+$/gm, (s) => ` ${'5a'.repeat((s.length - 1) / 2)}`);

/** All samples, built anew: the octets differ from run to run where TLS wants random ones. */
export async function buildSamples(): Promise<Sample[]> {
  const out: Sample[] = [];
  const add = (
    name: string,
    shows: string,
    finding: string | undefined,
    built: Built,
    tunnels = 1,
    keys = built.keylog,
  ) => out.push({ name, shows, ...(finding !== undefined && { finding }), tunnels, keys, built });
  const healthy = await tunnel(deregistered(talk(2000)));
  add(
    '20-healthy-call',
    'DHCP, IMS AKA, a call with preconditions and AMR-WB, all as it should be',
    undefined,
    healthy,
  );
  const proxied = new CaptureBuilder({ epoch: EPOCH }).connection(refused(), { ...ENDS, server: PROXY }).build();
  add('21-proxy-refuses', 'the proxy answers the CONNECT with 403', 'proxy.refused', proxied, 0);
  const locked = await tunnel(deregistered(registered()));
  add('22-wrong-key-log', 'a key log of other secrets', 'tls.wrong-key', locked, 1, otherKeys(locked.keylog));
  add('23-sni-missing', 'the ClientHello names no server: unrecognized_name', 'tls.sni-missing', await unnamed(), 0);
  const pool = new Script();
  for (const ms of [0, 4100, 12_000, 28_200]) pool.up(ms, ims.dhcpAsk('discover'));
  add('24-dhcp-pool-empty', 'DISCOVER is never answered', 'dhcp.no-answer', await tunnel(pool, { beyond: 8000 }));
  add(
    '25-ra-without-prefix',
    'router advertisements without a prefix',
    'slaac.no-prefix',
    await tunnel(unprefixed(), { beyond: 6000 }),
  );
  add('26-challenged-forever', '401 after each REGISTER', 'sip.register-loop', await tunnel(challenged()));
  add('27-forbidden', '403 to REGISTER', 'sip.register-forbidden', await tunnel(forbidden()));
  add('28-overloaded', '503 with Retry-After to INVITE', 'call.overload', await tunnel(deregistered(overloaded())));
  const oneWay = spoken(called(registered(), 1600), 'up', 1600);
  add('29-one-way-audio', 'speech from the UE, none to it', 'media.one-way', await tunnel(deregistered(oneWay)));
  const outside = spoken(spoken(called(registered(), 1000), 'up', 1000), 'down', 1000, at(ims.UE, 49_200));
  add(
    '30-media-outside-sdp',
    'speech to a port that no SDP names',
    'media.outside',
    await tunnel(deregistered(outside)),
  );
  const cut = await tunnel(paused(), { shape: [forgotten(60_000)], connection: { end: 'none' } });
  add('31-idle-cut', 'six minutes of silence, and a NAT has forgotten the tunnel', 'tunnel.idle-cut', cut);
  const rude = await tunnel(deregistered(registered()), {
    tls: { closeNotify: false, version: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
  });
  add('32-no-close-notify', 'TCP ends without close_notify', 'tunnel.no-close-notify', rude);
  const late = await tunnel(deregistered(talk(2500)), { connection: { hold: { side: 1, nth: 40, ms: 1200 } } });
  add('33-head-of-line', 'one segment is lost, and 1.2 s of speech waits for it', 'tunnel.stall', late);
  return out;
}

/** Packets inside by kind, for those who compare: RTP counts whose sender or receiver a session description announces. */
export function insideOf({ built }: Sample): Readonly<Record<string, number>> {
  const counts = { packets: 0, sip: 0, dhcp: 0, icmpv6: 0, dhcpv6: 0, rtp: 0, dns: 0 };
  for (const { envelope } of built.connections.flatMap((c) => c.conversation.inner)) {
    const b = envelope.octets.subarray(3);
    counts.packets++;
    if (b[0]! >> 4 === 6) counts.icmpv6++;
    else counts[kindOf((b[22]! << 8) | b[23]!)]++;
  }
  return counts;
}

/** By the destination port: what is none of these is RTCP. */
function kindOf(port: number): 'sip' | 'dhcp' | 'rtp' | 'packets' {
  if (port === 5060) return 'sip';
  if (port === 67 || port === 68) return 'dhcp';
  return port === 49_152 || port === 49_200 || port === 50_000 ? 'rtp' : 'packets';
}

/** What stands beside a sample. */
export function expectationOf(s: Sample): object {
  const inner = s.built.connections.flatMap((c) => c.conversation.inner);
  const { packets: _, ...counts } = insideOf(s);
  const readable = s.keys === s.built.keylog;
  return {
    frames: s.built.frames.length,
    tunnels: s.tunnels,
    readable,
    envelopes: {
      up: inner.filter((i) => i.side === 0).length,
      down: inner.filter((i) => i.side === 1).length,
      unknown: 0,
      invalid: 0,
    },
    inner: { packets: inner.length, ...counts },
    ...(s.finding !== undefined && { finding: s.finding }),
  };
}
