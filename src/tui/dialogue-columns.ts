import { type Dialogue, isBad, mediaOf, nameOf, partiesOf, startOf, stateOf, tunnelsOf, whyOf } from './dialog-list.js';
import type { Style } from './style.js';
import type { Column } from './table.js';
import { cells, RIGHT } from './table.js';
import type { Desk } from './view.js';
import { since, trimmed } from './words.js';

const seconds = (ms: number | undefined): string => (ms === undefined ? '-' : trimmed(ms / 1000, 2));

/** The columns of the list of calls. `*` after MOS: it is an estimate. */
export function dialogueColumns(desk: Desk, selected: ReadonlySet<string>): Column<Dialogue>[] {
  const state = (d: Dialogue): Style => {
    const { theme } = desk.preferences;
    return isBad(d) ? theme.error : /^(ENDED|ESTABLISHED|REGISTERED|OK)$/.test(stateOf(d)) ? theme.good : theme.text;
  };
  const timing = (name: 'pddMs' | 'setupMs' | 'durationMs') => ({
    text: (d: Dialogue) => (d.kind === 'call' ? seconds(d.entity[name]) : '-'),
    key: (d: Dialogue) => (d.kind === 'call' ? (d.entity[name] ?? -1) : -1),
  });
  return [
    {
      id: 'selected',
      title: ' ',
      ...cells(1, 1, 0),
      text: (d) => (selected.has(nameOf(d)) ? '*' : isBad(d) ? 'x' : ' '),
      style: state,
    },
    { id: 'name', title: 'dialog', ...cells(6, 11, 1), whole: true, text: nameOf, key: numbered },
    {
      id: 'who',
      title: 'who',
      ...cells(14, 26, 2),
      whole: true,
      text: (d) => partiesOf(d),
      short: partiesOf,
      key: (d) => partiesOf(d),
    },
    { id: 'state', title: 'state', ...cells(12, 12, 1), text: stateOf, key: stateOf, style: state },
    {
      id: 'tunnel',
      title: 'T',
      ...cells(2, 5, 7),
      ...RIGHT,
      text: (d) => tunnelsOf(d).join(),
      key: (d) => tunnelsOf(d)[0] ?? 0,
    },
    {
      id: 'start',
      title: 'start',
      ...cells(7, 10, 8),
      ...RIGHT,
      text: (d) => startText(desk, d),
      key: (d) => startOf(d).seconds + startOf(d).nanos / 1e9,
    },
    { id: 'pdd', title: 'PDD', ...cells(4, 6, 6), ...RIGHT, ...timing('pddMs') },
    { id: 'setup', title: 'setup', ...cells(5, 6, 5), ...RIGHT, ...timing('setupMs') },
    { id: 'duration', title: 'dur', ...cells(4, 7, 4), ...RIGHT, ...timing('durationMs') },
    { id: 'mos', title: 'MOS*', ...cells(4, 4, 5), ...RIGHT, text: mosText, key: (d) => mediaOf(d).mos ?? -1 },
    { id: 'loss', title: 'loss', ...cells(5, 6, 5), ...RIGHT, text: lossText, key: (d) => mediaOf(d).lost ?? -1 },
    { id: 'why', title: 'why', ...cells(24, 100, 1), grow: true, text: whyOf },
  ];
}

/** A name that is sorted by its number: call 2 before call 10. */
const numbered = (d: Dialogue): string => nameOf(d).replace(/\d+/, (n) => n.padStart(9, '0'));

function startText(desk: Desk, d: Dialogue): string {
  const start = desk.told.story?.capture.start;
  return start === undefined ? '' : since(start, startOf(d));
}

function mosText(d: Dialogue): string {
  const { mos } = mediaOf(d);
  return mos === undefined ? '-' : mos.toFixed(1);
}

function lossText(d: Dialogue): string {
  const { lost } = mediaOf(d);
  return lost === undefined ? '-' : `${trimmed(lost, 1)}%`;
}
