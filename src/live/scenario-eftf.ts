import type { Eftf, EftfTunnel } from './eftf.js';
import { type AnyFault, isEftfFault } from './fault-eftf.js';
import { type Lines, StepFailed } from './scenario-lines.js';
import { type Arguments, type Kind, NUMBER, patternOf, within } from './scenario-values.js';
import { sayFaults, type Verb, WAIT } from './scenario-verbs.js';

/** An EFTF with what it tells. */
export interface ToldEftf {
  readonly eftf: Eftf;
  readonly lines: Lines;
}

const WITHIN_MS = 5000;
const TUNNEL = { tunnel: NUMBER } as const satisfies Record<string, Kind>;

/** The tunnel with that number, or all. @throws StepFailed where there is none */
function chosen({ eftf }: ToldEftf, { tunnel }: Arguments): EftfTunnel[] {
  const list = [...eftf.tunnels.values()].filter((t) => tunnel === undefined || t.id === tunnel);
  if (list.length === 0)
    throw new StepFailed(tunnel === undefined ? 'there is no tunnel' : `there is no tunnel ${tunnel}`);
  return list;
}

async function expectations({ eftf, lines }: ToldEftf, a: Arguments): Promise<void> {
  const ms = within(a, WITHIN_MS);
  if (a.not !== undefined) {
    const line = await lines.expect(patternOf(a.not as string), ms).catch(() => undefined);
    if (line !== undefined) throw new StepFailed(`it was not to happen: ${line}`);
  }
  if (a.event !== undefined) await lines.expect(patternOf(a.event as string), ms);
  if (a.tunnels !== undefined && !(await lines.until(() => eftf.tunnels.size === a.tunnels, ms)))
    throw new StepFailed(`there are ${eftf.tunnels.size} tunnels`);
}

function faults(end: ToldEftf, a: Arguments): void {
  const { eftf, lines } = end;
  const list = a.faults as readonly AnyFault[];
  const own = list.filter(isEftfFault);
  const tunnels = own.length < list.length || a.tunnel !== undefined ? chosen(end, a) : [];
  for (const f of list) eftf.fault(f, tunnels);
  if (list.length === 0) eftf.noFaults(a.tunnel === undefined ? undefined : tunnels);
  lines.tell(sayFaults(list));
}

/** The verbs of an EFTF: those of a UE that it takes a part in. */
export const EFTF_STEPS: Readonly<Record<string, Verb<ToldEftf>>> = {
  tunnels: {
    about: 'say what tunnels there are: whose, with which addresses',
    takes: TUNNEL,
    bare: 'tunnel',
    run: async (end, a) => {
      for (const t of chosen(end, a)) end.lines.tell(end.eftf.describe(t));
    },
  },
  wait: { ...WAIT, run: ({ lines }, a) => WAIT.run(lines, a) },
  expect: {
    about: 'wait for a line, and fail if it does not come; or for so many tunnels',
    takes: { event: 'pattern', not: 'pattern', tunnels: NUMBER, within: 'duration' },
    bare: 'event',
    needs: ['event', 'not', 'tunnels'],
    run: expectations,
  },
  send: {
    about: 'send octets into a tunnel, or all, as they are: an envelope, or anything else',
    takes: { hex: 'hex', ...TUNNEL },
    bare: 'hex',
    needs: ['hex'],
    run: async (end, a) => {
      for (const t of chosen(end, a))
        if (!t.link.sendOctets(a.hex as Uint8Array)) throw new StepFailed(`tunnel ${t.id} takes nothing`);
    },
  },
  fault: {
    about: 'do something wrong in a tunnel, in all, or to all UEs, once or from now on; off ends it',
    takes: { faults: 'eftf-faults', ...TUNNEL },
    bare: 'faults',
    needs: ['faults'],
    wrong: ({ faults: list, tunnel }) => {
      const own = (list as readonly AnyFault[]).find(isEftfFault);
      return own && tunnel !== undefined ? `${own.name} is done to all UEs, not in one tunnel` : undefined;
    },
    run: async (end, a) => faults(end, a),
  },
  release: {
    about: 'release a tunnel, or all, by close_notify',
    takes: TUNNEL,
    bare: 'tunnel',
    run: async (end, a) => {
      await Promise.all(
        chosen(end, a).map(({ link }) => {
          link.close('released by the EFTF');
          return link.closed;
        }),
      );
    },
  },
};
