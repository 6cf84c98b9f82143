import type { Clock } from './clock.js';
import { LabPcscf } from './lab-pcscf.js';
import type { Random } from './random.js';
import type { Router } from './router.js';
import { SipLayer } from './sip/layer.js';
import { IMS_TIMERS, udpTransport } from './sip/transport.js';
import type { Subscriber } from './subscriber-file.js';

const SIP_PORT = 5060;
/** Seconds between keep-alives of UEs that offer them: NATs forget TCP no sooner, and often UDP. RFC 6223 */
const KEEP = 110;

/** The P-CSCF of the lab, at the addresses of an EFTF's router; it ends when the layer that it returns is closed. */
export function startPcscf(
  router: Router,
  subscribers: readonly Subscriber[],
  clock: Clock,
  random: Random,
  tell: (line: string) => void,
): SipLayer {
  const layer = new SipLayer({ transport: udpTransport(router.host, SIP_PORT), clock, random, timers: IMS_TIMERS });
  new LabPcscf(layer, {
    domain: subscribers[0]?.domain ?? '',
    subscribers,
    keepSeconds: KEEP,
    onEvent: (e) => tell(`P-CSCF: ${e.impi} ${e.type}${e.why === undefined ? '' : `: ${e.why}`}`),
  });
  return layer;
}
