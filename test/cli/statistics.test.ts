import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { put32 } from 'fttscope/kit';
import { at, udp } from '../build/packets.js';
import { CORPUS, corpusMissing } from '../support/corpus.js';
import { file, rawPcap, run, sample, TLS13, tshark } from './run.js';

const STATISTICS = [
  'io,phs',
  'io,phs,sip',
  'io,stat,2',
  'io,stat,0',
  'io,stat,5,sip,udp.port==5060,COUNT(rtp.seq)rtp.seq,SUM(ip.len)ip.len,MIN(ip.ttl)ip.ttl',
  'conv,eth',
  'conv,ip',
  'conv,ipv6',
  'conv,tcp',
  'conv,udp',
  'conv,ip,sip',
  'endpoints,eth',
  'endpoints,ip',
  'endpoints,ipv6',
  'endpoints,tcp',
  'endpoints,udp',
  'sip,stat',
  'rtp,streams',
];

/** Lines in order of their text: tshark prints several statistics, and lists of SIP, in an order of its own. */
const lines = (s: string): string[] =>
  s
    .split('\n')
    .filter((l) => l !== '')
    .sort();
const asked = (list: readonly string[]): string[] => list.flatMap((z) => ['-z', z]);

/** Whether tshark and fttscope count the same on a capture. */
function same(path: string, list: readonly string[], more: readonly string[] = []): void {
  const expected = tshark(['-n', '-q', ...asked(list), '-r', path])!;
  const told = run(['read', path, '-q', '--no-auto-keys', ...asked(list), ...more]);
  assert.equal(told.code, 0, told.err);
  assert.deepEqual(lines(told.out), lines(expected), path);
}

const missing = corpusMissing('tunnel') || corpusMissing('public');
const skip = missing || (tshark(['--version']) === null && 'tshark is not installed');

test('what is counted is what tshark counts, and looks the same', { skip }, () => {
  for (const name of ['tls13-gcm', 'tls12-cbc', 'ipv6only', 'loss12'])
    same(join(CORPUS, 'tunnel', `${name}.inner.pcap`), STATISTICS);
});

test('the same on captures of SIP and RTP without a tunnel', { skip }, () => {
  const calls = ['irontec__sngrep/tests/aaa.pcap', 'aboutsip__pkts/pkts-examples/my_traffic.pcap'];
  const list = STATISTICS.filter((z) => z !== 'io,phs'); // tells of protocols that fttscope has as data
  for (const path of calls) same(join(CORPUS, 'public', path), list);
  same(join(CORPUS, 'public', 'boundary__wireshark/docbook/examples/test.cap'), ['expert,chat,http']);
});

test('inside a tunnel the same is counted as on the device inside', { skip }, () => {
  const list = ['conv,udp', 'endpoints,udp', 'endpoints,ip', 'sip,stat'];
  const numbers = (s: string): string[] => lines(s).map((l) => l.replace(/ +[\d.]+ +[\d.]+$/, '').replace(/ +/g, ' ')); // without times
  const inner = tshark(['-n', '-q', ...asked(list), '-r', join(CORPUS, 'tunnel', 'tls13-gcm.inner.pcap')])!;
  const told = run(['read', join(CORPUS, 'tunnel', 'tls13-gcm.pcapng'), '-q', '--rows', 'inner', ...asked(list)]);
  const counted = (s: string): string[] => numbers(s).filter((l) => !/setup| M(in|ax) /.test(l));
  assert.deepEqual(counted(told.out), counted(inner));
});

