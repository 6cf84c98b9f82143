import {
  type AnyDissector,
  type Ctx,
  defineDissector,
  type Expert,
  experts,
  hex,
  LIMITS,
  No,
  nameOf,
  type Probe,
  type Track,
  type Tree,
  u8,
  u32,
  View,
  Yes,
} from 'fttscope/kit';
import { tls } from '../tls/index.js';
import { HandshakeType } from '../tls/numbers.js';
import { SCAN_EXPERTS } from '../tls/scan.js';
import { CryptoStream, type Delivery } from './crypto-stream.js';
import { dissectFrames, E as FRAME_EXPERTS, follow, number } from './frames.js';
import {
  draftOf,
  F,
  FIXED,
  headerOf,
  isReserved,
  Kind,
  LONG,
  type LongHeader,
  mayBeVersion,
  Q050,
  V1,
  V2,
} from './header.js';
import { type InitialKeys, initialKeys, type OpenedPacket, openPacket, reservedKeys } from './keys.js';
import { messageNames } from './messages.js';

/**
 * QUIC, RFC 9000: the packets in a datagram. Initial packets are opened, as their keys follow from what they show; what
 * others carry stays protected.
 *
 *     0               1                               5
 *     +-+-+---+-------+-------------- - - ------------+--- - -
 *     |1|1|typ|4 bits |            version            | IDs …       long header
 *     +-+-+---+-------+-------------- - - ------------+--- - -
 *     |0|1|s| protected bits  | destination ID …                    short header
 *     +-+-+---+---------------+--- - -
 */
const MINIMUM = 13;
const RETRY_TAG = 16;
/** Long headers before it named their IDs otherwise; Wireshark recognises them since this draft. */
const FIRST_DRAFT = 11;

/** Why a packet is not read. */
const refused = (code: string, message: string): Expert => ({
  ...{ code: `quic.${code}`, severity: 'warn', message, clause: 'RFC 9001 §5' },
});

const E = experts({
  ...SCAN_EXPERTS,
  ...FRAME_EXPERTS,
  padding: {
    code: 'quic.padding',
    severity: 'note',
    message: '(Random) padding data appended to the datagram',
  },
  noSecrets: refused('no-secrets', 'Failed to create decryption context: Secrets are not available'),
  noCipher: refused('no-cipher', 'Failed to create decryption context: Unable to retrieve cipher information'),
  noHandshake: refused(
    'no-handshake',
    'Failed to create decryption context: Missing TLS handshake, unsupported ciphers or padding',
  ),
  badTag: refused('bad-tag', 'Decryption failed: Decryption (checktag) failed: Checksum error'),
  unknown: refused('unknown-connection', 'Unknown QUIC connection. Missing Initial Packet or migrated connection?'),
  noNumber: refused('no-packet-number', 'Failed to decrypt packet number'),
});

/** What is known about a packet of a datagram. */
interface Seen {
  /** Offset of the packet in its datagram. */
  readonly at: number;
  /** An Initial packet that was opened, and what its CRYPTO frames made available. */
  readonly opened?: OpenedPacket & { readonly deliveries: readonly Delivery[] };
  /** Why it was not. */
  readonly refused: readonly Expert[];
}

/** What `dissect` must know about a datagram. */
interface QuicNote {
  readonly packets: readonly Seen[];
  /** Octets of the destination ID in short headers. */
  readonly idLength: number;
}

const NOTHING: readonly Expert[] = [];

/** What is known about the connection of a flow. */
class Connection {
  private keys: InitialKeys | null = null;
  /** The direction of the client, and the ID that it wants to be sent to. */
  private client: 0 | 1 = 0;
  private clientId = '';
  /** IDs by which packets belong to it. */
  private ids: string[] = [];
  /** By direction: octets of the ID that its sender wants to be sent to. */
  readonly idLengths: [number, number] = [0, 0];
  /** The server chose its cipher suite; a packet with a short header came after that. */
  private settled = false;
  private short = false;
  /** The server sent a Retry. */
  private restarted = false;
  private streams = [new CryptoStream(), new CryptoStream()] as const;

