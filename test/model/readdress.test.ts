import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encode } from 'fttscope/kit';
import {
  addressOption,
  codec as dhcpCodec,
  dhcpMessage,
  messageTypeOption,
  numberOption,
  tunnelHardware,
} from '../../dissectors/dhcp/message.js';
import { address, at, udp } from '../build/packets.js';
import {
  BOB,
  both,
  CORE,
  CORE_MEDIA,
  called,
  codes,
  finding,
  type Json,
  registered,
  type SipParts,
  sdp,
  sip,
  speech,
  Talk,
  UE,
} from './support.js';

/** A UE that loses its address in the middle of a call. */

const HARDWARE = tunnelHardware(address('192.0.2.10'));
const OTHER = '10.0.0.77';
const [DISCOVER, OFFER, REQUEST, ACK, NAK] = [1, 2, 3, 5, 6];
const LOST = 'dhcp.address-lost';

const dhcpUp = (xid: number, type: number, has = '0.0.0.0'): Uint8Array => {
  const options = [messageTypeOption(type), { code: 61, bytes: Uint8Array.of(0, 1) }];
  const m = encode(dhcpCodec, dhcpMessage({ op: 1, xid, ...HARDWARE, ciaddr: address(has), options }));
  return udp(at(has, 68), at(has === '0.0.0.0' ? '255.255.255.255' : CORE, 67), m);
};
const dhcpDown = (xid: number, type: number, gives = '0.0.0.0'): Uint8Array => {
  const lease = gives === '0.0.0.0' ? [] : [numberOption(51, 60), addressOption(6, address(CORE))];
  const pcscf = gives === '0.0.0.0' ? [] : [{ code: 120, bytes: Uint8Array.of(1, 10, 0, 0, 1) }];
  const options = [messageTypeOption(type), addressOption(54, address(CORE)), ...lease, ...pcscf];
  const m = encode(dhcpCodec, dhcpMessage({ op: 2, xid, ...HARDWARE, yiaddr: address(gives), options }));
  return udp(at(CORE, 67), at(gives === '0.0.0.0' ? UE : gives, 68), m);
};
const bound = (t: Talk, ms: number, xid: number, gives: string): Talk =>
  t
    .up(ms, dhcpUp(xid, DISCOVER))
    .down(ms + 10, dhcpDown(xid, OFFER, gives))
    .up(ms + 20, dhcpUp(xid, REQUEST))
    .down(ms + 30, dhcpDown(xid, ACK, gives));

/** A call with speech until half of the lease is over, when the UE asks for more of it. */
const asking = (): Talk =>
  both(called(registered(bound(new Talk(), 0, 1, UE)), 1000, 0, false), 1210, 1440).up(30_000, dhcpUp(2, REQUEST, UE));

/** A message of the UE, or to it, where it has its new address. */
const moved = (what: string, p: SipParts, way: 'up' | 'down'): Uint8Array => {
  const octets = sip(what, p).subarray(28);
  const [own, core] = [at(OTHER, 5060), at(CORE, 5060)];
  return way === 'up' ? udp(own, core, octets) : udp(core, own, octets);
};
/** Speech of a stream that goes on from there. */
function speaking(t: Talk, ms: number, n: number): Talk {
  const own = at(OTHER, 30_000);
  for (let i = 0; i < n; i++) {
    t.up(ms + 20 * i, speech(own, CORE_MEDIA, 1440 + i, 1));
    t.down(ms + 20 * i + 5, speech(CORE_MEDIA, own, 1440 + i, 2));
  }
  return t;
}

const lived = (t: Talk): Promise<Json> => t.report({ end: 'none' }, 1000);

