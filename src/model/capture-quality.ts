import type { TunnelEntity, Verdict } from './entities.js';
import type { Findings } from './findings.js';

/** What a capture lacks of a connection, or has out of order, and besides of what runs inside. */
const OUTSIDE = ['capture.gap', 'capture.one-sided', 'capture.order', 'capture.late'] as const;
const INSIDE = ['tls.bad-tag', 'tls.framing-lost'] as const;
/** Codes that speak of the connection itself: whether it can be opened is nothing to them. */
const OUTER_CODES = /^(tcp|proxy|tls|tunnel|attempt)\./;
/** Those that rest on what was, or was not, inside all the same. */
const INNER_CODES: ReadonlySet<string> = new Set([
  'tunnel.closed-in-call',
  'tunnel.closed-registered',
  'tunnel.closed-registering',
  'tunnel.kept',
]);

/**
 * Whether the capture lacks something of a tunnel (0: of what is outside of them) that a claim of this code rests on:
 * all that there was to be seen, or most of that, or a clock that goes on.
 */
export type IsShaky = (tunnel: number, code: string, on: 'sight' | 'most' | 'clock') => boolean;

/** What there is to be said of a tunnel. */
interface Quality {
  readonly outside: boolean;
  readonly inside: boolean;
  readonly clock: boolean;
  /** One direction was not captured; or most of one, of what runs inside, could not be opened. */
  readonly isBlind: boolean;
  readonly isUnread: boolean;
}

/** Whether less than half of a direction was opened. */
const isClosed = ({ records, decrypted }: Verdict): boolean => 2 * decrypted < records;

/**
 * Says what of a capture is not to be trusted: where segments or frames are missing, cut or out of time, or not
 * everything could be opened, what was not seen may have been there all the same. It is asked when all is known, also
 * about what was judged long before.
 */
export function shakiness(findings: Findings, tunnelOf: (id: number) => TunnelEntity | undefined): IsShaky {
  const known = new Map<number, Quality>();
  const ask = (id: number): Quality => {
    const t = tunnelOf(id);
    const lacks = (code: string): boolean => (t === undefined ? findings.hasAtAll(code) : findings.has(code, id));
    const clock =
      t === undefined
        ? findings.hasAnywhere('capture.clock-jump')
        : t.legs.some((l) => findings.hasAtAll('capture.clock-jump', l.file));
    // Octets of a tunnel that were dropped are a gap of it, those of the snaplen are no finding.
    const more = t === undefined ? findings.hasAnywhere('capture.dropped') : clock || t.gaps.length > 0;
    const outside = OUTSIDE.some(lacks) || more;
    const d = t?.tls?.decryption;
    const unread = d !== undefined && (d.up.verdict !== 'full' || d.down.verdict !== 'full');
    const isCut = t?.legs.some((l) => findings.hasAtAll('capture.snaplen', l.file)) === true;
    const isBlind = t !== undefined && lacks('capture.one-sided');
    const isUnread = isBlind || (d !== undefined && (isClosed(d.up) || isClosed(d.down)));
    return { outside, inside: outside || unread || isCut || INSIDE.some(lacks), clock, isBlind, isUnread };
  };
  return (id, code, on) => {
    let shaky = known.get(id);
    if (shaky === undefined) known.set(id, (shaky = ask(id)));
    if (on === 'clock') return shaky.clock;
    const isOuter = OUTER_CODES.test(code) && !INNER_CODES.has(code);
    if (on === 'most') return isOuter ? shaky.isBlind : shaky.isUnread;
    return isOuter ? shaky.outside : shaky.inside;
  };
}
