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
import { codec as dhcpv6Codec, dhcpv6Message } from '../../dissectors/dhcpv6/message.js';
import { type DnsMessage, codec as dnsCodec } from '../../dissectors/dns/message.js';
import { nameOctets } from '../../dissectors/dns/names.js';
import {
  mtuOption,
  type NdOption,
  neighborSolicitation,
  prefixOption,
  routerAdvertisement,
  routerSolicitation,
} from '../../dissectors/icmpv6/messages.js';
import { address, at, udp } from '../build/packets.js';
import {
  ADVERTISEMENT,
  addressed,
  CORE,
  codes,
  dhcpDown,
  dhcpUp,
  finding,
  found,
  nd,
  note,
  PREFIX,
  Talk,
  UE,
} from './support.js';

const HARDWARE = tunnelHardware(address('192.0.2.10'));

/** A DHCPv4 message of the UE or of the server, with its type and options. */
function dhcp(op: 1 | 2, type: number, options: readonly DhcpOption[], yiaddr = '0.0.0.0', hardware = HARDWARE) {
  const all = [messageTypeOption(type), ...options];
  const m = encode(dhcpCodec, dhcpMessage({ op, xid: 1, ...hardware, yiaddr: address(yiaddr), options: all }));
  return op === 1 ? udp(at('0.0.0.0', 68), at('255.255.255.255', 67), m) : udp(at(CORE, 67), at(UE, 68), m);
}
const server = (text: string) => addressOption(54, address(text));
const [DISCOVER, OFFER, REQUEST, ACK] = [1, 2, 3, 5];
const ID: DhcpOption = { code: 61, bytes: Uint8Array.of(0, 1) };
const LEASE = numberOption(51, 3600);

describe('DHCPv4', () => {
  const asked = (times: readonly number[]) => {
    const t = new Talk();
    for (const ms of times) t.up(ms, dhcpUp('discover'));
    return t;
  };

  test('repetitions at the times of RFC 2131, and at others', async () => {
    const good = await found(asked([0, 4100, 11_500, 27_800, 59_900]), 130_000);
    assert.equal(finding(good, 'dhcp.schedule'), undefined);
    const r = await found(asked([0, 1000, 2000]), 9000);
    assert.deepEqual(codes(r), ['dhcp.no-answer', 'dhcp.schedule']);
    assert.match(finding(r, 'dhcp.schedule').meaning, /^It was sent again after 1\.0 s, where 4\.0 s are due\./);
  });

  test('a renewal is repeated at times of its own (RFC 2131 §4.4.5)', async () => {
    const options = [messageTypeOption(REQUEST), ID];
    const m = dhcpMessage({ op: 1, xid: 1, ...HARDWARE, ciaddr: address(UE), options });
    const renewal = udp(at(UE, 68), at(CORE, 67), encode(dhcpCodec, m));
    const t = exchange(UE, CORE).up(1_800_000, renewal).up(1_860_000, renewal);
    assert.equal(finding(await found(t, 1_900_000), 'dhcp.schedule'), undefined);
  });

  const exchange = (wanted: string, acknowledges: string) =>
    new Talk()
      .up(0, dhcp(1, DISCOVER, [ID]))
      .down(10, dhcp(2, OFFER, [server(CORE), LEASE], UE))
      .up(20, dhcp(1, REQUEST, [ID, server(CORE), addressOption(50, address(wanted))]))
      .down(30, dhcp(2, ACK, [server(acknowledges), LEASE], UE));

  test('an address that nobody offered', async () => {
    assert.deepEqual(codes(await found(exchange(UE, CORE))), []);
    assert.deepEqual(codes(await found(exchange('10.0.0.3', CORE))), ['dhcp.unoffered']);
  });

  test('another server acknowledges', async () => {
    assert.deepEqual(codes(await found(exchange(UE, '10.0.0.254'))), ['dhcp.server-changed']);
  });

  test('a hardware address that is none of RFC 3456', async () => {
    const odd = { htype: 31, hlen: 7, chaddr: Uint8Array.of(0x40, 1, 192, 0, 2, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) };
    const r = await found(new Talk().up(0, dhcp(1, DISCOVER, [ID], '0.0.0.0', odd)));
    note(r, 'dhcp.hardware');
    assert.match(finding(r, 'dhcp.hardware').meaning, /^It is 31, and its address is 40:01:c0:00:02:0a:00\./);
    assert.equal(finding(await found(exchange(UE, CORE)), 'dhcp.hardware'), undefined);
  });
});

