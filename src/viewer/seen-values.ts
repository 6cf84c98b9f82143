import type {
  CallEntity,
  FindingEntity,
  MediaEntity,
  MessageEntity,
  RegistrationEntity,
  SubscriptionEntity,
  TunnelEntity,
} from '../model/entities.js';

/** Values that were seen in the capture with how often, by field; layers by name under `''`. */
export type SeenValues = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Values that are kept of one field. */
const MOST = 5000;

/** Gathers the values that a report tells of, by the fields that hold them: for the completion of filters. */
export class Seen {
  readonly values = new Map<string, Map<string, number>>();

  /** Takes a member of a report that is no list of entries. */
  member(name: string, value: unknown): void {
    if (name !== 'protocols') return;
    for (const [stack, { rows }] of Object.entries(value as Record<string, { rows: number }>))
      for (const layer of new Set(stack.split(':'))) this.add('', layer, rows);
  }

  /** Takes an entry of a list. */
  entry(list: string, entry: unknown): void {
    OF[list]?.(entry as never, this.add);
  }

  private readonly add = (field: string, value: string | number | undefined, count = 1): void => {
    if (value === undefined || value === '') return;
    let values = this.values.get(field);
    if (values === undefined) this.values.set(field, (values = new Map()));
    const text = String(value);
    if (values.has(text) || values.size < MOST) values.set(text, (values.get(text) ?? 0) + count);
  };
}

type Add = (field: string, value: string | number | undefined, count?: number) => void;

/** An address is a value of the fields of its version. */
function address(add: Add, value: string, count = 1): void {
  const layer = value.includes(':') ? 'ipv6' : 'ip';
  for (const field of ['addr', 'src', 'dst']) add(`${layer}.${field}`, value, count);
}

function ofTunnel(t: TunnelEntity, add: Add): void {
  address(add, t.ue.address);
  address(add, t.eftf.address);
  add('tcp.port', t.eftf.port);
  for (const a of t.addresses) address(add, a);
  add('tls.handshake.extensions_server_name', t.tls?.sni);
  for (const [type, n] of Object.entries(t.unknownTypes)) add('fttims.type', type, n);
  add('fttims.type', 1, t.envelopes.up.ip4 + t.envelopes.up.ip6 + t.envelopes.down.ip4 + t.envelopes.down.ip6);
  add('tunnel.id', t.id);
  add('tunnel.state', t.state);
  add('tunnel.released_by', t.release.by);
  add('tunnel.release', t.release.how);
  for (const { source, decrypted } of t.tls === undefined ? [] : Object.values(t.tls.decryption))
    add('fttims.key_source', source, decrypted);
}

function ofRegistration(r: RegistrationEntity, add: Add): void {
  add('sip.Call-ID', r.callId, r.transactions.length);
  for (const t of r.transactions) {
    add('sip.Method', t.method);
    add('sip.Status-Code', t.status);
    add('sip.CSeq.method', t.method, t.status === undefined ? 1 : 2);
  }
}

function ofCall(c: CallEntity, add: Add): void {
  add('call.id', c.id);
  add('call.state', c.state);
  add('call.direction', c.direction);
  add('call.status', c.failure?.status);
  add('call.released_by', c.releasedBy);
  add('sip.Call-ID', c.callId, c.messages.length);
  add('sip.from.user', userOf(c.fromUri), c.messages.length);
  add('sip.to.user', userOf(c.toUri), c.messages.length);
  for (const m of c.messages) {
    if (m.status === undefined) add('sip.Method', m.method);
    else add('sip.Status-Code', m.status);
    add('sip.CSeq.method', m.method);
    address(add, m.source.address);
    address(add, m.destination.address);
  }
}

function ofMedia(m: MediaEntity, add: Add): void {
  add('media.id', m.id);
  add('media.codec', m.codec);
  add('rtp.ssrc', m.ssrc, m.packets);
  add('rtp.p_type', m.payloadType, m.packets);
  add('udp.port', m.source.port, m.packets);
  add('udp.port', m.destination.port, m.packets);
  address(add, m.source.address, m.packets);
  address(add, m.destination.address, m.packets);
}

function ofFinding(f: FindingEntity, add: Add): void {
  add('finding.code', f.code, f.count);
  add('finding.severity', f.severity, f.count);
}

/** A message or a subscription. */
const ofOther = (e: MessageEntity | SubscriptionEntity, add: Add): void => add('sip.Status-Code', e.status);

/** By the name of the list. */
const OF: Readonly<Record<string, (entry: never, add: Add) => void>> = {
  tunnels: ofTunnel,
  registrations: ofRegistration,
  calls: ofCall,
  messages: ofOther,
  subscriptions: ofOther,
  media: ofMedia,
  findings: ofFinding,
};

const userOf = (uri: string): string => /^(?:sips?|tel):([^@;]+)/.exec(uri)?.[1] ?? '';
