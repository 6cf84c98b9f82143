import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, before, test } from 'node:test';
import { run } from '../cli/run.js';
import { luaMissing, tshark, tunnelOptions } from '../support/tshark.js';
import { inFolder, type Running, startEftf, startFttscope } from './outer-support.js';

/** Whole runs of `ue` and `eftf`: what they leave behind, what they exit with, what their faults do. */

let eftf: Awaited<ReturnType<typeof startEftf>>;
before(async () => {
  eftf = await startEftf('-w', inFolder('eftf.pcapng'), '--with-keys');
});
after(() => eftf.eftf.child.kill('SIGKILL'));

function scenario(name: string, steps: readonly unknown[]): string {
  writeFileSync(inFolder(name), JSON.stringify({ steps }));
  return inFolder(name);
}

const ue = (steps: readonly unknown[], ...more: string[]): Running =>
  startFttscope(['ue', eftf.at, '--lab', '--run', scenario(`${Math.random()}.json`, steps), ...more]);

/** What the inner packets say; `ftt_ims.type` is the Lua dissector's `fttims.type`. */
const FIELDS = [
  'frame.number',
  'ipv6.src',
  'dhcp.option.dhcp',
  'icmp.type',
  'icmpv6.type',
  'sip.Method',
  'sip.Status-Code',
];

/** Lines of `-T fields`, the rows of one frame put together as tshark has them. */
function byFrame(text: string): string[] {
  const frames = new Map<string, string[][]>();
  for (const line of text.trimEnd().split('\n')) {
    const cells = line.split('\t');
    frames.set(cells[0], [...(frames.get(cells[0]) ?? []), cells]);
  }
  return [...frames].map(([frame, rows]) =>
    [
      frame,
      ...FIELDS.map((_, i) =>
        rows
          .map((r) => r[i + 1] ?? '')
          .filter((v) => v !== '')
          .join(','),
      ),
    ].join('\t'),
  );
}

test('a run opens again with all its rows, and tshark agrees', { skip: luaMissing }, async () => {
  const file = inFolder('ue.pcapng');
  const one = ue(
    [
      'connect',
      'dhcp',
      'slaac',
      { ping: { count: 2, interval: '50ms' } },
      { send: '07 00 05 01 02' },
      'register',
      'release',
    ],
    '-w',
    file,
    '--with-keys',
  );
  assert.equal(await one.ended, 0, one.err);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const named = (type: string): string[] => [...FIELDS, type].flatMap((f) => ['-e', f]);
  const ours = run(['read', file, '-T', 'fields', '-E', 'occurrence=a', ...named('fttims.type')]).out;
  const options = tunnelOptions(undefined, eftf.port);
  const theirs = await tshark(['-n', ...options, '-r', file, '-T', 'fields', ...named('ftt_ims.type')]);
  assert.deepEqual(byFrame(ours), byFrame(theirs));
  assert.match(theirs, /REGISTER/);
  const comment = await tshark(['-r', file, '-c', '1', '-V']);
  assert.match(comment, /Transmission Control Protocol/);
  const { code, out } = run(['read', file, '-Y', 'tcp.analysis.flags || _ws.malformed']);
  assert.deepEqual([code, out], [0, '']); // the headers that are made up are beyond reproach
});

test('keys go to a key log of the owner alone', async () => {
  const keys = inFolder('run.keys');
  const file = inFolder('bare.pcapng');
  const one = ue(['connect', 'dhcp', 'release'], '-4', '-w', file, '--keylog-out', keys);
  assert.equal(await one.ended, 0, one.err);
  assert.equal(statSync(keys).mode & 0o777, 0o600);
  assert.match(run(['read', file, '-Y', 'dhcp']).out, /^$/);
  const dhcp = run(['read', file, '-k', keys, '-Y', 'dhcp', '-T', 'fields', '-e', 'dhcp.option.dhcp']).out;
  assert.deepEqual(dhcp.trimEnd().split('\n'), ['1', '2', '3', '5', '7']); // RFC 2132 §9.6
});

/** Addresses of this machine that others see. */
const outside = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .filter(({ internal, family }) => !internal && family === 'IPv4')
  .map(({ address }) => address);

