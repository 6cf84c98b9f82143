import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { address, at, ip, tcp, udp } from '../../build/packets.js';
import { file, rawPcap } from '../../cli/run.js';
import { besideTshark, ETHERNET } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { differences, ours } from '../bodies/wire.js';
import { octets } from '../rtp/world.js';

/** Protocols that are only named: tshark is asked what stands in the stack, and which frame completes a message. */

const CLIENT = at('192.0.2.1', 40_000);
const server = (port: number) => at('192.0.2.2', port);
const text = (s: string): string => Buffer.from(s, 'latin1').toString('hex');
const zeros = (n: number): string => '00'.repeat(n);

/** A stream of one direction behind its handshake: each message by itself, the second one cut in two, then both at once. */
function stream(name: string, port: number, first: string, second: string): string {
  const [a, b] = [Buffer.from(octets(first)), Buffer.from(octets(second))];
  const half = b.length >> 1;
  const none = new Uint8Array(0);
  const to = server(port);
  const packets = [
    tcp(CLIENT, to, { seq: 99, flags: 2 }, none),
    tcp(to, CLIENT, { seq: 499, ack: 100, flags: 18 }, none),
    tcp(CLIENT, to, { seq: 100, ack: 500 }, none),
  ];
  let seq = 100;
  for (const part of [a, b.subarray(0, half), b.subarray(half), Buffer.concat([a, b])]) {
    packets.push(tcp(CLIENT, to, { seq, ack: 500 }, part));
    seq += part.length;
  }
  return file(`${name}.pcap`, rawPcap(...packets));
}

/** SMB2 §2.2.1: the header of a command, then its body. */
const smb2 = (command: number, body: string, answers = false): string =>
  `fe534d42 4000 0000 00000000 ${command.toString(16).padStart(2, '0')}00 0100 ${answers ? '01' : '00'}000000 ${zeros(44)} ${body}`;
const session = (message: string): string => {
  const n = octets(message).length;
  return `00${n.toString(16).padStart(6, '0')}${message}`;
};

const STREAMS: readonly (readonly [string, number, string, string])[] = [
  ['mqtt', 1883, '100c 0004 4d515454 04 02 003c 0000', `3010 0003 612f62 ${text('hello world')}`],
  ['pgsql', 5432, '00000009 00030000 00', `51 00000011 ${text('select 1;')}${text('abc')} 00`],
  ['mbtcp', 502, '0001 0000 0006 01 03 0000 0002', `0002 0000 0017 01 10 0000 0008 10 ${zeros(16)}`],
  ['openflow', 6633, '01 00 0008 00000001', '01 02 0010 00000002 0000000000000000'],
  [
    'dcerpc',
    135,
    `05 00 0b 03 10000000 1c00 0000 01000000 ${zeros(12)}`,
    `05 00 00 03 10000000 2000 0000 02000000 ${zeros(16)}`,
  ],
  ['ldap', 389, '300c 020101 6007 020103 0400 8000', '300c 020102 6007 020103 0400 8000'],
  ['mysql', 3306, '01 0000 00 0e', `0a 0000 00 03 ${text('select 1;')}`],
  ['opcua', 4840, `48454c46 20000000 ${zeros(24)}`, `4d534746 18000000 ${zeros(16)}`],
  ['iec60870_104', 2404, '68 04 07000000', '68 04 43000000'],
  ['smb2', 445, session(smb2(13, '04000000')), session(smb2(14, `${zeros(32)}`))],
];

const FIELDS = ['frame.protocols', 'tcp.reassembled.length', 'tcp.segment.count', 'data.len'];

