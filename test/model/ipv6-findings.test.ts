import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode } from 'fttscope/kit';
import {
  addressOption,
  type Dhcpv6Option,
  codec as dhcpv6Codec,
  dhcpv6Message,
} from '../../dissectors/dhcpv6/message.js';
import {
  type NdOption,
  neighborAdvertisement,
  neighborSolicitation,
  nonceOption,
  prefixOption,
  rdnssOption,
  routerAdvertisement,
  routerSolicitation,
} from '../../dissectors/icmpv6/messages.js';
import { addressText, solicitedNode } from '../../src/live/address.js';
import { address, at, udp } from '../build/packets.js';
import { addressed, codes, finding, type Json, nd, note, Talk } from './support.js';

const [LOCAL, ROUTER, SECOND, ALL] = ['fe80::2', 'fe80::1', 'fe80::9', 'ff02::1'];
const [OWN, OTHER, SERVER] = ['2001:db8:9::2', '2001:db8:9::abcd', '2001:db8:9::1'];
const solicit = nd(LOCAL, 'ff02::2', routerSolicitation());
const ANSWER = { managed: false, other: false, preference: 0, hopLimit: 64, reachable: 0, retransmit: 0 };
const advertise = (options: readonly NdOption[], lifetime = 1800, from = ROUTER) =>
  nd(from, ALL, routerAdvertisement({ ...ANSWER, lifetime }, options));
const PREFIX = { prefix: address('2001:db8:9::'), length: 64, onLink: true, autonomous: true };
const prefix = (valid = 86_400, preferred = 14_400) => prefixOption({ ...PREFIX, valid, preferred });
const DNS = rdnssOption(1800, [address(SERVER)]);
const probe = (target: string) => {
  const octets = address(target);
  return nd('::', addressText(solicitedNode(octets)), neighborSolicitation(octets));
};
const claim = (target: string) => nd(target, ALL, neighborAdvertisement(address(target), { override: true }));
const uses = (own: string) => udp(at(own, 9), at(SERVER, 9), new Uint8Array(4));

const [REPLY, RECONFIGURE, INFORMATION_REQUEST] = [7, 10, 11];
const asks = (xid: number) =>
  udp(at(LOCAL, 546), at('ff02::1:2', 547), encode(dhcpv6Codec, dhcpv6Message(INFORMATION_REQUEST, xid)));
const says = (type: number, xid: number, options: Dhcpv6Option[] = []) =>
  udp(at(ROUTER, 547), at(LOCAL, 546), encode(dhcpv6Codec, dhcpv6Message(type, xid, options)));
const REST = [addressOption(22, address(SERVER)), addressOption(23, address(SERVER))];

/** The UE is told a prefix and takes an address of it. */
const begun = (): Talk =>
  new Talk()
    .up(0, solicit)
    .down(10, advertise([prefix(), DNS]))
    .up(20, probe(OWN));
/** The same, and it learns the rest by DHCPv6. */
const settled = (): Talk =>
  begun()
    .up(30, asks(7))
    .down(40, says(REPLY, 7, REST))
    .up(1100, uses(OWN));
const lived = (t: Talk): Promise<Json> => t.report({ end: 'none' }, 20_000);

