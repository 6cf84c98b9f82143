import { type Ctx, u16, type View } from 'fttscope/kit';

/** Protocols of PPP whose packets stand among the protocol configuration options of a UE. TS 24.008 §10.5.6.3 */
const OPTIONS = new Map([
  [0x8021, 'ipcp'],
  [0xc023, 'pap'],
  [0xc223, 'chap'],
]);
const HEADER = 4;
const HIGHEST_CODE = 4;

/** Who {@link pppOptions} calls. */
export const PPP_OPTIONS = [...OPTIONS.values()];

/**
 * Names the packets of PPP in a message of NAS or GTP-C. They are found wherever they stand: a container is known by its
 * protocol, and by its length, which the packet in it says once more. RFC 1661 §5
 */
export function pppOptions(v: View, cx: Ctx): void {
  const { buf, end } = v;
  for (let at = v.off; at + 3 + HEADER <= end; at++) {
    const proto = buf[at] < 0x80 ? undefined : OPTIONS.get(u16(buf, at));
    if (proto === undefined) continue;
    const packet = at + 3;
    const n = buf[at + 2];
    const fits = n >= HEADER && packet + n <= end && u16(buf, packet + 2) === n;
    if (!fits || buf[packet] === 0 || buf[packet] > HIGHEST_CODE) continue;
    cx.call(proto, v.sub(packet, packet + n));
    at = packet + n - 1;
  }
}
