/** Text in DHCP options: NVT ASCII (RFC 2132 §2), ended by the first zero octet where there is one. */
import { counted, type Field, find, type Tree, utf8Text } from 'fttscope/kit';

const isAscii = (b: Uint8Array, off: number, end: number): boolean => {
  for (let i = off; i < end; i++) if (b[i] >= 0x80 || b[i] === 0) return false;
  return true;
};

/** The text of `[off, end)` up to its first zero octet; an octet that is not ASCII becomes U+FFFD. */
export function asciiText(b: Uint8Array, off: number, end: number): string {
  const stop = find(b, 0, off, end);
  let s = '';
  for (let i = off; i < stop; i++) s += b[i] < 0x80 ? String.fromCharCode(b[i]) : '\ufffd';
  return s;
}

/** Adds the text of `[off, end)` as {@link asciiText} reads it. */
export function putAscii(t: Tree, f: Field, b: Uint8Array, off: number, end: number): void {
  if (isAscii(b, off, end)) t.text(f, off, end - off);
  else {
    t.text(f, off, end - off, asciiText(b, off, end));
    t.strays(off, end - off);
  }
}

/** Adds the text of `[off, end)` up to its first zero octet, read as UTF-8. */
export function putUtf8(t: Tree, f: Field, b: Uint8Array, off: number, end: number): void {
  const zero = find(b, 0, off, end);
  if (zero === end) t.text(f, off, end - off);
  else {
    t.text(f, off, end - off, utf8Text(b, off, zero));
    t.strays(off, end - off);
  }
}

const UNITS: readonly [number, string][] = [
  [86400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
];

/** Seconds for people: `1 hour, 45 minutes`; `negative` seconds get a sign. */
export function durationText(seconds: number): string {
  if (seconds === 0) return '0 seconds';
  let left = Math.abs(seconds);
  const parts: string[] = [];
  for (const [size, name] of UNITS) {
    const n = Math.floor(left / size);
    left -= n * size;
    if (n > 0) parts.push(counted(n, name));
  }
  return (seconds < 0 ? '-' : '') + parts.join(', ');
}