  /** What it holds, in units that a few entries cost. */
  get size(): number {
    return (this.streams[0].octets + this.streams[1].octets) >> 8;
  }

  /** Takes in a packet with a long header. */
  long(cx: Track, v: View, at: number, h: LongHeader): Seen {
    const { buf } = v;
    const id = hex(buf, h.dcid, h.dcidLength, '');
    const found = this.keys !== null && (h.dcidLength === 0 || this.ids.includes(id));
    if (h.kind === Kind.Initial && !found && cx.ciphers !== undefined) {
      this.keys = isReserved(h.version)
        ? reservedKeys(cx.ciphers, buf, at, h)
        : initialKeys(cx.ciphers, h.version, buf.subarray(h.dcid, h.dcid + h.dcidLength));
      this.client = cx.direction;
      this.clientId = hex(buf, h.scid, h.scidLength, '');
      this.ids = [id];
      this.settled = this.restarted = false;
      this.streams = [new CryptoStream(), new CryptoStream()];
    } else if (!found) return { at: at - v.off, refused: [E.unknown, E.noNumber] };
    this.learn(buf, h, cx);
    if (h.kind === Kind.Initial) return this.open(cx, v, at, h);
    return { at: at - v.off, refused: [h.kind === Kind.ZeroRtt || this.settled ? E.noSecrets : E.noCipher] };
  }

  /**
   * The server asks for another start: keys are made from its ID from now on (RFC 9001 §5.2). A client follows no more than
   * one (RFC 9000 §17.2.5.2).
   */
  retried(cx: Track, b: Uint8Array, h: LongHeader): void {
    if (this.keys === null || cx.ciphers === undefined || this.restarted) return;
    this.restarted = true;
    this.keys = initialKeys(cx.ciphers, h.version, b.subarray(h.scid, h.scid + h.scidLength));
    this.learn(b, h, cx);
  }

  /** The ID that the sender of a packet wants to be sent to. */
  private learn(b: Uint8Array, h: LongHeader, cx: Track): void {
    this.idLengths[cx.direction] = h.scidLength;
    const id = hex(b, h.scid, h.scidLength, '');
    if (this.ids.includes(id)) return;
    if (this.ids.length < LIMITS.quicIds) this.ids.push(id);
    else cx.capped('quicIds');
  }

  /** Who sent a packet: 0 the client, 1 the server. IDs say it also where what generates traffic has one address for both. */
  private side(cx: Track, b: Uint8Array, h: LongHeader): 0 | 1 {
    if (this.clientId === '' || h.dcidLength === 0) return cx.direction === this.client ? 0 : 1;
    return hex(b, h.dcid, h.dcidLength, '') === this.clientId ? 1 : 0;
  }

  private open(cx: Track, v: View, at: number, h: LongHeader): Seen {
    const { keys, streams } = this;
    if (cx.ciphers === undefined || keys === null || h.version === Q050) return { at: at - v.off, refused: NOTHING };
    const server = this.side(cx, v.buf, h);
    const packet = openPacket(cx.ciphers, server === 0 ? keys.client : keys.server, v.buf, at, h);
    if (packet === undefined) return { at: at - v.off, refused: [E.badTag] };
    const deliveries = follow(packet.payload, streams[server], cx, h.version);
    if (server === 1)
      for (const d of deliveries) this.settled ||= d.messages.some((m) => u8(m, 0) === HandshakeType.ServerHello);
    return { at: at - v.off, opened: { ...packet, deliveries }, refused: NOTHING };
  }

  /** Why a packet with a short header is not read; Wireshark says it once where only the secrets are missing. */
  refusal(): readonly Expert[] {
    if (!this.settled) return [E.noHandshake];
    if (this.short) return NOTHING;
    this.short = true;
    return [E.noSecrets];
  }
}

