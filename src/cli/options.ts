import { type Command, InvalidArgumentError, Option } from 'commander';

/** Formats of `-T`. */
export const FORMATS = ['text', 'tree', 'fields', 'json', 'ndjson', 'ek', 'pdml', 'psml', 'tabs'] as const;
export type Format = (typeof FORMATS)[number];

/** Formats of `-t`. */
export const TIMES = ['r', 'a', 'ad', 'adoy', 'd', 'dd', 'e', 'u', 'ud', 'udoy'] as const;

/** Shells that `completion` knows, and what `decode` takes its input for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];
export const FORMS = ['auto', 'hex', 'base64', 'octets'] as const;
export type Form = (typeof FORMS)[number];

/** Options that every command which reads captures understands; names as tshark has them where it does. */
export interface ReadOptions {
  read?: string[];
  keylog?: string[];
  autoKeys: boolean;
  handshakeFrom?: string[];
  filter?: string;
  config?: string;
  tunnel?: string;
  user?: string;
  callId?: string;
  from?: string;
  to?: string;
  decodeAs?: string[];
  format?: string;
  tree?: boolean;
  field?: string[];
  E?: string[];
  j?: string;
  J?: string;
  O?: string;
  octets?: boolean;
  count?: number;
  write?: string;
  n?: boolean;
  N?: string;
  t?: string;
  u?: string;
  quiet?: boolean;
  o?: string[];
  enableHeuristic?: string[];
  rows?: 'inner' | 'outer' | 'both';
  verifyAll?: boolean;
  failOn?: 'note' | 'warn' | 'error';
  requireDecrypt?: boolean;
  eftfIssuer?: string[];
  follow?: boolean;
  l?: boolean;
  P?: boolean;
  z?: string[];
  twoPass?: boolean;
}

/** Options of the screens beside those of every command that reads captures. */
export interface ScreenOptions extends ReadOptions {
  plain?: boolean;
  ascii?: boolean;
  mouse?: boolean;
  theme?: 'dark' | 'light' | 'contrast' | 'mono';
  color?: 'auto' | 'always' | 'never';
}

/** Gathers the values of an option that may be given several times. */
export const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

/** A number of frames. */
function positive(value: string): number {
  const n = Number(value);
  if (!Number.isSafeInteger(n) || n < 1) throw new InvalidArgumentError('It is not a number from 1.');
  return n;
}

/** The option that says whose certificates EFTFs have. */
export const issuerOption = (): Option =>
  new Option(
    '--eftf-issuer <name>',
    'who issues certificates of EFTFs, as a distinguished name or its common name: others are a finding; repeatable',
  ).argParser(collect);

/** Adds the options that choose input, keys and rows; `bare` is what `-r` is the same as. */
export function addInputOptions(c: Command, bare = ', the same as a bare name'): Command {
  return c
    .option('-r, --read <file>', `capture to read${bare}; - is standard input`, collect)
    .option(
      '-k, --keylog <file>',
      'TLS key log, RSA private key (PEM), keys of subscribers (impi= k= opc=) or of ESP (esp_sa), or a directory of them; - is standard input; repeatable',
      collect,
    )
    .option('--no-auto-keys', 'do not look for keys beside the capture, in it, or in SSLKEYLOGFILE')
    .option('--handshake-from <file>', 'earlier file of the same rotation that holds the TLS handshakes', collect)
    .option('-Y, --filter <expression>', 'display filter, in the language of Wireshark 4')
    .option('--config <file>', 'settings: of screens instead of your own; elsewhere for filters with a name')
    .option('--tunnel <which>', 'only this tunnel: its number, or HOST[:PORT] of an end, its SNI or proxy target')
    .option('--user <uri>', 'only the SIP dialogs and media of this user: a URI or a number')
    .option('--call-id <id>', 'only this SIP dialog and its media')
    .option('--from <time>', 'from this time on: ISO 8601, seconds since 1970, or +SECONDS from the first frame')
    .option('--to <time>', 'up to this time')
    .option('-c, --count <frames>', 'stop after so many frames', positive)
    .option('-d, --decode-as <rule>', 'for example tcp.port==8443,tls', collect)
    .option(
      '-o <name:value>',
      'a tshark preference: tls.keylog_file:FILE, ip.check_checksum:TRUE (or tcp, udp)',
      collect,
    )
    .option('--enable-heuristic <name>', 'rtp_udp: RTP on ports that no SDP names', collect)
    .option('--verify-all', 'check the tag of every record, not of a sample')
    .option('--require-decrypt', 'exit with 4 if a tunnel could not be decrypted')
    .option('-q, --quiet', 'no progress, no warnings, no word about the tunnels')
    .option('-n', 'no name resolution (always so)')
    .addOption(new Option('-N <flags>', 'accepted for tshark; names are not resolved').hideHelp())
    .option('-2, --two-pass', 'read twice, so that filters (and -e) may name call.*, media.* and tunnel.state');
}

