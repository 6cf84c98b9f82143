import { type Codec, type Ctx, concat, defineDissector, isDamage, need, type Tree, u8, View } from 'fttscope/kit';
import { textItem } from '../text-media.js';
import { semiOctets } from './alphabet.js';
import { R, RE } from './fields.js';
import { tpduSummary } from './tpdu.js';
import { RP_CAUSES, RP_TYPES } from './values.js';

/**
 * Relay layer of short messages, 3GPP TS 24.011 §7.3, which SMS over IP carries as the body of SIP MESSAGE
 * (TS 24.341 §5.3.1):
 *
 *     RP-DATA    type (1) | reference (1) | originator (LV) | destination (LV) | user data (LV)
 *     RP-ACK     type | reference | user data? (TLV, 0x41)
 *     RP-ERROR   type | reference | cause (LV) | user data? (TLV)
 *     RP-SMMA    type | reference
 *
 * Even types go to the network, odd ones come from it.
 */
const HEADER = 2;
const USER_DATA = 0x41;
const DATA = 0;
const ACK = 1;
const ERROR = 2;
const SMMA = 3;

/** Kind of message without its direction; 3 (RP-SMMA) only goes up. TS 24.011 §8.2.2 */
const kindOf = (type: number): number => type >> 1;
const isUp = (type: number): boolean => (type & 1) === 0;
const isKnown = (type: number): boolean => RP_TYPES[type] !== undefined;

/** One past the element whose length octet stands at `off`. @throws Short */
function elementEnd(v: View, off: number): number {
  need(v, 1, off);
  need(v, u8(v.buf, off), off + 1);
  return off + 1 + v.buf[off];
}

/** RP-Originator or RP-Destination address. TS 24.011 §8.2.5.1, §8.2.5.2 */
function address(v: View, t: Tree, off: number, title: string): number {
  const end = elementEnd(v, off);
  const { buf } = v;
  const number = semiOctets(buf, off + 2, end);
  textItem(t, buf, off, end, end > off + 1 ? `${title} - (${number})` : title);
  t.push();
  t.num(R.length, off, 1, buf[off]);
  if (end > off + 1) {
    for (const f of [R.extension, R.numberType, R.plan]) t.bits(f, off + 1, 1, buf[off + 1]);
    t.text(R.number, off + 2, end - off - 2, number);
  }
  t.pop();
  return end;
}

/** RP-Cause. TS 24.011 §8.2.5.4 */
function cause(v: View, t: Tree, off: number): number {
  const end = elementEnd(v, off);
  const { buf } = v;
  const value = end > off + 1 ? buf[off + 1] & 0x7f : 0;
  textItem(t, buf, off, end, `RP-Cause - (${value}) ${RP_CAUSES[value] ?? 'Unknown'}`);
  t.push();
  t.num(R.length, off, 1, buf[off]);
  if (end > off + 1) {
    t.bits(R.causeExtension, off + 1, 1, buf[off + 1]);
    t.bits(R.cause, off + 1, 1, buf[off + 1]);
  }
  if (end > off + 2) t.bytes(R.diagnostic, off + 2, end - off - 2);
  t.pop();
  return end;
}

/** RP-User data: `off` is its length octet. Returns the TPDU. TS 24.011 §8.2.5.3 */
function userData(v: View, t: Tree, off: number, tagged: boolean): View {
  const end = elementEnd(v, off);
  const { buf } = v;
  const start = tagged ? off - 1 : off;
  textItem(t, buf, start, end, 'RP-User Data');
  t.push();
  if (tagged) t.num(R.element, start, 1, u8(buf, start));
  t.num(R.length, off, 1, buf[off]);
  if (end > off + 1) t.bytes(R.tpdu, off + 1, end - off - 1);
  if (t.labels && end > off + 1) t.label('TPDU (not displayed)');
  t.pop();
  return v.sub(off + 1, end);
}

/** Elements after the header; returns the TPDU, if there is one, and where they end. */
function elements(v: View, t: Tree, type: number): { tpdu: View | undefined; end: number } {
  let at = v.off + HEADER;
  const kind = kindOf(type);
  if (kind === SMMA) return { tpdu: undefined, end: at };
  if (kind === DATA) {
    at = address(v, t, at, 'RP-Originator Address');
    at = address(v, t, at, 'RP-Destination Address');
    const tpdu = userData(v, t, at, false);
    return { tpdu, end: tpdu.wireEnd };
  }
  if (kind === ERROR) at = cause(v, t, at);
  if (at >= v.end || u8(v.buf, at) !== USER_DATA) return { tpdu: undefined, end: at };
  const tpdu = userData(v, t, at + 1, true);
  return { tpdu, end: tpdu.wireEnd };
}

function show(v: View, t: Tree, cx: Ctx): void {
  need(v, HEADER);
  const { buf, off } = v;
  const type = u8(buf, off);
  t.open(R.rp, off, v.length);
  if (t.labels) t.label(`${R.rp.label} - ${RP_TYPES[type] ?? `Unknown RP Message Type (${type})`}`);
  t.num(R.type, off, 1, type);
  if (t.labels) t.label(`Message Type ${RP_TYPES[type] ?? '(Unknown)'}`);
  if (!isKnown(type)) {
    t.expert(RE.unknownType);
    t.bytes(R.elements, off + 1, v.end - off - 1);
    t.pop();
    return;
  }
  t.num(R.reference, off + 1, 1, u8(buf, off + 1));
  const { tpdu, end } = elements(v, t, type);
  if (end < v.end) {
    t.none(R.extraneous, end, v.end - end);
    t.expert(RE.extraneous);
  }
  t.pop();
  if (tpdu !== undefined && tpdu.length > 0) cx.next('gsm_a.rp.tpdu', isUp(type) ? 'up' : 'down', tpdu);
}

