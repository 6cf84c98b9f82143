import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tunnelHardware } from '../../../dissectors/dhcp/message.js';
import { address, addressText } from '../../../src/live/address.js';
import { realClock } from '../../../src/live/clock.js';
import { IpHost } from '../../../src/live/host.js';
import { InnerUe, type PingResult } from '../../../src/live/inner-ue.js';
import { seededRandom } from '../../../src/live/random.js';
import { Resolver } from '../../../src/live/resolver.js';
import { Router } from '../../../src/live/router.js';
import { pcscfAt, SipPhone } from '../../../src/live/sip-phone.js';
import { TcpHost } from '../../../src/live/tcp-host.js';
import { TunDevice } from '../../../src/live/tun.js';
import { listening } from '../../support/ports.js';
import { PATIENCE_MS, until } from '../../support/until.js';
import { ip } from './ip.js';
import { tcpAgainstKernel, tcpByNarrowPath, tcpInFewSegments, tcpWithoutEnd } from './namespace-tcp.js';

/*
 * Runs in a network namespace of its own, where it may do as it likes: one end is ours, the other a TUN device with this
 * machine's kernel and real servers behind it. Prints what came of it as JSON.
 */

/** Our UE; dnsmasq leases, advertises, answers DHCPv6 and DNS. */
async function againstDnsmasq(): Promise<object> {
  const tun = TunDevice.open('t0', true);
  spawnSync('sysctl', ['-qw', 'net.ipv4.conf.t0.rp_filter=0', 'net.ipv4.conf.all.rp_filter=0']);
  ip('addr', 'add', '10.77.0.1/24', 'dev', 't0');
  ip('-6', 'addr', 'add', 'fd77::1/64', 'dev', 't0', 'nodad');
  const folder = mkdtempSync(join(tmpdir(), 'fttscope-dnsmasq-'));
  const server = spawn(
    'dnsmasq',
    [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--no-resolv',
      '--no-hosts',
      '--user=',
      '--pid-file=',
      `--dhcp-leasefile=${join(folder, 'leases')}`,
      '--interface=t0',
      '--except-interface=lo',
      '--bind-interfaces',
      '--domain=ims.example',
      '--dhcp-range=10.77.0.10,10.77.0.20,255.255.255.0,600',
      '--dhcp-option=option:router,10.77.0.1',
      '--dhcp-option=option:sip-server,10.77.0.1',
      '--dhcp-range=fd77::,ra-stateless,64,600',
      '--enable-ra',
      '--dhcp-duid=1,02:00:00:00:00:01',
      '--dhcp-option=option6:dns-server,[fd77::1]',
      '--host-record=pcscf.ims.example,10.77.0.1',
    ],
    { stdio: 'ignore' },
  );
  await listening('udp', 67, server.pid);
  await listening('udp', 53, server.pid);
  const random = seededRandom(1);
  const ue = new InnerUe({
    port: tun,
    clock: realClock,
    random,
    families: [4, 6],
    hardware: tunnelHardware(address('192.168.0.2')),
    onEvent: () => undefined,
  });
  ue.startDhcp();
  ue.startSlaac();
  const global = () => ue.neighbours.addresses.find((a) => a.address[0] === 0xfd && a.state === 'preferred');
  await until(() => ue.dhcp.lease !== undefined && global() !== undefined && ue.dhcpv6.configuration !== undefined);
  const pings: PingResult[] = [];
  for (const to of ['10.77.0.1', 'fd77::1'])
    pings.push(await new Promise<PingResult>((resolve) => ue.ping(address(to), resolve, { timeout: PATIENCE_MS })));
  const resolver = new Resolver({ host: ue.host, clock: realClock, random, servers: () => ue.dnsServers });
  const found = await new Promise<string[]>((resolve) =>
    resolver.pcscf('pcscf.ims.example', [4], (list) => resolve(list.map((p) => addressText(p.address)))),
  );
  const lease = ue.dhcp.lease;
  const result = {
    address: lease && addressText(lease.address).replace(/\d+$/, 'N'),
    routers: lease?.routers.map(addressText),
    domain: lease?.domain,
    pcscf: ue.pcscfs.map((p) => (typeof p === 'string' ? p : addressText(p))),
    global: global() && addressText(global()!.address).startsWith('fd77::'),
    dns: ue.dhcp.lease?.dns.map(addressText),
    dns6: ue.dhcpv6.configuration?.dns.map(addressText),
    pings: pings.map((p) => p.answered),
    found,
  };
  ue.releaseDhcp();
  server.kill();
  rmSync(folder, { recursive: true });
  return result;
}

