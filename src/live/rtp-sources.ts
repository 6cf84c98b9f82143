import { u16, u16le, u32le } from '../kit/index.js';
import type { AudioCodec } from './sip/sdp.js';

/*
 * What is said in a call: frames of one packet time each, as payload. Octets come from outside already read; nothing here
 * opens a file.
 */

/** Gives the payload of the next packet; undefined for silence. */
export interface AudioSource {
  /** @param samples how many the packet lasts, in units of the codec's clock */
  next(samples: number): Uint8Array | undefined;
}

const BIAS = 0x84;
const CLIP = 32_635;

/** A 16-bit sample in µ-law. ITU-T G.711 table 2 */
export function muLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(CLIP, Math.abs(sample)) + BIAS;
  const exponent = 31 - Math.clz32(magnitude) - 7;
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 15)) & 0xff;
}

/** A 16-bit sample in A-law. ITU-T G.711 table 1 */
export function aLaw(sample: number): number {
  const sign = sample >= 0 ? 0x80 : 0;
  const magnitude = Math.min(CLIP, sample >= 0 ? sample : -sample - 1) >> 3;
  const exponent = magnitude < 32 ? 0 : 31 - Math.clz32(magnitude) - 4;
  const mantissa = (magnitude >> Math.max(1, exponent)) & 15;
  return (sign | (exponent << 4) | mantissa) ^ 0x55;
}

const encoder = (codec: AudioCodec): ((sample: number) => number) | undefined =>
  ({ PCMU: muLaw, PCMA: aLaw })[codec.name.toUpperCase()];

/** Octets that an AMR frame of each type has, by its ToC entry. RFC 4867 §4.4.2, TS 26.101 table 1a */
const AMR_OCTETS = [12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0];
const AMR_WB_OCTETS = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0];
const NO_DATA = 15;
/** No mode is asked for. RFC 4867 §4.4.1 */
const NO_REQUEST = 0xf0;
/** Of the tone, in hertz, and in steps of 16 bits. */
const HERTZ = 440;
const AMPLITUDE = 32_767 / 4;

/** One octet-aligned frame: mode request, table of contents, speech bits. RFC 4867 §4.4 */
const amrPayload = (entry: number, speech: Uint8Array): Uint8Array =>
  Uint8Array.of(NO_REQUEST, entry & 0x7c, ...speech);

/** A sine tone. Codecs other than G.711 say "no data" for as long: their frames cannot be made here. */
export function tone(codec: AudioCodec): AudioSource {
  const encode = encoder(codec);
  let at = 0;
  return {
    next(samples) {
      if (encode === undefined) return amrPayload((NO_DATA << 3) | 4, new Uint8Array(0));
      const out = new Uint8Array(samples);
      for (let i = 0; i < samples; i++)
        out[i] = encode(Math.round(AMPLITUDE * Math.sin((2 * Math.PI * HERTZ * at++) / codec.clock)));
      return out;
    },
  };
}

/** Gives back what arrives, packet for packet. */
export class EchoSource implements AudioSource {
  private readonly waiting: Uint8Array[] = [];
  /** A payload that arrived. At most half a second of it is kept. */
  push(payload: Uint8Array): void {
    this.waiting.push(payload);
    if (this.waiting.length > 25) this.waiting.shift();
  }
  next(): Uint8Array | undefined {
    return this.waiting.shift();
  }
}

/** What a file cannot be. */
export class UnusableAudio extends Error {}

/**
 * A recording, from the start and again: WAV of one channel (16-bit PCM, µ-law or A-law) at the codec's clock, AMR and
 * AMR-WB in the storage format of RFC 4867 §5, or else octets of G.711 as they are.
 * @throws UnusableAudio where the file does not fit the codec
 */
export function recording(file: Uint8Array, codec: AudioCodec): AudioSource {
  const text = (from: number, to: number) => String.fromCharCode(...file.subarray(from, to));
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WAVE') return wave(file, codec);
  if (text(0, 6) === '#!AMR\n') return amr(file, 6, AMR_OCTETS, 'AMR', codec);
  if (text(0, 9) === '#!AMR-WB\n') return amr(file, 9, AMR_WB_OCTETS, 'AMR-WB', codec);
  if (encoder(codec) === undefined) throw new UnusableAudio(`frames of ${codec.name} come in its storage format`);
  return loop(file);
}

/** RIFF chunks: the format, then the samples. */
function wave(file: Uint8Array, codec: AudioCodec): AudioSource {
  let format: { tag: number; channels: number; rate: number; bits: number } | undefined;
  for (let at = 12; at + 8 <= file.length; ) {
    const id = u16(file, at) * 0x10000 + u16(file, at + 2);
    const size = u32le(file, at + 4);
    const body = file.subarray(at + 8, at + 8 + size);
    if (id === 0x666d7420 && body.length >= 16)
      format = { tag: u16le(body, 0), channels: u16le(body, 2), rate: u32le(body, 4), bits: u16le(body, 14) };
    if (id === 0x64617461) return samples(body, format, codec);
    at += 8 + size + (size & 1);
  }
  throw new UnusableAudio('a WAV file without samples');
}

function samples(
  body: Uint8Array,
  format: { tag: number; channels: number; rate: number; bits: number } | undefined,
  codec: AudioCodec,
): AudioSource {
  const name = codec.name.toUpperCase();
  if (format?.channels !== 1 || format.rate !== codec.clock)
    throw new UnusableAudio(`a WAV file for ${name} has one channel at ${codec.clock} Hz`);
  if ((format.tag === 7 && name === 'PCMU') || (format.tag === 6 && name === 'PCMA')) return loop(body);
  const encode = encoder(codec);
  if (format.tag !== 1 || format.bits !== 16 || encode === undefined)
    throw new UnusableAudio(`a WAV file of this format does not make ${name}`);
  const out = new Uint8Array(body.length >> 1);
  for (let i = 0; i < out.length; i++) out[i] = encode((u16le(body, 2 * i) << 16) >> 16);
  return loop(out);
}

/** Octets, one a sample, again and again. */
function loop(octets: Uint8Array): AudioSource {
  if (octets.length === 0) throw new UnusableAudio('an empty recording');
  let at = 0;
  return {
    next(n) {
      const out = new Uint8Array(n);
      for (let i = 0; i < n; i++) {
        out[i] = octets[at];
        at = (at + 1) % octets.length;
      }
      return out;
    },
  };
}

/** Frames of the storage format, each a packet. RFC 4867 §5.3 */
function amr(file: Uint8Array, from: number, sizes: readonly number[], name: string, codec: AudioCodec): AudioSource {
  if (codec.name.toUpperCase() !== name) throw new UnusableAudio(`the recording is ${name}, the call ${codec.name}`);
  const frames: Uint8Array[] = [];
  for (let at = from; at < file.length; ) {
    const size = sizes[(file[at] >> 3) & 15];
    if (at + 1 + size > file.length) break;
    frames.push(amrPayload(file[at], file.subarray(at + 1, at + 1 + size)));
    at += 1 + size;
  }
  if (frames.length === 0) throw new UnusableAudio('an empty recording');
  let i = 0;
  return { next: () => frames[i++ % frames.length] };
}
