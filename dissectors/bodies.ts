import { type Ctx, startsWith, table, type View } from 'fttscope/kit';

/** What pictures begin with: one that begins otherwise is a body of no known type. */
const SIGNATURES = table<readonly string[]>({
  'image/jpeg': ['\xff\xd8\xff'],
  'image/jpg': ['\xff\xd8\xff'],
  'image/jfif': ['\xff\xd8\xff'],
  'image/png': ['\x89PNG\r\n\x1a\n'],
  'image/gif': ['GIF87a', 'GIF89a'],
});
/** Octets that a picture has at least. */
const PICTURE = 16;

function fits(type: string, v: View): boolean {
  const signatures = SIGNATURES[type];
  if (signatures === undefined) return true;
  return v.length >= PICTURE && signatures.some((s) => startsWith(v.buf, v.off, v.end, s));
}

/** Whether a dissector takes the body `v` of the media type (in lower case). */
export const takesBody = (cx: Ctx, type: string, v: View): boolean => cx.takes('media_type', type) && fits(type, v);

/** Hands a body on by its media type (in lower case); without one it is data. */
export function handBody(cx: Ctx, type: string, v: View): void {
  if (type === '') cx.data(v);
  else if (takesBody(cx, type, v)) cx.next('media_type', type, v);
  else if (!cx.call('media', v)) cx.data(v);
}
