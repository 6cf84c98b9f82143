import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCutOff } from '../../src/model/tally.js';
import { callWords } from '../../src/report/report-words.js';
import { type Dialogue, isBad, stateOf } from '../../src/tui/dialog-list.js';
import { CaptureBuilder } from '../build/capture.js';
import { clearConversation } from '../build/conversation.js';
import { file, run } from '../cli/run.js';
import { both, called, ENDS, type Json, reportOn, talk } from '../model/support.js';

/** A call that was on when its tunnel was reset. */
const { octets } = new CaptureBuilder()
  .connection(clearConversation(both(called(talk(), 1000, 0, false), 1210, 90).steps), {
    ...ENDS,
    step: 10,
    end: 'rst',
  })
  .build();

test('a call that was on when its tunnel ended is told as cut off, with its messages and when that was', () => {
  const capture = file('cut-off.pcapng', octets);
  const { out } = run(['report', '--markdown', capture]);
  assert.match(out, /^- 1 call: 1 cut off$/m);
  assert.match(out, /\| established, cut off \|.*\| The tunnel ended during the call: a reset came/);
  assert.match(out, /^### Call 1, /m);
  // The reset came 2996 ms after the capture began, and the INVITE 1000 ms.
  assert.match(out, /^ +1\.9\d\d ! call 1 was cut off: The tunnel ended during the call/m);
  const page = run(['report', '--html', capture]).out;
  assert.match(page, /<li>1 call: 1 cut off<\/li>/);
  assert.match(page, /<span class="bad">established, cut off<\/span>/);
  assert.doesNotMatch(page, /call 1 failed/);
  assert.match(run(['read', capture, '-q', '-z', 'fttims,calls']).out, /established, cut off/);
});

test('so it is in the list of calls; one that goes on is not', async () => {
  const { calls, summary } = await reportOn(octets);
  const [call] = calls;
  assert.deepEqual([summary.calls.byState.established, summary.calls.cutOff], [1, 1]);
  const stated = (entity: Json): [string, boolean] => {
    const d = { kind: 'call', entity, media: [] } as unknown as Dialogue;
    return [stateOf(d), isBad(d)];
  };
  assert.deepEqual(stated(call), ['CUT OFF', true]);
  const { failure: _, ...on } = call;
  assert.deepEqual(stated(on), ['ESTABLISHED', false]);
  assert.deepEqual([isCutOff(call), callWords(on)], [true, 'established']);
});
