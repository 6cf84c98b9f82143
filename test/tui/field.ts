/** The capture that the tour, the pictures and the tests of screens show: a day in the field, laid out octet by octet. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  neighborSolicitation,
  prefixOption,
  routerAdvertisement,
  routerSolicitation,
} from '../../dissectors/icmpv6/messages.js';
import { type Built, CaptureBuilder, type Shaper } from '../build/capture.js';
import { down, type Envelope, envelope, type Side, type Step, up } from '../build/conversation.js';
import * as ims from '../build/ims.js';
import { address, at } from '../build/packets.js';
import { type TlsOptions, tlsConversation } from '../build/tls.js';
import { ROOT } from '../support/corpus.js';

/** 2026-03-01T09:00:00Z. */
const EPOCH = 1_772_355_600;
const EFTF = at('198.51.100.1', 443);
const OPTIONS = { server: EFTF, step: 20 } as const;
const TLS13: TlsOptions = {
  version: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256',
  certificate: 'ec',
};

/** Envelopes of both ends at milliseconds from the start of a tunnel. */
class Day {
  private readonly said: { readonly ms: number; readonly side: Side; readonly envelope: Envelope }[] = [];

  up(ms: number, packet: Uint8Array): this {
    this.said.push({ ms, side: 0, envelope: envelope(packet) });
    return this;
  }
  down(ms: number, packet: Uint8Array, type = 1): this {
    this.said.push({ ms, side: 1, envelope: envelope(packet, type) });
    return this;
  }

  get steps(): Step[] {
    const steps: Step[] = [];
    let now = 0;
    for (const { ms, side, envelope: e } of [...this.said].sort((a, b) => a.ms - b.ms)) {
      if (ms > now) steps.push({ pause: ms - now });
      now = Math.max(now, ms);
      steps.push(side === 0 ? up([e]) : down([e]));
    }
    return steps;
  }
}

const { ALICE, BOB, REGISTERING, UE_RTP, CORE_RTP, UE_RTCP, CORE_RTCP, ask, tell, description } = ims;
const CAROL = 'sip:+15550122@ims.example';
const FIRST: ims.Dialog = { callId: 'f7a1@10.9.0.50', from: ALICE, to: BOB, fromTag: 'ua1', toTag: 'ub1' };
const SECOND: ims.Dialog = { callId: 'f7a2@10.9.0.50', from: ALICE, to: CAROL, fromTag: 'ua2', toTag: 'uc2' };

function registered(d: Day): Day {
  const challenge = [
    ['WWW-Authenticate', `Digest realm="ims.example", nonce="${ims.akaNonce()}", algorithm=AKAv1-MD5, qop="auth"`],
  ] as const;
  const bound = [
    ['Contact', `<sip:${ims.UE}:5060>;expires=3600`],
    ['P-Associated-URI', `<${ALICE}>, <tel:+15550100>`],
  ] as const;
  return d
    .up(58, ims.dhcpAsk('discover'))
    .down(80, ims.dhcpTell('offer'))
    .up(84, ims.dhcpAsk('request'))
    .down(106, ims.dhcpTell('ack'))
    .up(150, ims.register(1))
    .down(200, tell(401, 'Unauthorized', 'REGISTER', REGISTERING, 1, { headers: challenge }))
    .up(230, ims.register(2, 3600, ims.akaAnswer()))
    .down(300, tell(200, 'OK', 'REGISTER', REGISTERING, 2, { headers: bound }));
}

/** A call that is answered; `lost` says which packets of speech to the UE are missing. */
function called(d: Day, from: number, packets: number, lost: (n: number) => boolean): Day {
  const end = from + 1650 + packets * 20;
  d.up(from, ask('INVITE', BOB, FIRST, 1, { sdp: description(UE_RTP) }))
    .down(from + 30, tell(100, 'Trying', 'INVITE', FIRST, 1))
    .down(from + 430, tell(180, 'Ringing', 'INVITE', FIRST, 1))
    .down(from + 1630, tell(200, 'OK', 'INVITE', FIRST, 1, { sdp: description(CORE_RTP) }))
    .up(from + 1640, ask('ACK', BOB, FIRST, 1))
    .up(end, ask('BYE', BOB, FIRST, 2))
    .down(end + 40, tell(200, 'OK', 'BYE', FIRST, 2));
  for (let n = 0; n < packets; n++) {
    const ms = from + 1650 + 20 * n;
    d.up(ms, ims.speech(UE_RTP, CORE_RTP, n, 0x5a170001));
    if (!lost(n)) d.down(ms + 7, ims.speech(CORE_RTP, UE_RTP, n, 0x5a170002));
    if (n % 50 !== 49) continue;
    d.up(ms + 3, ims.senderReport(UE_RTCP, CORE_RTCP, 0x5a170001, 0x5a170002, 20 * n));
    d.down(ms + 9, ims.senderReport(CORE_RTCP, UE_RTCP, 0x5a170002, 0x5a170001, 20 * n));
  }
  return d;
}

