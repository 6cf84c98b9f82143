import { isStandard } from '../model/standard-words.js';
import type { SameLength } from './same-length.js';

/** Values of parameters that prove who somebody is, or lead to it. RFC 3261 §22, RFC 3310. */
const PROOFS = /\b(nonce|nextnonce|cnonce|opaque|response|rspauth|auts|ck|ik)(\s*=\s*"?)([^",;\s]*)/gi;
/** Names in credentials that need not look like names. */
const CREDENTIAL = /\b(username\*?|realm)(\s*=\s*"?)((?<=")[^"]*|[^"\s,;]+)/gi;
/** Of URIs with an authority (RFC 3986 §3.2): what stands before it, it, and the path. */
const AUTHORITY = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)([^\s<>"/;?]*)([^\s<>";?]*)/gi;
/** Header fields in the query of a URI, which tell of other calls (RFC 3261 §19.1.1); but not why one was diverted. */
const QUERY = /[?&](?!reason=\w+(?:%3Bcause%3D\d+)?(?![^&\s<>"]))[^&\s<>"]+/gi;
/**
 * Header fields (RFC 3261 §20 and their likes) made of addresses, which get pseudonyms, and of words and numbers that a
 * standard knows. All others are free text or may be, and are blanked.
 */
const STRUCTURED: ReadonlySet<string> = new Set(
  `accept accept-contact accept-encoding accept-language accept-resource-priority allow allow-events answer-mode
  authentication-info authorization connection contact content-disposition content-encoding content-language content-length
  content-transfer-encoding content-type cseq diversion error-info event expires feature-caps flow-timer history-info
  max-breadth max-forwards mime-version min-expires min-se p-asserted-identity p-asserted-service p-associated-uri
  p-called-party-id p-early-media p-preferred-identity p-preferred-service p-profile-key p-served-user path
  permission-missing privacy proxy-authenticate proxy-authorization proxy-require rack reason record-route refer-sub refer-to
  referred-by reject-contact remote-party-id reply-to request-disposition require resource-priority route rseq
  security-client security-server security-verify service-route session-expires sip-etag sip-if-match subscription-state
  supported suppress-if-match timestamp transfer-encoding upgrade www-authenticate x-3gpp-asserted-identity
  x-3gpp-intended-identity from-path to-path message-id byte-range success-report failure-report status use-path
  a b c d e f k l m o r t u v via from to x y`.split(/\s+/),
);
/** The user that began a session: what stands before five more words. RFC 8866 §5.2 */
const ORIGIN = /^o=(.*?)(?=(?: \S+){5}\s*$)/;
/** The host of one label that sent a request (RFC 3261 §18.1.1), after the transport. */
const SENT_BY = /(SIP\s*\/\s*2\.0\s*\/\s*\w+\s+)([a-z0-9_-]+)(?=[\s:;,]|$)/gi;
/** What a response says in its first line, in words. */
const PHRASE = /^((?:SIP\/|HTTP\/|MSRP )\S+ )(\d{3}) ([^\r\n]+)/;
/** Behind its semicolon: name and value. RFC 3261 §25.1 */
const PARAMETER = /(;\s*([\w.+%-]{1,64})\s*=\s*)("(?:[^"\\]|\\.)*"|[^\s;,<>"?&]+)/g;
/** Parameters whose values come from a list, are random (RFC 3261 §19.3), or are read elsewhere. */
const PARAMETERS: ReadonlySet<string> = new Set(
  `aai alg audio automata boundary branch bnc cause charset class cic comp cpc data duplex duration ealg early-only expires
  from-tag gr handling index isfocus keep language limit lr maddr methods mobility mod mp nc np npdi ob oc oc-algo oc-seq
  oc-validity party phone-context port-c port-s privacy prot purpose q rc received refresher reg-id retry-after rn rport
  screen sos spi-c spi-s tag to-tag transport ttl user username realm uri verstat video`.split(/\s+/),
);
/** Why a subscription ended (RFC 6665 §4.1.3), or a call was diverted (RFC 5806 §5). */
const REASONS: ReadonlySet<string> = new Set(
  `deactivated probation rejected timeout giveup noresource invariant unknown user-busy no-answer unavailable unconditional
  time-of-day do-not-disturb deflection follow-me out-of-service away`.split(/\s+/),
);
/** Attributes of session descriptions of which the same is true. */
const ATTRIBUTES: ReadonlySet<string> = new Set(
  `3ge2ae accept-types accept-wrapped-types acap acfg bw-info candidate cdsc charset conf connection content creq csup curr
  des end-of-candidates extmap fingerprint fmtp framerate group ice-lite ice-options imageattr inactive lang max-message-size
  maxptime mid msrp-cema orient path pcfg ptime quality range recvonly remote-candidates rtcp rtcp-fb rtcp-mux rtcp-rsize
  rtcp-xr rtpmap sdplang sendonly sendrecv setup sqn ssrc tcap type`.split(/\s+/),
);

