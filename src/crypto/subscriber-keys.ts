import { createHmac, timingSafeEqual } from 'node:crypto';
import { table } from '../kit/index.js';
import type { AkaOpinion, ProtectedWay, SubscriberSecrets } from '../model/aka.js';
import { parameterOf } from '../model/sip-event.js';
import { akaPassword, digestResponse } from './digest.js';
import type { EspKeys } from './esp-keys.js';
import { f1, f1star, f5star, f2345, opc } from './milenage.js';

/** What is known of one subscriber; `impi` '': of anybody. */
interface Subscriber {
  readonly impi: string;
  readonly k?: Uint8Array;
  readonly opc?: Uint8Array;
  /** Keys of one challenge, where the K is not known. */
  readonly ck?: Uint8Array;
  readonly ik?: Uint8Array;
  readonly rand?: Uint8Array;
}

const NAMES: ReadonlySet<string> = new Set(['impi', 'k', 'op', 'opc', 'ck', 'ik', 'rand']);
/** What a name may look like, and no key does. */
const WORD = /^(?=.*[g-z])[a-z][\w-]{0,15}$/i;
const KEY = 16;
const AUTS = 14;
/** By the names of TS 33.203 annex H: what the table of ESP calls them. */
const INTEGRITY = table<string>({
  'hmac-md5-96': 'HMAC-MD5-96 [RFC2403]',
  'hmac-sha-1-96': 'HMAC-SHA-1-96 [RFC2404]',
  'aes-gmac': 'AES-GMAC [RFC4543]',
  null: 'NULL', // beside a cipher that authenticates too
});
const ENCRYPTION = table<string>({
  null: 'NULL',
  'aes-cbc': 'AES-CBC [RFC3602]',
  'des-ede3-cbc': 'TripleDES-CBC [RFC2451]',
  'aes-gcm': 'AES-GCM with 16 octet ICV [RFC4106]',
});
/** TS 33.203 annex I: what the salts of GMAC and GCM are made with. */
const SALTS = { gmac: { fc: 0x58, name: 'AES_GMAC_SALT' }, gcm: { fc: 0x59, name: 'AES_GCM_SALT' } } as const;

/** The key derivation function of TS 33.220 §B.2.0 with CK || IK, of which a salt is the last four octets. */
function salt(kind: keyof typeof SALTS, ck: Uint8Array, ik: Uint8Array): Uint8Array {
  const { fc, name } = SALTS[kind];
  const s = Buffer.concat([Buffer.of(fc), Buffer.from(name, 'latin1'), Buffer.of(0, name.length)]);
  return createHmac('sha256', Buffer.concat([ck, ik]))
    .update(s)
    .digest()
    .subarray(-4);
}

/** Keys of other lengths are made of CK and IK (TS 33.203 annex I). */
function encryptionKey(ealg: string, ck: Uint8Array, ik: Uint8Array): readonly Uint8Array[] {
  if (ealg === 'des-ede3-cbc') return [ck.subarray(0, 8), ck.subarray(8), ck.subarray(0, 8)];
  return ealg === 'aes-gcm' ? [ck, salt('gcm', ck, ik)] : [ck];
}

function integrityKey(alg: string, ck: Uint8Array, ik: Uint8Array): readonly Uint8Array[] {
  if (alg === 'hmac-sha-1-96') return [ik, new Uint8Array(4)];
  return alg === 'aes-gmac' ? [ik, salt('gmac', ck, ik)] : [ik];
}

/**
 * Keys of subscribers, from a file with one a line:
 *
 *     impi=NAME k=HEX opc=HEX        (or op=HEX; without impi it is anybody's)
 *     impi=NAME ck=HEX ik=HEX        (with rand=HEX for one challenge only)
 */
export class SubscriberKeys implements SubscriberSecrets {
  private readonly subscribers: Subscriber[] = [];
  /** Challenges that there were, and those that were to a subscriber who is known. */
  asked = 0;
  known = 0;

  /** @param esp takes the keys of security associations that are agreed on while a capture is read */
  constructor(private readonly esp: EspKeys) {}

  get length(): number {
    return this.subscribers.length;
  }

