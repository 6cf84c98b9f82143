/** THE list of protocols: one import and one entry each. Order matters only where two dissectors probe the same octets. */
import type { AnyDissector } from 'fttscope/kit';
import { ah } from './ah.js';
import { amr, amrWb } from './amr.js';
import { arp } from './arp.js';
import { avsp } from './avsp.js';
import { ayiya } from './ayiya.js';
import { chdlc } from './chdlc.js';
import { cmd, cmdInGre } from './cmd.js';
import { data } from './data.js';
import { dhcp, proxyDhcp } from './dhcp/index.js';
import { dhcpv6 } from './dhcpv6/index.js';
import { dns, dnsGuess, dnsOverHttps, llmnr, mdns } from './dns/index.js';
import { dtls } from './dtls/index.js';
import { erf } from './erf.js';
import { erspan, erspanOne } from './erspan.js';
import { esp, espNull } from './esp.js';
import { etag } from './etag.js';
import { ethernet } from './ethernet.js';
import { evs } from './evs.js';
import { fddi } from './fddi.js';
import { frame } from './frame.js';
import { frameRelay } from './frame-relay.js';
import { ftt } from './ftt.js';
import { fttIms } from './ftt-ims.js';
import { geneve } from './geneve.js';
import { gre } from './gre.js';
import { gtp, gtpv2 } from './gtp.js';
import { h264 } from './h264.js';
import { h265 } from './h265.js';
import { http } from './http/index.js';
import { ssdp } from './http/ssdp.js';
import { http2 } from './http2/index.js';
import { icmp } from './icmp.js';
import { icmpv6 } from './icmpv6/index.js';
import { backboneTag, serviceTag } from './ieee8021ah.js';
import { wlan } from './ieee80211.js';
import { igmp, igmpMessage } from './igmp.js';
import { imf } from './imf.js';
import { ipnet } from './ipnet.js';
import { ipoib } from './ipoib.js';
import { ipv4 } from './ipv4.js';
import { ipv6 } from './ipv6.js';
import { destinationOptions, fragmentHeader, hopByHop, routing } from './ipv6-extensions.js';
import { isakmp } from './isakmp/index.js';
import { isis, isisLsp } from './isis.js';
import { isup } from './isup.js';
import { juniper } from './juniper.js';
import { ldp } from './ldp.js';
import { llc } from './llc.js';
import { mimeMultipart } from './mime-multipart.js';
import { mpls, pwChannel, pwControlWord, pwGuess, pwPlain } from './mpls.js';
import { msrp } from './msrp.js';
import { nflog } from './nflog.js';
import { nsh } from './nsh.js';
import { ntp } from './ntp.js';
import { nullLoop } from './null-loop.js';
import { ocsp } from './ocsp.js';
import { pap } from './pap.js';
import { pktap, userDlt } from './pktap.js';
import { pop } from './pop.js';
import { ppi } from './ppi.js';
import { ppp } from './ppp.js';
import { pppoed, pppoes } from './pppoe.js';
import { quic } from './quic/index.js';
import { radiotap, wlanRadio } from './radiotap.js';
import { rawIp } from './raw-ip.js';
import { rtcp } from './rtcp/index.js';
import { rtp } from './rtp.js';
import { rtpRed } from './rtp-red.js';
import { rtsp } from './rtsp.js';
import { sap } from './sap.js';
import { sctp } from './sctp.js';
import { sdp } from './sdp/index.js';
import { sigcomp } from './sigcomp.js';
import { sip } from './sip/index.js';
import { sipfrag } from './sipfrag.js';
import { slarp } from './slarp.js';
import { sll } from './sll.js';
import { sll2 } from './sll2.js';
import { gsmRp } from './sms/rp.js';
import { gsmSms, gsmSmsUp } from './sms/tpdu.js';
import { smtp } from './smtp/index.js';
import { ssh } from './ssh.js';
import { classicStun } from './stun/classic.js';
import { stun } from './stun/index.js';
import { turnChannel } from './stun/relay.js';
import { t38 } from './t38.js';
import { tcp } from './tcp/index.js';
import { telephoneEvent } from './telephone-event.js';
import { teredo } from './teredo.js';
import { dataTextLines, json, media } from './text-media.js';
import { tls } from './tls/index.js';
import { udp } from './udp.js';
import { udpencap } from './udpencap.js';
import { vlan } from './vlan.js';
import { vntag } from './vntag.js';
import { vxlan, vxlanGpe } from './vxlan.js';
import { websocket } from './websocket.js';
import { automation } from './well-known/automation.js';
import { enips } from './well-known/enip.js';
import { framedStreams } from './well-known/framed.js';
import { ftp } from './well-known/ftp.js';
import { gss } from './well-known/gss.js';
import { ldap } from './well-known/ldap.js';
import { links } from './well-known/links.js';
import { mediaTypes } from './well-known/media.js';
import { mobile } from './well-known/mobile.js';
import { multicast } from './well-known/multicast.js';
import { network } from './well-known/network.js';
import { openvpns } from './well-known/openvpn.js';
import { portsOnly } from './well-known/ports-only.js';
import { questions } from './well-known/questions.js';
import { rdpudp } from './well-known/rdpudp.js';
import { rpcs } from './well-known/rpc.js';
import { rtpPayloads } from './well-known/rtp-payloads.js';
import { sigtran } from './well-known/sigtran.js';
import { smbs } from './well-known/smb.js';
import { snmp } from './well-known/snmp.js';
import { streams } from './well-known/streams.js';
import { telephony } from './well-known/telephony.js';
import { tpkts } from './well-known/tpkt.js';
import { transport } from './well-known/transport.js';
import { zigbee } from './well-known/zigbee.js';
import { wpan, wpanBare } from './wpan.js';
import { xml } from './xml.js';

