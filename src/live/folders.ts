import { homedir } from 'node:os';
import { join } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Where a user's settings are, and where what outlives a run is kept: the XDG Base Directory Specification. A variable that is
 * empty or holds a relative path is passed over, as it says.
 */
export function folders(env: Env = process.env, home: string = homedir()): { config: string; state: string } {
  const base = (name: string, otherwise: string): string => {
    const value = env[name];
    return value?.startsWith('/') ? value : join(home, otherwise);
  };
  return {
    config: join(base('XDG_CONFIG_HOME', '.config'), 'fttscope'),
    state: join(base('XDG_STATE_HOME', '.local/state'), 'fttscope'),
  };
}
