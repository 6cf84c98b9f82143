import { dissectors } from '../../../dissectors/index.js';
import { engineFields } from '../../engine/dissect.js';
import type { Field } from '../../kit/index.js';
import { COLUMNS } from '../../report/columns.js';
import { Exit, UserError } from '../errors.js';
import { Output } from '../output.js';
import { suggest } from '../suggest.js';

/**
 * `fttscope fields [PROTO]`: the catalogue, one field a line, columns divided by tabs. Other names of a field follow those
 * of its protocol; what no protocol owns, and the columns that only `-e` knows, stand at the end.
 */
export async function fields(proto: string | undefined): Promise<number> {
  const out = new Output();
  if (proto !== undefined && !dissectors.some((d) => d.proto === proto)) {
    const near = suggest(
      proto,
      dissectors.map((d) => d.proto),
    );
    throw new UserError(
      `there is no protocol ${proto}`,
      Exit.usage,
      near === undefined ? 'fttscope fields lists them' : `did you mean ${near}?`,
    );
  }
  const listed = new Set<Field>();
  for (const d of [...dissectors].sort((a, b) => (a.proto < b.proto ? -1 : 1))) {
    if (proto !== undefined && d.proto !== proto) continue;
    const fields = Object.values(d.fields);
    if (fields.every((f) => listed.has(f)) && proto === undefined) continue; // another way to the same protocol
    for (const f of fields) listed.add(f);
    out.write(`P\t${d.title}\t${d.proto}\t${d.spec}\n`);
    const own = fields.filter((f) => f.type !== 'protocol');
    for (const f of own) out.write(line(f, f.name, d.proto));
    for (const [alias, f] of new Map(own.flatMap((x) => (x.aliases ?? []).map((name) => [name, x]))))
      out.write(line(f, alias, d.proto));
  }
  if (proto === undefined) {
    const known = new Set<string>(Object.values(engineFields).map((f) => f.name));
    for (const f of Object.values(engineFields)) out.write(line(f, f.name, parent(f.name)));
    for (const name of Object.keys(COLUMNS).filter((n) => !known.has(n)))
      out.write(`F\tColumn\t${name}\tstring\t${parent(name)}\tonly for -e\n`);
  }
  out.flush();
  return Exit.done;
}

const line = (f: Field, name: string, proto: string): string =>
  `F\t${f.label}\t${name}\t${f.type}\t${proto}\t${f.clause ?? ''}\n`;

const parent = (name: string): string => name.replace(/\.[^.]*\.?$/, '');
