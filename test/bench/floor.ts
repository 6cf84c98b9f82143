/**
 * What no program that decrypts a capture can do without: reads the file named on the command line, and puts each octet
 * of it through AES once.
 */
import { createCipheriv } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

const PIECE = 1 << 20;

const fd = openSync(process.argv[2], 'r');
const aes = createCipheriv('aes-128-ecb', new Uint8Array(16), null).setAutoPadding(false);
const octets = new Uint8Array(PIECE);
let last = 0;
for (let n = readSync(fd, octets, 0, PIECE, null); n > 0; n = readSync(fd, octets, 0, PIECE, null)) {
  const out = aes.update(octets.subarray(0, n & -16));
  last = out[out.length - 1] ?? last;
}
closeSync(fd);
console.log(last);
