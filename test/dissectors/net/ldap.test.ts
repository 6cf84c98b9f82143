import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, tcp } from '../../build/packets.js';
import { besideTshark } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

/* Proofs and protection of users of LDAP, and the values of controls, as tshark 4.0.17 has them. */

const CLIENT = at('192.0.2.1', 40_000);
const SERVER = at('192.0.2.2', 389);
const NONE = new Uint8Array(0);
const text = (s: string): string => Buffer.from(s, 'latin1').toString('hex');

/** BER of ITU-T X.690 §8.1: a tag, and parts of less than 128 octets in all. */
const ber = (tag: string, ...parts: readonly string[]): string => {
  const body = parts.join('').replaceAll(' ', '');
  return `${tag}${(body.length / 2).toString(16).padStart(2, '0')}${body}`;
};

const message = (id: number, ...parts: readonly string[]): string =>
  ber('30', `0201${id.toString(16).padStart(2, '0')}`, ...parts);
const bind = (id: number, mechanism: string, credentials: string): string =>
  message(id, ber('60', '020103', '0400', ber('a3', ber('04', text(mechanism)), ber('04', credentials))));
const bound = (id: number, credentials: string): string =>
  message(id, ber('61', '0a010e', '0400', '0400', ber('87', credentials)));
const buffer = (token: string): string => {
  const n = octets(token).length;
  return `${n.toString(16).padStart(8, '0')}${token}`;
};

/** Stacks of messages, of which those that begin with `<` are the server's, above TCP. */
function stacksOf(...messages: readonly string[]): Promise<string[]> {
  const packets = [
    tcp(CLIENT, SERVER, { seq: 99, flags: 2 }, NONE),
    tcp(SERVER, CLIENT, { seq: 499, ack: 100, flags: 18 }, NONE),
  ];
  let [seq, ack] = [100, 500];
  for (const m of messages) {
    const answers = m.startsWith('<');
    const payload = octets(answers ? m.slice(1) : m);
    packets.push(
      answers ? tcp(SERVER, CLIENT, { seq: ack, ack: seq }, payload) : tcp(CLIENT, SERVER, { seq, ack }, payload),
    );
    if (answers) ack += payload.length;
    else seq += payload.length;
  }
  return besideTshark(packets, ['tcp.reassembled.length', 'data.len']).then((all) => all.slice(2));
}

const KRB5 = '06092a864886f712010202';
const krb5 = ber('60', KRB5, '0100', '6e03020105');
const init = ber(
  '60',
  '06062b0601050502',
  ber('a0', ber('30', ber('a0', ber('30', KRB5)), ber('a2', ber('04', krb5)))),
);
const last = ber('a1', ber('30', ber('a0', '0a0100'), ber('a1', KRB5), ber('a2', ber('04', krb5))));
const ntlm = `${text('NTLMSSP\0')} 01000000 00000000 ${'00'.repeat(16)}`;
const search = (id: number, ...controls: readonly string[]): string =>
  message(id, ber('63', '0400 0a0100 0a0100 020100 020100 010100', '870b6f626a656374436c617373 3000'), ...controls);
const control = (oid: string, ...value: readonly string[]): string =>
  ber('a0', ber('30', ber('04', text(oid)), ...value));
const PAGED = ber('04', ber('30', '020164 0400'));

test('Kerberos in SPNEGO, then signed and sealed messages', { skip: tsharkMissing }, async () => {
  const signed = `0504 04 ff 000c 000c 0000000000000001 ${'a5'.repeat(12)}`; // RFC 4121 §4.2.6.2
  const sealed = `0504 06 ff 0000 001c 0000000000000001 ${'c3'.repeat(80)}`;
  assert.deepEqual(
    await stacksOf(
      bind(1, 'GSS-SPNEGO', init),
      `<${bound(1, last)}`,
      buffer(`${signed}${search(2)}`),
      buffer(`${signed}${search(3, control('1.2.840.113556.1.4.319', PAGED))}`),
      buffer(sealed),
    ),
    [
      'tcp:ldap:gss-api:spnego:spnego-krb5',
      'tcp:ldap:spnego:spnego-krb5',
      'tcp:ldap:gss-api:spnego-krb5',
      'tcp:ldap:gss-api:spnego-krb5:ldap',
      'tcp:ldap:gss-api:spnego-krb5',
    ],
  );
});

test('NTLM, and mechanisms that are not GSS-API', { skip: tsharkMissing }, async () => {
  assert.deepEqual(
    await stacksOf(
      bind(1, 'GSS-SPNEGO', ntlm),
      `<${bound(1, ntlm)}`,
      bind(2, 'SRP', '0000000f00'),
      bind(3, 'SCRAM-SHA-512', text('n,,n=a')),
    ),
    ['tcp:ldap:gss-api:ntlmssp', 'tcp:ldap:ntlmssp', 'tcp:ldap', 'tcp:ldap:gss-api'],
  );
});

test('controls, where their values are read', { skip: tsharkMissing }, async () => {
  assert.deepEqual(
    await stacksOf(
      search(1, control('1.2.840.113556.1.4.319', '0101ff', PAGED)),
      search(2, control('1.2.840.113556.1.4.1339')),
      search(3, control('1.2.840.113556.1.4.801', PAGED)),
    ),
    ['tcp:ldap:ldap', 'tcp:ldap', 'tcp:ldap'],
  );
});
