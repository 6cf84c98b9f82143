import { headerLength as rtpHeader } from '../../dissectors/rtp.js';
import type { Row } from '../engine/row.js';
import { type Field, fold, Held, latin1, pseudoHeader, sumWords, type Tree, u16 } from '../kit/index.js';
import { MessageRedaction } from './redact-message.js';
import { SameLength } from './same-length.js';

/** Messages with a head of lines, and a body that is blanked unless it is a session description. */
const TEXTUAL: ReadonlySet<string> = new Set(['sip', 'http', 'msrp']);
/** Payloads whose fields tell all that names somebody. All others are blanked. */
const UNDERSTOOD: ReadonlySet<string> = new Set(
  'dhcp dhcpv6 dns mdns llmnr rtp rtcp stun esp isakmp udpencap tls ntp'.split(' '),
);
/** Addresses that are none. */
const NO_ADDRESS: ReadonlySet<string> = new Set(['dhcp.cookie', 'dhcp.option.subnet_mask']);
/** Hardware addresses and what is made of them. */
const HARDWARE: ReadonlySet<string> = new Set(['dhcp.hw.addr', 'dhcp.client_hardware_address', 'dhcp.client_id.undef']);
const HARDWARE_END = /\.(link_layer_addr(?:ess)?|linkaddr|hw\.mac_addr)$/;
/** Octets of these protocols may lead to somebody, whatever they are: zeros stand for them … */
const OCTETS = /^(?:dhcp|dhcpv6|dns|rtcp|stun|isakmp|icmpv6|x509\w*|pkcs1|ocsp)\./;
/** … but for these, which tell nothing, or which are addresses. */
const KEPT =
  /^(?:dhcp\.option\.padding|stun\.(?:cookie|id|att\.(?:port|ipv[46])-xord)|isakmp\.(?:[ir]spi|enc\.data|nonce|key_exchange\.data|vid_bytes)|rtcp\.fci)$/;
/** Text of which the same is true. */
const BLANKED: ReadonlySet<string> = new Set(['stun.att.username']);
/** As IP numbers them. */
const ICMP = 1;
const TCP = 6;
const UDP = 17;
const ICMPV6 = 58;

/**
 * Takes out of inner packets what tells who and where somebody is, and what was said: addresses, users, numbers and names
 * get pseudonyms of the same length, voice and the bodies of messages are blanked, and so is any payload that is not
 * understood whole. Lengths stay right; checksums that were right are made right again.
 */
export class PacketRedaction {
  private readonly names = new SameLength();
  private readonly texts = new MessageRedaction(this.names);

  /** How often a pseudonym was shared because there were too many to tell all apart. */
  get shared(): number {
    return this.names.shared;
  }

  /** The IP packet in the envelope of a row; the row keeps its own. */
  packet(row: Row, start: number): Uint8Array {
    const { view } = row.content!;
    const out = view.buf.slice(start, view.end);
    const sums = checksums(out, 0, out.length).filter((c) => c.right());
    const t = row.dissection.tree;
    const here = nodesIn(t, view.buf, start, view.end);
    this.payload(t, here, out, start);
    // Unicast addresses first: multicast ones may be made of them.
    for (const pass of [0, 1]) for (const i of here) this.address(t, i, out, start, pass);
    for (const i of here) this.name(t, i, out, start);
    for (const c of sums) c.put();
    return out;
  }

  /** Blanks what stands above the transport layer, or gives pseudonyms to its text. */
  private payload(t: Tree, here: readonly number[], out: Uint8Array, start: number): void {
    for (const [from, end] of payloads(out, 0, out.length)) {
      if (end <= from) continue;
      const top = here.find(
        (i) => t.field[i].type === 'protocol' && t.off[i] - start === from && isPayload(t.field[i]),
      );
      const proto = top === undefined ? '' : t.field[top].name;
      if (TEXTUAL.has(proto)) this.messages(t, here, proto, out, start, from, end);
      else if (proto === 'rtp') blankMedia(out, from, end, has(t, here, 'rtpevent'));
      else if (isEsp(proto, out, from, end)) out.fill(0, from + 8, end);
      else if (!UNDERSTOOD.has(proto)) out.fill(0, from, end);
      else if (proto === 'stun') this.relayed(t, here, out, start, from);
    }
  }