/** Our phone and SIPp, over TCP of ours and of the kernel's: each calls the other. */
async function sippOverTcp(): Promise<object> {
  const tun = TunDevice.open('t0');
  ip('addr', 'add', '10.77.0.1/24', 'dev', 't0');
  const random = seededRandom(1);
  const host = new IpHost({ families: [4], random, send: (packet) => tun.send(packet) });
  tun.onPacket((packet) => host.handle(packet, realClock.now()));
  host.addAddress({ address: address('10.77.0.2'), prefixLength: 24 });
  const tcp = new TcpHost(host, realClock, random);
  const log: string[] = [];
  const phone = new SipPhone({
    host,
    tcp,
    clock: realClock,
    random,
    pcscf: pcscfAt(address('10.77.0.1'), 'TCP'),
    identity: { impi: 'ue' },
    impu: 'sip:ue@ims.example',
    domain: 'ims.example',
    onEvent(e) {
      if (e.type === 'incoming') e.call.answer();
      if (e.type === 'call') log.push(e.event.type === 'ended' ? `ended ${e.event.by}` : e.event.type);
    },
  });
  const sipp = (...args: string[]) =>
    spawn('sipp', ['-nostdin', '-m', '1', '-t', 't1', '-i', '10.77.0.1', ...args], { stdio: 'ignore' });
  const exit = (child: ReturnType<typeof sipp>): Promise<number | null> =>
    new Promise((resolve) => child.on('exit', resolve));

  const callee = sipp('-sn', 'uas');
  const ended = exit(callee);
  await listening('tcp', 5060, callee.pid);
  const call = phone.agent.call('sip:sipp@10.77.0.1', 'none');
  await until(() => log.includes('answered'));
  const farewell = new Promise<number>((resolve) => {
    call.onFarewell = resolve;
  });
  call.hangUp();
  const result = { farewell: await farewell, callee: await ended, caller: await exit(sipp('-sn', 'uac', '10.77.0.2')) };
  phone.stop();
  return { ...result, log };
}

/** Our router; the kernel makes itself an address, and pings. */
async function againstKernel(): Promise<object> {
  const tun = TunDevice.open('t0', true);
  spawnSync('sysctl', [
    '-qw',
    'net.ipv6.conf.t0.accept_ra=2',
    'net.ipv6.conf.t0.autoconf=1',
    'net.ipv6.conf.t0.addr_gen_mode=3',
  ]);
  const router = new Router({
    clock: realClock,
    random: seededRandom(1),
    ipv6: { prefix: address('2001:db8:77::'), length: 48, linkLocal: address('fe80::1'), dns: [] },
    mtu: 1400,
  });
  const link = router.attach(tun);
  const own = () =>
    /inet6 (2001:db8:77:1:[0-9a-f:]+)\/64 scope global/.exec(ip('-6', 'addr', 'show', 'dev', 't0'))?.[1];
  await until(() => own() !== undefined);
  const ping = async (to: string, patience = '30'): Promise<boolean> => {
    const child = spawn('ping', ['-6', '-c', '2', '-i', '0.2', '-W', patience, to], { stdio: 'ignore' });
    return new Promise((resolve) => child.on('exit', (code) => resolve(code === 0)));
  };
  const result = {
    address: own() !== undefined,
    prefix: addressText(link.prefix!),
    route: /default via fe80::1 dev t0 proto ra/.test(ip('-6', 'route')),
    mtu: /mtu 1400/.test(ip('-6', 'route', 'show', 'default')) || ip('-6', 'route').includes('mtu 1400'),
    global: await ping('2001:db8:77::1'),
    linkLocal: await ping('fe80::1%t0'),
    nobody: await ping('2001:db8:77:99::1', '2'),
    unreachable: link.counters.noRoute > 0,
  };
  router.stop();
  return result;
}

ip('link', 'set', 'lo', 'up');
const runs: Record<string, () => Promise<object>> = {
  dnsmasq: againstDnsmasq,
  kernel: againstKernel,
  tcp: tcpAgainstKernel,
  'tcp-few': tcpInFewSegments,
  'tcp-end': tcpWithoutEnd,
  'tcp-narrow': tcpByNarrowPath,
  sipp: sippOverTcp,
};
runs[process.argv[2]]().then(
  (result) => {
    console.log(JSON.stringify(result));
    process.exit(0);
  },
  (e) => {
    console.error(e);
    process.exit(1);
  },
);
