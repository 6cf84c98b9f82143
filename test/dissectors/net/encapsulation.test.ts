import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ah } from '../../../dissectors/ah.js';
import { ayiya } from '../../../dissectors/ayiya.js';
import { erspan } from '../../../dissectors/erspan.js';
import { esp, espNull } from '../../../dissectors/esp.js';
import { geneve } from '../../../dissectors/geneve.js';
import { gre } from '../../../dissectors/gre.js';
import { gtp } from '../../../dissectors/gtp.js';
import { wlan } from '../../../dissectors/ieee80211.js';
import { isakmp } from '../../../dissectors/isakmp/index.js';
import { mpls, pwControlWord } from '../../../dissectors/mpls.js';
import { radiotap } from '../../../dissectors/radiotap.js';
import { teredo } from '../../../dissectors/teredo.js';
import { udpencap } from '../../../dissectors/udpencap.js';
import { vxlan } from '../../../dissectors/vxlan.js';
import { type Codec, encode } from '../../../src/kit/index.js';
import { fieldText } from '../../../src/report/value.js';
import { ENCAPSULATIONS, encapsulated, relinked } from '../../build/encapsulate.js';
import { read } from '../../build/read.js';
import { FrameSource } from '../../build/source.js';
import { tlsConversation } from '../../build/tls.js';
import { chatter } from '../../build/traffic.js';
import { ip4 } from '../../cli/run.js';
import { one } from '../../engine/one.js';
import { besideTshark } from '../../support/beside-tshark.js';
import { forSource } from '../../support/rows.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from './layers.js';

/** Link type of 802.11 frames without a header before them. */
const WLAN = 105;

const plain = { noNullPrototype: true } as const;
const of = (n: number) => fc.uint8Array({ minLength: n, maxLength: n });
/** Octets that fill whole words. */
const words = (most: number) => fc.nat(most).chain((n) => of(4 * n));
const u4 = fc.nat(15);
const u8 = fc.nat(255);
const u16 = fc.nat(0xffff);
const u24 = fc.nat(0xffffff);
const u32 = fc.nat(0xffffffff);
const payload = fc.uint8Array();
const NONE = fc.constant(new Uint8Array(0));

/** Both laws of a codec for what an arbitrary gives. */
function laws<R>(codec: Codec<R>, arbitrary: fc.Arbitrary<R>): void {
  fc.assert(
    fc.property(arbitrary, (r) => {
      const b = encode(codec, r);
      assert.equal(b.length, codec.size(r));
      const again = codec.parse(b, 0, b.length);
      assert.deepEqual(again, r);
      assert.deepEqual(encode(codec, again), b);
    }),
    { numRuns: 50 },
  );
}

const grePacket = fc
  .record({ c: fc.boolean(), k: fc.boolean(), s: fc.boolean(), a: fc.boolean() })
  .chain(({ c, k, s, a }) =>
    fc.record(
      {
        flags: fc.constant((c ? 0x8000 : 0) | (k ? 0x2000 : 0) | (s ? 0x1000 : 0) | (a ? 0x81 : 0)),
        protocol: u16,
        offset: c ? u16 : fc.constant(0),
        key: k ? u32 : fc.constant(0),
        sequence: s ? u32 : fc.constant(0),
        ack: a ? u32 : fc.constant(0),
        routing: NONE,
        payload,
      },
      plain,
    ),
  );

const extension = fc.record(
  { type: fc.integer({ min: 1, max: 255 }), content: fc.nat(3).chain((n) => of(4 * n + 2)) },
  plain,
);
const gtpMessage = fc.array(extension, { maxLength: 3 }).chain((extensions) =>
  fc.record(
    {
      flags: fc.constant(extensions.length > 0 ? 7 : 3),
      ...{ type: u8, teid: u32, sequence: u16, npdu: u8 },
      extensions: fc.constant(extensions),
      payload,
    },
    plain,
  ),
);

