/** A UE inside its tunnel and the network that it talks to, as octets: addresses, registration, calls, media. */

import { concat, encode, put16, put32 } from 'fttscope/kit';
import {
  addressOption,
  dhcpMessage,
  messageTypeOption,
  numberOption,
  tunnelHardware,
} from '../../dissectors/dhcp/index.js';
import { codec as dhcpCodec } from '../../dissectors/dhcp/message.js';
import { type Icmpv6Message, codec as icmpv6, PROTOCOL } from '../../dissectors/icmpv6/messages.js';
import { rtp } from '../../dissectors/rtp.js';
import { sipCodec } from '../../dissectors/sip/codec.js';
import { akaPassword, digestResponse } from '../../src/crypto/digest.js';
import { f1, f2345 } from '../../src/crypto/milenage.js';
import { address, at, type Endpoint, ip, udp } from './packets.js';

export const UE = '10.9.0.50';
export const PCSCF = '10.9.0.1';
export const UE_SIP = at(UE, 5060);
export const CORE_SIP = at(PCSCF, 5060);
export const UE_RTP = at(UE, 49_152);
export const CORE_RTP = at(PCSCF, 50_000);
export const UE_RTCP = at(UE, 49_153);
export const CORE_RTCP = at(PCSCF, 50_001);

export const ALICE = 'sip:+15550100@ims.example';
export const BOB = 'sip:+15550199@ims.example';
const IMPI = '001010000000001@ims.example';
const CONTACT = `<sip:${UE}:5060>;+sip.instance="<urn:gsma:imei:35000000-000000-0>";reg-id=1;+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel"`;

const hex = (s: string): Uint8Array => Uint8Array.from(Buffer.from(s, 'hex'));

/** The subscriber: test set 1 of TS 35.208. */
export const SUBSCRIBER = {
  impi: IMPI,
  k: '465b5ce8b199b49faa5f0a2ee238a6bc',
  opc: 'cd63cb71954a9f4e48a5994e37a02baf',
} as const;
const RAND = hex('23553cbe9637a89d218ae64dae47bf35');
const SQN = hex('ff9bb4d0b607');
const AMF = hex('b9b9');

// Addresses

const HARDWARE = tunnelHardware(address('192.0.2.10'));
const Type = { discover: 1, offer: 2, request: 3, ack: 5, nak: 6 } as const;

/** DHCPv4 of the UE: broadcast from an address that it does not have yet. */
export function dhcpAsk(type: 'discover' | 'request', xid = 0x3903f326): Uint8Array {
  const options = [
    messageTypeOption(Type[type]),
    { code: 61, bytes: Uint8Array.of(0, ...HARDWARE.chaddr.subarray(0, HARDWARE.hlen)) },
    { code: 55, bytes: Uint8Array.of(1, 3, 6, 15, 120) },
    ...(type === 'request' ? [addressOption(50, address(UE)), addressOption(54, address(PCSCF))] : []),
  ];
  const message = dhcpMessage({ op: 1, xid, ...HARDWARE, options });
  return udp(at('0.0.0.0', 68), at('255.255.255.255', 67), encode(dhcpCodec, message));
}

/** DHCPv4 of the network: an address for an hour, a DNS server, a P-CSCF. */
export function dhcpTell(type: 'offer' | 'ack', xid = 0x3903f326): Uint8Array {
  const options = [
    messageTypeOption(Type[type]),
    addressOption(54, address(PCSCF)),
    numberOption(51, 3600),
    addressOption(1, address('255.255.255.0')),
    addressOption(3, address(PCSCF)),
    addressOption(6, address(PCSCF)),
    { code: 120, bytes: Uint8Array.of(1, ...address(PCSCF)) },
  ];
  const message = dhcpMessage({ op: 2, xid, ...HARDWARE, yiaddr: address(UE), siaddr: address(PCSCF), options });
  return udp(at(PCSCF, 67), at(UE, 68), encode(dhcpCodec, message));
}

