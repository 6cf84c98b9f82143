import { type Address, addressText, isLinkLocal } from './address.js';
import type { FaultSetting } from './fault.js';
import { StepFailed } from './scenario-lines.js';
import { type Arguments, type Kind, networkOf, patternOf, whole, within } from './scenario-values.js';
import type { Ue } from './ue.js';

/** A verb of scenarios and of the console, of a UE or of another end. */
export interface Verb<E = Ue> {
  readonly about: string;
  /** What it takes. */
  readonly takes: Readonly<Record<string, Kind>>;
  /** The argument that a bare value is. */
  readonly bare?: string;
  /** It takes no less than one of them. */
  readonly needs?: readonly string[];
  /** What is wrong with values that do not go together. */
  wrong?(args: Arguments): string | undefined;
  /** @throws StepFailed, NotEstablished */
  run(end: E, args: Arguments): Promise<void>;
}

/** How long is waited where nothing is said. */
const WITHIN_MS = 5000;
const ADDRESSING_MS = 30_000;

async function pings(ue: Ue, a: Arguments): Promise<void> {
  const count = (a.count as number | undefined) ?? 1;
  for (let i = 0; i < count; i++) {
    if (i > 0) await ue.pause((a.interval as number | undefined) ?? 1000);
    await ue.ping(a.to as Address | undefined, within(a, WITHIN_MS), a.size as number | undefined);
  }
}

async function expectations(ue: Ue, a: Arguments): Promise<void> {
  const ms = within(a, WITHIN_MS);
  if (a.not !== undefined) {
    const line = await ue.expectLine(patternOf(a.not as string), ms).catch(() => undefined);
    if (line !== undefined) throw new StepFailed(`it was not to happen: ${line}`);
  }
  if (a.event !== undefined) await ue.expectLine(patternOf(a.event as string), ms);
  if (a.tunnel !== undefined && !(await ue.until(() => ue.up === (a.tunnel === 'up'), ms)))
    throw new StepFailed(ue.up ? 'the tunnel is up' : 'there is no tunnel');
  if (a.tunnel === 'down') ue.unexpected = undefined;
  if (a.address !== undefined) await address(ue, a.address as string, ms);
}

/** Waits for an address of a network. @throws StepFailed */
async function address(ue: Ue, wanted: string, ms: number): Promise<void> {
  const fits = networkOf(wanted)!;
  const own = (): Address[] => ue.host.host.addresses.map((x) => x.address).filter((x) => !isLinkLocal(x));
  if (!(await ue.until(() => own().some(fits), ms)))
    throw new StepFailed(`no address ${wanted}; there is ${own().map(addressText).join(', ') || 'none'}`);
}

/** How long a tunnel may take to end that a fault breaks. */
const BROKEN_MS = 2000;

async function faults(ue: Ue, a: Arguments): Promise<void> {
  if (ue.faults === undefined || !ue.up) throw new StepFailed('there is no tunnel');
  const list = a.faults as readonly FaultSetting[];
  if (list.length === 0) ue.faults.off();
  for (const f of list) ue.faults.apply(f);
  ue.tell(sayFaults(list));
  // What comes next is not to find half a tunnel.
  if (list.some(({ name }) => name === 'rst' || name === 'no-close-notify')) await ue.until(() => !ue.up, BROKEN_MS);
}

/** Faults in words. */
export const sayFaults = (list: readonly FaultSetting<string>[]): string =>
  list.length === 0
    ? 'no faults'
    : `fault ${list.map((f) => `${f.name}${f.value === undefined ? '' : `=${f.value}`}`).join(', ')}`;

/** A verb of every end. */
export const WAIT: Verb<{ pause(ms: number): Promise<void> }> = {
  about: 'wait so long',
  takes: { for: 'duration' },
  bare: 'for',
  run: (end, a) => end.pause((a.for as number | undefined) ?? 1000),
};

/** The verbs of the tunnel and of its IP side. */
export const TUNNEL_VERBS: Readonly<Record<string, Verb>> = {
  connect: {
    about: 'establish the tunnel',
    takes: { resume: 'flag' },
    bare: 'resume',
    run: async (ue, a) => void (await ue.connect({ resume: a.resume !== false })),
  },
  dhcp: {
    about: 'get an IPv4 address',
    takes: { within: 'duration' },
    bare: 'within',
    run: async (ue, a) => void (await ue.dhcp(within(a, ADDRESSING_MS))),
  },
  slaac: {
    about: 'make IPv6 addresses',
    takes: { within: 'duration' },
    bare: 'within',
    run: async (ue, a) => void (await ue.slaac(within(a, ADDRESSING_MS))),
  },
  ping: {
    about: 'send echo requests, to the gateway if nothing is said',
    takes: {
      to: 'address',
      count: whole(1, 1_000_000),
      interval: 'duration',
      size: whole(0, 65_507),
      within: 'duration',
    },
    bare: 'to',
    run: pings,
  },
  send: {
    about: 'send octets into the tunnel as they are: an envelope, or anything else',
    takes: { hex: 'hex' },
    bare: 'hex',
    needs: ['hex'],
    async run(ue, a) {
      if (!ue.up) throw new StepFailed('there is no tunnel');
      if (!ue.established!.link.sendOctets(a.hex as Uint8Array)) throw new StepFailed('the tunnel takes nothing more');
    },
  },
  wait: WAIT,
  expect: {
    about: 'wait for a line, and fail if it does not come; or for the tunnel to be up or down, or for an address',
    takes: { event: 'pattern', not: 'pattern', tunnel: ['up', 'down'], address: 'network', within: 'duration' },
    bare: 'event',
    needs: ['event', 'not', 'tunnel', 'address'],
    run: expectations,
  },
  fault: {
    about: 'do something wrong, once or from now on; off ends it',
    takes: { faults: 'faults' },
    bare: 'faults',
    needs: ['faults'],
    run: faults,
  },
  release: {
    about: 'release the tunnel by close_notify',
    takes: {},
    run: (ue) => ue.release(),
  },
};
