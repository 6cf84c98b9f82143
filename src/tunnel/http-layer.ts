import type { ConnectNote } from '../../dissectors/http/exchange.js';
import { connectAnswerLength, startLine } from '../../dissectors/http/message.js';
import { PROXY_AUTHENTICATION_REQUIRED } from '../../dissectors/http/status.js';
import type { WebSocketNote } from '../../dissectors/websocket.js';
import { type AnyDissector, type Pdu, type View, Yes } from '../kit/index.js';
import { Answers } from './answers.js';
import { type ClientSide, other, type Side } from './client-side.js';
import type { Connection } from './connection.js';
import { goingOn, isWhole } from './continuation.js';
import type { Half } from './half.js';
import type { ConnectionHost } from './host.js';
import { upgradeOf } from './http-upgrade.js';
import { Messages, TCP_NAMES, viewOf } from './messages.js';
import {
  answered,
  connectOf,
  isAnswer,
  isConnect,
  isEstablished,
  isSuccess,
  type ProxyExchange,
} from './proxy-exchange.js';
import { isRecord } from './records.js';

/**
 * What the messages of HTTP say of their connection: that it is a tunnel from a CONNECT and its answer on, or that both
 * sides go over to another protocol.
 */
export class HttpLayer {
  /** A CONNECT was answered, and what runs now is what it asked for. */
  isConnected = false;
  /** The same, also after the client has asked once more. */
  isProxied = false;
  /** A request was seen. */
  isAsked = false;
  /** Octets are missing where an answer to a CONNECT stood. */
  isUnheard = false;
  /** The CONNECT was not captured: a ServerHello follows its answer. */
  private isUnasked = false;
  private readonly answers = new Answers();

  constructor(
    private readonly connection: Connection,
    private readonly host: ConnectionHost,
    private readonly halves: readonly [Half, Half],
    private readonly client: ClientSide,
  ) {}

  /** Behind what nobody knew (a SOCKS handshake, say) a segment may begin with a message of HTTP. */
  begin(half: Half, buf: Uint8Array, off: number, end: number): void {
    const { http, data } = this.host.dissectors;
    const isNobodys = half.mode === 'opaque' || (half.mode === 'detect' && half.unclaimed > 0);
    if (!isNobodys || this.connection.tunnel !== null || http.probe!(buf, off, end) !== Yes) return;
    half.window.clear();
    half.unclaimed = 0;
    half.restart();
    half.mode = 'pdus';
    half.messages = new Messages(http, half.window, TCP_NAMES, data);
  }

  /** Octets of `side` are missing. */
  gap(side: Side): void {
    this.isUnheard ||= this.connection.tunnel?.proxy !== undefined && !this.isConnected && side !== this.client.side;
  }

  /** What comes behind the hole, and what the client has sent meanwhile, say what the proxy answered in it. */
  behindHole(buf: Uint8Array, off: number, end: number): void {
    this.isUnheard = false;
    const up = this.halves[this.client.side];
    const { window: w } = up;
    if (up.mode === 'wait' && isConnect(up.waiting)) {
      up.mode = 'pdus'; // it was refused, and the client tried again
      this.connection.step(this.client.side);
    }
    if (up.mode !== 'wait' || isAnswer(viewOf(buf, off, end, TCP_NAMES[0]))) return;
    if (isRecord(buf, off, end) || isRecord(w.buf, w.off, w.end)) this.establish();
  }

  /**
   * A ServerHello follows an answer of HTTP whose request was not captured: where that is a success, it was a CONNECT.
   * Returns whether it is.
   */
  unasked(half: Half): boolean {
    if (this.connection.tunnel !== null || !this.speaks(half) || !isSuccess(half.waiting)) return false;
    this.isUnasked = true;
    half.messages!.measure(connectAnswerLength);
    return true;
  }

  /** How long the next message of `side` is, where that is not as the dissector has it. */
  length(side: Side): AnyDissector['pduLength'] {
    return this.answers.length(side);
  }

  /** An answer to a CONNECT has no body, whatever it says of one. RFC 9110 §9.3.6 */
  measure(side: Side): void {
    const half = this.halves[side];
    const { tunnel } = this.connection;
    const answers = tunnel?.proxy !== undefined && side !== this.client.side;
    // Or it answers a CONNECT that was not captured.
    if (answers || (tunnel === null && this.speaks(half) && isEstablished(half.waiting)))
      half.messages!.length = connectAnswerLength;
  }

  /**
   * Gives what a direction holds. Octets that begin no message of HTTP are HTTP all the same once a request was seen, as
   * for tshark; those of a body that is not whole are shown as TCP's alone, but for
   * what the snaplen cut: nobody waits for the rest of that.
   */
  give(pdu: Pdu, { messages, cut }: Half): void {
    const { connection } = this;
    const { http, data } = this.host.dissectors;
    const { buf, off, end } = pdu.view;
    const { dissector, isRest } = messages!;
    if (pdu.dissector !== data || dissector !== http || !this.isAsked) connection.give(pdu);
    else if (cut > 0 || !isRest)
      connection.give(cut > 0 || isWhole(buf, off, end) ? { ...pdu, around: goingOn(http) } : pdu);
  }

