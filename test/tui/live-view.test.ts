import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InterfaceDialog, type Interfaces } from '../../src/tui/interface-dialog.js';
import type { LiveConsole, LiveEvent, LiveStep } from '../../src/tui/live-console.js';
import { paletteRequest } from '../../src/tui/palette.js';
import { isKept, type Starter, type Starters } from '../../src/tui/start.js';
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
    over: false,
    saved: () => undefined,
    type: async () => undefined,
    onChange: () => undefined,
    ...more,
  };
}

const ok = (name: string, text = ''): LiveStep => ({ name, state: 'ok', text });
const waits = (name: string): LiveStep => ({ name, state: 'waits', text: '' });
const ESTABLISHED = event(1, 'established: access type II, TLSv1.3, TLS_AES_256_GCM_SHA384, 41.2 ms, certificate 5f0c');

test('a verb that is typed as a command is told where it belongs', () => {
  const desk = Object.assign(new PaperDesk(paperViewer()), { live: consoleOf({}) });
  const { judge } = paletteRequest(desk.desk);
  assert.deepEqual(judge?.('release'), { text: 'release is typed to what runs: 7, then Enter', wrong: true });
  assert.deepEqual(judge?.('nonsense'), { text: 'there is no command nonsense', wrong: true });
});

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
    assert.match(stage.text, /\n >\n +call: done/);
    await stage.press('Up');
    assert.match(stage.text, /> call to=bob\n.*call somebody and wait/);
    await stage.press('Ctrl-U');
    await stage.type('call carol');
    await stage.press('Enter');
    assert.match(stage.text, /\n >\n +call: carol is unknown/);
    await stage.press('Esc 8');
    assert.match(stage.text, /call: carol is unknown/);
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
function interfacesOf(more: Partial<Interfaces> = {}): Interfaces {
  let looks = 0;
  return {
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
    ...more,
  };
}

/** Starters that note what they start; `wrong` in a line is wrong, and `refused` cannot be started. */
function startersOf(started: string[]): Starters {
  const starter = (id: string): Starter => ({
    usage: 'HOST [options]',
    complete: (line) => ({ from: line.lastIndexOf(' ') + 1, words: [{ text: '--lab', note: 'the lab' }] }),
    about: (line) => (line.endsWith('--lab') ? 'the pair' : undefined),
    wrong: (line) => (line.includes('wrong') ? `no such option: ${line}` : undefined),
    start: async (line) => {
      if (line.includes('refused')) throw Object.assign(new Error(`${id} cannot be`), { hint: 'run it as root' });
      started.push(`${id} ${line}`.trim());
    },
  });
  return { interfaces: interfacesOf(), capture: starter('capture'), ue: starter('ue'), eftf: starter('eftf') };
}

describe('the interface picker', () => {
  test('shows what interfaces carry, and captures on those chosen with a filter', async () => {
    const { viewer, fields } = await viewerOf([sample('20-healthy-call.pcapng')]);
    const started: string[] = [];
    const stage = new Stage(viewer, fields, 120, 40, { starters: startersOf(started) });
    await stage.press('7 Enter');
    await stage.until(/act as an EFTF: take tunnels +:eftf/);
    await stage.press('Enter');
    await stage.until(/eth0 +40 +5 kB +█ 192\.0\.2\.2, fd00::2/);
    assert.match(stage.text, /lo +0 +0 B .*127\.0\.0\.1/);
    assert.match(stage.text, /nflog +Linux netfilter log/);
    await stage.press('Space Down Space /');
    await stage.type('tcp port 443');
    await stage.press('Enter');
    assert.match(stage.text, /only packets of: tcp port 443/);
    await stage.press('Enter');
    assert.deepEqual(started, ["capture -f 'tcp port 443' -i eth0 -i lo"]);
    await stage.press('Esc');
    await stage.end();
  });

  test('says why nothing can be captured: no libpcap, no rights', async () => {
    const hint =
      'apt-get install libpcap-dev, or capture with another program: tcpdump -i IFACE -U -w - | fttscope -r -';
    const missing = Object.assign(new Error('the package pcap does not load: no such module'), { hint });
    const desk = new PaperDesk(paperViewer());
    const none = new InterfaceDialog(desk.desk, interfacesOf({ list: () => Promise.reject(missing) }), () => undefined);
    await new Promise((done) => setImmediate(done));
    const text = drawn(none, 96, 10).join('\n');
    assert.match(text, /the package pcap does not load[\s\S]*apt-get install libpcap-dev/);
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
      () => undefined,
    );
    dialog.closed();
    await new Promise((done) => setImmediate(done));
    assert.equal(looks, 0);
  });
});

