import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { dhcp } from '../../dissectors/dhcp/index.js';
import { dissectors } from '../../dissectors/index.js';
import { sip } from '../../dissectors/sip/index.js';
import { udp as udpDissector } from '../../dissectors/udp.js';
import { tlsServices } from '../../src/cli/services.js';
import { engineFields } from '../../src/engine/dissect.js';
import type { Packet } from '../../src/engine/packet.js';
import { NO_ROWS, Pass, type PassOptions, type Tap } from '../../src/engine/pass.js';
import { Registry } from '../../src/engine/registry.js';
import { type AnyDissector, Short } from '../../src/kit/index.js';
import { Content } from '../../src/model/events.js';
import { fieldText } from '../../src/report/value.js';
import { KeyLog } from '../../src/tls/index.js';
import { LINKTYPES } from '../build/link.js';
import { at, udp } from '../build/packets.js';
import { FrameSource } from '../build/source.js';

const OPTIONS = 'OPTIONS sip:ims.example SIP/2.0\r\nCall-ID: a\r\nCSeq: 1 OPTIONS\r\n\r\n';
const SIP = udp(at('10.0.0.1', 5060), at('10.0.0.2', 5060), Buffer.from(OPTIONS));
const BUG = /^\[Dissector bug, protocol \S+: TypeError: on purpose\]$/;

const undo: (() => void)[] = [];
afterEach(() => {
  for (const f of undo.splice(0)) f();
});

/** Lets the second call of a function of a dissector fail as no packet should make it. */
function failsOnce(d: AnyDissector, name: 'dissect' | 'peek' | 'summary' | 'track'): void {
  const before = d[name] as (...args: unknown[]) => unknown;
  let calls = 0;
  const failing = (...args: unknown[]): unknown => {
    if (++calls === 2) throw new TypeError('on purpose');
    return before.apply(d, args);
  };
  Object.assign(d, { [name]: failing });
  undo.push(() => Object.assign(d, { [name]: before }));
}

interface Seen {
  readonly protocols: string;
  readonly info: string;
  readonly malformed: string[];
  readonly codes: readonly string[];
}

/** The rows of the same message three times. */
async function three(more: Partial<PassOptions> = {}): Promise<{ seen: Seen[]; faults: [string, number][] }> {
  const seen: Seen[] = [];
  const services = tlsServices(new KeyLog(), false);
  const wanted = { rows: 'both', fields: null, labels: true, experts: true, info: true } as const;
  const pass = new Pass(
    new Registry(dissectors, engineFields),
    { ...NO_ROWS, ...services, ...wanted, ...more },
    (row) => {
      const { tree, protocols } = row.dissection;
      const malformed: string[] = [];
      for (let i = 0; i < tree.length; i++)
        if (tree.field(i) === engineFields.malformed) malformed.push(fieldText(tree, i));
      const info = row.dissection.info();
      seen.push({ protocols: protocols.join(':'), info, malformed, codes: tree.experts.map((e) => e.expert.code) });
      return undefined;
    },
  );
  await pass.run(
    new FrameSource(
      [SIP, SIP, SIP].map((octets) => ({ octets })),
      LINKTYPES.raw,
    ),
  );
  return { seen, faults: [...pass.dissection.faults.counts] };
}

describe('a fault in fttscope costs what it would have said of one packet', () => {
  test('the row of a dissector that fails names it; the packets around it are whole', async () => {
    failsOnce(sip, 'dissect');
    const { seen, faults } = await three();
    assert.deepEqual(faults, [['sip', 1]]);
    assert.match(seen[1]!.malformed.join(), BUG);
    assert.ok(seen[1]!.codes.includes('frame.dissector-fault'));
    assert.ok(!seen[1]!.codes.includes('frame.malformed'), 'the packet is not to blame');
    assert.deepEqual([seen[0]!.malformed, seen[2]!.malformed], [[], []]);
    assert.deepEqual([seen[2]!.protocols, seen[2]!.info], [seen[0]!.protocols, seen[0]!.info]);
  });

  test('so does that of one that fails to follow what it says', async () => {
    failsOnce(sip, 'track');
    const { seen, faults } = await three();
    assert.deepEqual(faults, [['sip', 1]]);
    assert.match(seen[1]!.malformed.join(), BUG);
    assert.equal(seen[1]!.protocols, seen[0]!.protocols);
    assert.deepEqual(seen[2]!.malformed, []);
  });

  test('the Info column names who failed on it', async () => {
    failsOnce(sip, 'summary');
    const { seen, faults } = await three();
    assert.deepEqual(faults, [['sip', 1]]);
    assert.match(seen[1]!.info, BUG);
    assert.equal(seen[2]!.info, seen[0]!.info);
  });

  test('a header that the index fails on', async () => {
    failsOnce(udpDissector, 'peek');
    const { seen, faults } = await three();
    assert.deepEqual(faults, [['udp', 1]]);
    assert.match(seen[1]!.malformed.join(), BUG);
    assert.equal(seen[2]!.protocols, seen[0]!.protocols);
  });

  for (const rows of ['both', 'none'] as const)
    test(`who listens and fails hears the next packet; rows: ${rows}`, async () => {
      const heard: number[] = [];
      const tap: Tap = {
        tracks: new Set(),
        frame({ frame }: Packet) {
          heard.push(frame);
          if (frame === 2) throw new TypeError('on purpose');
        },
        inner: () => undefined,
        plain: () => false,
      };
      const { seen, faults } = await three({ tap, rows });
      assert.deepEqual(heard, [1, 2, 3]);
      assert.deepEqual(faults, [['sip', 1]]);
      if (rows === 'both') assert.match(seen[1]!.malformed.join(), BUG);
    });
});

test('only what parsers throw on purpose is damage to the model', () => {
  const failing = (e: Error) => () =>
    new Content().parsed({
      ...dhcp.codec!,
      parse: () => {
        throw e;
      },
    });
  assert.equal(failing(new Short(4, 0, 0, false))(), undefined);
  assert.throws(failing(new TypeError('on purpose')), TypeError);
});
