import {
  type AnyDissector,
  type Dissector,
  defineDissector,
  need,
  type Track,
  type Tree,
  u8,
  type View,
} from 'fttscope/kit';
import { Concatenations, type Whole } from './concatenation.js';
import { I } from './element-fields.js';
import { S, SE } from './fields.js';
import {
  address,
  addressText,
  type Coding,
  codingOf,
  dataCodingScheme,
  protocolIdentifier,
  status,
  TIME,
  timeStamp,
  VALIDITY_OCTETS,
  validityPeriod,
} from './parts.js';
import { showUserData, type UserData, userData } from './user-data.js';
import { DOWN_TYPES, STATUS_ERRORS, statusReason, UP_TYPES } from './values.js';

/**
 * Transfer layer of short messages, 3GPP TS 23.040 §9.2.2, from the service centre to the phone ("down"):
 *
 *     DELIVER        MTI MMS … | OA | PID | DCS | SCTS (7) | UDL | UD
 *     SUBMIT-REPORT  MTI … | FCS (errors) | PI | SCTS | PID? | DCS? | UDL? | UD?
 *     STATUS-REPORT  MTI … | MR | RA | SCTS | DT (7) | ST | PI? | PID? | DCS? | UDL? | UD?
 *
 * and back ("up"):
 *
 *     SUBMIT         MTI RD VPF … | MR | DA | PID | DCS | VP (0, 1, 7) | UDL | UD
 *     DELIVER-REPORT MTI … | FCS (errors) | PI | PID? | DCS? | UDL? | UD?
 *     COMMAND        MTI … | MR | PID | CT | MN | DA | CDL | CD
 *
 * The same two bits name a type in each direction, so each direction is a dissector of its own.
 */
const UDHI = 0x40;
const EXTENSION = 0x80;
/** Parts that the parameter indicator announces. TS 23.040 §9.2.3.27 */
const HAS_PID = 1;
const HAS_DCS = 2;
const HAS_UDL = 4;

const MTI_DELIVER = 0;
const MTI_SUBMIT = 1;
const MTI_STATUS = 2;
const MTI_COMMAND = 2;
const MTI_RESERVED = 3;

const hasHeader = (v: View): boolean => (v.buf[v.off] & UDHI) !== 0;

function deliver(v: View, t: Tree, whole: Whole | undefined): number {
  const { buf, off } = v;
  const first = u8(buf, off);
  for (const f of [S.rp, S.udhi, S.sri, S.lp, S.mms, S.mtiDown]) t.bits(f, off, 1, first);
  let at = address(v, t, off + 1, 'TP-Originating-Address', S.oa);
  at = protocolIdentifier(v, t, at);
  const coding = codingAt(v, at);
  at = dataCodingScheme(v, t, at);
  at = timeStamp(v, t, at, 'TP-Service-Centre-Time-Stamp');
  return showUserData(v, t, at, coding, hasHeader(v), whole);
}

function submit(v: View, t: Tree, whole: Whole | undefined): number {
  const { buf, off } = v;
  const first = u8(buf, off);
  for (const f of [S.rp, S.udhi, S.srr, S.vpf, S.rd, S.mtiUp]) t.bits(f, off, 1, first);
  let at = reference(v, t, off + 1);
  at = address(v, t, at, 'TP-Destination-Address', S.da);
  at = protocolIdentifier(v, t, at);
  const coding = codingAt(v, at);
  at = dataCodingScheme(v, t, at);
  at = validityPeriod(v, t, at, (first >> 3) & 3);
  return showUserData(v, t, at, coding, hasHeader(v), whole);
}

function codingAt(v: View, off: number): Coding {
  need(v, 1, off);
  return codingOf(v.buf[off]);
}

/** TP-Message-Reference. */
function reference(v: View, t: Tree, off: number): number {
  need(v, 1, off);
  t.num(S.mr, off, 1, u8(v.buf, off));
  return off + 1;
}

