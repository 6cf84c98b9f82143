import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { noDialogues } from '../../src/tui/dialogue-info.js';
import { FindingsView } from '../../src/tui/findings-view.js';
import { glanceOver } from '../../src/tui/glance-over.js';
import { MediaView } from '../../src/tui/media-view.js';
import type { Rows } from '../../src/viewer/rows.js';
import { CaptureBuilder } from '../build/capture.js';
import { at, ping, register, udp } from '../build/packets.js';
import { until } from '../support/until.js';
import { drawn, PaperDesk, paperViewer } from './desk.js';
import { storyOf } from './story.js';
import { Stage, sample, stageOf, viewerOf, viewerOn } from './support/stage.js';

/* What is said where there is little or nothing to say anything of. */

const folder = mkdtempSync(join(tmpdir(), 'fttscope-nothing-'));
after(() => rmSync(folder, { recursive: true }));

test('a capture without packets is not judged, and has nothing to count', async () => {
  const path = join(folder, 'empty.pcap');
  // The header of a pcap file alone: version 2.4, snaplen 262144, Ethernet.
  writeFileSync(path, Buffer.from('d4c3b2a10200040000000000000000000000040001000000', 'hex'));
  const stage = await stageOf([path], {});
  await stage.press('5');
  assert.match(stage.text, /There is nothing to judge: the capture has no packets/);
  await stage.press('6');
  assert.match(stage.text, /There are no packets to count/);
  assert.doesNotMatch(stage.display.lines.at(-1)!, /zoom|bigger|smaller/);
  for (const _ of ['conversations', 'endpoints', 'protocols']) {
    await stage.press('Right');
    assert.match(stage.text, /There are no packets to count/);
  }
  await stage.end();
});

test('a capture of other things is not said to be without fault', async () => {
  const path = join(folder, 'ping.pcapng');
  const [a, b] = [at('192.0.2.1', 0), at('192.0.2.2', 0)];
  const capture = new CaptureBuilder({ epoch: 1_772_355_600 });
  capture.packet(ping(a.address, b.address, 1, 1, 40), 0);
  writeFileSync(path, capture.build().octets);
  const stage = await stageOf([path], {});
  await stage.press('5');
  assert.match(stage.text, /nothing to judge: no tunnel, call, registration or media stream/);
  await stage.end();
});

test('a registration outside of any tunnel leads to its packets, and to their frames', async () => {
  const path = join(folder, 'behind.pcapng');
  const capture = new CaptureBuilder({ epoch: 1_772_355_600 });
  const [ue, pcscf] = [at('10.9.0.2', 5060), at('10.9.0.1', 5060)];
  for (const [i, cseq] of [1, 2, 3].entries()) capture.packet(udp(ue, pcscf, register(cseq)), i);
  writeFileSync(path, capture.build().octets);
  const stage = await stageOf([path], {});
  await stage.press('3 2');
  assert.match(stage.text, /reg 1 › Packets .* 1 \/ 3$/m);
  await stage.press('Esc Enter Down o');
  assert.match(stage.text, /frames around \d › Packets › outer .* \d \/ 3$/m);
  await stage.press('Esc Esc Esc 3 5');
  assert.doesNotMatch(stage.text, /0 tunnels/);
  await stage.end();
});

test('where a packet cannot be read any more nothing of another one stands beside the reason', async () => {
  const { viewer, fields } = await viewerOf([sample('28-overloaded.pcapng')]);
  const stage = new Stage(viewer, fields);
  await stage.press('2');
  assert.match(stage.text, /Internet Protocol.*│.*\n.*│0000 /);
  const words = '28-overloaded.pcapng: the file is shorter than when it was read';
  viewer.detail = () => Promise.reject(new Error(words));
  await stage.press('Down');
  assert.match(stage.text, /: the file is {2}.*\n shorter than when it was read/);
  assert.doesNotMatch(stage.text, /Internet Protocol|│0000 /);
  await stage.end();
});

