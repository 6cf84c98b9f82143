/** A payload type: encoding name, and the clock of its timestamps in hertz. */
export interface PayloadType {
  readonly name: string;
  readonly clock: number;
  /** What `a=fmtp` says about it; undefined where there is none. RFC 8866 §6.15. */
  readonly parameters?: string;
  /** `audio`, `video`: where media of several kinds share a port. RFC 9143 §9 */
  readonly kind?: string;
}

interface StaticType extends PayloadType {
  /** Wireshark's name. */
  readonly text: string;
}

const entry = (name: string, clock: number, text: string): StaticType => ({ name, clock, text });

/** The static assignments of RFC 3551 §6. */
const STATIC: Readonly<Record<number, StaticType>> = {
  0: entry('PCMU', 8000, 'ITU-T G.711 PCMU'),
  1: entry('1016', 8000, 'USA Federal Standard FS-1016'),
  2: entry('G721', 8000, 'ITU-T G.721'),
  3: entry('GSM', 8000, 'GSM 06.10'),
  4: entry('G723', 8000, 'ITU-T G.723'),
  5: entry('DVI4', 8000, 'DVI4 8000 samples/s'),
  6: entry('DVI4', 16000, 'DVI4 16000 samples/s'),
  7: entry('LPC', 8000, 'Experimental linear predictive encoding from Xerox PARC'),
  8: entry('PCMA', 8000, 'ITU-T G.711 PCMA'),
  9: entry('G722', 8000, 'ITU-T G.722'),
  10: entry('L16', 44100, '16-bit uncompressed audio, stereo'),
  11: entry('L16', 44100, '16-bit uncompressed audio, monaural'),
  12: entry('QCELP', 8000, 'Qualcomm Code Excited Linear Predictive coding'),
  13: entry('CN', 8000, 'Comfort noise'),
  14: entry('MPA', 90000, 'MPEG-I/II Audio'),
  15: entry('G728', 8000, 'ITU-T G.728'),
  16: entry('DVI4', 11025, 'DVI4 11025 samples/s'),
  17: entry('DVI4', 22050, 'DVI4 22050 samples/s'),
  18: entry('G729', 8000, 'ITU-T G.729'),
  19: entry('CN', 8000, 'Comfort noise (old)'),
  25: entry('CelB', 90000, 'Sun CellB video encoding'),
  26: entry('JPEG', 90000, 'JPEG-compressed video'),
  28: entry('nv', 90000, "'nv' program"),
  31: entry('H261', 90000, 'ITU-T H.261'),
  32: entry('MPV', 90000, 'MPEG-I/II Video'),
  33: entry('MP2T', 90000, 'MPEG-II transport streams'),
  34: entry('H263', 90000, 'ITU-T H.263'),
};

/** Encoding and clock of a payload type that needs no `a=rtpmap`; undefined for the others. */
export function staticPayloadType(n: number): PayloadType | undefined {
  const s = STATIC[n];
  return s && { name: s.name, clock: s.clock };
}

/** Name of a payload type as Wireshark shows it; undefined above 127. */
export function payloadTypeText(n: number): string | undefined {
  if (n > 127) return undefined;
  if (n >= 96) return `DynamicRTP-Type-${n}`;
  if (n >= 72 && n <= 76) return 'Reserved for RTCP conflict avoidance';
  return STATIC[n]?.text ?? 'Unassigned';
}
