import { dissectors } from '../../../dissectors/index.js';
import { engineFields } from '../../engine/dissect.js';
import type { Field } from '../../kit/index.js';
import { COLUMNS } from '../../report/columns.js';
import { Exit, UserError } from '../errors.js';
import { Output } from '../output.js';
import { suggest } from '../suggest.js';

/** A line of the catalogue: a protocol, or a field of it. */
interface Line {
  readonly proto: string;
  /** Name of the field; that of the protocol on the line of it. */
  readonly name: string;
  readonly text: string;
}

/**
 * `fttscope fields [NAME]`: the catalogue, one field a line, columns divided by tabs: all of it, a protocol, or a field.
 * Other names of a field follow those of its protocol; what no protocol owns, and the columns that only `-e` knows, stand
 * at the end.
 */
export async function fields(name: string | undefined): Promise<number> {
  const lines = [...catalogue(name)];
  const ofProtocol = lines.filter((l) => l.proto === name);
  const meant = name === undefined ? lines : ofProtocol.length > 0 ? ofProtocol : lines.filter((l) => l.name === name);
  if (name !== undefined && meant.length === 0) {
    const protocols = dissectors.map((d) => d.proto);
    const near = suggest(name, protocols) ?? suggest(name, new Set(lines.map((l) => l.name)));
    throw new UserError(
      `there is no protocol and no field ${name}`,
      Exit.usage,
      near === undefined ? 'fttscope fields lists them' : `did you mean ${near}?`,
    );
  }
  const out = new Output();
  for (const { text } of meant) out.write(`${text}\n`);
  out.flush();
  return Exit.done;
}

/** All lines; where several dissectors have the same fields these stand there once, and of the one that is `wanted`. */
function* catalogue(wanted: string | undefined): Generator<Line> {
  const listed = new Set<Field>();
  for (const d of [...dissectors].sort((a, b) => (a.proto < b.proto ? -1 : 1))) {
    const fields = Object.values(d.fields);
    if (fields.every((f) => listed.has(f)) && d.proto !== wanted) continue; // another way to the same protocol
    for (const f of fields) listed.add(f);
    yield { proto: d.proto, name: d.proto, text: `P\t${d.title}\t${d.proto}\t${d.spec}` };
    const own = fields.filter((f) => f.type !== 'protocol');
    for (const f of own) yield line(f, f.name, d.proto);
    for (const [alias, f] of new Map(own.flatMap((x) => (x.aliases ?? []).map((name) => [name, x]))))
      yield line(f, alias, d.proto);
  }
  const known = new Set<string>(Object.values(engineFields).map((f) => f.name));
  for (const f of Object.values(engineFields)) yield line(f, f.name, parent(f.name));
  for (const name of Object.keys(COLUMNS).filter((n) => !known.has(n)))
    yield { proto: parent(name), name, text: `F\tColumn\t${name}\tstring\t${parent(name)}\tonly for -e` };
}

const line = (f: Field, name: string, proto: string): Line => ({
  proto,
  name,
  text: `F\t${f.label}\t${name}\t${f.type}\t${proto}\t${f.clause ?? ''}`,
});

const parent = (name: string): string => name.replace(/\.[^.]*\.?$/, '');
