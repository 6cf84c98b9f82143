/*
 * Header values as text: lists, parameters, addresses, URIs, Via. RFC 3261 §25.1. Values come from outside: what cannot
 * be read is undefined or left out, never an exception.
 */

/** Parameters by lower-case name, in order; '' for one without a value. Values have no quotes. */
export type Parameters = Map<string, string>;

/** Parts of `text` between `separator`, outside of quotes and angle brackets, without space around them. */
export function splitOutside(text: string, separator: string): string[] {
  const out: string[] = [];
  let quoted = false;
  let angle = false;
  let from = 0;
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === '<') angle = true;
    else if (c === '>') angle = false;
    else if (c === separator && !angle) {
      out.push(text.slice(from, i).trim());
      from = i + 1;
    }
  }
  out.push(text.slice(from).trim());
  return out;
}

/** The entries of header values that may each be a list: none empty. */
export const listOf = (values: readonly string[]): string[] =>
  values.flatMap((v) => splitOutside(v, ',')).filter((v) => v !== '');

const unquote = (s: string): string =>
  s.length >= 2 && s.startsWith('"') && s.endsWith('"') ? s.slice(1, -1).replace(/\\(.)/g, '$1') : s;

/** A quoted-string. RFC 3261 §25.1 */
export const quote = (s: string): string => `"${s.replace(/["\\]/g, '\\$&')}"`;

/** `a=1;b;c="x"` as parameters. */
export function parameters(parts: readonly string[]): Parameters {
  const out: Parameters = new Map();
  for (const part of parts) {
    const at = part.indexOf('=');
    const name = (at < 0 ? part : part.slice(0, at)).trim().toLowerCase();
    if (name !== '') out.set(name, at < 0 ? '' : unquote(part.slice(at + 1).trim()));
  }
  return out;
}

const TOKEN = /^[\w\-.!%*+`'~:[\]@/]+$/;

/** `;a=1;b`, values in quotes where they need them. */
const parametersText = (p: Parameters): string =>
  [...p].map(([name, v]) => (v === '' ? `;${name}` : `;${name}=${TOKEN.test(v) ? v : quote(v)}`)).join('');

/** From, To, Contact, Route … */
export interface NameAddress {
  display: string;
  uri: string;
  params: Parameters;
}

/** RFC 3261 §25.1: name-addr or addr-spec, with the parameters of the header field. Undefined for what is neither. */
export function parseNameAddress(value: string): NameAddress | undefined {
  const text = value.trim();
  const less = angleAt(text);
  if (less < 0) {
    const [uri, ...rest] = splitOutside(text, ';');
    return /^[a-z][\w+.-]*:/i.test(uri) ? { display: '', uri, params: parameters(rest) } : undefined;
  }
  const greater = text.indexOf('>', less);
  if (greater < 0) return undefined;
  const rest = splitOutside(text.slice(greater + 1), ';').slice(1);
  return {
    display: unquote(text.slice(0, less).trim()),
    uri: text.slice(less + 1, greater).trim(),
    params: parameters(rest),
  };
}

function angleAt(text: string): number {
  if (!text.startsWith('"')) return text.indexOf('<');
  for (let i = 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return text.indexOf('<', i);
  }
  return -1;
}

/** The tag of a From or To value. */
export const tagOf = (value: string | undefined): string | undefined =>
  (value && parseNameAddress(value)?.params.get('tag')) || undefined;

/** A sip or sips URI. RFC 3261 §19.1 */
export interface SipUri {
  scheme: 'sip' | 'sips';
  user: string;
  /** IPv6 addresses without brackets. */
  host: string;
  port: number | undefined;
  params: Parameters;
}

const URI = /^(sips?):(?:([^@]*)@)?(\[[0-9a-f:.]+\]|[^:;?\s[\]]+)(?::(\d{1,5}))?(;[^?]*)?(?:\?.*)?$/i;

/** Undefined for what is no sip or sips URI. RFC 3261 §25.1 */
export function parseSipUri(text: string): SipUri | undefined {
  const m = URI.exec(text.trim());
  if (m === null) return undefined;
  const port = m[4] === undefined ? undefined : Number(m[4]);
  if (port !== undefined && port > 0xffff) return undefined;
  return {
    scheme: m[1].toLowerCase() as 'sip' | 'sips',
    user: m[2] ?? '',
    host: m[3].replace(/^\[|\]$/g, '').toLowerCase(),
    port,
    params: parameters((m[5] ?? '').split(';')),
  };
}

/** What names a user at a host; parameters do not count here. RFC 3261 §19.1.4, §10.3 */
export function userKey(uri: string): string {
  const u = parseSipUri(uri);
  return u ? `${u.user}@${u.host}:${u.port ?? ''}` : uri.trim();
}

/** Whether two URIs name one user. */
export const sameUser = (a: string, b: string): boolean => userKey(a) === userKey(b);

/** One Via. RFC 3261 §20.42 */
export interface Via {
  transport: string;
  host: string;
  port: number | undefined;
  params: Parameters;
}

/** The first Via of a value; undefined for what is none. RFC 3261 §25.1 */
export function parseVia(value: string): Via | undefined {
  const [head, ...rest] = splitOutside(value, ';');
  const m = /^SIP\s*\/\s*2\.0\s*\/\s*(\w+)\s+(\[[0-9a-f:.]+\]|[^\s:]+)(?:\s*:\s*(\d{1,5}))?$/i.exec(head);
  if (m === null) return undefined;
  return {
    transport: m[1].toUpperCase(),
    host: m[2].replace(/^\[|\]$/g, '').toLowerCase(),
    port: m[3] === undefined ? undefined : Number(m[3]),
    params: parameters(rest),
  };
}

/** A Via as it stands in a message. */
export function viaText(v: Via): string {
  const host = v.host.includes(':') ? `[${v.host}]` : v.host;
  return `SIP/2.0/${v.transport} ${host}${v.port === undefined ? '' : `:${v.port}`}${parametersText(v.params)}`;
}

/** Scheme and parameters of a challenge or of credentials. RFC 3261 §25.1 */
export function parseAuth(value: string): { scheme: string; params: Parameters } | undefined {
  const m = /^\s*([\w-]+)\s+(.*)$/s.exec(value);
  return m === null ? undefined : { scheme: m[1], params: parameters(splitOutside(m[2], ',')) };
}

/** Number and method of a CSeq value. */
export function parseCSeq(value: string | undefined): { number: number; method: string } | undefined {
  const m = /^\s*(\d{1,10})\s+(\S+)\s*$/.exec(value ?? '');
  return m === null ? undefined : { number: Number(m[1]), method: m[2] };
}

/** A header that is a number of seconds, such as Expires and Min-Expires. */
export function secondsOf(value: string | undefined): number | undefined {
  const m = /^\s*(\d{1,10})/.exec(value ?? '');
  return m === null ? undefined : Math.min(0xffff_ffff, Number(m[1]));
}
