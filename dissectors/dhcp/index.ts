import { defineDissector, hex, No, need, Unsure, u16, u32, type View, Yes } from 'fttscope/kit';
import { isMac } from './client.js';
import { messageTypeName, showOptions } from './decode.js';
import { E } from './experts.js';
import { F } from './fields.js';
import { codec, type DhcpMessage } from './message.js';
import { putAscii } from './text.js';
import { OPCODES } from './values.js';
import { COOKIE, FILE, FIXED, hasCookie, type Overview, SNAME, survey } from './walk.js';

/**
 * Dynamic Host Configuration Protocol, RFC 2131 §2; without the cookie 63 82 53 63 it is BOOTP, RFC 951:
 *
 *     0               1               2               3
 *     +---------------+---------------+---------------+---------------+
 *     |     op (1)    |   htype (1)   |   hlen (1)    |   hops (1)    |
 *     +---------------+---------------+---------------+---------------+
 *     |                            xid (4)                            |
 *     +-------------------------------+-------------------------------+
 *     |           secs (2)            |           flags (2)           |
 *     +-------------------------------+-------------------------------+
 *     |        ciaddr (4), yiaddr (4), siaddr (4), giaddr (4)         |
 *     |        chaddr (16), sname (64), file (128)                    |
 *     +---------------------------------------------------------------+
 *     |        cookie (4), options (code, length, octets) …           |
 *     +---------------------------------------------------------------+
 */
const CHADDR = 28;
const CHADDR_LENGTH = 16;
const VENDOR_LENGTH = 64;
/** Port of a proxy DHCP server of PXE. */
const PROXY = 4011;

export * from './message.js';

const op = (v: View) => v.buf[v.off];
const htype = (v: View) => v.buf[v.off + 1];
const hlen = (v: View) => v.buf[v.off + 2];

/** Whether hlen can be the length of an address in chaddr. */
const hasAddress = (v: View) => hlen(v) > 0 && hlen(v) <= CHADDR_LENGTH;

export const dhcp = defineDissector<DhcpMessage>({
  proto: 'dhcp',
  title: 'Dynamic Host Configuration Protocol',
  short: 'DHCP',
  spec: 'RFC 2131',
  fields: F,
  experts: E,
  on: { 'udp.port': [67, 68] },

  dissect(v, t) {
    const { buf, off } = v;
    const overview = survey(v);
    t.open(F.dhcp, off, v.length);
    if (t.labels && overview.messageType >= 0)
      t.label(`Dynamic Host Configuration Protocol (${messageTypeName(overview.messageType)})`);
    fixed(v, t);
    hardware(v, t);
    names(v, t, overview);
    if (overview.messageType < 0) t.num(F.bootp, off, 0, 1);
    need(v, 4, off + FIXED);
    if (!hasCookie(buf, off, v.end)) {
      need(v, VENDOR_LENGTH, off + FIXED); // RFC 951 §3
      t.bytes(F.vendorSpecificOptions, off + FIXED, VENDOR_LENGTH);
      options(v, t, overview, off + FIXED + VENDOR_LENGTH);
    } else {
      t.bytes(F.cookie, off + FIXED, 4);
      if (t.labels) t.label('Magic cookie: DHCP');
      options(v, t, overview, off + FIXED + 4);
    }
    t.pop();
  },

  summary(v, cx) {
    if (v.length < 1) return 'Cut short';
    const { messageType } = survey(v);
    if (messageType < 0) return bootpSummary(v);
    const name = messageTypeName(messageType).padEnd(8);
    const proxy = cx.sport === PROXY || cx.dport === PROXY ? 'proxyDHCP' : 'DHCP';
    return `${proxy} ${name} - Transaction ID 0x${u32(v.buf, v.off + 4).toString(16)}`;
  },

  codec,
});

/** DHCP with a server of PXE, whose port others use as well. */
export const proxyDhcp = defineDissector<DhcpMessage>({
  proto: 'dhcp_proxy',
  layer: 'dhcp',
  title: 'Dynamic Host Configuration Protocol',
  short: 'DHCP',
  spec: 'RFC 4578',
  fields: {},
  on: { 'udp.port': [PROXY] },
  probe(b, off, end) {
    if (end - off < FIXED + 4) return Unsure;
    return u32(b, off + FIXED) === COOKIE ? Yes : No;
  },
  dissect: (v, t, cx) => dhcp.dissect(v, t, cx),
  summary: (v, cx) => dhcp.summary!(v, cx),
  codec,
});

