import { readFileSync } from 'node:fs';

/*
 * What a capture tells of anybody, found without knowing what it means: every word of the text in its packets that no
 * standard has, and every address that packets come from or go to. Nothing of it may be in a redacted capture, however
 * it is written there.
 */

const words = (list: string): string[] => list.trim().split(/\s+/);

/** Words that standards and this project have, as the captures of the project and of its corpus use them. */
const STANDARD: ReadonlySet<string> = new Set([
  ...words(`
    100rel 3gpp accept access agent akav1 algorithm align allow application asserted associated audio auth authenticate
    authorization branch call cancel capability cause change charset client cnonce conf contact content context cseq curr
    digest down ealg event example expires fmtp forbidden forwards found from gruu hmac icsi identity ieee info instance
    invite ipsec keep length local mandatory maxptime message mmtel mode network node nonce none null octet optional
    options outbound path pcma pcmu phone plain port prack precondition preferred progress proxy ptime rack realm reason
    received record refresher register remote require response retry ringing route rport rseq rtpmap security sendrecv
    server service session supported telephone text timer transport trying tunnel type unauthorized unavailable update
    user username uuid wlan z9hg4bk after gsma imei agree`),
  'examplex', // a name in a DHCP option, and the code of the next: 120
]);
/** What is shorter may stand anywhere by chance. */
const LEAST = 4;
/** Digits of numbers that count or are ports. */
const COUNTING = 6;

/** Packets of a pcapng file that holds nothing but raw IP. */
export function packetsOf(path: string): Buffer[] {
  const b = readFileSync(path);
  const out: Buffer[] = [];
  for (let at = 0; at < b.length; at += b.readUInt32LE(at + 4)) {
    if (b.readUInt32LE(at) !== 6) continue; // Enhanced Packet Block
    out.push(b.subarray(at + 28, at + 28 + b.readUInt32LE(at + 20)));
  }
  return out;
}

/** Eight and more characters in a row, of ASCII and of UTF-8. */
const TEXT = /(?:[\x20-\x7e\t\r\n]|[\xc3-\xdf][\x80-\xbf]|[\xe2-\xef][\x80-\xbf]{2}){8,}/g;

/** What is behind the headers of an IP packet; of fragments but the first, all that is behind those of IP. */
function payloadOf(p: Buffer): Buffer {
  const v4 = p[0]! >> 4 === 4;
  if (p.length < (v4 ? 20 : 48)) return p;
  const cut = !v4 && p[6] === 44;
  const at = v4 ? (p[0]! & 15) * 4 : cut ? 48 : 40;
  const later = v4 ? (p.readUInt16BE(6) & 0x1fff) > 0 : cut && p.readUInt16BE(42) >> 3 > 0;
  const protocol = later ? 0 : v4 ? p[9] : cut ? p[40] : p[6];
  return p.subarray(protocol === 17 ? at + 8 : protocol === 6 ? at + (p[at + 12]! >> 4) * 4 : at);
}

/** Words of all text in a packet, an octet a character. */
function wordsOf(packet: Buffer): string[] {
  const runs = payloadOf(packet).toString('latin1').match(TEXT) ?? [];
  return runs
    .flatMap((run) => run.match(/[A-Za-z0-9\x80-\xff]+/g) ?? [])
    .map((w) => w.replace(/[A-Z]+/g, (c) => c.toLowerCase()));
}

/** Part of a word that a segment or a fragment ends in. */
const isCut = (word: string): boolean => {
  for (const s of STANDARD) if (s.length > word.length && (s.startsWith(word) || s.endsWith(word))) return true;
  return false;
};

function tells(word: string): boolean {
  if (
    word.length < (/[\x80-\xff]/.test(word) ? 2 * LEAST : LEAST) ||
    STANDARD.has(word) ||
    isCut(word) ||
    /^(.)\1*$/.test(word)
  )
    return false;
  if (/^\d+$/.test(word)) return word.length > COUNTING && new Set(word).size > 3;
  return !/^0{4,}/.test(word);
}

