import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { COMMAND } from '../cli/run.js';
import { listening } from '../support/ports.js';
import { until } from '../support/until.js';
import { inFolder, missing, type Running } from './outer-support.js';
import { addressesOf, inside, makeSpaces, NET, startTunEftf, startTunUe, UE, within } from './tun-support.js';

/** The kernel's own TCP/IP, dnsmasq and radvd through a tunnel between two network namespaces. */

const skip = makeSpaces();

async function startPair(t: TestContext, eftf: string[], ue: string[]): Promise<{ eftf: Running; ue: Running }> {
  const e = await startTunEftf(...eftf);
  t.after(() => e.stop('SIGKILL')); // with its device, which the next test wants
  const u = startTunUe(...ue);
  t.after(() => u.stop('SIGKILL'));
  await u.line(/^established/m);
  return { eftf: e, ue: u };
}

const ANSWERED = /([3-9]|\d\d) received/;
/** Asks until three answers have come, one after the other or all at once behind a pause. */
const ping = async (target: string, ...more: string[]): Promise<string> => {
  const one = inside(UE, 'ping', '-n', '-c', '3', '-i', '0.2', '-w', '60', ...more, target);
  await one.ended;
  return one.out;
};

test('ping, TCP and DNS of the kernel through TUN devices at both ends', {
  skip: skip || missing('ping', '-V'),
}, async (t) => {
  const addresses = ['--tun-address', '10.99.0.1/32', '--tun-address', 'fd99::1/128'];
  const { eftf, ue } = await startPair(t, [...addresses, '--dns', '10.99.0.1'], ['--tun', 'tu']);
  await Promise.all([ue.line(/^IPv4 10\.45\./m), ue.line(/^IPv6 fd00:45:.* valid/m)]);
  assert.match(await ping('10.99.0.1'), ANSWERED);
  assert.match(await ping('fd99::1'), ANSWERED);
  assert.match(await ping('10.45.0.1'), ANSWERED); // the EFTF itself
  // RFC 791: the gateway takes one off the time to live.
  assert.match(await ping('10.99.0.1', '-c', '1'), /ttl=63/);

  await t.test('curl', { skip: missing('curl') }, async () => {
    const body = 'x'.repeat(100_000);
    const script = `require('http').createServer((_, r) => r.end('x'.repeat(${body.length}))).listen(8080, '10.99.0.1', () => console.log('up'))`;
    const web = inside(NET, process.execPath, '-e', script);
    await web.line(/up/);
    const curl = inside(UE, 'curl', '-s', '-m', '60', 'http://10.99.0.1:8080/');
    assert.equal(await curl.ended, 0);
    assert.ok(curl.out === body);
    await web.stop('SIGKILL');
  });
  await t.test('dnsmasq', { skip: missing('dnsmasq') }, async () => {
    const own = [
      '--no-resolv',
      '--no-hosts',
      '--bind-interfaces',
      '--listen-address=10.99.0.1',
      '--address=/pcscf.example/10.99.0.5',
    ];
    const dns = inside(NET, 'dnsmasq', '-k', '--conf-file=/dev/null', '--log-facility=-', '--user=root', ...own);
    await dns.line(/started/);
    const script = `const r = new (require('dns').Resolver)(); r.setServers(['10.99.0.1']); r.resolve4('pcscf.example', (e, a) => console.log(e ?? a[0]))`;
    const asked = inside(UE, process.execPath, '-e', script);
    await asked.line(/10\.99\.0\.5/);
    await dns.stop('SIGKILL');
  });
  await t.test('sipp, over UDP and over TCP', { skip: missing('sipp', '-v') }, async () => {
    const [, own] = /inet ([\d.]+)/.exec(addressesOf(UE, 'tu', 4))!;
    for (const transport of ['u1', 't1']) {
      const common = ['-nostdin', '-m', '10', '-t', transport];
      const callee = inside(NET, 'sipp', '-sn', 'uas', '-i', '10.99.0.1', '-rtp_echo', ...common);
      await listening(transport === 'u1' ? 'udp' : 'tcp', 5060, callee.child.pid);
      const caller = inside(UE, 'sipp', '-sn', 'uac', '-i', own, '-r', '20', '-d', '100', ...common, '10.99.0.1');
      assert.equal(await caller.ended, 0, caller.out.slice(-1500)); // all calls succeeded
      await callee.stop('SIGKILL');
    }
  });
  assert.equal(await ue.stop(), 0);
  assert.equal(await eftf.stop(), 0);
});

