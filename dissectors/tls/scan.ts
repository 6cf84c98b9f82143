import { counted, experts, type Field, need, type Tree, u8, u16, u24, u32, type View } from 'fttscope/kit';

export const SCAN_EXPERTS = experts({
  tooSmall: {
    code: 'tls.malformed.buffer-too-small',
    severity: 'error',
    malformed: true,
    message: 'Malformed message, not enough data is available',
    clause: 'RFC 8446 §3.4',
  },
  truncated: {
    code: 'tls.malformed.vector-truncated',
    severity: 'error',
    malformed: true,
    message: 'Vector is longer than what contains it',
    clause: 'RFC 8446 §3.4',
  },
  vectorLength: {
    code: 'tls.malformed.vector-length',
    severity: 'error',
    message: 'Variable vector length is outside the permitted range',
    clause: 'RFC 8446 §3.4',
  },
  trailing: {
    code: 'tls.malformed.trailing-data',
    severity: 'warn',
    message: 'Undecoded trailing data is present',
  },
});

/**
 * Walks the presentation language of RFC 8446 §3 and adds a node for each part that it reads.
 *
 * A part that does not fit into what contains it leaves an expert item, and from then on this walk reads nothing: what
 * comes after the container is still shown. Only octets that are missing from the packet itself throw Short.
 */
export class Scan {
  private broken = false;

  constructor(
    readonly t: Tree,
    readonly v: View,
    public off: number,
    readonly end: number,
  ) {}

  /** Octets that are left. */
  get left(): number {
    return this.broken ? 0 : this.end - this.off;
  }
  /** Whether there is something left to read; false for good once something did not fit. */
  get more(): boolean {
    return this.left > 0;
  }

  /** Demands `n` octets of this container. */
  has(n: number): boolean {
    if (this.broken) return false;
    if (this.off + n > this.end) {
      this.broken = true;
      need(this.v, Math.max(0, Math.min(n, this.end - this.off)), this.off);
      this.t.expert(SCAN_EXPERTS.tooSmall);
      return false;
    }
    need(this.v, n, this.off);
    return true;
  }

  u8(f: Field): number {
    if (!this.has(1)) return 0;
    const x = u8(this.v.buf, this.off);
    this.t.num(f, this.off, 1, x);
    this.off++;
    return x;
  }
  u16(f: Field): number {
    if (!this.has(2)) return 0;
    const x = u16(this.v.buf, this.off);
    this.t.num(f, this.off, 2, x);
    this.off += 2;
    return x;
  }
  u24(f: Field): number {
    if (!this.has(3)) return 0;
    const x = u24(this.v.buf, this.off);
    this.t.num(f, this.off, 3, x);
    this.off += 3;
    return x;
  }
  u32(f: Field): number {
    if (!this.has(4)) return 0;
    const x = u32(this.v.buf, this.off);
    this.t.num(f, this.off, 4, x);
    this.off += 4;
    return x;
  }

  /** `n` octets as the value of `f`; nothing for none. */
  bytes(f: Field, n: number): void {
    if (n === 0 || !this.has(n)) return;
    this.t.bytes(f, this.off, n);
    this.off += n;
  }
  /** `n` octets as text. */
  text(f: Field, n: number): void {
    if (!this.has(n)) return;
    this.t.text(f, this.off, n);
    this.off += n;
  }
  /** `n` octets that only say that they are there. */
  none(f: Field, n: number): void {
    if (!this.has(n)) return;
    this.t.none(f, this.off, n);
    this.off += n;
  }

  /** A walk over the next `n` octets, of which there should be `least`, or over what there is of them. */
  part(n: number, least = 0): Scan {
    let stop = this.off + n;
    if (this.broken) stop = this.off;
    else if (stop > this.end) {
      const message = `Vector length ${n} is too large, truncating it to ${this.end - this.off}`;
      this.t.expert(SCAN_EXPERTS.truncated, message);
      stop = this.end;
    } else if (n < least)
      this.t.expert(SCAN_EXPERTS.vectorLength, `Vector length ${n} is smaller than minimum ${least}`);
    const s = new Scan(this.t, this.v, this.off, stop);
    this.off = stop;
    return s;
  }
  /** A vector: its length as `f`, and a walk over its content, of which there should be `least` octets. */
  vector8(f: Field, least = 0): Scan {
    return this.room(1) ? this.part(this.u8(f), least) : this.part(0);
  }
  vector16(f: Field, least = 0): Scan {
    return this.room(2) ? this.part(this.u16(f), least) : this.part(0);
  }
  vector24(f: Field): Scan {
    return this.room(3) ? this.part(this.u24(f)) : this.part(0);
  }

  /** Whether a length of `n` octets fits. */
  private room(n: number): boolean {
    if (this.broken || this.off + n <= this.end) return !this.broken;
    this.broken = true;
    need(this.v, this.end - this.off, this.off);
    const message = `No more room for vector of length ${n}`;
    this.t.expert(SCAN_EXPERTS.tooSmall, message);
    return false;
  }

  /** A length as `length`, and that many octets as `data`; no node for no octets. */
  opaque8(length: Field, data: Field): void {
    const s = this.vector8(length);
    s.bytes(data, s.left);
  }
  opaque16(length: Field, data: Field): void {
    const s = this.vector16(length);
    s.bytes(data, s.left);
  }

  /** A heading over what is left, until {@link close}. */
  heading(f: Field, label?: string): this {
    this.t.open(f, this.off, this.left);
    if (label !== undefined && this.t.labels) this.t.label(label);
    return this;
  }
  close(): void {
    this.t.pop();
  }

  /** Notes that what is left belongs to nothing that is known. */
  trailing(): void {
    if (!this.more) return;
    const message = `${counted(this.left, 'trailing byte')} ${this.left === 1 ? 'was' : 'were'} unprocessed`;
    this.t.expert(SCAN_EXPERTS.trailing, message);
  }
}
