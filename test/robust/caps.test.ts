import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import type { Followed } from '../../src/engine/followed.js';
import type { Pass } from '../../src/engine/pass.js';
import { LIMITS } from '../../src/limits.js';
import { CaptureBuilder, type Frame } from '../build/capture.js';
import { clearConversation, envelope, up } from '../build/conversation.js';
import { innerRows, mark } from '../build/expect.js';
import { LINKTYPES } from '../build/link.js';
import { ACK, at, fragments, ping, SYN, tcp, udp } from '../build/packets.js';
import { FrameSource, type RawFrame } from '../build/source.js';
import { tlsConversation } from '../build/tls.js';
import { chatter } from '../build/traffic.js';
import { LE } from '../capture/support.js';
import { file, rawPcap, run } from '../cli/run.js';
import { expectedOf, one, readWith } from '../engine/one.js';
import { forSource, type RowsOptions } from '../support/rows.js';
import { openStream } from '../support/stream.js';

const A = at('10.0.0.1', 1000);
const B = at('10.0.0.2', 2000);
const NOTHING = new Uint8Array(0);
/** An address of its own for each number. */
const host = (n: number): Uint8Array => Uint8Array.of(11, n >> 16, n >> 8, n);
const datagram = (n: number): RawFrame => ({ octets: udp({ address: host(n), port: 5000 }, B, NOTHING) });

/** Numbers of the frames that say that a cap was reached, and the pass. */
async function capped(frames: Iterable<RawFrame>, o: RowsOptions): Promise<{ frames: number[]; pass: Pass }> {
  const found: number[] = [];
  const pass = await forSource(new FrameSource(frames, LINKTYPES.raw), o, (row) => {
    if (row.codes().includes('capture.capped')) found.push(row.frame);
  });
  return { frames: found, pass };
}

const limitsOf = (pass: Pass): unknown => pass.index.ledger.limits.map(({ name, hit }) => [name, hit]);
const followedOf = (pass: Pass): Followed => (pass.index as unknown as { followed: Followed }).followed;

