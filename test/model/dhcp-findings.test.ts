import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode } from 'fttscope/kit';
import {
  addressOption,
  type DhcpOption,
  codec as dhcpCodec,
  dhcpMessage,
  messageTypeOption,
  numberOption,
  tunnelHardware,
} from '../../dissectors/dhcp/message.js';
import { CaptureBuilder, type Shaper } from '../build/capture.js';
import { clearConversation } from '../build/conversation.js';
import { address, at, udp } from '../build/packets.js';
import { only } from '../build/shape.js';
import { CORE, codes, ENDS, finding, type Json, note, registered, reportOn, Talk, UE } from './support.js';

const HARDWARE = tunnelHardware(address('192.0.2.10'));
const OTHER = '10.0.0.254';
const [DISCOVER, OFFER, REQUEST, ACK, NAK, INFORM] = [1, 2, 3, 5, 6, 8];
const ID: DhcpOption = { code: 61, bytes: Uint8Array.of(0, 1) };
const PCSCF: DhcpOption = { code: 120, bytes: Uint8Array.of(1, 10, 0, 0, 1) };

/** A message of the UE; `has`: the address that it has already. */
function asks(xid: number, type: number, has = '0.0.0.0', more: readonly DhcpOption[] = []): Uint8Array {
  const options = [messageTypeOption(type), ID, ...more];
  const m = encode(dhcpCodec, dhcpMessage({ op: 1, xid, ...HARDWARE, ciaddr: address(has), options }));
  return udp(at(has, 68), at(has === '0.0.0.0' ? '255.255.255.255' : CORE, 67), m);
}

/** A message of a server; `gives`: the address of the UE, where it is one of a lease. */
function says(
  xid: number,
  type: number,
  server = CORE,
  gives = '0.0.0.0',
  more: readonly DhcpOption[] = [],
): Uint8Array {
  const lease = gives === '0.0.0.0' ? [] : [numberOption(51, 3600)];
  const rest = type === NAK ? [] : [PCSCF, addressOption(6, address(CORE))];
  const options = [messageTypeOption(type), addressOption(54, address(server)), ...lease, ...rest, ...more];
  const m = encode(dhcpCodec, dhcpMessage({ op: 2, xid, ...HARDWARE, yiaddr: address(gives), options }));
  return udp(at(server, 67), at(gives === '0.0.0.0' ? UE : gives, 68), m);
}

const selects = (xid: number) =>
  asks(xid, REQUEST, undefined, [addressOption(54, address(CORE)), addressOption(50, address(UE))]);

/** Four messages in 40 ms, and `late` among or after them. */
const bound = (late: readonly (readonly [number, Uint8Array])[] = []): Talk => {
  const t = new Talk()
    .up(0, asks(1, DISCOVER))
    .down(10, says(1, OFFER, CORE, UE))
    .up(20, selects(1));
  t.down(30, says(1, ACK, CORE, UE));
  for (const [ms, packet] of late) t.down(ms, packet);
  return t;
};

/** The UE and the other side send a packet each. */
const used = (t: Talk, ms: number, own = UE): Talk =>
  t
    .up(ms, udp(at(own, 9), at(CORE, 9), new Uint8Array(4)))
    .down(ms + 1, udp(at(CORE, 9), at(own, 9), new Uint8Array(4)));

/** The report of a tunnel that still is there after so many milliseconds. */
const lived = (t: Talk, beyond = 20_000): Promise<Json> => t.report({ end: 'none' }, beyond);

/** Outcome, address and server of each exchange. */
const told = (r: Json): unknown =>
  r.addressing[0].dhcp.exchanges.map((e: Json) => [e.outcome, e.address, e.server].join(' '));

