/**
 * A function of nothing but its argument, with its last results kept: for what would be made anew for every packet though
 * few different ones come. When `most` are kept all are forgotten.
 */
export function remembered<K extends string | number, V>(most: number, make: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) {
      value = make(key);
      if (known.size >= most) known.clear();
      known.set(key, value);
    }
    return value;
  };
}
