import { defineDissector, fields, need, type Peek, u32 } from 'fttscope/kit';

/**
 * UDP encapsulation of IPsec packets on port 4500, RFC 3948 §2: ESP; IKE behind a marker that no ESP packet starts with
 * (an SPI of zero); and keep-alives of a single octet FF.
 *
 *     +---------------------------------+    +------------------------+    +----------+
 *     | ESP: SPI (4, not 0) …           |    | 00 00 00 00 | IKE …    |    | FF       |
 *     +---------------------------------+    +------------------------+    +----------+
 */
const MARKER = 4;
const KEEP_ALIVE = 0xff;
const ESP = 50;
const IKE = 500;

const F = fields({
  udpencap: { name: 'udpencap', label: 'UDP Encapsulation of IPsec Packets', type: 'protocol' },
  keepAlive: { name: 'udpencap.nat_keepalive', label: 'NAT-keepalive packet', type: 'none' },
  marker: { name: 'udpencap.non_esp_marker', label: 'Non-ESP Marker', type: 'none' },
});

/** A message of IKE, or an ESP packet with its header. */
export interface EncapsulatedPacket {
  ike: boolean;
  payload: Uint8Array;
}

const isKeepAlive = (b: Uint8Array, off: number, length: number) => length === 1 && b[off] === KEEP_ALIVE;

export const udpencap = defineDissector<EncapsulatedPacket>({
  proto: 'udpencap',
  title: 'UDP Encapsulation of IPsec Packets',
  short: 'UDPENCAP',
  spec: 'RFC 3948',
  fields: F,
  on: { 'udp.port': [4500] },
  tables: ['ip.proto', 'udpencap'],

  peek(p: Peek) {
    if (p.end - p.off < MARKER) return p.stop();
    const marked = u32(p.buf, p.off) === 0;
    if (marked) p.off += MARKER;
    p.table = marked ? 'udpencap' : 'ip.proto';
    p.key = marked ? IKE : ESP;
  },

  dissect(v, t, cx) {
    const { buf, off } = v;
    t.open(F.udpencap, off, Math.min(v.length, MARKER));
    if (isKeepAlive(buf, off, v.wireLength)) {
      t.none(F.keepAlive, off, 1);
      return t.pop();
    }
    need(v, MARKER);
    const marked = u32(buf, off) === 0;
    if (marked) t.none(F.marker, off, MARKER);
    t.pop();
    if (marked) cx.next('udpencap', IKE, v.sub(off + MARKER));
    else cx.next('ip.proto', ESP, v);
  },

  summary: (v) => (isKeepAlive(v.buf, v.off, v.wireLength) ? 'NAT-keepalive' : 'UDP-encapsulated ESP or IKE'),

  codec: {
    parse(b, o, end) {
      const ike = u32(b, o) === 0;
      return { ike, payload: b.slice(ike ? o + MARKER : o, end) };
    },
    size: (r) => (r.ike ? MARKER : 0) + r.payload.length,
    emit(r, b, o) {
      const at = r.ike ? o + MARKER : o;
      b.fill(0, o, at);
      b.set(r.payload, at);
      return at + r.payload.length - o;
    },
  },
});
