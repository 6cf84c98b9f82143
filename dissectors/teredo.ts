import { defineDissector, fields, need, type Peek, put16, type Tree, u8, u16, type View } from 'fttscope/kit';

/**
 * Teredo, RFC 4380 §5.1.1: IPv6 packets in UDP, after an authentication header, an origin indication, or neither:
 *
 *     +--------+--------+-------+-------+--------------+------------+----------+--------------+
 *     |  0x00  |  0x01  |ID-len | AU-len| Client id.   | Auth value | Nonce (8)| Confirmation |
 *     +--------+--------+-------+-------+--------------+------------+----------+--------------+
 *     |  0x00  |  0x00  | Origin port # | Origin IPv4 address       |  (both with all bits inverted)
 *     +--------+--------+---------------+---------------------------+
 */
const AUTHENTICATION = 1;
const AUTH_FIXED = 4;
const NONCE = 8;
const ORIGIN = 8;

const F = fields({
  teredo: { name: 'teredo', label: 'Teredo IPv6 over UDP tunneling', type: 'protocol' },
  auth: { name: 'teredo.auth', label: 'Teredo Authentication header', type: 'none' },
  idLength: { name: 'teredo.auth.idlen', label: 'Client identifier length', type: 'u8' },
  valueLength: { name: 'teredo.auth.aulen', label: 'Authentication value length', type: 'u8' },
  id: { name: 'teredo.auth.id', label: 'Client identifier', type: 'bytes' },
  value: { name: 'teredo.auth.value', label: 'Authentication value', type: 'bytes' },
  nonce: { name: 'teredo.auth.nonce', label: 'Nonce value', type: 'bytes' },
  confirmation: { name: 'teredo.auth.conf', label: 'Confirmation byte', type: 'bytes' },
  origin: { name: 'teredo.orig', label: 'Teredo Origin Indication header', type: 'none' },
  port: { name: 'teredo.orig.port', label: 'Origin UDP port', type: 'u16' },
  address: { name: 'teredo.orig.addr', label: 'Origin IPv4 address', type: 'ipv4' },
});

/** A packet and the indications before it. */
export interface TeredoPacket {
  /** The authentication header after its first two octets, or none. */
  auth: Uint8Array;
  /** Origin port and address, six octets as they stand in the packet, or none. */
  origin: Uint8Array;
  payload: Uint8Array;
}

const authLength = (b: Uint8Array, o: number) => AUTH_FIXED + b[o + 2] + b[o + 3] + NONCE + 1;

/** Where the packet starts; -1 where the indications do not end. */
function packetAt(b: Uint8Array, off: number, end: number): number {
  let at = off;
  if (at + AUTH_FIXED <= end && u16(b, at) === AUTHENTICATION) at += authLength(b, at);
  if (at + 2 <= end && u16(b, at) === 0) at += ORIGIN;
  return at <= end ? at : -1;
}

function authentication(t: Tree, v: View): number {
  const { buf, off } = v;
  need(v, AUTH_FIXED);
  const n = authLength(buf, off);
  const idLength = u8(buf, off + 2);
  const valueLength = u8(buf, off + 3);
  t.none(F.auth, off, n);
  t.push();
  t.num(F.idLength, off + 2, 1, idLength);
  t.num(F.valueLength, off + 3, 1, valueLength);
  need(v, n);
  let at = off + AUTH_FIXED;
  if (idLength > 0) t.bytes(F.id, at, idLength);
  at += idLength;
  if (valueLength > 0) t.bytes(F.value, at, valueLength);
  at += valueLength;
  t.bytes(F.nonce, at, NONCE);
  t.bytes(F.confirmation, at + NONCE, 1);
  t.pop();
  return n;
}

export const teredo = defineDissector<TeredoPacket>({
  proto: 'teredo',
  title: 'Teredo IPv6 over UDP tunneling',
  short: 'Teredo',
  spec: 'RFC 4380',
  fields: F,
  on: { 'udp.port': [3544] },
  tables: ['ip.version'],

  peek(p: Peek) {
    const at = packetAt(p.buf, p.off, p.end);
    if (at < 0 || at >= p.end) return p.stop();
    p.off = at;
    p.table = 'ip.version';
    p.key = p.buf[at] >> 4;
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    let at = off;
    t.open(F.teredo, off, Math.max(0, packetAt(buf, off, v.end) - off));
    need(v, 2);
    if (u16(buf, at) === AUTHENTICATION) at += authentication(t, v);
    if (at + 2 <= v.end && u16(buf, at) === 0) {
      need(v, ORIGIN, at);
      t.none(F.origin, at, ORIGIN);
      t.push();
      t.num(F.port, at + 2, 2, u16(buf, at + 2) ^ 0xffff);
      t.bytes(F.address, at + 4, 4, Uint8Array.of(~buf[at + 4], ~buf[at + 5], ~buf[at + 6], ~buf[at + 7]));
      t.pop();
      at += ORIGIN;
    }
    t.pop();
    const body = v.sub(at);
    if (body.length > 0) cx.next('ip.version', u8(buf, at) >> 4, body);
  },

  summary: () => 'IPv6 in UDP',

  codec: {
    parse(b, o, end) {
      const r: TeredoPacket = { auth: new Uint8Array(0), origin: new Uint8Array(0), payload: new Uint8Array(0) };
      let at = o;
      if (u16(b, at) === AUTHENTICATION) {
        r.auth = b.slice(at + 2, at + authLength(b, at));
        at += r.auth.length + 2;
      }
      if (at + ORIGIN <= end && u16(b, at) === 0) {
        r.origin = b.slice(at + 2, at + ORIGIN);
        at += ORIGIN;
      }
      r.payload = b.slice(at, end);
      return r;
    },
    size: (r) => (r.auth.length > 0 ? r.auth.length + 2 : 0) + (r.origin.length > 0 ? ORIGIN : 0) + r.payload.length,
    emit(r, b, o) {
      let at = o;
      if (r.auth.length > 0) {
        put16(b, at, AUTHENTICATION);
        b.set(r.auth, at + 2);
        at += r.auth.length + 2;
      }
      if (r.origin.length > 0) {
        put16(b, at, 0);
        b.set(r.origin, at + 2);
        at += ORIGIN;
      }
      b.set(r.payload, at);
      return at + r.payload.length - o;
    },
  },
});
