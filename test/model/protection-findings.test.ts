import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { put32 } from 'fttscope/kit';
import { address, at, ip, udp } from '../build/packets.js';
import {
  addressed,
  CORE,
  called,
  codes,
  finding,
  found,
  note,
  registered,
  type SipParts,
  sdp,
  sip,
  Talk,
  UE,
} from './support.js';

const P = { callId: 'reg-7@10.0.0.2', to: 'sip:alice@ims.example' };
const contact = (seconds = 3600) => ['Contact', `<sip:alice@10.0.0.2>;expires=${seconds}`] as const;
const ask = (cseq: number, headers: SipParts['headers'] = []) =>
  sip('REGISTER sip:ims.example', { ...P, cseq, headers: [contact(), ...headers] });
const tell = (what: string, cseq: number, headers: SipParts['headers'] = []) =>
  sip(`${what} REGISTER`, { ...P, cseq, toTag: 'r', headers }, 'down');

const OFFER = 'ipsec-3gpp; alg=hmac-sha-1-96; ealg=null; spi-c=1001; spi-s=1002; port-c=5062; port-s=5064';
const ANSWER = 'ipsec-3gpp; alg=hmac-sha-1-96; ealg=null; spi-c=2001; spi-s=2002; port-c=6062; port-s=6064';
const CHALLENGE = ['WWW-Authenticate', 'Digest realm="ims.example", nonce="n", algorithm=MD5'] as const;

/** A registration with a security agreement whose second REGISTER goes between these ports. */
function agreed(sport: number, dport: number, change = (packet: Uint8Array): Uint8Array => packet): Talk {
  const second = ask(2, [
    ['Security-Client', OFFER],
    ['Security-Verify', ANSWER],
  ]);
  return addressed(new Talk())
    .up(100, ask(1, [['Security-Client', OFFER]]))
    .down(120, tell('401 Unauthorized', 1, [CHALLENGE, ['Security-Server', ANSWER]]))
    .up(140, change(udp(at(UE, sport), at(CORE, dport), second.subarray(28))))
    .down(160, tell('200 OK', 2, [contact()]));
}

/** A packet of ESP with something that nobody can read. */
function esp(way: 'up' | 'down', spi: number, sequence: number): Uint8Array {
  const b = new Uint8Array(60).fill(0xa5);
  put32(b, 0, spi);
  put32(b, 4, sequence);
  const ends = [address(UE), address(CORE)] as const;
  return way === 'up' ? ip(ends[0], ends[1], 50, b) : ip(ends[1], ends[0], 50, b);
}

describe('security agreements', () => {
  test('a protected REGISTER on the ports of the association, and past them', async () => {
    assert.deepEqual(codes(await found(agreed(5062, 6064))), []);
    assert.deepEqual(codes(await found(agreed(5060, 5060))), ['sip.outside-association']);
  });

  test('an address that is translated while ESP is in transport mode', async () => {
    const r = await found(
      agreed(5062, 6064, (packet) => {
        const text = Buffer.from(packet.subarray(28)).toString('latin1').replace('UDP 10.0.0.2:', 'UDP 10.7.7.7:');
        return udp(at(UE, 5062), at(CORE, 6064), Buffer.from(text, 'latin1'));
      }),
    );
    assert.deepEqual(codes(r), ['sip.nat-transport']);
    assert.match(r.findings[0].meaning, /^The Via names 10\.7\.7\.7, and the packet came from 10\.0\.0\.2\./);
  });

  describe('a second authentication (TS 33.203 §7.4)', () => {
    const offer = OFFER.replace('1001', '1003').replace('1002', '1004').replace('5062', '5066');
    const answer = ANSWER.replace('2001', '2003').replace('2002', '2004').replace('6062', '6066');
    const on = (packet: Uint8Array, sport: number) => udp(at(UE, sport), at(CORE, 6064), packet.subarray(28));
    const request = (cseq: number, client: string, verify: string) =>
      ask(cseq, [
        ['Security-Client', client],
        ['Security-Verify', verify],
      ]);
    /** The refresh goes over what is in force, and names what shall be; its answer challenges the UE anew. */
    const again = () =>
      agreed(5062, 6064)
        .up(300, on(request(3, offer, ANSWER), 5062))
        .down(320, tell('401 Unauthorized', 3, [CHALLENGE, ['Security-Server', answer]]));
    const done = (t: Talk, cseq: number) => t.down(500, tell('200 OK', cseq, [contact()]));

    test('with new SPIs and ports', async () => {
      const t = done(again().up(340, on(request(4, offer, answer), 5066)), 4);
      const r = await found(t.up(600, esp('up', 2004, 1)).up(610, esp('up', 2002, 1)));
      assert.deepEqual(codes(r), []);
      assert.equal(r.registrations[0].secAgree.verified, true);
    });

    test('whose challenge does not arrive: the UE asks again over the old association', async () => {
      const r = await found(done(again().up(340, on(request(4, offer, ANSWER), 5062)), 4));
      assert.deepEqual(codes(r), []);
    });

    test('that repeats the old offer over the new association', async () => {
      const r = await found(done(again().up(340, on(request(4, offer, ANSWER), 5066)), 4));
      assert.deepEqual(codes(r), ['sip.security-mismatch']);
    });

    test('that goes over neither', async () => {
      const r = await found(done(again().up(340, on(request(4, offer, answer), 5060)), 4));
      assert.deepEqual(codes(r), ['sip.outside-association']);
    });
  });
});