test('the card of a field comes when the packet was read, however early it is asked for', async () => {
  const { viewer, fields } = await viewerOf([sample('28-overloaded.pcapng')]);
  const stage = new Stage(viewer, fields);
  await stage.press('2');
  const read = viewer.detail.bind(viewer);
  let answer = (): void => undefined;
  viewer.detail = (row) =>
    new Promise((resolve) => {
      answer = () => resolve(read(row));
    });
  stage.app.key('Down');
  stage.app.key('i');
  await until(() => /2 \/ 15/.test(stage.text));
  assert.doesNotMatch(stage.text, /─ dhcp ─/);
  answer();
  await stage.until(/─ dhcp ─/);
  await stage.end();
});

test('Esc clears a filter that nothing matches, also from the tree', async () => {
  const stage = await Stage.of('28-overloaded.pcapng');
  await stage.press('2');
  await stage.press('Enter');
  stage.app.perform('filter', 'ip.src == 192.0.2.99');
  await stage.settled();
  assert.match(stage.text, /0 of \d+ packets match\.[\s\S]*Esc clears it/);
  await stage.press('Esc');
  assert.doesNotMatch(stage.text, /packets match/);
  await stage.end();
});

test('of a date, or of the seconds since 1970, what differs from row to row stays', async () => {
  const stage = await Stage.of('28-overloaded.pcapng');
  await stage.press('2');
  await stage.press('t t t');
  assert.match(stage.text, / Date and time +Source [\s\S]* 8\.1 …[- \d]*\d\d:\d\d:00\.041000 ↑/);
  await stage.press('t t t');
  assert.match(stage.text, / Epoch +Source [\s\S]* 8\.1 …\d*0\.041000000 ↑/);
  await stage.end();
});

test('what is not found was looked for in the list, and that is said', async () => {
  const stage = await Stage.of('28-overloaded.pcapng');
  await stage.press('2');
  await stage.press('Ctrl-F');
  await stage.type('g.711');
  await stage.press('Enter');
  assert.match(stage.text, /g\.711 is not found in the list$/m);
  await stage.end();
});

test('each frame is listed once among the frames, also where the end of the capture set its rows free', async () => {
  const stage = await Stage.of('00-field.pcapng', 120, 40);
  // 233 inner packets in 297 frames, the last of which has a row of its own and two of tunnel 2.
  await stage.press('2 2');
  assert.match(stage.text, / 1 \/ 233$/m);
  await stage.press('o');
  assert.match(stage.text, / 8 \/ 297$/m);
  await stage.press('o');
  assert.match(stage.text, / 8 \/ 299$/m);
  await stage.end();
});

test('what was sent in the clear is not called decrypted', async () => {
  const viewer = await viewerOn(sample('20-healthy-call.pcapng'));
  const named = async (id: string) => (await viewer.detail(viewer.rows.byId(id))).sources.map((s) => s.name);
  assert.deepEqual(await named('4'), ['Frame', 'TLS record']); // a ClientHello
  assert.deepEqual(await named('8.1'), ['Frame', 'TLS record', 'Decrypted TLS', 'Envelope']);
});

test('one pane at a time hides nothing of it, and words that do not fit say so', async () => {
  const stage = await Stage.of('20-healthy-call.pcapng', 60, 16);
  await stage.press('2 Tab');
  assert.match(stage.text, / 1 \/ 236 {2}tree 2\/3$/m);
  await stage.press('Tab');
  assert.match(stage.text, / Envelope \(\d+ B\)$/m);
  await stage.press('7');
  assert.match(stage.text, /^ {4}:capture eth0 {9}capture, and look at it\n {26}meanwhile$/m);
  stage.resize(60, 14);
  await stage.settled();
  assert.match(stage.text, / …\n Enter open/);
  await stage.end();
});

test('a jump to what does not exist leads nowhere, from wherever it was asked for', async () => {
  const stage = await Stage.of('00-field.pcapng');
  await stage.press('3');
  for (const [jump, said] of [
    ['goto 9999', /there is no packet 9999/],
    ['285.7', /there is no packet 285\.7/],
    ['jump-to-mark z', /no packet is marked z/],
  ] as const) {
    await stage.press(':');
    await stage.type(jump);
    await stage.press('Enter');
    assert.match(stage.text, said);
    assert.match(stage.text, /^ tunnel 1 › Calls /m);
  }
  await stage.end();
});

