import { type Ctx, No, type Probe, startsWith, type View, Yes } from 'fttscope/kit';
import { udp } from '../udp.js';
import { behind, berLength, inside, SEQUENCE, tagOf } from './ber.js';
import { named } from './named.js';

/** SNMP, of which only the name is shown, and two of the texts that it carries, which Wireshark lists as layers. */

/** Objects sysDescr.0 and sysName.0, as BER has them. RFC 3418 §2 */
const TEXTS = ['\x06\x08\x2b\x06\x01\x02\x01\x01\x01\0', '\x06\x08\x2b\x06\x01\x02\x01\x01\x05\0'];

/** Message, scoped PDU, PDU, list of bindings, binding. RFC 3412 §6, RFC 3416 §3 */
const DEEPEST = 5;
/** The bit of a tag that says that elements stand in the element. ITU-T X.690 §8.1.2.5 */
const CONSTRUCTED = 0x20;

/** A sequence that is whole. RFC 3416 §3 */
function snmpProbe(b: Uint8Array, off: number, end: number): Probe {
  const n = end - off > 1 && b[off] === SEQUENCE ? berLength(b, off, end) : -1;
  return n > 2 && n <= end - off ? Yes : No;
}

/** Names the values bound to one of {@link TEXTS} in the elements of a view. */
function texts(v: View, cx: Ctx, depth: number): void {
  if (TEXTS.some((object) => startsWith(v.buf, v.off, v.end, object))) {
    const value = behind(v);
    if (inside(value).length > 0) cx.call('snmp.text', inside(value));
  } else if (depth < DEEPEST)
    for (let e = v; e.length > 0; e = behind(e)) if ((tagOf(e) & CONSTRUCTED) !== 0) texts(inside(e), cx, depth + 1);
}

export const snmp = [
  named({
    ...{ proto: 'snmp', title: 'Simple Network Management Protocol', short: 'SNMP', spec: 'RFC 3416' },
    on: { 'udp.port': [161, 162, 8161] },
    calls: ['snmp.text'],
    probe: snmpProbe,
    serves: { fields: [udp.fields.stream] },
    // As Wireshark counts: an answer may come from another port.
    track: (_, cx) => cx.divide?.(),
    inner: (v, cx) => texts(v, cx, 0),
  }),
  named({ proto: 'snmp.text', layer: 'snmp', title: 'SNMP text', short: 'SNMP', spec: 'RFC 3418 §2' }),
];
