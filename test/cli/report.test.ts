import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { violations } from '../model/schema.js';
import { CORPUS, ROOT } from '../support/corpus.js';
import { file, ip4, rawPcap, run, sample, tshark, udp } from './run.js';

const FOLDER = join(CORPUS, 'tunnel');
const skip = existsSync(FOLDER) ? false : `no captures in ${FOLDER}`;

interface Truth {
  readonly tx_ip: number;
  readonly rx_ip: number;
  readonly tx_unknown: number;
  readonly rx_unknown: number;
  readonly tx_odd: number;
  readonly rx_odd: number;
  readonly tx_bytes: number;
  readonly rx_bytes: number;
  readonly release: string;
  readonly resumed: boolean;
}

/** What the UE says of the end of a tunnel, as the report has it. */
const RELEASES: Readonly<Record<string, readonly [by: string, how: string]>> = {
  'local notify': ['ue', 'close_notify'],
  'local fin': ['ue', 'fin'],
};
/** What is worse than a note; every other capture is one of a healthy service. */
const FINDINGS: Readonly<Record<string, readonly string[]>> = {
  'close-fin': ['tunnel.no-close-notify'],
  'proxy-denied': ['proxy.refused'],
};
/** Captures whose ground truth stands beside another. */
const SAME: Readonly<Record<string, string>> = { 'tls13-gcm-dsb': 'tls13-gcm' };

const schema = JSON.parse(run(['report', '--schema']).out);

/** The report of a capture, which follows the schema. */
function report(path: string, ...more: string[]) {
  const r = run(['report', path, ...more]);
  assert.equal(r.code, 0, r.err);
  const told = JSON.parse(r.out);
  assert.deepEqual(violations(told, schema), [], path);
  return told;
}

type Told = ReturnType<typeof report>;
const bad = (told: Told): string[] => told.findings.filter((f: Told) => f.severity !== 'note').map((f: Told) => f.code);

const envelopes = (e: { ip4: number; ip6: number; unknown: number; invalid: number; bytes: number }) => [
  e.ip4 + e.ip6,
  e.unknown,
  e.invalid,
  e.bytes,
];

test('tunnels are told as their two ends counted them', { skip }, () => {
  for (const file of readdirSync(FOLDER).filter((f) => /\.pcap(ng)?$/.test(f) && !f.includes('.inner.'))) {
    const name = file.replace(/\..*$/, '');
    if (name === 'midstart-late') continue;
    const truth = JSON.parse(readFileSync(join(FOLDER, `${SAME[name] ?? name}.stats.json`), 'utf8'));
    const expected: Truth[] = truth.ue.tunnels;
    const told = report(join(FOLDER, file));
    const { tunnels } = told;
    assert.deepEqual(bad(told), FINDINGS[name] ?? [], name);
    if (expected.length === 0) continue;
    assert.equal(tunnels.length, expected.length, name);
    for (const [i, t] of tunnels.entries()) {
      const w = expected[i];
      assert.equal(t.state, 'established', name);
      assert.deepEqual(envelopes(t.envelopes.up), [w.tx_ip, w.tx_unknown, w.tx_odd, w.tx_bytes], name);
      assert.deepEqual(envelopes(t.envelopes.down), [w.rx_ip, w.rx_unknown, w.rx_odd, w.rx_bytes], name);
      assert.deepEqual([t.release.by, t.release.how], RELEASES[w.release], name);
      assert.equal(t.release.basis, 'observed', name);
      assert.equal(t.tls.resumed, w.resumed, name);
      assert.equal(t.tls.decryption.up.verdict, 'full', name);
      assert.equal(t.tls.decryption.down.verdict, 'full', name);
    }
  }
});

test('a proxy that refuses fails the tunnel, with its status', () => {
  const [t] = report(sample('08-proxy-denied.pcapng')).tunnels;
  assert.equal(t.state, 'failed');
  assert.equal(t.failure.stage, 'proxy');
  assert.equal(t.proxy.status, 403);
  assert.equal(t.accessType, 'II');
});

test('an alert that fails the tunnel stands in its row, of its file where there are several', () => {
  // tshark 4.0.17: tls.alert_message.desc == 112 is frame 5.
  const paths = [sample('20-healthy-call.pcapng'), sample('23-sni-missing.pcapng')];
  const { tunnels } = JSON.parse(run(['report', ...paths]).out) as { tunnels: { failure?: { row: string } }[] };
  assert.deepEqual(
    tunnels.map((t) => t.failure?.row),
    [undefined, '2:5'],
  );
});