test('a jump out of what is listed leads to all of the capture, and Esc back', async () => {
  const stage = await Stage.of('00-field.pcapng');
  await stage.press('Down Enter');
  await stage.until(/^ tunnel 2 › Packets/m);
  await stage.press(':');
  await stage.type('goto 285.1');
  await stage.press('Enter');
  await stage.until(/ 228 \/ 233$/m);
  assert.match(stage.text, /^ Packets › inner /m);
  assert.match(stage.text, /packet 285\.1 is not of tunnel 2: this is all of the capture, Esc goes back/);
  await stage.press('Esc');
  assert.match(stage.text, /^ tunnel 2 › Packets/m);
  await stage.end();
});

test('a filter among the frames takes those that carry what it takes, be it not the first', async () => {
  const stage = await Stage.of('11-coalesced-envelopes.pcapng', 120, 40);
  await stage.press('2 o /');
  await stage.type('rtp');
  await stage.press('Enter');
  // Of `read -Y rtp -e frame.number`, each once.
  await stage.until(/61 of 326/);
  assert.match(stage.text, /^ +77 /m);
  await stage.end();
});

test('of the name of a command its beginning will do, and what several begin with is no command', async () => {
  const stage = await Stage.of('20-healthy-call.pcapng');
  await stage.press(':');
  await stage.type('re');
  await stage.press('Enter');
  assert.match(stage.text, /several begin so: remove {2}redraw$/m);
  await stage.press('Esc :');
  await stage.type('file-i');
  assert.match(stage.text, /^ file-info: what there is to know about the whole capture {3}g f$/m);
  await stage.press('Enter');
  assert.match(stage.text, /─ Capture ─/);
  await stage.end();
});

test('a line of a tree with nothing below says so', async () => {
  const stage = await Stage.of('20-healthy-call.pcapng');
  await stage.press('2');
  await stage.press('Tab G Enter');
  assert.match(stage.text, /there is nothing to open in this line/);
  await stage.end();
});

test('a filter from a packet waits for its tree', async () => {
  const stage = await Stage.of('20-healthy-call.pcapng');
  await stage.press('2');
  await stage.press('Down Down Down');
  assert.match(stage.text, / 4 \/ 236$/m);
  stage.app.key('Down');
  stage.app.key('a');
  await stage.until(/ of 236/);
  assert.match(stage.text, /› \/ sip /);
  await stage.end();
});

test('a ladder without session descriptions says so where only these are asked for', async () => {
  const stage = await Stage.of('00-field.pcapng');
  await stage.press('3');
  await stage.press('G D');
  assert.match(stage.text, /No message of it has a session description\. D shows all of it\./);
  await stage.press('D');
  assert.match(stage.text, /REGISTER/);
  await stage.end();
});

test('a pane that is alone says that it grows no more', async () => {
  const stage = await Stage.of('00-field.pcapng');
  await stage.press('2');
  await stage.press('z +');
  assert.match(stage.text, /this pane is alone/);
  await stage.press('z +');
  assert.doesNotMatch(stage.text, /this pane is alone/);
  await stage.end();
});

test('a filter is prepared from a field, to be used when it is whole', async () => {
  const stage = await Stage.of('20-healthy-call.pcapng');
  await stage.press('2');
  await stage.press('/');
  await stage.type('rtp');
  await stage.press('Enter');
  await stage.press('Tab P');
  assert.match(stage.text, /^ \/ rtp && amr *$/m);
  await stage.type('.wb.cmr == 15');
  assert.match(stage.text, /Packets › inner › \/ rtp {2}/, 'not used yet');
  await stage.press('Enter');
  assert.match(stage.text, /› \/ rtp && amr\.wb\.cmr == 15 /);
  await stage.end();
});

