import { StepFailed } from './scenario-lines.js';
import { type Arguments, whole, within } from './scenario-values.js';
import type { Verb } from './scenario-verbs.js';
import type { Call, CallState } from './sip/call.js';
import type { Outcome } from './sip/user-agent.js';
import type { Ue } from './ue.js';
import type { UeSip } from './ue-sip.js';

const REGISTER_MS = 30_000;
const ANSWER_MS = 60_000;
const MESSAGE_MS = 30_000;
const FAREWELL_MS = 3000;
const PACKET_MS = 20;
const DIGITS_MS = 5000;

/** Status of a call that is refused. RFC 3261 §21 */
const REFUSAL = whole(300, 699);

/** `bob` and `bob@domain` as URIs. */
function uriOf(domain: string, to: string): string {
  if (/^(sips?|tel):/.test(to)) return to;
  return to.includes('@') ? `sip:${to}` : `sip:${to}@${domain}`;
}

async function register(ue: Ue, a: Arguments): Promise<void> {
  const sip = await ue.startSip();
  const heard = ue.hear(
    /^(registered|registration failed|challenged, no answer)/,
    within(a, REGISTER_MS),
    'the P-CSCF did not answer',
  );
  sip.agent.register();
  const line = await heard;
  if (!line.startsWith('registered')) throw new StepFailed(line);
}

/**
 * Whether what is told of a call is told of this one: another may come in, and be taken back, at the same time.
 * @param state of it now; undefined where it ended before it was there
 */
const isOf =
  (state: () => CallState | undefined) =>
  (line: string): boolean => {
    const now = state() ?? 'ended';
    if (line.startsWith('call ended')) return now === 'ended';
    return line !== 'call answered' || now === 'confirmed';
  };

async function call(ue: Ue, a: Arguments): Promise<void> {
  const sip = ue.sip();
  let made: Call | undefined;
  const isMeant = isOf(() => made?.state);
  const heard = ue.hear(/^call (answered|ended)/, within(a, ANSWER_MS), 'nobody answered', isMeant);
  const one = (made = sip.agent.call(uriOf(ue.domain, a.to as string), a.reliable === false ? 'none' : 'supported'));
  const { cancel, status } = a;
  if (cancel !== undefined) {
    const takeBack = (): void => {
      if (one.state !== 'confirmed') one.hangUp();
    };
    ue.pause(cancel as number).then(takeBack, () => {});
  }
  const line = await heard.catch((e) => {
    one.hangUp();
    throw e;
  });
  const wanted = cancel === undefined ? `: ${status}` : 'by this UE';
  if ((cancel ?? status) !== undefined && line.startsWith('call ended') && line.includes(wanted)) return;
  if (line !== 'call answered') throw new StepFailed(line);
  if (status !== undefined) throw new StepFailed(`the call was answered, not refused with ${status}`);
  if (cancel !== undefined) throw new StepFailed('the call was answered before it was taken back');
}

async function answer(ue: Ue, a: Arguments): Promise<void> {
  const sip = ue.sip();
  const ms = within(a, ANSWER_MS);
  if (sip.ringing === undefined) await ue.hear(/^call from/, ms, 'nobody called');
  const one = sip.ringing;
  if (one === undefined) throw new StepFailed('the call is gone');
  const ring = (a.ring as number | undefined) ?? 0;
  const isMeant = isOf(() => one.state);
  const heard = ue.hear(/^call (answered|ended)/, ring + ms, 'the call was not established', isMeant);
  if (a.ring !== undefined) {
    one.ring();
    const over = await Promise.race([ue.pause(ring), heard]);
    if (over !== undefined) throw new StepFailed(over);
  }
  if (a.reject !== undefined) {
    one.reject(a.reject as number);
    return;
  }
  one.answer();
  const line = await heard;
  if (line !== 'call answered') throw new StepFailed(line);
}

/** Sends a request outside of calls, and waits for the answer. @throws StepFailed for other than 2xx */
async function ask(ue: Ue, a: Arguments, what: string, send: (uri: string, outcome: Outcome) => void): Promise<void> {
  const uri = uriOf(ue.domain, a.to as string);
  const answered = new Promise<number>((resolve) => send(uri, resolve));
  const status = await Promise.race([answered, ue.pause(within(a, MESSAGE_MS)).then(() => 408)]);
  if (status < 200 || status >= 300) throw new StepFailed(`${what} to ${uri}: ${status}`);
  ue.tell(`${what} to ${uri}: ${status}`);
}

