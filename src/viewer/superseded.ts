/** A newer question was asked. */
export class Superseded extends Error {}

/** What was to be done is not wanted any more. */
export class Stopped extends Error {
  constructor() {
    super('stopped');
  }
}