/** A call that the network refuses. */
function refused(d: Day, from: number): Day {
  const headers = [
    ['Reason', 'Q.850 ;cause=41 ;text="Temporary failure"'],
    ['Retry-After', '30'],
  ] as const;
  return d
    .up(from, ask('INVITE', CAROL, SECOND, 1, { sdp: description(UE_RTP) }))
    .down(from + 25, tell(100, 'Trying', 'INVITE', SECOND, 1))
    .down(from + 90, tell(503, 'Service Unavailable', 'INVITE', SECOND, 1, { headers }))
    .up(from + 100, ask('ACK', CAROL, SECOND, 1));
}

/** Registered, a call with a burst of loss, one that is refused, an envelope that nobody knows. */
function first(): Day {
  const d = called(registered(new Day()), 1380, 100, (n) => n >= 41 && n <= 43);
  d.down(
    5600,
    Uint8Array.from('not an IP pkt', (c) => c.charCodeAt(0)),
    9,
  );
  refused(d, 6000);
  return d.up(7500, ims.register(3, 0, ims.akaAnswer())).down(7550, tell(200, 'OK', 'REGISTER', REGISTERING, 3));
}

const OWN = 'fe80::5054:ff:fe12:3456';
const ROUTER = {
  hopLimit: 64,
  managed: false,
  other: true,
  preference: 0,
  lifetime: 1800,
  reachable: 0,
  retransmit: 0,
};

/** IPv6 alone: a prefix, and an address out of it. */
function second(): Day {
  const prefix = { length: 64, onLink: true, autonomous: true, router: false, valid: 86_400, preferred: 14_400 };
  const advertisement = ims.nd(
    'fe80::1',
    'ff02::1',
    routerAdvertisement(ROUTER, [prefixOption({ ...prefix, prefix: address('2001:db8:9::') })]),
  );
  const d = new Day()
    .up(40, ims.nd('0::0', 'ff02::1:ff12:3456', neighborSolicitation(address(OWN))))
    .up(1200, ims.nd(OWN, 'ff02::2', routerSolicitation()))
    .down(1230, advertisement)
    .up(1240, ims.nd('0::0', 'ff02::1:ff12:3456', neighborSolicitation(address('2001:db8:9::5054:ff:fe12:3456'))));
  for (let ms = 2200; ms < 6000; ms += 600) d.down(ms, advertisement);
  return d;
}

const text = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));

/** The third segment with data that the second tunnel got is missing, as if the capture had dropped it. */
const dropped: Shaper = (frames) => {
  const connections = [...new Set(frames.map((f) => f.connection))].filter((c) => c !== null);
  const own = connections.find((c) => c.options.client.port === 40_002);
  const data = frames.filter((f) => f.connection === own && f.side === 1 && f.payload > 100);
  return frames.filter((f) => f !== data.at(-3));
};

/** Four TLS connections: a day of calls, one with a gap and a reset, one without keys, one that is something else. */
async function fieldCapture(): Promise<{ readonly built: Built; readonly keys: string }> {
  const closed = await tlsConversation(registered(new Day()).steps, {
    ...TLS13,
    version: 'TLSv1.2',
    ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
    closeNotify: false,
  });
  const web = await tlsConversation(
    [
      { side: 0, plain: text('GET /news HTTP/1.1\r\nHost: www.example\r\n\r\n') },
      { side: 1, plain: text(`HTTP/1.1 200 OK\r\nContent-Length: 512\r\n\r\n${'x'.repeat(512)}`) },
    ],
    { ...TLS13, client: { servername: 'www.example' } },
  );
  const built = new CaptureBuilder({ epoch: EPOCH, shape: [dropped] })
    .connection(await tlsConversation(first().steps, TLS13), { ...OPTIONS, client: at('192.0.2.7', 40_001), start: 20 })
    .connection(await tlsConversation(second().steps, { ...TLS13, closeNotify: false }), {
      ...OPTIONS,
      client: at('192.0.2.9', 40_002),
      start: 400,
      end: 'rst',
    })
    .connection(closed, { ...OPTIONS, client: at('192.0.2.11', 40_003), start: 900, end: 'none' })
    .connection(web, { client: at('192.0.2.12', 40_004), server: at('203.0.113.80', 443), start: 2500, step: 20 })
    .build();
  return { built, keys: built.keylog.replace(closed.keylog, '') };
}

/** `node dist/test/tui/field.js`: builds the sample anew. */
if (process.argv[1]?.endsWith('field.js') === true) {
  const { built, keys } = await fieldCapture();
  writeFileSync(join(ROOT, 'samples/00-field.pcapng'), built.octets);
  writeFileSync(join(ROOT, 'samples/00-field.keys'), keys);
  console.log(`samples/00-field.pcapng: ${built.frames.length} frames, ${built.octets.length} octets`);
}
