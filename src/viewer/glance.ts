import type { CaptureFile } from '../capture/chunk.js';
import { endpointText } from '../report/tunnels.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import type { FileStatus, TunnelGlance } from './viewer.js';

/** Interfaces and comments of a file that are told. */
const TOLD = 20;

/** What is told of a file. */
export const fileStatus = ({ name, format, size, frames, interfaces, comments }: CaptureFile): FileStatus => ({
  name,
  format,
  frames,
  interfaces: interfaces.slice(0, TOLD),
  comments: comments.slice(0, TOLD),
  ...(size !== undefined && { size }),
});

/** Tunnels that are listed while the capture is being read; the report has all. */
const LISTED = 2000;

/** What is known of the tunnels now. */
export function glances(tunnels: readonly Tunnel[]): { tunnels: TunnelGlance[]; moreTunnels: number } {
  return { tunnels: tunnels.slice(0, LISTED).map(glance), moreTunnels: Math.max(0, tunnels.length - LISTED) };
}

function glance(t: Tunnel): TunnelGlance {
  const { session, proxy, other } = t;
  return {
    id: t.id,
    ue: endpointText(t.ends[t.ue]),
    eftf: endpointText(t.ends[t.ue === 0 ? 1 : 0]),
    content: t.content,
    up: t.envelopes[0].total,
    down: t.envelopes[1].total,
    ...keysOf(t),
    ...(session?.sni !== undefined && { sni: session.sni }),
    ...(proxy !== undefined && { proxy: proxy.target }),
    ...(other !== undefined && { other }),
    ...(session !== undefined && session.version > 0 && { version: versionText(session.version) }),
  };
}

const VERSIONS: Readonly<Record<number, string>> = { 768: 'SSL 3', 769: '1.0', 770: '1.1', 771: '1.2', 772: '1.3' };
const versionText = (version: number): string => VERSIONS[version] ?? `0x${version.toString(16)}`;

const ORDER = ['none', 'partial', 'full'] as const;

/** How decryption goes: of the direction that goes worse. */
function keysOf({ session }: Tunnel): Pick<TunnelGlance, 'keys' | 'reason'> {
  if (session === undefined) return { keys: 'clear' };
  const verdicts = ([0, 1] as const).map((d) => session.verdict(d)).filter((v) => v.records > 0);
  if (verdicts.length === 0) return { keys: 'unneeded' };
  const worst = verdicts.reduce((a, b) => (ORDER.indexOf(b.verdict) < ORDER.indexOf(a.verdict) ? b : a));
  return { keys: worst.verdict, ...(worst.reason !== undefined && { reason: worst.reason }) };
}
