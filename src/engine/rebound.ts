import { append, quoted, type Words, words } from '../kit/index.js';
import type { Findings } from '../model/findings.js';
import { isBefore, millis } from '../model/moment.js';
import { placeOf } from './tunnel-entity.js';
import type { TunnelLife } from './tunnel-life.js';

/** Octets that may be missing, or come again, where a connection goes on: as much as a window without scaling holds. */
const NEAR = 65_535;
/** Bits of a sequence number that differ among neighbours. */
const NEARBY = 17;

/** The address and port of a side. */
const told = ({ tunnel }: TunnelLife): Words => {
  const { address, port } = placeOf(tunnel.ends[tunnel.ue]);
  return words`${quoted('address', address)}:${port}`;
};

/**
 * Finds connections without an opening whose sequence numbers go on where those of another one to the same server have
 * stopped: it is the same, and something on the way has changed the address or port of the UE.
 */
export function judgeRebound(lives: readonly TunnelLife[], findings: Findings): void {
  const late = lives.filter(
    ({ tcp, tunnel }) => tcp.syn === null && tcp.synAck === null && tcp.ways[tunnel.ue].started,
  );
  if (late.length === 0) return;
  const stopped = new Map<string, TunnelLife[]>();
  for (const life of lives) {
    const way = life.tcp.ways[life.tunnel.ue];
    if (!way.started) continue;
    append(stopped, `${serverOf(life)} ${way.next >>> NEARBY}`, life);
  }
  for (const life of late) {
    const { from } = life.tcp.ways[life.tunnel.ue];
    const around = [-1, 0, 1].flatMap(
      (n) => stopped.get(`${serverOf(life)} ${((from >>> NEARBY) + n) & 0x7fff}`) ?? [],
    );
    const before = around.find((x) => x !== life && isBefore(x.tcp.last, life.tcp.first) && isNear(x, from));
    if (before !== undefined) raise(before, life, findings);
  }
}

const serverOf = ({ tunnel }: TunnelLife): string => {
  const { address, port } = placeOf(tunnel.ends[tunnel.ue === 0 ? 1 : 0]);
  return `${address} ${port}`;
};

const isNear = ({ tcp, tunnel }: TunnelLife, from: number): boolean =>
  Math.abs((from - tcp.ways[tunnel.ue].next) | 0) <= NEAR;

function raise(before: TunnelLife, life: TunnelLife, findings: Findings): void {
  const { tcp, tunnel } = life;
  const server = tcp.ways[tunnel.ue === 0 ? 1 : 0];
  const pause = Math.round(millis(before.tcp.last, tcp.first) / 1000);
  findings.raise(
    'tunnel.rebound',
    tcp.first,
    [before, life].map((l) => ({ kind: 'tunnel', id: l.tunnel.id })),
    {
      detail: words`It was ${told(before)}, and is ${told(life)} after ${pause} s.`,
      // Whoever translates for the EFTF as well, or captures between, sees it go on.
      ...(server.octets > 0 && { severity: 'note' }),
    },
  );
}