  /** Blanks what a relay is to pass on (RFC 8656 §10.1), and what follows it. */
  private relayed(t: Tree, here: readonly number[], out: Uint8Array, start: number, from: number): void {
    const data = here.find((i) => t.field[i].type === 'protocol' && t.off[i] - start > from);
    if (data !== undefined) out.fill(0, t.off[data] - start);
  }

  /** Messages of text that are whole in the payload; octets between them are part of others, and are blanked. */
  private messages(
    t: Tree,
    here: readonly number[],
    proto: string,
    out: Uint8Array,
    start: number,
    from: number,
    end: number,
  ): void {
    let at = from;
    for (const i of here) {
      if (t.field[i].name !== proto || t.field[i].type !== 'protocol' || t.off[i] - start !== at) continue;
      const to = Math.min(end, at + t.len[i]);
      write(out, at, this.texts.message(latin1(out, at, to)));
      at = to;
    }
    out.fill(0, at, end);
  }

  private address(t: Tree, i: number, out: Uint8Array, start: number, pass: number): void {
    const f = t.field[i];
    if (f.type !== 'ipv4' && f.type !== 'ipv6') return;
    const at = t.off[i] - start;
    const n = f.type === 'ipv4' ? 4 : 16;
    if (t.len[i] !== n || NO_ADDRESS.has(f.name)) return;
    const made = t.made[i];
    const stands = t.sources[t.source[i]].buf.subarray(t.off[i], t.off[i] + n);
    const is = t.held[i] === Held.Made && made instanceof Uint8Array ? made : stands;
    if ((n === 16 && is[0] === 0xff ? 1 : 0) !== pass) return;
    const to = n === 4 ? this.names.ipv4(is) : this.names.ipv6(is);
    // XORed (RFC 8489 §14.2): it stays so.
    for (let k = 0; k < n; k++) out[at + k] = to[k] ^ is[k] ^ stands[k];
  }

  private name(t: Tree, i: number, out: Uint8Array, start: number): void {
    const f = t.field[i];
    const from = t.off[i] - start;
    const to = Math.min(out.length, from + t.len[i]);
    if (to <= from) return;
    const isPrinted = f.type === 'string' && /^[ -~]*$/.test(latin1(out, from, to));
    if (f.type === 'guid' || BLANKED.has(f.name) || isNamingOctets(t, i)) out.fill(0, from, to);
    else if (isPrinted && HARDWARE.has(f.name)) write(out, from, this.plain(latin1(out, from, to)));
    else if (f.type === 'ether' || HARDWARE.has(f.name) || HARDWARE_END.test(f.name)) this.hardware(out, from, to);
    else if (f.type === 'string' && !TEXTUAL.has(f.name.split('.')[0]) && !/^sdp\./.test(f.name))
      this.label(out, from, to, OCTETS.test(f.name));
  }

  private hardware(out: Uint8Array, from: number, to: number): void {
    const n = Math.min(to - from, 6); // chaddr is padded
    out.set(this.names.mac(out.subarray(from, from + n)), from);
  }

  /** A name: of DNS in its labels, else as text; `raw`: which may be of any octets. */
  private label(out: Uint8Array, from: number, to: number, raw: boolean): void {
    if (this.labels(out, from, to)) return;
    const s = latin1(out, from, to);
    if (/^[ -~]*$/.test(s)) write(out, from, this.plain(s));
    else if (raw) write(out, from, this.names.words(s));
  }

