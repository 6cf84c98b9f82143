import { ContentType, RECORD_HEADER } from '../../dissectors/tls/numbers.js';
import { put24, put32, u32 } from '../kit/index.js';
import { chacha20 } from './chacha.js';
import { type Epoch, hashKey, pseudoHeader12, tagMask } from './epoch.js';
import { block, ghash, inverse, multiply, power } from './ghash.js';
import type { TlsRecord } from './record.js';

/** Finding the number of a record that does not follow the one before it: after a gap, or where a capture starts late. */

/** Keys that a record may have, and the numbers under them that are worth a try: `from` to `to`, both included. */
export interface Candidate {
  readonly epoch: Epoch;
  readonly from: number;
  readonly to: number;
}

/** What looking for a number may still cost. One trial of a keystream block is 1. */
export interface Budget {
  left: number;
  /** The first number that was not tried one by one because nothing was left. */
  stopped?: number;
}

/** What checking a tag costs against one keystream block. */
export const TAG_COST = 512;
/** What a block of ChaCha20 costs against one of AES. */
const CHACHA_COST = 8;
/** What reading the number out of a GCM tag costs. */
const ALGEBRA_COST = 64 * TAG_COST;
const SCREEN = 2048;
/** By octet: 1 where it may end an inner plain text, as content type or as padding (RFC 8446 §5.2). */
const LAST_OCTETS = new Uint8Array(256);
for (const type of [0, ContentType.Alert, ContentType.Handshake, ContentType.ApplicationData]) LAST_OCTETS[type] = 1;

/**
 * Opens `r` under the first candidate whose tag fits; returns it with the number, or null. The record is left as it was
 * where none fits.
 * @param next the record after `r` under the same key, where there are so many candidates that one more sieve pays
 */
export function seek(
  r: TlsRecord,
  next: TlsRecord | undefined,
  candidates: readonly Candidate[],
  budget: Budget,
): { epoch: Epoch; sequence: number } | null {
  for (const { epoch, from, to } of candidates) {
    if (budget.left <= 0) return null;
    const sequence = epoch.tls13
      ? seek13(epoch, r, next, from, to, budget)
      : epoch.how.opening === 'gcm' || epoch.how.opening === 'gcm-own'
        ? seekGcm12(epoch, r, from, to, budget)
        : seekOneByOne(epoch, r, from, to, budget);
    if (sequence >= 0) return { epoch, sequence };
  }
  return null;
}

function attempt(e: Epoch, r: TlsRecord, sequence: number, budget: Budget): boolean {
  budget.left -= TAG_COST;
  return e.open(r, sequence);
}

/** TLS 1.3: the number changes the keystream, and the last octet of the content must be one of four. */
function seek13(e: Epoch, r: TlsRecord, next: TlsRecord | undefined, from: number, to: number, budget: Budget): number {
  for (let base = from; base <= to && budget.left > 0; base += SCREEN) {
    const n = Math.min(SCREEN, to + 1 - base);
    budget.left -= e.how.opening === 'chacha' ? CHACHA_COST * n : n;
    for (const sequence of screen(e, r, base, n))
      if ((next === undefined || mayFollow(e, next, sequence + 1)) && attempt(e, r, sequence, budget)) return sequence;
  }
  return -1;
}

const mayFollow = (e: Epoch, next: TlsRecord, sequence: number): boolean => screen(e, next, sequence, 1).length > 0;

/** Numbers of `[base, base + n)`, at most 2048, under which the last octet of a TLS 1.3 record makes sense. */
function screen(e: Epoch, r: TlsRecord, base: number, n: number): number[] {
  const last = r.end - e.tag - 1 - (r.off + RECORD_HEADER);
  if (last < 0) return [];
  const wire = r.buf[r.off + RECORD_HEADER + last];
  const stream =
    e.how.opening === 'chacha' ? chachaStream(e, r, base, n, last >> 6) : counterStream(e, r, base, n, last >> 4);
  const [step, at] = e.how.opening === 'chacha' ? [64, last & 63] : [16, last & 15];
  const out: number[] = [];
  for (let i = 0; i < n; i++) if (LAST_OCTETS[wire ^ stream[i * step + at]] === 1) out.push(base + i);
  return out;
}

