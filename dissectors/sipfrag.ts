import { defineDissector, experts, fields } from 'fttscope/kit';

/**
 * A part of a SIP message as a body, RFC 3420: what NOTIFY for a transfer (RFC 3515 §2.4.5) says about it, line by line.
 *
 *     SIP/2.0 180 Ringing
 */
const MAX_LINES = 2000;
const CR = 13;
const LF = 10;

const F = fields({
  sipfrag: { name: 'sipfrag', label: 'Sipfrag', type: 'protocol', clause: 'RFC 3420 §2' },
  line: { name: 'sipfrag.line', label: 'Line', type: 'string' },
});

const E = experts({
  tooMany: { code: 'sipfrag.too-many-lines', severity: 'warn', message: 'Too many lines; the rest is not shown' },
});

export const sipfrag = defineDissector({
  proto: 'sipfrag',
  title: 'Sipfrag',
  short: 'SIPFRAG',
  spec: 'RFC 3420',
  fields: F,
  experts: E,
  on: { media_type: ['message/sipfrag'] },

  dissect(v, t) {
    const { buf, end } = v;
    t.open(F.sipfrag, v.off, v.length);
    let n = 0;
    for (let at = v.off; at < end; n++) {
      if (n === MAX_LINES) {
        t.expert(E.tooMany);
        break;
      }
      let i = at;
      while (i < end && buf[i] !== LF) i++;
      const stop = i > at && buf[i - 1] === CR ? i - 1 : i;
      t.text(F.line, at, stop - at);
      at = i + 1;
    }
    t.pop();
  },
});
