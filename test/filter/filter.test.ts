import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compile, type FieldCatalogue, FilterError, type RowView } from '../../src/filter/index.js';
import { type Field, fields, Tree } from '../../src/kit/index.js';
import { LIMITS } from '../../src/limits.js';

const OFFER = { 1: 'Discover', 2: 'Offer', 5: 'ACK' };
const F = fields({
  ip: { name: 'ip', label: 'IPv4', type: 'protocol' },
  src: { name: 'ip.src', label: 'Source', type: 'ipv4', aliases: ['ip.addr', 'ip.host'] },
  dst: { name: 'ip.dst', label: 'Destination', type: 'ipv4', aliases: ['ip.addr', 'ip.host'] },
  fttims: { name: 'fttims', label: 'Envelope', type: 'protocol' },
  udp: { name: 'udp', label: 'UDP', type: 'protocol' },
  port: { name: 'udp.port', label: 'Port', type: 'u16' },
  sip: { name: 'sip', label: 'SIP', type: 'protocol' },
  method: { name: 'sip.Method', label: 'Method', type: 'string' },
  agent: { name: 'sip.User-Agent', label: 'User-Agent', type: 'string' },
  marker: { name: 'rtp.marker', label: 'Marker', type: 'bool' },
  message: { name: 'dhcp.option.dhcp', label: 'Message', type: 'u8', values: OFFER },
  grade: { name: 'x.grade', label: 'Grade', type: 'u16', values: (n) => (n > 9 && n < 100 ? 'low' : undefined) },
  big: { name: 'x.big', label: 'Big', type: 'u64' },
  time: { name: 'frame.time', label: 'Time', type: 'time' },
  epoch: { name: 'frame.time_epoch', label: 'Epoch', type: 'time' },
  since: { name: 'frame.time_relative', label: 'Since', type: 'duration' },
  uptime: { name: 'x.uptime', label: 'Uptime', type: 'duration' },
  signed: { name: 'x.signed', label: 'Signed', type: 'i8' },
  ratio: { name: 'x.ratio', label: 'Ratio', type: 'float' },
  six: { name: 'ipv6.src', label: 'Source', type: 'ipv6' },
  mac: { name: 'eth.src', label: 'Source', type: 'ether' },
  flag: { name: 'x.flag', label: 'Flag', type: 'none' },
});

const ALL: readonly Field[] = Object.values(F);
const catalogue: FieldCatalogue = {
  byName: (name) => ALL.filter((f) => f.name === name || f.aliases?.includes(name)),
  names: () => ALL.map((f) => f.name),
  protocols: () => ['ip', 'fttims', 'udp', 'sip'],
};

/** 20 octets of an outer address pair, then an envelope with an inner packet. */
const OCTETS = Uint8Array.from([
  192,
  0,
  2,
  1,
  192,
  0,
  2,
  2,
  10,
  0,
  0,
  7,
  10,
  0,
  0,
  8,
  ...Buffer.from('INVITE sip:a@b'),
]);

function sample(): RowView {
  const t = new Tree();
  t.enter({ name: 'Frame', buf: OCTETS, start: 0, end: OCTETS.length });
  t.time(F.time, 0, 0, 1_700_000_005, 123_456_789);
  t.time(F.epoch, 0, 0, 1_700_000_005, 123_456_789);
  t.time(F.since, 0, 0, 1, 500_000_000);
  t.open(F.ip, 0, 8);
  t.bytes(F.src, 0, 4);
  t.bytes(F.dst, 4, 4);
  t.pop();
  t.open(F.fttims, 8, 0);
  t.pop();
  t.open(F.ip, 8, 8);
  t.bytes(F.src, 8, 4);
  t.bytes(F.dst, 12, 4);
  t.pop();
  t.open(F.udp, 8, 4);
  t.num(F.port, 8, 2, 5060);
  t.num(F.port, 10, 2, 6000);
  t.pop();
  t.layerEnd = OCTETS.length;
  t.open(F.sip, 16, 6);
  t.text(F.method, 16, 6);
  t.text(F.agent, 0, 0, 'Grün/1.0');
  t.num(F.marker, 0, 1, 0);
  t.num(F.message, 0, 1, 2);
  t.num(F.grade, 0, 2, 50);
  t.big(F.big, 0, 8, 2n ** 63n + 1n);
  t.num(F.uptime, 0, 4, 90);
  t.num(F.signed, 0, 1, -5);
  t.num(F.ratio, 0, 8, 0.25);
  t.bytes(F.six, 0, 16, Uint8Array.from([0x20, 1, 0xd, 0xb8, ...new Uint8Array(11), 1]));
  t.bytes(F.mac, 0, 6, Uint8Array.of(0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f));
  t.none(F.flag, 0, 0);
  t.pop();
  return { tree: t, nodeless: [] };
}