type Tree = Parameters<typeof dhcp.dissect>[1];

/** The fields before the addresses of hardware, as far as they go. */
function fixed(v: View, t: Tree): void {
  const { buf, off } = v;
  const octets = [F.type, F.hwType, F.hwLen, F.hops];
  for (let i = 0; i < octets.length; i++) {
    need(v, i + 1);
    t.num(octets[i], off + i, 1, buf[off + i]);
  }
  need(v, 8);
  t.num(F.id, off + 4, 4, u32(buf, off + 4));
  need(v, 10);
  seconds(v, t);
  need(v, 12);
  flags(v, t);
  const addresses = [F.ipClient, F.ipYour, F.ipServer, F.ipRelay];
  for (let i = 0; i < addresses.length; i++) {
    need(v, 16 + 4 * i);
    t.bytes(addresses[i], off + 12 + 4 * i, 4);
  }
}

function seconds(v: View, t: Tree): void {
  const at = v.off + 8;
  const secs = u16(v.buf, at);
  // A multiple of 256 that is small when turned round: some clients send it little-endian.
  const swapped = secs > 0xff && (secs & 0xff) === 0;
  t.num(F.secs, at, 2, swapped ? secs >>> 8 : secs);
  if (swapped) t.expert(E.secsSwapped);
}

function flags(v: View, t: Tree): void {
  const at = v.off + 10;
  const word = u16(v.buf, at);
  t.num(F.flags, at, 2, word);
  if (t.labels) {
    const hexText = `0x${word.toString(16).padStart(4, '0')}`;
    t.label(`Bootp flags: ${hexText}${word & 0x8000 ? ', Broadcast flag (Broadcast)' : ' (Unicast)'}`);
  }
  t.push();
  t.bits(F.broadcast, at, 2, word);
  t.bits(F.flagsReserved, at, 2, word);
  t.pop();
}

function hardware(v: View, t: Tree): void {
  const at = v.off + CHADDR;
  need(v, CHADDR_LENGTH, at);
  if (!hasAddress(v)) {
    t.expert(E.noAddress);
    return;
  }
  if (isMac(htype(v), hlen(v))) t.bytes(F.mac, at, 6);
  else {
    t.bytes(F.hwAddr, at, CHADDR_LENGTH);
    if (t.labels) t.label(`Client hardware address: ${hex(v.buf, at, hlen(v), '')}`);
  }
  if (hlen(v) < CHADDR_LENGTH) t.bytes(F.hwPadding, at + hlen(v), CHADDR_LENGTH - hlen(v));
}

function names(v: View, t: Tree, overview: Overview): void {
  const server = v.off + SNAME.off;
  need(v, SNAME.len, server);
  if ((overview.overload & 2) !== 0) t.expert(E.nameOverloaded);
  else {
    if (v.buf[server] === 0) t.text(F.server, server, SNAME.len, '');
    else putAscii(t, F.server, v.buf, server, server + SNAME.len);
    if (t.labels && v.buf[server] === 0) t.label('Server host name not given');
  }
  const file = v.off + FILE.off;
  need(v, FILE.len, file);
  if ((overview.overload & 1) !== 0) t.expert(E.fileOverloaded);
  else {
    if (v.buf[file] === 0) t.text(F.file, file, FILE.len, '');
    else putAscii(t, F.file, v.buf, file, file + FILE.len);
    if (t.labels && v.buf[file] === 0) t.label('Boot file name not given');
  }
}

function options(v: View, t: Tree, overview: Overview, from: number): void {
  if (from >= v.wireEnd) return;
  const after = showOptions({ v, overview, done: new Map() }, t, from, v.end);
  if (after < 0) {
    if (overview.messageType >= 0 && v.end === v.wireEnd) t.expert(E.endMissing);
  } else if (after < v.end) t.bytes(F.padding, after, v.end - after);
}

function bootpSummary(v: View): string {
  if (op(v) === 1 && v.length >= CHADDR + CHADDR_LENGTH) {
    if (!hasAddress(v)) return 'Boot Request from <No address>';
    const mac = isMac(htype(v), hlen(v));
    const address = hex(v.buf, v.off + CHADDR, hlen(v), mac ? ':' : '');
    return `Boot Request from ${address}${mac ? ` (${address})` : ''}`;
  }
  return OPCODES[op(v)] ?? `Unknown BOOTP message type (${op(v)})`;
}