describe('a lease that is asked for again in a call', () => {
  test('and goes on is nothing', async () => {
    const t = asking().down(30_050, dhcpDown(2, ACK, UE));
    assert.equal(finding(await lived(t), LOST), undefined);
  });

  test('and is refused takes the call with it', async () => {
    const f = finding(await lived(asking().down(30_050, dhcpDown(2, NAK))), LOST);
    assert.equal(f.severity, 'error');
    assert.match(
      f.meaning,
      /^10\.0\.0\.2 was refused, and no other followed\. Call 1 had been up for 28\.9 s, and nothing/,
    );
    assert.deepEqual(
      f.refs.map((x: Json) => `${x.kind} ${x.id}`),
      ['tunnel 1', 'call 1'],
    );
  });

  test('and is followed by another address that the other side is not told of', async () => {
    const t = speaking(bound(asking().down(30_050, dhcpDown(2, NAK)), 30_100, 3, OTHER), 30_200, 100);
    const r = await lived(t);
    assert.equal(codes(r)[0], LOST);
    assert.match(
      finding(r, LOST).meaning,
      /^It was 10\.0\.0\.2, and 10\.0\.0\.77 was given after a refusal\. Call 1 .* It did not register anew\./,
    );
  });

  test('and is followed by another address, registered and told to the other side, does no harm', async () => {
    const p = { callId: 'reg-1@10.0.0.2', from: 'sip:alice@ims.example', to: 'sip:alice@ims.example', cseq: 3 };
    const contact = { headers: [['Contact', `<sip:alice@${OTHER}:5060>;expires=3600`]] } as const;
    const t = bound(asking().down(30_050, dhcpDown(2, NAK)), 30_100, 3, OTHER)
      .up(30_140, moved('REGISTER sip:ims.example', { ...p, ...contact }, 'up'))
      .down(30_150, moved('200 OK REGISTER', { ...p, toTag: 'r', ...contact }, 'down'))
      .up(30_160, moved(`INVITE ${BOB}`, { toTag: 'b', cseq: 2, sdp: sdp(OTHER, 30_000) }, 'up'))
      .down(30_170, moved('200 OK INVITE', { toTag: 'b', cseq: 2, sdp: sdp(CORE, 40_000) }, 'down'))
      .up(30_180, moved(`ACK ${BOB}`, { toTag: 'b', cseq: 2 }, 'up'));
    speaking(t, 30_200, 100)
      .up(32_300, moved(`BYE ${BOB}`, { toTag: 'b', cseq: 3 }, 'up'))
      .down(32_310, moved('200 OK BYE', { toTag: 'b', cseq: 3 }, 'down'));
    const r = await lived(t);
    assert.deepEqual([codes(r), finding(r, LOST).severity], [[], 'note']);
  });

  test('and is answered with another address, which the UE passes over', async () => {
    const t = both(asking().down(30_050, dhcpDown(2, ACK, OTHER)), 30_100, 100);
    const f = finding(await lived(t), LOST);
    assert.equal(f.severity, 'warn');
    assert.match(f.meaning, /^It was 10\.0\.0\.2, and 10\.0\.0\.77 was given\. The UE does not use that\. What/);
    assert.deepEqual(f.refs, [{ kind: 'tunnel', id: 1 }]);
  });
});

describe('a lease of 60 s that is not renewed', () => {
  const EXPIRED = 'dhcp.lease-expired';
  const told = async (t: Talk, beyond = 1000) => finding(await t.report({ end: 'none' }, beyond), EXPIRED);
  const start = (): Talk => registered(bound(new Talk(), 0, 1, UE));
  const renewed = (t: Talk, ms: number): Talk => t.up(ms, dhcpUp(2, REQUEST, UE)).down(ms + 10, dhcpDown(2, ACK, UE));

  test('runs out in a call', async () => {
    const f = await told(both(called(start(), 1000, 0, false), 1210, 4000));
    assert.match(f.meaning, /^It was for 60 s, and the tunnel went on 22 s longer\. Call 1 was on then\./);
    assert.deepEqual(
      f.refs.map((x: Json) => `${x.kind} ${x.id}`),
      ['tunnel 1', 'call 1'],
    );
    const over = await told(both(called(start(), 1000, 20_000), 1210, 90), 60_000);
    assert.doesNotMatch(over.meaning, /Call/);
  });

  test('in time, although it is after that', async () => {
    const f = await told(renewed(start(), 75_000));
    assert.match(f.meaning, /^It was for 60 s, and it was renewed 15 s after that\./);
    assert.equal(await told(renewed(start(), 30_000), 40_000), undefined);
  });
});

test('a UE that sends its media from another address all at once, which no description names', async () => {
  const MOVED = 'media.moved';
  const start = (): Talk => both(called(registered(new Talk()), 1000, 0, false), 1210, 1440);
  const f = finding(await lived(speaking(start(), 30_100, 100)), MOVED);
  assert.equal(f.severity, 'warn');
  assert.match(f.meaning, /^They came from 10\.0\.0\.2 before, and from 10\.0\.0\.77 now\. No session description/);
  assert.deepEqual(
    f.refs.map((x: Json) => x.kind),
    ['media', 'call', 'tunnel'],
  );
  // It says so.
  const again = { toTag: 'b', cseq: 2 } as const;
  const asked = start()
    .up(30_020, moved(`INVITE ${BOB}`, { ...again, sdp: sdp(OTHER, 30_000) }, 'up'))
    .down(30_030, moved('200 OK INVITE', { ...again, sdp: sdp(CORE, 40_000) }, 'down'))
    .up(30_040, moved(`ACK ${BOB}`, again, 'up'));
  assert.equal(finding(await lived(speaking(asked, 30_100, 100)), MOVED), undefined);
  // From the first packet on: translated, or wrong, but no change.
  const other = called(registered(new Talk()), 1000, 0, false);
  assert.equal(finding(await lived(speaking(other, 1300, 100)), MOVED), undefined);
});