function statusReport(v: View, t: Tree): number {
  const { buf, off } = v;
  const first = u8(buf, off);
  for (const f of [S.udhi, S.srq, S.lp, S.mms, S.mtiDown]) t.bits(f, off, 1, first);
  let at = reference(v, t, off + 1);
  at = address(v, t, at, 'TP-Recipient-Address', S.ra);
  at = timeStamp(v, t, at, 'TP-Service-Centre-Time-Stamp');
  at = timeStamp(v, t, at, 'TP-Discharge-Time');
  at = status(v, t, at);
  if (at >= v.wireEnd) return at;
  const present = u8(buf, at);
  return optional(v, t, indicator(v, t, at), present);
}

function command(v: View, t: Tree): number {
  const { buf, off } = v;
  const first = u8(buf, off);
  for (const f of [S.udhi, S.srr, S.mtiUp]) t.bits(f, off, 1, first);
  let at = protocolIdentifier(v, t, reference(v, t, off + 1));
  need(v, 2, at);
  t.num(S.commandType, at, 1, u8(buf, at));
  t.num(S.messageNumber, at + 1, 1, u8(buf, at + 1));
  at = address(v, t, at + 2, 'TP-Destination-Address', S.da);
  need(v, 1, at);
  const n = u8(buf, at);
  t.num(S.commandLength, at, 1, n);
  need(v, n, at + 1);
  if (n > 0) t.none(S.commandData, at + 1, n);
  return at + 1 + n;
}

/** DELIVER-REPORT and SUBMIT-REPORT. */
function report(v: View, t: Tree, up: boolean): number {
  const { buf, off } = v;
  t.bits(S.udhi, off, 1, u8(buf, off));
  t.bits(up ? S.mtiUp : S.mtiDown, off, 1, u8(buf, off));
  let at = off + 1;
  need(v, 1, at);
  if (u8(buf, at) >= EXTENSION) t.num(S.fcs, at, 1, u8(buf, at++)); // errors alone have a cause: §9.2.2.1a (i)
  need(v, 1, at);
  const present = u8(buf, at);
  at = indicator(v, t, at);
  if (!up) at = timeStamp(v, t, at, 'TP-Service-Centre-Time-Stamp');
  return optional(v, t, at, present);
}

/** TP-Parameter-Indicator with its extensions. */
function indicator(v: View, t: Tree, off: number): number {
  let at = off;
  for (let more = true; more; at++) {
    need(v, 1, at);
    const bits = u8(v.buf, at);
    t.num(S.indicator, at, 1, bits);
    t.push();
    for (const f of [S.indicatorExtension, S.indicatorReserved, S.udlPresent, S.dcsPresent, S.pidPresent])
      t.bits(f, at, 1, bits);
    t.pop();
    more = (bits & EXTENSION) !== 0;
  }
  return at;
}

function optional(v: View, t: Tree, off: number, present: number): number {
  let at = off;
  if ((present & HAS_PID) !== 0) at = protocolIdentifier(v, t, at);
  let coding: Coding = 'septets'; // without TP-DCS: TS 23.040 §9.2.3.27
  if ((present & HAS_DCS) !== 0) {
    coding = codingAt(v, at);
    at = dataCodingScheme(v, t, at);
  }
  return (present & HAS_UDL) !== 0 ? showUserData(v, t, at, coding, hasHeader(v)) : at;
}

function dissect(v: View, t: Tree, up: boolean, whole: Whole | undefined): number {
  need(v, 1);
  const mti = u8(v.buf, v.off) & 3;
  t.open(S.sms, v.off, v.length);
  if (t.labels) t.label(`${S.sms.label} ${(up ? UP_TYPES : DOWN_TYPES)[mti]}`);
  let end = v.end;
  if (mti === MTI_RESERVED) {
    t.bits(up ? S.mtiUp : S.mtiDown, v.off, 1, u8(v.buf, v.off));
    t.expert(SE.reserved);
  } else if (mti === MTI_STATUS) end = up ? command(v, t) : statusReport(v, t);
  else if ((mti === MTI_SUBMIT) === up) end = up ? submit(v, t, whole) : deliver(v, t, whole);
  else end = report(v, t, up);
  t.pop();
  return end;
}