/** Leaves options out of the help of a command that they do nothing for; they are taken all the same. */
export function hideOptions(c: Command, ...names: readonly string[]): void {
  for (const option of c.options) if (names.includes(option.long ?? option.short ?? '')) option.hideHelp();
}

/** Adds the options that say how rows are printed; `format` is what they are printed as if none is named. */
export function addFormatOptions(c: Command, format: Format = 'text'): Command {
  return c
    .option('-T, --format <format>', `${FORMATS.join(', ')}; ${format} if none is named`)
    .option('-V, --tree', 'the whole tree of each row (-T tree)')
    .option('-e, --field <field>', 'a field to print (-T fields, or with json, ndjson, ek, pdml); repeatable', collect)
    .option(
      '-E <setting>',
      'of -T fields: header=y, separator=, occurrence=f|l|a, aggregator=, quote=d|s|n, bom=y',
      collect,
    )
    .option('-j <names>', 'of -T json, ek, pdml, ndjson: of these layers and parents only, for example "ip ip.flags"')
    .option('-J <names>', 'the same, with everything below the layers that are named')
    .option('-O <names>', 'of -T tree: the details of these layers only, for example sip,sdp')
    .addOption(new Option('--no-duplicate-keys', 'accepted for tshark; -T json has none').hideHelp())
    .option('-x, --octets', 'with text and tree: the octets of each row');
}

/** Adds the options that say how the times of rows are printed. */
export function addTimeOptions(c: Command): Command {
  return c
    .option(
      '-t <format>',
      'time of -T text, psml, tabs: r relative, a clock, ad with date, u UTC, ud with date, adoy, udoy with day of year, e epoch, ' +
        'd since the frame before, dd since the row before',
    )
    .option('-u <form>', 'of -t r, d, dd: s seconds, hms hours, minutes and seconds');
}

/** Adds the options that say which rows are printed, and how. */
export function addOutputOptions(c: Command): Command {
  return addTimeOptions(addFormatOptions(c))
    .addOption(
      new Option('--rows <kind>', 'which rows: of envelopes, of frames')
        .choices(['inner', 'outer', 'both'])
        .default('both'),
    )
    .option(
      '-w, --write <file>',
      'write the frames of the selected rows to a pcapng file instead; - is standard output',
    )
    .option('-P', 'print the rows also with -w')
    .option(
      '-z <statistic>',
      'count over the rows, with -q instead of printing them: io,stat,1 conv,ip sip,stat … (-z help lists them)',
      collect,
    )
    .option('-l', 'write each row at once')
    .option('--follow', 'go on with what is added to the capture while it is written, until Ctrl-C')
    .addOption(
      failOnOption(
        'exit with 3 if a finding or expert item on a row that is chosen is this bad; of tunnels and calls: report --fail-on',
      ),
    );
}

/** `--fail-on`, which counts something else for each command. */
export const failOnOption = (description: string): Option =>
  new Option('--fail-on <severity>', description).choices(['note', 'warn', 'error']);

/** Adds the options of the screens that a capture opens in a terminal. */
export function addScreenOptions(c: Command): Command {
  return c
    .option('--plain', 'in a terminal: numbered lines of text instead of screens, for screen readers')
    .option('--ascii', 'in a terminal: no lines and arrows beyond ASCII')
    .option('--no-mouse', 'in a terminal: leave the mouse to the terminal')
    .addOption(
      new Option('--theme <name>', 'of screens, and of rows in colour').choices(['dark', 'light', 'contrast', 'mono']),
    )
    .addOption(
      new Option('--color <when>', 'auto: of screens, without NO_COLOR; always: of rows of -T text, too')
        .choices(['auto', 'always', 'never'])
        .default('auto'),
    )
    .addOption(issuerOption());
}