/** All dissectors that belong to the package: one more is one line here. */
export const dissectors: readonly AnyDissector[] = [
  frame,
  ethernet,
  llc,
  vlan,
  serviceTag,
  backboneTag,
  vntag,
  etag,
  avsp,
  sll,
  sll2,
  nullLoop,
  rawIp,
  frameRelay,
  chdlc,
  slarp,
  pktap,
  userDlt,
  nflog,
  erf,
  fddi,
  ipnet,
  ipoib,
  juniper,
  ppp,
  pap,
  pppoes,
  pppoed,
  arp,
  igmp,
  igmpMessage,
  ipv4,
  ipv6,
  hopByHop,
  routing,
  fragmentHeader,
  destinationOptions,
  gre,
  erspan,
  erspanOne,
  cmd,
  cmdInGre,
  mpls,
  pwGuess,
  pwControlWord,
  pwPlain,
  pwChannel,
  radiotap,
  ppi,
  wlanRadio,
  wlan,
  ah,
  esp,
  espNull,
  icmp,
  icmpv6,
  tcp,
  udp,
  vxlan,
  nsh,
  vxlanGpe,
  geneve,
  gtp,
  gtpv2,
  teredo,
  ayiya,
  udpencap,
  isakmp,
  http,
  http2,
  websocket,
  tls,
  fttIms,
  ftt,
  dhcp,
  proxyDhcp,
  dhcpv6,
  dns,
  mdns,
  llmnr,
  dnsGuess,
  dnsOverHttps,
  ntp,
  sip,
  sdp,
  sap,
  msrp,
  rtsp,
  mimeMultipart,
  imf,
  smtp,
  pop,
  ssh,
  sctp,
  gsmRp,
  gsmSms,
  gsmSmsUp,
  sipfrag,
  isup,
  dataTextLines,
  json,
  xml,
  ocsp,
  media,
  stun,
  turnChannel,
  rtcp,
  rtp,
  telephoneEvent,
  rtpRed,
  amr,
  amrWb,
  evs,
  h264,
  h265,
  sigcomp,
  t38,
  ssdp,
  dtls,
  quic,
  isis,
  isisLsp,
  ldp,
  classicStun,
  ...network,
  ...multicast,
  ...links,
  wpan,
  wpanBare,
  ...zigbee,
  ...transport,
  ...snmp,
  rdpudp,
  ...rpcs,
  ...smbs,
  ...gss,
  ...streams,
  ...ldap,
  ...questions,
  ...tpkts,
  ...openvpns,
  ...sigtran,
  ...mobile,
  ...telephony,
  ...framedStreams,
  ...enips,
  ...automation,
  ...ftp,
  ...portsOnly,
  ...mediaTypes,
  ...rtpPayloads,
  data,
];
