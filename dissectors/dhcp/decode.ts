/** Shows options: the node of each, and its value by {@link OPTIONS} or by a function of its own. */
import { i32, ip4, Malformed, Short, type Tree, u16, u32, type View } from 'fttscope/kit';
import * as client from './client.js';
import { E } from './experts.js';
import { F } from './fields.js';
import { END, MESSAGE_TYPE, OPTIONS, type OptionType, OVERLOAD, optionName, PAD } from './options.js';
import * as relay from './relay.js';
import * as service from './service.js';
import { durationText, putAscii } from './text.js';
import { MESSAGE_TYPES } from './values.js';
import { FILE, joined, type Overview, optionEnd, SNAME } from './walk.js';

const INFINITE = 0xffffffff;

/** Shows one value at a time; `done` counts how many options of a code that is joined were shown. */
export interface Showing {
  readonly v: View;
  readonly overview: Overview;
  readonly done: Map<number, number>;
}

type Show = (t: Tree, b: Uint8Array, off: number, end: number) => void;

/** Options whose values have a format of their own, and whose octets the tree does not show besides. */
const SHOWN: Readonly<Record<number, Show>> = {
  21: (t, _, off, end) => service.pairs(t, off, end, F.policyIp, F.policyMask),
  33: (t, _, off, end) => service.pairs(t, off, end, F.staticIp, F.staticRouter),
  43: (t, _, off, end) => t.bytes(F.vendorValue, off, end - off),
  53: (t, b, off, end) => {
    if (end === off) throw new Short(1, 0, off, false);
    t.num(F.messageType, off, 1, b[off]);
  },
  55: client.requestList,
  61: client.clientId,
  77: client.userClass,
  78: (t, b, off, end) => {
    if (end === off) return t.expert(E.badLength, "length isn't >= 1");
    t.num(F.slpAgent, off, 1, b[off]);
    service.addresses(t, F.slpAddress, off + 1, end);
  },
  79: (t, b, off, end) => {
    if (end === off) return t.expert(E.badLength, "length isn't >= 1");
    t.num(F.slpScope, off, 1, b[off]);
    putAscii(t, F.slpScopeText, b, off + 1, end);
  },
  81: client.clientFqdn,
  82: relay.relayInformation,
  85: (t, _, off, end) => service.addresses(t, F.novellDssIp, off, end),
  90: client.authentication,
  93: client.architecture,
  94: client.networkInterface,
  97: client.machineId,
  99: service.civicLocation,
  117: client.nameServices,
  121: service.classlessRoutes,
  124: relay.vendorClass,
  125: relay.vendorInformation,
  145: (t, b, off, end) => {
    for (let i = off; i < end; i++) t.num(F.nonceAlgorithm, i, 1, b[i]);
  },
  146: service.rdnssSelection,
  151: service.leaseStatus,
  152: (t, b, off, end) => service.leaseTime(t, F.leaseBaseTime, b, off, end),
  154: (t, b, off, end) => service.leaseTime(t, F.leaseQueryStart, b, off, end),
  155: (t, b, off, end) => service.leaseTime(t, F.leaseQueryEnd, b, off, end),
  158: service.pcpServers,
  159: service.portParameters,
  212: service.sixRd,
  249: service.classlessRoutes,
};

/**
 * Shows the options in `[off, end)` up to End.
 * @returns the offset after End, or -1 where End is missing
 */
export function showOptions(s: Showing, t: Tree, off: number, end: number): number {
  const b = s.v.buf;
  let at = off;
  while (at < end) {
    const code = b[at];
    if (code === PAD) {
      at = padding(t, b, at, end);
    } else if (code === END) {
      t.num(F.option, at, 1, 0); // Wireshark gives this line the type of padding
      if (t.labels) t.label('Option: (255) End');
      t.push();
      t.num(F.end, at, 1, code);
      t.pop();
      return at + 1;
    } else at = option(s, t, at);
  }
  return -1;
}

function padding(t: Tree, b: Uint8Array, off: number, end: number): number {
  let at = off;
  while (at < end && b[at] === PAD) at++;
  t.num(F.option, off, 1, PAD);
  if (t.labels) t.label('Option: (0) Padding');
  t.push();
  t.bytes(F.padding, off, at - off);
  t.pop();
  return at;
}

function option(s: Showing, t: Tree, at: number): number {
  const b = s.v.buf;
  const code = b[at];
  const end = optionEnd(s.v, at);
  t.num(F.option, at, end - at, code);
  if (t.labels) t.label(optionLabel(b, code, at + 2, Math.min(end, s.v.end)));
  t.push();
  t.num(F.optionLength, at + 1, 1, end - at - 2);
  if (end > s.v.end) throw new Short(end - at, s.v.end - at, at - s.v.source.start, end <= s.v.wireEnd);
  const { level } = t;
  try {
    value(s, t, code, at + 2, end);
  } catch (e) {
    if (!(e instanceof Malformed || (e instanceof Short && !e.cut))) throw e;
    t.level = level; // what it holds ends with it: the options behind it are read all the same
    t.expert(E.badLength, `Option ${code}: ${e.message}`);
  }
  t.pop();
  return end;
}

