import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from './run.js';

test('demo without a terminal: packets, tunnels and findings of a sample, as text', () => {
  const { code, out, err } = run(['demo']);
  assert.equal(code, 0);
  assert.match(out, /^ *12\.1 .* SIP .*REGISTER/m);
  assert.match(err, /^tunnel 4: .* not FTT-IMS but HTTP\/1\.1/m);
  assert.match(out, /The call was refused for overload/);
  assert.match(out, /RTP packets are lost/);
});
