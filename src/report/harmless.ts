/** Words that say nothing of anybody: those that the standards of SIP, HTTP, MSRP and SDP give a meaning. */

import { HEADERS } from '../../dissectors/sip/names.js';
import * as Standard from '../model/standard-words.js';

const set = (list: string): string[] => list.trim().split(/\s+/);

/** Names of header fields of HTTP (RFC 9110 §18.4), MSRP (RFC 4975 §9) and MIME, and those of SIP without a field of their own. */
const OTHER_HEADERS = set(`
  a accept-contact accept-language accept-ranges age allow answer-mode authentication-info byte-range cache-control
  connection content-description content-id content-length content-location content-range content-transfer-encoding
  content-type cookie date dpop etag expect expires failure-report forwarded from from-path hide host if-match
  if-modified-since if-none-match if-range if-unmodified-since keep-alive last-modified location max-forwards
  message-id origin p-answer-state pragma proxy-authenticate proxy-authorization proxy-connection range referer
  remote-party-id server set-cookie status strict-transport-security success-report te to to-path trailer
  transfer-encoding upgrade use-path user-agent vary via warning www-authenticate x-3gpp-asserted-identity
  x-3gpp-intended-identity`);

/** Parameters of URIs, header fields, credentials and media types, and the words that they have for values. */
const PARAMETERS = set(`
  3gppnetwork aai actor aka akav1 akav2 alert alg algorithm application attended audio audio-only auth auth-int auto
  automata auts away b2bua base64 bcp binary bnc both boundary branch business bye-me bytes c cancel cause charset
  chunked cic cid ck class close cnonce comp control cpc cpim critical data deflate deflection delay description
  digest do-not-disturb domain duplex duration e2e ealg early-only ehlo emergency en encoding escaped event events
  ext extensions failed false filename fixed follow-me footer fork form-data freephone from-tag full full-duplex
  gated gr gzip half-duplex handling header history icon id identity identity-encoding ik image inactive inband index
  info instance int internet-attribute interworking isfocus isub isup keep key lang language late level limit
  loose-route lr maddr mandatory max-age md5 md5-sess media media-type message metadata methods mobile mobility mode
  mp must-revalidate name nc negotiated network network-provided next-hop nextnonce no no-answer no-cache no-cancel
  no-fork no-queue no-recurse no-store no-tn-validation non-urgent nonce none nonurgent normal notification np npdi
  ob oc oc-algo oc-node oc-seq oc-validity off on on-hold only opaque option optional orig out-of-service parallel
  partial party passed phone phone-context pn-param pn-prid pn-provider port port-c port-s port1 port2 preemption
  presence principal priority prison private prot proxied proxy pub-gruu public purpose q q.850 qop queue ra
  rate-limited rc realm reason received recipient-list recording-session recurse recvonly redirect refer refresher
  reg-id register release_cause remote render required response retry-after rn rport rspauth schemes screen script
  sdp security send-only sending sendonly sendrecv sent sequential sess session session-mode sha sha-256 sha-512
  sigcomp sigcomp-id signal sip sips sos spi-c spi-s stale state strength sub supported tag target target-uri tcp tel
  temp-gruu temp-gruu-cookie text time-of-day tls tn-validation-failed tn-validation-passed to-tag transport trf true
  ttl type uac uas udp ue ui ulaw unattended unavailable unconditional unknown unsolicited unspecified urgent uri
  user user-busy userinfo username utf utf-8 value version verstat video voice ws wss www x xml yes`);

/** Feature tags (RFC 3840, TS 24.229 §7.9A) and services (RFC 5031, TS 24.229 §7.2A) that IMS names. */
const SERVICES = set(`
  3gpp 3gpp2 accesstype ambulance animal-control app app_ref ar atu automatic bdy call callcomposer cd chat chatbot
  child-rescue children communications counseling cpm cs2ps csvn datachannel dcm directory dns drvcc e3 e911 ecall
  enterprise feature file filetransfer fire ft fthttp ftsms ftthumb g gas geopush geosms gsma iari iari-ref iari_ref
  ics icsi icsi-ref icsi_ref image-sharing ims inputcall international iut larg loopback manual marine mcdata mcptt
  mcvideo mdialog mental-health mid-call mmtel mountain-rescue msg msrp multimedia nw oma openims operator pccf
  physician poison police ps2cs-srvcc-orig-pre-alerting rcs rel reroute rtt serveonly service services shared sharing
  sip-im sipmsg smsip smsis smsoip srvcc srvcc-alerting standalone store suicide tdm telephone thirdparty trf-urn urn
  urn-7 ussi vbd vs webrtc wf wlan women-abuse`);

/** Kinds of access: TS 24.229 §7.2A.4. */
const ACCESS = set(`
  1x 3gpp-e-utran 3gpp-e-utran-fdd 3gpp-e-utran-tdd 3gpp-geran 3gpp-nr 3gpp-nr-fdd 3gpp-nr-tdd 3gpp-utran-fdd
  3gpp-utran-tdd 3gpp2-1x adsl cdma2000 cgi-3gpp daylight-saving-time docsis dsl dsl-location dvb-rcs2-node-id
  eth-location ethernet fdd fiber-location fttx gpon gstn gstn-location hdsl i-wlan-node-id idsl ieee local-time-zone
  lte non-3gpp nr operator-specific-gi rdsl sdsl tdd ue-time-zone untrusted utran-cell-id-3gpp utran-sai-3gpp vdsl
  xgpon1`);

