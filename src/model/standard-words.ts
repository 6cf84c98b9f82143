/** What networks and people may write freely, where it is one of the words that standards have. */

import { STATUS_NAMES as HTTP_STATUS_NAMES } from '../../dissectors/http/status.js';
import { STATUS_NAMES as SIP_STATUS_NAMES } from '../../dissectors/sip/status.js';
import { fromCode, type Own, type Quoted, quoted } from '../kit/index.js';

const set = (list: string): ReadonlySet<string> => new Set(list.split(/\s+/));

/** What a proxy says to a CONNECT, mostly. */
const CONNECTED = 'connection established';
/** Why a subscription ended. RFC 6665 §4.1.3 */
export const ENDS = set('deactivated probation rejected timeout giveup noresource invariant');
/** What a 380 asks for. TS 24.229 §7.6.2 */
export const ALTERNATIVES = set(
  'emergency restoration emergency-registration initial-registration anonymous-emergencycall',
);
/** What one may subscribe to: the registry of SIP event types. RFC 6665 §7.1 */
export const EVENTS = set(
  `addressbook call-completion certificate conference conference-info consent-pending-additions credential dialog hold
  http-monitor kpml list load-control message-summary pending-additions poc-settings presence presence.winfo refer reg
  spirits-indps spirits-user-prof ua-profile vq-rtcpxr xcap-diff`,
);
/** How somebody may prove to a proxy who they are: the registry of HTTP authentication schemes. RFC 9110 §16.4 */
export const SCHEMES = set(
  `basic bearer concealed digest dpop gnap hoba kerberos mutual negotiate ntlm oauth privatetoken scram-sha-1
  scram-sha-256 vapid`,
);

/** Protocols of a Reason: the registry of RFC 3326 §4. */
export const REASONS = set(
  'emm esm failure_cause preemption q.850 release_cause s1ap-mme s1ap-rnl s1ap-trp sip stir user',
);
/** Methods of SIP: the registry of RFC 3261 §27.4. */
export const METHODS = set(
  'ack bye cancel info invite message notify options prack publish refer register subscribe update',
);
/** Extensions of SIP: the registry of option tags, RFC 3261 §27.1. */
export const OPTION_TAGS = set(
  `100rel 199 answermode early-session eventlist explicitsub from-change geolocation-http geolocation-sip gin gruu histinfo
  ice join multiple-refer norefersub nosub outbound path policy precondition pref privacy recipient-list-invite
  recipient-list-message recipient-list-subscribe record-aware replaces resource-priority sdp-anat sec-agree siprec tdialog
  timer trickle-ice uui`,
);
/** What becomes of a subscription. RFC 6665 §4.1.3 */
export const STATES = set('active pending terminated');
/** What happened to a contact. RFC 3680 §5.1 */
export const CONTACT_EVENTS = set(
  'registered created refreshed shortened expired deactivated probation unregistered rejected',
);
/** Kinds of media in a session description. RFC 8866 §8.2.2 */
export const MEDIA = set('audio video text application message image');
/** What TLS may carry, as ALPN names it (RFC 7301 §6). */
export const PROTOCOLS = set(
  `acme-tls/1 coap dicom dot doq ftp h2 h2c h3 http/0.9 http/1.0 http/1.1 imap irc managesieve mqtt ntske/1 pop3 sip/2
  spdy/3.1 stun.nat-discovery stun.turn webrtc xmpp-client xmpp-server`,
);
/** How SIP is protected: mechanisms, algorithms and modes of TS 33.203 annex H, and those of AKA (RFC 3310, RFC 4169). */
export const MECHANISMS = set(
  `aes-cbc aes-gcm aes-gmac akav1-md5 akav1-md5-sess akav2-md5 akav2-md5-sess akav2-sha-256 des-ede3-cbc digest
  hmac-md5-96 hmac-sha-1-96 ipsec-3gpp ipsec-ike ipsec-man null tls trans tun udp-enc-tun`,
);
/** What messages carry: of the registry of media types. */
export const MEDIA_TYPES = set(
  `application/3gpp-ims+xml application/conference-info+xml application/dialog-info+xml application/im-iscomposing+xml
  application/isup application/json application/octet-stream application/pidf+xml application/pkcs7-mime application/reginfo+xml
  application/resource-lists+xml application/rlmi+xml application/sdp application/simple-message-summary
  application/vnd.3gpp.sms application/vnd.3gpp.ussd+xml application/vnd.gsma.rcs-ft-http+xml
  application/vnd.gsma.rcspushlocation+xml application/watcherinfo+xml application/xcap-diff+xml application/xml image/gif
  image/jpeg image/png message/cpim message/http message/imdn+xml message/sip message/sipfrag multipart/alternative
  multipart/mixed multipart/related multipart/signed text/html text/plain text/x-msmsgsinvite`,
);
/** Encodings of RTP: the registry of RFC 4855, with those of TS 26.114. */
export const ENCODINGS = set(
  `1016 3gpp-tt ac3 amr amr-wb amr-wb+ av1 bt656 celb clearmode cn dat12 dv dvi4 dtx eac3 evrc evrc0 evrc1 evrcb evrcb0
  evrcb1 evrcnw evrcwb evs flexfec g711-0 g719 g722 g7221 g723 g726-16 g726-24 g726-32 g726-40 g728 g729 g7291 g729d g729e
  gsm gsm-efr gsm-hr-08 h261 h263 h263-1998 h263-2000 h264 h264-svc h265 h266 ilbc ip-mr_v2.5 isac ivas jpeg jpeg2000 l16 l20
  l24 l8 lpc mp1s mp2p mp2t mp4a-latm mp4v-es mpa mpeg4-generic mpv nv opus parityfec pcma pcma-wb pcmu pcmu-wb qcelp raw red
  rtx silk smv smv0 speex t140 t140c t38 telephone-event tone ulpfec vdvi vmr-wb vnd.3gpp.iufp vorbis vp8 vp9 x-red
  x-ulpfec`,
);

/** Whether a reason phrase is the one that standards have for a status. */
export function isStandard(phrase: string, status: number): boolean {
  const said = phrase.toLowerCase();
  const names = [SIP_STATUS_NAMES[status], HTTP_STATUS_NAMES[status], status === 200 ? CONNECTED : undefined];
  return said === '' || names.some((k) => k?.toLowerCase() === said);
}

/** The reason phrase of a response, for a sentence. */
export const phraseOf = (phrase: string, status: number): Own | Quoted =>
  isStandard(phrase, status) ? fromCode(phrase) : quoted('free', phrase);
