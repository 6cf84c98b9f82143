import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { CannotCapture, listInterfaces } from '../../live/capture-source.js';
import type { Interface, Traffic } from '../../tui/interface-dialog.js';
import { Exit, UserError } from '../errors.js';
import { Output } from '../output.js';

/** What each interface received and sent since it is there, by the kernel's account; nothing where it keeps none. */
export function traffic(): Map<string, Traffic> {
  const out = new Map<string, Traffic>();
  try {
    for (const line of readFileSync('/proc/net/dev', 'latin1').split('\n')) {
      const m = /^\s*([^:]+):\s*(.+)$/.exec(line);
      const n = m?.[2].trim().split(/\s+/).map(Number) ?? [];
      if (m !== null && n.length >= 10) out.set(m[1], { packets: n[1] + n[9], octets: n[0] + n[8] });
    }
  } catch {
    // another system
  }
  return out;
}

/** The interfaces that can be captured on. @throws UserError */
export async function listed(): Promise<Interface[]> {
  const addresses = networkInterfaces();
  try {
    return (await listInterfaces()).map(({ name, description = '' }) => ({
      name,
      description,
      addresses: (addresses[name] ?? []).map((a) => a.address),
    }));
  } catch (e) {
    if (!(e instanceof CannotCapture)) throw e;
    throw new UserError(e.message, Exit.usage, e.hint);
  }
}

/** `fttscope interfaces`: the interfaces that `capture -i` takes, with their addresses and traffic. Returns the exit code. */
export async function interfaces(): Promise<number> {
  const out = new Output();
  const counts = traffic();
  for (const { name, description, addresses } of await listed()) {
    const seen = counts.get(name)?.packets;
    const cells = [
      name.padEnd(16),
      (seen === undefined ? '' : `${seen} packets`).padEnd(18),
      addresses.join(', ') || description,
    ];
    out.write(`${cells.join('').trimEnd()}\n`);
  }
  out.flush();
  return Exit.done;
}
