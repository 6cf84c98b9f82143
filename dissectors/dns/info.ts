/** Records in a few words: for their line in the tree, and for the Info column. */
import { ip4, ip6, isDamage, Short, u16, utf8Text, type View } from 'fttscope/kit';
import { escapeControls, readName } from './names.js';
import { typeName } from './records.js';

/** What a record says. */
export interface Gist {
  /** For the Info column; '' where the type alone is named. */
  readonly info: string;
  /** For the line of the record: `, addr 192.0.2.1`. */
  readonly line: string;
}

/** A record's data for reading. */
class Data {
  constructor(
    readonly v: View,
    /** Where the header of the message begins. */
    readonly base: number,
    readonly off: number,
    readonly end: number,
  ) {}

  get b(): Uint8Array {
    return this.v.buf;
  }
  /** Demands `n` octets. @throws Short */
  need(n: number): void {
    const have = this.end - this.off;
    if (n > have) throw new Short(n, Math.max(0, have), this.off - this.v.source.start, false);
  }
  u16(at: number): number {
    return u16(this.b, this.off + at);
  }
  name(at: number): string {
    return escapeControls(readName(this.b, this.off + at, this.v.end, this.base).text);
  }
  /** The character string at `at`. RFC 1035 §3.3 */
  string(at: number): { text: string; next: number } {
    this.need(at + 1);
    const n = this.b[this.off + at];
    const from = this.off + at + 1;
    return { text: utf8Text(this.b, from, Math.min(this.end, from + n)), next: at + 1 + n };
  }
}

const address = (d: Data): Gist => {
  d.need(4);
  const text = ip4(d.b, d.off);
  return { info: text, line: `, addr ${text}` };
};

const named =
  (what: string, at = 0) =>
  (d: Data): Gist => {
    d.need(at + 1);
    const text = d.name(at);
    return { info: text, line: `, ${what}${text}` };
  };

const preferred =
  (what: string) =>
  (d: Data): Gist => {
    d.need(2);
    const target = d.name(2);
    return { info: `${d.u16(0)} ${target}`, line: `, preference ${d.u16(0)}, ${what} ${target}` };
  };

const GISTS: Readonly<Record<number, (d: Data) => Gist>> = {
  1: address,
  2: named('ns '),
  5: named('cname '),
  6: named('mname '),
  11: address,
  12: named(''),
  13: (d) => {
    const cpu = d.string(0);
    const os = d.string(cpu.next);
    return { info: `${cpu.text} ${os.text}`, line: `, CPU ${cpu.text}, OS ${os.text}` };
  },
  15: preferred('mx'),
  28: (d) => {
    d.need(16);
    const text = ip6(d.b, d.off);
    return { info: text, line: `, addr ${text}` };
  },
  30: named('next domain name '),
  33: (d) => {
    d.need(6);
    const [priority, weight, port] = [d.u16(0), d.u16(2), d.u16(4)];
    const target = d.name(6);
    return {
      info: `${priority} ${weight} ${port} ${target}`,
      line: `, priority ${priority}, weight ${weight}, port ${port}, target ${target}`,
    };
  },
  35: (d) => {
    const flags = d.string(4).text;
    const [order, preference] = [d.u16(0), d.u16(2)];
    return {
      info: `${order} ${preference} ${flags}`,
      line: `, order ${order}, preference ${preference}, flags ${flags}`,
    };
  },
  36: preferred('kx'),
  38: (d) => {
    d.need(1);
    const bits = d.b[d.off];
    const n = bits > 128 ? 0 : 16 - (bits >> 3);
    d.need(1 + n);
    const suffix = new Uint8Array(16);
    suffix.set(d.b.subarray(d.off + 1, d.off + 1 + n), 16 - n);
    const text = `${bits} ${ip6(suffix, 0)} ${d.off + 1 + n < d.end ? d.name(1 + n) : ''}`;
    return { info: text, line: `, addr ${text}` };
  },
  39: named('dname '),
  47: named('next domain name '),
  65282: named('name result domain ', 12),
};

/** Types of which the Info column names the owner, as Wireshark does. */
const OWNER = new Set([3, 4, 7, 8, 9, 10, 14, 17, 18, 19, 20, 21, 22, 23, 26, 27, 42, 49, 51, 52, 55]);

/** The gist of the data `[off, end)` of a record. @throws Short, Malformed */
function gist(v: View, base: number, type: number, off: number, end: number, owner: string): Gist {
  if (OWNER.has(type)) return { info: owner, line: '' };
  return GISTS[type]?.(new Data(v, base, off, Math.min(end, v.end))) ?? { info: '', line: '' };
}

/** The gist of a record of the message `m`, nothing where its data cannot be read. */
export function gistOf(m: View, type: number, off: number, end: number, name: string): Gist {
  if (end === off) return { info: '', line: '' };
  try {
    return gist(m, m.off, type, off, end, name);
  } catch (e) {
    if (!isDamage(e)) throw e;
    return { info: '', line: '' };
  }
}

/** A record in the Info column. */
export function infoPart(type: number, flush: boolean, g: Gist): string {
  return `${typeName(type)}${flush ? ', cache flush' : ''}${g.info === '' ? '' : ` ${g.info}`}`;
}