function current(ue: Ue): NonNullable<UeSip['call']> {
  const { call: one } = ue.sip();
  if (one === undefined) throw new StepFailed('there is no call');
  return one;
}

async function hold(ue: Ue, a: Arguments): Promise<void> {
  const one = current(ue);
  if (a.by !== 'update' && one.state !== 'confirmed') throw new StepFailed('the call is not answered yet');
  const heard = ue.hear(
    /^(media: \S+ with|call ended|.* refused: )/,
    within(a, MESSAGE_MS),
    'the other side did not answer',
    isOf(() => one.state),
  );
  const method = a.by === 'update' ? 'UPDATE' : 'INVITE';
  if (a.off === true) one.resume(method);
  else one.hold(method);
  const line = await heard;
  if (!line.startsWith('media: ')) throw new StepFailed(line);
}

async function dtmf(ue: Ue, a: Arguments): Promise<void> {
  const one = current(ue);
  for (const digit of a.digits as string) {
    ue.sip().digit(one, digit);
    await ue.pause((a.pause as number | undefined) ?? 250);
  }
  // What comes next, such as the end of the call, is not to cut the last one off.
  for (let ms = 0; one.state === 'confirmed' && ue.signalling?.media?.dialling; ms += PACKET_MS) {
    if (ms >= DIGITS_MS) throw new StepFailed('the digits wait: is the call on hold?');
    await ue.pause(PACKET_MS);
  }
}

/** Ends the call. Who waits for no answer to its BYE has left the other side in the call where it was lost. */
async function hangUp(ue: Ue, a: Arguments): Promise<void> {
  const one = current(ue);
  const saysBye = one.state === 'confirmed';
  const isMeant = isOf(() => one.state);
  const ended = ue.hear(/^call ended/, MESSAGE_MS, undefined, isMeant);
  one.onFarewell = (status) => ue.tell(`BYE: ${status}`);
  one.hangUp();
  await ended;
  if (saysBye)
    await ue.hear(/^BYE: /, within(a, FAREWELL_MS), 'BYE was not answered').catch((e: Error) => ue.tell(e.message));
}

/** The verbs of SIP. */
export const CALL_VERBS: Readonly<Record<string, Verb>> = {
  register: {
    about: 'register with the P-CSCF',
    takes: { within: 'duration' },
    bare: 'within',
    run: register,
  },
  deregister: {
    about: 'take the registration back',
    takes: { within: 'duration' },
    bare: 'within',
    run: (ue, a) => ue.deregister(within(a, REGISTER_MS)),
  },
  call: {
    about: 'call somebody and wait for the answer, or for a refusal with a status; or take the call back after a while',
    takes: { to: 'party', status: REFUSAL, cancel: 'duration', reliable: 'flag', within: 'duration' },
    bare: 'to',
    needs: ['to'],
    run: call,
  },
  answer: {
    about: 'wait for a call, let it ring, answer it or reject it',
    takes: { ring: 'duration', reject: REFUSAL, within: 'duration' },
    bare: 'ring',
    run: answer,
  },
  hangup: {
    about: 'end the call, and wait for the answer to that',
    takes: { within: 'duration' },
    bare: 'within',
    run: hangUp,
  },
  dtmf: {
    about: 'send digits as telephone events, or by INFO where the call has none',
    takes: { digits: 'digits', pause: 'duration' },
    bare: 'digits',
    needs: ['digits'],
    run: dtmf,
  },
  hold: {
    about: 'put the other side on hold; off takes it back',
    takes: { off: 'flag', by: ['invite', 'update'], within: 'duration' },
    bare: 'off',
    run: hold,
  },
  message: {
    about: 'send a text message',
    takes: { to: 'party', text: 'text', within: 'duration' },
    bare: 'to',
    needs: ['to'],
    run: (ue, a) =>
      ask(ue, a, 'message', (uri, outcome) => ue.sip().agent.message(uri, String(a.text ?? 'hello'), outcome)),
  },
  options: {
    about: 'ask somebody what it can do',
    takes: { to: 'party', within: 'duration' },
    bare: 'to',
    needs: ['to'],
    run: (ue, a) => ask(ue, a, 'options', (uri, outcome) => ue.sip().agent.queryOptions(uri, outcome)),
  },
};
