import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PROFILE } from '../../src/live/tls-settings.js';
import { type ConnectOptions, establish } from '../../src/live/tunnel-connect.js';
import { NotEstablished } from '../../src/live/tunnel-failure.js';
import { freePort, listening } from '../support/ports.js';
import { PATIENCE_MS, until } from '../support/until.js';
import { inFolder, missing, type Running, startEftf, startFttscope, startProgram } from './outer-support.js';

/** Access type II (TS 24.322 §5.2.2.3): through tinyproxy, and through proxies that say what a test wants. */

let eftf: Awaited<ReturnType<typeof startEftf>>;
before(async () => {
  eftf = await startEftf();
});
after(() => eftf.eftf.child.kill('SIGKILL'));

const options = (proxy: ConnectOptions['proxy'] & object, more: Partial<ConnectOptions> = {}): ConnectOptions => ({
  host: '127.0.0.1',
  port: eftf.port,
  ca: readFileSync(inFolder('state/fttscope/lab/ca.pem'), 'utf8'),
  versions: PROFILE,
  timeoutMs: PATIENCE_MS,
  proxy,
  ...more,
});

async function tinyproxy(...lines: string[]): Promise<{ proxy: Running; port: number }> {
  const port = await freePort();
  const file = inFolder(`tinyproxy-${port}.conf`);
  writeFileSync(file, [`Port ${port}`, 'Listen 127.0.0.1', 'Timeout 60', 'LogLevel Info', ...lines, ''].join('\n'));
  const proxy = startProgram('tinyproxy', ['-d', '-c', file]);
  await listening('tcp', port, proxy.child.pid);
  return { proxy, port };
}
const skip = missing('tinyproxy', '-v');

test('a UE goes through tinyproxy', { skip }, async () => {
  const { proxy, port } = await tinyproxy();
  const { link, accessType } = await establish(options({ host: '127.0.0.1', port }));
  assert.equal(accessType, 'II');
  link.close();
  await link.ended;
  await proxy.line(new RegExp(`CONNECT 127\\.0\\.0\\.1:${eftf.port} HTTP/1\\.1`)); // Request-URI: address and port
  await proxy.stop('SIGKILL');
});

test('a UE authenticates itself to tinyproxy', { skip }, async () => {
  const { proxy, port } = await tinyproxy('BasicAuth phone secret');
  const where = { host: '127.0.0.1', port };
  await assert.rejects(establish(options(where)), (e) => {
    assert.ok(e instanceof NotEstablished);
    assert.deepEqual(
      [e.stage, /wants a user name and password \(407; it offers Basic\)/.test(e.message)],
      ['proxy', true],
    );
    return true;
  });
  const wrong = { username: 'phone', password: 'wrong' };
  await assert.rejects(establish(options({ ...where, credentials: wrong })), /40[17].*refuses the user name/);
  const { link } = await establish(options({ ...where, credentials: { username: 'phone', password: 'secret' } }));
  link.close();
  await link.ended;
  await proxy.stop('SIGKILL');
});

test('the command goes through a proxy, or nowhere', { skip }, async () => {
  const { proxy, port } = await tinyproxy('BasicAuth phone secret');
  const through = startFttscope(['ue', eftf.at, '--lab', '-4', '--proxy', `http://phone:sec%72et@127.0.0.1:${port}`]);
  await through.line(/established: access type II/);
  await through.line(/IPv4 10\.45\./);
  assert.equal(await through.stop(), 0);
  // The same from a file: what is given in arguments everybody on the machine can read.
  const file = inFolder('proxy.txt');
  writeFileSync(file, 'phone:secret\n');
  const where = ['--proxy', `127.0.0.1:${port}`, '--proxy-credentials', file];
  const hidden = startFttscope(['ue', eftf.at, '--lab', '-4', ...where]);
  await hidden.line(/established: access type II/);
  assert.equal(await hidden.stop(), 0);
  await proxy.stop('SIGKILL');
  // TS 24.322 §5.2.2.1: a UE with a proxy never goes the direct way, which is open here.
  const none = startFttscope(['ue', eftf.at, '--lab', '--proxy', `127.0.0.1:${port}`]);
  assert.equal(await none.ended, 6);
});

test('a tunnel that a proxy ends is told to be ended by it', async () => {
  const { server, port } = await proxyThat(() => 'HTTP/1.1 200 Connected\r\n\r\n');
  const clients: Socket[] = [];
  server.on('connection', (client) => clients.push(client));
  for (const [how, words] of [
    ['end', 'the proxy ended the TCP connection without a close_notify (truncation)'],
    ['resetAndDestroy', 'the proxy or a middlebox reset the connection'],
  ] as const) {
    const { link } = await establish(options({ host: '127.0.0.1', port }));
    clients.at(-1)!.unpipe()[how]();
    assert.equal((await link.ended).words, words);
  }
  server.close();
});

const HELPER = '/usr/lib/squid/digest_file_auth';
const noSquid = missing('squid', '-v') || (existsSync(HELPER) ? false : `${HELPER} is not installed: skipped`);

