import assert from 'node:assert/strict';
import type { AnyDissector } from '../../src/kit/index.js';
import { fieldText } from '../../src/report/value.js';
import { type Endpoint, tcp } from '../build/packets.js';
import { file, ip4, rawPcap, udp } from '../cli/run.js';
import { forRows } from './rows.js';
import { frames } from './tshark.js';

/** Link types: packets that begin with IP, and frames of Ethernet. */
export const RAW = 101;
export const ETHERNET = 1;

/**
 * Holds the protocol stacks and `fields` of packets to what tshark says of them. Returns the stacks from the third
 * layer on, by frame.
 */
export async function besideTshark(
  packets: readonly Uint8Array[],
  fields: readonly string[],
  link = RAW,
): Promise<string[]> {
  const capture = rawPcap(...packets);
  capture.writeUInt32LE(link, 20);
  return captureBesideTshark(capture, fields);
}

/** The same of a whole file. */
export async function captureBesideTshark(capture: Buffer, fields: readonly string[]): Promise<string[]> {
  const path = file('beside.pcap', capture);
  const theirs = await frames(path, [], ['frame.protocols', ...fields]);
  const stacks: string[] = [];
  const read = new Set<number>();
  await forRows(path, {}, ({ frame, dissection: { tree, protocols } }) => {
    read.add(frame);
    assert.deepEqual([protocols.join(':')], theirs.get(frame)?.get('frame.protocols'), `frame ${frame}`);
    for (const field of fields) {
      const ours: string[] = [];
      for (let i = 0; i < tree.length; i++) if (tree.field(i).name === field) ours.push(fieldText(tree, i));
      // tshark says so of no octets.
      const wanted = (theirs.get(frame)?.get(field) ?? []).map((value) => (value === '<MISSING>' ? '' : value));
      assert.deepEqual(ours, wanted, `${field} of frame ${frame}`);
    }
    stacks.push(protocols.slice(2).join(':'));
  });
  assert.deepEqual([...read], [...theirs.keys()], 'frames');
  return stacks;
}

/** Names of all fields that a dissector shows, and what is said of what is wrong; without those of `but`. */
export const fieldsOf = (d: AnyDissector, but: readonly string[] = []): string[] =>
  [...new Set([...Object.values(d.fields).map((f) => f.name), 'data.data', ...WRONG])].filter(
    (name) => name !== d.proto && !but.includes(name),
  );
const WRONG = ['_ws.expert.message', '_ws.expert.severity', '_ws.malformed'];

/** Holds datagrams between two UDP ports to what tshark says of them. */
export const datagramsBesideTshark = (
  [from, to]: readonly [number, number],
  payloads: readonly Uint8Array[],
  fields: readonly string[],
): Promise<string[]> =>
  besideTshark(
    payloads.map((p) => ip4(17, udp(from, to, p))),
    fields,
  );

/** A TCP connection that is open, laid out segment by segment. */
export class Talk {
  readonly packets: Uint8Array[] = [];
  private readonly next: [number, number] = [1000, 5000];

  constructor(private readonly ends: readonly [Endpoint, Endpoint]) {
    this.add(0, 2, 0);
    this.next[0]++;
    this.add(1, 18, 0);
    this.next[1]++;
    this.add(0, 16, 0);
  }

  /** The next octets of `side`, 0 being the client, in segments of their own. */
  say(side: 0 | 1, ...segments: readonly (string | Uint8Array)[]): void {
    for (const s of segments) {
      const octets = Buffer.from(s);
      this.add(side, 24, 0, octets);
      this.next[side] += octets.length;
    }
  }

  /** `side` ends its stream, with its last octets if there are any. */
  end(side: 0 | 1, octets: string | Uint8Array = ''): void {
    const last = Buffer.from(octets);
    this.add(side, 17, 0, last);
    this.next[side] += last.length + 1;
  }

  /** Octets of `side` are not captured. */
  skip(side: 0 | 1, octets: number): void {
    this.next[side] += octets;
  }

  /** Octets of `side`, so many `back` from where it is. */
  again(side: 0 | 1, back: number, octets: Uint8Array): void {
    this.add(side, 16, back, octets);
  }

  private add(side: 0 | 1, flags: number, back: number, octets: Uint8Array = new Uint8Array(0)): void {
    const other = side === 0 ? 1 : 0;
    const header = { seq: this.next[side] - back, ack: flags === 2 ? 0 : this.next[other], flags };
    this.packets.push(tcp(this.ends[side], this.ends[other], header, octets));
  }
}
