import { fieldValue, readMessage, statusOf } from '../../dissectors/http/message.js';
import { latin1, type View } from '../kit/index.js';

/** RFC 9110 §15.4: statuses that send a client elsewhere, to the Location. RFC 6585 §6: one that wants a login. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const LOGIN_REQUIRED = 511;
/** Android takes no page of so few octets for one of a portal: proxies add a line end. */
const NO_PAGE = 4;

/** What operating systems ask for to see whether somebody answers in the place of the web, and what has to come back. */
const PAGES: Readonly<Record<string, RegExp>> = {
  'hotspot-detect.html': /success/i,
  'connecttest.txt': /Microsoft Connect Test/,
  'ncsi.txt': /Microsoft NCSI/,
  'success.txt': /success/i,
  'canonical.html': /captive-portal|success/i,
  'check_network_status.txt': /NetworkManager is online/,
};
const PROBE =
  /^GET (\S*?(generate_204|gen_204|hotspot-detect\.html|connecttest\.txt|ncsi\.txt|success\.txt|canonical\.html|check_network_status\.txt))\S* /;

/** A request that looks for a captive portal. */
export interface PortalProbe {
  /** Host that was asked, '' where the request does not say it. */
  readonly host: string;
  readonly path: string;
  /** What the page has to have; undefined: there is none (204). */
  readonly page: RegExp | undefined;
}

/** The probe that the message `v` with this start line is, if it is one. */
export function portalProbe(line: string, v: View): PortalProbe | undefined {
  const m = PROBE.exec(line);
  if (m === null) return undefined;
  const message = readMessage(v.buf, v.off, v.end);
  const host = message === undefined ? '' : fieldValue(message, 'host');
  const url = parsed(m[1], `http://${host || '0.0.0.0'}`);
  return { host, path: url?.pathname ?? m[1], page: PAGES[m[2]] };
}

/** What the answer `v` to a probe says: `redirected` elsewhere, `answered` with another page, or as it should be. */
export function probeOutcome(
  p: PortalProbe,
  v: View,
): { readonly status: number; readonly outcome: 'redirected' | 'answered' | 'succeeded' } {
  const m = readMessage(v.buf, v.off, v.end);
  if (m === undefined) return { status: 0, outcome: 'succeeded' };
  const status = statusOf(v.buf, m);
  if (status === LOGIN_REQUIRED || (REDIRECTS.has(status) && !isOwn(p, fieldValue(m, 'location'))))
    return { status, outcome: 'redirected' };
  const isRead = status === 200 && m.complete && v.length === v.wireLength && fieldValue(m, 'content-encoding') === '';
  const page = latin1(v.buf, m.body, v.end);
  const isOther = isRead && page.length > NO_PAGE && (p.page === undefined || !p.page.test(page));
  return { status, outcome: isOther ? 'answered' : 'succeeded' };
}

/**
 * Whether a redirect is one of the host itself: to TLS, where nobody else can answer in its name, or to the same page under
 * another name of its domain.
 */
function isOwn({ host, path }: PortalProbe, location: string): boolean {
  const base = parsed('/', `http://${host}`);
  const to = parsed(location, `http://${host}`);
  if (base === undefined || to === undefined || location === '') return false;
  const [a, b] = [base.hostname, to.hostname];
  if (a === b) return to.protocol === 'https:';
  return to.pathname === path && (a.endsWith(`.${b}`) || b.endsWith(`.${a}`));
}

function parsed(text: string, base: string): URL | undefined {
  return URL.canParse(text, base) ? new URL(text, base) : undefined;
}
