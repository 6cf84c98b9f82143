import { type Field, Held } from '../kit/index.js';

/** One more than the largest number in {@link Held}, rounded up: `kind` of a tree has as many for each field. */
export const KINDS = 8;

/** How a value is written as JSON: what is no octets of the packet, and what is. */
export const Form = {
  Number: 1,
  Bool: 2,
  True: 3,
  Made: 4,
  Duration: 5,
  Epoch: 6,
  Iso: 7,
  Text: 8,
  Hex: 9,
  Ip4: 10,
  Ip6: 11,
  Other: 12,
} as const;

/** How the values of a field that are held like this are written. */
export function formOf(f: Field, held: number): number {
  if (held === Held.Number) return f.type === 'bool' ? Form.Bool : Form.Number;
  if (held === Held.Nothing) return Form.True;
  if (held === Held.Made) return Form.Made;
  if (held === Held.Text) return Form.Text;
  if (held === Held.Octets) return octetsForm(f);
  if (f.type === 'duration') return Form.Duration;
  return f.name === 'frame.time_epoch' ? Form.Epoch : Form.Iso;
}

function octetsForm({ type }: Field): number {
  if (type === 'bytes' || type === 'ether') return Form.Hex;
  if (type === 'ipv4') return Form.Ip4;
  return type === 'ipv6' ? Form.Ip6 : Form.Other;
}
