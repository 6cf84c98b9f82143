import { type Codec, find, lineAt, type TextLine, utf8Text } from 'fttscope/kit';

/*
 * `x=value` lines, RFC 8866 §5. CRLF ends a line; LF alone is taken too (§5).
 */
const LF = 10;
const EQUALS = 61;

/** Where the line after the one at `off` begins. */
export const nextLine = (b: Uint8Array, off: number, end: number): number => Math.min(end, find(b, LF, off, end) + 1);

/** Whether the line is `x=…`. */
export const isTyped = (b: Uint8Array, l: TextLine): boolean => l.end - l.off >= 2 && b[l.off + 1] === EQUALS;

/** One line of a session description. */
export interface SdpLine {
  /** `v`, `o`, `m` … */
  type: string;
  value: string;
}

/** A session description as its lines in order. Canonical: CRLF after every line. */
export type SessionDescription = SdpLine[];

const utf8 = new TextEncoder();
const text = (r: SessionDescription): Uint8Array => utf8.encode(r.map((l) => `${l.type}=${l.value}\r\n`).join(''));

/** A description as its lines, whatever they say. */
export const sdpCodec: Codec<SessionDescription> = {
  parse(b, off, end) {
    const lines: SessionDescription = [];
    for (let at = off; at < end; ) {
      const l = lineAt(b, at, end);
      if (isTyped(b, l)) lines.push({ type: String.fromCharCode(b[at]), value: utf8Text(b, at + 2, l.end) });
      at = l.next;
    }
    return lines;
  },
  size: (r) => text(r).length,
  emit(r, b, off) {
    const octets = text(r);
    b.set(octets, off);
    return octets.length;
  },
};
