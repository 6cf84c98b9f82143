import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { md5 } from '../../../dissectors/tls/md5.js';

test('the digests of RFC 1321 appendix A.5', () => {
  assert.equal(md5(''), 'd41d8cd98f00b204e9800998ecf8427e');
  assert.equal(md5('a'), '0cc175b9c0f1b6a831c399e269772661');
  assert.equal(md5('message digest'), 'f96b697d7cb7938d525a2f31aaf161d0');
});

test('texts of every length around the blocks', () => {
  for (let n = 0; n < 200; n++) {
    const text = 'x'.repeat(n);
    assert.equal(md5(text), createHash('md5').update(text).digest('hex'), `${n} characters`);
  }
});
