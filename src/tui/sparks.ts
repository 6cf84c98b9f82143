/** Small charts made of characters: nine heights a line. Pure. */

const EIGHTHS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** Values in as many columns as there are cells: of those that share a cell the largest. */
export function columnsOf(values: readonly number[], width: number): number[] {
  if (values.length <= width) return [...values];
  return Array.from({ length: width }, (_, i) => {
    const from = Math.floor((i * values.length) / width);
    const to = Math.max(from + 1, Math.floor(((i + 1) * values.length) / width));
    let most = 0;
    for (let k = from; k < to; k++) if (values[k] > most) most = values[k];
    return most;
  });
}

/** Bars for values, `height` lines high, the top line first. `most` is the value of a full bar. */
export function bars(values: readonly number[], width: number, height: number, most = Math.max(...values)): string[] {
  const columns = columnsOf(values, width);
  const eighths = columns.map((v) =>
    v <= 0 || most <= 0 ? 0 : Math.max(1, Math.round((Math.min(v, most) / most) * height * 8)),
  );
  return Array.from({ length: height }, (_, line) => {
    const below = (height - 1 - line) * 8;
    return eighths.map((e) => EIGHTHS[Math.max(0, Math.min(8, e - below))]).join('');
  });
}

/** A bar that lies: `share` of `width` cells. Something is never nothing. */
export function lyingBar(share: number, width: number): string {
  const cells = Math.round(Math.min(1, share) * width);
  return '█'.repeat(share > 0 ? Math.max(1, cells) : 0);
}