/** Takes out of messages of SIP, HTTP and MSRP what tells who and where somebody is, and what was said; all keep their length. */
export class MessageRedaction {
  constructor(private readonly names: SameLength) {}

  /** A message, or a part of one: a head of lines, and a body that is blanked unless it is a session description. */
  message(s: string): string {
    const gap = /\r?\n\r?\n/.exec(s);
    if (gap === null) return this.head(s);
    const end = gap.index + gap[0].length;
    const head = s.slice(0, end);
    return this.head(head) + this.body(s.slice(end), /^(?:content-type|c)\s*:\s*([^\r\n]*)/im.exec(head)?.[1] ?? '');
  }

  private body(s: string, type: string): string {
    if (/^application\/sdp\b/i.test(type)) return this.sdp(s);
    const boundary = /^multipart\/.*boundary="?([^";]+)/i.exec(type)?.[1];
    if (boundary === undefined) return s.replace(/[^\r\n]/g, 'x');
    return s
      .split(`--${boundary}`)
      .map((part) => this.message(part))
      .join(`--${boundary}`);
  }

  /** The head of a message of SIP or its like: the same, and names shown to people, credentials, places and free text. */
  head(s: string): string {
    return s
      .split(/\n(?![ \t])/) // A field goes on where a line begins with a space. RFC 3261 §7.3.1
      .map((line) => this.line(line))
      .join('\n');
  }

  private line(line: string): string {
    if (/^(?:SIP|HTTP)\/[\d.]+ \d|^MSRP \S+ [A-Z\d]/.test(line))
      return this.names.text(
        line.replace(PHRASE, (whole, before: string, status: string, phrase: string) =>
          isStandard(phrase, Number(status)) ? whole : `${before}${status} ${this.names.words(phrase)}`,
        ),
      );
    if (/^[^\s:]+ \S+ (?:SIP|HTTP)\/[\d.]+\r?$/.test(line))
      return line.replace(/ (\S*)/, (_, uri: string) => ` ${uri.includes(':') ? this.structured(uri) : blank(uri)}`);
    const name = /^([\w-]+)\s*:/.exec(line)?.[1].toLowerCase() ?? '';
    switch (name) {
      case '':
        return blank(line);
      case 'date':
        return line;
      case 'call-id':
      case 'i':
      case 'in-reply-to':
        return afterName(line, (v) => this.names.callId(v));
      case 'replaces':
      case 'join':
      case 'target-dialog':
        return afterName(line, (v) => v.replace(/^[^;]*/, (id) => this.names.callId(id))); // RFC 3891 §6.1
      case 'warning':
      case 'retry-after':
        return afterName(line, (v) => v.replace(/^(\d*)([\s\S]*)/, (_, n: string, rest: string) => n + blank(rest)));
      case 'host':
        return afterName(line, (v) => this.names.place(v, false));
      default:
        if (!STRUCTURED.has(name) || /^(?:proxy-)?authorization\s*:(?!\s*digest\s)/i.test(line))
          return afterName(line, blank);
        return this.structured(line);
    }
  }

  /** A field of addresses and parameters. */
  private structured(line: string): string {
    const shown = line.replace(
      /"((?:[^"\\]|\\.){0,256})"(?=\s*<)|(?<=^[\w-]+\s*:\s*|>[^<,]*,\s*)([^\s"<>][^"<>]*)(?=<)/g,
      (_, quoted, bare) => (quoted === undefined ? this.names.words(bare) : `"${this.names.words(quoted)}"`),
    );
    const named = shown
      .replace(/^((?:v|via)\s*:[\s\S]*)/i, (via) =>
        via.replace(SENT_BY, (_, is: string, v: string) => is + this.names.label(v)),
      )
      .replace(CREDENTIAL, (_, n: string, is: string, v: string) => n + is + this.credential(n, v))
      .replace(QUERY, blank);
    return this.names
      .text(this.paths(named.replace(PARAMETER, (...m) => this.parameter(m[0], m[1], m[2], m[3]))))
      .replace(PROOFS, (_, n: string, is: string, v: string) => n + is + blank(v));
  }

  /** A parameter whose value may be words of somebody: those in quotes, and those of which nobody knows what they are. */
  private parameter(whole: string, before: string, name: string, v: string): string {
    const key = name.toLowerCase();
    if (key === 'reason' ? REASONS.has(v.toLowerCase()) : PARAMETERS.has(key) || /^\+(?:g|sip)\./.test(key))
      return whole;
    if (v.startsWith('"')) return `${before}"${this.names.words(v.slice(1, -1))}"`;
    return /[.:@]|^[\d+-]*$/.test(v) ? whole : before + this.names.words(v);
  }

  /** What looks like an address or a name stays: it is replaced where all of them are. */
  private credential(name: string, v: string): string {
    if (v.includes('@') || /^[\w-]+(?:\.[\w-]+)+$/.test(v)) return v;
    return /^u/i.test(name) ? this.names.user(v) : this.names.host(v);
  }

  /** URIs whose paths are pseudonyms, and the hosts that have one label. */
  private paths(s: string): string {
    return s.replace(AUTHORITY, (_, scheme: string, host: string, path: string) => {
      const named = host.replace(/^[\w-]+(?=:|$)/, (label) => this.names.label(label));
      return scheme + named + this.names.callId(path);
    });
  }

  /** A session description: its user, its name and its keys too. RFC 8866 §5, RFC 4568 §9.1, RFC 8839 §5.4 */
  sdp(s: string): string {
    return s
      .split('\n')
      .map((line) => this.description(line))
      .join('\n');
  }

  private description(line: string): string {
    if (/^[sieup]=/.test(line)) return afterName(line, (v) => this.names.words(v), '=');
    if (!/^[a-z]=/.test(line) || (line.startsWith('o=') && !ORIGIN.test(line))) return blank(line);
    const attribute = /^a=([^\s:]*)/.exec(line)?.[1].toLowerCase();
    if (/^k=/.test(line) || (attribute !== undefined && !ATTRIBUTES.has(attribute)))
      return line.replace(
        /^(k=|a=crypto:\d+ \w+ inline:|a=[^:]*:?)([\s\S]*)/,
        (_, n: string, v: string) => n + blank(v),
      );
    const hidden = line
      .replace(ORIGIN, (_, user: string) => `o=${user === '-' ? user : this.names.user(user)}`)
      .replace(/(\bIN IP[46] )([\w-]+)(?=\s|$)/, (_, is: string, v: string) => is + this.names.label(v));
    return this.names.text(this.paths(hidden));
  }
}

/** Nothing that can be read; zeros also for letters, so that a key still looks like one. */
const blank = (s: string): string => s.replace(/[0-9a-z+/\x80-\xff]/gi, '0');

/** What follows the name of a header field or of a line, changed. */
function afterName(line: string, change: (value: string) => string, mark = ':'): string {
  const m = new RegExp(`^([^${mark}]*${mark}\\s*)([\\s\\S]*?)(\\s*)$`).exec(line);
  return m === null ? line : m[1] + change(m[2]) + m[3];
}