describe('streams of protocols that are only named, as tshark', { skip: tsharkMissing }, () => {
  for (const [name, port, first, second] of STREAMS)
    test(name, async () => {
      const path = stream(name, port, first.replaceAll(' ', ''), second.replaceAll(' ', ''));
      assert.deepEqual(await differences(path, FIELDS), []);
      const stacks = (await ours(path)).map((s) => s.protocols.join(':'));
      assert.ok(stacks[3]!.startsWith(`raw:ip:tcp:${name === 'smb2' ? 'nbss:' : ''}${name}`), stacks[3]);
      assert.equal(stacks[4], 'raw:ip:tcp');
    });

  test('calls that SMB of version 1 carries in pipes', async () => {
    const call = `05 00 00 03 10000000 2000 0000 02000000 ${zeros(16)}`;
    const message = (command: string, answers: boolean, rest: string): string =>
      session(`ff534d42 ${command} 00000000 ${answers ? '98' : '18'} 07c8 ${zeros(12)} 0000 0000 0000 0000 ${rest}`);
    const words = `10 0000 2000 0000 0004 00 00 0000 00000000 0000 0000 5400 2000 5400 02 00 2600 2d80`;
    const name = Buffer.from('\\PIPE\\\0', 'utf16le').toString('hex');
    const transact = message('25', false, `${words} 3100 00 ${name} ${call}`);
    const path = stream('smb-transact', 445, transact, message('71', false, '00 0000'));
    assert.deepEqual(await differences(path, FIELDS), []);
    // That a file is a pipe tshark knows by the share alone, which it saw when the client connected to it.
    const write = message('2f', false, `0c ff000000 0040 00000000 ffffffff 0800 2000 0000 2000 3b00 2000 ${call}`);
    const read = message('2e', true, `0c ff000000 ffff 0000 0000 2000 3b00 ${zeros(10)} 2000 ${call}`);
    const stacks = (await ours(stream('smb-pipes', 445, write, read))).map((s) => s.protocols.join(':'));
    assert.deepEqual([stacks[3], stacks[5]], Array(2).fill('raw:ip:tcp:nbss:smb:dcerpc'));
  });

  test('what SMB2 carries: proofs, files, and calls in pipes', async () => {
    const token = `${text('NTLMSSP\0')} 01000000 00000000 ${zeros(16)}`;
    const size = octets(token).length.toString(16);
    const setup = smb2(1, `1900 00 01 00000000 00000000 5800 ${size}00 0000000000000000 ${token}`);
    const data = smb2(8, `1100 50 00 05000000 00000000 00000000 ${text('hello')}`, true);
    const path = stream('smb2-inside', 445, session(setup), session(data));
    assert.deepEqual(await differences(path, FIELDS), []);
    const stacks = (await ours(path)).map((s) => s.protocols.join(':'));
    assert.equal(stacks[3], 'raw:ip:tcp:nbss:smb2:ntlmssp');
    assert.equal(stacks[5], 'raw:ip:tcp:nbss:smb2:data');
  });
});

/** BER of ITU-T X.690 §8.1: a tag, and parts of less than 128 octets in all. */
const ber = (tag: string, ...parts: readonly string[]): string => {
  const body = parts.join('').replaceAll(' ', '');
  return `${tag}${(body.length / 2).toString(16).padStart(2, '0')}${body}`;
};

