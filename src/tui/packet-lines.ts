import type { Rows } from '../viewer/rows.js';
import type { Selection } from '../viewer/viewer.js';

/**
 * The lines of a list of packets: one for each packet, and one of its own wherever the capture lacks octets. Such a line
 * stands before the packet of which it was noticed, or before the next one where that is not listed. A filter takes packets
 * alone. Lines grow as the selection does; those that there are stay where they are.
 */
export class PacketLines {
  /** Places in the selection of the packets before which there is a gap, ascending, each once. */
  private readonly places: number[] = [];
  /** Gaps of all rows that have found their place. */
  private placed = 0;
  private readonly filtered: boolean;

  constructor(
    private readonly rows: Rows,
    private readonly selection: Selection,
  ) {
    this.filtered = (selection.choice.filter ?? '').trim() !== '';
  }

  /** Lines, of so many packets. */
  count(packets: number): number {
    return this.lineOf(packets);
  }

  /** The line of the packet at a place. */
  lineOf(place: number): number {
    this.refresh();
    return place + lowest(this.places.length, (n) => this.places[n] > place);
  }

  /** The place of the packet at a line; at that of a gap: the place of the packet after it, less one, negated: `-(i + 1)`. */
  at(line: number): number {
    this.refresh();
    const { places } = this;
    // Gap number n stands at line places[n] + n.
    const gaps = lowest(places.length, (n) => places[n] + n >= line);
    const place = line - gaps;
    return places[gaps] === place ? -(place + 1) : place;
  }

  /** The rows of which was noticed what the gap before a place is. */
  gapsAt(place: number): readonly number[] {
    const { gaps } = this.rows;
    const { selection } = this;
    const from = place > 0 ? selection.at(place - 1) : -1;
    const to = place < selection.count ? selection.at(place) : Number.POSITIVE_INFINITY;
    const first = lowest(gaps.length, (n) => gaps[n] > from);
    const next = lowest(gaps.length, (n) => gaps[n] > to);
    return gaps.slice(first, next).filter((row) => row === to || this.isOfList(row));
  }

  /** Finds the places of those gaps that the selection has come to. */
  private refresh(): void {
    const { rows, selection, places, filtered } = this;
    for (; !filtered && this.placed < rows.gaps.length; this.placed++) {
      const row = rows.gaps[this.placed];
      if (row >= selection.seen) return;
      const found = selection.find(row);
      const place = found >= 0 ? found : -found - 1;
      if ((found >= 0 || this.isOfList(row)) && places.at(-1) !== place) places.push(place);
    }
  }

  /** A packet is not listed, but it belongs to a tunnel that is. */
  private isOfList(row: number): boolean {
    const { tunnels, rows } = this.selection.choice;
    if (rows !== undefined) return false;
    const tunnel = this.rows.tunnel(row);
    return tunnel > 0 && tunnels?.includes(tunnel) !== false;
  }
}

/** The lowest of so many numbers that passes, where all above it do; their count where none does. */
function lowest(count: number, passes: (n: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (passes(mid)) high = mid;
    else low = mid + 1;
  }
  return low;
}