test('a UE authenticates itself to squid by Digest', { skip: noSquid }, async (t) => {
  const port = await freePort();
  // Squid gives the rights of root up, and reads the file without them.
  const folder = mkdtempSync(join(tmpdir(), 'fttscope-squid-'));
  t.after(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, 'users'), 'phone:secret\n');
  const lines = [
    `http_port 127.0.0.1:${port}`,
    `auth_param digest program ${HELPER} ${join(folder, 'users')}`,
    'auth_param digest realm fttscope',
    'acl known proxy_auth REQUIRED',
    'http_access allow known',
    'http_access deny all',
    ...['pid_filename none', 'access_log none', 'cache_log /dev/null', 'coredump_dir none', 'pinger_enable off'],
  ];
  writeFileSync(inFolder('squid.conf'), `${lines.join('\n')}\nshutdown_lifetime 0 seconds\n`);
  const proxy = startProgram('squid', ['-N', '-n', `fttscope${process.pid}`, '-f', inFolder('squid.conf')]);
  await listening('tcp', port, proxy.child.pid);
  const where = { host: '127.0.0.1', port };
  await assert.rejects(establish(options(where)), /wants a user name and password \(407; it offers Digest\)/);
  const wrong = { username: 'phone', password: 'wrong' };
  await assert.rejects(establish(options({ ...where, credentials: wrong })), /407 .*refuses the user name/);
  const credentials = { username: 'phone', password: 'secret' };
  const closed = establish(options({ ...where, credentials }, { port: await freePort() }));
  await assert.rejects(closed, /503 Service Unavailable \(ERR_CONNECT_FAIL 111\): it cannot reach/);
  const { link, accessType } = await establish(options({ ...where, credentials }));
  assert.equal(accessType, 'II');
  link.close();
  assert.equal((await link.ended).how, 'close_notify');
  await proxy.stop(); // it leaves shared memory behind where it is killed
});

/** A proxy that answers the requests of a connection by `answer`, and opens the way where that says 200. */
function proxyThat(
  answer: (head: string, n: number) => string,
): Promise<{ server: Server; port: number; heads: string[]; connections: () => number }> {
  const heads: string[] = [];
  let connections = 0;
  const server = createServer((client: Socket) => {
    connections++;
    let text = '';
    const more = (d: Buffer): void => {
      text += d.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      heads.push(text.slice(0, end));
      text = text.slice(end + 4);
      const said = answer(heads.at(-1)!, heads.length);
      client.write(said);
      if (/^HTTP\/1\.1 2/m.test(said)) {
        client.off('data', more);
        const up = connect(eftf.port, '127.0.0.1');
        client.pipe(up).pipe(client);
        up.on('error', () => client.destroy());
      } else if (said === '') client.end();
    };
    client.on('data', more).on('error', () => {});
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve({ server, port: (server.address() as { port: number }).port, heads, connections: () => connections }),
    );
  });
}

const md5 = (s: string): string => createHash('md5').update(s).digest('hex');
const sha256 = (s: string): string => createHash('sha256').update(s).digest('hex');

for (const [algorithm, hash] of [
  ['MD5', md5],
  ['SHA-256', sha256],
] as const) {
  for (const keep of [true, false]) {
    test(`Digest with ${algorithm}, ${keep ? 'on the same' : 'on another'} connection`, async () => {
      const challenge = `Digest realm="a \\"b\\"", nonce="n0nce", qop="auth,auth-int", algorithm=${algorithm}, opaque="op"`;
      const body = 'Please authenticate.';
      const length = keep ? `Content-Length: ${body.length}\r\n` : 'Connection: close\r\n';
      const { server, port, heads, connections } = await proxyThat((_, n) =>
        n === 1
          ? `HTTP/1.1 407 Authenticate\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: ${challenge}\r\n${length}\r\n${keep ? body : ''}`
          : 'HTTP/1.1 200 Connected\r\n\r\n',
      );
      const credentials = { username: 'ue', password: 'pw' };
      const { link } = await establish(options({ host: '127.0.0.1', port, credentials }));
      link.close();
      await link.ended;
      server.close();
      assert.equal(connections(), keep ? 1 : 2);
      const value = /^Proxy-Authorization: Digest (.*)$/m.exec(heads[1])![1];
      const part = (name: string): string => new RegExp(`(?:^|, )${name}="?([^",]*)"?`).exec(value)![1];
      const uri = `127.0.0.1:${eftf.port}`;
      assert.deepEqual([part('uri'), part('opaque'), part('nc'), part('qop')], [uri, 'op', '00000001', 'auth']);
      // RFC 7616 §3.4.1
      const a1 = hash('ue:a "b":pw');
      const a2 = hash(`CONNECT:${uri}`);
      assert.equal(part('response'), hash(`${a1}:n0nce:00000001:${part('cnonce')}:auth:${a2}`));
    });
  }
}