test('without keys a late capture is told as far as it shows', () => {
  const [t] = report(sample('16-handshake-missing.pcapng')).tunnels;
  assert.equal(t.state, 'partial');
  assert.equal(t.tls.decryption.up.verdict, 'none');
  assert.deepEqual([t.release.by, t.release.how, t.release.basis], ['ue', 'close_notify', 'inferred']);
});

test('the same input gives the same octets', () => {
  const path = sample('03-tls13-aes128-gcm.pcapng');
  assert.equal(run(['report', path]).out, run(['report', path]).out);
});

/** Source, destination, SSRC, packets, lost, mean and maximum jitter of a line of tshark. */
const STREAM =
  /^\s+[\d.]+\s+[\d.]+\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)\s+0x(\w+)\s+.*?\s+(\d+)\s+(-?\d+) \([-\d.]+%\)(?:\s+[\d.]+){4}\s+([\d.]+)\s+([\d.]+)/gm;

test('streams are counted as tshark counts them', { skip }, (t) => {
  if (tshark(['--version']) === null) {
    t.skip('tshark is not installed');
    return;
  }
  for (const name of ['tls12-gcm', 'loss12', 'split', 'tls13-gcm256', 'ipv6only']) {
    const path = join(FOLDER, `${name}.inner.pcap`);
    const lines = tshark(['-q', '-z', 'rtp,streams', '-r', path])!.matchAll(STREAM);
    const expected = [...lines].map((m) => [...m.slice(1, 5), m[5].toLowerCase(), ...m.slice(6)].join(' '));
    const told = report(path).media.map((m: Told) => {
      const { source: s, destination: d, jitterMs: j } = m;
      const ssrc = m.ssrc.slice(2);
      const jitter = `${j.mean.toFixed(3)} ${j.max.toFixed(3)}`;
      return `${s.address} ${s.port} ${d.address} ${d.port} ${ssrc} ${m.packets} ${m.lost} ${jitter}`;
    });
    assert.deepEqual(told.sort(), expected.sort(), name);
  }
});

test('--fail-on, --mute and --baseline', () => {
  const path = sample('14-fin-without-close-notify.pcap');
  assert.equal(run(['report', path, '--fail-on', 'error']).code, 0);
  const failed = run(['report', path, '--fail-on', 'warn']);
  assert.equal(failed.code, 3);
  // A script that keeps only the report sees why it ends so.
  assert.match(failed.err, /^fttscope: 1 finding of severity warn or worse: tunnel\.[\w-]+\n$/);
  assert.equal(run(['report', path, '--fail-on', 'warn', '-q']).err, '');
  assert.equal(run(['report', path, '--fail-on', 'warn', '--mute', 'tunnel.*']).code, 0);
  assert.equal(run(['report', path, '--mute', 'no.such']).code, 1);
  const old = file('old.json', failed.out);
  const again = run(['report', path, '--fail-on', 'note', '--baseline', old]);
  assert.equal(again.code, 0);
  assert.deepEqual(JSON.parse(again.out).findings, []);
  assert.equal(run(['report', path, '--baseline', file('none.json', '{}')]).code, 2);
  // What has become worse since is told; what has not, or was worse then, is known.
  const then = (from: string, to: string) => {
    const text = failed.out.replaceAll(`"severity":"${from}"`, `"severity":"${to}"`);
    assert.notEqual(text, failed.out);
    return run(['report', path, '--fail-on', 'warn', '--baseline', file('then.json', text)]);
  };
  assert.equal(then('warn', 'note').code, 3);
  assert.equal(then('warn', 'error').code, 0);
  const hidden = file('hidden.json', run(['report', path, '--redact']).out);
  const refused = run(['report', path, '--baseline', hidden]);
  assert.equal(refused.code, 2);
  assert.match(refused.err, /a redacted report is no baseline/);
  assert.equal(run(['report', '--compare', path, path, '--baseline', old]).code, 1);
});

test('--eftf-issuer: a certificate of another authority is a finding', () => {
  const path = sample('20-healthy-call.pcapng');
  const found = (...more: string[]): Told[] => JSON.parse(run(['report', path, ...more]).out).findings;
  for (const name of ['Test CA', 'cn=test ca']) assert.deepEqual(found('--eftf-issuer', name), found());
  assert.deepEqual(found('--eftf-issuer', 'Operator CA', '--eftf-issuer', 'Test CA'), found());
  const [other, ...more] = found('--eftf-issuer', 'Test', '--eftf-issuer', 'Operator CA');
  assert.deepEqual([other!.code, other!.severity, more], ['tls.unexpected-issuer', 'warn', found()]);
  assert.match(other!.meaning, /^Its issuer is CN=Test CA; expected is Test or Operator CA\. /);
});