  private plain(s: string): string {
    const changed = this.names.text(s);
    return changed === s && !s.includes('.') ? this.names.user(s) : changed;
  }

  /** Labels of a domain name, up to its end or to a pointer (RFC 1035 §4.1.4), which may be all of it; false where it is none. */
  private labels(out: Uint8Array, from: number, to: number): boolean {
    const parts: number[] = [];
    let at = from;
    while (at < to && out[at] > 0 && out[at] < 64) {
      parts.push(at);
      at += 1 + out[at];
    }
    const ends = at + 1 === to && out[at] === 0;
    const points = at + 2 === to && out[at] >= 0xc0;
    if (!(ends || points)) return false;
    for (const p of parts) write(out, p + 1, this.names.label(latin1(out, p + 1, p + 1 + out[p])));
    return true;
  }
}

/** Whether a node is of octets that are no part of anything else that is shown. */
function isNamingOctets(t: Tree, i: number): boolean {
  const f = t.field[i];
  const isLeaf = i + 1 >= t.length || t.depth[i + 1] <= t.depth[i];
  return f.type === 'bytes' && isLeaf && f.hidden !== true && OCTETS.test(f.name) && !KEPT.test(f.name);
}

/** Whether a payload is ESP, which need not be encrypted (RFC 2410), and not IKE behind four zeros (RFC 3948 §2.2). */
const isEsp = (proto: string, b: Uint8Array, from: number, end: number): boolean =>
  proto === 'esp' || (proto === 'udpencap' && end - from >= 8 && (u16(b, from) !== 0 || u16(b, from + 2) !== 0));

/** Nodes whose octets stand in the packet itself. */
function nodesIn(t: Tree, buf: Uint8Array, start: number, end: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < t.length; i++)
    if (t.sources[t.source[i]].buf === buf && t.off[i] >= start && t.off[i] + t.len[i] <= end) out.push(i);
  return out;
}

const has = (t: Tree, here: readonly number[], name: string): boolean => here.some((i) => t.field[i].name === name);
const isPayload = (f: Field): boolean => !/^(fttims|ip|ipv6|udp|tcp)\b/.test(f.name);

function write(out: Uint8Array, at: number, s: string): void {
  for (let i = 0; i < s.length; i++) out[at + i] = s.charCodeAt(i);
}

/** Silence instead of speech, no digit instead of the one that was pressed (RFC 4733 §2.3); headers and padding stay. */
function blankMedia(out: Uint8Array, from: number, end: number, digit: boolean): void {
  const at = Math.min(end, from + Math.max(12, rtpHeader(out, from, end)));
  const padding = (out[from] & 0x20) !== 0 && end > at ? out[end - 1] : 0;
  if (digit && end > at) out[at] = 0;
  else out.fill(0, at, Math.max(at, end - padding));
}

/** An IP packet at `[off, end)`: where the next layer starts, and who it is; undefined where there is none. */
function upper(b: Uint8Array, off: number, end: number): { at: number; protocol: number; whole: boolean } | undefined {
  if (b[off] >> 4 === 4 && end - off >= 20) {
    const at = off + (b[off] & 15) * 4;
    const word = u16(b, off + 6);
    return { at, protocol: (word & 0x1fff) === 0 ? b[off + 9] : -1, whole: (word & 0x3fff) === 0 };
  }
  if (b[off] >> 4 !== 6 || end - off < 40) return undefined;
  let at = off + 40;
  let protocol = b[off + 6];
  while ((protocol === 0 || protocol === 43 || protocol === 60) && at + 8 <= end) {
    protocol = b[at];
    at += 8 + b[at + 1] * 8; // RFC 8200 §4.3
  }
  if (protocol !== 44 || at + 8 > end) return { at, protocol, whole: true };
  const first = (u16(b, at + 2) & 0xfff8) === 0;
  return { at: at + 8, protocol: first ? b[at] : -1, whole: false };
}