test('an EFTF of the lab that listens anywhere is the one that is meant, by whatever address', {
  skip: outside.length > 0 ? false : 'others see no address of this machine: skipped',
}, async () => {
  const one = startFttscope(['eftf', '--lab', '--listen', '0.0.0.0:0']);
  const [, port] = await one.line(/^listening 0\.0\.0\.0:(\d+)$/m);
  const run = scenario('there.json', ['connect', 'release']);
  for (const host of [...outside, '127.0.0.1', 'localhost']) {
    const phone = startFttscope(['ue', `${host}:${port}`, '--lab', '--run', run]);
    assert.equal(await phone.ended, 0, phone.err);
  }
  assert.equal(await one.stop(), 0);
});

test('an EFTF that listens in both families tells IPv4 addresses as they are', {
  skip: existsSync('/proc/net/if_inet6') ? false : 'there is no IPv6 here: skipped',
}, async () => {
  const one = startFttscope(['eftf', '--lab', '--listen', '[::]:0']);
  const [, port] = await one.line(/^listening \[::\]:(\d+)$/m);
  const phone = startFttscope([
    'ue',
    `127.0.0.1:${port}`,
    '--lab',
    '--run',
    scenario('four.json', ['connect', 'release']),
  ]);
  assert.equal(await phone.ended, 0, phone.err);
  await one.line(/^tunnel 1 established: 127\.0\.0\.1:\d+, /m);
  assert.equal(await one.stop(), 0);
});

test('two subscribers of the lab call each other', async () => {
  const bob = ue(
    [
      'connect',
      'dhcp',
      'register',
      { answer: { ring: '50ms' } },
      { expect: { event: 'message from', within: '120s' } },
      { expect: { event: 'call ended', within: '120s' } },
    ],
    '-4',
    '--subscriber',
    'bob',
  );
  await bob.line(/^registered/m);
  const alice = ue(
    [
      'connect',
      'dhcp',
      'register',
      { call: 'bob' },
      { hold: {} },
      { hold: { off: true } },
      { dtmf: '7' },
      { message: { to: 'bob', text: 'hi' } },
      'hangup',
    ],
    '-4',
  );
  assert.equal(await alice.ended, 0, alice.out + alice.err);
  assert.equal(await bob.ended, 0, bob.out + bob.err);
  for (const line of [
    'call from sip:alice@',
    'digit 7',
    'message from sip:alice@',
    ': hi',
    'recvonly',
    'call ended by the other side',
  ])
    assert.ok(bob.out.includes(line), `${line}: ${bob.out}`);
  assert.match(alice.out, /deregistered\n(.*\n)?tunnel ended: released by this UE/); // TS 24.322 §4
});

test('an EFTF captures a call between its own UEs; who lets a call ring that is taken back waits no longer', async () => {
  const file = inFolder('between.pcapng');
  const between = await startEftf('-w', file, '--with-keys');
  const at = (who: string, steps: readonly unknown[]): Running => {
    const all = ['connect', 'dhcp', 'register', ...steps];
    const path = scenario(`${who}-between.json`, all);
    return startFttscope(['ue', between.at, '--lab', '--subscriber', who, '-4', '--run', path]);
  };
  const ended = { expect: { event: 'call ended', within: '60s' } };
  const bob = at('bob', [{ answer: { ring: '50ms' } }, ended, { answer: { ring: '24h' } }]);
  await bob.line(/^registered/m);
  const taken = { call: { to: 'bob', cancel: '300ms', reliable: false } };
  const alice = at('alice', [{ call: 'bob' }, { wait: '1s' }, 'hangup', taken]);
  assert.equal(await alice.ended, 0, alice.out + alice.err);
  assert.equal(await bob.ended, 5, bob.out + bob.err);
  assert.match(bob.err, /step 6 \(answer, .*\) failed: call ended by the other side: 487\n$/);
  assert.equal(await between.eftf.stop(), 0);
  const r = JSON.parse(run(['report', file]).out) as {
    calls: { state: string; tunnels: number[] }[];
    findings: { code: string }[];
  };
  assert.deepEqual(
    r.calls.map((c) => [c.state, c.tunnels.length]),
    [
      ['ended', 2],
      ['cancelled', 2],
    ],
  );
  assert.deepEqual(
    r.findings.filter((f) => f.code.startsWith('media.')),
    [],
  );
});

