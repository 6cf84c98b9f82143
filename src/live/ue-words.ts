import { addressText } from './address.js';
import type { DhcpLease } from './dhcp-client.js';
import type { InnerUeEvent } from './inner-ue.js';
import type { Established } from './tunnel-connect.js';

/* What happens at a UE, for its operator: one line each. Scenarios wait for these lines. */

/** What the tunnel is, and how long it took to be there. */
export function establishedInWords(e: Established): string {
  const resumed = e.resumed ? ', resumed' : '';
  const certificate = e.certificate === undefined ? '' : `, certificate ${e.certificate}`;
  return `established: access type ${e.accessType}, ${e.version}, ${e.cipher}${resumed}, ${e.ms.toFixed(1)} ms${certificate}`;
}

const list = (name: string, values: readonly string[]): string =>
  values.length === 0 ? '' : `, ${name} ${values.join(' ')}`;

function leaseInWords(l: DhcpLease, how: string): string {
  const sip = l.sipServers.map((s) => (typeof s === 'string' ? s : addressText(s)));
  const from = `${how === 'new' ? '' : `${how} `}from ${addressText(l.server)} for ${l.seconds} s`;
  const others = [
    list('gateway', l.routers.map(addressText)),
    list('DNS', l.dns.map(addressText)),
    list('P-CSCF', sip),
  ];
  return `IPv4 ${addressText(l.address)}/${l.prefixLength} ${from}${others.join('')}`;
}

/** A line for an event of the inner side. */
export function eventInWords(e: InnerUeEvent): string {
  if (e.layer === 'dhcp') {
    const { event } = e;
    if (event.type === 'bound') return leaseInWords(event.lease, event.how);
    if (event.type === 'informed') return `DHCP options: ${leaseInWords(event.lease, 'told')}`;
    return event.type === 'lost' ? `IPv4 address gone: ${event.reason}` : `DHCP failed: ${event.reason}`;
  }
  if (e.layer === 'dhcpv6') {
    if (e.event.type === 'no answer') return 'DHCPv6: no answer';
    const { dns, sipAddresses, sipNames } = e.event.configuration;
    return `DHCPv6 options${list('DNS', dns.map(addressText))}${list('P-CSCF', [...sipAddresses.map(addressText), ...sipNames])}`;
  }
  const { event } = e;
  switch (event.type) {
    case 'address':
      return `IPv6 ${addressText(event.address)}${event.linkLocal ? ' (link-local)' : ` valid for ${event.validSeconds} s`}`;
    case 'router':
      return `router ${addressText(event.address)} for ${event.lifetimeSeconds} s`;
    case 'duplicate':
      return `IPv6 ${addressText(event.address)} is somebody else's${event.final ? ', no other is tried' : ''}`;
    case 'no router':
      return 'no router answers';
    case 'enough':
      return `${event.what} ${addressText(event.address)} is not used: there are ${event.already} already`;
    case 'router lost':
      return `router ${addressText(event.address)} is gone`;
    default:
      return `IPv6 ${addressText(event.address)} ${event.type}`;
  }
}
