import { fieldValue, readMessage } from '../../dissectors/http/message.js';
import { table, type View } from '../kit/index.js';

/** The dissector of HTTP/2, by name. */
export const HTTP2 = 'http2';
/** Protocols that a connection of HTTP goes over to, by what Upgrade calls them. */
const PROTOCOLS = table<string>({ h2c: HTTP2, websocket: 'websocket' });

/** What a 101 goes over to; undefined where nobody knows it. RFC 9110 §15.2.2 */
export function upgradeOf(v: View): { readonly proto: string; readonly subprotocol: string } | undefined {
  const m = readMessage(v.buf, v.off, v.end);
  const proto = m === undefined ? undefined : PROTOCOLS[fieldValue(m, 'upgrade').trim().toLowerCase()];
  return proto === undefined ? undefined : { proto, subprotocol: fieldValue(m!, 'sec-websocket-protocol').trim() };
}
