import { createHash, type X509Certificate } from 'node:crypto';
import { appendFileSync, closeSync, openSync } from 'node:fs';
import type { SecureVersion } from 'node:tls';

/** What both ends may be told about TLS. */
export interface TlsVersions {
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
}

const VERSIONS: Readonly<Record<string, SecureVersion>> = {
  '1.0': 'TLSv1',
  '1.1': 'TLSv1.1',
  '1.2': 'TLSv1.2',
  '1.3': 'TLSv1.3',
};

/** TS 33.210 §6.2.1: TLS 1.2 and 1.3 are supported, older versions are not. */
export const PROFILE: TlsVersions = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' };

/** `1.2`, `1.2..1.3`, `..1.2`, `1.3..`; undefined where the text is none of these. */
export function tlsVersions(text: string): TlsVersions | undefined {
  const m = /^(?:(1\.[0-3])?(\.\.)(1\.[0-3])?|(1\.[0-3]))$/.exec(text.trim());
  if (m === null) return undefined;
  const min = m[4] ?? m[1] ?? '1.2';
  const max = m[4] ?? m[3] ?? '1.3';
  return min > max ? undefined : { minVersion: VERSIONS[min], maxVersion: VERSIONS[max] };
}

/** Options of a secure context. OpenSSL refuses TLS 1.0 and 1.1 above security level 0. */
export function contextOptions(versions: TlsVersions, ciphers: string | undefined): TlsVersions & { ciphers?: string } {
  const old = versions.minVersion === 'TLSv1' || versions.minVersion === 'TLSv1.1';
  const list = ciphers ?? (old ? 'DEFAULT' : undefined);
  if (list === undefined) return versions;
  return { ...versions, ciphers: old && !list.includes('@') ? `${list}:@SECLEVEL=0` : list };
}

/** The form in which `--pin` takes a certificate: SHA-256 of it in hex, with or without colons, or `sha256/BASE64` of its public key. */
export function pinned(pin: string, certificate: X509Certificate): boolean {
  const key = /^sha256\/{1,2}(.+)$/i.exec(pin);
  if (key !== null) {
    const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
    return createHash('sha256').update(spki).digest('base64') === key[1];
  }
  return pin.replaceAll(':', '').toLowerCase() === fingerprint(certificate);
}

/** SHA-256 of a certificate, in lower case hex. */
export const fingerprint = (c: X509Certificate): string => c.fingerprint256.replaceAll(':', '').toLowerCase();

/** Whether a text can be a pin at all. */
export const isPin = (pin: string): boolean =>
  /^sha256\/{1,2}[A-Za-z0-9+/]{43}=$/i.test(pin) || /^[0-9a-f]{64}$/i.test(pin.replaceAll(':', ''));

/** A TLS key log that grows while tunnels live. It opens what is recorded: for the owner alone. */
export class KeyLogFile {
  private readonly fd: number;

  /** @throws Error of the system, where the file cannot be written */
  constructor(path: string) {
    this.fd = openSync(path, 'a', 0o600);
  }

  /** Appends a line as TLS gives it. */
  add(line: Uint8Array): void {
    appendFileSync(this.fd, line);
  }

  close(): void {
    closeSync(this.fd);
  }
}