/** A message of ICMPv6 with its checksum. */
export function nd(from: string, to: string, m: Icmpv6Message): Uint8Array {
  const pair = { version: 6, buf: concat([address(from), address(to)]), src: 0, dst: 16 } as const;
  return ip(address(from), address(to), PROTOCOL, encode(icmpv6, m, pair), { ttl: 255 });
}

// SIP

/** A dialog, or the requests of one Call-ID, with the tags of both sides. */
export interface Dialog {
  readonly callId: string;
  readonly from: string;
  readonly to: string;
  readonly fromTag: string;
  readonly toTag?: string;
}

export const REGISTERING: Dialog = { callId: 'r1@10.9.0.50', from: ALICE, to: ALICE, fromTag: 'reg1', toTag: 'sc1' };

type Lines = readonly (readonly [name: string, value: string])[];

interface More {
  readonly headers?: Lines;
  readonly sdp?: string;
  /** Whether the To of a request bears its tag. */
  readonly early?: boolean;
}

const octets = (
  start: { method: string; uri: string } | { status: number; reason: string },
  lines: Lines,
  sdp = '',
) => {
  const body = new TextEncoder().encode(sdp);
  const headers = [
    ...lines,
    ...(body.length > 0 ? [['Content-Type', 'application/sdp'] as const] : []),
    ['Content-Length', String(body.length)] as const,
  ].map(([name, value]) => ({ name, value }));
  return encode(sipCodec, { start, headers, body });
};

const names = (d: Dialog, method: string, cseq: number, tagged: boolean): Lines => [
  ['Via', `SIP/2.0/UDP ${UE}:5060;branch=z9hG4bK${d.callId.slice(0, 2)}${cseq}${method.toLowerCase()};rport;keep`],
  ['From', `<${d.from}>;tag=${d.fromTag}`],
  ['To', `<${d.to}>${tagged && d.toTag !== undefined ? `;tag=${d.toTag}` : ''}`],
  ['Call-ID', d.callId],
  ['CSeq', `${cseq} ${method}`],
];

/** A request of the UE. */
export function ask(method: string, uri: string, d: Dialog, cseq: number, more: More = {}): Uint8Array {
  const tagged = more.early ?? !['REGISTER', 'INVITE', 'SUBSCRIBE', 'CANCEL'].includes(method);
  const lines: Lines = [
    ...names(d, method, cseq, tagged),
    ['Max-Forwards', '70'],
    ['User-Agent', 'ue/1'],
    ...(more.headers ?? []),
  ];
  return udp(UE_SIP, CORE_SIP, octets({ method, uri }, lines, more.sdp));
}

/** What the network answers it. */
export function tell(status: number, reason: string, method: string, d: Dialog, cseq: number, more: More = {}) {
  const lines: Lines = [
    ...names(d, method, cseq, status > 100).map(
      ([n, v]) => [n, n === 'Via' ? v.replace(';keep', ';keep=100') : v] as const,
    ),
    ...(more.headers ?? []),
  ];
  return udp(CORE_SIP, UE_SIP, octets({ status, reason }, lines, more.sdp));
}

/** A REGISTER; with the response to a challenge where one came before. */
export function register(cseq: number, expires = 3600, authorization?: string): Uint8Array {
  const empty = `Digest username="${IMPI}", realm="ims.example", uri="sip:ims.example", nonce="", response=""`;
  return ask('REGISTER', 'sip:ims.example', REGISTERING, cseq, {
    headers: [
      ['Contact', `${CONTACT};expires=${expires}`],
      ['Supported', 'path, gruu'],
      ['Authorization', authorization ?? empty],
    ],
  });
}

