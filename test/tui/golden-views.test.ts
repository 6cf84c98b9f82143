import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ROOT } from '../support/corpus.js';
import { golden, Stage, sample, viewerOf } from './support/stage.js';

/*
 * What the screens look like, as somebody has looked at them: every view and state of the design at three sizes.
 * FTTSCOPE_GOLDEN=write keeps what is there now, for the next look.
 */

const SIZES = [
  [80, 24],
  [120, 40],
  [200, 50],
] as const;

const folder = mkdtempSync(join(tmpdir(), 'fttscope-golden-'));
after(() => rmSync(folder, { recursive: true }));

/** Keys, and words that are typed (they begin with `=`). */
async function go(stage: Stage, steps: readonly string[]): Promise<void> {
  for (const step of steps) {
    if (step.length > 1 && step.startsWith('=')) await stage.type(step.slice(1));
    else await stage.press(step);
  }
}

/** Waits until nothing on the screen says that something is still to come. */
async function complete(stage: Stage): Promise<void> {
  for (let i = 0; i < 100 && /(reading|drawing|counting|following)[^.]* …/.test(stage.text); i++) await stage.settled();
}

/** A screen beneath its title, without what is another each time: the time of day, and how many protocols there are. */
const lasting = (text: string): string =>
  text
    .replaceAll(`${ROOT}/`, '')
    .replace(/^.*\n/, '')
    .replace(/^ \d\d:\d\d:\d\d /gm, ' hh:mm:ss ')
    .replace(/ \+\d{3}$/gm, ' +199');

/** Compares the screen at each size with what was kept; in between it is resized with all that is on it. */
async function look(name: string, path: string, steps: readonly string[]): Promise<void> {
  const { viewer, fields } = await viewerOf([path]);
  const stage = new Stage(viewer, fields, ...SIZES[0]);
  await stage.settled();
  await go(stage, steps);
  for (const [width, height] of SIZES) {
    stage.resize(width, height);
    await stage.settled();
    await complete(stage);
    const { expected, actual } = golden(`${name}-${width}x${height}`, lasting(stage.text));
    assert.equal(actual, expected, `${name} at ${width}x${height}`);
    assert.ok(stage.display.lines.every((l) => l.length <= width));
  }
  await stage.end();
}

const FIELD = sample('00-field.pcapng');

describe('views', { concurrency: 4 }, () => {
  const views: Readonly<Record<string, readonly string[]>> = {
    calls: ['3'],
    ladder: ['3', 'Down', 'Enter', 'Down Down'],
    'ladder-extended': ['3', 'x', 'Enter'],
    'ladder-of-two': ['3', 'Space', 'Space', 'Enter'],
    'ladder-of-a-tunnel': ['Down', 'x', 'Down Down'],
    'calls-none': ['Down', '3'],
    compare: ['3', 'Enter', 'Space', 'Down Down Down', 'Space'],
    media: ['4', 'Down'],
    findings: ['5'],
    statistics: ['6'],
    conversations: ['6', 'Right'],
    numbers: ['6', 'Tab', 'Enter'],
    endpoints: ['6', 'Right Right'],
    protocols: ['6', 'Left', '6'],
    'protocols-of-a-tunnel': ['Down', '6', 'Left'],
    raw: ['3', 'Enter', 'r'],
    found: ['2', 'Ctrl-F', '=REGISTER', 'Enter'],
    'ladder-with-sdp': ['3', 'Enter', 'd'],
    registration: ['3', 'Down Down'],
    'decode-as': ['2', ':', '=decode-as udp.port==5060,', 'Tab'],
    'findings-by-tunnel': ['5', '5', ':', '=group', 'Enter'],
    'field-info': ['2', 'Tab', 'i'],
    'no-such-command': [':', '=nonsense', 'Enter'],
    live: ['7'],
    log: ['8'],
    keys: ['K'],
    export: ['3', 'e'],
    write: ['2', 'w'],
    follow: ['2', '/', '=sip', 'Enter', '='],
    form: ['F7'],
    settings: ['F8'],
    info: ['3', 'i'],
    columns: ['2', 'F10', 'Down Down'],
    'column-of-field': ['2', ':', '=add-column sip.Method or sip.Status-Code  Meth', 'Enter', 'Down'],
    outer: ['2', 'o'],
    'frames-of-a-message': ['5', 'Enter', 'o'],
    palette: ['2', ':', '=find', 'Tab'],
    'filter-completed': ['2', '/', '=sip.St', 'Tab'],
    'filter-values': ['2', '/', '=sip.Method == ', 'Tab'],
    question: ['2', 'w', '=k'],
  };
  for (const [name, steps] of Object.entries(views)) test(name, () => look(`view-${name}`, FIELD, steps));
});

describe('states', { concurrency: 4 }, () => {
  const noKeys = join(folder, 'nokeys.pcapng');
  writeFileSync(noKeys, readFileSync(sample('28-overloaded.pcapng')));
  const states: Readonly<Record<string, readonly [path: string, steps: readonly string[]]>> = {
    'no-keys-keys': [noKeys, ['K']],
    'no-keys-calls': [noKeys, ['3']],
    gap: [FIELD, ['Down']],
    'not-envelopes': [FIELD, ['G']],
    'no-calls': [sample('24-dhcp-pool-empty.pcapng'), ['3']],
    'no-media': [sample('28-overloaded.pcapng'), ['4']],
    'no-findings': [sample('20-healthy-call.pcapng'), ['5', 'X']],
  };
  for (const [name, [path, steps]] of Object.entries(states)) test(name, () => look(`state-${name}`, path, steps));
});

test('the card of a capture', () => {
  // Its path is part of what is seen, and of how wide the card is.
  process.chdir(join(ROOT, 'samples'));
  return look('view-capture-card', '00-field.pcapng', ['g f']);
});

test('a terminal that is too small says so, and one that is small shows one pane', async () => {
  const stage = await Stage.of('28-overloaded.pcapng', 60, 16);
  for (const key of ['1', '2', '3', '4', '5', '6', '7', '8']) {
    await stage.press(key);
    assert.ok(stage.display.lines.every((l) => l.length <= 60));
  }
  stage.resize(30, 6);
  await stage.settled();
  assert.match(stage.text, /30x6 is too small/);
  stage.resize(80, 24);
  await stage.settled();
  assert.match(stage.text, /8 Log/);
  await stage.end();
});
