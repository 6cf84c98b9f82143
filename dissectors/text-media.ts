import { defineDissector, fields, lineAt, printable, startsWith, type Tree, utf8Text } from 'fttscope/kit';
import { isJson } from './json-text.js';

/**
 * Bodies that are lines of text, `text/plain` and its kin (RFC 2046 §4.1), JSON (RFC 8259), and those of types that have no
 * dissector.
 */
const MAX_LINES = 2000;

const F = fields({
  lines: { name: 'data-text-lines', label: 'Line-based text data', type: 'protocol' },
  item: { name: 'text', label: 'Text item', type: 'none' },
});

/** Stands where a key stood. */
export const NOT_SHOWN = '[not shown]';

/** Text that has no field of its own: seen by people, not by filters. */
export function textItem(t: Tree, b: Uint8Array, off: number, end: number, text?: string): void {
  if (!t.labels) return;
  t.none(F.item, off, end - off);
  t.label(text ?? printable(utf8Text(b, off, end)));
}

/** One item for each line in `[off, end)`. */
export function textLines(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (!t.labels) return;
  let at = off;
  for (let n = 0; at < end && n < MAX_LINES; n++) {
    const line = lineAt(b, at, end);
    textItem(t, b, at, line.next, printable(utf8Text(b, at, line.end)));
    at = line.next;
  }
  if (at < end) textItem(t, b, at, end, `[Too many lines; ${end - at} octets are not shown]`);
}

/** What the index pass and other dissectors know by the name of `media`: a body whose type has no dissector. */
const M = fields({
  media: { name: 'media', label: 'Media Type', type: 'protocol' },
  type: { name: 'media.type', label: 'Media type', type: 'bytes' },
});

const J = fields({
  json: { name: 'json', label: 'JavaScript Object Notation', type: 'protocol' },
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
  'text/vnd.sun.j2me.app-descriptor',
  'text/x-ref-list',
  'text/x-ref-simple',
  'text/xml-external-parsed-entity',
  'application/vnd.drm.message',
  'application/vnd.poc.refer-to',
  'application/x-javascript',
  'application/x-ns-proxy-autoconfig',
  'application/x-rtsp-udp-packetpair',
  'application/x-tia-p25-issi',
  'application/x-tia-p25-sndcp',
  'application/xml-external-parsed-entity',
];

const JSON_TYPES = [
  'application/json',
  'application/json-patch+json',
  'application/json-rpc',
  'application/jsonrequest',
  'application/merge-patch+json',
  'application/problem+json',
  'application/dds-web+json',
  'application/senml+json',
  'application/sensml+json',
  'application/vnd.oma.lwm2m+json',
  'application/x-ndjson',
];

export const dataTextLines = defineDissector({
  proto: 'data-text-lines',
  title: 'Line-based text data',
  short: 'Text',
  spec: 'RFC 2046 §4.1',
  fields: F,
  on: { media_type: LINE_TYPES },
  calls: ['xml'],
  dissect(v, t, cx) {
    t.open(F.lines, v.off, v.length);
    textLines(t, v.buf, v.off, v.end);
    t.pop();
    if (startsWith(v.buf, v.off, v.end, '<?xml')) cx.call('xml', v); // it is XML, whatever its type says
  },
});

/** Values in braces, shown as they stand; like Wireshark it takes what is no JSON for text. */
export const json = defineDissector({
  proto: 'json',
  title: 'JavaScript Object Notation',
  short: 'JSON',
  spec: 'RFC 8259',
  fields: J,
  on: { media_type: JSON_TYPES },
  calls: ['data-text-lines'],
  dissect(v, t, cx) {
    t.open(J.json, v.off, v.length);
    if (isJson(v.buf, v.off, v.end)) textLines(t, v.buf, v.off, v.end);
    else cx.call('data-text-lines', v);
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
