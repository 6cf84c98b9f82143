import { concat, type Field, LIMITS, type Segment, type Track, type Tree } from 'fttscope/kit';

/** A mail that ends with a segment of the stream, and the segments that carried it. */
export interface Mail {
  readonly octets: Uint8Array;
  readonly segments: readonly Segment[];
}

/** A mail that is under way in a connection: its segments are kept until the last has come. */
export class MailParts {
  private parts: Uint8Array[] = [];
  private segments: Segment[] = [];
  /** Octets that have come. */
  octets = 0;

  /** What it holds, in units that a few entries cost. */
  get size(): number {
    return this.octets >> 8;
  }

  /** Keeps the octets `[off, end)` of the segment that is read, as long as mails are not kept beyond their limit. */
  keep(b: Uint8Array, off: number, end: number, cx: Track): void {
    if (end === off) return;
    if (this.octets + end - off > LIMITS.messageOctets) {
      cx.capped('messageOctets');
      return;
    }
    this.segments.push({ frame: cx.frame, off: this.octets, len: end - off });
    this.parts.push(b.slice(off, end));
    this.octets += end - off;
  }

  /** What was kept, which is the whole mail; the next one begins. */
  take(): Mail {
    const mail = { octets: concat(this.parts), segments: this.segments };
    this.clear();
    return mail;
  }

  clear(): void {
    this.parts = [];
    this.segments = [];
    this.octets = 0;
  }
}

/** The fields in which SMTP and POP describe a reassembled mail. */
interface MailFields {
  readonly fragments: Field;
  readonly fragment: Field;
  readonly fragmentCount: Field;
  readonly length: Field;
}

/** Adds the segments that carried a mail. */
export function showSegments(t: Tree, f: MailFields, { octets, segments }: Mail): void {
  t.open(f.fragments, 0, 0);
  for (const s of segments) t.num(f.fragment, 0, 0, s.frame);
  t.num(f.fragmentCount, 0, 0, segments.length);
  t.num(f.length, 0, 0, octets.length);
  t.pop();
}
