/** Parts that several kinds of TPDU share, TS 23.040 §9.2.3. Each returns the offset behind it. */
import { type Field, need, type Tree, u8, type View } from 'fttscope/kit';
import { showE164Digits } from '../e164.js';
import { textItem } from '../text-media.js';
import { semiOctets, septets, swapped } from './alphabet.js';
import { S } from './fields.js';
import { statusReason } from './values.js';

/** Type of number of addresses that are text, and plan and type that make one an E.164 number. */
const ALPHANUMERIC = 5;
const INTERNATIONAL = 0x11;

/** Octets of a time stamp. TS 23.040 §9.2.3.11 */
export const TIME = 7;

/** Digits or text of the address whose length octet stands at `off`. @throws Short */
export function addressText(v: View, off: number): { text: string; end: number } {
  need(v, 2, off);
  const { buf } = v;
  const digits = u8(buf, off);
  const octets = (digits + 1) >> 1;
  need(v, octets, off + 2);
  const end = off + 2 + octets;
  if (((buf[off + 1] >> 4) & 7) !== ALPHANUMERIC) return { text: semiOctets(buf, off + 2, end), end };
  return { text: septets(buf, off + 2, 0, Math.floor((4 * digits) / 7)), end };
}

/** Length in digits, type of number and plan, digits. TS 23.040 §9.1.2.5 */
export function address(v: View, t: Tree, off: number, title: string, f: Field): number {
  const { text, end } = addressText(v, off);
  const { buf } = v;
  textItem(t, buf, off, end, `${title} - (${text})`);
  t.push();
  t.num(S.addressLength, off, 1, buf[off]);
  t.bits(S.addressExtension, off + 1, 1, buf[off + 1]);
  t.bits(S.numberType, off + 1, 1, buf[off + 1]);
  t.bits(S.plan, off + 1, 1, buf[off + 1]);
  t.text(f, off + 2, end - off - 2, text);
  // Wireshark names it for senders and receivers, not for the recipient of a report.
  if ((buf[off + 1] & 0x7f) === INTERNATIONAL && f !== S.ra) showE164Digits(t, buf, off + 2, end, text);
  t.pop();
  return end;
}

/** Seven octets of swapped digits: year, month, day, hour, minute, second, quarter hours from GMT. */
export function timeStamp(v: View, t: Tree, off: number, title: string): number {
  need(v, TIME, off);
  const { buf } = v;
  textItem(t, buf, off, off + TIME, title);
  t.push();
  [S.year, S.month, S.day, S.hour, S.minutes, S.seconds].forEach((f, i) => {
    t.num(f, off + i, 1, swapped(buf[off + i]));
  });
  const zone = buf[off + 6];
  const quarters = swapped(zone & 0xf7); // the sign is bit 3 of the tens: TS 23.040 §9.2.3.11
  t.num(S.zone, off + 6, 1, quarters);
  if (t.labels) {
    const sign = (zone & 8) !== 0 ? '-' : '+';
    t.label(`Timezone: GMT ${sign} ${quarters >> 2} hours ${15 * (quarters & 3)} minutes`);
  }
  t.pop();
  return off + TIME;
}

/** TP-Protocol-Identifier. TS 23.040 §9.2.3.9 */
export function protocolIdentifier(v: View, t: Tree, off: number): number {
  need(v, 1, off);
  const pid = u8(v.buf, off);
  t.num(S.pid, off, 1, pid);
  t.push();
  const form = pid >> 6;
  if (form < 2) t.bits(S.pidFormat, off, 1, pid);
  if (form === 0) {
    t.bits(S.telematic, off, 1, pid);
    t.bits((pid & 0x20) !== 0 ? S.device : S.smAl, off, 1, pid);
  } else if (form === 1) t.bits(S.pidMessage, off, 1, pid);
  else {
    t.bits(form === 2 ? S.pidReserved : S.pidCentre, off, 1, pid);
    t.bits(form === 2 ? S.pidUndefined : S.pidSpecific, off, 1, pid);
  }
  t.pop();
  return off + 1;
}

/** How user data is coded. */
export type Coding = 'septets' | 'octets' | 'ucs2' | 'compressed';

