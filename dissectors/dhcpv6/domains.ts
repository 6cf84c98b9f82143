/** Domain names in DHCPv6 options: labels without compression, RFC 9915 §10. */
import { type Field, type Tree, utf8Text } from 'fttscope/kit';
import { MAX_NAME } from '../dns/names.js';
import { E } from './experts.js';
import { F } from './fields.js';

const MAX_LABEL = 63;

/** Labels from `off` on, as far as they can be read. */
interface Labels {
  readonly text: string;
  readonly count: number;
  /** Offset after the name, or of the length octet that ended the reading. */
  readonly end: number;
  /** How it ended: at a zero; where the field ends; at a length that is none; at a label without its octets. */
  readonly ending: 'root' | 'field' | 'bad-length' | 'cut';
}

function labels(b: Uint8Array, off: number, end: number): Labels {
  let text = '';
  let count = 0;
  let at = off;
  while (at < end) {
    const n = b[at];
    if (n === 0) return { text, count, end: at + 1, ending: 'root' };
    if (n > MAX_LABEL) return { text, count, end: at, ending: 'bad-length' };
    if (at + 1 + n > end) return { text, count, end: at, ending: 'cut' };
    text += (count === 0 ? '' : '.') + utf8Text(b, at + 1, at + 1 + n);
    count++;
    at += 1 + n;
  }
  return { text, count, end: at, ending: 'field' };
}

/** Shows the names in `[off, end)` as `f`, and what is wrong with them. */
export function domains(t: Tree, f: Field, b: Uint8Array, off: number, end: number): void {
  let at = off;
  while (at < end) {
    const name = labels(b, at, end);
    if (name.ending === 'bad-length' || name.ending === 'cut') {
      broken(t, b, name, at);
      return;
    }
    if (name.end - at > MAX_NAME) {
      t.num(F.tooLong, at, name.end - at, name.end - at);
      t.expert(E.tooLong);
    } else if (name.ending === 'field' && at > off) {
      t.text(F.partialAfter, at, name.end - at, name.text);
      t.expert(E.partialAfter);
    } else whole(t, f, name, at);
    at = name.end;
    if (name.ending === 'root' && name.count === 0) {
      padding(t, b, at, end);
      return;
    }
  }
}

/** Octets behind a name that is the root alone: a list goes no further. */
function padding(t: Tree, b: Uint8Array, off: number, end: number): void {
  if (off < end && b.subarray(off, end).some((octet) => octet !== 0)) t.bytes(F.value, off, end - off);
}

function whole(t: Tree, f: Field, name: Labels, at: number): void {
  const n = name.end - at;
  if (name.ending === 'field') {
    t.text(f, at, n, name.text);
    if (t.labels) t.label(`Partial domain name: ${name.text}`);
  } else if (name.count === 0) {
    t.text(F.rootOnly, at, n, "['.' (0)]");
    t.expert(E.rootOnly);
  } else if (name.count === 1) {
    t.text(F.tld, at, n, `${name.text}.`);
    t.expert(E.tld);
  } else t.text(f, at, n, `${name.text}.`);
}

function broken(t: Tree, b: Uint8Array, name: Labels, at: number): void {
  const cut = name.ending === 'cut';
  t.num(cut ? F.exceeded : F.badLabel, name.end, 1, b[name.end]);
  t.push();
  if (name.count > 0) t.text(F.decoded, at, name.end - at, name.text);
  t.pop();
  t.expert(cut ? E.exceeded : E.notEncoded);
}
