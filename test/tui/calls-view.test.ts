import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { GapEntry } from '../../src/model/entities.js';
import { CallsView } from '../../src/tui/calls-view.js';
import { dialoguesOf } from '../../src/tui/dialog-list.js';
import { dialogueFlow } from '../../src/tui/flows.js';
import type { CommandId } from '../../src/tui/keymap.js';
import { until } from '../support/until.js';
import { drawn, PaperDesk, paperViewer } from './desk.js';
import { storyOf } from './story.js';
import { sample, viewerOn } from './support/stage.js';

async function view(name: string, width = 80, height = 20) {
  const viewer = await viewerOn(sample(name));
  const desk = new PaperDesk(viewer, await viewer.story());
  const v = new CallsView(desk.desk);
  v.show({});
  const top = () => desk.dialogs.at(-1) ?? v;
  /** The screen once nothing is being fetched any more. */
  const settled = async (w = width, h = height): Promise<string[]> => {
    let screen = drawn(top(), w, h);
    let looks = 0;
    await until(
      () => {
        screen = drawn(top(), w, h);
        return looks++ >= 3 && !screen.join('').includes('reading …');
      },
      () => screen.join('\n'),
    );
    return screen;
  };
  const press = (...commands: CommandId[]): void => {
    drawn(v, width, height);
    for (const c of commands) {
      if (!top().run(c, '')) assert.fail(`${c} means nothing`);
      drawn(top(), width, height);
    }
  };
  return { desk, v, settled, press };
}

