import type { MediaEntity } from '../model/entities.js';
import { lossOf } from '../model/quality.js';
import { codecOf } from '../report/report-words.js';
import type { Style } from './style.js';
import type { Column } from './table.js';
import { cells, RIGHT } from './table.js';
import type { Desk } from './view.js';
import { count, placeText, trimmed } from './words.js';

/** From so much loss on speech suffers, in percent; and below such an estimate of quality (ITU-T G.107 annex B). */
const BAD_LOSS = 3;
const SOME_LOSS = 0.5;
const POOR = 3.1;
const FAIR = 3.6;

/** The columns of the list of streams. `*` after MOS: it is an estimate. */
export function mediaColumns(desk: Desk): Column<MediaEntity>[] {
  const loss = (m: MediaEntity): Style | undefined => {
    const { theme } = desk.preferences;
    const { percent } = lossOf(m);
    return percent >= BAD_LOSS ? theme.error : percent >= SOME_LOSS ? theme.warn : undefined;
  };
  const mos = (m: MediaEntity): Style | undefined => {
    const { theme } = desk.preferences;
    return m.mos === undefined
      ? undefined
      : m.mos.value < POOR
        ? theme.error
        : m.mos.value < FAIR
          ? theme.warn
          : theme.good;
  };
  return [
    { id: 'sign', title: ' ', ...cells(1, 1, 0), text: signOf, style: (m) => loss(m) ?? mos(m) },
    { id: 'id', title: '#', ...cells(2, 6, 1), ...RIGHT, text: (m) => String(m.id), key: (m) => m.id },
    {
      id: 'call',
      title: 'call',
      ...cells(4, 6, 4),
      ...RIGHT,
      text: (m) => (m.call === undefined ? '-' : String(m.call)),
      key: (m) => m.call ?? 0,
    },
    {
      id: 'tunnel',
      title: 'T',
      ...cells(2, 5, 7),
      ...RIGHT,
      text: (m) => (m.tunnel === undefined ? '-' : String(m.tunnel)),
      key: (m) => m.tunnel ?? 0,
    },
    { id: 'way', title: 'dir', ...cells(4, 4, 2), text: (m) => m.direction ?? '', key: (m) => m.direction ?? '' },
    {
      id: 'from',
      title: 'from',
      ...cells(15, 32, 5),
      middle: true,
      text: (m) => placeText(m.source),
      key: (m) => m.source.address,
    },
    {
      id: 'to',
      title: 'to',
      ...cells(15, 32, 6),
      middle: true,
      text: (m) => placeText(m.destination),
      key: (m) => m.destination.address,
    },
    { id: 'codec', title: 'codec', ...cells(6, 12, 3), text: codecOf, key: codecOf },
    {
      id: 'packets',
      title: 'packets',
      ...cells(7, 10, 3),
      ...RIGHT,
      text: (m) => count(m.packets),
      key: (m) => m.packets,
    },
    {
      id: 'lost',
      title: 'lost',
      ...cells(4, 8, 1),
      ...RIGHT,
      text: (m) => count(lossOf(m).lost),
      key: (m) => lossOf(m).lost,
      style: loss,
    },
    {
      id: 'percent',
      title: '%',
      ...cells(4, 5, 1),
      ...RIGHT,
      text: (m) => trimmed(lossOf(m).percent, 1),
      key: (m) => lossOf(m).percent,
      style: loss,
    },
    { id: 'bursts', title: 'bursts', ...cells(6, 9, 5), ...RIGHT, text: burstsText, key: (m) => m.bursts.longest },
    {
      id: 'jitter',
      title: 'jitter ms',
      ...cells(9, 12, 2),
      ...RIGHT,
      text: jitterText,
      key: (m) => m.jitterMs?.max ?? -1,
    },
    {
      id: 'mos',
      title: 'MOS*',
      ...cells(4, 4, 1),
      ...RIGHT,
      text: (m) => m.mos?.value.toFixed(1) ?? '-',
      key: (m) => m.mos?.value ?? 6,
      style: mos,
    },
    {
      id: 'rtcp',
      title: 'RTCP lost',
      ...cells(9, 9, 8),
      ...RIGHT,
      text: (m) => (m.rtcp?.lost === undefined ? '-' : count(m.rtcp.lost)),
      key: (m) => m.rtcp?.lost ?? -1,
    },
  ];
}

function signOf(m: MediaEntity): string {
  const poor = m.mos !== undefined && m.mos.value < POOR;
  const { percent } = lossOf(m);
  if (percent >= BAD_LOSS || poor) return 'x';
  return percent >= SOME_LOSS || m.headOfLine.length > 0 ? '!' : ' ';
}

const burstsText = ({ bursts }: MediaEntity): string =>
  bursts.count === 0 ? '-' : `${bursts.count} ≤${bursts.longest}`;

function jitterText({ jitterMs }: MediaEntity): string {
  return jitterMs === undefined ? '-' : `${trimmed(jitterMs.mean, 1)} ≤${trimmed(jitterMs.max, 1)}`;
}
