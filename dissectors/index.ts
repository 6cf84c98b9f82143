/** THE list of protocols: one import and one entry each. Order matters only where two dissectors probe the same octets. */
import type { AnyDissector } from 'fttscope/kit';
import { amr, amrWb } from './amr.js';
import { arp } from './arp.js';
import { data } from './data.js';
import { dhcp } from './dhcp/index.js';
import { dhcpv6 } from './dhcpv6/index.js';
import { dns, llmnr, mdns } from './dns/index.js';
import { ethernet } from './ethernet.js';
import { frame } from './frame.js';
import { fttIms } from './ftt-ims.js';
import { http } from './http/index.js';
import { ssdp } from './http/ssdp.js';
import { icmp } from './icmp.js';
import { icmpv6 } from './icmpv6/index.js';
import { ipv4 } from './ipv4.js';
import { ipv6 } from './ipv6.js';
import { destinationOptions, fragmentHeader, hopByHop, routing } from './ipv6-extensions.js';
import { llc } from './llc.js';
import { mimeMultipart } from './mime-multipart.js';
import { nullLoop } from './null-loop.js';
import { ppp } from './ppp.js';
import { pppoed, pppoes } from './pppoe.js';
import { rawIp } from './raw-ip.js';
import { rtcp } from './rtcp/index.js';
import { rtp } from './rtp.js';
import { sdp } from './sdp/index.js';
import { sip } from './sip/index.js';
import { sll } from './sll.js';
import { sll2 } from './sll2.js';
import { classicStun } from './stun/classic.js';
import { stun } from './stun/index.js';
import { turnChannel } from './stun/relay.js';
import { tcp } from './tcp/index.js';
import { telephoneEvent } from './telephone-event.js';
import { dataTextLines, media } from './text-media.js';
import { tls } from './tls/index.js';
import { udp } from './udp.js';
import { serviceTag, vlan } from './vlan.js';
import { xml } from './xml.js';

export const dissectors: readonly AnyDissector[] = [
  frame,
  ethernet,
  llc,
  vlan,
  serviceTag,
  sll,
  sll2,
  nullLoop,
  rawIp,
  ppp,
  pppoes,
  pppoed,
  arp,
  ipv4,
  ipv6,
  hopByHop,
  routing,
  fragmentHeader,
  destinationOptions,
  icmp,
  icmpv6,
  tcp,
  udp,
  http,
  tls,
  fttIms,
  dhcp,
  dhcpv6,
  dns,
  mdns,
  llmnr,
  sip,
  sdp,
  mimeMultipart,
  dataTextLines,
  xml,
  media,
  stun,
  turnChannel,
  rtcp,
  rtp,
  telephoneEvent,
  amr,
  amrWb,
  ssdp,
  classicStun,
  data,
];
