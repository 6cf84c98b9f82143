import type { Scope, ViewId } from './view.js';

/** Where somebody was. */
export interface Stop {
  readonly view: ViewId;
  readonly scope: Scope;
  readonly place: unknown;
}

/** Steps that are remembered. */
const STEPS = 100;

/** The way here: Esc goes back level by level, Ctrl-O to where the last far jump began. */
export class Trail {
  private readonly levels: Stop[] = [];
  private readonly jumps: Stop[] = [];

  /** Somebody goes down from here. */
  down(from: Stop): void {
    this.levels.push(from);
    this.jump(from);
    if (this.levels.length > STEPS) this.levels.shift();
  }

  /** Somebody jumps from here and stays on the same level. */
  jump(from: Stop): void {
    this.jumps.push(from);
    if (this.jumps.length > STEPS) this.jumps.shift();
  }

  /** The level above; undefined: this is the first. */
  up(): Stop | undefined {
    return this.levels.pop();
  }

  /** Where the last jump began. */
  back(): Stop | undefined {
    return this.jumps.pop();
  }

  /** One is at the first level again. */
  home(): void {
    this.levels.length = 0;
  }
}