function probe(b: Uint8Array, off: number, end: number, known?: boolean): Probe {
  if (known === true) return Yes;
  if (end - off < MINIMUM || (b[off] & LONG) === 0 || !mayBeVersion(b[off + 1])) return No;
  const version = u32(b, off + 1);
  return version === V1 || version === V2 || draftOf(version) >= FIRST_DRAFT || isReserved(version) ? Yes : No;
}

export const quic = defineDissector({
  proto: 'quic',
  title: 'QUIC IETF',
  short: 'QUIC',
  spec: 'RFC 9000',
  fields: { ...F, ...Object.fromEntries(Object.entries(tls.fields).map(([key, field]) => [`tls.${key}`, field])) },
  experts: E,
  on: { 'udp.heuristic': ['quic'] },
  serves: { fields: [...Object.values(F), ...Object.values(tls.fields)] },
  probe,

  track(v, cx) {
    const connection = cx.flow(quic as AnyDissector, () => new Connection());
    const packets: Seen[] = [];
    let at = v.off;
    for (let h = headerOf(v, at); h !== undefined; h = at < v.end ? headerOf(v, at) : undefined) {
      if (h.kind === Kind.Retry) connection.retried(cx, v.buf, h);
      else if (h.kind >= 0) packets.push(connection.long(cx, v, at, h));
      at = h.end;
    }
    if (at < v.end && (u8(v.buf, at) & (at > v.off ? LONG | FIXED : LONG)) === (at > v.off ? FIXED : 0)) {
      const refused = connection.refusal();
      if (refused.length > 0) packets.push({ at: at - v.off, refused });
    }
    const idLength = connection.idLengths[cx.direction === 0 ? 1 : 0];
    if (packets.length > 0 || idLength > 0) cx.note({ packets, idLength } satisfies QuicNote);
  },

  dissect(v, t, cx) {
    const note = cx.note<QuicNote>(quic as AnyDissector, v);
    for (let at = v.off; at < v.end; ) {
      const h = headerOf(v, at);
      const stop = h?.end ?? v.end;
      t.open(F.quic, at, stop - at);
      t.num(F.packetLength, at, 0, stop - at);
      if (h !== undefined) dissectLong(v, t, at, h, note);
      else if (at > v.off && (u8(v.buf, at) & FIXED) === 0) t.expert(E.padding);
      else dissectRest(v, t, at, note);
      t.pop();
      at = stop;
    }
  },

  summary: (v, cx) => summary(v, cx),
});

const seenAt = (note: QuicNote | undefined, v: View, at: number): Seen | undefined =>
  note?.packets.find((p) => p.at === at - v.off);

function refusals(t: Tree, seen: Seen | undefined): void {
  for (const e of seen?.refused ?? NOTHING) t.expert(e);
}

/** A packet with a short header, or one that is not understood. */
function dissectRest(v: View, t: Tree, at: number, note: QuicNote | undefined): void {
  const { buf, end } = v;
  const first = u8(buf, at);
  if ((first & LONG) !== 0) {
    t.bits(F.form, at, 1, first);
    t.bytes(F.remaining, at + 1, end - at - 1);
    return;
  }
  const idLength = Math.min(note?.idLength ?? 0, end - at - 1);
  t.open(F.short, at, 1 + idLength);
  t.bits(F.form, at, 1, first);
  t.bits(F.fixed, at, 1, first);
  t.bits(F.spin, at, 1, first);
  if (idLength > 0) t.bytes(F.dcid, at + 1, idLength);
  t.pop();
  refusals(t, seenAt(note, v, at));
  t.bytes(F.remaining, at + 1 + idLength, end - at - 1 - idLength);
}

