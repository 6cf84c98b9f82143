import type { Hardware } from '../../dissectors/dhcp/message.js';
import { counted } from '../kit/index.js';
import { type Address, addressText, isLinkLocal } from './address.js';
import { type Clock, realClock } from './clock.js';
import type { DhcpLease } from './dhcp-client.js';
import { hostDiscards, listed, unsent } from './discard-words.js';
import { type FaultSetting, Faults } from './fault.js';
import { InnerUe, type InnerUeEvent, type PingResult } from './inner-ue.js';
import type { PacketPort } from './port.js';
import { type Random, seededRandom, systemRandom } from './random.js';
import { Resolver } from './resolver.js';
import { Lines, StepFailed } from './scenario-lines.js';
import { watchSilence } from './silence.js';
import type { CallSettings, SipProtocol } from './sip-phone.js';
import type { Subscriber } from './subscriber-file.js';
import { CannotTun, type TunDevice } from './tun.js';
import { join, TunConfiguration } from './tun-configure.js';
import { TunSplit } from './tun-split.js';
import { type ConnectOptions, type Established, establish } from './tunnel-connect.js';
import { discardsInWords } from './tunnel-envelopes.js';
import type { TunnelEnd } from './tunnel-link.js';
import { hardwareOf } from './ue-hardware.js';
import { UeSip } from './ue-sip.js';
import { establishedInWords, eventInWords } from './ue-words.js';

/** What a UE connects to, registers as, and does wrong. */
export interface UeOptions {
  readonly connect: ConnectOptions;
  readonly families: readonly (4 | 6)[];
  /** Who registers. */
  readonly subscriber?: Subscriber;
  readonly calls?: CallSettings;
  /** What its SIP goes over; UDP without it. */
  readonly sipProtocol?: SipProtocol;
  /** Instead of what DHCP or routers announce. */
  readonly pcscf?: Address;
  /** The kernel speaks through the tunnel, by this device; it gets the addresses. */
  readonly tun?: TunDevice;
  /** The kernel gets addresses itself: there is nothing between the device and the tunnel. */
  readonly bare?: boolean;
  /** What DHCP says of the hardware; of this machine without it. */
  readonly hardware?: Hardware;
  /** Faults that are on from the start. */
  readonly faults?: readonly FaultSetting[];
  /** Repeats what chance does to faults. */
  readonly seed?: number;
  readonly clock?: Clock;
  /** Told of everything that happens, a line each. */
  readonly tell: (words: string) => void;
}

/** How the line begins that says so. */
const ENDED = 'tunnel ended';

/** The inner side of a UE that has none. */
const NOWHERE: PacketPort = { send: () => {}, onPacket: () => {}, close: () => {} };

/** How long a release waits for the answer to its deregistration. */
const DEREGISTER_MS = 3000;
/** How long calls are waited for that end before a registration is taken back. */
const CALLS_MS = 3000;
/** How long it waits for the other side to end what SIP went over. */
const END_MS = 1000;

/** A UE with its tunnel and its IP side. What it does can be waited for; what happens is told in lines. */
export class Ue {
  inner: InnerUe | undefined;
  established: Established | undefined;
  faults: Faults | undefined;
  /** Why the last tunnel is no more. */
  ended: TunnelEnd | undefined;
  /** How somebody else ended a tunnel, where nobody has expected that, or connected again. */
  unexpected: string | undefined;
  private readonly clock: Clock;
  private readonly random: Random;
  private session: Buffer | undefined;
  private readonly lines: Lines;
  /** What was told last about an address of a router, or of ours. */
  private readonly known = new Map<string, string>();
  private former: Address | undefined;
  private speaking: UeSip | undefined;
  private isConnecting = false;
  private readonly gone = new AbortController();
  /** What the kernel has of this UE. */
  private readonly device: TunConfiguration | undefined;

  constructor(private readonly o: UeOptions) {
    if (o.tun !== undefined && !o.bare) this.device = new TunConfiguration(o.tun);
    this.clock = o.clock ?? realClock;
    this.random = o.seed === undefined ? systemRandom : seededRandom(o.seed);
    this.lines = new Lines(this.clock, o.tell, ENDED);
  }

  /** Whether there is a tunnel. */
  get up(): boolean {
    return this.established !== undefined && this.established.link.end === undefined;
  }

