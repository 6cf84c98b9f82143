import { find, skip, type Tree, table, utf8Text } from 'fttscope/kit';
import { NOT_SHOWN, textItem } from '../text-media.js';
import { E, F } from './fields.js';

const SP = 32;
const EQUALS = 61;
const SLASH = 47;
const SEMICOLON = 59;
const BAR = 124;
const NO_OCTETS = new Uint8Array(0);

/** What earlier lines of the same m-line say: encoding name in lower case by format. */
export type Encodings = Map<string, string>;

const digitsOnly = (s: string): boolean => /^\d+$/.test(s);

/** A number that may be put into a node of 32 bits; undefined if the text is none. */
const number32 = (s: string): number | undefined => (digitsOnly(s) && Number(s) <= 0xffff_ffff ? Number(s) : undefined);

/** `96 AMR-WB/16000/1`. RFC 8866 §6.6. */
function rtpmap(t: Tree, b: Uint8Array, off: number, end: number, encodings: Encodings): void {
  const format = skip(b, SP, off, end);
  const formatEnd = find(b, SP, format, end);
  if (formatEnd === format) {
    t.expert(E.missingFields);
    return;
  }
  t.text(F.mediaFormat, format, formatEnd - format);
  const name = skip(b, SP, formatEnd, end);
  const slash = find(b, SLASH, name, end);
  if (slash === end) return;
  t.text(F.mimeType, name, slash - name);
  encodings.set(utf8Text(b, format, formatEnd), utf8Text(b, name, slash).toLowerCase());
  const rateEnd = find(b, SLASH, slash + 1, end);
  const rate = utf8Text(b, slash + 1, rateEnd).trim();
  t.text(F.sampleRate, slash + 1, rateEnd - slash - 1, digitsOnly(rate) ? rate : '');
  if (!digitsOnly(rate)) t.expert(E.badSampleRate);
}

/** `96 mode-set=0,2; octet-align=1`. RFC 8866 §6.15. */
function fmtp(t: Tree, b: Uint8Array, off: number, end: number, encodings: Encodings): void {
  const format = skip(b, SP, off, end);
  const formatEnd = find(b, SP, format, end);
  if (formatEnd === end) return;
  t.text(F.mediaFormat, format, formatEnd - format);
  const encoding = encodings.get(utf8Text(b, format, formatEnd)) ?? '';
  // Like Wireshark we take what stands behind a last semicolon, and between two, for a parameter that is empty.
  for (let i = skip(b, SP, formatEnd, end); i <= end; ) {
    const stop = find(b, SEMICOLON, i, end);
    t.text(F.fmtpParameter, i, stop - i);
    t.push();
    if (stop > i) formatParameter(t, b, i, stop, encoding);
    t.pop();
    i = skip(b, SP, stop + 1, end);
    if (stop === end) break;
  }
}

/** Parameters that have fields of their own, by encoding. */
function formatParameter(t: Tree, b: Uint8Array, off: number, end: number, encoding: string): void {
  const equals = find(b, EQUALS, off, end);
  if (equals === end) return;
  const name = utf8Text(b, off, equals).trim().toLowerCase();
  const at = equals + 1;
  const value = number32(utf8Text(b, at, end).trim());
  const h263 = encoding === 'h263-1998' || encoding === 'h263-2000';
  const f =
    encoding === 'mp4v-es' && name === 'profile-level-id'
      ? F.fmtpProfileLevel // RFC 6416 §7.1
      : h263 && name === 'profile'
        ? F.fmtpH263Profile // RFC 4629 §8.1.1
        : h263 && name === 'level'
          ? F.fmtpH263Level
          : encoding === 'h264' && name === 'packetization-mode'
            ? F.fmtpPacketization // RFC 6184 §8.1
            : undefined;
  if (f !== undefined && value !== undefined) t.num(f, at, end - at, value);
  if (encoding === 'h264' && name === 'sprop-parameter-sets') parameterSets(t, b, at, end);
}

/** Base64 of a sequence and a picture parameter set. RFC 6184 §8.1. */
function parameterSets(t: Tree, b: Uint8Array, off: number, end: number): void {
  const comma = find(b, 44, off, end);
  t.text(F.nalUnit1, off, comma - off);
  if (comma + 1 < end) t.text(F.nalUnit2, comma + 1, find(b, 44, comma + 1, end) - comma - 1);
}

const ICE = [F.iceFoundation, F.iceComponent, F.iceTransport, F.icePriority, F.iceAddress, F.icePort];

/** `1 1 UDP 2130706431 10.0.1.1 8998 typ host`. RFC 8839 §5.1. */
function candidate(t: Tree, b: Uint8Array, off: number, end: number): void {
  let i = off;
  for (const f of ICE) {
    const stop = find(b, SP, i, end);
    if (stop === i) {
      t.expert(E.missingFields);
      return;
    }
    t.text(f, i, stop - i);
    i = skip(b, SP, stop, end);
  }
  const typeEnd = find(b, SP, i, end);
  if (utf8Text(b, i, typeEnd) !== 'typ') return;
  const kind = skip(b, SP, typeEnd, end);
  const kindEnd = find(b, SP, kind, end);
  if (kindEnd > kind) t.text(F.iceType, kind, kindEnd - kind);
}

/** `1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20|1:4`. RFC 4568 §9.1. */
function crypto(t: Tree, b: Uint8Array, off: number, end: number): void {
  const tagEnd = find(b, SP, off, end);
  const tag = number32(utf8Text(b, off, tagEnd));
  t.num(F.cryptoTag, off, tagEnd - off, tag ?? 0);
  if (tag === undefined) t.expert(E.badCryptoTag);
  const suite = skip(b, SP, tagEnd, end);
  const suiteEnd = find(b, SP, suite, end);
  if (suiteEnd === suite) {
    t.expert(E.missingFields);
    return;
  }
  t.text(F.cryptoSuite, suite, suiteEnd - suite);
  const keysEnd = find(b, SP, skip(b, SP, suiteEnd, end), end); // session parameters follow
  for (let i = skip(b, SP, suiteEnd, end); i < keysEnd; ) {
    const stop = find(b, SEMICOLON, i, keysEnd);
    keyParameter(t, b, i, stop);
    i = stop + 1;
  }
}

/** The key itself is not shown: its node says that it is there. */
function keyParameter(t: Tree, b: Uint8Array, off: number, end: number): void {
  const colon = find(b, 58, off, end);
  if (colon === end || utf8Text(b, off, colon) !== 'inline') return;
  const key = colon + 1;
  const keyEnd = find(b, BAR, key, end);
  textItem(t, b, off, end, 'Key parameters');
  t.bytes(F.cryptoKeyAndSalt, key, keyEnd - key, NO_OCTETS);
  if (t.labels) t.label(`${F.cryptoKeyAndSalt.label}: ${NOT_SHOWN}`);
  for (let i = keyEnd + 1; i < end; ) {
    const stop = find(b, BAR, i, end);
    const mki = find(b, 58, i, stop);
    if (mki === stop) t.text(F.cryptoLifetime, i, stop - i);
    else {
      t.text(F.cryptoMki, i, mki - i);
      t.text(F.cryptoMkiLength, mki + 1, stop - mki - 1);
      if (number32(utf8Text(b, mki + 1, stop)) === undefined) t.expert(E.badMkiLength);
    }
    i = stop + 1;
  }
}

/** What follows the colon of a media attribute, by its name; undefined: a value without parts. */
export const ATTRIBUTES = table<(t: Tree, b: Uint8Array, off: number, end: number, encodings: Encodings) => void>({
  ...{ rtpmap, fmtp, candidate, crypto },
});
