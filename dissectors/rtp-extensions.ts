import { fields, need, type Tree, u16, u32, type View } from 'fttscope/kit';

/**
 * Header extension of RTP, RFC 3550 §5.3.1, and its elements, RFC 8285 §4:
 *
 *     +-------------------------------+-------------------------------+
 *     |      defined by profile       |        length in words        |
 *     +-------+-------+---------------+-------------------------------+
 *     |  ID   | len-1 |  data …                                       |  one-byte header, profile 0xBEDE
 *     +-------+-------+---------------+-------------------------------+
 *     |      ID       |      len      |  data …                       |  two-byte header, profile 0x100 and 4 bits
 *     +---------------+---------------+-------------------------------+
 */
const ONE_BYTE = 0xbede;
/** In the upper twelve bits. */
const TWO_BYTE = 0x100;

export const F = fields({
  profile: { name: 'rtp.ext.profile', label: 'Defined by profile', type: 'u16', base: 'hex_dec' },
  extLen: { name: 'rtp.ext.len', label: 'Extension length', type: 'u16' },
  headerExts: { name: 'rtp.hdr_exts', label: 'Header extensions', type: 'none' },
  headerExt: { name: 'rtp.hdr_ext', label: 'Header extension', type: 'u32', base: 'hex_dec' },
  element: { name: 'text', label: '', type: 'none' },
  elementId: { name: 'rtp.ext.rfc5285.id', label: 'Identifier', type: 'u8' },
  elementLen: { name: 'rtp.ext.rfc5285.len', label: 'Length', type: 'u8' },
  appBits: { name: 'rtp.ext.rfc5285.appbits', label: 'Application Bits', type: 'u8' },
  elementData: { name: 'rtp.ext.rfc5285.data', label: 'Extension Data', type: 'bytes' },
  filler: { name: 'rtp.padding.data', label: 'Padding data', type: 'bytes' },
});

/** Returns the offset behind the header extension, if there is one. */
export function extension(v: View, t: Tree, at: number): number {
  const { buf } = v;
  if ((buf[v.off] & 0x10) === 0) return at;
  need(v, 4, at);
  const profile = u16(buf, at);
  const words = u16(buf, at + 2);
  t.num(F.profile, at, 2, profile);
  t.num(F.extLen, at + 2, 2, words);
  const end = at + 4 + 4 * words;
  if (words === 0) return end;
  t.none(F.headerExts, at + 4, 4 * words);
  t.push();
  const stop = Math.min(end, v.end);
  if (profile === ONE_BYTE) elements(v, t, at + 4, stop, -1);
  else if (profile >> 4 === TWO_BYTE) elements(v, t, at + 4, stop, profile & 0x0f);
  else for (let i = at + 4; i + 4 <= stop; i += 4) t.num(F.headerExt, i, 4, u32(buf, i));
  t.pop();
  need(v, end - v.off);
  return end;
}

/** Elements with a header of one octet, or of two where `appBits` is not negative; RFC 8285 §4.2, §4.3. */
function elements(v: View, t: Tree, from: number, end: number, appBits: number): void {
  const { buf } = v;
  for (let at = from; at < end; ) {
    if (buf[at] === 0) {
      let i = at + 1;
      while (i < end && buf[i] === 0) i++;
      if (i < end) t.bytes(F.filler, at, i - at);
      at = i;
      continue;
    }
    const header = appBits < 0 ? 1 : 2;
    if (at + header > end) return;
    const id = appBits < 0 ? buf[at] >> 4 : buf[at];
    const length = appBits < 0 ? (buf[at] & 0x0f) + 1 : buf[at + 1];
    if (appBits < 0 && id === 15) return; // RFC 8285 §4.2: processing stops here
    if (at + header + length > end) return;
    t.open(F.element, at, header + length);
    if (t.labels) t.label(`RFC 8285 header extension (${header === 1 ? 'one' : 'two'}-byte header)`);
    if (appBits >= 0) t.num(F.appBits, at, 1, appBits);
    t.num(F.elementId, at, 1, id);
    t.num(F.elementLen, at + header - 1, 1, length);
    if (length > 0) t.bytes(F.elementData, at + header, length);
    t.pop();
    at += header + length;
  }
}
