import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { concat, encode } from 'fttscope/kit';
import { icmp } from '../../dissectors/icmp.js';
import { codec as icmpv6, PROTOCOL } from '../../dissectors/icmpv6/messages.js';
import { CaptureBuilder } from '../build/capture.js';
import { envelope } from '../build/conversation.js';
import { ACK, address, at, type Endpoint, ip, ping, SYN, tcp, udp } from '../build/packets.js';
import { addressed, CORE, codes, ENDS, finding, found, type Json, nd, reportOn, Talk, UE } from './support.js';

const NOTHING = new Uint8Array(0);
const datagram = (n: number): Uint8Array => udp(at(UE, 9), at(CORE, 9), new Uint8Array(n));
const small = envelope(ping(address(UE), address(CORE), 1, 1, 40)).octets;
const large = envelope(datagram(1300)).octets;
const ROUTER = { 4: '203.0.113.1', 6: '2001:db8:ff::1' } as const;

/** A message of ICMP of a router, to who sent `about`, of which it quotes so many octets. */
function told(about: Uint8Array, type: number, code: number, mtu = 0, quoted = 64): Uint8Array {
  const data = about.subarray(0, quoted);
  if (about[0]! >> 4 === 4) {
    const message = encode(icmp.codec!, { type, code, word: mtu, data });
    return ip(address(ROUTER[4]), about.subarray(12, 16), 1, message);
  }
  const [src, dst] = [address(ROUTER[6]), about.subarray(8, 24)];
  const body = concat([Uint8Array.of(0, 0, mtu >> 8, mtu & 255), data]);
  const message = { type, code, body, options: [], rest: NOTHING };
  return ip(src, dst, PROTOCOL, encode(icmpv6, message, { version: 6, buf: concat([src, dst]), src: 0, dst: 16 }));
}

/** A tunnel whose UE sends segments one by one, and what a router says of them. */
class Sent {
  readonly b = new CaptureBuilder();
  next = 101;
  private last: Uint8Array = NOTHING;

  constructor(
    private readonly client: Endpoint = ENDS.client,
    private readonly server: Endpoint = ENDS.server,
  ) {
    this.b
      .packet(tcp(client, server, { seq: 100, flags: SYN }, NOTHING), 0, 0)
      .packet(tcp(server, client, { seq: 500, ack: 101, flags: SYN | ACK }, NOTHING), 10, 1)
      .packet(tcp(client, server, { seq: 101, ack: 501 }, NOTHING), 20, 0);
    this.up(100, small).ack(110);
  }

  up(ms: number, octets: Uint8Array, seq = this.next): this {
    this.last = tcp(this.client, this.server, { seq, ack: 501 }, octets);
    this.b.packet(this.last, ms, 0);
    this.next = Math.max(this.next, seq + octets.length);
    return this;
  }
  ack(ms: number, ack = this.next): this {
    this.b.packet(tcp(this.server, this.client, { seq: 501, ack }, NOTHING), ms, 1);
    return this;
  }
  /** A router says of the last segment that it was too big. */
  tooBig(ms: number, mtu: number): this {
    const [type, code] = this.last[0]! >> 4 === 4 ? [3, 4] : [2, 0];
    return this.told(ms, type!, code!, mtu);
  }
  told(ms: number, type: number, code: number, mtu = 0, quoted?: number): this {
    this.b.packet(told(this.last, type, code, mtu, quoted), ms, 1);
    return this;
  }
  report = (): Promise<Json> => reportOn(this.b.build().octets);
}

const SIX = [at('2001:db8::10', 40_000), at('2001:db8:1::1', 443)] as const;