describe('router advertisements', () => {
  test('a later one need not say all again (RFC 4861 §6.2.3), and may withdraw a prefix', async () => {
    for (const [later, expected] of [
      [[], []],
      [[prefix(0, 0)], ['slaac.withdrawn']],
    ] as const) {
      const r = await lived(settled().down(5000, advertise(later)));
      assert.deepEqual(codes(r), expected);
      assert.equal(finding(r, 'dns.no-server'), undefined);
      assert.equal(r.tunnels[0].failure, undefined);
    }
  });

  test('a prefix that is withdrawn while the UE uses it (RFC 4862 §5.5.4)', async () => {
    const withdrawn = async (t: Talk): Promise<Json> => finding(await lived(t), 'slaac.withdrawn');
    const gone = await withdrawn(settled().down(5000, advertise([prefix(7200, 0)])));
    assert.equal(gone.severity, 'warn');
    assert.match(
      gone.meaning,
      /^The prefix is 2001:db8:9::\/64\. It says valid for 7200 s, preferred for 0 s; no other/,
    );
    assert.equal(gone.rows.length, 2);
    // Another one takes its place.
    const next = prefixOption({ ...PREFIX, prefix: address('2001:db8:a::'), valid: 86_400, preferred: 14_400 });
    const renumbered = await withdrawn(settled().down(5000, advertise([prefix(0, 0), next])));
    assert.equal(renumbered.severity, 'note');
    assert.match(renumbered.meaning, /; another prefix is left\. /);
    // It comes back; nobody used it; it never was one for addresses.
    const back = settled()
      .down(5000, advertise([prefix(0, 0)]))
      .down(6000, advertise([prefix()]));
    const unused = begun().down(5000, advertise([prefix(0, 0)]));
    const first = new Talk().up(0, solicit).down(10, advertise([prefix(0, 0), next, DNS]));
    for (const fine of [back, unused, first.up(1100, uses(OWN))]) assert.equal(await withdrawn(fine), undefined);
  });

  test('a second router that is none for other networks is no matter; the only one that leaves is', async () => {
    const second = await lived(settled().down(5000, advertise([], 0, SECOND)));
    assert.deepEqual(codes(second, 0), []);
    const gone = await lived(settled().down(5000, advertise([], 0)));
    assert.deepEqual(codes(gone, 0), ['slaac.no-router']);
  });

  test('no prefix for addresses: a UE that has one all the same did not fail', async () => {
    const fixed = prefixOption({ ...PREFIX, autonomous: false, valid: 86_400, preferred: 14_400 });
    const t = new Talk().up(0, solicit).down(10, advertise([fixed]));
    assert.equal((await lived(t.copy())).tunnels[0].failure.stage, 'slaac');
    const r = await lived(
      t
        .up(30, asks(7))
        .down(40, says(REPLY, 7, REST))
        .up(50, uses(OWN)),
    );
    note(r, 'slaac.no-prefix');
    assert.equal(r.tunnels[0].failure, undefined);
  });

  test('a UE that does not probe has an address for a P-CSCF of IPv6', async () => {
    const t = addressed(new Talk()).down(50, advertise([prefix(), DNS]));
    const six = t
      .up(60, asks(7))
      .down(70, says(REPLY, 7, REST))
      .up(100, uses(OWN));
    assert.equal(finding(await lived(six), 'pcscf.family'), undefined);
    const alone = new Talk()
      .down(0, advertise([prefix(), DNS]))
      .up(10, asks(7))
      .down(20, says(REPLY, 7, REST));
    assert.deepEqual(codes(await lived(alone.up(100, uses(OWN)))), []);
  });
});

describe('duplicates', () => {
  test('an objection to the second of two probes', async () => {
    const r = await lived(settled().up(2000, probe(OTHER)).up(3000, probe(OTHER)).down(3100, claim(OTHER)));
    assert.deepEqual(codes(r), ['slaac.duplicate']);
    assert.equal(r.addressing[0].slaac.dad[1].outcome, 'duplicate');
  });

  test('a UE that takes another address is warned about', async () => {
    const t = begun()
      .up(30, asks(7))
      .down(40, says(REPLY, 7, REST))
      .down(100, claim(OWN));
    assert.equal(finding(await lived(t.copy()), 'slaac.duplicate').severity, 'error');
    const r = await lived(t.up(200, probe(OTHER)).up(1300, uses(OTHER)));
    assert.equal(finding(r, 'slaac.duplicate').severity, 'warn');
  });
});