test('a step that fails is named, and exits with 5; no tunnel with 6', async () => {
  const ping = ue(['connect', { ping: { to: '10.45.0.1', within: '1s' } }], '-4');
  assert.equal(await ping.ended, 5);
  assert.match(ping.err, /step 2 \(ping, .*line 1\) failed: no address to ping 10\.45\.0\.1 from/);
  const expect = ue(['connect', { expect: { event: 'snow in summer', within: '300ms' } }]);
  assert.equal(await expect.ended, 5);
  assert.match(expect.err, /step 2 \(expect, .*\) failed: no line like snow in summer within 0\.3 s/);
  const none = startFttscope(['ue', '127.0.0.1:1', '--run', scenario('none.json', ['connect'])]);
  assert.equal(await none.ended, 6);
  assert.match(none.err, /step 1 \(connect, .*\): no tunnel: /);
  for (const [text, words] of [
    ['steps: [fly]', /line 1: no verb is called fly/],
    ['steps:\n  - ping: {to: here}', /line 2: ping: to is an IP address, not here/],
    ['steps:\n  - dhcp: {speed: 3}', /line 2: dhcp: it does not take speed/],
    ['steps:\n  - fault: {fly: 1}', /no fault is called fly/],
    ['steps: [[', /.yaml: /],
  ] as const) {
    writeFileSync(inFolder('bad.yaml'), text);
    const r = run(['ue', '127.0.0.1:1', '--run', inFolder('bad.yaml')]);
    assert.deepEqual([r.code, words.test(r.err)], [2, true], r.err);
  }
});

test('a UE whose console was used ends when it is told to, with the console still open', async () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const one = startFttscope(['ue', eftf.at, '--lab', '-4']);
    await one.line(/^registered for/m);
    one.child.stdin!.write('ping\n');
    await one.line(/^64 octets from 10\.45\.0\.1/m);
    assert.equal(await one.stop(signal), 0, one.err);
    assert.match(one.out, /^tunnel ended: released by this UE/m);
  }
});

test('an EFTF that may open no more files says so, and its tunnels go on', async (t) => {
  const other = startFttscope(
    ['eftf', '--lab', '--listen', '127.0.0.1:0'],
    ['sh', '-c', 'ulimit -n 64; exec "$@"', 'sh'],
  );
  const [, port] = await other.line(/^listening 127\.0\.0\.1:(\d+)$/m);
  const one = startFttscope(['ue', `127.0.0.1:${port}`, '--lab', '-4']);
  await one.line(/^registered for/m);
  const others = Array.from({ length: 64 }, () => connect(Number(port), '127.0.0.1').on('error', () => undefined));
  t.after(() => others.map((socket) => socket.destroy()));
  await other.line(/^refused connections: this process may open 64 files at a time \(ulimit -n\): 127\.0\.0\.1:\d+$/m);
  one.child.stdin!.write('ping\n');
  await one.line(/^64 octets from 10\.45\.0\.1/m);
  assert.equal(await one.stop(), 0);
  assert.equal(await other.stop(), 0);
});

test('a ping whose tunnel ends is not waited for', async () => {
  const other = startFttscope(['eftf', '--lab', '--listen', '127.0.0.1:0']);
  const [, at] = await other.line(/^listening (\S+)$/m);
  const file = scenario('lost.json', ['connect', { dhcp: '30s' }, { fault: 'drop=1' }, { ping: { within: '24h' } }]);
  const one = startFttscope(['ue', at, '--lab', '-4', '--run', file]);
  await one.line(/^fault drop=1$/m);
  other.child.stdin!.write('release\n');
  assert.equal(await one.ended, 5);
  assert.match(one.err, /step 4 \(ping, .*\) failed: (10\.45\.0\.1: the tunnel ended|there is no tunnel)$/m);
  assert.equal(await other.stop(), 0);
});

