import { difference, LIMITS, latin1, type Track, type View, Yes } from 'fttscope/kit';
import { fieldValue, type Message, readMessage, startsMessage, statusOf, targetOf } from './message.js';

/** What other messages of the connection say about one message. */
export interface HttpNote {
  /** Number of the request or response in its connection, from 1. */
  readonly number: number;
  /** Frame of the request or response before, 0 if there is none. */
  readonly prevRequest: number;
  readonly prevResponse: number;
  /** Of a response: what it answers. */
  readonly request: Request | undefined;
  /** Seconds and nanoseconds since the request. */
  readonly seconds: number;
  readonly nanos: number;
}

/** Left instead for what runs in a CONNECT: its target. */
export interface ConnectNote {
  readonly connect: string;
}

/** A request: its frame, when it came (since the epoch), and its full URI or target. */
export interface Request {
  readonly frame: number;
  readonly seconds: number;
  readonly nanos: number;
  readonly uri: string;
}

/** A connection: requests that wait for their responses, oldest first. */
export class Exchanges {
  waiting: Request[] = [];
  requests = 0;
  responses = 0;
  lastRequest = 0;
  /** Frame of the request answered last, and of its response. */
  answered = 0;
  lastResponse = 0;
}
/** The state of a connection that has carried nothing. */
export const newExchanges = (): Exchanges => new Exchanges();

/** Follows one message of a connection; undefined for what is no message. */
export function follow(v: View, cx: Track, state: Exchanges): HttpNote | undefined {
  const { buf } = v;
  const m = startsMessage(buf, v.off, v.end) === Yes ? readMessage(buf, v.off, v.end) : undefined;
  if (m === undefined) return undefined;
  return statusOf(buf, m) === 0 ? request(buf, m, cx, state) : response(buf, m, cx, state);
}

function request(b: Uint8Array, m: Message, cx: Track, state: Exchanges): HttpNote {
  const prevRequest = state.lastRequest;
  state.requests++;
  state.lastRequest = cx.frame;
  const uri = fullUri(b, m) || target(b, m);
  if (state.waiting.length >= LIMITS.transactions) cx.capped('transactions');
  else state.waiting.push({ frame: cx.frame, seconds: cx.seconds, nanos: cx.nanos, uri });
  return { number: state.requests, prevRequest, prevResponse: 0, request: undefined, seconds: 0, nanos: 0 };
}

function response(b: Uint8Array, m: Message, cx: Track, state: Exchanges): HttpNote {
  const status = statusOf(b, m);
  const interim = status >= 100 && status < 200 && status !== 101; // RFC 9110 §15.2: the final response is still to come
  const answer = interim ? state.waiting[0] : state.waiting.shift();
  const [prevRequest, prevResponse] = [state.answered, state.lastResponse];
  state.responses++;
  state.lastResponse = cx.frame;
  if (answer !== undefined && !interim) state.answered = answer.frame;
  if (answer === undefined && !interim) {
    // What it answers was not captured, and had a number of its own.
    state.requests++;
    state.lastRequest = 0;
  }
  const { seconds: since, nanos: sinceNanos } = answer ?? cx;
  const [seconds, nanos] = difference(cx.seconds, cx.nanos, since, sinceNanos);
  return { number: state.responses, prevRequest, prevResponse, request: answer, seconds, nanos };
}

/** The request target. */
export function target(b: Uint8Array, m: Message): string {
  const { off, end } = targetOf(b, m.start);
  return latin1(b, off, end);
}

/** The target as an absolute URI, or '' where it cannot be made: CONNECT, or no Host. */
export function fullUri(b: Uint8Array, m: Message): string {
  const t = target(b, m);
  if (b[m.start.off] === 67 && latin1(b, m.start.off, m.start.off + 8) === 'CONNECT ') return '';
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(t)) return t;
  const host = fieldValue(m, 'host');
  return host === '' ? '' : `http://${host}${t}`;
}
