import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { data } from '../../../dissectors/data.js';
import { tcp } from '../../../dissectors/tcp/index.js';
import { Item, TcpNote } from '../../../dissectors/tcp/note.js';
import {
  type AnyDissector,
  type Ctx,
  checksum,
  concat,
  fold,
  Malformed,
  type NetPair,
  pseudoHeader,
  put16,
  Short,
  Tree,
  View,
} from '../../../src/kit/index.js';
import { fieldText } from '../../../src/report/value.js';
import { at, tcp as tcpPacket } from '../../build/packets.js';
import { ACK, ascii, FIN, PSH, RST, type Sent, SYN, segmentOctets } from '../../stream/wire.js';
import { amid } from '../../support/amid.js';
import { comparePlacesIn } from '../../support/places.js';
import { tsharkMissing } from '../../support/tshark.js';

const ADDRESSES = Uint8Array.of(192, 0, 2, 10, 192, 0, 2, 1);
const NET: NetPair = { version: 4, buf: ADDRESSES, src: 0, dst: 4 };

interface Seen {
  readonly fields: Record<string, string[]>;
  readonly texts: string[];
  readonly experts: string[];
  readonly info: string;
  readonly payload: string | undefined;
  readonly failed: Error | undefined;
}

interface Options {
  note?: Partial<TcpNote>;
  wire?: number;
  quoted?: boolean;
  frame?: number;
}

/** Dissects one segment. */
function see(b: Uint8Array, options: Options = {}): Seen {
  const t = new Tree();
  t.labels = true;
  const note = options.note && Object.assign(new TcpNote(), options.note);
  let payload: string | undefined;
  const cx = {
    frame: options.frame ?? 1,
    net: NET,
    sport: 0,
    dport: 0,
    quoted: options.quoted === true,
    verifies: () => true,
    note: (d: AnyDissector): unknown => (d === tcp ? note : undefined),
    payload: (v: View): void => {
      payload = Buffer.from(v.buf.subarray(v.off, v.end)).toString('latin1');
    },
  } as unknown as Ctx;
  const v = amid(b, 'Frame', options.wire);
  t.enter(v.source);
  let failed: Error | undefined;
  try {
    tcp.dissect(v, t, cx);
    assert.equal(t.level, 0);
  } catch (e) {
    if (!(e instanceof Short || e instanceof Malformed)) throw e;
    failed = e;
  }
  const fields: Record<string, string[]> = {};
  for (let i = 0; i < t.length; i++) {
    const { name } = t.field(i);
    if (fields[name] === undefined) fields[name] = [];
    fields[name].push(fieldText(t, i));
  }
  const info = tcp.summary!(v, cx);
  return { fields, texts: [...t.texts.values()], experts: t.experts.map((e) => e.message), info, payload, failed };
}

const segment = (s: Partial<Sent>): Uint8Array => segmentOctets({ direction: 0, seq: 1000, ack: 5000, ...s });
const hex = (s: string): Uint8Array => Uint8Array.from(Buffer.from(s.replace(/\s/g, ''), 'hex'));

/** The same segment with a right checksum, or another. */
function summed(b: Uint8Array, sum?: number): Uint8Array {
  const out = b.slice();
  put16(out, 16, 0);
  put16(out, 16, sum ?? checksum(out, 0, out.length, pseudoHeader(NET, 6, out.length)));
  return out;
}

