/** Encapsulations that a captured packet may stand in, built with the codecs of their dissectors. */

import { concat, encode } from 'fttscope/kit';
import { ah } from '../../dissectors/ah.js';
import { ayiya } from '../../dissectors/ayiya.js';
import { erspan } from '../../dissectors/erspan.js';
import { esp, espNull } from '../../dissectors/esp.js';
import { geneve } from '../../dissectors/geneve.js';
import { gre } from '../../dissectors/gre.js';
import { gtp } from '../../dissectors/gtp.js';
import { wlan } from '../../dissectors/ieee80211.js';
import { mpls, pwControlWord } from '../../dissectors/mpls.js';
import { radiotap } from '../../dissectors/radiotap.js';
import { teredo } from '../../dissectors/teredo.js';
import { udpencap } from '../../dissectors/udpencap.js';
import { vxlan } from '../../dissectors/vxlan.js';
import type { Shaper } from './capture.js';
import { at, ip, udp } from './packets.js';

type Side = 0 | 1;

/** What carries a packet. */
export interface Encapsulation {
  readonly name: string;
  /** The protocol stack down to the packet, as Wireshark has it. */
  readonly layers: string;
  /** Link type of the capture, where it is not Ethernet. */
  readonly link?: number;
  /** The frame for an Ethernet frame that `side` sent. */
  wrap(frame: Uint8Array, side: Side): Uint8Array;
}

const ENDS = [at('203.0.113.1', 50_000), at('203.0.113.2', 50_001)] as const;
const HOSTS = [Uint8Array.of(2, 0, 0, 0, 1, 1), Uint8Array.of(2, 0, 0, 0, 1, 2)] as const;
/** Addresses that together with a control word are none that Wireshark takes for those of known makers. */
const CARRIED = Uint8Array.of(0x0a, 0xbb, 0xcc, 0xdd, 0xee, 1, 0x0a, 0xbb, 0xcc, 0xdd, 0xee, 2);
const NONE = new Uint8Array(0);
const ETHERNET = 14;
const IPV4 = 0x0800;
const BRIDGED = 0x6558;
const IP_IN_IP = 4;

/** The IP packet of an Ethernet frame. */
const packetOf = (frame: Uint8Array): Uint8Array => frame.subarray(ETHERNET);

const frameOf = (type: number, payload: Uint8Array, side: Side): Uint8Array =>
  concat([HOSTS[1 - side], HOSTS[side], Uint8Array.of(type >> 8, type), payload]);

/** In an IPv4 packet of that protocol. */
const inIp = (protocol: number, payload: Uint8Array, side: Side): Uint8Array =>
  frameOf(IPV4, ip(ENDS[side].address, ENDS[1 - side].address, protocol, payload), side);

/** In a datagram to or from that port, of which the server of the connection inside has the well-known one. */
const inUdp = (port: number, payload: Uint8Array, side: Side): Uint8Array =>
  frameOf(IPV4, udp(ENDS[side], { ...ENDS[1 - side], port }, payload), side);

const greOf = (flags: number, protocol: number, payload: Uint8Array) =>
  encode(gre.codec!, { flags, protocol, offset: 0, key: 77, sequence: 9, ack: 5, routing: NONE, payload });
/** The parts that the flags do not announce are not written: K 2000, S 1000, A 80. */
const KEYED = 0x3000;

const gtpOf = (payload: Uint8Array, extensions: { type: number; content: Uint8Array }[]) =>
  encode(gtp.codec!, {
    ...{ flags: extensions.length > 0 ? 6 : 0, type: 255, teid: 0x1234, sequence: extensions.length > 0 ? 7 : 0 },
    ...{ npdu: 0, extensions, payload },
  });

const label = (n: number) => ({ label: n, tc: 0, ttl: 64 });
const snap = (payload: Uint8Array) => concat([Uint8Array.of(0xaa, 0xaa, 3, 0, 0, 0, 8, 0), payload]);
const air = (payload: Uint8Array, side: Side) =>
  encode(wlan.codec!, {
    ...{ kind: 0x88, flags: 2, duration: 44, addresses: [HOSTS[1 - side], HOSTS[side], HOSTS[side]] },
    ...{ sequence: 0x10, qos: Uint8Array.of(0, 0), payload: snap(payload) },
  });
const nullEsp = (payload: Uint8Array) =>
  encode(esp.codec!, {
    ...{ spi: 0x1000, sequence: 1 },
    payload: encode(espNull.codec!, { payload, next: IP_IN_IP, padding: 2, icv: new Uint8Array(12) }),
  });

