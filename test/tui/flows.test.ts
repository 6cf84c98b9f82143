import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MessageEntity, SubscriptionEntity } from '../../src/model/entities.js';
import type { Dialogue } from '../../src/tui/dialog-list.js';
import { dialogueFlow } from '../../src/tui/flows.js';
import type { Story } from '../../src/tui/told.js';

/** Of a story without tunnels ladders of messages need no more. */
const story = { tunnels: [] } as unknown as Story;

const common = {
  id: 1,
  uid: '0',
  callId: 'm1@x',
  start: { seconds: 1, nanos: 0 },
  fromUri: 'sip:alice@ims.example',
  toUri: 'sip:bob@ims.example',
};

/** Arrows as `row: from > to text`. */
function arrows(d: Dialogue): string[] {
  const { columns, items } = dialogueFlow(story, [d]);
  return items.flatMap((x) =>
    x.kind === 'arrow' ? [`${x.row}: ${columns[x.from].title} > ${columns[x.to].title} ${x.text}`] : [],
  );
}

test('a short message to the UE goes to it, and is answered by it', () => {
  const entity: MessageEntity = { ...common, direction: 'down', status: 200, responseRow: '8.1', rows: ['7.1', '8.1'] };
  assert.deepEqual(arrows({ kind: 'message', entity }), ['7.1: P-CSCF > UE MESSAGE', '8.1: UE > P-CSCF 200']);
});

test('what answers a subscription stands where it came, also behind a NOTIFY', () => {
  const entity: SubscriptionEntity = {
    ...common,
    method: 'SUBSCRIBE',
    event: 'reg',
    status: 200,
    responseRow: '5.1',
    rows: ['3.1', '4.1', '5.1'],
  };
  assert.deepEqual(arrows({ kind: 'subscription', entity }), [
    '3.1: UE > P-CSCF SUBSCRIBE reg',
    '5.1: P-CSCF > UE 200',
  ]);
  const { status: _, responseRow: __, ...late } = entity;
  assert.deepEqual(arrows({ kind: 'subscription', entity: { ...late, method: 'NOTIFY' } }), [
    '3.1: P-CSCF > UE NOTIFY reg',
  ]);
});
