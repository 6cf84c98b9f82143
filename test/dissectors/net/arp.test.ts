import assert from 'node:assert/strict';
import { test } from 'node:test';
import { besideTshark, ETHERNET } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { octets } from '../rtp/world.js';

const [A, B, C] = ['020000000001', '020000000002', '020000000003'];
const [ONE, TWO, NONE] = ['c0000201', 'c0000202', '00000000'];
const ALL = 'ffffffffffff';
const ZERO = '000000000000';

/** ARP for IPv4 in Ethernet: opcode, sender and target. RFC 826 */
const arp = (opcode: number, mac: string, ip: string, toMac: string, toIp: string): Uint8Array =>
  octets(`${ALL}${mac}0806 0001080006040 00${opcode} ${mac}${ip}${toMac}${toIp}`.replace(/ /g, ''));

test('an address that a second station uses is told, as tshark tells it', { skip: tsharkMissing }, async () => {
  const packets = [
    arp(1, A!, ONE!, ZERO, TWO!),
    arp(1, A!, ONE!, ZERO, TWO!),
    arp(2, B!, TWO!, A!, ONE!),
    arp(1, C!, ONE!, ZERO, TWO!), // A had it
    arp(2, B!, TWO!, C!, ONE!), // by its target
    arp(1, C!, NONE!, ZERO, ONE!), // a probe has no address yet
    arp(1, B!, TWO!, C!, ONE!), // targets of requests mean nothing
    arp(2, ALL, ONE!, A!, ONE!), // nobody has the address of all
    arp(1, A!, ONE!, ZERO, TWO!),
    arp(2, C!, TWO!, C!, ONE!), // both are of others
    arp(2, C!, TWO!, A!, TWO!), // the same address twice
    arp(3, C!, TWO!, C!, ONE!), // RARP
    arp(8, C!, TWO!, C!, ONE!), // InARP
  ];
  const fields = [
    ...['arp.duplicate-address-frame', 'arp.seconds-since-duplicate-address-frame', '_ws.expert.message'],
    ...['arp.src.proto_ipv4', 'arp.isprobe'],
  ];
  const stacks = await besideTshark(packets, fields, ETHERNET);
  assert.deepEqual(new Set(stacks), new Set(['arp']));
});
