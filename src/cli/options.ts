import { type Command, Option } from 'commander';

/** Options that every command which reads captures understands; names as tshark has them where it does. */
export interface ReadOptions {
  read?: string[];
  keylog?: string[];
  autoKeys: boolean;
  handshakeFrom?: string[];
  filter?: string;
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
  octets?: boolean;
  count?: number;
  write?: string;
  n?: boolean;
  N?: string;
  t?: string;
  quiet?: boolean;
  o?: string[];
  enableHeuristic?: string[];
  rows?: 'inner' | 'outer' | 'both';
  verifyAll?: boolean;
  failOn?: 'note' | 'warn' | 'error';
  requireDecrypt?: boolean;
  l?: boolean;
  P?: boolean;
}

const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

/** Adds the options that choose input, keys and rows. */
export function addInputOptions(c: Command): Command {
  return c
    .option('-r, --read <file>', 'capture to read, the same as a bare name; - is standard input', collect)
    .option('-k, --keylog <file>', 'TLS key log (NSS format) or a directory of them; may be repeated', collect)
    .option('--no-auto-keys', 'do not look for keys beside the capture, in it, or in SSLKEYLOGFILE')
    .option('--handshake-from <file>', 'earlier file of the same rotation that holds the TLS handshakes', collect)
    .option('-Y, --filter <expression>', 'display filter, in the language of Wireshark 4')
    .option('--tunnel <which>', 'only this tunnel: its number, or HOST:PORT of one of its ends')
    .option('--user <uri>', 'only the SIP dialogs and media of this user: a URI or a number')
    .option('--call-id <id>', 'only this SIP dialog and its media')
    .option('--from <time>', 'from this time on: ISO 8601, seconds since 1970, or +SECONDS from the first frame')
    .option('--to <time>', 'up to this time')
    .option('-d, --decode-as <rule>', 'for example tcp.port==8443,tls', collect)
    .option('-c, --count <frames>', 'stop after so many frames', Number)
    .option('-o <name:value>', 'a tshark preference; tls.keylog_file is understood', collect)
    .option('--enable-heuristic <name>', 'rtp_udp: RTP on ports that no SDP names', collect)
    .addOption(new Option('--rows <kind>', 'which rows').choices(['inner', 'outer', 'both']))
    .option('--verify-all', 'check the tag of every record, not of a sample')
    .option('--require-decrypt', 'exit with 4 if a tunnel could not be decrypted')
    .addOption(
      new Option('--fail-on <severity>', 'exit with 3 if a finding is this bad').choices(['note', 'warn', 'error']),
    )
    .option('-q, --quiet', 'no progress, no warnings')
    .option('-n', 'no name resolution (the default)')
    .option('-N <flags>', 'accepted for tshark; names are not resolved');
}

/** Adds the options that say how rows are printed. */
export function addOutputOptions(c: Command): Command {
  return c
    .option('-T, --format <format>', 'text, tree, fields or ndjson')
    .option('-V, --tree', 'the whole tree of each row (-T tree)')
    .option('-x, --octets', 'the octets of each row')
    .option('-e, --field <field>', 'a field to print; may be repeated', collect)
    .option('-E <setting>', 'of -T fields: header=y, separator=, occurrence=f, aggregator=, quote=d', collect)
    .option('-w, --write <file>', 'write the frames of the selected rows to a pcapng file')
    .option('-t <format>', 'time column: r relative, a absolute, ad with date, e epoch, d delta, u UTC')
    .option('-P', 'print the rows also when -w writes their frames')
    .option('-l', 'write each row at once');
}