const row = sample();
const matches = (text: string): boolean => compile(text, catalogue).matches(row);

function holds(...texts: string[]): void {
  for (const text of texts) assert.equal(matches(text), true, text);
}
function fails(...texts: string[]): void {
  for (const text of texts) assert.equal(matches(text), false, text);
}
function refuses(text: string, message: RegExp | string, position: number, length: number, suggestion?: RegExp): void {
  try {
    compile(text, catalogue);
  } catch (e) {
    assert.ok(e instanceof FilterError, String(e));
    if (typeof message === 'string') assert.equal(e.message, message, text);
    else assert.match(e.message, message, text);
    assert.deepEqual([e.position, e.length], [position, length], text);
    if (suggestion) assert.match(e.suggestion ?? '', suggestion, text);
    return;
  }
  assert.fail(`${text} was accepted`);
}

test('an empty filter matches everything', () => {
  holds('', '   ');
});

test('layers and fields are there or not', () => {
  holds('ip', 'sip.Method', 'x.flag', 'rtp.marker', 'not x.flag or ip');
  fails('!ip', 'not sip.Method', 'ip#3');
});

test('the envelope parts the inner world from the outer', () => {
  holds('outer.ip.src == 192.0.2.1', 'inner.ip.src == 10.0.0.7', 'inner.ip', 'outer.ip', 'inner.sip.Method');
  holds('inner.ip.src#1 == 10.0.0.7', 'ip.src#2 == 10.0.0.7', 'ip.src#[1-2] == 10.0.0.7', 'ip.src#[-1] == 10.0.0.7');
  fails(
    'outer.ip.src == 10.0.0.7',
    'inner.ip.src == 192.0.2.1',
    'outer.sip.Method',
    'inner.ip.src#2',
    'ip.src#1 == 10.0.0.7',
  );
});

test('fields of what has no layer of its own are of the first', () => {
  holds('x.grade#1 == 50', 'x.grade#[-1]', 'inner.x.grade#1');
  fails('x.grade#2');
});

test('former names of protocols are those that they have now', () => {
  const tls = fields({ tls: { name: 'tls', label: 'TLS', type: 'protocol' } }).tls;
  const names = { ...catalogue, byName: (name: string) => (name === 'tls' ? [tls] : catalogue.byName(name)) };
  assert.equal(compile('not ssl', names).matches(row), true);
  refuses('sslx', '"sslx" is neither a field nor a protocol name.', 0, 4);
});

test('what is wrong comes with what may be meant', () => {
  refuses('udp.port in {1 2}', '"2" was unexpected in this context.', 15, 1, /^A set is written \{80, 443\}/);
  refuses('udp.port in (1)', '"(" was unexpected in this context.', 12, 1, /^A set is written/);
  refuses('udp.port in {1', 'Unexpected end of filter expression.', 14, 0, /^A set is written/);
  refuses('udp.port == 1,2', '"," was unexpected in this context.', 13, 1, /in \{80, 443\}/);
  refuses('ip.src == 10.0.0.*', 'Unexpected end of filter expression.', 18, 0, /10\.0\.0\.0\/24/);
  refuses('ip | sip', '"|" was unexpected in this context.', 3, 1, /\|\|/);
  refuses('ip & sip', 'Layers have no bits that are set or not.', 0, 8, /&&/);
  refuses('NOT sip', '"sip" was unexpected in this context.', 4, 3, /^Did you mean not\?$/);
  refuses('frame.time_relative > 1ms', '"1ms" is not a valid time.', 22, 3, /seconds/);
  refuses("sip.Method == 'INVITE'", /too long to be a valid character constant/, 14, 8, /: "INVITE"$/);
  refuses('INVITE', /neither a field/, 0, 6, /^To look for text: frame contains "INVITE"/);
  refuses('"INVITE"', /neither a field/, 0, 8, /^To look for text: frame contains "INVITE"/);
  refuses('sip.meth', /neither a field/, 0, 8, /^Did you mean sip\.Method\?$/);
  refuses('frame == 1', /neither a field/, 0, 5, /^Did you mean frame\.time or frame\.time_epoch/);
});