describe('a challenge without Security-Server (TS 24.229 §5.1.1.5.1)', () => {
  const AKA = [
    'WWW-Authenticate',
    `Digest realm="ims.example", nonce="${'A'.repeat(43)}=", algorithm=AKAv1-MD5`,
  ] as const;
  const offer = [['Security-Client', OFFER]] as const;
  const first = (challenge: readonly [string, string] = AKA) =>
    addressed(new Talk())
      .up(100, ask(1, offer))
      .down(120, tell('401 Unauthorized', 1, [challenge]));

  test('ends the registration, and the UE is not to blame', async () => {
    const r = await found(first(), 60_000);
    assert.equal(r.registrations[0].state, 'failed');
    assert.deepEqual(codes(r), ['sip.no-security-server']);
    assert.equal(r.findings[0].severity, 'error');
  });

  test('is a note where the UE goes on without an association', async () => {
    const r = await found(
      first()
        .up(140, ask(2, offer))
        .down(160, tell('200 OK', 2, [contact()])),
    );
    assert.deepEqual(codes(r), []);
    note(r, 'sip.no-security-server');
    // Who challenges for a password means none.
    const plain = await found(
      first(CHALLENGE)
        .up(140, ask(2, offer))
        .down(160, tell('200 OK', 2, [contact()])),
    );
    assert.equal(finding(plain, 'sip.no-security-server'), undefined);
  });

  test('is told of where there was an association', async () => {
    const verify = ['Security-Verify', ANSWER] as const;
    const over = (cseq: number) => udp(at(UE, 5062), at(CORE, 6064), ask(cseq, [...offer, verify]).subarray(28));
    const t = agreed(5062, 6064)
      .up(300, over(3))
      .down(320, tell('401 Unauthorized', 3, [AKA]))
      .up(340, over(4))
      .down(360, tell('200 OK', 4, [contact()]));
    const r = await found(t);
    assert.deepEqual(codes(r), ['sip.no-security-server']);
    assert.match(r.findings[0].meaning, /^The associations of the last registration were in force\./);
  });
});

describe('ESP in a tunnel', () => {
  test('that nobody has keys for is counted', async () => {
    const t = agreed(5062, 6064)
      .up(200, esp('up', 2002, 1))
      .up(210, esp('up', 2002, 2))
      .down(220, esp('down', 1001, 1));
    const r = await found(t);
    assert.deepEqual(codes(r), []);
    note(r, 'esp.no-keys');
    assert.match(
      finding(r, 'esp.no-keys').meaning,
      /^3 packets stay shut, of the SPIs 0x000007d2 \(up, 2\), 0x000003e9 \(down, 1\)\./,
    );
  });

  test('of an SPI that was not agreed on', async () => {
    const r = await found(agreed(5062, 6064).up(200, esp('up', 77, 1)));
    assert.deepEqual(codes(r), ['esp.unknown-spi']);
    assert.equal(finding(await found(addressed(new Talk()).up(200, esp('up', 77, 1))), 'esp.unknown-spi'), undefined);
  });

  test('of an SPI that was used before, with other keys: its numbers begin anew', async () => {
    const t = agreed(5062, 6064);
    for (const [i, n] of [1, 2, 3].entries()) t.down(200 + i, esp('down', 1001, n));
    for (const [i, n] of [1, 2, 3].entries()) t.down(5000 + i, esp('down', 1001, n));
    assert.deepEqual(codes(await found(t)), []);
  });

  test('with numbers that are missing, and that come again', async () => {
    const t = agreed(5062, 6064);
    for (const [i, n] of [1, 2, 6, 6, 7].entries()) t.down(200 + i, esp('down', 1001, n));
    const r = await found(t);
    assert.deepEqual(codes(r), ['esp.wrong-sequence']);
    assert.match(r.findings[0].meaning, /^Of 0x000003e9, 3 are missing, and 1 came again or late\./);
  });

  test('in UDP too', async () => {
    const packet = udp(at(UE, 4500), at(CORE, 4500), esp('up', 77, 1).subarray(20));
    assert.deepEqual(codes(await found(agreed(5062, 6064).up(200, packet))), ['esp.unknown-spi']);
  });
});

