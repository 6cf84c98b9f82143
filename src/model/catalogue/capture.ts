import type { Entries } from './entry.js';

/** The capture. */
export const CAPTURE: Entries = {
  'capture.duplicate': {
    severity: 'note',
    kind: 'capture',
    title: 'Frames were captured twice',
    meaning: 'A mirror port, or several interfaces, delivered them; they are counted once.',
    next: 'Nothing; to save space, mirror one direction of each port alone.',
  },
  'capture.gap': {
    severity: 'warn',
    kind: 'capture',
    title: 'The capture lacks segments',
    meaning: 'Octets of TCP connections are not in the capture. Counts are too low.',
    next: 'Capture with a larger buffer, and on fewer interfaces.',
  },
  'capture.dropped': {
    severity: 'warn',
    kind: 'capture',
    title: 'The capturing system dropped frames',
    meaning: 'What they carried is not known. Of TCP it shows where octets are missing; of other packets nothing does.',
    next: 'Capture with a larger buffer, a filter that lets in less, or a smaller snaplen.',
  },
  'capture.cut': {
    severity: 'warn',
    kind: 'capture',
    title: 'A file ends in the middle',
    meaning: 'What came after is not known.',
    next: 'Stop the capturing program before copying its file.',
  },
  'capture.late': {
    severity: 'note',
    kind: 'capture',
    title: 'The capture begins in the middle of a connection',
    meaning: 'What happened before is not known, the handshake among it.',
    next: 'Start the capture before the tunnel, or lend the handshake with --handshake-from.',
  },
  'capture.snaplen': {
    severity: 'warn',
    kind: 'capture',
    title: 'Frames were not captured whole',
    meaning:
      'The snaplen cut them: TLS records that they carried cannot be opened, and of SIP messages headers and bodies are missing.',
    next: 'Capture with a snaplen of 0 or 262144.',
  },
  'capture.capped': {
    severity: 'warn',
    kind: 'capture',
    title: 'A limit was reached',
    meaning: 'Something was given up so that memory stays bounded; the limits are listed. Counts may be too low.',
    next: 'Split the capture by time or by address, and read the parts.',
  },
  'capture.clock-jump': {
    severity: 'warn',
    kind: 'capture',
    title: 'The clock of the capture was set',
    meaning: 'Durations across that place are wrong.',
    next: 'Set the clock of the capturing machine once, before the capture.',
  },
  'capture.order': {
    severity: 'warn',
    kind: 'capture',
    title: 'Answers stand before what they answer',
    meaning:
      'Both directions were captured with clocks that differ, or put together out of order: what came first is not known, and times between a question and its answer are wrong.',
    next: 'Capture both directions at one place; of two files shift one by the difference (editcap -t) before they are merged.',
  },
  'capture.clocks': {
    severity: 'note',
    kind: 'capture',
    confidence: 'likely',
    title: 'The clocks of two captures differ',
    meaning: 'Times of one file cannot be compared with those of the other as they stand.',
    next: 'Synchronise the clocks of both machines; the offset is told with the legs of the tunnel.',
  },
  'capture.one-sided': {
    severity: 'warn',
    kind: 'capture',
    title: 'Only one direction was captured',
    meaning: 'What the other side said is not known.',
    next: 'Capture where both directions pass. Where a tap gives each an interface or a file of its own: mergecap makes one of the files, editcap -F pcap of the interfaces.',
  },
};