describe('several DHCP servers', () => {
  test('an offer that comes after the client has chosen, and after it has its answer', async () => {
    for (const ms of [25, 35]) {
      const r = await lived(used(bound([[ms, says(1, OFFER, OTHER, '10.0.9.9')]]), 100));
      assert.deepEqual(codes(r), []);
      assert.deepEqual(told(r), ['bound 10.0.0.2 10.0.0.1']);
    }
  });

  test('a late offer is no answer to a request', async () => {
    const t = new Talk()
      .up(0, asks(1, DISCOVER))
      .down(10, says(1, OFFER, CORE, UE))
      .up(20, selects(1));
    t.down(25, says(1, OFFER, OTHER, '10.0.9.9'))
      .up(4020, selects(1))
      .up(12_020, selects(1));
    const r = await lived(t);
    assert.deepEqual(codes(r), ['dhcp.no-ack']);
    assert.match(finding(r, 'dhcp.no-ack').meaning, /^3 messages of transaction 0x00000001 got no answer\./);
  });

  test('one acknowledges an address, and then another refuses it', async () => {
    const r = await lived(used(bound([[40, says(1, NAK, OTHER)]]), 100));
    assert.deepEqual(codes(r), []);
    assert.deepEqual(told(r), ['bound 10.0.0.2 10.0.0.1']);
  });

  test('another one prolongs the lease, which the client asks all of them for (RFC 2131 §4.4.5)', async () => {
    const t = bound()
      .up(3150, asks(1, REQUEST, UE))
      .down(3160, says(1, ACK, OTHER, UE));
    const r = await lived(used(t, 3200));
    assert.deepEqual(codes(r), []);
    assert.deepEqual(told(r), ['bound 10.0.0.2 10.0.0.254']);
  });
});

test('an acknowledgment by a server that was not asked is strange, an offer of it is not', async () => {
  const late = async (type: number): Promise<Json> => {
    const t = new Talk()
      .up(0, asks(1, DISCOVER))
      .down(10, says(1, OFFER, CORE, UE))
      .up(20, selects(1))
      .down(25, says(1, type, OTHER, UE));
    return finding(await lived(t.down(30, says(1, ACK, CORE, UE))), 'dhcp.server-changed');
  };
  assert.equal(await late(OFFER), undefined);
  assert.equal((await late(ACK)).severity, 'warn');
});

test('one side alone does not show that nobody answers', async () => {
  const t = new Talk().up(0, asks(1, DISCOVER)).up(4000, asks(1, DISCOVER)).up(12_000, asks(1, DISCOVER));
  const r = async (shape: readonly Shaper[]): Promise<Json> => {
    const builder = new CaptureBuilder({ shape }).connection(clearConversation(t.steps), { ...ENDS, end: 'none' });
    return reportOn(
      builder.packet(udp(at('192.0.2.99', 9), at('192.0.2.98', 9), new Uint8Array(1)), 30_000).build().octets,
    );
  };
  const half = await r([only(0)]);
  assert.equal(finding(half, 'dhcp.no-answer').confidence, 'possible');
  assert.equal(half.tunnels[0].failure, undefined);
  const whole = await r([]);
  assert.equal(finding(whole, 'dhcp.no-answer').confidence, 'certain');
  assert.equal(whole.tunnels[0].failure.stage, 'dhcp');
});

test('a refusal is told with what the server says (RFC 2132 §9.9), and whether it had offered the address', async () => {
  const full: DhcpOption = { code: 56, bytes: new TextEncoder().encode('pool is full') };
  const refused = async (t: Talk, more: readonly DhcpOption[] = []): Promise<string> =>
    finding(await lived(t.down(30, says(1, NAK, CORE, '0.0.0.0', more))), 'dhcp.nak').meaning;
  const offered = (): Talk =>
    new Talk()
      .up(0, asks(1, DISCOVER))
      .down(10, says(1, OFFER, CORE, UE))
      .up(20, selects(1));
  assert.match(
    await refused(offered(), [full]),
    /^The server says: pool is full\. It had offered the address itself\. The client may not/,
  );
  assert.match(await refused(offered()), /^It had offered the address itself\. The client may not/);
  assert.match(await refused(new Talk().up(20, selects(1))), /^The client may not/);
});