describe('what proves who a user is, as tshark', { skip: tsharkMissing }, () => {
  const ntlm = `${text('NTLMSSP\0')} 01000000 00000000 ${zeros(16)}`;
  const signature = '01000000 26b2b63f18e3c26b 00000000';
  const NTLM_OID = '060a2b06010401823702020a';
  const init = ber(
    '60',
    '06062b0601050502',
    ber('a0', ber('30', ber('a0', ber('30', NTLM_OID)), ber('a2', ber('04', ntlm)))),
  );
  const last = ber('a1', ber('30', ber('a0', '0a0100'), ber('a3', ber('04', signature))));
  const size = (hex: string): string => octets(hex).length.toString(16).padStart(2, '0');

  test('in SMB2: a token of SPNEGO, a signature, and NTLM by itself', async () => {
    const ask = (token: string) =>
      session(smb2(1, `1900 00 01 00000000 00000000 5800 ${size(token)}00 0000000000000000 ${token}`));
    const tell = (token: string) => session(smb2(1, `0900 0000 4800 ${size(token)}00 ${token}`, true));
    for (const [i, [first, second]] of [
      [ask(init), tell(last)],
      [ask(ntlm), tell(init)],
    ].entries())
      assert.deepEqual(await differences(stream(`proof-smb2-${i}`, 445, first!, second!), FIELDS), []);
  });

  test('in SMB of version 1 and in binds of DCE/RPC', async () => {
    const head = (command: string, flags: string) =>
      `ff534d42 ${command} 00000000 ${flags} 0100 ${zeros(12)} 0000 0000 0000 0000`;
    const setup = `${head('73', '18')} 0c ff000000 0411 3200 0000 00000000 ${size(init)}00 00000000 d4000080 ${size(init)}00 ${init}`;
    const answer = `${head('73', '98')} 04 ff000000 0000 ${size(last)}00 ${size(last)}00 ${last} ${zeros(32)}`;
    assert.deepEqual(
      await differences(stream('proof-smb', 445, session(setup), session(answer)), ['frame.protocols']),
      [],
    );
    const pdu = (type: string, body: string, kind: string, token: string) => {
      const n = octets(body).length + 24 + octets(token).length;
      return `0500 ${type} 03 10000000 ${n.toString(16).padStart(2, '0')}00 ${size(token)}00 01000000 ${body} ${kind} 02 00 00 01000000 ${token}`;
    };
    const bind = pdu('0b', zeros(12), '09', init);
    const call = pdu('00', `${zeros(8)} ${zeros(16)}`, '09', '010000000000000000000000');
    assert.deepEqual(await differences(stream('proof-dcerpc', 135, bind, call), ['frame.protocols']), []);
    const signed = pdu('00', `${zeros(8)} ${zeros(16)}`, '09', `01000000 ${'a5'.repeat(8)} 00000000`);
    assert.deepEqual(await differences(stream('signed-dcerpc', 135, bind, signed), ['frame.protocols']), []);
  });
});

/** A call of a program, RFC 5531 §9, and what answers it. */
const call = (id: string, program: string): string =>
  `${id} 00000000 00000002 ${program} 00000003 00000001 ${zeros(16)} 00000004 01020304`;
const reply = (id: string): string => `${id} 00000001 00000000 ${zeros(8)} 00000000 00000046`;

