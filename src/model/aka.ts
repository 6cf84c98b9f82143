import { hex } from '../kit/index.js';
import type { Aka, SecAgree, SecurityMechanism } from './entities.js';
import { parameterOf } from './sip-event.js';

const RAND = 16;
const AUTN = 16;
/** AUTN: SQN ⊕ AK, AMF, MAC. TS 33.102 §6.3.2 */
const SQN = 6;
const AMF = 2;

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

/** Mechanisms of a Security-Client, Security-Server or Security-Verify (RFC 3329 §2.2, TS 33.203 annex H). */
export function securityMechanisms(values: readonly string[]): SecurityMechanism[] {
  return values
    .flatMap((value) => value.split(','))
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

/** Follows the security agreement of a registration: what each side offered, and whether the UE repeated it rightly. */
export class SecurityAgreement {
  private client: SecurityMechanism[] = [];
  private server: SecurityMechanism[] = [];
  private serverText = '';
  private verified: boolean | undefined;

  request(clients: readonly string[], verifies: readonly string[]): void {
    if (clients.length > 0) this.client = securityMechanisms(clients);
    if (verifies.length > 0 && this.serverText !== '') this.verified = canonical(verifies) === this.serverText;
  }

  response(servers: readonly string[]): void {
    if (servers.length === 0) return;
    this.server = securityMechanisms(servers);
    this.serverText = canonical(servers);
    this.verified = undefined;
  }

  get mismatch(): boolean {
    return this.verified === false;
  }

  get entry(): SecAgree | undefined {
    if (this.client.length === 0 && this.server.length === 0) return undefined;
    const { client, server, verified } = this;
    return { client, server, ...(verified !== undefined && { verified }) };
  }
}

/** The list without space and letter case, which do not count in a comparison. */
const canonical = (values: readonly string[]): string =>
  values.join(',').replace(/\s+/g, '').toLowerCase().split(',').sort().join(',');
