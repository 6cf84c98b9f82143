import { type TableKey, u8, u16, u32, type View } from 'fttscope/kit';
import { fromRows, named } from './named.js';

/** Signalling of mobile and telephone networks over SCTP, only named but for what MTP 3 carries for ISUP. */

/** Name, title, short name, specification, payload protocol identifier (RFC 9260 §15.5), and ports. */
type Row = readonly [string, string, string, string, number, readonly number[]];
const ROWS: readonly Row[] = [
  ['iua', 'ISDN Q.921-User Adaptation Layer', 'IUA', 'RFC 4233', 1, [9900]],
  ['m2ua', 'MTP 2 User Adaptation Layer', 'M2UA', 'RFC 3331', 2, [2904]],
  ['sua', 'SS7 SCCP-User Adaptation Layer', 'SUA', 'RFC 3868', 4, [14001]],
  ['m2pa', 'MTP2 Peer Adaptation Layer', 'M2PA', 'RFC 4165', 5, [3565]],
  ['v5ua', 'V5.2-User Adaptation Layer', 'V5UA', 'RFC 3807', 6, [5675, 10001]],
  ['megaco', 'MEGACO', 'MEGACO', 'ITU-T H.248.1', 7, [2944]],
  ['rua', 'UTRAN Iuh interface RUA signalling', 'RUA', 'TS 25.468', 19, [29169]],
  ['hnbap', 'UTRAN Iuh interface HNBAP signalling', 'HNBAP', 'TS 25.469', 20, []],
  ['sbcap', 'SBc Application Part', 'SBcAP', 'TS 29.168', 24, [29168]],
  ['nbap', 'UTRAN Iub interface NBAP signalling', 'NBAP', 'TS 25.433', 25, []],
  ['x2ap', 'EUTRAN X2 Application Protocol (X2AP)', 'X2AP', 'TS 36.423', 27, [36422]],
  ['lcsap', 'LCS Application Protocol', 'LCSAP', 'TS 29.171', 29, [9082]],
  ['sabp', 'UTRAN IuBC interface SABP signaling', 'SABP', 'TS 25.419', 31, []],
  ['m2ap', 'M2 Application Protocol', 'M2AP', 'TS 36.443', 43, [36443]],
  ['m3ap', 'M3 Application Protocol', 'M3AP', 'TS 36.444', 44, [36444]],
  ['xnap', 'NG-RAN Xn Application Protocol (XnAP)', 'XnAP', 'TS 38.423', 61, [38422]],
  ['f1ap', 'F1 Application Protocol', 'F1AP', 'TS 38.473', 62, [38472]],
  ['e1ap', 'E1 Application Protocol', 'E1AP', 'TS 37.483', 64, [38462]],
];

const places = (identifier: number, ports: readonly number[]): Record<string, readonly TableKey[]> => ({
  'sctp.ppi': [identifier],
  ...(ports.length > 0 && { 'sctp.port': ports }),
});

/** Messages of M3UA that carry one of MTP 3: class and type, the parameter that does, and what stands before it there. */
const TRANSFER = 0x0101;
const PROTOCOL_DATA = 0x0210;
const LABEL = 12;
const SERVICE = 8;
/** Service indicators of MTP 3, ITU-T Q.704 §14.2.1; ISUP has two octets of a circuit before its message. */
const SCCP = 3;
const ISUP = 5;
const CIRCUIT = 2;

/** Hands on what the parameters behind the header carry. RFC 4666 §3.2, §3.3.1 */
function userParts(v: View, carry: (service: number, message: View) => void): void {
  const { buf, off, end } = v;
  if (v.length < 8 || u16(buf, off + 2) !== TRANSFER) return;
  const stop = Math.min(end, off + u32(buf, off + 4));
  for (let at = off + 8; at + 4 <= stop; ) {
    const n = u16(buf, at + 2);
    if (n < 4) return;
    if (u16(buf, at) === PROTOCOL_DATA && n > 4 + LABEL)
      carry(u8(buf, at + 4 + SERVICE), v.sub(at + 4 + LABEL, Math.min(stop, at + n)));
    at += (n + 3) & ~3;
  }
}

/** Signalling over SCTP, by payload protocol identifier and port. */
export const sigtran = [
  ...fromRows(ROWS.map(([name, title, short, spec, id, ports]) => [name, title, short, spec, places(id, ports)])),
  ...fromRows([
    ['sgsap', 'SGs Application Part (SGsAP)', 'SGSAP', 'TS 29.118', { 'sctp.port': [29118] }],
    ['sccp', 'Signalling Connection Control Part', 'SCCP', 'ITU-T Q.713', {}],
  ]),
  named({
    ...{ proto: 'm3ua', title: 'MTP 3 User Adaptation Layer', short: 'M3UA', spec: 'RFC 4666 §3' },
    on: { 'sctp.ppi': [3], 'sctp.port': [2905] },
    calls: ['sccp', 'isup'],
    inner: (v, cx) =>
      userParts(v, (service, message) => {
        if (service === SCCP) cx.call('sccp', message);
        else if (service === ISUP && message.length > CIRCUIT) cx.call('isup', message.sub(message.off + CIRCUIT));
      }),
  }),
];