describe('what can be started from the screens', () => {
  test('a line behind : is completed, explained, refused where it is wrong, and started', async () => {
    const { viewer, fields } = await viewerOf([sample('20-healthy-call.pcapng')]);
    const started: string[] = [];
    const stage = new Stage(viewer, fields, 100, 30, { starters: startersOf(started) });
    await stage.press(':');
    await stage.type('ue 192.0.2.1 -');
    await stage.press('Tab');
    assert.match(stage.text, /: ue 192\.0\.2\.1 --lab\n.*the pair/);
    await stage.type(' wrong');
    await stage.press('Enter');
    assert.match(stage.text, /no such option/);
    assert.deepEqual(started, []);
    await stage.press('Ctrl-W Enter');
    assert.deepEqual(started, ['ue 192.0.2.1 --lab']);
    await stage.press(':');
    await stage.type('eftf --refused');
    await stage.press('Enter');
    assert.match(stage.text, /x eftf cannot be; run it as root/);
    await stage.end();
  });

  test('a command alone asks for its line; view 7 offers earlier ones again', async () => {
    const { viewer, fields } = await viewerOf([sample('20-healthy-call.pcapng')]);
    const started: string[] = [];
    const stage = new Stage(viewer, fields, 100, 30, { starters: startersOf(started) });
    await stage.press(':');
    await stage.type('eftf');
    await stage.press('Enter');
    assert.match(stage.text, /eftf *\n.*HOST \[options\]; Tab goes on/);
    await stage.type('--lab');
    await stage.press('Enter 7 Enter');
    assert.match(stage.text, /again: eftf --lab/);
    await stage.type('again');
    assert.deepEqual(started, ['eftf --lab', 'eftf --lab']);
    await stage.end();
  });

  test('asks before it ends what goes on', async () => {
    const { viewer, fields } = await viewerOf([sample('20-healthy-call.pcapng')]);
    const started: string[] = [];
    const live = consoleOf({ unsaved: 'The tunnel is up' });
    const stage = new Stage(viewer, fields, 100, 30, { live, starters: startersOf(started) });
    stage.app.perform('ue', '192.0.2.1');
    await stage.until(/The tunnel is up\. Start ue 192\.0\.2\.1 instead\?/);
    await stage.press('n');
    assert.deepEqual(started, []);
    stage.app.perform('ue', '192.0.2.1');
    await stage.press('y');
    assert.deepEqual(started, ['ue 192.0.2.1']);
    await stage.end();
  });

  test('a run that is over takes no verbs: Enter asks what comes next', async () => {
    const { viewer, fields } = await viewerOf([sample('20-healthy-call.pcapng')]);
    const live = consoleOf({ over: true, state: 'STOPPED after 00:01:12' });
    const stage = new Stage(viewer, fields, 100, 30, { live, starters: startersOf([]) });
    await stage.press('7');
    assert.match(stage.text, /Enter: asks what to start next/);
    await stage.press('Enter');
    assert.match(stage.text, /act as a UE: establish a tunnel +:ue/);
    await stage.end();
  });

  test('a password of a proxy is not remembered', () => {
    assert.equal(isKept('ue h --proxy ims:secret@proxy:3128'), false);
    assert.equal(isKept('ue h --proxy=ims:secret@proxy:3128 --lab'), false);
    assert.equal(isKept('ue h --proxy proxy:3128'), true);
  });
});