/** Octets of a message of which a summary shows the text. */
const SHOWN = 160;

function described(u: UserData): string {
  const part = u.part === undefined ? '' : ` (part ${u.part.part} of ${u.part.parts})`;
  if (u.text === undefined) return `${part}: ${u.end - u.headerEnd} octets`;
  return `${part}: ${u.text.length > SHOWN ? `${u.text.slice(0, SHOWN)}…` : u.text}`;
}

/** The message in a SUBMIT or DELIVER: who it goes to or comes from, and what it says. @throws Short */
function messageOf(v: View, up: boolean): { peer: string; data: UserData } | undefined {
  const { buf, off } = v;
  if ((buf[off] & 3) !== (up ? MTI_SUBMIT : MTI_DELIVER)) return undefined;
  const { text, end } = addressText(v, off + (up ? 2 : 1));
  need(v, 2, end);
  const at = end + 2 + (up ? VALIDITY_OCTETS[(buf[off] >> 3) & 3] : TIME);
  return { peer: text, data: userData(v, at, codingOf(buf[end + 1]), hasHeader(v)) };
}

function track(d: AnyDissector, v: View, cx: Track, up: boolean): void {
  const m = messageOf(v, up);
  if (m?.data.part === undefined) return;
  const whole = cx.scope(d, () => new Concatenations()).add(v.buf, m.data, m.peer, cx);
  if (whole !== undefined) cx.note(whole);
}

/**
 * A TPDU in a few words: who it comes from or goes to, and its text, or what a report says.
 * @throws Short
 */
export function tpduSummary(v: View, up: boolean): string {
  need(v, 1);
  const { buf, off } = v;
  const mti = buf[off] & 3;
  const name = (up ? UP_TYPES : DOWN_TYPES)[mti];
  const m = messageOf(v, up);
  if (m !== undefined) return `${name} ${up ? 'to' : 'from'} ${m.peer}${described(m.data)}`;
  if (!up && mti === MTI_STATUS) {
    const { text, end } = addressText(v, off + 2);
    need(v, 1, end + 2 * TIME);
    const st = buf[end + 2 * TIME];
    return `${name} for ${text}: ${st >= EXTENSION ? 'reserved' : `${statusReason(st)} (${STATUS_ERRORS[st >> 5]})`}`;
  }
  if (up && mti === MTI_COMMAND) need(v, 4);
  return name;
}

const SHARED = {
  title: 'GSM SMS TPDU (GSM 03.40)',
  short: 'GSM SMS',
  spec: '3GPP TS 23.040 §9.2.2',
  fields: { ...S, ...I },
  experts: SE,
  serves: {
    fields: [
      ...[S.fragments, S.fragment, S.fragmentError, S.overlap, S.conflict, S.fragmentCount, S.reassembledLength],
      ...[S.text, S.body, S.compressedData],
    ],
  },
} as const;

/** From the service centre to the phone. */
export const gsmSms: Dissector = defineDissector({
  proto: 'gsm_sms',
  ...SHARED,
  on: { 'gsm_a.rp.tpdu': ['down'] },
  track: (v, cx) => track(gsmSms, v, cx, false),
  dissect(v, t, cx) {
    dissect(v, t, false, cx.note<Whole>(gsmSms, v));
  },
});

/** From the phone to the service centre. */
export const gsmSmsUp: Dissector = defineDissector({
  proto: 'gsm_sms_up',
  layer: 'gsm_sms',
  ...SHARED,
  on: { 'gsm_a.rp.tpdu': ['up'] },
  track: (v, cx) => track(gsmSmsUp, v, cx, true),
  dissect(v, t, cx) {
    dissect(v, t, true, cx.note<Whole>(gsmSmsUp, v));
  },
});
