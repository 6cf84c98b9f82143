import { fieldValue, readMessage, startLine } from '../../dissectors/http/message.js';
import { PROXY_AUTHENTICATION_REQUIRED } from '../../dissectors/http/status.js';
import type { View } from '../kit/index.js';

/** A CONNECT, and what was answered (RFC 9110 §9.3.6). */
export interface ProxyExchange {
  readonly target: string;
  /** Its Host, and whether it has credentials. */
  readonly host: string;
  readonly hasCredentials: boolean;
  status?: number;
  /** Schemes of authentication that the proxy offers. RFC 9110 §11.7.1 */
  schemes?: readonly string[];
  /** After how many seconds the UE may ask again, where it is refused. RFC 9110 §10.2.3 */
  retryAfterSeconds?: number;
  /** The header of a 2xx that says how long its body is, though it has none. */
  bodyHeader?: (typeof BODY_HEADERS)[number];
  /** The client did not wait for the answer. */
  isHasty?: boolean;
  /** Behind a 2xx something came from beyond the proxy. */
  hasReply?: boolean;
  /** The CONNECT before it in the same connection, to which the proxy said that it wants credentials. */
  readonly before?: ProxyExchange;
}

/** Whether a message begins as a CONNECT whose target is there. */
export const isConnect = (v: View): boolean => /^CONNECT \S+ /.test(startLine(v));
/** Whether one is an answer, and one that is a success. */
export const isAnswer = (v: View): boolean => /^HTTP\/1\.\d \d{3}/.test(startLine(v));
/** Whether a status line says 2xx, after which the connection is a tunnel. RFC 9110 §9.3.6 */
export const isSuccess = (v: View): boolean => /^HTTP\/1\.\d 2\d\d/.test(startLine(v));
/** What is no TLS and may be read by people: the status of an answer of HTTP, 0 for a page of HTML, or undefined. */
export function pageOf(v: View): number | undefined {
  const line = startLine(v);
  const status = /^HTTP\/1\.\d (\d{3})/.exec(line)?.[1];
  if (status !== undefined) return Number(status);
  return /^\s*<(?:!doctype\s+html|html|head|body|meta|script)\b/i.test(line) ? 0 : undefined;
}

const UPPER_H = 72;
/** Whether one is what proxies answer to a CONNECT, and servers to nothing else. */
export const isEstablished = (v: View): boolean =>
  v.buf[v.off] === UPPER_H && /^HTTP\/1\.\d 200 connection established/i.test(startLine(v));

/** They say how long a body is. */
const BODY_HEADERS = ['content-length', 'transfer-encoding'] as const;

/** The CONNECT that is the message `v`. @param last the one before it in the connection */
export function connectOf(v: View, target: string, last: ProxyExchange | undefined): ProxyExchange {
  const m = readMessage(v.buf, v.off, v.end);
  const text = (name: string): string => (m === undefined ? '' : fieldValue(m, name));
  const before = last?.status === PROXY_AUTHENTICATION_REQUIRED ? { before: last } : {};
  return { target, host: text('host'), hasCredentials: text('proxy-authorization') !== '', ...before };
}

/**
 * Takes the answer to a CONNECT, which is the message `v`.
 * @param isHasty the client sent more before it
 */
export function answered(p: Partial<ProxyExchange>, status: number, v: View, isHasty: boolean): void {
  p.status = status;
  const headers = readMessage(v.buf, v.off, v.end)?.headers ?? [];
  if (status === PROXY_AUTHENTICATION_REQUIRED)
    p.schemes = headers.flatMap(({ name, value }) =>
      name === 'proxy-authenticate' ? (/^\s*([\w-]+)/.exec(value)?.[1] ?? []) : [],
    );
  if (status >= 300) {
    // Where it is a date, only the clock of the proxy knows.
    const retry = /^\s*(\d{1,9})\s*$/.exec(headers.find((h) => h.name === 'retry-after')?.value ?? '');
    if (retry !== null) p.retryAfterSeconds = Number(retry[1]);
    return;
  }
  p.isHasty = isHasty;
  const header = headers.flatMap(({ name }) => BODY_HEADERS.find((b) => b === name) ?? [])[0];
  if (header !== undefined) p.bodyHeader = header;
}
