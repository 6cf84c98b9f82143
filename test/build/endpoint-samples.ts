/** Samples made by our own endpoints: what a UE and an EFTF do, well and with faults. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cidr } from '../../src/live/eftf.js';
import type { AnyFault } from '../../src/live/fault-eftf.js';
import { readLine, runStep } from '../../src/live/scenario.js';
import { tlsVersions } from '../../src/live/tls-settings.js';
import { ALICE, CALLS, type Played, Stage, type StageOptions } from './endpoint-run.js';
import { playedOnPath } from './path-run.js';

/** A sample and what is to be expected of it. */
export interface EndpointSample {
  readonly name: string;
  /** What it shows, for the list of samples. */
  readonly shows: string;
  /** Code of the finding that has to stand first; undefined: none is worse than a note. */
  readonly finding?: string;
  readonly options?: StageOptions;
  /** The key log beside it is not that of the run, but made of that and of one of another run. */
  lockedBy?(keys: string, others: string): string;
  /** What happens, in no time. */
  play?(s: Stage): Promise<void>;
  /** What the UE does instead over the TCP of the kernel, on a path that loses a segment; it takes its time. */
  readonly onPath?: readonly string[];
}

const POOL = { pool: cidr('10.45.0.0/24', 4) };
const PREFIX = cidr('2001:db8:45::/48', 6);
const LAB = { ...POOL, subscribers: [ALICE] };
/** IPv4 alone, without a subscriber, and with one. */
const FOUR: StageOptions = { eftf: POOL };
const PHONE: StageOptions = { eftf: LAB, ue: { subscriber: ALICE, calls: CALLS } };

/** A phone whose EFTF, or whose lab behind it, does something wrong. */
const wronged = (...faults: AnyFault[]): StageOptions => ({
  ...PHONE,
  eftf: { ...LAB, faults },
});

/** Does what a line of the console says. */
const say = (s: Stage, line: string): Promise<void> => s.run(runStep(readLine(line)!, s.ue));
/** The same, where it is to fail. */
const fails = (s: Stage, line: string): Promise<void> =>
  say(s, line).then(
    () => Promise.reject(new Error(`${line} did not fail: ${s.words}`)),
    () => {},
  );

async function addressed(s: Stage): Promise<void> {
  await s.connect();
  await say(s, 'dhcp');
}

async function registered(s: Stage): Promise<void> {
  await addressed(s);
  await say(s, 'register');
}

/** Gives back what there is, so that the end is in good order. */
async function left(s: Stage): Promise<void> {
  if (s.ue.signalling !== undefined) await say(s, 'deregister');
  s.ue.host.releaseDhcp();
  await s.pause(100);
}

/** A call to the echo that lasts so many milliseconds. */
async function called(s: Stage, ms: number): Promise<void> {
  await s.pause(600);
  await say(s, 'call to=echo');
  await s.pause(ms);
  await say(s, 'hangup');
  await s.pause(300);
}