describe('TCP header', () => {
  it('shows raw numbers alone, relative ones with a note', () => {
    const b = summed(segment({ payload: ascii('hello'), flags: ACK | PSH, window: 63 }));
    const raw = see(b);
    assert.deepEqual(raw.fields['tcp.seq'], ['1000']);
    assert.equal(raw.fields['tcp.stream'], undefined);
    assert.equal(raw.info, '1000 → 2000 [PSH, ACK] Seq=1000 Ack=5000 Win=63 Len=5');
    const note = { stream: 7, base: 999, peerBase: 4899, windowScale: 10, completeness: 31 };
    const { fields, info, payload, texts } = see(b, { note });
    const f = (name: string): string => (fields[`tcp.${name}`] ?? []).join();
    assert.deepEqual(
      [f('stream'), f('len'), f('seq'), f('seq_raw'), f('nxtseq'), f('ack'), f('ack_raw'), f('hdr_len')],
      ['7', '5', '1', '1000', '6', '101', '5000', '20'],
    );
    assert.deepEqual(
      [f('flags'), f('flags.str'), f('window_size_value'), f('window_size'), f('window_size_scalefactor')],
      ['0x0018', '·······AP···', '63', '64512', '1024'],
    );
    assert.deepEqual([f('checksum.status'), f('urgent_pointer'), payload], ['1', '0', 'hello']);
    assert.equal(info, '1000 → 2000 [PSH, ACK] Seq=1 Ack=101 Win=64512 Len=5');
    assert.ok(texts.includes('Conversation completeness: Complete, WITH_DATA (31)'));
    assert.ok(
      texts.includes('Transmission Control Protocol, Src Port: 1000, Dst Port: 2000, Seq: 1, Ack: 101, Len: 5'),
    );
  });

  it('spells all twelve flags', () => {
    const all = see(segment({ flags: 0xfff }));
    assert.deepEqual(all.fields['tcp.flags.str'], ['RRRACEUAPRSF']);
    assert.ok(all.info.includes('[FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE, Reserved]'));
    assert.ok(see(segment({ flags: 0, ack: 0 })).info.includes('[<None>]'));
  });

  it('says good, bad, or nothing where the card was to fill in the checksum', () => {
    const b = segment({ payload: ascii('odd') });
    const status = (x: Uint8Array, o: Options = {}): string[] => see(x, o).fields['tcp.checksum.status'];
    assert.deepEqual(status(summed(b)), ['1']);
    assert.deepEqual(status(summed(b, 0x1234)), ['0']);
    assert.ok(see(summed(b, 0x1234)).experts.some((said) => /^Bad checksum \[should be 0x/.test(said)));
    const partial = fold(pseudoHeader(NET, 6, b.length)) ^ 0xffff;
    assert.deepEqual(status(summed(b, partial)), ['2']);
    assert.deepEqual(status(summed(b, 0x1234), { wire: b.length + 10 }), ['2']);
  });

  it('talks about the opening and closing of connections', () => {
    const said = (flags: number, note: Partial<TcpNote> = {}): string[] =>
      see(summed(segment({ flags })), { note }).experts;
    assert.deepEqual(see(summed(segment({ flags: SYN, ack: 0 }))).experts, [
      'Connection establish request (SYN): server port 2000',
    ]);
    assert.deepEqual(said(SYN | ACK, { peerBase: 4999 }), [
      'Connection establish acknowledge (SYN+ACK): server port 1000',
    ]);
    assert.deepEqual(said(SYN | ACK, { peerBase: 4990 })[0], 'TCP SYN-ACK accepting TFO data');
    assert.deepEqual(said(FIN | ACK), ['Connection finish (FIN)', 'This frame initiates the connection closing']);
    assert.deepEqual(said(FIN | ACK, { passiveClose: true }).at(-1), 'This frame undergoes the connection closing');
    assert.deepEqual(said(RST | ACK), ['Connection reset (RST)']);
    assert.ok(said(SYN)[0].includes('acknowledgment number field is nonzero while the ACK flag is not set'));
  });

  it('shows why a connection was reset, and does not hand that on', () => {
    const { fields, payload } = see(segment({ flags: RST, ack: 0, payload: ascii('no service') }));
    assert.deepEqual(
      [fields['tcp.reset_cause'], fields['tcp.payload'], payload],
      [['no service'], undefined, undefined],
    );
  });

  it('reads what an ICMP error quotes as far as it goes', () => {
    const b = segment({});
    const { fields, failed } = see(b.slice(0, 8), { quoted: true });
    assert.equal(failed, undefined);
    assert.deepEqual([fields['tcp.srcport'], fields['tcp.dstport'], fields['tcp.seq']], [['1000'], ['2000'], ['1000']]);
    for (let n = 8; n < b.length; n++) assert.equal(see(b.slice(0, n), { quoted: true }).failed, undefined);
  });

  it('tells a header that is cut from one that is wrong', () => {
    const b = segment({ options: hex('0101080a00000001 00000002') });
    const cut = see(b.slice(0, 24), { wire: b.length });
    assert.ok(cut.failed instanceof Short && cut.failed.cut);
    assert.deepEqual(cut.fields['tcp.window_size_value'], ['1000']);
    const short = see(b.slice(0, 24));
    assert.ok(short.failed instanceof Short && !short.failed.cut);
    assert.ok(short.experts.some((m) => m.startsWith('Short segment.')));
    const bogus = segment({ flags: SYN, ack: 0 });
    bogus[12] = 0x40;
    const { experts, info } = see(bogus);
    assert.deepEqual(experts, ['Bogus TCP header length (16, must be at least 20)']);
    assert.ok(info.endsWith('Win=1000, bogus TCP header length (16, must be at least 20)'));
  });

  it('never fails in any other way, at whatever length a segment ends', () => {
    const b = segment({ flags: SYN, options: hex('020405b4 0402080a 00000001 00000002 01030307 1e03 ff00') });
    for (let n = 0; n < b.length; n++) {
      see(b.slice(0, n));
      see(b.slice(0, n), { wire: b.length });
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 90 }), (x) => void see(x)));
  });
});

