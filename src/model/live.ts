/** Things by number, from 1 in the order in which they came, as long as they are followed. */
export class Live<T extends { readonly id: number }> implements Iterable<T> {
  private readonly byId = new Map<number, T>();
  /** Numbers given so far. */
  total = 0;

  /** Followed now. */
  get size(): number {
    return this.byId.size;
  }

  /** Takes a thing that has the number after {@link total}. */
  add(value: T): void {
    this.total = value.id;
    this.byId.set(value.id, value);
  }

  at(id: number): T | undefined {
    return this.byId.get(id);
  }

  /** Follows a thing no longer; its number is not given again. */
  remove(value: T): void {
    this.byId.delete(value.id);
  }

  /** Keeps these alone, under the numbers that they have now. */
  replace(values: Iterable<T>): void {
    this.byId.clear();
    for (const value of values) this.byId.set(value.id, value);
  }

  /** In the order of their numbers. */
  [Symbol.iterator](): Iterator<T> {
    return this.byId.values();
  }
}