describe('calls', () => {
  test('each with its state and why it failed, and the ladder of the selected one', async () => {
    const { v, settled } = await view('28-overloaded.pcapng');
    const screen = await settled();
    assert.match(screen[1], /^x call 1 alice → echo .* FAILED .* 503 /);
    assert.match(screen[2], /^ {2}reg 1 {2}alice +DEREGISTERED/);
    const ladder = screen.join('\n');
    assert.match(ladder, /UE .*P-CSCF/);
    assert.match(ladder, /0\.000 │─+ INVITE \(SDP offer\) ─+>│ +16\.1/);
    assert.match(ladder, /0\.012 │<─+ 503 Service Unavailable ─+│ +17\.2/);
    assert.equal(v.badge(), '(1 failed)');
    assert.equal(v.status(), '1 call (1 failed)  1 registration');
  });

  test('what failed is counted with its kind: messages are no calls', async () => {
    const viewer = await viewerOn(sample('28-overloaded.pcapng'));
    const story = await viewer.story();
    const message = { callId: 'm', start: story.calls[0].start, fromUri: 'sip:a@x', toUri: 'sip:b@x', rows: [] };
    const messages = [undefined, undefined, 404, 401, 200].map((status, i) => ({
      ...message,
      ...{ id: i + 1, uid: `m${i}` },
      ...(status !== undefined && { status }),
    }));
    const calls = story.calls.map((c) => ({ ...c, state: 'ended' as const }));
    const v = new CallsView(new PaperDesk(viewer, { ...story, calls, messages }).desk);
    v.show({});
    const screen = drawn(v, 120, 20).join('\n');
    assert.equal(v.status(), '1 call  1 registration  5 others (3 failed)');
    assert.match(screen, /^ {2}msg 4 .* CHALLENGED /m);
    const many = new CallsView(new PaperDesk(viewer, { ...story, calls: new Array(1234).fill(story.calls[0]) }).desk);
    assert.equal(many.badge(), '(1,234 failed)');
  });

  test('a call has its whole number, however many there are and however narrow it is, and is sorted by it', async () => {
    const viewer = await viewerOn(sample('00-field.pcapng'));
    const story = await viewer.story();
    const ids = [1234, 56, 7890];
    const calls = ids.map((id) => ({ ...story.calls[0], id, uid: `c${id}` }));
    const desk = new PaperDesk(viewer, { ...story, calls, registrations: [] });
    const v = new CallsView(desk.desk);
    v.show({});
    for (const width of [60, 80, 120]) {
      const screen = drawn(v, width, 20).join('\n');
      for (const id of ids) assert.match(screen, new RegExp(`^..call ${id} `, 'm'), `${width}`);
    }
    v.run('sort', '');
    const names = drawn(v, 80, 20).flatMap((l) => /^..(call \d+) /.exec(l)?.[1] ?? []);
    assert.deepEqual(names.slice(0, 3), ['call 56', 'call 1234', 'call 7890'], desk.said.join());
  });

  test('Enter opens the ladder, Enter there the message, Esc leads back step by step', async () => {
    const { v, press, settled } = await view('28-overloaded.pcapng');
    press('open', 'down', 'down', 'open');
    assert.match((await settled()).join('\n'), /SIP\/2\.0 503 Service Unavailable\nVia: SIP/);
    assert.deepEqual(v.crumbs(), ['call 1', 'ladder']);
    assert.ok(v.run('back'));
    assert.ok(v.run('back'));
    assert.deepEqual(v.crumbs(), []);
    assert.equal(v.run('back'), false);
  });

  test('a message is copied when it was read, however soon that is asked for', async () => {
    const { desk, press } = await view('28-overloaded.pcapng');
    press('open', 'copy', 'raw');
    assert.deepEqual([...desk.copied, ...desk.dialogs], []);
    await until(() => desk.copied.length > 0 && desk.dialogs.length > 0);
    assert.match(desk.copied[0], /^INVITE sip:[\s\S]*^Call-ID: /m);
    assert.match(drawn(desk.dialogs[0], 80, 20).join('\n'), /^INVITE sip:/m);
  });

  test('Space on two messages compares them', async () => {
    const { press, settled, desk } = await view('33-head-of-line.pcapng', 120, 40);
    press('open', 'select', 'down', 'down', 'select');
    const screen = (await settled()).join('\n');
    assert.match(screen, /INVITE sip:echo@ims\.example SIP\/2\.0 +≠ SIP\/2\.0 183 Session Progress/);
    assert.match(screen, /a=ptime:20 +│ a=ptime:20/);
    assert.match(screen, /lines differ, marked ≠; without Via branch, tags and CSeq/);
    assert.match(desk.dialogs[0].title, /^Packets \S+ and \S+$/);
  });

  test('Space twice compares a request with its answer', async () => {
    const { press, settled, desk } = await view('33-head-of-line.pcapng', 120, 40);
    press('open', 'select');
    assert.match(
      (await settled()).join('\n'),
      /21\.1 selected: Space on another .* compares them, here again: with 40\.1/,
    );
    press('select');
    const screen = (await settled()).join('\n');
    assert.match(screen, /INVITE sip:echo@ims\.example SIP\/2\.0 +≠ SIP\/2\.0 200 OK/);
    assert.equal(desk.dialogs[0].title, 'Packets 21.1 and 40.1');
  });

  test('Space twice on an ACK, which nothing answers, leaves it', async () => {
    const { press, settled, desk } = await view('28-overloaded.pcapng', 120, 40);
    press('open', 'bottom', 'select');
    assert.match((await settled()).join('\n'), /selected: Space on another message compares them /);
    press('select');
    assert.doesNotMatch((await settled()).join('\n'), /selected/);
    assert.equal(desk.dialogs.length, 0);
  });

  test('several dialogs in one ladder, and the tunnel from the SYN on', async () => {
    const { v, press, settled } = await view('28-overloaded.pcapng', 100, 40);
    press('select', 'select', 'open');
    let screen = (await settled()).join('\n');
    assert.match(screen, /call 1, reg 1/);
    assert.match(screen, /REGISTER[\s\S]*INVITE[\s\S]*REGISTER/);
    press('extended', 'top');
    screen = (await settled()).join('\n');
    assert.match(screen, /TCP SYN[\s\S]*ClientHello[\s\S]*DHCP DISCOVER[\s\S]*REGISTER[\s\S]*503[\s\S]*close_notify/);
    assert.match(screen, /UE .*EFTF .*P-CSCF/);
    assert.deepEqual(v.crumbs(), ['2 dialogs', 'from the SYN on']);
  });

  test('the ladder of a tunnel without dialogs, with what is missing, and what its packets are', async () => {
    const { v, press, settled } = await view('00-field.pcapng', 120, 30);
    v.show({ label: 'tunnel 2', tunnels: [2] });
    assert.match((await settled()).join('\n'), /x shows what there was of the tunnel/);
    press('extended');
    const screen = (await settled()).join('\n');
    // Frames 16 to 20 and 289 as tshark lists them; of the stream down 113 octets are missing before frame 297.
    assert.match(
      screen,
      /TCP SYN[\s\S]*ClientHello[\s\S]*TCP RST ─+>[\s\S]*! about 1 segment \(113 B\) missing to UE: record 7 lost, /,
    );
    assert.deepEqual(v.crumbs(), ['from the SYN on']);
    press('bottom');
    assert.match((await settled()).join('\n'), /Internet Control Message Protocol v6[\s\S]*Router Advertisement/);
    press('extended');
    assert.deepEqual(v.crumbs(), []);
    v.show({});
    assert.match((await settled())[1], /^ {2}call 1 /);
  });

  test('what is missing while a call lasts is a line of its ladder', async () => {
    const story = await storyOf('28-overloaded.pcapng');
    const [call] = dialoguesOf(story);
    const gap = (seconds: number): GapEntry => {
      const { start } = call.entity;
      const at = { ...start, seconds: start.seconds + seconds };
      return { at, row: '19', direction: 'up', octets: 232, firstRecord: 5, resumedRecord: 7 };
    };
    const notes = (seconds: number): string[] => {
      const tunnels = story.tunnels.map((t) => ({ ...t, gaps: [gap(seconds)] }));
      const { items } = dialogueFlow({ ...story, tunnels }, [call, call]);
      return items.flatMap((x) => (x.kind === 'note' ? [x.text] : [])).filter((text) => /missing/.test(text));
    };
    assert.deepEqual(notes(0), ['232 B missing from UE: records 5 to 6 lost, resumed at 7']);
    assert.deepEqual([...notes(60), ...notes(-1)], []);
  });

  test('a call with another codec each way names both, and what got lost on which', async () => {
    const story = await storyOf('33-head-of-line.pcapng');
    const [call] = dialoguesOf(story);
    const { address } = story.tunnels[0].ue;
    const own = new Set([address, ...story.tunnels[0].addresses]);
    const bars = (turned: boolean): string[] => {
      const media = story.media.map((m) =>
        own.has(m.source.address) ? { ...m, codec: 'EVS', lost: 0 } : { ...m, codec: 'PCMA', lost: 3 },
      );
      const { items } = dialogueFlow({ ...story, media: turned ? media.reverse() : media }, [call]);
      return items.flatMap((x) => (x.kind === 'bar' ? [x.text] : []));
    };
    const packets = (up: boolean): number => story.media.find((m) => own.has(m.source.address) === up)!.packets;
    const words = `RTP EVS → ${packets(true)}, ← PCMA ${packets(false)} (3 lost)`;
    for (const turned of [false, true]) assert.deepEqual(bars(turned), [words]);
  });

  test('media and session descriptions come and go', async () => {
    const { press, settled } = await view('33-head-of-line.pcapng', 100, 30);
    press('open');
    assert.match((await settled()).join('\n'), /<═+ RTP AMR-WB → \d+, ← \d+ ═+>/);
    press('media-lane');
    assert.doesNotMatch((await settled()).join('\n'), /RTP AMR-WB/);
    press('sdp');
    assert.match((await settled()).join('\n'), /SDP audio 10\.45\.0\.2:\d+ AMR-WB\/16000 telephone-event\/16000/);
    press('sdp');
    assert.doesNotMatch((await settled()).join('\n'), /SDP (offer|audio)/);
    press('sdp-only');
    assert.doesNotMatch((await settled()).join('\n'), /Trying/);
  });

  test('[ ] go along messages, { } along trouble', async () => {
    const { v, press } = await view('28-overloaded.pcapng');
    press('open', 'next-in-dialog', 'next-in-dialog');
    assert.equal(v.selected()?.at, '17.2');
    press('top', 'next-finding');
    assert.equal(v.selected()?.at, '17.2');
  });

  test('a call that is asked for is shown at its packet', async () => {
    const { v, settled } = await view('28-overloaded.pcapng');
    v.show({ label: 'call 1', call: 1, at: '17.2' });
    await settled();
    assert.equal(v.selected()?.at, '17.2');
    assert.equal(v.run('back'), false);
    const second = await view('00-field.pcapng');
    second.v.show({ label: 'call 2', call: 2, at: '285.1' });
    await second.settled();
    assert.equal(second.v.selected()?.at, '285.1');
  });

  test('an empty list says why', async () => {
    const none = new PaperDesk(paperViewer());
    const v = new CallsView(none.desk);
    v.show({});
    assert.match(drawn(v, 80, 10).join('\n'), /Reading the capture; calls follow/);
    const locked = await view('22-wrong-key-log.pcapng');
    assert.match((await locked.settled()).join('\n'), /1 tunnel cannot be read: K loads keys/);
    const other = await view('28-overloaded.pcapng');
    other.v.show({ label: 'tunnel 9', tunnels: [9] });
    assert.match((await other.settled()).join('\n'), /No call and no registration in tunnel 9/);
    const silent = await view('24-dhcp-pool-empty.pcapng');
    assert.match((await silent.settled()).join('\n'), /The tunnels carried no SIP/);
  });

  test('nothing is drawn beyond the edge at any width', async () => {
    const { settled } = await view('33-head-of-line.pcapng');
    for (const width of [40, 60, 80, 109, 110, 200]) {
      const screen = await settled(width);
      assert.ok(screen.every((l) => l.length <= width));
      assert.match(screen[1], /call 1/);
    }
  });
});

test('both parties are told above the ladder, however long the name of one', async () => {
  const viewer = await viewerOn(sample('20-healthy-call.pcapng'));
  const story = await viewer.story();
  const calls = story.calls.map((c) => ({ ...c, fromUri: `sip:${'u'.repeat(2000)}@ims.example`, toUri: 'sip:bob@b' }));
  const { desk } = new PaperDesk(viewer, { ...story, calls });
  const v = new CallsView(desk);
  v.show({});
  const title = drawn(v, 80, 20).find((l) => l.startsWith('─ call 1')) ?? '';
  assert.match(title, /^─ call 1 {2}u+…u+ → bob ─/);
});
