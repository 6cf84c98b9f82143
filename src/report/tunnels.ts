import { ip4, ip6 } from '../kit/index.js';
import type { DirectionVerdict } from '../tls/index.js';
import type { Endpoint, Tunnel } from '../tunnel/tunnel.js';

/** `192.0.2.1:443`, `[2001:db8::1]:443`. */
export const endpointText = (e: Endpoint): string =>
  e.address.length === 4 ? `${ip4(e.address, 0)}:${e.port}` : `[${ip6(e.address, 0)}]:${e.port}`;

/** Whether everything that a tunnel carried could be read, or it is known to be no FTT-IMS tunnel. */
export function isReadable(t: Tunnel): boolean {
  if (t.content === 'other' || t.session === undefined) return true;
  return ([0, 1] as const).every((d) => {
    const v = t.session!.verdict(d);
    return v.records === 0 || v.verdict === 'full';
  });
}

/** What became of a tunnel, in one line. */
export function tunnelLine(t: Tunnel): string {
  const ue = t.ends[t.ue];
  const eftf = t.ends[t.ue === 0 ? 1 : 0];
  const via = t.proxy === undefined ? '' : ` via proxy to ${t.proxy.target}${answer(t.proxy.status)}`;
  return `tunnel ${t.id}: ${endpointText(ue)} → ${endpointText(eftf)}${via}: ${outcome(t)}`;
}

const answer = (status: number | undefined): string =>
  status === undefined ? ' (no answer seen)' : status >= 200 && status < 300 ? '' : ` (refused: ${status})`;

function outcome(t: Tunnel): string {
  if (t.content === 'other') return `not FTT-IMS but ${t.other}`;
  const [up, down] = t.envelopes;
  const counts = `${up.total} envelopes up, ${down.total} down`;
  if (t.session === undefined) return t.content === 'fttims' ? `in the clear, ${counts}` : 'no TLS';
  const reasons = ([0, 1] as const).map((d) => ({ name: d === 0 ? 'up' : 'down', v: t.session!.verdict(d) }));
  const bad = reasons.filter(({ v }) => v.records > 0 && v.verdict !== 'full');
  if (bad.length === 0) return t.content === 'fttims' ? `decrypted, ${counts}` : 'no application data was read';
  const same = bad.length === 2 && reason(bad[0].v) === reason(bad[1].v);
  const text = same ? reason(bad[0].v) : bad.map(({ name, v }) => `${name}: ${reason(v)}`).join('; ');
  const some = up.total + down.total > 0 ? `, ${counts}` : '';
  return `${bad.some(({ v }) => v.verdict === 'partial') ? 'partly' : 'not'} decrypted${some}. ${text}`;
}

const reason = (v: DirectionVerdict): string => v.reason ?? `${v.decrypted} of ${v.records} records were read.`;
