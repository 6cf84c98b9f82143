import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { concat, encode } from 'fttscope/kit';
import { icmp } from '../../dissectors/icmp.js';
import { mtuOption, prefixOption, routerAdvertisement } from '../../dissectors/icmpv6/messages.js';
import { CaptureBuilder } from '../build/capture.js';
import { envelope } from '../build/conversation.js';
import { ACK, address, at, fragments, ip, ping, SYN, tcp, udp } from '../build/packets.js';
import {
  ADVERTISEMENT,
  ALICE,
  addressed,
  CORE,
  CORE_MEDIA,
  codes,
  ENDS,
  finding,
  found,
  healthy,
  type Json,
  nd,
  note,
  PREFIX,
  registered,
  reportOn,
  sip,
  speech,
  Talk,
  talk,
  UE,
  UE_MEDIA,
} from './support.js';

const datagram = (n = 20) => udp(at(UE, 7000), at(CORE, 7001), new Uint8Array(n).fill(0x5a));
/** The packet with one octet changed. */
function changed(packet: Uint8Array, where: number, value = packet[where]! ^ 0xff): Uint8Array {
  const b = packet.slice();
  b[where] = value;
  return b;
}

describe('packets inside', () => {
  const sent = (packet: Uint8Array) => found(addressed(new Talk()).up(100, datagram()).up(200, packet));

  test('checksums that are wrong', async () => {
    const [ue, core] = [address(UE), address(CORE)];
    const segment = tcp(at(UE, 7000), at(CORE, 7001), { seq: 1, flags: SYN }, new Uint8Array(0));
    for (const [packet, what] of [
      [changed(datagram(), 8), 'an IPv4 header'],
      [changed(datagram(), 30), 'UDP'],
      [changed(segment, 34), 'TCP'],
      [changed(ping(ue, core, 1, 1, 40), 30), 'ICMP'],
    ] as const) {
      const r = await sent(packet);
      assert.deepEqual(codes(r), ['inner.checksum'], what);
      assert.match(finding(r, 'inner.checksum').meaning, new RegExp(`^The first is that of ${what}\\.`));
    }
    const none = changed(changed(datagram(), 26, 0), 27, 0); // RFC 768: no checksum
    assert.deepEqual(codes(await sent(none)), []);
  });

  test('a header that is too short', async () => {
    const t = addressed(new Talk());
    for (let i = 0; i < 5; i++) t.up(100 + i, changed(datagram(), 0, 0x44));
    assert.ok(codes(await found(t)).includes('inner.header'));
  });

  test('fragments are a note', async () => {
    const t = addressed(new Talk());
    for (const [i, f] of fragments(datagram(900), 400).entries()) t.up(100 + i, f);
    const r = await found(t);
    assert.deepEqual(codes(r), []);
    note(r, 'inner.fragment');
  });

  const [OWN, PEER] = ['2001:db8:9::2', '2001:db8:9::1'];
  const prefix = prefixOption(PREFIX);
  const six = (n: number) => udp(at(OWN, 9), at(PEER, 9), new Uint8Array(n));

  test('larger than the MTU of the link', async () => {
    const t = new Talk().down(
      0,
      nd('fe80::1', 'ff02::1', routerAdvertisement(ADVERTISEMENT, [prefix, mtuOption(1280)])),
    );
    assert.deepEqual(codes(await found(t.copy().up(100, six(1232)))), []);
    const r = await found(t.up(100, six(1233)));
    assert.deepEqual(codes(r), ['inner.over-mtu']);
    assert.match(finding(r, 'inner.over-mtu').meaning, /^The largest has 1281 octets, and the link takes 1280\./);
  });

  test('larger than somebody on the way said', async () => {
    // RFC 4443 §3.2: the MTU, then the packet that it is about.
    const big6 = nd(PEER, OWN, { type: 2, code: 0, body: Uint8Array.of(0, 0, 5, 0), options: [], rest: six(100) });
    const word = { type: 3, code: 4, word: 1000, data: datagram(1200).subarray(0, 28) };
    const big4 = ip(address(CORE), address(UE), 1, encode(icmp.codec!, word));
    for (const [message, packet] of [
      [big6, six(1300)],
      [big4, datagram(1200)],
    ] as const) {
      const t = addressed(new Talk()).up(90, packet).down(100, message);
      assert.deepEqual(codes(await found(t.copy().up(500, packet))), []);
      assert.deepEqual(codes(await found(t.up(5000, packet))), ['inner.too-big-ignored']);
    }
    // RFC 8201 §3: it holds for the way to that address; those to others may take more.
    const elsewhere = udp(at(OWN, 9), at('2001:db8:7::7', 9), new Uint8Array(1300));
    const t = addressed(new Talk()).up(90, six(1300)).down(100, big6);
    assert.deepEqual(codes(await found(t.up(5000, elsewhere))), []);
  });
});

