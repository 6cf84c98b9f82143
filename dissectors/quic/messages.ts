import { type Tree, View } from 'fttscope/kit';
import { F } from '../tls/fields.js';
import { dissectHandshake, messageName, type Session } from '../tls/handshake.js';
import { Version } from '../tls/numbers.js';
import type { Delivery } from './crypto-stream.js';

/** QUIC has TLS 1.3 or later. RFC 9001 §4.2. */
const SESSION: Session = { version: Version.Tls13, suite: 0 };

/** Names of the messages that end in what CRYPTO frames made available, for the Info column. */
export const messageNames = (d: Delivery): string[] => d.messages.map((m) => messageName(m, 0, m.length));

/** Shows the handshake messages that end in what a CRYPTO frame made available. They have no records: RFC 9001 §4. */
export function dissectMessages(d: Delivery, t: Tree): void {
  const v = View.of(d.bytes, 'QUIC CRYPTO data');
  const depth = t.level;
  const before = t.enter(v.source);
  t.layer('tls');
  t.open(F.tls, 0, v.length);
  for (const m of d.messages) {
    const message = View.of(m, 'Handshake message');
    const around = t.enter(message.source);
    const level = t.level;
    dissectHandshake(message, t, SESSION);
    t.leave(around, level);
  }
  if (d.part) {
    t.none(F.handshake, 0, v.length);
    if (t.labels) t.label('Handshake Protocol: fragment');
  }
  t.leave(before, depth);
}
