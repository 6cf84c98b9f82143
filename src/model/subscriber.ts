import { Header, headerId } from '../../dissectors/sip/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import type { Subscriber, TunnelEntity } from './entities.js';
import { parameterOf, type SipEvent } from './sip-event.js';

const P_CALLED_PARTY_ID = headerId('P-Called-Party-ID');

/** What the UE of a tunnel, or its user, is known by best. */
export const subscriberName = ({ subscriber: s }: TunnelEntity): string | undefined =>
  s?.instanceId ?? s?.impi ?? s?.impu[0];

/** Who uses a tunnel, as its SIP messages tell. */
export class Identity {
  private readonly impu = new Set<string>();
  private impi: string | undefined;
  private instanceId: string | undefined;
  private userAgent: string | undefined;
  private msisdn: string | undefined;

  /** @param reached is told of identities that do not fit */
  constructor(private readonly reached: ReachedLimits) {}

  /** A message of the UE. */
  sent(e: SipEvent): void {
    const { method } = e;
    this.userAgent ??= e.text(Header.UserAgent);
    if (method === 'REGISTER') {
      this.add(e.to.uri);
      const credentials = e.text(Header.Authorization);
      this.impi ??= credentials === undefined ? undefined : parameterOf(credentials, 'username');
      this.instanceId ??= /\+sip\.instance\s*=\s*"?<?([^">;]+)/i.exec(e.text(Header.Contact) ?? '')?.[1];
    }
    for (const { uri } of e.parties(Header.PPreferredIdentity)) this.add(uri);
  }

  /** An answer to a REGISTER of the UE. */
  registered(e: SipEvent): void {
    for (const { uri } of e.parties(Header.PAssociatedUri)) this.add(uri);
  }

  /** A message to the UE: the identity of the user that it is for. RFC 7315 §4.2 */
  addressed(e: SipEvent): void {
    if (e.isRequest) this.add(e.party(P_CALLED_PARTY_ID).uri);
  }

  private add(uri: string): void {
    if (uri === '' || this.impu.has(uri)) return;
    if (this.impu.size >= LIMITS.identities) {
      this.reached.capped('identities');
      return;
    }
    this.impu.add(uri);
    this.msisdn ??= /^(?:tel:|sips?:)(\+\d{5,15})(?:[@;]|$)/i.exec(uri)?.[1];
  }

  get entry(): Subscriber | undefined {
    const { impi, instanceId, userAgent, msisdn } = this;
    if (this.impu.size === 0 && userAgent === undefined) return undefined;
    return {
      impu: [...this.impu],
      ...(impi !== undefined && { impi }),
      ...(instanceId !== undefined && { instanceId }),
      ...(userAgent !== undefined && { userAgent }),
      ...(msisdn !== undefined && { msisdn }),
    };
  }
}