/** What stands above the transport layer, fragments included: `[from, end)`. */
function payloads(b: Uint8Array, off: number, end: number): [number, number][] {
  const u = upper(b, off, end);
  if (u === undefined) return [];
  const { at, protocol, whole } = u;
  if ((protocol === 4 || protocol === 41) && whole) return payloads(b, at, end);
  if (protocol === UDP) return [[at + 8, end]];
  if (protocol === TCP && at + 13 <= end) return [[at + (b[at + 12] >> 4) * 4, end]];
  if (protocol !== ICMP && protocol !== ICMPV6) return [[at, end]];
  if (!whole || isEcho(b, at, protocol)) return [[at + 8, end]];
  return quotes(b, at, protocol) ? payloads(b, at + 8, end) : [];
}

/** Whether an ICMP message quotes a packet. RFC 792, RFC 4443 §2.1 */
const quotes = (b: Uint8Array, at: number, protocol: number): boolean =>
  protocol === ICMPV6 ? b[at] < 128 : [3, 4, 5, 11, 12].includes(b[at]);

/** Whether an ICMP message asks for data to be sent back, or does so. RFC 792, RFC 4443 §4 */
const isEcho = (b: Uint8Array, at: number, protocol: number): boolean =>
  protocol === ICMPV6 ? b[at] === 128 || b[at] === 129 : b[at] === 0 || b[at] === 8;

/** A checksum of a packet. */
interface Sum {
  right(): boolean;
  put(): void;
}

/** The checksums of a packet and of what it carries, the innermost first. */
function checksums(b: Uint8Array, off: number, end: number): Sum[] {
  const u = upper(b, off, end);
  if (u === undefined) return [];
  const { at, protocol, whole } = u;
  const list: Sum[] = [];
  const version = b[off] >> 4 === 6 ? 6 : 4;
  const stop = Math.min(end, off + (version === 4 ? u16(b, off + 2) : 40 + u16(b, off + 4)));
  const field = FIELD[protocol];
  if ((protocol === 4 || protocol === 41) && whole) list.push(...checksums(b, at, stop));
  if ((protocol === ICMP || protocol === ICMPV6) && whole && quotes(b, at, protocol))
    list.push(...checksums(b, at + 8, stop));
  if (field !== undefined && at + field + 2 <= stop && !(protocol === UDP && u16(b, at + field) === 0)) {
    const [src, dst] = version === 4 ? [off + 12, off + 16] : [off + 8, off + 24];
    const length = whole ? stop - at : protocol === UDP ? u16(b, at + 4) : 0;
    const pseudo = (): number =>
      protocol === ICMP ? 0 : pseudoHeader({ version, buf: b, src, dst }, protocol, length);
    // All that follows the header of a datagram in fragments is zero by then.
    if (whole) list.push(sumAt(b, at + field, at, stop, pseudo, protocol === UDP));
    else if (length > 0) list.push({ ...sumAt(b, at + field, at, at + 8, pseudo, true), right: () => true });
  }
  if (version === 4) list.push(sumAt(b, off + 10, off, at, () => 0, false));
  return list;
}

/** Where the checksum stands in the header of ICMP, TCP, UDP, ICMPv6. */
const FIELD: Readonly<Record<number, number>> = { [ICMP]: 2, [TCP]: 16, [UDP]: 6, [ICMPV6]: 2 };

/** The checksum at `field` over `[from, to)` and a pseudo-header; UDP sends 0 as all ones (RFC 768). */
function sumAt(b: Uint8Array, field: number, from: number, to: number, pseudo: () => number, ones: boolean): Sum {
  return {
    right: () => fold(sumWords(b, from, to, pseudo())) === 0,
    put() {
      b[field] = b[field + 1] = 0;
      const sum = fold(sumWords(b, from, to, pseudo()));
      const v = sum === 0 && ones ? 0xffff : sum;
      b[field] = v >> 8;
      b[field + 1] = v;
    },
  };
}