test('lines that are pasted into a filter are one', async () => {
  const stage = await Stage.of('28-overloaded.pcapng');
  await stage.press('2');
  await stage.press('/');
  stage.app.paste('sip.Method == "INVITE" ||\r\n\tsip.Method == "ACK"\n');
  await stage.settled();
  assert.match(stage.text, /\/ sip\.Method == "INVITE" \|\| sip\.Method == "ACK"\n/);
  await stage.end();
});

test('what a report of the first frames lacks is not said to be missing', async () => {
  const story = await storyOf('21-proxy-refuses.pcapng');
  const said = (whole: boolean): string => {
    const { desk } = new PaperDesk(paperViewer(), { ...story, findings: [], whole });
    const views = [new FindingsView(desk, { codes: new Set<string>(), save: () => undefined }), new MediaView(desk)];
    const words = views.flatMap((v) => {
      v.show({});
      return drawn(v, 80, 10);
    });
    return [...words, ...noDialogues(desk, {})].join('\n');
  };
  assert.match(
    said(true),
    /nothing to judge[\s\S]*No RTP in this capture[\s\S]*No INVITE and no REGISTER in this capture/,
  );
  const first = `in the first ${story.capture.files[0].frames} frames`;
  for (const what of ['No findings', 'No RTP', 'No INVITE and no REGISTER'])
    assert.ok(said(false).replace(/\s+/g, ' ').includes(`${what} ${first};`), said(false));
});

test('where a tunnel cannot be read nobody says that there are no media in it', async () => {
  const stage = await Stage.of('22-wrong-key-log.pcapng');
  await stage.press('4');
  assert.match(stage.text, /No RTP can be seen\.\n +1 tunnel cannot be read: K loads keys/);
  await stage.end();
  const refused = await Stage.of('23-sni-missing.pcapng');
  await refused.press('3');
  assert.match(refused.text, /No INVITE and no REGISTER in this capture\./);
  assert.doesNotMatch(refused.text, /loads keys/);
  await refused.end();
});

test('lines of a tree that are not read from octets stand in brackets, also outside of layers', async () => {
  const stage = await Stage.of('20-healthy-call.pcapng');
  await stage.press('2');
  await stage.press('Tab');
  await stage.press('G');
  assert.match(stage.text, /\[Tunnel: 1\]/);
  assert.match(stage.text, /\[Direction in the tunnel: (up|down)\]/);
  await stage.end();
});

test('of very many packets the first are looked at, and that is said', () => {
  const rows = (count: number) => ({ count, source: () => 'a', destination: () => 'b', protocol: () => 'SIP' });
  const some = glanceOver(rows(200_001) as unknown as Rows);
  assert.deepEqual([some.rows, some.sip, some.isWhole], [200_000, 200_000, false]);
  const all = glanceOver(rows(1000) as unknown as Rows);
  assert.deepEqual([all.rows, all.sip, all.isWhole], [1000, 1000, true]);
  assert.deepEqual(all.conversations, [{ between: 'a ↔ b', packets: 1000, protocols: 'SIP' }]);
});

test('Ctrl-G asks for the number of a packet from every view, as Wireshark does, and says which there is not', async () => {
  const stage = await Stage.of('00-field.pcapng');
  await stage.press('3 Ctrl-G');
  assert.match(stage.text, /go to packet/);
  await stage.type('9999');
  assert.match(stage.text, /there is no packet 9999/);
  await stage.press('Enter');
  assert.match(stage.text, /go to packet 9999/, 'the line stays, to be mended');
  await stage.press('Esc');
  assert.match(stage.text, / › Calls /, 'the view stays where nobody went anywhere');
  await stage.press('Ctrl-G Enter');
  assert.match(stage.text, / › Calls /);
  await stage.press('Ctrl-G');
  await stage.type('285.1');
  await stage.press('Enter');
  await stage.until(/ › Packets › inner +220 \/ 223$/m);
  await stage.press('Esc');
  assert.match(stage.text, / › Calls /, 'and back');
  await stage.end();
});
