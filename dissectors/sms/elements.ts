/** Elements of a user data header, TS 23.040 §9.2.3.24. */
import { type Field, type Tree, u16 } from 'fttscope/kit';
import { textItem } from '../text-media.js';
import { I } from './element-fields.js';
import { ALIGNMENTS, ELEMENTS, FONT_SIZES } from './element-values.js';
import { S, SE } from './fields.js';

const TEXT_FORMATTING = 0x0a;
const SINGLE_SHIFT = 0x24;
const LOCKING_SHIFT = 0x25;

/** How many octets a field takes; all that are left. */
type Octets = 1 | 2 | 'rest';
type Layout = readonly (readonly [f: Field, octets: Octets])[];

const CONCATENATED: Layout = [
  [I.parts, 1],
  [I.part, 1],
];
/** A position in the text, and what stands there. */
const placed = (position: Field, object: Field): Layout => [
  [position, 1],
  [object, 'rest'],
];

/** What the octets of elements are. */
const LAYOUTS: Readonly<Record<number, Layout>> = {
  0: [[I.messageId, 1], ...CONCATENATED],
  1: [
    [I.indicationStore, 1],
    [I.messageCount, 1],
  ],
  4: [
    [I.destinationPort, 1],
    [I.originatorPort, 1],
  ],
  5: [
    [I.destinationPort, 2],
    [I.originatorPort, 2],
  ],
  6: [[I.statusReport, 1]],
  7: [[I.createdBy, 1]],
  8: [[I.messageId, 2], ...CONCATENATED],
  [TEXT_FORMATTING]: [
    [I.formatStart, 1],
    [I.formatLength, 1],
    [I.formatMode, 1],
  ],
  11: [
    [I.soundPosition, 1],
    [I.sound, 1],
  ],
  12: placed(I.userSoundPosition, I.userSound),
  13: [
    [I.animationPosition, 1],
    [I.animation, 1],
  ],
  14: placed(I.largeAnimationPosition, I.largeAnimation),
  15: placed(I.smallAnimationPosition, I.smallAnimation),
  16: placed(I.largePicturePosition, I.largePicture),
  17: placed(I.smallPicturePosition, I.smallPicture),
  18: [
    [I.picturePosition, 1],
    [I.pictureWidth, 1],
    [I.pictureHeight, 1],
    [I.picture, 'rest'],
  ],
  19: [[I.objects, 1]],
  [SINGLE_SHIFT]: [[I.singleShift, 1]],
  [LOCKING_SHIFT]: [[I.lockingShift, 1]],
};

/** Octets that a layout takes; of what is left at least one. */
const octetsOf = (layout: Layout): number => layout.reduce((n, [, octets]) => n + (octets === 'rest' ? 1 : octets), 0);
/** Whether an element may be longer than {@link octetsOf}. */
const isOpen = (iei: number, layout: Layout): boolean =>
  iei === TEXT_FORMATTING || layout[layout.length - 1][1] === 'rest';

/** Bits of octets that are several things. */
const BITS = new Map<Field, readonly Field[]>([
  [I.statusReport, [I.completed, I.permanentError, I.givenUp, I.stillTrying, I.cancelRest, I.originalHeader]],
  [I.formatMode, [I.bold, I.italic, I.underlined, I.strikethrough]],
]);

const nameOfElement = (iei: number): string => (ELEMENTS as (value: number) => string)(iei);

/** The element at `at`, whose octets are `[data, end)`. */
export function showElement(t: Tree, b: Uint8Array, at: number, data: number, end: number): void {
  const iei = b[at];
  textItem(t, b, at, end, t.labels ? `IE: ${nameOfElement(iei)}` : undefined);
  t.push();
  t.num(S.iei, at, 1, iei);
  if (t.labels) t.label(`Information Element Identifier: 0x${iei.toString(16).padStart(2, '0')}`);
  t.num(S.ieLength, at + 1, 1, end - data);
  const layout = LAYOUTS[iei];
  if (end > data)
    if (layout === undefined) t.bytes(I.ieData, data, end - data);
    else if (fits(t, iei, layout, data, end)) showLayout(t, b, iei, layout, data, end);
  t.pop();
}

/** Says so where there are more or fewer octets than an element takes. */
function fits(t: Tree, iei: number, layout: Layout, data: number, end: number): boolean {
  const open = isOpen(iei, layout);
  const wanted = octetsOf(layout);
  const n = end - data;
  if (n === wanted || (open && n > wanted)) return true;
  t.none(open ? I.elementShort : I.elementLength, data, n);
  t.expert(open ? SE.elementShort : SE.elementLength);
  return false;
}

function showLayout(t: Tree, b: Uint8Array, iei: number, layout: Layout, data: number, end: number): void {
  let at = data;
  for (const [f, octets] of layout) {
    if (octets === 'rest') t.bytes(f, at, end - at);
    else if (f === I.indicationStore)
      for (const bits of [f, I.profile, I.extendedIndication, I.indication]) t.bits(bits, at, 1, b[at]);
    else {
      t.num(f, at, octets, octets === 1 ? b[at] : u16(b, at));
      t.push();
      if (f === I.formatMode) showLook(t, b, at);
      for (const bits of BITS.get(f) ?? []) t.bits(bits, at, 1, b[at]);
      t.pop();
    }
    at = octets === 'rest' ? end : at + octets;
  }
  if (iei === TEXT_FORMATTING && at < end) for (const f of [I.foreground, I.background]) t.bits(f, at, 1, b[at]);
  if (iei === SINGLE_SHIFT || iei === LOCKING_SHIFT) t.expert(SE.language);
}

/** TS 23.040 §9.2.3.24.10.1.1. Wireshark gives both the name of {@link I.createdBy}, which they are not. */
function showLook(t: Tree, b: Uint8Array, at: number): void {
  textItem(t, b, at, at + 1, `Alignment: ${ALIGNMENTS[b[at] & 3]}`);
  textItem(t, b, at, at + 1, `Font Size: ${FONT_SIZES[(b[at] >> 2) & 3]}`);
}
