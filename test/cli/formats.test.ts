import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { file, ip4, rawPcap, run, sample, TLS13, tshark, udp } from './run.js';

/** A pcap file of raw IP packets with their times in seconds. */
function timedPcap(frames: readonly { at: number; octets: Uint8Array }[]): Buffer {
  const all = rawPcap(...frames.map((f) => f.octets));
  let off = 24;
  for (const { at, octets } of frames) {
    all.writeUInt32LE(1_700_000_000 + Math.floor(at), off);
    all.writeUInt32LE(Math.round((at % 1) * 1e6), off + 4);
    off += 16 + octets.length;
  }
  return all;
}

/** A SIP request whose every value tries to speak to the terminal. */
const EVIL = Buffer.concat([
  Buffer.from('OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK\x1b[31m\r\n', 'latin1'),
  Buffer.from('From: "\x1b]0;owned\x07 \u202egnp.exe\u009b2J" <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n', 'utf8'),
  Buffer.from(
    'Call-ID: \x1b[2Jcid\r\nX-\x1b[2J: 1\r\nSubject: a\tb\x9b\xff\\c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n',
    'latin1',
  ),
]);
const evil = file('evil.pcap', rawPcap(ip4(17, udp(5060, 5060, EVIL))));
/** UDP in IPv4 in IPv4. */
const nested = file('nested.pcap', rawPcap(ip4(4, ip4(17, udp(1, 2, Buffer.from('hello'))))));

// What a terminal obeys, and what turns text around; line ends aside.
const ACTIVE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** UPnP Device Architecture 2.0 §1.3.2 */
const SEARCH =
  'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n';

