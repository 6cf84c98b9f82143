/** Stacks that are remembered. */
const RECENT = 16;

interface Stack {
  readonly names: readonly string[];
  readonly text: string;
}

/** Protocol stacks as text, `eth:ip:udp`: the same few come again and again. */
export class StackTexts {
  /** The one asked for last is the first. */
  private readonly recent: Stack[] = [];

  of(names: readonly string[]): string {
    const { recent } = this;
    let at = 0;
    while (at < recent.length && !same(recent[at].names, names)) at++;
    const found = at < recent.length ? recent[at] : { names: [...names], text: names.join(':') };
    if (at === RECENT) at--;
    for (; at > 0; at--) recent[at] = recent[at - 1];
    recent[0] = found;
    return found.text;
  }
}

function same(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return false;
  return true;
}
