import { type Field, i8, Malformed, nameOf, need, type Tree, u8, u16, u32, type View } from 'fttscope/kit';
import { putNtp } from '../ntp.js';
import { E, F } from './fields.js';
import { BLOCKS, Block } from './values.js';

/** Numbers that stand one after the other: field and octets of each. */
type Layout = readonly (readonly [Field, 1 | 2 | 4])[];

/** RFC 3611 §4.6. */
const STATISTICS: Layout = [
  ...([
    [F.ssrc, 4],
    [F.xrBegin, 2],
    [F.xrEnd, 2],
    [F.lostPackets, 4],
    [F.duplicates, 4],
  ] as const),
  ...([
    [F.minJitter, 4],
    [F.maxJitter, 4],
    [F.meanJitter, 4],
    [F.devJitter, 4],
  ] as const),
  ...([
    [F.minTtl, 1],
    [F.maxTtl, 1],
    [F.meanTtl, 1],
    [F.devTtl, 1],
  ] as const),
];
/** RFC 3611 §4.7, up to the signal level. */
const VOIP: Layout = [
  [F.ssrc, 4],
  [F.fraction, 1],
  [F.discarded, 1],
  [F.burstDensity, 1],
  [F.gapDensity, 1],
  [F.burstDuration, 2],
  [F.gapDuration, 2],
  [F.voipRoundTrip, 2],
  [F.endSystemDelay, 2],
];
/** RFC 5093 §3. */
const XNQ: Layout = [
  [F.xnqBegin, 2],
  [F.xnqEnd, 2],
  [F.xnqMaxDiff, 2],
  [F.xnqRange, 2],
  [F.xnqSum, 4],
  [F.xnqCycles, 2],
  [F.xnqEvents, 2],
];
const XNQ_TIMES = [F.xnqDegNet, F.xnqDegJit, F.xnqEs, F.xnqSes];

/** Words that a block has, where its type fixes them. */
const WORDS: Readonly<Record<number, number>> = {
  [Block.ReferenceTime]: 2,
  [Block.Statistics]: 9,
  [Block.VoipMetrics]: 8,
  [Block.Xnq]: 8,
  [Block.Idms]: 7,
};

/** Report blocks in `[from, end)`, RFC 3611 §3. */
export function extendedReports(v: View, t: Tree, from: number, end: number): void {
  const { buf } = v;
  let at = from;
  for (let i = 1; at < end; i++) {
    need(v, 4, at);
    const words = u16(buf, at + 2);
    const stop = at + 4 + 4 * words;
    const type = u8(buf, at);
    t.open(F.part, at, 4 + 4 * words, t.labels ? `Block ${i}: ${nameOf(BLOCKS, type)}` : undefined);
    t.num(F.xrType, at, 1, type);
    specific(buf, t, type, at + 1);
    t.num(F.xrLength, at + 2, 2, words);
    if (WORDS[type] !== undefined && words !== WORDS[type])
      t.expert(E.blockLength, `${E.blockLength.message}, should be ${WORDS[type]}`);
    if (stop > end) {
      t.expert(E.blockTooLong);
      throw new Malformed('the block is longer than the packet');
    }
    need(v, 4 * words, at + 4);
    block(buf, t, type, at + 4, stop);
    t.pop();
    at = stop;
  }
}

function specific(b: Uint8Array, t: Tree, type: number, o: number): void {
  const octet = u8(b, o);
  if (type === Block.LossRle || type === Block.DuplicateRle || type === Block.ReceiptTimes)
    t.bits(F.xrThinning, o, 1, octet);
  else if (type === Block.Statistics) {
    t.bits(F.statLoss, o, 1, octet);
    t.bits(F.statDuplicate, o, 1, octet);
    t.bits(F.statJitter, o, 1, octet);
    t.bits(F.statTtl, o, 1, octet);
  } else t.num(F.xrSpecific, o, 1, octet);
}

function block(b: Uint8Array, t: Tree, type: number, at: number, end: number): void {
  if (WORDS[type] !== undefined && end - at < 4 * WORDS[type])
    throw new Malformed('the block is too short for its type');
  switch (type) {
    case Block.LossRle:
    case Block.DuplicateRle:
    case Block.RepairedRle:
      runLengths(b, t, at, end);
      break;
    case Block.ReceiptTimes:
      receiptTimes(b, t, at, end);
      break;
    case Block.ReferenceTime:
      putNtp(t, F.xrTime, b, at);
      break;
    case Block.Dlrr:
      for (let o = at; o + 12 <= end; o += 12) delay(b, t, o, 1 + (o - at) / 12);
      break;
    case Block.Statistics:
      numbers(b, t, STATISTICS, at);
      break;
    case Block.VoipMetrics:
      voipMetrics(b, t, at);
      break;
    case Block.Xnq: {
      const o = numbers(b, t, XNQ, at);
      for (const [i, f] of XNQ_TIMES.entries()) t.num(f, o + 4 * i + 1, 3, u32(b, o + 4 * i) & 0xffffff);
      break;
    }
    case Block.Idms:
      synchronization(b, t, at);
      break;
  }
}

