import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeRule, judgeRule, ruleBegun, ruleError } from '../../src/tui/decode-as.js';
import type { Catalogue } from '../../src/tui/view.js';
import type { DetailNode } from '../../src/viewer/viewer.js';
import { Stage } from './support/stage.js';

const made = (proto: string, title: string) => ({ proto, title });
const sip = made('sip', 'Session Initiation Protocol');
const rtp = made('rtp', 'Real-Time Transport Protocol');
const ssh = made('ssh', 'SSH Protocol');
const all = [ssh, rtp, sip];

/** Three protocols: SIP known by ports, RTP announced by others, SSH over TCP alone. */
const tables = {
  *entries() {
    yield ['tcp.port', new Map([[22, ssh]])];
    yield ['media_type', new Map([['message/sip', sip]])];
    yield ['udp.port', new Map([[5060, sip]])];
    yield ['rtp.rfc5761', new Map([['rtp', rtp]])];
  },
  protocols: () => all.map((d) => d.proto),
  byProto: (name: string) => all.find((d) => d.proto === name),
} as unknown as Catalogue;

const offered = (typed: string): string[] | undefined => completeRule(tables, typed)?.words.map((w) => w.text);

test('Tab offers tables of numbers, then protocols, the likely ones first', () => {
  assert.deepEqual(offered(''), ['udp.port==', 'tcp.port==']);
  assert.deepEqual(offered('tc'), ['tcp.port==']);
  assert.equal(offered('udp.port==50'), undefined);
  assert.deepEqual(offered('udp.port==5070,'), ['sip', 'rtp', 'ssh']);
  const often = completeRule(tables, 'udp.port==5070,', new Map(Object.entries({ ssh: 9, sip: 2, rtp: 3 })));
  assert.deepEqual(
    often?.words.map((w) => w.text),
    ['rtp', 'sip', 'ssh'],
  );
  assert.deepEqual(offered('tcp.port==5070, s'), ['sip', 'ssh']);
  assert.equal(completeRule(tables, 'tcp.port==5070, s')?.from, 16);
});

test('what is wrong with a rule is said', () => {
  for (const good of ['udp.port==5070,sip', ' udp.port == 5070-5080 , rtp', 'tcp.port==0x20fb,ssh'])
    assert.equal(ruleError(tables, good), undefined, good);
  assert.match(ruleError(tables, 'nonsense')!, /a rule is like/);
  assert.match(ruleError(tables, 'udp.port==sip,sip')!, /a rule is like/);
  assert.match(ruleError(tables, 'udp.prt==5070,sip')!, /udp\.prt/);
  assert.match(ruleError(tables, 'udp.port==5070,sipp')!, /no protocol sipp/);
  assert.deepEqual(judgeRule(tables, 'udp.port==5070,sip'), {
    text: 'read as Session Initiation Protocol',
    wrong: false,
  });
  assert.equal(judgeRule(tables, 'udp.port==5070').wrong, false, 'there is more to come');
});

test('behind :decode-as Tab completes, and the packets are then of that protocol', async () => {
  const stage = await Stage.of('00-field.pcapng');
  try {
    await stage.press('2 :');
    await stage.type('decode-as udp.p');
    await stage.press('Tab');
    await stage.type('5060,ssd');
    await stage.press('Tab');
    assert.match(stage.text, /: decode-as udp\.port==5060,ssdp\n read as /);
    await stage.press('Enter');
    await stage.until(/12\.1 .* SSDP/);
  } finally {
    await stage.end();
  }
});

test(':decode-as begins with the port of the packet under the cursor, and earlier rules come back', async () => {
  const stage = await Stage.of('00-field.pcapng');
  try {
    await stage.press('2 Down Down Down Down :');
    await stage.type('decode-as');
    await stage.press('Enter');
    assert.match(stage.text, /^ decode as udp\.port==5060,$/m);
    await stage.type('ssdp');
    await stage.press('Enter');
    await stage.until(/12\.1 .* SSDP/);
    await stage.press('o o :');
    await stage.type('decode-as');
    await stage.press('Enter');
    assert.match(stage.text, /^ decode as (?:udp|tcp)\.port==\d+,$/m);
    await stage.press('Up');
    assert.match(stage.text, /^ decode as udp\.port==5060,ssdp$/m);
  } finally {
    await stage.end();
  }
});

test('the port that a rule begins with is the lower one of the innermost layer that has ports', () => {
  const nodes = (...filters: readonly string[]) => ({ nodes: filters.map((filter) => ({ filter }) as DetailNode) });
  const outer = ['tcp.srcport == 40001', 'tcp.dstport == 443'];
  assert.equal(ruleBegun(nodes(...outer, 'udp.srcport == 5070', 'udp.dstport == 5060', 'sip')), 'udp.port==5060,');
  assert.equal(ruleBegun(nodes(...outer)), 'tcp.port==443,');
  assert.equal(ruleBegun(nodes('icmp.type == 8')), '');
});
