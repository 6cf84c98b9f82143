import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort, listening } from '../../support/ports.js';

/** SIPp, and what its scenarios are made of. */

/** SIPp with a scenario, one call; resolves to `ok`, or to its exit code and what it says went wrong. */
export function sipp(
  t: TestContext,
  scenario: string,
  args: readonly string[],
  prefix: readonly string[] = [],
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'fttscope-sipp-'));
  const file = join(folder, 'scenario.xml');
  writeFileSync(file, `<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="x">${scenario}</scenario>\n`);
  const errors = join(folder, 'errors.log');
  const all = ['-sf', file, '-m', '1', '-nostdin', '-timeout', '120s', '-trace_err', '-error_file', errors];
  const own = args.includes('-i') ? [] : ['-i', '127.0.0.1'];
  const [program, ...rest] = [...prefix, 'sipp', ...all, ...own, ...args];
  const child = spawn(program, rest, { cwd: folder, stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  return new Promise((resolve) => {
    child.once('error', (e) => resolve(e.message));
    child.once('exit', (code, signal) => {
      const words = existsSync(errors) ? readFileSync(errors, 'utf8') : '';
      rmSync(folder, { recursive: true });
      resolve(code === 0 ? 'ok' : `sipp ended with ${code ?? signal}: ${words}`);
    });
  });
}

/** SIPp as the one who is called, once it listens; `done` resolves as {@link sipp} does. */
export async function callee(t: TestContext, scenario: string): Promise<{ port: number; done: Promise<string> }> {
  const port = await freePort();
  const done = sipp(t, scenario, ['-p', String(port)]);
  // In the namespace of this process.
  await Promise.race([listening('udp', port, process.pid), done]);
  return { port, done };
}

export const SDP = `
      v=0
      o=- 1 1 IN IP4 127.0.0.1
      s=-
      c=IN IP4 127.0.0.1
      t=0 0
      m=audio 6000 RTP/AVP 8 101
      a=rtpmap:8 PCMA/8000
      a=rtpmap:101 telephone-event/8000
      a=sendrecv
`;
export const respond = (status: string, more = '', body = '') => `
  <send><![CDATA[
      SIP/2.0 ${status}
      [last_Via:]
      [last_From:]
      [last_To:];tag=sipp1
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:sipp@[local_ip]:[local_port]>
      ${more}${body ? 'Content-Type: application/sdp\n      ' : ''}Content-Length: [len]
${body}
  ]]></send>`;
/** A response within the dialog, whose To has its tag already. */
export const accept = (body = '') => `
  <send><![CDATA[
      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:sipp@[local_ip]:[local_port]>
      ${body ? 'Content-Type: application/sdp\n      ' : ''}Content-Length: [len]
${body}
  ]]></send>`;
export const recv = (request: string) => `<recv request="${request}" crlf="true"/>`;
export const expect = (status: number, more = '') => `<recv response="${status}" ${more}/>`;

export const request = (
  method: string,
  cseq: number,
  more = '',
  body = '',
  to = '[peer_tag_param]',
  target = '[$contact]',
) => `
  <send retrans="500"><![CDATA[
      ${method} ${target} SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:sipp@[local_ip]>;tag=[pid]
      To: <sip:alice@ims.example>${to}
      Call-ID: [call_id]
      CSeq: ${cseq} ${method}
      Contact: <sip:sipp@[local_ip]:[local_port]>
      Max-Forwards: 70
      ${more}${body ? 'Content-Type: application/sdp\n      ' : ''}Content-Length: [len]
${body}
  ]]></send>`;
export const CONTACT = `<action>
    <ereg regexp="sip:[^&gt;]*" search_in="hdr" header="Contact:" assign_to="contact"/>
    <ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" assign_to="rseq"/>
  </action>`;
export const ack = (cseq: number) => request('ACK', cseq).replace(' retrans="500"', '');