  /** `side` sent a message: after a CONNECT and a 2xx everything starts anew. RFC 9110 §9.3.6 */
  message(side: Side, v: View): void {
    const line = startLine(v);
    if (line.startsWith('CONNECT ')) {
      this.connect(side, v, line.split(' ')[1] ?? '');
      return;
    }
    const status = /^HTTP\/1\.\d (\d{3})/.exec(line);
    const code = Number(status?.[1] ?? 0);
    this.isAsked ||= status === null;
    this.answers.see(side, line, code);
    if (code === 101) this.switchProtocols(v);
    if (status !== null) this.answer(side, v, code);
  }

  /** `side` sent a message that the snaplen cut: what it asks for is known where that was captured. */
  begins(side: Side, v: View): void {
    if (isConnect(v) || !startLine(v).startsWith('CONNECT ')) this.message(side, v);
  }

  private connect(side: Side, v: View, target: string): void {
    const { connection } = this;
    // It waited behind a hole until after its answer, or the capture has what came back first.
    const isOld = this.isConnected && (connection.tunnel === null || this.halves[other(side)].mode === 'tls');
    this.client.is(side);
    const tunnel = connection.becomeTunnel();
    tunnel.proxy = connectOf(v, target, tunnel.proxy);
    this.isConnected = false;
    if (isOld) {
      tunnel.proxy.status = 200;
      this.establish();
    } else this.halves[side].mode = 'wait';
    if (this.early !== null) {
      Object.assign(tunnel.proxy, this.early);
      this.early = null;
      this.halves[side].mode = 'pdus';
    }
    this.dropLineEnds(side);
  }

  /** A refusal that no request came before, where the capture has both directions out of order. */
  private early: Partial<ProxyExchange> | null = null;

  private answer(side: Side, v: View, code: number): void {
    const { tunnel } = this.connection;
    if (tunnel === null && (this.isUnasked || isEstablished(v))) {
      this.client.is(other(side));
      this.establish();
      this.dropLineEnds(side);
      return;
    }
    if (tunnel === null && !this.isAsked && code >= 300 && code !== PROXY_AUTHENTICATION_REQUIRED)
      answered((this.early = {}), code, v, false);
    if (tunnel?.proxy === undefined || side === this.client.side || this.isConnected || code < 200) return;
    const up = this.halves[other(side)];
    // Behind a hole the answer waited longer than it took.
    const isHasty = up.mode === 'wait' && up.window.end > up.window.off && this.halves[side].missing === 0;
    answered(tunnel.proxy, code, v, isHasty);
    if (code < 300) {
      this.establish();
      this.dropLineEnds(side);
    } else up.mode = 'pdus'; // a retry with credentials, or another request
  }

  /** The proxy has connected: both sides start anew. */
  establish(): void {
    this.isConnected = true;
    this.isProxied = true;
    const note: ConnectNote = { connect: this.connection.tunnel?.proxy?.target ?? '' };
    this.connection.around = { dissector: this.host.dissectors.http, note };
    // Where what came back stands first in the capture it is TLS already.
    for (const half of this.halves) if (half.mode !== 'tls') half.mode = 'detect';
  }

  private speaks({ messages }: Half): boolean {
    return messages?.dissector === this.host.dissectors.http;
  }

  /** After a 101 that names HTTP/2 or WebSocket both sides speak it. RFC 9110 §15.2.2. */
  private switchProtocols(v: View): void {
    const { http, data } = this.host.dissectors;
    const upgrade = upgradeOf(v);
    const next = upgrade === undefined ? undefined : this.host.application(upgrade.proto);
    if (next === undefined) {
      for (const { messages } of this.halves) if (messages !== null) messages.length = (_, off, end) => end - off;
      return;
    }
    this.connection.around = goingOn(http);
    for (const half of this.halves) {
      half.mode = 'pdus';
      half.messages = new Messages(next, half.window, TCP_NAMES, data);
      half.messages.note = { subprotocol: upgrade!.subprotocol } satisfies WebSocketNote;
    }
  }

  /** Line ends behind a message are no part of what follows it. RFC 9112 §2.2. */
  private dropLineEnds(side: Side): void {
    const { window: w, lineEnds } = this.halves[side];
    if (lineEnds === 0) return;
    const { buf, off, end } = w.take(lineEnds);
    this.host.pdu({ dissector: this.host.dissectors.data, view: viewOf(buf, off, end, TCP_NAMES[0]) });
  }
}
