import { type Dissector, latin1, type Track, type View } from 'fttscope/kit';
import { named } from './named.js';

/** The File Transfer Protocol, RFC 959, only named: its connection says where the connections for data go. */

/** Where the server waits for a connection: six numbers, RFC 959 §4.1.2; or a port between delimiters, RFC 2428 §3. */
const PASSIVE = /^227 \D*(\d{1,3}(?:,\d{1,3}){5})/;
const EXTENDED_PASSIVE = /^229 [^(]*\((.)\1\1(\d{1,5})\1\)/;
/** Octets of a line that are looked at. */
const LINE = 200;

/** Octets that are looked at for text. */
const START = 20;
const CR = 13;
const LF = 10;

function isText({ buf, off, end }: View): boolean {
  for (let i = off; i < end && i < off + START; i++)
    if ((buf[i] < 0x20 || buf[i] > 0x7e) && buf[i] !== CR && buf[i] !== LF) return false;
  return true;
}

/** Where a line says that data will go. Data of active mode come from a port of their own, RFC 959 §3.2. */
function announced(v: View, cx: Track): { readonly address: Uint8Array; readonly port: number } | undefined {
  const line = latin1(v.buf, v.off, Math.min(v.end, v.off + LINE));
  const numbers = PASSIVE.exec(line)?.[1].split(',').map(Number);
  if (numbers !== undefined)
    return { address: Uint8Array.from(numbers.slice(0, 4)), port: numbers[4] * 256 + numbers[5] };
  const passive = EXTENDED_PASSIVE.exec(line);
  if (passive === null) return undefined;
  const { buf, src, version } = cx.net;
  return { address: buf.slice(src, src + (version === 4 ? 4 : 16)), port: Number(passive[2]) };
}

export const ftp: readonly Dissector[] = [
  named({
    ...{ proto: 'ftp', title: 'File Transfer Protocol (FTP)', short: 'FTP', spec: 'RFC 959' },
    on: { 'tcp.port': [21] },
    pduLength: (_, off, end) => end - off,
    serves: { fields: [], protocols: ['ftp-data'] },
    track(v, cx) {
      const to = announced(v, cx);
      if (to !== undefined && to.port > 0 && to.port <= 0xffff) cx.expect(to.address, to.port, 'ftp-data');
    },
  }),
  named({
    ...{ proto: 'ftp-data', title: 'FTP Data', short: 'FTP-DATA', spec: 'RFC 959' },
    on: { 'tcp.port': [20] },
    calls: ['data-text-lines'],
    pduLength: (_, off, end) => end - off,
    inner(v, cx) {
      if (isText(v)) cx.call('data-text-lines', v);
    },
  }),
];
