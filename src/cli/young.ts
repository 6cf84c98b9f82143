import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Octets that both halves of the room for young objects may take. */
const MOST = 8 << 20;
/** Calls between two looks at it. */
const EVERY = 4;

/**
 * Returns what keeps the room for young objects small, to be called every now and then. Left to itself V8 widens it to 32 MB,
 * as what survives adds up; a quarter of that takes next to no more time. Each collection that closes gaps makes it small
 * again, so that it has to be widened again, too.
 */
export function smallYoung(): () => void {
  let calls = 0;
  let factor = 0;
  return () => {
    if (calls++ % EVERY > 0) return;
    const { space_size: size } = getHeapSpaceStatistics().find((s) => s.space_name === 'new_space')!;
    const wanted = 2 * size <= MOST ? 2 : 1;
    if (wanted !== factor) setFlagsFromString(`--semi-space-growth-factor=${wanted}`);
    factor = wanted;
  };
}