export const ENDPOINT_SAMPLES: readonly EndpointSample[] = [
  {
    name: '20-healthy-call',
    shows: 'DHCP, IMS AKA, a call with preconditions and AMR-WB, all as it should be',
    options: PHONE,
    async play(s) {
      await registered(s);
      await called(s, 2000);
      await left(s);
    },
  },
  {
    name: '21-proxy-refuses',
    shows: 'the proxy answers the CONNECT with 403',
    finding: 'proxy.refused',
    options: { between: 'refusal' },
    play: (s) => s.refused(),
  },
  {
    name: '22-wrong-key-log',
    shows: 'a key log with the secrets of another run',
    finding: 'tls.wrong-key',
    options: PHONE,
    lockedBy: otherSecrets,
    async play(s) {
      await registered(s);
      await left(s);
    },
  },
  {
    name: '23-sni-missing',
    shows: 'the ClientHello names no server: unrecognized_name',
    finding: 'tls.sni-missing',
    options: { eftf: { ...POOL, faults: [{ name: 'want-sni' }] }, connect: { sni: '' } },
    play: (s) => s.refused(),
  },
  {
    name: '24-dhcp-pool-empty',
    shows: 'no address is left: DISCOVER is never answered',
    finding: 'dhcp.no-answer',
    options: { eftf: { ...POOL, faults: [{ name: 'no-address' }] } },
    async play(s) {
      await s.connect();
      await fails(s, 'dhcp 40s');
    },
  },
  {
    name: '25-ra-without-prefix',
    shows: 'router advertisements without a prefix',
    finding: 'slaac.no-prefix',
    options: { eftf: { prefix: PREFIX, faults: [{ name: 'no-prefix' }] }, ue: { families: [6] } },
    async play(s) {
      await s.connect();
      await fails(s, 'slaac 20s');
    },
  },
  {
    name: '26-challenged-forever',
    shows: '401 after each REGISTER',
    finding: 'sip.register-loop',
    options: wronged({ name: 'challenge' }),
    async play(s) {
      await addressed(s);
      await fails(s, 'register');
    },
  },
  {
    name: '27-forbidden',
    shows: '403 to REGISTER',
    finding: 'sip.register-forbidden',
    options: wronged({ name: 'refuse-register' }),
    async play(s) {
      await addressed(s);
      await fails(s, 'register');
    },
  },
  {
    name: '28-overloaded',
    shows: '503 with Retry-After to INVITE',
    finding: 'call.overload',
    options: wronged({ name: 'refuse-invite' }),
    async play(s) {
      await registered(s);
      await fails(s, 'call to=echo');
      await s.pause(500);
      await left(s);
    },
  },
  {
    name: '29-one-way-audio',
    shows: 'speech from the UE, none to it',
    finding: 'media.one-way',
    options: wronged({ name: 'mute' }),
    async play(s) {
      await registered(s);
      await called(s, 1600);
      await left(s);
    },
  },
  {
    name: '30-media-outside-sdp',
    shows: 'speech to a port that no SDP names',
    finding: 'media.outside',
    options: wronged({ name: 'wrong-port' }),
    async play(s) {
      await registered(s);
      await called(s, 1000);
      await left(s);
    },
  },
  {
    name: '31-idle-cut',
    shows: 'a minute of silence, and a NAT has forgotten the tunnel',
    finding: 'tunnel.idle-cut',
    options: { ...PHONE, between: 'nat' },
    async play(s) {
      await registered(s);
      await called(s, 600);
      await say(s, 'ping');
      await s.pause(75_000);
      await fails(s, 'call to=echo');
    },
  },
  {
    name: '32-no-close-notify',
    shows: 'the UE ends TCP without close_notify',
    finding: 'tunnel.no-close-notify',
    options: { ...PHONE, connect: { versions: tlsVersions('1.2')! } },
    async play(s) {
      await registered(s);
      await left(s);
      await say(s, 'fault no-close-notify');
    },
  },
  {
    name: '33-head-of-line',
    shows: 'one segment is lost, and 1.2 s of speech waits for it',
    finding: 'tunnel.stall',
    onPath: ['dhcp', 'register', 'wait 500ms', 'call echo', 'wait 2500ms', 'hangup', 'wait 300ms'],
  },
  {
    name: '40-own-call',
    shows: 'both families, IMS AKA, a call to the echo with speech both ways, all as it should be',
    options: { eftf: { ...LAB, prefix: PREFIX }, ue: { subscriber: ALICE, families: [4, 6] } },
    async play(s) {
      await addressed(s);
      await say(s, 'slaac');
      await say(s, 'register');
      await called(s, 1500);
      await left(s);
    },
  },
  {
    name: '41-own-proxy',
    shows: 'access type II: the proxy wants Basic credentials (407), then connects',
    options: { ...FOUR, between: 'proxy', connect: { versions: tlsVersions('1.2')! } },
    async play(s) {
      await addressed(s);
      await say(s, 'ping');
      await left(s);
    },
  },
  {
    name: '47-own-reset',
    shows: 'the UE resets the connection',
    finding: 'tunnel.reset',
    options: FOUR,
    async play(s) {
      await addressed(s);
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
      await addressed(s);
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
      await addressed(s);
      for (const fault of ['unknown-type', 'version-5', 'length-3', 'split', 'merge']) {
        await say(s, `fault ${fault}`);
        await say(s, 'ping');
      }
      await say(s, 'fault off');
      await left(s);
    },
  },
];

/** Plays a sample. @throws Error where it wants a path, and there can be none: {@link whyNoPath} */
export async function played(sample: EndpointSample): Promise<Played> {
  if (sample.onPath !== undefined) return playedOnPath(sample.onPath);
  const run = await once(sample);
  return sample.lockedBy === undefined ? run : { ...run, keys: sample.lockedBy(run.keys, (await once(sample)).keys) };
}

async function once(sample: EndpointSample): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), 'fttscope-sample-'));
  try {
    const stage = new Stage(join(folder, 'sample.pcapng'), sample.options);
    await stage.open();
    await sample.play?.(stage);
    return await stage.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A key log with the secrets of another run. */
function otherSecrets(log: string, other: string): string {
  const secrets = new Map(other.split('\n').map((line) => [line.split(' ')[0], line.split(' ')[2]]));
  return log.replace(/^(\w+) (\w+) \w+$/gm, (_, label, random) => `${label} ${random} ${secrets.get(label)}`);
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
export function expectationOfEndpoints(s: EndpointSample, { frames, tunnels, up, down }: Played): object {
  const all = [...up, ...down].filter((e) => e.length >= 3 && ((e[1] << 8) | e[2]) >= 3);
  const packets = all.filter((e) => e[0] === 1 && (e[3] >> 4 === 4 || e[3] >> 4 === 6)).map((e) => e.subarray(3));
  const kinds = packets.map(kindOf);
  const count = (kind: Kind): number => kinds.filter((k) => k === kind).length;
  const [sip, dhcp, icmpv6, dhcpv6, rtp, dns] = (['sip', 'dhcp', 'icmpv6', 'dhcpv6', 'rtp', 'dns'] as const).map(count);
  const unknown = all.filter((e) => e[0] !== 1).length;
  return {
    frames,
    tunnels,
    readable: s.lockedBy === undefined,
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