describe('what is followed gives way', () => {
  test('tunnels that go on lose nothing where other flows come and go', async () => {
    const b = new CaptureBuilder({ link: 'raw' });
    for (let i = 0; i < 4; i++) {
      const c = await tlsConversation(chatter(i + 1, 30), { version: i % 2 === 0 ? 'TLSv1.3' : 'TLSv1.2' });
      const client = { address: host(i), port: 40_000 };
      b.connection(c, { client, server: at('198.51.100.1', 443), start: i, step: 400 });
    }
    for (let i = 0; i < 400; i++) b.packet(datagram(1000 + i).octets, 0.1 * i);
    const built = b.build();
    const r = await readWith(built, { caps: { flows: 40 } });
    // Tunnels are numbered as they come, which is the order of the connections.
    assert.deepEqual(expectedOf(r), innerRows(built));
    const [limit] = r.pass.index.ledger.limits;
    assert.equal(limit?.name, 'flows');
    assert.ok(limit!.hit >= 360, `${limit!.hit} flows made room`);
    assert.ok(followedOf(r.pass).flows.size <= 40);
  });

  test('what a connection still had is read when it makes room', async () => {
    const packets = [0, 1, 2].map((i) => envelope(ping(A.address, B.address, 1, i, 40)));
    const built = one(clearConversation([up([packets[0]!]), up([packets[1]!]), up([packets[2]!])]), {
      capture: { link: 'raw', shape: [(frames) => frames.filter((f) => !isData(f, 1))] },
      ...{ acks: 0, end: 'none' },
    });
    // Without acknowledgments the octets behind the hole wait; other flows take the room of the connection.
    const frames = [...built.frames, ...[0, 1, 2].map(datagram)];
    const rows: string[] = [];
    const pass = await forSource(new FrameSource(frames, LINKTYPES.raw), { caps: { flows: 2 } }, (row) => {
      const v = row.content?.view;
      if (v !== undefined) rows.push(`${row.frame} ${mark(v.buf.subarray(v.off, v.end))} ${row.codes().join()}`);
    });
    assert.equal(rows.length, 2);
    const last = mark(packets[2]!.octets);
    assert.match(rows[1]!, new RegExp(`^\\d+ ${last} .*capture.gap`));
    assert.ok(pass.index.ledger.limits.some((l) => l.name === 'flows'));
  });

  test('the frame in which a cap is reached says so', async () => {
    const r = await capped([0, 1, 2, 3, 4, 3, 4].map(datagram), { caps: { flows: 3 } });
    // Room is made before a frame, so that it holds whatever flow the frame is of.
    assert.deepEqual(r.frames.slice(0, 2), [4, 5]);
    assert.ok(followedOf(r.pass).flows.size <= 3);
  });

  test('octets that are held stay under their cap', async () => {
    function* frames(): Iterable<RawFrame> {
      for (let i = 0; i < 3000; i++) {
        const from = { address: host(i), port: 1000 };
        yield { octets: tcp(from, B, { seq: 0, flags: SYN }, NOTHING) };
        yield { octets: tcp(B, from, { seq: 0, ack: 1, flags: SYN | ACK }, NOTHING) };
      }
    }
    let most = 0;
    const cap = 1 << 20;
    const { pass } = await capped(frames(), { caps: { heldOctets: cap } });
    most = pass.index.ledger.octets;
    // One frame may bring one more connection.
    assert.ok(most > cap / 2 && most < cap + 10_000, `${most} octets`);
    assert.equal(pass.index.ledger.limits[0]?.name, 'heldOctets');
  });

  for (const end of ['fin', 'rst', 'none'] as const)
    test(`when all flows are gone nothing is held any more; end of the connections: ${end}`, async () => {
      const b = new CaptureBuilder({ link: 'raw' });
      for (let i = 0; i < 6; i++) {
        const c = await tlsConversation(chatter(i, 20), { version: i % 2 === 0 ? 'TLSv1.3' : 'TLSv1.2' });
        const client = { address: host(i), port: 40_000 };
        b.connection(c, { client, server: at('198.51.100.1', 443), start: 100 * i, end });
      }
      for (let i = 0; i < 6; i++) b.packet(datagram(100 + i).octets, i);
      const { pass } = await readWith(b.build());
      const followed = followedOf(pass);
      assert.equal(followed.flows.size > 0, true);
      Object.assign(followed.caps, { flows: 1 });
      followed.tidy();
      followed.read();
      assert.deepEqual([followed.flows.size, followed.ledger.octets], [0, 0]);
    });

  test('tunnels that were closed leave little behind', async () => {
    const c = await tlsConversation(chatter(1, 4), { version: 'TLSv1.3' });
    const held = async (n: number): Promise<number> => {
      const b = new CaptureBuilder({ link: 'raw' });
      for (let i = 0; i < n; i++)
        b.connection(c, { client: { address: host(i), port: 40_000 }, server: at('198.51.100.1', 443), start: i });
      const { pass } = await readWith(b.build(), { bare: true, fields: [] });
      assert.equal(pass.index.tunnels.length, n);
      return pass.index.ledger.octets;
    };
    const each = ((await held(60)) - (await held(10))) / 50;
    assert.ok(each < 4000, `${each} octets for a closed tunnel`);
  });

  test('further tunnels are read, but not listed', async () => {
    const b = new CaptureBuilder({ link: 'raw' });
    const c = clearConversation([up([envelope(ping(A.address, B.address, 1, 1, 40))])]);
    for (let i = 0; i < 5; i++)
      b.connection(c, { client: { address: host(i), port: 40_000 }, server: at('198.51.100.1', 443), start: 10 * i });
    const built = b.build();
    const r = await readWith(built, { caps: { tunnels: 3 } });
    assert.deepEqual(expectedOf(r), innerRows(built));
    assert.deepEqual([r.pass.index.tunnels.length, limitsOf(r.pass)], [3, [['tunnels', 2]]]);
  });
});

/** Whether a frame is the data segment number `n`, from 0, of the client. */
function isData(f: Frame, n: number): boolean {
  if (f.segment === null || f.side !== 0 || f.segment.to === f.segment.from) return false;
  const { inner } = f.connection!.conversation;
  return f.segment.from === inner[n]!.from;
}

