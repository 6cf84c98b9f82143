import type { Entries } from './entry.js';

/** What keeps people from reading what was captured: keys. */
export const READING: Entries = {
  'tls.no-keys': {
    severity: 'note',
    kind: 'capture',
    title: 'There are no keys for this session',
    clause: 'RFC 9850 §2',
    meaning: 'What ran inside cannot be seen. Everything that is said here rests on the outside alone.',
    next: 'Give a key log with -k, or capture again from the handshake on with SSLKEYLOGFILE set.',
  },
  'tls.partial-keys': {
    severity: 'note',
    kind: 'capture',
    title: 'Only a part of the session could be opened',
    clause: 'RFC 9850 §2',
    meaning: 'What ran inside is known in part. Counts are too low.',
    next: 'Give a key log with all the lines of this session.',
  },
  'esp.no-keys': {
    severity: 'note',
    kind: 'capture',
    title: 'There are no keys for ESP inside the tunnel',
    clause: 'RFC 4303 §2',
    meaning: 'Signalling that it protects cannot be seen.',
    next: 'Give the key of the subscriber, or the keys of the associations (esp_sa), in a file.',
  },
};
