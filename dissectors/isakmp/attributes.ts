import { type Field, fields, Malformed, need, type Tree, u16, u32, u64, type View } from 'fttscope/kit';
import { CIPHERS_1, GROUPS, HASHES_1, HMACS_1, LIFE_TYPES, METHODS_1, MODES } from './values.js';

/*
 * Attributes of a transform, alike in both versions (RFC 2408 §3.3, RFC 7296 §3.3.5):
 *
 *     +-+-------------+---------------+---------------+---------------+
 *     |F|        Attribute Type       |  F = 1: value, F = 0: length  |  and with F = 0 the value
 */

const IKE = fields({
  attr: { name: 'isakmp.ike.attr', label: 'IKE Attribute', type: 'none' },
  format: { name: 'isakmp.ike.attr.format', label: 'Format', type: 'bool', mask: 0x8000 },
  type: { name: 'isakmp.ike.attr.type', label: 'Type', type: 'u16' },
  length: { name: 'isakmp.ike.attr.length', label: 'Length', type: 'u16' },
  value: { name: 'isakmp.ike.attr.value', label: 'Value', type: 'bytes' },
  encryption: {
    name: 'isakmp.ike.attr.encryption_algorithm',
    label: 'Encryption Algorithm',
    type: 'u16',
    values: CIPHERS_1,
  },
  hash: { name: 'isakmp.ike.attr.hash_algorithm', label: 'HASH Algorithm', type: 'u16', values: HASHES_1 },
  authentication: {
    name: 'isakmp.ike.attr.authentication_method',
    label: 'Authentication Method',
    type: 'u16',
    values: METHODS_1,
  },
  group: { name: 'isakmp.ike.attr.group_description', label: 'Group Description', type: 'u16', values: GROUPS },
  groupType: { name: 'isakmp.ike.attr.group_type', label: 'Group Type', type: 'u16' },
  lifeType: { name: 'isakmp.ike.attr.life_type', label: 'Life Type', type: 'u16', values: LIFE_TYPES },
  life: { name: 'isakmp.ike.attr.life_duration', label: 'Life Duration', type: 'u32' },
  life64: { name: 'isakmp.ike.attr.life_duration64', label: 'Life Duration', type: 'u64' },
  lifeOctets: { name: 'isakmp.ike.attr.life_duration_bytes', label: 'Life Duration', type: 'bytes' },
  keyLength: { name: 'isakmp.ike.attr.key_length', label: 'Key Length', type: 'u16' },
});
const IPSEC = fields({
  attr: { name: 'isakmp.ipsec.attr', label: 'IPsec Attribute', type: 'none' },
  format: { name: 'isakmp.ipsec.attr.format', label: 'Format', type: 'bool', mask: 0x8000 },
  type: { name: 'isakmp.ipsec.attr.type', label: 'Type', type: 'u16' },
  length: { name: 'isakmp.ipsec.attr.length', label: 'Length', type: 'u16' },
  value: { name: 'isakmp.ipsec.attr.value', label: 'Value', type: 'bytes' },
  lifeType: { name: 'isakmp.ipsec.attr.life_type', label: 'Life Type', type: 'u16', values: LIFE_TYPES },
  life: { name: 'isakmp.ipsec.attr.life_duration', label: 'Life Duration', type: 'u32' },
  life64: { name: 'isakmp.ipsec.attr.life_duration64', label: 'Life Duration', type: 'u64' },
  lifeOctets: { name: 'isakmp.ipsec.attr.life_duration_bytes', label: 'Life Duration', type: 'bytes' },
  group: { name: 'isakmp.ipsec.attr.group_description', label: 'Group Description', type: 'u16', values: GROUPS },
  mode: { name: 'isakmp.ipsec.attr.encap_mode', label: 'Encapsulation Mode', type: 'u16', values: MODES },
  authentication: {
    name: 'isakmp.ipsec.attr.auth_algorithm',
    label: 'Authentication Algorithm',
    type: 'u16',
    values: HMACS_1,
  },
  keyLength: { name: 'isakmp.ipsec.attr.key_length', label: 'Key Length', type: 'u16' },
  extended: { name: 'isakmp.ipsec.attr.ext_seq_nbr', label: 'Extended (64-bit) Sequence Number', type: 'u16' },
});
const IKE2 = fields({
  attr: { name: 'isakmp.ike2.attr', label: 'Transform Attribute', type: 'none' },
  format: { name: 'isakmp.ike2.attr.format', label: 'Format', type: 'bool', mask: 0x8000 },
  type: { name: 'isakmp.ike2.attr.type', label: 'Type', type: 'u16' },
  length: { name: 'isakmp.ike2.attr.length', label: 'Length', type: 'u16' },
  value: { name: 'isakmp.ike2.attr.value', label: 'Value', type: 'bytes' },
  keyLength: { name: 'isakmp.ike2.attr.key_length', label: 'Key Length', type: 'u16' },
});

