import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { file, run, sample, TLS13, TLS13_KEYS, tshark } from './run.js';

/** Rows that are printed, one id each. */
function ids(...args: string[]): string[] {
  const r = run([TLS13, '-q', '-Tfields', '-e', '_ws.col.No.', ...args]);
  assert.equal(r.err, '');
  return r.out.trimEnd().split('\n').filter(Boolean);
}
const count = (path: string, ...args: string[]): number => run([path, '-q', ...args]).out.split('\n').length - 1;

test('a filter takes the rows of a finding by its code, whoever found it', () => {
  const counted = new Map<string, number>();
  for (const name of ['13-outer-loss.pcap', '48-own-framing-lost.pcapng', '00-field.pcapng']) {
    const lines = run([sample(name), '-q', '-Tndjson', '-e', 'frame.number'])
      .out.trimEnd()
      .split('\n');
    const codes = lines.flatMap((line) => (JSON.parse(line) as { findings: string[] }).findings);
    for (const code of new Set(codes)) {
      counted.set(code, codes.filter((c) => c === code).length);
      assert.equal(count(sample(name), '-Y', `finding.code == "${code}"`), counted.get(code), code);
    }
  }
  // Found by a dissector, by the reading of frames, of streams, and of envelopes.
  for (const code of ['tcp.dsack', 'capture.duplicate', 'capture.gap', 'fttims.bad-length', 'inner.fragment'])
    assert.ok((counted.get(code) ?? 0) > 0, code);
});

test('frames that came twice are told in every format, and count for --fail-on', () => {
  // editcap -w 0.1 of the sample leaves out 3 of its frames.
  const path = sample('13-outer-loss.pcap');
  const twice = 'finding.code == "capture.duplicate"';
  for (const format of [[], ['-Tfields', '-e', 'frame.number'], ['-Tndjson', '-e', 'frame.number']]) {
    assert.equal(count(path, ...format, '-Y', twice), 3);
    assert.equal(count(path, ...format, '-Y', 'frame.duplicate'), 3);
    assert.equal(run([path, '-q', ...format, '-Y', twice, '--fail-on', 'note']).code, 3);
  }
  const shown = run([path, '-q', '-Tfields', '-e', 'frame.duplicate', '-e', 'finding.code']).out.split('\n');
  assert.equal(shown.filter((line) => /^\d+\t.*capture\.duplicate/.test(line)).length, 3);
});

test('a name in braces stands for a filter of the program, or of the settings that are named', () => {
  const saved = (name: string): string => `\${${name}}`;
  const path = sample('00-field.pcapng');
  const [failures, media] = [count(path, '-Y', 'sip.Status-Code >= 400'), count(path, '-Y', 'rtp || rtcp')];
  assert.ok(failures > 0 && media > 0);
  assert.equal(count(path, '-Y', saved('failures')), failures);
  // expect.json of the sample: 7 envelopes of unknown types, no framing that was lost
  assert.equal(count(sample('09-unknown-types.pcapng'), '-Y', saved('envelopes')), 7);
  const config = file('config.json', '{"version":1,"filters":[{"name":"mine","filter":"rtp || rtcp"}]}');
  assert.equal(count(path, '--config', config, '-Y', `frame && ${saved('mine')}`), media);
  // What a script does depends on no settings but those that it names.
  const r = run([path, '-q', '-Y', saved('mine')]);
  assert.equal(r.code, 2);
  assert.match(r.err, /macro 'mine' does not exist\n.*\n.*\n +There are failures, .*--config FILE/);
  assert.equal(run(['extract', path, '-w', '/dev/null', '--config', '/none', '-Y', saved('x')]).code, 2);
});

