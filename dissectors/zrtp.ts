import { latin1, type NetPair, type Track, u32, type View } from 'fttscope/kit';
import type { SrtpSetup } from './dtls/index.js';
import { CallIds } from './sdp/call-ids.js';
import type { MediaNote } from './sdp/media.js';

/**
 * What RTP has to know of ZRTP, whose messages agree on the keys of SRTP between its packets. RFC 6189 §5:
 *
 *     0               1               2               3
 *     +-------+-----------------------+-------------------------------+
 *     |0 0 0 1|       not used        |       sequence number         |
 *     +-------+-----------------------+-------------------------------+
 *     |                     magic cookie: "ZRTP"                      |
 *     +---------------------------------------------------------------+
 *     |                       source identifier                       |
 *     +-------------------------------+-------------------------------+
 *     |            0x505a             |        length in words        |
 *     +-------------------------------+-------------------------------+
 *     |       type of message in eight characters, message …          |
 *     +---------------------------------------------------------------+
 */
const COOKIE = 0x5a525450;
const TYPE = 16;
const MESSAGE = 24;
/** Of a Commit: hash image, ZID, hash and cipher stand before the type of authentication tag. §5.4 */
const COMMIT_TAG = MESSAGE + 32 + 12 + 4 + 4;

/** SRTP protection profiles with tags of 80 and of 32 bits. RFC 5764 §4.1.2 */
const TAG_80 = 1;
const TAG_32 = 2;

/** Whether the octets are a message of ZRTP. */
export const isZrtp = (b: Uint8Array, o: number, end: number): boolean =>
  end - o >= 8 && b[o] >> 6 === 0 && u32(b, o + 4) === COOKIE;

/** What the messages of a flow have chosen so far. */
export interface ZrtpChoice {
  profile: number;
}
export const newChoice = (): ZrtpChoice => ({ profile: TAG_80 });

/** Follows a message: after a Conf2ACK what goes between these ports is SRTP (§4.6), and a conversation of its own. */
export function followZrtp({ buf, off, end }: View, cx: Track, choice: ZrtpChoice): void {
  if (end - off < MESSAGE) return;
  const type = latin1(buf, off + TYPE, off + MESSAGE).trimEnd();
  if (type === 'Commit' && end - off >= COMMIT_TAG + 4)
    choice.profile = latin1(buf, off + COMMIT_TAG, off + COMMIT_TAG + 4) === 'HS32' ? TAG_32 : TAG_80;
  if (type !== 'Conf2ACK') return;
  const agreed: SrtpSetup = { frame: cx.frame, profile: choice.profile };
  const known = cx.expected<MediaNote>() ?? {
    callId: '',
    callIds: CallIds.NONE,
    kind: 'audio',
    payloadTypes: new Map(),
  };
  const note: MediaNote = { ...known, setupFrame: cx.frame, secure: true, agreed };
  for (const [address, port] of [
    [addressAt(cx.net, cx.net.src), cx.sport],
    [addressAt(cx.net, cx.net.dst), cx.dport],
  ] as const) {
    cx.expect(address, port, 'rtp', note);
    if (port < 0xffff) cx.expect(address, port + 1, 'rtcp', note);
  }
}

const addressAt = ({ version, buf }: NetPair, at: number): Uint8Array => buf.slice(at, at + (version === 6 ? 16 : 4));