describe('IPv6', () => {
  const [LOCAL, ROUTER, ALL, OWN] = ['fe80::2', 'fe80::1', 'ff02::1', '2001:db8:9::2'];
  const solicit = nd(LOCAL, 'ff02::2', routerSolicitation());
  const prefix = prefixOption(PREFIX);
  const advertise = (...more: readonly NdOption[]) =>
    nd(ROUTER, ALL, routerAdvertisement(ADVERTISEMENT, [prefix, ...more]));
  const probe = nd('::', 'ff02::1:ff00:2', neighborSolicitation(address(OWN)));
  const used = udp(at(OWN, 9), at('2001:db8:9::1', 9), new Uint8Array(4));

  test('solicitations with pauses that grow, and without', async () => {
    const solicited = (times: readonly number[], beyond = 6000) => {
      const t = new Talk();
      for (const ms of times) t.up(ms, solicit);
      return t.report({ end: 'none' }, beyond);
    };
    assert.deepEqual(codes(await solicited([0, 4000, 8000], 100)), []);
    assert.deepEqual(codes(await solicited([0, 4000, 8000, 16_000], 100)), ['slaac.no-ra']);
    const patient = await solicited([0, 4000, 12_200, 28_000, 60_500]);
    assert.deepEqual(codes(patient), ['slaac.no-ra']);
    assert.equal(finding(patient, 'slaac.schedule'), undefined);
    note(await solicited([0, 4000, 8000, 12_000, 16_000]), 'slaac.schedule');
  });

  test('what an EFTF floods of other UEs, or sends back, asks for nothing', async () => {
    const t = addressed(new Talk()).down(2, dhcpUp('discover')).up(50, solicit).down(52, solicit).down(60, advertise());
    for (const ms of [1000, 5000, 9000, 17_000]) t.down(ms, dhcpUp('discover', 77)).down(ms + 50, solicit);
    const r = await t.report({ end: 'none' }, 60_000);
    assert.deepEqual(codes(r), []);
    const [{ dhcp, slaac }] = r.addressing;
    assert.equal(dhcp.exchanges.length, 1);
    assert.equal(dhcp.exchanges[0].messages.length, 4);
    assert.equal(slaac.rs, 1);
  });

  test('an MTU that is too small', async () => {
    assert.deepEqual(codes(await found(new Talk().down(0, advertise(mtuOption(1280))))), []);
    const r = await found(new Talk().down(0, advertise(mtuOption(1200))));
    assert.deepEqual(codes(r), ['slaac.mtu']);
    assert.match(finding(r, 'slaac.mtu').meaning, /^It is 1200\./);
  });

  test('an address without a probe, too soon after it, and in time', async () => {
    const t = new Talk().down(0, advertise());
    note(await found(t.copy().up(500, used)), 'slaac.no-probe');
    note(await found(t.copy().up(100, probe).up(500, used)), 'slaac.early-use');
    for (const ms of [1200, 1090]) {
      const r = await found(t.copy().up(100, probe).up(ms, used)); // the first packet may have been longer on its way
      assert.deepEqual([finding(r, 'slaac.no-probe'), finding(r, 'slaac.early-use')], [undefined, undefined]);
    }
  });

  test('DHCPv6 that is repeated at the times of RFC 9915, and at others', async () => {
    const asked = (times: readonly number[], type = 11) => {
      const ask = udp(at('fe80::2', 546), at('ff02::1:2', 547), encode(dhcpv6Codec, dhcpv6Message(type, 7)));
      const t = addressed(new Talk());
      for (const ms of times) t.up(ms, ask);
      return t.report({ end: 'none' }, 70_000);
    };
    assert.deepEqual(codes(await asked([100, 1150, 3100, 7200, 15_000])), ['dhcpv6.no-answer']);
    assert.deepEqual(codes(await asked([100, 5100])), ['dhcpv6.no-answer', 'dhcpv6.schedule']);
    // Each pause is 1.9 times the one that was, as RAND may have it; a renewal begins with 10 s (§7.6).
    assert.deepEqual(codes(await asked([100, 1100, 3000, 6610, 13_469, 26_501, 51_262])), ['dhcpv6.no-answer']);
    assert.equal(finding(await asked([100, 10_200, 31_000], 5), 'dhcpv6.schedule'), undefined);
    assert.match(finding(await asked([100, 1100], 5), 'dhcpv6.schedule').meaning, /where 10\.0 s are due/);
  });

  test('a P-CSCF of a family that the UE does not have, or of one of both', async () => {
    const other = await found(
      new Talk()
        .down(0, advertise())
        .up(100, probe)
        .up(1200, used)
        .up(1300, udp(at(OWN, 546), at('ff02::1:2', 547), encode(dhcpv6Codec, dhcpv6Message(11, 7))))
        .up(1400, dhcpUp('discover'))
        .down(1410, dhcpDown('offer')),
    );
    assert.deepEqual(codes(other), ['pcscf.family']);
    assert.match(finding(other, 'pcscf.family').meaning, /has IPv4 addresses only, and the UE has none/);
    const both = await found(addressed(new Talk()).down(100, advertise()).up(200, probe).up(1300, used));
    assert.deepEqual(codes(both), []);
    note(both, 'pcscf.family');
  });
});

