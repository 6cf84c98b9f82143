import { table } from '../kit/index.js';
import { ENCODINGS } from '../model/standard-words.js';
import type { Draft } from './draft.js';
import { HARMLESS } from './harmless.js';
import {
  by,
  count,
  lines,
  nothing,
  number,
  type Part,
  place,
  references,
  tokens,
  user,
  words,
} from './redact-parts.js';

/** Calls `each` for the words in `[off, end)`, which stand between spaces, with their place in the line. */
function eachWord(
  d: Draft,
  off: number,
  end: number,
  each: (i: number, off: number, end: number, w: string) => void,
): void {
  let i = 0;
  d.each(off, end, /\S+/g, (at, stop, w) => each(i++, at, stop, w));
}

/** Nor where it has digits. */
const secret: Part = (d, off, end) => d.wipe(off, end);

/** Numbers of payload types, ports and the like: each short. */
const numbers: Part = (d, off, end) => d.each(off, end, /(?<![\w.])\d{1,5}(?![\w.])/g, (at, stop) => d.keep(at, stop));

/** Words of standards, and numbers between spaces. */
const mixed: Part = (d, off, end) =>
  eachWord(d, off, end, (_i, at, stop, w) => (/^\d{1,5}$/.test(w) ? d.keep(at, stop) : tokens(d, at, stop)));

/** `IN IP4 host`, with TTL and count behind slashes. RFC 8866 §5.7 */
const connection: Part = (d, off, end) =>
  eachWord(d, off, end, (i, at, stop, w) => {
    if (i < 2) tokens(d, at, stop);
    else {
      const slash = w.indexOf('/');
      place(d, at, slash < 0 ? stop : at + slash);
      if (slash >= 0) numbers(d, at + slash, stop);
    }
  });

/** The user that began a session, what it calls it, and where: the last five words. RFC 8866 §5.2 */
const origin: Part = (d, off, end) => {
  const m = /^(.*?) (\S+) (\S+) (IN IP[46] \S+)\s*$/i.exec(d.text(off, end));
  if (m === null) return;
  const [, name, session, version] = m;
  if (name !== '-') user(d, off, off + name.length);
  let at = off + name.length + 1;
  for (const id of [session, version]) {
    if (/^\d{1,4}$/.test(id)) d.keep(at, at + id.length);
    else number(d, at, at + id.length);
    at += id.length + 1;
  }
  connection(d, at, end);
};

/** `audio 49170/2 RTP/AVP 0 8 96` */
const media: Part = (d, off, end) => eachWord(d, off, end, (i, at, stop) => (i === 1 ? numbers : mixed)(d, at, stop));

/** `AS:64` */
const bandwidth: Part = (d, off, end) => {
  const colon = d.text(off, end).indexOf(':');
  if (colon < 0) return;
  tokens(d, off, off + colon);
  count(d, off + colon + 1, end);
};

/** Times in seconds, with the letter of a unit. RFC 8866 §5.9 */
const times: Part = (d, off, end) =>
  eachWord(d, off, end, (_i, at, stop, w) => /^-?\d{1,10}[dhms]?$/.test(w) && d.keep(at, stop));

/** `96 AMR-WB/16000/1` */
const encoding: Part = (d, off, end) => {
  const m = /^(\s*\d{1,3}\s+)([^/\s]+)(\S*)/.exec(d.text(off, end));
  if (m === null) return;
  d.keep(off, off + m[1].length);
  const at = off + m[1].length;
  if (ENCODINGS.has(m[2].toLowerCase())) d.keep(at, at + m[2].length);
  else words(d, at, at + m[2].length);
  numbers(d, at + m[2].length, end);
};

/** `96 mode-set=0,2; octet-align=1`: numbers and words of parameters that are known. */
const format: Part = (d, off, end) => {
  const first = /^\s*\S+\s*/.exec(d.text(off, end))?.[0].length ?? 0;
  mixed(d, off, off + first);
  for (const m of d.text(off + first, end).matchAll(/[^;]+/g)) {
    const at = off + first + m.index;
    const equals = m[0].indexOf('=');
    const [name, value] = equals < 0 ? ['', m[0]] : [m[0].slice(0, equals), m[0].slice(equals + 1)];
    tokens(d, at, at + name.length);
    const known =
      name.trim() === '' ||
      name
        .trim()
        .toLowerCase()
        .split(/[^a-z0-9]+/)
        .every((w) => HARMLESS.has(w) || /^\d+$/.test(w));
    const from = at + m[0].length - value.length;
    if (!known) continue;
    if (/^\s*[\d.,/ -]{1,32}$/.test(value) && !/\d{7}/.test(value)) d.keep(from, at + m[0].length);
    else if (/^profile-level-id$/i.test(name.trim()) && /^[0-9a-f]{6}\s*$/i.test(value)) d.keep(from, at + m[0].length);
    else tokens(d, from, at + m[0].length);
  }
};

/** `1 AES_CM_128_HMAC_SHA1_80 inline:KEY`, without the key. RFC 4568 §9.1 */
const crypto: Part = (d, off, end) =>
  eachWord(d, off, end, (i, at, stop, w) => {
    if (i === 0) count(d, at, stop);
    else if (i === 1) suite(d, at, stop, w);
    else {
      d.wipe(at, stop);
      if (/^inline:/i.test(w)) d.keep(at, at + 'inline:'.length);
    }
  });
