import { createHash } from 'node:crypto';
import type { PrefixInformation } from '../../dissectors/icmpv6/messages.js';
import { concat } from '../kit/index.js';
import { type Address, inPrefix, isLinkLocal, withIdentifier } from './address.js';

/*
 * Addresses that a host makes for itself: from a prefix, with lifetimes, after nobody objected. RFC 4862
 */

/** What an address may be used for. RFC 4862 §2 */
export type AddressState = 'tentative' | 'preferred' | 'deprecated' | 'duplicate';

/** An address in the making or in use. Times in ms of the clock, Infinity for ever. */
export interface OwnAddress {
  readonly address: Address;
  readonly prefix: Address;
  state: AddressState;
  preferredUntil: number;
  validUntil: number;
  /** How many of the same prefix were duplicates before this one. */
  readonly attempt: number;
  /** When the next step of duplicate address detection is due. */
  due: number;
  /** Solicitations sent. */
  probes: number;
  /** What tells our own solicitation, looped back, from another's. RFC 7527 §4.2 */
  nonce: Uint8Array;
}

/** A lifetime without end. RFC 4861 §4.6.2 */
const FOREVER = 0xffff_ffff;
const TWO_HOURS = 7_200_000;

/** The end of a lifetime of `seconds` that begins at `now`. */
export const lifetimeEnd = (now: number, seconds: number): number =>
  seconds === FOREVER ? Number.POSITIVE_INFINITY : now + 1000 * seconds;

/**
 * An interface identifier that is the same for the same prefix and secret, and tells nothing else. RFC 7217 §5
 * @param attempt how many were duplicates before
 */
function stableIdentifier(secret: Uint8Array, prefix: Address, attempt: number): Uint8Array {
  const octets = concat([prefix.subarray(0, 8), Uint8Array.of(attempt), secret]);
  return createHash('sha256').update(octets).digest().subarray(0, 8);
}

/** Reserved identifiers, which no host takes. RFC 5453 §3 */
const isReserved = (id: Uint8Array): boolean =>
  id.every((o) => o === 0) || (id[0] === 0xfd && id.subarray(1, 7).every((o) => o === 0xff) && id[7] >= 0x80);

/** The address of a prefix after `attempt` duplicates. */
export function stableAddress(secret: Uint8Array, prefix: Address, attempt: number): Address {
  for (let salt = attempt; ; salt += 16) {
    const id = stableIdentifier(secret, prefix, salt);
    if (!isReserved(id)) return withIdentifier(prefix, id);
  }
}

/** Whether a prefix makes an address. RFC 4862 §5.5.3 (a) to (d) */
export function isUsable(p: PrefixInformation): boolean {
  return p.autonomous && !isLinkLocal(p.prefix) && p.preferred <= p.valid && p.length === 64 && p.valid !== 0;
}

/** Whether an address was made from a prefix. RFC 4861 §4.6.2: what stands behind its length is ignored. */
export const isFrom = (a: OwnAddress, prefix: Address): boolean => inPrefix(a.prefix, prefix, 64);

/**
 * Takes the lifetimes that a router advertises. RFC 4862 §5.5.3 (e): nobody shortens below two hours unasked.
 * True where an address that was deprecated is preferred again.
 */
export function refresh(a: OwnAddress, p: PrefixInformation, now: number): boolean {
  if (p.preferred > p.valid) return false;
  a.preferredUntil = lifetimeEnd(now, p.preferred);
  const remaining = a.validUntil - now;
  const advertised = lifetimeEnd(now, p.valid) - now;
  if (advertised > TWO_HOURS || advertised > remaining) a.validUntil = now + advertised;
  else if (remaining > TWO_HOURS) a.validUntil = now + TWO_HOURS;
  if (a.state !== 'deprecated' || a.preferredUntil <= now) return false;
  a.state = 'preferred';
  return true;
}
