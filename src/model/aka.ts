import { hex } from '../kit/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import type { Aka, SecAgree, SecurityMechanism } from './entities.js';
import { parameterOf } from './sip-event.js';

const RAND = 16;
const AUTN = 16;
/** AUTN: SQN ⊕ AK, AMF, MAC. TS 33.102 §6.3.2 */
const SQN = 6;
const AMF = 2;
/** Octets of CK and of IK. */
const KEY = 16;
const IPSEC = 'ipsec-3gpp';

/**
 * What a challenge says about IMS AKA (RFC 3310 §3.2: the nonce is RAND, AUTN and server data in base64); undefined
 * where it is another algorithm. Keys that a challenge on a network interface carries (`ck`, `ik`) are left alone.
 */
export function akaChallenge(value: string): Omit<Aka, 'resynchronisations'> | undefined {
  const algorithm = parameterOf(value, 'algorithm');
  if (algorithm === undefined || !/^AKAv[12]-/i.test(algorithm)) return undefined;
  const nonce = Buffer.from(parameterOf(value, 'nonce') ?? '', 'base64');
  if (nonce.length < RAND + AUTN) return { algorithm };
  const autn = nonce.subarray(RAND, RAND + AUTN);
  return {
    algorithm,
    rand: hex(nonce, 0, RAND, ''),
    autn: hex(autn, 0, AUTN, ''),
    sqnXorAk: hex(autn, 0, SQN, ''),
    amf: hex(autn, SQN, AMF, ''),
    mac: hex(autn, SQN + AMF, AUTN - SQN - AMF, ''),
  };
}

/** What the keys of a subscriber say of a challenge. */
export interface AkaOpinion {
  /** Whether MAC is right: the challenge comes from a network that has K. Absent where only CK and IK are known. */
  readonly genuine?: boolean;
  /** In hex. */
  readonly sqn?: string;
  readonly res?: Uint8Array;
  readonly ck: Uint8Array;
  readonly ik: Uint8Array;
}

/** One of the security associations of TS 33.203 §7.1, by the SPI that its receiver chose. */
export interface ProtectedWay {
  readonly source: string;
  readonly destination: string;
  readonly spi: number;
  readonly alg: string;
  readonly ealg: string;
}

/** The keys of subscribers, where a user has them; none of them ever leaves this interface. */
export interface SubscriberSecrets {
  /** Undefined where there are no keys for this user and challenge. */
  challenge(impi: string, rand: Uint8Array, autn: Uint8Array): AkaOpinion | undefined;
  /**
   * Whether the response in the credentials is right; undefined where that cannot be told.
   * @param body of the request, which `auth-int` covers; undefined where not all of it was captured
   * @param algorithm of the challenge
   */
  response(
    o: AkaOpinion,
    credentials: string,
    method: string,
    body: Uint8Array | undefined,
    algorithm?: string,
  ): boolean | undefined;
  /** Whether a request for resynchronisation is genuine. */
  resynchronisation(impi: string, rand: Uint8Array, auts: Uint8Array): boolean | undefined;
  /** Lets ESP be opened from now on; false where an algorithm is unknown. */
  protect(ways: readonly ProtectedWay[], ck: Uint8Array, ik: Uint8Array): boolean;
}

/** CK and IK that a challenge carries, as it does between CSCFs only (TS 24.229 §5.4.1.2.1). */
export function leakedKeys(value: string): { readonly ck: Uint8Array; readonly ik: Uint8Array } | undefined {
  const [ck, ik] = ['ck', 'ik'].map((name) => Buffer.from(parameterOf(value, name) ?? '', 'hex'));
  return ck.length === KEY && ik.length === KEY ? { ck, ik } : undefined;
}

/** Mechanisms of a Security-Client or Security-Server, what is preferred first (RFC 3329 §2.2, TS 33.203 annex H). */
function securityMechanisms(values: readonly string[]): SecurityMechanism[] {
  const preference = (item: string): number => Number(parameterOf(item, 'q') ?? 1);
  return values
    .flatMap((value) => value.split(','))
    .sort((a, b) => preference(b) - preference(a) || 0)
    .flatMap((item) => {
      const mechanism = item.split(';')[0].trim().toLowerCase();
      if (mechanism === '') return [];
      const text = (name: string): string | undefined => parameterOf(item, name);
      const number = (name: string): number | undefined => {
        const v = text(name);
        return v !== undefined && /^\d{1,10}$/.test(v) ? Number(v) : undefined;
      };
      const parts = {
        alg: text('alg'),
        ealg: text('ealg'),
        mod: text('mod'),
        spiC: number('spi-c'),
        spiS: number('spi-s'),
        portC: number('port-c'),
        portS: number('port-s'),
      };
      return [{ mechanism, ...defined(parts) }];
    });
}

function defined<T extends object>(o: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined)) as never;
}

interface Settled {
  readonly client: SecurityMechanism;
  readonly server: SecurityMechanism;
}

/** Follows the security agreement of a registration: what each side offered, and whether the UE repeated it rightly. */
export class SecurityAgreement {
  private client: SecurityMechanism[] = [];
  /** Whether the last request offers security associations. */
  isWanted = false;
  private server: SecurityMechanism[] = [];
  private serverText = '';
  private verified: boolean | undefined;
  /** What the last answer settled, and what the last registration was accepted with: a refresh still goes over it. */
  private settled: Settled | undefined;
  private inForce: { readonly settled: Settled | undefined; readonly serverText: string } | undefined;
  /** All SPIs that were named, of associations that are over too. */
  readonly spis = new Set<number>();

