import type { FollowedStream } from '../viewer/viewer.js';

/*
 * What was said in a stream of G.711, as a WAV file. Packets stand where their timestamps put them; what was lost is
 * silence.
 */

/** Samples in a second. */
const RATE = 8000;
/** Octets of an RTP header without contributors and extension. RFC 3550 §5.1 */
const HEADER = 12;
const WAV_HEADER = 44;
/** Samples between two packets beyond which the timestamps are taken to begin anew. */
const LEAP = 60 * RATE;
/** Samples of a file at most: three hours. */
const LONGEST = 3 * 3600 * RATE;

/** A 16-bit sample of an octet of µ-law. ITU-T G.711 table 2 */
export function fromMuLaw(octet: number): number {
  const o = ~octet & 0xff;
  const magnitude = (((o & 15) << 3) + 0x84) << ((o >> 4) & 7);
  return (o & 0x80) !== 0 ? 0x84 - magnitude : magnitude - 0x84;
}

/** A 16-bit sample of an octet of A-law. ITU-T G.711 table 1 */
export function fromALaw(octet: number): number {
  const o = octet ^ 0x55;
  const exponent = (o >> 4) & 7;
  const mantissa = ((o & 15) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return (o & 0x80) !== 0 ? magnitude : -magnitude;
}

/** The decoder of a codec; undefined where it is not G.711. */
export function g711(codec: string | undefined, payloadType: number): ((octet: number) => number) | undefined {
  const name = (codec ?? '').toUpperCase();
  if (name === 'PCMU' || (codec === undefined && payloadType === 0)) return fromMuLaw;
  if (name === 'PCMA' || (codec === undefined && payloadType === 8)) return fromALaw;
  return undefined;
}

/** Which packets are wanted. */
export interface Wanted {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly decode: (octet: number) => number;
}

/** The payload of a packet of a stream; undefined: it is another's, or none. */
function payloadOf(
  o: Uint8Array,
  { ssrc, payloadType }: Wanted,
): { timestamp: number; speech: Uint8Array } | undefined {
  if (o.length < HEADER || o[0] >> 6 !== 2 || (o[1] & 0x7f) !== payloadType) return undefined;
  const view = new DataView(o.buffer, o.byteOffset, o.length);
  if (view.getUint32(8) !== ssrc) return undefined;
  let start = HEADER + 4 * (o[0] & 15);
  if ((o[0] & 0x10) !== 0 && start + 4 <= o.length) start += 4 + 4 * view.getUint16(start + 2);
  const padding = (o[0] & 0x20) !== 0 ? o[o.length - 1] : 0;
  if (start + padding > o.length) return undefined;
  return { timestamp: view.getUint32(4), speech: o.subarray(start, o.length - padding) };
}

/** What was said in a stream. */
export interface Sound {
  /** 16 bits, one channel. */
  readonly file: Uint8Array;
  /** How long it is; 0: no packet of the stream was there. */
  readonly seconds: number;
  /** There was more than fits. */
  readonly cut: boolean;
}

/** The speech of a followed stream of RTP as a WAV file: packets at the time that they say, silence between. */
export function wavOf(stream: FollowedStream, wanted: Wanted): Sound {
  const packets: { at: number; speech: Uint8Array }[] = [];
  let [last, at, end] = [0, 0, 0];
  let { cut } = stream;
  for (const { octets } of stream.pieces) {
    const p = payloadOf(octets, wanted);
    if (p === undefined) continue;
    const ahead = (p.timestamp - last) | 0;
    // The first packet, and one whose clock has begun anew, follow what was there.
    at = packets.length === 0 || Math.abs(ahead) > LEAP ? end : at + ahead;
    last = p.timestamp;
    const fits = at + p.speech.length <= LONGEST;
    cut ||= !fits;
    if (at < 0 || !fits) continue;
    packets.push({ at, speech: p.speech });
    end = Math.max(end, at + p.speech.length);
  }
  const file = new Uint8Array(WAV_HEADER + 2 * end);
  const view = new DataView(file.buffer);
  header(view, end);
  for (const { at: from, speech } of packets)
    for (const [i, octet] of speech.entries()) view.setInt16(WAV_HEADER + 2 * (from + i), wanted.decode(octet), true);
  return { file, seconds: end / RATE, cut };
}

/** RIFF, `fmt ` of PCM, `data`. */
function header(view: DataView, samples: number): void {
  const text = (at: number, s: string): void => {
    for (let i = 0; i < s.length; i++) view.setUint8(at + i, s.charCodeAt(i));
  };
  text(0, 'RIFF');
  view.setUint32(4, WAV_HEADER - 8 + 2 * samples, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, 2 * RATE, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, 2 * samples, true);
}
