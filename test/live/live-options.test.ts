import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { COMMAND } from '../cli/run.js';
import { inFolder, startFttscope, startProgram } from './outer-support.js';

test('what is wrong with options is found before anything is made of them', async () => {
  const kept = inFolder('kept.pcapng');
  writeFileSync(kept, 'an earlier run');
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['eftf --pool 10.0.0.0/40', /--pool: 10\.0\.0\.0\/40 is no IPv4 prefix/],
    ['eftf --prefix 10.0.0.0/8', /--prefix: 10\.0\.0\.0\/8 is no IPv6 prefix/],
    ['eftf --dns here', /--dns here: it is no IP address/],
    ['eftf --fault snow', /no fault is called snow/],
    ['eftf --tls 4', /--tls 4: it is MIN\.\.MAX/],
    ['eftf --key lab.key', /--cert and --key go together/],
    ['eftf --tun-address 10.0.0.1/24', /--bare and --tun-address are for --tun NAME/],
    ['ue 127.0.0.1 --fault snow', /no fault is called snow/],
    ['ue 127.0.0.1 --ciphers NONE', /--ciphers NONE: there is no such cipher suite/],
    ['eftf --listen 127.0.0.1:0 --keylog-out -', /--keylog-out -: keys go to a file\n {2}-w - --with-keys puts them/],
    ['ue 127.0.0.1 --pcscf here', /--pcscf here: it is no IP address/],
    ['ue 127.0.0.1 --tun t0 --tun-address 10.0.0.1/33', /--tun-address 10\.0\.0\.1\/33: it is ADDRESS\/LENGTH/],
    ['ue 127.0.0.1 --sni 192.0.2.1', /--sni.*192\.0\.2\.1.* is invalid\. It is an address/],
    [`ue 127.0.0.1 --sni ${'x'.repeat(256)}`, /--sni.* is invalid\. It is no name of a host/],
    ['ue 127.0.0.1 --proxy proxy', /--proxy: proxy is no HOST:PORT/],
    ['ue 127.0.0.1 --proxy-credentials p.txt', /--proxy-credentials is for --proxy HOST:PORT/],
    ['ue 127.0.0.1 --proxy a:b@c:1 --proxy-credentials p.txt', /both in --proxy and in --proxy-credentials/],
  ];
  await Promise.all(
    wrong.map(async ([line, words]) => {
      const one = startFttscope([...line.split(' '), '--lab', '-w', kept]);
      assert.equal(await one.ended, 1, line);
      assert.match(one.err, words, line);
      assert.ok(!existsSync(inFolder('state')), `the lab was made: ${line}`);
      assert.equal(readFileSync(kept, 'utf8'), 'an earlier run', line);
    }),
  );
});

test('a lab that cannot be made is told in words by both ends', async () => {
  for (const line of ['ue 127.0.0.1:1 --lab', 'eftf --lab --listen 127.0.0.1:0']) {
    const one = startProgram(process.execPath, [COMMAND, ...line.split(' ')], { XDG_STATE_HOME: '/dev/null/none' });
    assert.equal(await one.ended, 1, one.err);
    assert.match(one.err, /^fttscope: the lab cannot be made: ENOTDIR.*\n {2}XDG_STATE_HOME names another folder$/m);
  }
});
