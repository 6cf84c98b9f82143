import { Experts, SEVERITIES, type StatSeverity } from './expert.js';
import { FLOWS, Flow, type FlowKind } from './flow.js';
import { FOLLOW_MODES, FOLLOWED, Follow, type Followed, type FollowMode, type PieceRange } from './follow.js';
import { Hierarchy } from './hierarchy.js';
import { InputOutput } from './io.js';
import { RtpStreams } from './rtp.js';
import { SipMessages } from './sip.js';
import { type StatContext, StatError, type Statistic } from './statistic.js';
import { Conversations, Endpoints, TALKERS, type Talker } from './talkers.js';

export { type StatContext, StatError, type Statistic, type StatText } from './statistic.js';

/** Statistics that are made from the model of a report. */
export const MODEL_STATISTICS = ['fttims,tunnels', 'fttims,calls'] as const;
export type ModelStatistic = (typeof MODEL_STATISTICS)[number];

/** Every statistic there is, as a `-z` begins. */
export const STATISTICS: readonly string[] = [
  'io,stat',
  'io,phs',
  ...Object.keys(TALKERS).map((t) => `conv,${t}`),
  ...Object.keys(TALKERS).map((t) => `endpoints,${t}`),
  'sip,stat',
  'rtp,streams',
  'expert',
  ...Object.keys(FLOWS).map((f) => `flow,${f}`),
  ...FOLLOWED.map((f) => `follow,${f}`),
  ...MODEL_STATISTICS,
];

/** The name that a `-z` begins with; undefined if it is none of {@link STATISTICS}. */
export function statisticName(asked: string): string | undefined {
  const [a, b = ''] = asked.split(',');
  return STATISTICS.find((s) => s === a || s === `${a},${b}`);
}

/**
 * The statistic that a `-z` asks for, one of {@link STATISTICS} that counts rows.
 * @throws StatError, FilterError for arguments that make no sense
 */
export function statisticOf(cx: StatContext): Statistic {
  const { asked } = cx;
  const [group, kind = '', ...rest] = asked.split(',');
  const from = (n: number): string => rest.slice(n).join(',');
  switch (group) {
    case 'io':
      return kind === 'stat' ? new InputOutput(cx, rest[0] ?? '', rest.slice(1)) : new Hierarchy(cx, from(0));
    case 'conv':
      return new Conversations(cx, kind as Talker, from(0));
    case 'endpoints':
      return new Endpoints(cx, kind as Talker, from(0));
    case 'sip':
      return new SipMessages(cx, from(0));
    case 'rtp':
      refuseMore(asked);
      return new RtpStreams(cx);
    case 'flow':
      return new Flow(cx, kind as FlowKind, isView(rest[0]) ? from(1) : from(0));
    case 'follow':
      return follow(cx, kind as Followed, rest);
    default:
      return expert(cx, asked);
  }
}

/**
 * For a statistic that takes nothing behind its name: a filter would seem to be heeded.
 * @throws StatError where something stands there
 */
export function refuseMore(asked: string): void {
  const [group, kind, ...more] = asked.split(',');
  if (more.some((m) => m.trim() !== ''))
    throw new StatError(
      `${asked}: ${group},${kind} takes no filter`,
      '--tunnel, --user and --call-id choose what is counted',
    );
}

/** tshark's word for how addresses are shown; both are the same here. */
const isView = (word: string | undefined): boolean => word === 'standard' || word === 'network';

function follow(cx: StatContext, protocol: Followed, [mode = '', ...stream]: readonly string[]): Follow {
  if (!(FOLLOW_MODES as readonly string[]).includes(mode))
    throw new StatError(
      `${cx.asked}: ${mode === '' ? 'how?' : `${mode} is no way to show it`}`,
      `one of ${FOLLOW_MODES.join(', ')}`,
    );
  const [one = '', two] = stream;
  if (protocol !== 'sip' && one !== '' && !/^\d+$/.test(one) && !(isEnd(one) && isEnd(two ?? '')))
    throw new StatError(
      `${cx.asked}: ${two === undefined ? one : `${one},${two}`} is no stream`,
      `its number, or both ends: follow,${protocol},${mode},192.0.2.1:40000,192.0.2.2:443`,
    );
  const ends = /^\d+$/.test(stream[0] ?? '') || protocol === 'sip' ? 1 : 2;
  return new Follow(cx, protocol, mode as FollowMode, stream.slice(0, ends).join(','), piecesOf(cx, stream[ends]));
}

/** `192.0.2.1:443`, `[2001:db8::1]:443`. */
const isEnd = (text: string): boolean => /^(?:[\d.]+|\[[\da-fA-F:.]+\]):\d+$/.test(text);

/** The pieces that are asked for: `2`, `2-5`; all where none are. */
function piecesOf(cx: StatContext, written: string | undefined): PieceRange | undefined {
  if (written === undefined) return undefined;
  const m = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(written);
  const [first, last] = [Number(m?.[1]), Number(m?.[2] ?? m?.[1])];
  if (m === null || first < 1 || last < first)
    throw new StatError(`${cx.asked}: ${written} is no range of pieces`, 'they count from 1, for example 2 or 2-5');
  return { first, last };
}

/** `expert`, `expert,warn`, `expert,FILTER`, `expert,warn,FILTER`. */
function expert(cx: StatContext, asked: string): Experts {
  const [, first = '', ...rest] = asked.split(',');
  const isSeverity = Object.hasOwn(SEVERITIES, first);
  const filter = isSeverity ? rest.join(',') : [first, ...rest].join(',');
  return new Experts(cx, isSeverity ? (first as StatSeverity) : 'comment', filter);
}