describe('datagrams of protocols that are only named, as tshark', { skip: tsharkMissing }, () => {
  /** Datagrams between two hosts, the first of which has the ports from 40000 up to 42999. */
  const datagrams = (name: string, ...sent: readonly (readonly [number, number, string])[]): string =>
    file(
      `${name}.pcap`,
      rawPcap(
        ...sent.map(([from, to, hex]) => {
          const asks = from >= 40_000 && from < 43_000;
          const [a, b] = asks ? ['192.0.2.1', '192.0.2.2'] : ['192.0.2.2', '192.0.2.1'];
          return udp(at(a!, from), at(b!, to), octets(hex));
        }),
      ),
    );

  test('by their ports', async () => {
    const messages = [
      [427, `02 01 00 0018 0000 00000000 0001 0002 ${text('en')} ${zeros(8)}`],
      [5683, '40 01 0001'],
      [6696, '2a 02 0004 04 02 0000'],
      [4342, `20 000001 ${zeros(8)} 00000001 00 20 1000 0000 0001 c0000200`],
      [3503, `0001 0000 01 02 00 00 ${zeros(24)}`],
      [5351, '00 00'],
      [319, `00 02 002c 00 00 0000 ${zeros(8)} 00000000 ${zeros(10)} 0001 00 00 ${zeros(10)}`],
      [177, '0001 0002 0001 00'],
      [654, `01 00 00 00 00000001 c0000201 00000001 c0000202 00000001`],
      [698, `0010 0001 01 00 000c c0000201 01 00 0001`],
    ] as const;
    const path = datagrams('ports', ...messages.map(([port, hex]) => [40_000, port, hex] as const));
    assert.deepEqual(await differences(path, FIELDS), []);
    assert.deepEqual(
      (await ours(path)).map((s) => s.protocols[3]),
      ['srvloc', 'coap', 'babel', 'lisp', 'mpls-echo', 'portcontrol', 'ptp', 'xdmcp', 'aodv', 'olsr'],
    );
  });

  test('SIP from the port of a protocol whose octets it has not', async () => {
    const sip = text('OPTIONS sip:bob@ims.example SIP/2.0\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n');
    const ports = [177, 623, 646, 654, 698, 1044, 1701, 1985, 2029, 2055, 3503, 4739, 6343, 6696, 9600];
    const path = datagrams('sip-ports', ...ports.map((port) => [port, 5060, sip] as const));
    assert.deepEqual(await differences(path, FIELDS), []);
    for (const { protocols } of await ours(path)) assert.equal(protocols[3], 'sip');
  });

  test('data of IPsec from a port of L2TP, and versions of UFTP', async () => {
    const path = datagrams(
      'fits',
      [1701, 4500, `00001234 00000001 ${zeros(24)}`],
      [40_100, 1044, `40 ${zeros(40)}`],
      [40_101, 1044, `50 ${zeros(40)}`],
      [40_103, 2055, `0009 0000 ${zeros(16)}`],
    );
    assert.deepEqual(await differences(path, ['frame.protocols']), []);
  });

  test('WireGuard and Google QUIC by their octets', async () => {
    const path = datagrams(
      'octets',
      ...([[41_000, 51_820, `01000000 ${'a5'.repeat(144)}`]] as const),
      ...([[51_820, 41_000, `02000000 ${'a5'.repeat(88)}`]] as const),
      ...([[41_000, 51_820, `04000000 ${'a5'.repeat(28)}`]] as const),
      ...([[41_000, 51_821, `04000001 ${'a5'.repeat(28)}`]] as const),
      ...([[41_001, 443, `0d 1122334455667788 ${text('Q039')} 01 ${'a5'.repeat(60)}`]] as const),
      ...([[443, 41_001, `00 02 ${'a5'.repeat(60)}`]] as const),
    );
    assert.deepEqual(await differences(path, FIELDS), []);
    const stacks = (await ours(path)).map((s) => s.protocols[3]);
    assert.deepEqual(stacks, ['wg', 'wg', 'wg', 'data', 'gquic', 'gquic']);
  });

  test('what comes between the endpoints of QUIC is its, whatever it looks like', async () => {
    const media = `80c80001 ${'a5'.repeat(4)}`; // the header of a sender report
    const path = datagrams(
      'goes-on',
      ...([[41_000, 443, media]] as const),
      ...([[41_001, 443, `0d 1122334455667788 ${text('Q039')} 01 ${'a5'.repeat(60)}`]] as const),
      ...([[41_001, 443, media]] as const),
      ...([[41_002, 443, `c3 51303530 08 1122334455667788 00 00 44 80 ${'a5'.repeat(1152)}`]] as const),
      ...([[443, 41_002, `c1 51303530 00 08 1122334455667788 00 44 80 ${'a5'.repeat(1152)}`]] as const),
      ...([[41_002, 443, media]] as const),
    );
    assert.deepEqual(await differences(path, ['frame.protocols', 'quic.version']), []);
    const stacks = (await ours(path)).map((s) => s.protocols[3]);
    assert.deepEqual(stacks, ['rtcp', 'gquic', 'gquic', 'quic', 'quic', 'quic']);
  });

  test('Wake-on-LAN and MPEG transport streams by their octets', async () => {
    const wakes = `${'ff'.repeat(6)}${'020000000001'.repeat(16)}`;
    const nothing = `471fff10${'ff'.repeat(184)}`;
    const path = datagrams(
      'signs',
      ...([[41_000, 40_009, wakes]] as const),
      ...([[41_001, 40_009, wakes.replace(/01$/, '02')]] as const),
      ...([[41_002, 41_234, nothing.repeat(2)]] as const),
      ...([[41_003, 41_234, `${nothing}${nothing.slice(2)}`]] as const),
    );
    assert.deepEqual(await differences(path, FIELDS), []);
    const stacks = (await ours(path)).map((s) => s.protocols[3]);
    assert.deepEqual(stacks, ['wol', 'data', 'mp2t', 'data']);
  });

  test('TFTP on the port that the answer came from, and what it carries', async () => {
    const path = datagrams(
      'tftp',
      [42_000, 69, `0001 ${text('a.txt')}00 ${text('octet')}00`],
      [43_000, 42_000, `0003 0001 ${text('hello')}`],
      [42_000, 43_000, '0004 0001'],
    );
    assert.deepEqual(await differences(path, FIELDS), []);
    assert.deepEqual(
      (await ours(path)).map((s) => s.protocols.slice(3).join(':')),
      ['tftp', 'tftp:data', 'tftp'],
    );
  });

  test('an answer to a remote procedure call is of the program that was called', async () => {
    const path = datagrams(
      'rpc',
      [40_700, 2049, call('00000011', '000186a3')],
      [2049, 40_700, reply('00000011')],
      [40_701, 900, call('00000012', '000186a5')],
      [900, 40_701, reply('00000012')],
      [40_701, 900, call('00000013', '000186a5').slice(0, -18)], // DUMP asks for nothing
    );
    const stacks = (await ours(path)).map((s) => s.protocols.slice(3).join(':'));
    assert.deepEqual(stacks, ['rpc:nfs', 'rpc:nfs', 'rpc:mount', 'rpc:mount', 'rpc']);
    assert.deepEqual(await differences(path, FIELDS), []);
  });
});

