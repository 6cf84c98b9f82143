import { type Peek, u16, u32, type View } from 'fttscope/kit';
import { fromRows, named } from './named.js';

/** Protocols of groups and of bridges that are only named: multicast routing, and what bridges register. */

/** A Register, of version 2, carries the packet of a source behind its flags. RFC 7761 §4.9.3 */
const REGISTER = 0x21;
const REGISTER_HEADER = 8;

/** Where that packet starts, or -1: those that the sender leaves empty have no version. */
function registered({ buf, off, end }: View | Peek): number {
  const at = off + REGISTER_HEADER;
  return at < end && buf[off] === REGISTER && (buf[at] >> 4 === 4 || buf[at] >> 4 === 6) ? at : -1;
}

/** GARP stands where a BPDU would, and the address that its frame goes to says for what. IEEE 802.1D §12.1, table 12-1 */
const GARP = 1;
const DESTINATION = 17;
const GARP_APPLICATIONS = new Map([
  [0x20, 'gmrp'],
  [0x21, 'gvrp'],
]);
const GARP_ADDRESSES = 0x0180c200;

/** Which application of GARP a frame of Ethernet with LLC is for; undefined where it is a BPDU. */
function garpOf({ buf, off, length }: View): string | undefined {
  if (length < 2 || u16(buf, off) !== GARP || off < DESTINATION) return undefined;
  const [group, last] = [u32(buf, off - DESTINATION), u16(buf, off - DESTINATION + 4)];
  return group === GARP_ADDRESSES ? GARP_APPLICATIONS.get(last) : undefined;
}

export const multicast = [
  named({
    ...{ proto: 'pim', title: 'Protocol Independent Multicast', short: 'PIM', spec: 'RFC 7761 §4.9' },
    on: { 'ip.proto': [103], 'igmp.type': [0x14] },
    tables: ['ip.version'],
    peek(p) {
      const at = registered(p);
      if (at < 0) return p.stop();
      p.off = at;
      p.table = 'ip.version';
      p.key = p.buf[at] >> 4;
    },
    inner(v, cx) {
      const at = registered(v);
      if (v.length === 0)
        cx.data(v, true); // a Null-Register names a source, and carries nothing of it
      else if (at >= 0) cx.next('ip.version', v.buf[at] >> 4, v.sub(at));
    },
  }),
  named({
    ...{ proto: 'stp', title: 'Spanning Tree Protocol', short: 'STP', spec: 'IEEE 802.1D §9' },
    on: { 'llc.dsap': [66], 'llc.cisco_pid': [267, 268], 'chdlc.protocol': [0x4242] },
    calls: [...GARP_APPLICATIONS.values()],
    inner(v, cx) {
      const application = garpOf(v);
      if (application !== undefined) cx.call(application, v);
    },
  }),
  ...fromRows([
    ['gvrp', 'GARP VLAN Registration Protocol', 'GVRP', 'IEEE 802.1Q §11', {}],
    ['gmrp', 'GARP Multicast Registration Protocol', 'GMRP', 'IEEE 802.1D §10', {}],
    ['dvmrp', 'Distance Vector Multicast Routing Protocol', 'DVMRP', 'RFC 1075', { 'igmp.type': [0x13] }],
    ['rgmp', 'Router-port Group Management Protocol', 'RGMP', 'RFC 3488', { 'igmp.type': [0xfc, 0xfd, 0xfe, 0xff] }],
  ]),
];
