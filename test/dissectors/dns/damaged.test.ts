import { describe, it } from 'node:test';
import { dns } from '../../../dissectors/dns/index.js';
import { datagramsBesideTshark, fieldsOf } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';

/** A query for each name, each of another transaction; what no query counts follows it. */
const queries = (...names: readonly (readonly number[])[]): Uint8Array[] =>
  names.map((name, i) =>
    Uint8Array.from([0x10, i, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...name, 0, 1, 0, 1, ...new Array<number>(12).fill(0)]),
  );

/** `foo`, and a label that begins with this octet. */
const label = (octet: number): number[] => [3, 0x66, 0x6f, 0x6f, octet, 0x61, 0x62, 0x63, 0];

describe('Damaged DNS beside tshark', { skip: tsharkMissing }, () => {
  it('ends a name at a label of a kind that is not in use, and reads on', async () => {
    await datagramsBesideTshark(
      [5300, 53],
      // tshark reads the bit labels of RFC 2673, which RFC 6891 took back: 0x41.
      queries(
        ...[0x40, 0x42, 0x5f, 0x60, 0x7f, 0x80, 0xa0, 0xbf].map(label),
        label(0x50).slice(4),
        label(0x90).slice(4),
      ),
      fieldsOf(dns, ['dns.retransmission', 'dns.retransmit_request', 'dns.retransmit_request_in', 'data.data']).filter(
        (f) => /^dns\.(id|flags|qry|count|resp)|^_ws/.test(f),
      ),
    );
  });

  it('says of the data of a type that it does not read what tshark says', async () => {
    const header = [0x10, 0, 0x81, 0x80, 0, 0, 0, 2, 0, 0, 0, 0];
    const record = (type: number) => [0, type >> 8, type & 255, 0, 1, 0, 0, 0, 60, 0, 3, 1, 2, 3];
    await datagramsBesideTshark(
      [53, 5300],
      [Uint8Array.from([...header, ...record(62), ...record(65280)])],
      ['dns.resp.type', 'dns.data', '_ws.expert.message', '_ws.expert.severity'],
    );
  });

  it('shows no address of a client subnet that ends before it (RFC 7871 §6)', async () => {
    const options = [
      [0, 8, 0, 0, 0, 10, 0, 4, 1, 2, 3, 4],
      [0, 8, 0, 1, 0, 0, 10, 0, 4, 1, 2, 3, 4],
      [0, 8, 0, 3, 0, 1, 16, 0, 10, 0, 4, 1, 2, 3, 4],
      [0, 8, 0, 4, 0, 1, 16, 0, 0, 10, 0, 4, 1, 2, 3, 4],
    ];
    await datagramsBesideTshark(
      [53, 5300],
      options.map((o) =>
        Uint8Array.from([0x10, 0, 0x81, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 41, 16, 0, 0, 0, 0, 0, 0, o.length, ...o]),
      ),
      ['dns.opt.client.family', 'dns.opt.client.addr', 'dns.opt.client.addr4', 'dns.opt.client.addr6'],
    );
  });
});
