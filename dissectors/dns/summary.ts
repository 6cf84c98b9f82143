import { isDamage, need, u16, type View } from 'fttscope/kit';
import { gistOf, infoPart } from './info.js';
import { HEADER, opcode, response, TOP_BIT } from './message.js';
import { escapeControls, readName } from './names.js';
import { typeName } from './records.js';
import { OPCODES, RCODES } from './values.js';

/** The Info column: operation, identifier, error, questions and records, as far as they can be read. */
export function summary(multicast: boolean, m: View): string {
  if (m.length < 4) return '';
  const flags = u16(m.buf, m.off + 2);
  let s = OPCODES[opcode(flags)] ?? `Unknown operation (${opcode(flags)})`;
  if (response(flags)) s += ' response';
  s += ` 0x${u16(m.buf, m.off).toString(16).padStart(4, '0')}`;
  const rcode = flags & 15;
  if (response(flags) && rcode !== 0) s += ` ${RCODES[rcode] ?? `Unknown error (${rcode})`}`;
  if (m.length < HEADER) return s;
  const parts: string[] = [];
  try {
    describe(multicast, m, parts);
  } catch (e) {
    if (!isDamage(e)) throw e;
  }
  return [s, ...parts].join(' ');
}

/** Most records that the Info column names. */
const MOST_DESCRIBED = 100;

function describe(multicast: boolean, m: View, parts: string[]): void {
  const { buf, off } = m;
  let at = off + HEADER;
  const questions = u16(buf, off + 4);
  for (let n = questions; n > 0 && parts.length < MOST_DESCRIBED; n--) {
    const name = readName(buf, at, m.end, off);
    need(m, 4, name.end);
    const unicast = (u16(buf, name.end + 2) & TOP_BIT) !== 0;
    const asked = multicast ? `, "Q${unicast ? 'U' : 'M'}" question` : '';
    parts.push(`${typeName(u16(buf, name.end))} ${escapeControls(name.text)}${asked}`);
    at = name.end + 4;
  }
  const records = u16(buf, off + 6) + u16(buf, off + 8) + u16(buf, off + 10);
  for (let n = records; n > 0 && parts.length < MOST_DESCRIBED; n--) {
    const name = readName(buf, at, m.end, off);
    need(m, 10, name.end);
    const type = u16(buf, name.end);
    const end = name.end + 10 + u16(buf, name.end + 8);
    const flush = multicast && (u16(buf, name.end + 2) & TOP_BIT) !== 0;
    parts.push(infoPart(type, flush, gistOf(m, type, name.end + 10, end, escapeControls(name.text))));
    at = end;
  }
  if (questions + records > MOST_DESCRIBED) parts.push('…');
}