describe('packets inside that do not arrive', () => {
  const GATEWAY = '10.0.0.254';
  /** RFC 792: the first 28 octets of a packet go back to who sent it. */
  const lost = (packet: Uint8Array, code: number, type = 3, from = GATEWAY, to = UE) =>
    ip(address(from), address(to), 1, encode(icmp.codec!, { type, code, word: 0, data: packet.subarray(0, 28) }));
  const register = sip('REGISTER sip:ims.example', { callId: 'reg-1@10.0.0.2', from: ALICE, to: ALICE });

  test('the P-CSCF cannot be reached: that explains why nobody registers', async () => {
    const t = addressed(new Talk());
    for (const ms of [100, 2100, 6100]) t.up(ms, register).down(ms + 5, lost(register, 10));
    const r = await found(t.up(200_000, datagram()));
    assert.deepEqual(codes(r), ['inner.unreachable', 'sip.register-timeout']);
    const f = finding(r, 'inner.unreachable');
    assert.equal(f.severity, 'error');
    const said = '10.0.0.254 says of 3 packets of the UE to 10.0.0.1:5060: host administratively prohibited.';
    assert.equal(f.meaning.slice(0, said.length), said);
  });

  test('once it could: less bad; the UE that does not listen to it', async () => {
    const one = await found(talk().up(5000, register).down(5005, lost(register, 1)));
    assert.equal(finding(one, 'inner.unreachable').severity, 'warn');
    const invite = sip('INVITE sip:alice@10.0.0.2', {}, 'down');
    const deaf = await found(
      talk()
        .down(5000, invite)
        .up(5005, lost(invite, 3, 3, UE, CORE)),
    );
    const f = finding(deaf, 'inner.unreachable');
    assert.equal(f.severity, 'warn');
    assert.match(f.meaning, /^10\.0\.0\.2 says of a packet of the network to 10\.0\.0\.2:5060: port unreachable\./);
  });

  test('a P-CSCF that was not there yet: it cannot be said that it is not reached', async () => {
    const t = addressed(new Talk())
      .up(100, register)
      .down(105, lost(register, 3, 3, CORE));
    const r = await found(registered(t, 2100), 10_000, 'none');
    const f = finding(r, 'inner.unreachable');
    assert.match(f.meaning, /port unreachable\. SIP came from there after that\./);
    // It answers, and refuses: that is what to look at.
    const forbidden = addressed(new Talk())
      .up(100, register)
      .down(105, lost(register, 3, 3, CORE));
    const p = { callId: 'reg-1@10.0.0.2', from: ALICE, to: ALICE };
    forbidden.up(2100, register).down(2105, sip('403 Forbidden REGISTER', { ...p, toTag: 'r' }, 'down'));
    const no = await found(forbidden, 10_000, 'none');
    assert.equal(finding(no, 'inner.unreachable').severity, 'warn');
    assert.equal(codes(no)[0], 'sip.register-forbidden');
    assert.equal(no.tunnels[0].failure.stage, 'register');
  });

  test('media that are refused for long are told of beside a stray answer to the UE', async () => {
    const media = speech(UE_MEDIA, CORE_MEDIA, 90);
    const t = talk();
    for (let i = 0; i < 6; i++) t.up(1000 + 20 * i, media).down(1005 + 20 * i, lost(media, 3, 3, CORE));
    const late = sip('200 OK BYE', { toTag: 'b', cseq: 2 }, 'down');
    const r = await found(t.down(3000, late).up(3005, lost(late, 3, 3, UE, CORE)));
    assert.match(
      finding(r, 'inner.unreachable').meaning,
      /^10\.0\.0\.2 says of a packet of the network to 10\.0\.0\.2:5060: port unreachable\. 10\.0\.0\.1 says of 6 packets of the UE to 10\.0\.0\.1:40000: port unreachable\./,
    );
  });

  test('by IPv6, and for its hops', async () => {
    const [OWN, PEER] = ['2001:db8:9::2', '2001:db8:7::7'];
    const packet = udp(at(OWN, 5060), at(PEER, 5060), new Uint8Array(40));
    const message = { type: 3, code: 0, body: Uint8Array.of(0, 0, 0, 0), options: [], rest: packet };
    const r = await found(
      talk()
        .up(5000, packet)
        .down(5010, nd('2001:db8:9::1', OWN, message)),
    );
    assert.match(
      finding(r, 'inner.unreachable').meaning,
      /^2001:db8:9::1 says of a packet of the UE to \[2001:db8:7::7\]:5060: hop limit exceeded/,
    );
    note(r, 'inner.unreachable');
  });

  test('media when the call is over are nothing, or a note where there are many; a size is another thing', async () => {
    const late = speech(UE_MEDIA, CORE_MEDIA, 90);
    const refused = (n: number) => {
      const t = healthy();
      for (let i = 0; i < n; i++) t.up(3300 + 20 * i, late).down(3305 + 20 * i, lost(late, 3, 3, CORE));
      return found(t);
    };
    assert.equal(finding(await refused(5), 'inner.unreachable'), undefined);
    const r = await refused(6);
    assert.deepEqual(codes(r), []);
    note(r, 'inner.unreachable');
    const big = await found(
      addressed(new Talk())
        .up(90, datagram(1200))
        .down(100, lost(datagram(1200), 4)),
    );
    assert.equal(finding(big, 'inner.unreachable'), undefined);
    const echo = await found(
      addressed(new Talk())
        .up(90, datagram())
        .down(100, lost(datagram(), 0, 8)),
    );
    assert.equal(finding(echo, 'inner.unreachable'), undefined);
  });
});

