import {
  defineDissector,
  experts,
  type Field,
  fields,
  isSpace,
  latin1,
  printable,
  skipSpace,
  startsWith,
  type Tree,
  table,
  utf8Text,
} from 'fttscope/kit';
import { textItem } from './text-media.js';
import { DOCUMENT_FIELDS, type Element, ROOTS } from './xml-documents.js';
import { XML_TYPES } from './xml-types.js';

/**
 * Extensible Markup Language, XML 1.0 (fifth edition) §2, as IMS carries it in bodies:
 *
 *     <?xml version="1.0"?>                        processing instruction
 *     <!DOCTYPE reginfo [ … ]>                     document type: shown, never acted upon
 *     <reginfo version="0" state="full">           start tag with attributes
 *       <uri>sip:user@example.com</uri>            element with character data
 *       <!-- comment --> <![CDATA[ as it is ]]>
 *       <empty/>
 *     </reginfo>                                   end tag
 *
 * It is a view of the octets, not a reader of documents: references such as `&amp;` stay as written, nothing is fetched,
 * and no entity is expanded. Parts of documents that IMS sends have fields of their own (`reginfo.…`), as in Wireshark, which
 * knows some more by their DTD; all others have the same.
 */
/** Octets of one document that are looked at, and how deep elements nest in the tree. */
const MAX_OCTETS = 256 << 10;
const MAX_DEPTH = 64;

const BANG = 33;
const QUOTE = 34;
const APOSTROPHE = 39;
const SLASH = 47;
const LESS = 60;
const EQUALS = 61;
const GREATER = 62;
const QUESTION = 63;
const BRACKET = 91;

const F = fields({
  xml: { name: 'xml', label: 'eXtensible Markup Language', type: 'protocol', clause: 'XML 1.0 §2' },
  instruction: { name: 'xml.xmlpi', label: 'XMLPI', type: 'string', clause: 'XML 1.0 §2.6' },
  declaration: { name: 'xml.xmlpi.xml', label: 'xml.xmlpi.xml', type: 'string', clause: 'XML 1.0 §2.8' },
  version: { name: 'xml.xmlpi.xml.version', label: 'version', type: 'string' },
  encoding: { name: 'xml.xmlpi.xml.encoding', label: 'encoding', type: 'string' },
  standalone: { name: 'xml.xmlpi.xml.standalone', label: 'standalone', type: 'string' },
  doctype: { name: 'xml.doctype', label: 'Doctype', type: 'string', clause: 'XML 1.0 §2.8' },
  dtdTag: { name: 'xml.dtdtag', label: 'DTD Tag', type: 'string' },
  comment: { name: 'xml.comment', label: 'Comment', type: 'string', clause: 'XML 1.0 §2.5' },
  tag: { name: 'xml.tag', label: 'Tag', type: 'string', clause: 'XML 1.0 §3.1' },
  attribute: { name: 'xml.attribute', label: 'Attribute', type: 'string', clause: 'XML 1.0 §3.1' },
  cdata: { name: 'xml.cdata', label: 'CDATA', type: 'string', clause: 'XML 1.0 §2.4' },
  section: { name: 'xml.cdatasection', label: 'CDATASection', type: 'string', clause: 'XML 1.0 §2.7' },
  unknown: { name: 'xml.unknown', label: 'Unknown', type: 'string' },
});

const E = experts({
  unopened: {
    code: 'xml.closing-unopened-tag',
    severity: 'error',
    message: 'Closing an unopened tag',
    clause: 'XML 1.0 §3.1',
  },
  unrecognized: { code: 'xml.unrecognized-text', severity: 'warn', message: 'Unrecognized text' },
  tooDeep: {
    code: 'xml.too-deep',
    severity: 'warn',
    message: 'Elements nest too deep; deeper ones stand side by side',
  },
  tooLong: { code: 'xml.too-long', severity: 'warn', message: 'Document too long; the rest is not shown' },
});

/** Attributes of `<?xml …?>` that have fields of their own. */
const DECLARED = table<Field>({
  version: F.version,
  encoding: F.encoding,
  standalone: F.standalone,
});

/** One attribute: offsets of its name, and of its value without quotes. */
interface Attribute {
  readonly off: number;
  readonly nameEnd: number;
  readonly valueOff: number;
  readonly valueEnd: number;
  /** One past the closing quote. */
  readonly end: number;
}

/** Letters, digits, `_ : . -` and everything beyond ASCII. XML 1.0 §2.3. */
const NAME = new Uint8Array(256).fill(1, 128);
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_:.-') NAME[c.charCodeAt(0)] = 1;

function skipName(b: Uint8Array, off: number, end: number): number {
  let i = off;
  while (i < end && NAME[b[i]] === 1) i++;
  return i;
}

/** One past the next occurrence of `mark` at or after `off`; -1 if there is none. */
function past(b: Uint8Array, off: number, end: number, mark: string): number {
  const first = mark.charCodeAt(0);
  for (let i = off; i + mark.length <= end; i++)
    if (b[i] === first && startsWith(b, i, end, mark)) return i + mark.length;
  return -1;
}

