import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { promises as dns } from 'node:dns';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { codec, dnsQuery, TYPE } from '../../dissectors/dns/message.js';
import { encode } from '../../src/kit/index.js';
import { address, addressText, parseAddress } from '../../src/live/address.js';
import { realClock } from '../../src/live/clock.js';
import { IpHost } from '../../src/live/host.js';
import { type ReadPacket, readPacket, udpPacket, udpPayload } from '../../src/live/ip-packet.js';
import { LabDns } from '../../src/live/lab-dns.js';
import { seededRandom } from '../../src/live/random.js';
import { type DnsOutcome, Resolver } from '../../src/live/resolver.js';
import type { SipPeer } from '../../src/live/sip/transport.js';
import { freePort, listening } from '../support/ports.js';
import { PATIENCE_MS } from '../support/until.js';
import { VirtualClock } from './clock.js';

const OWN = address('10.0.0.2');
const SERVER = address('10.0.0.1');
const LAB = { domain: 'ims.example', pcscf: [address('10.0.0.1'), address('2001:db8::1')] };

function host(send: (p: ReadPacket) => void): IpHost {
  const h = new IpHost({
    families: [4],
    random: seededRandom(3),
    send: (packet) => send(readPacket(packet) as ReadPacket),
  });
  h.addAddress({ address: OWN, prefixLength: 24 });
  return h;
}

