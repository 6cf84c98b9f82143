import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compile } from '../../src/filter/index.js';
import { tsharkCounts, tsharkRows } from './pdml.js';

const CAPTURE = join(process.env.FTTSCOPE_CORPUS ?? '../shared/captures', 'tunnel/tls12-gcm.inner.pcap');
const missing = !existsSync(CAPTURE)
  ? 'the reference captures are not here (FTTSCOPE_CORPUS)'
  : spawnSync('tshark', ['-v']).status !== 0
    ? 'tshark is not installed'
    : false;

/** Filters that tshark 4.0 and fttscope both know. */
const FILTERS = String.raw`
  udp.port in {5060..5070}
  udp.port in {5060, 5070..5080}
  udp.port not in {5060}
  udp.port in {udp.srcport}
  all udp.port in {5060}
  ip.addr in {10.0.0.0/8}
  ip.addr in {10.0.0.1 .. 10.9.0.255, 192.168.1.1}
  sip.Method in {"INVITE", BYE}
  sip.Method in {"A".."J"}
  ip.proto in {"UDP", "TCP"}
  sip.Method == INVITE
  sip.Method == invite
  sip.Method > "A"
  sip.Method == "INV\x49TE"
  sip.Method == "\111NVITE"
  sip.Method contains r"INV"
  sip.Method[0:3] == "INV"
  sip.Method[0:3] == 49:4e:56
  sip contains "INVITE"
  sip and not sip.Method == "INVITE" or dns
  dns.qry.name contains ims
  dns.qry.name matches "IMS"
  dns.qry.name matches "(?-i)IMS"
  dns.qry.name ~ "^pcscf\\."
  dns.qry.name ~ r"^pcscf\."
  dns.qry.name == "ims.example" && dns.flags.response
  upper(dns.qry.name) == "IMS.EXAMPLE"
  lower(sip.Method) == "invite"
  len(sip.Method) > 3
  len(udp) == 8
  len(udp) > 20
  len(udp.port) == 2
  count(udp.port) == 2
  count(ip) == 1
  count(sip.Method) + 1 == 2
  ip.src > ip.dst
  ip.src == 10.9.0.1
  ip.src != 10.0.0.0/8
  ip.src > 10.0.0.0/8
  ip.src & 255.0.0.0
  udp.payload & 00ff
  udp.payload & 0000ff00 == 00000000
  len(ip.host) > 8
  len(ip.addr) == 4
  ip.src[0:1] == 0a
  ip.src[0] == 10
  ip.host == "10.9.0.1"
  ip.host contains "10.9"
  ipv6.addr == 2001:db8::/32
  ipv6.addr == ::/0
  ipv6.addr[0:2] == 20:01
  ipv6.src == fe80::1
  udp.payload[0:4] == 49:4e:56:49
  udp[0:2] == 13:c4
  udp[0:2] == 13c4
  udp[0:2] == 13.c4
  udp[0:2] == 13-c4
  udp[0] == 0x13
  udp[0] == 19
  udp[8:4] == "INVI"
  udp[0:2] & 10:00
  ip[0:1] == 45
  udp contains 53:49
  udp contains 494e5649
  udp contains "SIP"
  udp.payload contains 0x53
  udp.payload contains 'S'
  udp == 53
  frame[9]
  frame[9] == 6
  frame[0:2] == 45:00
  frame[0-1] == 45:00
  frame[0,1] == 45:00
  frame[-2:] == 45:00
  frame[-4:2]
  frame[1200-1300] contains "a"
  frame contains "INVITE"
  frame matches "INVITE.*SIP"
  frame matches "via:[^\r\n]*branch="
  udp.port == 0x13c4
  udp.port == 011704
  udp.port == 0b1001111000100
  ip.ttl == '@'
  udp.port != 5060
  udp.port !== 5060
  udp.port ~= 5060
  udp.port === 5060
  udp.port any_eq 5060
  udp.port all_ne 5060
  any udp.port == 5060
  all udp.port == 5060
  all udp.port > 1024
  any ip.addr != 10.9.0.1
  not udp.port == 5060
  !udp.port == 5060
  !(ip or ipv6)
  not not ip
  udp.port==5060&&sip
  (udp.port==5060)and(sip)
  udp.port & 1
  udp.port & 1 == 1
  udp.port bitwise_and 1
  ip.flags & 2
  tcp.flags & 0x12 == 0x12
  tcp.flags & {1+1}
  tcp.flags.syn
  tcp.flags.syn == 1
  rtp.marker == 1
  rtp.marker == true
  rtp.marker == 2
  rtp.marker == FALSE
  ip.ttl + 1 == 65
  udp.srcport+1 == 5061
  udp.srcport - udp.dstport == 0
  udp.srcport -1 == 5059
  udp.srcport % 2 == 0
  udp.srcport / 0 == 1
  udp.srcport == {udp.dstport + 0}
  udp.srcport == 2 * {2500 + 30}
  -udp.srcport == -5060
  abs(ip.ttl - 100) == 36
  max(udp.srcport, udp.dstport) == 40000
  min(ip.ttl, 60) == 60
  string(ip.src) matches "^10"
  string(udp.port) == "5060"
  string(udp.port) contains "506"
  frame.time_relative > 1.5
  frame.time_relative + 1 > 3
  abs(frame.time_relative) > 1
  frame.time_relative == 1
  dhcp.option.dhcp == "Offer"
  dhcp.option.dhcp == offer
  dhcp.option.dhcp > "Offer"
  ip.proto == UDP
  udp.checksum.status == "Unverified"
  ip.src#1
  ip.src#2
  ip.src#0
  ip.src#[1,2]
  ip.src#[1:]
  ip.addr#2 == 10.9.0.1
  icmp and udp.port#1
  udp#1
  ip#2
  ip#3
  .ip.src == 10.9.0.1
  udp.srcport != udp.dstport
  udp.port == udp.port
`
  .split('\n')
  .map((l) => l.trim())
  .filter((l) => l !== '');

/** Frames whose upper layers stand in octets that are not the frame's own: only tshark has those octets. */
const REASSEMBLED = 'ipv6.fragments';

test('filters find as many frames as tshark finds', { skip: missing }, () => {
  const whole = (f: string) => `(${f}) and !${REASSEMBLED}`;
  const expected = tsharkCounts(CAPTURE, FILTERS.map(whole));
  const { rows, catalogue } = tsharkRows(CAPTURE);
  const reassembled = compile(REASSEMBLED, catalogue);
  const own = rows.filter((r) => !reassembled.matches(r));
  const ours = FILTERS.map((f) => {
    const filter = compile(f, catalogue);
    return [f, own.filter((r) => filter.matches(r)).length];
  });
  assert.deepEqual(
    ours,
    FILTERS.map((f) => [f, expected.get(whole(f))]),
  );
});
