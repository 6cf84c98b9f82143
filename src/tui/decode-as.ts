import type { Detail } from '../viewer/viewer.js';
import type { Completion, PromptRequest, Verdict } from './prompt.js';
import type { Catalogue, Desk } from './view.js';

/** `udp.port==5070,sip`, `tcp.port==8443-8450,tls`, as `-d` of the command line. */
const RULE = /^([a-z0-9_.-]+)\s*==\s*(0x[0-9a-f]+|\d+)(-\d+)?\s*,\s*([\w.-]+)$/i;
const FORM = 'a rule is like udp.port==5070,sip or tcp.port==8443-8450,tls';

/** Tables with numbers that people look up first. */
const FIRST = ['udp.port', 'tcp.port'];

/** Names of the tables whose keys are numbers, the usual ones first. */
function tableNames(tables: Catalogue): string[] {
  const names = [...tables.entries()].filter(([, keys]) => [...keys.keys()].some((k) => typeof k === 'number'));
  return names.map(([name]) => name).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

const rank = (name: string): number => {
  const at = FIRST.indexOf(name);
  return at < 0 ? FIRST.length : at;
};

/** How often layers were seen. */
type Seen = ReadonlyMap<string, number>;

/** What ports of a capture of IMS are most often said to be, where nothing tells so: media need no table of ports. */
const USUAL: Readonly<Record<string, readonly string[]>> = {
  'udp.': ['sip', 'rtp', 'rtcp', 'stun', 'dns', 'dhcp', 'isakmp', 'dtls', 'gtp'],
  'tcp.': ['sip', 'tls', 'http', 'msrp', 'stun', 'dns', 'xml', 'json'],
};

/**
 * Protocols: first those that the transport of a table carries anyway, by their number, told by their octets or as media,
 * and that the capture has, by how much it has of them; then the usual ones, and last those that few have heard of.
 */
function protocolNames(tables: Catalogue, table: string, seen: Seen): string[] {
  const all = new Set(tables.protocols());
  const transport = table.replace(/\..*$/, '.');
  const usual = (USUAL[transport] ?? []).filter((p) => all.has(p));
  const near = new Set(usual);
  for (const [name, keys] of tables.entries())
    if (name.startsWith(transport)) for (const d of keys.values()) if (all.has(d.proto)) near.add(d.proto);
  const others = [...all].filter((p) => !near.has(p));
  const often = (p: string): number => seen.get(p) ?? 0;
  const place = (p: string): number => (usual.includes(p) ? usual.indexOf(p) : usual.length);
  return [
    ...[...near].sort((a, b) => often(b) - often(a) || place(a) - place(b) || (a < b ? -1 : 1)),
    ...others.sort(),
  ];
}

/** Ways to go on with a rule: the table, then the protocol. */
export function completeRule(tables: Catalogue, typed: string, seen: Seen = new Map()): Completion | undefined {
  const comma = typed.lastIndexOf(',');
  if (comma >= 0) {
    const from = comma + 1 + /^\s*/.exec(typed.slice(comma + 1))![0].length;
    const start = typed.slice(from).toLowerCase();
    const names = protocolNames(tables, /^[\w.-]*/.exec(typed)![0], seen).filter((p) => p.startsWith(start));
    return { from, words: names.map((text) => ({ text, note: tables.byProto(text)?.title ?? '' })) };
  }
  if (typed.includes('=')) return undefined;
  const words = tableNames(tables).filter((name) => name.startsWith(typed));
  return {
    from: 0,
    words: words.map((name) => ({ text: `${name}==`, note: 'then a number, a comma and a protocol' })),
  };
}

/** What is wrong with a rule; undefined: nothing. */
export function ruleError(tables: Catalogue, rule: string): string | undefined {
  const m = RULE.exec(rule.trim());
  if (m === null) return FORM;
  const [, table, , , protocol] = m;
  if (![...tables.entries()].some(([name]) => name === table)) return `packets are not told apart by ${table}`;
  return tables.byProto(protocol) === undefined && protocol !== 'ssl' ? `there is no protocol ${protocol}` : undefined;
}

/** What is said of a rule while it is typed. */
export function judgeRule(tables: Catalogue, rule: string): Verdict {
  const m = RULE.exec(rule.trim());
  const wrong = rule.includes(',') && m !== null ? ruleError(tables, rule) : undefined;
  if (wrong !== undefined) return { text: wrong, wrong: true };
  const title = m === null ? undefined : tables.byProto(m[4])?.title;
  return {
    text: title === undefined ? 'FIELD==NUMBER,PROTOCOL, as udp.port==5070,sip' : `read as ${title}`,
    wrong: false,
  };
}

/** Fields of ports, and the tables that know them. */
const PORT = /^((?:udp|tcp|sctp|dccp)\.)(?:src|dst)port == (\d+)$/;

/**
 * The beginning of a rule for a packet: the lower one of the ports of its innermost layer that has ports, which more often
 * tells what is spoken; empty: it has none.
 */
export function ruleBegun({ nodes }: Pick<Detail, 'nodes'>): string {
  const ports = nodes.map(({ filter = '' }) => PORT.exec(filter)).filter((m) => m !== null);
  const both = ports.slice(-2);
  return both.length === 0 ? '' : `${both[0][1]}port==${Math.min(...both.map(([, , port]) => Number(port)))},`;
}

/** Reads the capture again with a rule; without one, it is asked for, and `begun` stands there to go on with. */
export function decodeAs(desk: Desk, rule: string, begun = ''): void {
  const { fields } = desk;
  const take = (text: string): string | undefined => {
    const wrong = ruleError(fields, text);
    if (wrong !== undefined) return wrong;
    const typed = text.replaceAll(' ', '');
    desk.memory.typed('rule', typed);
    desk.say(`reading the capture again, with ${typed}`);
    void desk.reopen({ decodeAs: [typed] });
    return undefined;
  };
  if (rule !== '' && take(rule) === undefined) return;
  const request: PromptRequest = {
    label: 'decode as',
    text: rule === '' ? begun : rule,
    history: [...(desk.memory.state.history.rule ?? [])].reverse(),
    complete: (text, cursor) => completeRule(fields, text.slice(0, cursor), desk.told.story?.seen.get('')),
    judge: (text) => judgeRule(fields, text),
    done: take,
  };
  desk.prompt(request);
}
