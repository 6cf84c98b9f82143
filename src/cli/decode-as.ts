import type { Registry } from '../engine/registry.js';
import { Exit, UserError } from './errors.js';
import { suggest } from './suggest.js';

const FORM = 'a rule looks like tcp.port==8443,tls or udp.port==5062-5070,sip';

/** Tables whose keys are numbers, those of this run's rules among them. */
const numbered = (registry: Registry): string[] =>
  [...registry.entries()]
    .filter(([, keys]) => [...keys.keys()].every((k) => typeof k === 'number'))
    .map(([name]) => name);

const meant = (typed: string, names: Iterable<string>): string | undefined => {
  const near = suggest(typed, names);
  return near === undefined ? undefined : `did you mean ${near}?`;
};

/** Applies tshark's `-d tcp.port==8443,tls` rules. @throws UserError that says what is wrong with a rule */
export function applyDecodeAs(registry: Registry, rules: readonly string[]): void {
  for (const rule of rules) {
    const m = /^([a-z0-9_.]+)==(0x[0-9a-f]+|\d+)(?:-(\d+))?,([a-z0-9_.-]+)$/i.exec(rule.replaceAll(' ', ''));
    if (m === null) throw new UserError(`-d ${rule}: not a rule`, Exit.usage, FORM);
    const [, table, from, to, proto] = m;
    const tables = numbered(registry);
    if (!tables.includes(table))
      throw new UserError(
        `-d ${rule}: packets are not told apart by ${table}`,
        Exit.usage,
        meant(table, tables) ?? FORM,
      );
    const d = registry.byProto(proto === 'ssl' ? 'tls' : proto);
    if (d === undefined)
      throw new UserError(
        `-d ${rule}: there is no protocol ${proto}`,
        Exit.usage,
        meant(proto, registry.protocols()) ?? 'fttscope -G protocols lists them',
      );
    const first = Number(from);
    const last = to === undefined ? first : Number(to);
    if (last - first > 65_535) throw new UserError(`-d ${rule}: too many ports`, Exit.usage);
    for (let key = first; key <= last; key++) registry.assign(table, key, d);
  }
}
