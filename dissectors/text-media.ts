import { defineDissector, fields, printable, type Tree, utf8Text } from 'fttscope/kit';

/**
 * Bodies that are lines of text: `text/plain` and its kin, and the XML of IMS.
 */
const MAX_LINES = 2000;

const F = fields({
  lines: { name: 'data-text-lines', label: 'Line-based text data', type: 'protocol' },
  item: { name: 'text', label: 'Text item', type: 'none' },
});
const X = fields({ xml: { name: 'xml', label: 'eXtensible Markup Language', type: 'protocol' } });

/** Text that has no field of its own: seen by people, not by filters. */
export function textItem(t: Tree, b: Uint8Array, off: number, end: number, text?: string): void {
  if (!t.labels) return;
  t.none(F.item, off, end - off);
  t.label(text ?? printable(utf8Text(b, off, end)));
}

/** One item for each line in `[off, end)`. */
export function textLines(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (!t.labels) return;
  let n = 0;
  for (let at = off; at < end && n < MAX_LINES; n++) {
    let i = at;
    while (i < end && b[i] !== 10) i++;
    const stop = i > at && b[i - 1] === 13 ? i - 1 : i;
    textItem(t, b, at, Math.min(end, i + 1), printable(utf8Text(b, at, stop)));
    at = i + 1;
  }
}

/** What the index pass and other dissectors know by the name of `media`: a body whose type has no dissector. */
const M = fields({
  media: { name: 'media', label: 'Media Type', type: 'protocol' },
  type: { name: 'media.type', label: 'Media type', type: 'bytes' },
});

/** Types whose body is shown line by line. */
const LINE_TYPES = [
  'text/plain',
  'text/html',
  'text/richtext',
  'text/enriched',
  'text/css',
  'text/parameters',
  'text/javascript',
  'application/json',
];

/** Types that are XML whether or not they say so. */
const XML_TYPES = [
  'text/xml',
  'text/vnd.wap.wml',
  'application/3gpp-ims+xml',
  'application/auth-policy+xml',
  'application/conference-info+xml',
  'application/cpl+xml',
  'application/dialog-info+xml',
  'application/held+xml',
  'application/im-iscomposing+xml',
  'application/load-control+xml',
  'application/media_control+xml',
  'application/pidf+xml',
  'application/pidf-diff+xml',
  'application/poc-settings+xml',
  'application/reginfo+xml',
  'application/resource-lists+xml',
  'application/rlmi+xml',
  'application/rls-services+xml',
  'application/simple-filter+xml',
  'application/soap+xml',
  'application/vnd.3gpp.access-transfer-events+xml',
  'application/vnd.3gpp.comm-div-info+xml',
  'application/vnd.3gpp.cw+xml',
  'application/vnd.3gpp.mcptt-info+xml',
  'application/vnd.3gpp.mid-call+xml',
  'application/vnd.3gpp.sms+xml',
  'application/vnd.3gpp.srvcc-info+xml',
  'application/vnd.3gpp.state-and-event-info+xml',
  'application/vnd.3gpp.ussd+xml',
  'application/vnd.etsi.aoc+xml',
  'application/vnd.etsi.cug+xml',
  'application/vnd.etsi.mcid+xml',
  'application/vnd.etsi.pstn+xml',
  'application/vnd.etsi.simservs+xml',
  'application/watcherinfo+xml',
  'application/xcap-diff+xml',
  'application/xcap-el+xml',
  'application/xml',
  'message/imdn+xml',
];

export const dataTextLines = defineDissector({
  proto: 'data-text-lines',
  title: 'Line-based text data',
  short: 'Text',
  spec: 'RFC 2046 §4.1',
  fields: F,
  on: { media_type: LINE_TYPES },
  dissect(v, t) {
    t.open(F.lines, v.off, v.length);
    textLines(t, v.buf, v.off, v.end);
    t.pop();
  },
});

export const xml = defineDissector({
  proto: 'xml',
  title: 'eXtensible Markup Language',
  short: 'XML',
  spec: 'RFC 7303',
  fields: X,
  on: { media_type: XML_TYPES },
  dissect(v, t) {
    t.open(X.xml, v.off, v.length);
    textLines(t, v.buf, v.off, v.end);
    t.pop();
  },
});

export const media = defineDissector({
  proto: 'media',
  title: 'Media Type',
  short: 'Media',
  spec: 'RFC 2046',
  fields: M,
  dissect(v, t) {
    t.open(M.media, v.off, v.length);
    t.bytes(M.type, v.off, v.length);
    t.pop();
  },
});
