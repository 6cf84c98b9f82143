import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tunnelLadder } from '../../src/report/ladder-flows.js';
import { ladderText } from '../../src/report/ladder-text.js';
import { endText, stepsText, TunnelRows } from '../../src/tui/tunnel-rows.js';
import { TunnelsView } from '../../src/tui/tunnels-view.js';
import type { ViewerStatus } from '../../src/viewer/viewer.js';
import { drawn, PaperDesk, paperViewer } from './desk.js';
import { storyOf } from './story.js';

/* What the list, the card and the ladder of a tunnel say; what there is in the samples is as tshark lists them. */

const DONE = { tunnels: [], done: true } as unknown as ViewerStatus;

test('a CONNECT that the proxy refused: the status, who ended it, and no word of TLS', async () => {
  // The answer is in frames 13 to 17, of which the last has the FIN.
  const denied = await storyOf('08-proxy-denied.pcapng');
  const [t] = denied.tunnels;
  assert.match(stepsText(t, denied), /^TCP [\d.]+ ms › CONNECT 403 in [\d.]+ ms$/);
  assert.equal(endText(t, denied, DONE), 'ended by the proxy with a FIN');
  const [row] = new TunnelRows().get(DONE, denied, true);
  assert.equal(row.end, 'x proxy');
  assert.equal(row.why, 'The proxy refused the CONNECT with status 403.');
  assert.deepEqual([row.version, row.keys, row.proxied], ['', '-', true]);
  const { head, lines } = ladderText(tunnelLadder(denied, t), { width: 100 });
  assert.match(head[0], /^ +UE +proxy +EFTF *$/);
  const arrows = [/SYN ─+>/, /<─+ TCP SYN, ACK/, /CONNECT 192\.0\.2\.1:443 ─+>/, /<─+ 403 to CONNECT/, /<─+ TCP FIN/];
  for (const [i, arrow] of arrows.entries()) assert.match(lines[i], arrow);
  assert.match(lines[5], /! The proxy refused the CONNECT with status 403\./);
});

test('a refused CONNECT that the UE ends', async () => {
  const refused = await storyOf('21-proxy-refuses.pcapng');
  const [t] = refused.tunnels;
  assert.equal(endText(t, refused, DONE), 'ended by the UE with a FIN');
  const { lines } = ladderText(tunnelLadder(refused, t), { width: 100 });
  assert.match(lines.join('\n'), /CONNECT eftf\.ims\.example:443 ─+>[\s\S]*<─+ 403 to CONNECT[\s\S]*TCP FIN ─+>/);
});

test('of a tunnel that is open is said what ended: the capture, the reading of it, or nothing so far', async () => {
  const story = await storyOf('00-field.pcapng');
  const open = story.tunnels.find((t) => t.release.how === 'capture-end')!;
  assert.equal(endText(open, story, DONE), 'open when the capture ended');
  assert.equal(endText(open, story, { ...DONE, cancelled: true }), 'open where reading was stopped');
  assert.equal(endText(open, { whole: false }, DONE), 'open');
});

test('a CONNECT without an answer', async () => {
  const story = await storyOf('21-proxy-refuses.pcapng');
  const [t] = story.tunnels;
  const { status: _, waitMs: __, ...proxy } = t.proxy!;
  assert.match(stepsText({ ...t, proxy }, story), /› CONNECT no answer$/);
});

test('while it goes on a tunnel has the envelopes of now, and the rest of the last report', async () => {
  const story = await storyOf('28-overloaded.pcapng');
  const [t] = story.tunnels;
  const glance = { id: 1, ue: '', eftf: '', content: 'fttims', keys: 'full', up: 812, down: 813 } as const;
  const status = { tunnels: [glance, { ...glance, id: 2 }], done: false } as unknown as ViewerStatus;
  const rows = new TunnelRows();
  const [first, second] = rows.get(status, story, false);
  assert.deepEqual([first.envelopes, first.end, second.envelopes, second.end], ['812/813', 'UE', '812/813', '']);
  const { up, down } = t.envelopes;
  assert.equal(rows.get({ ...status, done: true }, { ...story }, true)[0].envelopes, `${up.total}/${down.total}`);
});

test('the end of a tunnel, and how many envelopes it had, are whole at 80 columns', async () => {
  const story = await storyOf('28-overloaded.pcapng');
  const [t] = story.tunnels;
  const [up, down] = [312_400, 1_234_567].map((total) => ({ ...t.envelopes.up, total }));
  const tunnels = [
    { ...t, release: { ...t.release, by: 'middlebox', how: 'rst' } as const },
    { ...t, id: 2, envelopes: { up, down } },
    { ...t, id: 3, state: 'other' as const },
  ];
  const v = new TunnelsView(new PaperDesk(paperViewer(), { ...story, tunnels }).desk);
  const screen = drawn(v, 80, 20).join('\n');
  assert.match(screen, / middlebox RST$/m);
  assert.match(screen, / 312k\/1M /);
  assert.match(screen, /^i? +3 .* other /m);
  assert.match(drawn(v, 160, 20).join('\n'), / 312400\/1234567 [\s\S]* not FTT-IMS /);
});

test('a tunnel in the clear in which DHCP failed is in the clear', async () => {
  const story = await storyOf('24-dhcp-pool-empty.pcapng');
  const [{ tls: _, ...t }] = story.tunnels;
  assert.equal(t.failure?.stage, 'dhcp');
  const [row] = new TunnelRows().get(DONE, { ...story, tunnels: [{ ...t, transport: 'tcp' }] }, true);
  assert.deepEqual([row.keys, row.keysAre], ['in clear', 'good']);
});

test('what a report of the first frames has none of is not said to be missing', async () => {
  const story = { ...(await storyOf('28-overloaded.pcapng')), calls: [], findings: [] };
  const screen = (whole: boolean): string =>
    drawn(new TunnelsView(new PaperDesk(paperViewer(), { ...story, whole }).desk), 80, 20).join('\n');
  assert.match(screen(true), / no calls {3}no findings {3}up /);
  assert.match(screen(false), / no calls so far {3}no findings so far {3}up /);
});

test('a card that is open goes on with what is read, and says of which frames it is until then', async () => {
  const story = await storyOf('28-overloaded.pcapng');
  const [{ envelopes, ...t }] = story.tunnels;
  const up = { ...envelopes.up, total: 12_345 };
  const begun = { ...story, tunnels: [{ ...t, envelopes: { ...envelopes, up } }], whole: false };
  const viewer = paperViewer();
  const desk = new PaperDesk(viewer, begun);
  const v = new TunnelsView(desk.desk);
  drawn(v, 100, 20);
  v.run('info');
  const card = (): string => drawn(desk.dialogs[0], 90, 40).join('\n');
  assert.match(card(), /^so far +in the first \d+ frames$/m);
  assert.match(card(), /^envelopes up +12,345 \(/m);
  desk.told.story = story;
  drawn(v, 100, 20);
  assert.doesNotMatch(card(), /so far/);
  assert.match(card(), new RegExp(`^envelopes up +${envelopes.up.total} \\(`, 'm'));
});
