import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { CannotCapture, listInterfaces } from '../../live/capture-source.js';
import { Exit, UserError } from '../errors.js';
import { Output } from '../output.js';

/** Packets that an interface received and sent since it is there, by the kernel's account; none where it has none. */
function traffic(): Map<string, number> {
  const out = new Map<string, number>();
  try {
    for (const line of readFileSync('/proc/net/dev', 'latin1').split('\n')) {
      const m = /^\s*([^:]+):\s*(.+)$/.exec(line);
      const n = m?.[2].trim().split(/\s+/).map(Number) ?? [];
      if (m !== null && n.length >= 10) out.set(m[1], n[1] + n[9]);
    }
  } catch {
    // another system
  }
  return out;
}

/** `fttscope interfaces`: the interfaces that `capture -i` takes, with their addresses and traffic. Returns the exit code. */
export async function interfaces(): Promise<number> {
  const out = new Output();
  const addresses = networkInterfaces();
  const packets = traffic();
  try {
    for (const { name, description = '' } of await listInterfaces()) {
      const own = (addresses[name] ?? []).map((a) => a.address).join(', ');
      const seen = packets.get(name);
      const cells = [name.padEnd(16), (seen === undefined ? '' : `${seen} packets`).padEnd(18), own || description];
      out.write(`${cells.join('').trimEnd()}\n`);
    }
  } catch (e) {
    if (!(e instanceof CannotCapture)) throw e;
    throw new UserError(e.message, Exit.usage, e.hint);
  }
  out.flush();
  return Exit.done;
}
