/** The programs that fttscope is compared with, and what they are told. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CORPUS } from '../support/corpus.js';

const PEER = join(dirname(CORPUS), 'peer');
const LUA = join(PEER, 'ftt_ims.lua');
const GENERATOR = join(PEER, 'gen_big.py');

export interface Capture {
  readonly file: string;
  readonly keys: string;
  /** What ran inside the tunnels, in the clear; '' where it is not known. */
  readonly inner: string;
}

/** The capture of so many megabytes; made once by the generator. @throws Error where there is none */
export function generated(megabytes: number): Capture {
  const folder = join(tmpdir(), 'fttscope-bench');
  mkdirSync(folder, { recursive: true });
  const at = (ending: string): string => join(folder, `${megabytes}.${ending}`);
  const c = { file: at('pcapng'), keys: at('keys'), inner: at('inner.pcap') };
  if (existsSync(c.file)) return c;
  if (!existsSync(GENERATOR)) throw new Error(`no capture given (--capture), and no generator at ${GENERATOR}`);
  console.log(`making a capture of ${megabytes} MB …`);
  const mix = ['--mix', 'sip:5,rtp:93,dhcp:2', '--tls', '1.2gcm,1.3gcm,1.2cbc,chacha', '--per-record', '1-3'];
  const out = ['--out', c.file, '--keylog', c.keys, '--inner', c.inner];
  execFileSync('python3', [GENERATOR, '--tunnels', '64', '--packets', String(megabytes * 5100), ...mix, ...out]);
  return c;
}

const isInstalled = (program: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

export const hasTshark = existsSync(LUA) && isInstalled('tshark');
export const hasSngrep = isInstalled('sngrep');

const TSHARK = 'tshark -n -o tcp.reassemble_out_of_order:TRUE';

/** tshark that reads the envelopes by the Lua dissector. */
export const withLua = (c: Capture, args: string): string =>
  `${TSHARK} -X lua_script:${LUA} -o tls.keylog_file:${c.keys} -r ${c.file} ${args} 2>/dev/null`;

/** The best that C tools do in two steps: tshark without Lua on the capture, and tshark on what ran inside. */
export const composite = (c: Capture, args: string): string =>
  `{ ${TSHARK} -o tls.keylog_file:${c.keys} -r ${c.file} ${args} ; ${TSHARK} -r ${c.inner} ${args} ; } 2>/dev/null`;

/** sngrep on what ran inside, in the clear. */
export const sngrep = (c: Capture): string => `TERM=xterm sngrep -N -q -I ${c.inner} > /dev/null 2>&1`;
