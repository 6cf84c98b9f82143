import { No, type Peek, type Track, u8, u16, u32le, type View, Yes } from 'fttscope/kit';
import { CallIds } from '../sdp/call-ids.js';
import type { MediaNote } from '../sdp/media.js';
import { fromRows, named } from './named.js';
import { framed } from './streams.js';

/** Telephony beside SIP that is only named: H.323 in what carries it, and phones of Cisco. */

/** A TPKT (RFC 1006 §6), and the protocol discriminator of Q.931 in it, as H.225.0 §7.1 has them. */
const TPKT = 0x0300;
const TPKT_HEADER = 4;
const DISCRIMINATOR = 8;

const isQ931 = (b: Uint8Array, off: number, end: number): boolean =>
  end - off > TPKT_HEADER &&
  u16(b, off) === TPKT &&
  u16(b, off + 2) > TPKT_HEADER &&
  b[off + TPKT_HEADER] === DISCRIMINATOR;

/** The information element that carries H.225.0, whose length has two octets there. ITU-T Q.931 §4.5.30 */
const USER_USER = 0x7e;

/** What the user-user element of a message carries behind its protocol discriminator; undefined: nothing. */
function userUser(v: View): View | undefined {
  const { buf, off, end } = v;
  if (v.length < 3) return undefined;
  for (let at = off + 3 + (u8(buf, off + 1) & 15); at + 3 < end; ) {
    const element = u8(buf, at);
    if (element === USER_USER) return v.sub(at + 4, at + 3 + u16(buf, at + 1));
    at += element >= 0x80 ? 1 : 2 + u8(buf, at + 1);
  }
  return undefined;
}

/** Messages of Skinny that say where media go: a phone took its channel, and is to send. What stands there before the address. */
const SKINNY_HEADER = 12;
const MEDIA_AT: ReadonlyMap<number, number> = new Map([
  [0x22, SKINNY_HEADER + 4],
  [0x8a, SKINNY_HEADER + 8],
]);
/** Since this version addresses say their family, and have room for IPv6. */
const WITH_FAMILY = 17;

function announceMedia({ buf, off, end }: View, cx: Track): void {
  const at = end - off < SKINNY_HEADER ? undefined : MEDIA_AT.get(u32le(buf, off + 8));
  if (at === undefined) return;
  const hasFamily = u32le(buf, off + 4) >= WITH_FAMILY;
  const from = off + at + (hasFamily ? 4 : 0);
  const portAt = from + (hasFamily ? 16 : 4);
  if (portAt + 4 > end) return;
  const octets = hasFamily && u32le(buf, off + at) !== 0 ? 16 : 4;
  const port = u32le(buf, portAt);
  const note: MediaNote = {
    ...{
      setupFrame: cx.frame,
      callId: '',
      callIds: CallIds.NONE,
      kind: 'audio',
      payloadTypes: new Map(),
      secure: false,
    },
    by: 'SKINNY',
  };
  if (port === 0 || port >= 0xffff) return;
  cx.expect(buf.slice(from, from + octets), port, 'rtp', note);
  cx.expect(buf.slice(from, from + octets), port + 1, 'rtcp', note);
}

/** RFC 9300 §5.1: behind UDP's header one of LISP, then the packet of a site. */
const LISP_HEADER = 8;
const isPacket = ({ buf, off, end }: View | Peek): boolean =>
  end - off > LISP_HEADER && (buf[off + LISP_HEADER] >> 4 === 4 || buf[off + LISP_HEADER] >> 4 === 6);

/** Signalling and media of telephones other than SIP. */
export const telephony = [
  named({
    ...{ proto: 'q931.tpkt', layer: 'q931', title: 'Q.931 in TPKT', short: 'Q.931', spec: 'ITU-T H.225.0 §7.1' },
    calls: ['q931'],
    probe: (b, off, end) => (isQ931(b, off, end) ? Yes : No),
    pduLength: framed(TPKT_HEADER, (b, o) => (u16(b, o) === TPKT ? u16(b, o + 2) : -1)),
    inner: (v, cx) => void cx.call('q931', v.sub(v.off + TPKT_HEADER)),
  }),
  named({
    ...{ proto: 'q931', title: 'Q.931', short: 'Q.931', spec: 'ITU-T Q.931 §4' },
    calls: ['h225'],
    inner(v, cx) {
      const inside = userUser(v);
      if (inside !== undefined && inside.length > 0) cx.call('h225', inside);
    },
  }),
  ...fromRows([['h225', 'H323-MESSAGES', 'H.225.0', 'ITU-T H.225.0 §7', { 'udp.port': [1718, 1719] }]]),
  named({
    ...{ proto: 'skinny', title: 'Skinny Client Control Protocol', short: 'SKINNY', spec: 'none' },
    on: { 'tcp.port': [2000] },
    pduLength: framed(SKINNY_HEADER, (b, o) => 8 + u32le(b, o)),
    serves: { fields: [], protocols: ['rtp', 'rtcp'] },
    track: announceMedia,
  }),
  named({
    ...{
      proto: 'lisp-data',
      title: 'Locator/ID Separation Protocol (Data)',
      short: 'LISP Data',
      spec: 'RFC 9300 §5.1',
    },
    on: { 'udp.port': [4341] },
    tables: ['ip.version'],
    peek(p) {
      if (!isPacket(p)) return p.stop();
      p.off += LISP_HEADER;
      p.table = 'ip.version';
      p.key = p.buf[p.off] >> 4;
    },
    inner(v, cx) {
      const at = v.off + LISP_HEADER;
      if (isPacket(v)) cx.next('ip.version', v.buf[at] >> 4, v.sub(at));
      else if (at < v.end) cx.data(v.sub(at));
    },
  }),
];