describe('after the UE has an address', () => {
  test('it is refused on renewal: an error, unless another one is given', async () => {
    const t = bound()
      .up(1000, asks(2, REQUEST, UE))
      .down(1010, says(2, NAK));
    const r = await lived(t.copy());
    assert.deepEqual(codes(r), ['dhcp.nak']);
    assert.equal(r.tunnels[0].failure, undefined);
    t.up(1020, asks(3, DISCOVER))
      .down(1030, says(3, OFFER, CORE, UE))
      .up(1040, selects(3));
    assert.deepEqual(codes(await lived(t.down(1050, says(3, ACK, CORE, UE)))), []);
  });

  test('it gets another one, and sent from both', async () => {
    const t = used(bound(), 100)
      .up(1000, asks(1, REQUEST, UE))
      .down(1010, says(1, ACK, CORE, '10.0.0.77'));
    assert.deepEqual(codes(await lived(used(t, 1100, '10.0.0.77'))), []);
    const r = await lived(used(t, 1200, '10.0.0.78'));
    assert.deepEqual(codes(r), ['inner.foreign-source', 'inner.foreign-destination']);
  });

  test('nobody prolongs the lease, in an exchange of its own or not: it has the address all the same', async () => {
    for (const xid of [1, 2]) {
      const t = bound().up(1000, asks(xid, REQUEST, UE));
      assert.deepEqual(codes(await lived(t.copy())), ['dhcp.no-renewal']);
      if (xid === 1) continue;
      const r = await lived(t.up(9000, asks(3, REQUEST, UE)).down(9010, says(3, ACK, OTHER, UE)));
      note(r, 'dhcp.no-renewal');
    }
    const late = await lived(used(new Talk(), 0).up(1000, asks(2, REQUEST, UE)));
    assert.deepEqual(codes(late), ['dhcp.no-renewal']);
    assert.equal(late.tunnels[0].failure, undefined);
  });

  test('it asks for the rest: nobody answers, or two servers do', async () => {
    const t = new Talk().up(0, asks(1, INFORM, UE));
    const silent = await lived(t.copy().up(4000, asks(1, INFORM, UE)));
    assert.deepEqual(codes(silent), ['dhcp.no-inform']);
    assert.match(finding(silent, 'dhcp.no-inform').meaning, /^2 messages of transaction 0x00000001 got no answer\./);
    assert.equal(silent.tunnels[0].failure, undefined);
    const r = await lived(t.down(10, says(1, ACK)).down(20, says(1, ACK, OTHER)));
    assert.deepEqual(codes(r), []);
    assert.deepEqual(told(r), ['informed  10.0.0.1']);
  });
});

test('a server that knows BOOTP alone gives an address for ever (RFC 1534 §2), if the UE takes it', async () => {
  const reply = dhcpMessage({
    op: 2,
    xid: 1,
    ...HARDWARE,
    yiaddr: address(UE),
    options: [PCSCF, addressOption(6, address(CORE))],
  });
  const given = (): Talk =>
    new Talk().up(0, asks(1, DISCOVER)).down(10, udp(at(CORE, 67), at(UE, 68), encode(dhcpCodec, reply)));
  const r = await lived(used(given(), 100));
  assert.deepEqual(codes(r), []);
  assert.equal(r.tunnels[0].failure, undefined);
  assert.deepEqual(told(r), ['bound 10.0.0.2 ']);
  const refused = await lived(given().up(4000, asks(1, DISCOVER)).up(12_000, asks(1, DISCOVER)));
  assert.deepEqual(codes(refused), ['dhcp.no-answer']);
  assert.equal(refused.tunnels[0].failure.stage, 'dhcp');
});

test('who has asked again and again had no answer, also where the capture ends soon after the last time', async () => {
  const asked = async (...times: readonly number[]): Promise<Json> => {
    const t = new Talk();
    for (const ms of times) t.up(ms, asks(1, DISCOVER));
    return t.report({ end: 'none' }, 500);
  };
  assert.deepEqual(codes(await asked(0, 4000)), []);
  const r = await asked(0, 4000, 12_000);
  assert.deepEqual([codes(r), told(r)], [['dhcp.no-answer'], ['unanswered  ']]);
  assert.equal(r.tunnels[0].failure.stage, 'dhcp');
});

test('what the offer names and the acknowledgment does not, the UE need not know (RFC 2131 §4.4.1)', async () => {
  const t = new Talk()
    .up(0, asks(1, DISCOVER))
    .down(10, says(1, OFFER, CORE, UE))
    .up(20, selects(1));
  const options = [
    messageTypeOption(ACK),
    addressOption(54, address(CORE)),
    numberOption(51, 3600),
    addressOption(6, address(CORE)),
  ];
  const bare = dhcpMessage({ op: 2, xid: 1, ...HARDWARE, yiaddr: address(UE), options });
  t.down(30, udp(at(CORE, 67), at(UE, 68), encode(dhcpCodec, bare)));
  const r = await lived(used(t.copy(), 100));
  assert.deepEqual(codes(r), ['pcscf.none']);
  assert.deepEqual(r.addressing[0].dhcp.exchanges[0].pcscf, []);
  const registers = await lived(registered(t));
  assert.equal(registers.tunnels[0].pcscf.source, 'dhcp');
  assert.deepEqual(codes(registers), []);
});
