import { isIP } from 'node:net';
import { Command, InvalidArgumentError, Option } from 'commander';
import { asciiName } from '../live/address.js';
import type { CaptureInterface } from '../live/capture-source.js';
import { duration } from '../live/scenario-values.js';
import type { CodecName } from '../live/sip/sdp.js';
import { BUFFER_MIB, SNAPLEN } from './capture-defaults.js';
import type { CaptureCommandOptions } from './commands/capture.js';
import type { EftfCommandOptions } from './commands/eftf.js';
import type { UeCommandOptions } from './commands/ue.js';
import { Exit, UserError } from './errors.js';
import { addFormatOptions, addTimeOptions, collect } from './options.js';
import { hasTerminal } from './screens.js';

/** Codecs of calls. */
export const CODECS: readonly CodecName[] = ['PCMU', 'PCMA', 'AMR', 'AMR-WB'];

/** A whole number between two, both included. */
const between =
  (low: number, high: number) =>
  (text: string): number => {
    const n = Number(text);
    if (!/^\d+$/.test(text) || n < low || n > high)
      throw new InvalidArgumentError(`It is not a number from ${low} to ${high}.`);
    return n;
  };

/** Adds `capture` and `interfaces`; `done` gets the exit code. */
export function addCaptureCommands(program: Command, done: (code: number) => void): void {
  program
    .command('interfaces')
    .description('list the interfaces that capture -i takes')
    .action(async () => {
      done(await (await import('./commands/interfaces.js')).interfaces());
    });
  const capture = captureCommand().action(async (_filter: string, o: CaptureCommandOptions & RowOptions) => {
    const { write } = o;
    if (o.ui === true || (write === undefined && hasTerminal() && !ROW_OPTIONS.some((name) => o[name] !== undefined))) {
      const { captureOnScreens } = await import('./live-capture.js');
      done(await captureOnScreens(o, screenOptions(o)));
      return;
    }
    const { boundsOf, capture: run, captureRows } = await import('./commands/capture.js');
    boundsOf(o);
    done(write === undefined ? await captureRows(captureArgs(o), readArgs(o)) : await run({ ...o, write }));
  });
  program.addCommand(capture);
}

const FILTERS = "fttscope capture -i lo udp port 5060, or -f 'udp port 5060'; -f gives each -i one of its own";

/** Options that mean printed rows. */
const ROW_OPTIONS = ['format', 'tree', 'O', 'field', 'octets', 'rows', 'quiet'] as const;

/** Those of them that the screens take. */
export const screenOptions = ({ filter, decodeAs }: RowOptions) => ({
  ...(filter !== undefined && { filter }),
  ...(decodeAs && { decodeAs }),
});

/** Options of reading that rows of a live capture take, as they stand on the command line. */
export interface RowOptions {
  filter?: string;
  format?: string;
  tree?: boolean;
  O?: string;
  field?: string[];
  E?: string[];
  j?: string;
  J?: string;
  octets?: boolean;
  t?: string;
  u?: string;
  decodeAs?: string[];
  rows?: string;
  quiet?: boolean;
  /** On screens, also with `-w`. */
  ui?: boolean;
}

/** `capture` with its options, as a command line is read by it. */
export function captureCommand(): Command {
  const list: CaptureInterface[] = [];
  let first = '';
  const addInterface = (device: string): CaptureInterface[] => {
    if (device === '') throw new InvalidArgumentError('fttscope interfaces lists them.'); // libpcap would take any
    list.push({ device, filter: first });
    return list;
  };
  // As in dumpcap: before any -i for all, behind one for that one.
  const addFilter = (filter: string): void => {
    if (list.length === 0) first = filter;
    else list.push({ ...list.pop()!, filter });
  };
  // As in tshark: one filter for all, which its words make together.
  const addWord = (word: string, before = ''): string => {
    const filter = before === '' ? word : `${before} ${word}`;
    if (first !== '' || list.some((i) => i.filter !== before))
      throw new UserError(
        'a capture filter is given twice: by -f, and by words without an option',
        Exit.usage,
        FILTERS,
      );
    list.splice(0, list.length, ...list.map(({ device }) => ({ device, filter })));
    return filter;
  };
  const capture = new Command('capture').setOptionValue('interface', list); // a default would stand in the help, as []
  capture
    .description(
      'capture live: on screens, to a file, a ring of files or standard output, or as rows where there is no terminal',
    )
    .argument('[filter...]', 'which packets, as -f has it, for all interfaces: udp port 5060', addWord)
    .option('-i, --interface <name>', 'interface; repeatable', addInterface)
    .option(
      '-f <filter>',
      "which packets, in libpcap's language: 'tcp port 443'; for the -i before it, or for all",
      addFilter,
    )
    .option('-w, --write <file>', 'file to write (pcapng); - is standard output')
    .option('-s, --snaplen <octets>', 'octets of a packet that are kept', between(64, SNAPLEN), SNAPLEN)
    .option('-B, --buffer-size <MiB>', 'buffer of the kernel', between(1, 2047), BUFFER_MIB)
    .option('-p, --no-promiscuous', 'only what is for this machine')
    .option('-c, --count <packets>', 'stop after so many', between(1, Number.MAX_SAFE_INTEGER))
    .option('-a, --autostop <condition>', 'stop after duration:S, filesize:KB, packets:N, files:N; repeatable', collect)
    .option(
      '-b, --ring <condition>',
      'next file after duration:S, filesize:KB, packets:N, interval:S; keep files:N',
      collect,
    )
    .option('-k, --keylog <file>', 'TLS key log, also one that grows; with -w see --with-keys', collect)
    .option('--with-keys', 'write the lines of the key logs into the capture as they come')
    .addOption(new Option('--backend <name>', 'what captures').choices(['auto', 'pcap', 'dumpcap']).default('auto'))
    .option('--ui', 'on screens, also with -w; without -w in a terminal it is so anyway')
    .option('-Y, --filter <expression>', 'screens and rows: display filter')
    .option('-d, --decode-as <rule>', 'screens and rows: for example tcp.port==8443,tls', collect)
    .addOption(new Option('--rows <kind>', 'rows: of envelopes, of frames').choices(['inner', 'outer', 'both']))
    .option('-q, --quiet', 'say nothing but what goes wrong');
  return addTimeOptions(addFormatOptions(capture))
    .addOption(new Option('-l', 'accepted for tshark; rows are written as they come').hideHelp())
    .addOption(new Option('-n', 'accepted for tshark; names are not resolved').hideHelp())
    .addOption(new Option('-N <flags>', 'the same').hideHelp());
}