test('the kernel has no address of a tunnel that is gone', { skip }, async (t) => {
  const steps = ['connect', 'dhcp', 'slaac', 'release', 'connect', { wait: '1s' }, 'slaac', { wait: '24h' }];
  writeFileSync(inFolder('again.json'), JSON.stringify({ steps }));
  const { eftf, ue } = await startPair(t, [], ['--tun', 'tu', '--run', inFolder('again.json')]);
  const held = (family: 4 | 6) => [...addressesOf(UE, 'tu', family).matchAll(/inet6? (\S+)/g)].map(([, a]) => a);
  await ue.line(/^IPv6 fd00:45:\S+ valid[\s\S]*^established[\s\S]*^IPv6 fd00:45:\S+ valid/m);
  const told = [...ue.out.matchAll(/^IPv6 (fd00:45:\S+) valid/gm)].map(([, a]) => a);
  assert.notEqual(told[0], told[1], 'each tunnel has a prefix of its own');
  assert.deepEqual(
    held(6).filter((a) => a.startsWith('fd')),
    [`${told[1]}/128`],
  );
  assert.deepEqual(held(4), [], 'nobody asked DHCP in the second tunnel');
  await ue.stop('SIGTERM');
  assert.equal(await eftf.stop(), 0);
});

test("radvd's router advertisements, and a kernel that makes its own addresses", {
  skip: skip || missing('radvd') || missing('sysctl'),
}, async (t) => {
  const prefix = 'prefix fd77:1::/64 { AdvOnLink on; AdvAutonomous on; };';
  writeFileSync(
    inFolder('radvd.conf'),
    `interface te { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; ${prefix} };`,
  );
  const { eftf, ue } = await startPair(t, ['--bare', '--tun-address', 'fd77:1::1/64'], ['-6']);
  spawnSync('ip', within(NET, 'sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1'));
  const radvd = inside(NET, 'radvd', '-n', '-C', inFolder('radvd.conf'), '-p', inFolder('radvd.pid'), '-m', 'stderr');
  await ue.line(/^IPv6 fd77:1:.* valid for 8\d{4} s/m); // our own SLAAC, RFC 4862 §5.5.3
  assert.equal(await ue.stop(), 0);
  const kernel = startTunUe('-6', '--tun', 'tu', '--bare');
  await kernel.line(/^established/m);
  await until(
    () => /inet6 fd77:1:\S+\/64 scope global/.test(addressesOf(UE, 'tu', 6)),
    () => `${addressesOf(UE, 'tu', 6)}${radvd.err}`,
    100,
  );
  assert.match(await ping('fd77:1::1'), ANSWERED);
  await radvd.stop('SIGKILL');
  assert.equal(await kernel.stop(), 0);
  assert.equal(await eftf.stop(), 0);
});

test("a device that is another's, none, or taken away is told, and nothing waits for it", { skip }, async () => {
  const eftf = await startTunEftf();
  const one = startTunUe('--tun', 'tu');
  await one.line(/^IPv4 10\.45\./m);
  for (const [name, words] of [
    ['tu', /another program has the device tu/],
    ['vu', /vu is there, and no TUN device/],
  ] as const) {
    const other = startTunUe('--tun', name);
    assert.equal(await other.ended, 1);
    assert.match(other.err, words);
  }
  for (const [space, device, end] of [
    [UE, 'tu', one],
    [NET, 'te', eftf],
  ] as const) {
    assert.equal(await inside(space, 'ip', 'link', 'delete', device).ended, 0);
    assert.equal(await end.ended, 1);
    assert.match(end.err, new RegExp(`the device ${device} is gone`));
    assert.match(end.out, /tunnel (1 )?ended: released by/);
  }
});

test('without rights words say what to do', {
  skip: process.getuid?.() === 0 ? false : 'it wants root to give rights up: skipped',
}, () => {
  const r = spawnSync(process.execPath, [COMMAND, 'ue', '127.0.0.1:1', '--tun', 'tx'], {
    uid: 65_534,
    gid: 65_534,
    encoding: 'utf8',
  });
  assert.equal(r.status, 1, r.stderr);
  assert.match(r.stderr, /TUN device/);
  assert.match(r.stderr, /root, or CAP_NET_ADMIN/);
});
