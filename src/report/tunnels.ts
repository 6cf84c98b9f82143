import { counted, ip4, ip6 } from '../kit/index.js';
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

/** What became of a tunnel, in one line; `counted` says whether anybody looked into its envelopes. */
export function tunnelLine(t: Tunnel, counted = true): string {
  const ue = t.ends[t.ue];
  const eftf = t.ends[t.ue === 0 ? 1 : 0];
  const via = t.proxy === undefined ? '' : ` via proxy to ${t.proxy.target}`;
  const inferred = t.inferred ? ' (which end is the UE is inferred)' : '';
  return `tunnel ${t.id}: ${endpointText(ue)} → ${endpointText(eftf)}${via}${inferred}: ${outcome(t, counted)}`;
}

function outcome(t: Tunnel, counted: boolean): string {
  const refused = refusal(t);
  if (refused !== undefined) return refused;
  if (t.content === 'other') return `not FTT-IMS but ${t.other}`;
  const envelopes = counted ? `, ${counts(t)}` : '';
  if (t.session === undefined) return t.content === 'fttims' ? `envelopes in the clear${envelopes}` : 'no TLS was seen';
  const both = ([0, 1] as const)
    .map((d) => ({ name: t.direction(d === 0 ? t.client : t.client === 0 ? 1 : 0), v: t.session!.verdict(d) }))
    .filter(({ v }) => v.records > 0);
  if (both.length === 0) return 'TLS without application data';
  const unread = both.filter(({ v }) => v.verdict !== 'full');
  if (unread.length === 0) {
    const what = t.content === 'fttims' ? envelopes : ', no envelopes';
    const gaps = both.filter(({ v }) => v.reason !== undefined).map(({ name, v }) => ` ${name}: ${v.reason}`);
    return `decrypted${what}${gaps.length > 0 ? `;${gaps.join('')}` : ''}`;
  }
  const partly = both.some(({ v }) => v.verdict !== 'none');
  const some = t.content === 'fttims' ? envelopes : partly ? ', no envelope among it' : '';
  return `${partly ? 'partly' : 'not'} decrypted${some}. ${reasons(unread)}`;
}

/** What a proxy said that let no tunnel through. */
function refusal({ proxy, session }: Tunnel): string | undefined {
  if (proxy === undefined || session !== undefined) return undefined;
  const { status } = proxy;
  if (status === undefined) return 'the proxy did not answer the CONNECT';
  return status >= 200 && status < 300
    ? 'the proxy let it through, and no TLS was seen'
    : `the proxy refused the CONNECT with ${status}`;
}

function counts({ envelopes: [up, down] }: Tunnel): string {
  const unknown = up.unknown + down.unknown;
  const invalid = up.invalid + down.invalid;
  const odd = [
    ...(unknown > 0 ? [`${unknown} of unknown type`] : []),
    ...(invalid > 0 ? [`${invalid} without a whole IP packet`] : []),
  ];
  return `${counted(up.total, 'envelope')} up, ${down.total} down${odd.length > 0 ? ` (${odd.join(', ')})` : ''}`;
}

/** Why directions could not be read; said once where it is the same for both. */
function reasons(list: readonly { name: 'up' | 'down'; v: DirectionVerdict }[]): string {
  const texts = list.map(({ v }) => v.reason ?? `${v.decrypted} of ${v.records} records were read.`);
  if (texts.length === 2 && texts[0] === texts[1]) return texts[0];
  return list.map(({ name }, i) => `${name}: ${texts[i]}`).join(' ');
}