for (const [how, leave] of [
  ['by FIN', (s: Socket) => s.end()],
  ['by RST', (s: Socket) => s.resetAndDestroy()],
] as const)
  test(`a proxy that closes ${how} behind its 407, unsaid, is asked on another connection. RFC 9112 §9.3.1`, async () => {
    const challenge = 'Proxy-Authenticate: Basic realm="x"\r\nContent-Length: 2\r\n\r\nno';
    const { server, port, heads, connections } = await proxyThat((head) =>
      /^Proxy-Authorization: Basic dWU6cHc=$/m.test(head) && connections() > 1
        ? 'HTTP/1.1 200 Connected\n\n' // §2.2: a line may end without CR
        : `HTTP/1.1 407 Authenticate\r\n${challenge}`,
    );
    server.once('connection', (s: Socket) => s.once('data', () => setImmediate(leave, s)));
    const { link } = await establish(
      options({ host: '127.0.0.1', port, credentials: { username: 'ue', password: 'pw' } }),
    );
    link.close();
    await link.ended;
    server.close();
    assert.equal(connections(), 2);
    assert.ok(heads.length === 2 || heads.length === 3, String(heads.length)); // the second may not have arrived
  });

test('what a proxy says before its answer is none. RFC 9110 §15.2', async () => {
  const interim = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n';
  const { server, port } = await proxyThat(() => `${interim}HTTP/1.1 200 OK\r\n\r\n`);
  const { link, accessType } = await establish(options({ host: '127.0.0.1', port }));
  assert.equal(accessType, 'II');
  link.close();
  await link.ended;
  server.close();
});

test('what a proxy may say instead', async () => {
  const said: [string, RegExp][] = [
    ['HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n', /403.*policy/],
    ['HTTP/1.1 302 Found\r\nLocation: http://login/\r\n\r\n', /302.*log-in page/],
    ['HTTP/1.1 511 Network Authentication Required\r\n\r\n', /511.*wants somebody to log in/],
    ['HTTP/1.1 502 Bad Gateway\r\n\r\n', /502.*cannot reach/],
    ['HTTP/1.0 405 Not Allowed\r\n\r\n', /405.*CONNECT/],
    [
      'HTTP/1.1 502 Bad Gateway\r\nProxy-Status: p.example; error=dns_timeout\r\n\r\n', // RFC 9209 §2.3.1
      /502 Bad Gateway \(p\.example; error=dns_timeout\): it cannot reach/,
    ],
    ['SSH-2.0-OpenSSH_9.2\r\n\r\n', /does not speak HTTP/],
    ['HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n', /wants a user name/],
    ['', /closed the connection without an answer/],
    [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`, /a header that does not end/],
    [
      'HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n',
      /407 and offers NTLM; fttscope knows Basic and Digest/,
    ],
  ];
  for (const [answer, words] of said) {
    const { server, port } = await proxyThat(() => answer);
    await assert.rejects(establish(options({ host: '127.0.0.1', port })), (e: NotEstablished) => {
      assert.deepEqual([e.stage, words.test(e.message)], ['proxy', true], e.message);
      return true;
    });
    let left = false;
    server.close(() => (left = true)); // once no connection is left: this proxy closes none
    await until(
      () => left,
      () => `the end of the connection after ${answer.slice(0, 20)}`,
    );
  }
});

test('a page behind the success of a proxy is told as what it is', async () => {
  const { server, port } = await proxyThat((_, n) =>
    n === 1 ? 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>please log in</html>' : '',
  );
  const words = /TLS with .* failed: what came is not TLS .*; what came first is text: "<html>please log in<\/html>"$/;
  await assert.rejects(establish(options({ host: '127.0.0.1', port })), words);
  server.close();
});

test('a nonce that is stale says nothing against the credentials. RFC 7616 §3.3', async () => {
  const stale = (nonce: string, more = ''): string =>
    `HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm="x", qop="auth", nonce="${nonce}"${more}\r\nContent-Length: 0\r\n\r\n`;
  const credentials = { username: 'ue', password: 'pw' };
  for (const [last, words] of [
    ['HTTP/1.1 200 OK\r\n\r\n', ''],
    [stale('three', ', stale=true'), 'it refuses the user name or the password'], // for ever is no answer
  ] as const) {
    const answers = [stale('one'), stale('two', ', stale=TRUE'), last];
    const { server, port, heads } = await proxyThat((_, n) => answers[n - 1]);
    const tunnel = establish(options({ host: '127.0.0.1', port, credentials }));
    if (words === '') (await tunnel).link.close();
    else await assert.rejects(tunnel, new RegExp(words));
    server.close();
    assert.deepEqual(
      heads.map((head) => /nonce="(\w+)"/.exec(head)?.[1]),
      [undefined, 'one', 'two'],
    );
  }
});

test('a proxy that answers and a TLS record in one segment', async () => {
  // Octets behind the empty line belong to TLS already: an alert ends it with words.
  const alert = Buffer.from([21, 3, 3, 0, 2, 2, 40]).toString('latin1');
  const { server, port } = await proxyThat((_, n) => (n === 1 ? `HTTP/1.1 200 OK\r\n\r\n${alert}` : ''));
  await assert.rejects(establish(options({ host: '127.0.0.1', port })), /alert handshake.failure/);
  server.close();
});