  /**
   * Whether the last tunnel was refused after all: in TLS 1.3 an EFTF looks at a UE after the Finished of the UE, and may
   * then send an alert instead of anything else. RFC 8446 §4.4.2.4
   */
  get refused(): boolean {
    const link = this.established?.link;
    return link?.end?.how === 'alert' && link.counts.packets + link.counts.unknownTypes.size === 0;
  }

  /** Tells a line; returns nothing before those who listen have heard it. */
  tell(line: string): void {
    this.lines.tell(line);
  }

  /** Hears all lines from now on, until the function that it returns is called. */
  listen(hear: (line: string) => void): () => void {
    return this.lines.listen(hear);
  }

  /** Establishes a tunnel. @throws NotEstablished, StepFailed where there is one already, or soon */
  async connect({ resume = true } = {}): Promise<Established> {
    if (this.up) throw new StepFailed('there is a tunnel already');
    if (this.isConnecting) throw new StepFailed('a tunnel is being established');
    this.isConnecting = true;
    try {
      return await this.begin(resume);
    } finally {
      this.isConnecting = false;
    }
  }

  private async begin(resume: boolean): Promise<Established> {
    const { connect, families } = this.o;
    const e = await establish({
      ...connect,
      gone: this.gone.signal,
      families: { ip4: families.includes(4), ip6: families.includes(6) },
      ...(resume && this.session && { session: this.session }),
      onSession: (session) => {
        this.session = session;
        connect.onSession?.(session);
      },
    });
    this.established = e;
    this.ended = this.unexpected = undefined;
    this.known.clear();
    this.tell(establishedInWords(e));
    const faults = new Faults(e.link, this.random, this.clock);
    this.faults = faults;
    const { tun, bare } = this.o;
    if (tun !== undefined && bare) join(faults.port, tun);
    this.inner = new InnerUe({
      port: bare ? NOWHERE : tun === undefined ? faults.port : new TunSplit(faults.port, tun),
      clock: this.clock,
      random: this.random,
      families,
      hardware: this.o.hardware ?? hardwareOf(e.link.tap.raw.localAddress ?? ''),
      onEvent: (event) => this.onEvent(event),
    });
    watchSilence(e.link, realClock, (line) => this.tell(line));
    void e.link.ended.then((end) => this.over(e, end));
    for (const f of this.o.faults ?? []) faults.apply(f);
    return e;
  }

  private onEvent(event: InnerUeEvent): void {
    try {
      if (this.inner !== undefined) this.device?.take(event, this.inner);
    } catch (e) {
      if (!(e instanceof CannotTun)) throw e;
      this.tell(e.message);
    }
    const line = eventInWords(event);
    if (this.isNews(event, line)) this.tell(line);
  }

  /** Routers say the same again and again: only what is new is told. */
  private isNews(e: InnerUeEvent, line: string): boolean {
    if (e.layer !== 'nd' || !('address' in e.event)) return true;
    const about = addressText(e.event.address);
    const refreshed = e.event.type === 'address' || e.event.type === 'router';
    const known = this.known.get(about);
    if (e.event.type === 'enough' || e.event.type === 'expired' || e.event.type === 'router lost')
      this.known.delete(about);
    else this.known.set(about, refreshed ? e.event.type : line);
    return !refreshed || known !== e.event.type;
  }

  private over(e: Established, end: TunnelEnd): void {
    if (this.established !== e) return;
    this.ended = end;
    this.former = this.inner?.dhcp.lease?.address;
    const calls = this.speaking?.agent.calls.size ?? 0;
    this.speaking?.stop();
    this.speaking = undefined;
    this.inner?.stop();
    this.device?.clear();
    const { discarded } = this;
    this.inner = undefined;
    if (end.by !== 'us') this.unexpected = `the tunnel ended: ${end.words}`;
    const lost = calls === 0 ? '' : `; ${counted(calls, 'call')} with it`;
    this.tell(`${ENDED}: ${end.words}${lost}${discarded === '' ? '' : `; discarded ${discarded}`}`);
  }

  /** What was thrown away in this tunnel, in words; '' where nothing was. */
  get discarded(): string {
    const { established, inner } = this;
    if (established === undefined) return '';
    const { counts, sent } = established.link;
    return listed(discardsInWords(counts), inner === undefined ? '' : hostDiscards(inner.host.counters), unsent(sent));
  }