test('a UE whose tunnel ended says what went with it, and in the next one what it lacks', async () => {
  const other = startFttscope(['eftf', '--lab', '--listen', '127.0.0.1:0']);
  const [, at] = await other.line(/^listening (\S+)$/m);
  const file = scenario('next.json', [
    'connect',
    { dhcp: '30s' },
    'register',
    { call: { to: 'echo', within: '30s' } },
    { expect: { event: 'tunnel ended', within: '24h' } },
    'connect',
    'register',
  ]);
  const both = startFttscope(['ue', at, '--lab', '--run', file]);
  await both.line(/^call answered$/m);
  other.child.stdin!.write('release\n');
  assert.equal(await both.ended, 5);
  assert.match(both.out, /^tunnel ended: released by the EFTF.*; 1 call with it$/m);
  const failed = (words: string): RegExp => new RegExp(`\\(register, .*\\) failed: ${words}$`, 'm');
  assert.match(both.err, failed('this UE has no address in this tunnel: dhcp or slaac first'));
  const four = startFttscope(['ue', at, '--lab', '-4', '--run', scenario('four.json', ['connect', 'register'])]);
  assert.equal(await four.ended, 5);
  assert.match(four.err, failed('this UE has no address in this tunnel: dhcp first'));
  await other.stop();
});

test('a scenario whose tunnel somebody else ended fails, unless a step expected that', async () => {
  const runs: [string, unknown[], number][] = [
    ['unexpected', ['connect', { wait: '5s' }], 5],
    ['event', ['connect', { expect: { event: 'tunnel ended', within: '24h' } }, { wait: '10ms' }], 0],
    ['down', ['connect', { expect: { tunnel: 'down', within: '24h' } }], 0],
    ['again', ['connect', { wait: '5s' }, 'connect', 'release'], 0],
  ];
  await Promise.all(
    runs.map(async ([name, steps, code]) => {
      const other = startFttscope(['eftf', '--lab', '--listen', '127.0.0.1:0']);
      const [, at] = await other.line(/^listening (\S+)$/m);
      const one = startFttscope(['ue', at, '--lab', '--run', scenario(`end-${name}.json`, steps)]);
      await other.line(/^tunnel 1 established/m);
      other.child.stdin!.write('release\n');
      assert.equal(await one.ended, code, `${name}: ${one.err}`);
      const words = 'the tunnel ended: released by the EFTF: it sent close_notify, and no step expected that';
      assert.equal(one.err, code === 0 ? '' : `fttscope: the scenario failed: ${words}\n`);
      await other.stop();
    }),
  );
});

test('who is told to end in the middle of a step ends at once, and begins no other', async () => {
  const { eftf, at } = await startEftf();
  const file = inFolder('day.json');
  for (const step of [{ wait: '24h' }, { expect: { event: 'snow', within: '24h' } }, { answer: { within: '24h' } }]) {
    writeFileSync(
      file,
      JSON.stringify({ steps: ['connect', { dhcp: '30s' }, 'register', step, 'connect', { wait: '24h' }] }),
    );
    const ue = startFttscope(['ue', at, '--lab', '-4', '--run', file]);
    await ue.line(/^registered for/m);
    await ue.stop();
    assert.equal(ue.child.signalCode, 'SIGTERM', 'steps that were not done are not told as done');
    assert.match(ue.out, /^deregistered$.*^tunnel ended: released by this UE/ms);
    assert.equal(ue.out.match(/^established/gm)?.length, 1);
    assert.equal(ue.err, '');
  }
  assert.equal(await eftf.stop(), 0);
  writeFileSync(file, JSON.stringify({ steps: [{ expect: { event: 'snow', within: '24h' } }, { wait: '24h' }] }));
  const lone = startFttscope(['eftf', '--lab', '--listen', '127.0.0.1:0', '--run', file]);
  await lone.line(/^listening/m);
  assert.equal(await lone.stop(), 0, lone.err);
});

test('a scenario that a signal stopped ends by that signal, an EFTF on SIGTERM with 0', async () => {
  const wait = scenario('wait.json', ['connect', { wait: '24h' }]);
  const expect = scenario('expect.json', [{ expect: { event: 'snow', within: '24h' } }]);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const one = startFttscope(['ue', eftf.at, '--lab', '--run', wait]);
    await one.line(/^established/m);
    await one.stop(signal);
    assert.equal(one.child.signalCode, signal, one.err);
    assert.match(one.out, /^tunnel ended: released by this UE/m);
    const other = startFttscope(['eftf', '--lab', '--listen', '127.0.0.1:0', '--run', expect]);
    await other.line(/^listening/m);
    const code = await other.stop(signal);
    const expected = signal === 'SIGTERM' ? [0, null] : [null, signal];
    assert.deepEqual([code, other.child.signalCode], expected, other.err);
  }
});

