import { HEADER, IP_PACKET } from '../../dissectors/ftt-ims.js';
import { put16 } from '../kit/bytes.js';
import { type Clock, realClock } from './clock.js';
import { FaultPort } from './fault-port.js';
import { RecordShaper } from './fault-records.js';
import type { PacketPort } from './port.js';
import { octets, type Random } from './random.js';
import { LARGEST_PACKET } from './tunnel-envelopes.js';
import type { TunnelLink } from './tunnel-link.js';

/** What either end of a tunnel can do wrong on purpose, what each takes, and what it does. */
export const FAULTS = {
  'length-0': 'an envelope with a Length of 0: framing is lost',
  'length-1': 'an envelope with a Length of 1: framing is lost',
  'length-2': 'an envelope with a Length of 2: framing is lost',
  'length-3': 'a type 1 envelope without a packet',
  'wrong-length': 'an envelope whose Length is larger than it by N octets (5)',
  'unknown-type': 'an envelope of type N (200), which is to be discarded',
  'version-5': 'an IP packet of version 5, which is to be discarded',
  'random-octets': 'N (4096) octets that are no envelopes',
  split: 'envelopes cut over several records',
  merge: 'several envelopes in one record',
  'octet-records': 'one octet a record',
  delay: 'packets are sent N milliseconds (100), or a time such as 2s, late',
  drop: 'a part N (0.1) of the packets is lost',
  duplicate: 'a part N (0.1) of the packets is sent twice',
  reorder: 'a part N (0.1) of the packets is sent after the next one',
  corrupt: 'in a part N (0.1) of the packets one bit is wrong',
  'half-close': 'a FIN, while what comes is still taken',
  'no-close-notify': 'the end of TCP without a close_notify',
  rst: 'a RST',
} as const;
export type FaultName = keyof typeof FAULTS;

/** A fault with its number; undefined for the default, 0 ends one that lasts. */
export type FaultSetting<Name extends string = FaultName> = Name extends string
  ? { readonly name: Name; readonly value?: number }
  : never;

/** Names of faults, each with what it does. */
export type FaultList<Name extends string> = Readonly<Record<Name, string>>;

/** `drop=0.2`, `rst`, one of a list; the text of what is wrong with it otherwise. */
export function parseFault<Name extends string>(text: string, list: FaultList<Name>): FaultSetting<Name> | string {
  const [name, number, ...more] = text.split('=');
  if (!isOf(list, name)) return `no fault is called ${name}; there are ${Object.keys(list).join(', ')}`;
  if (number === undefined) return { name } as FaultSetting<Name>;
  // Of all times that are given this one alone has been a bare number of milliseconds.
  const ms = name === 'delay' ? /^(\d+(?:\.\d+)?)(ms|s)$/.exec(number) : null;
  const value = ms === null ? Number(number) : Number(ms[1]) * (ms[2] === 's' ? 1000 : 1);
  if (more.length > 0 || number.trim() === '' || !Number.isFinite(value) || value < 0)
    return `${name}: ${number} is no number`;
  if (name.startsWith('refuse-') && value !== 0 && !(Number.isInteger(value) && value >= 400 && value <= 699))
    return `${name}: ${number} is no status of a refusal, 400 to 699`; // RFC 3261 §21.4 to §21.6
  const most = MOST[name];
  if (most !== undefined && (value > most || (most > 1 && !Number.isInteger(value))))
    return `${name}: ${number} is no ${most === 1 ? 'part' : 'whole number'} from 0 to ${most}`;
  return { name, value } as FaultSetting<Name>;
}

/** Largest numbers; those of a part of all packets end at 1. */
const MOST: Readonly<Record<string, number | undefined>> = {
  'wrong-length': 0xffff,
  'unknown-type': 0xff,
  'random-octets': 1 << 20,
  delay: 3_600_000,
  drop: 1,
  duplicate: 1,
  reorder: 1,
  corrupt: 1,
} satisfies Partial<Record<FaultName, number>>;

/** Whether a list has a fault. */
export const isOf = <Name extends string>(list: FaultList<Name>, name: string): name is Name =>
  Object.hasOwn(list, name);

/** A part of packets where nothing is said. */
const PART = 0.1;

/** The faults of one tunnel: what it sends goes wrong as asked for, by chance that a seed repeats. Off unless asked. */
export class Faults {
  /** To be used instead of the tunnel. */
  readonly port: FaultPort & PacketPort;
  private readonly shaper: RecordShaper;

  constructor(
    private readonly link: TunnelLink,
    private readonly random: Random,
    clock: Clock = realClock,
  ) {
    this.port = new FaultPort(link, random, clock);
    this.shaper = new RecordShaper(random, clock);
  }

  /** Commits a fault, once or from now on. */
  apply({ name, value }: FaultSetting): void {
    const { link, port, shaper } = this;
    if (name === 'split' || name === 'merge' || name === 'octet-records') {
      shaper.modes[name] = value !== 0;
      link.shape = shaper.needed ? shaper : undefined;
    } else if (name === 'delay') port.delayMs = value ?? 100;
    else if (name === 'drop' || name === 'duplicate' || name === 'reorder' || name === 'corrupt')
      port.parts[name] = value ?? PART;
    else if (name === 'half-close') link.tap.sendFin();
    else if (name === 'no-close-notify') link.breakOff();
    else if (name === 'rst') link.tap.reset();
    else link.sendOctets(this.made(name, value));
  }

  /** Those that go on, as they are typed: `drop=0.1`. */
  get lasting(): string[] {
    const { port, shaper } = this;
    return [
      ...Object.entries(port.parts).flatMap(([name, part]) => (part > 0 ? [`${name}=${part}`] : [])),
      ...(port.delayMs > 0 ? [`delay=${port.delayMs}`] : []),
      ...Object.entries(shaper.modes).flatMap(([name, on]) => (on ? [name] : [])),
    ];
  }

  /** No faults from now on. */
  off(): void {
    this.port.off();
    this.shaper.off();
    this.link.shape = undefined;
  }

  /** The octets of a fault that is sent once. */
  private made(name: FaultName, value: number | undefined): Uint8Array {
    const short = /^length-(\d)$/.exec(name);
    if (short !== null) return Uint8Array.of(IP_PACKET, 0, Number(short[1])); // TS 24.322 §7.1.2: below 3 impossible, 3 empty
    if (name === 'random-octets') return octets(this.random, value ?? 4096);
    if (name === 'unknown-type') return envelope(value ?? 200, octets(this.random, 8), 0);
    if (name === 'version-5') return envelope(IP_PACKET, Uint8Array.of(0x50, ...octets(this.random, 19)), 0);
    return envelope(IP_PACKET, Uint8Array.of(0x45, ...octets(this.random, 19)), value ?? 5);
  }
}

/** An envelope whose Length is `off` octets too large. */
function envelope(type: number, payload: Uint8Array, off: number): Uint8Array {
  const b = new Uint8Array(HEADER + payload.length);
  b[0] = type;
  put16(b, 1, Math.min(b.length + off, LARGEST_PACKET + HEADER));
  b.set(payload, HEADER);
  return b;
}
