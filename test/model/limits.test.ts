import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode, put32 } from 'fttscope/kit';
import { codec as dns, dnsQuery, TYPE } from '../../dissectors/dns/message.js';
import { icmp } from '../../dissectors/icmp.js';
import { prefixOption, routerAdvertisement } from '../../dissectors/icmpv6/messages.js';
import { LIMITS, type LimitName } from '../../src/limits.js';
import { CaptureBuilder } from '../build/capture.js';
import { clearConversation, envelope, up } from '../build/conversation.js';
import { address, at, ip, ping, SYN, tcp, udp } from '../build/packets.js';
import { file, run } from '../cli/run.js';
import {
  ADVERTISEMENT,
  addressed,
  CORE,
  CORE_MEDIA,
  called,
  codes,
  dhcpUp,
  ENDS,
  finding,
  found,
  type Json,
  nd,
  PREFIX,
  reportOn,
  rtpPacket,
  sdp,
  sip,
  Talk,
  UE,
  UE_MEDIA,
} from './support.js';

const NOTHING = new Uint8Array(0);
const PHONE = '192.0.2.10';
/** An address of its own for each number. */
const host = (n: number): string => `198.51.${n >> 8}.${n & 255}`;
const times = <T>(n: number, make: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(i));

/** Requires that caps were reached, each so often, and that nobody can miss it. */
function reached(r: Json, hits: Partial<Record<LimitName, number>>): void {
  const all = Object.entries(hits).map(([name, hit]) => ({ name, cap: LIMITS[name as LimitName], hit }));
  assert.deepEqual(r.limits, all);
  assert.equal(finding(r, 'capture.capped').severity, 'warn');
  for (const { name } of all) assert.match(finding(r, 'capture.capped').meaning, new RegExp(`\\b${name} \\(`));
}