test('streams are followed as tshark follows them', { skip }, () => {
  const path = join(CORPUS, 'tunnel', 'tls12-cbc.inner.pcap');
  const pieces = ['follow,tcp,hex,1,2', 'follow,tcp,ascii,0,2-3', 'follow,tcp,ascii,10.9.0.115:5063,10.9.0.1:5060,1'];
  for (const z of ['follow,tcp,ascii,0', 'follow,tcp,hex,1', 'follow,tcp,raw,2', 'follow,udp,hex,3', ...pieces]) {
    const expected = tshark(['-n', '-q', '-z', z, '-r', path])!;
    assert.equal(run(['read', path, '-q', '-z', z]).out, expected, z);
  }
  // Ends of IPv6 in brackets; of blanks at the end of a line one is left out.
  const six = join(CORPUS, 'tunnel', 'ipv6only.inner.pcap');
  const ends = /Node 0: (.*)\nNode 1: (.*)\n/.exec(tshark(['-n', '-q', '-z', 'follow,udp,hex,1', '-r', six])!)!;
  for (const [name, z] of [
    ['ipv6only.inner.pcap', 'follow,udp,hex,0'],
    ['ipv6only.inner.pcap', `follow,udp,ascii,${ends[1]},${ends[2]}`],
    ['tls12-cbc.inner.pcap', 'follow,tcp,ascii,10.9.0.115:5063,10.9.0.1:5060'],
    ['tls13-gcm256.pcap', 'follow,tcp,hex,0'],
  ] as const) {
    const capture = join(CORPUS, 'tunnel', name);
    const expected = tshark(['-n', '-q', '-z', z, '-r', capture])!;
    assert.equal(run(['read', capture, '--no-auto-keys', '-q', '-z', z]).out, expected, z);
  }
});

test('pieces of a stream that cannot be are refused', () => {
  for (const pieces of ['0', 'x', '3-2', '2-']) {
    const r = run(['read', TLS13, '-q', '-z', `follow,tcp,raw,0,${pieces}`]);
    assert.equal(r.code, 1);
    assert.match(r.err, /is no range of pieces/);
  }
});

test('TLS is followed with what it carried, SIP by its dialog', () => {
  const tls = JSON.parse(run(['read', TLS13, '-q', '-T', 'json', '-z', 'follow,tls,raw,0']).out)[0];
  assert.equal(tls.nodes[1], '192.0.2.1:443');
  assert.ok(tls.pieces.every((p: { hex: string }) => p.hex.startsWith('01'))); // envelopes of type 1
  const sip = run(['read', TLS13, '-q', '-z', 'follow,sip,ascii,1-14240@10.9.0.115']).out;
  const starts = [...sip.matchAll(/^(?:SIP\/2\.0 (\d+) .*|([A-Z]+) .* SIP\/2\.0)\r?$/gm)].map((m) => m[1] ?? m[2]);
  assert.deepEqual(starts, ['INVITE', '100', '180', '200', 'ACK', 'BYE', '200']);
});

test('-q leaves rows out, -T json gives values, -Y does not touch statistics', () => {
  const rows = run(['read', TLS13, '-z', 'sip,stat']).out;
  assert.match(rows, /INVITE tel:.*\n[\s\S]*Number of SIP messages: 26\n/); // its expect.json
  const quiet = run(['read', TLS13, '-q', '-z', 'sip,stat', '-Y', 'dhcp']).out;
  assert.match(quiet, /^\n=+\nSIP Statistics\n\nNumber of SIP messages: 26\n/);
  const [sip, conv] = JSON.parse(run(['read', TLS13, '-qTjson', '-z', 'sip,stat', '-z', 'conv,udp,sip']).out);
  assert.equal(sip.messages, 26);
  assert.equal(conv.statistic, 'conv,udp,sip');
  assert.equal(run(['read', TLS13, '-T', 'json', '-z', 'sip,stat']).code, 1);
});

test('tunnels and calls have statistics of their own', () => {
  const text = run(['read', TLS13, '-q', '-z', 'fttims,tunnels', '-z', 'fttims,calls']).out;
  assert.match(text, /^1 +192\.0\.2\.10:\d+ .*189\/189/m);
  assert.match(text, /^Calls: 2$/m);
  // What reads a pipe has no columns to keep to: nothing is cut.
  const { out: field } = run(['read', sample('00-field.pcapng'), '-q', '-z', 'fttims,tunnels', '-z', 'fttims,calls']);
  assert.match(field, /^3 .* eftf\.example +established .* capture-end$/m);
  assert.match(field, /^2 .* failed .*out of service \(503 Service Unavailable\): Temporary failure\.$/m);
  assert.doesNotMatch(field, /…/);
  // The handshake was refused: nothing is there that keys could open.
  const refused = run(['read', sample('23-sni-missing.pcapng'), '-q', '-z', 'fttims,tunnels']).out;
  assert.match(refused, /^1 .* failed \(tls\) +- +- +0\/0 /m);
  const [{ calls }] = JSON.parse(run(['read', TLS13, '-qTjson', '-z', 'fttims,calls']).out);
  assert.deepEqual(
    calls.map((c: { state: string }) => c.state),
    ['ended', 'ended'],
  );
});