test('part of a MAC address is looked for in its octets', () => {
  holds('eth.src contains 0c:0d', 'eth.src contains 0f');
  fails('eth.src contains 0d:0c');
});

test('a name that several fields share matches any of them', () => {
  holds('ip.addr == 10.0.0.8', 'ip.addr == 192.0.2.0/24', 'all ip.addr != 1.2.3.4', 'count(ip.addr) == 4');
  holds(
    'ip.host == "10.0.0.8"',
    'ip.host contains "0.0.8"',
    'ip.host matches r"\\.8$"',
    'ip.addr in {10.0.0.0/30, 10.0.0.8}',
  );
  fails('ip.addr != 10.0.0.8', 'ip.addr === 10.0.0.8');
  holds('ip.addr !== 10.0.0.8', 'ip.addr ~= 10.0.0.8', 'any ip.addr != 10.0.0.8', '!(ip.addr == 1.1.1.1)');
});

test('exclusive or binds between and and or', () => {
  holds('ip xor x.big == 0', 'ip ^^ !ip', 'ip xor ip and !ip', 'ip or ip xor ip');
  fails('ip xor ip', 'sip ^^ udp');
});

test('comparisons chain', () => {
  holds('x.signed < x.ratio < udp.port');
  fails('x.signed < x.ratio < x.signed');
});

test('numbers are read as Wireshark reads them', () => {
  holds('udp.port == 5060', 'udp.port == 0x13c4', 'udp.port == 011704', "x.signed + 101 == '`'", 'x.signed == -5');
  holds('x.big == 9223372036854775809', 'x.big > 9223372036854775808', 'x.big & 1', 'x.big - 1 == 9223372036854775808');
  holds(
    'x.ratio == .25',
    'x.ratio * 4 == 1',
    'x.ratio < 1e-0',
    'udp.port / 7 == 722',
    'x.ratio / 2 == 0.125',
    'x.signed / x.ratio == -20',
    '1 / {x.ratio * 6} < 0.7',
    '-x.signed == 5',
    'abs(x.signed) == 5',
  );
  refuses('udp.port == 99999', '"99999" too big for this field, maximum 65535.', 12, 5);
  refuses('udp.port == -1', '"-1" too small for this field, minimum 0.', 12, 2);
  refuses('x.signed == 128', '"128" too big for this field, maximum 127.', 12, 3);
  refuses('udp.port == "80"', 'Unsigned integer (2 bytes) cannot be converted from a string ("80").', 12, 4, /80$/);
});

test('values answer to their names', () => {
  holds('dhcp.option.dhcp == "Offer"', 'dhcp.option.dhcp == offer', 'dhcp.option.dhcp in {Discover, Offer}');
  holds('dhcp.option.dhcp contains "ffe"', 'dhcp.option.dhcp matches "^off"', 'vals(dhcp.option.dhcp) == "Offer"');
  holds('dhcp.option.dhcp > "Discover"', 'x.grade == low', 'x.grade in {"low"}');
  fails('x.grade != low', 'dhcp.option.dhcp == ack');
  refuses('x.grade > low', /Several values/, 10, 3);
  refuses('dhcp.option.dhcp == Off', /^"Off" cannot be found among the possible values/, 20, 3, /"Offer"/);
});

test('what a time is, how it is written, and what it is added to', () => {
  holds('string(frame.time) == "2023-11-14T22:13:25.123456789Z"', 'string(frame.time_relative) == "1.500000000"');
  holds('frame.time > "Jan 31, 2023 00:00:00 UTC"', 'frame.time > 2023-01-05', 'frame.time < "2024-01-01 00:00:00Z"');
  holds('frame.time + 0.5 > "2023-11-14 22:13:25.6Z"', 'frame.time - frame.time_relative < "2023-11-14 22:13:23.7Z"');
  refuses('frame.time_relative == s', '"s" is not a valid time.', 23, 1);
  refuses('frame.time + frame.time > 1', /cannot be combined by "\+"/, 13, 10);
});

test('a number may stand before the field that it is combined with', () => {
  holds('udp.port == {5055 - x.signed}', 'x.signed == {5055 - udp.port}');
});

