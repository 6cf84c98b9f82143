/** Records in a few words: for their line in the tree, and for the Info column. */
import { ip4, ip6, Short, u16, utf8Text, type View } from 'fttscope/kit';
import { escapeControls, readName } from './names.js';
import { typeName } from './records.js';

/** Types of which the Info column names the owner, as Wireshark does. */
const OWNER = new Set([3, 4, 7, 8, 9, 10, 14, 17, 18, 19, 20, 21, 22, 23, 26, 27, 42, 49, 51, 52, 55]);

/** What a record says. */
export interface Gist {
  /** For the Info column; '' where the type alone is named. */
  readonly info: string;
  /** For the line of the record: `, addr 192.0.2.1`. */
  readonly line: string;
}

const NOTHING: Gist = { info: '', line: '' };

/** The gist of the data `[off, end)` of a record. @throws Short, Malformed */
export function gist(v: View, base: number, type: number, off: number, end: number, owner: string): Gist {
  if (OWNER.has(type)) return { info: owner, line: '' };
  const b = v.buf;
  const stop = Math.min(end, v.end);
  const need = (n: number): void => {
    if (off + n > stop) throw new Short(n, Math.max(0, stop - off), off - v.source.start, false);
  };
  const name = (at: number): string => escapeControls(readName(b, at, v.end, base).text);
  const named = (what: string, at: number): Gist => {
    const text = name(at);
    return { info: text, line: `, ${what}${text}` };
  };
  switch (type) {
    case 1:
    case 11:
      need(4);
      return { info: ip4(b, off), line: `, addr ${ip4(b, off)}` };
    case 28:
      need(16);
      return { info: ip6(b, off), line: `, addr ${ip6(b, off)}` };
    case 2:
      return named('ns ', off);
    case 5:
      return named('cname ', off);
    case 6:
      return named('mname ', off);
    case 12:
      return named('', off);
    case 30:
    case 47:
      return named('next domain name ', off);
    case 39:
      return named('dname ', off);
    case 15:
    case 36: {
      need(2);
      const target = name(off + 2);
      const what = type === 15 ? 'mx' : 'kx';
      return { info: `${u16(b, off)} ${target}`, line: `, preference ${u16(b, off)}, ${what} ${target}` };
    }
    case 33: {
      need(6);
      const [priority, weight, port] = [u16(b, off), u16(b, off + 2), u16(b, off + 4)];
      const target = name(off + 6);
      return {
        info: `${priority} ${weight} ${port} ${target}`,
        line: `, priority ${priority}, weight ${weight}, port ${port}, target ${target}`,
      };
    }
    case 35: {
      need(5);
      const flags = utf8Text(b, off + 5, Math.min(stop, off + 5 + b[off + 4]));
      const [order, preference] = [u16(b, off), u16(b, off + 2)];
      return {
        info: `${order} ${preference} ${flags}`,
        line: `, order ${order}, preference ${preference}, flags ${flags}`,
      };
    }
    case 13: {
      const cpu = string(b, off, stop);
      const os = string(b, off + 1 + cpu.length, stop);
      return { info: `${cpu.text} ${os.text}`, line: `, CPU ${cpu.text}, OS ${os.text}` };
    }
    case 38: {
      need(1);
      const n = b[off] > 128 ? 0 : 16 - (b[off] >> 3);
      need(1 + n);
      const suffix = new Uint8Array(16);
      suffix.set(b.subarray(off + 1, off + 1 + n), 16 - n);
      const text = `${b[off]} ${ip6(suffix, 0)} ${off + 1 + n < stop ? name(off + 1 + n) : ''}`;
      return { info: text, line: `, addr ${text}` };
    }
    case 65282:
      need(12);
      return named('name result domain ', off + 12);
    default:
      return NOTHING;
  }
}

function string(b: Uint8Array, off: number, end: number): { text: string; length: number } {
  const length = off < end ? b[off] : 0;
  return { text: utf8Text(b, Math.min(end, off + 1), Math.min(end, off + 1 + length)), length };
}

/** A record in the Info column. */
export function infoPart(type: number, flush: boolean, g: Gist): string {
  return `${typeName(type)}${flush ? ', cache flush' : ''}${g.info === '' ? '' : ` ${g.info}`}`;
}