const erspanPacket = fc.boolean().chain((three) =>
  fc.record(
    {
      version: fc.constant(three ? 2 : 1),
      vlan: fc.nat(0xfff),
      bits: u16,
      words: three
        ? fc
            .tuple(
              u32,
              u32.map((n) => n & 0x7ffffffe),
            )
            .map((w) => [...w])
        : fc.tuple(u32).map((w) => [...w]),
      platform: NONE,
      payload,
    },
    plain,
  ),
);

const ikePayload = fc.record(
  { type: fc.integer({ min: 33, max: 45 }), flags: fc.constantFrom(0, 0x80), content: payload },
  plain,
);

describe('802.11', () => {
  it('shows what follows a protocol version that nobody knows as data', async () => {
    const lengths: string[] = [];
    const stacks: string[] = [];
    const frame = octets('3301 02030405060708090a0b0c0d0e0f');
    await forSource(new FrameSource([{ octets: frame }, { octets: frame.subarray(0, 6) }], 105), {}, (row) => {
      const { tree, protocols } = row.dissection;
      stacks.push(protocols.join(':'));
      for (let i = 0; i < tree.length; i++) if (tree.field(i).name === 'data.len') lengths.push(fieldText(tree, i));
    });
    assert.deepEqual(lengths, ['14', '4']); // as tshark 4.0.17
    assert.deepEqual(stacks, ['wlan:data', 'wlan:data']);
  });

  it('takes what protects a body, and what leads through a mesh, off the payload, as tshark does', {
    skip: tsharkMissing,
  }, async () => {
    const addresses = '020000000a01 020000000a02 020000000a03 1000';
    const ip = 'aaaa030000000800 4500 0020 0001 0000 4011 65cb 0a000001 0a000101 9c40 9c42 000c 0000 61626364';
    const packets = [
      `0841 0000 ${addresses} 01020300 ${'aa'.repeat(20)} 11223344`, // WEP: IV, ICV
      `b049 0000 ${addresses} 01020340 ${'aa'.repeat(20)} 11223344`, // the same in an authentication that is sent again
      `0841 0000 ${addresses} 01020320 01020304 ${'aa'.repeat(20)}`, // TKIP, or CCMP
      `d040 0000 ${addresses} 01020320 01020304 ${'aa'.repeat(12)}`, // a protected action
      `0841 0000 ${addresses} 01020300 1122`,
      `0841 0000 ${addresses} 0102`,
      `8803 0000 ${addresses} 020000000a04 0001 00 20 00000001 ${ip}`,
      `8803 0000 ${addresses} 020000000a04 0001 01 20 00000001 020000000b01 ${ip}`,
      `8802 0000 ${addresses} 0001 02 20 00000001 020000000b01 020000000b02 ${ip}`,
      `8801 0000 ${addresses} 0001 ${ip}`, // to an access point: no mesh
    ];
    const fields = ['data.len', 'ip.src', '_ws.expert.message'];
    await besideTshark(packets.map(octets), fields, WLAN);
  });
  it('a QoS control says that a mesh control follows where a station of a mesh sent it', {
    skip: tsharkMissing,
  }, async () => {
    // IEEE 802.11 §9.2.4.5: from others the bit is a part of a queue size, a limit or a buffer state.
    const [a, b, c, group] = ['020000000001', '020000000002', '020000000003', '01005e000001'];
    const llc = `aaaa030000000800 ${'00'.repeat(24)}`;
    const packets = [
      `8801 0000 ${a} ${b} ${c} 1000 0001 ${llc}`,
      `8802 0000 ${a} ${b} ${c} 1000 0001 ${llc}`,
      `8803 0000 ${a} ${b} ${c} 1000 ${a} 0001 00000000 0000 ${llc}`,
      `8803 0000 ${a} ${b} ${c} 1000 ${a} 0000 ${llc}`,
      `8802 0000 ${group} ${b} ${c} 1000 0001 00000000 0000 ${llc}`,
      `c803 0000 ${a} ${b} ${c} 1000 ${a} 0001`,
    ];
    const fields = ['wlan.qos', 'wlan.qos.mesh_ctl_present', 'wlan.mesh.control_field', 'wlan.qos.tid'];
    await besideTshark(packets.map(octets), fields, WLAN);
  });
});