test('what is divided stays whole where both are, whichever of them is not', () => {
  holds('x.signed / 2 == -2', 'udp.port / 1000 == 5', 'x.big / 2 == 4611686018427387904');
  holds('x.ratio / 2 == 0.125', 'x.signed / x.ratio == -20', 'x.grade / {x.ratio * 800} == 0.25');
  fails('x.big / x.ratio > 0', 'x.signed / 0 == 0', 'x.signed % 0 == 0', 'x.ratio / 0 == 0', 'x.big / 0 == 0');
});

test('a slice that begins outside of its value is none', () => {
  holds('sip.Method[-6] == "I"', 'sip.Method[5]');
  fails('sip.Method[-7]', 'sip.Method[6]', 'sip.Method[-7:2] == "IN"');
});

test('classes of characters may have names', () => {
  holds('sip.Method matches "^[[:alpha:]]+$"', 'sip.Method matches "^[[:alpha:]0]{6}$"');
  fails('sip.Method matches "[[:digit:]]"');
});

test('times are compared to the nanosecond', () => {
  holds('frame.time == "2023-11-14T22:13:25.123456789Z"', 'frame.time > "2023-11-14 22:13:25.123456788 UTC"');
  holds(
    'frame.time >= "Nov 14, 2023 22:13:25 UTC"',
    'frame.time < "2023-11-15T00:13:26+02:00"',
    'frame.time > 2023-11-01',
  );
  holds(
    'frame.time_relative == 1.5',
    'x.uptime == 90',
    'x.uptime > 89.999999999',
    'frame.time_relative * 2 == 3',
    'frame.time_relative in {1 .. 1.5}',
    'frame.time_relative < 2s',
  );
  holds('frame.time - frame.time_relative < "2023-11-14T22:13:24Z"', 'frame.time - frame.time == 0');
  holds('frame.time_epoch == 1700000005.123456789', 'frame.time_epoch > "1700000005"', 'frame.time_epoch < 2000000000');
  refuses('frame.time > 1700000005', /not a valid absolute time/, 13, 10);
  refuses('frame.time > "foo"', /^"foo" is not a valid absolute time/, 13, 5);
  refuses('frame.time > "2023-13-40"', /not a valid absolute time/, 13, 12);
});

test('addresses and octets', () => {
  holds('ipv6.src == 2001:db8::1', 'ipv6.src == 2001:db8::/32', 'ipv6.src[-1:] == 01', 'ipv6.src in {2001:db8::/33}');
  holds(
    'eth.src == 0a:0b:0c:0d:0e:0f',
    'eth.src == 0a-0b-0c-0d-0e-0f',
    'eth.src[0:3] == 0a.0b.0c',
    'eth.src[0] & 0x02',
  );
  fails('ipv6.src == 2001:db8:1::/48', 'eth.src[0] & 0x01');
  refuses('ip.src == 10.0.0.0/33', 'Netmask bits in a CIDR IPv4 address should be <= 32, not 33', 10, 11);
  refuses('ip.src == 1.2.3.4.5', '"1.2.3.4.5" is not a valid hostname or IPv4 address.', 10, 9);
  refuses('eth.src == 1', '"1" contains too few bytes to be a valid Ethernet address.', 11, 1);
  refuses('ipv6.src == 1::2::3', /not a valid hostname or IPv6 address/, 12, 7);
});

test('text, slices and regular expressions', () => {
  holds('sip.Method == INVITE', 'sip.Method[0:3] == "INV"', 'sip.Method[1-2] == NV', 'sip.Method[5] == 45');
  holds(
    'sip.User-Agent contains "ün"',
    'sip.User-Agent[2] == "ü"',
    'len(sip.User-Agent) == 9',
    '@sip.Method == 49:4e:56:49:54:45',
  );
  holds(
    'sip contains "sip:a"',
    'sip matches "invite.*@b$"',
    'sip[0:3] == "INV"',
    'sip.User-Agent ~ "gr.*/\\d"',
    'sip.Method matches "^\\w+$"',
  );
  holds(
    'sip.Method in {"A" .. "J"}',
    'upper(lower(sip.Method)) == "INVITE"',
    'string(udp.port) == "5060"',
    'hex(udp.port) == "0x13c4"',
  );
  fails('sip[0:20] == "INV"', 'sip.Method matches "(?-i)invite"', 'sip.Method contains "invite"');
  refuses('sip matches INVITE', 'Matches requires a double quoted string on the right side.', 12, 6);
  refuses('sip matches "(INV"', /^Regex compilation error/, 12, 6);
  refuses('sip matches "a(?=b)"', /^Regex compilation error/, 12, 8, /Look-around/);
  refuses('sip.Method == "INVITE', 'The final quote was missing from a quoted string.', 21, 0);
  refuses('sip.Method == "a\\qb"', '\\q is not a valid character escape sequence', 16, 2);
});

