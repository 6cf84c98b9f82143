/** THE list of protocols: one import and one entry each. Order matters only where two dissectors probe the same octets. */
import type { AnyDissector } from 'fttscope/kit';
import { data } from './data.js';
import { dhcp } from './dhcp/index.js';
import { dhcpv6 } from './dhcpv6/index.js';
import { frame } from './frame.js';
import { fttIms } from './ftt-ims.js';
import { udp } from './udp.js';

export const dissectors: readonly AnyDissector[] = [frame, udp, fttIms, dhcp, dhcpv6, data];
