import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InterfaceDialog, type Interfaces } from '../../src/tui/interface-dialog.js';
import type { LiveConsole, LiveEvent, LiveStep } from '../../src/tui/live-console.js';
import { drawn, PaperDesk, paperViewer } from './desk.js';
import { golden, Stage, sample, viewerOf } from './support/stage.js';

const SIZES = [
  [80, 24],
  [120, 40],
  [200, 50],
] as const;

/** A line of what happened, so many seconds after eight. */
const event = (second: number, text: string, severity: LiveEvent['severity'] = 'note'): LiveEvent => ({
  at: new Date(Date.UTC(2026, 2, 1, 8, 0, second)),
  severity,
  text,
});

/** A run that does nothing but be shown. */
function consoleOf(more: Partial<LiveConsole>): LiveConsole {
  return {
    title: 'UE at eftf.example:443',
    state: 'CONNECTED 00:01:12',
    steps: [],
    events: [],
    figures: [],
    faults: [],
    verbs: [
      { name: 'call', words: 'call somebody and wait for the answer' },
      { name: 'fault', words: 'do something wrong; off ends it' },
      { name: 'release', words: 'release the tunnel by close_notify' },
    ],
    unsaved: undefined,
    saved: () => undefined,
    type: async () => undefined,
    onChange: () => undefined,
    ...more,
  };
}

const ok = (name: string, text = ''): LiveStep => ({ name, state: 'ok', text });
const waits = (name: string): LiveStep => ({ name, state: 'waits', text: '' });
const ESTABLISHED = event(1, 'established: access type II, TLSv1.3, TLS_AES_256_GCM_SHA384, 41.2 ms, certificate 5f0c');

/** What each state of view 7 shows. */
const STATES: Readonly<Record<string, Partial<LiveConsole>>> = {
  connecting: {
    state: 'CONNECTING',
    steps: [ok('TCP'), { name: 'CONNECT', state: 'runs', text: '' }, waits('TLS'), waits('DHCP'), waits('IPv6')],
    figures: ['kept until the program ends; w writes it to a file'],
  },
  refused: {
    state: 'NO TUNNEL',
    steps: [
      { name: 'TCP', state: 'failed', text: '192.0.2.9:443: nothing listens there (connection refused)' },
      waits('TLS'),
      waits('DHCP'),
    ],
    events: [event(1, 'connect: 192.0.2.9:443: nothing listens there (connection refused)', 'error')],
    figures: ['kept until the program ends; w writes it to a file'],
  },
  call: {
    steps: [
      ok('TCP'),
      ok('CONNECT'),
      ok('TLS', 'TLSv1.3 TLS_AES_256_GCM_SHA384 in 41 ms'),
      ok('DHCP', '10.45.0.2'),
      ok('IPv6', 'fd00:45:0:1:585c:2375:7d4a:5d44'),
      ok('REG', 'registered'),
      ok('CALL', 'confirmed'),
    ],
    faults: ['drop=0.1', 'split'],
    figures: [
      'up 124 packets 26 kB 50/s   down 114 packets 25 kB 50/s   heard 12 ms ago',
      'RTP received 103, 2 lost',
      'writing run.pcapng with keys',
    ],
    events: [
      ESTABLISHED,
      event(1, 'IPv4 10.45.0.2/16 from 10.45.0.1 for 86400 s, gateway 10.45.0.1, DNS 10.45.0.1, P-CSCF 10.45.0.1'),
      event(3, 'registered for 3600 s, keep-alive 110 s'),
      event(9, '> call bob'),
      event(9, 'call: 180, reliable'),
      event(12, 'call answered'),
      event(20, '> fault drop=0.1'),
      event(21, 'fault drop=0.1'),
    ],
  },
  ended: {
    state: 'TUNNEL ENDED',
    steps: [{ name: 'TUNNEL', state: 'failed', text: 'the EFTF or a middlebox reset the connection' }, waits('DHCP')],
    events: [ESTABLISHED, event(9, 'tunnel ended: the EFTF or a middlebox reset the connection', 'warn')],
    figures: [
      'up 12 packets 3 kB 0/s   down 11 packets 2 kB 0/s',
      'kept until the program ends; w writes it to a file',
    ],
  },
  eftf: {
    title: 'EFTF at 127.0.0.1:443',
    state: 'LISTENING 00:10:00  40 tunnels',
    steps: [
      { name: '127.0.0.1:443', state: 'runs', text: '40 tunnels' },
      { name: 'refused', state: 'failed', text: '3' },
    ],
    figures: [
      'up 1,204 packets 242 kB 30/s   down 1,192 packets 240 kB 28/s',
      'kept until the program ends; w writes it to a file',
      ...Array.from(
        { length: 40 },
        (_, i) => `tunnel ${i + 1}: 192.0.2.7:${50_000 + i}, 10.45.0.${i + 2}, 3 packets up, 4 down`,
      ),
    ],
    events: Array.from({ length: 40 }, (_, i) =>
      event(i, `tunnel ${i + 1} established: 192.0.2.7:${50_000 + i}, TLSv1.3`),
    ),
  },
  capture: {
    title: 'capture on eth0, lo (tcp port 443)',
    state: 'CAPTURING 00:00:31',
    steps: [
      { name: 'eth0', state: 'failed', text: '99,987 packets, 12 dropped' },
      { name: 'lo', state: 'runs', text: '3 packets' },
    ],
    figures: [
      '99,990 packets  24 MB  12 dropped   now 20,606/s  5 MB/s',
      'writing field_00002.pcapng (2 files of a ring)',
    ],
    events: [
      event(0, 'capturing by libpcap'),
      event(7, 'eth0: 12 packets were dropped; -B gives more buffer, -f and -s make less work', 'warn'),
    ],
    verbs: [{ name: 'stop', words: 'stop capturing; what was captured stays' }],
  },
};

