import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { listening } from '../support/ports.js';
import { inFolder, missing, type Running } from './outer-support.js';
import { accept, recv, respond, SDP, sipp } from './sip/sipp.js';
import { inside, makeSpaces, NET, startTunEftf, startTunUe, within } from './tun-support.js';

/**
 * A scenario with all verbs of the inner side, and nothing of ours behind the tunnel: dnsmasq leases and advertises, the
 * kernel answers pings, kamailio registers and routes, SIPp is called and calls.
 */

const skip = makeSpaces() || missing('dnsmasq') || missing('kamailio', '-v') || missing('sipp', '-v');

const HERE = '10.77.0.1';
const CALLEE = 5080;
const READER = 5081;

/** A registrar and proxy for one subscriber, who proves herself for every request; SIPp stands behind. */
const KAMAILIO = `
debug=1
log_stderror=yes
children=1
auto_aliases=no
dns=no
rev_dns=no
listen=udp:${HERE}:5060
alias="ims.example"
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/:/usr/lib/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "xlog.so"
loadmodule "stun.so"
modparam("auth", "qop", "auth")
modparam("registrar", "min_expires", 1)
modparam("registrar", "max_expires", 10)
request_route {
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("ims.example", "secret", "0")) { www_challenge("ims.example", "1"); exit; }
    append_to_reply("Flow-Timer: 1\\r\\n");
    save("location");
    xlog("L_ALERT", "REGISTER of $au for $hdr(Expires)\\n");
    exit;
  }
  if (has_totag()) {
    if (is_method("ACK") && !loose_route()) { if (t_check_trans()) t_relay(); exit; }
    if (!is_method("ACK") && !loose_route()) { sl_send_reply("404", "Not here"); exit; }
    t_relay();
    exit;
  }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if ($si != "${HERE}") {
    if (!pv_proxy_authenticate("ims.example", "secret", "0")) { proxy_challenge("ims.example", "1"); exit; }
    consume_credentials();
  }
  record_route();
  if ($rU == "sipp") $du = "sip:${HERE}:${CALLEE}";
  else if ($rU == "reader") $du = "sip:${HERE}:${READER}";
  else if (is_method("OPTIONS") && $rU == "kamailio") { sl_send_reply("200", "OK"); exit; }
  else if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
  t_relay();
}
`;

/** Rings reliably, answers, is put on hold and taken back, until the caller ends it. */
const SESSION = SDP.replaceAll('127.0.0.1', HERE);
const ANSWERS = `
  <recv request="INVITE" rrs="true"><action>
    <ereg regexp=".*" search_in="hdr" header="Via:" occurrence="1" assign_to="via1"/>
    <ereg regexp=".*" search_in="hdr" header="Via:" occurrence="2" assign_to="via2"/>
    <ereg regexp=".*" search_in="hdr" header="Record-Route:" assign_to="route"/>
    <ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="cseq"/>
  </action></recv>
  ${respond('180 Ringing', '[last_Record-Route:]\n      Require: 100rel\n      RSeq: 7\n      ')}
  ${recv('PRACK')} ${accept()}
  <send retrans="500"><![CDATA[
      SIP/2.0 200 OK
      Via:[$via1]
      Via:[$via2]
      Record-Route:[$route]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      CSeq: [$cseq] INVITE
      Contact: <sip:sipp@[local_ip]:[local_port]>
      Content-Type: application/sdp
      Content-Length: [len]
${SESSION}
  ]]></send>
  ${recv('ACK')}
  ${recv('INVITE')} ${accept(SESSION.replace('sendrecv', 'recvonly'))} ${recv('ACK')}
  ${recv('INVITE')} ${accept(SESSION)} ${recv('ACK')}
  ${recv('BYE')} ${accept()}
`;