test('flow,any says how many rows it does not draw', () => {
  const most = 20_000;
  const speech = Uint8Array.from({ length: 172 }, (_, i) => (i === 0 ? 0x80 : i === 1 ? 8 : 0));
  const packets = Array.from({ length: most + 7 }, (_, i) => {
    const packet = speech.slice();
    put32(packet, 8, 1 + Math.min(i, most + 1)); // the last ones have one source
    return udp(at('10.0.0.1', 10_000), at('10.0.0.2', 20_000), packet);
  });
  const path = file('sources.pcap', rawPcap(...packets));
  const { out } = run(['read', path, '-q', '-d', 'udp.port==20000,rtp', '-z', 'flow,any']);
  assert.equal(out.match(/ RTP 1 packet\b/g)?.length, most);
  assert.match(out, /^… and 7 more rows$/m);
});

test('flow,any draws every row, speech folded', () => {
  const { out } = run(['read', sample('07-proxy-connect.pcapng'), '-q', '-z', 'flow,sip']);
  assert.match(out, / SIP Request: REGISTER .*47\.1$/m);
  assert.match(run(['read', TLS13, '-q', '-z', 'flow,any']).out, / RTP 60 packets\b/);
});

test('an unknown statistic is refused with what there is', () => {
  const r = run(['read', TLS13, '-z', 'conv,udb']);
  assert.equal(r.code, 1);
  assert.match(r.err, /did you mean conv,udp\?/);
  assert.match(r.err, /^ {4}fttims,calls$/m);
  assert.equal(run(['read', TLS13, '-z', 'io,stat,x']).code, 1);
  assert.equal(run(['read', TLS13, '-z', 'io,phs,no.such']).code, 2);
  assert.equal(run(['read', TLS13, '-z', 'follow,tcp,ascii']).code, 1);
});

test('comments of a capture are of a severity of their own, as in tshark', { skip }, () => {
  const path = file('commented.pcapng');
  assert.equal(run(['extract', sample('20-healthy-call.pcapng'), '-q', '-w', path]).code, 0);
  for (const z of ['expert', 'expert,comment,frame.number < 5', 'expert,chat']) same(path, [z]);
  const fields = [
    '-T',
    'fields',
    '-e',
    '_ws.expert.severity',
    '-e',
    '_ws.expert.message',
    '-Y',
    '_ws.expert.severity == 1048576',
  ];
  assert.equal(run(['read', path, '-q', ...fields]).out, tshark(['-n', '-r', path, ...fields]));
  assert.equal(run(['read', path, '-q', '-c', '9', '--fail-on', 'note']).code, 0);
});

test('a statistic that makes no sense is refused in words', { skip }, () => {
  for (const [z, words] of [
    ['io,stat,1,SUM(ip.src)ip.src', /the values of ip\.src are no numbers\n {2}COUNT\(ip\.src\)ip\.src counts them/],
    ['io,stat,1,AVG(tcp.flags.syn)tcp', /the values of tcp\.flags\.syn are no numbers/],
    ['io,stat,1,FREQUENCY(ip.ttl)ip.ttl', /there is no FREQUENCY here\n {2}one of FRAMES, .*AVG/],
    ['follow,udp,ascii,x', /x is no stream\n {2}its number, or both ends: follow,udp,ascii,192/],
    ['follow,tcp,ascii,192.0.2.1:5060', /192\.0\.2\.1:5060 is no stream/],
  ] as const) {
    assert.equal(tshark(['-n', '-q', '-z', z, '-r', TLS13]), '', `${z}: tshark takes it`);
    const r = run(['read', TLS13, '-q', '-z', z]);
    assert.equal(r.code, 1, z);
    assert.equal(r.out, '');
    assert.match(r.err, words);
  }
  for (const z of ['fttims,tunnels,sip', 'fttims,calls,x', 'rtp,streams,ip.src==192.0.2.1']) {
    const r = run(['read', TLS13, '-q', '-z', z]);
    assert.equal(r.code, 1, z);
    assert.match(r.err, / takes no filter\n {2}--tunnel, /);
  }
  for (const z of [
    'io,stat,1,COUNT(ip.src)ip.src',
    'io,stat,1,SUM(tcp.time_delta)tcp.time_delta,MAX(frame.len)frame.len',
  ])
    same(TLS13, [z]);
});