/** Suites of RFC 4568 §6.2, RFC 6188 and RFC 7714. */
const SUITE =
  /^(?:AES_CM_128|AES_(?:192|256)_CM|AES_CM_256|F8_128|AEAD_AES_(?:128|256)_[GC]CM(?:_8)?)(?:_HMAC_SHA1_(?:32|80))?$/i;
const suite = (d: Draft, off: number, end: number, w: string): void => {
  if (SUITE.test(w)) d.keep(off, end);
};

/** Foundation, component, transport, priority, address, port; then pairs of name and value. RFC 8839 §5.1 */
const candidate: Part = (d, off, end) => {
  let name = '';
  eachWord(d, off, end, (i, at, stop, w) => {
    if (i === 0) words(d, at, stop);
    else if (i === 4 || name === 'raddr') place(d, at, stop);
    else if (/^\d{1,10}$/.test(w)) d.keep(at, stop);
    else if (i === 2 || i % 2 === 0 || name === 'typ' || name === 'tcptype') tokens(d, at, stop);
    name = i > 5 && i % 2 === 0 ? w.toLowerCase() : '';
  });
};

/** Component, address and port of each. RFC 8839 §5.2 */
const candidates: Part = (d, off, end) =>
  eachWord(d, off, end, (i, at, stop) => (i % 3 === 1 ? place : count)(d, at, stop));

/** A port, and where it is. RFC 3605 §2.1 */
const control: Part = (d, off, end) =>
  eachWord(d, off, end, (i, at, stop) => (i === 0 ? count : i < 3 ? tokens : place)(d, at, stop));

/** The source, and an attribute of it, whose value may be anything. RFC 5576 §4.1 */
const source: Part = (d, off, end) =>
  eachWord(d, off, end, (i, at, stop, w) => {
    const colon = w.indexOf(':');
    if (i === 0) count(d, at, stop);
    else tokens(d, at, colon < 0 || i > 1 ? at : at + colon);
  });

/** The first word is one of a standard; those that follow are names of streams. */
const group: Part = (d, off, end) =>
  eachWord(d, off, end, (i, at, stop, w) =>
    i === 0 ? tokens(d, at, stop) : /^\d{1,3}$/.test(w) ? d.keep(at, stop) : words(d, at, stop),
  );
const name: Part = (d, off, end) => (/^\d{1,3}$/.test(d.text(off, end)) ? d.keep(off, end) : words(d, off, end));
/** The hash function, without the hash. */
const fingerprint: Part = (d, off, end) => eachWord(d, off, end, (i, at, stop) => i === 0 && tokens(d, at, stop));

/** By the name of an attribute: what its value is made of. Of all others nothing is told. */
const ATTRIBUTES = table<Part>([
  ...by('ice-ufrag label msid', words),
  ...by('maxptime ptime sctp-port max-message-size framerate silencesupp floorctrl tcap', mixed),
  ...by('cname tool cat keywds', nothing),
  ...by('ice-pwd key-mgmt', secret),
  ...by('path', references),
  ...by('fingerprint', fingerprint),
  ...by('group ssrc-group', group),
  ...by('mid', name),
  ['rtpmap', encoding],
  ['fmtp', format],
  ['crypto', crypto],
  ['candidate', candidate],
  ['remote-candidates', candidates],
  ['rtcp', control],
  ['ssrc', source],
]);

const isWord = (s: string): boolean =>
  s
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .every((w) => HARMLESS.has(w) || /^\d{0,3}$/.test(w));

/** A property or value attribute. RFC 8866 §5.13 */
const attribute: Part = (d, off, end) => {
  const s = d.text(off, end);
  const colon = s.indexOf(':');
  const called = (colon < 0 ? s : s.slice(0, colon)).trim();
  if (!isWord(called)) return;
  d.keep(off, off + (colon < 0 ? end - off : colon));
  if (colon >= 0) (ATTRIBUTES[called.toLowerCase()] ?? mixed)(d, off + colon + 1, end);
};

/** `clear:KEY`, RFC 4566 §5.12: only its kind is told. */
const key: Part = (d, off, end) => {
  const colon = d.text(off, end).indexOf(':');
  const stop = colon < 0 ? end : off + colon;
  tokens(d, off, stop);
  d.wipe(Math.min(end, stop + 1), end);
};

const LINES: Readonly<Record<string, Part>> = {
  v: numbers,
  o: origin,
  s: (d, off, end) => (d.text(off, end) === '-' ? undefined : words(d, off, end)),
  i: words,
  u: words,
  e: words,
  p: words,
  c: connection,
  b: bandwidth,
  t: times,
  r: times,
  z: times,
  k: key,
  a: attribute,
  m: media,
};

/** A session description: users, names, places and keys are not told. RFC 8866 §5 */
export function sessionDescription(d: Draft, off: number, end: number): void {
  lines(d, off, end, (_d, at, stop) => {
    const part = /^[a-z]=$/.test(d.text(at, at + 2)) ? LINES[d.text(at, at + 1)] : undefined;
    if (part === undefined) return;
    d.keep(at, at + 2);
    part(d, at + 2, stop);
  });
}
