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

  it('reads what signs a transaction, with a MAC, without one, and cut (RFC 8945 §4.2)', async () => {
    const name = [...'hmac-sha256'].map((c) => c.charCodeAt(0));
    const signed = (mac: readonly number[], other: readonly number[], length = mac.length): Uint8Array => {
      const data = [
        ...[name.length, ...name, 0, 0, 0, 0x5f, 0x5e, 0x10, 0, 1, 44, length >> 8, length & 255, ...mac],
        ...[0x12, 0x34, 0, 18, 0, other.length, ...other],
      ];
      const record = [1, 0x6b, 0, 0, 250, 0, 255, 0, 0, 0, 0, data.length >> 8, data.length & 255, ...data];
      return Uint8Array.from([0x12, 0x34, 0x84, 0, 0, 0, 0, 0, 0, 0, 0, 1, ...record]);
    };
    const run = Array.from({ length: 32 }, (_, i) => i);
    await datagramsBesideTshark(
      [53, 5300],
      [signed(run, []), signed([], []), signed(run.slice(0, 16), run.slice(0, 6)), signed(run, [], 200)],
      fieldsOf(dns).filter((f) => /^dns\.(id|tsig|resp|count)|^_ws/.test(f)),
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
