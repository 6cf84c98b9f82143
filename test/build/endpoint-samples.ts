/** Samples made by our own endpoints: what a UE and an EFTF do, well and with faults. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect as tcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cidr } from '../../src/live/eftf.js';
import { readLine, runStep } from '../../src/live/scenario.js';
import type { Subscriber } from '../../src/live/subscriber-file.js';
import { tlsVersions } from '../../src/live/tls-settings.js';
import { ALICE, EFTF_NAME, type Played, Stage, type StageOptions } from './endpoint-run.js';

/** A sample and what is to be expected of it. */
export interface EndpointSample {
  readonly name: string;
  /** What it shows, for the list of samples. */
  readonly shows: string;
  /** Code of the finding that has to stand first; undefined: none is worse than a note. */
  readonly finding?: string;
  readonly options?: StageOptions;
  /** What happens. */
  play(s: Stage): Promise<void>;
}

const POOL = { pool: cidr('10.45.0.0/24', 4) };
const LAB: StageOptions = {
  eftf: { ...POOL, prefix: cidr('2001:db8:45::/48', 6), subscribers: [ALICE] },
  ue: { subscriber: ALICE, families: [4, 6] },
};
const { usim: _, ...ANYBODY } = ALICE;
const DIGEST: Subscriber = { ...ANYBODY, algorithm: 'MD5' };
const FOUR: StageOptions = { eftf: POOL };

/** Does what a line of the console says. */
const say = (s: Stage, line: string): Promise<void> => s.run(runStep(readLine(line)!, s.ue));
/** The same, where it is to fail. */
const fails = (s: Stage, line: string): Promise<void> =>
  say(s, line).then(
    () => Promise.reject(new Error(`${line} did not fail: ${s.words}`)),
    () => {},
  );

async function registered(s: Stage): Promise<void> {
  await s.connect();
  await say(s, 'dhcp');
  await say(s, 'slaac');
  await say(s, 'register');
}

/** Gives back what there is, so that the end is in good order. */
async function left(s: Stage): Promise<void> {
  await say(s, 'deregister');
  s.ue.host.releaseDhcp();
  await s.pause(100);
}

export const ENDPOINT_SAMPLES: readonly EndpointSample[] = [
  {
    name: '40-own-call',
    shows: 'both families, IMS AKA, a call to the echo with speech both ways, all as it should be',
    options: LAB,
    async play(s) {
      await registered(s);
      await say(s, 'call to=echo');
      await s.pause(1500);
      await say(s, 'hangup');
      await s.pause(300);
      await left(s);
    },
  },
  {
    name: '41-own-proxy',
    shows: 'access type II: the proxy wants Basic credentials (407), then connects',
    options: { ...FOUR, connect: { host: EFTF_NAME, port: 443, versions: tlsVersions('1.2')! } },
    async play(s) {
      await s.connect();
      await say(s, 'dhcp');
      await say(s, 'ping');
      s.ue.host.releaseDhcp();
      await s.pause(100);
    },
  },
  {
    name: '42-own-pool-empty',
    shows: 'the pool has one address, and somebody else has it',
    finding: 'dhcp.no-answer',
    options: { eftf: { pool: cidr('10.45.0.0/30', 4) }, others: 1 },
    async play(s) {
      await s.connect();
      await fails(s, 'dhcp 40s');
    },
  },
  {
    name: '43-own-no-prefix',
    shows: 'the router has no /64 left: its advertisements are without a prefix',
    finding: 'slaac.no-prefix',
    options: { eftf: { prefix: cidr('2001:db8:45::/63', 6) }, ue: { families: [6] }, others: 1 },
    async play(s) {
      await s.connect();
      await fails(s, 'slaac 20s');
    },
  },
  {
    name: '44-own-forbidden',
    shows: 'the response to the challenge is made with another password than the network has: 403',
    finding: 'sip.register-forbidden',
    options: {
      eftf: { ...POOL, subscribers: [{ ...DIGEST, password: 'right' }] },
      ue: { subscriber: { ...DIGEST, password: 'wrong' } },
    },
    async play(s) {
      await s.connect();
      await say(s, 'dhcp');
      await fails(s, 'register');
    },
  },
  {
    name: '45-own-overloaded',
    shows: '503 to INVITE',
    finding: 'call.overload',
    options: LAB,
    async play(s) {
      await registered(s);
      await fails(s, 'call to=overloaded');
      await s.pause(500);
      await left(s);
    },
  },
  {
    name: '46-own-no-close-notify',
    shows: 'the UE ends TCP without close_notify',
    finding: 'tunnel.no-close-notify',
    options: FOUR,
    async play(s) {
      await s.connect();
      await say(s, 'dhcp');
      await say(s, 'ping');
      await say(s, 'fault no-close-notify');
    },
  },
  {
    name: '47-own-reset',
    shows: 'the UE resets the connection',
    finding: 'tunnel.reset',
    options: FOUR,
    async play(s) {
      await s.connect();
      await say(s, 'dhcp');
      await say(s, 'ping');
      await say(s, 'fault rst');
    },
  },
  {
    name: '48-own-framing-lost',
    shows: 'an envelope with a Length of 0, after which the EFTF gives up',
    finding: 'fttims.bad-length',
    options: FOUR,
    async play(s) {
      await s.connect();
      await say(s, 'dhcp');
      await say(s, 'fault length-0');
      await s.pause(100);
    },
  },
  {
    name: '49-own-faults',
    shows: 'envelopes that are discarded (unknown type, IP version 5, no packet), cut and put together anyhow',
    finding: 'fttims.empty-ip',
    options: FOUR,
    async play(s) {
      await s.connect();
      await say(s, 'dhcp');
      for (const fault of ['unknown-type', 'version-5', 'length-3', 'split', 'merge']) {
        await say(s, `fault ${fault}`);
        await say(s, 'ping');
      }
      await say(s, 'fault off');
      s.ue.host.releaseDhcp();
      await s.pause(100);
    },
  },
];

