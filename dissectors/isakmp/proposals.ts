import { Malformed, need, type Tree, u8, u16, u32, type View } from 'fttscope/kit';
import { attribute } from './attributes.js';
import { F } from './fields.js';

/*
 * The Security Association payload: what one end proposes, or the other chose. In version 2 (RFC 7296 §3.3) it holds
 * proposals alone; in version 1 (RFC 2408 §3.4) a domain of interpretation and a situation stand first:
 *
 *     +---------------+---------------+---------------+---------------+
 *     |  Next (0, 2)  |   Reserved    |        Proposal Length        |
 *     |  Proposal #   |  Protocol ID  |    SPI Size   |  # Transforms |
 *     |  SPI …        |  Transforms: Next (0, 3), Reserved, Length, and what the transform is
 */
const GENERIC = 4;
const PROPOSAL = 2;
const TRANSFORM = 3;
const IPSEC_DOI = 1;
const ISAKMP = 1;
/** Transform types of version 2: RFC 7296 §3.3.2. */
const IDS = [F.otherId, F.encr, F.prf, F.integ, F.dh, F.esn];

/** A chain of proposals, or of the transforms of one; `read` takes what follows the header of each. */
function chain(t: Tree, v: View, type: number, read: (v: View) => void): void {
  const { buf } = v;
  for (let at = v.off, more = true; more && at < v.wireEnd; ) {
    t.num(F.payload, at, 0, type);
    t.push();
    need(v, GENERIC, at);
    const n = u16(buf, at + 2);
    t.num(F.next, at, 1, u8(buf, at));
    t.bytes(F.reserved, at + 1, 1);
    t.num(F.payloadLength, at + 2, 2, n);
    if (n < GENERIC) throw new Malformed('a proposal or transform is shorter than its header');
    read(v.sub(at + GENERIC, at + n));
    need(v, n, at);
    t.pop();
    more = u8(buf, at) === type;
    at += n;
  }
}

/** RFC 7296 §3.3.2, RFC 2408 §3.6. */
function transform(t: Tree, v: View, first: boolean, protocol: number): void {
  const { buf, off } = v;
  need(v, 4);
  if (first) {
    t.num(F.transform, off, 1, u8(buf, off));
    t.num(F.transformId, off + 1, 1, u8(buf, off + 1));
    t.bytes(F.reserved, off + 2, 2);
  } else {
    const type = u8(buf, off);
    t.num(F.kind, off, 1, type);
    t.bytes(F.reserved, off + 1, 1);
    t.num(IDS[type] ?? F.otherId, off + 2, 2, u16(buf, off + 2));
  }
  const of = first ? (protocol === ISAKMP ? 'ike' : 'ipsec') : 'ike2';
  for (let at = off + 4; at < v.wireEnd; ) at = attribute(t, v, at, of);
}

function proposal(t: Tree, v: View, first: boolean): void {
  const { buf, off } = v;
  need(v, 4);
  const protocol = u8(buf, off + 1);
  const spi = u8(buf, off + 2);
  t.num(F.proposal, off, 1, u8(buf, off));
  t.num(F.proposed, off + 1, 1, protocol);
  t.num(F.spiSize, off + 2, 1, spi);
  t.num(F.transforms, off + 3, 1, u8(buf, off + 3));
  if (spi > 0) {
    need(v, 4 + spi);
    t.bytes(F.spi, off + 4, spi);
  }
  if (u8(buf, off + 3) > 0)
    chain(t, v.sub(off + 4 + spi, v.wireEnd), TRANSFORM, (x) => transform(t, x, first, protocol));
}

/** The content of the payload; `first`: of version 1. */
export function association(t: Tree, v: View, first: boolean): void {
  let at = v.off;
  if (first) {
    need(v, 8);
    t.num(F.doi, at, 4, u32(v.buf, at));
    t.bytes(F.situation, at + 4, u32(v.buf, at) === IPSEC_DOI ? 4 : v.length - 4);
    if (u32(v.buf, at) !== IPSEC_DOI) return;
    t.push();
    for (const f of [F.identity, F.secrecy, F.integrity]) t.bits(f, at + 4, 4, u32(v.buf, at + 4));
    t.pop();
    at += 8;
  }
  if (at < v.wireEnd) chain(t, v.sub(at, v.wireEnd), PROPOSAL, (x) => proposal(t, x, first));
}