describe('GRE', () => {
  it('the key of GRE is a length and a call where PPTP carries PPP', { skip: tsharkMissing }, async () => {
    const packets = ['2001880b00040007ff03c021', '2000880b00040007ff03c021', '200108000004000745'];
    await besideTshark(
      packets.map((p) => ip4(47, octets(p))),
      ['gre.key', 'gre.key.payload_length', 'gre.key.call_id', 'gre.flags_and_version'],
    );
  });
});

describe('MPLS', () => {
  // Wireshark goes by the manufacturers that it knows, so that addresses of others begin with a control word for it.
  it('tells a control word from an address that begins with zeros', async () => {
    const header = '020000000001 020000000002 8847 00010140'; // label 16, S, TTL 64
    const addresses = '061122330a01 061122330a02';
    const ip = '0800 4500001c 00000000 40110000 0a000001 0a000002 c350c351 0008 0000';
    const llc = `0003 424203`;
    const long = `002e 424203 ${'00'.repeat(43)}`;
    const frames = {
      [`00000005 ${addresses} ${ip}`]: 'pwethcw:eth:ethertype:ip:udp',
      [`${addresses} ${ip}`]: 'pwethnocw:eth:ethertype:ip:udp',
      [`00000000 ${addresses} ${long}`]: 'pwethcw:eth:llc:stp',
      [`${addresses} ${long}`]: 'pwethnocw:eth:llc:stp',
      [`${addresses} ${llc}`]: 'pwethcw:eth', // three octets are no frame of LLC
    };
    const stacks: string[] = [];
    for (const frame of Object.keys(frames))
      await forSource(new FrameSource([{ octets: octets(`${header} ${frame}`) }], 1), {}, ({ dissection }) => {
        stacks.push(dissection.protocols.slice(4).join(':'));
      });
    assert.deepEqual(stacks, Object.values(frames));
  });
});

describe('ESP', () => {
  it('shows the SPI of a packet that ends behind it', async () => {
    const seen: string[] = [];
    const header = octets('45000018 00000000 4032 0000 0a000001 0a000002 c0f7d4c3');
    await forSource(new FrameSource([{ octets: header, wire: 40 }], 101), {}, ({ dissection: { tree } }) => {
      for (let i = 0; i < tree.length; i++) if (tree.field(i).name === 'esp.spi') seen.push(fieldText(tree, i));
    });
    assert.deepEqual(seen, ['0xc0f7d4c3']);
  });
});