test('--from and --to: what was over before, or began after, is left out', () => {
  const path = sample('03-tls13-aes128-gcm.pcapng');
  const whole = report(path);
  const [first, second] = whole.calls;
  const ids = (list: Told[]): number[] => list.map((x) => x.id);
  assert.deepEqual(ids(report(path, '--to', first.start.iso).calls), [1]);
  assert.deepEqual(ids(report(path, '--from', second.end.iso).calls), [2]);
  const seconds = Number(second.start.epoch) - Number(whole.capture.start.epoch);
  const late = report(path, '--from', `+${(seconds + 0.5).toFixed(6)}`);
  assert.deepEqual(ids(late.calls), [2]);
  assert.equal(late.summary.calls.byState.ended, 1);
  assert.deepEqual(ids(late.tunnels), [1]); // it goes on
  assert.deepEqual(ids(report(path, '--to', '+0').tunnels), []);
  assert.deepEqual(late.options.from, `+${(seconds + 0.5).toFixed(6)}`);
  assert.equal(run(['report', path, '--from', 'noon']).code, 1);
  assert.match(run(['report', path, '-Y', 'sip']).err, /--filter is for rows/);
});

test('--require-decrypt comes before --fail-on', () => {
  const path = sample('16-handshake-missing.pcapng');
  const r = run(['report', path, '--require-decrypt', '--fail-on', 'note']);
  assert.equal(r.code, 4);
  assert.match(r.err, /^tunnel 1: .*: not decrypted\..*\nfttscope: \d+ findings of severity note or worse: /);
  assert.doesNotMatch(run(['report', path, '--require-decrypt', '--redact']).err, /tunnel 1/);
});

/** INVITE dialogs of captures without tunnels, and how they went: read from their messages with tshark. */
const CALLS: Readonly<Record<string, readonly (readonly [state: string, status?: number])[]>> = {
  'aboutsip__pkts/pkts-examples/my_traffic.pcap': [['ended']],
  'irontec__sngrep/tests/aaa.pcap': [
    ['failed', 408],
    ['failed', 403],
    ['failed', 403],
    ['failed', 480],
  ],
  'arkime__arkime/tests/pcap/gtp-iphone.inner-raw.pcap': [['ended']],
  'dotpcap__packetnet/Test/CaptureFiles/udp-ip-fragmented.pcap': [['failed', 415], ['ended']],
};

test('calls outside of tunnels are told too', { skip }, () => {
  for (const [path, expected] of Object.entries(CALLS)) {
    const told = report(join(CORPUS, 'public', path), '--no-auto-keys');
    const states = told.calls.map((c: Told) => (c.failure === undefined ? [c.state] : [c.state, c.failure.status]));
    assert.deepEqual(states, expected, path);
  }
});

