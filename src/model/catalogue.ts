import { ADDRESSES } from './catalogue/addresses.js';
import { CALLS } from './catalogue/calls.js';
import { CAPTURE } from './catalogue/capture.js';
import type { CatalogueEntry, Entries } from './catalogue/entry.js';
import { ENVELOPES } from './catalogue/envelopes.js';
import { MEDIA } from './catalogue/media.js';
import { READING } from './catalogue/reading.js';
import { REGISTRATION } from './catalogue/registration.js';
import { RELEASE } from './catalogue/release.js';
import { TLS } from './catalogue/tls.js';
import { WAY } from './catalogue/way.js';

export type { CatalogueEntry };

/** All findings: first what hides others, then in an order in which causes come before consequences. */
export const CATALOGUE: Entries = {
  ...READING,
  ...WAY,
  ...TLS,
  ...ENVELOPES,
  ...RELEASE,
  ...ADDRESSES,
  ...REGISTRATION,
  ...CALLS,
  ...MEDIA,
  ...CAPTURE,
};

/** Place of each code in the catalogue. */
export const ORDER: ReadonlyMap<string, number> = new Map(Object.keys(CATALOGUE).map((code, i) => [code, i]));
