/** Largest frame that libpcap delivers. */
export const SNAPLEN = 262_144;
/** Buffer of the kernel. */
export const BUFFER_MIB = 32;