describe('the outer connection', () => {
  const { client, server } = ENDS;
  const NOTHING = new Uint8Array(0);
  /** A connection whose data is sent one by one. */
  class Sent {
    readonly b = new CaptureBuilder()
      .packet(tcp(client, server, { seq: 100, flags: SYN }, NOTHING), 0, 0)
      .packet(tcp(server, client, { seq: 500, ack: 101, flags: SYN | ACK }, NOTHING), 10, 1)
      .packet(tcp(client, server, { seq: 101, ack: 501 }, NOTHING), 20, 0);
    next = 101;

    up(ms: number, octets: Uint8Array, seq = this.next): this {
      this.b.packet(tcp(client, server, { seq, ack: 501 }, octets), ms, 0);
      this.next = Math.max(this.next, seq + octets.length);
      return this;
    }
    ack(ms: number, ack = this.next, window = 64_240): this {
      this.b.packet(tcp(server, client, { seq: 501, ack, window }, NOTHING), ms, 1);
      return this;
    }
    report = (): Promise<Json> => reportOn(this.b.build().octets);
  }
  const small = envelope(ping(address(UE), address(CORE), 1, 1, 40)).octets;
  const large = envelope(datagram(1300)).octets;

  test('large segments that do not get through', async () => {
    const s = new Sent().up(100, small).ack(110);
    const seq = s.next;
    for (const ms of [200, 500, 1100, 2300]) s.up(ms, large, seq).ack(ms + 50, seq);
    const r = await s.report();
    assert.ok(codes(r).includes('tunnel.black-hole'));
    assert.match(finding(r, 'tunnel.black-hole').meaning, /^A segment of 1331 octets was sent again and again/);
    const once = new Sent().up(100, small).ack(110);
    const again = once.next;
    for (const ms of [200, 500]) once.up(ms, large, again);
    assert.equal(finding(await once.ack(550).report(), 'tunnel.black-hole'), undefined);
  });

  const stuck = async (s: Sent) => finding(await s.report(), 'tunnel.black-hole') !== undefined;
  /** The large segment four times, and each time the other side says that it lacks it. */
  const lacking = (s: Sent, ms: number): number => {
    const seq = s.next;
    for (const later of [0, 300, 900, 2100]) s.up(ms + later, large, seq).ack(ms + later + 50, seq);
    return seq;
  };

  test('a large segment that comes through at last, or after others of its size, was lost by chance', async () => {
    const late = new Sent().up(100, small).ack(110);
    lacking(late, 200);
    assert.ok(!(await stuck(late.ack(2400))));
    const others = new Sent().up(100, large).ack(110);
    lacking(others, 200);
    assert.ok(!(await stuck(others)));
    const small2 = new Sent().up(100, small).ack(110);
    const seq = small2.next;
    for (const ms of [200, 500, 1100]) small2.up(ms, small, seq);
    lacking(small2.ack(1150), 1200);
    assert.ok(!(await stuck(small2)), 'small ones are lost as well');
  });

  test('what comes through in smaller pieces only is too large for a path that has become narrower', async () => {
    const s = new Sent().up(100, large).ack(110);
    const seq = lacking(s, 200);
    s.up(4700, large.subarray(0, 536), seq).ack(4750, seq + 536);
    s.up(4800, large.subarray(536), seq + 536).ack(4850);
    assert.ok(await stuck(s));
  });

  test('no path that loses three of ten segments by chance is taken for such a one', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      let x = seed;
      const isLost = () => (x = (Math.imul(x, 1_103_515_245) + 12_345) & 0x7fff_ffff) % 10 < 3;
      const s = new Sent();
      let ms = 100;
      for (let i = 0; i < 40; i++) {
        const octets = i % 2 === 0 ? small : large;
        const seq = s.next;
        for (let wait = 300; ; wait *= 2) {
          s.up((ms += 10), octets, seq);
          if (!isLost()) break;
          s.ack((ms += wait), seq);
        }
        s.ack((ms += 50));
      }
      assert.ok(!(await stuck(s)), `seed ${seed}`);
    }
  });

  test('no room for more', async () => {
    const r = await new Sent().up(100, small).ack(110, undefined, 0).ack(400).up(500, small).ack(510).report();
    assert.deepEqual(codes(r), []);
    note(r, 'tunnel.zero-window');
    assert.match(finding(r, 'tunnel.zero-window').meaning, /^It was said once, and lasted 290 ms at most\./);
    const s = new Sent().up(100, small).ack(110, undefined, 0).ack(1500, undefined, 0).ack(2600);
    const long = await s.up(2700, small).ack(2710).report();
    assert.deepEqual(codes(long), ['tunnel.zero-window']);
    assert.match(long.findings[0].meaning, /^It was said 2 times, and lasted 2490 ms at most\./);
  });

  test('an envelope in pieces', async () => {
    const pieces = (ms: number) =>
      new Sent()
        .up(100, concat([small, large.subarray(0, 500)]))
        .ack(105)
        .up(100 + ms, large.subarray(500))
        .ack(110 + ms)
        .report();
    assert.equal(finding(await pieces(50), 'tunnel.split'), undefined);
    const r = await pieces(300);
    assert.deepEqual(codes(r), []);
    assert.match(finding(r, 'tunnel.split').meaning, /^The longest took 300 ms\./);
    const late = new Sent().up(100, small).ack(105).up(200, large.subarray(0, 500)).up(350, large.subarray(500, 600));
    assert.match(
      finding(await late.up(600, large.subarray(600)).ack(610).report(), 'tunnel.split').meaning,
      /^The longest took 400 ms\./,
    );
  });

  test('many envelopes at a time', async () => {
    const sent = (n: number) => {
      const s = new Sent();
      for (let i = 0; i < 12; i++) s.up(100 + 20 * i, concat(Array.from({ length: n }, () => small))).ack(105 + 20 * i);
      return s.report();
    };
    assert.equal(finding(await sent(1), 'tunnel.batched'), undefined);
    const r = await sent(5);
    assert.deepEqual(codes(r), []);
    assert.match(finding(r, 'tunnel.batched').meaning, /^12 of 12 segments carry 4 envelopes or more\./);
  });

  test('segments that are sent again, and an overhead that is large', async () => {
    const s = new Sent();
    for (let i = 0; i < 40; i++) {
      const seq = s.next;
      s.up(100 + 300 * i, small);
      if (i % 8 === 7) s.up(220 + 300 * i, small, seq);
      s.ack(250 + 300 * i);
    }
    const r = await s.report();
    assert.deepEqual(codes(r), []);
    assert.match(
      finding(r, 'tunnel.retransmissions').meaning,
      /^5 segments \(5\.7 %\) were sent again\. Seen from the place of capture 0 were lost towards the UE, and 5 on the other side\./,
    );
    // What had not come by here was lost before: a hole, and behind it the octets that were sent again.
    const holes = new Sent();
    for (let i = 0; i < 40; i++) {
      const seq = holes.next;
      if (i % 8 === 6) holes.next += small.length;
      holes.up(100 + 300 * i, small);
      if (i % 8 === 6) holes.ack(150 + 300 * i, seq).up(350 + 300 * i, small, seq);
      holes.ack(380 + 300 * i);
    }
    const { meaning } = finding(await holes.report(), 'tunnel.retransmissions');
    assert.match(meaning, /capture 5 were lost towards the UE, and 0 on the other side\./);
    assert.equal(finding(await found(healthy()), 'tunnel.retransmissions'), undefined);
    assert.equal(finding(await found(healthy()), 'tunnel.overhead'), undefined);
    const tiny = new Sent();
    for (let i = 0; i < 20; i++)
      tiny.up(100 + 10 * i, envelope(ping(address(UE), address(CORE), 1, i, 0)).octets).ack(105 + 10 * i);
    note(await tiny.report(), 'tunnel.overhead');
  });
});