/** The attribute at `off`; undefined where none stands. Values without quotes are taken up to space or `>`. */
function attributeAt(b: Uint8Array, off: number, end: number): Attribute | undefined {
  const nameEnd = skipName(b, off, end);
  if (nameEnd === off) return undefined;
  const equals = skipSpace(b, nameEnd, end);
  if (b[equals] !== EQUALS || equals >= end) return undefined;
  const at = skipSpace(b, equals + 1, end);
  const quote = b[at];
  if (at >= end) return undefined;
  if (quote !== QUOTE && quote !== APOSTROPHE) {
    let i = at;
    while (i < end && !isSpace(b[i]) && b[i] !== GREATER && b[i] !== LESS && b[i] !== SLASH) i++;
    return i === at ? undefined : { off, nameEnd, valueOff: at, valueEnd: i, end: i };
  }
  let close = at + 1;
  while (close < end && b[close] !== quote && b[close] !== LESS) close++; // no value has a `<`: XML 1.0 §3.1
  if (close >= end || b[close] !== quote) return undefined;
  return { off, nameEnd, valueOff: at + 1, valueEnd: close, end: close + 1 };
}

/** Reads attributes from `off` on; returns where the first thing that is none stands. */
function attributes(b: Uint8Array, off: number, end: number, into: Attribute[]): number {
  let at = skipSpace(b, off, end);
  for (let a = attributeAt(b, at, end); a !== undefined; a = attributeAt(b, at, end)) {
    into.push(a);
    at = skipSpace(b, a.end, end);
  }
  return at;
}

/** One walk over the octets of a document. */
class Walk {
  /** Nodes of the elements that are open, -1 for those that are not kept. */
  private readonly open: number[] = [];
  /** What is known of the elements that are open. */
  private readonly known: (Element | undefined)[] = [];
  /** Elements open beyond {@link MAX_DEPTH}. */
  private deeper = 0;
  private at: number;
  /** Marks that do not come any more: they are looked for once. */
  private readonly gone = new Set<string>();

  constructor(
    private readonly t: Tree,
    private readonly b: Uint8Array,
    off: number,
    private readonly end: number,
  ) {
    this.at = off;
  }

  run(): void {
    const { b, end } = this;
    for (;;) {
      this.at = skipSpace(b, this.at, end);
      if (this.at >= end) break;
      const before = this.at;
      if (b[before] !== LESS) this.characters();
      else if (!this.markup()) this.unrecognized();
    }
    while (this.open.length > 0) this.close(end);
  }

  /** One past the next `mark` at or after `off`; -1 if there is none. */
  private past(off: number, mark: string): number {
    if (this.gone.has(mark)) return -1;
    const stop = past(this.b, off, this.end, mark);
    if (stop < 0) this.gone.add(mark);
    return stop;
  }

  private characters(): void {
    const { t, b, end, at } = this;
    let stop = b.subarray(0, end).indexOf(LESS, at);
    if (stop < 0) stop = end;
    t.text(this.open.length > 0 ? (this.within?.field ?? F.cdata) : F.unknown, at, stop - at);
    if (t.labels) t.label(printable(utf8Text(b, at, stop)));
    this.at = stop;
  }

  /** What begins with `<`; false where it has no end or is nothing that XML has. */
  private markup(): boolean {
    const { b, end, at } = this;
    const c = at + 1 < end ? b[at + 1] : 0;
    if (c === QUESTION) return this.instruction();
    if (c === SLASH) return this.endTag();
    if (c !== BANG) return this.startTag();
    if (startsWith(b, at, end, '<!--')) return this.whole(F.comment, this.past(at + 4, '-->'));
    if (startsWith(b, at, end, '<![CDATA[')) return this.whole(F.section, this.past(at + 9, ']]>'));
    return startsWith(b, at, end, '<!DOCTYPE') && this.doctype();
  }

  /** A node without parts, from here to `stop`. */
  private whole(f: Field, stop: number): boolean {
    const { t, b, at } = this;
    if (stop < 0) return false;
    t.text(f, at, stop - at);
    if (t.labels) t.label(printable(utf8Text(b, at, stop)));
    this.at = stop;
    return true;
  }

  private instruction(): boolean {
    const { t, b, end, at } = this;
    const nameEnd = skipName(b, at + 2, end);
    const list: Attribute[] = [];
    const stop = attributes(b, nameEnd, end, list);
    const close = this.past(stop, '?>');
    if (nameEnd === at + 2 || close < 0) return false;
    const declaration = latin1(b, at + 2, nameEnd) === 'xml';
    t.text(declaration ? F.declaration : F.instruction, at, close - at);
    if (t.labels) t.label(printable(utf8Text(b, at, nameEnd)));
    t.push();
    for (const a of list) {
      const f = declaration ? DECLARED[latin1(b, a.off, a.nameEnd)] : undefined;
      if (f === undefined) this.attribute(a, '');
      else {
        t.text(f, a.valueOff, a.valueEnd - a.valueOff);
        if (t.labels) t.label(printable(utf8Text(b, a.off, a.end)));
      }
    }
    textItem(t, b, close - 2, close);
    t.pop();
    this.at = close;
    return true;
  }

