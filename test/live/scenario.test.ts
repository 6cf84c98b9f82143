import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { readLine, readScenario, VERBS } from '../../src/live/scenario.js';
import { EFTF_STEPS } from '../../src/live/scenario-eftf.js';
import { Lines, StepFailed } from '../../src/live/scenario-lines.js';
import { PROFILE } from '../../src/live/tls-settings.js';
import { Ue } from '../../src/live/ue.js';
import { VirtualClock } from './clock.js';
import { inFolder, startFttscope } from './outer-support.js';

const read = (text: string) => readScenario(text, 'call.yaml', VERBS).map(({ name, args }) => [name, args]);
const line = (text: string) => readLine(text)?.args;

test('values stand for themselves as they are written', () => {
  assert.deepEqual(
    read('steps: [{call: +15550100}, {dtmf: 007}, {send: 0100e7}, {wait: 1}, {hold: off}, {release: }]'),
    [
      ['call', { to: '+15550100' }],
      ['dtmf', { digits: '007' }],
      ['send', { hex: Uint8Array.of(1, 0, 0xe7) }],
      ['wait', { for: 1000 }],
      ['hold', { off: true }],
      ['release', {}],
    ],
  );
  const json =
    '{"steps": ["connect", {"ping": {"count": 3, "to": "10.0.0.1"}}, {"fault": {"drop": 0.5, "rst": null}}]}';
  assert.deepEqual(read(json), [
    ['connect', {}],
    ['ping', { count: 3, to: Uint8Array.of(10, 0, 0, 1) }],
    ['fault', { faults: [{ name: 'drop', value: 0.5 }, { name: 'rst' }] }],
  ]);
  assert.deepEqual(
    read('steps: [{fault: [rst, drop=0.5]}, {fault: off}, {fault: {faults: split}}]').map(([, a]) => a),
    [{ faults: [{ name: 'rst' }, { name: 'drop', value: 0.5 }] }, { faults: [] }, { faults: [{ name: 'split' }] }],
  );
  assert.deepEqual(
    read('steps: [{fault: [rst, {delay: 2s}]}, {fault: delay=80ms}, {fault: {delay: 80}}]').map(([, a]) => a),
    [
      { faults: [{ name: 'rst' }, { name: 'delay', value: 2000 }] },
      { faults: [{ name: 'delay', value: 80 }] },
      { faults: [{ name: 'delay', value: 80 }] },
    ],
  );
});

test('a line of the console: a value without a name, then others; words go on', () => {
  assert.deepEqual(line('ping 10.0.0.1 count=2'), { to: Uint8Array.of(10, 0, 0, 1), count: 2 });
  assert.deepEqual(line('message bob text=on my way within=2s'), { to: 'bob', text: 'on my way', within: 2000 });
  assert.deepEqual(line('expect tunnel ended within=5s'), { event: 'tunnel ended', within: 5000 });
  assert.deepEqual(line('expect event=/a=b/'), { event: '/a=b/' });
  assert.deepEqual(line('fault rst drop=0.5'), { faults: [{ name: 'rst' }, { name: 'drop', value: 0.5 }] });
  assert.deepEqual(line('hold off by=update'), { off: true, by: 'update' });
  assert.equal(line('  # a comment'), undefined);
});

