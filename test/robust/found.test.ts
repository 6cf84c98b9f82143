import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { dns } from '../../dissectors/dns/index.js';
import { espNull } from '../../dissectors/esp.js';
import { gtpv2 } from '../../dissectors/gtp.js';
import { dissectors } from '../../dissectors/index.js';
import { ipv4 } from '../../dissectors/ipv4.js';
import { isakmp } from '../../dissectors/isakmp/index.js';
import { llc } from '../../dissectors/llc.js';
import { rtp } from '../../dissectors/rtp.js';
import { tls } from '../../dissectors/tls/index.js';
import { vxlan } from '../../dissectors/vxlan.js';
import { tlsServices } from '../../src/cli/services.js';
import { engineFields } from '../../src/engine/dissect.js';
import { NO_ROWS, Pass } from '../../src/engine/pass.js';
import { Registry } from '../../src/engine/registry.js';
import { SessionTap } from '../../src/engine/session-tap.js';
import { compile } from '../../src/filter/index.js';
import { type Field, Malformed } from '../../src/kit/index.js';
import { LIMITS } from '../../src/limits.js';
import { Content } from '../../src/model/events.js';
import { Resolver } from '../../src/model/resolver.js';
import { SessionModel } from '../../src/model/session-model.js';
import { fieldText } from '../../src/report/value.js';
import { KeyLog } from '../../src/tls/index.js';
import { CaptureBuilder } from '../build/capture.js';
import { at, ping } from '../build/packets.js';
import { where } from '../build/shape.js';
import { FrameSource } from '../build/source.js';
import { tlsConversation } from '../build/tls.js';
import { checkLayer } from '../fuzz/check-layer.js';
import { input } from '../fuzz/input.js';
import { forRows, forSource } from '../support/rows.js';
import { openStream } from '../support/stream.js';
import { agree } from '../support/way-down.js';
import { samples } from './packets.js';

/*
 * What fuzzing found, one test each. Protocol stacks and values are those of tshark 4.0.17 on the same octets, but where
 * it says otherwise.
 */

const ETHERNET = 1;
const LOOPBACK = 0;
const RAW = 101;
const MACS = '020000000002 020000000001';
const IPV4 = '45000020 00000000 401166cb 0a000001 0a000002 00350036 000c0000 61626364';

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));

/** The protocol stack of a frame, of which `peek` and `dissect` must say the same. */
async function stack(hex: string, link: number): Promise<string> {
  let protocols = '';
  await forSource(new FrameSource([{ octets: octets(hex) }], link), {}, (row) => {
    protocols = row.dissection.protocols.join(':');
    agree(row, hex);
  });
  return protocols;
}

/** Values of fields where nothing else is wanted. */
async function bare(hex: string, link: number, fields: readonly Field[]): Promise<string[]> {
  const out: string[] = [];
  await forSource(
    new FrameSource([{ octets: octets(hex) }], link),
    { fields, bare: true },
    ({ dissection: { tree } }) => {
      for (let i = 0; i < tree.length; i++) if (fields.includes(tree.field(i))) out.push(fieldText(tree, i));
    },
  );
  return out;
}