test('Ctrl-C in a scenario releases the tunnel, and stops a loop of a shell over scenarios', async () => {
  const file = scenario('loop.json', ['connect', { dhcp: '30s' }, { wait: '10s' }]);
  const loop = ['setsid', 'bash', '-c', 'for i in 1 2; do "$@"; done', '-'];
  const one = startFttscope(['ue', eftf.at, '--lab', '-4', '--run', file], loop);
  await one.line(/^IPv4 10\./m);
  process.kill(-one.child.pid!, 'SIGINT'); // as a terminal does: the shell, and what it runs
  await one.ended;
  assert.equal(one.out.match(/^established/gm)?.length, 1, one.out);
  assert.match(one.out, /^tunnel ended: released by this UE/m);
});

test('the console takes the same verbs', async () => {
  const one = startFttscope(['ue', eftf.at, '--lab', '-4']);
  await one.line(/^registered/m);
  one.child.stdin?.write('ping count=2 interval=10ms\nfault unknown-type=9\nwait 0.05\nexpect registered\nrelease\n');
  one.child.stdin?.end();
  assert.equal(await one.ended, 0, one.err);
  assert.equal(one.out.match(/64 octets from 10\.45\.0\.1/g)?.length, 2);
});

/** What an EFTF says of tunnels in which these steps were gone, one tunnel after the other. */
async function ends(...tunnels: readonly unknown[][]): Promise<string[]> {
  const before = eftf.eftf.out.length;
  const one = ue(
    tunnels.flatMap((steps) => ['connect', ...steps]),
    '-4',
    '--seed',
    '7',
  );
  assert.equal(await one.ended, 0, one.out + one.err);
  const said = (): string[] => [...eftf.eftf.out.slice(before).matchAll(/tunnel \d+ ended: (.*)/g)].map((m) => m[1]);
  await eftf.eftf.until(() => said().length === tunnels.length);
  return said();
}

test('faults that end a tunnel', async () => {
  const expected: [string, RegExp][] = [
    ['length-0', /length below 3/],
    ['length-1', /length below 3/],
    ['length-2', /length below 3/],
    ['half-close', /without a close_notify \(truncation\)/],
    ['no-close-notify', /without a close_notify \(truncation\)/],
    ['rst', /reset the connection/],
  ];
  const said = await ends(...expected.map(([fault]) => [{ fault }, { expect: { tunnel: 'down', within: '120s' } }]));
  for (const [i, [fault, words]] of expected.entries()) assert.ok(words.test(said[i]), `${fault}: ${said[i]}`);
});

test('faults that are discarded, and envelopes in any records', async () => {
  const pings = { ping: { count: 3, interval: '10ms' } };
  const expected: [unknown, RegExp][] = [
    ['length-3', /close_notify; discarded 1 without a packet$/],
    [{ 'unknown-type': 77 }, /close_notify; discarded 1 of unknown type 77$/],
    ['version-5', /close_notify; discarded 1 of an IP version/],
    ['split', /close_notify$/],
    ['merge', /close_notify$/],
    ['octet-records', /close_notify$/],
    ['split,merge', /close_notify$/],
  ];
  const said = await ends(...expected.map(([fault]) => ['dhcp', { fault }, pings, 'release']));
  for (const [i, [fault, words]] of expected.entries()) assert.ok(words.test(said[i]), `${fault}: ${said[i]}`);
});

test('who releases a tunnel writes what a fault has in hand', async () => {
  for (const fault of ['split', 'merge', 'octet-records']) {
    const file = inFolder('rest.pcapng');
    const one = ue(['connect', 'dhcp', { fault }, 'ping', 'release'], '-4', '-w', file, '--with-keys');
    assert.equal(await one.ended, 0, one.err);
    const last = run(['read', file, '-Y', 'fttims', '-T', 'fields', '-e', 'dhcp.option.dhcp']).out.trimEnd();
    assert.equal(last.split('\n').at(-1), '7', fault); // RELEASE
    const { findings } = JSON.parse(run(['report', file]).out) as { findings: { code: string }[] };
    assert.deepEqual(
      findings.filter((f) => f.code.startsWith('fttims.')),
      [],
    );
  }
});

