import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { address, parseAddress } from '../../../src/live/address.js';
import { type Clock, realClock } from '../../../src/live/clock.js';
import { systemRandom } from '../../../src/live/random.js';
import { SipLayer } from '../../../src/live/sip/layer.js';
import { IMS_TIMERS, type SipTransport } from '../../../src/live/sip/transport.js';
import { UserAgent, type UserAgentEvent, type UserAgentOptions } from '../../../src/live/sip/user-agent.js';

export async function socketTransport(): Promise<{ transport: SipTransport; port: number }> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const local = { address: address('127.0.0.1'), port };
  const transport: SipTransport = {
    onOctets: undefined,
    local: () => local,
    send: (octets, peer) => socket.send(octets, peer.port, peer.address.join('.')),
    close: () => socket.close(),
  };
  socket.on('message', (octets, from) =>
    transport.onOctets?.(new Uint8Array(octets), { address: parseAddress(from.address)!, port: from.port }),
  );
  return { transport, port };
}

/** Our user agent on a socket of this machine; everything goes to `peerPort`, and `heard` is what came from there. */
export async function agent(
  t: TestContext,
  peerPort: number,
  onEvent: (e: UserAgentEvent) => void,
  more: Partial<UserAgentOptions> = {},
  clock: Clock = realClock,
) {
  const { transport, port } = await socketTransport();
  const layer = new SipLayer({ transport, clock, random: systemRandom, timers: IMS_TIMERS });
  const take = transport.onOctets;
  const heard: string[] = [];
  transport.onOctets = (octets, from) => {
    heard.push(new TextDecoder().decode(octets));
    take?.(octets, from);
  };
  const ua = new UserAgent({
    layer,
    identity: { impi: 'alice', password: 'secret' },
    impu: 'sip:alice@ims.example',
    domain: 'ims.example',
    peer: { address: address('127.0.0.1'), port: peerPort },
    mediaPort: () => ({ address: address('127.0.0.1'), port: 40_000 }),
    onEvent,
    ...more,
  });
  t.after(() => ua.stop());
  return { ua, port, heard };
}
