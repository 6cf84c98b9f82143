import { defineDissector, fields, need, u8 } from 'fttscope/kit';

/**
 * ISDN User Part, ITU-T Q.763, as SIP-I and MGCFs carry it in bodies (RFC 3204 §3.1): a message type, then parameters,
 * which are shown as octets:
 *
 *     +------------------+-------------- - -
 *     | Message type (1) |  parameters …
 *     +------------------+-------------- - -
 */
const TYPES: Readonly<Record<number, string>> = {
  1: 'Initial address',
  2: 'Subsequent address',
  3: 'Information request (national use)',
  4: 'Information (national use)',
  5: 'Continuity',
  6: 'Address complete',
  7: 'Connect',
  8: 'Forward transfer',
  9: 'Answer',
  12: 'Release',
  13: 'Suspend',
  14: 'Resume',
  16: 'Release complete',
  17: 'Continuity check request',
  18: 'Reset circuit',
  19: 'Blocking',
  20: 'Unblocking',
  21: 'Blocking acknowledgement',
  22: 'Unblocking acknowledgement',
  23: 'Circuit group reset',
  24: 'Circuit group blocking',
  25: 'Circuit group unblocking',
  26: 'Circuit group blocking acknowledgement',
  27: 'Circuit group unblocking acknowledgement',
  31: 'Facility request',
  32: 'Facility accepted',
  33: 'Facility reject',
  36: 'Loop back acknowledgement (national use)',
  40: 'Pass-along (national use)',
  41: 'Circuit group reset acknowledgement',
  42: 'Circuit group query (national use)',
  43: 'Circuit group query response (national use)',
  44: 'Call progress',
  45: 'User-to-user information',
  46: 'Unequipped CIC (national use)',
  47: 'Confusion',
  48: 'Overload (national use)',
  49: 'Charge information (national use)',
  50: 'Network resource management',
  51: 'Facility',
  52: 'User part test',
  53: 'User part available',
  54: 'Identification request',
  55: 'Identification response',
  56: 'Segmentation',
  64: 'Loop prevention',
  65: 'Application transport',
  66: 'Pre-release information',
  67: 'Subsequent Directory Number (national use)',
};

const F = fields({
  isup: { name: 'isup', label: 'ISDN User Part', type: 'protocol', clause: 'ITU-T Q.763 §1' },
  type: { name: 'isup.message_type', label: 'Message Type', type: 'u8', values: TYPES, clause: 'ITU-T Q.763 §1.3' },
  parameters: { name: 'isup.parameter_value', label: 'Parameters', type: 'bytes' },
});

export const isup = defineDissector({
  proto: 'isup',
  title: 'ISDN User Part',
  short: 'ISUP',
  spec: 'ITU-T Q.763',
  fields: F,
  on: { media_type: ['application/isup'] },

  dissect(v, t) {
    need(v, 1);
    const { buf, off } = v;
    t.open(F.isup, off, v.length);
    t.num(F.type, off, 1, u8(buf, off));
    if (v.length > 1) t.bytes(F.parameters, off + 1, v.length - 1);
    t.pop();
  },
});
