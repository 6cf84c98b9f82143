/** What a dissector may import: `fttscope/kit`. */
export { LIMITS, type LimitName } from '../limits.js';
export * from './address.js';
export * from './by-octets.js';
export * from './bytes.js';
export * from './checksum.js';
export * from './codec.js';
export * from './dissector.js';
export * from './fields.js';
export * from './lists.js';
export * from './remembered.js';
export * from './table.js';
export * from './text.js';
export * from './time.js';
export * from './tree.js';
export * from './words.js';
