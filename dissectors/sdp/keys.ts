import { NOT_SHOWN } from '../text-media.js';
/** Keys that descriptions carry: they are left out of what is shown, so that a report can leave the house. */

/**
 * The value of a line (what follows `=`) without key material: that of `k=` (RFC 4566 §5.12), the keys of SDES (RFC 4568
 * §6.1) and MIKEY messages (RFC 4567 §3.1). Names, suites, lifetimes and key identifiers stay. The octets of the packet
 * are what they are.
 */
export function withoutKeys(type: string, value: string): string {
  if (type === 'k') return value.replace(/^(clear|base64):.*$/is, `$1:${NOT_SHOWN}`);
  if (type !== 'a') return value;
  if (/^crypto:/i.test(value)) return value.replace(/\binline:[^|;\s]*/gi, `inline:${NOT_SHOWN}`);
  if (/^key-mgmt:/i.test(value)) return value.replace(/^(key-mgmt:\s*\S+)\s.*$/is, `$1 ${NOT_SHOWN}`);
  return value;
}
