import { defineDissector, experts, fields, lineAt } from 'fttscope/kit';

/**
 * A part of a SIP message as a body, RFC 3420: what NOTIFY for a transfer (RFC 3515 §2.4.5) says about it, line by line.
 *
 *     SIP/2.0 180 Ringing
 */
const MAX_LINES = 2000;

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
      const line = lineAt(buf, at, end);
      t.text(F.line, at, line.end - at);
      at = line.next;
    }
    t.pop();
  },
});