function dissectLong(v: View, t: Tree, at: number, h: LongHeader, note: QuicNote | undefined): void {
  const { buf } = v;
  const seen = seenAt(note, v, at);
  const opened = seen?.opened;
  t.bits(F.form, at, 1, u8(buf, at));
  if (h.version === 0) t.bits(F.unused, at, 1, u8(buf, at));
  else {
    t.bits(F.fixed, at, 1, u8(buf, at));
    if (h.kind >= 0) t.bits(h.version === V2 ? F.kindV2 : F.kind, at, 1, u8(buf, at));
    if (opened !== undefined) {
      t.bits(F.reserved, at, 1, opened.first);
      t.bits(F.numberLength, at, 1, opened.first);
    }
  }
  t.num(F.version, at + 1, 4, h.version);
  connectionIds(t, h);
  if (h.version === 0) versions(v, t, h);
  else if (h.kind === Kind.Retry) retry(t, h);
  else if (h.kind < 0) t.bytes(F.remaining, h.rest, h.end - h.rest);
  else protectedPart(v, t, h, seen);
}

function connectionIds(t: Tree, h: LongHeader): void {
  t.num(F.dcil, h.dcid - 1, 1, h.dcidLength);
  if (h.dcidLength > 0) t.bytes(F.dcid, h.dcid, h.dcidLength);
  t.num(F.scil, h.scid - 1, 1, h.scidLength);
  if (h.scidLength > 0) t.bytes(F.scid, h.scid, h.scidLength);
}

/** Version Negotiation: the versions that the server has. RFC 9000 §17.2.1. */
function versions(v: View, t: Tree, h: LongHeader): void {
  for (let at = h.rest; at + 4 <= h.end; at += 4) t.num(F.supported, at, 4, u32(v.buf, at));
}

/** RFC 9000 §17.2.5. */
function retry(t: Tree, h: LongHeader): void {
  const tag = Math.max(h.rest, h.end - RETRY_TAG);
  t.bytes(F.retryToken, h.rest, tag - h.rest);
  t.bytes(F.retryTag, tag, h.end - tag);
}

/** Token, length, packet number and payload. */
function protectedPart(v: View, t: Tree, h: LongHeader, seen: Seen | undefined): void {
  if (h.kind === Kind.Initial) {
    number(v, t, F.tokenLength, h.tokenAt);
    if (h.tokenLength > 0) t.bytes(F.token, h.token, h.tokenLength);
  }
  number(v, t, F.length, h.lengthAt);
  refusals(t, seen);
  const opened = seen?.opened;
  if (opened === undefined) {
    t.bytes(F.remaining, h.rest, h.end - h.rest);
    return;
  }
  const body = h.rest + opened.numberLength;
  if (t.wanted(F.number)) t.big(F.number, h.rest, opened.numberLength, BigInt(opened.number));
  t.bytes(F.payload, body, h.end - body);
  const payload = View.of(opened.payload, 'Decrypted QUIC');
  const before = t.enter(payload.source);
  const depth = t.level;
  dissectFrames(payload, t, opened.deliveries, h.version);
  t.leave(before, depth);
}

const KINDS: Readonly<Record<number, string>> = { 0: 'Initial', 1: '0-RTT', 2: 'Handshake', 3: 'Retry' };

function summary(v: View, cx: Ctx): string {
  const note = cx.note<QuicNote>(quic as AnyDissector, v);
  const parts: string[] = [];
  for (let at = v.off; at < v.end; ) {
    const h = headerOf(v, at);
    if (h === undefined) {
      parts.push('Protected Payload (KP0)');
      break;
    }
    const opened = seenAt(note, v, at)?.opened;
    const to = h.dcidLength === 0 ? '' : `, DCID=${hex(v.buf, h.dcid, h.dcidLength, '')}`;
    const from = h.scidLength === 0 ? '' : `, SCID=${hex(v.buf, h.scid, h.scidLength, '')}`;
    const said = opened?.deliveries.flatMap(messageNames).map((name) => `, ${name}`) ?? [];
    parts.push(`${h.version === 0 ? 'Version Negotiation' : nameOf(KINDS, h.kind)}${to}${from}${said.join('')}`);
    at = h.end;
  }
  return parts.join(' | ');
}
