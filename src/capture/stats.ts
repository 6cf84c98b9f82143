import { type Stats, statSync } from 'node:fs';

/**
 * What the system says of a path; undefined where it leads to nothing that can be looked at: no such file, links in a circle,
 * a folder that may not be entered. Whoever opens it is told which.
 */
export function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
