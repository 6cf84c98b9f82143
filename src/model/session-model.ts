import type { TunnelEntity } from './entities.js';
import type { Arrival, Moment } from './moment.js';

/** What happened in a capture, gathered in one pass from plain events. */
export class SessionModel {
  tunnels: TunnelEntity[] = [];
  end: Moment = { seconds: 0, nanos: 0 };

  /** Something that the engine noticed about the packet at hand. */
  noticed(_at: Arrival, _code: string): void {}

  /** The capture has ended. */
  finish(tunnels: readonly TunnelEntity[], end: Moment): void {
    this.tunnels = [...tunnels];
    this.end = end;
  }
}