/** Addresses of an IP packet, without those that stand for nobody, or for everybody. */
function addressesOf(p: Buffer): Buffer[] {
  if (p.length < 40) return [];
  if (p[0]! >> 4 === 4) return [p.subarray(12, 16), p.subarray(16, 20)].filter((a) => a[0]! > 0 && a[0]! < 224);
  return [p.subarray(8, 24), p.subarray(24, 40)].filter((a) => a[0] !== 0xff && a.readUInt16BE(14) > 255);
}

/** Each identity once, words as text and addresses as octets. */
export function identities(packets: readonly Buffer[]): { words: Set<string>; addresses: Map<string, Buffer> } {
  const found = { words: new Set<string>(), addresses: new Map<string, Buffer>() };
  for (const p of packets) {
    for (const w of wordsOf(p)) if (tells(w)) found.words.add(w);
    for (const a of addressesOf(p)) found.addresses.set(a.toString('hex'), a);
  }
  return found;
}

/** What of base64 does not depend on what stands before and behind, for each of three places. RFC 4648 §4 */
function base64(octets: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const s = Buffer.concat([Buffer.alloc(before), octets]).toString('base64');
    const from = before === 0 ? 0 : before + 1;
    const whole = Math.floor(((before + octets.length) * 8) / 6);
    return s.slice(from, whole);
  });
}

/** Digits as TS 23.040 §9.1.2.3 packs them. */
const swapped = (digits: string): Buffer =>
  Buffer.from((digits.length % 2 === 0 ? digits : `${digits}f`).replace(/(.)(.)/g, '$2$1'), 'hex');

/** A redacted file, and in what it is searched. */
class Haystack {
  private readonly lower: string;

  constructor(private readonly octets: Buffer) {
    this.lower = octets.toString('latin1').toLowerCase();
  }

  text = (s: string): boolean => this.lower.includes(s.toLowerCase());
  exact = (s: string): boolean => this.octets.includes(s, 0, 'latin1');
  has = (o: Buffer): boolean => this.octets.includes(o);
}

/** In which writings a word is still there. */
function writings(word: string, h: Haystack): string[] {
  const octets = Buffer.from(word, 'latin1');
  const wide = Buffer.from(word, 'utf16le');
  const out: string[] = [];
  if (h.text(word)) out.push('text');
  if (h.text(octets.toString('hex'))) out.push('hex');
  if (word.length >= 6 && base64(octets).some((s) => h.exact(s))) out.push('base64');
  if (h.has(wide) || h.has(Buffer.from(wide).swap16())) out.push('UCS-2');
  if (/^\d{8,}$/.test(word) && (h.has(swapped(word)) || h.has(Buffer.from(word.slice(0, word.length & ~1), 'hex'))))
    out.push('BCD');
  return out;
}

function addressWritings(a: Buffer, h: Haystack): string[] {
  const out: string[] = [];
  if (h.has(a)) out.push('octets');
  if (h.text(a.toString('hex'))) out.push('hex');
  const dotted = [...a].join('.');
  if (a.length === 4 && h.text(dotted)) out.push('text');
  const back = a.length === 4 ? [...a].reverse().map(String) : [...a.toString('hex')].reverse();
  const labels = Buffer.concat(back.map((l) => Buffer.from(`${String.fromCharCode(l.length)}${l}`, 'latin1')));
  if (h.has(labels) || h.text(`${back.join('.')}.i`)) out.push('reversed name');
  return out;
}

/** Every identity that is in `octets`, and how it is written there. */
export function leaks(of: ReturnType<typeof identities>, octets: Buffer): string[] {
  const h = new Haystack(octets);
  const words = [...of.words].flatMap((w) => writings(w, h).map((how) => `${w} as ${how}`));
  return [...words, ...[...of.addresses].flatMap(([hex, a]) => addressWritings(a, h).map((how) => `${hex} as ${how}`))];
}
