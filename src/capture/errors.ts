/** What goes wrong with capture files, in words that a person can act on. */

/**
 * A file that cannot be opened, read or written. `message` is one line without the hint; `code` is stable and begins
 * with `FTT_E_`.
 */
export class CaptureError extends Error {
  constructor(
    readonly code: string,
    message: string,
    /** What to do about it, in one line. */
    readonly hint?: string,
  ) {
    super(message);
    this.name = 'CaptureError';
  }
}

/** Thrown by an input whose octets end in damage; what was read before stays good. */
export class InputDamage extends Error {}

const SYSTEM: Record<string, [code: string, text: string, hint?: string]> = {
  ENOENT: ['FTT_E_MISSING', 'no such file'],
  ENOTDIR: ['FTT_E_MISSING', 'no such file'],
  EACCES: ['FTT_E_PERMISSION', 'no permission to open the file', 'Look at the rights with ls -l.'],
  EPERM: ['FTT_E_PERMISSION', 'no permission to open the file', 'Look at the rights with ls -l.'],
  EISDIR: ['FTT_E_DIRECTORY', 'is a directory', 'Name the capture files in it.'],
  ELOOP: ['FTT_E_MISSING', 'symbolic links that lead in a circle', 'See where they lead with ls -l.'],
  ENAMETOOLONG: ['FTT_E_MISSING', 'the name is longer than the system allows'],
  EMFILE: ['FTT_E_TOO_MANY_FILES', 'too many open files', 'Raise the limit with ulimit -n, or name fewer files.'],
  ENFILE: ['FTT_E_TOO_MANY_FILES', 'too many open files', 'Raise the limit with ulimit -n, or name fewer files.'],
  ENOSPC: ['FTT_E_DISK_FULL', 'no space is left on the device'],
  EDQUOT: ['FTT_E_DISK_FULL', 'the disk quota is used up'],
  EFBIG: ['FTT_E_DISK_FULL', 'the file would be larger than the system allows'],
  EROFS: ['FTT_E_PERMISSION', 'the file system is read-only'],
  EIO: [
    'FTT_E_READ',
    'the device reports an error (EIO)',
    'Look at the disk, or at the server that has the file: dmesg.',
  ],
  EPIPE: ['FTT_E_PIPE', 'nobody reads the output any more'],
};

/** Where a file is to be written. */
const WRITING: typeof SYSTEM = {
  ENOENT: ['FTT_E_MISSING', 'there is no such folder'],
  ENOTDIR: ['FTT_E_MISSING', 'there is no such folder'],
  EISDIR: ['FTT_E_DIRECTORY', 'is a directory', 'Name a file in it.'],
  EACCES: [
    'FTT_E_PERMISSION',
    'no permission to write it',
    'Look at the rights of the file and its folder with ls -l.',
  ],
  EPERM: ['FTT_E_PERMISSION', 'no permission to write it', 'Look at the rights of the file and its folder with ls -l.'],
};

/** The coded error for an error of the system about `name`; `otherwise` is the code where none fits better. */
export function systemError(name: string, error: unknown, otherwise: string): CaptureError {
  if (error instanceof CaptureError) return error;
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  const [coded, text, hint] = (otherwise === 'FTT_E_WRITE' ? WRITING[code] : undefined) ??
    SYSTEM[code] ?? [otherwise, message];
  return new CaptureError(coded, `${labelOf(name)}: ${text}`, hint);
}

/** What messages call a file that is named so on the command line; nothing: a variable of a script was empty. */
export const labelOf = (name: string): string => (name === '-' ? 'standard input' : name === '' ? "''" : name);

/** `1 frame was read`, `84 frames were read`. */
export const framesRead = (n: number): string => (n === 1 ? '1 frame was read' : `${n} frames were read`);
