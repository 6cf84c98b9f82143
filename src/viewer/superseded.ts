/** A newer question was asked. */
export class Superseded extends Error {}
