import type { Command } from 'commander';

/** Options of tshark that there are not, with what does the same here. */
const INSTEAD: Readonly<Record<string, string>> = {
  '-C': 'there are no profiles; --config FILE names filters',
  '-D': 'fttscope interfaces lists them',
  '-F': '-w writes pcapng; editcap -F pcap makes other formats of it',
  '-H': 'names are not resolved',
  '-I': 'tcpdump -I -U -w - | fttscope -r - captures in monitor mode',
  '-K': 'keys are given with -k: a TLS key log, an RSA private key, or keys of ESP',
  '-L': 'fttscope interfaces lists interfaces; frames are taken as an interface has them',
  '-M': 'memory is bounded without it',
  '-Q': '-q says nothing but what goes wrong',
  '-R': '-Y filters, with -2 too',
  '-S': 'a blank line stands between trees',
  '-U': 'fttscope extract writes what ran in the tunnels',
  '-X': 'there is no Lua',
  '--disable-heuristic': 'rtp_udp alone is a heuristic, and off unless --enable-heuristic asks for it',
  '--disable-protocol': '-Y chooses rows, -d says what a port carries',
  '--display-filter': 'it is -Y or --filter',
  '--enable-protocol': 'all protocols are dissected',
  '--export-objects': '-T fields -e http.file_data has bodies, -z follow,tcp,raw,0 a stream',
  '--export-tls-session-keys': 'fttscope extract --outer --with-keys writes them into a capture',
  '--hexdump': 'it is -x',
  '--list-interfaces': 'fttscope interfaces lists them',
  '--only-protocols': '-Y chooses rows, -O what is shown of them',
  '--print': 'it is -P',
  '--read-file': 'it is -r, or the file alone',
  '--read-filter': '-Y filters, with -2 too',
};

/** Options by which other programs are told of a file for what they print, and the commands that only print. */
const OUTPUT = ['-w', '--write', '--output', '--out'];
const PRINTING = ['report', 'keys', 'decode', 'fields', 'interfaces', 'doctor', 'completion', 'man'];

/** Commands whose options are taken for those of tshark and dumpcap. */
const LIKE_THEIRS = ['read', 'capture', 'report'];

/**
 * What to use instead of an option that the command of a name does not have: what does the same here, or the command that has
 * it; undefined where nobody can know.
 */
export function elsewhere(option: string, command: string, program: Command): string | undefined {
  if (OUTPUT.includes(option) && PRINTING.includes(command)) return `${command} prints; > FILE makes a file of it`;
  if (Object.hasOwn(INSTEAD, option)) return INSTEAD[option];
  for (const name of LIKE_THEIRS) {
    const c = program.commands.find((k) => k.name() === name);
    if (c?.options.some((o) => o.short === option || o.long === option)) return `fttscope ${name} has it`;
  }
  return undefined;
}
