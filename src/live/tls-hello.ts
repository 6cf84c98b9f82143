import { parseClientHello } from '../../dissectors/tls/hello.js';
import { ContentType, RECORD_HEADER } from '../../dissectors/tls/numbers.js';
import { concat, u16 } from '../kit/index.js';
import type { Tap } from './tls-tap.js';

/** A fatal alert unrecognized_name in a record of its own. RFC 5246 §6.2.1, §7.2; RFC 6066 §3 */
const UNRECOGNIZED_NAME = Uint8Array.of(21, 3, 3, 0, 2, 2, 112);

/**
 * Waits for the ClientHello at a server, and refuses one that names no server: the alert is sent, and the connection ends.
 * What is no ClientHello, or spread over several records, is left to TLS.
 * @param go on with TLS: what was read stands in the tap again @param refused told once it was
 */
export function insistOnName(tap: Tap, go: () => void, refused: () => void): void {
  let head: Uint8Array = new Uint8Array(0);
  const take = (): void => {
    const chunk = tap.read() as Uint8Array | null;
    if (chunk === null) return;
    head = concat([head, chunk]);
    if (
      head.length < RECORD_HEADER ||
      (head[0] === ContentType.Handshake && head.length < RECORD_HEADER + u16(head, 3))
    )
      return;
    tap.off('readable', take);
    if (isNameless(head)) {
      tap.end(UNRECOGNIZED_NAME);
      refused();
    } else {
      tap.unshift(head);
      setImmediate(go); // the stream notices later that nobody listens for `readable` any more
    }
  };
  tap.on('readable', take);
}

function isNameless(record: Uint8Array): boolean {
  const end = RECORD_HEADER + u16(record, 3);
  const hello = record[0] === ContentType.Handshake ? parseClientHello(record, RECORD_HEADER, end) : undefined;
  return hello !== undefined && hello.sni === undefined;
}