/** The nonce of an AKA challenge, RFC 3310 §3.2: RAND || SQN ⊕ AK || AMF || MAC. */
export function akaNonce(): string {
  const k = hex(SUBSCRIBER.k);
  const opc = hex(SUBSCRIBER.opc);
  const { ak } = f2345(k, opc, RAND);
  const autn = concat([SQN.map((o, i) => o ^ ak[i]!), AMF, f1(k, opc, RAND, SQN, AMF)]);
  return Buffer.from(concat([RAND, autn])).toString('base64');
}

/** The Authorization that answers {@link akaNonce}. */
export function akaAnswer(): string {
  const vector = f2345(hex(SUBSCRIBER.k), hex(SUBSCRIBER.opc), RAND);
  const d = {
    algorithm: 'AKAv1-MD5',
    username: IMPI,
    realm: 'ims.example',
    password: akaPassword('AKAv1-MD5', vector)!,
    method: 'REGISTER',
    uri: 'sip:ims.example',
    nonce: akaNonce(),
    qop: 'auth',
    nc: '00000001',
    cnonce: '0a4f113b',
  };
  const quoted = ['username', 'realm', 'uri', 'nonce', 'cnonce'] as const;
  const parts = quoted.map((name) => `${name}="${d[name]}"`);
  return `Digest ${parts.join(', ')}, algorithm=AKAv1-MD5, qop=auth, nc=${d.nc}, response="${digestResponse(d)}"`;
}

/** A session description of a phone: AMR-WB and telephone events; `more` stands at its end. */
export function description(where: Endpoint, more: Lines = []): string {
  const host = where.address.join('.');
  return [
    'v=0',
    `o=- 1 1 IN IP4 ${host}`,
    's=-',
    `c=IN IP4 ${host}`,
    't=0 0',
    `m=audio ${where.port} RTP/AVP 104 100`,
    'b=AS:41',
    'a=rtpmap:104 AMR-WB/16000/1',
    'a=fmtp:104 mode-change-capability=2;max-red=0',
    'a=rtpmap:100 telephone-event/16000',
    'a=ptime:20',
    'a=maxptime:240',
    ...more.map(([name, value]) => `a=${name}${value === '' ? '' : `:${value}`}`),
    '',
  ].join('\r\n');
}

// Media

/** A frame of AMR-WB 12.65, bandwidth-efficient (RFC 4867 §4.3): no mode request, one frame of 253 bits. */
function amrWb(n: number): Uint8Array {
  const b = Uint8Array.from({ length: 33 }, (_, i) => (i * 37 + n * 11) & 255);
  b[0] = 0xf1; // CMR 15, F 0, FT 2 (first three bits)
  b[1] = 0x40 | (b[1]! & 0x3f); // FT (last bit), Q
  b[32]! &= 0xfe;
  return b;
}

/** One packet of speech: 20 ms. */
export function speech(from: Endpoint, to: Endpoint, n: number, ssrc: number): Uint8Array {
  const sequence = (1000 + n) & 0xffff;
  const packet = { marker: n === 0, payloadType: 104, sequence, timestamp: 320 * n, ssrc, csrc: [], padding: 0 };
  return udp(from, to, encode(rtp.codec!, { ...packet, payload: amrWb(n) }), { ds: 0xb8 });
}

/** A sender report (RFC 3550 §6.4.1) `ms` after the start of the stream, with a reception report about the other side. */
export function senderReport(from: Endpoint, to: Endpoint, ssrc: number, other: number, ms: number): Uint8Array {
  const b = new Uint8Array(52);
  b.set([0x81, 200, 0, 12]);
  put32(b, 4, ssrc);
  put32(b, 8, 0xe000_0000 + Math.floor(ms / 1000));
  put32(b, 12, Math.floor(((ms % 1000) / 1000) * 0x1_0000_0000));
  put32(b, 16, ms * 16);
  put32(b, 20, Math.floor(ms / 20));
  put32(b, 24, Math.floor(ms / 20) * 33);
  put32(b, 28, other);
  put32(b, 36, 1000 + Math.floor(ms / 20));
  put16(b, 42, 16);
  return udp(from, to, b);
}
