import { type Ctx, u16le, type View } from 'fttscope/kit';
import { fromRows, named } from './named.js';

/** ZigBee, of which the layers are named. ZigBee specification §2.2.5, §3.3.1, §4.5.1 */

const COMMAND_OR_DATA = 3;
const DATA = 0;
/** Flags of a network frame, and octets of what they announce. */
const MULTICAST = 0x0100;
const SECURED = 0x0200;
const ROUTED = 0x0400;
const TO_LONG = 0x0800;
const FROM_LONG = 0x1000;
const NETWORK_HEADER = 8;
const LONG_ADDRESS = 8;

/** The auxiliary header: control and counter, an address for the nonce, and a number of the network key; then a check. */
const AUXILIARY = 5;
const HAS_NONCE = 0x20;
const NETWORK_KEY = 1;
const CHECK = 4;

/** Flags of an application frame, and octets of a command before its payload. */
const COMMAND = 1;
const COMMAND_HEADER = 2;
const APS_SECURED = 0x20;
const APS_EXTENDED = 0x80;
const GROUP = 3;
/** The profile of devices themselves. */
const DEVICE_PROFILE = 0;

/** Where the payload of a network frame starts, or its auxiliary header; -1: it is too short. */
function networkPayload({ buf, off, length, end }: View): number {
  if (length < NETWORK_HEADER) return -1;
  const control = u16le(buf, off);
  let at = off + NETWORK_HEADER;
  if ((control & TO_LONG) !== 0) at += LONG_ADDRESS;
  if ((control & FROM_LONG) !== 0) at += LONG_ADDRESS;
  if ((control & MULTICAST) !== 0) at += 1;
  if ((control & ROUTED) !== 0) at += at < end ? 2 + 2 * buf[at] : end;
  return at < end ? at : -1;
}

/** What is encrypted, behind its auxiliary header and before its check. */
function encrypted(v: View, at: number, cx: Ctx): void {
  const control = v.buf[at];
  const key = ((control >> 3) & 3) === NETWORK_KEY ? 1 : 0;
  const from = at + AUXILIARY + ((control & HAS_NONCE) !== 0 ? LONG_ADDRESS : 0) + key;
  if (from < v.end - CHECK) cx.data(v.sub(from, v.end - CHECK));
}

/** Where the payload of application data starts, and of which profile it is; undefined where there is none. */
function applicationPayload({ buf, off, end }: View): readonly [number, number] | undefined {
  const control = buf[off];
  if ((control & COMMAND_OR_DATA) !== DATA) return undefined;
  const endpoint = off + 1 + (((control >> 2) & 3) === GROUP ? 2 : 1);
  // cluster, profile, the endpoint that it comes from, and a number
  const at = endpoint + 6 + ((control & APS_EXTENDED) !== 0 ? 1 : 0);
  return at < end ? [at, u16le(buf, endpoint + 2)] : undefined;
}

export const zigbee = [
  named({
    ...{ proto: 'zbee_nwk', title: 'ZigBee Network Layer', short: 'ZigBee', spec: 'ZigBee §3.3.1' },
    calls: ['zbee_aps'],
    inner(v, cx) {
      const at = networkPayload(v);
      if (at < 0) return;
      const control = u16le(v.buf, v.off);
      if ((control & SECURED) !== 0) encrypted(v, at, cx);
      else if ((control & COMMAND_OR_DATA) === DATA) cx.call('zbee_aps', v.sub(at));
    },
  }),
  named({
    ...{ proto: 'zbee_aps', title: 'ZigBee Application Support Layer', short: 'ZigBee', spec: 'ZigBee §2.2.5' },
    calls: ['zbee_zdp', 'zbee_zcl'],
    inner(v, cx) {
      const control = v.buf[v.off];
      const isSecured = (control & APS_SECURED) !== 0;
      if ((control & COMMAND_OR_DATA) === COMMAND && isSecured) encrypted(v, v.off + COMMAND_HEADER, cx);
      const found = applicationPayload(v);
      if (found === undefined) return;
      const [at, profile] = found;
      if (isSecured) encrypted(v, at, cx);
      else cx.call(profile === DEVICE_PROFILE ? 'zbee_zdp' : 'zbee_zcl', v.sub(at));
    },
  }),
  ...fromRows([
    ['zbee_beacon', 'ZigBee Beacon', 'ZigBee', 'ZigBee §3.6.7', {}],
    ['zbee_zdp', 'ZigBee Device Profile', 'ZigBee ZDP', 'ZigBee §2.4', {}],
    ['zbee_zcl', 'ZigBee Cluster Library', 'ZigBee ZCL', 'ZigBee cluster library §2.4', {}],
  ]),
];
