import assert from 'node:assert/strict';
import { test } from 'node:test';
import { address, at, udp } from '../build/packets.js';
import { file, rawPcap, run, sample } from '../cli/run.js';

/** Elements that a report may consist of. */
const ELEMENTS =
  'a b body circle code div g h1 h2 h3 head html li meta p path rect span style svg table td text th title tr ul'.split(
    ' ',
  );

/** The elements of a page, each of them closed where it has to be; fails on anything that is not well formed. */
function elements(page: string): Set<string> {
  const seen = new Set<string>();
  const open: string[] = [];
  const body = page.replace('<!DOCTYPE html>', '').replace(/<style>[^<]*<\/style>/, '');
  for (const [, text, close, name, attributes, empty] of body.matchAll(
    /([^<]*)(?:<(\/?)([A-Za-z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>)?/g,
  )) {
    assert.doesNotMatch(text, /[<>]|&(?!amp;|lt;|gt;|quot;|#39;)/);
    if (name === undefined) continue;
    seen.add(name);
    assert.doesNotMatch(attributes, /\son\w+=|javascript:|href="(?!#)|src=/i);
    if (close === '/') assert.equal(open.pop(), name);
    else if (empty !== '/' && name !== 'meta') open.push(name);
  }
  assert.deepEqual(open, []);
  return seen;
}

const text = (page: string): string => page.replace(/<style>[^<]*<\/style>/, '').replace(/<[^>]*>/g, ' ');

test('a page tells of tunnels, calls, media and findings, and needs nothing else', () => {
  const { out, code } = run(['report', '--html', sample('03-tls13-aes128-gcm.pcapng')]);
  assert.equal(code, 0);
  for (const name of elements(out)) assert.ok(ELEMENTS.includes(name), name);
  assert.match(out, /^<!DOCTYPE html>/);
  assert.match(out, /default-src 'none'/);
  assert.match(text(out), /Nothing is worse than a note\./);
  assert.match(text(out), /189 up, 189 down/); // its expect.json
  assert.equal([...out.matchAll(/<svg /g)].length, 1 + 2); // a timeline, and a ladder a call
  for (const word of ['INVITE (SDP offer)', '180 Ringing', '200 OK (SDP answer)', 'BYE']) assert.ok(out.includes(word));
});

test('findings stand with meaning and next step', () => {
  const { out } = run(['report', '--html', sample('08-proxy-denied.pcapng')]);
  elements(out);
  assert.match(out, /<div class="finding error"/);
  assert.match(text(out), /error: The proxy refused the CONNECT.*Next:/s);
});

test('messages stand in a table of their own, and what a relay says of them in words', () => {
  const [a, b] = [at('192.0.2.1', 5060), at('192.0.2.2', 5060)];
  // TS 24.011 §7.3.4: an RP-ERROR of the UE with cause 22.
  const rp = Uint8Array.of(4, 7, 1, 22);
  const head = [
    'MESSAGE sip:smsc@ims.example SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKm',
    'From: <sip:<b>@ims.example>;tag=1',
    'To: <sip:smsc@ims.example>',
    'Call-ID: m',
    'CSeq: 1 MESSAGE',
    'Content-Type: application/vnd.3gpp.sms',
    'Content-Length: 4',
    '\r\n',
  ].join('\r\n');
  const capture = file('message.pcap', rawPcap(udp(a, b, Uint8Array.from([...new TextEncoder().encode(head), ...rp]))));
  const page = run(['report', '--html', capture]).out;
  elements(page);
  assert.match(text(page), /Messages .* RP-ERROR 7: Memory capacity exceeded +none /s);
  const { out } = run(['report', '--markdown', capture]);
  assert.match(out, /^## Messages$/m);
  assert.match(out, /^\| 1 \| .*sip:smsc@ims\.example \| RP-ERROR 7: Memory capacity exceeded \| none \| /m);
  assert.doesNotMatch(out, /<b>/);
});

const HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>';

/** A call whose every name is hostile. */
function hostileCall(): Uint8Array[] {
  const [a, b] = [at('192.0.2.1', 5060), at('192.0.2.2', 5060)];
  assert.equal(address('192.0.2.1').length, 4);
  const message = (start: string): Uint8Array =>
    new TextEncoder().encode(
      [
        start,
        'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1',
        `From: <sip:${HOSTILE.replace(/[<> ]/g, '')}\u202e@x>;tag=1`,
        `To: <sip:&amp;'</svg>`,
        `Call-ID: ${HOSTILE}`,
        'CSeq: 1 INVITE',
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    );
  return [udp(a, b, message(`INVITE sip:x@y SIP/2.0`)), udp(b, a, message(`SIP/2.0 503 ${HOSTILE}\u001b[31m`))];
}

test('what packets say is text and nothing else', () => {
  const capture = file('</title><svg onload=alert(3)>.pcap'.replaceAll('/', '_'), rawPcap(...hostileCall()));
  const { out, code } = run(['report', '--html', capture]);
  assert.equal(code, 0);
  for (const name of elements(out)) assert.ok(ELEMENTS.includes(name), name);
  assert.match(out, /503 &quot;&gt;&lt;script&gt;alert/);
  assert.doesNotMatch(out, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

test('Markdown has the flow of a call that failed, fenced', () => {
  const capture = file('hostile.pcap', rawPcap(...hostileCall()));
  const { out } = run(['report', '--markdown', capture]);
  const block = /~~~~text\n([\s\S]*?)\n~~~~\n/.exec(out);
  assert.ok(block !== null);
  assert.match(block[1], /── INVITE ─/);
  assert.match(block[1], /<─* 503 /);
});

test('what does not fit is counted, and the limits that were reached are named', () => {
  const [a, b] = [at('192.0.2.1', 5060), at('192.0.2.2', 5060)];
  const sip = (start: string, method: string, call: string, cseq = 1, tag = ''): Uint8Array => {
    const via = `Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${call}-${cseq}`;
    const ends = `From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>${tag}\r\nCall-ID: ${call}`;
    return new TextEncoder().encode(`${start}\r\n${via}\r\n${ends}\r\nCSeq: ${cseq} ${method}\r\n\r\n`);
  };
  const packets: Uint8Array[] = [];
  for (let i = 0; i < 720; i++)
    packets.push(
      udp(a, b, sip('INVITE sip:b@x SIP/2.0', 'INVITE', `c${i}`)),
      udp(
        b,
        a,
        sip(i < 510 ? 'SIP/2.0 503 Service Unavailable' : 'SIP/2.0 486 Busy Here', 'INVITE', `c${i}`, 1, ';tag=2'),
      ),
    );
  packets.push(udp(a, b, sip('INVITE sip:b@x SIP/2.0', 'INVITE', 'long')));
  for (let i = 2; i < 602; i++) packets.push(udp(a, b, sip('INFO sip:b@x SIP/2.0', 'INFO', 'long', i, ';tag=2')));
  const capture = file('many.pcap', rawPcap(...packets));
  const { findings, limits } = JSON.parse(run(['report', capture]).out);
  assert.deepEqual(limits, [{ name: 'callMessages', cap: 500, hit: 101 }]);
  const capped = findings.find((f: { code: string }) => f.code === 'capture.capped');
  assert.deepEqual([capped.severity, capped.count], ['warn', 101]);
  assert.match(capped.meaning, /^Reached: callMessages \(500\)\. /);
  const told = findings.filter((f: { severity: string }) => f.severity !== 'note').length;
  assert.ok(told > 510);

  const html = run(['report', '--html', capture]).out;
  elements(html);
  assert.match(text(html), /limit reached: callMessages \(500\), 101 times/);
  const [problems] = text(html.slice(html.indexOf('id="findings"'))).split('Calls');
  assert.match(problems, new RegExp(`… and ${told - 500} more`));
  assert.match(text(html), /Not drawn: 621 calls\./);

  const { out } = run(['report', '--markdown', capture]);
  assert.match(out, /^- limit reached: callMessages \(500\), 101 times$/m);
  assert.match(out, /^Not drawn: 521 more calls that failed\.$/m);
  const [, notes = ''] = /^### Notes\n([\s\S]*?)\n## /m.exec(out) ?? [];
  const all = findings.length - told;
  assert.ok(all >= 210);
  // What says the same is one line.
  assert.match(notes, new RegExp(`^- \`call\\.busy\` \\(call .* … and ${all - 10} more\\) The callee`, 'm'));
});
