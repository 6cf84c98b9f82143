/** What every document begins with. */
export const XML_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Text in an element or attribute. Characters that XML 1.0 does not know are written as tshark writes them, `\x1b`. */
export const xml = (s: string): string => (isPlain(s) ? s : escaped(s));

const escaped = (s: string): string =>
  s.replace(/[&<>"\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/g, (c) => {
    const code = c.charCodeAt(0);
    if (code === 9 || code === 10 || code === 13 || (code > 0xff && code < 0xfffe)) return `&#${code};`;
    return ENTITIES[c] ?? `\\x${code.toString(16)}`;
  });

/** Whether a short text is printable ASCII without what XML must escape. */
function isPlain(s: string): boolean {
  if (s.length > 64) return false;
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c < 32 || c > 126 || c === 34 || c === 38 || c === 60 || c === 62) return false;
  }
  return true;
}
