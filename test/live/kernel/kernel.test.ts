import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/*
 * The inner side against programs that are not ours, in a network namespace: the kernel's IPv6, dnsmasq's DHCP, router
 * advertisements, DHCPv6 and DNS.
 */

const script = fileURLToPath(new URL('./namespace.js', import.meta.url));

function missing(...programs: string[]): string | false {
  if (process.getuid?.() !== 0) return 'needs root for a network namespace';
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun';
  if (spawnSync('unshare', ['-n', 'true']).status !== 0) return 'network namespaces are not allowed here';
  const absent = programs.find((p) => spawnSync('sh', ['-c', `command -v ${p}`]).status !== 0);
  return absent === undefined ? false : `${absent} is not installed`;
}

function inNamespace(mode: string): unknown {
  const r = spawnSync('unshare', ['-n', process.execPath, script, mode], { encoding: 'utf8', timeout: 300_000 });
  assert.equal(r.status, 0, r.stderr);
  return JSON.parse(r.stdout);
}

test('our UE gets all it needs from dnsmasq', { skip: missing('ip', 'dnsmasq', 'sysctl') }, () => {
  assert.deepEqual(inNamespace('dnsmasq'), {
    address: '10.77.0.N',
    routers: ['10.77.0.1'],
    domain: 'ims.example',
    pcscf: ['10.77.0.1'],
    global: true,
    dns: ['10.77.0.1'],
    dns6: ['fd77::1'],
    pings: [true, true],
    found: ['10.77.0.1'],
  });
});

test('a kernel gets its address and its route from our router', { skip: missing('ip', 'ping', 'sysctl') }, () => {
  assert.deepEqual(inNamespace('kernel'), {
    address: true,
    prefix: '2001:db8:77:1::',
    route: true,
    mtu: true,
    global: true,
    linkLocal: true,
    nobody: false,
    unreachable: true,
  });
});

test("our TCP and the kernel's, with loss: every octet arrives, both ends end", { skip: missing('ip') }, () => {
  assert.deepEqual(inNamespace('tcp'), {
    ours: [{ same: true }, { same: true }],
    theirs: [{ same: true }, { same: true }],
    refused: ['refused', 'ECONNREFUSED'],
  });
});

test('our answers to the kernel take the acknowledgements along; what has no answer is acknowledged, too', {
  skip: missing('ip'),
}, () => {
  assert.deepEqual(inNamespace('tcp-few'), { heard: 101, answers: 100, few: true, told: true });
});

test('a kernel that never ends its direction is forgotten, and told so when it goes on', {
  skip: missing('ip'),
}, () => {
  assert.deepEqual(inNamespace('tcp-end'), { closed: 'the peer did not end its side', told: 'EPIPE' });
});

test("a kernel's Packet Too Big makes our segments fit the path", { skip: missing('ip', 'nsenter', 'sysctl') }, () => {
  assert.deepEqual(inNamespace('tcp-narrow'), { heard: '200000', tooLong: true, longest: 1240 });
});

test('our phone and SIPp call each other over TCP', { skip: missing('ip', 'sipp') }, () => {
  assert.deepEqual(inNamespace('sipp'), {
    farewell: 200,
    callee: 0,
    caller: 0,
    log: ['progress', 'media', 'answered', 'ended local', 'answered', 'media', 'ended remote'],
  });
});