describe('DHCPv6', () => {
  test('an answer with an error is an answer', async () => {
    const refusal = { code: 13, bytes: Uint8Array.of(0, 1) };
    const r = await lived(
      settled()
        .up(2000, asks(8))
        .down(2010, says(REPLY, 8, [refusal])),
    );
    assert.deepEqual(codes(r), ['dhcpv6.refused']);
    assert.match(finding(r, 'dhcpv6.refused').meaning, /^Its status is UnspecFail\./);
    assert.equal(r.addressing[0].dhcpv6.exchanges[1].outcome, 'refused');
  });

  test('an address that it gave is no foreign one', async () => {
    const [own, other] = ['2001:db8:77::5', '2001:db8:77::6'];
    const association = new Uint8Array(40); // IAID, T1, T2; IAADDR with its lifetimes
    association.set([0, 5, 0, 24, ...address(own), 0, 0, 14, 16, 0, 0, 28, 32], 12);
    const t = settled()
      .up(2000, asks(8))
      .down(2010, says(REPLY, 8, [{ code: 3, bytes: association }, ...REST]));
    assert.deepEqual(codes(await lived(t.up(4000, uses(own)))), []);
    assert.deepEqual(codes(await lived(t.up(4100, uses(other)))), ['inner.foreign-source']);
  });

  test('a Reconfigure is no question', async () => {
    const t = settled()
      .down(2000, says(RECONFIGURE, 0))
      .up(2010, asks(8))
      .down(2020, says(REPLY, 8, REST));
    const r = await lived(t);
    assert.deepEqual(codes(r), []);
    assert.equal(r.addressing[0].dhcpv6.exchanges.length, 2);
  });

  test('what was answered in a later exchange is a note', async () => {
    const t = begun()
      .up(30, asks(6))
      .up(9000, asks(7))
      .down(9010, says(REPLY, 7, REST));
    const r = await lived(t.up(9100, uses(OWN)));
    assert.deepEqual(codes(r), []);
    note(r, 'dhcpv6.no-answer');
  });
});

test('a probe that the link sends back, as its nonce says, is no duplicate (RFC 7527 §4.2)', async () => {
  const marked = (n: number): Uint8Array =>
    nd('::', 'ff02::1:ff00:2', neighborSolicitation(address(OWN), [nonceOption(new Uint8Array(6).fill(n))]));
  const dad = (r: Json): Json => r.addressing[0].slaac.dad[0].outcome;
  const sent = () =>
    new Talk()
      .up(0, solicit)
      .down(10, advertise([prefix(), DNS]))
      .up(20, marked(1))
      .up(40, asks(7))
      .down(50, says(REPLY, 7, REST));
  const back = await lived(sent().down(30, marked(1)).up(1100, uses(OWN)));
  assert.deepEqual(codes(back), []);
  assert.equal(dad(back), 'unique');
  const foreign = await lived(sent().down(30, marked(2)).up(1100, uses(OWN)));
  assert.deepEqual(codes(foreign), ['slaac.duplicate']);
  assert.equal(dad(foreign), 'duplicate');
});

describe('a status within an identity association (RFC 9915 §18.2.10.1, §21.4)', () => {
  const [SOLICIT, ADVERTISE, RELEASE] = [1, 2, 8];
  const NO_ADDRS_AVAIL = 2;
  const NO_BINDING = 3;
  const association = (...options: number[]): Dhcpv6Option => ({
    code: 3,
    bytes: Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, ...options),
  });
  const status = (code: number): number[] => [0, 13, 0, 2, 0, code];
  const lease = [0, 5, 0, 24, ...address(OTHER), 0, 0, 14, 16, 0, 0, 28, 32];
  const wants = (type: number) =>
    udp(at(LOCAL, 546), at('ff02::1:2', 547), encode(dhcpv6Codec, dhcpv6Message(type, 9, [association()])));
  const exchange = (r: Json): Json => r.addressing[0].dhcpv6.exchanges[1];

  test('without an address it refuses one', async () => {
    const t = settled().up(2000, wants(SOLICIT));
    const r = await lived(t.down(2010, says(ADVERTISE, 9, [association(...status(NO_ADDRS_AVAIL))])));
    assert.deepEqual(codes(r), ['dhcpv6.refused']);
    assert.match(finding(r, 'dhcpv6.refused').meaning, /^Its status is NoAddrAvail\./);
    assert.equal(exchange(r).outcome, 'refused');
  });

  test('beside an address it does not, nor where another server gives one, nor after a release', async () => {
    const t = settled()
      .up(2000, wants(SOLICIT))
      .down(2010, says(ADVERTISE, 9, [association(...lease)]));
    const beside = t.copy().down(2020, says(ADVERTISE, 9, [association(...status(NO_ADDRS_AVAIL), ...lease)]));
    const second = t.copy().down(2020, says(ADVERTISE, 9, [association(...status(NO_ADDRS_AVAIL))]));
    const released = settled().up(2000, wants(RELEASE));
    released.down(2010, says(REPLY, 9, [association(...status(NO_BINDING))]));
    for (const fine of [beside, second, released]) {
      const r = await lived(fine);
      assert.deepEqual(codes(r), []);
      assert.equal(exchange(r).outcome, 'answered');
    }
  });
});
