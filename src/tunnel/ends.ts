import { EFTF_PORT } from '../../dissectors/ftt-ims.js';
import { hex } from '../kit/index.js';
import type { Flow } from '../stream/flow.js';

/** The two ends in a fixed order, for handshakes that an earlier file of a rotation lends. */
export function nameOf({ a, aPort, b, bPort }: Flow): string {
  return [`${hex(a, 0, a.length, '')}:${aPort}`, `${hex(b, 0, b.length, '')}:${bPort}`].sort().join('-');
}

/** The side that its port lets be the client: the other one of 443, else the one of the higher port. */
export function clientOf({ aPort, bPort }: Flow): 0 | 1 {
  if (aPort === EFTF_PORT || bPort === EFTF_PORT) return aPort === EFTF_PORT ? 1 : 0;
  return aPort < bPort ? 1 : 0;
}