describe('rows', () => {
  test('inner, outer, both', () => {
    // expect.json of the sample: 484 frames, 189 + 189 envelopes
    assert.equal(ids('--rows', 'outer').length, 484);
    assert.equal(ids('--rows', 'inner').length, 378);
    assert.ok(ids('--rows', 'inner').every((id) => /^\d+\.\d+$/.test(id)));
    assert.ok(ids('--rows', 'outer').every((id) => /^\d+$/.test(id)));
    const both = ids();
    assert.equal(new Set(both.map((id) => id.split('.')[0])).size, 484);
    assert.equal(both.filter((id) => id.includes('.')).length, 378);
  });

  test('-c counts frames', () => {
    assert.deepEqual([...new Set(ids('-c', '30').map((id) => id.split('.')[0]))].at(-1), '30');
  });

  test('several files are merged by time, and rows name theirs', () => {
    const r = run([TLS13, '-q', '-r', TLS13, '-c', '4']);
    assert.deepEqual(
      r.out
        .split('\n')
        .slice(0, -1)
        .map((line) => line.trim().split(' ')[0]),
      ['1:1', '2:1', '1:2', '2:2'],
    );
  });

  test('what is missing at the end of one of several files is told of that file', () => {
    const r = run(['report', sample('20-healthy-call.pcapng'), sample('00-field.pcapng')]);
    const { tunnels } = JSON.parse(r.out) as { tunnels: { gaps: { row: string; octets: number }[] }[] };
    // tshark says of frame 279 that a segment before it was not captured; 297 is the last frame.
    assert.deepEqual(
      tunnels.flatMap((t) => t.gaps).map((g) => [g.row, g.octets]),
      [['2:297', 113]],
    );
  });
});

describe('--tunnel', () => {
  const three = sample('06-tls12-resumption.pcapng');
  test('by number', () => {
    // expect.json: three tunnels with 77 and 80 envelopes
    const parts = [1, 2, 3].map((n) => count(three, '--rows', 'inner', '--tunnel', String(n)));
    assert.equal(parts[0] + parts[1] + parts[2], 77 + 80);
    assert.ok(parts.every((n) => n > 0));
  });

  test('by address and port, by IPv6 address, by SNI, by the target of a proxy', () => {
    const inner = ['--rows', 'inner', '--tunnel'];
    assert.equal(count(TLS13, ...inner, '192.0.2.1:443'), 378);
    assert.equal(count(TLS13, ...inner, '192.0.2.1'), 378);
    assert.equal(count(TLS13, ...inner, 'EFTF.ims.example:443'), 378);
    assert.equal(count(TLS13, ...inner, '192.0.2.1:444'), 0);
    const six = sample('12-ipv6-only.pcapng');
    for (const which of ['[2001:DB8:2:0::1]:443', '2001:db8:2::1', '[2001:db8:2::10]'])
      assert.equal(count(six, ...inner, which), 96 + 93);
    const proxied = sample('07-proxy-connect.pcapng');
    assert.equal(count(proxied, ...inner, '192.0.2.1:443'), 21 + 17);
    assert.equal(count(proxied, ...inner, '192.0.2.1:3128'), 21 + 17);
  });

  test('by a name of one word', () => {
    const inner = ['--rows', 'inner', '--tunnel'];
    const octets = readFileSync(TLS13);
    const [eftf, here] = [Buffer.from([192, 0, 2, 1]), Buffer.from([127, 0, 0, 1])];
    for (let at = octets.indexOf(eftf); at >= 0; at = octets.indexOf(eftf, at)) here.copy(octets, at);
    const local = file('local.pcapng', octets);
    const found = count(local, ...inner, '127.0.0.1:443', '-k', TLS13_KEYS);
    assert.ok(found > 0);
    assert.equal(count(local, ...inner, 'localhost:443', '-k', TLS13_KEYS), found);
    assert.equal(count(local, ...inner, 'localhost', '-k', TLS13_KEYS), found);
    const r = run([TLS13, ...inner, 'eftf']);
    assert.match(r.err, /^fttscope: there is no tunnel eftf; the capture has 1$/m);
    assert.equal(r.code, 0);
  });

  test('one that is not there is told of', () => {
    const r = run([three, '--tunnel', '9']);
    assert.match(r.err, /there is no tunnel 9; the capture has 3/);
    const away = run([sample('00-field.pcapng'), '--tunnel', '192.0.2.99']);
    assert.match(away.err, /^fttscope: there is no tunnel 192\.0\.2\.99; the capture has 4\n$/);
    const told = run([sample('00-field.pcapng'), '--tunnel', '2']).err;
    assert.match(told, /^tunnel 2: .*\n$/, 'of the others nothing is told');
    assert.equal(r.out, '');
    assert.equal(r.code, 0);
  });
});

