import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headersOf } from '../../../dissectors/sip/index.js';
import { address } from '../../../src/live/address.js';
import { IpHost } from '../../../src/live/host.js';
import { seededRandom } from '../../../src/live/random.js';
import type { IncomingCall } from '../../../src/live/sip/callee.js';
import type { SipLayer } from '../../../src/live/sip/layer.js';
import { tcpTransport } from '../../../src/live/sip/tcp-transport.js';
import type { SipPhoneEvent } from '../../../src/live/sip-phone.js';
import type { TcpConnection } from '../../../src/live/tcp-connection.js';
import { TcpHost } from '../../../src/live/tcp-host.js';
import { VirtualClock } from '../clock.js';
import { DOMAIN, lab } from '../lab-pair.js';
import { portPair } from '../port-pair.js';
import { noTshark, tsharkFields } from '../tshark.js';

const registrations = (events: SipPhoneEvent[]): string[] =>
  events.flatMap((e) => {
    if (e.type !== 'registration') return [];
    return e.event.type === 'failed' ? [`failed ${e.event.status} ${e.event.reason}`] : [e.event.type];
  });

/** What tshark makes of the packets that are no media: protocol, method, status, faults. */
const fieldsOf = (wire: readonly Uint8Array[]): string[][] =>
  tsharkFields(wire, ['_ws.col.Protocol', 'sip.Method', 'sip.Status-Code', '_ws.malformed', 'tcp.analysis.flags']);

for (const family of [4, 6] as const)
  test(`IPv${family}: registration and call over one TCP connection, as tshark sees it`, { skip: noTshark }, () => {
    const x = lab(['alice'], [family]);
    const a = x.begin(0, 'TCP');
    assert.equal(a.ue.agent.registration.state, 'registered');
    assert.match(a.ue.agent.registration.contact(), /;transport=tcp$/);
    const call = a.ue.agent.call(`sip:echo@${DOMAIN}`);
    x.clock.advance(2000);
    assert.deepEqual(a.kinds(), ['progress', 'media', 'answered']);
    call.hangUp();
    x.clock.advance(1000);
    a.ue.agent.deregister();
    x.clock.advance(1000);
    const rows = fieldsOf(x.wire);
    assert.deepEqual(
      rows.flatMap(([, method, status]) => method || status || []),
      [
        ...['REGISTER', '401', 'REGISTER', '200'],
        ...['INVITE', '100', '180', 'PRACK', '200', '200', 'ACK', 'BYE', '200'],
        ...['REGISTER', '200'],
      ],
    );
    assert.deepEqual(
      rows.filter((r) => r[3] !== '' || r[4] !== ''),
      [],
    );
    const streams = new Set(tsharkFields(x.wire, ['tcp.stream']).map(([n]) => n));
    assert.deepEqual([...streams].filter(Boolean), ['0']);
    a.ue.stop();
    x.ues[0].inner.stop();
    x.network.stop();
    x.router.stop();
    assert.equal(x.clock.next(), Number.POSITIVE_INFINITY, 'no timer is left');
  });

test('one phone speaks TCP and the other UDP: two entries of Record-Route, and requests find both. RFC 5658 §5', () => {
  const x = lab(['alice', 'bob'], [4]);
  const [a, b] = [x.begin(0, 'TCP'), x.begin(1, 'UDP')];
  const recorded: string[][] = [];
  b.ue.layer.onMessage = (m, _, direction) => {
    if (direction === 'received' && 'method' in m.start && m.start.method === 'INVITE')
      recorded.push(headersOf(m, 'Record-Route'));
  };
  const call = a.ue.agent.call(`sip:bob@${DOMAIN}`);
  x.clock.advance(500);
  assert.deepEqual(recorded, [['<sip:10.64.0.1:5060;lr>', '<sip:10.64.0.1:5060;transport=tcp;lr>']]);
  const incoming = (b.events.find((e) => e.type === 'incoming') as { call: IncomingCall }).call;
  incoming.answer();
  x.clock.advance(1000);
  incoming.hold(); // towards TCP, over the connection that the phone opened
  x.clock.advance(1000);
  assert.equal(a.ue.talker(call)!.reception!.lost, 0);
  call.hangUp();
  x.clock.advance(500);
  assert.deepEqual([a.kinds().at(-1), b.kinds().at(-1)], ['ended local', 'ended remote']);
});

