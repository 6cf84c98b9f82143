import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { folders } from './folders.js';
import { type Certified, makeCertificate } from './tls-certificate.js';
import { fingerprint } from './tls-settings.js';

/** Where the lab keeps what is made once: its CA, its subscriber. */
export const labFolder = (): string => join(folders().state, 'lab');

/** The CA of the lab. */
export interface LabCa extends Certified {
  readonly name: string;
  /** SHA-256 of the certificate. */
  readonly fingerprint: string;
  readonly path: string;
  /** It was made just now. */
  readonly made: boolean;
}

const CA_DAYS = 3650;
const EFTF_DAYS = 90;

/** The CA of the lab; made on first use, its key for the owner alone. @throws Error of the system */
export function labCa(): LabCa {
  const folder = labFolder();
  const path = join(folder, 'ca.pem');
  const keyPath = join(folder, 'ca.key');
  const made = !existsSync(path) || !existsSync(keyPath);
  if (made) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const ca = makeCertificate({ name: `fttscope lab CA ${hostname()}`, days: CA_DAYS });
    writeFileSync(keyPath, ca.key, { mode: 0o600 });
    writeFileSync(path, ca.cert);
  }
  const cert = readFileSync(path, 'utf8');
  const x509 = new X509Certificate(cert);
  const name = /^CN=(.*)$/m.exec(x509.subject)?.[1] ?? 'lab CA';
  return { cert, key: readFileSync(keyPath, 'utf8'), name, fingerprint: fingerprint(x509), path, made };
}

/**
 * The certificate of an EFTF that listens on `address`, signed by the CA of the lab: for the address and `localhost`; of one that
 * listens anywhere, for the name and all addresses of this machine.
 */
export function labCertificate(ca: LabCa, address: string): Certified {
  const anywhere = address === '0.0.0.0' || address === '::';
  const names = new Set(['localhost', '127.0.0.1', '::1', ...(anywhere ? [hostname(), ...ownAddresses()] : [address])]);
  const own = makeCertificate({ name: 'fttscope lab EFTF', names: [...names], issuer: ca, days: EFTF_DAYS });
  return { key: own.key, cert: own.cert + ca.cert };
}

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