/** Apple's header of 108 octets, with the link type of Ethernet and no names. */
const PKTAP = Uint8Array.from({ length: 108 }, (_, i) => (i === 0 ? 108 : i === 4 || i === 8 ? 1 : 0));
/** A PPI header for 802.11 whose field 802.11-Common says that a check sequence was captured. */
const PPI_80211 = Uint8Array.from({ length: 32 }, (_, i) => ({ 2: 32, 4: 105, 8: 2, 10: 20, 20: 1 })[i] ?? 0);
const PADDING = [0, 1, 2, 3].map((n) => new Uint8Array(n));
const I_SID = Uint8Array.of(0x40, 0, 1, 0x23);

/** Those of the outer path. Connections inside are those of IPv4. */
export const ENCAPSULATIONS: readonly Encapsulation[] = [
  { name: 'IP in IP', layers: 'eth:ethertype:ip:ip', wrap: (f, s) => inIp(IP_IN_IP, packetOf(f), s) },
  { name: 'GRE', layers: 'eth:ethertype:ip:gre:ip', wrap: (f, s) => inIp(47, greOf(0, IPV4, packetOf(f)), s) },
  {
    name: 'GRE with a key and sequence numbers, bridging',
    layers: 'eth:ethertype:ip:gre:eth:ethertype:ip',
    wrap: (f, s) => inIp(47, greOf(KEYED, BRIDGED, f), s),
  },
  {
    name: 'PPTP',
    layers: 'eth:ethertype:ip:gre:ppp:ip',
    wrap: (f, s) => inIp(47, greOf(0x3081, 0x880b, concat([Uint8Array.of(0xff, 3, 0, 0x21), packetOf(f)])), s),
  },
  {
    name: 'ERSPAN II',
    layers: 'eth:ethertype:ip:gre:erspan:eth:ethertype:ip',
    wrap: (f, s) => {
      const mirrored = { version: 1, vlan: 100, bits: 5, words: [7], platform: NONE, payload: f };
      return inIp(47, greOf(0x1000, 0x88be, encode(erspan.codec!, mirrored)), s);
    },
  },
  {
    name: 'ERSPAN III with a platform part',
    layers: 'eth:ethertype:ip:gre:erspan:eth:ethertype:ip',
    wrap: (f, s) => {
      const platform = Uint8Array.of(0x0c, 0, 0, 1, 0, 0, 0, 2);
      const mirrored = { version: 2, vlan: 100, bits: 5, words: [99, 0x8001], platform, payload: f };
      return inIp(47, greOf(0x1000, 0x22eb, encode(erspan.codec!, mirrored)), s);
    },
  },
  {
    name: 'VXLAN',
    layers: 'eth:ethertype:ip:udp:vxlan:eth:ethertype:ip',
    wrap: (f, s) => inUdp(4789, encode(vxlan.codec!, { flags: 0x0800, policy: 0, vni: 42, payload: f }), s),
  },
  {
    name: 'Geneve with an option',
    layers: 'eth:ethertype:ip:udp:geneve:eth:ethertype:ip',
    wrap: (f, s) => {
      const options = Uint8Array.of(1, 2, 3, 1, 9, 9, 9, 9);
      return inUdp(6081, encode(geneve.codec!, { flags: 0, protocol: BRIDGED, vni: 42, options, payload: f }), s);
    },
  },
  {
    name: 'MPLS, two labels',
    layers: 'eth:ethertype:mpls:ip',
    wrap: (f, s) => {
      const stack = encode(mpls.codec!, { labels: [label(100), label(200)], payload: packetOf(f) });
      return frameOf(0x8847, stack, s);
    },
  },
  {
    name: 'Ethernet over MPLS with a control word',
    layers: 'eth:ethertype:mpls:pwethheuristic:pwethcw:eth:ethertype:ip',
    wrap: (f, s) => {
      const payload = encode(pwControlWord.codec!, { sequence: 0, payload: concat([CARRIED, f.subarray(12)]) });
      return frameOf(0x8847, encode(mpls.codec!, { labels: [label(100)], payload }), s);
    },
  },
  { name: 'GTP-U', layers: 'eth:ethertype:ip:udp:gtp:ip', wrap: (f, s) => inUdp(2152, gtpOf(packetOf(f), []), s) },
  {
    name: 'GTP-U with a PDU session container',
    layers: 'eth:ethertype:ip:udp:gtp:ip',
    wrap: (f, s) => inUdp(2152, gtpOf(packetOf(f), [{ type: 0x85, content: Uint8Array.of(0x10, 9) }]), s),
  },
  {
    name: 'AH',
    layers: 'eth:ethertype:ip:ah:ip',
    wrap: (f, s) => {
      const payload = packetOf(f);
      return inIp(51, encode(ah.codec!, { next: IP_IN_IP, spi: 5, sequence: 1, icv: new Uint8Array(12), payload }), s);
    },
  },
  {
    name: 'radiotap',
    layers: 'radiotap:wlan_radio:wlan:llc:ip',
    link: 127,
    wrap: (f, s) =>
      encode(radiotap.codec!, {
        header: Uint8Array.of(0x0a, 0, 0, 0, 0, 0, 0x85, 9, 0xa0, 0),
        payload: air(packetOf(f), s),
      }),
  },
  {
    name: 'PKTAP',
    layers: 'pktap:pcap_pktdata:eth:ethertype:ip',
    link: 258,
    wrap: (f) => concat([PKTAP, f]),
  },
  {
    name: 'PKTAP under the number of OS X 10.9',
    layers: 'user_dlt:pktap:pcap_pktdata:eth:ethertype:ip',
    link: 149,
    wrap: (f) => concat([PKTAP, f]),
  },
  {
    name: 'PPI before 802.11',
    layers: 'ppi:wlan_radio:wlan:llc:ip',
    link: 192,
    wrap: (f, s) => concat([PPI_80211, air(packetOf(f), s), new Uint8Array(4)]),
  },
  {
    name: 'PPI before Ethernet',
    layers: 'ppi:pcap_pktdata:eth:ethertype:ip',
    link: 192,
    wrap: (f) => concat([Uint8Array.of(0, 0, 8, 0, 1, 0, 0, 0), f]),
  },
  { name: 'Cisco HDLC', layers: 'chdlc:ip', link: 104, wrap: (f) => concat([Uint8Array.of(15, 0, 8, 0), packetOf(f)]) },
  {
    name: 'Cisco HDLC in a capture of PPP',
    layers: 'ppp:chdlc:ip',
    link: 9,
    wrap: (f) => concat([Uint8Array.of(15, 0, 8, 0), packetOf(f)]),
  },
  {
    name: 'FDDI',
    layers: 'fddi:llc:ip',
    link: 10,
    wrap: (f, s) => concat([Uint8Array.of(0x50), HOSTS[1 - s], HOSTS[s], snap(packetOf(f))]),
  },
  {
    name: 'IPNET',
    layers: 'ipnet:ip',
    link: 226,
    wrap(f) {
      const { length } = packetOf(f);
      return concat([Uint8Array.of(1, 2, 0, 0, 0, 0, length >> 8, length), new Uint8Array(16), packetOf(f)]);
    },
  },
  {
    name: 'IP over InfiniBand',
    layers: 'ipoib:ip',
    link: 242,
    wrap: (f) => concat([new Uint8Array(40), Uint8Array.of(8, 0, 0, 0), packetOf(f)]),
  },
  {
    name: 'Ethernet of a router by Juniper',
    layers: 'juniper:eth:ethertype:ip',
    link: 178,
    wrap: (f, s) => concat([Uint8Array.of(0x4d, 0x47, 0x43, 0x80 | s, 0, 4, 1, 2, 3, 4), f]),
  },
  {
    name: 'a router by Juniper, without a link header',
    layers: 'juniper:ip',
    link: 178,
    wrap: (f, s) => concat([Uint8Array.of(0x4d, 0x47, 0x43, 2 | s, 2, 0, 0, 0), packetOf(f)]),
  },
  {
    name: 'a record of a capture card by Endace',
    layers: 'erf:eth:ethertype:ip',
    link: 197,
    wrap: (f) => {
      const [n, all] = [f.length + 4, f.length + 22]; // with the check sequence
      const header = Uint8Array.of(0, 0, 0, 0, 1, 2, 3, 4, 2, 4, all >> 8, all, 0, 0, n >> 8, n, 0, 0);
      return concat([header, f, new Uint8Array(4)]);
    },
  },
  {
    name: 'NFLOG with a prefix',
    layers: 'nflog:ip',
    link: 239,
    wrap: (f) => {
      const n = 4 + packetOf(f).length;
      const prefix = Uint8Array.of(6, 0, 10, 0, 97, 0, 0, 0);
      return concat([Uint8Array.of(2, 0, 0, 0), prefix, Uint8Array.of(n, n >> 8, 9, 0), packetOf(f), PADDING[-n & 3]]);
    },
  },
  {
    name: 'a backbone tag',
    layers: 'eth:ethertype:ieee8021ah:ethertype:ip',
    wrap: (f, s) => frameOf(0x88e7, concat([I_SID, f]), s),
  },
  {
    name: 'a service header',
    layers: 'eth:ethertype:nsh:ip',
    wrap: (f, s) => frameOf(0x894f, concat([Uint8Array.of(0, 2, 2, 1, 0, 1, 2, 255), packetOf(f)]), s),
  },
  {
    name: 'a VN-Tag',
    layers: 'eth:ethertype:vntag:ethertype:ip',
    wrap: (f, s) => frameOf(0x8926, concat([Uint8Array.of(0, 1, 0, 0x33), f.subarray(12)]), s),
  },
  {
    name: 'an E-TAG',
    layers: 'eth:ethertype:etag:ethertype:ip',
    wrap: (f, s) => frameOf(0x893f, concat([Uint8Array.of(0x10, 1, 0, 0xd3, 0, 0), f.subarray(12)]), s),
  },
  {
    name: 'a timestamp of a switch',
    layers: 'eth:ethertype:avsp:ethertype:ip',
    wrap: (f, s) =>
      frameOf(0xd28b, concat([Uint8Array.of(0, 1, 0, 0x20, 0x5c, 0xee, 0x38, 0x4f, 0x59, 0xc8), f.subarray(12)]), s),
  },
  {
    name: 'tags of a backbone VLAN and a backbone service',
    layers: 'eth:ethertype:ieee8021ad:ethertype:ip',
    wrap: (f, s) => frameOf(0x88a8, concat([Uint8Array.of(0, 100, 0x88, 0xe7), I_SID, f]), s),
  },
  { name: '802.11', layers: 'wlan:llc:ip', link: 105, wrap: (f, s) => air(packetOf(f), s) },
];

