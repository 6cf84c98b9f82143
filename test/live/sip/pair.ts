import { address } from '../../../src/live/address.js';
import { seededRandom } from '../../../src/live/random.js';
import type { IncomingCall } from '../../../src/live/sip/callee.js';
import { UserAgent, type UserAgentEvent, type UserAgentOptions } from '../../../src/live/sip/user-agent.js';
import { VirtualClock } from '../clock.js';
import { Network } from './network.js';

/** Two user agents that speak with each other without anything between, each with options of its own. */
export function pair(
  options: [Partial<UserAgentOptions>, Partial<UserAgentOptions>] = [{}, { codecs: ['PCMA', 'PCMU'] }],
  random = seededRandom(99),
) {
  const clock = new VirtualClock();
  const net = new Network(clock);
  const [a, b] = [1, 2].map((n) => {
    const own = `10.0.0.${n}`;
    const events: UserAgentEvent[] = [];
    const ua = new UserAgent({
      layer: net.layer(own, n, undefined, random),
      identity: { impi: `user${n}` },
      impu: `sip:user${n}@ims.example`,
      domain: 'ims.example',
      peer: { address: address(`10.0.0.${3 - n}`), port: 5060 },
      mediaPort: () => ({ address: address(own), port: 40_000 }),
      onEvent: (e) => events.push(e),
      ...options[n - 1],
    });
    return { ua, events };
  });
  const incoming = () => (b.events.find((e) => e.type === 'incoming') as { call: IncomingCall }).call;
  const of = (x: { events: UserAgentEvent[] }) =>
    x.events.flatMap((e) =>
      e.type === 'call' ? [e.event.type === 'ended' ? `ended ${e.event.by}` : e.event.type] : [],
    );
  const statusOf = (x: { events: UserAgentEvent[] }) =>
    x.events.flatMap((e) => (e.type === 'call' && e.event.type === 'ended' ? [e.event.status] : []))[0];
  return { clock, net, a, b, incoming, of, statusOf };
}
