/**
 * NOPs among the options of IP and TCP, as Wireshark counts them "in a row": all of a header, other options between them or
 * not, from 0 again at each that begins a word of 32 bits behind others. Four of them say that a router may have put them in
 * place of options.
 */
export const MANY_NOPS = 4;

/** How many there are with the NOP whose octet stands at `place` from the first option, where there were `nops` before. */
export const nopsWith = (nops: number, place: number): number => (nops === 0 || place % 4 !== 0 ? nops + 1 : 0);