describe('the end of a capture', () => {
  const packets = [0, 1, 2].map((i) => envelope(ping(A.address, B.address, 1, i, 40)));
  const built = one(clearConversation([up([packets[0]!]), up([packets[1]!]), up([packets[2]!])]), {
    capture: { link: 'raw', shape: [(frames) => frames.filter((f) => !isData(f, 1))] },
    ...{ acks: 0, end: 'none' },
  });

  test('sets free what waits behind a hole; the row says that octets are missing', async () => {
    const r = await readWith(built);
    const last = r.inner[r.inner.length - 1]!;
    assert.deepEqual([r.inner.length, last.envelope], [2, mark(packets[2]!.octets)]);
    assert.equal(last.frame, built.frames.length);
    assert.ok(last.findings.includes('capture.gap'));
  });

  test('sets nothing free where reading stopped before it', async () => {
    const more = [...built.frames, datagram(1)];
    const rows: number[] = [];
    await forSource(new FrameSource(more, LINKTYPES.raw), { frames: built.frames.length }, (row) => {
      if (row.content !== null) rows.push(row.frame);
    });
    assert.equal(rows.length, 1);
  });
});

describe('limits that a stream reaches are named', () => {
  const stream = function* (port: number, pieces: Iterable<Uint8Array>): Iterable<RawFrame> {
    const to = { ...B, port };
    yield { octets: tcp(A, to, { seq: 0, flags: SYN }, NOTHING) };
    let seq = 1;
    for (const piece of pieces) {
      yield { octets: tcp(A, to, { seq }, piece) };
      seq += piece.length;
    }
  };
  const repeated = function* (first: string, piece: Uint8Array, n: number): Iterable<Uint8Array> {
    yield Buffer.from(first, 'latin1');
    for (let i = 0; i < n; i++) yield piece;
  };

  test('a handshake message that is too long', async () => {
    // Behind a ClientHello, in the same record.
    const hello = `\x16\x03\x01\x00\x2e\x01\x00\x00\x26\x03\x03${'r'.repeat(32)}\x00\x00\x00\x00`;
    const long = '\x0b\x04\x00\x01';
    const r = await capped(stream(443, [Buffer.from(hello + long, 'latin1')]), {});
    assert.deepEqual([r.frames, limitsOf(r.pass)], [[2], [['handshakeOctets', 1]]]);
  });

  test('very many alerts', async () => {
    const hello = `\x16\x03\x01\x00\x2a\x01\x00\x00\x26\x03\x03${'r'.repeat(32)}\x00\x00\x00\x00`;
    const alerts = '\x15\x03\x03\x00\x02\x01\x5a'.repeat(LIMITS.tlsAlerts + 2);
    const r = await capped(stream(443, [Buffer.from(hello, 'latin1'), Buffer.from(alerts, 'latin1')]), {});
    assert.deepEqual([r.frames, limitsOf(r.pass)], [[3], [['tlsAlerts', 2]]]);
  });

  test('very many places where a record may start', async () => {
    // A header of application data whose record would end in what is still to come, again and again.
    const headers = Buffer.from('\x17\x03\x03\x40\x00x'.repeat(LIMITS.recordStarts + 3), 'latin1');
    const r = await capped([{ octets: tcp(A, { ...B, port: 443 }, { seq: 1 }, headers) }], {});
    assert.deepEqual([r.frames, limitsOf(r.pass)], [[1], [['recordStarts', 3]]]);
  });

  test('a message without end', async () => {
    const piece = new Uint8Array(60_000).fill(97);
    const n = Math.ceil(LIMITS.messageOctets / piece.length) + 1;
    const post = 'POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n';
    const r = await capped(stream(80, repeated(post, piece, n)), { bare: false, fields: [] });
    assert.deepEqual(limitsOf(r.pass), [['messageOctets', 1]]);
    assert.equal(r.frames.length, 1);
  });

  test('a tree that is too large', async () => {
    // Answers of DNS over TCP, each of very many records of the root (RFC 1035 §4.1.3), which the last frame sets free.
    const records = 5900;
    const dns = Buffer.alloc(2 + 12 + 11 * records);
    dns.writeUInt16BE(dns.length - 2, 0);
    dns.writeUInt16BE(0x8180, 4);
    dns.writeUInt16BE(records, 8);
    for (let i = 0; i < records; i++) dns.writeUInt16BE(99, 14 + 11 * i + 1);
    const answers = Buffer.concat([dns, dns, dns, dns]);
    const part = 50_000;
    const frames: RawFrame[] = [{ octets: tcp(A, { ...B, port: 53 }, { seq: 0, flags: SYN }, NOTHING) }];
    for (let at = 0; at < answers.length; at += part)
      frames.push({ octets: tcp(A, { ...B, port: 53 }, { seq: 1 + at }, answers.subarray(at, at + part)) });
    frames.push(...frames.splice(1, 1));
    const r = await capped(frames, {});
    assert.deepEqual([r.frames, limitsOf(r.pass)], [[frames.length], [['treeNodes', 1]]]);
    assert.equal(r.pass.dissection.tree.length, LIMITS.treeNodes);
  });
});

