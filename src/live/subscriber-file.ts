import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { opc as opcOf } from '../crypto/milenage.js';
import type { LabAlgorithm, LabSubscriber } from './lab-registrar.js';
import type { UsimSecrets } from './sip/usim.js';
import { labFolder } from './tls-lab.js';

/** A subscriber as a file has it. */
export interface Subscriber extends LabSubscriber {
  readonly domain: string;
}

/** What a file of subscribers says that cannot be; the words name the place. */
export class BadSubscriber extends Error {}

const ALGORITHMS: readonly string[] = ['MD5', 'SHA-256', 'AKAv1-MD5', 'AKAv2-MD5'];
/** Where who lives in the lab is at home. */
const LAB = 'lab.fttscope.example';

function octets(name: string, value: unknown, n: number): Uint8Array {
  if (typeof value !== 'string' || !new RegExp(`^[0-9a-f]{${2 * n}}$`, 'i').test(value))
    throw new BadSubscriber(`${name} is not ${n} octets in hex`);
  return Uint8Array.from(Buffer.from(value, 'hex'));
}

function usimOf(o: Record<string, unknown>): UsimSecrets | undefined {
  if (o.k === undefined) return undefined;
  const k = octets('k', o.k, 16);
  const opc = o.opc === undefined ? opcOf(k, octets('op', o.op, 16)) : octets('opc', o.opc, 16);
  return { k, opc, ...(typeof o.sqn === 'number' && { sqn: o.sqn }) };
}

function subscriberOf(value: unknown): Subscriber {
  if (typeof value !== 'object' || value === null) throw new BadSubscriber('a subscriber is {impi, impu, domain, …}');
  const o = value as Record<string, unknown>;
  const text = (name: string): string | undefined => {
    if (o[name] !== undefined && typeof o[name] !== 'string') throw new BadSubscriber(`${name} is no text`);
    return o[name] as string | undefined;
  };
  const impi = text('impi');
  const impus = Array.isArray(o.impus) ? o.impus.map(String) : [text('impu') ?? `sip:${impi}`];
  if (impi === undefined || !impus[0].startsWith('sip:'))
    throw new BadSubscriber('impi, and impu as sip:USER@DOMAIN, are needed');
  const usim = usimOf(o);
  const algorithm = text('algorithm') ?? (usim ? 'AKAv1-MD5' : 'MD5');
  if (!ALGORITHMS.includes(algorithm)) throw new BadSubscriber(`algorithm is ${ALGORITHMS.join(', ')}`);
  const password = text('password');
  if (usim === undefined && password === undefined) throw new BadSubscriber(`${impi}: neither password nor k and opc`);
  const domain = text('domain') ?? impus[0].slice(impus[0].indexOf('@') + 1);
  return {
    impi,
    impus,
    domain,
    algorithm: algorithm as LabAlgorithm,
    ...(password !== undefined && { password }),
    ...(usim && { usim }),
  };
}

/**
 * Reads subscribers, JSON or YAML: one, a list, or `{subscribers: […]}`. Each is `{impi, impu, domain, password}` or
 * `{impi, impu, domain, k, opc | op, sqn}`, keys in hex. @throws BadSubscriber
 */
export function readSubscribers(text: string, name: string): Subscriber[] {
  try {
    const value: unknown = parse(text);
    const inner = (value as { subscribers?: unknown } | null)?.subscribers ?? value;
    return (Array.isArray(inner) ? inner : [inner]).map(subscriberOf);
  } catch (e) {
    throw new BadSubscriber(`${name}: ${(e as Error).message.split('\n')[0]}`);
  }
}

/** The subscribers of the lab, `alice` (AKA) and `bob` (Digest); made on first use, for the owner alone. */
export function labSubscribers(): Subscriber[] {
  const folder = labFolder();
  const path = join(folder, 'subscribers.json');
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const hex = (): string => randomBytes(16).toString('hex');
    const one = (user: string, more: object): object => ({
      impi: `${user}@${LAB}`,
      impu: `sip:${user}@${LAB}`,
      domain: LAB,
      ...more,
    });
    const list = [one('alice', { k: hex(), opc: hex() }), one('bob', { password: hex() })];
    writeFileSync(path, `${JSON.stringify({ subscribers: list }, null, 2)}\n`, { mode: 0o600 });
  }
  return readSubscribers(readFileSync(path, 'utf8'), path);
}