describe('what ICMP says of the connection of a tunnel', () => {
  for (const [family, ends] of [
    [4, []],
    [6, SIX],
  ] as const) {
    test(`IPv${family}: a sender that makes its packets smaller`, async () => {
      const s = new Sent(...ends);
      const seq = s.next;
      s.up(200, large).tooBig(220, 1280);
      s.up(250, large.subarray(0, 1200), seq).ack(260, seq + 1200);
      const r = await s
        .up(270, large.subarray(1200), seq + 1200)
        .ack(280)
        .report();
      assert.deepEqual(codes(r), []);
      const { meaning, severity } = finding(r, 'tunnel.path-mtu');
      assert.equal(severity, 'note');
      assert.ok(
        meaning.startsWith(`${ROUTER[family]} told the UE that packets may have 1280 octets at most.`),
        meaning,
      );
    });

    test(`IPv${family}: a sender that does not listen`, async () => {
      const s = new Sent(...ends);
      const seq = s.next;
      for (const ms of [200, 500, 1100, 2300, 4700])
        s.up(ms, large, seq)
          .tooBig(ms + 20, 1280)
          .ack(ms + 50, seq);
      const r = await s.report();
      assert.ok(codes(r).includes('tunnel.too-big-ignored'));
      assert.equal(finding(r, 'tunnel.black-hole'), undefined);
    });
  }

  test('of another, narrower link nobody tells', async () => {
    const s = new Sent();
    const seq = s.next;
    s.up(200, large).tooBig(220, 1400);
    for (const ms of [500, 1100, 2300, 4700]) s.up(ms, large, seq).ack(ms + 50, seq);
    const r = await s.report();
    assert.ok(codes(r).includes('tunnel.black-hole'));
    assert.ok(!codes(r).includes('tunnel.too-big-ignored'));
  });

  test('a router of old names no size (RFC 1191 §5); IPv6 takes 1280 anywhere (RFC 8201 §4)', async () => {
    const old = await new Sent().up(200, large).tooBig(220, 0).report();
    assert.match(finding(old, 'tunnel.path-mtu').meaning, /told the UE that packets were too big\./);
    const less = await new Sent(...SIX).up(200, large).tooBig(220, 1000).report();
    assert.equal(finding(less, 'tunnel.path-mtu'), undefined);
  });

  test('a segment that did not arrive, by no more than its ports', async () => {
    const r = await new Sent().up(200, small).told(220, 3, 1, 0, 28).ack(300).report();
    assert.deepEqual(codes(r), []);
    assert.match(finding(r, 'tunnel.unreachable').meaning, /^203\.0\.113\.1 says: host unreachable\./);
    assert.equal(finding(await new Sent().up(200, small).ack(300).report(), 'tunnel.unreachable'), undefined);
  });

  test('a SYN that somebody on the way refuses, or that goes nowhere', async () => {
    const asked = (type: number, code: number) => {
      const syn = tcp(ENDS.client, ENDS.server, { seq: 100, flags: SYN }, NOTHING);
      const b = new CaptureBuilder().packet(syn, 0).packet(told(syn, type, code), 5, 1);
      return reportOn(b.packet(syn, 1000).packet(syn, 3000).build().octets);
    };
    const filtered = await asked(3, 13);
    assert.deepEqual(codes(filtered), ['tcp.refused']);
    assert.match(filtered.findings[0].meaning, /203\.0\.113\.1 says: communication administratively filtered\./);
    const lost = await asked(3, 1);
    assert.deepEqual(codes(lost), ['tcp.no-answer']);
    assert.match(
      lost.findings[0].meaning,
      /^3 SYN went to 198\.51\.100\.1:443\. 203\.0\.113\.1 says: host unreachable\./,
    );
    assert.match((await asked(11, 0)).findings[0].meaning, /says: time to live exceeded in transit\./);
  });
});

describe('limits for what runs inside', () => {
  const [OWN, MEDIA, PROXY] = ['2001:db8:7::5', '2001:db8:7::7', '2001:db8:7::8'] as const;
  const six = (to: string, n = 1400): Uint8Array => udp(at(OWN, 9), at(to, 9), new Uint8Array(n));
  const tooBig = (packet: Uint8Array, mtu: number): Uint8Array =>
    nd('2001:db8:7::1', OWN, {
      type: 2,
      code: 0,
      body: concat([Uint8Array.of(0, 0, mtu >> 8, mtu & 255), packet.subarray(0, 120)]),
      options: [],
      rest: NOTHING,
    });
  const ignored = async (t: Talk): Promise<boolean> => codes(await found(t)).includes('inner.too-big-ignored');
  const begun = (): Talk => addressed(new Talk());

  test('each address has its own', async () => {
    const t = begun()
      .down(100, tooBig(six(MEDIA), 1300))
      .down(110, tooBig(six(PROXY), 1400));
    assert.ok(await ignored(t.copy().up(5000, six(MEDIA))));
    assert.ok(!(await ignored(t.copy().up(5000, six(PROXY, 1340)))));
    assert.ok(await ignored(t.up(5000, six(PROXY))));
  });

  test('who is told again and again has been told', async () => {
    const t = begun();
    for (let ms = 100; ms < 6000; ms += 1000) t.up(ms, six(MEDIA)).down(ms + 10, tooBig(six(MEDIA), 1300));
    assert.ok(await ignored(t));
  });

  test('after some minutes a sender may try again, and less than 1280 octets are asked of nobody', async () => {
    assert.ok(
      !(await ignored(
        begun()
          .down(100, tooBig(six(MEDIA), 1300))
          .up(400_000, six(MEDIA)),
      )),
    );
    assert.ok(
      !(await ignored(
        begun()
          .down(100, tooBig(six(MEDIA), 1000))
          .up(5000, six(MEDIA, 1200)),
      )),
    );
  });
});