/** What a data coding scheme says; what is reserved counts as the default alphabet. TS 23.038 §4 */
export function codingOf(dcs: number): Coding {
  if (dcs < 0x80) {
    if ((dcs & 0x20) !== 0) return 'compressed';
    const set = (dcs >> 2) & 3;
    return set === 1 ? 'octets' : set === 2 ? 'ucs2' : 'septets';
  }
  if (dcs >= 0xf0) return (dcs & 4) !== 0 ? 'octets' : 'septets';
  return dcs >= 0xe0 ? 'ucs2' : 'septets';
}

/** TP-Data-Coding-Scheme. TS 23.040 §9.2.3.10 */
export function dataCodingScheme(v: View, t: Tree, off: number): number {
  need(v, 1, off);
  const dcs = u8(v.buf, off);
  t.num(S.dcs, off, 1, dcs);
  t.push();
  t.bits(dcs < 0x80 ? S.group2 : S.group4, off, 1, dcs);
  if (dcs === 0) t.none(S.default, off, 1);
  else if (dcs < 0x80)
    for (const f of [S.compressed, S.classDefined, S.characterSet, S.messageClass]) t.bits(f, off, 1, dcs);
  else if (dcs >= 0xf0) for (const f of [S.dcsReserved8, S.coding, S.messageClass]) t.bits(f, off, 1, dcs);
  else if (dcs >= 0xc0) for (const f of [S.sense, S.dcsReserved, S.waiting]) t.bits(f, off, 1, dcs);
  t.pop();
  return off + 1;
}

/** Octets of a validity period by the two bits that say its format. TS 23.040 §9.2.3.3 */
export const VALIDITY_OCTETS = [0, TIME, 1, TIME];

/** A relative validity period in words. TS 23.040 §9.2.3.12.1 */
function relative(value: number): string {
  if (value < 144) return `${Math.floor((value + 1) / 12)} hours ${((value + 1) % 12) * 5} minutes`;
  if (value < 168) return `${12 + Math.floor((value - 143) / 2)} hours ${((value - 143) % 2) * 30} minutes`;
  return value < 197 ? `${value - 166} day(s)` : `${value - 192} week(s)`;
}

/** TP-Validity-Period in the format that the first octet names. TS 23.040 §9.2.3.12 */
export function validityPeriod(v: View, t: Tree, off: number, format: number): number {
  if (format === 0) return off;
  const { buf } = v;
  if (format === 3) return timeStamp(v, t, off, 'TP-Validity-Period: absolute');
  need(v, VALIDITY_OCTETS[format], off);
  if (format === 2) {
    t.num(S.vp, off, 1, buf[off]);
    if (t.labels) t.label(`TP-Validity-Period: ${relative(buf[off])}`);
    return off + 1;
  }
  textItem(t, buf, off, off + TIME, 'TP-Validity-Period');
  t.push();
  enhanced(t, buf, off);
  t.pop();
  return off + TIME;
}

/** TS 23.040 §9.2.3.12.3 */
function enhanced(t: Tree, b: Uint8Array, off: number): void {
  const indicator = b[off];
  for (const f of [S.vpExtension, S.vpSingle, S.vpReserved, S.vpFormat]) t.bits(f, off, 1, indicator);
  if ((indicator & 0x80) !== 0) return; // what further indicators mean is not known yet
  const format = indicator & 7;
  if (format === 1 || format === 2) {
    t.num(S.vp, off + 1, 1, b[off + 1]);
    if (t.labels) t.label(`TP-Validity-Period: ${format === 1 ? relative(b[off + 1]) : `${b[off + 1]} seconds`}`);
  } else if (format === 3)
    [S.vpHour, S.vpMinutes, S.vpSeconds].forEach((f, i) => {
      t.num(f, off + 1 + i, 1, swapped(b[off + 1 + i]));
    });
}

/** TP-Status. TS 23.040 §9.2.3.15 */
export function status(v: View, t: Tree, off: number): number {
  need(v, 1, off);
  const value = u8(v.buf, off);
  textItem(t, v.buf, off, off + 1, 'TP-Status');
  t.push();
  t.bits(S.statusDefinition, off, 1, value);
  t.bits(S.statusError, off, 1, value);
  t.bits(S.statusReason, off, 1, value);
  if (t.labels) t.label(`Reason: ${statusReason(value)} (${value & 0x1f})`);
  t.pop();
  return off + 1;
}
