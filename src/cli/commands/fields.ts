import { dissectors } from '../../../dissectors/index.js';
import { Exit, UserError } from '../errors.js';
import { Output } from '../output.js';
import { suggest } from '../suggest.js';

/** `fttscope fields [PROTO]`: the catalogue, one field a line, columns divided by tabs. */
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
      near === undefined ? undefined : `did you mean ${near}?`,
    );
  }
  for (const d of [...dissectors].sort((a, b) => (a.proto < b.proto ? -1 : 1))) {
    if (proto !== undefined && d.proto !== proto) continue;
    out.write(`P\t${d.title}\t${d.proto}\t${d.spec}\n`);
    for (const f of Object.values(d.fields))
      if (f.type !== 'protocol') out.write(`F\t${f.label}\t${f.name}\t${f.type}\t${d.proto}\t${f.clause ?? ''}\n`);
  }
  out.flush();
  return Exit.done;
}