/** A set of attributes: what all of them have, and by type what the value of one is. */
interface Attributes {
  readonly common: Pick<typeof IKE2, 'attr' | 'format' | 'type' | 'length' | 'value'>;
  readonly numbers: Readonly<Record<number, Field>>;
  /** Type of a lifetime, which is as long as it is sent, and its fields. */
  readonly lifetime?: { readonly type: number; readonly of: Pick<typeof IKE, 'life' | 'life64' | 'lifeOctets'> };
}

const KINDS: Readonly<Record<'ike' | 'ipsec' | 'ike2', Attributes>> = {
  // RFC 2409 appendix A
  ike: {
    common: IKE,
    numbers: {
      1: IKE.encryption,
      2: IKE.hash,
      3: IKE.authentication,
      4: IKE.group,
      5: IKE.groupType,
      11: IKE.lifeType,
      14: IKE.keyLength,
    },
    lifetime: { type: 12, of: IKE },
  },
  // RFC 2407 §4.5
  ipsec: {
    common: IPSEC,
    numbers: {
      1: IPSEC.lifeType,
      3: IPSEC.group,
      4: IPSEC.mode,
      5: IPSEC.authentication,
      6: IPSEC.keyLength,
      11: IPSEC.extended,
    },
    lifetime: { type: 2, of: IPSEC },
  },
  // RFC 7296 §3.3.5
  ike2: { common: IKE2, numbers: { 14: IKE2.keyLength } },
};

/** Fields of all attributes, each under a name of its own. */
export const attributeFields: Readonly<Record<string, Field>> = Object.fromEntries(
  [IKE, IPSEC, IKE2].flatMap((set) => Object.values<Field>(set).map((f) => [f.name, f])),
);

/** Shows the attribute at `at`; returns the offset behind it. */
export function attribute(t: Tree, v: View, at: number, kind: keyof typeof KINDS): number {
  const { common, numbers, lifetime } = KINDS[kind];
  const { buf } = v;
  need(v, 4, at);
  const word = u16(buf, at);
  const short = (word & 0x8000) !== 0;
  const type = word & 0x7fff;
  const n = short ? 2 : u16(buf, at + 2);
  const value = short ? at + 2 : at + 4;
  t.none(common.attr, at, value + n - at);
  t.push();
  t.bits(common.format, at, 2, word);
  t.num(common.type, at, 2, type);
  if (!short) t.num(common.length, at + 2, 2, n);
  if (value + n > v.wireEnd) throw new Malformed('an attribute is longer than its transform');
  if (n > 0) {
    need(v, n, value);
    t.bytes(common.value, value, n);
    const number = numbers[type];
    if (number !== undefined && n === 2) t.num(number, value, n, u16(buf, value));
    else if (type === lifetime?.type) duration(t, buf, value, n, lifetime.of);
  }
  t.pop();
  return value + n;
}

function duration(
  t: Tree,
  b: Uint8Array,
  at: number,
  n: number,
  f: Pick<typeof IKE, 'life' | 'life64' | 'lifeOctets'>,
) {
  if (n === 2) t.num(f.life, at, n, u16(b, at));
  else if (n === 4) t.num(f.life, at, n, u32(b, at));
  else if (n === 8) t.big(f.life64, at, n, u64(b, at));
  else t.bytes(f.lifeOctets, at, n);
}
