import { tunnelHardware } from '../../dissectors/dhcp/message.js';
import { type Address, address } from '../../src/live/address.js';
import { InnerUe } from '../../src/live/inner-ue.js';
import { LabNetwork } from '../../src/live/lab-network.js';
import type { LabSubscriber, RegistrarEvent } from '../../src/live/lab-registrar.js';
import type { PacketPort } from '../../src/live/port.js';
import { seededRandom } from '../../src/live/random.js';
import { Resolver } from '../../src/live/resolver.js';
import { Router } from '../../src/live/router.js';
import type { SipPeer } from '../../src/live/sip/transport.js';
import { Usim } from '../../src/live/sip/usim.js';
import { pcscfAt, SipPhone, type SipPhoneEvent, type SipProtocol } from '../../src/live/sip-phone.js';
import { VirtualClock } from './clock.js';
import { portPair } from './port-pair.js';

const K = Uint8Array.from({ length: 16 }, (_, i) => i);
const OPC = Uint8Array.from({ length: 16 }, (_, i) => 255 - i);
export const DOMAIN = 'lab.example';

const SUBSCRIBERS: LabSubscriber[] = [
  { impi: `alice@${DOMAIN}`, impus: [`sip:alice@${DOMAIN}`], algorithm: 'AKAv1-MD5', usim: { k: K, opc: OPC } },
  { impi: `bob@${DOMAIN}`, impus: [`sip:bob@${DOMAIN}`], algorithm: 'SHA-256', password: 'secret' },
];

/** A lab with a UE for each name, all under one virtual clock; every packet of the first is kept. */
export function lab(names: readonly string[], families: readonly (4 | 6)[] = [4, 6]) {
  const clock = new VirtualClock();
  const wire: Uint8Array[] = [];
  const registrar: RegistrarEvent[] = [];
  const [own4, own6] = [address('10.64.0.1'), address('2001:db8:64::1')];
  const router = new Router({
    clock,
    random: seededRandom(1),
    ipv4: {
      server: own4,
      pool: { prefix: address('10.64.0.0'), length: 16 },
      routers: [own4],
      dns: [own4],
      sipServers: [own4],
    },
    ipv6: {
      prefix: address('2001:db8:64::'),
      length: 48,
      linkLocal: address('fe80::1'),
      dns: [own6],
      sipAddresses: [own6],
    },
  });
  const network = new LabNetwork({
    host: router.host,
    clock,
    random: seededRandom(2),
    domain: DOMAIN,
    subscribers: SUBSCRIBERS,
    keepSeconds: 30,
    onRegistrar: (e) => registrar.push(e),
  });
  const ues = names.map((name, i) => {
    const [near, far] = portPair();
    const tapped: PacketPort = {
      send(p) {
        if (i === 0) wire.push(p.slice());
        near.send(p);
      },
      onPacket: (receive) =>
        near.onPacket((p) => {
          if (i === 0) wire.push(p.slice());
          receive(p);
        }),
      close: () => near.close(),
    };
    const random = seededRandom(50 + i);
    const hardware = tunnelHardware(address('192.168.0.2'));
    const inner = new InnerUe({ port: tapped, clock, random, families, hardware, onEvent: () => undefined });
    router.attach(far);
    if (families.includes(4)) inner.startDhcp();
    if (families.includes(6)) inner.startSlaac();
    const resolver = new Resolver({ host: inner.host, clock, random, servers: () => inner.dnsServers });
    return { name, inner, resolver, random };
  });
  clock.advance(10_000);
  /** A phone, registered. `at`: its P-CSCF, or what it reaches the one that was announced by. */
  const begin = (i: number, at: SipPeer | SipProtocol = 'UDP') => {
    const { name, inner, random } = ues[i];
    const events: SipPhoneEvent[] = [];
    const ue = new SipPhone({
      host: inner.host,
      tcp: inner.tcp,
      clock,
      random,
      pcscf: typeof at === 'string' ? pcscfAt(inner.pcscfs[0] as Address, at) : at,
      identity:
        name === 'alice'
          ? { impi: `alice@${DOMAIN}`, usim: new Usim({ k: K, opc: OPC }) }
          : { impi: `${name}@${DOMAIN}`, password: 'secret' },
      impu: `sip:${name}@${DOMAIN}`,
      domain: DOMAIN,
      onEvent: (e) => events.push(e),
    });
    ue.agent.register();
    clock.advance(2000);
    const kinds = () =>
      events.flatMap((e) =>
        e.type === 'call'
          ? [e.event.type === 'ended' ? `ended ${e.event.by} ${e.event.status ?? ''}`.trim() : e.event.type]
          : [],
      );
    return { ue, events, kinds };
  };
  return { clock, router, network, ues, wire, registrar, begin };
}
