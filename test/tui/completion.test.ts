import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { complete, type FilterNames } from '../../src/tui/completion.js';
import { storyOf } from '../../src/viewer/story.js';
import { reportOfCapture } from './story.js';
import { sample } from './support/stage.js';

const field = (name: string, type = 'u16') => ({ name, label: `what ${name} is`, type });
const names: FilterNames = {
  fields: [
    field('ip.addr', 'ipv4'),
    field('ip.src', 'ipv4'),
    field('sip.Call-ID', 'string'),
    field('sip.Method', 'string'),
    field('sip.Status-Code'),
    field('tcp.port'),
    field('udp.port'),
  ],
  protocols: [field('dhcp', 'protocol'), field('ip', 'protocol'), field('sip', 'protocol'), field('tcp', 'protocol')],
};
const seen = new Map([
  ['', new Map(Object.entries({ sip: 14, ip: 200 }))],
  ['sip.Method', new Map(Object.entries({ INVITE: 2, REGISTER: 5, BYE: 1 }))],
  ['sip.Status-Code', new Map(Object.entries({ '200': 4, '503': 1 }))],
  ['sip.Call-ID', new Map([['a"b\\c@10.0.0.2', 3]])],
]);
const at = (text: string, caret = text.length) =>
  complete(text, caret, names, seen, [{ name: 'trouble', filter: 'x' }]);
const texts = (text: string, caret?: number): string[] => at(text, caret).proposals.map((p) => p.text);

describe('completion of filters', () => {
  test('a field by its beginning, and by the beginning of its last word', () => {
    assert.equal(texts('sip.Meth')[0], 'sip.Method');
    assert.equal(texts('Meth')[0], 'sip.Method');
    assert.equal(texts('sip.meth')[0], 'sip.Method');
    assert.deepEqual(at('sip.Meth'), { ...at('sip.Meth'), from: 0, to: 8 });
  });

  test('layers that the capture has come first', () => {
    assert.deepEqual(texts('').slice(0, 2), ['ip', 'sip']);
    assert.equal(texts('por')[0], 'tcp.port');
  });

  test('inner and outer stay before the name', () => {
    assert.equal(texts('inner.ip.s')[0], 'inner.ip.src');
    assert.equal(texts('not outer.ip.ad')[0], 'outer.ip.addr');
  });

  test('operators behind a field, and then joins', () => {
    assert.deepEqual(texts('sip.Method ').slice(0, 3), ['==', '!=', 'contains']);
    assert.deepEqual(texts('sip.Method == "INVITE" '), ['and', 'or']);
    assert.deepEqual(texts('sip.Method == "INVITE" an'), ['and']);
  });

  test('values that were seen, the most frequent first, quoted where they are text', () => {
    assert.deepEqual(texts('sip.Method == '), ['"REGISTER"', '"INVITE"', '"BYE"']);
    assert.deepEqual(texts('sip.Status-Code == 5'), ['503']);
    assert.deepEqual(texts('sip.Method in {"BYE", '), ['"REGISTER"', '"INVITE"', '"BYE"']);
    assert.deepEqual(texts('inner.sip.Method == "IN'), ['"INVITE"']);
    assert.deepEqual(texts('sip.Call-ID == "a'), ['"a\\"b\\\\c@10.0.0.2"']);
  });

  test('replaces the word around the caret, quotes included', () => {
    const c = at('sip.Method == "IN" and tcp', 17);
    assert.deepEqual([c.from, c.to], [14, 18]);
    const d = at('sip.Meth && tcp', 6);
    assert.deepEqual([d.from, d.to], [0, 8]);
  });

  test('saved filters behind a dollar sign', () => {
    assert.deepEqual(texts('$'), [`$\{trouble}`]);
  });

  test('nothing where nothing fits', () => {
    assert.deepEqual(texts('zzz'), []);
    assert.deepEqual(texts('tcp.port == '), []);
    assert.deepEqual(texts('12'), []);
  });
});

test('values come from the report of a capture', async () => {
  const values = storyOf(await reportOfCapture(sample('28-overloaded.pcapng'))).seen;
  // One INVITE and its ACK, two REGISTER to get in and one to leave: what the UE did.
  assert.equal(values.get('sip.Method')?.get('INVITE'), 1);
  assert.equal(values.get('sip.Method')?.get('REGISTER'), 3);
  assert.equal(values.get('sip.Status-Code')?.get('503'), 1);
  // That of INVITE, 100, 503 and ACK, and that of the registration.
  assert.equal(values.get('sip.Call-ID')?.size, 2);
  assert.ok([...values.get('sip.Call-ID')!.values()].includes(4));
  assert.equal(values.get('finding.code')?.get('call.overload'), 1);
  assert.ok((values.get('')?.get('sip') ?? 0) >= 10);
});
