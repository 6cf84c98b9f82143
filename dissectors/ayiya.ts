import { defineDissector, fields, nameOf, need, type Peek, put32, u8, u32 } from 'fttscope/kit';
import { IP_PROTOCOLS } from './numbers.js';

/**
 * Anything In Anything, draft-massar-v6ops-ayiya-02 §3: packets between a tunnel broker and its clients:
 *
 *     +-------+-------+-------+-------+-------+-------+---------------+
 *     | IDLen | IDType| SigLen|HshMeth|AuthMth| OpCode|  Next Header  |
 *     +-------+-------+-------+-------+-------+-------+---------------+
 *     |                          Epoch Time                           |
 *     +---------------------------------------------------------------+
 *     |  Identity: 2 to the power of IDLen octets                     |
 *     |  Signature: SigLen words                                      |
 */
const HEADER = 8;
const FORWARD = 1;
const OPCODES = {
  0: 'No Operation',
  1: 'Forward',
  2: 'Echo Request',
  3: 'Echo Request and Forward',
  4: 'Echo Response',
};

const F = fields({
  ayiya: { name: 'ayiya', label: 'Anything in Anything Protocol', type: 'protocol' },
  idLength: { name: 'ayiya.idlen', label: 'Identity field length', type: 'u8', base: 'hex' },
  idType: { name: 'ayiya.idtype', label: 'Identity field type', type: 'u8', base: 'hex' },
  signatureLength: { name: 'ayiya.siglen', label: 'Signature Length', type: 'u8', base: 'hex' },
  hashMethod: { name: 'ayiya.hashmethod', label: 'Hash method', type: 'u8', base: 'hex' },
  authMethod: { name: 'ayiya.authmethod', label: 'Authentication method', type: 'u8', base: 'hex' },
  opcode: { name: 'ayiya.opcode', label: 'Operation Code', type: 'u8', base: 'hex', values: OPCODES },
  next: { name: 'ayiya.nextheader', label: 'Next Header', type: 'u8', base: 'hex', values: IP_PROTOCOLS },
  epoch: { name: 'ayiya.epoch', label: 'Epoch', type: 'time' },
  identity: { name: 'ayiya.identity', label: 'Identity', type: 'bytes' },
  signature: { name: 'ayiya.signature', label: 'Signature', type: 'bytes' },
});

/** A packet with who sent it. */
export interface AyiyaPacket {
  idType: number;
  hashMethod: number;
  authMethod: number;
  opcode: number;
  next: number;
  epoch: number;
  /** A power of two of octets. */
  identity: Uint8Array;
  /** Whole words. */
  signature: Uint8Array;
  payload: Uint8Array;
}

const identityLength = (b: Uint8Array, o: number) => 1 << (b[o] >> 4);
const signatureLength = (b: Uint8Array, o: number) => 4 * (b[o + 1] >> 4);

export const ayiya = defineDissector<AyiyaPacket>({
  proto: 'ayiya',
  title: 'Anything in Anything Protocol',
  short: 'AYIYA',
  spec: 'draft-massar-v6ops-ayiya-02',
  fields: F,
  on: { 'udp.port': [5072] },
  tables: ['ip.proto'],

  peek(p: Peek) {
    const { buf, off } = p;
    if (p.end - off < HEADER || (buf[off + 2] & 15) !== FORWARD) return p.stop();
    const payload = off + HEADER + identityLength(buf, off) + signatureLength(buf, off);
    if (payload >= p.end) return p.stop();
    p.off = payload;
    p.table = 'ip.proto';
    p.key = buf[off + 3];
  },

  dissect(v, t, cx) {
    need(v, HEADER);
    const { buf, off } = v;
    const id = identityLength(buf, off);
    const signature = signatureLength(buf, off);
    t.open(F.ayiya, off, HEADER + id + signature);
    t.num(F.idLength, off, 1, id);
    t.num(F.idType, off, 1, u8(buf, off) & 15);
    t.num(F.signatureLength, off + 1, 1, signature);
    t.num(F.hashMethod, off + 1, 1, u8(buf, off + 1) & 15);
    t.num(F.authMethod, off + 2, 1, u8(buf, off + 2) >> 4);
    t.num(F.opcode, off + 2, 1, u8(buf, off + 2) & 15);
    t.num(F.next, off + 3, 1, u8(buf, off + 3));
    t.time(F.epoch, off + 4, 4, u32(buf, off + 4));
    need(v, HEADER + id + signature);
    t.bytes(F.identity, off + HEADER, id);
    if (signature > 0) t.bytes(F.signature, off + HEADER + id, signature);
    t.pop();
    const body = v.sub(off + HEADER + id + signature);
    if (body.length === 0) return;
    if ((u8(buf, off + 2) & 15) === FORWARD) cx.next('ip.proto', u8(buf, off + 3), body);
    else cx.data(body);
  },

  summary: (v) => (v.length < HEADER ? 'Header cut short' : nameOf(OPCODES, u8(v.buf, v.off + 2) & 15)),

  codec: {
    parse(b, o, end) {
      const id = o + HEADER + identityLength(b, o);
      const body = id + signatureLength(b, o);
      return {
        idType: b[o] & 15,
        hashMethod: b[o + 1] & 15,
        authMethod: b[o + 2] >> 4,
        opcode: b[o + 2] & 15,
        next: b[o + 3],
        epoch: u32(b, o + 4),
        identity: b.slice(o + HEADER, id),
        signature: b.slice(id, body),
        payload: b.slice(body, end),
      };
    },
    size: (r) => HEADER + r.identity.length + r.signature.length + r.payload.length,
    emit(r, b, o) {
      b[o] = (Math.log2(r.identity.length) << 4) | r.idType;
      b[o + 1] = (r.signature.length << 2) | r.hashMethod;
      b[o + 2] = (r.authMethod << 4) | r.opcode;
      b[o + 3] = r.next;
      put32(b, o + 4, r.epoch);
      b.set(r.identity, o + HEADER);
      b.set(r.signature, o + HEADER + r.identity.length);
      b.set(r.payload, o + HEADER + r.identity.length + r.signature.length);
      return HEADER + r.identity.length + r.signature.length + r.payload.length;
    },
  },
});
