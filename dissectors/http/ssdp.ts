import { defineDissector, fields } from 'fttscope/kit';
import { ALL } from './fields.js';
import { dissectMessage, summarize } from './index.js';

/**
 * Simple Service Discovery Protocol, UPnP Device Architecture 2.0 §1: HTTP messages without a body in datagrams.
 */
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
  dissect: (v, t, cx) => dissectMessage(v, t, cx, F.ssdp),
  summary: summarize,
});
