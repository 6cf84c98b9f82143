/**
 * Key material. Its octets are reached through {@link octets} alone: printing, inspecting, or making JSON of an object
 * that holds one shows nothing of them.
 */
export class Secret {
  readonly #octets: Uint8Array;

  /** @param octets are kept, not copied */
  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }
  /** The octets themselves, to feed a cipher or a hash. */
  get octets(): Uint8Array {
    return this.#octets;
  }
  get length(): number {
    return this.#octets.length;
  }
  toString(): string {
    return '[secret]';
  }
  toJSON(): string {
    return '[secret]';
  }
}
