/** Records of a direction that the capture lacks, by their numbers under one key; what is absent could not be told. */
export interface Hole {
  /** The first that is not whole. */
  first?: number;
  /** The one with which decryption went on. */
  resumed?: number;
}