describe('TCP options', () => {
  const of = (options: string, more: Partial<Sent> = {}): Seen =>
    see(summed(segment({ options: hex(options), ...more })), { note: { base: 999, peerBase: 4000 } });

  it('reads those of a SYN', () => {
    const { fields, info, texts } = of('020405b4 0402080a 47e72d5e 00000000 0103030a', { flags: SYN, ack: 0 });
    assert.deepEqual(fields['tcp.option_kind'], ['2', '4', '8', '1', '3']);
    assert.deepEqual(fields['tcp.option_len'], ['4', '2', '10', '3']);
    assert.deepEqual(fields['tcp.options.mss_val'], ['1460']);
    assert.deepEqual(fields['tcp.options.timestamp.tsval'], ['1206332766']);
    assert.deepEqual(fields['tcp.options.wscale.shift'], ['10']);
    assert.deepEqual(fields['tcp.options.wscale.multiplier'], ['1024']);
    assert.equal(info, '1000 → 2000 [SYN] Seq=1 Win=1000 Len=0 MSS=1460 SACK_PERM TSval=1206332766 TSecr=0 WS=1024');
    for (const text of [
      'Options: (20 bytes), Maximum segment size, SACK permitted, Timestamps, No-Operation (NOP), Window scale',
      'TCP Option - Maximum segment size: 1460 bytes',
      'TCP Option - Timestamps: TSval 1206332766, TSecr 0',
      'TCP Option - Window scale: 10 (multiply by 1024)',
    ])
      assert.ok(texts.includes(text), text);
  });

  it('reads selective acknowledgments, and knows duplicates (RFC 2883)', () => {
    const two = of('0101 0512 00001770 00001b58 00002328 00002710');
    assert.deepEqual(two.fields['tcp.options.sack_le'], ['2000', '5000']);
    assert.deepEqual(two.fields['tcp.options.sack_re'], ['3000', '6000']);
    assert.deepEqual(two.fields['tcp.options.sack.count'], ['2']);
    assert.equal(two.fields['tcp.options.sack.dsack'], undefined);
    assert.ok(two.info.endsWith('SLE=2000 SRE=3000 SLE=5000 SRE=6000'));
    const old = of('0101 050a 00001068 000010cc');
    assert.deepEqual([old.fields['tcp.options.sack.dsack_le'], old.experts], [['200'], ['D-SACK Sequence']]);
    const inside = of('0101 0512 000017d4 00001838 00001770 00001b58');
    assert.deepEqual(inside.fields['tcp.options.sack.dsack_re'], ['2200']);
  });

  it('reads the others', () => {
    const open = { flags: SYN, ack: 0 };
    assert.ok(of('020405b4 2202 0000', open).info.endsWith('MSS=1460 TFO=R'));
    const cookie = of('020405b4 220a 636f6f6b69653132 0000', open);
    assert.deepEqual(cookie.fields['tcp.options.tfo.cookie'], ['636f6f6b69653132']);
    assert.deepEqual(cookie.experts.at(-1), 'TCP SYN with TFO Cookie');
    assert.ok(of('020405b4 fe04f989', open).info.endsWith('MSS=1460 TFO=R'));
    assert.deepEqual(of('1c048005').fields['tcp.options.user_to_val'], ['5']);
    assert.ok(of('1c048005').info.endsWith('USER_TO=5'));
    assert.deepEqual(of('1312 30313233343536373839616263646566 0000').fields['tcp.options.md5.digest']?.length, 1);
    assert.deepEqual(of('1d08 0102 41424344').fields['tcp.options.ao.mac'], ['41424344']);
    assert.deepEqual(of('6306 61626364 0101').fields['tcp.options.unknown.payload'], ['61626364']);
    assert.deepEqual(of('fe08 1234 61626364').fields['tcp.options.experimental.data'], ['61626364']);
    const join = of('1e0c 1003 00000001 00000002', open).fields;
    assert.deepEqual(
      [join['tcp.options.mptcp.subtype'], join['tcp.options.mptcp.addrid'], join['tcp.options.mptcp.recvtok']],
      [['1'], ['3'], ['1']],
    );
    assert.deepEqual(of('1e04 8006').fields['tcp.options.mptcp.rst_reason'], ['0x06']);
    assert.deepEqual(of('1b08 0607 00000001').fields['tcp.options.qs.rate'], ['6']);
    assert.deepEqual(of('ae0b 000001 000002 000003 00').fields['tcp.options.acc_ecn.ee0b'], ['3']);
  });

  it('does not call those wrong that the snaplen cut', () => {
    const options = hex('020405b4 0402 080a 0000000100000002 01 030307');
    const b = concat([segment({ flags: SYN }).slice(0, 20), options]);
    b[12] = 0xa0;
    // As tshark: an option is told from the octet on that has its length.
    const kinds = [
      [22, '2'],
      [26, '4'],
      [28, '8'],
      [37, '1'],
      [39, '3'],
    ] as const;
    for (let n = 20; n < 40; n++) {
      const { fields, experts } = see(b.slice(0, n), { wire: 40 });
      const told = kinds.filter(([from]) => n >= from).map(([, kind]) => kind);
      assert.deepEqual(fields['tcp.option_kind'] ?? [], told, `${n} octets`);
      assert.doesNotMatch(experts.join(), /option/i, `${n} octets`);
    }
    assert.match(see(b.slice().fill(1, 20)).experts.join(), /does not contain a MSS option/);
  });

  it('says what is wrong with them', () => {
    assert.deepEqual(of('020305 01', { flags: SYN, ack: 0 }).experts.slice(-1), ['option length should be 4']);
    assert.deepEqual(of('0306 0000').experts, [
      'Window scale (option length = 6 bytes says option goes past end of options)',
    ]);
    assert.deepEqual(of('01010108').experts, ['Timestamps (length byte past end of options)']);
    assert.deepEqual(of('01080100').experts, ['Timestamps (with too-short option length = 1 bytes)']);
    assert.deepEqual(of('00050000').experts, ['Non-zero header padding']);
    assert.deepEqual(of('01010101').experts, ['4 NOP in a row - a router may have removed some options']);
    assert.deepEqual(of('0303 0f00').experts, ['Window scale shift exceeds 14']);
    assert.deepEqual(of('020405b4').experts, ['The non-SYN packet does contain a MSS option']);
    assert.deepEqual(
      of('01010402', { flags: SYN, ack: 0 }).experts.at(-1),
      'The SYN packet does not contain a MSS option',
    );
  });
});