test('faults of packets happen as often as asked, the same for the same seed', async () => {
  const lost = ue(['connect', 'dhcp', { fault: { drop: 1 } }, { ping: { within: '300ms' } }], '-4');
  assert.equal(await lost.ended, 5);
  const file = inFolder('twice.pcapng');
  const twice = ue(
    [
      'connect',
      'dhcp',
      { fault: { duplicate: 1 } },
      'ping',
      { fault: 'off' },
      'ping',
      { fault: { delay: 80 } },
      'ping',
    ],
    '-4',
    '-w',
    file,
    '--with-keys',
  );
  assert.equal(await twice.ended, 0, twice.err);
  const requests = run(['read', file, '-Y', 'icmp.type == 8', '-T', 'fields', '-e', 'icmp.seq']).out;
  assert.deepEqual(requests.trimEnd().split('\n'), ['1', '1', '2', '3']);
  const [, ms] = /ttl 64, ([\d.]+) ms\n(?!.*octets)/.exec(twice.out.slice(twice.out.lastIndexOf('octets from') - 20))!;
  assert.ok(Number(ms) >= 79); // clocks of a millisecond
});

test('an end that supports one family alone discards the other', async () => {
  const four = await startEftf('-4');
  const before = startFttscope([
    'ue',
    four.at,
    '--lab',
    '-6',
    '--run',
    scenario('six.json', ['connect', { slaac: '1500ms' }]),
  ]);
  assert.equal(await before.ended, 5);
  const [, words] = await four.eftf.line(/tunnel 1 ended: (.*)/);
  assert.match(words, /discarded \d+ of an IP version that is not supported/); // TS 24.322 §5.3.3.2
  assert.equal(await four.eftf.stop(), 0);
});

test('a run goes on where its files can be written no more, and exits with 2', async () => {
  const log = ue(['connect', 'dhcp', 'release'], '--keylog-out', '/dev/full');
  assert.equal(await log.ended, 2);
  assert.match(log.out, /IPv4 10\.45\.[\s\S]*close_notify was sent and answered/);
  assert.equal(log.err, 'fttscope: /dev/full: no space is left on the device; it is written no more\n');

  const full = startFttscope(
    ['ue', eftf.at, '--lab', '--run', scenario('said.json', ['connect', 'release'])],
    ['sh', '-c', 'exec "$@" > /dev/full', '-'],
  );
  assert.equal(await full.ended, 2);
  assert.equal(full.err, 'fttscope: standard output: no space is left on the device; it is written no more\n');

  const few = inFolder('few.pcapng');
  const limited = ['bash', '-c', 'ulimit -f 8; exec "$@"', '-']; // KiB
  const steps = [
    'connect',
    'dhcp',
    'slaac',
    'register',
    { ping: { count: 3, size: 1200, interval: '60ms' } },
    'release',
  ];
  const one = startFttscope(
    ['ue', eftf.at, '--lab', '--run', scenario('long.json', steps), '-w', few, '--with-keys'],
    limited,
  );
  assert.equal(await one.ended, 2);
  assert.match(one.out, /deregistered[\s\S]*close_notify was sent and answered/);
  assert.match(one.err, /few\.pcapng: the file would be larger than the system allows; it is written no more\n$/);
  assert.ok(statSync(few).size <= 8192);
  const kept = run(['read', few]);
  assert.match(kept.out, /DHCP/);
  assert.equal(kept.code, 0, 'the file ends with a whole block');
});

test('what is no TLS session is not written over by --session', async () => {
  const text = inFolder('precious.txt');
  writeFileSync(text, 'not to be lost');
  const one = ue(['connect', 'release'], '--session', text);
  assert.equal(await one.ended, 2);
  assert.match(one.err, /precious\.txt: no TLS session; it would be lost/);
  assert.equal(readFileSync(text, 'utf8'), 'not to be lost');
  const session = inFolder('ue.session');
  for (const how of ['certificate', 'resumed']) {
    const good = ue(['connect', 'dhcp', 'release'], '--session', session);
    assert.equal(await good.ended, 0, good.err);
    assert.match(good.out, new RegExp(how));
  }
  // As later versions of Node write them. What this one does not understand is a session that is resumed no more.
  writeFileSync(session, `\0nodejs:tls:session:1\0\0\x09127.0.0.1${readFileSync(session, 'latin1')}`, 'latin1');
  const other = ue(['connect', 'release'], '--session', session);
  assert.equal(await other.ended, 0, other.err);
  assert.equal(await ue(['connect'], '--session', inFolder('none/ue.session')).ended, 2);
});
