import { defineDissector, fields, latin1 } from 'fttscope/kit';
import { type Exchanges, follow, type HttpNote, newExchanges } from './exchange.js';
import { ALL } from './fields.js';
import { dissectMessage, summarize } from './index.js';

/**
 * Simple Service Discovery Protocol, UPnP Device Architecture 2.0 §1: HTTP messages without a body in datagrams.
 */

/** Searches that are kept for their answers, which need not come, or come from elsewhere: §1.3. */
const SEARCHES = 16;

const F = fields({
  ssdp: { name: 'ssdp', label: 'Simple Service Discovery Protocol', type: 'protocol' },
});

export const ssdp = defineDissector({
  proto: 'ssdp',
  title: 'Simple Service Discovery Protocol',
  short: 'SSDP',
  spec: 'UPnP Device Architecture 2.0',
  fields: { ...F, ...ALL },
  on: { 'udp.port': [1900] },
  tables: ['media_type'],

  track(v, cx) {
    if (latin1(v.buf, v.off, v.off + 7) === 'NOTIFY ') return; // announces, and asks nobody
    const state = cx.flow<Exchanges>(ssdp, newExchanges);
    if (state.waiting.length >= SEARCHES) state.waiting.shift();
    const note = follow(v, cx, state);
    if (note !== undefined) cx.note(note);
  },

  dissect: (v, t, cx) => dissectMessage(v, t, cx, F.ssdp, cx.note<HttpNote>(ssdp, v)),

  summary: summarize,
});
