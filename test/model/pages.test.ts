import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answer, type Conversation, connect } from '../build/conversation.js';
import { tlsConversation } from '../build/tls.js';
import { captured, codes, type Json, reportOn } from './support.js';

/** Who answers in the place of an EFTF, or of a proxy, and what it says. */

const told = (c: Conversation): Promise<Json> => reportOn(captured(c).octets);
/** A handshake that goes no further than its first message. */
async function begun(): Promise<Conversation> {
  const c = await tlsConversation([], { version: 'TLSv1.2' });
  return { ...c, flights: c.flights.slice(0, 1), inner: [] };
}

describe('what comes in the place of TLS', () => {
  test('a page in the place of TLS is named, and who asks for a login', async () => {
    const c = await begun();
    const [hello] = c.flights;
    const down = (s: string) => ({ side: 1 as const, octets: Buffer.from(s, 'latin1'), ordered: true, pause: 0 });
    const asked = { ...connect(), ordered: true, pause: 0 };
    const html = '<!DOCTYPE html>\n<html><title>Blocked</title></html>';
    const portal = 'HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n';
    const bad = { ...answer(400, 'Bad Request'), ordered: true, pause: 0 };
    const ok = 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n';
    const judged = async (...flights: readonly (typeof asked)[]): Promise<[string[], string]> => {
      const r = await told({ ...c, flights });
      assert.equal(r.tunnels[0].state, 'failed');
      return [codes(r), r.findings[0].meaning];
    };
    // In one segment with the answer, as its body, and after the ClientHello.
    for (const answered of [`${ok}\r\n${html}`, `${ok}Content-Length: ${html.length}\r\n\r\n${html}`]) {
      const [found, meaning] = await judged(asked, down(answered), hello!);
      assert.deepEqual(found, ['proxy.not-tls']);
      assert.match(
        meaning,
        /^The proxy let the connection through, and answered the ClientHello with a page of HTML\./,
      );
      const [early, why] = await judged(asked, down(answered));
      assert.deepEqual(early, ['proxy.not-tls']);
      assert.match(why, /^The proxy let the connection through, and a page of HTML followed\./);
    }
    const established = down('HTTP/1.1 200 Connection established\r\n\r\n');
    assert.deepEqual((await judged(asked, established, hello!, down(html)))[0], ['proxy.not-tls']);
    assert.deepEqual((await judged(asked, established, hello!, bad))[0], ['proxy.not-tls']);
    for (const flights of [[asked, established, hello!], [hello!]]) {
      const [found, meaning] = await judged(...flights, down(portal));
      assert.deepEqual(found, ['portal.captive']);
      assert.match(meaning, /^The ClientHello was answered with HTTP \(status 302\)\./);
    }
  });

  test('a CONNECT to what speaks TLS alone', async () => {
    const c = await begun();
    const flights = [connect(), { side: 1 as const, octets: Uint8Array.of(21, 3, 3, 0, 2, 2, 10) }];
    const r = await told({ ...c, flights: flights.map((p) => ({ ...p, ordered: true, pause: 0 })) });
    assert.deepEqual(codes(r), ['proxy.no-answer']);
    const cause =
      'The CONNECT was answered with the TLS alert unexpected_message: what listens there speaks TLS alone.';
    assert.deepEqual([r.tunnels[0].state, r.tunnels[0].failure.cause], ['failed', cause]);
    assert.ok(r.findings[0].meaning.startsWith(cause));
  });
});
