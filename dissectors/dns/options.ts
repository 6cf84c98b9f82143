/** Parts made of code, length and octets: EDNS options (RFC 6891 §6.1.2), SVCB parameters (RFC 9460), DSO (RFC 8490). */
import { ip4, ip6, latin1, nameOf, type Tree, u16, utf8Text } from 'fttscope/kit';
import { E } from './experts.js';
import { F } from './fields.js';
import type { Rdata } from './rdata.js';
import { dsoType, OPTIONS, SVC_KEYS } from './values.js';

/** The options of an OPT record. */
export function ednsOptions(r: Rdata): void {
  const { t } = r;
  while (r.left > 0) {
    const start = r.at;
    r.need(4);
    const code = u16(r.b, start);
    const n = u16(r.b, start + 2);
    t.none(F.opt, start, 4 + n);
    if (t.labels) t.label(`Option: ${OPTIONS[code] ?? `Unknown (${code})`}`);
    t.push();
    r.u16(F.optCode);
    r.u16(F.optLength);
    r.need(n);
    t.bytes(F.optData, r.at, n);
    const end = r.at + n;
    ednsOption(r, code, end);
    r.at = end;
    t.pop();
  }
}

function ednsOption(r: Rdata, code: number, end: number): void {
  const { t, b } = r;
  const list = code === 5 ? F.dau : code === 6 ? F.dhu : code === 7 ? F.n3u : undefined; // RFC 6975
  if (list !== undefined) for (; r.at < end; r.at++) t.num(list, r.at, 1, b[r.at]);
  else if (code === 8 || code === 20730) clientSubnet(r, end);
  else if (code === 10) {
    r.bytes(F.cookieClient, 8); // RFC 7873 §4
    if (r.at <= end) t.bytes(F.cookieServer, r.at, end - r.at);
  } else if (code === 11 && end - r.at === 2)
    r.u16(F.keepalive); // RFC 7828 §3.1
  else if (code === 12)
    t.bytes(F.padding, r.at, end - r.at); // RFC 7830
  else if (code === 13) {
    if (isPlainName(b, r.at, end)) r.name(F.chain);
  } else if (code === 15) {
    r.u16(F.errorCode); // RFC 8914 §2
    if (end > r.at) t.plainText(F.errorText, r.at, end - r.at);
  }
}

/** Whether labels without compression, and the root, fill `[at, end)`. RFC 7901 §4 */
function isPlainName(b: Uint8Array, at: number, end: number): boolean {
  let i = at;
  while (i < end && b[i] > 0 && b[i] < 64) i += 1 + b[i];
  return i + 1 === end && b[i] === 0;
}

/** Option 8, RFC 7871 §6. */
function clientSubnet(r: Rdata, end: number): void {
  const { t, b } = r;
  const family = r.u16(F.subnetFamily);
  r.u8(F.subnetSource);
  r.u8(F.subnetScope);
  const n = end - r.at;
  if (n > 16) t.expert(E.badSubnet);
  if (n < 0) t.expert(E.badSubnet, 'Option ends before the prefix lengths');
  if (n < 0 || n > 16) return;
  const width = family === 1 ? 4 : family === 2 ? 16 : 0;
  if (width === 0) t.bytes(F.subnet, r.at, n);
  else {
    const address = new Uint8Array(width);
    address.set(b.subarray(r.at, r.at + Math.min(n, width)));
    t.bytes(width === 4 ? F.subnet4 : F.subnet6, r.at, n, address);
  }
}

/** Types 64 and 65, RFC 9460 §2.2. */
export function serviceBinding(r: Rdata): void {
  const { t } = r;
  r.u16(F.svcPriority);
  r.name(F.svcTarget);
  while (r.left > 0) {
    const start = r.at;
    r.need(4);
    const key = u16(r.b, start);
    const n = u16(r.b, start + 2);
    t.none(F.svcParam, start, 4 + n);
    if (t.labels && start + 4 + n <= r.v.end) t.label(`SvcParam: ${parameterText(r.b, key, start + 4, n)}`);
    t.push();
    r.u16(F.svcKey);
    r.u16(F.svcLength);
    r.need(n);
    const end = r.at + n;
    parameter(r, key, end);
    r.at = end;
    t.pop();
  }
}

function parameter(r: Rdata, key: number, end: number): void {
  const { t } = r;
  const n = end - r.at;
  if (key === 0 && n % 2 === 0) while (r.at < end) r.u16(F.svcMandatory);
  else if (key === 1) while (r.at < end) r.string(F.svcAlpnLength, F.svcAlpn);
  else if (key === 3 && n === 2) r.u16(F.svcPort);
  else if (key === 4 && n % 4 === 0) while (r.at < end) r.bytes(F.svc4, 4);
  else if (key === 6 && n % 16 === 0) while (r.at < end) r.bytes(F.svc6, 16);
  else if (n > 0) t.bytes(key === 5 ? F.svcEch : key === 32769 ? F.svcOdoh : F.svcValue, r.at, n);
}

/** A parameter as zone files write it. RFC 9460 §2.1 */
function parameterText(b: Uint8Array, key: number, off: number, n: number): string {
  const name = SVC_KEYS[key] ?? `key${key}`;
  if (n === 0) return name;
  const values: string[] = [];
  const end = off + n;
  if (key === 0) for (let i = off; i + 2 <= end; i += 2) values.push(nameOf(SVC_KEYS, u16(b, i), `key${u16(b, i)}`));
  else if (key === 1)
    for (let i = off; i < end; i += 1 + b[i]) values.push(utf8Text(b, i + 1, Math.min(end, i + 1 + b[i])));
  else if (key === 3 && n === 2) values.push(String(u16(b, off)));
  else if (key === 4) for (let i = off; i + 4 <= end; i += 4) values.push(ip4(b, i));
  else if (key === 6) for (let i = off; i + 16 <= end; i += 16) values.push(ip6(b, i));
  else if (key === 5 || key === 32769) values.push(btoa(latin1(b, off, end)));
  else values.push(utf8Text(b, off, end));
  return `${name}=${values.join(',')}`;
}

/** The TLVs of DNS Stateful Operations, RFC 8490 §5.4. */
export function statefulOperations(r: Rdata, t: Tree): void {
  t.none(F.dso, r.at, r.left);
  t.push();
  while (r.left > 0) {
    const start = r.at;
    r.need(4);
    const type = u16(r.b, start);
    const n = u16(r.b, start + 2);
    t.none(F.dsoTlv, start, 4 + n);
    if (t.labels) t.label(`DSO TLV: ${dsoType(type) ?? `Unknown (${type})`}`);
    t.push();
    r.u16(F.dsoType);
    r.u16(F.dsoLength);
    r.need(n);
    const end = r.at + n;
    if (type === 1 && n === 8) {
      r.u32(F.dsoInactivity);
      r.u32(F.dsoInterval);
    } else if (type === 2 && n === 4) r.u32(F.dsoDelay);
    else if (n > 0) t.bytes(type === 3 ? F.dsoPadding : F.dsoData, r.at, n);
    r.at = end;
    t.pop();
  }
  t.pop();
}
