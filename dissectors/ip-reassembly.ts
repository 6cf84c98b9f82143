import type { Field, Tree } from 'fttscope/kit';

/** One part of a reassembled datagram: where it came from and which octets of the whole it brought. */
export interface FragmentPart {
  readonly frame: number;
  readonly off: number;
  readonly len: number;
  /** Some of its octets had been there before… */
  readonly overlap?: boolean;
  /** …with other values. */
  readonly conflict?: boolean;
}

/** Left on the packet that completes a datagram: its parts in the order of their offsets, and its octets. */
export interface FragmentNote {
  readonly fragments?: readonly FragmentPart[];
  readonly bytes?: Uint8Array;
  /** Next header that the first fragment names; it decides for the whole datagram (RFC 8200 §4.5). */
  readonly protocol?: number;
}

/** The fields in which IPv4 and IPv6 describe a reassembled datagram. */
export interface ReassemblyFields {
  readonly fragments: Field;
  readonly fragment: Field;
  readonly overlap: Field;
  readonly conflict: Field;
  readonly count: Field;
  readonly reassembledLength: Field;
  readonly reassembledData: Field;
}

/** The parts of the datagram that the packet at `off` completed. */
export function reassembly(t: Tree, f: ReassemblyFields, off: number, note: FragmentNote): void {
  const parts = note.fragments ?? [];
  const bytes = note.bytes ?? new Uint8Array(0);
  if (f.fragments.type === 'bytes') t.bytes(f.fragments, off, 0, bytes);
  else t.none(f.fragments, off, 0);
  if (t.labels) {
    const list = parts.map((p) => ` #${p.frame}(${p.len})`).join(',');
    t.label(`[${parts.length} ${f.fragments.label} (${bytes.length} octets):${list}]`);
  }
  t.push();
  for (const p of parts) {
    t.num(f.fragment, off, 0, p.frame);
    if (t.labels) t.label(`[Frame: ${p.frame}, payload: ${p.off}-${p.off + p.len - 1} (${p.len} octets)]`);
    t.push();
    if (p.overlap) t.num(f.overlap, off, 0, 1);
    if (p.conflict) t.num(f.conflict, off, 0, 1);
    t.pop();
  }
  t.num(f.count, off, 0, parts.length);
  t.num(f.reassembledLength, off, 0, bytes.length);
  t.bytes(f.reassembledData, off, 0, bytes);
  t.pop();
}