describe('found by fuzzing', () => {
  test('IPX without LLC, with a length where the EtherType would be, for peek too', async () => {
    const macs = MACS.replace(/ /g, '');
    assert.equal(await stack(`${macs} 002e ffff 002e ${'00'.repeat(42)}`, ETHERNET), 'eth:ipx');
  });

  test('H.263 whose header would be one of no octets: what stands behind it is not read', () => {
    for (let seed = 0; seed < 8; seed++) checkLayer(input('layer', 'rfc2190', [new Uint8Array(0)], { seed }));
  });

  test('an IPv4 total length below that of the header: nothing follows, for peek too', async () => {
    const hex = `${MACS} 0800 ${IPV4.replace('45000020', '45000004')}`;
    assert.equal(await stack(hex, ETHERNET), 'eth:ethertype:ip');
  });

  test('IP versions that the EtherType does not name', async () => {
    assert.equal(await stack(`${MACS} 0800 7${IPV4.slice(1)}`, ETHERNET), 'eth:ethertype:ip');
    const six = `${MACS} 0800 60000000 000c 3b 40 ${'00'.repeat(15)}01 ${'00'.repeat(15)}02 00350036000c000061626364`;
    assert.match(await stack(six, ETHERNET), /^eth:ethertype:ip:ipv6/);
    assert.equal(await stack(`${MACS} 86dd 7${six.slice(32)}`, ETHERNET), 'eth:ethertype:data'); // as tshark has it
  });

  test('destination options that end before their length says: nothing follows, for peek too', async () => {
    const hex = '45000016 00000000 403c66aa 0a000002 7f7f0001 1104';
    assert.equal(await stack(hex, RAW), 'raw:ip:ipv6.dstopts');
  });

  test('a frame of which more was captured than it says was on the wire is read as far as it was captured', async () => {
    const frame = { octets: octets(`${MACS} 0800 ${IPV4}`), wire: 14 };
    let protocols = '';
    await forSource(new FrameSource([frame], ETHERNET), {}, (row) => {
      protocols = row.dissection.protocols.join(':');
    });
    assert.match(protocols, /^eth:ethertype:ip:udp:dns/);
  });

  test('a report of a connection that another took the place of before it was known for a tunnel', async () => {
    const ends = `${'00'.repeat(15)}01 ${'00'.repeat(15)}01 2328 1d8b 8ca47`;
    const ip = (octets: string): string => `18000000 6008b930 ${octets} 0680`;
    const frames = [
      `${ip('0014')} ${ends}5003bf5d499501000fec0d30000`,
      `${ip('001a')} ${ends}51ad6f5d499501800fe65d90000 16030300ba04`,
      `${ip('0014')} ${ends}634d6f5d523500ffcfebf2f0000`,
      `${ip('0059')} ${ends}634d6f5d524501800fea6070000 1503030040 ${'5d'.repeat(64)}`,
    ].map((hex) => ({ octets: octets(hex) }));
    const registry = new Registry(dissectors, engineFields);
    const model = new SessionModel();
    const tap = new SessionTap(model, registry, false);
    const options = { ...tlsServices(new KeyLog(), false), ...NO_ROWS, rows: 'none', tap } as const;
    await new Pass(registry, options, () => undefined).run(new FrameSource(frames, LOOPBACK));
    tap.finish();
    assert.deepEqual(
      model.tunnels.map((t) => t.id),
      [2],
    );
  });

  test('a UDP length below that of the header: nothing follows, whoever asks', async () => {
    const hex = '45000054 00000000 40116697 0a000002 0a000001 00500035 00004e06 01';
    assert.equal(await stack(hex, RAW), 'raw:ip:udp');
    assert.deepEqual(await bare(hex, RAW, [dns.fields.dns!]), []);
  });

  test('GTP of a version that there is not carries nothing, also where only IP is wanted', async () => {
    const gtp = 'ffff0154 8c61be36 00007400 45000150 00000000 ca3a3614 00002121 22080000 00000000';
    const hex = `45000178 00000000 40116573 0a000002 0a000001 17610868 01641ebe ${gtp}`;
    assert.match(await stack(hex, RAW), /^raw:ip:udp:gtp$/);
    assert.deepEqual(await bare(hex, RAW, [ipv4.fields.src!]), ['10.0.0.2']);
  });

  test('a record that only begins in a segment is a layer of it, also where only its name is wanted', async () => {
    const split = samples().find(({ path }) => path.includes('10-split'));
    const seen = async (isBare: boolean): Promise<string[]> => {
      const ids: string[] = [];
      const options = { rows: 'outer', bare: isBare, ...(isBare && { fields: [tls.fields.tls!] }) } as const;
      await forRows(split!.path, options, ({ id, dissection }) => {
        const t = dissection.tree;
        if (
          dissection.protocols.includes('tls') ||
          Array.from({ length: t.length }, (_, i) => t.field(i).name).includes('tls')
        )
          ids.push(id);
      });
      return ids;
    };
    const whole = await seen(false);
    assert.ok(whole.length > 100);
    assert.deepEqual(await seen(true), whole);
  });

  test('the last frame of a capture keeps its layers where the end sets free what waited behind a hole', async () => {
    const sample = samples().find(({ path }) => path.includes('03-tls13'));
    const frames: { octets: Uint8Array }[] = [];
    await forRows(sample!.path, { rows: 'outer', bare: true, fields: [] }, ({ outer: { view } }) => {
      frames.push({ octets: view.buf.slice(view.off, view.end) });
    });
    const lost = frames.findIndex((f, i) => i > frames.length - 60 && f.octets.length > 200);
    const source = (f: { octets: Uint8Array }): string => f.octets.subarray(26, 30).join('.');
    // Without an acknowledgement nobody knows that what is missing arrived.
    const from = source(frames[lost]!);
    const after = frames
      .splice(lost)
      .slice(1)
      .filter((f) => source(f) === from);
    frames.push(...after);
    frames.push({ octets: octets(`${MACS} 0800 ${IPV4}`) });
    const stacks: string[] = [];
    await forSource(new FrameSource(frames, ETHERNET), { keylog: sample!.keylog }, (row) => {
      if (row.frame === frames.length) stacks.push(`${row.inner} ${row.dissection.protocols.join(':')}`);
    });
    const [last, ...free] = stacks;
    assert.match(last, /^0 eth:ethertype:ip:udp:dns/);
    assert.ok(free.length > 0);
    for (const s of free) assert.match(s, /^[1-9]\d* fttims:ip/, 'what was set free has none of them');
  });

  test('records that the end sets free may stand in a frame that has no flow', async () => {
    const message = new TextEncoder().encode('OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n');
    const said = { side: 0 as const, plain: message };
    const c = await tlsConversation([said, said, said], { version: 'TLSv1.3' });
    let sent = 0;
    // The first message is missing, and without an acknowledgement nobody knows that it arrived.
    const hole = where(({ side, payload }) => {
      if (side === 0 && payload > 0) sent++;
      return sent < 3 || (side === 0 && sent > 3);
    });
    const ends = { client: at('192.0.2.10', 40_000), server: at('198.51.100.1', 443), end: 'none' as const };
    const b = new CaptureBuilder({ shape: [hole] }).connection(c, ends);
    b.packet(ping(ends.client.address, ends.server.address, 1, 1, 40), 9000);
    const stacks: string[] = [];
    const source = await openStream(Readable.from([b.build().octets], { objectMode: false }), 'hole');
    await forSource(source, { keylog: [c.keylog] }, (row) => {
      stacks.push(row.dissection.protocols.join(':'));
    });
    assert.equal(stacks.at(-1), 'eth:ethertype:ip:icmp:data');
  });

  test('IKE on the port of encapsulated ESP is found where only its fields are wanted', async () => {
    const ike = `00000000 9954b95199427f30 9576f4864b567473 35202308 00000004 0000001c`;
    const udp = `45000040 00000000 40110000 0a000001 0a000002 11941194 002c0000 ${ike} 00000000`;
    assert.deepEqual(await bare(udp, RAW, [isakmp.fields.ispi!]), ['9954b95199427f30']);
  });

  test('IP directly above LLC is found where only its fields are wanted', async () => {
    const hex = `${MACS} 0023 060603 ${IPV4}`;
    assert.match(await stack(hex, ETHERNET), /^eth:llc:ip:udp:dns/);
    assert.deepEqual(await bare(hex, ETHERNET, [ipv4.fields.src!]), ['10.0.0.1']);
    assert.deepEqual(await bare(hex, ETHERNET, [llc.fields.dsap!, ipv4.fields.version!]), ['0x06', '4']);
  });

  test('a filter on _ws.malformed alone finds what a layer below says', async () => {
    const hex = '45000018 00000000 401166d3 0a000001 0a000002 00350036';
    assert.deepEqual(await bare(hex, RAW, [engineFields.malformed!]), ['[Malformed Packet: UDP]']);
  });

  test('what RTP carries under the names of SDP is found where only its fields are wanted', async () => {
    const carried = dissectors.filter((d) => d.on?.rtp_dyn_payload_type !== undefined).map((d) => d.proto);
    assert.deepEqual(
      carried.filter((proto) => !rtp.serves!.protocols!.includes(proto)),
      [],
    );
    const fields = dissectors.filter((d) => carried.includes(d.proto)).flatMap((d) => Object.values(d.fields));
    const [, sample] = samples();
    const count = async (bare: boolean): Promise<number> => {
      let n = 0;
      await forRows(sample!.path, { keylog: sample!.keylog, fields, bare }, ({ dissection: { tree } }) => {
        for (let i = 0; i < tree.length; i++) if (fields.includes(tree.field(i))) n++;
      });
      return n;
    };
    const whole = await count(false);
    assert.ok(whole > 0);
    assert.equal(await count(true), whole);
  });

  test('the first part of a datagram that is not there whole shows its headers, for peek too', async () => {
    const tcp =
      '00907f3e02d0d4bed94b2479 0800 450000a4425f20008006acd3ac108536d8892151fb9f0050888d248a39a869b4501840293e040000';
    assert.match(await stack(`${tcp}47`, ETHERNET), /^eth:ethertype:ip:tcp/);
  });

  test('a length of nothing in a VLAN tag, for peek too', async () => {
    assert.equal(await stack('01005e0002023806b438b342 8100 0000 0005dc63', ETHERNET), 'eth:ethertype:vlan:llc');
  });

  test('a layer too short for its header is there, and what is there of its octets, whoever asks', async () => {
    const registry = new Registry(dissectors, engineFields);
    const udp = '45000018 067f4000 40110000 0a000001 0a000002 13c413c4';
    for (const [frame, expression, want] of [
      ['60000000', 'ipv6', true],
      [udp, 'udp', true],
      [udp, 'udp[2:2] == 13:c4', true],
      [udp, 'udp.dstport == 5060', true],
    ] as const) {
      const filter = compile(expression, registry);
      for (const options of [{}, { fields: filter.fields, bare: true }]) {
        const found: boolean[] = [];
        await forSource(new FrameSource([{ octets: octets(frame) }], RAW), options, ({ dissection }) => {
          found.push(filter.matches(dissection));
        });
        assert.deepEqual(found, [want], `${expression} over ${'bare' in options ? 'its own fields' : 'all'}`);
      }
    }
  });

  test('DNS on a port that names somebody else, where nothing but its fields is asked', async () => {
    const message = '0000 8400 0000 0001 0000 0000 01 61 00 0001 0001 00000078 0004 0a000001';
    const frame = `45000039 00000000 40110000 0a000001 0a000002 0c3c 0714 0025 0000 ${message}`;
    assert.deepEqual(await bare(frame, RAW, [dns.fields.id!]), ['0x0000']);
  });

  test('RTP that hands broken RTCP on is not there, for a filter', async () => {
    const frame = '45000029 00000000 40110000 0a000001 0a000002 4b69 944f 0015 0000 80cf04eda706e65b0b93915eb3';
    const filter = compile('rtp', new Registry(dissectors, engineFields));
    const found: boolean[] = [];
    await forSource(new FrameSource([{ octets: octets(frame) }], RAW), { heuristicRtp: true }, ({ dissection }) => {
      assert.equal(dissection.protocols.join(':'), 'raw:ip:udp:rtp:rtcp');
      found.push(filter.matches(dissection));
    });
    assert.deepEqual(found, [false]);
  });

  test('the codec of ESP without a trailer', () => {
    assert.throws(() => espNull.codec!.parse(Uint8Array.of(0x94), 0, 1), Malformed);
  });

  test('a length on the wire of more than 31 bits', async () => {
    const frame = octets(IPV4);
    const head = Buffer.alloc(40);
    head.writeUInt32LE(0xa1b2c3d4, 0);
    head.writeUInt32LE(0x00040002, 4);
    head.writeUInt32LE(65_535, 16);
    head.writeUInt32LE(RAW, 20);
    head.writeUInt32LE(frame.length, 32);
    head.writeUInt32LE(0xffffffbc, 36);
    const lengths: number[] = [];
    const source = await openStream(Readable.from([Buffer.concat([head, frame])], { objectMode: false }), 'long');
    await forSource(source, {}, (row) => lengths.push(row.frameLength));
    assert.deepEqual(lengths, [2_147_483_647]);
  });

  test('records that the end sets free are not of a last segment without octets, whoever asks', async () => {
    const record = `1703030067${'00'.repeat(103)}`;
    const segment = (back: boolean, seq: number, ack: number, flags: string, hex: string): string => {
      const ends = back ? '0a0000020a000001 01bb9c40' : '0a0000010a000002 9c4001bb';
      const [length, ...numbers] = [40 + hex.length / 2, seq, ack].map((n) => n.toString(16).padStart(8, '0'));
      return `4500${length!.slice(4)} 00000000 40060000 ${ends} ${numbers.join('')} 50${flags}ffff 00000000 ${hex}`;
    };
    for (const [flags, shown] of [
      ['10', 0],
      ['11', 3],
    ] as const) {
      const frames = [
        segment(false, 1000, 1, '10', record).slice(0, -record.length), // cut, and its length on the wire with it
        segment(false, 1108, 1, '10', record),
        segment(true, 1, 1216, '10', ''),
        segment(false, 1216, 1, '10', record),
        segment(false, 1324, 1, '10', record),
        segment(false, 1432, 1, flags, ''),
      ].map((hex) => ({ octets: octets(hex) }));
      for (const bare of [false, true]) {
        const numbers: number[] = [];
        const options = { fields: [tls.fields.record!], bare };
        await forSource(new FrameSource(frames, RAW), options, ({ frame, dissection: { tree } }) => {
          for (let i = 0; i < tree.length; i++) if (tree.field(i) === tls.fields.record) numbers.push(frame);
        });
        assert.deepEqual(numbers, Array(shown).fill(6), `flags ${flags}, ${bare ? 'bare' : 'whole'}`);
      }
    }
  });

  test('a report of an SRV record whose target goes on behind it', () => {
    const question = '0000 8180 0001 0001 0000 0000 01 61 00 0021 0001';
    const b = octets(`${question} c00c 0021 0001 00000078 0008 0001 0002 13c4 0161 00`);
    const at = { seen: () => assert.fail('nobody asked') };
    const content = Object.assign(new Content(), { buf: b, off: 0, end: b.length });
    new Resolver().take(at as unknown as Parameters<Resolver['take']>[0], content);
  });

  test('parameters of a body say nothing of a body in the next packet', async () => {
    const body = Buffer.from('--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n').toString('hex');
    const head = 'MESSAGE sip:a@b SIP/2.0\r\nContent-Type: text/plain;boundary=b\r\n\r\n';
    const datagram = (port: string, hex: string): Uint8Array => {
      const length = (n: number): string => (hex.replace(/\s/g, '').length / 2 + n).toString(16).padStart(4, '0');
      return octets(`4500${length(28)} 00000000 40110000 0a000001 0a000002 ${port} ${port} ${length(8)} 0000 ${hex}`);
    };
    const frames = [datagram('13c4', Buffer.from(head).toString('hex') + body), datagram('2328', body)];
    const stacks: string[] = [];
    await forSource(
      new FrameSource(
        frames.map((f) => ({ octets: f })),
        RAW,
      ),
      { decodeAs: ['udp.port==9000,mime_multipart'] },
      (row) => stacks.push(row.dissection.protocols.join(':')),
    );
    assert.deepEqual(stacks, ['raw:ip:udp:sip:data-text-lines', 'raw:ip:udp:mime_multipart:data']);
  });

  test('as many layers as are shown, and more, for peek too', async () => {
    const hops = '0000000000000000'.repeat(300);
    const hex = `${MACS} 0800 45000974 00000000 40000000 0a000001 0a000002 ${hops}`;
    assert.equal((await stack(hex, ETHERNET)).split(':').length, LIMITS.layers);
  });

  test('fields of VXLAN in a header of VXLAN-GPE, asked for alone', async () => {
    const hex = '45000024 00000000 40110000 0a000001 0a000002 1f90 12b6 0010 0000 0c 0000 00 79c5b6 82';
    assert.deepEqual(await bare(hex, RAW, [vxlan.fields.vni!, vxlan.fields.reserved8!]), ['7980470', '130']);
  });

  test('fields of GTPv2 on the port of GTP-U, asked for alone', async () => {
    const hex = '45000028 00000000 40110000 0a000001 0a000002 1f90 0868 0014 0000 48 01 0008 01000100 000001 00';
    assert.deepEqual(await bare(hex, RAW, [gtpv2.fields.teid!]), ['0x01000100']);
  });
});
