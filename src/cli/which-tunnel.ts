import { EFTF_PORT } from '../../dissectors/ftt-ims.js';
import { addressText } from '../kit/index.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import { UserError } from './errors.js';

/** `HOST`, `HOST:PORT`, `[2001:db8::1]:443`, `2001:db8::1`. */
interface Place {
  readonly host: string;
  /** 0: any. */
  readonly port: number;
}

/**
 * Whether a tunnel is the one that `--tunnel` names: by its number, or by the address or name of an end, which may be
 * the name in the ClientHello or the target of a CONNECT. @throws UserError for what names no tunnel
 */
export function tunnelTest(which: string): (tunnel: Tunnel) => boolean {
  if (/^\d+$/.test(which)) return (tunnel) => tunnel.id === Number(which);
  const place = placeOf(which);
  if (place === null)
    throw new UserError(`--tunnel ${which}: neither a number nor HOST[:PORT]`, undefined, 'IPv6: [2001:db8::1]:443');
  return (tunnel) => isAt(tunnel, place);
}

function placeOf(text: string): Place | null {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text);
  if (bracketed !== null) return { host: canonical(bracketed[1]), port: Number(bracketed[2] ?? 0) };
  const colons = text.split(':').length - 1;
  if (colons > 1) return { host: canonical(text), port: 0 };
  const m = /^([\w.-]+)(?::(\d+))?$/.exec(text);
  return m === null ? null : { host: canonical(m[1]), port: Number(m[2] ?? 0) };
}

/** A name or an address in the form in which tunnels have theirs. */
function canonical(host: string): string {
  const lower = host.toLowerCase();
  if (!lower.includes(':')) return lower;
  try {
    return new URL(`http://[${lower}]`).hostname.slice(1, -1);
  } catch {
    return lower;
  }
}

/** Whether an address is that of a host; of names `localhost` alone has addresses that are always the same (RFC 6761 §6.3). */
const isOf = (host: string, address: string): boolean =>
  host === 'localhost' ? address.startsWith('127.') || address === '::1' : address === host;

function isAt(t: Tunnel, { host, port }: Place): boolean {
  const any = (p: number): boolean => port === 0 || port === p;
  if (t.ends.some((e) => any(e.port) && isOf(host, addressText(e.address)))) return true;
  const eftf = t.ends[t.ue === 0 ? 1 : 0];
  if (t.session?.sni?.toLowerCase() === host && any(t.proxy === undefined ? eftf.port : EFTF_PORT)) return true;
  const target = t.proxy === undefined ? null : placeOf(t.proxy.target);
  return target !== null && target.host === host && any(target.port);
}