/** The TPDU of a message, as far as it is there; undefined where there is none. @throws Short */
function tpduOf(v: View): View | undefined {
  const type = u8(v.buf, v.off);
  if (!isKnown(type)) return undefined;
  let at = v.off + HEADER;
  const kind = kindOf(type);
  if (kind === SMMA) return undefined;
  if (kind === DATA) at = elementEnd(v, elementEnd(v, at));
  else {
    if (kind === ERROR) at = elementEnd(v, at);
    if (at >= v.end || v.buf[at++] !== USER_DATA) return undefined;
  }
  return v.sub(at + 1, elementEnd(v, at));
}

/** A message as built and parsed; elements without their lengths. */
export interface RpMessage {
  type: number;
  reference: number;
  /** Of RP-DATA: type of number, plan and digits. */
  originator?: Uint8Array;
  destination?: Uint8Array;
  /** Of RP-ERROR. */
  cause?: Uint8Array;
  /** Of all but RP-SMMA. */
  userData?: Uint8Array;
  /** What stands behind the last element. */
  rest: Uint8Array;
}

/** Reads elements one after the other. */
class Elements {
  constructor(
    private readonly v: View,
    public at: number,
  ) {}
  next(): Uint8Array {
    const end = elementEnd(this.v, this.at);
    const octets = this.v.buf.slice(this.at + 1, end);
    this.at = end;
    return octets;
  }
}

const NOTHING: Uint8Array = new Uint8Array(0);
const lengthAndValue = (b: Uint8Array = NOTHING): Uint8Array[] => [Uint8Array.of(b.length), b];

function parts(r: RpMessage): Uint8Array[] {
  const out: Uint8Array[] = [Uint8Array.of(r.type, r.reference)];
  const kind = isKnown(r.type) ? kindOf(r.type) : SMMA;
  if (kind === DATA) for (const b of [r.originator, r.destination, r.userData]) out.push(...lengthAndValue(b));
  if (kind === ERROR) out.push(...lengthAndValue(r.cause));
  if ((kind === ACK || kind === ERROR) && r.userData !== undefined)
    out.push(Uint8Array.of(USER_DATA), ...lengthAndValue(r.userData));
  out.push(r.rest);
  return out;
}

const codec: Codec<RpMessage> = {
  parse(b, off, end) {
    const v = new View({ name: 'RP', buf: b, start: off, end }, off, end);
    need(v, HEADER);
    const r: RpMessage = { type: b[off], reference: b[off + 1], rest: NOTHING };
    const e = new Elements(v, off + HEADER);
    const kind = isKnown(r.type) ? kindOf(r.type) : SMMA;
    if (kind === DATA) {
      r.originator = e.next();
      r.destination = e.next();
      r.userData = e.next();
    }
    if (kind === ERROR) r.cause = e.next();
    if ((kind === ACK || kind === ERROR) && e.at < end && b[e.at] === USER_DATA) {
      e.at++;
      r.userData = e.next();
    }
    r.rest = b.slice(e.at, end);
    return r;
  },
  size: (r) => parts(r).reduce((n, p) => n + p.length, 0),
  emit(r, b, off) {
    const octets = concat(parts(r));
    b.set(octets, off);
    return octets.length;
  },
};

/** A body of type `application/vnd.3gpp.sms` in a few words. */
export function smsSummary(b: Uint8Array, off: number, end: number): string {
  const name = RP_TYPES[b[off]];
  if (off >= end || name === undefined) return 'Unknown RP message';
  try {
    const r = codec.parse(b, off, end);
    const why = r.cause === undefined || r.cause.length === 0 ? '' : `: ${RP_CAUSES[r.cause[0] & 0x7f] ?? 'Unknown'}`;
    const tpdu = r.userData;
    if (tpdu === undefined || tpdu.length === 0) return name + why;
    return `${name}${why}, ${tpduSummary(View.of(tpdu), isUp(r.type))}`;
  } catch (e) {
    if (!isDamage(e)) throw e;
    return name;
  }
}

export const gsmRp = defineDissector<RpMessage>({
  proto: 'gsm_a.rp',
  title: 'GSM A-I/F RP',
  short: 'GSM RP',
  spec: '3GPP TS 24.011 §7.3',
  fields: R,
  experts: RE,
  on: { media_type: ['application/vnd.3gpp.sms'] },
  tables: ['gsm_a.rp.tpdu'],
  serves: { fields: [], protocols: ['gsm_sms', 'gsm_sms_up'] },

  track(v, cx) {
    need(v, HEADER);
    const tpdu = tpduOf(v);
    if (tpdu !== undefined && tpdu.length > 0) cx.track('gsm_a.rp.tpdu', isUp(v.buf[v.off]) ? 'up' : 'down', tpdu);
  },

  dissect: show,
  codec,
});