describe('codecs of encapsulations parse what they build', () => {
  it('GRE', () => laws(gre.codec!, grePacket));
  it('ERSPAN', () => laws(erspan.codec!, erspanPacket));
  it('VXLAN', () => laws(vxlan.codec!, fc.record({ flags: u16, policy: u16, vni: u24, payload }, plain)));
  it('Geneve', () => {
    laws(geneve.codec!, fc.record({ flags: u8, protocol: u16, vni: u24, options: words(63), payload }, plain));
  });
  it('MPLS', () => {
    const label = fc.record({ label: fc.nat(0xfffff), tc: fc.nat(7), ttl: u8 }, plain);
    laws(mpls.codec!, fc.record({ labels: fc.array(label, { minLength: 1, maxLength: 5 }), payload }, plain));
    laws(pwControlWord.codec!, fc.record({ sequence: u16, payload }, plain));
  });
  it('GTP', () => laws(gtp.codec!, gtpMessage));
  it('AH', () => laws(ah.codec!, fc.record({ next: u8, spi: u32, sequence: u32, icv: words(20), payload }, plain)));
  it('ESP', () => {
    laws(esp.codec!, fc.record({ spi: u32, sequence: u32, payload }, plain));
    const some = fc.uint8Array({ minLength: 1 });
    const padding = fc.nat(16);
    laws(
      espNull.codec!,
      fc.record({ payload: some, next: fc.constantFrom(4, 6, 17, 41), padding, icv: of(12) }, plain),
    );
  });
  it('ESP and IKE in UDP', () => {
    const packet = fc.boolean().chain((ike) => {
      const body = ike ? payload : fc.uint8Array({ minLength: 4 }).filter((b) => b[0] !== 0);
      return fc.record({ ike: fc.constant(ike), payload: body }, plain);
    });
    laws(udpencap.codec!, packet);
  });
  it('IKE', () => {
    const message = fc.record(
      {
        ...{ ispi: of(8), rspi: of(8), version: fc.constant(0x20), exchange: u8, flags: u8, messageId: u32 },
        ...{ payloads: fc.array(ikePayload, { maxLength: 5 }), last: fc.constant(0) },
      },
      plain,
    );
    laws(isakmp.codec!, message);
  });
  it('Teredo', () => {
    const ipv6 = fc.uint8Array({ minLength: 1 }).map((b) => Uint8Array.of(0x60, ...b));
    const auth = fc
      .tuple(fc.nat(9), fc.nat(9))
      .chain(([id, value]) => of(id + value + 9).map((rest) => Uint8Array.of(id, value, ...rest)));
    laws(teredo.codec!, fc.record({ auth: fc.oneof(NONE, auth), origin: fc.oneof(NONE, of(6)), payload: ipv6 }, plain));
  });
  it('AYIYA', () => {
    const identity = fc.nat(6).chain((n) => of(2 ** n));
    const head = { idType: u4, hashMethod: u4, authMethod: u4, opcode: u4, next: u8, epoch: u32 };
    laws(ayiya.codec!, fc.record({ ...head, identity, signature: words(15), payload }, plain));
  });
  it('radiotap and 802.11', () => {
    laws(radiotap.codec!, fc.record({ header: words(9), payload }, plain));
    const frame = fc.record({ four: fc.boolean(), qos: fc.boolean() }).chain(({ four, qos }) => {
      const addresses = fc.array(of(6), four ? { minLength: 4, maxLength: 4 } : { minLength: 3, maxLength: 3 });
      const head = {
        kind: fc.constant(qos ? 0x88 : 8),
        flags: fc.constant(four ? 3 : 1),
        duration: u16,
        sequence: u16,
      };
      return fc.record({ ...head, addresses, qos: qos ? of(2) : NONE, payload }, plain);
    });
    laws(wlan.codec!, frame);
  });
});

