import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { run } from '../cli/run.js';
import { inFolder, startEftf, startFttscope } from './outer-support.js';

/** How `ue` calls, and what it says: recordings as they are, and what it hears. */

let eftf: Awaited<ReturnType<typeof startEftf>>;
before(async () => {
  eftf = await startEftf();
});
after(() => eftf.eftf.child.kill('SIGKILL'));

/** A call; rows of what ran in the tunnel, with these fields. */
async function rowsOf(to: string, filter: string, fields: readonly string[], ...more: string[]): Promise<string[][]> {
  const steps = ['connect', 'dhcp', 'register', { call: to }, { wait: 0.4 }, 'hangup', 'release'];
  const file = inFolder('call.pcapng');
  writeFileSync(inFolder('call.json'), JSON.stringify({ steps }));
  const args = ['--lab', '-4', '--run', inFolder('call.json'), '-w', file, '--with-keys', ...more];
  const ue = startFttscope(['ue', eftf.at, ...args]);
  assert.equal(await ue.ended, 0, ue.out + ue.err);
  const wanted = ['-Y', filter, '-T', 'fields', '-E', 'occurrence=l', ...fields.flatMap((f) => ['-e', f])];
  return run(['read', file, '--rows', 'inner', ...wanted])
    .out.trimEnd()
    .split('\n')
    .map((l) => l.split('\t'));
}

/** Payloads of the RTP packets of a call, sent and received. */
async function call(
  to: string,
  ...more: string[]
): Promise<{ sent: string[]; received: string[]; types: Set<string> }> {
  const rows = await rowsOf(to, 'rtp', ['ip.src', 'rtp.p_type', 'rtp.payload'], ...more);
  const of = (own: boolean): string[] => rows.filter((r) => (r[0] !== '10.45.0.1') === own).map((r) => r[2]);
  return { sent: of(true), received: of(false), types: new Set(rows.map((r) => r[1])) };
}

const hex = (octets: number[]): string => Buffer.from(octets).toString('hex');

test('octets of G.711 go as they are, and come back from the echo', async () => {
  const octets = Array.from({ length: 400 }, (_, i) => i % 251);
  writeFileSync(inFolder('a.ul'), Buffer.from(octets));
  const { sent, received, types } = await call('echo', '--audio', inFolder('a.ul'), '--codec', 'pcma');
  assert.deepEqual([...types], ['8']); // RFC 3551 table 4
  // 160 octets a packet, from the start again where the file ends
  assert.deepEqual(sent.slice(0, 3), [
    hex(octets.slice(0, 160)),
    hex(octets.slice(160, 320)),
    hex([...octets.slice(320), ...octets.slice(0, 80)]),
  ]);
  assert.ok(received.length > 5);
  assert.ok(sent.join(' ').includes(received.slice(0, 5).join(' ')));
});

test('AMR frames go as opaque payload', async () => {
  const speech = [31, 30].map((from) => Array.from({ length: 31 }, (_, i) => from + i));
  // RFC 4867 §5: a magic number, then frames of 12.2 kbit/s (type 7) with their header octet
  writeFileSync(inFolder('a.amr'), Buffer.from([...Buffer.from('#!AMR\n'), 0x3c, ...speech[0], 0x3c, ...speech[1]]));
  const { sent, types } = await call('echo', '--audio', inFolder('a.amr'), '--codec', 'AMR');
  assert.deepEqual([...types], ['96']);
  // RFC 4867 §4.4: no mode is asked for, one entry in the table of contents
  const payloads = speech.map((s) => hex([0xf0, 0x3c, ...s]));
  assert.deepEqual(sent.slice(0, 4), [...payloads, ...payloads]);
});

test('SIP goes over TCP where that is asked for, and a report finds nothing wrong', async () => {
  const rows = await rowsOf('echo', 'sip', ['ip.proto', 'sip.Method', 'sip.Via.transport'], '--sip-transport', 'tcp');
  assert.deepEqual([...new Set(rows.map(([protocol]) => protocol))], ['6']);
  assert.ok(['REGISTER', 'INVITE', 'PRACK', 'ACK', 'BYE'].every((m) => rows.some(([, method]) => method === m)));
  assert.deepEqual([...new Set(rows.map(([, , transport]) => transport))], ['TCP']);
  const told = JSON.parse(run(['report', inFolder('call.pcapng')]).out);
  assert.deepEqual(
    told.findings.filter((f: { severity: string }) => f.severity === 'warn' || f.severity === 'error'),
    [],
  );
  assert.equal(told.calls[0].state, 'ended');
});

test('an echo gives back what the announcement says', async () => {
  const { sent, received } = await call('announcement', '--audio', 'echo');
  assert.ok(sent.length > 5);
  assert.ok(received.join(' ').includes(sent.slice(0, 5).join(' ')));
});

test('a call with preconditions rings when resources are there, and has a session timer', async () => {
  const fields = ['sip.Method', 'sip.Status-Code', 'sip.CSeq.method', 'sip.Session-Expires'];
  const filter = 'sip.CSeq.method && sip.CSeq.method != "REGISTER"';
  const rows = await rowsOf('echo', filter, fields, '--preconditions', '200ms');
  const said = rows.map(([method, status, of, timer]) => `${method || `${status} ${of}`}${timer ? ` ${timer}` : ''}`);
  // RFC 3312 §13.1: no ringing before the UPDATE; RFC 4028 §9
  assert.deepEqual(said, [
    'INVITE 1800',
    '100 INVITE',
    '183 INVITE',
    'PRACK',
    '200 PRACK',
    'UPDATE',
    '200 UPDATE',
    '180 INVITE',
    'PRACK',
    '200 PRACK',
    '200 INVITE 1800;refresher=uac',
    'ACK',
    'BYE',
    '200 BYE',
  ]);
});

