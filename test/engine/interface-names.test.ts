import { test } from 'node:test';
import { at, udp } from '../build/packets.js';
import { LE } from '../capture/support.js';
import { captureBesideTshark, RAW } from '../support/beside-tshark.js';
import { tsharkMissing } from '../support/tshark.js';

test('an interface without a name goes by its description, else is unknown, as in tshark', {
  skip: tsharkMissing,
}, async () => {
  const text = (code: number, s: string): Buffer => LE.option(code, Buffer.from(s));
  const [name, description] = [text(2, 'tun0'), text(3, 'inside')];
  const end = LE.u32(0);
  const packet = Buffer.from(udp(at('192.0.2.1', 5000), at('192.0.2.2', 5000), Buffer.from('x')));
  const capture = Buffer.concat([
    LE.section(),
    LE.description(RAW, 0),
    LE.description(RAW, 0, [description, end]),
    LE.description(RAW, 0, [name, end]),
    LE.description(RAW, 0, [name, description, end]),
    ...[0, 1, 2, 3].map((i) => LE.packet(i, 1_000_000n, packet)),
  ]);
  await captureBesideTshark(capture, ['frame.interface_id', 'frame.interface_name', 'frame.interface_description']);
});