/** Attributes of session descriptions and words in their values: the registry of RFC 8866 §8.2.4. */
const DESCRIPTIONS = set(`
  3ge2ae 3gpp-qos-hint 3gpp_max_recv_sdu_size 3gpp_mbs_app_port acap accept-types accept-wrapped-types acfg active
  actpass add_candidate aead aes aes-128 aes_256 aes_256_cm aes_cm aes_cm_128 all altc anat annexb answer apt as
  asymmetric-mode-change avp avpf bandwidth bfcp br bundle bw bw-info ca candidate cap cbp cbr ccm cdsc ch-aw-recv
  channels cif clear clue cmr cname conf confirm constrained content cpar creq crr crypto csrc csup ct curr dccp des
  desc desktop direct dsel dtx dtx-recv dup duplicate ecan eecid end-of-candidates epid evs-mode-switch existing
  extmap f8 f8_128 failure faxversion fb fd fec fid file-selector fingerprint fir floorctrl fmtp fps framerate
  framesize gcm generation goog-remb gpmd group gtc h224 hd hf-only hl hmac hmac-sha hmac_sha1_32 hmac_sha1_80
  ice-lite ice-mismatch ice-options ice-pwd ice-ufrag ice2 imageattr in inline interleaving ip4 ip6 jitt key-mgmt
  label lip localtcf loss ls lsr-dlsr main max-br max-fr max-fs max-mbps max-message-size max-recv-level max-red
  max-send maxaveragebitrate maxmms maxplaybackrate maxptime mid mikey minptime mki mode-change-capability
  mode-change-neighbor mode-change-period mode-set mono msid msid-semantic msrp-cema mux nack nb network-cost
  network-id new-connection ntp-offset octet-align octet-aligned orient packetization-mode passive pcfg peer
  peer-reflexive pkt pli predefined_rots prflx profile profile-level-id pt-max ptime qcif quality raddr rap rcvr recv
  red relay remote-candidates rfc rle robust-sorting rpsi rr rs rsize rtcp rtcp-fb rtcp-mux rtcp-rsize rtcp-xr rtp
  rtp_avp rtpmap rtx-time ruri rx sar savp savpf sbc sctp sctp-port sctpmap sdes sdplang selected send send-recv
  sender setup sha-1 silencesupp simulcast sl slides smt speaker sprop-parameter-sets sprop-stereo sqn srflx ssrc
  ssrc-group standard stat stat-summary stereo suite swb t38faxfillbitremoval t38faxmaxbuffer t38faxmaxdatagram
  t38faxratemanagement t38faxtranscodingjbig t38faxtranscodingmmr t38faxudpec t38faxversion t38maxbitrate
  t38modemtype t38udpecdepth t38udpfec t38udpredundancy tb tbcp tcap tcp-setup tcptype tia tmmbn tmmbr tool
  transferredtcf transport-cc trickle trim ts-refclk tstr tx typ udpspeech udptl ulpfec unicast use-inband-fec usedtx
  useinbandfec usespeech vbcm vga voip-metrics vp vsel wb webrtc-datachannel wms`);

/** Parameters of security mechanisms. RFC 3329 §2.2, TS 33.203 annex H */
const SECURITY = set(`
  ah digest-alg digest-qop digest-verify esp mod`);

/** Methods and other words of HTTP and XCAP. */
const WEB = set(`
  apache basic bearer connect delete get h2c head http https im mailto msrps mutual nickname options patch post pres
  put report trace webdav websocket`);

/** In lower case, by what stands between their hyphens, dots and other marks. */
export const HARMLESS: ReadonlySet<string> = new Set(
  [
    ...HEADERS.flatMap((h) => [h.name, h.compact ?? '']),
    ...[
      Standard.ALTERNATIVES,
      Standard.ENCODINGS,
      Standard.ENDS,
      Standard.EVENTS,
      Standard.MECHANISMS,
      Standard.MEDIA,
      Standard.MEDIA_TYPES,
      Standard.METHODS,
      Standard.OPTION_TAGS,
      Standard.PROTOCOLS,
      Standard.SCHEMES,
      Standard.STATES,
    ].flatMap((s) => [...s]),
    ...[OTHER_HEADERS, PARAMETERS, SERVICES, ACCESS, DESCRIPTIONS, SECURITY, WEB].flat(),
  ]
    .flatMap((w) => w.toLowerCase().split(/[^a-z0-9]+/))
    .filter((w) => w.length > 1),
);

/** Names of header fields that are written as they are. */
export const HEADER_NAMES: ReadonlySet<string> = new Set([
  ...HEADERS.flatMap((h) => [h.name.toLowerCase(), h.compact ?? '']).filter((n) => n !== ''),
  ...OTHER_HEADERS,
]);
