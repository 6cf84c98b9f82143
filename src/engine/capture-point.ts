import type { CapturePoint } from '../model/entities.js';
import type { MediaStream } from '../model/media-stream.js';
import type { TunnelLife } from './tunnel-life.js';

/** TTLs that packets have where they are made. */
const INITIAL: ReadonlySet<number> = new Set([64, 128, 255]);
/** One half of the round trip is so much longer than the other, in milliseconds at least and as a factor. */
const APART = { ms: 1, factor: 4 } as const;

/** Where each file was captured, as far as its tunnels and the packets behind them tell. */
export function capturePoints(
  lives: readonly TunnelLife[],
  streams: readonly MediaStream[],
): Map<number, CapturePoint> {
  const votes = new Map<number, Map<CapturePoint, number>>();
  const vote = (file: number, point: CapturePoint | undefined): void => {
    if (point === undefined) return;
    const counts = votes.get(file) ?? new Map<CapturePoint, number>();
    votes.set(file, counts.set(point, (counts.get(point) ?? 0) + 1));
  };
  for (const life of lives) {
    const before = life.tunnel.proxy !== undefined;
    const beside = [life.leg, ...life.legs, ...(life.leg?.legs ?? [])].filter((l) => l !== null && l !== life);
    for (const file of life.files) {
      const both = beside.some((l) => l!.files.has(file) && (l!.tunnel.proxy !== undefined) !== before);
      vote(file, both ? 'proxy' : nearest(life));
    }
  }
  for (const s of streams) if (s.copyOf !== null && !votes.has(s.file)) vote(s.file, 'behind-eftf');
  const out = new Map<number, CapturePoint>();
  for (const [file, counts] of votes) out.set(file, [...counts].sort((a, b) => b[1] - a[1])[0][0]);
  return out;
}

/** The end of the connection that was near; undefined where nothing says so. */
function nearest({ tunnel, tcp }: TunnelLife): CapturePoint | undefined {
  const { ue } = tunnel;
  const beyond = tunnel.proxy !== undefined ? 'proxy' : 'eftf';
  const [up, down] = [INITIAL.has(tcp.ways[ue].hops), INITIAL.has(tcp.ways[ue === 0 ? 1 : 0].hops)];
  if (up !== down) return up ? 'ue' : beyond;
  const { rttMs: there, ackMs: back } = tcp;
  if (there === undefined || back === undefined) return undefined;
  if (there >= APART.ms && there >= APART.factor * back) return 'ue';
  return back >= APART.ms && back >= APART.factor * there ? beyond : undefined;
}