/** The same command line for the process that captures when this one prints rows. */
function captureArgs(o: CaptureCommandOptions): string[] {
  return [
    ...o.interface.flatMap(({ device, filter }) => ['-i', device, ...(filter === '' ? [] : ['-f', filter])]),
    ...['-s', String(o.snaplen), '-B', String(o.bufferSize), '--backend', o.backend],
    ...(o.promiscuous ? [] : ['-p']),
    ...(o.count === undefined ? [] : ['-c', String(o.count)]),
    ...(o.autostop ?? []).flatMap((a) => ['-a', a]),
    ...(o.keylog ?? []).flatMap((k) => ['-k', k]),
    ...(o.quiet ? ['-q'] : []),
  ];
}

function readArgs(o: CaptureCommandOptions & RowOptions): string[] {
  return [
    ...(o.keylog ?? []).flatMap((k) => ['-k', k]),
    ...(o.filter === undefined ? [] : ['-Y', o.filter]),
    ...(o.format === undefined ? [] : ['-T', o.format]),
    ...(o.tree ? ['-V'] : []),
    ...(o.octets ? ['-x'] : []),
    ...(o.field ?? []).flatMap((f) => ['-e', f]),
    ...(o.E ?? []).flatMap((setting) => ['-E', setting]),
    ...(['O', 'j', 'J', 't', 'u'] as const).flatMap((name) => (o[name] === undefined ? [] : [`-${name}`, o[name]])),
    ...(o.decodeAs ?? []).flatMap((d) => ['-d', d]),
    ...(o.rows === undefined ? [] : ['--rows', o.rows]),
    ...(o.quiet ? ['-q'] : []),
  ];
}

function wait(text: string): number {
  const ms = duration(text);
  if (ms === undefined) throw new InvalidArgumentError('It is not a time such as 500ms, 10s.');
  return ms;
}

function milliseconds(text: string): number {
  const ms = wait(text);
  if (ms === 0) throw new InvalidArgumentError('It is not a time above 0.');
  return ms;
}

/** RFC 6066 §3: what a ClientHello may ask for. */
function serverName(text: string): string {
  if (isIP(text) !== 0) throw new InvalidArgumentError('It is an address, and a server name is that of a host.');
  const name = asciiName(text);
  if (text !== '' && (name === '' || name.length > MOST_OF_NAME || /\s/.test(name)))
    throw new InvalidArgumentError('It is no name of a host.');
  return name;
}
/** RFC 1035 §2.3.4 */
const MOST_OF_NAME = 255;

function codecs(text: string, before: CodecName[] = []): CodecName[] {
  const name = CODECS.find((c) => c === text.toUpperCase());
  if (name === undefined) throw new InvalidArgumentError(`There are ${CODECS.join(', ')}.`);
  return [...before, name];
}

/** Options that both ends take. @param faults examples of what may be wrong */
function endOptions(c: Command, faults: string): Command {
  return c
    .option('--tls <versions>', 'TLS versions, MIN..MAX', '1.2..1.3')
    .option('--ciphers <list>', "cipher suites, in OpenSSL's words")
    .option('-4', 'IPv4 alone')
    .option('-6', 'IPv6 alone')
    .option('--tun <name>', 'a TUN device instead of the host within: real programs speak through the tunnel')
    .option('--tun-address <cidr>', 'an address of that device; repeatable', collect)
    .option('--bare', 'nothing but the tunnel and the device: the kernel and real servers give addresses')
    .option('-w, --write <file>', 'write the outer conversation as a capture (pcapng); - is standard output')
    .option('--with-keys', 'put the TLS keys into that file')
    .option('--keylog-out <file>', 'append the TLS keys to a key log')
    .option(
      '--fault <name>',
      `do something wrong: ${faults} …; several by commas; an unknown name lists them all`,
      collect,
    )
    .option('--seed <number>', 'repeats what chance does to faults', between(0, 0xffff_ffff))
    .option('--lab', 'the pair that works with nothing else: CA and subscriber are made once')
    .option('--ui', 'on screens: its state, its packets, and a line for the verbs of the console')
    .option('-q, --quiet', 'say nothing but what goes wrong');
}