test('keep-alives of a connection are empty lines, and answered. RFC 5626 §4.4.1', () => {
  const x = lab(['alice'], [4]);
  const a = x.begin(0, 'TCP');
  x.clock.advance(100_000);
  assert.ok(a.ue.agent.keptAlive >= 3, `${a.ue.agent.keptAlive}`); // asked for every 30 s
  assert.deepEqual(
    a.events.flatMap((e) => (e.type === 'keep-alive' ? e.event : [])),
    ['answered'],
  );
});

test('a connection that is gone takes the registration with it, which is made anew. RFC 5626 §4.5', () => {
  const x = lab(['alice'], [4]);
  const a = x.begin(0, 'TCP');
  const { tcp } = x.network as unknown as { tcp: TcpHost };
  const { connections } = tcp as unknown as { connections: Map<string, TcpConnection> };
  for (const c of [...connections.values()]) c.abort('for the test');
  x.clock.advance(100);
  assert.equal(x.network.pcscf.registrar.binding(`sip:alice@${DOMAIN}`), undefined);
  assert.equal(x.registrar.at(-1)?.why, 'its connection: for the test');
  x.clock.advance(61_000);
  assert.deepEqual(registrations(a.events).slice(-2), ['failed 503 Connection: reset by the peer', 'registered']);
  assert.equal(connections.size, 1);
});

test('a connection on which nothing is answered any more is given up for another. RFC 5626 §4.4.1', () => {
  const x = lab(['alice'], [4]);
  const a = x.begin(0, 'TCP');
  const { tcp, layer } = x.network as unknown as { tcp: TcpHost; layer: SipLayer };
  const { connections } = tcp as unknown as { connections: Map<string, TcpConnection> };
  const [first] = connections.keys();
  layer.onOther = () => {}; // empty lines are not answered
  x.clock.advance(41_000); // asked for every 30 s, and waited for 10 s
  assert.deepEqual(registrations(a.events).slice(-2), ['registered', 'registered']);
  const [second, ...others] = connections.keys();
  assert.notEqual(second, first);
  assert.deepEqual(others, []);
  assert.equal(x.network.pcscf.registrar.binding(`sip:alice@${DOMAIN}`)?.peer.port, Number(second.split(' ').at(-1)));
});

test('nobody listens: the registration fails at once, and says why. RFC 3261 §18.4', () => {
  for (const [protocol, why] of [
    ['TCP', 'refused'],
    ['UDP', 'port unreachable'],
  ] as const) {
    const x = lab(['alice'], [4]);
    x.network.stop();
    const a = x.begin(0, protocol);
    assert.deepEqual(registrations(a.events), [`failed 503 Connection: ${why}`]);
  }
  const six = lab(['alice'], [6]);
  const a = six.begin(0, { address: address('2001:db8:99::1'), port: 5060 });
  assert.match(registrations(a.events)[0], /^failed 503 Connection: no route to destination/);
});

