import type {
  AddressingEntity,
  CallEntity,
  FindingEntity,
  MediaEntity,
  MessageEntity,
  RegistrationEntity,
  SubscriptionEntity,
  TunnelEntity,
} from '../model/entities.js';
import type { Moment } from '../model/moment.js';
import type { Viewer } from '../viewer/viewer.js';

/** The members of a report that screens show. */
export interface Story {
  readonly summary: Readonly<Record<string, unknown>>;
  readonly capture: { readonly start?: Moment; readonly end?: Moment; readonly files: readonly CaptureFileEntry[] };
  readonly tunnels: readonly TunnelEntity[];
  readonly addressing: readonly AddressingEntity[];
  readonly registrations: readonly RegistrationEntity[];
  readonly calls: readonly CallEntity[];
  readonly messages: readonly MessageEntity[];
  readonly subscriptions: readonly SubscriptionEntity[];
  readonly media: readonly MediaEntity[];
  readonly findings: readonly FindingEntity[];
  /** Rows and octets by stack of protocols: `fttims:ip:udp:sip`. */
  readonly protocols: Readonly<Record<string, { readonly rows: number; readonly bytes: number }>>;
  readonly limits: readonly { readonly name: string; readonly cap: number; readonly hit: number }[];
}

export interface CaptureFileEntry {
  readonly id: number;
  readonly name: string;
  readonly format: string;
  readonly frames: number;
  readonly bytes: number;
  readonly start?: Moment;
  readonly end?: Moment;
  readonly truncated?: string;
  readonly duplicates: number;
}

/** Milliseconds between reports while a capture is being read, at least; and how many times as long as one took. */
const PAUSE_MS = 3000;
const PAUSE_TIMES = 10;

/**
 * The newest report of a capture. It is asked for when somebody looks ({@link want}), again every few seconds while
 * reading goes on, and once more when all is read.
 */
export class Told {
  /** Undefined until the first has come. */
  story: Story | undefined;
  /** The report is that of the whole capture. */
  whole = false;
  /** Why there is none. */
  error: string | undefined;
  private asking = false;
  private wanted = false;
  private next = 0;

  constructor(
    private readonly viewer: Viewer,
    private readonly changed: () => void,
  ) {
    viewer.onStatus(() => this.look());
  }

  /** Says that somebody looks. */
  want(): void {
    this.wanted = true;
    this.look();
  }

  /** What is known is of an older reading. */
  forget(): void {
    this.story = undefined;
    this.whole = false;
    this.next = 0;
    this.look();
  }

  private look(): void {
    const { done } = this.viewer.status;
    if (!this.wanted || this.asking || this.whole) return;
    if (!done && Date.now() < this.next) return;
    this.asking = true;
    this.wanted = done;
    const began = Date.now();
    const rest = (): void => {
      this.asking = false;
      this.next = Date.now() + Math.max(PAUSE_MS, PAUSE_TIMES * (Date.now() - began));
    };
    this.viewer.report().then(
      ({ members }) => {
        rest();
        this.take(members as unknown as Story, done);
      },
      (e: Error) => {
        rest();
        this.error = e.message;
        this.wanted = false;
        this.changed();
      },
    );
  }

  private take(story: Story, whole: boolean): void {
    this.story = story;
    this.whole = whole;
    this.error = undefined;
    this.changed();
    this.look();
  }
}
