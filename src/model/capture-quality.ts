import type { TunnelEntity } from './entities.js';
import type { Findings } from './findings.js';

/** What a capture lacks of a connection, and besides of what runs inside. */
const OUTSIDE = ['capture.gap', 'capture.one-sided', 'capture.late'] as const;
const INSIDE = ['tls.bad-tag', 'tls.framing-lost'] as const;
/** Codes that speak of the connection itself: whether it can be opened is nothing to them. */
const OUTER_CODES = /^(tcp|proxy|tls|tunnel|attempt)\./;

/** Whether the capture lacks something of a tunnel (0: of what is outside of them) that a claim of this code rests on. */
export type IsShaky = (tunnel: number, code: string) => boolean;

/**
 * Says what of a capture is not to be trusted: where segments or frames are missing, cut or out of time, or not
 * everything could be opened, what was not seen may have been there all the same. It is asked when all is known, also
 * about what was judged long before.
 */
export function shakiness(findings: Findings, tunnelOf: (id: number) => TunnelEntity | undefined): IsShaky {
  const known = new Map<number, { readonly outside: boolean; readonly inside: boolean }>();
  const ask = (id: number): { readonly outside: boolean; readonly inside: boolean } => {
    const t = tunnelOf(id);
    const lacks = (code: string): boolean => (t === undefined ? findings.hasAtAll(code) : findings.has(code, id));
    const outside =
      OUTSIDE.some(lacks) ||
      (t !== undefined && t.gaps.length > 0) || // those of the snaplen are no finding
      t?.legs.some((l) => findings.hasAtAll('capture.clock-jump', l.file)) === true;
    const d = t?.tls?.decryption;
    const unread = d !== undefined && (d.up.verdict !== 'full' || d.down.verdict !== 'full');
    const isCut = t?.legs.some((l) => findings.hasAtAll('capture.snaplen', l.file)) === true;
    return { outside, inside: outside || unread || isCut || INSIDE.some(lacks) };
  };
  return (id, code) => {
    let shaky = known.get(id);
    if (shaky === undefined) known.set(id, (shaky = ask(id)));
    return OUTER_CODES.test(code) ? shaky.outside : shaky.inside;
  };
}