describe('the command tells of limits', () => {
  const more = 5;
  const parts = Array.from({ length: LIMITS.fragmentedDatagrams + more }, (_, i) => {
    const octets = Uint8Array.from(fragments(ping(A.address, B.address, 1, 1, 64), 32)[0]!);
    octets.set(host(i), 12);
    return octets;
  });
  const path = file('fragments.pcap', rawPcap(...parts));

  // Of datagrams that are younger than their lifetime: a second passes between two frames.
  test('on stderr, and in the report', () => {
    const read = run(['read', path, '-T', 'fields', '-e', 'frame.number']);
    assert.equal(read.code, 0);
    const said = new RegExp(
      `the limit fragmentedDatagrams \\(${LIMITS.fragmentedDatagrams}\\) was reached ${more} times`,
    );
    assert.match(read.err, said);
    assert.equal(run(['read', '-q', path, '-T', 'fields', '-e', 'frame.number']).err, '');
    const report = run(['report', '-q', path]);
    const { limits, findings } = JSON.parse(report.out);
    assert.deepEqual(limits, [{ name: 'fragmentedDatagrams', cap: LIMITS.fragmentedDatagrams, hit: more }]);
    assert.deepEqual(
      findings.map((f: { code: string; count: number }) => [f.code, f.count]),
      [['capture.capped', more]],
    );
  });
});

describe('pcapng files without end', () => {
  const MEGABYTE = 1 << 20;

  /** Reads blocks that are made as they are read; returns megabytes that memory grew by, and what is damaged. */
  async function grown(count: number, block: (i: number) => Uint8Array): Promise<{ mb: number; damage: string[] }> {
    const before = process.memoryUsage();
    let most = 0;
    function* blocks(): Iterable<Uint8Array> {
      yield LE.section();
      yield LE.description(LINKTYPES.raw);
      for (let i = 0; i < count; i++) {
        if (i % 4096 === 0) {
          const { heapUsed, external } = process.memoryUsage();
          most = Math.max(most, heapUsed + external - before.heapUsed - before.external);
        }
        yield block(i);
      }
      yield LE.packet(0, 0n, datagram(1).octets);
    }
    const source = await openStream(Readable.from(blocks(), { objectMode: false }), 'endless');
    await forSource(source, { bare: true, fields: [] }, () => undefined);
    return { mb: most / MEGABYTE, damage: source.damage.map((d) => d.message) };
  }

  const packet = datagram(2).octets;
  const comment = LE.option(1, 'c'.repeat(1000));
  const name = Buffer.concat([LE.u16(1), LE.u16(8), Buffer.from([10, 0, 0, 1]), Buffer.from('abc\0'), LE.u32(0)]);
  for (const [what, count, block] of [
    ['blocks of an unknown type', 100_000, () => LE.block(0x7777, new Uint8Array(400))],
    ['blocks of names', 100_000, () => LE.block(4, name)],
    ['sections with comments', 50_000, () => LE.section(-1n, [comment])],
    ['packets with comments', 50_000, () => LE.packet(0, 0n, packet, { options: [comment, comment] })],
    ['interfaces', LIMITS.captureInterfaces + 1000, () => LE.description(LINKTYPES.raw)],
  ] as const)
    test(what, async () => {
      const { mb, damage } = await grown(count, block);
      assert.ok(mb < 150, `${mb} MB`);
      if (what === 'interfaces') assert.match(damage.join(), /more than 65536 interfaces/);
    });
});