/** Those that are looked into only where it was asked for. */
export const NULL_ESP: readonly Encapsulation[] = [
  {
    name: 'ESP with NULL encryption',
    layers: 'eth:ethertype:ip:esp:ip',
    wrap: (f, s) => inIp(50, nullEsp(packetOf(f)), s),
  },
  {
    name: 'ESP with NULL encryption in UDP',
    layers: 'eth:ethertype:ip:udp:udpencap:esp:ip',
    wrap: (f, s) => inUdp(4500, encode(udpencap.codec!, { ike: false, payload: nullEsp(packetOf(f)) }), s),
  },
];

/** Those that carry IPv6 alone. */
export const IPV6_ONLY: readonly Encapsulation[] = [
  {
    name: 'Teredo',
    layers: 'eth:ethertype:ip:udp:teredo:ipv6',
    wrap: (f, s) => {
      const origin = Uint8Array.of(0xff, 0xfe, 1, 2, 3, 4);
      return inUdp(3544, encode(teredo.codec!, { auth: NONE, origin, payload: packetOf(f) }), s);
    },
  },
  {
    name: 'AYIYA',
    layers: 'eth:ethertype:ip:udp:ayiya:ipv6',
    wrap: (f, s) => {
      const head = { idType: 1, hashMethod: 2, authMethod: 1, opcode: 1, next: 41, epoch: 1_700_000_000 };
      const identity = new Uint8Array(16);
      return inUdp(
        5072,
        encode(ayiya.codec!, { ...head, identity, signature: new Uint8Array(20), payload: packetOf(f) }),
        s,
      );
    },
  },
];

/** Puts every frame of a capture of Ethernet frames into an encapsulation. */
export const encapsulated =
  ({ wrap }: Encapsulation): Shaper =>
  (frames) =>
    frames.map((f) => {
      const octets = wrap(f.octets, f.side);
      return { ...f, octets, wire: octets.length };
    });

/** A pcapng file with another link type for its first interface. */
export function relinked(octets: Uint8Array, link: number | undefined): Uint8Array {
  if (link === undefined) return octets;
  const out = octets.slice();
  const section = new DataView(out.buffer, out.byteOffset).getUint32(4, true);
  out[section + 8] = link;
  out[section + 9] = link >> 8;
  return out;
}