/** Keystream block number `nth` of a record as each of `n` numbers. */
function counterStream(e: Epoch, r: TlsRecord, base: number, n: number, nth: number): Uint8Array {
  const ccm = e.how.opening === 'ccm' ? 1 : 0;
  const counters = new Uint8Array(16 * n);
  const words = new Int32Array(counters.buffer);
  e.nonce(r, base, counters, ccm);
  if (ccm === 1) counters[0] = 2; // RFC 3610 §2.3
  put24(counters, 13, nth + 2 - ccm); // SP 800-38D §7.1: GCM counts from 2; CCM from 1
  const [w0, w1, w2, w3] = words as unknown as [number, number, number, number];
  // The last four octets of the nonce are those that consecutive numbers change.
  const low = u32(counters, 8 + ccm) ^ base;
  for (let i = 1, at = 16; i < n; i++, at += 16) {
    const p = at >> 2;
    words[p] = w0;
    words[p + 1] = w1;
    words[p + 2] = w2;
    words[p + 3] = w3;
    put32(counters, at + 8 + ccm, low ^ (base + i));
  }
  return e.ecb.update(counters);
}

function chachaStream(e: Epoch, r: TlsRecord, base: number, n: number, nth: number): Uint8Array {
  const words = new Int32Array(16 * n);
  const key = new Int32Array(e.key.octets.slice().buffer);
  const nonce = new Uint8Array(12);
  const nonceWords = new Int32Array(nonce.buffer);
  for (let i = 0; i < n; i++) {
    e.nonce(r, base + i, nonce, 0);
    chacha20(key, nonceWords[0], nonceWords[1], nonceWords[2], nth + 1, words, 16 * i, 1);
  }
  return new Uint8Array(words.buffer);
}

/**
 * GCM in TLS 1.2: the number stands only in the additional data, whose block is multiplied by a power of the hash key
 * and added to the tag. So the tag says the number, however many records are missing.
 */
function seekGcm12(e: Epoch, r: TlsRecord, from: number, to: number, budget: Budget): number {
  for (let s = from; s <= to && s < from + 2; s++) if (attempt(e, r, s, budget)) return s;
  budget.left -= ALGEBRA_COST;
  const sequence = sequenceFromTag(e, r);
  return sequence >= 0 && attempt(e, r, sequence, budget) ? sequence : -1;
}

/** The record number that a TLS 1.2 GCM tag was made with, or -1 if no number makes it fit. SP 800-38D §6.4, §7.1 */
function sequenceFromTag(e: Epoch, r: TlsRecord): number {
  const off = r.off + RECORD_HEADER + e.explicit;
  const end = r.end - e.tag;
  if (end < off) return -1;
  const h = hashKey(e);
  const rest = ghash(h, 0n, 13, r.buf, off, end);
  const difference = block(r.buf, end, r.end) ^ tagMask(e, r, 0) ^ rest;
  const blocks = BigInt((end - off + 15) >> 4);
  const aad = multiply(difference, inverse(power(h, blocks + 2n)));
  const sequence = aad >> 64n;
  if (sequence > BigInt(Number.MAX_SAFE_INTEGER)) return -1;
  const right = pseudoHeader12(r, Number(sequence), end - off);
  return aad === block(right, 0, right.length) ? Number(sequence) : -1;
}

/** CBC, CCM and ChaCha20 in TLS 1.2: nothing short of the tag or MAC tells. */
export function seekOneByOne(e: Epoch, r: TlsRecord, from: number, to: number, budget: Budget): number {
  if (e.how.opening === 'ccm') {
    // Most senders put the record number into the explicit nonce (RFC 6655 §3 suggests it).
    const guess = u32(r.buf, r.off + RECORD_HEADER) * 0x1_0000_0000 + u32(r.buf, r.off + RECORD_HEADER + 4);
    if (guess >= from && Number.isSafeInteger(guess) && attempt(e, r, guess, budget)) return guess;
  }
  let s = from;
  for (; s <= to && budget.left > 0; s++) if (attempt(e, r, s, budget)) return s;
  if (s <= to) budget.stopped = s;
  return -1;
}
