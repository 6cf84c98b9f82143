/** What the two ends of a tunnel say to each other, as octets of two streams: CONNECT, TLS, envelopes. */

import { concat, put16 } from 'fttscope/kit';

/** 0: from the client (the UE, up); 1: from the server (the EFTF, down). */
export type Side = 0 | 1;

/** An envelope of TS 24.322 §7.1.2, or octets that only look like one. */
export interface Envelope {
  readonly octets: Uint8Array;
  /** Whether a reader can show it as a row of its own: it cannot where its Length is below 3. */
  readonly row: boolean;
}

/** An envelope around `payload`; `length` is what it says of itself, where that is a lie. */
export function envelope(payload: Uint8Array, type = 1, length = payload.length + 3): Envelope {
  const octets = new Uint8Array(3 + payload.length);
  octets[0] = type;
  put16(octets, 1, length);
  octets.set(payload, 3);
  return { octets, row: length >= 3 };
}

/** What happens in a tunnel, one after the other. */
export type Step =
  /** Envelopes, packed into records of so many octets each (the last size holds for the rest; none: one write). */
  | { readonly side: Side; readonly envelopes: readonly Envelope[]; readonly records?: readonly number[] | undefined }
  /** Application data that is no envelope. */
  | { readonly side: Side; readonly plain: Uint8Array }
  /** TLS 1.2: a handshake within the connection. */
  | { readonly renegotiate: true }
  /** TLS 1.3, hand-made records: RFC 8446 §4.6.3. */
  | { readonly keyUpdate: Side }
  /** The same: an alert after which that side goes on all the same. RFC 8446 §6.1 */
  | { readonly closeNotify: Side }
  /** Nothing for so many milliseconds. */
  | { readonly pause: number };

/** Envelopes from the UE, each in a record of its own, or all cut into records of the sizes given. */
export const up = (envelopes: readonly Envelope[], records?: readonly number[]): Step => ({
  side: 0,
  envelopes,
  records,
});
export const down = (envelopes: readonly Envelope[], records?: readonly number[]): Step => ({
  side: 1,
  envelopes,
  records,
});

/** Octets that one side sends at a time. */
export interface Flight {
  readonly side: Side;
  readonly octets: Uint8Array;
  /** Part of a handshake: what follows answers it, and cannot overtake it. */
  readonly ordered: boolean;
  /** Milliseconds of silence before. */
  readonly pause: number;
}

/** An envelope as the streams carry it. */
export interface Inner {
  readonly side: Side;
  readonly envelope: Envelope;
  /** Positions in the stream of its side, from 0: where its first record starts, where its last one ends. */
  readonly from: number;
  readonly to: number;
}

/** Both streams of a connection. */
export interface Conversation {
  readonly flights: readonly Flight[];
  /** In the order of the streams. */
  readonly inner: readonly Inner[];
  /** NSS key log; '' where there is none. */
  readonly keylog: string;
  /** Name of the cipher suite, '' without TLS. */
  readonly cipher: string;
  /** For the next connection. */
  readonly session?: Buffer | undefined;
  readonly reused: boolean;
}

/** Puts flights one behind the other and keeps count of the positions. */
export class Streams {
  readonly flights: Flight[] = [];
  readonly inner: Inner[] = [];
  /** Octets sent so far. */
  readonly sent: [number, number] = [0, 0];
  private pause = 0;

  add(side: Side, octets: Uint8Array, ordered = false): void {
    const { pause } = this;
    this.pause = 0;
    this.sent[side] += octets.length;
    const last = this.flights[this.flights.length - 1];
    if (pause === 0 && ordered && last?.ordered && last.side === side)
      this.flights[this.flights.length - 1] = { ...last, octets: concat([last.octets, octets]) };
    else this.flights.push({ side, octets, ordered, pause });
  }

  wait(ms: number): void {
    this.pause += ms;
  }
}

/** Pieces of a write: the envelopes of a step cut into the records that it asks for. */
export function writes(step: {
  envelopes: readonly Envelope[];
  records?: readonly number[] | undefined;
}): Uint8Array[] {
  if (step.records === undefined) return step.envelopes.map((e) => e.octets);
  const all = concat(step.envelopes.map((e) => e.octets));
  const out: Uint8Array[] = [];
  for (let off = 0, i = 0; off < all.length; i++) {
    const size = step.records[Math.min(i, step.records.length - 1)] ?? all.length;
    out.push(all.subarray(off, off + Math.max(1, size)));
    off += Math.max(1, size);
  }
  return out;
}

/** A part of plain text and where the record that carries it stands in its stream. */
export interface Carried {
  readonly plain: number;
  readonly from: number;
  readonly to: number;
}

/** Finds the records that carry each envelope of a step. `carried` are its records in order, with the octets of each. */
export function place(side: Side, envelopes: readonly Envelope[], carried: readonly Carried[], into: Inner[]): void {
  let i = 0;
  let passed = 0;
  let start = 0;
  for (const envelope of envelopes) {
    const end = start + envelope.octets.length;
    while (passed + carried[i]!.plain <= start) passed += carried[i++]!.plain;
    const { from } = carried[i]!;
    let last = i;
    for (let p = passed; p + carried[last]!.plain < end; last++) p += carried[last]!.plain;
    into.push({ side, envelope, from, to: carried[last]!.to });
    start = end;
  }
}

/** Octets that stand before the tunnel: CONNECT and its answers, a PROXY protocol header. */
export interface Preface {
  readonly side: Side;
  readonly octets: Uint8Array;
}

/** Envelopes in the clear, as behind a TLS offload. `records` of a step cut nothing here. */
export function clearConversation(steps: readonly Step[], preface: readonly Preface[] = []): Conversation {
  const s = new Streams();
  for (const p of preface) s.add(p.side, p.octets, true);
  for (const step of steps) {
    if ('pause' in step) s.wait(step.pause);
    else if ('plain' in step) s.add(step.side, step.plain);
    else if ('envelopes' in step) {
      const { side, envelopes } = step;
      const carried = envelopes.map(({ octets }) => {
        const from = s.sent[side];
        s.add(side, octets);
        return { plain: octets.length, from, to: s.sent[side] };
      });
      place(side, envelopes, carried, s.inner);
    } else throw new Error('a step that needs TLS');
  }
  return { flights: s.flights, inner: s.inner, keylog: '', cipher: '', reused: false };
}

const text = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));

/** A CONNECT request, RFC 9110 §9.3.6. */
export function connect(target = 'eftf.example:443', headers: readonly string[] = []): Preface {
  const lines = [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, ...headers, '', ''];
  return { side: 0, octets: text(lines.join('\r\n')) };
}

/** An answer of a proxy; `body` gets its Content-Length where the status allows one. */
export function answer(status: number, reason: string, headers: readonly string[] = [], body = ''): Preface {
  const length = status >= 200 && status < 300 ? [] : [`Content-Length: ${body.length}`];
  const lines = [`HTTP/1.1 ${status} ${reason}`, ...headers, ...length, '', body];
  return { side: 1, octets: text(lines.join('\r\n')) };
}

/** A PROXY protocol header, version 1 (text) or 2. */
export function proxyHeader(version: 1 | 2): Preface {
  if (version === 1) return { side: 0, octets: text('PROXY TCP4 192.0.2.10 198.51.100.1 40000 443\r\n') };
  const octets = new Uint8Array(28);
  octets.set([13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x21, 0x11, 0, 12]);
  octets.set([192, 0, 2, 10, 198, 51, 100, 1, 0x9c, 0x40, 1, 187], 16);
  return { side: 0, octets };
}