describe('headers laid out by hand', () => {
  it('GRE with checksum, key and sequence number (RFC 2784 §2, RFC 2890 §2)', () => {
    const b = octets('b000 0800 7f34 0000 00000028 00000007');
    const r = gre.codec!.parse(b, 0, b.length);
    assert.deepEqual([r.flags, r.protocol, r.key, r.sequence], [0xb000, 0x0800, 40, 7]);
    assert.equal(Buffer.from(encode(gre.codec!, r)).readUInt16BE(4), 0xffff - ((0xb000 + 0x0800 + 0x28 + 7) & 0xffff));
  });
  it('802.11: an aggregate of three MSDUs, each with an IP packet (IEEE 802.11 §9.3.2.2)', async () => {
    const header = '8801 0000 020000000a01 020000000a02 020000000a03 1000 8000';
    const ip = (n: number, sum: string): string =>
      `4500 0020 000${n} 0000 4011 ${sum} 0a00000${n} 0a00010${n} 9c4${n} 9c5${n} 000c 0000 61626364`;
    const subframe = (n: number, sum: string): string =>
      `02000000000${n} 02000000010${n} 0028 aaaa030000000800 ${ip(n, sum)}`;
    // Two octets fill the first two up to words; the last needs none.
    const frame = octets(`${header} ${subframe(1, '65cb')} 0000 ${subframe(2, '65c8')} 0000 ${subframe(3, '65c5')}`);
    const file = Buffer.alloc(40 + frame.length);
    file.set(octets('d4c3b2a1 0200 0400 00000000 00000000 ffff0000 69000000 00000000 00000000'));
    file.writeUInt32LE(frame.length, 32);
    file.writeUInt32LE(frame.length, 36);
    file.set(frame, 40);
    const seen = new Map<string, string[]>();
    const r = await read(file, {}, ({ dissection: { tree } }) => {
      for (let i = 0; i < tree.length; i++) {
        const name = tree.field(i).name;
        seen.set(name, [...(seen.get(name) ?? []), fieldText(tree, i)]);
      }
    });
    // As tshark 4.0 has them.
    assert.equal(r.rows[0]!.protocols, 'wlan:llc:ip:udp:data:llc:ip:udp:data:llc:ip:udp:data');
    const expected = {
      'wlan.da': ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03'],
      'wlan.sa': ['02:00:00:00:0a:02', '02:00:00:00:01:01', '02:00:00:00:01:02', '02:00:00:00:01:03'],
      'wlan.bssid': ['02:00:00:00:0a:01'],
      'wlan_aggregate.a_mdsu.length': ['40', '40', '40'],
      'ip.src': ['10.0.0.1', '10.0.0.2', '10.0.0.3'],
      'udp.dstport': ['40017', '40018', '40019'],
    };
    for (const [name, values] of Object.entries(expected)) assert.deepEqual(seen.get(name), values, name);
  });
  it('GTP-U with a PDU session container (TS 29.281 §5.2, TS 38.415 §5.5.2)', () => {
    const b = octets('34 ff 0008 00001234 0000 00 85 01 10 09 00');
    const r = gtp.codec!.parse(b, 0, b.length);
    assert.deepEqual(r.extensions, [{ type: 0x85, content: Uint8Array.of(0x10, 9) }]);
    assert.equal(r.teid, 0x1234);
    assert.deepEqual(encode(gtp.codec!, r), b);
  });
  it('MPLS, two labels (RFC 3032 §2.1)', () => {
    const b = octets('00064040 000c8140');
    const { labels } = mpls.codec!.parse(b, 0, b.length);
    assert.deepEqual(labels, [
      { label: 100, tc: 0, ttl: 64 },
      { label: 200, tc: 0, ttl: 64 },
    ]);
  });
  it('IKE_SA_INIT with a nonce (RFC 7296 §3.1, §3.9)', () => {
    const b = octets(`0102030405060708 0000000000000000 28 20 22 08 00000000 00000024 00 00 0008 aabbccdd`);
    const r = isakmp.codec!.parse(b, 0, b.length);
    assert.deepEqual(r.payloads, [{ type: 40, flags: 0, content: octets('aabbccdd') }]);
    assert.deepEqual(encode(isakmp.codec!, r), b);
  });
  it('tells keep-alives, IKE and ESP on port 4500 apart (RFC 3948 §2)', () => {
    assert.equal(
      udpencap.summary!({ buf: octets('ff'), off: 0, wireLength: 1 } as never, {} as never),
      'NAT-keepalive',
    );
    assert.equal(udpencap.codec!.parse(octets('00000000 01'), 0, 5).ike, true);
    assert.equal(udpencap.codec!.parse(octets('00000001 01'), 0, 5).ike, false);
  });
});

/** Rows of a tunnel in each encapsulation, every frame cut after some octets. */
describe('frames in encapsulations that are cut anywhere stay harmless', async () => {
  const c = await tlsConversation(chatter(2, 10), { version: 'TLSv1.3' });
  for (const e of ENCAPSULATIONS)
    it(e.name, async () => {
      const ends = {
        client: { address: Uint8Array.of(192, 0, 2, 1), port: 40_000 },
        server: { address: Uint8Array.of(192, 0, 2, 2), port: 443 },
      };
      let at = 0;
      const cut = encapsulated(e);
      const b = one(c, {
        ...ends,
        capture: {
          shape: [(frames, next) => cut(frames, next).map((f) => ({ ...f, octets: f.octets.subarray(0, at++ * 2) }))],
        },
      });
      const r = await read(relinked(b.octets, e.link));
      assert.equal(r.rows.length, b.frames.length);
    });
});