  /** What is known of the innermost element. */
  private get within(): Element | undefined {
    return this.deeper > 0 ? undefined : this.known.at(-1);
  }

  private attribute(a: Attribute, after: string, of?: Element): void {
    const { t, b } = this;
    const f = of?.attributes.get(latin1(b, a.off, a.nameEnd).toLowerCase());
    if (f === undefined) t.text(F.attribute, a.off, a.end - a.off);
    else t.text(f, a.valueOff, a.valueEnd - a.valueOff);
    if (t.labels) t.label(printable(utf8Text(b, a.off, a.end)) + after);
  }

  private startTag(): boolean {
    const { t, b, end, at } = this;
    const nameEnd = skipName(b, at + 1, end);
    if (nameEnd === at + 1) return false;
    const list: Attribute[] = [];
    const stop = attributes(b, nameEnd, end, list);
    const empty = b[stop] === SLASH && stop + 1 < end && b[stop + 1] === GREATER;
    const close = stop + (empty ? 2 : 1);
    if (stop >= end || (!empty && b[stop] !== GREATER)) return false;
    const name = latin1(b, at + 1, nameEnd).toLowerCase();
    const known = this.within?.elements.get(name) ?? ROOTS.get(name);
    const f = known?.field ?? F.tag;
    const node = t.wanted(f) && t.length < t.cap ? t.length : -1;
    if (f.type === 'protocol') t.none(f, at, close - at);
    else t.text(f, at, close - at, utf8Text(b, at, close));
    const tail = empty ? '/>' : '>';
    if (t.labels) t.label(printable(utf8Text(b, at, nameEnd)) + (list.length === 0 ? tail : ''));
    t.push();
    list.forEach((a, i) => {
      this.attribute(a, i === list.length - 1 ? tail : '', known);
    });
    this.at = close;
    if (empty) t.pop();
    else if (this.open.length < MAX_DEPTH) {
      this.open.push(node);
      this.known.push(known);
    } else {
      if (this.deeper++ === 0) t.expert(E.tooDeep);
      t.pop();
    }
    return true;
  }

  private endTag(): boolean {
    const { t, b, end, at } = this;
    const stop = skipSpace(b, skipName(b, at + 2, end), end);
    if (stop >= end || b[stop] !== GREATER) return false;
    textItem(t, b, at, stop + 1);
    this.at = stop + 1;
    if (this.deeper > 0) this.deeper--;
    else if (this.open.length > 0) this.close(stop + 1);
    else t.expert(E.unopened);
    return true;
  }

  /** Ends the innermost element at `stop`. */
  private close(stop: number): void {
    const { t } = this;
    const node = this.open.pop()!;
    this.known.pop();
    if (node >= 0) t.len[node] = stop - t.off[node];
    t.pop();
  }

  /** The declarations between brackets are shown one by one. */
  private doctype(): boolean {
    const { t, b, end, at } = this;
    const name = skipSpace(b, at + 9, end);
    const nameEnd = skipName(b, name, end);
    let i = nameEnd;
    while (i < end && b[i] !== GREATER && b[i] !== BRACKET && b[i] !== LESS) i++;
    if (i >= end || nameEnd === name || b[i] === LESS) return false;
    t.text(F.doctype, name, nameEnd - name);
    if (t.labels) t.label(printable(utf8Text(b, at, i + 1)));
    this.at = i + 1;
    if (b[i] === GREATER) return true;
    t.push();
    for (;;) {
      this.at = skipSpace(b, this.at, end);
      if (this.at >= end || b[this.at] !== LESS) break;
      const comment = startsWith(b, this.at, end, '<!--');
      if (!this.whole(comment ? F.comment : F.dtdTag, this.past(this.at, comment ? '-->' : '>'))) break;
    }
    const close = this.past(this.at, '>');
    if (close > 0) {
      textItem(t, b, this.at, close);
      this.at = close;
    } else {
      this.at = end;
      t.expert(E.unrecognized);
    }
    t.pop();
    return true;
  }

  /** Goes on behind what looked like the start of markup. */
  private unrecognized(): void {
    const { t, b, end, at } = this;
    t.expert(E.unrecognized);
    const mark = at + 1 < end && (b[at + 1] === QUESTION || b[at + 1] === SLASH || b[at + 1] === BANG) ? 2 : 1;
    this.at = skipName(b, Math.min(end, at + mark), end);
  }
}

export const xml = defineDissector({
  proto: 'xml',
  title: 'eXtensible Markup Language',
  short: 'XML',
  spec: 'RFC 7303',
  fields: { ...F, ...DOCUMENT_FIELDS },
  experts: E,
  on: { media_type: XML_TYPES },
  dissect(v, t) {
    const { buf, off } = v;
    const end = Math.min(v.end, off + MAX_OCTETS);
    t.open(F.xml, off, v.length);
    if (end < v.end) t.expert(E.tooLong);
    const mark = startsWith(buf, off, end, '\u00ef\u00bb\u00bf') ? 3 : 0; // byte order mark: XML 1.0 §4.3.3
    new Walk(t, buf, off + mark, end).run();
    t.pop();
  },
});