test('regular expressions take time linear in the subject', () => {
  const t = new Tree();
  t.text(F.method, 0, 0, `${'a'.repeat(60_000)}!`);
  for (const evil of ['(a+)+$', '(a|aa)+$', '(.*a){12}$', '(a*)*b'])
    assert.equal(compile(`sip.Method matches "${evil}"`, catalogue).matches({ tree: t, nodeless: [] }), false);
});

test('mistakes are explained with a caret and a suggestion', () => {
  refuses('sip.method', '"sip.method" is neither a field nor a protocol name.', 0, 10, /case counts.*sip\.Method\?/);
  refuses(
    'ip and udp.prot == 5',
    '"udp.prot" is neither a field nor a protocol name.',
    7,
    8,
    /Did you mean udp\.port\?/,
  );
  refuses('inner.ip.scr == 1.1.1.1', /neither a field/, 0, 12, /inner\.ip\.src/);
  refuses('udp.port = 5060', '"=" was unexpected in this context.', 9, 1, /==/);
  refuses('ip AND sip', '"AND" was unexpected in this context.', 3, 3, /and/);
  refuses('tcp port 443', '"port" was unexpected in this context.', 4, 4, /capture filter/);
  refuses('udp.port == 5060 and', 'Unexpected end of filter expression.', 20, 0);
  refuses('(ip', 'Unexpected end of filter expression.', 3, 0);
  refuses('ip)', '")" was unexpected in this context.', 2, 1);
  refuses('udp.port in {5060 5061}', '"5061" was unexpected in this context.', 18, 4);
  refuses('udp.port in {}', '"}" was unexpected in this context.', 13, 1);
  refuses('5060 == udp.port', 'Left side of "==" expression must be a field or function, not 5060.', 0, 4);
  refuses('"a" == sip.Method', 'Left side of "==" expression must be a field or function, not "a".', 0, 3);
  refuses('ip.src == udp.port', 'ip.src and udp.port are not of compatible types.', 10, 8);
  refuses('ip.src contains "a"', 'ip.src (type=IPv4 address) cannot participate in contains comparison.', 0, 6);
  refuses('x.flag == 1', /has no value/, 0, 6);
  refuses('foo(ip.src) == 1', "Function 'foo' does not exist", 0, 3);
  refuses('len(sip.Method)', 'You cannot test whether a function is present.', 0, 15);
  refuses('upper(udp.port) == "a"', 'Only string type fields can be used as parameter for upper()', 6, 8);
  refuses('string(sip.Method) == "a"', 'String conversion for field "sip.Method" is not supported', 7, 10);
  refuses('max(1,2) == 2', "Argument '1' is not valid for max()", 4, 1);
  refuses('udp.port[0:1] == 1', /cannot be sliced into a sequence of bytes/, 0, 8);
  refuses('ip.src#-1', 'Expected digit or "[", not "-"', 7, 1);
  refuses('ip.src#[1-]', '"1-" is not a valid range.', 7, 4);
  refuses(`${'('.repeat(5000)}ip`, 'The expression is nested too deeply.', 101, 1);
  assert.equal(
    (() => {
      try {
        return compile('ip and sip.method == 1', catalogue);
      } catch (e) {
        return String(e);
      }
    })(),
    [
      '"sip.method" is neither a field nor a protocol name.',
      '    ip and sip.method == 1',
      '           ^~~~~~~~~~',
      '  Letter case counts. Did you mean sip.Method?',
    ].join('\n'),
  );
});

test('the caret stands under the mistake where characters are wide, or marks upon others', () => {
  for (const [expression, caret] of [
    ['sip.Method == "李小龍" && foo.bar', `    ${' '.repeat(26)}^~~~~~~`],
    ['ip.src == 李小龍', `    ${' '.repeat(10)}^~~~~~`],
    ['sip.Method == "e\u0301👍" && foo', `    ${' '.repeat(23)}^~~`],
  ] as const)
    assert.throws(
      () => compile(expression, catalogue),
      (e) => String(e).split('\n')[2] === caret,
      expression,
    );
});

