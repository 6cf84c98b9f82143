import type { CallEntity, FindingEntity, MediaEntity, RegistrationEntity, TunnelEntity } from '../model/entities.js';
import type { Report } from '../report/report.js';
import type { SeenValues } from './completion.js';

/** Values that are kept of one field. */
const MOST = 5000;

/** Values that a report tells of, by the fields that hold them, for the completion of filters. */
export function seenValues({ members, findings }: Report): SeenValues {
  const seen = new Map<string, Map<string, number>>();
  const add = (field: string, value: string | number | undefined, count = 1): void => {
    if (value === undefined || value === '') return;
    let values = seen.get(field);
    if (values === undefined) seen.set(field, (values = new Map()));
    const text = String(value);
    if (values.has(text) || values.size < MOST) values.set(text, (values.get(text) ?? 0) + count);
  };
  const list = <T>(name: string): readonly T[] => (members[name] ?? []) as readonly T[];
  for (const [stack, { rows }] of Object.entries((members.protocols ?? {}) as Record<string, { rows: number }>))
    for (const layer of new Set(stack.split(':'))) add('', layer, rows);
  for (const t of list<TunnelEntity>('tunnels')) ofTunnel(t, add);
  for (const r of list<RegistrationEntity>('registrations')) ofRegistration(r, add);
  for (const c of list<CallEntity>('calls')) ofCall(c, add);
  for (const m of list<MediaEntity>('media')) ofMedia(m, add);
  for (const f of findings as readonly FindingEntity[]) {
    add('finding.code', f.code, f.count);
    add('finding.severity', f.severity, f.count);
  }
  return seen;
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
  add('sip.Call-ID', c.callId, c.messages.length);
  add('sip.from.user', userOf(c.fromUri), c.messages.length);
  add('sip.to.user', userOf(c.toUri), c.messages.length);
  add('call.id', c.id);
  add('call.state', c.state);
  for (const m of c.messages) {
    if (m.status === undefined) add('sip.Method', m.method);
    else add('sip.Status-Code', m.status);
    add('sip.CSeq.method', m.method);
    address(add, m.source.address);
    address(add, m.destination.address);
  }
}

function ofMedia(m: MediaEntity, add: Add): void {
  add('rtp.ssrc', m.ssrc, m.packets);
  add('rtp.p_type', m.payloadType, m.packets);
  add('udp.port', m.source.port, m.packets);
  add('udp.port', m.destination.port, m.packets);
  address(add, m.source.address, m.packets);
  address(add, m.destination.address, m.packets);
}

const userOf = (uri: string): string => /^(?:sips?|tel):([^@;]+)/.exec(uri)?.[1] ?? '';
