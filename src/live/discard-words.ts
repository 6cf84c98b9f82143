import { LIMITS } from '../limits.js';
import type { HostCounters } from './host-types.js';
import type { LinkCounters } from './router-link.js';
import type { SentCounts } from './tunnel-link.js';

/** What the parts of an end threw away, for its operator; '' where that is nothing. */

function inWords<C>(counters: C, words: Readonly<Partial<Record<keyof C, string>>>): string {
  const known = Object.entries(words) as [keyof C, string][];
  return known.flatMap(([key, what]) => (Number(counters[key]) > 0 ? [`${counters[key]} ${what}`] : [])).join(', ');
}

const HELD = 'errors not told, as there were too many';

/** Of what a host received, and what it did not keep: `2 damaged, 5 for ports where nobody listens`. */
export const hostDiscards = (counters: HostCounters): string =>
  inWords(counters, {
    damaged: 'damaged',
    notMine: 'for other addresses',
    noPort: 'for ports where nobody listens',
    fragments: 'parts of datagrams that did not become whole',
    prefixes: `prefixes, as there are ${LIMITS.hostAddresses} addresses`,
    routers: `routers, as ${LIMITS.hostRouters} are known`,
    servers: `DNS servers, as ${LIMITS.hostServers} are known`,
    paths: `MTUs of paths, as ${LIMITS.hostPaths} are known`,
    errorsHeld: HELD,
  });

/** Of what a router was to forward. A family that is not supported is told with the envelopes. */
export const routerDrops = (counters: LinkCounters): string =>
  inWords(counters, {
    damaged: 'damaged',
    spoofed: 'from addresses that are not its own',
    expired: 'whose time to live was over',
    tooBig: 'too big for their way',
    noRoute: 'without a way',
    errorsHeld: HELD,
  });

/** Of what was to be sent into a tunnel. */
export const unsent = (counts: SentCounts): string =>
  inWords(counts, {
    dropped: 'not sent, as the other side reads too slowly',
    tooLarge: 'too large for an envelope',
  });

/** Those that there are, one behind the other. */
export const listed = (...parts: readonly string[]): string => parts.filter((p) => p !== '').join(', ');