/** A row with this many values of two fields, 0, 1, 2 … and 100,000, 100,001 … */
function crowded(ports: number, grades: number): RowView {
  const t = new Tree();
  t.enter({ name: 'Frame', buf: OCTETS, start: 0, end: OCTETS.length });
  t.open(F.udp, 8, 4);
  for (let i = 0; i < ports; i++) t.num(F.port, 8, 2, i);
  for (let i = 0; i < grades; i++) t.num(F.grade, 8, 2, 100_000 + i);
  return { tree: t, nodeless: [] };
}

test('all values of a field are looked at, and where two have too many for each other that is told', () => {
  const many = crowded(20_000, 20);
  for (const text of [
    'max(udp.port) == 19999',
    'udp.port + 1 == 20000',
    'udp.port in {19999 .. 30000}',
    'udp.port < x.grade',
    'x.grade > udp.port',
    'udp.port == 19999 || udp.port == x.grade',
    'udp.port in {x.grade, 19999}',
    'all x.grade in {udp.port .. x.grade}',
  ]) {
    const f = compile(text, catalogue);
    assert.equal(f.matches(many), true, text);
    assert.deepEqual(f.limits, [], text);
  }
  const f = compile('udp.port == x.grade', catalogue);
  assert.equal(f.matches(many), false);
  assert.deepEqual(f.limits, []);
  const both = crowded(20_000, 20_000);
  assert.equal(f.matches(both), false);
  assert.equal(f.matches(both), false);
  assert.deepEqual(f.limits, [{ name: 'filterPairs', cap: LIMITS.filterPairs, hit: 2 }]);
  const among = compile('udp.port in {x.grade}', catalogue);
  assert.equal(among.matches(both), false);
  assert.equal(among.limits[0].hit, 1);
});

test('a filter says which fields it needs and what it may not mean', () => {
  const f = compile('inner.ip.src == 10.0.0.7 and rtp.marker and ip.addr#2', catalogue);
  const names = new Set(f.fields.map((x) => x.name));
  assert.deepEqual([...names].sort(), ['fttims', 'ip', 'ip.dst', 'ip.src', 'rtp.marker']);
  assert.match(f.hints[0], /rtp\.marker == true/);
  const wants = new Uint8Array(row.tree.wants.length);
  for (const x of f.fields) wants[x.id] = 1;
  const bare = new Tree(wants);
  bare.enter({ name: 'Frame', buf: OCTETS, start: 0, end: OCTETS.length });
  bare.open(F.ip, 0, 8);
  bare.bytes(F.src, 0, 4);
  bare.open(F.fttims, 8, 0);
  bare.open(F.ip, 8, 8);
  bare.bytes(F.src, 8, 4);
  bare.num(F.port, 0, 0, 1);
  bare.num(F.marker, 0, 0, 1);
  assert.equal(bare.length, 6);
  assert.equal(f.matches({ tree: bare, nodeless: [] }), true);
});

const PIECES = [
  'ip.src',
  'udp.port',
  'sip.Method',
  '==',
  '!=',
  'in',
  '{',
  '}',
  '(',
  ')',
  '1',
  '"a"',
  ',',
  '..',
  'and',
  'or',
  'not',
  '[0:2]',
  '#1',
  '&',
  '-',
  'len',
  '10.0.0.0/8',
  'matches',
  'all',
];

test('any text compiles or is refused with a place inside it', () => {
  const text = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom(...PIECES)).map((p) => p.join(' ')),
  );
  fc.assert(
    fc.property(text, (s) => {
      try {
        compile(s, catalogue).matches(row);
      } catch (e) {
        assert.ok(e instanceof FilterError, String(e));
        assert.ok(e.position >= 0 && e.position + e.length <= s.length, `${e.position}+${e.length} in ${s}`);
      }
    }),
    { numRuns: 3000 },
  );
});

test('order and negation agree', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 65535 }), fc.integer({ min: 0, max: 65535 }), (value, limit) => {
      const tree = new Tree();
      tree.num(F.port, 0, 2, value);
      const is = (op: string) => compile(`udp.port ${op} ${limit}`, catalogue).matches({ tree, nodeless: [] });
      assert.deepEqual(['==', '!=', '<', '>=', '>', '<='].map(is), [
        value === limit,
        value !== limit,
        value < limit,
        value >= limit,
        value > limit,
        value <= limit,
      ]);
    }),
    { numRuns: 300 },
  );
});