/** A UDP socket that speaks for whoever asks: `answer` gets each datagram. */
async function udpServer(t: TestContext, answer: (octets: Uint8Array) => Uint8Array | undefined): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (octets, from) => {
    const reply = answer(new Uint8Array(octets));
    if (reply) socket.send(reply, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return socket.address().port;
}

test("Node's resolver understands the lab's DNS server", async (t) => {
  const lab = new LabDns(
    host(() => undefined),
    LAB,
  );
  const port = await udpServer(t, (octets) => lab.answer(octets));
  const resolver = new dns.Resolver({ timeout: PATIENCE_MS, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  const [naptr] = await resolver.resolveNaptr('ims.example');
  const { flags, service, regexp, replacement, order, preference } = naptr;
  assert.deepEqual([flags, service, regexp, replacement], ['s', 'SIP+D2U', '', '_sip._udp.ims.example']);
  assert.deepEqual([order, preference], [10, 50]);
  const [srv] = await resolver.resolveSrv('_sip._udp.ims.example');
  assert.deepEqual([srv.name, srv.port, srv.priority, srv.weight], ['pcscf.ims.example', 5060, 0, 0]);
  assert.deepEqual(await resolver.resolve4('PCSCF.ims.example'), ['10.0.0.1']);
  assert.deepEqual(await resolver.resolve6('pcscf.ims.example'), ['2001:db8::1']);
  await assert.rejects(resolver.resolve4('nobody.ims.example'), { code: 'ENOTFOUND' });
  await assert.rejects(resolver.resolveMx('pcscf.ims.example'), { code: 'ENODATA' });
  await assert.rejects(resolver.resolve4('example.org'), { code: 'EREFUSED' });
});

const skip = spawnSync('dnsmasq', ['--version']).error ? 'dnsmasq is not installed' : false;

test('a P-CSCF is found through dnsmasq', { skip }, async (t) => {
  const port = await freePort();
  const child = spawn(
    'dnsmasq',
    [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--no-resolv',
      '--no-hosts',
      '--user=',
      '--pid-file=',
      '--bind-interfaces',
      '--listen-address=127.0.0.1',
      `--port=${port}`,
      '--naptr-record=ims.example,20,10,s,SIP+D2T,,_sip._tcp.ims.example',
      '--naptr-record=ims.example,10,10,s,SIP+D2U,,_sip._udp.ims.example',
      '--srv-host=_sip._udp.ims.example,second.ims.example,5062,20',
      '--srv-host=_sip._udp.ims.example,first.ims.example,5061,10',
      '--host-record=first.ims.example,10.0.0.10,2001:db8::10',
      '--host-record=second.ims.example,10.0.0.20',
      '--host-record=plain.example,10.0.0.30',
    ],
    { stdio: 'ignore' },
  );
  t.after(() => child.kill('SIGKILL'));
  const outside = createSocket('udp4');
  t.after(() => outside.close());
  let asked = 0;
  const inner = host((p) => {
    asked = (p.packet[p.off] << 8) | p.packet[p.off + 1];
    outside.send(udpPayload(p)!, port, '127.0.0.1');
  });
  outside.on('message', (octets) =>
    inner.handle(udpPacket({ src: SERVER, dst: OWN }, 53, asked, new Uint8Array(octets)), 0),
  );
  const resolver = new Resolver({
    host: inner,
    clock: realClock,
    random: seededRandom(5),
    servers: () => [SERVER, SERVER],
  });
  const find = (name: string, families: (4 | 6)[]) =>
    new Promise<SipPeer[]>((resolve) => resolver.pcscf(name, families, resolve));
  await listening('udp', port, child.pid);
  const text = (list: SipPeer[]) => list.map((p) => `${addressText(p.address)} ${p.port}`);
  assert.deepEqual(text(await find('ims.example', [4])), ['10.0.0.10 5061', '10.0.0.20 5062']);
  assert.deepEqual(text(await find('ims.example', [6, 4])), ['2001:db8::10 5061', '10.0.0.10 5061', '10.0.0.20 5062']);
  assert.deepEqual(text(await find('plain.example', [4])), ['10.0.0.30 5060']);
});

test('each server is asked twice, and answers to other questions are passed over', () => {
  const clock = new VirtualClock();
  const sent: { at: number; to: string; p: ReadPacket }[] = [];
  const inner = host((p) => sent.push({ at: clock.now(), to: addressText(p.dst), p }));
  const servers = [SERVER, address('10.0.0.9')];
  const resolver = new Resolver({ host: inner, clock, random: seededRandom(5), servers: () => servers });
  const outcomes: DnsOutcome[] = [];
  resolver.query('x.example', TYPE.A, (o) => outcomes.push(o));
  clock.advance(20_000);
  assert.deepEqual(
    sent.map((s) => `${s.at} ${s.to}`),
    ['0 10.0.0.1', '2000 10.0.0.9', '4000 10.0.0.1', '6000 10.0.0.9'],
  );
  assert.deepEqual(outcomes, [{ failure: 'no answer' }]);

  resolver.query('x.example', TYPE.A, (o) => outcomes.push(o));
  const { p } = sent.at(-1)!;
  const query = codec.parse(udpPayload(p)!, 0, udpPayload(p)!.length);
  const port = (p.packet[p.off] << 8) | p.packet[p.off + 1];
  const say = (m: typeof query, from = SERVER) =>
    inner.handle(udpPacket({ src: from, dst: OWN }, 53, port, encode(codec, m)), 0);
  const right = { ...query, flags: 0x8180 };
  say({ ...right, id: right.id ^ 1 });
  say({ ...right, questions: dnsQuery(1, 'y.example', TYPE.A).questions });
  say(right, address('10.0.0.77'));
  say(query);
  assert.equal(outcomes.length, 1);
  say(right);
  assert.deepEqual(outcomes[1], { records: [], rcode: 0 });
  // A server that cannot say is none that says there is nothing. RFC 1035 §7.2
  for (const rcode of [2, 4, 5]) {
    resolver.query('x.example', TYPE.A, (o) => outcomes.push(o));
    const asked = sent.at(-1)!.p;
    const q = codec.parse(udpPayload(asked)!, 0, udpPayload(asked)!.length);
    const back = (asked.packet[asked.off] << 8) | asked.packet[asked.off + 1];
    const refusal = { ...q, flags: 0x8180 | rcode };
    inner.handle(udpPacket({ src: SERVER, dst: OWN }, 53, back, encode(codec, refusal)), 0);
    assert.equal(sent.at(-1)!.to, '10.0.0.9');
    clock.advance(20_000);
  }
  outcomes.splice(2);
  new Resolver({ host: inner, clock, random: seededRandom(5), servers: () => [] }).query('x', TYPE.A, (o) =>
    outcomes.push(o),
  );
  assert.deepEqual(outcomes[2], { failure: 'no server' });
  assert.ok(parseAddress('10.0.0.1'));
});