/** Puts the numbers of a layout; returns the offset behind them. */
function numbers(b: Uint8Array, t: Tree, layout: Layout, from: number): number {
  let o = from;
  for (const [f, size] of layout) {
    t.num(f, o, size, size === 1 ? u8(b, o) : size === 2 ? u16(b, o) : u32(b, o));
    o += size;
  }
  return o;
}

/** The source and range that a block speaks of; false where it has not that much. */
function range(b: Uint8Array, t: Tree, at: number, end: number): boolean {
  if (end - at < 8) return false;
  t.num(F.ssrc, at, 4, u32(b, at));
  t.num(F.xrBegin, at + 4, 2, u16(b, at + 4));
  t.num(F.xrEnd, at + 6, 2, u16(b, at + 6));
  return true;
}

/** RFC 3611 §4.1: a run of equal packets, a vector of 15, or nothing. */
function runLengths(b: Uint8Array, t: Tree, at: number, end: number): void {
  if (!range(b, t, at, end)) return;
  for (let o = at + 8; o + 2 <= end; o += 2) {
    const word = u16(b, o);
    if (word === 0) t.none(F.xrTerminator, o, 2);
    else if (word < 0x8000) t.num(F.xrRun, o, 2, word & 0x3fff);
    else t.num(F.xrBits, o, 2, word & 0x7fff);
  }
}

/** RFC 3611 §4.3. */
function receiptTimes(b: Uint8Array, t: Tree, at: number, end: number): void {
  if (!range(b, t, at, end)) return;
  for (let o = at + 8; o + 4 <= end; o += 4) t.num(F.xrReceipt, o, 4, u32(b, o));
}

/** RFC 3611 §4.5. */
function delay(b: Uint8Array, t: Tree, o: number, i: number): void {
  t.open(F.part, o, 12, t.labels ? `Source ${i}` : undefined);
  t.num(F.ssrc, o, 4, u32(b, o));
  t.num(F.xrLrr, o + 4, 4, u32(b, o + 4));
  t.num(F.xrDlrr, o + 8, 4, u32(b, o + 8));
  t.pop();
}

const UNAVAILABLE = 127;

/** RFC 3611 §4.7; 127 means that a value is not known. */
function voipMetrics(b: Uint8Array, t: Tree, at: number): void {
  const o = numbers(b, t, VOIP, at);
  t.num(F.signalLevel, o, 1, i8(b, o));
  unavailable(t, F.signalLevel, u8(b, o));
  t.num(F.noiseLevel, o + 1, 1, i8(b, o + 1));
  unavailable(t, F.noiseLevel, u8(b, o + 1));
  t.num(F.echo, o + 2, 1, u8(b, o + 2));
  unavailable(t, F.echo, u8(b, o + 2));
  t.num(F.gmin, o + 3, 1, u8(b, o + 3));
  t.num(F.rFactor, o + 4, 1, u8(b, o + 4));
  unavailable(t, F.rFactor, u8(b, o + 4));
  t.num(F.extRFactor, o + 5, 1, u8(b, o + 5));
  unavailable(t, F.extRFactor, u8(b, o + 5));
  t.num(F.mosLq, o + 6, 1, u8(b, o + 6) / 10);
  unavailable(t, F.mosLq, u8(b, o + 6));
  t.num(F.mosCq, o + 7, 1, u8(b, o + 7) / 10);
  unavailable(t, F.mosCq, u8(b, o + 7));
  t.bits(F.plc, o + 8, 1, u8(b, o + 8));
  t.bits(F.jba, o + 8, 1, u8(b, o + 8));
  t.bits(F.jbRate, o + 8, 1, u8(b, o + 8));
  t.num(F.jbNominal, o + 10, 2, u16(b, o + 10));
  t.num(F.jbMax, o + 12, 2, u16(b, o + 12));
  t.num(F.jbAbsMax, o + 14, 2, u16(b, o + 14));
}

function unavailable(t: Tree, f: Field, octet: number): void {
  if (t.labels && octet === UNAVAILABLE) t.label(`${f.label}: Unavailable`);
}

/** RFC 7272 §6. */
function synchronization(b: Uint8Array, t: Tree, at: number): void {
  t.num(F.idmsSender, at - 3, 1, u8(b, at - 3) >> 4);
  t.num(F.idmsType, at, 1, u8(b, at) >> 1);
  t.num(F.idmsCorrelation, at + 4, 4, u32(b, at + 4));
  t.num(F.idmsSource, at + 8, 4, u32(b, at + 8));
  putNtp(t, F.idmsReceived, b, at + 12);
  t.num(F.idmsRtpTime, at + 20, 4, u32(b, at + 20));
  t.num(F.idmsPresented, at + 24, 4, u32(b, at + 24));
}