/** Select Graphic Rendition, ECMA-48 §8.3.117. */
const SGR = /\x1b\[[\d;]*m/g;

test('rows have the colours of the screens where they are wanted, and the same text', () => {
  const field = sample('00-field.pcapng');
  const lines = (...args: string[]): string[] => run([field, '-q', ...args]).out.split('\n');
  const plain = lines();
  assert.deepEqual(lines('--color', 'never'), plain);
  const coloured = lines('--color', 'always');
  assert.deepEqual(
    coloured.map((line) => line.replace(SGR, '')),
    plain,
  );
  for (const line of coloured.slice(0, -1)) assert.match(line, /^\x1b\[[\d;]+m[^\x1b]+\x1b\[0m$/);
  const colourOf = (row: RegExp): string => /^\x1b\[[\d;]+m/.exec(coloured[plain.findIndex((p) => row.test(p))])![0];
  const all = [
    /Request: INVITE/,
    /Status: 200/,
    /Status: 401/,
    /Status: 503/,
    /DHCP Offer/,
    /Unknown type/,
    /PT=AMR-WB/,
  ];
  assert.equal(new Set(all.map(colourOf)).size, all.length);
  assert.deepEqual(
    lines('--color', 'always', '--theme', 'mono')
      .join('')
      .match(/\x1b\[[34]\d/g),
    null,
  );
});

test('fields of HTTP in SSDP alone, as tshark 4.0.17 shows them', () => {
  const path = file('ssdp.pcap', rawPcap(ip4(17, udp(50_000, 1900, Buffer.from(SEARCH)))));
  const fields = ['http.request.method', 'http.host', 'http.request.full_uri'].flatMap((f) => ['-e', f]);
  const want = 'M-SEARCH\t239.255.255.250:1900\thttp://239.255.255.250:1900*\n';
  assert.equal(run([path, '-T', 'fields', ...fields]).out, want);
  assert.equal(tshark(['-r', path, '-T', 'fields', ...fields]) ?? want, want);
  assert.equal(run([path, '-Y', 'ssdp && http.request', '-T', 'fields', '-e', 'frame.number']).out, '1\n');
});

test('no octets are told in the words of tshark where a field is asked for', () => {
  // Hop-by-hop options: PadN of nothing, PadN of two octets. IKE: a notification without data.
  const padded = Buffer.from(
    `60000000 0008 00 01 ${'fe80'.padEnd(32, '1')} ${'ff02'.padEnd(32, '2')} 3b00 0100 0102 0000`.replace(/ /g, ''),
    'hex',
  );
  const notify = Buffer.from(
    `${'11'.repeat(16)} 29 20 25 00 00000000 00000024 0000 0008 0000 402e`.replace(/ /g, ''),
    'hex',
  );
  const path = file('empty.pcap', rawPcap(padded, ip4(17, udp(500, 500, notify))));
  const fields = ['-e', 'ipv6.opt.padn', '-e', 'isakmp.notify.data'];
  assert.equal(run([path, '-T', 'fields', ...fields]).out, '<none>,0000\t\n\t<MISSING>\n');
  for (const format of ['fields', 'json', 'ek']) {
    const out = run([path, '-T', format, ...fields]).out;
    assert.ok(out.includes('<none>') && out.includes('<MISSING>'), format);
  }
  const theirs = tshark(['-r', path, '-T', 'fields', ...fields]);
  assert.equal(theirs ?? '', theirs === null ? '' : run([path, '-T', 'fields', ...fields]).out);
});

test('a layer that is asked for is what its tree says, or its name where that says no more, as in tshark', () => {
  const call = file('layers.pcap', rawPcap(ip4(17, udp(5060, 5060, EVIL)), ip4(17, udp(1, 2, Buffer.from('hello')))));
  const fields = ['frame', 'ip', 'udp', 'sip', 'data'].flatMap((f) => ['-e', f]);
  const out = run([call, '-T', 'fields', ...fields]).out.split('\n');
  const size = ip4(17, udp(1, 2, Buffer.from('hello'))).length;
  assert.deepEqual(out[1].split('\t'), [
    `Frame 2: ${size} bytes on wire (${8 * size} bits), ${size} bytes captured (${8 * size} bits)`,
    'Internet Protocol Version 4, Src: 192.0.2.1, Dst: 192.0.2.2',
    'User Datagram Protocol, Src Port: 1, Dst Port: 2',
    '',
    '68656c6c6f',
  ]);
  for (const [path, names] of [
    [call, ['frame', 'ip', 'udp', 'sip', 'data']],
    [sample('13-outer-loss.pcap'), ['frame', 'eth', 'ip', 'tcp']],
  ] as const) {
    const asked = ['-n', '-T', 'fields', ...names.flatMap((f) => ['-e', f])];
    const theirs = tshark(['-r', path, ...asked]);
    assert.equal(theirs ?? '', theirs === null ? '' : run([path, '--rows', 'outer', '-q', ...asked]).out);
  }
  assert.ok(run([call, '-T', 'json', '-e', 'ip']).out.includes('"Internet Protocol Version 4, Src: '));
});

describe('columns of the packet list', () => {
  test('in a filter, in every format, and as fields', () => {
    const read = (...args: string[]) => run([evil, ...args]).out;
    const wanted = '_ws.col.info contains "OPTIONS" && _ws.col.protocol == "SIP"';
    for (const format of ['text', 'tree', 'json', 'ndjson', 'ek', 'pdml'])
      assert.equal(read('-T', format, '-Y', wanted), read('-T', format), format);
    assert.equal(read('-Y', '_ws.col.info contains "INVITE"'), '');
    assert.equal(read('-Y', wanted, '-T', 'fields', '-e', 'frame.number', '-e', '_ws.col.protocol'), '1\tSIP\n');
  });
});

describe('text of strangers', () => {
  for (const format of ['text', 'tree', 'json', 'ndjson', 'ek', 'pdml'])
    test(`never reaches the terminal as an order: -T ${format}`, () => {
      const { out, code } = run([evil, '-T', format]);
      assert.equal(code, 0);
      assert.match(out, /OPTIONS/);
      assert.doesNotMatch(out, ACTIVE);
    });

  test('-T fields: tabs and controls as tshark shows them', () => {
    const { out } = run([evil, '-e', 'sip.Call-ID', '-e', 'sip.Subject', '-e', 'sip.CSeq.method']);
    assert.equal(out, '\\033[2Jcid\ta\\tb\ufffd\ufffd\\c\tOPTIONS\n');
  });

  test('a value ends at its first NUL, as in tshark, and the tree shows all of it', () => {
    const subject = 'Subject: before\0after';
    const message = EVIL.toString('latin1')
      .replace(/Subject: .*/, subject)
      .replaceAll('\x1b', '');
    const path = file('nul.pcap', rawPcap(ip4(17, udp(5060, 5060, Buffer.from(message, 'latin1')))));
    const args = ['-T', 'fields', '-e', 'sip.Subject'];
    assert.equal(run([path, ...args]).out, 'before\n');
    assert.equal(tshark(['-r', path, ...args]) ?? 'before\n', 'before\n');
    for (const format of ['json', 'ndjson', 'ek', 'pdml']) assert.doesNotMatch(run([path, '-T', format]).out, /u0000/);
    const row = JSON.parse(run([path, '-T', 'ndjson']).out) as { fields: Record<string, string[]> };
    assert.deepEqual(row.fields['sip.Subject'], ['before']);
    assert.match(run([path, '-T', 'tree']).out, /Subject: before.+after/);
    assert.equal(run([path, ...args, '-Y', 'sip.Subject contains "after"']).out, 'before\n');
  });

  test('-E bom=y: a byte order mark comes first', () => {
    const { out } = run([evil, '-q', '-e', 'sip.CSeq.method', '-E', 'bom=y', '-E', 'header=y']);
    assert.equal(out, '\ufeffsip.CSeq.method\nOPTIONS\n');
  });

  test('JSON keeps the value', () => {
    const row = JSON.parse(run([evil, '-T', 'ndjson']).out) as { fields: Record<string, string[]> };
    assert.deepEqual(row.fields['sip.Call-ID'], ['\x1b[2Jcid']);
    assert.match(row.fields['sip.from.display.info'][0], /\u202egnp\.exe\u009b2J/);
  });

  test('statistics', () => {
    for (const z of [
      'expert',
      'flow,sip',
      'follow,sip,utf-8,0',
      'follow,udp,utf-8,0',
      'follow,udp,ascii,0',
      'fttims,calls',
    ]) {
      const { code, out } = run([evil, '-q', '-z', z]);
      assert.equal(code, 0, z);
      assert.doesNotMatch(out.replace(/\r\n/g, '\n').replace(/a\tb/, ''), ACTIVE, z);
    }
    assert.match(run([evil, '-q', '-z', 'expert']).out, /Unrecognised SIP header \(x-·\[2j\)/);
  });

  test('names of files', () => {
    assert.doesNotMatch(run(['/none/\x1b[31mx']).err, ACTIVE);
  });
});

describe('-T text', () => {
  test('columns: row, time, tunnel, addresses, protocol, length, Info', () => {
    const lines = run([TLS13, '-q', '-c', '23']).out.split('\n');
    // Values: tshark's for the frame, and for the packet inside (DHCP Discover, 328 octets).
    assert.match(lines[10], /^ +11 +1\.588493 - +192\.0\.2\.10 → 192\.0\.2\.1 +TCP +74 53410 → 443 \[SYN\] Seq=0 /);
    assert.match(lines[22], /^ +23\.1 +1\.744463 T1↑ +0\.0\.0\.0 → 255\.255\.255\.255 DHCP +328 DHCP Discover/);
  });

  test('-t', () => {
    const time = (t: string): string =>
      run([TLS13, '-q', '-c', '1', '-t', t]).out.trim().slice(1).split(' - ')[0].trim();
    assert.deepEqual(['r', 'd', 'e', 'u', 'ud', 'a', 'ad'].map(time), [
      '0.000000',
      '0.000000',
      '1795227567.682377',
      '02:19:27.682377',
      '2026-11-21 02:19:27.682377',
      '02:19:27.682377',
      '2026-11-21 02:19:27.682377',
    ]);
    assert.deepEqual(['adoy', 'udoy'].map(time), ['2026/325 02:19:27.682377', '2026/325 02:19:27.682377']);
  });

  test('-t dd: since the row before that is shown', () => {
    const three = rawPcap(...[1, 2, 3].map((port) => ip4(17, udp(port, port, Buffer.of(0))))); // a second apart
    const args = [file('three.pcap', three), '-q', '-Y', 'udp.port != 2', '-t'];
    const times = (t: string): string[] => run([...args, t]).out.match(/\d\.\d{6}/g)!;
    assert.deepEqual(
      [times('d'), times('dd')],
      [
        ['0.000000', '1.000000'],
        ['0.000000', '2.000000'],
      ],
    );
  });

  test('a link type that nobody reads is named with its number, and its rows stay', () => {
    const strange = Buffer.from(rawPcap(Buffer.from('0102', 'hex')));
    strange.writeUInt32LE(147, 20);
    const path = file('dlt147.pcap', strange);
    assert.match(run([path, '-q']).out, /^ +1 .* 2 Link type 147 \(USER 0\) is not dissected\n$/);
    assert.match(run([path, '-q', '-V']).out, /Encapsulation type: USER 0[\s\S]*Data: 0102/);
  });

  test('columns stand one below the other, also where rows are those of several files', () => {
    for (const files of [[TLS13], [TLS13, file('again.pcapng', readFileSync(TLS13))]]) {
      const lines = run([...files, '-q'])
        .out.trimEnd()
        .split('\n');
      const ends = new Set(lines.map((line) => /^ *[\d:.]+ +\d+\.\d{6} /.exec(line)?.[0].length));
      assert.equal(ends.size, 1, [...ends].join());
    }
  });

  test('ASCII alone where the locale is', () => {
    const { out, err } = run([TLS13, '-c', '23'], { env: { LC_ALL: 'C' } });
    assert.doesNotMatch(out + err, /[^\x00-\x7f]/);
    assert.match(out, /T1-up .*0\.0\.0\.0 -> 255/);
    assert.match(err, /192\.0\.2\.10:53410 -> 192/);
  });

  test('-x: the octets of every source', () => {
    const { out } = run([nested, '-x']);
    assert.match(out, /^0000 {2}45 00 00 35 .*\n.*\n.*\n0030 {2}68 65 6c 6c 6f +hello\n/m);
  });
});

describe('as tshark prints them', () => {
  const path = sample('02-tls12-cbc-etm.pcap');
  const ours = (...args: string[]): string => run([path, '--no-auto-keys', '-q', '-c', '8', ...args]).out;
  const theirs = (...args: string[]): string | null => tshark(['-n', '-r', path, '-c', '8', ...args]);
  const same = (...args: string[]): void => assert.equal(ours(...args), theirs(...args) ?? ours(...args));

  test('-T tabs', () => {
    assert.match(ours('-T', 'tabs'), /^ {4}1\t {2}0\.000000\t {10}::\t→\tff02::16 {4}\tICMPv6\t130\tMulticast/);
    same('-T', 'tabs');
  });

  test('-T psml', () => {
    assert.match(ours('-T', 'psml'), /^<\?xml [^>]*>\n<psml [^>]*>\n<structure>\n<section>No\.<\/section>\n/);
    const creator = (text: string): string => text.replace(/ creator="[^"]*"/, '');
    assert.equal(creator(ours('-T', 'psml')), creator(theirs('-T', 'psml') ?? ours('-T', 'psml')));
  });

  test('-O: of other layers a line', () => {
    const lines = ours('-O', 'udp,tcp', '-c', '1').split('\n');
    assert.ok(lines.includes('Ethernet II, Src: 66:fd:cd:99:4c:8d, Dst: 33:33:00:00:00:16'), lines.join('\n'));
    assert.deepEqual(
      lines.filter((l) => l.startsWith(' ')),
      [],
    );
    const tree = run([evil, '-O', 'udp']).out;
    assert.match(tree, /^User Datagram Protocol.*\n {4}Source Port: 5060\n/m);
    assert.doesNotMatch(tree, /^ +(?:Version|Method|Call-ID)/m);
    assert.match(run([path, '-O', 'sipp']).err, /-O sipp: there is no such protocol\n.*did you mean sip\?/);
  });

  test('-u hms', () => {
    const frames = [0, 0.5, 59, 61, 3599, 3600, 90_061].map((at) => ({
      at,
      octets: ip4(17, udp(1, 2, Buffer.alloc(1))),
    }));
    const late = file('late.pcap', timedPcap(frames));
    for (const t of ['r', 'd', 'e']) {
      const args = ['-T', 'tabs', '-t', t, '-u', 'hms'];
      const out = run([late, ...args]).out;
      assert.equal(out, tshark(['-r', late, ...args]) ?? out, t);
    }
    assert.match(run([late, '-T', 'tabs', '-u', 'hms']).out, /\t59m 59\.000000s\t.*\n.*\t1h {2}0m {2}0\.000000s\t/);
    assert.match(run([late, '-u', 'x']).err, /-u x: not a form of seconds\n.*hms/);
  });
});

describe('-T fields', () => {
  test('-E', () => {
    const ports = (...args: string[]): string => run([nested, '-Tfields', '-eip.proto', '-e', 'udp.port', ...args]).out;
    assert.equal(ports(), '4,17\t1,2\n');
    assert.equal(ports('-E', 'separator=;', '-Eheader=y'), 'ip.proto;udp.port\n4,17;1,2\n');
    // tshark 4.0.17 takes the first of several signs, and a backslash for a slash that nothing known follows.
    for (const [given, sign] of [
      ['ab', 'a'],
      ['/sx', ' '],
      ['/x', '\\'],
      ['//', '\\'],
      [';;', ';'],
    ] as const) {
      assert.equal(ports('-E', `separator=${given}`), `4,17${sign}1,2\n`);
      assert.equal(ports('-E', `aggregator=${given}`), `4${sign}17\t1${sign}2\n`);
    }
    assert.equal(ports('-E', 'separator=/s', '-E', 'quote=d', '-E', 'occurrence=f'), '"4" "1"\n');
    assert.equal(ports('-E', 'occurrence=l', '-Equote=s'), "'17'\t'2'\n");
    assert.equal(ports('-E', 'aggregator=/s'), '4 17\t1 2\n');
  });
});

type Doc = { _source: { layers: Record<string, unknown> } };
const docs = (args: string[]): Doc[] => JSON.parse(run(args).out) as Doc[];

describe('-T json, ek, pdml', () => {
  test('two layers of a name are an array, children stand under _tree', () => {
    const [{ _source }] = docs([nested, '-T', 'json']);
    const ip = _source.layers.ip as Record<string, unknown>[];
    assert.deepEqual(
      ip.map((layer) => [layer['ip.proto'], layer['ip.addr']]),
      [
        ['4', ['192.0.2.1', '192.0.2.2']],
        ['17', ['192.0.2.1', '192.0.2.2']],
      ],
    );
    assert.equal((ip[0]['ip.flags_tree'] as Record<string, string>)['ip.flags.df'], '0');
  });

  test('nothing is an empty array, and a document of no packets', () => {
    assert.deepEqual(docs([nested, '-T', 'json', '-Y', 'sip']), []);
    assert.equal(run([nested, '-T', 'ek', '-Y', 'sip']).out, '');
    assert.match(run([nested, '-T', 'pdml', '-Y', 'sip']).out, /<pdml [^>]*>\n<\/pdml>\n$/);
  });

  test('-j and -J say what is mistyped, and print the rest', () => {
    const told = (...args: string[]): string => run([nested, '-T', 'json', '-c', '1', ...args]).err;
    assert.match(told('-j', 'ip sipp'), /^fttscope: -j sipp: there is no such protocol; did you mean sip\?$/m);
    assert.match(told('-J', 'usb'), /^fttscope: -J usb: there is no such protocol/m);
    assert.doesNotMatch(told('-j', 'frame eth ip ip.proto udp fttims text _ws.expert'), /no such protocol/);
    assert.equal(told('-j', 'sipp', '-q'), '');
  });

  test('-e and -j choose', () => {
    assert.deepEqual(docs([nested, '-T', 'json', '-e', 'ip.proto', '-e', 'sip.Method'])[0]._source.layers, {
      'ip.proto': ['4', '17'],
    });
    const [action, doc] = run([nested, '-T', 'ek', '-e', 'ip.proto']).out.split('\n');
    assert.deepEqual(JSON.parse(action), { index: { _index: 'packets-2023-11-14' } });
    assert.deepEqual(JSON.parse(doc), { timestamp: '1700000000000', layers: { ip_proto: ['4', '17'] } });
    assert.match(run([nested, '-T', 'pdml', '-e', 'ip.proto']).out, /<field name="ip\.proto" value="17"\/>/);
    const { layers } = docs([nested, '-T', 'json', '-j', 'udp'])[0]._source;
    assert.deepEqual(layers.frame, { filtered: 'frame' });
    assert.equal((layers.udp as Record<string, unknown>)['udp.srcport'], '1');
    const { fields } = JSON.parse(run([nested, '-T', 'ndjson', '-j', 'udp ip.proto']).out.split('\n')[0]);
    assert.deepEqual(fields['ip.proto'], [4, 17]);
    assert.deepEqual(fields['udp.srcport'], [1]);
    assert.equal(fields['ip.src'], undefined);
  });

  test('ek leaves out _type', () => {
    assert.doesNotMatch(run([nested, '-T', 'ek']).out, /"_type"/);
  });

  test('pdml says where octets lie and what they are', () => {
    const { out } = run([nested, '-T', 'pdml']);
    assert.match(out, /<field name="udp\.dstport" [^>]*size="2" pos="42" show="2" value="0002"/);
    assert.match(out, /<field name="ip\.proto" [^>]*size="1" pos="9" show="4" value="04"/);
    assert.match(out, /<proto name="udp" [^>]*size="8" pos="40"/);
  });

  const inner = file('inner.pcapng');
  run(['extract', TLS13, '-q', '-w', inner]);
  const theirs = tshark(['-r', inner, '-Tjson', '--no-duplicate-keys', '-J', 'ip udp dns rtp icmpv6']);

  test('json has the shape and the values of tshark', { skip: theirs === null && 'tshark is not installed' }, () => {
    const ours = docs([inner, '-T', 'json', '-J', 'ip udp dns rtp icmpv6']);
    const wanted = JSON.parse(theirs!) as Doc[];
    assert.equal(ours.length, wanted.length);
    let compared = 0;
    const same = (a: unknown, b: unknown, at: string): void => {
      if (typeof a !== 'object' || a === null) {
        assert.equal(b, a, at);
        compared++;
      } else if (Array.isArray(a)) {
        assert.ok(Array.isArray(b) && a.length === b.length, at);
        for (const [i, x] of a.entries()) same(x, (b as unknown[])[i], at);
      } else for (const [k, x] of Object.entries(a)) if (wantedKey(k, b)) same(x, (b as Record<string, unknown>)[k], k);
    };
    for (const [i, doc] of wanted.entries()) same(doc, ours[i], '');
    assert.ok(compared > 3000, `${compared} values`);
  });
});

/** Keys that both have and mean the same by: tshark checks no checksums and numbers streams after fragments. */
function wantedKey(k: string, ours: unknown): boolean {
  if (/checksum\.status|stream$|setup-frame|^frame$|^sip|^icmp$/.test(k)) return false;
  return typeof ours === 'object' && ours !== null && k in ours;
}