test('octets of options lie where tshark sees them', { skip: tsharkMissing }, async () => {
  const open = ['020405b4 0402080a 47e72d5e 00000000 0103030a', '220a 636f6f6b69653132 0000', 'fe04f989'];
  const later = [
    '0101 0512 00001770 00001b58 00002328 00002710',
    '0101 050a 00000001 00000002',
    '1c048005',
    '1312 30313233343536373839616263646566 0000',
    '1d08 0102 41424344',
    '6306 61626364 0101',
    'fe08 1234 61626364',
    '1b08 0607 00000001',
    'ae0b 000001 000002 000003 00',
    'ac0b 000001 000002 000003 00',
    '0606 01020304 0000',
    '0706 01020304 0000',
    '0b06 00000001 0000',
    '1404 8001',
    // RFC 8684: MP_CAPABLE, MP_JOIN three times, DSS, ADD_ADDR, REMOVE_ADDR, MP_PRIO, MP_FAIL, MP_FASTCLOSE, MP_TCPRST
    '1e0c 0081 0102030405060708',
    '1e0c 1003 00000001 00000002',
    '1e10 1003 0102030405060708 00000002',
    '1e18 1000 000102030405060708090a0b0c0d0e0f10111213',
    '1e08 2001 00000001',
    '1e14 2005 00000001 00000002 00000003 0004 0005',
    '1e10 3001 c0000202 0102030405060708',
    '1e0a 3401 c0000202 1f90 0000',
    '1e04 4001',
    '1e04 5001',
    '1e0c 6000 0102030405060708',
    '1e0c 7000 0102030405060708',
    '1e04 8006',
  ];
  const of = (options: string, flags: number): Uint8Array =>
    tcpPacket(at('192.0.2.1', 1000), at('192.0.2.2', 2000), { seq: 1, flags, options: hex(options) }, ascii('data'));
  const packets = [...open.map((o) => of(o, SYN)), ...later.map((o) => of(o, ACK))];
  const { same, different } = await comparePlacesIn(packets);
  assert.deepEqual(different, []);
  assert.ok(same.size > 100, String(same.size));
});

