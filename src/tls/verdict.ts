import { asSaid, UNTOLD, type Words, words } from '../kit/index.js';
import type { Channel } from './channel.js';
import type { Served } from './epoch.js';

/** What became of the protected records of one direction, for the report. */
export interface DirectionVerdict {
  readonly verdict: 'full' | 'partial' | 'none';
  /** A sentence for people, as it is and before it is told; absent where everything was opened. */
  readonly reason?: string;
  readonly why?: Words;
  /** Who gave the keys. */
  readonly source?: Served;
  /** Protected records. */
  readonly records: number;
  readonly decrypted: number;
  /** Records that had a key and were not opened. */
  readonly failed: number;
  /** Records whose tag or MAC was checked. */
  readonly verified: number;
  /** Numbers of the records where decryption went on after it had been lost. */
  readonly resumedAt: readonly number[];
}

/** What became of the records of a direction up to now, with the reason where not all were opened. */
export function verdictOf(c: Channel): DirectionVerdict {
  const verdict = c.decrypted === 0 ? 'none' : c.decrypted === c.records ? 'full' : 'partial';
  const why = reasonOf(c, verdict);
  return {
    verdict,
    ...(why !== undefined && { reason: asSaid(why), why }),
    ...(c.served !== undefined && { source: c.served }),
    records: c.records,
    decrypted: c.decrypted,
    failed: c.failed,
    verified: c.verified,
    resumedAt: c.resumedAt,
  };
}

function reasonOf(c: Channel, verdict: DirectionVerdict['verdict']): Words | undefined {
  const said = c.reason === UNTOLD ? undefined : c.reason;
  if (c.records === 0) return said ?? words`There are no protected records in this direction.`;
  if (verdict === 'none') return said ?? words`No record could be opened.`;
  const missing = c.missing > 0 ? words`${c.missing} octets of the stream are missing.` : undefined;
  if (verdict === 'full') return missing;
  const left = c.records - c.decrypted;
  const first = said ?? missing;
  const told = words`${left} of ${c.records} records could not be opened.`;
  return first === undefined ? told : words`${told} ${first}`;
}
