import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { datagramsBesideTshark } from '../../support/beside-tshark.js';
import { tsharkMissing } from '../../support/tshark.js';
import { dissect, valuesOf } from './layers.js';

const FIELDS = ['sip.Request-Line', 'sip.Method', 'sip.r-uri', 'sip.Status-Line', 'sip.Status-Code', 'sip.Call-ID'];
const HEADERS = ['Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa', 'CSeq: 1 INVITE', 'Content-Length: 0', '', ''];
const message = (startLine: string, i = 0): Uint8Array =>
  Buffer.from([startLine, `Call-ID: ${i}`, ...HEADERS].join('\r\n'), 'latin1');

describe('Damaged SIP beside tshark', { skip: tsharkMissing }, () => {
  it('is a message whatever is wrong with its method, if the rest of the line says so', async () => {
    const lines = [
      ...['INV\tTE sip:a@b SIP/2.0', 'INV=TE sip:a@b SIP/2.0', '<NVITE s:\x01a SIP/2.0', 'INVITE sipab SIP/2.0'],
      ...['\x8fINVITE sip:a SIP/2.0', 'INVITE  sip:a SIP/2.0', 'INVITE sip:a SIP/2.0 ', 'INVITE sip:a b SIP/2.0'],
      ...[
        'INVITE sip:a SIP/2.1',
        ' sip:a SIP/2.0',
        'INVITE\tsip:a\tSIP/2.0',
        'INVITE :a SIP/2.0',
        'INV\0TE sip:a SIP/2.0',
      ],
      ...['SIP/2.0 20 OK', 'SIP/2.0 2x0 OK', 'SIP/2.0 200 ', 'SIP/2.1 200 OK', 'SIP/2.0\t200 OK', 'SIP/2.0 999 OK'],
    ];
    for (const port of [5060, 7060]) await datagramsBesideTshark([port, port], lines.map(message), FIELDS);
  });
});

describe('Damaged SIP where tshark is wrong', () => {
  it('reads the headers behind a CR that stands alone', () => {
    // RFC 3261 §7: CRLF ends a line. tshark takes a lone CR for the end of one, what follows for an empty line, and so all
    // headers behind it for a body.
    const layers = dissect(message('BYE sip:a@b SIP/2.0\r\nSubject: a\r\r\n b'));
    assert.deepEqual(valuesOf(layers, 'sip.Call-ID'), ['0']);
    assert.deepEqual(valuesOf(layers, 'sip.CSeq.method'), ['INVITE']);
  });
});