describe('What the index pass found', () => {
  it('is shown as Wireshark shows it', () => {
    const { fields, experts, info } = see(segment({ payload: ascii('again') }), {
      note: {
        base: 999,
        peerBase: 4999,
        analysed: true,
        items: Item.Retransmission | Item.ZeroWindow,
        acksFrame: 4,
        ackRtt: 46_000,
        initialRtt: 6_451_000,
        bytesInFlight: 360,
        pushBytesSent: 5,
        rto: 213_206_000,
        rtoFrame: 31,
        timeRelative: 1_000_000_001,
        timeDelta: -1_500,
      },
    });
    const f = (name: string): string => (fields[`tcp.${name}`] ?? []).join();
    assert.deepEqual(
      [f('analysis.acks_frame'), f('analysis.ack_rtt'), f('analysis.initial_rtt'), f('analysis.bytes_in_flight')],
      ['4', '0.000046000', '0.006451000', '360'],
    );
    assert.deepEqual(
      [f('analysis.rto'), f('analysis.rto_frame'), f('analysis.retransmission'), f('analysis.flags')],
      ['0.213206000', '31', '1', '1'],
    );
    assert.deepEqual([f('time_relative'), f('time_delta')], ['1.000000001', '-0.000001500']);
    assert.deepEqual(f('segment_data'), '616761696e');
    assert.deepEqual(experts.slice(-2), ['This frame is a (suspected) retransmission', 'TCP Zero Window segment']);
    assert.ok(info.startsWith('[TCP ZeroWindow] [TCP Retransmission] 1000 → 2000 [ACK] Seq=1 Ack=1 '));
  });

  it('names duplicate acknowledgments by number', () => {
    const note = { analysed: true, items: Item.DuplicateAck, duplicateAck: 2, duplicateAckFrame: 31 };
    const { fields, experts, info } = see(segment({}), { note });
    assert.deepEqual([fields['tcp.analysis.duplicate_ack_num'], experts.at(-1)], [['2'], 'Duplicate ACK (#2)']);
    assert.ok(info.startsWith('[TCP Dup ACK 31#2] 1000'));
  });

  it('prefers the special kinds of retransmission in the Info column', () => {
    const info = (items: number): string => see(segment({}), { note: { items } }).info;
    assert.ok(info(Item.Retransmission | Item.SpuriousRetransmission).startsWith('[TCP Spurious Retransmission] 1000'));
    assert.ok(
      info(Item.LostSegment | Item.AckLostSegment).startsWith(
        '[TCP ACKed unseen segment] [TCP Previous segment not captured] 1000',
      ),
    );
  });

  it('shows which segments a message took, and what of this one goes on later', () => {
    const whole = ascii('first second');
    const view = View.of(whole, 'Reassembled TCP');
    const segments = [
      { frame: 13, off: 0, len: 6 },
      { frame: 15, off: 6, len: 6 },
    ];
    const pdu = { dissector: data, view, segments };
    const { fields, texts, payload } = see(segment({ payload: ascii('second and more') }), {
      note: { pdus: [pdu], pending: 'SIP', pendingOctets: 9 },
      frame: 15,
    });
    assert.deepEqual(fields['tcp.segment'], ['13', '15']);
    assert.deepEqual([fields['tcp.segment.count'], fields['tcp.reassembled.length']], [['2'], ['12']]);
    assert.deepEqual(fields['tcp.segment_data'], ['7365636f6e64', '20616e64206d6f7265']);
    assert.ok(texts.includes('2 Reassembled TCP Segments (12 bytes): #13(6), #15(6)'));
    assert.equal(payload, 'second and more');
    const waits = see(segment({ payload: ascii('part') }), { note: { pending: 'SIP' } });
    assert.ok(waits.info.endsWith('Len=4 [TCP segment of a reassembled PDU]'));
    const tls = see(segment({ payload: ascii('part') }), { note: { pending: 'TLS' } });
    assert.equal(tls.info, '[TCP segment of a reassembled PDU]');
  });
});
