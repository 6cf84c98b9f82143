import { View } from 'fttscope/kit';

/** Behind the octets of a frame those of the next one stand in memory: digits, which look like more of what was read. */
const BEHIND = 64;

/** A view of octets with others behind them, so that a dissector that reads beyond its end shows it. */
export function amid(b: Uint8Array, name = 'Frame', wire = b.length): View {
  const buf = new Uint8Array(b.length + BEHIND).fill(0x31);
  buf.set(b);
  return new View({ name, buf, start: 0, end: b.length }, 0, b.length, Math.max(wire, b.length));
}
