import type { Severity, TunnelEntity } from './entities.js';

/** Labels of a domain that several hosts of one operator may share. */
const LEAST_LABELS = 2;

/** The domain that a host is in, '' where that is too short to say anything. */
function domainOf(name: string): string {
  const labels = name.split('.').slice(1);
  return labels.length < LEAST_LABELS ? '' : labels.join('.');
}

/**
 * The servers of tunnels that work. A phone has many other connections, of which some fail: what has another name is
 * no EFTF.
 */
export class Working {
  private readonly addresses = new Set<string>();
  private readonly names = new Set<string>();
  private readonly domains = new Set<string>();

  constructor(tunnels: readonly TunnelEntity[]) {
    for (const t of tunnels) {
      if (t.envelopes.up.total + t.envelopes.down.total === 0) continue;
      this.addresses.add(t.eftf.address);
      const name = t.eftf.name?.toLowerCase();
      if (name === undefined) continue;
      this.names.add(name);
      if (domainOf(name) !== '') this.domains.add(domainOf(name));
    }
  }

  /** Whether a server is another one for sure: by its name. */
  isOther(address: string, name: string | undefined): boolean {
    const own = name?.toLowerCase();
    if (own === undefined || this.names.size === 0 || this.addresses.has(address)) return false;
    return !this.names.has(own) && !this.domains.has(domainOf(own));
  }

  /** How bad it is that a server could not be reached; undefined: as bad as can be. */
  severity(address: string, name: string | undefined): Severity | undefined {
    if (this.addresses.size === 0) return undefined;
    return this.isOther(address, name) ? 'note' : 'warn';
  }
}
