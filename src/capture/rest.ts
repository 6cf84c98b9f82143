const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Lets so many milliseconds pass in which this thread does nothing, as for a pipe that is full. */
export const rest = (ms: number): void => void Atomics.wait(nobody, 0, 0, ms);
