import type { Registry } from '../engine/registry.js';
import { Exit, UserError } from './errors.js';

/** Applies tshark's `-d tcp.port==8443,tls` rules. @throws UserError that says what is wrong with a rule */
export function applyDecodeAs(registry: Registry, rules: readonly string[]): void {
  for (const rule of rules) {
    const m = /^([a-z0-9_.]+)==(0x[0-9a-f]+|\d+)(?:-(\d+))?,([a-z0-9_.-]+)$/i.exec(rule.replaceAll(' ', ''));
    if (m === null)
      throw new UserError(
        `-d ${rule}: not a rule`,
        Exit.usage,
        'a rule looks like tcp.port==8443,tls or udp.port==5062-5070,sip',
      );
    const [, table, from, to, proto] = m;
    const d = registry.byProto(proto === 'ssl' ? 'tls' : proto);
    if (d === undefined) throw new UserError(`-d ${rule}: there is no protocol ${proto}`, Exit.usage);
    const first = Number(from);
    const last = to === undefined ? first : Number(to);
    if (last - first > 65_535) throw new UserError(`-d ${rule}: too many ports`, Exit.usage);
    for (let key = first; key <= last; key++) registry.assign(table, key, d);
  }
}
