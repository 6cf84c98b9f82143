/**
 * Time as the endpoints see it. Machines get `now` as a number and say when they want to be called again (`pollAt`);
 * only the edge that owns sockets has a clock, so that a test can drive hours of protocol in no time.
 */

/** Takes back a call that was asked for; no effect once it was made. */
export type Cancel = () => void;

/** What time it is, and calls at a later time. */
export interface Clock {
  /** Milliseconds that never go backwards; the zero is arbitrary. Fractions are meant. */
  now(): number;
  /** Calls `callback` once, `ms` from now or as soon after as possible (at once, but not during this call, for 0 and less). */
  after(ms: number, callback: () => void): Cancel;
}

/** What a timer of the platform can hold; a longer wait is done in parts. */
const LONGEST = 2 ** 31 - 1;

/** The clock of this machine. Its timers keep the process alive. */
export const realClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const due = performance.now() + ms;
    let timer: ReturnType<typeof setTimeout>;
    const wait = () => {
      const left = due - performance.now();
      if (left > LONGEST) timer = setTimeout(wait, LONGEST);
      else timer = setTimeout(callback, Math.max(0, Math.ceil(left)));
    };
    wait();
    return () => clearTimeout(timer);
  },
};

/** A timer that can be set again: what it was set to before does not happen. */
export class Timer {
  private cancel: Cancel | undefined;

  constructor(private readonly clock: Clock) {}

  get running(): boolean {
    return this.cancel !== undefined;
  }

  set(ms: number, callback: () => void): void {
    this.stop();
    this.cancel = this.clock.after(ms, () => {
      this.cancel = undefined;
      callback();
    });
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }
}

/** A machine without I/O: it is told the time and says when it wants to be told again. */
export interface Machine {
  /** When {@link poll} is due, in the time of the clock; Infinity for never. May lie in the past. */
  pollAt(): number;
  /** Does what is due at `now`; harmless when nothing is. */
  poll(now: number): void;
}

/** Calls machines when they are due. */
export class Pacer {
  private readonly machines = new Set<Machine>();
  private cancel: Cancel | undefined;
  private due = Number.POSITIVE_INFINITY;

  constructor(private readonly clock: Clock) {}

  /** Cares for one more machine from now on. */
  add(machine: Machine): void {
    this.machines.add(machine);
    this.arrange();
  }

  /** To be called after a machine was given something from outside: its next time may have changed. */
  arrange(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const m of this.machines) next = Math.min(next, m.pollAt());
    if (next === this.due && this.cancel) return;
    this.cancel?.();
    this.cancel = undefined;
    this.due = next;
    if (next === Number.POSITIVE_INFINITY) return;
    this.cancel = this.clock.after(Math.max(0, next - this.clock.now()), () => {
      this.cancel = undefined;
      const now = this.clock.now();
      for (const m of [...this.machines]) if (m.pollAt() <= now) m.poll(now);
      this.arrange();
    });
  }

  /** Forgets all machines; nothing is called any more. */
  stop(): void {
    this.machines.clear();
    this.cancel?.();
    this.cancel = undefined;
    this.due = Number.POSITIVE_INFINITY;
  }
}
