import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Octets that both halves of the room for young objects may take. */
const MOST = 8 << 20;

/**
 * Keeps the room for young objects small: left to itself V8 widens it to 32 MB, as what survives adds up; a quarter of that
 * takes little more time. To be called before much is made, for nothing makes it smaller again; what it returns is to be
 * called every now and then.
 */
export function smallYoung(): () => void {
  let isWide = false;
  const look = (): void => {
    if (isWide) return;
    const { space_size: size } = getHeapSpaceStatistics().find((s) => s.space_name === 'new_space')!;
    isWide = 2 * size > MOST;
    setFlagsFromString(`--semi-space-growth-factor=${isWide ? 1 : 2}`);
  };
  look();
  return look;
}
