import { bareUri, Header } from '../../dissectors/sip/index.js';
import { LIMITS, type ReachedLimits } from '../limits.js';
import type { Arrival, Moment, Seen } from './moment.js';
import type { Registration } from './registration.js';
import type { Party, SipEvent } from './sip-event.js';

/** One contact of a REGISTER or of its answer. RFC 3261 §10.2 */
export interface Contact {
  readonly uri: string;
  /** Its own `expires`; undefined: as the header of the message says. */
  readonly expires: number | undefined;
  /** What the registrar knows it by: its instance and registration number (RFC 5626 §6), or its URI. */
  readonly key: string;
}

const NONE: Contact = { uri: '', expires: undefined, key: '' };

/** `;expires=` of a contact. RFC 3261 §20.10 */
function expiresOf(parameters: string): number | undefined {
  const m = /;\s*expires\s*=\s*"?(\d{1,10})/i.exec(parameters);
  return m === null ? undefined : Number(m[1]);
}

function contactOf({ uri, parameters }: Party): Contact {
  const instance = /;\s*\+sip\.instance\s*=\s*("[^"]*")/i.exec(parameters)?.[1];
  const number = /;\s*reg-id\s*=\s*(\d+)/i.exec(parameters)?.[1];
  const key = instance === undefined || number === undefined ? uri : `${instance} ${number}`;
  return { uri, expires: expiresOf(parameters), key };
}

/** The contact that a REGISTER binds: the first that it does not remove; one without URI where it removes all, or asks. */
export function boundBy(e: SipEvent): Contact {
  const all = e.parties(Header.Contact).map(contactOf);
  return all.find((c) => c.expires !== 0) ?? all[0] ?? NONE;
}

/** What an answer, which lists all bindings of the user, says of a contact; undefined where it says nothing. */
export function grantedTo(own: Contact, e: SipEvent): Contact | undefined {
  const all = e.parties(Header.Contact).map(contactOf);
  return (
    all.find((c) => c.uri === own.uri) ?? all.find((c) => c.key === own.key) ?? (all.length === 1 ? all[0] : undefined)
  );
}

/** A contact that the network no longer knows, as a NOTIFY of the registration says. RFC 3680 §5 */
interface Ended {
  readonly aor: string;
  readonly uri: string;
  /** What happened to it. RFC 3680 §5.1 */
  readonly event: string;
}

const plain = (xml: string): string => xml.trim().replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
const attribute = (tag: string, name: string): string =>
  plain(new RegExp(`\\s${name}\\s*=\\s*["']([^"']*)`).exec(tag)?.[1] ?? '');

/** The contacts that `application/reginfo+xml` tells to be terminated. */
function endedBy(xml: string): Ended[] {
  const ended: Ended[] = [];
  let aor = '';
  let [contact, event] = ['', ''];
  for (const [, name, inside, text] of xml.matchAll(/<(?:[\w-]+:)?(registration|contact|uri)\b([^>]*)>([^<]*)/g))
    if (name === 'registration') aor = attribute(inside, 'aor');
    else if (name === 'contact') [contact, event] = [attribute(inside, 'state'), attribute(inside, 'event')];
    else if (contact === 'terminated') ended.push({ aor, uri: plain(text), event });
  return ended;
}

/** The event of a contact that its user removed. RFC 3680 §4.7.1 */
const BY_USER = 'unregistered';

/** Which registration holds which binding: one that goes on under another Call-ID, or that ends elsewhere. */
export class Bindings {
  /** By address of record. */
  private readonly held = new Map<string, Registration[]>();

  /** @param reached is told of bindings that do not fit */
  constructor(private readonly reached: ReachedLimits) {}

  /** A REGISTER was accepted: it takes the place of another one of the same contact, or ends it. RFC 3261 §10.3 */
  accepted(r: Registration, at: Seen): void {
    r.heir = null;
    const before = this.held.get(r.aor) ?? [];
    const same = before.filter((x) => x !== r && (x.binding === r.binding || r.binding === ''));
    const isBound = r.state === 'registered';
    for (const x of same) {
      if (x.state !== 'registered') continue;
      if (!isBound) x.cease(at);
      else if (!x.lapsed(at)) x.heir = r;
    }
    const rest = before.filter((x) => x !== r && !same.includes(x));
    if (isBound) rest.push(r);
    if (rest.length > LIMITS.identities && rest.shift() !== undefined) this.reached.capped('identities');
    if (rest.length === 0) this.held.delete(r.aor);
    else this.held.set(r.aor, rest);
  }

  /** TS 24.229 §5.1.1.7: the network ended registrations. */
  notified(e: SipEvent, at: Arrival): void {
    if (!e.isRequest || e.mediaType !== 'application/reginfo+xml') return;
    for (const { aor, uri, event } of endedBy(e.bodyText))
      for (const r of this.held.get(aor) ?? this.associated(aor, at.tunnel))
        if (r.state === 'registered' && r.contact !== undefined && bareUri(r.contact) === bareUri(uri))
          r.cease(at.seen(), event);
  }

  /**
   * The registrations in a tunnel that a name of their user goes with: where the name that is registered is barred, as one
   * made of the IMSI is, the network tells of the others alone. TS 24.229 §5.4.2.1.2
   */
  private associated(aor: string, tunnel: number): Registration[] {
    return [...this.held.values()].flat().filter((r) => r.tunnel === tunnel && r.associated.includes(aor));
  }

  /** Of what a user ends nobody needs to be told: contacts of whose end the UE itself asked the network. */
  private forgive(registrations: readonly Registration[]): void {
    const removed = registrations.filter((r) => r.revoked?.event === BY_USER);
    for (const r of removed)
      if (registrations.some((x) => x.aor === r.aor && x.isLeaving(r.revoked!.at))) r.revoked = null;
  }

  /** What goes on under another Call-ID has the fate of that one; who failed, and came in with the next one, has recovered. */
  finish(registrations: readonly Registration[], until: (r: Registration) => Moment): void {
    this.forgive(registrations);
    /** Users that were registered after the one at hand, by where they are. */
    const later = new Set<string>();
    for (let i = registrations.length - 1; i >= 0; i--) {
      const r = registrations[i];
      const who = `${r.aor} ${r.tunnel} ${r.source}`;
      r.isRecovered = later.has(who);
      r.giveUp(until(r));
      if (r.registered !== null) later.add(who);
      if (r.heir === null) continue;
      let last = r.heir;
      while (last.heir !== null) last = last.heir;
      r.heir = last;
      r.state = last.state;
      r.end = last.end;
    }
  }
}