describe('registrations', () => {
  const refreshed = (seconds: number, afterMs: number) => {
    const t = addressed(new Talk())
      .up(100, ask(1))
      .down(120, tell('200 OK', 1, [contact(seconds)]));
    return found(t.up(afterMs, ask(2)).down(afterMs + 20, tell('200 OK', 2, [contact(seconds)])));
  };

  test('a refresh half-way, or 600 s before the end, and a later one', async () => {
    assert.equal(finding(await refreshed(1000, 505_000), 'sip.refresh-late'), undefined);
    note(await refreshed(1000, 700_000), 'sip.refresh-late');
    assert.equal(finding(await refreshed(3000, 2_400_000), 'sip.refresh-late'), undefined);
    const r = await refreshed(3000, 2_800_000);
    assert.match(finding(r, 'sip.refresh-late').meaning, /^It came 400 s after it was due\./);
  });

  test('an interval that is too brief', async () => {
    const t = addressed(new Talk())
      .up(100, ask(1))
      .down(120, tell('423 Interval Too Brief', 1, [['Min-Expires', '1800']]));
    const r = await found(t.copy());
    assert.deepEqual(codes(r), ['sip.interval-brief']);
    assert.match(r.findings[0].meaning, /^The network wants 1800 s at least\./);
    note(await found(t.up(140, ask(2)).down(160, tell('200 OK', 2, [contact()]))), 'sip.interval-brief');
  });

  test('a UE that is sent away, or has to register anew', async () => {
    for (const what of ['305 Use Proxy', '504 Server Time-out']) {
      const r = await found(addressed(new Talk()).up(100, ask(1)).down(120, tell(what, 1)));
      assert.deepEqual(codes(r), ['sip.restoration'], what);
      // 504 comes for other reasons, too (RFC 3261 §21.5.5).
      assert.equal(r.findings[0].confidence, what.startsWith('305') ? 'certain' : 'possible');
    }
    const body =
      '<ims-3gpp version="1"><alternative-service><type>restoration</type><reason/><action>initial-registration</action></alternative-service></ims-3gpp>';
    const t = registered(addressed(new Talk()))
      .up(1000, sip('INVITE sip:bob@ims.example', { sdp: sdp(UE, 30_000) }))
      .down(1100, sip('504 Server Time-out INVITE', { toTag: 'b', sdp: body }, 'down'))
      .up(1110, sip('ACK sip:bob@ims.example', { toTag: 'b' }));
    assert.deepEqual(codes(await found(t)), ['sip.restoration', 'call.server-failure']); // cause before consequence
  });

  test('how long a repetition waited is told', async () => {
    const t = addressed(new Talk()).up(100, ask(1)).up(600, ask(1)).up(1600, ask(1));
    const r = await found(t.down(1700, tell('200 OK', 1, [contact()])));
    assert.match(finding(r, 'sip.register-retransmitted').meaning, /the first after 0\.5 s: T1 is 2 s in IMS/);
  });

  test('SIP that is compressed', async () => {
    const octets = Uint8Array.of(0xf9, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    note(await found(addressed(new Talk()).up(100, udp(at(UE, 5060), at(CORE, 5060), octets))), 'sip.compressed');
  });
});

test('a description without bandwidth is a note', async () => {
  const r = await found(called(registered(addressed(new Talk())), 1000, 500));
  note(r, 'sdp.no-bandwidth');
});