test('a request that is too large for UDP goes by TCP, or by UDP all the same where there is none. RFC 3261 §18.1.1', () => {
  for (const hasTcp of [true, false]) {
    const x = lab(['alice', 'bob'], [4]);
    const [a, b] = [x.begin(0, 'UDP'), x.begin(1, 'UDP')];
    const { tcp } = x.network as unknown as { tcp: TcpHost };
    if (!hasTcp) tcp.stop();
    const sent: string[] = [];
    a.ue.layer.onMessage = (m, peer, direction) => {
      if (direction === 'sent' && 'method' in m.start) sent.push(`${m.start.method} ${peer.protocol ?? 'UDP'}`);
    };
    let status = 0;
    for (const text of ['x', 'x'.repeat(1500)]) {
      a.ue.agent.message(`sip:bob@${DOMAIN}`, text, (s) => {
        status = s;
      });
      x.clock.advance(500);
      assert.equal(status, 200);
      assert.ok(b.events.some((e) => e.type === 'message' && e.text === text));
    }
    assert.deepEqual(sent, ['MESSAGE UDP', 'MESSAGE TCP', ...(hasTcp ? [] : ['MESSAGE UDP'])]);
    if (hasTcp) {
      const call = a.ue.agent.call(`sip:bob@${DOMAIN};x=${'x'.repeat(1300)}`, 'none');
      x.clock.advance(500);
      call.hangUp(); // a CANCEL goes where its INVITE went. RFC 3261 §9.1
      x.clock.advance(500);
      assert.deepEqual(sent.slice(2), ['INVITE TCP', 'CANCEL TCP', 'ACK TCP']);
    }
    x.ues[0].inner.tcp.stop(); // the registration is by UDP, and stays
    x.clock.advance(500);
    assert.equal(a.ue.agent.registration.state, 'registered');
  }
});

/** A transport, and a peer that writes octets to it by hand. */
function stream() {
  const clock = new VirtualClock();
  const [near, far] = portPair();
  const [own, other] = [near, far].map((port, i) => {
    const random = seededRandom(i + 1);
    const host = new IpHost({ families: [4], random, send: (p) => port.send(p) });
    host.addAddress({ address: address(`10.0.0.${i + 1}`), prefixLength: 24 });
    port.onPacket((p) => host.handle(p, clock.now()));
    return { host, tcp: new TcpHost(host, clock, random) };
  });
  const transport = tcpTransport(own.tcp, own.host, 5060);
  const got: string[] = [];
  transport.onOctets = (b) => got.push(Buffer.from(b).toString('latin1'));
  let closed: string | undefined;
  const connection = other.tcp.connect(
    { address: address('10.0.0.1'), port: 5060 },
    { onData: () => undefined, onEnd: () => undefined, onClose: (why) => void (closed = why ?? 'by both') },
  )!;
  const write = (text: string): void => {
    connection.send(Buffer.from(text, 'latin1'));
    clock.advance(10);
  };
  return { write, got, closed: () => closed };
}

const MESSAGE = (body: string, length = 'Content-Length'): string =>
  `MESSAGE sip:a@b SIP/2.0\r\nCall-ID: 1\r\n${length}: ${body.length}\r\n\r\n${body}`;

test('messages are cut out of the stream, however it is cut into segments', () => {
  const text = `${MESSAGE('hello')}\r\n\r\n${MESSAGE('', 'l')}${MESSAGE('MESSAGE sip:a@b SIP/2.0\r\n\r\n')}`;
  const expected = [MESSAGE('hello'), '\r\n\r\n', MESSAGE('', 'l'), MESSAGE('MESSAGE sip:a@b SIP/2.0\r\n\r\n')];
  for (const size of [1, 2, 3, 7, 50, 1000]) {
    const { write, got } = stream();
    for (let at = 0; at < text.length; at += size) write(text.slice(at, at + size));
    assert.deepEqual(got, expected, `${size} octets at a time`);
  }
});

test('what is no SIP ends the connection; a message that never ends does not fill the memory', () => {
  const noise = stream();
  noise.write('GET / HTTP/1.1\r\n\r\n');
  assert.equal(noise.closed(), 'reset by the peer');
  const endless = stream();
  endless.write('MESSAGE sip:a@b SIP/2.0\r\n');
  for (let i = 0; i < 400 && endless.closed() === undefined; i++) endless.write(`X: ${'x'.repeat(1000)}\r\n`);
  assert.equal(endless.closed(), 'reset by the peer');
  assert.deepEqual(endless.got, []);
});
