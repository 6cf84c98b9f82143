import { spawnSync } from 'node:child_process';
import { closeSync, constants as modes, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { type Address, addressText } from './address.js';
import type { PacketPort } from './port.js';

/** What is used of koffi. */
interface Koffi {
  load(library: string): Library;
  /** That of the last call. */
  errno(): number;
}
interface Library {
  func(prototype: string): Native;
}
interface Native {
  (...args: unknown[]): number;
  async(...args: unknown[]): void;
}

/** A TUN device cannot be had: why, and what to do. */
export class CannotTun extends Error {
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

// linux/if_tun.h, linux/if.h, poll.h
const TUNSETIFF = 0x400454ca;
const IFF_TUN_NO_PI = 0x1001;
const IFREQ = 40;
const NAME = 16;
const POLLIN = 1;
/** The device is asked anew whether it is closed so often; packets read in a row before others get their turn. */
const POLL_MS = 200;
const BURST = 256;
const LARGEST = 65_536;
const MTU = 1500;
/** Parameters of IPv6: what they are where the kernel looks after itself, and where somebody else does. */
const AUTONOMY = [
  ['autoconf', 1, 0],
  ['accept_ra', 2, 0], // also where the kernel forwards
  ['addr_gen_mode', 3, 1], // by chance; none
] as const;

/** A TUN device of Linux as a port: what the kernel routes to it arrives here. */
export class TunDevice implements PacketPort {
  /** Resolves when somebody has taken the device away. */
  readonly gone: Promise<void>;
  private leave!: () => void;
  private receive: ((ip: Uint8Array) => void) | undefined;
  private closed = false;
  /** No Buffer: `slice` of what it holds has to copy. */
  private readonly buf = new Uint8Array(LARGEST);
  private readonly waiting = Buffer.alloc(8);

  private constructor(
    readonly name: string,
    private readonly fd: number,
    private readonly poll: Native,
  ) {
    this.gone = new Promise((resolve) => {
      this.leave = resolve;
    });
    this.waiting.writeInt32LE(fd, 0);
    this.waiting.writeInt16LE(POLLIN, 4);
    this.wait();
  }

  /**
   * Makes the device and sets it up.
   * @param autonomous the kernel makes link-local addresses and takes router advertisements @throws CannotTun
   */
  static open(name: string, autonomous = false): TunDevice {
    if (!/^[\w.-]{1,15}$/.test(name)) throw new CannotTun(`${name} is no name of a device`, 'It has up to 15 letters.');
    const { koffi, libc } = library();
    const fd = control();
    const request = Buffer.alloc(IFREQ);
    request.write(name, 0, 'latin1');
    request.writeInt16LE(IFF_TUN_NO_PI, NAME);
    if (libc.func('int ioctl(int fd, ulong request, void *argument)')(fd, TUNSETIFF, request) < 0) {
      const errno = koffi.errno();
      closeSync(fd);
      const { EBUSY, EINVAL } = constants.errno;
      if (errno === EBUSY) throw new CannotTun(`another program has the device ${name}`, 'Name another one.');
      if (errno === EINVAL) throw new CannotTun(`${name} is there, and no TUN device`, 'Name another one.');
      throw new CannotTun(`the TUN device ${name} cannot be made`, RIGHTS);
    }
    const device = new TunDevice(name, fd, libc.func('int poll(void *fds, ulong count, int timeout)'));
    try {
      for (const [key, on, off] of AUTONOMY) device.ipv6(key, autonomous ? on : off);
      ip('link', 'set', name, 'up', 'multicast', 'on', 'mtu', String(MTU));
    } catch (e) {
      device.close();
      throw e;
    }
    return device;
  }

  /** Sets a parameter of IPv6 on the device; nothing where the kernel has none. */
  ipv6(key: string, value: number): void {
    try {
      writeFileSync(`/proc/sys/net/ipv6/conf/${this.name}/${key}`, String(value));
    } catch {
      // no IPv6
    }
  }

  send(packet: Uint8Array): void {
    if (this.closed) return;
    try {
      writeSync(this.fd, packet);
    } catch {
      // The kernel takes no packet that it does not understand; to IP that is a loss like any other.
    }
  }

  onPacket(receive: (ip: Uint8Array) => void): void {
    this.receive = receive;
  }

  close(): void {
    this.closed = true;
  }

  /** Gives the device an address; one that has it already keeps it as it is said now. @throws CannotTun */
  addAddress(a: Address, prefixLength: number): void {
    const nodad = a.length === 16 ? ['nodad'] : []; // the tunnel's side has detected duplicates
    ip('address', 'replace', `${addressText(a)}/${prefixLength}`, 'dev', this.name, ...nodad);
  }

  /** Nothing that is new is sent from an address any more. RFC 4862 §5.5.4 */
  deprecate(a: Address, prefixLength: number): void {
    spawnSync('ip', ['address', 'change', `${addressText(a)}/${prefixLength}`, 'dev', this.name, 'preferred_lft', '0']);
  }

  removeAddress(a: Address, prefixLength: number): void {
    spawnSync('ip', ['address', 'del', `${addressText(a)}/${prefixLength}`, 'dev', this.name]);
  }

  /** Routes to the device; `default` with a metric that lets any other default route win. @throws CannotTun */
  addRoute(to: string, family: 4 | 6): void {
    ip(`-${family}`, 'route', 'replace', to, 'dev', this.name, ...(to === 'default' ? ['metric', '4096'] : []));
  }

  setMtu(mtu: number): void {
    spawnSync('ip', ['link', 'set', this.name, 'mtu', String(mtu)]);
  }

  /** Whether devices can be made here, without making one. @throws CannotTun */
  static check(): void {
    library();
    closeSync(control());
    if (!mayMake()) throw new CannotTun('TUN devices cannot be made', RIGHTS);
  }

  /** Waits for packets in a thread of koffi, then takes what is there. */
  private wait(): void {
    this.poll.async(this.waiting, 1, POLL_MS, (_: unknown, ready: number) => {
      if (this.closed) {
        closeSync(this.fd);
        return;
      }
      if (ready > 0) this.take();
      this.wait();
    });
  }

  private take(): void {
    try {
      for (let i = 0; i < BURST && !this.closed; i++) {
        const n = readSync(this.fd, this.buf, 0, LARGEST, null);
        if (n <= 0) return;
        this.receive?.(this.buf.subarray(0, n));
      }
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code === 'EAGAIN') return; // nothing more is there
      this.closed = true;
      this.leave();
    }
  }
}

const RIGHTS = 'It wants root, or CAP_NET_ADMIN; unshare -rn gives a namespace where everybody may.';

/** CAP_NET_ADMIN among the bits of the effective capabilities. */
const NET_ADMIN = 1n << 12n;

/** Whether this process may make devices, as far as the kernel says so. */
function mayMake(): boolean {
  try {
    const bits = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'latin1'));
    return bits === null || (BigInt(`0x${bits[1]}`) & NET_ADMIN) !== 0n;
  } catch {
    return true;
  }
}

/** Opens what TUN devices are made by. @throws CannotTun */
function control(): number {
  try {
    return openSync('/dev/net/tun', modes.O_RDWR | modes.O_NONBLOCK);
  } catch (e) {
    const { code, message } = e as NodeJS.ErrnoException;
    const missing = code === 'ENOENT' || code === 'ENODEV';
    throw new CannotTun(`no TUN device: ${message}`, missing ? 'modprobe tun' : RIGHTS);
  }
}

function library(): { readonly koffi: Koffi; readonly libc: Library } {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    return { koffi, libc: koffi.load('libc.so.6') };
  } catch (e) {
    const [line] = (e as Error).message.split('\n');
    throw new CannotTun(`TUN devices need Linux and the package koffi: ${line}`, 'npm install koffi');
  }
}

/** Runs `ip`. @throws CannotTun with its words */
function ip(...args: readonly string[]): void {
  const r = spawnSync('ip', args, { encoding: 'utf8' });
  if (r.error !== undefined) throw new CannotTun(`ip does not run: ${r.error.message}`, 'apt-get install iproute2');
  if (r.status !== 0) throw new CannotTun(`ip ${args.join(' ')}: ${r.stderr.trim()}`, RIGHTS);
}