  /** The inner side of the tunnel. @throws StepFailed without a tunnel */
  get host(): InnerUe {
    if (this.inner === undefined) throw new StepFailed('there is no tunnel');
    return this.inner;
  }

  /** Gets an IPv4 address by DHCP. @throws StepFailed */
  async dhcp(ms: number): Promise<DhcpLease> {
    const { host } = this;
    if (!this.o.families.includes(4)) throw new StepFailed('this UE does not support IPv4');
    const heard = this.hear(/^(IPv4 \S+\/\d+ |DHCP failed)/, ms, 'no DHCP server answered');
    host.startDhcp(this.former);
    const line = await heard;
    if (host.dhcp.lease === undefined) throw new StepFailed(line);
    return host.dhcp.lease;
  }

  /** Makes IPv6 addresses; ends when there is one that is not link-local. @throws StepFailed */
  async slaac(ms: number): Promise<Address> {
    const { host } = this;
    if (!this.o.families.includes(6)) throw new StepFailed('this UE does not support IPv6');
    const heard = this.hear(
      /^(IPv6 \S+ valid for |no router answers|.*no other is tried)/,
      ms,
      'no router gave a prefix',
    );
    host.startSlaac();
    const line = await heard;
    const own = host.neighbours.addresses.find((a) => a.state === 'preferred' && !isLinkLocal(a.address));
    if (own === undefined) throw new StepFailed(line);
    return own.address;
  }

  /** The SIP side, begun if need be. @throws StepFailed without subscriber or P-CSCF */
  async startSip(): Promise<UeSip> {
    if (this.speaking !== undefined) return this.speaking;
    const { host } = this;
    const { subscriber, calls = {}, sipProtocol: protocol } = this.o;
    if (subscriber === undefined) throw new StepFailed('who registers? --subscriber FILE, or --lab');
    const address = await this.pcscf();
    const { clock, random } = this;
    const tell = (line: string): void => this.tell(line);
    this.speaking = new UeSip(
      { inner: host, subscriber, calls, clock, random, tell, ...(protocol && { protocol }) },
      address,
    );
    return this.speaking;
  }

  /** The P-CSCF: as configured, as announced by address, or by a name that DNS resolves. TS 24.229 §9.2.1 */
  private async pcscf(): Promise<Address> {
    const { host } = this;
    const known = this.o.pcscf === undefined ? host.pcscfs : [this.o.pcscf];
    const near = known.find((p): p is Address => typeof p !== 'string' && host.host.sourceFor(p) !== undefined);
    if (near !== undefined) return near;
    if (!this.hasAddress) {
      const verbs = this.o.families.map((f) => (f === 4 ? 'dhcp' : 'slaac')).join(' or ');
      throw new StepFailed(`this UE has no address in this tunnel: ${verbs} first`);
    }
    const name = known.find((p): p is string => typeof p === 'string') ?? this.domain;
    const { clock, random } = this;
    const resolver = new Resolver({ host: host.host, clock, random, servers: () => host.dnsServers });
    const found = await new Promise<Address | undefined>((resolve) => {
      resolver.pcscf(name, this.o.families, (peers) => {
        resolve(peers.map((p) => p.address).find((a) => host.host.sourceFor(a) !== undefined));
      });
    });
    if (found === undefined)
      throw new StepFailed(`no P-CSCF was announced that can be reached, and DNS knows none for ${name}`);
    return found;
  }

  /** Whether it can be reached by somebody beyond the link. */
  private get hasAddress(): boolean {
    const { dhcp, neighbours } = this.host;
    const isGlobal = ({ state, address }: (typeof neighbours.addresses)[number]): boolean =>
      (state === 'preferred' || state === 'deprecated') && !isLinkLocal(address);
    return dhcp.lease !== undefined || neighbours.addresses.some(isGlobal);
  }

  /** The SIP side of a UE that has registered. @throws StepFailed */
  sip(): UeSip {
    if (this.speaking === undefined) throw new StepFailed(this.up ? 'register first' : 'there is no tunnel');
    return this.speaking;
  }

  /** The SIP side, once there is one. */
  get signalling(): UeSip | undefined {
    return this.speaking;
  }

  /** Whether there is somebody to register, and an inner side of ours to do it. */
  get registers(): boolean {
    return this.o.subscriber !== undefined && !this.o.bare && this.o.tun === undefined;
  }

