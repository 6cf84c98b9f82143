import { type AnyDissector, No, Yes } from '../kit/index.js';
import type { Flow } from '../stream/flow.js';
import type { ConnectionHost } from './host.js';

/**
 * Who takes the plain text of a TLS stream that is not FTT-IMS: a dissector that knows its octets; else the one that
 * ALPN or the port names, if the octets leave it open. null: nobody known; 'more': more octets would say.
 * @param alpn protocol that was settled by ALPN
 */
export function applicationOf(
  host: ConnectionHost,
  flow: Flow,
  alpn: string | undefined,
  buf: Uint8Array,
  off: number,
  end: number,
): AnyDissector | null | 'more' {
  let unsure = false;
  for (const d of host.applications) {
    const p = d.probe!(buf, off, end);
    if (p === Yes) return d;
    if (p !== No) unsure = true;
  }
  const named = host.applicationDissector(flow, alpn);
  if (named !== undefined && named.probe?.(buf, off, end) !== No) return named;
  return unsure ? 'more' : null;
}
