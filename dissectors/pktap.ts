import {
  type Ctx,
  defineDissector,
  experts,
  type Field,
  fields,
  find,
  need,
  type Peek,
  type Tree,
  u16le,
  u32le,
  utf8Text,
  type View,
} from 'fttscope/kit';

/**
 * PKTAP, LINKTYPE_PKTAP: what Apple's systems say of a packet before it, as in captures of a phone through `rvi0`
 * (bsd/net/pktap.h of xnu). Numbers are little-endian, and names end in a zero:
 *
 *     +------------+-----------------+---------+---------------------+-----------+---------------------+
 *     | Length (4) | Record type (4) | DLT (4) | Interface name (24) | Flags (4) | Protocol family (4) |
 *     +------------+--------+--------+---------+--+-----------------++----------+-------------+--------+
 *     | Link header (4) | Link trailer (4) | Process (4) | Command name (20) | Service class (4) |
 *     +-----------------+----+-------------+----+--------+----------+-----------+-------------+
 *     | Interface type (2) | unit (2) | Effective process (4) | Effective command name (20) | packet
 *     +--------------------+----------+-----------------------+-----------------------------+--------
 */
const HEADER = 108;
const PACKET = 1;
const USER2 = 149;
const PROTOCOL_FAMILIES = { 2: 'IPv4', 30: 'IPv6' };
const RECORDS = { 0: 'None', 1: 'Packet' };

const F = fields({
  pktap: { name: 'pktap', label: 'PKTAP packet header', type: 'protocol' },
  hdrlen: { name: 'pktap.hdrlen', label: 'Header length', type: 'u32', unit: 'octets' },
  rectype: { name: 'pktap.rectype', label: 'Record type', type: 'u32', values: RECORDS },
  dlt: { name: 'pktap.dlt', label: 'DLT', type: 'u32' },
  ifname: { name: 'pktap.ifname', label: 'Interface name', type: 'string' },
  flags: { name: 'pktap.flags', label: 'Flags', type: 'u32', base: 'hex' },
  pfamily: { name: 'pktap.pfamily', label: 'Protocol family', type: 'u32', values: PROTOCOL_FAMILIES },
  llhdrlen: { name: 'pktap.llhdrlen', label: 'Link-layer header length', type: 'u32', unit: 'octets' },
  lltrlrlen: { name: 'pktap.lltrlrlen', label: 'Link-layer trailer length', type: 'u32', unit: 'octets' },
  pid: { name: 'pktap.pid', label: 'Process ID', type: 'u32' },
  cmdname: { name: 'pktap.cmdname', label: 'Command name', type: 'string' },
  svcClass: { name: 'pktap.svc_class', label: 'Service class', type: 'u32' },
  iftype: { name: 'pktap.iftype', label: 'Interface type', type: 'u16' },
  ifunit: { name: 'pktap.ifunit', label: 'Interface unit', type: 'u16' },
  epid: { name: 'pktap.epid', label: 'Effective process ID', type: 'u32' },
  ecmdname: { name: 'pktap.ecmdname', label: 'Effective command name', type: 'string' },
});
const U = fields({ dlt: { name: 'user_dlt', label: 'DLT User', type: 'protocol' } });

const E = experts({
  short: {
    code: 'pktap.header-too-short',
    severity: 'error',
    malformed: true,
    message: 'Header length is too short',
  },
});

/** The packet, of the link type that a header before it names: Wireshark lists a layer between the two. */
export function packetData(t: Tree, cx: Ctx, link: number, packet: View): void {
  t.layer('pcap_pktdata');
  cx.next('link', link, packet);
}

/** A name in a field of `length` octets: what stands before the first zero. */
function name(t: Tree, f: Field, { buf }: View, off: number, length: number): void {
  const end = find(buf, 0, off, off + length);
  t.text(f, off, length, utf8Text(buf, off, end));
}

export const pktap = defineDissector({
  proto: 'pktap',
  title: 'PKTAP packet header',
  short: 'PKTAP',
  spec: 'LINKTYPE_PKTAP',
  fields: F,
  experts: E,
  on: { link: [258], user_dlt: [USER2] },
  tables: ['link'],

  peek(p: Peek) {
    const { buf, off } = p;
    if (p.end - off < HEADER) return p.stop();
    const n = u32le(buf, off);
    if (n < HEADER || off + n > p.end || u32le(buf, off + 4) !== PACKET) return p.stop();
    p.off = off + n;
    p.table = 'link';
    p.key = u32le(buf, off + 8);
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.pktap, off, Math.min(v.length, HEADER));
    need(v, 4);
    const n = u32le(buf, off);
    t.num(F.hdrlen, off, 4, n);
    if (n < HEADER) {
      t.expert(E.short);
      return t.pop();
    }
    need(v, 56);
    t.num(F.rectype, off + 4, 4, u32le(buf, off + 4));
    t.num(F.dlt, off + 8, 4, u32le(buf, off + 8));
    name(t, F.ifname, v, off + 12, 24);
    t.num(F.flags, off + 36, 4, u32le(buf, off + 36));
    t.num(F.pfamily, off + 40, 4, u32le(buf, off + 40));
    t.num(F.llhdrlen, off + 44, 4, u32le(buf, off + 44));
    t.num(F.lltrlrlen, off + 48, 4, u32le(buf, off + 48));
    t.num(F.pid, off + 52, 4, u32le(buf, off + 52));
    need(v, HEADER);
    name(t, F.cmdname, v, off + 56, 20);
    t.num(F.svcClass, off + 76, 4, u32le(buf, off + 76));
    t.num(F.iftype, off + 80, 2, u16le(buf, off + 80));
    t.num(F.ifunit, off + 82, 2, u16le(buf, off + 82));
    t.num(F.epid, off + 84, 4, u32le(buf, off + 84));
    name(t, F.ecmdname, v, off + 88, 20);
    t.pop();
    need(v, n);
    if (u32le(buf, off + 4) === PACKET) packetData(t, cx, u32le(buf, off + 8), v.sub(off + n));
  },

  summary: (v) => (v.length < 4 ? 'Header cut short' : `PKTAP, ${u32le(v.buf, v.off)} octets of header`),
});

/** LINKTYPE_USER2: in captures of OS X 10.9 it is PKTAP, and Wireshark reads it so where nobody says otherwise. */
export const userDlt = defineDissector({
  proto: 'user_dlt',
  title: 'DLT User',
  short: 'DLT_USER',
  spec: 'LINKTYPE_USER2',
  fields: U,
  on: { link: [USER2] },
  tables: ['user_dlt'],
  peek(p: Peek) {
    p.table = 'user_dlt';
    p.key = USER2;
  },
  dissect(v, t, cx) {
    t.none(U.dlt, v.off, 0);
    if (t.labels) t.label(`DLT: ${USER2}, Payload: pktap (PKTAP packet header)`);
    cx.next('user_dlt', USER2, v);
  },
});