  /** @param reached is told of SPIs that do not fit */
  constructor(private readonly reached: ReachedLimits) {}

  private learn(mechanisms: readonly SecurityMechanism[]): void {
    for (const { spiC, spiS } of mechanisms)
      for (const spi of [spiC, spiS]) {
        if (spi === undefined || this.spis.has(spi)) continue;
        if (this.spis.size < LIMITS.associations) this.spis.add(spi);
        else this.reached.capped('associations');
      }
  }

  /** What both settled on for IPsec: what the network likes best of what the UE has. RFC 3329 §2.3.1 */
  private settle(): Settled | undefined {
    const servers = this.server.filter((m) => m.mechanism === IPSEC);
    for (const isLike of [isSame, hasSameCheck])
      for (const server of servers) {
        const client = this.client.find((m) => isLike(m, server));
        if (client !== undefined) return { client, server };
      }
    return undefined;
  }

  /** Whether the last registration was accepted with security associations. */
  get isInForce(): boolean {
    return this.inForce?.settled !== undefined;
  }

  /** Whether packets of the UE on these ports are protected by what was settled (TS 33.203 §7.1); true where nothing was. */
  covers(sport: number, dport: number): boolean {
    return isOver(this.settled, sport, dport) || this.isBefore(sport, dport);
  }

  /** Whether packets on these ports are protected by what was in force before, which a new challenge leaves. TS 33.203 §7.4 */
  private isBefore(sport: number, dport: number): boolean {
    return this.inForce?.settled !== undefined && isOver(this.inForce.settled, sport, dport);
  }

  /** Whether ESP is used without UDP around it (TS 33.203 annex M; `mod` absent means transport mode). */
  get isBare(): boolean {
    const s = this.settled;
    return s !== undefined && !/^udp-enc/i.test(s.server.mod ?? s.client.mod ?? '');
  }

  request(clients: readonly string[], verifies: readonly string[], sport: number, dport: number): void {
    this.isWanted = /(?:^|[\s,])ipsec-3gpp\b/i.test(clients.join(','));
    if (clients.length > 0) this.learn((this.client = securityMechanisms(clients)));
    if (verifies.length === 0 || this.serverText === '') return;
    this.settled ??= this.settle(); // the request before was not captured
    const text = canonical(verifies);
    this.verified = text === this.serverText || (text === this.inForce?.serverText && this.isBefore(sport, dport));
  }

  /** The registration succeeded: what was settled is in force. */
  accept(): void {
    this.inForce = { settled: this.settled, serverText: this.serverText };
  }

  response(servers: readonly string[]): void {
    if (servers.length === 0) return;
    this.learn((this.server = securityMechanisms(servers)));
    this.serverText = canonical(servers);
    this.verified = undefined;
    this.settled = this.settle();
  }

  get mismatch(): boolean {
    return this.verified === false;
  }

  /** Whether both sides named mechanisms, and none of the network is one that the UE offered. RFC 3329 §2.3.1 */
  get disjoint(): boolean {
    const { client, server } = this;
    if (client.length === 0 || server.length === 0) return false;
    return !server.some((s) => client.some((c) => isSame(c, s)));
  }

  /**
   * The four associations between a UE and its P-CSCF (TS 33.203 §7.1, annex H): each packet bears the SPI that its
   * receiver chose.
   */
  ways(ue: string, network: string): ProtectedWay[] {
    if (this.settled === undefined) return [];
    const { client, server } = this.settled;
    const kind = { alg: (server.alg ?? '').toLowerCase(), ealg: (server.ealg ?? 'null').toLowerCase() };
    const up = [server.spiC, server.spiS].flatMap((spi) =>
      spi === undefined ? [] : { source: ue, destination: network, spi, ...kind },
    );
    const down = [client.spiC, client.spiS].flatMap((spi) =>
      spi === undefined ? [] : { source: network, destination: ue, spi, ...kind },
    );
    return [...up, ...down];
  }

  get entry(): SecAgree | undefined {
    if (this.client.length === 0 && this.server.length === 0) return undefined;
    const { client, server, verified } = this;
    return { client, server, ...(verified !== undefined && { verified }) };
  }
}

/** Whether packets of the UE on these ports go over what was settled; true where no ports are known. */
function isOver(s: Settled | undefined, sport: number, dport: number): boolean {
  if (s?.server.portS === undefined || s.client.portC === undefined) return true;
  return dport === s.server.portS && (sport === s.client.portC || sport === s.client.portS);
}

const hasSameCheck = (a: SecurityMechanism, b: SecurityMechanism): boolean =>
  a.mechanism === b.mechanism && (a.alg ?? '').toLowerCase() === (b.alg ?? '').toLowerCase();
const isSame = (a: SecurityMechanism, b: SecurityMechanism): boolean =>
  hasSameCheck(a, b) && (a.ealg ?? 'null').toLowerCase() === (b.ealg ?? 'null').toLowerCase();

/** The list without space, letter case and the order of parameters, which do not count in a comparison. */
const canonical = (values: readonly string[]): string =>
  values
    .join(',')
    .replace(/\s+/g, '')
    .toLowerCase()
    .split(',')
    .map((item) => item.split(';').sort().join(';'))
    .sort()
    .join(',');
