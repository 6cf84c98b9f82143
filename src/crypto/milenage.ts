import { createCipheriv } from 'node:crypto';

/**
 * MILENAGE, the example algorithm set for authentication and key generation (3GPP TS 35.206 §4.1):
 *
 *     TEMP = E[RAND ⊕ OPc]                        E: AES-128 under K
 *     OUT1 = E[TEMP ⊕ rot(IN1 ⊕ OPc, r1) ⊕ c1] ⊕ OPc          f1 = OUT1[0..63], f1* = OUT1[64..127]
 *     OUTi = E[rot(TEMP ⊕ OPc, ri) ⊕ ci] ⊕ OPc, i = 2..5      f5 = OUT2[0..47], f2 = OUT2[64..127],
 *                                                             f3 = OUT3, f4 = OUT4, f5* = OUT5[0..47]
 *     IN1 = SQN || AMF || SQN || AMF
 *
 * Keys, OP, OPc and RAND have 16 octets, SQN 6 and AMF 2; other lengths are a RangeError. Nothing given is changed.
 */

const BLOCK = 16;
/** Octets by which each output is rotated to the left (r1..r5), and what its last octet is changed by (c1..c5). */
const ROTATE = [8, 0, 4, 8, 12] as const;
const CONSTANT = [0, 1, 2, 4, 8] as const;

/** What f2 to f5 give. */
export interface Vector {
  /** f2, 8 octets. */
  readonly res: Uint8Array;
  /** f3, the confidentiality key. */
  readonly ck: Uint8Array;
  /** f4, the integrity key. */
  readonly ik: Uint8Array;
  /** f5, the anonymity key, 6 octets. */
  readonly ak: Uint8Array;
}

/** OPc of a subscriber from the operator's OP: OP ⊕ E[OP] (§4.1). */
export function opc(k: Uint8Array, op: Uint8Array): Uint8Array {
  return xor(encrypt(k, sized(op, BLOCK, 'OP')), op);
}

/** f1: MAC-A, by which the network shows who it is; 8 octets. */
export function f1(k: Uint8Array, opc: Uint8Array, rand: Uint8Array, sqn: Uint8Array, amf: Uint8Array): Uint8Array {
  return out1(k, opc, rand, sqn, amf).slice(0, 8);
}

/** f1*: MAC-S of a resynchronisation, for which AMF is 0 (TS 33.102 §6.3.3); 8 octets. */
export function f1star(k: Uint8Array, opc: Uint8Array, rand: Uint8Array, sqn: Uint8Array, amf: Uint8Array): Uint8Array {
  return out1(k, opc, rand, sqn, amf).slice(8);
}

/** f2, f3, f4 and f5 of a challenge. */
export function f2345(k: Uint8Array, opc: Uint8Array, rand: Uint8Array): Vector {
  const temp = start(k, opc, rand);
  const out2 = output(k, opc, temp, 1);
  return {
    res: out2.slice(8),
    ck: output(k, opc, temp, 2),
    ik: output(k, opc, temp, 3),
    ak: out2.slice(0, 6),
  };
}

/** f5*: the anonymity key of a resynchronisation, 6 octets. */
export function f5star(k: Uint8Array, opc: Uint8Array, rand: Uint8Array): Uint8Array {
  return output(k, opc, start(k, opc, rand), 4).slice(0, 6);
}

function out1(k: Uint8Array, opc: Uint8Array, rand: Uint8Array, sqn: Uint8Array, amf: Uint8Array): Uint8Array {
  const temp = start(k, opc, rand);
  const half = [...sized(sqn, 6, 'SQN'), ...sized(amf, 2, 'AMF')];
  const rotated = rotate(xor(Uint8Array.from([...half, ...half]), opc), ROTATE[0]);
  return xor(encrypt(k, xor(temp, rotated)), opc);
}

const start = (k: Uint8Array, opc: Uint8Array, rand: Uint8Array): Uint8Array =>
  encrypt(k, xor(sized(rand, BLOCK, 'RAND'), sized(opc, BLOCK, 'OPc')));

/** OUT2 to OUT5. @param i 1 for OUT2 and so on */
function output(k: Uint8Array, opc: Uint8Array, temp: Uint8Array, i: 1 | 2 | 3 | 4): Uint8Array {
  const block = rotate(xor(temp, opc), ROTATE[i]);
  block[BLOCK - 1] ^= CONSTANT[i];
  return xor(encrypt(k, block), opc);
}

const rotate = (b: Uint8Array, octets: number): Uint8Array => b.map((_, i) => b[(i + octets) % b.length]);

const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((octet, i) => octet ^ b[i]);

function encrypt(k: Uint8Array, block: Uint8Array): Uint8Array {
  const c = createCipheriv('aes-128-ecb', sized(k, BLOCK, 'K'), null).setAutoPadding(false);
  return new Uint8Array(c.update(block));
}

function sized(b: Uint8Array, octets: number, name: string): Uint8Array {
  if (b.length !== octets) throw new RangeError(`${name} has ${b.length} octets, not ${octets}`);
  return b;
}