  /** Whether a text is such a file: its first line that is no comment begins like one. */
  static looksLike(text: string): boolean {
    return /^(?:\s*(?:#.*)?[\r\n])*\s*(impi|k|opc?|ck|ik|rand)=/i.test(text);
  }

  /** Takes the lines of a file in. Returns what is wrong with those that are of no use; no key stands in it. */
  add(text: string): string[] {
    const wrong: string[] = [];
    for (const [i, line] of text.split(/\r\n|\r|\n/).entries()) {
      if (/^\s*(#|$)/.test(line)) continue;
      const made = subscriber(line);
      if (typeof made === 'string') wrong.push(`line ${i + 1}: ${made}`);
      else this.subscribers.push(made);
    }
    return wrong;
  }

  challenge(impi: string, rand: Uint8Array, autn: Uint8Array): AkaOpinion | undefined {
    const s = this.of(impi, rand);
    this.asked++;
    if (s === undefined) return undefined;
    this.known++;
    if (s.k === undefined || s.opc === undefined) return { ck: s.ck!, ik: s.ik! };
    const { res, ck, ik, ak } = f2345(s.k, s.opc, rand);
    const sqn = autn.slice(0, 6).map((octet, i) => octet ^ ak[i]);
    const mac = f1(s.k, s.opc, rand, sqn, autn.slice(6, 8));
    return { genuine: timingSafeEqual(mac, autn.slice(8, 16)), sqn: Buffer.from(sqn).toString('hex'), res, ck, ik };
  }

  response(
    o: AkaOpinion,
    credentials: string,
    method: string,
    body: Uint8Array | undefined,
    asked = 'AKAv1-MD5',
  ): boolean | undefined {
    const value = (name: string): string | undefined => parameterOf(credentials, name);
    const algorithm = value('algorithm') ?? asked;
    const given = value('response');
    if (o.res === undefined || given === undefined || given === '') return undefined;
    const password = akaPassword(algorithm, { res: o.res, ck: o.ck, ik: o.ik });
    if (password === undefined || (value('qop') === 'auth-int' && body === undefined)) return undefined;
    const expected = digestResponse({
      algorithm,
      username: value('username') ?? '',
      realm: value('realm') ?? '',
      password,
      method,
      uri: value('uri') ?? '',
      nonce: value('nonce') ?? '',
      ...optional('qop', value('qop')),
      ...optional('nc', value('nc')),
      ...optional('cnonce', value('cnonce')),
      ...(body !== undefined && { body }),
    });
    return expected === undefined ? undefined : expected === given.toLowerCase();
  }

  /** TS 33.102 §6.3.3: AUTS is SQN ⊕ AK*, then MAC-S over it with an AMF of 0. */
  resynchronisation(impi: string, rand: Uint8Array, auts: Uint8Array): boolean | undefined {
    const s = this.of(impi, rand);
    if (s?.k === undefined || s.opc === undefined || auts.length !== AUTS) return undefined;
    const ak = f5star(s.k, s.opc, rand);
    const sqn = auts.slice(0, 6).map((octet, i) => octet ^ ak[i]);
    return timingSafeEqual(f1star(s.k, s.opc, rand, sqn, new Uint8Array(2)), auts.slice(6));
  }

  protect(ways: readonly ProtectedWay[], ck: Uint8Array, ik: Uint8Array): boolean {
    let good = true;
    for (const { source, destination, spi, alg, ealg } of ways) {
      const check = INTEGRITY[alg];
      const cipher = ENCRYPTION[ealg];
      if (check === undefined || cipher === undefined) {
        good = false;
        continue;
      }
      const hex = (parts: readonly Uint8Array[]): string => `0x${Buffer.concat(parts).toString('hex')}`;
      const version = source.includes(':') ? 'IPv6' : 'IPv4';
      const cells = [
        version,
        source,
        destination,
        String(spi),
        cipher,
        ealg === 'null' ? '' : hex(encryptionKey(ealg, ck, ik)),
        check,
        alg === 'null' ? '' : hex(integrityKey(alg, ck, ik)),
      ];
      this.esp.learn(cells.map((c) => `"${c}"`).join(','));
    }
    return good;
  }

  private of(impi: string, rand: Uint8Array): Subscriber | undefined {
    return this.subscribers.find(
      (s) =>
        (s.impi === '' || impi === '' || s.impi === impi) &&
        (s.rand === undefined || Buffer.compare(s.rand, rand) === 0),
    );
  }
}

const optional = <N extends string>(name: N, value: string | undefined): { [K in N]?: string } =>
  (value === undefined ? {} : { [name]: value }) as { [K in N]?: string };

/** A line of the file, or what is wrong with it. */
function subscriber(line: string): Subscriber | string {
  const cells = line.trim().split(/\s+/);
  const given = new Map<string, string>();
  for (const cell of cells) {
    const [said, ...rest] = cell.split('=');
    const name = said.toLowerCase();
    // What stands alone may be a key behind a space: it is not told.
    if (rest.length === 0) return 'there is something that is no name=value; no space may stand around =';
    if (!NAMES.has(name)) return `${WORD.test(said) ? said : 'a name'} is none of ${[...NAMES].join(', ')}`;
    given.set(name, rest.join('='));
  }
  const octets: Record<string, Uint8Array> = {};
  for (const [name, text] of given) {
    if (name === 'impi') continue;
    if (!/^[0-9a-f]{32}$/i.test(text)) return `${name} has not 32 hexadecimal digits`;
    octets[name] = Uint8Array.from(Buffer.from(text, 'hex'));
  }
  const { k, op, ck, ik, rand } = octets;
  const own = k !== undefined && op !== undefined ? opc(k, op) : octets.opc;
  if (own !== undefined && octets.opc !== undefined && Buffer.compare(own, octets.opc) !== 0)
    return 'opc is not that of k and op';
  const impi = given.get('impi') ?? '';
  if (k !== undefined && own !== undefined && k.length === KEY) return { impi, k, opc: own };
  if (ck !== undefined && ik !== undefined) return { impi, ck, ik, ...(rand !== undefined && { rand }) };
  return 'k with op or opc, or ck with ik, is what is needed';
}