describe('view 7', { concurrency: 4 }, () => {
  for (const [name, state] of Object.entries(STATES))
    test(name, async () => {
      const { viewer, fields } = await viewerOf([sample('20-healthy-call.pcapng')]);
      const stage = new Stage(viewer, fields, ...SIZES[0], { live: consoleOf(state) });
      await stage.press('7');
      for (const [width, height] of SIZES) {
        stage.resize(width, height);
        await stage.settled();
        const text = stage.text.replace(/^.*\n/, '');
        const { expected, actual } = golden(`live-${name}-${width}x${height}`, text);
        assert.equal(actual, expected, `${name} at ${width}x${height}`);
        assert.ok(stage.display.lines.every((l) => l.length <= width));
      }
      await stage.end();
    });

  test('a verb is typed with completion and history, what comes of it is said, and what goes wrong is seen anywhere', async () => {
    const typed: string[] = [];
    const events: LiveEvent[] = [];
    let changed = (): void => undefined;
    const live = consoleOf({
      events,
      complete: (text) => ({ from: text.lastIndexOf(' ') + 1, words: [{ text: 'to=', note: 'text' }] }),
      type: async (line) => {
        typed.push(line);
        if (line.includes('carol')) throw new Error('call: carol is unknown');
        return 'call: done';
      },
      onChange: (listener) => {
        changed = listener;
      },
    });
    const { viewer, fields } = await viewerOf([sample('20-healthy-call.pcapng')]);
    const stage = new Stage(viewer, fields, 100, 30, { live });
    await stage.press('7 Enter');
    await stage.type('ca');
    await stage.press('Tab');
    assert.match(stage.text, /> call\n.*call somebody and wait/);
    await stage.type(' t');
    await stage.press('Tab');
    await stage.type('bob');
    await stage.press('Enter');
    assert.deepEqual(typed, ['call to=bob']);
    assert.match(stage.text, /i call: done/);
    await stage.press('Enter Up');
    assert.match(stage.text, /> call to=bob/);
    await stage.press('Ctrl-U');
    await stage.type('call carol');
    await stage.press('Enter');
    assert.match(stage.text, /x call: carol is unknown/);
    await stage.press('2');
    events.push(event(3, 'tunnel ended: the EFTF reset it', 'warn'));
    changed();
    await stage.until(/! tunnel ended: the EFTF reset it/);
    await stage.end();
  });

  test('Ctrl-C stops what brings packets, once more quits; Q asks while something goes on', async () => {
    const { viewer, fields } = await viewerOf([sample('20-healthy-call.pcapng')]);
    let running = true;
    const stop = (): string | undefined => {
      if (!running) return undefined;
      running = false;
      return 'capturing was stopped';
    };
    const stage = new Stage(viewer, fields, 80, 24, { live: consoleOf({ unsaved: 'The capture goes on' }), stop });
    await stage.press('Q');
    assert.match(stage.text, /The capture goes on\. Quit all the same\?/);
    await stage.press('n');
    await stage.press('Ctrl-C');
    assert.match(stage.text, /capturing was stopped; Ctrl-C once more quits/);
    assert.equal(stage.display.closed, false);
    await stage.press('Ctrl-C');
    assert.equal(stage.display.closed, true);
    await stage.viewer.close();
  });
});

