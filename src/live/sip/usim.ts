import { f1, f1star, f5star, f2345, type Vector } from '../../crypto/milenage.js';
import { concat, equalBytes, put16, put32, u16, u32 } from '../../kit/index.js';

/** What a test USIM holds. */
export interface UsimSecrets {
  /** Key of the subscriber, sixteen octets. */
  k: Uint8Array;
  opc: Uint8Array;
  /** Highest sequence number accepted so far, 48 bits; 0 without it. */
  sqn?: number;
  /** What the network puts into its challenges, two octets; 8000 without it (TS 33.102 annex H). */
  amf?: Uint8Array;
}

/** What a USIM says to a challenge. TS 33.102 §6.3.3 */
export type UsimAnswer =
  | ({ result: 'success' } & Pick<Vector, 'res' | 'ck' | 'ik'>)
  /** The sequence number is not fresh: the network is told ours. */
  | { result: 'resynchronise'; auts: Uint8Array }
  /** The network does not have the key. */
  | { result: 'mac failure' };

/** TS 33.102 §C.2.1: how far a sequence number may leap. */
const LEAP = 2 ** 28;
/** AMF of a resynchronisation. TS 33.102 §6.3.3 */
const NO_AMF = new Uint8Array(2);

/** A number of 48 bits as six octets. */
function sqnOctets(n: number): Uint8Array {
  const out = new Uint8Array(6);
  put16(out, 0, Math.floor(n / 2 ** 32));
  put32(out, 2, n >>> 0);
  return out;
}

/** Six octets of SQN as a number: it is below 2^48, so exact. */
export const sqnNumber = (b: Uint8Array): number => u16(b, 0) * 2 ** 32 + u32(b, 2);

const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((o, i) => o ^ b[i]);

/** Authentication and key agreement at the UE's end, with MILENAGE. TS 33.102 §6.3, RFC 3310 */
export class Usim {
  sqn: number;
  constructor(private readonly secrets: UsimSecrets) {
    this.sqn = secrets.sqn ?? 0;
  }

  /** @param autn SQN ⊕ AK, AMF, MAC: sixteen octets */
  authenticate(rand: Uint8Array, autn: Uint8Array): UsimAnswer {
    const { k, opc } = this.secrets;
    const { res, ck, ik, ak } = f2345(k, opc, rand);
    const sqn = xor(autn.subarray(0, 6), ak);
    const mac = f1(k, opc, rand, sqn, autn.subarray(6, 8));
    if (!equalBytes(mac, 0, autn, 8, 8)) return { result: 'mac failure' };
    const n = sqnNumber(sqn);
    if (n <= this.sqn || n - this.sqn > LEAP) return { result: 'resynchronise', auts: this.auts(rand) };
    this.sqn = n;
    return { result: 'success', res, ck, ik };
  }

  /** SQN ⊕ AK*, MAC-S: fourteen octets. TS 33.102 §6.3.3 */
  private auts(rand: Uint8Array): Uint8Array {
    const { k, opc } = this.secrets;
    const sqn = sqnOctets(this.sqn);
    return concat([xor(sqn, f5star(k, opc, rand)), f1star(k, opc, rand, sqn, NO_AMF)]);
  }
}

/** What the network keeps for a subscriber, and its side of the challenge. TS 33.102 §6.3.2 */
export class AuthenticationCentre {
  sqn: number;
  private readonly amf: Uint8Array;
  constructor(private readonly secrets: UsimSecrets) {
    this.sqn = secrets.sqn ?? 0;
    this.amf = secrets.amf ?? Uint8Array.of(0x80, 0);
  }

  /** The next challenge for `rand`, and what answers it. */
  vector(rand: Uint8Array): { autn: Uint8Array } & Vector {
    const { k, opc } = this.secrets;
    this.sqn += 32; // TS 33.102 §C.1.2: five bits below are an index
    const sqn = sqnOctets(this.sqn);
    const answer = f2345(k, opc, rand);
    const mac = f1(k, opc, rand, sqn, this.amf);
    return { ...answer, autn: concat([xor(sqn, answer.ak), this.amf, mac]) };
  }

  /** Takes over the number of a USIM that is ahead; false where `auts` is not the USIM's. TS 33.102 §6.3.5 */
  resynchronise(rand: Uint8Array, auts: Uint8Array): boolean {
    const { k, opc } = this.secrets;
    if (auts.length !== 14) return false;
    const sqn = xor(auts.subarray(0, 6), f5star(k, opc, rand));
    if (!equalBytes(f1star(k, opc, rand, sqn, NO_AMF), 0, auts, 6, 8)) return false;
    this.sqn = sqnNumber(sqn);
    return true;
  }
}
