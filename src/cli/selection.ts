import type { Registry } from '../engine/registry.js';
import type { Row } from '../engine/row.js';
import { compile, type Filter, FilterError } from '../filter/index.js';
import type { Field } from '../kit/index.js';
import { endpointText } from '../report/tunnels.js';
import { fieldText } from '../report/value.js';
import type { Tunnel } from '../tunnel/tunnel.js';
import { Exit, UserError } from './errors.js';
import type { ReadOptions } from './options.js';

/** Fields in which a SIP message names users. */
const USER_FIELDS = [
  'sip.from.addr',
  'sip.to.addr',
  'sip.r-uri',
  'sip.contact.uri',
  'sip.pai.addr',
  'sip.ppi.addr',
  'sip.P-Associated-URI',
  'sip.auth.username',
];
const CALL_ID = 'sip.Call-ID';
const SETUP_FRAMES = ['rtp.setup-frame', 'rtcp.setup-frame'];

/** Decides which rows are shown: `-Y`, `--tunnel`, `--from`, `--to`, `--call-id`, `--user`. */
export class Selection {
  /** Fields that it reads from the tree. */
  readonly fields: Field[] = [];
  readonly analyseTcp: boolean;
  private readonly filter: Filter | null;
  private readonly tests: ((row: Row) => boolean)[] = [];

  /** @throws UserError for an expression or a value that makes no sense */
  constructor(o: ReadOptions, registry: Registry) {
    this.filter = o.filter === undefined ? null : compiled(o.filter, registry);
    if (this.filter !== null) this.fields.push(...this.filter.fields);
    this.analyseTcp = this.fields.some((f) => f.name.startsWith('tcp.'));
    if (o.tunnel !== undefined) this.tests.push(tunnelTest(o.tunnel));
    if (o.from !== undefined || o.to !== undefined) this.tests.push(timeTest(o.from, o.to));
    if (o.callId !== undefined || o.user !== undefined) {
      const names = [...USER_FIELDS, CALL_ID, ...SETUP_FRAMES];
      this.fields.push(...names.flatMap((n) => [...registry.byName(n)]));
      this.tests.push(dialogTest(o.callId, o.user));
    }
  }

  takes(row: Row): boolean {
    for (const test of this.tests) if (!test(row)) return false;
    return this.filter === null || this.filter.matches(row.dissection);
  }
}

function compiled(text: string, registry: Registry): Filter {
  try {
    return compile(text, registry);
  } catch (e) {
    if (e instanceof FilterError) throw new UserError(e.toString(), Exit.input);
    throw e;
  }
}

function tunnelTest(which: string): (row: Row) => boolean {
  if (/^\d+$/.test(which)) return (row) => row.tunnel?.id === Number(which);
  if (!/:\d+$/.test(which)) throw new UserError(`--tunnel ${which}: neither a number nor HOST:PORT`);
  const bare = which.replace(/^([0-9a-f:]*:[0-9a-f:]*):(\d+)$/i, (_, host, port) => `[${host}]:${port}`);
  const matches = (t: Tunnel): boolean =>
    t.ends.some((e) => endpointText(e) === bare) ||
    t.session?.sni?.concat(':443') === which ||
    t.proxy?.target === which;
  return (row) => row.tunnel !== null && matches(row.tunnel);
}

function timeTest(from: string | undefined, to: string | undefined): (row: Row) => boolean {
  const low = from === undefined ? null : moment(from, '--from');
  const high = to === undefined ? null : moment(to, '--to');
  return (row) => {
    const absolute = row.seconds + row.nanos / 1e9;
    const [s, n] = row.relative;
    const relative = s + n / 1e9;
    if (low !== null && (low.relative ? relative : absolute) < low.seconds) return false;
    return high === null || (high.relative ? relative : absolute) <= high.seconds;
  };
}

/** ISO 8601 (UTC unless it says otherwise), seconds since 1970, or +SECONDS from the first frame. */
function moment(text: string, option: string): { seconds: number; relative: boolean } {
  if (/^\+\d+(\.\d+)?$/.test(text)) return { seconds: Number(text), relative: true };
  if (/^\d+(\.\d+)?$/.test(text)) return { seconds: Number(text), relative: false };
  const utc = /(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text.replace(' ', 'T')}Z`;
  const ms = Date.parse(utc);
  if (Number.isNaN(ms))
    throw new UserError(
      `${option} ${text}: not a time`,
      Exit.usage,
      'for example 2026-03-01T09:00:00Z, 1772355600.5, or +12.5 (seconds from the first frame)',
    );
  return { seconds: ms / 1000, relative: false };
}

/** SIP messages of a dialog or a user, and the media that they set up. One pass: dialogs are learned as they appear. */
function dialogTest(callId: string | undefined, user: string | undefined): (row: Row) => boolean {
  const dialogs = new Set<string>();
  const setups = new Set<number>();
  if (callId !== undefined) dialogs.add(callId);
  const wanted = user?.toLowerCase().replace(/^(sips?|tel):/, '');
  return (row) => {
    const t = row.dissection.tree;
    let id: string | undefined;
    let named = false;
    let media = false;
    for (let i = 0; i < t.length; i++) {
      const { name } = t.field[i];
      if (name === CALL_ID) id = fieldText(t, i);
      else if (SETUP_FRAMES.includes(name)) media ||= setups.has(t.number[i]);
      else if (wanted !== undefined && USER_FIELDS.includes(name)) named ||= isUser(fieldText(t, i), wanted);
    }
    if (media) return true;
    if (id === undefined) return false;
    if (named) dialogs.add(id);
    if (!dialogs.has(id)) return false;
    setups.add(row.frame);
    return true;
  };
}

/** Whether a URI is the user: the whole of it, or its user part, with or without parameters. */
function isUser(uri: string, wanted: string): boolean {
  const bare = uri
    .toLowerCase()
    .replace(/^.*</, '')
    .replace(/>.*$/, '')
    .replace(/^(sips?|tel):/, '');
  const noParameters = bare.split(';')[0];
  return noParameters === wanted.split(';')[0] || noParameters.split('@')[0] === wanted;
}