describe('names', () => {
  const NAME = 'pcscf.ims.example';
  const named: DhcpOption = { code: 120, bytes: Uint8Array.of(0, ...nameOctets(NAME)) };
  const told = (...options: readonly DhcpOption[]) =>
    new Talk()
      .up(0, dhcp(1, DISCOVER, [ID]))
      .down(10, dhcp(2, OFFER, [server(CORE), LEASE, ...options], UE))
      .up(20, dhcp(1, REQUEST, [ID, server(CORE), addressOption(50, address(UE))]))
      .down(30, dhcp(2, ACK, [server(CORE), LEASE, ...options], UE));
  const [PORT, DNS] = [at(UE, 30_053), at(CORE, 53)];
  const message = (flags: number): DnsMessage => ({
    id: 1,
    flags,
    questions: [{ name: nameOctets(NAME), type: 1, class: 1 }],
    answers: [],
    authorities: [],
    additional: [],
    rest: new Uint8Array(0),
  });
  const dns = (flags: number) => encode(dnsCodec, message(flags));
  const SERVER = addressOption(6, address(CORE));

  test('that of the P-CSCF is unknown, or nobody answers for it', async () => {
    const t = told(named, SERVER).up(100, udp(PORT, DNS, dns(0x0100)));
    const r = await found(t.copy().down(110, udp(DNS, PORT, dns(0x8183))));
    assert.deepEqual(codes(r), ['pcscf.unresolved']);
    assert.match(r.findings[0].meaning, /^The question for pcscf\.ims\.example got code 3\./);
    assert.equal(r.tunnels[0].failure.stage, 'pcscf');
    assert.deepEqual(codes(await t.report({ end: 'none' }, 8000)), ['pcscf.unresolved']);
  });

  test('there is nobody to ask', async () => {
    assert.deepEqual(codes(await told(named).report({ end: 'none' }, 8000)), ['dns.no-server']);
    assert.deepEqual(codes(await told(named, SERVER).report({ end: 'none' }, 8000)), []);
    const needless = await addressed(new Talk()).report({ end: 'none' }, 8000);
    note(needless, 'dns.no-server');
  });
});
