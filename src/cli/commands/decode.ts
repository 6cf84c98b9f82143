import { createReadStream } from 'node:fs';
import { HEADER, IP_PACKET, innerLength } from '../../../dissectors/ftt-ims.js';
import { dissectors } from '../../../dissectors/index.js';
import type { CaptureInterface } from '../../capture/chunk.js';
import { labelOf, systemError } from '../../capture/errors.js';
import { Dissection, engineFields } from '../../engine/dissect.js';
import { IndexPass } from '../../engine/index-pass.js';
import { Packet } from '../../engine/packet.js';
import { Registry } from '../../engine/registry.js';
import { Row } from '../../engine/row.js';
import type { Interest } from '../../engine/track.js';
import { type AnyDissector, u16, View, Yes } from '../../kit/index.js';
import { LIMITS } from '../../limits.js';
import { KeyLog } from '../../tls/index.js';
import { applyDecodeAs } from '../decode-as.js';
import { Exit, UserError } from '../errors.js';
import { fromText, isText } from '../octets.js';
import type { Form, ReadOptions } from '../options.js';
import { Output } from '../output.js';
import { type RowPrinter, rowPrinter } from '../printers.js';
import { tlsServices } from '../services.js';
import { suggest } from '../suggest.js';

/** Options of `decode`; those about output are `read`'s. */
export interface DecodeOptions
  extends Pick<ReadOptions, 'decodeAs' | 'E' | 'field' | 'format' | 'J' | 'j' | 'O' | 'octets' | 'tree'> {
  /** Protocol that the octets start with. */
  as?: string;
  in: Form;
  /** File to read instead of arguments. */
  read?: string;
}

/** Tables of which the index pass can begin a packet. */
const STARTS = ['link', 'ip.version', 'tls.app', 'ethertype'];
/** A place for packets that were never captured. */
const NOWHERE: CaptureInterface = { file: 1, index: 0, link: 101, snaplen: 0 };

/**
 * `fttscope decode`: the tree of octets that are no capture: envelopes, one after the other, an IP packet, or the
 * message of any protocol. They have no time, which is printed as 0, and no packets before them.
 * @returns the exit code
 */
export async function decode(words: readonly string[], o: DecodeOptions): Promise<number> {
  const registry = new Registry(dissectors, engineFields);
  applyDecodeAs(registry, o.decodeAs ?? []);
  const format = o.format ?? (o.field === undefined ? 'tree' : 'fields');
  const printer = await rowPrinter({ ...o, format, autoKeys: false, read: [] }, registry, []);
  const first = o.as === undefined ? undefined : named(o.as, registry);
  const octets = await input(words, o);
  const d = first ?? guess(octets, registry);
  const out = new Output();
  out.write(printer.head());
  new Decoder(registry, printer, (row) => printer.print(row, out.text)).run(d, octets);
  out.write(printer.tail());
  out.flush();
  return Exit.done;
}

/** Makes rows of octets. */
class Decoder {
  private readonly dissection: Dissection;
  private readonly index: IndexPass;
  private readonly row: Row;
  private rows = 0;

  constructor(
    private readonly registry: Registry,
    { fields, labels, experts, info }: RowPrinter,
    private readonly give: (row: Row) => void,
  ) {
    this.dissection = new Dissection(registry, registry.wants(fields), info || experts);
    this.dissection.tree.labels = labels;
    this.dissection.tree.wantsExperts = experts;
    this.row = new Row(this.dissection);
    const services = tlsServices(new KeyLog(), false);
    const options = { ...services, heuristicRtp: false, analyseTcp: true, showsTcp: false, duplicates: false };
    const { plan } = this.dissection;
    const interest: Interest = { tracks: (x) => plan.tracks(x), announced: (x) => plan.announce(x) };
    this.index = new IndexPass(registry, options, interest, this.dissection.faults);
  }

  /** One row for each envelope; all octets are one row of any other protocol. */
  run(d: AnyDissector, octets: Uint8Array): void {
    if (d.proto !== 'fttims') this.show(d, octets);
    else
      for (let at = 0; at < octets.length; ) {
        const n = octets.length - at < HEADER ? 0 : u16(octets, at + 1);
        const end = n < HEADER ? octets.length : Math.min(octets.length, at + n); // without a length framing is lost
        this.show(d, octets.subarray(at, end));
        at = end;
      }
  }

  private show(d: AnyDissector, octets: Uint8Array): void {
    const { dissection, row, index } = this;
    const packet = new Packet(++this.rows, 0, 0, View.of(octets, d.title), NOWHERE);
    const start = this.start(d, octets);
    if (start !== undefined) index.index(packet, ...start, index.outer(NOWHERE));
    for (const conversation of [packet.conversation, packet.state])
      if (conversation !== null && conversation.stream < 0) conversation.stream = 0;
    if (packet.tcp !== null && packet.state !== null) packet.tcp.stream = packet.state.stream;
    dissection.tree.reset();
    dissection.protocols.length = 0;
    dissection.more(packet, d);
    row.frame = this.rows;
    row.frameLength = octets.length;
    row.outer = packet;
    row.findings = packet.findings ?? [];
    dissection.finish(null, null, row.findings, []);
    this.give(row);
  }

