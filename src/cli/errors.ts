/** Exit codes (contract section 3). */
export const Exit = {
  done: 0,
  /** usage, rights, device */
  usage: 1,
  /** input, filter or output, after printing what could be read */
  input: 2,
  failOn: 3,
  /** a tunnel that is not known to be something else could not be decrypted */
  undecrypted: 4,
} as const;

/** An error that the user can do something about: printed without a stack, ends the program with `exit`. */
export class UserError extends Error {
  constructor(
    message: string,
    readonly exit: number = Exit.usage,
    /** What to do about it. */
    readonly hint?: string,
  ) {
    super(message);
  }
}