describe('--from and --to', () => {
  test('take nanoseconds, dates, and seconds from the first frame', () => {
    const epochs = run([TLS13, '-q', '--rows', 'outer', '-e', 'frame.time_epoch']).out.trimEnd().split('\n');
    const at = epochs[99];
    const iso = `${new Date(Math.floor(Number(at)) * 1000).toISOString().slice(0, 19)}.${at.split('.')[1]}`;
    const outer = (...args: string[]): string[] => ids('--rows', 'outer', ...args);
    assert.deepEqual(outer('--from', at, '--to', at), ['100']);
    assert.deepEqual(outer('--from', `${iso}Z`, '--to', iso.replace('T', ' ')), ['100']);
    const [s, n] = at.split('.');
    const later = `${s}.${String(Number(n) + 1).padStart(9, '0')}`;
    assert.equal(outer('--from', later)[0], '101');
    assert.equal(outer('--to', '+1').at(-1), String(epochs.filter((e) => Number(e) <= Number(epochs[0]) + 1).length));
    assert.deepEqual(outer('--from', '+100000'), []);
  });
});

describe('--call-id and --user', () => {
  test('take a dialog with its media, as tshark numbers them', () => {
    const inner = file('inner.pcapng');
    assert.equal(run(['extract', TLS13, '-q', '-w', inner]).code, 0);
    const id = '1-14240@10.9.0.115';
    const mine = (proto: string): number => ids('--call-id', id, '-Y', proto).length;
    assert.ok(mine('sip') > 0);
    assert.ok(mine('rtp') > 0);
    const theirs = tshark(['-r', inner, '-Y', `sip.Call-ID == "${id}"`, '-Tfields', '-e', 'frame.number']);
    if (theirs !== null) assert.equal(mine('sip'), theirs.trimEnd().split('\n').length);
    assert.equal(ids('--call-id', 'nobody').length, 0);
  });

  test('take a user by number or URI', () => {
    const all = ids('-Y', 'sip').length;
    assert.equal(ids('--user', 'sip:ue1@ims.example', '-Y', 'sip').length, all);
    const called = ids('--user', '+15550199', '-Y', 'sip').length;
    assert.ok(called > 0 && called < all);
    for (const same of ['tel:+15550199', '15550199', '+1-555-0199', '+1(555)0199'])
      assert.equal(ids('--user', same, '-Y', 'sip').length, called, same);
    assert.equal(ids('--user', 'nobody').length, 0);
  });
});

describe('extract', () => {
  test('with keys, the frames of a tunnel open by themselves', () => {
    const out = file('one.pcapng');
    const r = run(['extract', TLS13, '--outer', '--tunnel', '1', '--with-keys', '-w', out]);
    assert.equal(r.code, 0);
    assert.match(r.err, /^\d+ frames written\n$/);
    assert.equal(count(out, '--rows', 'inner'), 378);
  });

  test('inner packets are those that tshark reads', () => {
    const out = file('packets.pcapng');
    assert.match(run(['extract', TLS13, '-w', out]).err, /^378 inner packets of 1 tunnel written\n$/);
    const lines = tshark(['-r', out, '-Tfields', '-e', 'frame.number']);
    if (lines !== null) assert.equal(lines.trimEnd().split('\n').length, 378);
  });

  test('-c, -Y and -w of read leave the same frames', () => {
    const out = file('dhcp.pcapng');
    assert.equal(run([TLS13, '-q', '-Y', 'dhcp', '-w', out]).out, '');
    assert.equal(count(out), 8); // the samples' README: 8 DHCP messages
    assert.equal(count(out, '-k', TLS13_KEYS, '-P', '-w', file('again.pcapng')), 8);
  });
});

test('a text that a field never has is refused with those that it has', () => {
  const path = sample('00-field.pcapng');
  for (const [filter, word] of [
    ['call.state == "faild"', 'failed'],
    ['call.state in {"failed", "ned"}', 'ended'],
    ['tunnel.release != closed', 'close_notify'],
    ['tunnel.direction == "upp"', 'up'],
  ]) {
    const r = run([path, '-2', '-q', '-Y', filter]);
    assert.equal(r.code, 2, filter);
    assert.match(
      r.err,
      new RegExp(`cannot be found among the possible values[^]*\\^[^]*It can be .*"${word}"`),
      filter,
    );
  }
  // The failed call: INVITE, 100, 503, ACK, as tshark lists them of what `extract` writes.
  for (const filter of ['call.state == failed', 'call.state contains "fail"', 'call.state in {"failed"}'])
    assert.equal(count(path, '-2', '-Y', filter), 4, filter);
});