test('octets that look like fields on a port of HTTP, as tshark', { skip: tsharkMissing }, async () => {
  const lines = [
    '(J\u00efx:y\n\u0001\u0002\nmore',
    'a:b\nc:d\n\nbody of it\n',
    'no colon\nmore\n',
    '\u00e1a:b\nc\n',
    'a:b',
  ];
  const packets = lines.map((l, i) =>
    tcp(at('192.0.2.1', 40_000 + i), server(80), { seq: 1, ack: 1 }, octets(text(l))),
  );
  assert.deepEqual(await differences(file('http-fields.pcap', rawPcap(...packets)), FIELDS), []);
});

test('what DCCP and IEC 60870-5-104 carry, and datagrams on the port of RPC, as tshark', {
  skip: tsharkMissing,
}, async () => {
  const dccp = octets(`9c40 1388 04 00 0000 05000001 00000000 00000001 ${text('data')}`.replaceAll(' ', ''));
  const path = file(
    'carried.pcap',
    rawPcap(
      ip(CLIENT.address, server(0).address, 33, dccp),
      tcp(
        CLIENT,
        server(2404),
        { seq: 1, ack: 1 },
        octets('680e 00000000 64010600 0100 000000 14 68040100 0000'.replaceAll(' ', '')),
      ),
      udp(CLIENT, server(111), octets('00')),
      udp(CLIENT, server(111), octets('a5'.repeat(40))),
      udp(CLIENT, server(111), octets(call('00000021', '000186a0'))),
      udp(CLIENT, server(9000), octets(`04 02 2000 100000 00 ${zeros(80)}`)),
    ),
  );
  assert.deepEqual(await differences(path, FIELDS), []);
});

/** A file of another link type: its number stands in the last word of the header of the file. */
function ofLink(name: string, link: number, ...packets: readonly string[]): string {
  const capture = rawPcap(...packets.map((p) => octets(p.replaceAll(' ', ''))));
  capture.writeUInt32LE(link, 20);
  return file(`${name}.pcap`, capture);
}

test('what ARCNET and CAN carry, as tshark', { skip: tsharkMissing }, async () => {
  const datagram = '4500001c 00010000 4011f6cc c0000201 c0000202 13c41f40 00080000';
  const arp = '0007 0800 01 04 0001 be c0000201 00 c0000202';
  const arcnet = ofLink(
    'arcnet-linux',
    129,
    ...[`be00 ed08 f1 ${arp}`, `be00 0000 f0 ${datagram}`, `be00 0000 d4 00 0165 ${datagram}`],
    ...[`be00 0000 d5 00 0166 ${arp}`, 'c000 e800 cd 828203 0100 1008'],
  );
  const fields = ['frame.protocols', 'ip.src', 'udp.srcport', 'arp.opcode', 'arp.src.proto_ipv4'];
  assert.deepEqual(await differences(arcnet, fields), []);
  const bsd = ofLink(
    'arcnet-bsd',
    7,
    `be00 f0 ${datagram}`,
    `be00 d4 00 0165 ${datagram}`,
    `be00 d4 ff ffff d4 00 0167 ${datagram}`,
  );
  assert.deepEqual(await differences(bsd, fields), []);
  const can = ofLink(
    'can',
    227,
    '00000123 04 000000 a5a5a5a5',
    '00000123 00 000000',
    '80000123 08 000000 a5a5a5a5a5a5a5a5',
  );
  assert.deepEqual(await differences(can, FIELDS), []);
});

