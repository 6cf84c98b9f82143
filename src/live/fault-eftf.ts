import { FAULTS, type FaultName, type FaultSetting, isOf } from './fault.js';

/** What an EFTF and its lab can do wrong to all UEs, until it is ended; what each takes, and what it does. */
const EFTF_FAULTS = {
  'want-sni': 'TLS without a server name is refused by the alert unrecognized_name',
  'no-address': 'the pool of DHCP is empty: who has no lease gets no answer',
  'no-prefix': 'router advertisements are without a prefix',
  challenge: 'each REGISTER is challenged, whatever it answers',
  'refuse-register': 'each REGISTER is refused with N (403)',
  'refuse-invite': 'each new call is refused with N (503), 503 with Retry-After',
  mute: 'echo and announcement send no speech',
  'wrong-port': 'echo and announcement send speech N (64) ports above the one that SDP names',
} as const;
/** A fault of an EFTF, as `--fault` and scenarios name it. */
export type EftfFaultName = keyof typeof EFTF_FAULTS;

/** All that an EFTF takes: faults of its tunnels, and its own. */
export const ALL_FAULTS = { ...FAULTS, ...EFTF_FAULTS } as const;
/** One of them, with its number. */
export type AnyFault = FaultSetting<FaultName | EftfFaultName>;

/** Whether a fault is one of the EFTF, rather than of its tunnels. */
export const isEftfFault = (f: AnyFault): f is FaultSetting<EftfFaultName> => isOf(EFTF_FAULTS, f.name);

/** The number of those that take one, where nothing is said. */
const USUAL: Readonly<Partial<Record<EftfFaultName, number>>> = {
  'refuse-register': 403,
  'refuse-invite': 503,
  'wrong-port': 64,
};

/** The faults of an EFTF: those who serve UEs ask what to do wrong. Off unless asked. */
export class EftfFaults {
  private readonly armed = new Map<EftfFaultName, number>();

  /** Commits a fault from now on; with 0, no more. */
  apply({ name, value }: FaultSetting<EftfFaultName>): void {
    const usual = USUAL[name];
    if (value === 0) this.armed.delete(name);
    else this.armed.set(name, usual === undefined ? 1 : (value ?? usual));
  }

  has(name: EftfFaultName): boolean {
    return this.armed.has(name);
  }

  /** The number of a fault; undefined where it is off. */
  value(name: EftfFaultName): number | undefined {
    return this.armed.get(name);
  }

  /** Those that are on, as they are typed: `refuse-invite=503`. */
  get lasting(): string[] {
    return [...this.armed].map(([name, value]) => (USUAL[name] === undefined ? name : `${name}=${value}`));
  }

  off(): void {
    this.armed.clear();
  }
}