test('a call is taken back, and one may be refused', async () => {
  const calls = [{ call: { to: 'silent', cancel: '200ms' } }, { call: { to: 'busy', status: 486 } }];
  writeFileSync(inFolder('back.json'), JSON.stringify({ steps: ['connect', 'dhcp', 'register', ...calls] }));
  const ue = startFttscope(['ue', eftf.at, '--lab', '-4', '--run', inFolder('back.json')]);
  assert.equal(await ue.ended, 0, ue.out + ue.err);
  assert.match(ue.out, /call ended by this UE: 487/);
});

test('who leaves in a call ends it first, then takes the registration back', async () => {
  for (const [calls, end] of [
    [['register', { call: 'echo' }, 'release'], 'BYE'],
    [['register', { call: { to: 'silent', within: '400ms' } }], 'CANCEL'], // it fails, and the UE leaves
    [['register', { call: 'echo' }, 'deregister'], 'BYE'],
  ] as const) {
    const file = inFolder('left.pcapng');
    writeFileSync(inFolder('left.json'), JSON.stringify({ steps: ['connect', 'dhcp', ...calls] }));
    const ue = startFttscope(['ue', eftf.at, '--lab', '-4', '--run', inFolder('left.json'), '-w', file, '--with-keys']);
    await ue.ended;
    const requests = 'sip.Method && sip.Method != ACK && sip.Method != PRACK && ip.src#2 != 10.45.0.1';
    const sent = run(['read', file, '-Y', requests, '-T', 'fields', '-e', 'sip.Method']).out;
    assert.deepEqual(sent.trimEnd().split('\n'), ['REGISTER', 'REGISTER', 'INVITE', end, 'REGISTER'], ue.out);
    const findings = JSON.parse(run(['report', file]).out).findings as { severity: string; code: string }[];
    assert.deepEqual(
      findings.filter((f) => f.severity === 'error'),
      [],
    );
  }
});

test('an answer to BYE is waited for, though not for ever; what is not registered cannot be taken back', async () => {
  const ends = ['hangup', { call: 'echo' }, { fault: { drop: 1 } }, { hangup: '200ms' }, { fault: 'off' }];
  const steps = ['connect', 'dhcp', 'register', { call: 'echo' }, ...ends, 'deregister', 'deregister'];
  writeFileSync(inFolder('ends.json'), JSON.stringify({ steps }));
  const ue = startFttscope(['ue', eftf.at, '--lab', '-4', '--run', inFolder('ends.json')]);
  assert.equal(await ue.ended, 5, ue.out + ue.err);
  assert.match(ue.err, /step 11 \(deregister, .*\) failed: nothing is registered/);
  assert.match(ue.out, /^call ended by this UE\nBYE: 200$/m);
  assert.match(ue.out, /^call ended by this UE\nBYE was not answered within 0\.2 s$/m);
});

test('a recording that does not fit the codecs is refused with words', () => {
  const r = run(['ue', eftf.at, '--lab', '--audio', inFolder('a.amr')]);
  assert.deepEqual([r.code, /the recording is AMR, the call PCMU/.test(r.err)], [1, true], r.err);
  const raw = run(['ue', eftf.at, '--lab', '--codec', 'AMR-WB', '--audio', inFolder('a.ul')]);
  assert.deepEqual([raw.code, /frames of AMR-WB come in its storage format/.test(raw.err)], [1, true], raw.err);
  assert.equal(run(['ue', eftf.at, '--codec', 'opus']).code, 1);
});

test('a call that comes in beside another takes no verb that is meant for that', async () => {
  const phone = (who: string, steps: readonly unknown[]) => {
    const file = inFolder(`beside-${who}.json`);
    writeFileSync(file, JSON.stringify({ steps: ['connect', 'dhcp', 'register', ...steps] }));
    return startFttscope(['ue', eftf.at, '--lab', '-4', '--subscriber', who, '--run', file]);
  };
  const comes = { expect: { event: 'call from', within: '60s' } };
  const alice = phone('alice', [
    { call: 'echo' },
    comes,
    'hold',
    { hold: { off: true } },
    'hangup',
    { answer: { reject: 486 } },
    { call: { to: 'silent', cancel: '5s' } },
    { expect: { event: 'call ended by the other side: 487', within: '60s' } },
  ]);
  await alice.line(/^call answered/m);
  const refused = { call: { to: 'alice', status: 486, within: '60s' } };
  const bob = phone('bob', [refused, { wait: '500ms' }, { call: { to: 'alice', cancel: '500ms' } }]);
  assert.equal(await bob.ended, 0, bob.out + bob.err);
  assert.equal(await alice.ended, 0, alice.out + alice.err);
  assert.match(alice.out, /^call from [\s\S]*^media: \d+ packets received\ncall ended by this UE\nBYE: 200$/m);
});