const READS = `
  <recv request="MESSAGE"><action>
    <ereg regexp="see you at nine" search_in="body" check_it="true" assign_to="text"/>
    <ereg regexp="sip:alice@ims.example" search_in="hdr" header="From:" check_it="true" assign_to="from"/>
  </action></recv>
  ${respond('202 Accepted')} <Reference variables="text,from"/>`;

/** Calls alice by way of kamailio, says digits, and hangs up. */
const inDialog = (method: string, cseq: number) => `
  <send ${method === 'ACK' ? '' : 'retrans="500"'}><![CDATA[
      ${method} [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      [routes]
      From: <sip:sipp@ims.example>;tag=[pid]
      To: <sip:alice@ims.example>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: ${cseq} ${method}
      Max-Forwards: 70
      Content-Length: 0
  ]]></send>`;
const CALLS = `
  <send retrans="500"><![CDATA[
      INVITE sip:alice@ims.example SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:sipp@ims.example>;tag=[pid]
      To: <sip:alice@ims.example>
      Call-ID: [call_id]
      CSeq: 1 INVITE
      Contact: <sip:sipp@[local_ip]:[local_port]>
      Max-Forwards: 70
      Content-Type: application/sdp
      Content-Length: [len]
${SESSION.replace('6000', '[media_port]').replaceAll('101', '96')}
  ]]></send>
  <recv response="100" optional="true"/> <recv response="180" optional="true"/> <recv response="200" rrs="true"/>
  ${inDialog('ACK', 1)}
  <pause milliseconds="300"/>
  <nop><action><exec play_dtmf="59"/></action></nop>
  <pause milliseconds="3000"/>
  ${inDialog('BYE', 2)} <recv response="200"/>`;

const STEPS = [
  'connect',
  { dhcp: '120s' },
  { slaac: '120s' },
  { ping: { to: HERE, count: 2, interval: '50ms' } },
  { ping: { to: 'fd77::1' } },
  { register: '120s' },
  { options: 'kamailio' },
  { message: { to: 'reader', text: 'see you at nine' } },
  { call: { to: 'sipp', within: '120s' } },
  { dtmf: '12#' },
  { expect: { event: 'digit #', within: '120s' } },
  'hold',
  { hold: { off: true } },
  'hangup',
  { answer: { ring: '100ms', within: '120s' } },
  { expect: { event: 'digit 5', within: '120s' } },
  { expect: { event: 'digit 9', within: '120s' } },
  { expect: { event: 'call ended by the other side', within: '120s' } },
  { expect: { event: 'registered again', within: '120s' } },
  { wait: '50ms' },
  'release',
];

/** What stands behind the tunnel. */
async function servers(t: TestContext): Promise<{ kamailio: Running; eftf: Running }> {
  const addresses = ['--tun-address', `${HERE}/24`, '--tun-address', 'fd77::1/64'];
  const eftf = await startTunEftf('--bare', ...addresses);
  t.after(() => eftf.stop());
  const ranges = ['--dhcp-range=10.77.0.10,10.77.0.19,255.255.255.0,600', '--dhcp-range=fd77::,ra-stateless,64,600'];
  const own = ['--no-resolv', '--no-hosts', '--interface=te', '--except-interface=lo', '--bind-interfaces'];
  const files = ['--conf-file=/dev/null', `--dhcp-leasefile=${inFolder('leases')}`, '--pid-file=', '--user='];
  const options = ['--dhcp-option=option:sip-server,10.77.0.1', '--enable-ra', '--dhcp-duid=1,02:00:00:00:00:01'];
  const dnsmasq = inside(NET, 'dnsmasq', '-k', '--log-facility=-', ...files, ...own, ...ranges, ...options);
  t.after(() => dnsmasq.stop('SIGKILL'));
  writeFileSync(inFolder('kamailio.cfg'), KAMAILIO);
  const memory = ['-m', '16', '-M', '4', '-Y', inFolder(''), '-f', inFolder('kamailio.cfg')];
  const kamailio = inside(NET, 'kamailio', '-DD', '-E', ...memory);
  t.after(() => kamailio.stop());
  await dnsmasq.line(/started/);
  await listening('udp', 5060, kamailio.child.pid);
  return { kamailio, eftf };
}