  /** Domain of the subscriber. */
  get domain(): string {
    return this.o.subscriber?.domain ?? '';
  }

  /** Takes the registration back. @throws StepFailed where there is none, or the registrar does not agree */
  async deregister(ms: number): Promise<void> {
    if (this.sip().agent.registration.state === 'none') throw new StepFailed('nothing is registered');
    const line = await this.takeBack(ms);
    if (line !== 'deregistered') throw new StepFailed(line);
  }

  /** Takes the registration back, with its calls; returns what was told of it. @throws StepFailed where nothing was */
  private async takeBack(ms: number): Promise<string> {
    await this.endCalls(); // TS 24.229 §5.1.1.6.1
    const heard = this.hear(/^(deregistered|registration failed)/, ms, 'the deregistration was not answered');
    this.sip().agent.deregister();
    return heard;
  }

  /** Ends what goes on and what rings, and waits a while for the other side to agree. */
  private async endCalls(): Promise<void> {
    const calls = [...this.sip().agent.calls];
    const unanswered = new Set(calls.filter((call) => call.state === 'confirmed'));
    for (const call of calls) {
      call.onFarewell = (status) => {
        unanswered.delete(call);
        this.tell(`BYE: ${status}`);
      };
      call.hangUp();
    }
    const over = (): boolean => unanswered.size === 0 && calls.every((call) => call.state === 'ended');
    if (!(await this.until(over, CALLS_MS))) this.tell(`the end of calls was not answered within ${CALLS_MS / 1000} s`);
  }

  /** Pings once; without a target the gateway or router. @throws StepFailed where there is none, or no answer */
  async ping(dst: Address | undefined, ms: number, size = 56): Promise<PingResult & { answered: true }> {
    const { host } = this;
    const target = dst ?? host.dhcp.lease?.routers[0] ?? host.neighbours.routers[0]?.address;
    if (target === undefined) throw new StepFailed('there is neither a gateway nor a router to ping');
    if (host.host.sourceFor(target) === undefined)
      throw new StepFailed(`no address to ping ${addressText(target)} from`);
    const result = await new Promise<PingResult>((resolve) => {
      host.ping(target, resolve, { timeout: ms, size });
    });
    if (!result.answered)
      throw new StepFailed(`${addressText(target)}: ${result.why ?? `no answer within ${ms / 1000} s`}`);
    this.tell(`${size + 8} octets from ${addressText(target)}: ttl ${result.ttl}, ${result.ms.toFixed(2)} ms`);
    return result;
  }

  /** The first line since the last expectation that matches, now or within `ms`. @throws StepFailed */
  async expectLine(pattern: RegExp, ms: number): Promise<string> {
    const line = await this.lines.expect(pattern, ms);
    if (line.startsWith(ENDED)) this.unexpected = undefined;
    return line;
  }

  /** Whether something becomes so within `ms`, by what is told. */
  until(so: () => boolean, ms: number): Promise<boolean> {
    return this.lines.until(so, ms);
  }

  /** See {@link Lines.hear}. @throws StepFailed after `ms`, or when the tunnel ends without it */
  hear(pattern: RegExp, ms: number, otherwise?: string, isMeant?: (line: string) => boolean): Promise<string> {
    return this.lines.hear(pattern, ms, otherwise, isMeant);
  }

  /** Waits so long. @throws StepFailed where it ends before */
  pause(ms: number): Promise<void> {
    return this.lines.pause(ms);
  }

  /** Releases the tunnel, after what must be done before: TS 24.322 §4, §5.4.2. Nothing without a tunnel. */
  async release(): Promise<void> {
    const link = this.established?.link;
    if (link === undefined || link.end !== undefined) return;
    if (this.speaking?.agent.registration.state === 'registered')
      await this.takeBack(DEREGISTER_MS).catch((e: Error) => this.tell(e.message)); // TS 24.322 §4
    await this.inner?.tcp.end(END_MS);
    if (this.inner?.dhcp.lease !== undefined) this.inner.releaseDhcp();
    link.close('released by this UE');
    await link.closed;
  }

  /** Releases the tunnel, or gives up the one that is being established; there will be no other. */
  async close(): Promise<void> {
    this.gone.abort();
    await this.release();
    this.lines.end();
  }
}
