import { headerOf, headersOf, type SipRepresentation } from '../../../dissectors/sip/index.js';
import { listOf, parseCSeq, parseNameAddress, tagOf } from './header-text.js';

/** A peer-to-peer relation of two user agents, and what requests within it are made of. RFC 3261 §12 */
export class Dialog {
  /** Contact of the peer, where requests go. */
  target: string;
  readonly routes: readonly string[];
  /** Highest CSeq of the peer. */
  remoteCSeq: number;

  private constructor(
    readonly callId: string,
    /** From or To as we write it, tag included. */
    readonly localName: string,
    readonly remoteName: string,
    target: string,
    routes: readonly string[],
    remoteCSeq: number,
    public localCSeq: number,
  ) {
    this.target = target;
    this.routes = routes;
    this.remoteCSeq = remoteCSeq;
  }

  /** The dialog that a response to our request makes; undefined without a To tag. RFC 3261 §12.1.2 */
  static ofResponse(request: SipRepresentation, response: SipRepresentation): Dialog | undefined {
    const to = headerOf(response, 'To') ?? '';
    if (tagOf(to) === undefined) return undefined;
    const routes = listOf(headersOf(response, 'Record-Route')).reverse();
    const { uri } = request.start as { uri: string };
    const target = contactOf(response) ?? uri;
    const local = headerOf(request, 'From') ?? '';
    const cseq = parseCSeq(headerOf(request, 'CSeq'))?.number ?? 1;
    return new Dialog(headerOf(request, 'Call-ID') ?? '', local, to, target, routes, 0, cseq);
  }

  /** The dialog that our response to a request makes. RFC 3261 §12.1.1 */
  static ofRequest(request: SipRepresentation, localTag: string): Dialog {
    const remote = headerOf(request, 'From') ?? '';
    const local = `${headerOf(request, 'To') ?? ''};tag=${localTag}`;
    const target = contactOf(request) ?? parseNameAddress(remote)?.uri ?? '';
    const routes = listOf(headersOf(request, 'Record-Route'));
    const cseq = parseCSeq(headerOf(request, 'CSeq'))?.number ?? 0;
    return new Dialog(headerOf(request, 'Call-ID') ?? '', local, remote, target, routes, cseq, 0);
  }

  get localTag(): string {
    return tagOf(this.localName) ?? '';
  }
  get remoteTag(): string {
    return tagOf(this.remoteName) ?? '';
  }

  /** Whether a request of the peer belongs to the dialog. RFC 3261 §12.2.2 */
  owns(request: SipRepresentation): boolean {
    return (
      headerOf(request, 'Call-ID') === this.callId &&
      tagOf(headerOf(request, 'To')) === this.localTag &&
      (tagOf(headerOf(request, 'From')) ?? '') === this.remoteTag
    );
  }

  /** Headers of a request within the dialog, besides Via and CSeq. RFC 3261 §12.2.1.1 */
  headers(): [string, string][] {
    return [
      ['From', this.localName],
      ['To', this.remoteName],
      ['Call-ID', this.callId],
      ...this.routes.map((r): [string, string] => ['Route', r]),
    ];
  }

  /** Takes a new contact of the peer. RFC 3261 §12.2.1.2, §12.2.2 */
  refresh(message: SipRepresentation): void {
    this.target = contactOf(message) ?? this.target;
  }
}

const contactOf = (m: SipRepresentation): string | undefined =>
  parseNameAddress(listOf(headersOf(m, 'Contact'))[0] ?? '')?.uri;