/** Interfaces of a machine that was made up; each look at the counters finds more on eth0. */
function interfacesOf(more: Partial<Interfaces> = {}): Interfaces & { captured: unknown[] } {
  let looks = 0;
  const captured: unknown[] = [];
  return {
    captured,
    list: async () => [
      { name: 'eth0', description: '', addresses: ['192.0.2.2', 'fd00::2'] },
      { name: 'lo', description: '', addresses: ['127.0.0.1', '::1'] },
      { name: 'nflog', description: 'Linux netfilter log (NFLOG) interface', addresses: [] },
    ],
    traffic: () => {
      looks++;
      return new Map([
        ['eth0', { packets: 1000 + 40 * looks, octets: 9000 + 5000 * looks }],
        ['lo', { packets: 7, octets: 700 }],
      ]);
    },
    capture: async (chosen) => void captured.push(chosen),
    ...more,
  };
}

describe('the interface picker', () => {
  test('shows what interfaces carry, and captures on those chosen with a filter', async () => {
    const { viewer, fields } = await viewerOf([sample('20-healthy-call.pcapng')]);
    const interfaces = interfacesOf();
    const stage = new Stage(viewer, fields, 120, 40, { interfaces });
    await stage.press('7 Enter');
    await stage.until(/eth0 +40 +5 kB +█ 192\.0\.2\.2, fd00::2/);
    assert.match(stage.text, /lo +0 +0 B .*127\.0\.0\.1/);
    assert.match(stage.text, /nflog +Linux netfilter log/);
    await stage.press('Space Down Space /');
    await stage.type('tcp port 443');
    await stage.press('Enter');
    assert.match(stage.text, /only packets of: tcp port 443/);
    await stage.press('Enter');
    const filter = 'tcp port 443';
    assert.deepEqual(interfaces.captured, [
      [
        { device: 'eth0', filter },
        { device: 'lo', filter },
      ],
    ]);
    await stage.press('Esc');
    await stage.end();
  });

  test('says why nothing can be captured: no libpcap, no rights', async () => {
    const hint =
      'apt-get install libpcap-dev, or capture with another program: tcpdump -i IFACE -U -w - | fttscope -r -';
    const missing = Object.assign(new Error('the package pcap does not load: no such module'), { hint });
    const desk = new PaperDesk(paperViewer());
    const none = new InterfaceDialog(desk.desk, interfacesOf({ list: () => Promise.reject(missing) }));
    await new Promise((done) => setImmediate(done));
    const text = drawn(none, 96, 10).join('\n');
    assert.match(text, /the package pcap does not load[\s\S]*apt-get install libpcap-dev/);

    const rights = Object.assign(new Error('eth0: no right to capture'), { hint: 'run it as root' });
    const dialog = new InterfaceDialog(desk.desk, interfacesOf({ capture: () => Promise.reject(rights) }));
    await new Promise((done) => setImmediate(done));
    dialog.run('open', '');
    await new Promise((done) => setImmediate(done));
    assert.deepEqual(desk.said, ['capturing on eth0 …', 'eth0: no right to capture; run it as root']);
    dialog.closed();
  });

  test('looks at nothing any more when it was closed before the list came', async () => {
    let looks = 0;
    const dialog = new InterfaceDialog(
      new PaperDesk(paperViewer()).desk,
      interfacesOf({
        traffic: () => {
          looks++;
          return new Map();
        },
      }),
    );
    dialog.closed();
    await new Promise((done) => setImmediate(done));
    assert.equal(looks, 0);
  });

  test('asks before it ends what goes on', async () => {
    const desk = new PaperDesk(paperViewer());
    const interfaces = interfacesOf();
    const withLive = Object.assign(desk, { live: consoleOf({ unsaved: 'The tunnel is up' }) });
    const dialog = new InterfaceDialog(withLive.desk, interfaces);
    await new Promise((done) => setImmediate(done));
    dialog.run('open', '');
    assert.equal(interfaces.captured.length, 0);
    desk.confirmed[0]();
    assert.equal(interfaces.captured.length, 1);
    dialog.closed();
  });
});
