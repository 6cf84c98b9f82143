import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CORPUS, corpusMissing } from '../support/corpus.js';
import { run } from './run.js';

const rows = (...args: string[]): string[][] =>
  run(['fields', ...args])
    .out.trimEnd()
    .split('\n')
    .map((l) => l.split('\t'));
const names = (...args: string[]): Set<string> => new Set(rows(...args).map((r) => r[2]));

describe('-G', () => {
  const lines = (report: string) => run(['-G', report]).out.split('\n');

  test('prints what tshark does: fields, protocols, values', () => {
    const fields = lines('fields');
    // As tshark 4.0.17 has them; it adds a description to some.
    for (const line of [
      'P\tSession Initiation Protocol\tsip',
      'F\tMessage type\tdhcp.type\tFT_UINT8\tdhcp\tBASE_DEC\t0x0\t',
      'F\tTransaction ID\tdhcp.id\tFT_UINT32\tdhcp\tBASE_HEX\t0x0\t',
      'F\tClient IP address\tdhcp.ip.client\tFT_IPv4\tdhcp\t\t0x0\t',
    ])
      assert.ok(fields.includes(line), line);
    assert.ok(lines('protocols').includes('Session Initiation Protocol\tSIP\tsip'));
    const values = lines('values');
    for (const line of ['V\tdhcp.type\t1\tBoot Request', 'T\tdhcp.flags.bc\tBroadcast\tUnicast'])
      assert.ok(values.includes(line), line);
    assert.equal(run(['-G']).out, run(['-G', 'fields']).out);
    assert.match(run(['-G', 'plugins']).err, /there is no such report\n {2}those are fields, protocols, values/);
  });
});

describe('fields', () => {
  test('lists protocols, fields, their other names, and columns', () => {
    const all = names();
    for (const name of [
      ...['frame.number', 'ip.src', 'ip.addr', 'tcp.port', 'udp.port', 'sip.Method', 'sip.Status-Code'],
      ...['sdp.media.port', 'dhcp.option.dhcp', 'icmpv6.nd.ra.flag.m', 'dns.qry.name', 'rtp.ssrc', 'fttims.length'],
      ...['_ws.malformed', '_ws.expert.message', '_ws.expert.severity', '_ws.col.Info', 'tunnel.id', 'finding.code'],
      ...['gsm_sms.sms_text', 'gsm_a.rp.msg_type', 'xml.tag'],
    ])
      assert.ok(all.has(name), name);
  });

  test('every row has six columns, or four for a protocol', () => {
    for (const r of rows()) assert.equal(r.length, r[0] === 'P' ? 4 : 6, r.join(' '));
  });

  test('of one protocol alone', () => {
    const udp = rows('udp');
    assert.deepEqual(udp[0].slice(0, 3), ['P', 'User Datagram Protocol', 'udp']);
    assert.ok(udp.slice(1).every((r) => r[4] === 'udp'));
    assert.ok(udp.some((r) => r[2] === 'udp.port'));
  });

  test('of one name alone, and near to one', () => {
    assert.equal(run(['fields', 'sip.Method']).out, 'F\tMethod\tsip.Method\tstring\tsip\t\n');
    assert.deepEqual(
      rows('frame.number').map((r) => r[2]),
      ['frame.number'],
    );
    assert.match(
      run(['fields', 'sip.metod']).err,
      /no protocol and no field sip\.metod\n {2}did you mean sip\.Method\?/,
    );
  });

  test('has every name that the references of the corpus ask for', { skip: corpusMissing('public') }, () => {
    const all = names();
    const asked = readFileSync(join(CORPUS, 'public/TSHARK-FIELDS.txt'), 'utf8').split('\n');
    const ours = /^(eth|ip|ipv6|icmp|icmpv6|udp|tls|http|dhcp|dhcpv6|dns|sip|sdp|mime_multipart|rtp|rtcp|rtpevent)\./;
    const elsewhere = new Set(['ip.reassembled_in', 'ipv6.reassembled.in']); // rows refer to nothing that comes later
    assert.deepEqual(
      asked.filter((n) => ours.test(n) && !all.has(n) && !elsewhere.has(n)),
      [],
    );
  });
});