function optionLabel(b: Uint8Array, code: number, off: number, end: number): string {
  const name = `Option: (${code}) ${optionName(code)}`;
  if (code === MESSAGE_TYPE && off < end) return `${name} (${messageTypeName(b[off])})`;
  return OPTIONS[code]?.kind === 'ip' && end - off === 4 ? `${name} (${ip4(b, off)})` : name;
}

/** Name of a value of option 53, in the words of Wireshark. */
export const messageTypeName = (type: number): string =>
  MESSAGE_TYPES[type] ?? `Unknown Message Type (0x${type.toString(16).padStart(2, '0')})`;

function value(s: Showing, t: Tree, code: number, off: number, end: number): void {
  const b = s.v.buf;
  const show = SHOWN[code];
  const type = OPTIONS[code];
  const plain = show === undefined && (type?.kind === undefined || !fits(type, end - off)) && !isOwn(code);
  t.bytes(plain ? F.value : F.hiddenValue, off, end - off);
  if (code === OVERLOAD) overload(s, t, off, end);
  else if (code === 25) {
    if (!service.plateaus(t, b, off, end)) t.expert(E.badLength, "Option length isn't a multiple of 2");
  } else if (code === 119 || code === 120 || (s.overview.counts.get(code) ?? 0) > 1) long(s, t, code, off, end);
  else if (show !== undefined) show(t, b, off, end);
  else if (type?.kind !== undefined) simple(t, b, type, off, end);
}

/** Codes that {@link value} shows by itself. */
const isOwn = (code: number): boolean => code === OVERLOAD || code === 25 || code === 119 || code === 120;

/** Options that may be split: the last one shows the value of all. RFC 3396 */
function long(s: Showing, t: Tree, code: number, off: number, end: number): void {
  const count = s.overview.counts.get(code) ?? 1;
  const nth = (s.done.get(code) ?? 0) + 1;
  s.done.set(code, nth);
  if (count > 1 && (code === 119 || code === 120)) {
    t.text(code === 119 ? F.searchLong : F.sipLong, off, end - off, `${nth}/${count}`);
    if (nth < count) t.text(code === 119 ? F.searchRefer : F.sipRefer, off, end - off, `${count}/${count}`);
  }
  if (nth < count) return;
  const b = count > 1 ? joined(s.v, s.overview, code) : s.v.buf;
  const from = count > 1 ? 0 : off;
  const to = count > 1 ? b.length : end;
  if (code === 119) service.searchList(t, { b, off: from, end: to, joined: count > 1, at: off });
  else if (code === 120) service.sipServers(t, { b, off: from, end: to, joined: count > 1, at: off });
  else service.joinedRoutes(t, { b, off: from, end: to, joined: count > 1, at: off });
}

/** Option 52, and the options in the fields that it names. RFC 2132 §9.3 */
function overload(s: Showing, t: Tree, off: number, end: number): void {
  if (end === off) {
    t.expert(E.badLength, "length isn't >= 1");
    return;
  }
  const which = s.v.buf[off];
  t.num(F.overload, off, 1, which);
  if (which > 3 || end - off !== 1) return;
  t.push();
  if ((which & 2) !== 0) {
    const from = s.v.off + SNAME.off;
    if (showOptions(s, t, from, from + SNAME.len) < 0) t.expert(E.nameEndMissing);
  }
  if ((which & 1) !== 0) {
    const from = s.v.off + FILE.off;
    if (showOptions(s, t, from, from + FILE.len) < 0) t.expert(E.fileEndMissing);
  }
  t.pop();
}

const WIDTH = { ip: 4, u8: 1, u16: 2, secs: 4, isecs: 4, bool: 1 } as const;

/** Whether a value of `n` octets can be what the option's type says. */
function fits(type: OptionType, n: number): boolean {
  if (type.kind === 'text' || type.kind === 'ips') return true;
  return type.kind !== undefined && n === WIDTH[type.kind];
}

function simple(t: Tree, b: Uint8Array, type: OptionType, off: number, end: number): void {
  const { kind, field } = type;
  if (kind === undefined || field === undefined) return;
  if (kind === 'ips') service.addresses(t, field, off, end);
  else if (!fits(type, end - off)) {
    t.expert(E.badLength, `length isn't ${WIDTH[kind as 'ip']}`);
  } else if (kind === 'ip') t.bytes(field, off, 4);
  else if (kind === 'text') putAscii(t, field, b, off, end);
  else if (kind === 'u16') t.num(field, off, 2, u16(b, off));
  else if (kind === 'u8' || kind === 'bool') t.num(field, off, 1, b[off]);
  else {
    const seconds = kind === 'isecs' ? i32(b, off) : u32(b, off);
    t.num(field, off, 4, seconds);
    if (t.labels) t.label(`${field.label}: (${seconds}s) ${seconds === INFINITE ? 'infinity' : durationText(seconds)}`);
  }
}
