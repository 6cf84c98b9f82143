/** How far the establishment of a tunnel came; the words of a report. */
export type Stage = 'dns' | 'tcp' | 'proxy' | 'tls';

/** A tunnel that could not be established: at which stage, and why in words. */
export class NotEstablished extends Error {
  constructor(
    readonly stage: Stage,
    message: string,
    /** What to try. */
    readonly hint?: string,
  ) {
    super(message);
  }
}