test('the frame behind the header of FabricPath, as tshark', { skip: tsharkMissing }, async () => {
  const macs = '020000000002 0a0000000001';
  const datagram = `4500001c 00010000 4011f6cc c0000201 c0000202 13c413c4 00080000 ${zeros(18)} cafe0123`;
  const frame = octets(`${macs} 8903 0420 ${macs} 0800 ${datagram}`);
  const path = file('fabric.pcap', rawPcap(ip(CLIENT.address, server(0).address, 143, frame)));
  assert.deepEqual(await differences(path, ['frame.protocols', 'ip.src', 'udp.srcport']), []);
  assert.equal((await ours(path))[0]!.protocols.join(':'), 'raw:ip:eth:cfp:eth:ethertype:ip:udp');
});

test('what MACsec carries that it does not encrypt, and what loopback messages do, as tshark', {
  skip: tsharkMissing,
}, async () => {
  const frame = (type: string, body: string): Uint8Array => octets(`020000000001 020000000002 ${type} ${body}`);
  const icmp = ip(address('192.0.2.1'), address('192.0.2.2'), 1, octets(`0800 0000 0001 0001 ${zeros(48)}`));
  const inner = `0800 ${Buffer.from(icmp).toString('hex')}`;
  const check = 'a5'.repeat(16);
  const stacks = await besideTshark(
    [
      frame('88e5', `00 00 00000001 ${inner} ${check}`),
      frame('88e5', `20 00 00000001 0200000000010001 ${inner} ${check}`),
      frame('88e5', `0c 00 00000001 ${inner} ${check}`),
      frame('88e5', `80 00 00000001 ${inner} ${check}`),
      frame('9000', `0000 0200 020000000003 0100 0001 ${'55'.repeat(40)}`),
      frame('9000', `0000 0100 0001 ${'55'.repeat(40)}`),
      frame('9000', `0000 0300 0001 ${'55'.repeat(40)}`),
    ],
    ['ip.src', 'data.len'],
    ETHERNET,
  );
  assert.deepEqual(stacks, [
    'macsec:ethertype:ip:icmp:data',
    'macsec:ethertype:ip:icmp:data',
    'macsec:data',
    'data',
    'loop:data',
    'loop:data',
    'loop:data',
  ]);
});

test('the packets in samples of sFlow, as tshark', { skip: tsharkMissing }, async () => {
  const word = (n: number): string => n.toString(16).padStart(8, '0');
  const inner = Buffer.from(ip(address('192.0.2.1'), address('192.0.2.2'), 47, octets(`0000 88b5 ${zeros(30)}`)));
  const record = (kind: number, packet: string): string => {
    const n = octets(packet).length;
    return `${word(1)} ${word(16 + ((n + 3) & ~3))} ${word(kind)} ${word(n + 4)} ${word(4)} ${word(n)} ${packet} ${'00'.repeat(-n & 3)}`;
  };
  const counted = (format: number, body: string): string => `${word(format)} ${word(octets(body).length)} ${body}`;
  const ethernet = `020000000001 020000000002 0800 ${inner.toString('hex')}`;
  const sample = counted(
    1,
    `${word(1).repeat(7)} ${word(2)} ${record(1, ethernet)} ${record(11, inner.toString('hex'))}`,
  );
  const expanded = counted(3, `${word(1).repeat(10)} ${word(1)} ${record(1, ethernet)}`);
  const counters = counted(2, zeros(12));
  const agent = `${word(5)} ${word(1)} c0000201 ${word(0)} ${word(1)} ${word(1000)}`;
  const datagram = octets(`${agent} ${word(3)} ${sample} ${counters} ${expanded}`);
  const stacks = await besideTshark(
    [udp(CLIENT, server(6343), datagram)],
    ['ip.src', 'eth.src', 'ip.proto', 'gre.proto', 'udp.srcport'],
  );
  const packet = 'ethertype:ip:gre:data';
  assert.deepEqual(stacks, [`udp:sflow:eth:${packet}:ip:gre:data:eth:${packet}`]);
});