describe('a report says that it lacks', () => {
  test('Call-IDs that share an address: rows alone name them, and the report lacks nothing', async () => {
    const t = addressed(new Talk());
    const most = LIMITS.mediaCalls + 2;
    for (let i = 0; i < most; i++)
      t.up(1000 + 10 * i, sip('INVITE sip:bob@ims.example', { callId: `c${i}`, sdp: sdp(UE, 30_000) }));
    const r = await found(t);
    assert.deepEqual(
      r.limits.map((l: Json) => l.name),
      ['mediaCalls'],
    );
    assert.equal(finding(r, 'capture.capped').severity, 'note');
    assert.equal(r.calls.length, most);
  });

  test('session descriptions of a call; what holds is what was said last', async () => {
    const changes = 70;
    const changed = (misfit: boolean): Talk => {
      const t = called(addressed(new Talk()), 1000, 0, false);
      for (let i = 0; i < changes; i++) {
        const more = misfit && i === changes - 1 ? ['m=video 9 RTP/AVP 99'] : [];
        const p = { toTag: 'b', cseq: 2 + i };
        t.up(2000 + 100 * i, sip('INVITE sip:bob@ims.example', { ...p, sdp: sdp(UE, 30_000) }))
          .down(2010 + 100 * i, sip('200 OK INVITE', { ...p, sdp: sdp(CORE, 40_000, more) }, 'down'))
          .up(2020 + 100 * i, sip('ACK sip:bob@ims.example', p));
      }
      return t;
    };
    const r = await found(changed(false));
    reached(r, { callParts: 2 * (1 + changes) - LIMITS.callParts });
    assert.equal(finding(r, 'sdp.answer-misfit'), undefined);
    const last = await found(changed(true));
    assert.match(finding(last, 'sdp.answer-misfit').meaning, /The offer has 1 media, and the answer 2\./);
  });

  test('media of a session description, and places where media may go', async () => {
    const t = addressed(new Talk());
    const lines = times(40, (i) => `m=audio ${40_000 + 2 * i} RTP/AVP 8`);
    t.up(1000, sip('INVITE sip:bob@ims.example', { sdp: sdp(UE, 30_000, lines) }));
    reached(await found(t), { sessionMedia: 1 });

    const c = called(addressed(new Talk()), 1000, 0, false);
    const each = 100;
    for (let i = 0; i < 12; i++) {
      const own = times(each, (k) => `a=candidate:1 1 UDP 1 ${UE} ${10_000 + each * i + k} typ host`);
      c.up(2000 + i, sip('UPDATE sip:bob@ims.example', { toTag: 'b', cseq: 2 + i, sdp: sdp(UE, 30_000, own) }));
    }
    reached(await found(c), { callPlaces: 2 + 12 * each - LIMITS.callPlaces });
  });

  test('digits that were pressed', async () => {
    const t = called(addressed(new Talk()), 1000, 20_000);
    for (let i = 0; i < 300; i++) {
      const head = { payloadType: 101, sequence: i, timestamp: 8000 + 800 * i };
      t.up(2000 + 50 * i, rtpPacket(UE_MEDIA, CORE_MEDIA, { ...head, payload: Uint8Array.of(i % 10, 0x8a, 1, 64) }));
    }
    const r = await found(t);
    reached(r, { digits: 300 - LIMITS.digits });
    assert.equal(r.media[0].dtmf, '0123456789'.repeat(26).slice(0, 256));
  });

  test('messages of an exchange', async () => {
    const t = new Talk();
    for (let i = 0; i < 300; i++) t.up(4000 * i, dhcpUp('discover'));
    const r = await found(t);
    reached(r, { exchangeMessages: 300 - LIMITS.exchangeMessages });
    assert.equal(r.addressing[0].dhcp.exchanges[0].messages.length, LIMITS.exchangeMessages);

    const s = addressed(new Talk());
    for (let i = 0; i < 300; i++) s.up(1000 + i, sip('SUBSCRIBE sip:alice@ims.example', { callId: 's', cseq: i }));
    reached(await found(s), { exchangeMessages: 300 - LIMITS.exchangeMessages });
  });

  test('prefixes of a tunnel', async () => {
    const t = new Talk();
    for (let i = 0; i < 10; i++) {
      const options = times(30, (k) => prefixOption({ ...PREFIX, prefix: address(`2001:db8:${i}:${k}::`) }));
      t.down(10 * i, nd('fe80::1', 'ff02::1', routerAdvertisement(ADVERTISEMENT, options)));
    }
    const r = await found(t);
    reached(r, { neighbours: 300 - LIMITS.neighbours });
    assert.equal(r.addressing[0].slaac.prefixes.length, LIMITS.neighbours);
  });

  test('identities of a user', async () => {
    const t = addressed(new Talk());
    const more = 8;
    for (let i = 0; i < LIMITS.identities + more; i++) {
      const user = `sip:user${i}@ims.example`;
      t.up(100 + i, sip('REGISTER sip:ims.example', { callId: `r${i}`, from: user, to: user }));
    }
    const r = await found(t);
    reached(r, { identities: more });
    assert.equal(r.tunnels[0].subscriber.impu.length, LIMITS.identities);
  });

  test('associations of ESP, and addresses that packets bear', async () => {
    const esp = (spi: number, from = UE): Uint8Array => {
      const b = new Uint8Array(60).fill(0xa5);
      put32(b, 0, spi);
      put32(b, 4, 1);
      return ip(address(from), address(CORE), 50, b);
    };
    const t = addressed(new Talk());
    for (let i = 0; i < 1100; i++) t.up(100 + i, esp(1000 + i));
    reached(await found(t), { associations: 1100 - LIMITS.associations });

    const exact = addressed(new Talk());
    // The client of DHCP has 0.0.0.0.
    for (let i = 0; i < LIMITS.tunnelAddresses - 1; i++) exact.up(100 + i, esp(1000, host(i)));
    const whole = await found(exact.copy().up(300, esp(1000, host(0))));
    assert.deepEqual([whole.limits, whole.tunnels[0].addresses.length], [[], LIMITS.tunnelAddresses - 1]);
    reached(await found(exact.up(300, esp(1000, host(999)))), { tunnelAddresses: 1 });
  });

  test('what somebody on the way said of the size of packets', async () => {
    const [own, peer] = ['2001:db8:9::2', '2001:db8:a::1'];
    const t = addressed(new Talk());
    const more = 6;
    for (let i = 0; i < LIMITS.pathLimits + more; i++) {
      const rest = udp(at(own, 9), at(`2001:db8:b::${i + 1}`, 9), new Uint8Array(100));
      // RFC 4443 §3.2: the MTU, then the packet that it is about.
      t.down(100 + i, nd(peer, own, { type: 2, code: 0, body: Uint8Array.of(0, 0, 5, 0), options: [], rest }));
    }
    reached(await found(t), { pathLimits: more });
  });

  test('where packets do not get, as ICMP says', async () => {
    const t = addressed(new Talk());
    const more = 3;
    for (let i = 0; i < LIMITS.unreached + more; i++) {
      const packet = udp(at(UE, 9), at(CORE, 1000 + i), new Uint8Array(20));
      // RFC 792: the first 28 octets of it.
      const data = packet.subarray(0, 28);
      t.down(100 + i, ip(address(CORE), address(UE), 1, encode(icmp.codec!, { type: 3, code: 3, word: 0, data })));
    }
    reached(await found(t), { unreached: more });
  });

  test('questions to the DNS', async () => {
    const more = 10;
    const ask = (i: number): Uint8Array => encode(dns, dnsQuery(i & 0xffff, `n${i}.example`, TYPE.A));
    const t = addressed(new Talk());
    for (let i = 0; i < LIMITS.transactions + more; i++) t.up(100 + i, udp(at(UE, 30_053), at(CORE, 53), ask(i)));
    reached(await found(t), { transactions: more });

    const b = new CaptureBuilder();
    for (let i = 0; i < LIMITS.transactions + more; i++)
      b.packet(udp(at(PHONE, 30_053), at('192.0.2.53', 53), ask(i)), i, 0);
    reached(await reportOn(b.build().octets), { transactions: more });
  });

  test('connections that nobody answers', async () => {
    const b = new CaptureBuilder();
    const more = 10;
    for (let i = 0; i < LIMITS.transactions + more; i++)
      b.packet(tcp(at(PHONE, 40_000), at(host(i), 443), { seq: 1, flags: SYN }, NOTHING), i, 0);
    const r = await reportOn(b.build().octets);
    reached(r, { transactions: more });
    assert.deepEqual(codes(r).sort(), ['capture.capped', 'tcp.no-answer']);
  });

  test('what a phone tried beside its tunnel', async () => {
    const b = new CaptureBuilder();
    const more = 6;
    for (let i = 0; i < LIMITS.tunnelAttempts + more; i++)
      b.packet(tcp(at(PHONE, 40_000 + i), at(host(i), 5060), { seq: 1, flags: SYN }, NOTHING), i, 0);
    const packet = ping(address(UE), address(CORE), 1, 1, 40);
    b.connection(clearConversation([up([envelope(packet)])]), { ...ENDS, start: 10_000, step: 10 });
    const r = await reportOn(b.build().octets);
    reached(r, { tunnelAttempts: more });
    assert.equal(r.tunnels[0].attempts.length, LIMITS.tunnelAttempts);
  });

  test('holes of a connection', async () => {
    const { client, server } = ENDS;
    const { octets } = envelope(ping(client.address, server.address, 1, 1, 40));
    const n = LIMITS.holes + 6;
    const b = new CaptureBuilder().packet(tcp(client, server, { seq: 100, flags: SYN }, NOTHING), 0, 0);
    const send = (i: number, ms: number) =>
      b.packet(tcp(client, server, { seq: 101 + i * octets.length, ack: 501 }, octets), ms, 0);
    send(0, 10);
    for (let i = 1; i <= n; i++) send(2 * i, 10 + i);
    for (let i = 1; i <= n; i++) send(2 * i - 1, 100 + i);
    reached(await reportOn(b.build().octets), { holes: 6 });
  });

  test('tunnels that are compared between captures', () => {
    const b = new CaptureBuilder();
    const packet = envelope(ping(address(UE), address(CORE), 1, 1, 40));
    const more = 3;
    for (let i = 0; i < LIMITS.comparedTunnels + more; i++)
      b.connection(clearConversation([up([packet])]), { ...ENDS, client: at(host(i), 40_000), start: 10 * i });
    const other = new CaptureBuilder().packet(udp(at(PHONE, 9), at(CORE, 9), NOTHING), 0, 0);
    const paths = [file('many.pcapng', b.build().octets), file('other.pcapng', other.build().octets)];
    reached(JSON.parse(run(['report', ...paths]).out), { comparedTunnels: more });
  });
});