/** Plays a sample. */
export async function played(sample: EndpointSample): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), 'fttscope-sample-'));
  const proxied = sample.options?.connect?.host === EFTF_NAME;
  const proxy = proxied ? await startProxy() : undefined;
  try {
    const connect = { ...sample.options?.connect, ...(proxy && { proxy: proxy.where }) };
    const stage = new Stage(join(folder, 'sample.pcapng'), { ...sample.options, connect });
    const port = await stage.open();
    proxy?.to(port);
    stage.at(port);
    await sample.play(stage);
    return await stage.close();
  } finally {
    proxy?.close();
    rmSync(folder, { recursive: true });
  }
}

/** An HTTP proxy that wants credentials, and connects to the EFTF whatever is asked for. RFC 9110 §9.3.6 */
async function startProxy() {
  let eftf = 0;
  const server = createServer((socket) => {
    let head = '';
    const hear = (octets: Buffer): void => {
      head += octets.toString('latin1');
      if (!head.endsWith('\r\n\r\n')) return;
      const known = head.includes(`Proxy-Authorization: Basic ${Buffer.from('phone:secret').toString('base64')}`);
      head = '';
      if (!known) {
        socket.write(
          'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="office"\r\nContent-Length: 0\r\n\r\n',
        );
        return;
      }
      socket.off('data', hear);
      const onward = tcp(eftf, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      onward.on('error', () => socket.destroy());
    };
    socket.on('data', hear).on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    where: { host: '127.0.0.1', port, credentials: { username: 'phone', password: 'secret' } },
    to: (p: number): void => {
      eftf = p;
    },
    close: () => server.close(),
  };
}

type Kind = 'sip' | 'dhcp' | 'icmpv6' | 'dhcpv6' | 'rtp' | 'dns';

/** What an IP packet carries, by its ports: media have those above all others, RTP the even ones. */
function kindOf(ip: Uint8Array): Kind | undefined {
  const six = ip[0] >> 4 === 6;
  // Reports of MLD have a hop-by-hop header of eight octets. RFC 3810 §5
  const hops = six && ip[6] === 0;
  const protocol = hops ? ip[40] : six ? ip[6] : ip[9];
  if (protocol === 58) return 'icmpv6';
  if (protocol === 1 && ip[20] === 3) return kindOf(ip.subarray(28)); // an error has what it is about
  if (protocol !== 17) return undefined;
  const at = six ? 40 : 20;
  const ports = [0, 2].map((o) => (ip[at + o] << 8) | ip[at + o + 1]);
  const has = (...list: number[]): boolean => list.some((p) => ports.includes(p));
  if (has(67, 68)) return 'dhcp';
  if (has(546, 547)) return 'dhcpv6';
  if (has(53)) return 'dns';
  if (has(5060)) return ip[at + 8] >= 0x41 ? 'sip' : undefined; // a letter: no STUN, no empty line
  return ports[1] % 2 === 0 ? 'rtp' : undefined;
}

/** What stands beside a sample. */
export function expectationOfEndpoints(s: EndpointSample, { frames, up, down }: Played): object {
  const all = [...up, ...down].filter((e) => e.length >= 3 && ((e[1] << 8) | e[2]) >= 3);
  const packets = all.filter((e) => e[0] === 1 && (e[3] >> 4 === 4 || e[3] >> 4 === 6)).map((e) => e.subarray(3));
  const kinds = packets.map(kindOf);
  const count = (kind: Kind): number => kinds.filter((k) => k === kind).length;
  const [sip, dhcp, icmpv6, dhcpv6, rtp, dns] = (['sip', 'dhcp', 'icmpv6', 'dhcpv6', 'rtp', 'dns'] as const).map(count);
  const unknown = all.filter((e) => e[0] !== 1).length;
  return {
    frames,
    tunnels: 1,
    readable: true,
    envelopes: {
      up: up.filter((e) => all.includes(e)).length,
      down: down.length,
      unknown,
      invalid: all.length - unknown - packets.length,
    },
    inner: { packets: packets.length, sip, dhcp, icmpv6, dhcpv6, rtp, dns },
    ...(s.finding !== undefined && { finding: s.finding }),
  };
}