/** Reads digits of RFC 4733 from the device behind the tunnel, with tshark; undefined where there is none. */
async function digitReader(t: TestContext): Promise<Running | undefined> {
  if (missing('tshark')) return undefined;
  const fields = ['rtpevent.event_id', 'rtpevent.end_of_event'].flatMap((f) => ['-e', f]);
  const rows = [
    '-d',
    'udp.port==6000,rtp',
    '-o',
    'rtpevent.event_payload_type_value:101',
    '-Y',
    'rtpevent && ip.dst == 10.77.0.1',
  ];
  const tshark = inside(NET, 'tshark', '-l', '-n', '-i', 'te', '-f', 'udp', ...rows, '-T', 'fields', ...fields);
  t.after(() => tshark.stop()); // which takes its file of packets with it
  await tshark.line(/Capturing on/);
  return tshark;
}

test('all verbs of the inner side with peers that are not ours', { skip, timeout: 400_000 }, async (t) => {
  const { kamailio } = await servers(t);
  const tshark = await digitReader(t);
  const here = ['ip', ...within(NET)];
  const at = (port: number) => ['-i', HERE, '-p', String(port), '-timeout', '300s'];
  const callee = sipp(t, ANSWERS, [...at(CALLEE), '-mp', '6000', '-rtp_echo'], here);
  const reader = sipp(t, READS, [...at(READER), '-mp', '6200'], here);
  const alice = { impi: 'alice', impu: 'sip:alice@ims.example', password: 'secret' };
  writeFileSync(inFolder('alice.json'), JSON.stringify(alice));
  writeFileSync(inFolder('verbs.json'), JSON.stringify({ steps: STEPS }));
  const ue = startTunUe('--subscriber', inFolder('alice.json'), '--codec', 'PCMA', '--run', inFolder('verbs.json'));
  const told = await Promise.all([callee, reader]);
  assert.deepEqual(told, ['ok', 'ok'], `${told} ${ue.out}`);
  const caller = sipp(t, CALLS, [...at(5082), '-mp', '6100', `${HERE}:5060`], here);
  assert.equal(await ue.ended, 0, ue.out + ue.err);
  assert.equal(await caller, 'ok', ue.out);
  for (const line of [
    /^IPv4 10\.77\.0\.1\d\/24 from 10\.77\.0\.1 for 600 s, .*P-CSCF 10\.77\.0\.1$/m,
    /^IPv6 fd77::\S+ valid for/m,
    /^64 octets from fd77::1: ttl 64/m,
    /^registered for 10 s, keep-alive 1 s$/m,
    /^registered again for 10 s, keep-alive 1 s$/m,
    /^options to sip:kamailio@ims\.example: 200$/m,
    /^message to sip:reader@ims\.example: 202$/m,
    /^call: 180, reliable$/m,
    /^media: PCMA with 10\.77\.0\.1 port 6000, sendonly$/m,
    /^keep-alive: answered, seen as 10\.77\.0\.1\d 5060$/m,
    /^call from sip:sipp@ims\.example$/m,
    /^deregistered$/m,
  ])
    assert.match(ue.out, line);
  const asked = [...kamailio.err.matchAll(/REGISTER of alice for (\d+)/g)].map((m) => m[1]);
  assert.deepEqual([...new Set(asked)], ['600000', '0']);
  if (tshark === undefined) t.diagnostic('tshark is not installed: digits are not read');
  else {
    await tshark.until(() => /^11\t(1|True)$/m.test(tshark.out), 'the end of #');
    assert.deepEqual([...new Set([...tshark.out.matchAll(/^(\d+)\t/gm)].map((m) => m[1]))], ['1', '2', '11']); // RFC 4733 table 3
  }
});