test('--markdown tells the same to people', () => {
  const denied = run(['report', '--markdown', sample('08-proxy-denied.pcapng')]);
  assert.equal(denied.code, 0);
  assert.match(denied.out, /^- 1 tunnel: 1 failed$/m);
  assert.match(denied.out, /^### error: The proxy refused the CONNECT$/m);
  const well = run(['report', '--markdown', sample('03-tls13-aes128-gcm.pcapng')]).out;
  assert.match(well, /^Nothing is worse than a note\.$/m);
  const dark = run(['report', '--markdown', '--no-auto-keys', sample('03-tls13-aes128-gcm.pcapng')]).out;
  assert.match(dark, /^Nothing is wrong as far as this capture shows; the notes say what it does not\.$/m);
  // A capture of something else is not called good.
  const other = file('other.pcap', rawPcap(ip4(17, udp(1000, 1001, Buffer.from('x')))));
  for (const form of ['--markdown', '--html'])
    assert.match(
      run(['report', form, other]).out,
      /There is nothing to judge: no tunnel was found, and no SIP or media/,
    );
  assert.match(well, /^\| 1 \| sip:ue1@ims\.example \| tel:\+15550199.* \| ended \|/m);
  assert.match(dark, /^- 0 calls\n- what ran in 1 tunnel of 1 was not read, or not in full$/m);
  const several = run(['report', '--markdown', sample('00-field.pcapng')]).out;
  assert.match(several, /^- `tls\.certificate-self-signed` \(tunnel 1, 2, 3\) The certificate is issued by itself: /m);
  assert.match(several, /^\| 3 \| 192\.0\.2\.11:40003 .* \| still open \|/m);
  const empty = run(['report', '--markdown', sample('24-dhcp-pool-empty.pcapng')]).out;
  assert.match(empty, /\| established\. DHCP was not answered\. \|.*\| close_notify by ue \|/);
});

test('a tunnel that takes a session up names the tunnel that it is from', () => {
  const { tunnels } = report(sample('06-tls12-resumption.pcapng'));
  assert.deepEqual(
    tunnels.map(({ tls }: Told) => [tls.resumed, tls.resumedFrom]),
    // Both later tunnels show the ticket that the first got.
    [
      [false, undefined],
      [true, 1],
      [true, 1],
    ],
  );
});

test('--tunnel, --user and --call-id choose from a report', () => {
  const path = sample('06-tls12-resumption.pcapng');
  const second = report(path, '--tunnel', '2');
  assert.deepEqual(
    second.tunnels.map((t: Told) => t.id),
    [2],
  );
  assert.equal(second.calls.length, 0);
  assert.equal(second.summary.tunnels.byState.established, 1);
  const whole = report(path);
  assert.equal(whole.tunnels.length, 3);
  for (const name of ['eftf.example', 'eftf.example:443', 'EFTF.example'])
    assert.equal(report(sample('00-field.pcapng'), '--tunnel', name).tunnels.length, 3, name);
  const [call] = whole.calls;
  const one = report(path, '--call-id', call.callId);
  assert.deepEqual(one.calls, whole.calls);
  assert.deepEqual(
    one.tunnels.map((t: Told) => t.id),
    call.tunnels,
  );
  assert.deepEqual(report(path, '--user', 'sip:ue1@ims.example').registrations, whole.registrations);
  const nobody = report(path, '--user', '+4912345');
  assert.deepEqual([nobody.tunnels, nobody.calls, nobody.media, nobody.findings], [[], [], [], []]);
  assert.equal(run(['report', path, '-Y', 'sip']).code, 1);
});

test('what was asked for by name and is not there is told', () => {
  const cases: [args: string[], code: number, err: RegExp][] = [
    [['--tunnel', '9'], 0, /^fttscope: there is no tunnel 9; the capture has 4$/m],
    [['--user', 'nobody'], 0, /^fttscope: no SIP of user nobody was found$/m],
    [['--user', 'nobody', '--call-id', 'c'], 0, /^fttscope: no SIP of user nobody and Call-ID c was found$/m],
    [['--tunnel', 'x:y'], 1, /neither a number nor HOST\[:PORT\]/],
    [['--user', ' '], 1, /--user: empty\n/],
    [['--from', '+5', '--to', '+1'], 1, /--to \+1: lies before --from \+5/],
  ];
  for (const [args, code, err] of cases)
    for (const command of ['report', 'read']) {
      const r = run([command, sample('00-field.pcapng'), ...args]);
      assert.equal(r.code, code);
      assert.match(r.err, err);
    }
  assert.equal(run(['report', sample('00-field.pcapng'), '--user', '+15550100']).err, '');
});

test('--records gives the entries of lists, one a line, each as the schema has it', () => {
  const path = sample('06-tls12-resumption.pcapng');
  const one = { $schema: schema.$schema, $ref: '#/$defs/record', $defs: schema.$defs };
  const records = (list: string): Told[] => {
    const r = run(['report', path, '--records', list]);
    assert.equal(r.code, 0, r.err);
    return r.out
      .trimEnd()
      .split('\n')
      .map((l) => JSON.parse(l));
  };
  const all = records('all');
  for (const r of all) assert.deepEqual(violations(r, one), []);
  const told = report(path);
  const count = (name: string): number => all.filter((r) => r.record === name).length;
  assert.deepEqual(
    [count('tunnel'), count('registration'), count('call'), count('media'), count('finding')],
    [told.tunnels, told.registrations, told.calls, told.media, told.findings].map((l: Told[]) => l.length),
  );
  const [{ record, ...call }] = records('calls');
  assert.equal(record, 'call');
  assert.deepEqual(call, told.calls[0]);
  assert.notDeepEqual(violations({ ...call, record: 'tunnel' }, one), []);
  const wrong = run(['report', path, '--records', 'tunels']);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /did you mean tunnels\?/);
});

test('the schema in the package is the one that the command prints', () => {
  const packed = readFileSync(join(ROOT, 'dist/src/report.schema.json'), 'utf8');
  assert.equal(packed, run(['report', '--schema']).out);
});
