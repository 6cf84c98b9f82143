import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { KEY_LABELS, KeyLog } from '../../src/tls/index.js';

const octets = (n: number, fill: number): Uint8Array => new Uint8Array(n).fill(fill);
const random = octets(32, 0xab);
const R = 'ab'.repeat(32);

test('takes all labels of RFC 9850, either hex case, and CR, LF, CRLF', () => {
  const log = new KeyLog();
  const text = [
    '# a comment',
    '',
    `CLIENT_RANDOM ${R} ${'0c'.repeat(48)}`,
    `CLIENT_EARLY_TRAFFIC_SECRET ${R.toUpperCase()} ${'0D'.repeat(32)}`,
    `EARLY_EXPORTER_SECRET ${R} ${'0e'.repeat(32)}`,
    `CLIENT_HANDSHAKE_TRAFFIC_SECRET ${R} ${'11'.repeat(48)}`,
    `SERVER_HANDSHAKE_TRAFFIC_SECRET ${R} ${'12'.repeat(48)}`,
    `CLIENT_TRAFFIC_SECRET_0 ${R} ${'13'.repeat(48)}`,
    `SERVER_TRAFFIC_SECRET_0 ${R} ${'14'.repeat(48)}`,
    `EXPORTER_SECRET ${R} ${'15'.repeat(48)}`,
    `ECH_SECRET ${R} ${'16'.repeat(32)}`,
    `ECH_CONFIG ${R} ${'17'.repeat(71)}`,
    `PMS_CLIENT_RANDOM ${R} ${'18'.repeat(48)}`,
    `RSA ${'19'.repeat(8)} ${'1a'.repeat(48)}`,
    `RSA Session-ID:${'1b'.repeat(32)} Master-Key:${'1c'.repeat(48)}`,
  ];
  for (const end of ['\n', '\r', '\r\n']) {
    const one = new KeyLog();
    assert.equal(one.add(text.join(end), 'option'), KEY_LABELS.length);
    assert.equal(one.bad, 0);
  }
  log.add(`${text.join('\n')}\n`, 'option');
  assert.deepEqual(log.find('CLIENT_RANDOM', random)?.secret.octets, octets(48, 0x0c));
  assert.deepEqual(log.find('CLIENT_EARLY_TRAFFIC_SECRET', random)?.secret.octets, octets(32, 0x0d));
  assert.deepEqual(log.find('SERVER_TRAFFIC_SECRET_0', random)?.secret.octets, octets(48, 0x14));
  assert.deepEqual(log.find('RSA', octets(8, 0x19))?.secret.octets, octets(48, 0x1a));
  assert.deepEqual(log.find('RSA Session-ID', octets(32, 0x1b))?.secret.octets, octets(48, 0x1c));
  assert.equal(log.find('CLIENT_RANDOM', octets(32, 0x1b)), undefined);
});

test('counts bad lines and keeps their numbers and reasons, never their contents', () => {
  const log = new KeyLog();
  const good = `CLIENT_RANDOM ${R} ${'0c'.repeat(48)}`;
  const text = [
    good,
    `CLIENT_RANDOM ${R}`,
    `CLIENT_RANDOM ${R} ${'zz'.repeat(48)}`,
    `CLIENT_RANDOM ${R} ${'5e'.repeat(47)}`,
    `SOMETHING_ELSE ${R} ${'5e'.repeat(48)}`,
    `CLIENT_TRAFFIC_SECRET_0 ${R} ${'5e'.repeat(33)}`,
    `CLIENT_RANDOM ${R.slice(2)} ${'5e'.repeat(48)}`,
    `CLIENT_RANDOM ${R} ${'5e'.repeat(47)}5`,
    '-----BEGIN PRIVATE KEY-----',
  ];
  assert.equal(log.add(text.join('\n'), 'sidecar'), 1);
  assert.equal(log.bad, 8);
  assert.deepEqual(
    log.badLines.map((b) => b.line),
    [2, 3, 4, 5, 6, 7, 8, 9],
  );
  assert.ok(log.badLines.every((b) => b.reason.length > 10 && !b.reason.includes('5e')));
});

test('the first source that has a line serves, whatever the order in which they were added', () => {
  const log = new KeyLog();
  const line = (fill: string): string => `CLIENT_RANDOM ${R} ${fill.repeat(48)}`;
  log.add(line('04'), 'environment');
  assert.equal(log.find('CLIENT_RANDOM', random)?.source, 'environment');
  log.add(line('03'), 'sidecar');
  log.add(line('01'), 'option');
  log.add(line('02'), 'dsb');
  log.add(line('05'), 'option');
  const found = log.find('CLIENT_RANDOM', random);
  assert.equal(found?.source, 'option');
  assert.deepEqual(found?.secret.octets, octets(48, 1));
});

test('tells which lines served', () => {
  const log = new KeyLog();
  const other = 'cd'.repeat(32);
  log.add(
    `SERVER_TRAFFIC_SECRET_0 ${R} ${'01'.repeat(32)}\nEXPORTER_SECRET ${R} ${'02'.repeat(32)}\n` +
      `CLIENT_TRAFFIC_SECRET_0 ${other} ${'03'.repeat(32)}\n`,
    'dsb',
  );
  assert.equal(log.claim(random), true);
  log.find('SERVER_TRAFFIC_SECRET_0', random);
  assert.deepEqual(
    [...log.lines()].map((l) => [l.line, l.label, l.id, l.use]),
    [
      [1, 'SERVER_TRAFFIC_SECRET_0', R, 'served'],
      [2, 'EXPORTER_SECRET', R, 'session-seen'],
      [3, 'CLIENT_TRAFFIC_SECRET_0', other, 'unused'],
    ],
  );
  assert.equal(log.orphans('SERVER_TRAFFIC_SECRET_0', 10).length, 0);
  assert.equal(log.orphans('CLIENT_TRAFFIC_SECRET_0', 10).length, 1);
});

test('secrets do not show when printed or made JSON of', () => {
  const log = new KeyLog();
  log.add(`CLIENT_RANDOM ${R} ${'5e'.repeat(48)}`, 'option');
  const found = log.find('CLIENT_RANDOM', random)!;
  for (const thing of [log, found, [...log.lines()]]) {
    const shown = `${inspect(thing, { depth: 9, showHidden: true })} ${JSON.stringify(thing)} ${String(thing)}`;
    assert.ok(!/5e,? ?5e|94, ?94|\^\^/.test(shown), shown);
  }
});

test('says when there is something new in it', () => {
  const log = new KeyLog();
  const lines = [
    `CLIENT_RANDOM ${R} ${'0c'.repeat(48)}`,
    '# nothing',
    'nonsense',
    `RSA ${'19'.repeat(8)} ${'1a'.repeat(48)}`,
  ];
  const revisions = lines.map((line) => {
    log.add(line, 'option');
    return log.revision;
  });
  assert.deepEqual(revisions, [1, 1, 1, 2]);
});