test('what cannot be is refused with its place, what it is, and what it may be', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['ping count=0', /^ping: count is a whole number from 1 to 1000000, not 0$/],
    ['ping count=1.5', /count is a whole number/],
    ['ping size=70000', /size is a whole number from 0 to 65507, not 70000$/],
    ['ping nowhere', /to is an IP address, not nowhere$/],
    ['ping to=', /to is an IP address, not nothing$/],
    ['expect tunnel=sideways', /tunnel is up or down, not sideways$/],
    ['wait 600h 3', /for is a time such as 500ms, 2s, 1\.5m, not 600h 3$/],
    ['wait 1000h', /for is a time/],
    ['call bob status=200', /status is a whole number from 300 to 699, not 200$/],
    ['answer reject=busy', /reject is a whole number/],
    ['hold by=info', /by is invite or update, not info$/],
    ['hold maybe', /off is true or false, not maybe$/],
    ['release now', /^release: it does not take now; it takes nothing$/],
    ['send 123', /hex is octets in hex, not 123$/],
    ['fault snow', /no fault is called snow; there are length-0/],
    ['fault drop=x', /drop: x is no number/],
    ['fault drop=7', /drop: 7 is no part from 0 to 1$/],
    ['fault unknown-type=256', /unknown-type: 256 is no whole number from 0 to 255$/],
    ['fault delay=1.5', /delay: 1\.5 is no whole number from 0 to 3600000$/],
    ['fault delay=2h', /delay: 2h is no number$/],
    ['fault drop=2s', /drop: 2s is no number$/],
    ['snow', /no verb is called snow; there are connect, dhcp/],
    ['toString', /no verb is called toString/],
  ];
  for (const [text, words] of wrong)
    assert.throws(() => readLine(text), { message: new RegExp(words.source.replace(/^\^/, '^console: ')) }, text);
  const files: readonly (readonly [string, RegExp])[] = [
    ['steps: []', /^call\.yaml: there are no steps$/],
    ['connect', /a scenario is \{steps:/],
    ['steps: [connect]\ntimeout: 3', /^call\.yaml, line 2: a scenario has steps, and no timeout$/],
    ['steps:\n- connect\n- {ping: 10.0.0.1, wait: 3}', /line 3: a step is a verb, or one verb with its arguments$/],
    ['steps:\n- connect\n- [wait, 3]', /line 3: a step is a verb/],
    ['steps: [{wait: {for: [1, 2]}}]', /wait: for is one value, not several$/],
    ['steps: [{wait: [1, 2]}]', /wait: it takes one value, or values with names$/],
    ['steps: [{ping: {far: 1}}]', /ping: it does not take far; it takes to, count, interval, size, within$/],
    ['steps: [connect, call]', /^call\.yaml, line 1: call: to is missing: USER, USER@DOMAIN, or a URI of sip/],
    ['steps: [{message: {text: hi}}]', /message: to is missing/],
    ['steps: [{call: {to: b ob}}]', /call: to is USER, USER@DOMAIN, .*, not b ob$/],
    ['steps:\n- dtmf', /line 2: dtmf: digits is missing: 0 to 9, \*, #, A to D$/],
    ['steps: [{dtmf: 12x}]', /dtmf: digits is 0 to 9, \*, #, A to D, not 12x$/],
    ['steps: [send]', /send: hex is missing: octets in hex$/],
    ['steps: [{fault: }]', /fault: faults is missing: off, length-0, /],
    ['steps: [{expect: 5s}, {expect: {within: 5s}}]', /expect: one of event, not, tunnel, address is missing$/],
    ['steps: [{expect: {not: /(/}}]', /expect: Invalid regular expression/],
    ['steps: [{expect: {address: ipv5}}]', /address is ipv4, ipv6, .*, not ipv5$/],
    ['steps: [{expect: {address: 2001:db8::/129}}]', /address is .*, not 2001:db8::\/129$/],
    ['steps: [{expect: {address: 10.0.0.0/8/9}}]', /address is .*, not 10\.0\.0\.0\/8\/9$/],
    ['steps: [*a]', /^call\.yaml/],
    ['steps: [', /^call\.yaml: .* at line 1, column \d+$/],
  ];
  for (const [text, words] of files) assert.throws(() => read(text), { message: words }, text);
  assert.throws(
    () => readScenario('steps: [{expect: {tunnels: -1}}]', 'e.yaml', EFTF_STEPS),
    /tunnels is a whole number/,
  );
  assert.throws(
    () => readScenario('steps: [{expect: {tunnels: 1}}, {fault: {faults: mute, tunnel: 1}}]', 'e.yaml', EFTF_STEPS),
    { message: 'e.yaml, line 1: fault: mute is done to all UEs, not in one tunnel' },
  );
});

test('a scenario that cannot be read ends with 2, a step that fails with 5, no tunnel with 6', async () => {
  const ended = async (steps: string) => {
    const file = inFolder('odd.yaml');
    writeFileSync(file, steps);
    const ue = startFttscope(['ue', '127.0.0.1:1', '--insecure', '--run', file]);
    return [await ue.ended, ue.err.trim().split('\n')[0]] as const;
  };
  assert.match((await ended('steps: [{wait: soon}]')).join(' '), /^2 fttscope: .*line 1: wait: for is a time/);
  assert.match(
    (await ended('steps: [register]')).join(' '),
    /^5 fttscope: step 1 \(register, .*line 1\) failed: there is no tunnel$/,
  );
  // Before the first step, which would fail with 6.
  assert.match(
    (await ended('steps: [connect, {expect: {address: 10.0.0.0/40}}]')).join(' '),
    /^2 .*: expect: address is ipv4, ipv6, an IP address or ADDRESS\/LENGTH, not 10\.0\.0\.0\/40$/,
  );
  assert.match(
    (await ended('steps: [connect]')).join(' '),
    /^6 fttscope: step 1 \(connect, .*\): no tunnel: 127\.0\.0\.1:1: /,
  );
});

test('nobody is asked to hear a line that nobody waits for any more', async () => {
  const clock = new VirtualClock();
  const lines = new Lines(clock, () => undefined);
  const unheard: unknown[] = [];
  const note = (e: unknown) => void unheard.push(e);
  process.on('unhandledRejection', note);
  void lines.hear(/never/, 100);
  clock.advance(200);
  await new Promise((done) => setImmediate(done));
  process.off('unhandledRejection', note);
  assert.deepEqual(unheard, []);
  await assert.rejects(Promise.all([lines.hear(/never/, 100), clock.advance(200)]), StepFailed);
});

test('something that is waited for is looked at with each line, and given up in time', async () => {
  const clock = new VirtualClock();
  const lines = new Lines(clock, () => undefined);
  let n = 0;
  const two = lines.until(() => n === 2, 1000);
  for (; n < 2; n++) lines.tell('one more');
  lines.tell('and one');
  assert.equal(await two, true);
  const never = lines.until(() => false, 1000);
  clock.advance(1000);
  assert.equal(await never, false);
});

test('what waits is given up at the end, and no timer is left that would hold the program', async () => {
  const clock = new VirtualClock();
  const lines = new Lines(clock, () => {});
  const waits = [lines.pause(3_600_000), lines.hear(/never/, 3_600_000), lines.expect(/never/, 3_600_000)];
  const untold = lines.until(() => false, 3_600_000);
  lines.end();
  assert.equal(clock.next(), Number.POSITIVE_INFINITY);
  for (const w of waits) await assert.rejects(w, StepFailed);
  assert.equal(await untold, false);
  const later = lines.pause(3_600_000);
  clock.advance(1);
  await assert.rejects(later, StepFailed);
});

test('a tunnel that is being established is given up when its UE is closed, and there is no other', async (t) => {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ue = new Ue({
    connect: { host: '127.0.0.1', port, versions: PROFILE, timeoutMs: 100_000 },
    families: [4],
    tell: () => undefined,
  });
  const connecting = assert.rejects(ue.connect(), { message: 'given up' });
  const [socket] = await once(server, 'connection');
  // The screens take verbs at any time.
  await assert.rejects(ue.connect(), { message: 'a tunnel is being established' });
  await ue.close();
  await connecting;
  await assert.rejects(ue.connect(), { message: 'given up' });
  (socket as Socket).destroy();
});