/** `ue` with its options. */
export function ueCommand(): Command {
  const ue = new Command('ue')
    .description(
      'act as a UE: establish a tunnel to an EFTF, get addresses, then run a scenario or take verbs from the console',
    )
    .argument('<eftf>', 'HOST[:PORT] of the EFTF; port 443 if none is given')
    .option('--proxy <proxy>', '[USER:PASSWORD@]HOST:PORT of an HTTP proxy (access type II)')
    .option('--proxy-credentials <file>', 'USER:PASSWORD for the proxy, where a list of processes does not show them')
    .option('--sni <name>', "server name to send, instead of the HOST; '' for none", serverName)
    .option('--ca <file>', 'CAs to trust (PEM)')
    .option('--insecure', 'trust any certificate')
    .option('--pin <fingerprint>', 'the only certificate to trust: SHA-256 in hex, or sha256/BASE64 of its key')
    .option('--session <file>', 'keep the TLS session there, and resume it')
    .option(
      '--subscriber <file>',
      'who registers: impi, impu, domain, password or k and opc; with --lab a name, alice or bob',
    )
    .option('--pcscf <address>', 'P-CSCF, instead of what is announced')
    .option('--audio <source>', 'what is said in calls: tone, echo, or a file (WAV, AMR, octets of G.711)', 'tone')
    .option('--codec <name>', 'PCMU, PCMA, AMR or AMR-WB, the preferred one first; repeatable (PCMU and PCMA)', codecs)
    .option('--session-expires <seconds>', 'session timer to ask for; 0 for none', between(0, 1 << 30), 1800)
    .option(
      '--preconditions <time>',
      'call with preconditions; resources are there after so long, such as 0s, 2s',
      wait,
    )
    .addOption(new Option('--sip-transport <protocol>', 'what SIP goes over').choices(['udp', 'tcp']).default('udp'))
    .addOption(
      new Option('--timeout <time>', 'for each of TCP, CONNECT and TLS').argParser(milliseconds).default(10_000, '10s'),
    )
    .option('--run <file>', 'scenario, YAML or JSON: {steps: [VERB, {VERB: {NAME: VALUE}}]}');
  return endOptions(ue, 'drop=0.1, split, rst');
}

/** `eftf` with its options. */
export function eftfCommand(): Command {
  const eftf = new Command('eftf')
    .description('act as an EFTF: take tunnels, lease addresses, advertise prefixes, route between UEs')
    .option('--listen <address>', 'ADDRESS:PORT to listen on; port 0 takes a free one', '127.0.0.1:443')
    .option('--cert <file>', 'certificate (PEM, with its chain); one of the lab if none is given')
    .option('--key <file>', 'its private key (PEM)')
    .option('--pool <cidr>', 'IPv4 addresses for UEs; the first is the gateway', '10.45.0.0/16')
    .option('--prefix <prefix>', 'IPv6 prefix; each UE gets a /64 out of it', 'fd00:45::/32')
    .option('--dns <address>', 'DNS server to announce; repeatable', collect)
    .option('--pcscf <address>', 'P-CSCF to announce; repeatable', collect)
    .option('--subscribers <file>', 'run a P-CSCF for these subscribers (JSON or YAML)')
    .option(
      '--leases <file>',
      'keep DHCP leases there; without it under XDG_STATE_HOME, unless --listen takes a free port',
    )
    .option('--run <file>', 'scenario, YAML or JSON: {steps: [expect, wait, fault, send, release, tunnels]}')
    .option('--max-tunnels <number>', 'most tunnels at a time', between(1, 1 << 20));
  return endOptions(eftf, 'drop=0.1, rst, want-sni, challenge, refuse-invite=503, mute');
}

/** Adds `ue` and `eftf`; `done` gets the exit code. */
export function addEndCommands(program: Command, done: (code: number) => void): void {
  const ue = ueCommand().action(async (target: string, o: UeCommandOptions) => {
    if (o.ui) done(await (await import('./live-ue.js')).ueOnScreens(target, o));
    else done(await (await import('./commands/ue.js')).ue(target, o));
  });
  const eftf = eftfCommand().action(async (o: EftfCommandOptions) => {
    if (o.ui) done(await (await import('./live-eftf.js')).eftfOnScreens(o));
    else done(await (await import('./commands/eftf.js')).eftf(o));
  });
  program.addCommand(ue).addCommand(eftf);
}