  /** Where the index pass begins; undefined where the protocol stands above the layers that it walks. */
  private start(d: AnyDissector, octets: Uint8Array): [string, number | string] | undefined {
    if (d.peek === undefined) return undefined;
    if (d.proto === 'ip' || d.proto === 'ipv6') return ['ip.version', octets[0] >> 4];
    for (const table of STARTS) for (const [key, x] of this.entries(table)) if (x === d) return [table, key];
    return undefined;
  }

  private *entries(table: string): Iterable<[string | number, AnyDissector]> {
    for (const [name, keys] of this.registry.entries()) if (name === table) yield* keys;
  }
}

function named(proto: string, registry: Registry): AnyDissector {
  const d = registry.byProto(proto);
  if (d !== undefined) return d;
  const near = suggest(proto, registry.protocols());
  throw new UserError(
    `--as ${proto}: there is no such protocol`,
    Exit.usage,
    near === undefined ? 'fttscope fields lists them' : `did you mean ${near}?`,
  );
}

/** The octets that arguments, a file or standard input say. @throws UserError where they say none */
async function input(words: readonly string[], o: DecodeOptions): Promise<Uint8Array> {
  const given = words.join(' ');
  if (o.read !== undefined && given !== '') throw new UserError('either octets or -r, not both');
  const name = o.read ?? (given === '-' ? '-' : undefined);
  if (name === undefined && given === '')
    throw new UserError('no octets given', Exit.usage, 'fttscope decode HEX, - for standard input, or -r FILE');
  if (name === undefined) {
    const octets = o.in === 'octets' ? Buffer.from(given, 'utf8') : fromText(given, o.in);
    if (octets !== undefined) return octets;
    throw new UserError(`neither hex nor base64: ${shortened(given)}`, Exit.input, 'a file is given with -r');
  }
  const octets = fromFile(await contents(name), o.in);
  if (octets === undefined) throw new UserError(`${labelOf(name)}: neither hex nor base64`, Exit.input);
  if (octets.length === 0) throw new UserError(`${labelOf(name)}: no octets`, Exit.input);
  return octets;
}

const shortened = (s: string): string => (s.length > 40 ? `${s.slice(0, 40)}…` : s);

/** The octets that the contents of a file stand for, or, where they stand for none and may not, they themselves. */
function fromFile(b: Uint8Array, form: Form): Uint8Array | undefined {
  if (form === 'octets' || (form === 'auto' && !isText(b))) return b;
  return fromText(Buffer.from(b).toString('latin1'), form) ?? (form === 'auto' ? b : undefined);
}

/** @throws CaptureError when it cannot be read, UserError when it is too long */
async function contents(name: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of name === '-' ? process.stdin : createReadStream(name)) {
      parts.push(part as Uint8Array);
      size += (part as Uint8Array).length;
      if (size > LIMITS.pastedOctets)
        throw new UserError(
          `${labelOf(name)}: more than ${LIMITS.pastedOctets >> 20} MiB`,
          Exit.input,
          'captures are for read',
        );
    }
  } catch (e) {
    throw e instanceof UserError ? e : systemError(labelOf(name), e, 'FTT_E_READ');
  }
  return Buffer.concat(parts);
}

/**
 * Whether the octets are whole envelopes, one after the other, of whatever types: receivers discard those that they do not
 * know (TS 24.322 §5.6), and a payload is optional (§7.1.2.1). The last one may be an IP packet that is cut short.
 */
function areEnvelopes(b: Uint8Array): boolean {
  let at = 0;
  while (b.length - at >= HEADER) {
    const n = u16(b, at + 1);
    if (n < HEADER) return false;
    if (at + n > b.length) return at > 0 && b[at] === IP_PACKET;
    at += n;
  }
  return at === b.length;
}

/** What the octets are: what says so by its own lengths first. @throws UserError where nothing does */
function guess(b: Uint8Array, registry: Registry): AnyDissector {
  const of = (proto: string): AnyDissector => registry.byProto(proto)!;
  const fttims = of('fttims');
  if (fttims.probe!(b, 0, b.length) === Yes) return fttims;
  const ip = b[0] >> 4 === 4 ? of('ip') : b[0] >> 4 === 6 ? of('ipv6') : undefined;
  if (ip !== undefined && innerLength(b, 0, b.length) === b.length) return ip;
  if (b.length >= HEADER && u16(b, 1) === b.length) return fttims;
  for (const d of registry.dissectors)
    if (d !== fttims && d.probe !== undefined && d.pduLength !== undefined && d.probe(b, 0, b.length) === Yes) return d;
  if (ip !== undefined) return ip;
  if (b[0] === IP_PACKET || areEnvelopes(b)) return fttims;
  throw new UserError('neither an envelope nor an IP packet', Exit.input, '--as PROTOCOL says what it is');
}
